// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDM decoder model with any device and any writes.  After each write the changes are
 * compared with those that the specification allows.
 */
#include "device.h"
#include "../../src/hdm.h"

#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define LOCK		CXL_VFIO_HDM_CTRL_LOCK
#define ERROR		CXL_VFIO_HDM_CTRL_ERROR

/* In place of a register's number: a reset, a move of the virtual BAR; and a bit of it */
#define RESET		0xff
#define MOVE		0xfe
#define GUEST		0x80

/* The way by which registers are accessed */
static enum cxl_vfio_via via;

static u32 reg(const struct cxl_vfio_hdm *hdm, unsigned int n, u32 at)
{
	return cxl_vfio_hdm_read(hdm, CXL_VFIO_HDM_DECODER(n) + at, via);
}

static u64 pair(const struct cxl_vfio_hdm *hdm, unsigned int n, u32 low)
{
	return reg(hdm, n, low) | (u64)reg(hdm, n, low + 4) << 32;
}

/* Check that hardware would have committed decoder @n, as the guest set it */
static void check_legal(const struct cxl_vfio_hdm *hdm, unsigned int n)
{
	u64 base = pair(hdm, n, CXL_VFIO_HDM_BASE_LOW), size = pair(hdm, n, CXL_VFIO_HDM_SIZE_LOW);
	u32 ctrl = reg(hdm, n, CXL_VFIO_HDM_CTRL);

	assert(size && size <= hdm->decoder[n].backed && base <= UINT64_MAX - (size - 1));
	assert(!(ctrl & 0xf0) && (ctrl & 0xf) <= 6);
	assert(pair(hdm, n, CXL_VFIO_HDM_SKIP_LOW) == hdm->decoder[n].skip);
	assert(!(ctrl & CXL_VFIO_HDM_CTRL_BI) == !hdm->decoder[n].bi);
	if (via == VIA_BAR && hdm->bar.present) {
		assert(n == hdm->bar.decoder && size == hdm->decoder[n].backed);
		assert(base && base == hdm->bar.addr);
	}
	for (unsigned int i = 0; i < n; i++) {
		u64 backed = hdm->decoder[i].backed;

		if (!backed)
			continue;
		assert(reg(hdm, i, CXL_VFIO_HDM_CTRL) & COMMITTED);
		assert(pair(hdm, i, CXL_VFIO_HDM_SIZE_LOW) == backed);
		assert(base > pair(hdm, i, CXL_VFIO_HDM_BASE_LOW) + backed - 1);
	}
}

static void check_write(const struct cxl_vfio_hdm *was, const struct cxl_vfio_hdm *is, u32 at,
			struct cxl_vfio_hdm_event event)
{
	bool base_rw = is->base_rw && !(via == VIA_BAR && is->bar.present);

	assert(cxl_vfio_hdm_read(is, 0, via) == cxl_vfio_hdm_read(was, 0, via));
	for (u32 off = 0; off < cxl_vfio_hdm_size(is); off += 4)
		assert(off == at ||
		       cxl_vfio_hdm_read(is, off, via) == cxl_vfio_hdm_read(was, off, via));

	for (unsigned int n = 0; n < is->count; n++) {
		u32 old = reg(was, n, CXL_VFIO_HDM_CTRL), new = reg(is, n, CXL_VFIO_HDM_CTRL);
		bool fixed = old & COMMITTED;

		/* Nothing but the lock that firmware had set goes */
		if (fixed && (old & LOCK) && old != new) {
			assert(base_rw && !was->decoder[n].written.locked);
			assert(new == (old & ~LOCK));
		}
		if (fixed && (old & LOCK))
			for (u32 off = 0; off < CXL_VFIO_HDM_CTRL; off += 4)
				assert(reg(is, n, off) == reg(was, n, off));
		if (fixed && !base_rw)
			assert(pair(is, n, 0) == pair(was, n, 0));
		if (fixed) {
			assert(pair(is, n, 8) == pair(was, n, 8));
			assert(pair(is, n, 0x14) == pair(was, n, 0x14));
			assert(!((old ^ new) & ~(COMMIT | COMMITTED | (base_rw ? LOCK : 0))));
		}
		assert(!(new & COMMITTED) || (new & COMMIT) || (old & COMMITTED));
		if ((new & COMMITTED) && !(old & COMMITTED)) {
			assert(event.type == (new & LOCK ? HDM_EVENT_LOCKED : HDM_EVENT_COMMITTED));
			assert(event.decoder == n);
			check_legal(is, n);
		}
		if (!(new & COMMITTED) && (old & COMMITTED)) {
			assert(event.type == HDM_EVENT_DECOMMITTED && event.decoder == n);
			for (unsigned int i = n + 1; i < is->count; i++)
				assert(!(reg(was, i, CXL_VFIO_HDM_CTRL) & COMMITTED));
		}
		if ((new & ERROR) && !(old & ERROR))
			assert(event.type == HDM_EVENT_ERROR && event.decoder == n);
		assert(!(reg(is, n, CXL_VFIO_HDM_BASE_LOW) & 0x0fffffff));
		assert(!(reg(is, n, CXL_VFIO_HDM_SIZE_LOW) & 0x0fffffff));
		assert(!reg(is, n, 0x1c));
	}
}

