// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's own registers: what is read of them, when they count as intact, how long
 * memory may take to become active, and each write that restores them after a reset.
 */
#include "device.h"
#include "../../src/cxl_vfio.h"

#define CTRL		(DVSEC + CXL_VFIO_DVSEC_CTRL)
#define LOCK		(DVSEC + CXL_VFIO_DVSEC_LOCK)
#define DECODER(n, reg)	(HDM + CXL_VFIO_HDM_DECODER(n) + CXL_VFIO_HDM_##reg)
#define GLOBAL		(HDM + CXL_VFIO_HDM_GLOBAL_CTRL)

#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define ERROR		CXL_VFIO_HDM_CTRL_ERROR

static struct cxl_vfio_device dev;
static struct cxl_vfio_found found;

/* A device after its bind, as found */
static int setup(void **state)
{
	unit_setup(state);
	memset(&dev, 0, sizeof(dev));
	memset(&found, 0, sizeof(found));
	found.is_cxl = true;
	found.dvsec = DVSEC;
	found.dvsec_len = 0x3c;
	found.dvsec_cap = get16(DVSEC + CXL_VFIO_DVSEC_CAP);
	found.dvsec_ctrl = get16(CTRL);
	for (unsigned int i = 0; i < 2; i++) {
		found.range_base[i].high = get32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i));
		found.range_base[i].low = get32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(i));
	}
	found.bar = BAR;
	found.block_offset = BLOCK;
	found.hdm_offset = HDM;
	found.nr_ranges = 2;
	found.range[0] = (struct cxl_vfio_hdm_range){ BASE0, SIZE0, 0 };
	found.range[1] = (struct cxl_vfio_hdm_range){ BASE1, SIZE1, 1 };
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	dev.core.pdev = &unit.pdev;
	dev.found = &found;
	dev.recovery.lock.taken = 1;
	unit.enabled = 1;
	dev.cm_regs = cxl_vfio_map_cm(&unit.pdev, &found);
	assert_ptr_equal(dev.cm_regs, &unit.bar[CM]);
	return 0;
}

static void registers_are_reachable_in_d0_with_memory_space_on(void **state)
{
	assert_true(cxl_vfio_decodes_memory(&unit.pdev));
	unit.pdev.current_state = 3;
	assert_false(cxl_vfio_decodes_memory(&unit.pdev));
	unit.pdev.current_state = PCI_D0;
	put16(PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	assert_false(cxl_vfio_decodes_memory(&unit.pdev));
	put16(PCI_COMMAND, 0xffff);
	assert_false(cxl_vfio_decodes_memory(&unit.pdev));
}

/* Registers of the area that a read of it may touch */
static bool expected[CM_DWORDS];

static void expect(u32 start, u32 len)
{
	for (u32 at = start; at < start + len && at < CXL_VFIO_CM_SIZE; at += 4)
		expected[at / 4] = true;
}

/* Read the area, and check that what was expected is read, and nothing else */
static void check_read(void)
{
	static u32 cm[CM_DWORDS];

	memset(cm, 0x77, sizeof(cm));
	memset(unit.read, 0, sizeof(unit.read));
	cxl_vfio_read_cm(dev.cm_regs, cm);
	for (u32 at = 0; at < CXL_VFIO_CM_SIZE; at += 4) {
		assert_int_equal(unit.read[(CM + at) / 4], expected[at / 4]);
		assert_int_equal(cm[at / 4], expected[at / 4] ? cm_get(at) : 0);
	}
	for (u32 at = 0; at < BAR_LEN; at += 4)
		assert_true(!unit.read[at / 4] || (at >= CM && at < CM + CXL_VFIO_CM_SIZE));
	memset(expected, 0, sizeof(expected));
}

/* A read of an unknown register may have a side effect: the IDE capability is not read */
static void registers_are_read_where_a_guest_sees_them(void **state)
{
	expect(0, 4 * 5);
	expect(RAS, 0x58);
	expect(LINK, 0x38);
	expect(HDM, 0x10 + 0x20 * DECODERS);
	check_read();

	cm_put(0, 1);
	expect(0, 4);
	check_read();
}

static void registers_are_read_as_far_as_the_area_goes(void **state)
{
	cm_put(0, 1 | 2U << 24);
	cm_put(4, CXL_VFIO_CM_CAP_ID_RAS | 0xff8U << 20);
	cm_put(8, CXL_VFIO_CM_CAP_ID_HDM | 0xf80U << 20);
	cm_put(0xf80, HDM_HEADER);
	expect(0, 12);
	expect(0xf80, 0x80);
	check_read();
}

/* Pointers into the capability array are wrong, the first byte after it is right */
static void registers_are_read_behind_the_capability_array(void **state)
{
	for (u32 at = 0; at <= 0x14; at++) {
		setup(state);
		cm_put(0, 1 | 3U << 24);
		cm_put(4, CXL_VFIO_CM_CAP_ID_LINK | at << 20);
		cm_put(8, 0);
		cm_put(12, CXL_VFIO_CM_CAP_ID_HDM | (u32)HDM << 20);
		expect(0, 16);
		if ((at & ~3) >= 16)
			expect(at & ~3, 0x38);
		expect(HDM, 0x10 + 0x20 * DECODERS);
		check_read();
	}
}

static void decoder_ranges_have_both_halves(void **state)
{
	u32 reg[8] = { 0x30000000, 0x1a, 0x50000000, 0x2b, 0x600, ~0U, ~0U, ~0U };
	struct cxl_vfio_hdm_range range = cxl_vfio_decoder_range(reg, 9);

	assert_true(range.base == 0x1a30000000 && range.size == 0x2b50000000);
	assert_int_equal(range.decoder, 9);
}

/* Memory_Info_Valid and Memory_Active */

#define VALID		CXL_VFIO_DVSEC_RANGE_INFO_VALID
#define ACTIVE		CXL_VFIO_DVSEC_RANGE_ACTIVE
#define TIMEOUT(code)	((code) << 13)

static void put_size(unsigned int i, u32 high, u32 low)
{
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i), high);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), low);
}

