// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of HDM memory between users, at the ends of the range and in its middle.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define MARK	0x0ddba11

FIXTURE(clear) {
	struct vfio v;
	uint32_t hdm;
	uint64_t size;
	uint32_t expected;
};

static void open_device(struct __test_metadata *_metadata, struct vfio *v)
{
	ASSERT_EQ(0, vfio_open(v, input("DEVICE")));
	set_command(v, PCI_COMMAND_MEMORY, 0);
}

FIXTURE_SETUP(clear)
{
	struct vfio_region_info *info;

	open_device(_metadata, &self->v);
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	info = vfio_region(&self->v, self->hdm);
	ASSERT_NE(NULL, info);
	self->size = info->size;
	free(info);
	self->expected = input_yes("KEEP") ? MARK : 0;
}

FIXTURE_TEARDOWN(clear)
{
	vfio_close(&self->v);
}

static uint64_t place(uint64_t size, unsigned int i)
{
	const uint64_t at[] = { 0, 0x12340, size / 2, size - 0x200000, size - 4 };

	return at[i];
}

static void reopen(struct __test_metadata *_metadata, struct vfio *v)
{
	vfio_close(v);
	open_device(_metadata, v);
}

TEST_F(clear, writes_are_cleared_unless_kept)
{
	for (unsigned int i = 0; i < 5; i++)
		region_write32(&self->v, self->hdm, place(self->size, i), MARK);
	reopen(_metadata, &self->v);
	for (unsigned int i = 0; i < 5; i++)
		EXPECT_EQ(self->expected,
			  region_read32(&self->v, self->hdm, place(self->size, i)));
}

TEST_F(clear, stores_through_a_mapping_are_cleared_unless_kept)
{
	uint8_t *p = region_map(&self->v, self->hdm, 0, self->size, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, p);
	for (unsigned int i = 0; i < 5; i++)
		*(uint32_t *)(p + place(self->size, i)) = MARK;
	munmap(p, self->size);
	reopen(_metadata, &self->v);
	for (unsigned int i = 0; i < 5; i++)
		EXPECT_EQ(self->expected,
			  region_read32(&self->v, self->hdm, place(self->size, i)));
}

/* The device itself stores, so that the host never sees the bytes */
TEST_F(clear, stores_by_the_device_are_cleared_unless_kept)
{
	struct accel_op op = {
		T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, .dst = 0x5000, .len = 64, .pattern = MARK,
	};

	ASSERT_EQ(0, accel_run(&self->v, &op, NULL));
	reopen(_metadata, &self->v);
	EXPECT_EQ(self->expected, region_read32(&self->v, self->hdm, 0x5000));
}

/* Lost decoders keep the driver from clearing the memory at close */
TEST_F(clear, memory_not_cleared_at_close_is_cleared_at_open_unless_kept)
{
	region_write32(&self->v, self->hdm, 0x6000, MARK);
	ASSERT_EQ(0, system("t2ctl $DEVICE --decoder=0,committed=0 --misbehave=commit-stuck"));
	vfio_close(&self->v);
	ASSERT_EQ(0, system("t2ctl $DEVICE restore"));
	open_device(_metadata, &self->v);
	EXPECT_EQ(self->expected, region_read32(&self->v, self->hdm, 0x6000));
}

TEST_HARNESS_MAIN
