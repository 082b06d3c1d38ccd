// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDM memory as a user sees it: mappings of any size and alignment, reads and writes, the
 * gate, DMA.  Inputs are in vfio.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/userfaultfd.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "../modules/t2lab.h"
#include "vfio.h"

/* What an entry of the second and of the third level maps, pages as a power of two */
#define PMD_ORDER	((unsigned int)__builtin_ctzl(PAGE / 8))
#define PUD_ORDER	(2 * PMD_ORDER)
#define MIB	(1024ul * 1024)
#define GIB	(1024 * MIB)
#define IOVA	0x20000000ul

FIXTURE(mem) {
	struct vfio v;
	uint32_t hdm;
	uint64_t size;
	uint64_t hpa;
	unsigned int max_order;
};

FIXTURE_SETUP(mem)
{
	struct vfio_region_info *info;

	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	info = vfio_region(&self->v, self->hdm);
	ASSERT_NE(NULL, info);
	self->size = info->size;
	free(info);
	self->hpa = input_number("HPA", 0);
	self->max_order = input_number("MAX_ORDER", 18);
	if (self->max_order > input_number("HUGE", 18))
		self->max_order = input_number("HUGE", 18);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
}

FIXTURE_TEARDOWN(mem)
{
	vfio_close(&self->v);
}

/*
 * Map @n bytes of the region at @at where an address has @skew from what fits
 * huge pages: addresses equal physical ones modulo 1 GiB, plus the skew.
 */
static uint8_t *map_at(struct vfio *v, uint32_t region, uint64_t hpa, uint64_t at, size_t n,
		       unsigned long skew)
{
	struct vfio_region_info *info = vfio_region(v, region);
	uint8_t *room = mmap(NULL, n + 2 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long want = ((unsigned long)room + GIB - 1) / GIB * GIB + (hpa + at) % GIB + skew;
	void *p;

	p = mmap((void *)want, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->device,
		 info->offset + at);
	free(info);
	return p == MAP_FAILED ? NULL : p;
}

/* Faults that touching each page of a range takes */
static long faults_of(volatile uint8_t *p, size_t n)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (size_t i = 0; i < n; i += PAGE)
		p[i] = 1;
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt - before.ru_minflt;
}

/* Touching a mapping takes one fault for each largest possible page, and few more */
TEST_F(mem, faults_are_as_large_as_they_can_be)
{
	unsigned int asked = input_number("MAX_ORDER", 18), order = self->max_order;
	size_t n = !asked ? 64 * MIB : self->size < GIB ? self->size : GIB;
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, n, 0);
	unsigned long page;
	long faults;

	ASSERT_NE(NULL, p);
	/*
	 * 1 GiB where range and address allow, else 2 MiB, which 6.1 fills with 4 KiB pages;
	 * other sizes where pages are larger than 4 KiB
	 */
	if (order >= PUD_ORDER && (n < PAGE << PUD_ORDER || self->hpa % (PAGE << PUD_ORDER)))
		order = PMD_ORDER;
	if (asked >= PMD_ORDER && order < PMD_ORDER)
		order = PMD_ORDER;
	page = PAGE << order;
	faults = faults_of(p, n);
	EXPECT_LE(n / page, faults);
	EXPECT_GE(n / page + 16, faults);
	munmap(p, n);
}

/* The page tables have HDM memory as write-back at every page size */
TEST_F(mem, page_tables_say_write_back)
{
	unsigned int order = self->max_order;
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, self->size, 0);
	int lab = open("/dev/t2lab", O_RDWR);
	struct t2lab_page page;

	ASSERT_NE(NULL, p);
	ASSERT_LE(0, lab);
	if (order >= PUD_ORDER && (self->size < GIB || self->hpa % GIB))
		order = PMD_ORDER;
	for (uint64_t at = 0; at < self->size; at += 64 * MIB) {
		p[at] = 1;
		page.va = (unsigned long)p + at;
		ASSERT_EQ(0, ioctl(lab, T2LAB_PAGE, &page));
		EXPECT_EQ(order, page.order);
		EXPECT_EQ(0, page.cache);
		EXPECT_EQ((self->hpa + at) & ~((PAGE << order) - 1), page.pa);
	}
	close(lab);
	munmap(p, self->size);
}

