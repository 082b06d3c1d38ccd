// SPDX-License-Identifier: GPL-2.0-only
/*
 * CXL Device DVSEC model: each field against the attributes of CXL r4.0 8.1.3,
 * at every size and alignment, for every length that a DVSEC can have.
 */
#include <kunit/test.h>

#include "dvsec.h"

#define LEN		0x3c
#define HDM_COUNT(n)	((n) << 4)
#define CAP		(CXL_VFIO_DVSEC_CAP_CACHE | CXL_VFIO_DVSEC_CAP_IO | CXL_VFIO_DVSEC_CAP_MEM)
#define CAP_RESET	(CXL_VFIO_DVSEC_CAP_WBI | CXL_VFIO_DVSEC_CAP_RST | 0x0100 | \
			 CXL_VFIO_DVSEC_CAP_RST_MEM_CLR)

static const struct cxl_vfio_view mirror = {};
static const struct cxl_vfio_view hidden = { .hide_hpa = true };
static const struct cxl_vfio_view with_reset = { .guest_reset = true };

/* A device whose 16-bit registers contain their own offset */
static void device_regs(u16 *regs, u16 cap)
{
	for (u16 off = 0; off < DVSEC_MAX_LEN; off += 2)
		regs[off / 2] = 0xa000 | off;
	regs[CXL_VFIO_DVSEC_CAP / 2] = cap;
	regs[CXL_VFIO_DVSEC_CTRL / 2] = 0;
	regs[CXL_VFIO_DVSEC_CTRL2 / 2] = 0;
	regs[CXL_VFIO_DVSEC_STATUS2 / 2] = CXL_VFIO_DVSEC_STATUS2_PM_INIT_DONE | 0x0076;
	regs[CXL_VFIO_DVSEC_LOCK / 2] = 0;
}

static struct cxl_vfio_dvsec make(u16 cap, u16 len, const struct cxl_vfio_view *view)
{
	struct cxl_vfio_dvsec dvsec;
	u16 regs[DVSEC_MAX_LEN / 2];

	device_regs(regs, cap);
	cxl_vfio_dvsec_init(&dvsec, regs, len, view, true);
	return dvsec;
}

static u16 get(const struct cxl_vfio_dvsec *dvsec, u16 offset)
{
	u8 b[2];

	cxl_vfio_dvsec_read(dvsec, offset, b, 2);
	return b[0] | b[1] << 8;
}

static unsigned int set(struct cxl_vfio_dvsec *dvsec, u16 offset, u16 val)
{
	u8 b[2] = { val, val >> 8 };

	return cxl_vfio_dvsec_write(dvsec, offset, b, 2);
}

/* Bits that a write of ones, then of zeros, changes; @rw_locked with CONFIG_LOCK set */
static const struct attr_case {
	u16 offset;
	u16 rw;
	u16 rw_locked;
	u16 rw1c;
	u16 rwo;	/* can be set, never cleared */
} attr_cases[] = {
	{ 0x00 }, { 0x02 }, { 0x04 }, { 0x06 }, { 0x08 },
	{ CXL_VFIO_DVSEC_CAP },
	{ CXL_VFIO_DVSEC_CTRL, 0x5ffd, 0 },
	{ CXL_VFIO_DVSEC_STATUS, 0, 0, 0x4000 },
	{ CXL_VFIO_DVSEC_CTRL2, 0x0011, 0x0011 },
	{ CXL_VFIO_DVSEC_STATUS2, 0, 0, 0x0008 },
	{ CXL_VFIO_DVSEC_LOCK, 0, 0, 0, 0x0001 },
	{ CXL_VFIO_DVSEC_CAP2 },
	{ 0x18 }, { 0x1a }, { 0x1c }, { 0x1e },
	{ 0x20, 0xffff, 0 }, { 0x22, 0xffff, 0 }, { 0x24 }, { 0x26, 0xf000, 0 },
	{ 0x28 }, { 0x2a }, { 0x2c }, { 0x2e },
	{ 0x30, 0xffff, 0 }, { 0x32, 0xffff, 0 }, { 0x34 }, { 0x36, 0xf000, 0 },
	{ CXL_VFIO_DVSEC_CAP3 }, { 0x3a },
};

static void attr_desc(const struct attr_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "offset %#x", c->offset);
}

KUNIT_ARRAY_PARAM(attr, attr_cases, attr_desc);

