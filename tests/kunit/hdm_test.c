// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDM Decoder Capability model: each register in each state of its decoder
 * against the attributes of CXL r4.0 8.2.4.20, and each transition of the
 * commit state machine.
 */
#include <kunit/test.h>

#include "hdm.h"

#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define LOCK		CXL_VFIO_HDM_CTRL_LOCK
#define ERROR		CXL_VFIO_HDM_CTRL_ERROR

#define GIB		0x40000000ULL
#define HPA		0x130000000ULL

/* Header fields */
#define CAP_POISON	BIT(10)
#define CAP_UIO		BIT(13)
#define CAP_HOST_ONLY	(2U << 21)
#define CAP_BOTH	(3U << 21)

static const struct cxl_vfio_view mirror = {};
static const struct cxl_vfio_view hidden = { .hide_hpa = true };
static const struct cxl_vfio_view base_rw = { .base_rw = true };
static const struct cxl_vfio_view hidden_base_rw = { .hide_hpa = true, .base_rw = true };

static u32 decoder_reg(unsigned int n, u32 reg)
{
	return CXL_VFIO_HDM_DECODER(n) + reg;
}

/* Registers of a device whose decoders have 1 GiB each, one after the other */
static u32 *device_regs(struct kunit *test, u32 cap, u32 ctrl)
{
	u32 *regs = kunit_kzalloc(test, HDM_MAX_REGS * 4, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, regs);
	regs[0] = cap;
	for (unsigned int n = 0; n < cxl_vfio_hdm_decoder_count(cap); n++) {
		u32 *d = &regs[CXL_VFIO_HDM_DECODER(n) / 4];

		d[CXL_VFIO_HDM_BASE_LOW / 4] = lower_32_bits(HPA + n * GIB);
		d[CXL_VFIO_HDM_BASE_HIGH / 4] = upper_32_bits(HPA + n * GIB);
		d[CXL_VFIO_HDM_SIZE_LOW / 4] = GIB;
		d[CXL_VFIO_HDM_CTRL / 4] = ctrl;
		d[7] = 0xdeadbeef;
	}
	return regs;
}

static struct cxl_vfio_hdm *make(struct kunit *test, u32 cap, u32 ctrl,
				 const struct cxl_vfio_view *view)
{
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	cxl_vfio_hdm_init(hdm, device_regs(test, cap, ctrl), view, true);
	return hdm;
}

static u32 get(const struct cxl_vfio_hdm *hdm, unsigned int n, u32 reg)
{
	return cxl_vfio_hdm_read(hdm, decoder_reg(n, reg), VIA_REGION);
}

static enum cxl_vfio_hdm_event_type set(struct cxl_vfio_hdm *hdm, unsigned int n, u32 reg,
					u32 val)
{
	return cxl_vfio_hdm_write(hdm, decoder_reg(n, reg), val, VIA_REGION).type;
}

static void set_range(struct cxl_vfio_hdm *hdm, unsigned int n, u64 base, u64 size)
{
	set(hdm, n, CXL_VFIO_HDM_BASE_HIGH, upper_32_bits(base));
	set(hdm, n, CXL_VFIO_HDM_BASE_LOW, lower_32_bits(base));
	set(hdm, n, CXL_VFIO_HDM_SIZE_HIGH, upper_32_bits(size));
	set(hdm, n, CXL_VFIO_HDM_SIZE_LOW, lower_32_bits(size));
}

static const struct count_case {
	u32 code;
	unsigned int count;
} count_cases[] = {
	{ 0, 1 }, { 1, 2 }, { 2, 4 }, { 3, 6 }, { 4, 8 }, { 5, 10 }, { 6, 12 }, { 7, 14 },
	{ 8, 16 }, { 9, 20 }, { 10, 24 }, { 11, 28 }, { 12, 32 }, { 13, 0 }, { 14, 0 }, { 15, 0 },
};

static void count_desc(const struct count_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "code %u", c->code);
}

KUNIT_ARRAY_PARAM(count, count_cases, count_desc);

static void hdm_decodes_the_decoder_count(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct cxl_vfio_hdm *hdm;

	KUNIT_EXPECT_EQ(test, c->count, cxl_vfio_hdm_decoder_count(c->code | 0xfffffff0));
	KUNIT_EXPECT_EQ(test, CXL_VFIO_HDM_DECODER(c->count),
			cxl_vfio_hdm_length(c->code | 0xfffffff0));
	if (!c->count)
		return;
	hdm = make(test, c->code, COMMIT | COMMITTED, &mirror);
	KUNIT_EXPECT_EQ(test, 0x10 + 0x20 * c->count, cxl_vfio_hdm_size(hdm));
	KUNIT_EXPECT_EQ(test, (u32)GIB, get(hdm, c->count - 1, CXL_VFIO_HDM_SIZE_LOW));
	/* Past the last decoder reads return 0 and writes do nothing */
	KUNIT_EXPECT_EQ(test, 0, get(hdm, c->count, CXL_VFIO_HDM_BASE_LOW));
	KUNIT_EXPECT_EQ(test, 0, get(hdm, c->count, CXL_VFIO_HDM_SIZE_LOW));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, c->count, CXL_VFIO_HDM_BASE_LOW, ~0U));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, c->count, CXL_VFIO_HDM_CTRL, COMMIT));
}

/* States of a decoder, and how a test reaches them from registers as firmware left them */
enum state { IDLE, ERRONEOUS, IN_USE, LOCKED, STATES };

static const char * const state_names[] = { "idle", "error", "committed", "locked" };

static struct cxl_vfio_hdm *make_state(struct kunit *test, u32 cap, enum state state,
				       const struct cxl_vfio_view *view)
{
	static const u32 firmware[] = {
		[IDLE] = 0,
		[ERRONEOUS] = 0,
		[IN_USE] = COMMIT | COMMITTED,
		[LOCKED] = COMMIT | COMMITTED | LOCK,
	};
	struct cxl_vfio_hdm *hdm = make(test, cap, firmware[state], view);

	if (state == ERRONEOUS)
		KUNIT_ASSERT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	return hdm;
}

