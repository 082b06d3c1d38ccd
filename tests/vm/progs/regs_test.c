// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every register of a bound device, through each view that a VMM has: COMP_REGS, the
 * component BAR, config space.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define CM		CXL_VFIO_CM_OFFSET
#define MAX_REGS	0x10000

FIXTURE(regs) {
	struct vfio v;
	bool v2;
	bool hide;
	uint64_t hpa;
	uint32_t comp;		/* COMP_REGS: its index, start in the block, size */
	uint32_t start;
	uint32_t size;
	uint64_t block;		/* the block's offset in its BAR */
	uint32_t decoder;	/* decoder 0's offset in the block */
	uint16_t dvsec;
	uint16_t len;
};

FIXTURE_SETUP(regs)
{
	struct vfio_info_cap_header *cap;
	struct vfio_region_info *info;

	self->v2 = !strcmp(input("ABI"), "v2");
	self->hide = input_yes("HIDE");
	self->hpa = input_number("HPA", 0);
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	cap = vfio_cap(&self->v.info, self->v.info.cap_offset, VFIO_DEVICE_INFO_CAP_CXL);
	ASSERT_NE(NULL, cap);
	if (self->v2) {
		struct cxl_vfio_device_info_cap_v2 *v2 = (void *)cap;

		self->comp = v2->comp_regs_region_index;
		self->block = v2->hdm_regs_offset - CM;
		self->start = CM;
	} else {
		struct cxl_vfio_device_info_cap_v3 *v3 = (void *)cap;

		self->comp = v3->comp_reg_region_idx;
		self->block = v3->comp_reg_offset;
	}
	info = vfio_region(&self->v, self->comp);
	ASSERT_NE(NULL, info);
	self->size = info->size;
	free(info);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->decoder = find_hdm(&self->v, T2DEV_COMP_BAR, self->block) + CXL_VFIO_HDM_DECODER(0);
	self->dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	ASSERT_NE(0, self->dvsec);
	self->len = config_read32(&self->v, self->dvsec + 4) >> 20;
}

FIXTURE_TEARDOWN(regs)
{
	vfio_close(&self->v);
}

static uint32_t bar32(struct vfio *v, uint64_t block, uint32_t at)
{
	return region_read32(v, T2DEV_COMP_BAR, block + at);
}

static uint64_t bar64(struct vfio *v, uint64_t block, uint32_t at)
{
	return bar32(v, block, at) | (uint64_t)bar32(v, block, at + 4) << 32;
}

static uint64_t range_base(struct vfio *v, uint16_t dvsec)
{
	return (uint64_t)config_read32(v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0)) << 32 |
	       config_read32(v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0));
}

TEST_F(regs, device_info_has_the_layout_of_the_vmm_interface)
{
	struct vfio_info_cap_header *cap = vfio_cap(&self->v.info, self->v.info.cap_offset,
						    VFIO_DEVICE_INFO_CAP_CXL);
	uint32_t room = self->v.info.argsz - ((uint8_t *)cap - self->v.info_raw);

	EXPECT_EQ(1, cap->version);
	if (self->v2) {
		struct cxl_vfio_device_info_cap_v2 *v2 = (void *)cap;

		EXPECT_EQ(sizeof(*v2), room);
		EXPECT_EQ(T2DEV_COMP_BAR, v2->hdm_regs_bar_index);
		EXPECT_EQ(CXL_VFIO_CAP_V2_FIRMWARE_COMMITTED | CXL_VFIO_CAP_V2_CACHE_CAPABLE,
			  v2->flags);
		EXPECT_EQ(self->decoder + 0x20 - CM, self->size);
		EXPECT_NE(v2->dpa_region_index, v2->comp_regs_region_index);
	} else {
		struct cxl_vfio_device_info_cap_v3 *v3 = (void *)cap;

		EXPECT_EQ(sizeof(*v3), room);
		EXPECT_EQ(CXL_VFIO_COMP_BLOCK_SIZE, self->size);
		EXPECT_EQ(v3->comp_reg_size, self->size);
	}
}

/* Number of bytes that differ between COMP_REGS and the component BAR, -1 on error */
static int differences(struct vfio *v, uint32_t comp, uint32_t size, uint64_t block,
		       uint32_t start)
{
	static uint8_t a[MAX_REGS], b[MAX_REGS];
	int n = 0;

	if (region_read(v, comp, 0, a, size) != (ssize_t)size ||
	    region_read(v, T2DEV_COMP_BAR, block + start, b, size) != (ssize_t)size)
		return -1;
	for (uint32_t at = 0; at < size; at++)
		n += a[at] != b[at];
	return n;
}