/* SIZE of a range, whether its memory is usable, and after how many milliseconds to give up */
static const struct {
	u32 high, low;
	bool active;
	unsigned int limit;
} sizes[] = {
	{ 2, 0x40000000 | VALID | ACTIVE, true, 0 },
	{ 2, VALID | ACTIVE, true, 0 },
	{ 0, 0x10000000 | VALID | ACTIVE, true, 0 },
	/* A range without memory is never active; all bits but the size's are set */
	{ 0, 0x0ffffffd, true, 0 },
	{ 0, VALID, true, 0 },
	/* Memory of n x 4 GiB, whose SIZE LOW has no size bit */
	{ 1, VALID, false, 1000 },
	{ 0x80000000, VALID | TIMEOUT(1), false, 4000 },
	{ 0, 0x10000000 | VALID, false, 1000 },
	{ 0, 0x80000000 | VALID, false, 1000 },
	{ 2, 0x40000000 | VALID | TIMEOUT(0), false, 1000 },
	{ 2, 0x40000000 | VALID | TIMEOUT(1), false, 4000 },
	{ 2, 0x40000000 | VALID | TIMEOUT(2), false, 16000 },
	{ 2, 0x40000000 | VALID | TIMEOUT(3), false, 64000 },
	{ 2, 0x40000000 | VALID | TIMEOUT(4), false, 256000 },
	/* Reserved codes: as long as the longest */
	{ 2, 0x40000000 | VALID | TIMEOUT(5), false, 256000 },
	{ 2, 0x40000000 | VALID | TIMEOUT(7), false, 256000 },
	/* Memory_Info_Valid must come within a second, whatever the rest of the register */
	{ 2, 0x40000000 | ACTIVE, false, 1000 },
	{ 2, 0x40000000, false, 1000 },
	{ 0, 0, false, 1000 },
	{ 0, ACTIVE | TIMEOUT(4), false, 1000 },
	{ 2, 0x40000000 | TIMEOUT(3), false, 1000 },
};

static void ranges_are_ready_or_get_the_time_that_the_device_states(void **state)
{
	char text[100];

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		unsigned int limit = sizes[i / 2].limit;
		unsigned int range = i % 2;

		setup(state);
		put_size(range, sizes[i / 2].high, sizes[i / 2].low);
		assert_int_equal(cxl_vfio_memory_active(&unit.pdev, &found), sizes[i / 2].active);
		if (sizes[i / 2].active) {
			assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 0), 0);
			assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 999999), 0);
			continue;
		}
		assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 0), -EAGAIN);
		assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, limit - 1), -EAGAIN);
		assert_nothing_logged();
		assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, limit), -ETIMEDOUT);
		snprintf(text, sizeof(text), "RANGE%u SIZE LOW reads %#010x after %u ms", range + 1,
			 sizes[i / 2].low, limit);
		assert_logged(text);
		assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, limit + 1), -ETIMEDOUT);
	}
}

static void ranges_of_a_device_that_is_gone_are_not_ready(void **state)
{
	unit.gone = true;
	assert_false(cxl_vfio_memory_active(&unit.pdev, &found));
	assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 0), -ENODEV);
	assert_logged("RANGE1 SIZE LOW reads 0xffffffff, the device does not respond");
	unit.gone = false;
	put_size(1, ~0U, ~0U);
	assert_false(cxl_vfio_memory_active(&unit.pdev, &found));
	assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 0), -ENODEV);
	assert_logged("RANGE2 SIZE LOW reads 0xffffffff, the device does not respond");
}

/* The second range counts if HDM_Count says so and the DVSEC has its SIZE LOW */
static void ranges_are_counted_by_hdm_count_and_length(void **state)
{
	static const struct {
		unsigned int count, len;
		bool second;
	} dvsecs[] = {
		{ 0, 0x3c, false }, { 1, 0x3c, false }, { 2, 0x3c, true }, { 3, 0x3c, true },
		{ 2, 0x28, false }, { 2, 0x2c, false }, { 2, 0x2f, false }, { 2, 0x30, true },
		{ 2, 0x38, true }, { 1, 0x28, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(dvsecs); i++) {
		setup(state);
		found.dvsec_cap = (found.dvsec_cap & ~0x30) | dvsecs[i].count << 4;
		found.dvsec_len = dvsecs[i].len;
		put_size(1, 0, 0);
		assert_int_equal(cxl_vfio_memory_active(&unit.pdev, &found), !dvsecs[i].second);
		assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 0),
				 dvsecs[i].second ? -EAGAIN : 0);
		/* The first one always counts */
		put_size(1, 0, 3);
		put_size(0, 0, 0);
		assert_false(cxl_vfio_memory_active(&unit.pdev, &found));
		assert_int_equal(cxl_vfio_ranges_ready(&unit.pdev, &found, 0), -EAGAIN);
	}
}