/* KVM's verdict decides whether a guest on Intel gets HDM memory write-back or uncached */
TEST_F(mem, kvm_sees_memory_if_there_are_struct_pages)
{
	int lab = open("/dev/t2lab", O_RDWR);
	bool pages = input_number("PAGES", 0);

	ASSERT_LE(0, lab);
#ifndef __x86_64__
	close(lab);
	SKIP(return, "KVM asks this question on x86 alone");
#endif
	if (access("/sys/module/kvm", F_OK)) {
		close(lab);
		SKIP(return, "this kernel has no KVM");
	}
	for (uint64_t at = 0; at < self->size; at += 8 * MIB + PAGE) {
		struct t2lab_frame frame = { .pa = self->hpa + at };

		ASSERT_EQ(0, ioctl(lab, T2LAB_FRAME, &frame));
		EXPECT_EQ(pages, frame.has_page);
		EXPECT_EQ(pages, frame.is_reserved);
		EXPECT_EQ(!pages && !input_number("RAW_RAM", 0), frame.is_mmio);
	}
	close(lab);
}

/* A reference on a page would outlive the mapping, so none is given, even with struct pages */
TEST_F(mem, get_user_pages_is_refused)
{
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, 4 * MIB, 0);
	struct iovec iov = { .iov_base = p, .iov_len = PAGE };
	char buf[PAGE];
	struct iovec local = { .iov_base = buf, .iov_len = PAGE };
	int pipes[2];

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, pipe(pipes));
	*p = 1;
	EXPECT_EQ(-1, vmsplice(pipes[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	close(pipes[0]);
	close(pipes[1]);
	munmap(p, 4 * MIB);
}

TEST_F(mem, a_fault_maps_pages_around_it_at_any_alignment)
{
	size_t n = 64 * MIB;
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, n, PAGE);
	long faults;

	ASSERT_NE(NULL, p);
	faults = faults_of(p, n);
	if (input_number("MAX_ORDER", 18) == 0) {
		EXPECT_LE(n / PAGE, faults);
	} else {
		EXPECT_GE(n / (PAGE << PMD_ORDER) + 16, faults);
	}
	munmap(p, n);
}

/* Mappings of sub-ranges with any start and end */
TEST_F(mem, sub_ranges_show_the_right_bytes)
{
	const struct {
		uint64_t at;
		size_t n;
	} cases[] = {
		{ 0, PAGE }, { PAGE, PAGE }, { 2 * MIB - PAGE, 2 * PAGE }, { PAGE, 4 * MIB },
		{ 2 * MIB, 2 * MIB }, { 3 * MIB + PAGE, 5 * MIB }, { 16 * MIB, 100 * MIB + PAGE },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t first = 0xa0000000 + i, last = 0xb0000000 + i;
		uint8_t *p = map_at(&self->v, self->hdm, self->hpa, cases[i].at, cases[i].n, 0);

		ASSERT_NE(NULL, p);
		region_write32(&self->v, self->hdm, cases[i].at, first);
		region_write32(&self->v, self->hdm, cases[i].at + cases[i].n - 4, last);
		EXPECT_EQ(first, *(uint32_t *)p);
		EXPECT_EQ(last, *(uint32_t *)(p + cases[i].n - 4));
		munmap(p, cases[i].n);
	}
}

TEST_F(mem, each_decoder_has_a_region_of_its_own)
{
	unsigned int n = input_number("REGIONS", 1);

	for (unsigned int i = 0; i < n; i++) {
		struct vfio_region_info_cap_type *type;
		struct vfio_region_info *info = vfio_region(&self->v, self->hdm + i);

		ASSERT_NE(NULL, info);
		type = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_TYPE);
		ASSERT_NE(NULL, type);
		EXPECT_EQ(CXL_VFIO_REGION_TYPE, type->type);
		EXPECT_EQ(CXL_VFIO_REGION_SUBTYPE_HDM, type->subtype);
		region_write32(&self->v, self->hdm + i, 8, 0x1000 + i);
		region_write32(&self->v, self->hdm + i, info->size - 4, 0x2000 + i);
		free(info);
	}
	for (unsigned int i = 0; i < n; i++) {
		struct vfio_region_info *info = vfio_region(&self->v, self->hdm + i);

		EXPECT_EQ(0x1000 + i, region_read32(&self->v, self->hdm + i, 8));
		EXPECT_EQ(0x2000 + i, region_read32(&self->v, self->hdm + i, info->size - 4));
		free(info);
	}
	EXPECT_EQ(n, vfio_cxl_cap(&self->v)->comp_reg_region_idx - self->hdm);
}