/* Bits of a register that a write can set and clear, for each state */
static const struct attr_case {
	const char *name;
	u32 reg;
	u32 cap;
	u32 rw[STATES];
	bool base_rw;
} attr_cases[] = {
	{ "BASE low", CXL_VFIO_HDM_BASE_LOW, 0, { 0xf0000000, 0xf0000000, 0, 0 } },
	{ "BASE high", CXL_VFIO_HDM_BASE_HIGH, 0, { ~0U, ~0U, 0, 0 } },
	{ "BASE low, base_rw", CXL_VFIO_HDM_BASE_LOW, 0,
	  { 0xf0000000, 0xf0000000, 0xf0000000, 0 }, true },
	{ "BASE high, base_rw", CXL_VFIO_HDM_BASE_HIGH, 0, { ~0U, ~0U, ~0U, 0 }, true },
	{ "SIZE low", CXL_VFIO_HDM_SIZE_LOW, 0, { 0xf0000000, 0xf0000000, 0, 0 } },
	{ "SIZE high", CXL_VFIO_HDM_SIZE_HIGH, 0, { ~0U, ~0U, 0, 0 } },
	{ "SIZE low, base_rw", CXL_VFIO_HDM_SIZE_LOW, 0, { 0xf0000000, 0xf0000000, 0, 0 }, true },
	{ "DPA skip low", CXL_VFIO_HDM_SKIP_LOW, 0, { 0xf0000000, 0xf0000000, 0, 0 } },
	{ "DPA skip high", CXL_VFIO_HDM_SKIP_HIGH, 0, { ~0U, ~0U, 0, 0 } },
	{ "DPA skip high, base_rw", CXL_VFIO_HDM_SKIP_HIGH, 0, { ~0U, ~0U, 0, 0 }, true },
	{ "reserved dword", 0x1c, 0, { 0, 0, 0, 0 } },
	{ "reserved dword, base_rw", 0x1c, 0, { 0, 0, 0, 0 }, true },
	{ "CTRL", CXL_VFIO_HDM_CTRL, 0, { 0x21ff, 0x21ff, 0, 0 } },
	{ "CTRL, one coherency model", CXL_VFIO_HDM_CTRL, CAP_HOST_ONLY,
	  { 0x21ff, 0x21ff, 0, 0 } },
	{ "CTRL, both coherency models", CXL_VFIO_HDM_CTRL, CAP_BOTH, { 0x31ff, 0x31ff, 0, 0 } },
	{ "CTRL, both coherency models, bits around the field", CXL_VFIO_HDM_CTRL,
	  CAP_BOTH | BIT(20) | BIT(23), { 0x31ff, 0x31ff, 0, 0 } },
	{ "CTRL, all other capabilities than UIO", CXL_VFIO_HDM_CTRL, 0x00ffdff0,
	  { 0x31ff, 0x31ff, 0, 0 } },
	{ "CTRL, UIO", CXL_VFIO_HDM_CTRL, CAP_UIO, { 0x0f0061ff, 0x0f0061ff, 0, 0 } },
};

static void attr_desc(const struct attr_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(attr, attr_cases, attr_desc);

/* Writes that leave COMMIT unchanged, so that the state stays */
static void hdm_registers_have_their_attributes(struct kunit *test)
{
	const struct attr_case *c = test->param_value;

	for (enum state state = 0; state < STATES; state++) {
		struct cxl_vfio_hdm *hdm = make_state(test, c->cap, state,
						      c->base_rw ? &base_rw : &mirror);
		bool is_ctrl = c->reg == CXL_VFIO_HDM_CTRL;
		u32 keep = is_ctrl && state != IDLE ? COMMIT : 0, ones, zeros, before;

		before = get(hdm, 0, c->reg);
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE,
				set(hdm, 0, c->reg, is_ctrl ? (~0U & ~COMMIT) | keep : ~0U));
		ones = get(hdm, 0, c->reg);
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, c->reg, keep));
		zeros = get(hdm, 0, c->reg);
		KUNIT_EXPECT_EQ_MSG(test, c->rw[state], ones & ~zeros, "%s", state_names[state]);
		KUNIT_EXPECT_EQ_MSG(test, before & ~c->rw[state], zeros, "%s",
				    state_names[state]);
		KUNIT_EXPECT_EQ_MSG(test, before | c->rw[state], ones, "%s", state_names[state]);
	}
}

static const struct fsm_case {
	const char *name;
	enum state from;
	u32 write;
	enum cxl_vfio_hdm_event_type event;
	u32 ctrl;
	bool base_rw;
} fsm_cases[] = {
	{ "idle, COMMIT illegal", IDLE, COMMIT, HDM_EVENT_ERROR, COMMIT | ERROR },
	{ "idle, write of 0", IDLE, 0, HDM_EVENT_NONE, 0 },
	{ "idle, LOCK alone does not lock", IDLE, LOCK, HDM_EVENT_NONE, LOCK },
	{ "idle, COMMITTED and ERROR are read-only", IDLE, COMMITTED | ERROR, HDM_EVENT_NONE, 0 },
	{ "error, COMMIT kept", ERRONEOUS, COMMIT, HDM_EVENT_NONE, COMMIT | ERROR },
	{ "error, COMMIT cleared", ERRONEOUS, 0, HDM_EVENT_NONE, 0 },
	{ "committed, COMMIT kept", IN_USE, COMMIT, HDM_EVENT_NONE, COMMIT | COMMITTED },
	{ "committed, LOCK is ignored after commit", IN_USE, COMMIT | LOCK, HDM_EVENT_NONE,
	  COMMIT | COMMITTED },
	{ "committed, COMMIT cleared", IN_USE, 0, HDM_EVENT_DECOMMITTED, 0 },
	{ "committed, COMMIT cleared with other fields", IN_USE, 0x20ff, HDM_EVENT_DECOMMITTED, 0 },
	{ "locked, COMMIT cleared", LOCKED, 0, HDM_EVENT_NONE, COMMIT | COMMITTED | LOCK },
	{ "locked, COMMIT kept", LOCKED, COMMIT, HDM_EVENT_NONE, COMMIT | COMMITTED | LOCK },
	{ "base_rw, committed, LOCK locks", IN_USE, COMMIT | LOCK | 0x20ff, HDM_EVENT_LOCKED,
	  COMMIT | COMMITTED | LOCK, true },
	{ "base_rw, committed, COMMIT kept", IN_USE, COMMIT, HDM_EVENT_NONE, COMMIT | COMMITTED,
	  true },
	{ "base_rw, committed, COMMIT cleared", IN_USE, LOCK, HDM_EVENT_DECOMMITTED, 0, true },
	{ "base_rw, idle, LOCK alone does not lock", IDLE, LOCK, HDM_EVENT_NONE, LOCK, true },
	{ "base_rw, firmware's lock cleared", LOCKED, COMMIT | 0x20ff, HDM_EVENT_COMMITTED,
	  COMMIT | COMMITTED, true },
	{ "base_rw, firmware's lock kept", LOCKED, COMMIT | LOCK, HDM_EVENT_NONE,
	  COMMIT | COMMITTED | LOCK, true },
	{ "base_rw, firmware's lock and COMMIT cleared", LOCKED, 0, HDM_EVENT_NONE,
	  COMMIT | COMMITTED | LOCK, true },
};

