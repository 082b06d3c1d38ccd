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
	return cxl_vfio_comp_read(comp, CXL_VFIO_CM_OFFSET + cm_offset);
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
		for (u32 at = 0; at < 0x60; at += 4)
			KUNIT_EXPECT_EQ_MSG(test, at < shown[id] ? ~0U : 0,
					    get(comp, CAP_AT(id) + at),
					    "capability %u, offset %#x", id, at);
	}
}

/* The header log of an error may contain host addresses */
static void comp_hides_the_header_log(struct kunit *test)
{
	struct cxl_vfio_comp *comp = make(test, &hidden);
	u32 ras = CAP_AT(CXL_VFIO_CM_CAP_ID_RAS);

	KUNIT_EXPECT_EQ(test, ~0U, get(comp, ras + 0x14));
	for (u32 at = 0x18; at < 0x58; at += 4)
		KUNIT_EXPECT_EQ(test, 0, get(comp, ras + at));
	KUNIT_EXPECT_EQ(test, ~0U, get(comp, CAP_AT(CXL_VFIO_CM_CAP_ID_LINK) + 0x34));
}

/* Writes change decoders and nothing else */
static void comp_writes_change_decoders_only(struct kunit *test)
{
	u32 hdm = CXL_VFIO_CM_OFFSET + HDM_AT, ctrl = hdm + 0x10 + CXL_VFIO_HDM_CTRL;
	struct cxl_vfio_comp *comp = make(test, &hidden), *before = make(test, &hidden);

	for (u32 at = 0; at < CXL_VFIO_COMP_BLOCK_SIZE; at += 4) {
		if (at >= hdm && at < hdm + 0x30)
			continue;
		KUNIT_EXPECT_EQ(test, HDM_EVENT_NONE, cxl_vfio_comp_write(comp, at, ~0U).type);
		KUNIT_EXPECT_EQ(test, cxl_vfio_comp_read(before, at), cxl_vfio_comp_read(comp, at));
	}
	KUNIT_EXPECT_EQ(test, HDM_EVENT_DECOMMITTED, cxl_vfio_comp_write(comp, ctrl, 0).type);
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, ctrl));
}

static void comp_reads_zero_outside_its_registers(struct kunit *test)
{
	struct cxl_vfio_comp *comp = make(test, &mirror);

	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, 0));
	KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, CXL_VFIO_CM_OFFSET - 4));
	for (u32 at = CXL_VFIO_CM_OFFSET + CXL_VFIO_CM_SIZE; at < CXL_VFIO_COMP_BLOCK_SIZE; at += 4)
		KUNIT_EXPECT_EQ(test, 0, cxl_vfio_comp_read(comp, at));
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

static struct kunit_case comp_test_cases[] = {
	KUNIT_CASE(comp_shows_what_a_guest_may_know),
	KUNIT_CASE(comp_hides_the_header_log),
	KUNIT_CASE(comp_writes_change_decoders_only),
	KUNIT_CASE(comp_reads_zero_outside_its_registers),
	KUNIT_CASE(comp_survives_wild_pointers),
	{}
};

static struct kunit_suite comp_suite = {
	.name = "cxl_vfio_comp",
	.test_cases = comp_test_cases,
};

kunit_test_suite(comp_suite);