TEST_F(mem, mappings_move_change_and_shrink)
{
	size_t n = 8 * MIB;
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, n, 0), *q;

	ASSERT_NE(NULL, p);
	*(uint32_t *)(p + 5 * MIB) = 0x11111111;
	ASSERT_EQ(0, munmap(p + 2 * MIB, MIB));
	EXPECT_EQ(0x11111111, *(uint32_t *)(p + 5 * MIB));
	q = mremap(p + 4 * MIB, 4 * MIB, 4 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		   p + 64 * MIB + PAGE);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(0x11111111, *(uint32_t *)(q + MIB));
	/* A mapping cannot grow: the driver never checked what would follow */
	EXPECT_EQ(MAP_FAILED, mremap(q, 4 * MIB, 8 * MIB, MREMAP_MAYMOVE));

	ASSERT_EQ(0, mprotect(q, 4 * MIB, PROT_READ));
	EXPECT_EQ(0x11111111, *(uint32_t *)(q + MIB));
	ASSERT_EQ(0, mprotect(q, 4 * MIB, PROT_NONE));
	ASSERT_EQ(0, mprotect(q, 4 * MIB, PROT_READ | PROT_WRITE));
	*(uint32_t *)q = 0x22222222;
	EXPECT_EQ(0x22222222, region_read32(&self->v, self->hdm, 4 * MIB));
	munmap(q, 4 * MIB);
}

TEST_F(mem, mapping_made_without_access_can_get_it)
{
	struct vfio_region_info *info = vfio_region(&self->v, self->hdm);
	uint32_t *p = mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, self->v.device, info->offset);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	*p = 0x33333333;
	EXPECT_EQ(0x33333333, region_read32(&self->v, self->hdm, 0));
	munmap(p, PAGE);
	free(info);
}

TEST_F(mem, processes_share_hdm_memory)
{
	uint32_t *p = (uint32_t *)map_at(&self->v, self->hdm, self->hpa, 0, 4 * MIB, 0);
	uint32_t *q = region_map(&self->v, self->hdm, 0, 4 * MIB, PROT_READ | PROT_WRITE);
	int status;

	ASSERT_NE(NULL, p);
	ASSERT_NE(MAP_FAILED, q);
	for (unsigned int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			p[i] = 0x100 + i;
			q[1024 + i] = 0x200 + i;
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		EXPECT_EQ(0x100 + i, q[i]);
		EXPECT_EQ(0x200 + i, p[1024 + i]);
	}
	munmap(p, 4 * MIB);
	munmap(q, 4 * MIB);
}

TEST_F(mem, reads_and_writes_take_any_offset_and_length)
{
	static const size_t lens[] = { 1, 3, 8, 4095, 4096, 4097, 65535, 65536, 70001 };
	uint8_t *a = malloc(80000), *b = malloc(80000);

	for (size_t i = 0; i < 80000; i++)
		a[i] = i * 37;
	for (uint64_t at = PAGE - 5; at < PAGE + 5; at++) {
		for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
			memset(b, 0, lens[i]);
			ASSERT_EQ(lens[i], region_write(&self->v, self->hdm, at, a, lens[i]));
			ASSERT_EQ(lens[i], region_read(&self->v, self->hdm, at, b, lens[i]));
			ASSERT_EQ(0, memcmp(a, b, lens[i]));
		}
	}
	/* Across the end: a short read; past it: an error */
	EXPECT_EQ(10, region_read(&self->v, self->hdm, self->size - 10, b, 20));
	EXPECT_EQ(-EINVAL, region_read(&self->v, self->hdm, self->size, b, 20));
	free(a);
	free(b);
}