static void fsm_desc(const struct fsm_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(fsm, fsm_cases, fsm_desc);

static void hdm_ctrl_writes_change_the_state(struct kunit *test)
{
	const struct fsm_case *c = test->param_value;
	struct cxl_vfio_hdm *hdm = make_state(test, 0, c->from, c->base_rw ? &base_rw : &mirror);
	struct cxl_vfio_hdm_event event;

	event = cxl_vfio_hdm_write(hdm, decoder_reg(0, CXL_VFIO_HDM_CTRL), c->write, VIA_REGION);
	KUNIT_EXPECT_EQ(test, c->event, event.type);
	KUNIT_EXPECT_EQ(test, 0, event.decoder);
	KUNIT_EXPECT_EQ(test, c->ctrl, get(hdm, 0, CXL_VFIO_HDM_CTRL));
}

/* Settings of decoder 1 and whether they commit, while decoder 0 is at 1 to 2 GiB */
static const struct legal_case {
	const char *name;
	u64 base, size;
	u32 ctrl;
	bool legal;
} legal_cases[] = {
	{ "as firmware had it", 2 * GIB, GIB, 0, true },
	{ "smaller than its memory", 2 * GIB, GIB / 4, 0, true },
	{ "larger than its memory", 2 * GIB, GIB + GIB / 4, 0, false },
	{ "size 0", 2 * GIB, 0, 0, false },
	{ "at the end of the address space", -GIB, GIB, 0, true },
	{ "past the end of the address space", -(GIB / 2), GIB, 0, false },
	{ "right after decoder 0", 2 * GIB, GIB, 0, true },
	{ "across the end of decoder 0", 2 * GIB - GIB / 4, GIB, 0, false },
	{ "same range as decoder 0", GIB, GIB, 0, false },
	{ "below decoder 0", 0, GIB, 0, false },
	{ "granularity of 16 KiB", 2 * GIB, GIB, 6, true },
	{ "reserved granularity 7", 2 * GIB, GIB, 7, false },
	{ "reserved granularity 15", 2 * GIB, GIB, 15, false },
	{ "two ways", 2 * GIB, GIB, 1 << 4, false },
	{ "three ways", 2 * GIB, GIB, 8 << 4, false },
	{ "reserved ways", 2 * GIB, GIB, 15 << 4, false },
	{ "back-invalidation, which the device's decoder does not use", 2 * GIB, GIB, 1 << 13,
	  false },
};

static void legal_desc(const struct legal_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(legal, legal_cases, legal_desc);

static void hdm_commits_legal_settings_only(struct kunit *test)
{
	const struct legal_case *c = test->param_value;
	struct cxl_vfio_hdm *hdm = make(test, 1, COMMIT | COMMITTED, &hidden);
	enum cxl_vfio_hdm_event_type event;

	set(hdm, 1, CXL_VFIO_HDM_CTRL, 0);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, GIB, GIB);
	KUNIT_ASSERT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));

	set_range(hdm, 1, c->base, c->size);
	event = set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT | c->ctrl);
	KUNIT_EXPECT_EQ(test, c->legal ? HDM_EVENT_COMMITTED : HDM_EVENT_ERROR, event);
	KUNIT_EXPECT_EQ(test, COMMIT | c->ctrl | (c->legal ? COMMITTED : ERROR),
			get(hdm, 1, CXL_VFIO_HDM_CTRL));
	/* Settings stay as written, so that software can see its mistake */
	KUNIT_EXPECT_EQ(test, (u32)c->size, get(hdm, 1, CXL_VFIO_HDM_SIZE_LOW));
}

static void hdm_lock_on_commit_makes_a_decoder_read_only(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, COMMIT | COMMITTED, &hidden);

	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, set(hdm, 0, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_LOCKED, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED | LOCK, get(hdm, 0, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED | LOCK, get(hdm, 0, CXL_VFIO_HDM_CTRL));
}

static void hdm_commits_after_an_error(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make_state(test, 0, ERRONEOUS, &mirror);

	/* A decoder that firmware did not commit has no memory, so that no size is legal */
	set_range(hdm, 0, GIB, 0x10000000);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));

	hdm = make(test, 0, COMMIT | COMMITTED, &mirror);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, GIB, 2 * GIB);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	set_range(hdm, 0, GIB, GIB);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
}

/* Sizes, skips and BI of the guest's decoders are those of the device's own */
static void hdm_commits_the_device_addresses_of_the_device(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);
	u32 *regs = device_regs(test, 1, COMMIT | COMMITTED | CXL_VFIO_HDM_CTRL_BI);
	u32 bi = CXL_VFIO_HDM_CTRL_BI;

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	regs[decoder_reg(1, CXL_VFIO_HDM_SKIP_LOW) / 4] = GIB;
	cxl_vfio_hdm_init(hdm, regs, &hidden, true);
	set(hdm, 1, CXL_VFIO_HDM_CTRL, bi);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);

	/* A decoder may be smaller, but then none after it commits */
	set_range(hdm, 0, GIB, GIB / 2);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | bi));
	set_range(hdm, 1, 2 * GIB, GIB);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT | bi));
	set(hdm, 1, CXL_VFIO_HDM_CTRL, 0);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, GIB, GIB);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | bi);

	for (unsigned int reg = CXL_VFIO_HDM_SKIP_LOW; reg <= CXL_VFIO_HDM_SKIP_HIGH; reg += 4) {
		u32 own = get(hdm, 1, reg);

		set(hdm, 1, reg, own + 0x10000000);
		KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR,
				set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT | bi));
		set(hdm, 1, CXL_VFIO_HDM_CTRL, bi);
		set(hdm, 1, reg, own);
	}
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT | bi));
}

/*
 * Firmware commits and locks the decoders 0 and 2 with size 0.  A guest sees neither
 * committed, and commits those with memory as if the others did not exist.
 */
