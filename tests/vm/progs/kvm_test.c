// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's page tables of HDM memory: a guest of a few instructions stores to the HDM region
 * and to the virtual BAR, and KVM counts the pages that it maps for it.  The first HDM range
 * has at least 2 GiB and begins at a multiple of 1 GiB.  Inputs are in vfio.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <linux/pci_regs.h>

#include "harness.h"

#include "vfio.h"

#define MIB	(1024ul * 1024)
#define GIB	(1024 * MIB)

/* Guest physical addresses: the instructions, and device memory */
#define CODE	0x1000
#define MEMORY	(1 * GIB)

#define STORED	0x600df00d

/* mov dword ptr [MEMORY], STORED; hlt; jmp to the start */
static const uint8_t guest_code[] = {
	0xc7, 0x05, 0x00, 0x00, 0x00, 0x40, 0x0d, 0xf0, 0x0d, 0x60, 0xf4, 0xeb, 0xf3,
};

struct guest {
	int kvm;
	int vm;
	int vcpu;
	struct kvm_run *run;
};

FIXTURE(kvm) {
	struct vfio v;
	struct guest guest;
};

/* Protected mode without paging: 32-bit addresses are guest physical ones */
static int set_registers(int vcpu)
{
	struct kvm_segment flat = { .limit = 0xffffffff, .selector = 8, .type = 3, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs s;

	if (ioctl(vcpu, KVM_GET_SREGS, &s))
		return -errno;
	s.ds = flat;
	s.es = flat;
	s.ss = flat;
	s.cs = flat;
	s.cs.type = 11;
	s.cr0 |= 1;
	return ioctl(vcpu, KVM_SET_SREGS, &s) || ioctl(vcpu, KVM_SET_REGS, &regs) ? -errno : 0;
}

static int add_memory(int vm, uint32_t slot, uint64_t gpa, void *va, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (unsigned long)va,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

FIXTURE_SETUP(kvm)
{
	struct guest *g = &self->guest;
	void *code;

	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, g->kvm);
	g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, g->vm);
	code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, code);
	memcpy(code, guest_code, sizeof(guest_code));
	ASSERT_EQ(0, add_memory(g->vm, 0, CODE, code, PAGE));
	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, g->vcpu);
	g->run = mmap(NULL, ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		      MAP_SHARED, g->vcpu, 0);
	ASSERT_NE(MAP_FAILED, g->run);
	ASSERT_EQ(0, set_registers(g->vcpu));
}

FIXTURE_TEARDOWN(kvm)
{
	close(self->guest.vcpu);
	close(self->guest.vm);
	close(self->guest.kvm);
	vfio_close(&self->v);
}

/* Map 1 GiB of a region from @at on, at an address that equals it modulo 1 GiB */
static uint8_t *map_gib(struct vfio *v, uint32_t region, uint64_t at)
{
	struct vfio_region_info *info = vfio_region(v, region);
	uint8_t *room = mmap(NULL, 3 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long va = ((unsigned long)room + GIB - 1) / GIB * GIB + at % GIB;
	void *p;

	if (!info)
		return MAP_FAILED;
	p = mmap((void *)va, GIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->device,
		 info->offset + at);
	free(info);
	return p;
}

/* Pages of a size that KVM has mapped for its guests, -1 without debugfs */
static long pages(const char *size)
{
	char path[PATH_MAX], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/pages_%s", size);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atol(text);
}

/* Let the guest store, until it halts */
static int store(struct guest *g)
{
	if (ioctl(g->vcpu, KVM_RUN, 0))
		return -errno;
	return g->run->exit_reason == KVM_EXIT_HLT ? 0 : (int)g->run->exit_reason;
}

/* The guest's memory is in pages of @size, and its store in the device */
static void try_region(struct __test_metadata *_metadata, struct vfio *v,
		       struct guest *g, uint32_t region, uint64_t at, const char *size)
{
	uint8_t *p = map_gib(v, region, at);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, add_memory(g->vm, 1, MEMORY, p, GIB));
	ASSERT_EQ(0, pages(size));
	ASSERT_EQ(0, store(g));
	EXPECT_EQ(1, pages(size));
	EXPECT_EQ(STORED, region_read32(v, region, at));
	/* A reset takes the page away, and the next store gets it again */
	EXPECT_EQ(0, ioctl(v->device, VFIO_DEVICE_RESET));
	EXPECT_EQ(0, pages(size));
	set_command(v, PCI_COMMAND_MEMORY, 0);
	region_write32(v, region, at, 0);
	EXPECT_EQ(0, store(g));
	EXPECT_EQ(1, pages(size));
	EXPECT_EQ(STORED, region_read32(v, region, at));
	munmap(p, GIB);
	EXPECT_EQ(0, pages(size));
}

/* 1 GiB, unless max_order is less */
static const char *largest(void)
{
	return input_number("MAX_ORDER", 18) < 18 ? "2m" : "1g";
}

TEST_F(kvm, the_hdm_region_has_the_largest_pages)
{
	uint32_t region = vfio_cxl_cap(&self->v)->hdm_region_idx;

	try_region(_metadata, &self->v, &self->guest, region, 0, largest());
}

TEST_F(kvm, the_virtual_bar_has_the_largest_pages)
{
	try_region(_metadata, &self->v, &self->guest, input_number("BAR", 4), 0, largest());
}

/* Guest physical and host virtual address are aligned alike, and device memory is not */
TEST_F(kvm, memory_at_a_multiple_of_2_mib_has_pages_of_2_mib)
{
	uint32_t region = vfio_cxl_cap(&self->v)->hdm_region_idx;

	try_region(_metadata, &self->v, &self->guest, region, 2 * MIB, "2m");
}

TEST_HARNESS_MAIN
