// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discovery: what it finds in a good device, and each wrong register value that it refuses.
 */
#include "device.h"
#include "../../src/discover.h"

#define CAP		(DVSEC + CXL_VFIO_DVSEC_CAP)
#define CTRL		(DVSEC + CXL_VFIO_DVSEC_CTRL)
#define DECODER(n, reg)	(HDM + CXL_VFIO_HDM_DECODER(n) + CXL_VFIO_HDM_##reg)
#define GLOBAL		(HDM + CXL_VFIO_HDM_GLOBAL_CTRL)
#define GRANULE		0x10000000ULL

static struct cxl_vfio_found found;

static int setup(void **state)
{
	unit_setup(state);
	memset(&found, 0, sizeof(found));
	return 0;
}

/* Whatever the result, the device is left as it was */
static int discover(void)
{
	int ret;

	memset(&found, 0, sizeof(found));
	ret = cxl_vfio_discover(&unit.pdev, &found);
	assert_int_equal(unit.enabled, 0);
	assert_int_equal(unit.mapped, 0);
	return ret;
}

static void put_length(u32 dvsec, u32 len)
{
	put32(dvsec + 4, CXL_VFIO_DVSEC_VENDOR_ID | len << 20);
}

static void discovery_finds_a_good_device(void **state)
{
	assert_int_equal(discover(), 0);
	assert_true(found.is_cxl);
	assert_int_equal(found.dvsec, DVSEC);
	assert_int_equal(found.dvsec_len, 0x3c);
	assert_int_equal(found.dvsec_cap, 0x0ae7);
	assert_int_equal(found.dvsec_ctrl, 7);
	assert_int_equal(found.range_base[0].high, BASE0 >> 32);
	assert_int_equal(found.range_base[0].low, (u32)BASE0);
	assert_int_equal(found.range_base[1].high, BASE1 >> 32);
	assert_int_equal(found.range_base[1].low, (u32)BASE1);
	assert_false(found.by_ranges);
	assert_int_equal(found.bar, BAR);
	assert_true(found.block_offset == BLOCK);
	assert_int_equal(found.hdm_offset, HDM);
	assert_int_equal(found.nr_ranges, 2);
	assert_true(found.range[0].base == BASE0 && found.range[0].size == SIZE0);
	assert_int_equal(found.range[0].decoder, 0);
	assert_true(found.range[1].base == BASE1 && found.range[1].size == SIZE1);
	assert_int_equal(found.range[1].decoder, 1);
	for (u32 at = 0; at < 0x10 + 0x20 * DECODERS; at += 4)
		assert_int_equal(found.cm[(HDM + at) / 4], cm_get(HDM + at));
	assert_int_equal(found.cm[RAS / 4], cm_get(RAS));
	assert_int_equal(found.cm[IDE / 4], 0);
	assert_nothing_written();
	assert_nothing_logged();
	assert_int_equal(unit.slept, 0);
}

/* Functions that are assigned as plain PCI functions */
static void discovery_leaves_a_plain_function_alone(void **state)
{
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, RLOC);
	assert_int_equal(discover(), 0);
	assert_false(found.is_cxl);
	assert_logged("no CXL Device DVSEC");

	setup(state);
	put16(CAP, 0x0ae3);
	put_length(DVSEC, 0);
	assert_int_equal(discover(), 0);
	assert_false(found.is_cxl);
	assert_logged("Mem_Capable is clear (CAPABILITY 0x0ae3)");
}

static void discovery_needs_the_dvsec_as_far_as_the_first_range(void **state)
{
	static const struct {
		u32 len;
		unsigned int bases;
		int ret;
	} dvsecs[] = {
		{ 0x00, 0, -EPROTO }, { 0x0c, 0, -EPROTO }, { 0x27, 0, -EPROTO }, { 0x28, 1 },
		{ 0x30, 1 }, { 0x37, 1 }, { 0x38, 2 }, { 0x3c, 2 }, { CFG_SIZE - DVSEC, 2 },
		{ CFG_SIZE - DVSEC + 1, 0, -EPROTO }, { 0xfff, 0, -EPROTO },
	};
	char text[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(dvsecs); i++) {
		setup(state);
		put_length(DVSEC, dvsecs[i].len);
		assert_int_equal(discover(), dvsecs[i].ret);
		if (dvsecs[i].ret) {
			assert_false(found.is_cxl);
			snprintf(text, sizeof(text), "DVSEC: length is %#x at offset 0x130",
				 dvsecs[i].len);
			assert_logged(text);
			continue;
		}
		assert_int_equal(found.dvsec_len, dvsecs[i].len);
		assert_int_equal(found.range_base[0].low, (u32)BASE0);
		assert_int_equal(found.range_base[1].high, dvsecs[i].bases > 1 ? BASE1 >> 32 : 0);
		assert_int_equal(found.range_base[1].low, dvsecs[i].bases > 1 ? (u32)BASE1 : 0);
	}
}

