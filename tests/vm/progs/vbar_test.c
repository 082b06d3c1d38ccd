// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual BAR, as used by a VMM that knows nothing of CXL.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../modules/t2lab.h"
#include "vfio.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define MIB		(1ull << 20)

FIXTURE(vbar) {
	struct vfio v;
	uint32_t hdm;
	uint32_t bar;
	uint16_t reg;		/* the lower BAR register, in config space */
	uint64_t size;		/* of the memory, in bytes */
	struct vfio_region_info *info;
};

FIXTURE_SETUP(vbar)
{
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	self->hdm = vfio_cxl_region(&self->v, CXL_VFIO_REGION_SUBTYPE_HDM, 0);
	ASSERT_NE(0, self->hdm);
	self->bar = input_number("BAR", 0);
	self->reg = PCI_BASE_ADDRESS_0 + 4 * self->bar;
	self->size = input_number("SIZE", 0) * MIB;
	self->info = vfio_region(&self->v, self->bar);
	ASSERT_NE(NULL, self->info);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
}

FIXTURE_TEARDOWN(vbar)
{
	free(self->info);
	vfio_close(&self->v);
}

static uint64_t read_bar(struct vfio *v, uint16_t reg)
{
	uint64_t val = 0;

	region_read(v, CONFIG, reg, &val, 8);
	return val;
}

static void write_bar(struct vfio *v, uint16_t reg, uint64_t val)
{
	region_write32(v, CONFIG, reg, val);
	region_write32(v, CONFIG, reg + 4, val >> 32);
}

TEST_F(vbar, virtual_bar_is_rounded_up_to_a_power_of_two)
{
	uint64_t size = self->info->size;

	EXPECT_EQ(0, size & (size - 1));
	EXPECT_LE(self->size, size);
	EXPECT_GT(2 * self->size, size);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		  VFIO_REGION_INFO_FLAG_MMAP,
		  self->info->flags & ~VFIO_REGION_INFO_FLAG_CAPS);
}

TEST_F(vbar, only_the_memory_can_be_mapped)
{
	struct vfio_region_info_cap_sparse_mmap *sparse;

	sparse = (void *)vfio_cap(self->info, self->info->cap_offset,
				  VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	if (self->size == self->info->size) {
		EXPECT_EQ(NULL, sparse);
		return;
	}
	ASSERT_NE(NULL, sparse);
	EXPECT_EQ(1, sparse->nr_areas);
	EXPECT_EQ(0, sparse->areas[0].offset);
	EXPECT_EQ(self->size, sparse->areas[0].size);
	EXPECT_EQ(MAP_FAILED, region_map(&self->v, self->bar, self->size, PAGE, PROT_READ));
}

TEST_F(vbar, bar_registers_size_and_place_the_virtual_bar)
{
	uint64_t type = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;
	uint32_t val;

	EXPECT_EQ(type, read_bar(&self->v, self->reg));
	write_bar(&self->v, self->reg, ~0ull);
	EXPECT_EQ(~(self->info->size - 1) | type, read_bar(&self->v, self->reg));
	write_bar(&self->v, self->reg, 0x123456789abcdef1);
	EXPECT_EQ((0x123456789abcdef1 & ~(self->info->size - 1)) | type,
		  read_bar(&self->v, self->reg));
	/* A byte, and an access that starts before it */
	write_bar(&self->v, self->reg, 0);
	val = 0x80;
	region_write(&self->v, CONFIG, self->reg + 7, &val, 1);
	EXPECT_EQ(0x8000000000000000 | type, read_bar(&self->v, self->reg));
	ASSERT_EQ(4, region_read(&self->v, CONFIG, self->reg - 2, &val, 4));
	EXPECT_EQ(type, val >> 16);
}

TEST_F(vbar, bar_registers_are_cleared_for_each_user)
{
	write_bar(&self->v, self->reg, 0x100000000000);
	vfio_close(&self->v);
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	EXPECT_EQ(0xc, read_bar(&self->v, self->reg));
}

/* Decoder @n as VMMs find it in COMP_REGS, and as a guest finds it in the component BAR */
static uint32_t vmm_reg(struct vfio *v, unsigned int n, uint32_t reg)
{
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(v);
	uint32_t hdm = find_hdm(v, cap->comp_reg_region_idx, 0);

	return region_read32(v, cap->comp_reg_region_idx, hdm + CXL_VFIO_HDM_DECODER(n) + reg);
}

static uint64_t guest_at(struct vfio *v, unsigned int n, uint32_t reg)
{
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(v);
	uint32_t hdm = find_hdm(v, cap->comp_reg_bar, cap->comp_reg_offset);

	return cap->comp_reg_offset + hdm + CXL_VFIO_HDM_DECODER(n) + reg;
}

static uint32_t guest_reg(struct vfio *v, unsigned int n, uint32_t reg)
{
	return region_read32(v, vfio_cxl_cap(v)->comp_reg_bar, guest_at(v, n, reg));
}

static void guest_writes(struct vfio *v, unsigned int n, uint32_t reg, uint32_t val)
{
	region_write32(v, vfio_cxl_cap(v)->comp_reg_bar, guest_at(v, n, reg), val);
}

static uint64_t range_base(struct vfio *v)
{
	uint16_t dvsec = find_dvsec(v, CXL_VFIO_DVSEC_ID_DEVICE);

	return (uint64_t)config_read32(v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0)) << 32 |
	       config_read32(v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0));
}