/* Intact: a committed decoder has its BASE and SIZE of bind time */

/* Change a bit of a register of decoder @n; @counts: then the decoder is not intact */
static void flip(unsigned int n, u32 reg, unsigned int bit, bool counts)
{
	u32 at = HDM + CXL_VFIO_HDM_DECODER(n) + reg;

	cm_put(at, cm_get(at) ^ 1U << bit);
	for (unsigned int other = 0; other < DECODERS; other++)
		assert_int_equal(cxl_vfio_decoder_intact(dev.cm_regs, &found, other),
				 other != n || !counts);
	/* Decoders that were not committed do not matter */
	assert_int_equal(cxl_vfio_decoders_intact(dev.cm_regs, &found), !counts || n >= 2);
	cm_put(at, cm_get(at) ^ 1U << bit);
}

static void decoders_are_intact_until_base_size_or_committed_changes(void **state)
{
	/* The low bits of BASE and SIZE are reserved: any answer will do */
	static const struct {
		u32 reg;
		u32 bits;		/* that must not change in a committed decoder */
		unsigned int first;	/* bit that is tried */
		bool always;		/* nor in any other decoder */
	} fields[] = {
		{ CXL_VFIO_HDM_BASE_LOW, ~0U, 28 }, { CXL_VFIO_HDM_BASE_HIGH, ~0U },
		{ CXL_VFIO_HDM_SIZE_LOW, ~0U, 28 }, { CXL_VFIO_HDM_SIZE_HIGH, ~0U },
		{ CXL_VFIO_HDM_CTRL, COMMITTED, 0, true }, { CXL_VFIO_HDM_SKIP_LOW, 0 },
		{ CXL_VFIO_HDM_SKIP_HIGH, 0 }, { 0x1c, 0 },
	};

	/* COMMITTED alone says whether a decoder is committed */
	cm_put(DECODER(0, CTRL), COMMITTED);
	cm_put(DECODER(2, CTRL), COMMIT | ERROR | 6);
	cm_put(DECODER(3, CTRL), CXL_VFIO_HDM_CTRL_LOCK);
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	for (unsigned int n = 0; n < DECODERS; n++)
		assert_true(cxl_vfio_decoder_intact(dev.cm_regs, &found, n));
	assert_true(cxl_vfio_decoders_intact(dev.cm_regs, &found));
	for (unsigned int n = 0; n < DECODERS; n++)
		for (unsigned int f = 0; f < ARRAY_SIZE(fields); f++)
			for (unsigned int bit = fields[f].first; bit < 32; bit++)
				flip(n, fields[f].reg, bit, (n < 2 || fields[f].always) &&
				     fields[f].bits >> bit & 1);
}

static void decoders_of_a_device_that_is_gone_are_not_intact(void **state)
{
	unit.gone = true;
	for (unsigned int n = 0; n < DECODERS; n++)
		assert_false(cxl_vfio_decoder_intact(dev.cm_regs, &found, n));
	assert_false(cxl_vfio_decoders_intact(dev.cm_regs, &found));
}

/* Ranges name their decoders, which need not be the first ones */
static void decoders_are_found_by_their_number(void **state)
{
	put_decoder(0, 0, 0, 0);
	put_decoder(1, 0, 0, 0);
	put_decoder(2, BASE0, SIZE0, 0x600);
	put_decoder(3, BASE1, SIZE1, 0x600);
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	found.range[0].decoder = 2;
	found.range[1].decoder = 3;
	assert_true(cxl_vfio_decoders_intact(dev.cm_regs, &found));
	cm_put(DECODER(3, BASE_HIGH), 0);
	assert_false(cxl_vfio_decoders_intact(dev.cm_regs, &found));
	found.nr_ranges = 1;
	assert_true(cxl_vfio_decoders_intact(dev.cm_regs, &found));
	cm_put(DECODER(0, CTRL), COMMITTED);
	assert_true(cxl_vfio_decoders_intact(dev.cm_regs, &found));
}