static void hdm_shows_decoders_of_size_0_uncommitted(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);
	u32 *regs = device_regs(test, 2, COMMIT | COMMITTED | LOCK);

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	regs[decoder_reg(0, CXL_VFIO_HDM_SIZE_LOW) / 4] = 0;
	regs[decoder_reg(2, CXL_VFIO_HDM_SIZE_LOW) / 4] = 0;
	cxl_vfio_hdm_init(hdm, regs, &mirror, true);
	KUNIT_EXPECT_EQ(test, 0, get(hdm, 0, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, 0, get(hdm, 2, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED | LOCK, get(hdm, 1, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED | LOCK, get(hdm, 3, CXL_VFIO_HDM_CTRL));
	/* No size is legal for them */
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	set_range(hdm, 2, HPA + 2 * GIB, GIB);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 2, CXL_VFIO_HDM_CTRL, COMMIT));

	cxl_vfio_hdm_init(hdm, regs, &hidden, true);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 1, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, set(hdm, 3, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, set(hdm, 1, CXL_VFIO_HDM_CTRL, 0));
	set_range(hdm, 1, GIB, GIB);
	set_range(hdm, 3, 2 * GIB, GIB);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 3, CXL_VFIO_HDM_CTRL, COMMIT));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 3, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 3, CXL_VFIO_HDM_CTRL, COMMIT));
}

/* Decoders commit in ascending order and are decommitted in descending order */
static void hdm_commits_in_ascending_order(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 2, COMMIT | COMMITTED, &mirror);
	struct cxl_vfio_hdm_event event;

	for (unsigned int n = 0; n < 3; n++)
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, n, CXL_VFIO_HDM_CTRL, 0));
	for (int n = 3; n >= 0; n--) {
		event = cxl_vfio_hdm_write(hdm, decoder_reg(n, CXL_VFIO_HDM_CTRL), 0, VIA_REGION);
		KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, event.type);
		KUNIT_EXPECT_EQ(test, n, event.decoder);
	}
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT));
	set(hdm, 1, CXL_VFIO_HDM_CTRL, 0);
	for (unsigned int n = 0; n < 4; n++)
		KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, n, CXL_VFIO_HDM_CTRL, COMMIT));
}

/* Also at the end of the longest array */
static void hdm_decommits_all_of_32_decoders(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 12, COMMIT | COMMITTED, &mirror);

	for (int n = 31; n >= 0; n--)
		KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, set(hdm, n, CXL_VFIO_HDM_CTRL, 0));
}

static void hdm_hides_the_host_address(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 4, COMMIT | COMMITTED | LOCK, &hidden);

	/* The ranges start at 0 and follow each other, for ranges that overlap are wrong */
	for (unsigned int n = 0; n < 8; n++) {
		KUNIT_EXPECT_EQ(test, n * GIB, cxl_vfio_hdm_base(hdm, n));
		KUNIT_EXPECT_EQ(test, lower_32_bits(n * GIB), get(hdm, n, CXL_VFIO_HDM_BASE_LOW));
		KUNIT_EXPECT_EQ(test, upper_32_bits(n * GIB), get(hdm, n, CXL_VFIO_HDM_BASE_HIGH));
		KUNIT_EXPECT_EQ(test, (u32)GIB, get(hdm, n, CXL_VFIO_HDM_SIZE_LOW));
		KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED, get(hdm, n, CXL_VFIO_HDM_CTRL));
	}
	/* A guest address is shown */
	set(hdm, 7, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 7, 15 * GIB, GIB);
	KUNIT_EXPECT_EQ(test, (u32)(15 * GIB), get(hdm, 7, CXL_VFIO_HDM_BASE_LOW));
	KUNIT_EXPECT_EQ(test, 3, get(hdm, 7, CXL_VFIO_HDM_BASE_HIGH));
}

/* A decoder that the guest locked keeps its address, and those after it do not overlap */
static void hdm_places_decoders_after_a_locked_one(struct kunit *test)
{
	u32 *regs = device_regs(test, 2, COMMIT | COMMITTED);
	struct cxl_vfio_hdm *hdm = make(test, 2, COMMIT | COMMITTED, &hidden);

	for (int n = 3; n >= 0; n--)
		set(hdm, n, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, 0, GIB);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT);
	set_range(hdm, 1, 5 * GIB, GIB);
	KUNIT_ASSERT_EQ(test, HDM_EVENT_LOCKED, set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT | LOCK));
	regs[decoder_reg(2, CXL_VFIO_HDM_CTRL) / 4] = 0;
	cxl_vfio_hdm_init(hdm, regs, &hidden, false);
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_hdm_base(hdm, 0));
	KUNIT_EXPECT_EQ(test, 5 * GIB, cxl_vfio_hdm_base(hdm, 1));
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_hdm_base(hdm, 2));
	KUNIT_EXPECT_EQ(test, 6 * GIB, cxl_vfio_hdm_base(hdm, 3));
}

/* Bits 8, 9, 11 and 12 of the header are for interleaving, which one device has no use for */
static void hdm_header_offers_no_interleaving(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0xfffffff1, COMMIT | COMMITTED, &mirror);

	KUNIT_EXPECT_EQ(test, 0xffffe4f1, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_CAP, VIA_REGION));
}

static void hdm_mirrors_the_device(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, COMMIT | COMMITTED | LOCK | 6, &mirror);

	KUNIT_EXPECT_EQ(test, lower_32_bits(HPA), get(hdm, 0, CXL_VFIO_HDM_BASE_LOW));
	KUNIT_EXPECT_EQ(test, upper_32_bits(HPA), get(hdm, 0, CXL_VFIO_HDM_BASE_HIGH));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED | LOCK | 6, get(hdm, 0, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, 0, get(hdm, 0, 0x1c));
}

static void hdm_low_bits_of_the_device_are_reserved(struct kunit *test)
{
	u32 *regs = device_regs(test, 0, COMMIT | COMMITTED);
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	regs[decoder_reg(0, CXL_VFIO_HDM_BASE_LOW) / 4] |= 0x0fffffff;
	regs[decoder_reg(0, CXL_VFIO_HDM_SIZE_LOW) / 4] |= 0x0fffffff;
	regs[decoder_reg(0, CXL_VFIO_HDM_SKIP_LOW) / 4] |= 0x0fffffff;
	cxl_vfio_hdm_init(hdm, regs, &mirror, true);
	KUNIT_EXPECT_EQ(test, lower_32_bits(HPA), get(hdm, 0, CXL_VFIO_HDM_BASE_LOW));
	KUNIT_EXPECT_EQ(test, (u32)GIB, get(hdm, 0, CXL_VFIO_HDM_SIZE_LOW));
	KUNIT_EXPECT_EQ(test, 0, get(hdm, 0, CXL_VFIO_HDM_SKIP_LOW));
}

