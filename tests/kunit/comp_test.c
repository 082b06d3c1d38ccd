// SPDX-License-Identifier: GPL-2.0-only
/*
 * Component block model: the capability array and the capabilities as a guest sees them,
 * CXL r4.0 8.2.3 and 8.2.4.
 */
#include <kunit/test.h>

#include "comp.h"

#define HDM_AT		0x400
#define MAX_ID		0x10
#define CAP_AT(id)	(0x800 + 0x60 * (id))

static const struct cxl_vfio_view mirror = {};
static const struct cxl_vfio_view hidden = { .hide_hpa = true };

/* A block with a capability of every id, whose registers read all ones */
static struct cxl_vfio_comp *make(struct kunit *test, const struct cxl_vfio_view *view)
{
	struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);
	u32 *cm = kunit_kzalloc(test, CXL_VFIO_CM_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, comp);
	KUNIT_ASSERT_NOT_NULL(test, cm);
	memset(cm, 0xff, CXL_VFIO_CM_SIZE);
	cm[0] = 1 | 1 << 16 | MAX_ID << 24;
	for (u32 id = 1; id <= MAX_ID; id++)
		cm[id] = id | 1 << 16 | (id == CXL_VFIO_CM_CAP_ID_HDM ? HDM_AT : CAP_AT(id)) << 20;
	memset(&cm[HDM_AT / 4], 0, 0x30);
	cm[(HDM_AT + CXL_VFIO_HDM_DECODER(0) + CXL_VFIO_HDM_SIZE_LOW) / 4] = 0x10000000;
	cm[(HDM_AT + CXL_VFIO_HDM_DECODER(0) + CXL_VFIO_HDM_CTRL) / 4] = 0x600;
	cxl_vfio_comp_init(comp, cm, HDM_AT, view, true);
	return comp;
}

static u32 get(const struct cxl_vfio_comp *comp, u32 cm_offset)
{
	return cxl_vfio_comp_read(comp, CXL_VFIO_CM_OFFSET + cm_offset, VIA_REGION);
}

/* A register of RAS as a guest finds it in a device whose registers read all ones */
static u32 clean_ras(u32 at)
{
	if (at == CXL_VFIO_RAS_CONTROL)
		return ~CXL_VFIO_RAS_CONTROL_FIRST;
	return at == 0x04 || at == 0x08 || at == 0x10 ? ~0U : 0;
}

/* Capabilities that are shown, with the number of bytes of their registers */
static void comp_shows_what_a_guest_may_know(struct kunit *test)
{
	static const u32 shown[MAX_ID + 1] = {
		[CXL_VFIO_CM_CAP_ID_RAS] = 0x58,
		[CXL_VFIO_CM_CAP_ID_LINK] = 0x38,
	};
	struct cxl_vfio_comp *comp = make(test, &mirror);

	KUNIT_EXPECT_EQ(test, 1 | 1 << 16 | MAX_ID << 24, get(comp, 0));
	for (u32 id = 1; id <= MAX_ID; id++) {
		u32 entry = get(comp, 4 * id);

		KUNIT_EXPECT_EQ(test, shown[id], cxl_vfio_cap_shown(id));
		if (id == CXL_VFIO_CM_CAP_ID_HDM) {
			KUNIT_EXPECT_EQ(test, id | 1 << 16 | HDM_AT << 20, entry);
			continue;
		}
		KUNIT_EXPECT_EQ(test, shown[id] ? id : 0, entry & 0xffff);
		for (u32 at = 0; at < 0x60; at += 4) {
			u32 expected = at < shown[id] ? ~0U : 0;

			if (id == CXL_VFIO_CM_CAP_ID_RAS)
				expected = clean_ras(at);
			KUNIT_EXPECT_EQ_MSG(test, expected, get(comp, CAP_AT(id) + at),
					    "capability %u, offset %#x", id, at);
		}
	}
}

static u32 get_ras(const struct cxl_vfio_comp *comp, u32 at)
{
	return get(comp, CAP_AT(CXL_VFIO_CM_CAP_ID_RAS) + at);
}