/* Lengths of the Register Locator; its second entry is the one for component registers */
static void discovery_reads_the_entries_that_the_locator_has(void **state)
{
	static const struct {
		u32 len;
		int ret;
		bool comp;
		const char *log;
	} locators[] = {
		{ 0x00, -EPROTO, false, "Register Locator DVSEC: length is 0 at offset 0x180" },
		{ 0x0b, -EPROTO, false,
		  "length is 0xb at offset 0x180, expected at least 0xc within" },
		{ 0x0c, 0 }, { 0x14, 0 }, { 0x1b, 0 }, { 0x1c, 0, true }, { 0x24, 0, true },
		{ CFG_SIZE - RLOC + 1, -EPROTO, false, "Register Locator DVSEC: length is 0xe81" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(locators); i++) {
		setup(state);
		put_length(RLOC, locators[i].len);
		assert_int_equal(discover(), locators[i].ret);
		if (locators[i].ret) {
			assert_logged(locators[i].log);
			continue;
		}
		assert_int_equal(cxl_vfio_has_comp(&found), locators[i].comp);
		assert_int_equal(found.by_ranges, !locators[i].comp);
	}
	/* A locator that ends with config space */
	setup(state);
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, DVSEC);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, CFG_SIZE - 0x14);
	put_dvsec(CFG_SIZE - 0x14, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x14, 0);
	put32(CFG_SIZE - 8, BLOCK | 1 << 8 | BAR);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.bar, BAR);
	/* One that is longer than its offset */
	setup(state);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, 0x200);
	put_dvsec(0x200, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x304, 0);
	put32(0x4fc, BLOCK | 1 << 8 | BAR);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.bar, BAR);
}

static u64 block_of_port(int ret)
{
	u64 block = 0;

	assert_int_equal(cxl_vfio_component_block(&unit.pdev, &block), ret);
	return block;
}

static void component_block_of_a_port_is_found_or_has_a_reason(void **state)
{
	assert_true(block_of_port(0) == BAR_PHYS + BLOCK);
	/* A block at each end of the BAR */
	put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), (BAR_LEN - 0x10000) | 1 << 8 | BAR);
	assert_true(block_of_port(0) == BAR_PHYS + BAR_LEN - 0x10000);
	put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), 1 << 8 | BAR);
	assert_true(block_of_port(0) == BAR_PHYS);
	unit.no_memory = true;
	assert_true(block_of_port(-ENOMEM) == 0);
	unit.no_memory = false;
	put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), 0);
	assert_true(block_of_port(-ENOENT) == 0);
}

/* Bad devices */

static u32 entry(u32 id, u32 at)
{
	return id | 1 << 16 | at << 20;
}