static void registers_are_intact_while_cxl_mem_and_decoders_are_enabled(void **state)
{
	assert_true(cxl_vfio_registers_intact(&dev));
	for (unsigned int bit = 0; bit < 16; bit++) {
		put16(CTRL, found.dvsec_ctrl ^ 1 << bit);
		assert_int_equal(cxl_vfio_registers_intact(&dev), bit != 0 && bit != 2);
	}
	put16(CTRL, found.dvsec_ctrl);
	for (unsigned int bit = 0; bit < 32; bit++) {
		cm_put(GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE ^ 1U << bit);
		assert_int_equal(cxl_vfio_registers_intact(&dev), bit != 1);
	}
	cm_put(GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
	assert_true(cxl_vfio_registers_intact(&dev));
	cm_put(DECODER(1, CTRL), 0);
	assert_false(cxl_vfio_registers_intact(&dev));
}

static void dvsec_registers_are_read_and_written_at_their_offset(void **state)
{
	assert_int_equal(cxl_vfio_dvsec_hw_read(&dev, CXL_VFIO_DVSEC_CAP), 0x0ae7);
	unit.gone = true;
	assert_int_equal(cxl_vfio_dvsec_hw_read(&dev, CXL_VFIO_DVSEC_CAP), 0xffff);
	cxl_vfio_dvsec_hw_write(&dev, CXL_VFIO_DVSEC_CTRL2, 0x1234);
	assert_written({ DVSEC + CXL_VFIO_DVSEC_CTRL2, 0x1234 });
}

/* Restoring.  The hardware of these tests commits decoders as the specification says. */

static unsigned int commit_ms;		/* time that a commit takes */
static u32 commit_result;
static u32 pending[DECODERS];		/* milliseconds left, 0: none pending */
static int locked_decoder;		/* that drops all writes, -1 if none */
static bool stuck;			/* decoders stay committed */
static u16 control_mask;		/* bits of CONTROL that can be written */
static u32 global_mask;

static u32 hw_mmio_write(u32 at, u32 val)
{
	u32 old = cm_get(at), n;

	if (at == GLOBAL)
		return (old & ~global_mask) | (val & global_mask);
	assert_true(at >= HDM + CXL_VFIO_HDM_DECODER(0) &&
		    at < HDM + CXL_VFIO_HDM_DECODER(DECODERS));
	n = (at - HDM - CXL_VFIO_HDM_DECODER(0)) / CXL_VFIO_HDM_DECODER_STRIDE;
	if (locked_decoder == (int)n)
		return old;
	if (at != DECODER(n, CTRL)) {
		assert_false(cm_get(DECODER(n, CTRL)) & COMMITTED);
		return val;
	}
	if (old & COMMITTED) {
		/* Only a decoder with none committed above it may be decommitted */
		assert_true(n == DECODERS - 1 || !(cm_get(DECODER(n + 1, CTRL)) & COMMITTED));
		return stuck || val & COMMIT ? old : val & ~(COMMITTED | ERROR);
	}
	if (val & COMMIT) {
		assert_true(n == 0 || (cm_get(DECODER(n - 1, CTRL)) & COMMITTED));
		pending[n] = commit_ms;
		if (!commit_ms)
			return val | commit_result;
	}
	return val & ~(COMMITTED | ERROR);
}

static void hw_time_passes(unsigned int ms)
{
	for (unsigned int n = 0; n < DECODERS; n++) {
		if (pending[n] && pending[n] <= ms)
			cm_put(DECODER(n, CTRL), cm_get(DECODER(n, CTRL)) | commit_result);
		pending[n] -= min(pending[n], ms);
	}
}

static u32 hw_config_write(u32 at, u32 val)
{
	if (at == CTRL)
		return (get16(CTRL) & ~control_mask) | (val & control_mask);
	return val;
}

static int setup_restore(void **state)
{
	setup(state);
	commit_ms = 1;
	commit_result = COMMITTED;
	locked_decoder = -1;
	stuck = false;
	control_mask = 0xffff;
	global_mask = ~0U;
	memset(pending, 0, sizeof(pending));
	unit.mmio_write = hw_mmio_write;
	unit.config_write = hw_config_write;
	unit.time_passes = hw_time_passes;
	return 0;
}

static void lose_decoder(unsigned int n)
{
	for (u32 at = 0; at < 0x20; at += 4)
		cm_put(HDM + CXL_VFIO_HDM_DECODER(n) + at, 0);
}

static void restore_leaves_an_intact_device_alone(void **state)
{
	/* A guest may have changed what is not an enable */
	put16(CTRL, found.dvsec_ctrl | 0x4000);
	cm_put(GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE | 1);
	assert_int_equal(cxl_vfio_restore(&dev), 0);
	assert_nothing_written();
	assert_nothing_logged();
}

static void restore_gives_up_on_a_device_that_is_gone(void **state)
{
	unit.gone = true;
	assert_int_equal(cxl_vfio_restore(&dev), -ENODEV);
	assert_logged("CONTROL reads 0xffff");
	assert_nothing_written();
}

static void expect_decoder(unsigned int n, u64 base, u64 size, u32 ctrl)
{
	expect_write(MMIO + DECODER(n, BASE_HIGH), base >> 32);
	expect_write(MMIO + DECODER(n, BASE_LOW), base);
	expect_write(MMIO + DECODER(n, SIZE_HIGH), size >> 32);
	expect_write(MMIO + DECODER(n, SIZE_LOW), size);
	expect_write(MMIO + DECODER(n, SKIP_HIGH), 0x40 + n);
	expect_write(MMIO + DECODER(n, SKIP_LOW), 0x10000000 * (n + 3));
	expect_write(MMIO + DECODER(n, CTRL), ctrl);
}

static void expect_ctrl(unsigned int n, u32 ctrl)
{
	expect_write(MMIO + DECODER(n, CTRL), ctrl);
}

/* What a CXL reset loses: CONTROL, range bases, global control, decoders */
static void restore_writes_all_that_a_reset_lost(void **state)
{
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	for (unsigned int i = 0; i < 2; i++) {
		put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i), 0);
		put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(i), 0);
	}
	cm_put(GLOBAL, 0);
	for (unsigned int n = 0; n < DECODERS; n++)
		lose_decoder(n);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_nothing_logged();
	expect_write(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0), BASE0 >> 32);
	expect_write(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0), (u32)BASE0);
	expect_write(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), BASE1 >> 32);
	expect_write(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(1), (u32)BASE1);
	expect_write(CTRL, 7);
	expect_write(MMIO + GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
	expect_decoder(0, BASE0, SIZE0, COMMIT);
	expect_decoder(1, BASE1, SIZE1, COMMIT);
	assert_expected_writes();
	assert_true(cxl_vfio_registers_intact(&dev));
	assert_int_equal(cxl_vfio_restore(&dev), 0);
	assert_nothing_written();
}