static void set_ras(struct cxl_vfio_comp *comp, u32 at, u32 val)
{
	cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + CAP_AT(CXL_VFIO_CM_CAP_ID_RAS) + at, val,
			    VIA_REGION);
}

/* Errors stay until the guest clears them; the first one has its bit and its header */
static void comp_shows_errors_until_they_are_cleared(struct kunit *test)
{
	struct cxl_vfio_ras_errors errors = { .uncorrectable = 0xffffc010, .correctable = ~0U };
	struct cxl_vfio_comp *comp = make(test, &mirror);

	memset(errors.header, 0x5a, sizeof(errors.header));
	cxl_vfio_comp_raise(comp, &errors, &mirror);
	KUNIT_EXPECT_EQ(test, 0x0001c010, get_ras(comp, 0x00));
	KUNIT_EXPECT_EQ(test, 0x7f, get_ras(comp, 0x0c));
	KUNIT_EXPECT_EQ(test, 4, get_ras(comp, 0x14) & 0x3f);
	KUNIT_EXPECT_EQ(test, 0x5a5a5a5a, get_ras(comp, 0x18));
	KUNIT_EXPECT_EQ(test, 0x5a5a5a5a, get_ras(comp, 0x54));

	/* A second error changes neither the first error's bit nor its header */
	errors.uncorrectable = 1;
	errors.correctable = 0;
	memset(errors.header, 0, sizeof(errors.header));
	cxl_vfio_comp_raise(comp, &errors, &mirror);
	KUNIT_EXPECT_EQ(test, 0x0001c011, get_ras(comp, 0x00));
	KUNIT_EXPECT_EQ(test, 4, get_ras(comp, 0x14) & 0x3f);
	KUNIT_EXPECT_EQ(test, 0x5a5a5a5a, get_ras(comp, 0x18));

	set_ras(comp, 0x00, 0x11);
	set_ras(comp, 0x0c, 0x41);
	KUNIT_EXPECT_EQ(test, 0x0001c000, get_ras(comp, 0x00));
	KUNIT_EXPECT_EQ(test, 0x3e, get_ras(comp, 0x0c));
	set_ras(comp, 0x00, ~0U);
	set_ras(comp, 0x0c, ~0U);
	KUNIT_EXPECT_EQ(test, 0, get_ras(comp, 0x00) | get_ras(comp, 0x0c));
	cxl_vfio_comp_raise(comp, &errors, &mirror);
	KUNIT_EXPECT_EQ(test, 0, get_ras(comp, 0x14) & 0x3f);
	KUNIT_EXPECT_EQ(test, 0, get_ras(comp, 0x18));
}

/* The header log of an error may contain host addresses */
static void comp_hides_the_header_log(struct kunit *test)
{
	struct cxl_vfio_ras_errors errors = { .uncorrectable = 1 << 14 };
	struct cxl_vfio_comp *comp = make(test, &hidden);

	memset(errors.header, 0x5a, sizeof(errors.header));
	cxl_vfio_comp_raise(comp, &errors, &hidden);
	KUNIT_EXPECT_EQ(test, 1 << 14, get_ras(comp, 0x00));
	KUNIT_EXPECT_EQ(test, 14, get_ras(comp, 0x14) & 0x3f);
	for (u32 at = 0x18; at < 0x58; at += 4)
		KUNIT_EXPECT_EQ(test, 0, get_ras(comp, at));
	KUNIT_EXPECT_EQ(test, ~0U, get(comp, CAP_AT(CXL_VFIO_CM_CAP_ID_LINK) + 0x34));
}