TEST_F(regs, comp_regs_and_component_bar_agree)
{
	EXPECT_EQ(0, differences(&self->v, self->comp, self->size, self->block, self->start));
	for (uint32_t at = 0; at < self->size; at += 4)
		ASSERT_EQ(region_read32(&self->v, self->comp, at),
			  bar32(&self->v, self->block, self->start + at));
}

TEST_F(regs, comp_regs_have_the_size_of_the_vmm_interface)
{
	uint32_t val;

	EXPECT_EQ(-EINVAL, region_read(&self->v, self->comp, self->size, &val, 4));
	EXPECT_EQ(4, region_read(&self->v, self->comp, self->size - 4, &val, 4));
	EXPECT_EQ(-EINVAL, region_read(&self->v, self->comp, self->start ? 2 : CM + 2, &val, 4));
}

/* A guest that finds decoder 0 decommitted takes the memory's address from the range */
TEST_F(regs, range_base_follows_decoder_0)
{
	uint32_t base = self->decoder - self->start;

	region_write32(&self->v, self->comp, base + CXL_VFIO_HDM_CTRL, 0);
	region_write32(&self->v, self->comp, base + CXL_VFIO_HDM_BASE_LOW, 0x4fffffff);
	region_write32(&self->v, self->comp, base + CXL_VFIO_HDM_BASE_HIGH, 5);
	EXPECT_EQ(0x540000000, range_base(&self->v, self->dvsec));
}

/* Offset of the RAS Capability in the component block */
static uint32_t find_ras(struct vfio *v, uint64_t block)
{
	uint32_t entries = bar32(v, block, CM) >> 24;

	for (uint32_t i = 1; i <= entries; i++) {
		uint32_t entry = bar32(v, block, CM + 4 * i);

		if ((entry & 0xffff) == CXL_VFIO_CM_CAP_ID_RAS)
			return CM + (entry >> 20);
	}
	return 0;
}

/* An error of the device shows in RAS until the guest clears it, and not a second time */
TEST_F(regs, ras_shows_an_error_of_the_device_once)
{
	uint32_t ras = find_ras(&self->v, self->block), at = ras - self->start;

	ASSERT_NE(0, ras);
	EXPECT_EQ(0, region_read32(&self->v, self->comp, at));
	EXPECT_EQ(0, region_read32(&self->v, self->comp, at + CXL_VFIO_RAS_CORRECTABLE));
	for (unsigned int times = 0; times < 2; times++) {
		ASSERT_EQ(0, system("t2ctl $DEVICE --ras-uncorrectable=0x4010 "
				    "--ras-correctable=4"));
		EXPECT_EQ(0x4010, region_read32(&self->v, self->comp, at));
		EXPECT_EQ(0x4010, bar32(&self->v, self->block, ras));
		EXPECT_EQ(4, bar32(&self->v, self->block, ras + CXL_VFIO_RAS_CORRECTABLE));
		EXPECT_EQ(4, bar32(&self->v, self->block, ras + CXL_VFIO_RAS_CONTROL) & 0x3f);
		region_write32(&self->v, self->comp, at, 0x10);
		EXPECT_EQ(0x4000, bar32(&self->v, self->block, ras));
		region_write32(&self->v, self->comp, at, 0x4000);
		region_write32(&self->v, self->comp, at + CXL_VFIO_RAS_CORRECTABLE, 4);
		EXPECT_EQ(0, bar32(&self->v, self->block, ras));
		EXPECT_EQ(0, bar32(&self->v, self->block, ras + CXL_VFIO_RAS_CORRECTABLE));
	}
	ASSERT_EQ(0, system("t2ctl $DEVICE restore"));
}

/*
 * Write every register through one view, then through the other: only registers of
 * decoders and of RAS change, and both views agree after each pass.
 */