TEST_F(mem, a_long_read_can_be_killed)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		void *buf = malloc(128 * MIB);

		for (;;)
			region_read(&self->v, self->hdm, 0, buf, 128 * MIB);
	}
	usleep(300000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* HDM memory stays closed until RANGE SIZE LOW has Memory_Active set */
TEST_F(mem, gate_heeds_memory_active)
{
	uint32_t *p = region_map(&self->v, self->hdm, 0, PAGE, PROT_READ | PROT_WRITE), val;

	ASSERT_NE(MAP_FAILED, p);
	*p = 0x44444444;
	ASSERT_EQ(0, system("t2ctl $DEVICE --misbehave=not-active"));
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_TRUE(raises_sigbus(p, false));
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, 0, &val, 4));
	ASSERT_EQ(0, system("t2ctl $DEVICE --misbehave=none"));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0x44444444, *p);
	munmap(p, PAGE);
}

/* A user's mapping of HDM memory as a target of DMA, through the IOMMU */
TEST_F(mem, type1_maps_hdm_memory_for_dma)
{
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, 4 * MIB, 0);
	struct accel_op op = {
		.opcode = T2DEV_OP_FILL, .dst = IOVA + PAGE, .len = 64, .pattern = 0x5eed5eed,
	};

	ASSERT_NE(NULL, p);
	set_command(&self->v, PCI_COMMAND_MASTER, 0);
	ASSERT_EQ(0, dma_map(&self->v, p, IOVA, 4 * MIB));
	ASSERT_EQ(0, accel_run(&self->v, &op, NULL));
	EXPECT_EQ(0x5eed5eed, *(uint32_t *)(p + PAGE));
	EXPECT_EQ(0x5eed5eed, region_read32(&self->v, self->hdm, PAGE + 60));

	/* When decoders are lost, the gate closes and the device's bus mastering goes off */
	ASSERT_EQ(0, system("t2ctl $DEVICE --lose=flr --misbehave=commit-stuck"));
	EXPECT_EQ(-1, ioctl(self->v.device, VFIO_DEVICE_RESET));
	EXPECT_EQ(EIO, errno);
	set_command(&self->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	EXPECT_TRUE(raises_sigbus((uint32_t *)p, false));
	EXPECT_EQ(-EFAULT, accel_run(&self->v, &op, NULL));
	ASSERT_EQ(0, system("t2ctl $DEVICE restore"));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0x5eed5eed, *(uint32_t *)(p + PAGE));
	munmap(p, 4 * MIB);
}

TEST_F(mem, dma_buf_follows_the_gate)
{
	int fd = vfio_export_dmabuf(&self->v, self->hdm, 2 * MIB, 4 * MIB), importer;
	struct t2lab_info info;

	if (fd == -ENOTTY)
		SKIP(return, "importers of this kernel do not support revocation");
	ASSERT_LE(0, fd);
	importer = open("/dev/t2lab", O_RDWR);
	ASSERT_LE(0, importer);
	EXPECT_EQ(-1, ioctl(importer, T2LAB_STATIC, &fd));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, ioctl(importer, T2LAB_ATTACH, &fd));
	EXPECT_EQ(-1, ioctl(importer, T2LAB_PIN));
	EXPECT_EQ(EOPNOTSUPP, errno);

	region_write32(&self->v, self->hdm, 2 * MIB, 0xd3ab0f);
	ASSERT_EQ(0, ioctl(importer, T2LAB_MAP));
	ASSERT_EQ(0, ioctl(importer, T2LAB_INFO, &info));
	EXPECT_EQ(1, info.mapped);
	EXPECT_EQ(self->hpa + 2 * MIB, info.addr);
	EXPECT_EQ(4 * MIB, info.len);
	EXPECT_EQ(0xd3ab0f, info.value);

	/* The gate closes: the importer's mapping is revoked, and it gets no new one */
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, ioctl(importer, T2LAB_INFO, &info));
	EXPECT_EQ(0, info.mapped);
	EXPECT_LE(1, info.let_go);
	EXPECT_EQ(-1, ioctl(importer, T2LAB_MAP));
	EXPECT_EQ(ENODEV, errno);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0, ioctl(importer, T2LAB_MAP));

	/* The device is closed: the dma-buf stays, but cannot be mapped */
	close(fd);
	vfio_close(&self->v);
	ASSERT_EQ(0, ioctl(importer, T2LAB_INFO, &info));
	EXPECT_EQ(0, info.mapped);
	EXPECT_EQ(-1, ioctl(importer, T2LAB_MAP));
	EXPECT_EQ(ENODEV, errno);
	close(importer);
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
}