/* Range bases are written where they differ, with the DVSEC's own number of ranges */
static void restore_writes_range_bases_that_differ(void **state)
{
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0), 0x50000000);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), 0x50);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_written({ DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0), (u32)BASE0 },
		       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), BASE1 >> 32 },
		       { CTRL, 7 });

	found.dvsec_cap &= ~0x20;
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), 0x50);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_written({ CTRL, 7 });
}

static void restore_cannot_change_a_locked_control(void **state)
{
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	put16(LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), 0x50);
	assert_int_equal(cxl_vfio_restore(&dev), -EPERM);
	assert_nothing_written();
	assert_logged("CONTROL reads 0x0002, it was 0x0007 at bind and CONFIG_LOCK is set");
	/* The other bits of LOCK are reserved */
	put16(LOCK, 0xfffe);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
}

static void restore_fails_if_control_does_not_keep_an_enable(void **state)
{
	static const u16 kept[] = { 0xfffb, 0xfffe };

	for (unsigned int i = 0; i < ARRAY_SIZE(kept); i++) {
		setup_restore(state);
		put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
		control_mask = kept[i];
		assert_int_equal(cxl_vfio_restore(&dev), -EPERM);
		assert_written({ CTRL, 7 });
		assert_logged("does not take it back");
	}
	/* Another bit that the device does not keep does no harm */
	setup_restore(state);
	found.dvsec_ctrl |= 0x4000;
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	control_mask = 0xbfff;
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_written({ CTRL, 0x4007 });
}

static void restore_of_decoders_works_with_a_locked_control(void **state)
{
	put16(LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
	lose_decoder(1);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_decoder(1, BASE1, SIZE1, COMMIT);
	assert_expected_writes();
	assert_nothing_logged();
}

static void restore_needs_the_header_of_bind_time(void **state)
{
	cm_put(HDM, HDM_HEADER ^ 0x100);
	lose_decoder(0);
	lose_decoder(1);
	assert_int_equal(cxl_vfio_restore(&dev), -ENODEV);
	assert_nothing_written();
	assert_logged("header reads 0x00600502, it was 0x00600402 at bind");
}

static void restore_needs_decoders_that_can_be_enabled(void **state)
{
	cm_put(GLOBAL, 0);
	global_mask = 1;
	assert_int_equal(cxl_vfio_restore(&dev), -EIO);
	assert_written({ MMIO + GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE });
	assert_logged("Global Control: reads 0000000000 after 0x00000002 was written");

	/* All of the register is restored, but Decoder Enable alone must be kept */
	found.cm[GLOBAL / 4] = 3;
	global_mask = 2;
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_written({ MMIO + GLOBAL, 3 });
	assert_nothing_logged();
}

static void restore_decommits_downwards_and_commits_upwards(void **state)
{
	/* All four decoders were committed, and came back elsewhere */
	for (unsigned int n = 0; n < DECODERS; n++)
		put_decoder(n, BASE0 + n * 0x1000000000, SIZE1, 0x600 | n);
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	for (unsigned int n = 0; n < DECODERS; n++)
		found.range[n].decoder = n;
	found.nr_ranges = 4;
	cm_put(DECODER(1, SIZE_HIGH), 9);
	cm_put(DECODER(3, BASE_HIGH), 9);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_ctrl(3, 0x403);
	expect_ctrl(2, 0x402);
	expect_ctrl(1, 0x401);
	expect_decoder(1, BASE0 + 0x1000000000, SIZE1, 0x201);
	expect_decoder(2, BASE0 + 0x2000000000, SIZE1, 0x202);
	expect_decoder(3, BASE0 + 0x3000000000, SIZE1, 0x203);
	assert_expected_writes();
	assert_true(cxl_vfio_registers_intact(&dev));
}

/* A decoder with COMMIT set but not committed, after an error, is made idle first */
static void restore_ends_a_failed_commit(void **state)
{
	put_decoder(1, BASE1, SIZE1, COMMIT | ERROR);
	put_decoder(3, 0, 0, COMMIT | ERROR);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_ctrl(3, ERROR);
	expect_ctrl(1, ERROR);
	expect_decoder(1, BASE1, SIZE1, COMMIT);
	assert_expected_writes();
}

/* What was not committed at bind does not stay committed, and is not committed */
static void restore_commits_what_was_committed_at_bind(void **state)
{
	put_decoder(2, BASE1 + SIZE1, SIZE1, 0x600);
	lose_decoder(1);
	put_decoder(1, BASE1 + 0x1000000000, SIZE1, 0x600);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_ctrl(2, 0x400);
	expect_ctrl(1, 0x400);
	expect_decoder(1, BASE1, SIZE1, COMMIT);
	assert_expected_writes();
}

static void restore_keeps_the_fields_of_control_at_commit(void **state)
{
	put_decoder(1, BASE1, SIZE1, 0x3706);
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	lose_decoder(1);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_decoder(1, BASE1, SIZE1, 0x3306);
	assert_expected_writes();
	/* A decoder that firmware left with COMMIT clear is committed too */
	put_decoder(1, BASE1, SIZE1, COMMITTED);
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	lose_decoder(1);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_decoder(1, BASE1, SIZE1, COMMIT);
	assert_expected_writes();
}

static void restore_stops_at_a_locked_decoder(void **state)
{
	put_decoder(0, BASE0 + 0x1000000000, SIZE0, 0x700);
	locked_decoder = 0;
	assert_int_equal(cxl_vfio_restore(&dev), -EBUSY);
	/* Decoder 1 was decommitted before */
	assert_written({ MMIO + DECODER(1, CTRL), 0x400 });
	assert_logged("HDM decoder 0: locked with settings that differ from bind time");
}

static void restore_stops_at_a_decoder_that_stays_committed(void **state)
{
	put_decoder(1, BASE1 + 0x1000000000, SIZE1, 0x600);
	stuck = true;
	assert_int_equal(cxl_vfio_restore(&dev), -EBUSY);
	assert_written({ MMIO + DECODER(1, CTRL), 0x400 });
	assert_logged("HDM decoder 1: locked");
}

/* Committing may take 10 ms by the specification; twice that is enough */
static void restore_waits_for_a_slow_commit(void **state)
{
	for (commit_ms = 0; commit_ms <= 10; commit_ms += 5) {
		unsigned int ms = commit_ms;

		setup_restore(state);
		commit_ms = ms;
		lose_decoder(1);
		assert_int_equal(cxl_vfio_restore(&dev), 1);
		assert_int_equal(unit.slept, ms);
	}
	setup_restore(state);
	commit_ms = 1000;
	lose_decoder(0);
	lose_decoder(1);
	assert_int_equal(cxl_vfio_restore(&dev), -ETIMEDOUT);
	assert_int_equal(unit.slept, 20);
	expect_decoder(0, BASE0, SIZE0, COMMIT);
	assert_expected_writes();
	assert_logged("HDM decoder 0: CTRL reads 0x00000200, the decoder does not commit again");
}

static void restore_stops_at_a_decoder_that_reports_an_error(void **state)
{
	commit_result = ERROR;
	commit_ms = 3;
	lose_decoder(0);
	lose_decoder(1);
	assert_int_equal(cxl_vfio_restore(&dev), -EIO);
	assert_int_equal(unit.slept, 3);
	expect_decoder(0, BASE0, SIZE0, COMMIT);
	assert_expected_writes();
	assert_logged("HDM decoder 0: CTRL reads 0x00000a00");
}

/* A device whose memory is that of the DVSEC's ranges, with a decoder capability or without */

static void use_ranges(bool hdm)
{
	found.by_ranges = true;
	found.range_size[0] = SIZE0;
	found.range_size[1] = SIZE1;
	found.range[0].by_dvsec = true;
	found.range[1].by_dvsec = true;
	cm_put(GLOBAL, 0);
	for (unsigned int n = 0; n < DECODERS; n++)
		lose_decoder(n);
	memcpy(found.cm, &unit.bar[CM], CXL_VFIO_CM_SIZE);
	if (hdm)
		return;
	found.bar = CXL_VFIO_BAR_NONE;
	found.hdm_offset = 0;
	memset(found.cm, 0, sizeof(found.cm));
	dev.cm_regs = NULL;
}

static void put_base(unsigned int i, u64 base)
{
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i), base >> 32);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(i), base);
}