TEST_F(regs, writes_through_both_views_change_decoders_and_ras_only)
{
	static const uint32_t patterns[] = { 0xffffffff, 0, 0x5a5a5a5a };
	static uint32_t before[MAX_REGS / 4], after[MAX_REGS / 4];
	const uint32_t hdm = (self->decoder - CXL_VFIO_HDM_DECODER(0) - self->start) / 4;
	const uint32_t header_end = hdm + 1;
	const uint32_t ras = (find_ras(&self->v, self->block) - self->start) / 4;

	region_read(&self->v, self->comp, 0, before, self->size);
	for (unsigned int i = 0; i < 6; i++) {
		uint32_t val = patterns[i / 2];

		for (uint32_t at = 0; at < self->size; at += 4) {
			if (i % 2)
				region_write32(&self->v, self->comp, at, val);
			else
				region_write32(&self->v, T2DEV_COMP_BAR,
					       self->block + self->start + at, val);
		}
		ASSERT_EQ(0, differences(&self->v, self->comp, self->size, self->block,
					 self->start));
		region_read(&self->v, self->comp, 0, after, self->size);
		for (uint32_t reg = 0; reg < self->size / 4; reg++) {
			if ((reg >= header_end && reg < hdm + (0x10 + 0x20) / 4) ||
			    (reg >= ras && reg < ras + CXL_VFIO_RAS_CONTROL / 4))
				continue;
			ASSERT_EQ(before[reg], after[reg]) {
				TH_LOG("register %#x", 4 * reg);
			}
		}
	}
	/* HDM memory still works: none of the writes reached the device */
	region_write32(&self->v, VFIO_PCI_NUM_REGIONS, 0, 0x600df00d);
	EXPECT_EQ(0x600df00d, region_read32(&self->v, VFIO_PCI_NUM_REGIONS, 0));
}

TEST_F(regs, bytes_and_words_are_merged_in_the_bar)
{
	uint64_t at = self->block + self->decoder + CXL_VFIO_HDM_BASE_HIGH;
	uint32_t val;
	uint8_t byte = 0x5a;

	region_write32(&self->v, self->comp, self->decoder - self->start + CXL_VFIO_HDM_CTRL, 0);
	region_write32(&self->v, T2DEV_COMP_BAR, at, 0x11223344);
	EXPECT_EQ(1, region_write(&self->v, T2DEV_COMP_BAR, at + 2, &byte, 1));
	EXPECT_EQ(0x115a3344, bar32(&self->v, self->block, self->decoder + 4));
	EXPECT_EQ(2, region_write(&self->v, T2DEV_COMP_BAR, at + 1, "\1\2", 2));
	EXPECT_EQ(0x11020144, bar32(&self->v, self->block, self->decoder + 4));
	EXPECT_EQ(4, region_read(&self->v, T2DEV_COMP_BAR, at + 1, &val, 4));
	EXPECT_EQ(0x110201u, val & 0xffffff);
}

TEST_F(regs, host_address_is_hidden_if_asked)
{
	uint64_t expected = self->hide ? 0 : self->hpa;

	EXPECT_EQ(expected, bar64(&self->v, self->block, self->decoder));
	EXPECT_EQ(expected, range_base(&self->v, self->dvsec));
	if (!self->hide)
		return;
	/* No two neighbouring dwords of a view hold the address, in either order */
	for (uint32_t at = 0; at < CXL_VFIO_COMP_BLOCK_SIZE - 4; at += 4) {
		uint64_t val = bar64(&self->v, self->block, at);

		ASSERT_NE(self->hpa, val);
		ASSERT_NE(self->hpa, val << 32 | val >> 32);
	}
	for (uint16_t at = 0x100; at < 0xff8; at += 4) {
		uint64_t val = config_read32(&self->v, at) |
			       (uint64_t)config_read32(&self->v, at + 4) << 32;

		ASSERT_NE(self->hpa, val);
		ASSERT_NE(self->hpa, val << 32 | val >> 32);
	}
}

TEST_F(regs, base_of_a_committed_decoder_is_writable_in_v2_only)
{
	const uint32_t base = self->decoder - self->start;
	uint32_t ctrl = base + CXL_VFIO_HDM_CTRL;

	EXPECT_EQ(0x600, region_read32(&self->v, self->comp, ctrl) & 0x700);
	region_write32(&self->v, self->comp, base, 0x40000000);
	region_write32(&self->v, self->comp, base + 4, 0x77);
	EXPECT_EQ(self->v2 ? 0x7740000000 : self->hide ? 0 : self->hpa,
		  bar64(&self->v, self->block, self->decoder));
	/* SIZE is read-only while committed; everything is once the decoder is locked */
	region_write32(&self->v, self->comp, base + CXL_VFIO_HDM_SIZE_LOW, 0);
	EXPECT_NE(0, region_read32(&self->v, self->comp, base + CXL_VFIO_HDM_SIZE_LOW));
	region_write32(&self->v, self->comp, ctrl, 0);
	region_write32(&self->v, self->comp, ctrl, 0x300);
	region_write32(&self->v, self->comp, base + 4, 0x55);
	EXPECT_NE(0x55, region_read32(&self->v, self->comp, base + 4));
}