#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define STATE		(COMMIT | COMMITTED | CXL_VFIO_HDM_CTRL_ERROR)

TEST_F(vbar, decoder_and_range_follow_the_virtual_bar)
{
	static const uint64_t places[] = { 0xc080000000, 0, 0x80000000 };

	if (!vfio_cxl_cap(&self->v))
		SKIP(return, "the device has no decoders");
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t low = places[i], high = places[i] >> 32;

		write_bar(&self->v, self->reg, places[i]);
		for (unsigned int resets = 0; resets < 2; resets++) {
			EXPECT_EQ(low, guest_reg(&self->v, 0, CXL_VFIO_HDM_BASE_LOW));
			EXPECT_EQ(high, guest_reg(&self->v, 0, CXL_VFIO_HDM_BASE_HIGH));
			EXPECT_EQ(low, vmm_reg(&self->v, 0, CXL_VFIO_HDM_BASE_LOW));
			EXPECT_EQ(high, vmm_reg(&self->v, 0, CXL_VFIO_HDM_BASE_HIGH));
			EXPECT_EQ(places[i], range_base(&self->v));
			ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
			set_command(&self->v, PCI_COMMAND_MEMORY, 0);
		}
	}
}

TEST_F(vbar, guest_commits_the_decoder_at_the_bar_alone)
{
	if (!vfio_cxl_cap(&self->v))
		SKIP(return, "the device has no decoders");
	write_bar(&self->v, self->reg, 0xc080000000);
	guest_writes(&self->v, 0, CXL_VFIO_HDM_CTRL, 0);
	EXPECT_EQ(0, guest_reg(&self->v, 0, CXL_VFIO_HDM_CTRL) & STATE);
	/* A decoder that the guest has in its hands does not follow any more */
	write_bar(&self->v, self->reg, 0xc100000000);
	EXPECT_EQ(0xc0, guest_reg(&self->v, 0, CXL_VFIO_HDM_BASE_HIGH));
	EXPECT_EQ(0xc080000000, range_base(&self->v));
	guest_writes(&self->v, 0, CXL_VFIO_HDM_CTRL, COMMIT);
	EXPECT_EQ(COMMIT | CXL_VFIO_HDM_CTRL_ERROR,
		  guest_reg(&self->v, 0, CXL_VFIO_HDM_CTRL) & STATE);
	guest_writes(&self->v, 0, CXL_VFIO_HDM_CTRL, 0);
	guest_writes(&self->v, 0, CXL_VFIO_HDM_BASE_HIGH, 0xc1);
	guest_writes(&self->v, 0, CXL_VFIO_HDM_BASE_LOW, 0);
	guest_writes(&self->v, 0, CXL_VFIO_HDM_CTRL, COMMIT);
	EXPECT_EQ(COMMIT | COMMITTED, guest_reg(&self->v, 0, CXL_VFIO_HDM_CTRL) & STATE);
	EXPECT_EQ(0xc100000000, range_base(&self->v));
	/* The next reset has it follow again */
	ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	write_bar(&self->v, self->reg, 0xc200000000);
	EXPECT_EQ(0xc2, guest_reg(&self->v, 0, CXL_VFIO_HDM_BASE_HIGH));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
}