/* A reset: what a VMM of base_rw made of decoders is as it was, locks of others stay or go */
static void check_reset(const struct cxl_vfio_hdm *was, const struct cxl_vfio_hdm *is, bool unlock)
{
	for (unsigned int n = 0; n < is->count; n++) {
		u32 old = reg(was, n, CXL_VFIO_HDM_CTRL), new = reg(is, n, CXL_VFIO_HDM_CTRL);
		bool written = was->decoder[n].written.valid;

		assert(!!(new & COMMITTED) == !!is->decoder[n].backed);
		assert(!written || is->base_rw);
		if (!(old & new & COMMITTED))
			continue;
		if (written || (!unlock && (old & LOCK))) {
			assert(pair(is, n, 0) == pair(was, n, 0));
			assert(!((old ^ new) & LOCK));
		}
	}
}

/* A decoder that follows the virtual BAR has its address, those after it come behind */
static void check_follows(const struct cxl_vfio_hdm *hdm)
{
	u64 end = hdm->bar.addr;

	for (unsigned int n = 0; n < hdm->count; n++) {
		if (!hdm->decoder[n].backed)
			continue;
		assert(cxl_vfio_hdm_base(hdm, n) == end);
		end += hdm->decoder[n].backed;
	}
}

static void check_move(const struct cxl_vfio_hdm *was, const struct cxl_vfio_hdm *is)
{
	assert(was->bar.follows == is->bar.follows);
	if (is->bar.follows)
		check_follows(is);
	else
		for (unsigned int n = 0; n < is->count; n++)
			assert(cxl_vfio_hdm_base(is, n) == cxl_vfio_hdm_base(was, n));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, len };
	u32 flags = take(&in, 1);
	struct cxl_vfio_view view = { .hide_hpa = flags & 1, .base_rw = take(&in, 1) & 1 };
	struct cxl_vfio_hdm_event event;
	struct cxl_vfio_hdm hdm = { .bar.present = flags & 2 }, before;
	u32 regs[HDM_MAX_REGS] = { take(&in, 4) };
	unsigned int count = cxl_vfio_hdm_decoder_count(regs[0]);
	u64 end = 0;

	if (!count)
		return 0;
	regs[1] = take(&in, 1);
	for (unsigned int i = 0; i < 32 && i < 8 * count; i++)
		regs[4 + i] = take(&in, 4);
	via = VIA_REGION;
	cxl_vfio_hdm_init(&hdm, regs, &view, true);
	while (hdm.bar.decoder < count - 1 && !hdm.decoder[hdm.bar.decoder].backed)
		hdm.bar.decoder++;
	for (unsigned int n = 0; n < count; n++) {
		bool committed = reg(&hdm, n, CXL_VFIO_HDM_CTRL) & COMMITTED;

		assert(committed == !!hdm.decoder[n].backed);
		if (view.hide_hpa)
			assert(pair(&hdm, n, CXL_VFIO_HDM_BASE_LOW) == (committed ? end : 0));
		end += hdm.decoder[n].backed;
	}

	while (in.len) {
		u32 at = take(&in, 1) * 4, val = take(&in, 4);

		before = hdm;
		if (at == 4 * RESET) {
			via = VIA_REGION;
			cxl_vfio_hdm_init(&hdm, regs, &view, val & 1);
			check_reset(&before, &hdm, val & 1);
			if (hdm.bar.follows)
				check_follows(&hdm);
			continue;
		}
		if (at == 4 * MOVE && hdm.bar.present) {
			cxl_vfio_hdm_move_bar(&hdm, (u64)val << 28);
			check_move(&before, &hdm);
			continue;
		}
		via = at & 4 * GUEST ? VIA_BAR : VIA_REGION;
		at &= ~(4 * GUEST);
		/* Mostly registers of the first decoders */
		if (at >= 0x100)
			at = take(&in, 2) & ~3U;
		event = cxl_vfio_hdm_write(&hdm, at, val, via);
		check_write(&before, &hdm, at, event);
	}
	return 0;
}