/* Hardware that loses its decoders loses nothing of what the VMM made of its view */
TEST_F(regs, what_was_programmed_outlives_flr_of_a_device_that_loses_decoders)
{
	const uint32_t base = self->decoder - self->start, ctrl = base + CXL_VFIO_HDM_CTRL;
	const uint16_t devctl = 0x50 + PCI_EXP_DEVCTL, lock = self->dvsec + CXL_VFIO_DVSEC_LOCK;
	const uint16_t flr = 0x2810 | PCI_EXP_DEVCTL_BCR_FLR, one = 1;
	uint32_t before;

	ASSERT_EQ(0, system("t2ctl $DEVICE --lose=flr"));
	region_write32(&self->v, self->comp, ctrl, 0);
	region_write32(&self->v, self->comp, base, 0x40000000);
	region_write32(&self->v, self->comp, base + 4, 0x77);
	region_write32(&self->v, self->comp, ctrl, 0x300);
	before = region_read32(&self->v, self->comp, ctrl);
	EXPECT_EQ(0x7740000000, bar64(&self->v, self->block, self->decoder));
	region_write(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, lock, &one, 2);
	EXPECT_EQ(1, config_read32(&self->v, lock) & 1);

	region_write(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, devctl, &flr, 2);
	EXPECT_EQ(before, region_read32(&self->v, self->comp, ctrl));
	EXPECT_EQ(0x7740000000, bar64(&self->v, self->block, self->decoder));
	EXPECT_EQ(1, config_read32(&self->v, lock) & 1);
	EXPECT_EQ(0, system("t2ctl $DEVICE restore"));
}

/* Config space: byte reads agree with dword reads */
TEST_F(regs, config_reads_agree_at_any_size)
{
	for (uint32_t at = 0; at < 0x1000; at += 4) {
		uint32_t whole = config_read32(&self->v, at);

		for (uint32_t i = 0; i < 4; i++) {
			uint8_t byte = 0;

			region_read(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, at + i, &byte, 1);
			ASSERT_EQ((uint8_t)(whole >> 8 * i), byte) TH_LOG("byte %#x", at + i);
		}
	}
}

/* Bits of the CXL Device DVSEC that a write of all ones, then zeros, changes */
TEST_F(regs, dvsec_fields_have_their_attributes)
{
	static const struct {
		uint16_t at, rw;
	} expected[] = {
		{ 0x00, 0 }, { 0x02, 0 }, { 0x04, 0 }, { 0x06, 0 }, { 0x08, 0 },
		{ CXL_VFIO_DVSEC_CAP, 0 }, { CXL_VFIO_DVSEC_CTRL, 0x0ffd },
		{ CXL_VFIO_DVSEC_CTRL2, 0x09 }, { CXL_VFIO_DVSEC_CAP2, 0 },
		{ 0x18, 0 }, { 0x1a, 0 }, { 0x1c, 0 }, { 0x1e, 0 },
		{ 0x20, 0xffff }, { 0x22, 0xffff }, { 0x24, 0 }, { 0x26, 0xf000 },
		{ 0x28, 0 }, { 0x2a, 0 }, { 0x2c, 0 }, { 0x2e, 0 },
		{ 0x30, 0 }, { 0x32, 0 }, { 0x34, 0 }, { 0x36, 0 }, { 0x38, 0 }, { 0x3a, 0 },
	};
	const uint16_t zeros = 0;

	for (unsigned int i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		/* Without the doorbells of CONTROL2, which would reset the device */
		const uint16_t ones = expected[i].at == CXL_VFIO_DVSEC_CTRL2 ? 0xfff9 : 0xffff;
		uint16_t at = self->dvsec + expected[i].at, old, set, cleared;

		if (expected[i].at + 2 > self->len)
			continue;
#define WORD(op, val)	region_##op(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, at, val, 2)
		WORD(read, &old);
		WORD(write, &ones);
		WORD(read, &set);
		WORD(write, &zeros);
		WORD(read, &cleared);
		EXPECT_EQ(expected[i].rw, set & ~cleared) TH_LOG("offset %#x", expected[i].at);
		EXPECT_EQ(old & ~expected[i].rw, cleared) TH_LOG("offset %#x", expected[i].at);
		WORD(write, &old);
#undef WORD
	}
}

TEST_HARNESS_MAIN