static void no_capability(void) { put16(CAP, 0xffff); }
static void mem_off(void) { put16(CTRL, 3); }
static void no_locator(void) { put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, FLEXBUS); }
static void dead_entry(void) { put32(RLOC + CXL_VFIO_RLOC_ENTRY(2), ~0U); }
static void two_blocks(void) { put32(RLOC + CXL_VFIO_RLOC_ENTRY(2), BLOCK | 1 << 8 | BAR); }
static void bar_6(void) { put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 1 << 8 | 6); }
static void bar_7(void) { put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 1 << 8 | 7); }
static void bar_5(void) { put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 1 << 8 | 5); }
static void io_bar(void) { unit.pdev.resource[BAR].flags = IORESOURCE_IO; }
static void short_bar(void) { unit.pdev.resource[BAR].size = BLOCK + 0xffff; }
static void shorter_bar(void) { unit.pdev.resource[BAR].size = BLOCK - 1; }
static void far_block(void) { put32(RLOC + CXL_VFIO_RLOC_ENTRY(1) + 4, 1); }
static void no_decode(void) { unit.no_enable = true; }
static void no_mapping(void) { unit.no_mapping = true; }
static void dead_block(void) { cm_put(0, ~0U); }
static void other_block(void) { cm_put(0, 2 | 4U << 24); }
static void two_decoder_caps(void) { cm_put(16, entry(CXL_VFIO_CM_CAP_ID_HDM, 0x600)); }
static void hdm_in_array(void) { cm_put(12, entry(CXL_VFIO_CM_CAP_ID_HDM, 0x10)); }
static void hdm_at_2(void) { cm_put(12, entry(CXL_VFIO_CM_CAP_ID_HDM, HDM + 2)); }
static void hdm_at_1(void) { cm_put(12, entry(CXL_VFIO_CM_CAP_ID_HDM, HDM + 1)); }
static void no_hdm(void) { cm_put(12, 0); }
static void array_without_hdm(void) { cm_put(0, 1 | 2U << 24); }
static void dead_hdm(void) { cm_put(HDM, ~0U); }
static void reserved_count(void) { cm_put(HDM, 0xd); }
static void dead_decoder(void) { cm_put(DECODER(1, CTRL), ~0U); }
static void two_ways(void) { cm_put(DECODER(1, CTRL), 0x610); }
static void odd_ways(void) { cm_put(DECODER(0, CTRL), 0x680); }
static void odd_base(void) { cm_put(DECODER(1, BASE_LOW), 0x78000000); }
static void odd_size(void) { cm_put(DECODER(1, SIZE_LOW), 0x18000000); }
static void wrap(void) { put_decoder(1, -GRANULE, 2 * GRANULE, 0x600); }
static void same_range(void) { put_decoder(1, BASE0, SIZE0, 0x600); }
static void overlap_end(void) { put_decoder(1, BASE0 + SIZE0 - GRANULE, SIZE1, 0x600); }
static void overlap_start(void) { put_decoder(1, BASE0 - GRANULE, 2 * GRANULE, 0x600); }
static void overlap_inside(void) { put_decoder(1, BASE0 + GRANULE, GRANULE, 0x600); }
static void overlap_third(void) { put_decoder(2, BASE1, GRANULE, 0x600); }

/* Devices whose memory can only be that of the ranges */

static void no_comp_and_mem_off(void) { no_locator(); mem_off(); }
static void no_entry_and_mem_off(void) { put_length(RLOC, 0x0c); mem_off(); }
static void no_hdm_and_mem_off(void) { no_hdm(); mem_off(); }
static void array_without_hdm_and_mem_off(void) { array_without_hdm(); mem_off(); }

/* Firmware committed no decoder and left Decoder Enable off */
static void decoders_unused(void)
{
	for (unsigned int n = 0; n < DECODERS; n++)
		put_decoder(n, 0, 0, 0);
	cm_put(GLOBAL, 0);
}

static void decoders_unused_and_mem_off(void) { decoders_unused(); mem_off(); }

static void ranges(u64 base0, u64 size0, u64 base1, u64 size1)
{
	no_locator();
	put_range(0, size0, base0);
	put_range(1, size1, base1);
}

static void with_locator(void) { put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, RLOC); }
static void no_range(void) { ranges(BASE0, 0, BASE1, 0); }
static void no_range_and_no_decoder(void) { no_range(); no_hdm(); with_locator(); }
static void odd_range(void) { ranges(BASE0, SIZE0, BASE1 + GRANULE / 2, SIZE1); }
static void odder_range(void) { ranges(BASE0 + 1, SIZE0, BASE1, SIZE1); }
static void range_wraps(void) { ranges(BASE0, SIZE0, -GRANULE, 2 * GRANULE); }
static void same_ranges(void) { ranges(BASE0, SIZE0, BASE0, SIZE0); }
static void ranges_overlap(void) { ranges(BASE0, SIZE0, BASE0 - GRANULE, 2 * GRANULE); }
static void no_count(void) { no_locator(); put16(CAP, 0x0ac7); }
static void three_ranges(void) { no_locator(); put16(CAP, 0x0af7); }
static void no_second_base(void) { no_locator(); put_length(DVSEC, 0x37); }

