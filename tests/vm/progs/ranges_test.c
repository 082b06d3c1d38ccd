// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose memory is enabled by the ranges of the CXL Device DVSEC, and devices in the
 * root complex: what a VMM sees of them, their memory, and their resets.  Inputs are in
 * vfio.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define MARK		0x0c01dbee
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define EXP		0x50		/* PCI Express capability of the software device */
#define GRANULE		0x10000000ull
#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define MIB		(1ul << 20)

FIXTURE(ranges) {
	struct vfio v;
	uint32_t hdm;
	uint32_t comp;		/* 0: there is no such region */
	uint16_t dvsec;
	bool by_ranges;
	volatile uint32_t *p;
};

FIXTURE_SETUP(ranges)
{
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	self->hdm = vfio_cxl_region(&self->v, CXL_VFIO_REGION_SUBTYPE_HDM, 0);
	ASSERT_NE(0, self->hdm);
	self->comp = vfio_cxl_region(&self->v, CXL_VFIO_REGION_SUBTYPE_COMP_REGS, 0);
	self->dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	ASSERT_NE(0, self->dvsec);
	self->by_ranges = input_number("RANGES", 0);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->p = region_map(&self->v, self->hdm, 0, 4 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->p);
	*self->p = MARK;
}

FIXTURE_TEARDOWN(ranges)
{
	munmap((void *)self->p, 4 * MIB);
	vfio_close(&self->v);
}

static uint16_t read16(struct vfio *v, uint16_t at)
{
	uint16_t val = 0;

	region_read(v, CONFIG, at, &val, 2);
	return val;
}

static void write16(struct vfio *v, uint16_t at, uint16_t val)
{
	region_write(v, CONFIG, at, &val, 2);
}

static uint64_t range_base(struct vfio *v, uint16_t dvsec, unsigned int i)
{
	return (uint64_t)config_read32(v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i)) << 32 |
	       config_read32(v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_LOW(i));
}

/* VFIO_DEVICE_GET_INFO names component registers where there are any */
TEST_F(ranges, device_info_has_a_capability_for_component_registers_alone)
{
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(&self->v);
	bool comp = input_number("COMP", 0);

	EXPECT_EQ(comp, !!(self->v.info.flags & VFIO_DEVICE_FLAGS_CXL));
	EXPECT_EQ(comp, !!cap);
	EXPECT_EQ(comp, self->comp != 0);
	if (!cap)
		return;
	EXPECT_EQ(self->by_ranges ? 0 : CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED, cap->flags);
	EXPECT_EQ(self->hdm, cap->hdm_region_idx);
	EXPECT_EQ(self->comp, cap->comp_reg_region_idx);
}

TEST_F(ranges, each_range_is_a_region)
{
	unsigned int n = input_number("REGIONS", 1);

	for (unsigned int i = 0; i < n; i++) {
		uint32_t region = vfio_cxl_region(&self->v, CXL_VFIO_REGION_SUBTYPE_HDM, i);
		struct vfio_region_info *info = vfio_region(&self->v, region);

		ASSERT_NE(0, region);
		ASSERT_NE(NULL, info);
		EXPECT_EQ(GRANULE, info->size);
		free(info);
		region_write32(&self->v, region, GRANULE - 4, i + 1);
	}
	EXPECT_EQ(0, vfio_cxl_region(&self->v, CXL_VFIO_REGION_SUBTYPE_HDM, n));
	for (unsigned int i = 0; i < n; i++)
		EXPECT_EQ(i + 1, region_read32(&self->v, self->hdm + i, GRANULE - 4));
}

TEST_F(ranges, regions_that_there_are_not_have_no_info)
{
	EXPECT_EQ(NULL, vfio_region(&self->v, self->v.info.num_regions));
	EXPECT_EQ(NULL, vfio_region(&self->v, 0xff));
	EXPECT_EQ(NULL, vfio_region(&self->v, ~0u));
}

/* The guest sees decoders as the device has them, and commits none */
TEST_F(ranges, decoders_without_memory_stay_uncommitted)
{
	const uint32_t decoder = 0x1210;

	if (!self->comp || !self->by_ranges)
		SKIP(return, "the device has no such decoders");
	EXPECT_EQ(0, region_read32(&self->v, self->comp, 0x1200 + CXL_VFIO_HDM_GLOBAL_CTRL));
	EXPECT_EQ(0, region_read32(&self->v, self->comp, decoder + CXL_VFIO_HDM_CTRL));
	region_write32(&self->v, self->comp, decoder + CXL_VFIO_HDM_SIZE_LOW, GRANULE);
	region_write32(&self->v, self->comp, decoder + CXL_VFIO_HDM_CTRL, COMMIT);
	EXPECT_EQ(CXL_VFIO_HDM_CTRL_ERROR | COMMIT,
		  region_read32(&self->v, self->comp, decoder + CXL_VFIO_HDM_CTRL) &
		  (CXL_VFIO_HDM_CTRL_ERROR | COMMIT | COMMITTED));
	EXPECT_EQ(MARK, *self->p);
}