/* A VMM's limit of locked memory (RLIMIT_MEMLOCK) is for its RAM alone */
TEST_F(mem, dma_mapping_of_hdm_memory_is_not_counted_as_locked)
{
	const uint64_t ram = 0x20000000, hdm = 0x40000000;
	void *p = region_map(&self->v, self->hdm, 0, 16 * MIB, PROT_READ | PROT_WRITE);
	void *q = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before = status_kib("VmLck");

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(0, dma_map(&self->v, p, hdm, 16 * MIB));
	EXPECT_EQ(before, status_kib("VmLck"));
	ASSERT_EQ(0, dma_map(&self->v, q, ram, MIB));
	EXPECT_EQ(before + 1024, status_kib("VmLck"));
}

/* Up to Linux 6.9 the mapping is one of a hidden file */
TEST_F(mem, remap_file_pages_gives_no_other_memory)
{
	uint8_t *p = region_map(&self->v, self->hdm, 0, 4 * PAGE, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, p);
	if (!remap_file_pages(p, PAGE, 0, 0x100000, 0))
		EXPECT_TRUE(raises_sigbus((uint32_t *)p, true));
	munmap(p, 4 * PAGE);
}

TEST_F(mem, dma_buf_takes_whole_pages_of_memory_only)
{
	uint32_t comp = vfio_cxl_cap(&self->v)->comp_reg_region_idx;

	if (vfio_export_dmabuf(&self->v, self->hdm, 1, PAGE) == -ENOTTY)
		SKIP(return, "importers of this kernel do not support revocation");
	EXPECT_EQ(-EINVAL, vfio_export_dmabuf(&self->v, self->hdm, 1, PAGE));
	EXPECT_EQ(-EINVAL, vfio_export_dmabuf(&self->v, self->hdm, 0, 0));
	EXPECT_EQ(-EINVAL, vfio_export_dmabuf(&self->v, self->hdm, 0, self->size + PAGE));
	EXPECT_EQ(-EINVAL, vfio_export_dmabuf(&self->v, self->hdm, -PAGE, 2 * PAGE));
	EXPECT_GT(0, vfio_export_dmabuf(&self->v, comp, 0, PAGE));
	EXPECT_GT(0, vfio_export_dmabuf(&self->v, 99, 0, PAGE));
}