static void dead_range(void)
{
	no_locator();
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), ~0U);
}

static void empty_bar(void)
{
	unit.pdev.resource[BAR].size = 0;
}

static void unassigned_bar(void)
{
	unit.pdev.resource[BAR].start = 0;
}

static void no_commit(void)
{
	cm_put(DECODER(0, CTRL), 0x200);
	cm_put(DECODER(1, CTRL), 0);
}

static void hdm_does_not_fit(void)
{
	/* Its last decoder would end 0x10 bytes past the area */
	cm_put(12, entry(CXL_VFIO_CM_CAP_ID_HDM, 0xf80));
	cm_put(0xf80, HDM_HEADER);
}

static void mem_off_and_locked(void)
{
	put16(CTRL, 3);
	put16(DVSEC + CXL_VFIO_DVSEC_LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
}

static u32 keep_old_config(u32 at, u32 val)
{
	return get16(at);
}

static u32 keep_old_mmio(u32 at, u32 val)
{
	return cm_get(at);
}

static void mem_stays_off(void)
{
	put16(CTRL, 3);
	unit.config_write = keep_old_config;
}

static void decoders_stay_off(void)
{
	cm_put(GLOBAL, 1);
	unit.mmio_write = keep_old_mmio;
}

/* RANGE 2 never becomes active; its timeout is 4 s */
static void never_active(void)
{
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(1), 0x10000000 | 1 << 13 | 1);
}

static void killed(void)
{
	never_active();
	unit.killed = true;
}