/* RAS registers are sticky: a reset keeps them, and a new user, whose view is zeroed, not */
static void comp_keeps_ras_registers_over_resets(struct kunit *test)
{
	struct cxl_vfio_ras_errors errors = { .uncorrectable = 2, .correctable = 4 };
	struct cxl_vfio_comp *comp = make(test, &mirror), *fresh = make(test, &mirror);
	u32 *cm = kunit_kzalloc(test, CXL_VFIO_CM_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cm);
	memcpy(cm, comp->cm, CXL_VFIO_CM_SIZE);
	cm[(CAP_AT(CXL_VFIO_CM_CAP_ID_RAS) + 0x04) / 4] = 0x1234;
	cxl_vfio_comp_raise(comp, &errors, &mirror);
	set_ras(comp, 0x08, 0);
	cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, true);
	KUNIT_EXPECT_EQ(test, 2, get_ras(comp, 0x00));
	KUNIT_EXPECT_EQ(test, ~0U, get_ras(comp, 0x04));
	KUNIT_EXPECT_EQ(test, 0xfffe3000, get_ras(comp, 0x08));
	KUNIT_EXPECT_EQ(test, 4, get_ras(comp, 0x0c));
	KUNIT_EXPECT_EQ(test, 1, get_ras(comp, 0x14) & 0x3f);

	memset(fresh, 0, sizeof(*fresh));
	cxl_vfio_comp_init(fresh, cm, HDM_AT, &mirror, true);
	KUNIT_EXPECT_EQ(test, 0x1234, get_ras(fresh, 0x04));
	KUNIT_EXPECT_EQ(test, 0, get_ras(fresh, 0x00) | get_ras(fresh, 0x0c));
}

/* RAS registers that a guest can set and clear: masks and severity, the bits that there are */
static void comp_ras_masks_are_writable(struct kunit *test)
{
	static const struct {
		u32 at, rw;
	} regs[] = {
		{ 0x04, 0x1cfff }, { 0x08, 0x1cfff }, { 0x10, 0x7f }, { 0x14, 0 }, { 0x18, 0 },
	};
	struct cxl_vfio_comp *comp = make(test, &mirror);

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		u32 before = get_ras(comp, regs[i].at);

		set_ras(comp, regs[i].at, 0);
		KUNIT_EXPECT_EQ(test, before & ~regs[i].rw, get_ras(comp, regs[i].at));
		set_ras(comp, regs[i].at, ~0U);
		KUNIT_EXPECT_EQ(test, before | regs[i].rw, get_ras(comp, regs[i].at));
	}
}

/* Only a RAS Capability of which all registers are in the area, past the array, is used */
static void comp_finds_ras_where_it_fits(struct kunit *test)
{
	static const struct {
		u32 id, at, found;
	} cases[] = {
		{ CXL_VFIO_CM_CAP_ID_RAS, 0x00c, 0x00c },
		{ CXL_VFIO_CM_CAP_ID_RAS, 0x00b, 0 },
		{ CXL_VFIO_CM_CAP_ID_RAS, 0xfa8, 0xfa8 },
		{ CXL_VFIO_CM_CAP_ID_RAS, 0xfac, 0 },
		{ CXL_VFIO_CM_CAP_ID_RAS, 0x000, 0 },
		{ CXL_VFIO_CM_CAP_ID_LINK, 0x100, 0 },
	};
	struct cxl_vfio_ras_errors errors = { .uncorrectable = ~0U, .correctable = ~0U };
	u32 *cm = kunit_kzalloc(test, CXL_VFIO_CM_SIZE, GFP_KERNEL);
	struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cm);
	KUNIT_ASSERT_NOT_NULL(test, comp);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		cm[0] = 1 | 1 << 16 | 2U << 24;
		cm[1] = CXL_VFIO_CM_CAP_ID_LINK | 0x200U << 20;
		cm[2] = cases[i].id | cases[i].at << 20;
		KUNIT_EXPECT_EQ(test, cases[i].found, cxl_vfio_comp_find_ras(cm));
		memset(comp, 0, sizeof(*comp));
		cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, true);
		cxl_vfio_comp_raise(comp, &errors, &mirror);
		KUNIT_EXPECT_EQ(test, cm[0], get(comp, 0));
		for (u32 at = 0; at < 0x58; at += 4)
			cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + cases[i].at + at, ~0U,
					    VIA_REGION);
		KUNIT_EXPECT_EQ(test, cm[0], get(comp, 0));
		KUNIT_EXPECT_EQ(test, cm[1], get(comp, 4));
	}
}