/* Bits of CONTROL and CONTROL2 that a device has with one capability alone */
static const struct gate_case {
	const char *name;
	u16 cap, cap2, cap3;
	u16 control, control2;
} gate_cases[] = {
	{ "none", 0, 0xffbf, 0xffe7, 0, 0 },
	{ "CXL.cache", 0x0001, 0, 0, 0x0ff9, 0x0001 },
	{ "CXL.mem", 0x0004, 0, 0, 0x0004, 0 },
	{ "viral", 0x4000, 0, 0, 0x4000, 0 },
	{ "Reset Memory Clear", 0x0800, 0, 0, 0, 0x0008 },
	{ "Modified Completion", 0, 0x0040, 0, 0, 0x0020 },
	{ "HDM state after hot reset", 0, 0, 0x0008, 0, 0x0010 },
	{ "Direct P2P", 0, 0, 0x0010, 0x1000, 0 },
};

static void gate_desc(const struct gate_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(gate, gate_cases, gate_desc);

static void dvsec_bits_need_their_capability(struct kunit *test)
{
	const struct gate_case *c = test->param_value;
	u16 regs[DVSEC_MAX_LEN / 2] = {};
	struct cxl_vfio_dvsec dvsec;

	regs[CXL_VFIO_DVSEC_CAP / 2] = c->cap;
	regs[CXL_VFIO_DVSEC_CAP2 / 2] = c->cap2;
	regs[CXL_VFIO_DVSEC_CAP3 / 2] = c->cap3;
	cxl_vfio_dvsec_init(&dvsec, regs, LEN, &with_reset, true);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL, 0xffff);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, 0xffff);
	KUNIT_EXPECT_EQ(test, c->control | CXL_VFIO_DVSEC_CTRL_IO_ENABLE,
			get(&dvsec, CXL_VFIO_DVSEC_CTRL));
	KUNIT_EXPECT_EQ(test, c->control2, get(&dvsec, CXL_VFIO_DVSEC_CTRL2));
}

/* Set all RW1C bits of @dvsec, as after an error */
static void raise(struct cxl_vfio_dvsec *dvsec)
{
	dvsec->reg[CXL_VFIO_DVSEC_STATUS / 2] |= CXL_VFIO_DVSEC_STATUS_VIRAL;
	dvsec->reg[CXL_VFIO_DVSEC_STATUS2 / 2] |= CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR;
}

static void check_attributes(struct kunit *test, const struct attr_case *c, bool locked)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | CXL_VFIO_DVSEC_CAP_VIRAL | HDM_COUNT(2), LEN,
					   &mirror);
	u16 rw = locked ? c->rw_locked : c->rw, before, ones, zeros;

	raise(&dvsec);
	if (locked)
		set(&dvsec, CXL_VFIO_DVSEC_LOCK, 1);
	before = get(&dvsec, c->offset);
	KUNIT_EXPECT_EQ(test, 0, set(&dvsec, c->offset, 0xffff));
	ones = get(&dvsec, c->offset);
	set(&dvsec, c->offset, 0);
	zeros = get(&dvsec, c->offset);
	KUNIT_EXPECT_EQ_MSG(test, (before & ~c->rw1c) | rw | c->rwo, ones, "locked %d", locked);
	KUNIT_EXPECT_EQ_MSG(test, ones & ~rw, zeros, "locked %d", locked);
	KUNIT_EXPECT_EQ_MSG(test, c->rw1c, before & ~ones & c->rw1c, "locked %d", locked);
}

static void dvsec_fields_have_their_attributes(struct kunit *test)
{
	check_attributes(test, test->param_value, false);
	check_attributes(test, test->param_value, true);
}

/* A write at once and the same write byte by byte have the same result */
static void dvsec_writes_by_byte_equal_one_write(struct kunit *test)
{
	struct cxl_vfio_dvsec start = make(CAP | HDM_COUNT(2), LEN, &mirror), whole, bytes;
	u8 buf[8];

	raise(&start);
	for (u16 offset = 0; offset < LEN; offset++) {
		for (size_t count = 1; count <= sizeof(buf); count++) {
			whole = start;
			bytes = start;
			for (size_t i = 0; i < count; i++)
				buf[i] = 0x35 * (offset + i + 1);
			cxl_vfio_dvsec_write(&whole, offset, buf, count);
			for (size_t i = 0; i < count; i++)
				cxl_vfio_dvsec_write(&bytes, offset + i, &buf[i], 1);
			KUNIT_ASSERT_MEMEQ(test, &whole.reg, &bytes.reg, sizeof(whole.reg));
		}
	}
}