/* vfio-pci-core exports BARs; the component block, in the middle of its BAR, is left out */
TEST_F(mem, dma_buf_of_a_bar_leaves_the_component_block_out)
{
	const uint64_t block = vfio_cxl_cap(&self->v)->comp_reg_offset, end = block + 0x10000;
	const struct {
		uint32_t bar;
		int64_t at, len;	/* from the block's start */
		int ret;
	} cases[] = {
		{ T2DEV_COMP_BAR, -(int64_t)PAGE, PAGE, 0 },
		{ T2DEV_COMP_BAR, 0x10000, PAGE, 0 },
		{ T2DEV_COMP_BAR, 0, PAGE, -EINVAL },
		{ T2DEV_COMP_BAR, 0x10000 - PAGE, PAGE, -EINVAL },
		{ T2DEV_COMP_BAR, -(int64_t)PAGE, 2 * PAGE, -EINVAL },
		{ T2DEV_COMP_BAR, 0x10000 - PAGE, 2 * PAGE, -EINVAL },
		{ T2DEV_COMP_BAR, -(int64_t)PAGE, 0x10000 + 2 * PAGE, -EINVAL },
		{ T2DEV_ACCEL_BAR, 0, T2DEV_ACCEL_BAR_SIZE, 0 },
		{ T2DEV_ACCEL_BAR, 0, T2DEV_ACCEL_BAR_SIZE + PAGE, -EINVAL },
	};
	uint64_t start;
	int ret;

	if (vfio_export_dmabuf(&self->v, T2DEV_ACCEL_BAR, 1, PAGE) == -ENOTTY)
		SKIP(return, "vfio-pci of this kernel exports no BARs");
	ASSERT_LE(PAGE, block);
	ASSERT_LT(end, vfio_region(&self->v, T2DEV_COMP_BAR)->size);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start = 0;
		if (cases[i].bar == T2DEV_COMP_BAR)
			start = block;
		ret = vfio_export_dmabuf(&self->v, cases[i].bar, start + cases[i].at, cases[i].len);
		if (ret >= 0) {
			close(ret);
			ret = 0;
		}
		EXPECT_EQ(cases[i].ret, ret) {
			TH_LOG("case %u", i);
		}
	}
}

/* A request for a dma-buf, on two pages: the kernel waits for the second one */
struct late_request {
	struct {
		struct vfio_device_feature feature;
		uint32_t region_index;
	} *first;
	int uffd;
};

static int make_late(struct late_request *late)
{
	uint8_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)p + PAGE, PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	late->first = (void *)(p + PAGE - sizeof(*late->first));
	late->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (p == MAP_FAILED || late->uffd < 0 || ioctl(late->uffd, UFFDIO_API, &api) ||
	    ioctl(late->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

/* Once the kernel wants the second page: another region, then the rest of the request */
static void *change_region(void *arg)
{
	static uint8_t source[64 * 1024];
	struct {
		struct vfio_device_feature_dma_buf req;
		struct vfio_region_dma_range range;
	} all = {
		.req = { .open_flags = O_CLOEXEC | O_RDWR, .nr_ranges = 1 }, .range = { 0, PAGE },
	};
	struct late_request *late = arg;
	struct uffdio_copy page = { .src = (uintptr_t)source, .len = PAGE };
	struct uffd_msg msg;

	if (read(late->uffd, &msg, sizeof(msg)) != sizeof(msg))
		return NULL;
	late->first->region_index = T2DEV_COMP_BAR;
	memcpy(source, (uint8_t *)&all + sizeof(all.req.region_index),
	       sizeof(all) - sizeof(all.req.region_index));
	page.dst = msg.arg.pagefault.address & ~(PAGE - 1);
	ioctl(late->uffd, UFFDIO_COPY, &page);
	return NULL;
}

/* vfio-pci-core reads a request that the driver took for one of another BAR */
TEST_F(mem, dma_buf_of_the_component_bar_is_asked_for_in_both_reads)
{
	struct late_request late;
	pthread_t thread;
	int ret;

	if (vfio_export_dmabuf(&self->v, T2DEV_ACCEL_BAR, 1, PAGE) == -ENOTTY)
		SKIP(return, "vfio-pci of this kernel exports no BARs");
	ASSERT_EQ(0, make_late(&late));
	late.first->feature.argsz = sizeof(late.first->feature) +
		sizeof(struct vfio_device_feature_dma_buf) + sizeof(struct vfio_region_dma_range);
	late.first->feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF;
	late.first->region_index = T2DEV_ACCEL_BAR;
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_region, &late));
	ret = ioctl(self->v.device, VFIO_DEVICE_FEATURE, late.first);
	EXPECT_EQ(-1, ret);
	EXPECT_EQ(EINVAL, errno);
	pthread_join(thread, NULL);
	EXPECT_EQ(T2DEV_COMP_BAR, late.first->region_index);
	close(late.uffd);
	/* Whole, the same request is a good one */
	ret = ioctl(self->v.device, VFIO_DEVICE_FEATURE, late.first);
	EXPECT_LE(0, ret);
	close(ret);
}