static void ranges_are_intact_until_base_size_or_an_enable_changes(void **state)
{
	for (unsigned int hdm = 0; hdm < 2; hdm++) {
		setup_restore(state);
		use_ranges(hdm);
		for (unsigned int i = 0; i < 2; i++) {
			for (unsigned int bit = 28; bit < 64; bit++) {
				u64 base = i ? BASE1 : BASE0, size = i ? SIZE1 : SIZE0;

				put_range(i, size, base ^ 1ULL << bit);
				assert_false(cxl_vfio_registers_intact(&dev));
				put_range(i, size ^ 1ULL << bit, base);
				assert_false(cxl_vfio_registers_intact(&dev));
				/* A size that is not valid yet says nothing */
				put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), 2);
				assert_true(cxl_vfio_registers_intact(&dev));
				put_range(i, size, base);
				assert_true(cxl_vfio_registers_intact(&dev));
			}
		}
		put16(CTRL, 3);
		assert_false(cxl_vfio_registers_intact(&dev));
		put16(CTRL, 7);
		cm_put(GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
		assert_int_equal(cxl_vfio_registers_intact(&dev), !hdm);
		cm_put(GLOBAL, 1);
		/* Decoders do not matter while they are not enabled */
		put_decoder(0, BASE0, SIZE0, 0x600);
		assert_true(cxl_vfio_registers_intact(&dev));
		assert_int_equal(cxl_vfio_restore(&dev), 0);
		unit.gone = true;
		assert_false(cxl_vfio_ranges_intact(&unit.pdev, &found));
		assert_nothing_written();
	}
}

static void ranges_without_memory_may_have_any_base(void **state)
{
	use_ranges(false);
	found.range_size[1] = 0;
	put_range(1, 0, BASE0);
	assert_true(cxl_vfio_registers_intact(&dev));
	put_range(1, SIZE1, BASE1);
	assert_false(cxl_vfio_registers_intact(&dev));
	/* One range claimed */
	found.dvsec_cap &= ~0x20;
	assert_true(cxl_vfio_registers_intact(&dev));
	put_base(0, BASE1);
	assert_false(cxl_vfio_registers_intact(&dev));
}