static void dvsec_reads_any_bytes(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), LEN, &mirror);
	u8 all[LEN + 8], part[8];

	cxl_vfio_dvsec_read(&dvsec, 0, all, sizeof(all));
	KUNIT_EXPECT_EQ(test, 0, all[LEN]);
	for (u16 offset = 0; offset < LEN; offset++) {
		for (size_t count = 1; count <= sizeof(part); count++) {
			cxl_vfio_dvsec_read(&dvsec, offset, part, count);
			KUNIT_ASSERT_MEMEQ(test, &all[offset], part, count);
		}
	}
}

/* Fields past the end read 0 and ignore writes, for every length */
static void dvsec_shows_nothing_past_its_length(struct kunit *test)
{
	for (u16 len = 0x0c; len <= DVSEC_MAX_LEN + 4; len++) {
		struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), len, &hidden);
		u16 end = rounddown(min_t(u16, len, DVSEC_MAX_LEN), 2), live[DVSEC_NR_LIVE];
		u8 buf[DVSEC_MAX_LEN + 8];

		memset(buf, 0xff, sizeof(buf));
		KUNIT_EXPECT_EQ(test, 0, cxl_vfio_dvsec_write(&dvsec, 0, buf, sizeof(buf)));
		memset(live, 0xff, sizeof(live));
		cxl_vfio_dvsec_set_live(&dvsec, live);
		cxl_vfio_dvsec_read(&dvsec, 0, buf, sizeof(buf));
		for (u16 at = end; at < sizeof(buf); at++)
			KUNIT_ASSERT_EQ_MSG(test, 0, buf[at], "length %#x, byte %#x", len, at);
		KUNIT_EXPECT_EQ(test, end, dvsec.len);
	}
}

/* Ranges past HDM_Count are reserved */
static void dvsec_shows_as_many_ranges_as_hdm_count(struct kunit *test)
{
	static const struct {
		unsigned int count;
		bool first, second;
	} cases[] = {
		{ 0, false, false }, { 1, true, false }, { 2, true, true }, { 3, true, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(cases[i].count), LEN, &mirror);
		u16 live[DVSEC_NR_LIVE] = { 0, 0, 3, 0, 3, 0 };

		cxl_vfio_dvsec_set_live(&dvsec, live);
		if (cases[i].first) {
			KUNIT_EXPECT_EQ(test, 0xa018, get(&dvsec, 0x18));
			KUNIT_EXPECT_EQ(test, 0xa01f, get(&dvsec, 0x1c));
		} else {
			KUNIT_EXPECT_EQ(test, 0, get(&dvsec, 0x18) | get(&dvsec, 0x1c));
		}
		if (cases[i].second) {
			KUNIT_EXPECT_EQ(test, 0xa028, get(&dvsec, 0x28));
			KUNIT_EXPECT_EQ(test, 0xa02f, get(&dvsec, 0x2c));
		} else {
			KUNIT_EXPECT_EQ(test, 0, get(&dvsec, 0x28) | get(&dvsec, 0x2c));
		}
		set(&dvsec, 0x20, 0x1234);
		set(&dvsec, 0x30, 0x5678);
		KUNIT_EXPECT_EQ(test, cases[i].first, get(&dvsec, 0x20) == 0x1234);
		KUNIT_EXPECT_EQ(test, cases[i].second, get(&dvsec, 0x30) == 0x5678);
	}
}

static void dvsec_hides_the_host_address(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), LEN, &hidden);

	for (u16 at = 0x20; at < 0x28; at += 2) {
		KUNIT_EXPECT_EQ(test, 0, get(&dvsec, at));
		KUNIT_EXPECT_EQ(test, 0, get(&dvsec, at + 0x10));
	}
	/* The registers around the bases stay */
	KUNIT_EXPECT_EQ(test, 0xa018, get(&dvsec, 0x18));
	KUNIT_EXPECT_EQ(test, 0xa01e, get(&dvsec, 0x1e));
	KUNIT_EXPECT_EQ(test, 0xa028, get(&dvsec, 0x28));
	KUNIT_EXPECT_EQ(test, 0xa02e, get(&dvsec, 0x2e));
	KUNIT_EXPECT_EQ(test, 0xa038, get(&dvsec, CXL_VFIO_DVSEC_CAP3));
	set(&dvsec, 0x22, 0x77);
	KUNIT_EXPECT_EQ(test, 0x77, get(&dvsec, 0x22));

	dvsec = make(CAP | HDM_COUNT(2), LEN, &mirror);
	for (u16 at = 0x20; at < 0x28; at += 2)
		KUNIT_EXPECT_EQ(test, 0xa000 | at, get(&dvsec, at));
}