/* Writes change decoders, RAS and nothing else */
static void comp_writes_change_decoders_and_ras_only(struct kunit *test)
{
	u32 ras = CXL_VFIO_CM_OFFSET + CAP_AT(CXL_VFIO_CM_CAP_ID_RAS);
	u32 hdm = CXL_VFIO_CM_OFFSET + HDM_AT, ctrl = hdm + 0x10 + CXL_VFIO_HDM_CTRL;
	struct cxl_vfio_comp *comp = make(test, &hidden), *before = make(test, &hidden);

	for (u32 at = 0; at < CXL_VFIO_COMP_BLOCK_SIZE; at += 4) {
		if ((at >= hdm && at < hdm + 0x30) || (at >= ras && at < ras + 0x14))
			continue;
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE,
				cxl_vfio_comp_write(comp, at, ~0U, VIA_REGION).type);
		KUNIT_EXPECT_EQ(test, cxl_vfio_comp_read(before, at, VIA_REGION),
				cxl_vfio_comp_read(comp, at, VIA_REGION));
	}
	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED,
			cxl_vfio_comp_write(comp, ctrl, 0, VIA_REGION).type);
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, ctrl, VIA_REGION));
}

static void comp_reads_zero_outside_its_registers(struct kunit *test)
{
	struct cxl_vfio_comp *comp = make(test, &mirror);

	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, 0, VIA_REGION));
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, CXL_VFIO_CM_OFFSET - 4, VIA_REGION));
	for (u32 at = CXL_VFIO_CM_OFFSET + CXL_VFIO_CM_SIZE; at < CXL_VFIO_COMP_BLOCK_SIZE; at += 4)
		KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, at, VIA_REGION));
}

/* Capability pointers into the array or past the end of the area do no harm */
static void comp_survives_wild_pointers(struct kunit *test)
{
	static u32 cm[CM_DWORDS];
	struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, comp);
	memset(cm, 0xff, sizeof(cm));
	cm[0] = 1 | 1 << 16 | 3U << 24;
	cm[1] = CXL_VFIO_CM_CAP_ID_RAS | 0xffcU << 20;
	cm[2] = CXL_VFIO_CM_CAP_ID_RAS | 0x004U << 20;
	cm[3] = CXL_VFIO_CM_CAP_ID_HDM | HDM_AT << 20;
	memset(&cm[HDM_AT / 4], 0, 0x30);
	cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, true);
	KUNIT_EXPECT_EQ(test, cm[1], get(comp, 4));
	KUNIT_EXPECT_EQ(test, cm[3], get(comp, 12));
	KUNIT_EXPECT_EQ(test, ~0U, get(comp, 0xffc));
	KUNIT_EXPECT_EQ(test, ~0U, get(comp, 0x10));
	KUNIT_EXPECT_EQ(test, 0, get(comp, 0x5c));
}

/* A block with these capabilities in its array, all other registers reading @fill */
static u32 *make_cm(struct kunit *test, u8 fill, const u32 *entries, u32 n)
{
	u32 *cm = kunit_kzalloc(test, CXL_VFIO_CM_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cm);
	memset(cm, fill, CXL_VFIO_CM_SIZE);
	cm[0] = 1 | 1 << 16 | n << 24;
	memcpy(&cm[1], entries, 4 * n);
	return cm;
}