/* Without memory behind any decoder the guest sees whether the device uses its ranges */
static void hdm_decoder_enable_is_on_where_a_decoder_has_memory(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);
	u32 *regs = device_regs(test, 1, 0);

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	for (u32 global = 0; global < 4; global++) {
		regs[CXL_VFIO_HDM_GLOBAL_CTRL / 4] = global;
		cxl_vfio_hdm_init(hdm, regs, &mirror, true);
		KUNIT_EXPECT_EQ(test, global,
				cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
	}
	/* A decoder with size 0 has none */
	regs[CXL_VFIO_HDM_GLOBAL_CTRL / 4] = 0;
	regs[decoder_reg(1, CXL_VFIO_HDM_CTRL) / 4] = COMMIT | COMMITTED;
	regs[decoder_reg(1, CXL_VFIO_HDM_SIZE_LOW) / 4] = 0;
	regs[decoder_reg(1, CXL_VFIO_HDM_SIZE_HIGH) / 4] = 0;
	cxl_vfio_hdm_init(hdm, regs, &mirror, true);
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
	/* The guest can change it, and commits nothing */
	cxl_vfio_hdm_write(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, 2, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 2, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	regs[decoder_reg(1, CXL_VFIO_HDM_SIZE_LOW) / 4] = 0x10000000;
	cxl_vfio_hdm_init(hdm, regs, &mirror, true);
	KUNIT_EXPECT_EQ(test, 2, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
	/* A decoder that the guest locked keeps its memory, whatever the device has now */
	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, set(hdm, 1, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_LOCKED, set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT | LOCK));
	regs[decoder_reg(1, CXL_VFIO_HDM_CTRL) / 4] = 0;
	cxl_vfio_hdm_init(hdm, regs, &mirror, false);
	KUNIT_EXPECT_EQ(test, 2, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
}

static void hdm_header_is_read_only_and_global_control_is_not(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, COMMIT | COMMITTED, &mirror);

	KUNIT_EXPECT_EQ(test, 2, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
	cxl_vfio_hdm_write(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, ~0U, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 2, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));
	cxl_vfio_hdm_write(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, 0, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));

	/* The other capabilities of the header do not bring poison */
	hdm = make(test, 0x00fffbf0, 0, &mirror);
	cxl_vfio_hdm_write(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, ~0U, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 2, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));

	hdm = make(test, CAP_POISON, 0, &mirror);
	cxl_vfio_hdm_write(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, ~0U, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 3, cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_GLOBAL_CTRL, VIA_REGION));

	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, cxl_vfio_hdm_write(hdm, 0, ~0U, VIA_REGION).type);
	KUNIT_EXPECT_EQ(test, CAP_POISON, cxl_vfio_hdm_read(hdm, 0, VIA_REGION));
	for (u32 reserved = 8; reserved < 0x10; reserved += 4) {
		cxl_vfio_hdm_write(hdm, reserved, ~0U, VIA_REGION);
		KUNIT_EXPECT_EQ(test, 0, cxl_vfio_hdm_read(hdm, reserved, VIA_REGION));
	}
}

/* A CXL reset or FLR keeps locked decoders; a conventional reset does not */
static void hdm_locks_survive_all_but_a_conventional_reset(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 1, COMMIT | COMMITTED, &hidden);
	u32 *regs = device_regs(test, 1, COMMIT | COMMITTED);

	for (int n = 1; n >= 0; n--)
		set(hdm, n, CXL_VFIO_HDM_CTRL, 0);
	for (unsigned int n = 0; n < 2; n++)
		set_range(hdm, n, (3 * n + 4) * GIB, GIB);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK);
	set(hdm, 1, CXL_VFIO_HDM_CTRL, COMMIT);

	cxl_vfio_hdm_init(hdm, regs, &hidden, false);
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED | LOCK, get(hdm, 0, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, 1, get(hdm, 0, CXL_VFIO_HDM_BASE_HIGH));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED, get(hdm, 1, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, 5 * GIB, cxl_vfio_hdm_base(hdm, 1));
	cxl_vfio_hdm_init(hdm, regs, &hidden, true);
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED, get(hdm, 0, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, 0, get(hdm, 0, CXL_VFIO_HDM_BASE_HIGH));
}

/* After a lost device no decoder is committed, and none can be */
static void hdm_lost_decoders_do_not_commit(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 1, COMMIT | COMMITTED | LOCK, &mirror);

	cxl_vfio_hdm_lose(hdm);
	for (unsigned int n = 0; n < 2; n++)
		KUNIT_EXPECT_EQ(test, 0, get(hdm, n, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
}

static void expect_decoder(struct kunit *test, const struct cxl_vfio_hdm *hdm, unsigned int n,
			   u64 base, u32 ctrl)
{
	KUNIT_EXPECT_EQ(test, base, cxl_vfio_hdm_base(hdm, n));
	KUNIT_EXPECT_EQ(test, ctrl, get(hdm, n, CXL_VFIO_HDM_CTRL));
}

/* Resets of a device whose decoders were put back, of either kind */
static void expect_after_resets(struct kunit *test, struct cxl_vfio_hdm *hdm, const u32 *regs,
				const struct cxl_vfio_view *view, u64 base, u32 ctrl)
{
	for (unsigned int i = 0; i < 4; i++) {
		cxl_vfio_hdm_init(hdm, regs, view, i % 2);
		expect_decoder(test, hdm, 0, base, ctrl);
	}
}

/* A VMM writes the guest's address once, before the first reset, and need not lock it */
static void hdm_base_of_the_vmm_outlives_resets(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 1, COMMIT | COMMITTED, &hidden_base_rw);
	u32 *regs = device_regs(test, 1, COMMIT | COMMITTED);

	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 16 * GIB, COMMIT | COMMITTED);
	set(hdm, 0, CXL_VFIO_HDM_BASE_LOW, 0x50000000);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 16 * GIB + 0x50000000,
			    COMMIT | COMMITTED);
	/* The decoder that the VMM does not know follows, without overlap */
	expect_decoder(test, hdm, 1, 17 * GIB + 0x50000000, COMMIT | COMMITTED);

	/* What a guest writes to a decoder that it does not commit is gone after the reset */
	set(hdm, 1, CXL_VFIO_HDM_CTRL, 0);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, 3 * GIB, GIB / 2);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 16 * GIB + 0x50000000,
			    COMMIT | COMMITTED);
	KUNIT_EXPECT_EQ(test, (u32)GIB, get(hdm, 0, CXL_VFIO_HDM_SIZE_LOW));
	/* What it commits stays */
	set(hdm, 1, CXL_VFIO_HDM_CTRL, 0);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, 8 * GIB, GIB);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 8 * GIB, COMMIT | COMMITTED);
}