/* The driver sets RANGE BASE of a range that the device has, also where it is locked */
static void dvsec_range_base_can_be_set(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), LEN, &hidden);
	static const u16 first[] = { 0x7766, 0x0055, 0x0000, 0x4000 };

	set(&dvsec, CXL_VFIO_DVSEC_LOCK, 1);
	cxl_vfio_dvsec_set_base(&dvsec, 0, 0x0055776640000000);
	cxl_vfio_dvsec_set_base(&dvsec, 1, 0xf0000000);
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++)
		KUNIT_EXPECT_EQ(test, first[i], get(&dvsec, 0x20 + 2 * i));
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, 0x30) | get(&dvsec, 0x32) | get(&dvsec, 0x34));
	KUNIT_EXPECT_EQ(test, 0xf000, get(&dvsec, 0x36));

	/* Nothing of the device's own base stays, its reserved bits included */
	dvsec = make(CAP | HDM_COUNT(2), LEN, &mirror);
	cxl_vfio_dvsec_set_base(&dvsec, 0, 0x0055776640000000);
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++)
		KUNIT_EXPECT_EQ(test, first[i], get(&dvsec, 0x20 + 2 * i));

	dvsec = make(CAP | HDM_COUNT(1), LEN, &hidden);
	cxl_vfio_dvsec_set_base(&dvsec, 1, 0xf0000000);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, 0x36));
}

static void dvsec_io_enable_is_always_on(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP, LEN, &mirror);

	KUNIT_EXPECT_EQ(test, CXL_VFIO_DVSEC_CTRL_IO_ENABLE, get(&dvsec, CXL_VFIO_DVSEC_CTRL));
	set(&dvsec, CXL_VFIO_DVSEC_CTRL, 0xffff);
	KUNIT_EXPECT_EQ(test, 0x1fff, get(&dvsec, CXL_VFIO_DVSEC_CTRL));
	set(&dvsec, CXL_VFIO_DVSEC_CTRL, 0);
	KUNIT_EXPECT_EQ(test, CXL_VFIO_DVSEC_CTRL_IO_ENABLE, get(&dvsec, CXL_VFIO_DVSEC_CTRL));
}

static const struct doorbell_case {
	const char *name;
	bool guest_reset;
	u16 cap, write;
	unsigned int events;
} doorbell_cases[] = {
	{ "both doorbells", true, CAP_RESET, 6, DVSEC_EVENT_WBI | DVSEC_EVENT_RESET },
	{ "write-back alone", true, CAP_RESET, 2, DVSEC_EVENT_WBI },
	{ "reset alone", true, CAP_RESET, 4, DVSEC_EVENT_RESET },
	{ "other bits", true, CAP_RESET, 0xfff9, 0 },
	{ "device without write-back", true, CXL_VFIO_DVSEC_CAP_RST, 6, DVSEC_EVENT_RESET },
	{ "device without reset", true, CXL_VFIO_DVSEC_CAP_WBI, 6, DVSEC_EVENT_WBI },
	{ "reset not offered to guests", false, CAP_RESET, 6, 0 },
};

static void doorbell_desc(const struct doorbell_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(doorbell, doorbell_cases, doorbell_desc);

static void dvsec_doorbells_raise_events(struct kunit *test)
{
	const struct doorbell_case *c = test->param_value;
	struct cxl_vfio_dvsec dvsec = make(CAP | c->cap, LEN,
					   c->guest_reset ? &with_reset : &mirror);
	u8 low = c->write, both[4] = { 0, 0, c->write, c->write >> 8 };

	KUNIT_EXPECT_EQ(test, CAP | (c->guest_reset ? c->cap : 0),
			get(&dvsec, CXL_VFIO_DVSEC_CAP));
	KUNIT_EXPECT_EQ(test, c->events, set(&dvsec, CXL_VFIO_DVSEC_CTRL2, c->write));
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, CXL_VFIO_DVSEC_CTRL2) & 6);
	/* A byte write and a dword that starts before CONTROL2 ring the doorbell as well */
	KUNIT_EXPECT_EQ(test, c->events,
			cxl_vfio_dvsec_write(&dvsec, CXL_VFIO_DVSEC_CTRL2, &low, 1));
	KUNIT_EXPECT_EQ(test, c->events,
			cxl_vfio_dvsec_write(&dvsec, CXL_VFIO_DVSEC_CTRL2 - 2, both, 4));
	/* A write of the upper byte of CONTROL2 does not */
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_dvsec_write(&dvsec, CXL_VFIO_DVSEC_CTRL2 + 1, &low, 1));
}