static void restore_writes_ranges_before_it_enables_them(void **state)
{
	for (unsigned int hdm = 0; hdm < 2; hdm++) {
		setup_restore(state);
		use_ranges(hdm);
		put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
		put_base(0, 0);
		put_base(1, 0);
		assert_int_equal(cxl_vfio_restore(&dev), 1);
		assert_nothing_logged();
		assert_written({ DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0), BASE0 >> 32 },
			       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0), (u32)BASE0 },
			       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), BASE1 >> 32 },
			       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(1), (u32)BASE1 },
			       { CTRL, 7 });
		assert_true(cxl_vfio_registers_intact(&dev));
	}
}

/* A base that changed while CXL.mem stayed on: it is off while the base changes */
static void restore_disables_ranges_while_it_writes_them(void **state)
{
	use_ranges(true);
	put_base(1, BASE0);
	cm_put(GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_written({ CTRL, 3 },
		       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(1), BASE1 >> 32 },
		       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(1), (u32)BASE1 },
		       { CTRL, 7 }, { MMIO + GLOBAL, 0 });
	assert_true(cxl_vfio_registers_intact(&dev));
	/* CXL.mem goes on where the ranges are right */
	cm_put(GLOBAL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	assert_written({ MMIO + GLOBAL, 0 });
	assert_nothing_logged();
}

static u32 drop_range_writes(u32 at, u32 val)
{
	return at == CTRL ? val : get32(at);
}

static void restore_needs_ranges_that_come_back(void **state)
{
	use_ranges(false);
	put16(LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
	put_base(1, 0);
	assert_int_equal(cxl_vfio_restore(&dev), -EPERM);
	assert_nothing_written();
	assert_logged("RANGE2 BASE differs from bind time and CONFIG_LOCK is set");

	setup_restore(state);
	use_ranges(false);
	put_base(0, 0);
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	unit.config_write = drop_range_writes;
	assert_int_equal(cxl_vfio_restore(&dev), -EPERM);
	assert_int_equal(get16(CTRL), CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	assert_logged("RANGE1 BASE differs from bind time and does not take its value back");

	setup_restore(state);
	use_ranges(false);
	put_range(1, SIZE0, BASE1);
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	assert_int_equal(cxl_vfio_restore(&dev), -EIO);
	assert_nothing_written();
	assert_logged("RANGE2 SIZE is 0x240000000, it was 0x110000000 at bind");

	/* CONFIG_LOCK keeps CONTROL too */
	setup_restore(state);
	use_ranges(false);
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	put16(LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
	assert_int_equal(cxl_vfio_restore(&dev), -EPERM);
	assert_logged("CONTROL reads 0x0002, it was 0x0007 at bind and CONFIG_LOCK is set");
}

/* Firmware's masks and severities of RAS, which a reset that loses decoders may lose too */
static u32 keep_all_mmio(u32 at, u32 val)
{
	return val;
}

static void restore_writes_the_masks_of_ras(void **state)
{
	unit.mmio_write = keep_all_mmio;
	cm_put(RAS + CXL_VFIO_RAS_UNCORRECTABLE_MASK, 0);
	cm_put(RAS + CXL_VFIO_RAS_CORRECTABLE_MASK, 0x7f);
	put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
	assert_int_equal(cxl_vfio_restore(&dev), 1);
	expect_write(MMIO + RAS + CXL_VFIO_RAS_UNCORRECTABLE_MASK,
		     found.cm[(RAS + CXL_VFIO_RAS_UNCORRECTABLE_MASK) / 4]);
	expect_write(MMIO + RAS + CXL_VFIO_RAS_CORRECTABLE_MASK,
		     found.cm[(RAS + CXL_VFIO_RAS_CORRECTABLE_MASK) / 4]);
	expect_write(CTRL, 7);
	assert_expected_writes();
}

/* A DVSEC that ends in RANGE2 has no RANGE2 BASE: what is behind it is another's */
static void restore_writes_no_register_behind_the_dvsec(void **state)
{
	static const unsigned int lens[] = { 0x30, 0x34, 0x37 };

	for (unsigned int i = 0; i < ARRAY_SIZE(lens); i++) {
		setup_restore(state);
		found.dvsec_len = lens[i];
		found.range_base[1].high = 0;
		found.range_base[1].low = 0;
		put16(CTRL, CXL_VFIO_DVSEC_CTRL_IO_ENABLE);
		put_base(0, 0);
		assert_int_equal(cxl_vfio_restore(&dev), 1);
		assert_written({ DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0), BASE0 >> 32 },
			       { DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0), (u32)BASE0 },
			       { CTRL, 7 });
	}
}

static void dvsec_range_sizes_have_both_halves(void **state)
{
	put_range(0, 0x1230000000, 0);
	put_range(1, 0x8000000050000000, 0);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(1), 0x5fffffff);
	assert_true(cxl_vfio_dvsec_range_size(&unit.pdev, &found, 0) == 0x1230000000);
	assert_true(cxl_vfio_dvsec_range_size(&unit.pdev, &found, 1) == 0x8000000050000000);
}

/* Errors in the RAS Capability */

static struct cxl_vfio_ras_errors errors;

static bool take_errors(u32 uncorrectable, u32 correctable)
{
	cm_put(RAS + CXL_VFIO_RAS_UNCORRECTABLE, uncorrectable);
	cm_put(RAS + CXL_VFIO_RAS_CORRECTABLE, correctable);
	for (unsigned int i = 0; i < 16; i++)
		cm_put(RAS + CXL_VFIO_RAS_HEADER + 4 * i, 0x1000 + i);
	memset(&errors, 0, sizeof(errors));
	memset(unit.read, 0, sizeof(unit.read));
	return cxl_vfio_take_ras(&dev, &errors);
}