static void hdm_lock_of_the_vmm_outlives_resets(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, COMMIT | COMMITTED, &hidden_base_rw);
	u32 *regs = device_regs(test, 0, COMMIT | COMMITTED), locked = COMMIT | COMMITTED | LOCK;

	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_LOCKED, set(hdm, 0, CXL_VFIO_HDM_CTRL, locked));
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 16 * GIB, locked);
	/* The guest can change nothing, before a reset or after */
	for (unsigned int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 0, CXL_VFIO_HDM_CTRL, 0));
		set_range(hdm, 0, GIB, GIB / 2);
		expect_decoder(test, hdm, 0, 16 * GIB, locked);
		KUNIT_EXPECT_EQ(test, (u32)GIB, get(hdm, 0, CXL_VFIO_HDM_SIZE_LOW));
		cxl_vfio_hdm_init(hdm, regs, &hidden_base_rw, true);
	}
	/* Decoders that were lost come back as the VMM had them */
	cxl_vfio_hdm_lose(hdm);
	KUNIT_EXPECT_EQ(test, 0, get(hdm, 0, CXL_VFIO_HDM_CTRL));
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 16 * GIB, locked);
	/* A new user finds nothing of it */
	memset(hdm, 0, sizeof(*hdm));
	cxl_vfio_hdm_init(hdm, regs, &hidden_base_rw, true);
	expect_decoder(test, hdm, 0, 0, COMMIT | COMMITTED);
}

/* With host addresses shown, a VMM removes firmware's lock before it writes the base */
static void hdm_vmm_removes_the_lock_of_firmware(struct kunit *test)
{
	u32 locked = COMMIT | COMMITTED | LOCK, *regs = device_regs(test, 0, locked);
	struct cxl_vfio_hdm *hdm = make(test, 0, locked, &base_rw);

	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	expect_after_resets(test, hdm, regs, &base_rw, HPA, locked);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, locked & ~LOCK);
	expect_after_resets(test, hdm, regs, &base_rw, HPA, COMMIT | COMMITTED);
	set(hdm, 0, CXL_VFIO_HDM_BASE_LOW, 0);
	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, locked);
	expect_after_resets(test, hdm, regs, &base_rw, 16 * GIB, locked);
	/* The VMM's own lock is for good */
	set(hdm, 0, CXL_VFIO_HDM_CTRL, locked & ~LOCK);
	expect_decoder(test, hdm, 0, 16 * GIB, locked);
}

/* Firmware commits nothing, or no longer: there is nothing to bring back */
static void hdm_vmm_programs_no_decoder_without_memory(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, 0, &hidden_base_rw);
	u32 *regs = device_regs(test, 0, 0);

	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 0, 0);

	hdm = make(test, 0, COMMIT | COMMITTED, &hidden_base_rw);
	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK);
	cxl_vfio_hdm_lose(hdm);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 0, 0);
}

/* The other interfaces have no VMM that writes committed decoders */
static void hdm_without_base_rw_nothing_outlives_a_conventional_reset(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, COMMIT | COMMITTED, &hidden);

	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, 16 * GIB, GIB);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK);
	cxl_vfio_hdm_init(hdm, device_regs(test, 0, COMMIT | COMMITTED), &hidden, true);
	expect_decoder(test, hdm, 0, 0, COMMIT | COMMITTED);
}

#define BAR		0xc000000000ULL

/* A model of @count_code decoders, whose decoder 0 has its memory in a virtual BAR */
static struct cxl_vfio_hdm *make_bar(struct kunit *test, u32 count_code,
				     const struct cxl_vfio_view *view)
{
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	hdm->bar.present = true;
	cxl_vfio_hdm_init(hdm, device_regs(test, count_code, COMMIT | COMMITTED), view, true);
	return hdm;
}

/* Accesses of a guest whose VMM does not know CXL */
static u32 guest_get(const struct cxl_vfio_hdm *hdm, unsigned int n, u32 reg)
{
	return cxl_vfio_hdm_read(hdm, decoder_reg(n, reg), VIA_BAR);
}

static enum cxl_vfio_hdm_event_type guest_set(struct cxl_vfio_hdm *hdm, unsigned int n, u32 reg,
					      u32 val)
{
	return cxl_vfio_hdm_write(hdm, decoder_reg(n, reg), val, VIA_BAR).type;
}

/* Commit decoder 0 as a guest does, from any state that is not committed */
static enum cxl_vfio_hdm_event_type guest_commits(struct cxl_vfio_hdm *hdm, u64 base, u64 size)
{
	guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	guest_set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, upper_32_bits(base));
	guest_set(hdm, 0, CXL_VFIO_HDM_BASE_LOW, lower_32_bits(base));
	guest_set(hdm, 0, CXL_VFIO_HDM_SIZE_HIGH, upper_32_bits(size));
	guest_set(hdm, 0, CXL_VFIO_HDM_SIZE_LOW, lower_32_bits(size));
	return guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT);
}

/* Later decoders come behind the first, so that none overlap */
static void hdm_bases_follow_the_virtual_bar(struct kunit *test)
{
	static const u64 places[] = { BAR, 0, ~0ULL << 30, GIB, 0x10000000 };
	u32 *regs = device_regs(test, 2, COMMIT | COMMITTED);
	struct cxl_vfio_hdm *hdm = make_bar(test, 2, &hidden);

	regs[decoder_reg(1, CXL_VFIO_HDM_CTRL) / 4] = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		cxl_vfio_hdm_move_bar(hdm, places[i]);
		for (unsigned int n = 0; n < 4; n++)
			expect_decoder(test, hdm, n, places[i] + n * GIB, COMMIT | COMMITTED);
		KUNIT_EXPECT_EQ(test, lower_32_bits(places[i]),
				guest_get(hdm, 0, CXL_VFIO_HDM_BASE_LOW));
		KUNIT_EXPECT_EQ(test, upper_32_bits(places[i]),
				guest_get(hdm, 0, CXL_VFIO_HDM_BASE_HIGH));
		/* The address outlives resets */
		expect_after_resets(test, hdm, regs, &hidden, places[i], COMMIT | COMMITTED);
		expect_decoder(test, hdm, 1, 0, 0);
		expect_decoder(test, hdm, 2, places[i] + GIB, COMMIT | COMMITTED);
		cxl_vfio_hdm_move_bar(hdm, BAR);
		expect_decoder(test, hdm, 1, 0, 0);
		expect_decoder(test, hdm, 2, BAR + GIB, COMMIT | COMMITTED);
		cxl_vfio_hdm_init(hdm, device_regs(test, 2, COMMIT | COMMITTED), &hidden, true);
	}
}

static void hdm_bases_follow_no_bar_that_is_not_there(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make(test, 0, COMMIT | COMMITTED, &hidden);

	cxl_vfio_hdm_move_bar(hdm, BAR);
	expect_decoder(test, hdm, 0, 0, COMMIT | COMMITTED);
	/* With host addresses shown a decoder has the host's */
	hdm = make_bar(test, 0, &mirror);
	cxl_vfio_hdm_move_bar(hdm, BAR);
	expect_decoder(test, hdm, 0, HPA, COMMIT | COMMITTED);
}