static void dvsec_takes_only_live_bits_from_the_device(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), LEN, &mirror);
	static const u16 none[DVSEC_NR_LIVE] = {};
	u16 all[DVSEC_NR_LIVE];

	/* Live are PM Init Done of STATUS2 and three bits of each RANGE SIZE LOW */
	memset(all, 0xff, sizeof(all));
	cxl_vfio_dvsec_set_live(&dvsec, all);
	KUNIT_EXPECT_EQ(test, 0x8078, get(&dvsec, CXL_VFIO_DVSEC_STATUS2));
	KUNIT_EXPECT_EQ(test, 0xa01f, get(&dvsec, 0x1c));
	KUNIT_EXPECT_EQ(test, 0xa01f, get(&dvsec, 0x1e));
	KUNIT_EXPECT_EQ(test, 0xa02f, get(&dvsec, 0x2c));
	KUNIT_EXPECT_EQ(test, 0xa02f, get(&dvsec, 0x2e));
	cxl_vfio_dvsec_set_live(&dvsec, none);
	KUNIT_EXPECT_EQ(test, 0x0078, get(&dvsec, CXL_VFIO_DVSEC_STATUS2));
	KUNIT_EXPECT_EQ(test, 0xa01c, get(&dvsec, 0x1c));
	KUNIT_EXPECT_EQ(test, 0xa01e, get(&dvsec, 0x1e));
	KUNIT_EXPECT_EQ(test, 0xa02c, get(&dvsec, 0x2c));
	KUNIT_EXPECT_EQ(test, 0xa02e, get(&dvsec, 0x2e));
}

static const struct latch_case {
	u16 offset, bit;
	unsigned int n;
} latch_cases[] = {
	{ CXL_VFIO_DVSEC_STATUS, CXL_VFIO_DVSEC_STATUS_VIRAL, 0 },
	{ CXL_VFIO_DVSEC_STATUS2, CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR, 1 },
};

static void latch_desc(const struct latch_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "offset %#x", c->offset);
}

KUNIT_ARRAY_PARAM(latch, latch_cases, latch_desc);

/* An error of the device shows until the guest clears it, and again when it comes again */
static void dvsec_shows_an_error_of_the_device_once(struct kunit *test)
{
	const struct latch_case *c = test->param_value;
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), LEN, &mirror);
	u16 regs[DVSEC_NR_LIVE] = {}, at_start[DVSEC_MAX_LEN / 2];

	KUNIT_ASSERT_EQ(test, c->offset, cxl_vfio_dvsec_live_offset(c->n));
	set(&dvsec, c->offset, c->bit);
	cxl_vfio_dvsec_set_live(&dvsec, regs);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, c->offset) & c->bit);
	for (unsigned int times = 0; times < 2; times++) {
		regs[c->n] = c->bit;
		cxl_vfio_dvsec_set_live(&dvsec, regs);
		cxl_vfio_dvsec_set_live(&dvsec, regs);
		KUNIT_EXPECT_EQ(test, c->bit, get(&dvsec, c->offset) & c->bit);
		set(&dvsec, c->offset, c->bit);
		cxl_vfio_dvsec_set_live(&dvsec, regs);
		KUNIT_EXPECT_EQ(test, 0, get(&dvsec, c->offset) & c->bit);
		regs[c->n] = 0;
		cxl_vfio_dvsec_set_live(&dvsec, regs);
		KUNIT_EXPECT_EQ(test, 0, get(&dvsec, c->offset) & c->bit);
	}

	/* The device has the error from the start */
	device_regs(at_start, CAP | HDM_COUNT(2));
	at_start[c->offset / 2] |= c->bit;
	cxl_vfio_dvsec_init(&dvsec, at_start, LEN, &mirror, true);
	KUNIT_EXPECT_EQ(test, c->bit, get(&dvsec, c->offset) & c->bit);
	set(&dvsec, c->offset, c->bit);
	regs[c->n] = c->bit;
	cxl_vfio_dvsec_set_live(&dvsec, regs);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, c->offset) & c->bit);
}