/* Registers of the decoders, and of capabilities right before and right behind them */
static void comp_shows_the_decoders_in_their_place(struct kunit *test)
{
	static const u32 entries[] = {
		CXL_VFIO_CM_CAP_ID_LINK | (HDM_AT - 0x38U) << 20,
		CXL_VFIO_CM_CAP_ID_HDM | HDM_AT << 20,
		CXL_VFIO_CM_CAP_ID_LINK | (HDM_AT + 0x50U) << 20,
	};
	struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);
	u32 *cm = make_cm(test, 0xff, entries, ARRAY_SIZE(entries));

	KUNIT_ASSERT_NOT_NULL(test, comp);
	/* Two decoders, whose registers have no two values the same */
	for (u32 at = 0; at < 0x50; at += 4)
		cm[(HDM_AT + at) / 4] = 0x01000000 * at + 0x00600001;
	cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, true);
	KUNIT_EXPECT_EQ(test, 0x00600001, get(comp, HDM_AT));
	for (u32 at = 0; at < 0x50; at += 4)
		KUNIT_EXPECT_EQ_MSG(test, cxl_vfio_hdm_read(&comp->hdm, at, VIA_REGION),
				    get(comp, HDM_AT + at), "offset %#x", at);
	KUNIT_EXPECT_EQ(test, 0x14600001, get(comp, HDM_AT + 0x14));
	for (u32 at = 0; at < 0x38; at += 4) {
		KUNIT_EXPECT_EQ(test, ~0U, get(comp, HDM_AT - 0x38 + at));
		KUNIT_EXPECT_EQ(test, ~0U, get(comp, HDM_AT + 0x50 + at));
	}
	/* Writes reach the decoder and register that they address */
	cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + HDM_AT + 0x34, 0x1234, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 0x1234, get(comp, HDM_AT + 0x34));
	KUNIT_EXPECT_EQ(test, 0x1234, cxl_vfio_hdm_read(&comp->hdm, 0x34, VIA_REGION));
}

/* The lower two bits of a pointer are reserved */
static void comp_shows_capabilities_at_any_dword(struct kunit *test)
{
	for (u32 at = 0x800; at < 0x810; at++) {
		u32 entries[] = {
			CXL_VFIO_CM_CAP_ID_HDM | HDM_AT << 20, CXL_VFIO_CM_CAP_ID_LINK | at << 20,
		};
		struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);
		u32 *cm = make_cm(test, 0xff, entries, ARRAY_SIZE(entries));

		KUNIT_ASSERT_NOT_NULL(test, comp);
		memset(&cm[HDM_AT / 4], 0, 0x30);
		cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, true);
		for (u32 off = 0x7f0; off < 0x850; off += 4) {
			bool shown = off >= (at & ~3) && off < (at & ~3) + 0x38;

			KUNIT_EXPECT_EQ_MSG(test, shown ? ~0U : 0, get(comp, off),
					    "pointer %#x, offset %#x", at, off);
		}
	}
}

/* A reset makes a new view in the old one's memory: no register of the old one stays */
static void comp_forgets_its_old_registers(struct kunit *test)
{
	static const u32 entries[] = { CXL_VFIO_CM_CAP_ID_HDM | HDM_AT << 20 };
	struct cxl_vfio_comp *comp = make(test, &mirror);
	u32 *cm = make_cm(test, 0, entries, ARRAY_SIZE(entries));

	for (int unlock = 0; unlock < 2; unlock++) {
		cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, unlock);
		for (u32 at = 8; at < HDM_AT; at += 4)
			KUNIT_EXPECT_EQ(test, 0, get(comp, at));
		for (u32 at = HDM_AT + 0x30; at < CXL_VFIO_CM_SIZE; at += 4)
			KUNIT_EXPECT_EQ(test, 0, get(comp, at));
	}
}