static volatile uintptr_t bad_addr;
static volatile int bad_code;

static void on_memory_error(int sig, siginfo_t *info, void *context)
{
	bad_addr = (uintptr_t)info->si_addr;
	bad_code = info->si_code;
}

static void inject_memory_error(struct __test_metadata *_metadata, uint64_t phys)
{
	char line[32];
	int fd = open("/sys/devices/system/memory/hard_offline_page", O_WRONLY);

	ASSERT_LE(0, fd);
	snprintf(line, sizeof(line), "%#llx", (unsigned long long)phys);
	write(fd, line, strlen(line));
	close(fd);
}

/* The last test: the page stays bad until the device is bound again */
TEST_F(mem, memory_error_takes_away_one_page)
{
	struct sigaction action = { .sa_sigaction = on_memory_error, .sa_flags = SA_SIGINFO };
	const uint64_t at = 8 * MIB + 5 * PAGE;
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, 16 * MIB, 0);
	uint32_t val;

	if (!input_number("POISON", 0))
		SKIP(return, "this kernel does not report errors in memory without struct pages");
	ASSERT_NE(NULL, p);
	p[at] = 1;
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	sigaction(SIGBUS, &action, NULL);
	inject_memory_error(_metadata, self->hpa + at);
	/* PR_MCE_KILL_EARLY has an effect only for memory without struct pages */
	if (!input_number("PAGES", 0)) {
		EXPECT_EQ((uintptr_t)(p + at), bad_addr);
		EXPECT_TRUE(bad_code == BUS_MCEERR_AO || bad_code == BUS_MCEERR_AR);
	}

	/* The page is unmapped soon after, and never mapped again */
	usleep(200000);
	EXPECT_TRUE(raises_sigbus((uint32_t *)(p + at), false));
	EXPECT_TRUE(raises_sigbus((uint32_t *)(p + at), true));
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, at, &val, 4));
	EXPECT_EQ(-EIO, region_write(&self->v, self->hdm, at, &val, 4));
	/* The neighbouring pages still work */
	p[at - 1] = 1;
	p[at + PAGE] = 2;
	EXPECT_EQ(4, region_read(&self->v, self->hdm, at + PAGE, &val, 4));
	EXPECT_EQ(2, val & 0xff);
	munmap(p, 16 * MIB);
}

static void fail_stores(bool on)
{
	FILE *f = fopen("/sys/module/t2lab/parameters/fail_store", "w");

	if (!f)
		return;
	fputs(on ? "Y" : "N", f);
	fclose(f);
}

/* Nothing opens the memory again: it is not known which page is bad */
TEST_F(mem, memory_error_without_host_memory_closes_the_gate)
{
	struct sigaction action = { .sa_sigaction = on_memory_error, .sa_flags = SA_SIGINFO };
	uint8_t *p = map_at(&self->v, self->hdm, self->hpa, 0, 16 * MIB, 0);

	if (!input_number("NO_MEMORY", 0))
		SKIP(return, "the gate stays closed after this test");
	ASSERT_NE(NULL, p);
	sigaction(SIGBUS, &action, NULL);
	p[8 * MIB] = 1;
	fail_stores(true);
	inject_memory_error(_metadata, self->hpa + 9 * MIB);
	fail_stores(false);
	usleep(200000);
	EXPECT_TRUE(raises_sigbus((uint32_t *)(p + 8 * MIB), false));
	EXPECT_EQ(0, system("grep -qw poisoned /sys/bus/pci/devices/$DEVICE/cxl_vfio/holds"));
	ioctl(self->v.device, VFIO_DEVICE_RESET);
	EXPECT_TRUE(raises_sigbus((uint32_t *)(p + 8 * MIB), false));
	munmap(p, 16 * MIB);
}

TEST_HARNESS_MAIN