/* Cache Invalid follows a write-back while the guest has caching disabled */
static void dvsec_shows_cache_invalid_while_caching_is_disabled(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(1), LEN, &mirror);

	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, 0);
	cxl_vfio_dvsec_set_invalid(&dvsec);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, CXL_VFIO_DVSEC_STATUS2) & 1);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, CXL_VFIO_DVSEC_STATUS2) & 1);
	cxl_vfio_dvsec_set_invalid(&dvsec);
	KUNIT_EXPECT_EQ(test, 1, get(&dvsec, CXL_VFIO_DVSEC_STATUS2) & 1);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, 0);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, CXL_VFIO_DVSEC_STATUS2) & 1);
	/* Another bit of CONTROL2 does not disable caching */
	dvsec = make(CAP | CAP_RESET, LEN, &with_reset);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN);
	KUNIT_EXPECT_EQ(test, CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN,
			get(&dvsec, CXL_VFIO_DVSEC_CTRL2));
	cxl_vfio_dvsec_set_invalid(&dvsec);
	KUNIT_EXPECT_EQ(test, 0, get(&dvsec, CXL_VFIO_DVSEC_STATUS2) & 1);
}

static void dvsec_knows_which_reads_are_live(struct kunit *test)
{
	for (u16 offset = 0; offset < LEN; offset++) {
		for (size_t count = 1; count <= 4; count++) {
			bool live = false;

			for (u16 at = offset; at < offset + count; at++)
				live |= (at & ~1) == 0x0e || (at & ~1) == 0x12 ||
					(at & ~3) == 0x1c || (at & ~3) == 0x2c;
			KUNIT_EXPECT_EQ(test, live, cxl_vfio_dvsec_is_live(offset, count));
		}
	}
}

/*
 * CONFIG_LOCK and the fields that it locks survive all but a conventional reset.  Other
 * registers are those of the device after every reset.
 */