/* Status is cleared by ones alone, and of CONTROL the first error's bit alone is an error's */
static void comp_ras_keeps_what_a_write_does_not_clear(struct kunit *test)
{
	static const u32 entries[] = {
		CXL_VFIO_CM_CAP_ID_RAS | 0x200U << 20, CXL_VFIO_CM_CAP_ID_HDM | HDM_AT << 20,
	};
	static const struct cxl_vfio_ras_errors errors = { 0x1cfff, 0x7f };
	struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);
	u32 *cm = make_cm(test, 0, entries, ARRAY_SIZE(entries));

	KUNIT_ASSERT_NOT_NULL(test, comp);
	cm[(0x200 + CXL_VFIO_RAS_CONTROL) / 4] = 0x241;
	cxl_vfio_comp_init(comp, cm, HDM_AT, &mirror, true);
	KUNIT_EXPECT_EQ(test, 0x240, get(comp, 0x200 + CXL_VFIO_RAS_CONTROL));
	cxl_vfio_comp_raise(comp, &errors, &mirror);
	KUNIT_EXPECT_EQ(test, 0x240, get(comp, 0x200 + CXL_VFIO_RAS_CONTROL));
	for (u32 at = 0; at < 0x14; at += 4)
		cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + 0x200 + at, 0, VIA_REGION);
	KUNIT_EXPECT_EQ(test, 0x1cfff, get(comp, 0x200 + CXL_VFIO_RAS_UNCORRECTABLE));
	KUNIT_EXPECT_EQ(test, 0x7f, get(comp, 0x200 + CXL_VFIO_RAS_CORRECTABLE));
	/* Bit after bit */
	for (u32 bit = 1; bit; bit <<= 1) {
		u32 left = ~(bit | (bit - 1));

		cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + 0x200, bit, VIA_REGION);
		KUNIT_EXPECT_EQ(test, 0x1cfff & left, get(comp, 0x200));
		cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + 0x20c, bit, VIA_REGION);
		KUNIT_EXPECT_EQ(test, 0x7f & left, get(comp, 0x20c));
	}
}

/* A block without HDM Decoder Capability: the rest is there, and its first registers too */
static void comp_may_have_no_decoders(struct kunit *test)
{
	static const u32 entries[] = { CXL_VFIO_CM_CAP_ID_RAS | 0x200U << 20 };
	struct cxl_vfio_comp *comp = kunit_kzalloc(test, sizeof(*comp), GFP_KERNEL);
	u32 *cm = make_cm(test, 0, entries, ARRAY_SIZE(entries));

	KUNIT_ASSERT_NOT_NULL(test, comp);
	cm[(0x200 + CXL_VFIO_RAS_UNCORRECTABLE_MASK) / 4] = 0x1cfff;
	cxl_vfio_comp_init(comp, cm, 0, &hidden, true);
	for (u32 at = 0; at < 0x200; at += 4) {
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE,
				cxl_vfio_comp_write(comp, CXL_VFIO_CM_OFFSET + at, ~0U,
						    VIA_REGION).type);
		KUNIT_EXPECT_EQ(test, at < 8 ? cm[at / 4] : 0, get(comp, at));
	}
	KUNIT_EXPECT_EQ(test, 0x1cfff, get(comp, 0x200 + CXL_VFIO_RAS_UNCORRECTABLE_MASK));
	/* A device that is lost has no decoder to lose */
	cxl_vfio_hdm_lose(&comp->hdm);
	KUNIT_EXPECT_EQ(test, cm[0], get(comp, 0));
}

static struct kunit_case comp_test_cases[] = {
	KUNIT_CASE(comp_may_have_no_decoders),
	KUNIT_CASE(comp_shows_what_a_guest_may_know),
	KUNIT_CASE(comp_shows_errors_until_they_are_cleared),
	KUNIT_CASE(comp_hides_the_header_log),
	KUNIT_CASE(comp_keeps_ras_registers_over_resets),
	KUNIT_CASE(comp_ras_masks_are_writable),
	KUNIT_CASE(comp_finds_ras_where_it_fits),
	KUNIT_CASE(comp_writes_change_decoders_and_ras_only),
	KUNIT_CASE(comp_reads_zero_outside_its_registers),
	KUNIT_CASE(comp_survives_wild_pointers),
	KUNIT_CASE(comp_shows_the_decoders_in_their_place),
	KUNIT_CASE(comp_shows_capabilities_at_any_dword),
	KUNIT_CASE(comp_forgets_its_old_registers),
	KUNIT_CASE(comp_ras_keeps_what_a_write_does_not_clear),
	{}
};

static struct kunit_suite comp_suite = {
	.name = "cxl_vfio_comp",
	.test_cases = comp_test_cases,
};

kunit_test_suite(comp_suite);