/* A decommit, by a guest or a VMM, ends it until the next reset; lost decoders stay so */
static void hdm_base_follows_until_the_decommit(struct kunit *test)
{
	u32 *regs = device_regs(test, 0, COMMIT | COMMITTED);
	struct cxl_vfio_hdm *hdm = make_bar(test, 0, &hidden);

	for (unsigned int via = VIA_REGION; via <= VIA_BAR; via++) {
		cxl_vfio_hdm_move_bar(hdm, BAR);
		KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED,
				cxl_vfio_hdm_write(hdm, decoder_reg(0, CXL_VFIO_HDM_CTRL), 0,
						   via).type);
		cxl_vfio_hdm_move_bar(hdm, BAR + GIB);
		expect_decoder(test, hdm, 0, BAR, 0);
		cxl_vfio_hdm_init(hdm, regs, &hidden, false);
		expect_decoder(test, hdm, 0, BAR + GIB, COMMIT | COMMITTED);
	}
	cxl_vfio_hdm_lose(hdm);
	cxl_vfio_hdm_move_bar(hdm, BAR);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR, guest_commits(hdm, BAR, GIB));
	cxl_vfio_hdm_init(hdm, regs, &hidden, false);
	expect_decoder(test, hdm, 0, BAR, COMMIT | COMMITTED);
}

/* What a VMM programs, and what a guest locks, stays where it is */
static void hdm_base_of_another_does_not_follow(struct kunit *test)
{
	u32 *regs = device_regs(test, 0, COMMIT | COMMITTED);
	struct cxl_vfio_hdm *hdm = make_bar(test, 0, &hidden_base_rw);

	set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	cxl_vfio_hdm_move_bar(hdm, BAR);
	expect_decoder(test, hdm, 0, 16 * GIB, COMMIT | COMMITTED);
	expect_after_resets(test, hdm, regs, &hidden_base_rw, 16 * GIB, COMMIT | COMMITTED);
	cxl_vfio_hdm_move_bar(hdm, BAR + GIB);
	expect_decoder(test, hdm, 0, 16 * GIB, COMMIT | COMMITTED);

	hdm = make_bar(test, 0, &hidden);
	cxl_vfio_hdm_move_bar(hdm, BAR);
	guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_LOCKED,
			guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK));
	cxl_vfio_hdm_init(hdm, regs, &hidden, false);
	cxl_vfio_hdm_move_bar(hdm, BAR + GIB);
	expect_decoder(test, hdm, 0, BAR, COMMIT | COMMITTED | LOCK);
	/* The lock ends with a conventional reset */
	cxl_vfio_hdm_init(hdm, regs, &hidden, true);
	expect_decoder(test, hdm, 0, BAR + GIB, COMMIT | COMMITTED);
}

/* The memory is in the BAR, all of it, and nowhere else */
static void hdm_guest_commits_where_the_memory_is(struct kunit *test)
{
	static const struct {
		u64 bar, base, size;
		bool legal;
	} cases[] = {
		{ BAR, BAR, GIB, true },
		{ BAR, BAR, GIB / 2, false },
		{ BAR, BAR, 2 * GIB, false },
		{ BAR, BAR + GIB, GIB, false },
		{ BAR, BAR - GIB / 4, GIB, false },
		{ BAR, 0, GIB, false },
		{ 0, 0, GIB, false },
		{ 0, BAR, GIB, false },
		{ GIB, GIB, GIB, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cxl_vfio_hdm *hdm = make_bar(test, 2, i % 2 ? &mirror : &hidden);
		u32 ctrl = COMMIT | ERROR;

		if (cases[i].legal)
			ctrl = COMMIT | COMMITTED;
		cxl_vfio_hdm_move_bar(hdm, cases[i].bar);
		/* The decoders behind are committed, but not for this guest */
		KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED,
				guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, 0));
		guest_commits(hdm, cases[i].base, cases[i].size);
		KUNIT_EXPECT_EQ(test, ctrl, guest_get(hdm, 0, CXL_VFIO_HDM_CTRL));
	}
}

/* A VMM that knows CXL decides by itself where the memory is, also with the virtual BAR */
static void hdm_vmm_commits_anywhere(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = make_bar(test, 0, &hidden);

	cxl_vfio_hdm_move_bar(hdm, BAR);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	set_range(hdm, 0, 5 * GIB, GIB / 2);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT));
	cxl_vfio_hdm_move_bar(hdm, BAR + GIB);
	expect_decoder(test, hdm, 0, 5 * GIB, COMMIT | COMMITTED);

	/* Without virtual BAR the way of the access makes no difference */
	hdm = make(test, 1, COMMIT | COMMITTED, &hidden_base_rw);
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED, guest_get(hdm, 1, CXL_VFIO_HDM_CTRL));
	guest_set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	expect_decoder(test, hdm, 0, 16 * GIB, COMMIT | COMMITTED);
	guest_set(hdm, 1, CXL_VFIO_HDM_CTRL, 0);
	guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, guest_commits(hdm, 5 * GIB, GIB / 2));
}

/* A guest cannot use what the second interface allows its VMM */
static void hdm_guest_does_not_write_committed_decoders(struct kunit *test)
{
	u32 *regs = device_regs(test, 0, COMMIT | COMMITTED);
	struct cxl_vfio_hdm *hdm = make_bar(test, 0, &hidden_base_rw);

	cxl_vfio_hdm_move_bar(hdm, BAR);
	guest_set(hdm, 0, CXL_VFIO_HDM_BASE_HIGH, 4);
	guest_set(hdm, 0, CXL_VFIO_HDM_BASE_LOW, GIB);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE,
			guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT | LOCK));
	expect_decoder(test, hdm, 0, BAR, COMMIT | COMMITTED);
	/* Nor does what it commits outlive a reset */
	guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, 0);
	KUNIT_EXPECT_EQ(test, HDM_EVENT_COMMITTED, guest_commits(hdm, BAR, GIB));
	cxl_vfio_hdm_init(hdm, regs, &hidden_base_rw, false);
	cxl_vfio_hdm_move_bar(hdm, BAR + GIB);
	expect_decoder(test, hdm, 0, BAR + GIB, COMMIT | COMMITTED);

	/* Nor does it remove firmware's lock */
	hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hdm);
	hdm->bar.present = true;
	cxl_vfio_hdm_init(hdm, device_regs(test, 0, COMMIT | COMMITTED | LOCK), &base_rw, true);
	guest_set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT);
	expect_decoder(test, hdm, 0, HPA, COMMIT | COMMITTED | LOCK);
	set(hdm, 0, CXL_VFIO_HDM_CTRL, COMMIT);
	expect_decoder(test, hdm, 0, HPA, COMMIT | COMMITTED);
}