static void check_header(bool logged)
{
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(errors.header[i], logged ? 0x1000 + i : 0);
}

static void ras_errors_are_taken_and_cleared(void **state)
{
	assert_false(take_errors(0, 0));
	assert_nothing_written();

	assert_true(take_errors(0x10001, 0x41));
	assert_written({ MMIO + RAS + CXL_VFIO_RAS_UNCORRECTABLE, 0x10001 },
		       { MMIO + RAS + CXL_VFIO_RAS_CORRECTABLE, 0x41 });
	assert_true(errors.uncorrectable == 0x10001 && errors.correctable == 0x41);
	check_header(true);

	assert_true(take_errors(0x4000, 0));
	assert_written({ MMIO + RAS + CXL_VFIO_RAS_UNCORRECTABLE, 0x4000 });
	check_header(true);

	/* The header log is of an uncorrectable error */
	assert_true(take_errors(0, 2));
	assert_written({ MMIO + RAS + CXL_VFIO_RAS_CORRECTABLE, 2 });
	check_header(false);
	for (u32 at = 0; at < CXL_VFIO_CM_SIZE; at += 4)
		assert_int_equal(unit.read[(CM + at) / 4],
				 at == RAS + CXL_VFIO_RAS_UNCORRECTABLE ||
				 at == RAS + CXL_VFIO_RAS_CORRECTABLE);
}

/* Reserved bits are no errors, and are not written */
static void ras_errors_are_defined_bits(void **state)
{
	assert_false(take_errors(~0x1cfffU, 0xffffff80));
	assert_nothing_written();
	assert_true(take_errors(0xfffffffe, 0xfffffff7));
	assert_written({ MMIO + RAS + CXL_VFIO_RAS_UNCORRECTABLE, 0x1cffe },
		       { MMIO + RAS + CXL_VFIO_RAS_CORRECTABLE, 0x77 });
	assert_true(errors.uncorrectable == 0x1cffe && errors.correctable == 0x77);
}

static void ras_errors_of_a_device_that_is_gone_are_none(void **state)
{
	assert_false(take_errors(~0U, 0));
	assert_false(take_errors(0, ~0U));
	unit.gone = true;
	assert_false(take_errors(1, 1));
	assert_nothing_written();
	unit.gone = false;
	/* Nor has a device without the capability any */
	found.cm[1] = 0;
	assert_false(take_errors(1, 1));
	assert_nothing_written();
}

#define CASE(fn)	cmocka_unit_test_setup(fn, setup)
#define RESTORE(fn)	cmocka_unit_test_setup(fn, setup_restore)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(registers_are_reachable_in_d0_with_memory_space_on),
		CASE(registers_are_read_where_a_guest_sees_them),
		CASE(registers_are_read_as_far_as_the_area_goes),
		CASE(registers_are_read_behind_the_capability_array),
		CASE(decoder_ranges_have_both_halves),
		CASE(ranges_are_ready_or_get_the_time_that_the_device_states),
		CASE(ranges_of_a_device_that_is_gone_are_not_ready),
		CASE(ranges_are_counted_by_hdm_count_and_length),
		CASE(decoders_are_intact_until_base_size_or_committed_changes),
		CASE(decoders_of_a_device_that_is_gone_are_not_intact),
		CASE(decoders_are_found_by_their_number),
		CASE(registers_are_intact_while_cxl_mem_and_decoders_are_enabled),
		CASE(dvsec_registers_are_read_and_written_at_their_offset),
		RESTORE(restore_leaves_an_intact_device_alone),
		RESTORE(restore_gives_up_on_a_device_that_is_gone),
		RESTORE(restore_writes_all_that_a_reset_lost),
		RESTORE(restore_writes_range_bases_that_differ),
		RESTORE(restore_cannot_change_a_locked_control),
		RESTORE(restore_fails_if_control_does_not_keep_an_enable),
		RESTORE(restore_of_decoders_works_with_a_locked_control),
		RESTORE(restore_needs_the_header_of_bind_time),
		RESTORE(restore_needs_decoders_that_can_be_enabled),
		RESTORE(restore_decommits_downwards_and_commits_upwards),
		RESTORE(restore_ends_a_failed_commit),
		RESTORE(restore_commits_what_was_committed_at_bind),
		RESTORE(restore_keeps_the_fields_of_control_at_commit),
		RESTORE(restore_stops_at_a_locked_decoder),
		RESTORE(restore_stops_at_a_decoder_that_stays_committed),
		RESTORE(restore_waits_for_a_slow_commit),
		RESTORE(restore_stops_at_a_decoder_that_reports_an_error),
		RESTORE(restore_writes_the_masks_of_ras),
		RESTORE(restore_writes_no_register_behind_the_dvsec),
		CASE(dvsec_range_sizes_have_both_halves),
		RESTORE(ranges_are_intact_until_base_size_or_an_enable_changes),
		RESTORE(ranges_without_memory_may_have_any_base),
		RESTORE(restore_writes_ranges_before_it_enables_them),
		RESTORE(restore_disables_ranges_while_it_writes_them),
		RESTORE(restore_needs_ranges_that_come_back),
		CASE(ras_errors_are_taken_and_cleared),
		CASE(ras_errors_are_defined_bits),
		CASE(ras_errors_of_a_device_that_is_gone_are_none),
	};

	return cmocka_run_group_tests_name("registers", tests, NULL, NULL);
}