/* Ranges lie one after the other from 0 on, and the VMM may place them for its guest */
TEST_F(ranges, the_dvsec_has_ranges_without_host_addresses)
{
	unsigned int n = input_number("REGIONS", 1);

	for (unsigned int i = 0; i < n; i++) {
		uint32_t low = config_read32(&self->v, self->dvsec +
					     CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i));
		uint16_t at = self->dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);

		EXPECT_EQ(i * GRANULE, range_base(&self->v, self->dvsec, i));
		EXPECT_EQ(GRANULE | 3, low & (0xf0000000 | 3));
		region_write32(&self->v, CONFIG, at, 0x12);
		region_write32(&self->v, CONFIG, at + 4, 0x30000000);
		EXPECT_EQ(self->by_ranges ? 0x1230000000 : range_base(&self->v, self->dvsec, i),
			  range_base(&self->v, self->dvsec, i));
	}
	EXPECT_NE(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_CTRL) &
		  CXL_VFIO_DVSEC_CTRL_MEM_ENABLE);
	if (self->by_ranges)
		EXPECT_EQ(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_LOCK));
	/* The device itself decodes what it did before */
	*self->p = MARK + 1;
	EXPECT_EQ(MARK + 1, region_read32(&self->v, self->hdm, 0));
}

TEST_F(ranges, device_and_cpu_share_the_memory)
{
	const struct accel_op op = {
		.opcode = T2DEV_OP_FILL, .flags = T2DEV_FLAG_DST_HDM, .dst = MIB, .len = 4096,
		.pattern = 0x5eed5eed,
	};

	ASSERT_EQ(0, accel_run(&self->v, &op, NULL));
	for (unsigned int i = 0; i < 1024; i++)
		ASSERT_EQ(0x5eed5eed, self->p[MIB / 4 + i]);
}

TEST_F(ranges, memory_is_closed_while_memory_space_is_off)
{
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(raises_sigbus(self->p, false));
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, 0, &(uint32_t){ 0 }, 4));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
	EXPECT_EQ(MARK, *self->p);
}

/* Memory can be touched and has its contents, the guest's view is as at the open */
#define EXPECT_WHOLE() do {							\
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);				\
	EXPECT_FALSE(raises_sigbus(self->p, false));				\
	EXPECT_EQ(MARK, region_read32(&self->v, self->hdm, 0));			\
	EXPECT_EQ(0, range_base(&self->v, self->dvsec, 0));			\
	EXPECT_NE(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_CTRL) &	\
		  CXL_VFIO_DVSEC_CTRL_MEM_ENABLE);				\
} while (0)

TEST_F(ranges, memory_survives_vfio_device_reset)
{
	ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	EXPECT_WHOLE();
}

TEST_F(ranges, memory_survives_flr_by_a_guest)
{
	write16(&self->v, EXP + PCI_EXP_DEVCTL,
		read16(&self->v, EXP + PCI_EXP_DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_WHOLE();
}

TEST_F(ranges, memory_survives_a_reset_through_sysfs)
{
	ASSERT_EQ(0, system("echo 1 > /sys/bus/pci/devices/$DEVICE/reset"));
	EXPECT_WHOLE();
}

TEST_F(ranges, memory_survives_cxl_reset_by_a_guest)
{
	if (!(read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_CAP) & CXL_VFIO_DVSEC_CAP_RST))
		SKIP(return, "the device has no CXL reset");
	write16(&self->v, self->dvsec + CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_INIT_RST);
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE,
		  read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_STATUS2) & 6);
	EXPECT_WHOLE();
}

static int hot_reset(struct vfio *v)
{
	struct {
		struct vfio_pci_hot_reset req;
		int32_t fd;
	} arg = { .req.argsz = sizeof(arg), .req.count = 1, .fd = v->group };

	return ioctl(v->device, VFIO_DEVICE_PCI_HOT_RESET, &arg) ? -errno : 0;
}

TEST_F(ranges, memory_survives_vfio_device_pci_hot_reset)
{
	int ret = hot_reset(&self->v);

	/* No bus leads to a device in the root complex: the bus reset is refused */
	EXPECT_EQ(input_number("ROOT", 0) ? -ENODEV : 0, ret);
	EXPECT_WHOLE();
}

/* The answers about bus resets, which are those of stock vfio-pci */
TEST(bus_resets_of_the_root_complex_are_refused)
{
	struct vfio_pci_hot_reset_info info = { .argsz = sizeof(info) };
	struct vfio v;

	if (!input_number("ROOT", 0))
		SKIP(return, "the device is below a port");
	ASSERT_EQ(0, vfio_open(&v, input("DEVICE")));
	EXPECT_EQ(-1, ioctl(v.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-ENODEV, hot_reset(&v));
	vfio_close(&v);
}

TEST_HARNESS_MAIN