static const struct {
	void (*spoil)(void);
	int ret;
	const char *log;	/* NULL: no line */
	bool writes;
} bad_devices[] = {
	{ no_capability, -ENODEV, "CAPABILITY reads 0xffff, the device does not respond" },
	{ no_comp_and_mem_off, -ENOENT,
	  "no component registers, and CONTROL of the CXL Device DVSEC reads 0x0003, Mem_Enable" },
	{ no_entry_and_mem_off, -ENOENT, "Register Locator: no component registers, and CONTROL" },
	{ dead_entry, -ENODEV, "Register Locator: entry 2 reads 0xffffffff" },
	{ two_blocks, -EEXIST, "Register Locator: entry 2 is a second one" },
	{ bar_6, -EINVAL, "component block in BAR 6, expected 0 to 5" },
	{ bar_7, -EINVAL, "component block in BAR 7, expected 0 to 5" },
	{ bar_5, -ENXIO, "component block in BAR 5 (" },
	{ io_bar, -ENXIO, "expected an assigned memory BAR" },
	{ empty_bar, -ENXIO, "expected an assigned memory BAR" },
	{ unassigned_bar, -ENXIO, "expected an assigned memory BAR" },
	{ short_bar, -ERANGE, "offset 0x10000 of BAR 2, expected 0x10000 bytes within 0x1ffff" },
	{ shorter_bar, -ERANGE, "expected 0x10000 bytes within 0xffff" },
	{ far_block, -ERANGE, "component block at offset 0x100010000" },
	{ no_decode, -EBUSY, "cannot turn on memory decode" },
	{ no_mapping, -ENOMEM, NULL },
	{ dead_block, -ENODEV, "capability array header reads 0xffffffff" },
	{ other_block, -EPROTO, "capability array header reads 0x04000002, expected id 1" },
	{ two_decoder_caps, -EEXIST, "entry 4 is a second HDM Decoder Capability" },
	{ hdm_in_array, -EBADMSG, "HDM Decoder Capability at offset 0x10" },
	{ hdm_at_2, -EBADMSG, "HDM Decoder Capability at offset 0x202" },
	{ hdm_at_1, -EBADMSG, "HDM Decoder Capability at offset 0x201" },
	{ no_hdm_and_mem_off, -EOPNOTSUPP,
	  "component block: no HDM Decoder Capability, and CONTROL" },
	{ array_without_hdm_and_mem_off, -EOPNOTSUPP, "no HDM Decoder Capability, and CONTROL" },
	{ dead_hdm, -ENODEV, "HDM Decoder Capability: header reads 0xffffffff, the device" },
	{ reserved_count, -EBADMSG, "header reads 0x0000000d, decoder count is a reserved" },
	{ hdm_does_not_fit, -EBADMSG, "4 decoders at offset 0xf80 do not fit the 0x1000 bytes" },
	{ no_commit, -ENODATA, "none of 4 decoders is committed" },
	{ dead_decoder, -ENODEV, "HDM decoder 1: CTRL reads 0xffffffff" },
	{ two_ways, -EDOM, "HDM decoder 1: CTRL reads 0x00000610, interleaved" },
	{ odd_ways, -EDOM, "HDM decoder 0: CTRL reads 0x00000680, interleaved" },
	{ odd_base, -EINVAL, "HDM decoder 1: base 0x578000000 size 0x110000000, expected" },
	{ odd_size, -EINVAL, "HDM decoder 1: base 0x570000000 size 0x118000000, expected" },
	{ wrap, -EOVERFLOW, "base 0xfffffffff0000000 size 0x20000000 wraps around" },
	{ same_range, -ENOTUNIQ,
	  "HDM decoder 1: base 0x130000000 size 0x240000000 overlaps HDM decoder 0" },
	{ overlap_end, -ENOTUNIQ, "overlaps HDM decoder 0" },
	{ overlap_start, -ENOTUNIQ, "overlaps HDM decoder 0" },
	{ overlap_inside, -ENOTUNIQ, "overlaps HDM decoder 0" },
	{ overlap_third, -ENOTUNIQ,
	  "HDM decoder 2: base 0x570000000 size 0x10000000 overlaps HDM decoder 1" },
	{ mem_off_and_locked, -EACCES,
	  "CONTROL reads 0x0003, Mem_Enable is off and cannot be turned on, CONFIG_LOCK is set" },
	{ mem_stays_off, -EACCES, "Mem_Enable is off and cannot be turned on\n", true },
	{ decoders_stay_off, -EACCES, "reads 0x00000001, Decoder Enable is off", true },
	{ decoders_unused_and_mem_off, -ENODATA,
	  "Decoder Enable is off, no decoder is committed, and CONTROL of the CXL Device DVSEC" },
	{ no_range, -ENOENT,
	  "Register Locator: no component registers, and no range of the CXL Device DVSEC has" },
	{ no_range_and_no_decoder, -EOPNOTSUPP,
	  "no HDM Decoder Capability, and no range of the CXL Device DVSEC has memory" },
	{ odd_range, -EINVAL,
	  "CXL Device DVSEC: RANGE2: base 0x578000000 size 0x110000000, expected" },
	{ odder_range, -EINVAL, "CXL Device DVSEC: RANGE1: base 0x130000001 size 0x240000000" },
	{ range_wraps, -EOVERFLOW,
	  "CXL Device DVSEC: RANGE2: base 0xfffffffff0000000 size 0x20000000 wraps around" },
	{ same_ranges, -ENOTUNIQ,
	  "RANGE2: base 0x130000000 size 0x240000000 overlaps CXL Device DVSEC: RANGE1" },
	{ ranges_overlap, -ENOTUNIQ, "overlaps CXL Device DVSEC: RANGE1" },
	{ no_count, -EBADMSG, "CAPABILITY reads 0x0ac7, HDM_Count is a reserved encoding" },
	{ three_ranges, -EBADMSG, "CAPABILITY reads 0x0af7, HDM_Count is a reserved encoding" },
	{ no_second_base, -EPROTO, "length is 0x37 at offset 0x130, expected at least 0x38" },
	{ dead_range, -ENODEV, "RANGE1 SIZE LOW reads 0xffffffff, the device does not respond" },
	{ never_active, -ETIMEDOUT, "RANGE2 SIZE LOW reads 0x10002001 after 4000 ms" },
	{ killed, -EINTR, NULL },
};

static void discovery_refuses_bad_devices_with_one_line(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_devices); i++) {
		int ret;

		setup(state);
		bad_devices[i].spoil();
		ret = discover();
		if (ret != bad_devices[i].ret)
			fail_msg("expected %d and \"%s\", got %d and \"%s\"", bad_devices[i].ret,
				 bad_devices[i].log, ret, unit.log);
		if (bad_devices[i].log)
			assert_logged(bad_devices[i].log);
		else
			assert_nothing_logged();
		if (!bad_devices[i].writes)
			assert_nothing_written();
	}
}