static void dvsec_config_lock_survives_all_but_a_conventional_reset(struct kunit *test)
{
	static const struct {
		u16 offset, written, after, after_unlock;
	} fields[] = {
		{ CXL_VFIO_DVSEC_CTRL, 5, 7, 2 },
		{ CXL_VFIO_DVSEC_LOCK, 1, 1, 0 },
		{ 0x20, 0x1234, 0x1234, 0xa020 },
		{ 0x26, 0x3000, 0x3026, 0xa026 },
		{ 0x32, 0x5678, 0x5678, 0xa032 },
		{ CXL_VFIO_DVSEC_CTRL2, 0x11, 0, 0 },
	};
	struct cxl_vfio_dvsec dvsec = make(CAP | HDM_COUNT(2), LEN, &mirror);
	u16 regs[DVSEC_MAX_LEN / 2], later[DVSEC_MAX_LEN / 2];

	device_regs(regs, CAP | HDM_COUNT(2));
	set(&dvsec, CXL_VFIO_DVSEC_CTRL, 5);
	KUNIT_EXPECT_TRUE(test, cxl_vfio_dvsec_init(&dvsec, regs, LEN, &mirror, false));
	KUNIT_EXPECT_EQ(test, 2, get(&dvsec, CXL_VFIO_DVSEC_CTRL));

	for (int i = ARRAY_SIZE(fields) - 1; i >= 0; i--)
		if (fields[i].offset != CXL_VFIO_DVSEC_LOCK)
			set(&dvsec, fields[i].offset, fields[i].written);
	set(&dvsec, CXL_VFIO_DVSEC_LOCK, 1);
	memcpy(later, regs, sizeof(later));
	later[CXL_VFIO_DVSEC_STATUS2 / 2] = CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR;
	KUNIT_EXPECT_FALSE(test, cxl_vfio_dvsec_init(&dvsec, later, LEN, &mirror, false));
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		KUNIT_EXPECT_EQ(test, fields[i].after, get(&dvsec, fields[i].offset));
	KUNIT_EXPECT_EQ(test, CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR,
			get(&dvsec, CXL_VFIO_DVSEC_STATUS2));
	KUNIT_EXPECT_TRUE(test, cxl_vfio_dvsec_init(&dvsec, regs, LEN, &mirror, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		KUNIT_EXPECT_EQ(test, fields[i].after_unlock, get(&dvsec, fields[i].offset));
}

/* The other bits of LOCK are reserved, and lock nothing */
static void dvsec_reserved_bits_of_lock_do_not_lock(struct kunit *test)
{
	u16 regs[DVSEC_MAX_LEN / 2];
	struct cxl_vfio_dvsec dvsec;

	device_regs(regs, CAP | HDM_COUNT(1));
	regs[CXL_VFIO_DVSEC_LOCK / 2] = 0xfffe;
	cxl_vfio_dvsec_init(&dvsec, regs, LEN, &mirror, true);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL, 5);
	set(&dvsec, 0x20, 0x1234);
	KUNIT_EXPECT_EQ(test, 7, get(&dvsec, CXL_VFIO_DVSEC_CTRL));
	KUNIT_EXPECT_EQ(test, 0x1234, get(&dvsec, 0x20));
	cxl_vfio_dvsec_init(&dvsec, regs, LEN, &mirror, false);
	KUNIT_EXPECT_EQ(test, 2, get(&dvsec, CXL_VFIO_DVSEC_CTRL));
}

static void dvsec_shows_the_result_of_a_reset(struct kunit *test)
{
	struct cxl_vfio_dvsec dvsec = make(CAP | CAP_RESET, LEN, &with_reset);

	cxl_vfio_dvsec_set_reset(&dvsec, CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE);
	KUNIT_EXPECT_EQ(test, 0x8072, get(&dvsec, CXL_VFIO_DVSEC_STATUS2));
	cxl_vfio_dvsec_set_reset(&dvsec, CXL_VFIO_DVSEC_STATUS2_RST_ERROR);
	KUNIT_EXPECT_EQ(test, 0x8074, get(&dvsec, CXL_VFIO_DVSEC_STATUS2));
	cxl_vfio_dvsec_set_reset(&dvsec, 0);
	KUNIT_EXPECT_EQ(test, 0x8070, get(&dvsec, CXL_VFIO_DVSEC_STATUS2));

	KUNIT_EXPECT_FALSE(test, cxl_vfio_dvsec_clears_memory(&dvsec));
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, 0xffff & ~CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN);
	KUNIT_EXPECT_FALSE(test, cxl_vfio_dvsec_clears_memory(&dvsec));
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN);
	KUNIT_EXPECT_TRUE(test, cxl_vfio_dvsec_clears_memory(&dvsec));
	dvsec = make(CAP | CAP_RESET, LEN, &mirror);
	set(&dvsec, CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN);
	KUNIT_EXPECT_FALSE(test, cxl_vfio_dvsec_clears_memory(&dvsec));
}

static struct kunit_case dvsec_test_cases[] = {
	KUNIT_CASE_PARAM(dvsec_fields_have_their_attributes, attr_gen_params),
	KUNIT_CASE_PARAM(dvsec_bits_need_their_capability, gate_gen_params),
	KUNIT_CASE(dvsec_writes_by_byte_equal_one_write),
	KUNIT_CASE(dvsec_reads_any_bytes),
	KUNIT_CASE(dvsec_shows_nothing_past_its_length),
	KUNIT_CASE(dvsec_shows_as_many_ranges_as_hdm_count),
	KUNIT_CASE(dvsec_hides_the_host_address),
	KUNIT_CASE(dvsec_range_base_can_be_set),
	KUNIT_CASE(dvsec_io_enable_is_always_on),
	KUNIT_CASE_PARAM(dvsec_doorbells_raise_events, doorbell_gen_params),
	KUNIT_CASE(dvsec_takes_only_live_bits_from_the_device),
	KUNIT_CASE_PARAM(dvsec_shows_an_error_of_the_device_once, latch_gen_params),
	KUNIT_CASE(dvsec_config_lock_survives_all_but_a_conventional_reset),
	KUNIT_CASE(dvsec_reserved_bits_of_lock_do_not_lock),
	KUNIT_CASE(dvsec_shows_the_result_of_a_reset),
	KUNIT_CASE(dvsec_shows_cache_invalid_while_caching_is_disabled),
	KUNIT_CASE(dvsec_knows_which_reads_are_live),
	{}
};

static struct kunit_suite dvsec_suite = {
	.name = "cxl_vfio_dvsec",
	.test_cases = dvsec_test_cases,
};

kunit_test_suite(dvsec_suite);