TEST_F(vbar, guest_finds_decoders_without_bar_uncommitted)
{
	if (!vfio_cxl_cap(&self->v))
		SKIP(return, "the device has no decoders");
	if (!(vmm_reg(&self->v, 1, CXL_VFIO_HDM_CTRL) & COMMITTED))
		SKIP(return, "no other decoder of the device is committed");
	for (unsigned int n = 1; n < 3; n++) {
		EXPECT_EQ(0, guest_reg(&self->v, n, CXL_VFIO_HDM_CTRL));
		EXPECT_EQ(0, guest_reg(&self->v, n, CXL_VFIO_HDM_SIZE_LOW));
		guest_writes(&self->v, n, CXL_VFIO_HDM_CTRL, COMMIT);
		EXPECT_EQ(COMMIT | CXL_VFIO_HDM_CTRL_ERROR,
			  guest_reg(&self->v, n, CXL_VFIO_HDM_CTRL));
		EXPECT_EQ(COMMIT | COMMITTED, vmm_reg(&self->v, n, CXL_VFIO_HDM_CTRL) & STATE);
	}
}

TEST_F(vbar, virtual_bar_and_hdm_region_share_memory)
{
	uint32_t *bar = region_map(&self->v, self->bar, 0, 16 * PAGE, PROT_READ | PROT_WRITE);
	uint32_t *hdm = region_map(&self->v, self->hdm, 0, 16 * PAGE, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_NE(MAP_FAILED, hdm);
	bar[1] = 0xba4;
	EXPECT_EQ(0xba4, hdm[1]);
	EXPECT_EQ(0xba4, region_read32(&self->v, self->bar, 4));
	region_write32(&self->v, self->bar, self->size - 4, 0xe4d);
	EXPECT_EQ(0xe4d, region_read32(&self->v, self->hdm, self->size - 4));
	munmap(bar, 16 * PAGE);
	munmap(hdm, 16 * PAGE);
}

TEST_F(vbar, virtual_bar_reads_ones_past_the_memory)
{
	uint32_t val = 0x1234;
	uint8_t buf[200] = {};

	EXPECT_EQ(-EINVAL, region_read(&self->v, self->bar, self->info->size, &val, 4));
	if (self->size == self->info->size)
		SKIP(return, "the memory fills the virtual BAR");
	EXPECT_EQ(4, region_write(&self->v, self->bar, self->size, &val, 4));
	EXPECT_EQ(~0u, region_read32(&self->v, self->bar, self->size));
	EXPECT_EQ(sizeof(buf), region_read(&self->v, self->bar, self->size, buf, sizeof(buf)));
	for (unsigned int i = 0; i < sizeof(buf); i++)
		EXPECT_EQ(0xff, buf[i]);
	EXPECT_EQ(4, region_read(&self->v, self->bar, self->info->size - 4, buf, 8));
	/* An access over the memory's end stops there */
	EXPECT_EQ(4, region_read(&self->v, self->bar, self->size - 4, buf, 8));
}

TEST_F(vbar, the_gate_closes_the_virtual_bar)
{
	uint32_t *p = region_map(&self->v, self->bar, 0, PAGE, PROT_READ | PROT_WRITE), val;

	ASSERT_NE(MAP_FAILED, p);
	*p = 7;
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(raises_sigbus(p, false));
	EXPECT_EQ(-EIO, region_read(&self->v, self->bar, 0, &val, 4));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(p, false));
	EXPECT_EQ(7, *p);
	ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(p, false));
	munmap(p, PAGE);
}

/* The memory as an importer gets it through the BAR, which the device does not have */
TEST_F(vbar, dma_buf_of_the_virtual_bar_follows_the_gate)
{
	int fd = vfio_export_dmabuf(&self->v, self->bar, MIB, 2 * MIB), importer;
	struct t2lab_info info;

	if (fd == -ENOTTY)
		SKIP(return, "importers of this kernel do not support revocation");
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, vfio_export_dmabuf(&self->v, self->bar, self->size, PAGE));
	importer = open("/dev/t2lab", O_RDWR);
	ASSERT_LE(0, importer);
	ASSERT_EQ(0, ioctl(importer, T2LAB_ATTACH, &fd));
	region_write32(&self->v, self->hdm, MIB, 0xd3ab0f);
	ASSERT_EQ(0, ioctl(importer, T2LAB_MAP));
	ASSERT_EQ(0, ioctl(importer, T2LAB_INFO, &info));
	EXPECT_EQ(2 * MIB, info.len);
	EXPECT_EQ(0xd3ab0f, info.value);

	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, ioctl(importer, T2LAB_INFO, &info));
	EXPECT_EQ(0, info.mapped);
	EXPECT_EQ(-1, ioctl(importer, T2LAB_MAP));
	EXPECT_EQ(ENODEV, errno);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0, ioctl(importer, T2LAB_MAP));
	close(importer);
	close(fd);
}

TEST_HARNESS_MAIN