static void discovery_of_a_device_that_is_gone_finds_nothing(void **state)
{
	unit.gone = true;
	assert_int_equal(discover(), 0);
	assert_false(found.is_cxl);
}

/* Each place that the HDM Decoder Capability may have */
static void discovery_finds_the_decoders_at_each_place(void **state)
{
	static const u32 places[] = { 0x14, HDM + 4, 0x480, CXL_VFIO_CM_SIZE - 0x90 };

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		for (unsigned int at = 1; at <= 4; at++) {
			u32 regs[0x90 / 4];

			setup(state);
			memcpy(regs, &unit.bar[CM + HDM], sizeof(regs));
			for (unsigned int other = 1; other <= 4; other++)
				cm_put(4 * other, entry(7, IDE));
			cm_put(4 * at, entry(CXL_VFIO_CM_CAP_ID_HDM, places[i]));
			memcpy(&unit.bar[CM + places[i]], regs, sizeof(regs));
			assert_int_equal(discover(), 0);
			assert_int_equal(found.hdm_offset, places[i]);
			assert_int_equal(found.nr_ranges, 2);
		}
	}
	/* Every fourth bit of the header is set, except in its count */
	setup(state);
	cm_put(HDM, 0x11111110);
	put_decoder(1, BASE1 + 1, 0, 0x6f0);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.nr_ranges, 1);
}

static void discovery_takes_ranges_that_touch(void **state)
{
	put_decoder(1, BASE0 + SIZE0, SIZE1, 0x600);
	put_decoder(2, 0, BASE0, 0x600);
	put_decoder(3, -GRANULE, GRANULE, 0x700);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.nr_ranges, 4);
	assert_true(found.range[3].base == -GRANULE && found.range[3].decoder == 3);
	/* Of decoders that are not committed, the last included, nothing is checked */
	put_decoder(1, BASE0, SIZE0, 0x2f0);
	put_decoder(2, BASE0 + 1, 0, 0);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.nr_ranges, 2);
	assert_int_equal(found.range[1].decoder, 3);
}

/* CXL r4.0 8.2.4.20.12 lets firmware commit decoders with size 0: no range comes of them */
static void discovery_makes_no_range_of_size_zero(void **state)
{
	put_decoder(0, BASE0 + 1, 0, 0x700);
	put_decoder(2, BASE1, 0, 0x600);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.nr_ranges, 1);
	assert_int_equal(found.range[0].decoder, 1);
	assert_nothing_logged();
	put_decoder(1, BASE1, 0, 0x600);
	assert_int_equal(discover(), -ENODATA);
	assert_logged("none of 4 decoders is committed with memory");
}

static void discovery_turns_on_what_firmware_left_off(void **state)
{
	put16(CTRL, 3);
	put16(DVSEC + CXL_VFIO_DVSEC_LOCK, 0xfffe);
	assert_int_equal(discover(), 0);
	assert_written({ CTRL, 7 });
	assert_int_equal(found.dvsec_ctrl, 7);
	assert_logged("Mem_Enable was off, turned on");

	setup(state);
	cm_put(GLOBAL, 1);
	assert_int_equal(discover(), 0);
	assert_written({ MMIO + GLOBAL, 3 });
	assert_int_equal(found.cm[GLOBAL / 4], 3);
	assert_logged("Decoder Enable was off, turned on");
}

static void check_ranges_are_the_memory(unsigned int n)
{
	assert_true(found.is_cxl && found.by_ranges);
	assert_int_equal(found.nr_ranges, n);
	assert_true(found.range[0].base == BASE0 && found.range[0].size == SIZE0);
	assert_true(found.range_size[0] == SIZE0);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(found.range[i].decoder, i);
		assert_true(found.range[i].by_dvsec);
	}
	if (n > 1)
		assert_true(found.range[1].base == BASE1 && found.range[1].size == SIZE1);
	assert_true(found.range_size[1] == (n > 1 ? SIZE1 : 0));
	assert_nothing_written();
	assert_nothing_logged();
}