/* The first decoder has no memory, the second is in the BAR, the others are not */
static void hdm_guest_finds_other_decoders_uncommitted(struct kunit *test)
{
	struct cxl_vfio_hdm *hdm = kunit_kzalloc(test, sizeof(*hdm), GFP_KERNEL);
	u32 *regs = device_regs(test, 2, COMMIT | COMMITTED);

	KUNIT_ASSERT_NOT_NULL(test, hdm);
	regs[decoder_reg(0, CXL_VFIO_HDM_CTRL) / 4] = 0;
	hdm->bar.present = true;
	hdm->bar.decoder = 1;
	cxl_vfio_hdm_init(hdm, regs, &hidden, true);
	cxl_vfio_hdm_move_bar(hdm, BAR);
	KUNIT_EXPECT_EQ(test, (u32)GIB, guest_get(hdm, 0, CXL_VFIO_HDM_SIZE_LOW));
	KUNIT_EXPECT_EQ(test, 0, guest_get(hdm, 0, CXL_VFIO_HDM_CTRL));
	KUNIT_EXPECT_EQ(test, upper_32_bits(BAR), guest_get(hdm, 1, CXL_VFIO_HDM_BASE_HIGH));
	KUNIT_EXPECT_EQ(test, COMMIT | COMMITTED, guest_get(hdm, 1, CXL_VFIO_HDM_CTRL));
	for (unsigned int n = 2; n < 4; n++) {
		for (u32 reg = 0; reg < CXL_VFIO_HDM_DECODER_STRIDE; reg += 4) {
			KUNIT_EXPECT_EQ(test, 0, guest_get(hdm, n, reg));
			if (reg == CXL_VFIO_HDM_CTRL)
				continue;
			KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, guest_set(hdm, n, reg, ~0U));
			KUNIT_EXPECT_EQ(test, 0, guest_get(hdm, n, reg));
		}
		KUNIT_EXPECT_EQ(test, HDM_EVENT_ERROR,
				guest_set(hdm, n, CXL_VFIO_HDM_CTRL, COMMIT));
		KUNIT_EXPECT_EQ(test, COMMIT | ERROR, guest_get(hdm, n, CXL_VFIO_HDM_CTRL));
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE,
				guest_set(hdm, n, CXL_VFIO_HDM_CTRL, ~COMMIT));
		KUNIT_EXPECT_EQ(test, 0, guest_get(hdm, n, CXL_VFIO_HDM_CTRL));
		/* A VMM finds nothing of that */
		guest_set(hdm, n, CXL_VFIO_HDM_CTRL, COMMIT);
		expect_decoder(test, hdm, n, BAR + (n - 1) * GIB, COMMIT | COMMITTED);
		KUNIT_EXPECT_EQ(test, (u32)GIB, get(hdm, n, CXL_VFIO_HDM_SIZE_LOW));
	}
	cxl_vfio_hdm_init(hdm, regs, &hidden, false);
	KUNIT_EXPECT_EQ(test, 0, guest_get(hdm, 2, CXL_VFIO_HDM_CTRL));
	/* Decoders after the last that the guest knows keep nothing from being decommitted */
	KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, set(hdm, 1, CXL_VFIO_HDM_CTRL, 0));
	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, guest_set(hdm, 1, CXL_VFIO_HDM_CTRL, 0));
}

static struct kunit_case hdm_test_cases[] = {
	KUNIT_CASE_PARAM(hdm_decodes_the_decoder_count, count_gen_params),
	KUNIT_CASE_PARAM(hdm_registers_have_their_attributes, attr_gen_params),
	KUNIT_CASE_PARAM(hdm_ctrl_writes_change_the_state, fsm_gen_params),
	KUNIT_CASE_PARAM(hdm_commits_legal_settings_only, legal_gen_params),
	KUNIT_CASE(hdm_lock_on_commit_makes_a_decoder_read_only),
	KUNIT_CASE(hdm_commits_after_an_error),
	KUNIT_CASE(hdm_commits_the_device_addresses_of_the_device),
	KUNIT_CASE(hdm_shows_decoders_of_size_0_uncommitted),
	KUNIT_CASE(hdm_commits_in_ascending_order),
	KUNIT_CASE(hdm_decommits_all_of_32_decoders),
	KUNIT_CASE(hdm_hides_the_host_address),
	KUNIT_CASE(hdm_places_decoders_after_a_locked_one),
	KUNIT_CASE(hdm_header_offers_no_interleaving),
	KUNIT_CASE(hdm_mirrors_the_device),
	KUNIT_CASE(hdm_low_bits_of_the_device_are_reserved),
	KUNIT_CASE(hdm_decoder_enable_is_on_where_a_decoder_has_memory),
	KUNIT_CASE(hdm_header_is_read_only_and_global_control_is_not),
	KUNIT_CASE(hdm_locks_survive_all_but_a_conventional_reset),
	KUNIT_CASE(hdm_lost_decoders_do_not_commit),
	KUNIT_CASE(hdm_base_of_the_vmm_outlives_resets),
	KUNIT_CASE(hdm_lock_of_the_vmm_outlives_resets),
	KUNIT_CASE(hdm_vmm_removes_the_lock_of_firmware),
	KUNIT_CASE(hdm_vmm_programs_no_decoder_without_memory),
	KUNIT_CASE(hdm_without_base_rw_nothing_outlives_a_conventional_reset),
	KUNIT_CASE(hdm_bases_follow_the_virtual_bar),
	KUNIT_CASE(hdm_bases_follow_no_bar_that_is_not_there),
	KUNIT_CASE(hdm_base_follows_until_the_decommit),
	KUNIT_CASE(hdm_base_of_another_does_not_follow),
	KUNIT_CASE(hdm_guest_commits_where_the_memory_is),
	KUNIT_CASE(hdm_vmm_commits_anywhere),
	KUNIT_CASE(hdm_guest_does_not_write_committed_decoders),
	KUNIT_CASE(hdm_guest_finds_other_decoders_uncommitted),
	{}
};

static struct kunit_suite hdm_suite = {
	.name = "cxl_vfio_hdm",
	.test_cases = hdm_test_cases,
};

kunit_test_suite(hdm_suite);

MODULE_DESCRIPTION("KUnit tests of cxl-vfio-pci's register models");
MODULE_LICENSE("GPL");