/* Ranges are the memory where no decoder can be, and nothing of the device is changed */
static void discovery_takes_the_ranges_without_decoders(void **state)
{
	static void (* const spoil[])(void) = {
		no_locator, no_hdm, array_without_hdm, decoders_unused,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(spoil); i++) {
		setup(state);
		spoil[i]();
		assert_int_equal(discover(), 0);
		check_ranges_are_the_memory(2);
		assert_int_equal(found.bar, i ? BAR : CXL_VFIO_BAR_NONE);
		assert_int_equal(found.hdm_offset, i < 3 ? 0 : HDM);
		assert_int_equal(cxl_vfio_has_comp(&found), i > 0);
		/* Firmware's lock is no reason to refuse what it set */
		put16(DVSEC + CXL_VFIO_DVSEC_LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
		assert_int_equal(discover(), 0);
		check_ranges_are_the_memory(2);
	}
	/* Of no component register anything is read */
	setup(state);
	no_locator();
	no_mapping();
	no_decode();
	assert_int_equal(discover(), 0);
	for (u32 at = 0; at < CXL_VFIO_CM_SIZE; at += 4)
		assert_int_equal(found.cm[at / 4], 0);
}

static void discovery_takes_as_many_ranges_as_have_memory(void **state)
{
	/* One range claimed, in the shortest DVSEC */
	no_locator();
	put16(CAP, 0x0ad7);
	put_length(DVSEC, 0x28);
	assert_int_equal(discover(), 0);
	check_ranges_are_the_memory(1);
	/* The second without memory, wherever its base is; it need not be active */
	setup(state);
	ranges(BASE0, SIZE0, BASE0 + 1, 0);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(1), 1);
	assert_int_equal(discover(), 0);
	check_ranges_are_the_memory(1);
	/* The first without memory */
	setup(state);
	ranges(0, 0, BASE1, SIZE1);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.nr_ranges, 1);
	assert_int_equal(found.range[0].decoder, 1);
	assert_true(found.range[0].base == BASE1 && found.range[0].size == SIZE1);
	/* Ranges that touch, and the last addresses that there are */
	setup(state);
	ranges(-GRANULE, GRANULE, -2 * GRANULE, GRANULE);
	assert_int_equal(discover(), 0);
	assert_int_equal(found.nr_ranges, 2);
}

/* The flags below a size are no part of it */
static void discovery_reads_the_sizes_of_ranges_once_they_are_valid(void **state)
{
	no_locator();
	never_active();
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(1), 0);
	unit.time_passes = NULL;
	assert_int_equal(discover(), -ETIMEDOUT);
	assert_logged("RANGE2 SIZE LOW reads 0x10002001 after 4000 ms");

	setup(state);
	no_locator();
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), (u32)SIZE0 | 0x0fffffff);
	assert_int_equal(discover(), 0);
	check_ranges_are_the_memory(2);
}

static void become_active(unsigned int ms)
{
	if (unit.slept >= 2500)
		put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(1), 0x10000000 | 1 << 13 | 3);
}

static void discovery_waits_for_memory_to_become_active(void **state)
{
	never_active();
	unit.time_passes = become_active;
	assert_int_equal(discover(), 0);
	assert_int_equal(unit.slept, 2500);
	assert_nothing_logged();

	setup(state);
	never_active();
	assert_int_equal(discover(), -ETIMEDOUT);
	assert_int_equal(unit.slept, 4000);
}

#define CASE(fn)	cmocka_unit_test_setup(fn, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(discovery_finds_a_good_device),
		CASE(discovery_leaves_a_plain_function_alone),
		CASE(discovery_needs_the_dvsec_as_far_as_the_first_range),
		CASE(discovery_reads_the_entries_that_the_locator_has),
		CASE(component_block_of_a_port_is_found_or_has_a_reason),
		CASE(discovery_refuses_bad_devices_with_one_line),
		CASE(discovery_of_a_device_that_is_gone_finds_nothing),
		CASE(discovery_finds_the_decoders_at_each_place),
		CASE(discovery_takes_ranges_that_touch),
		CASE(discovery_makes_no_range_of_size_zero),
		CASE(discovery_turns_on_what_firmware_left_off),
		CASE(discovery_takes_the_ranges_without_decoders),
		CASE(discovery_takes_as_many_ranges_as_have_memory),
		CASE(discovery_reads_the_sizes_of_ranges_once_they_are_valid),
		CASE(discovery_waits_for_memory_to_become_active),
	};

	return cmocka_run_group_tests_name("discover", tests, NULL, NULL);
}
