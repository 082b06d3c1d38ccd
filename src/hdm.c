// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDM Decoder Capability model, CXL r4.0 8.2.4.20.
 *
 * A guest reads and writes this model in place of the device's own decoders.
 * The model is pure: it does no I/O, takes no locks, allocates nothing and calls
 * no other file.  The caller serialises accesses and acts on returned events.
 */
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "hdm.h"

/* Fields of the capability header that decide which control bits exist */
#define HDM_CAP_INTERLEAVE	(BIT(12) | BIT(11) | BIT(9) | BIT(8))
#define HDM_CAP_POISON		BIT(10)
#define HDM_CAP_UIO		BIT(13)
#define HDM_CAP_COHERENCY	GENMASK(22, 21)
#define HDM_COHERENCY_BOTH	3

#define HDM_CTRL_UIO		BIT(14)
#define HDM_CTRL_ISP		GENMASK(27, 24)
#define HDM_IG_MAX		6	/* 16 KiB */

enum {
	REG_BASE_LOW = CXL_VFIO_HDM_BASE_LOW / 4,
	REG_BASE_HIGH = CXL_VFIO_HDM_BASE_HIGH / 4,
	REG_SIZE_LOW = CXL_VFIO_HDM_SIZE_LOW / 4,
	REG_SIZE_HIGH = CXL_VFIO_HDM_SIZE_HIGH / 4,
	REG_CTRL = CXL_VFIO_HDM_CTRL / 4,
	REG_SKIP_LOW = CXL_VFIO_HDM_SKIP_LOW / 4,
	REG_SKIP_HIGH = CXL_VFIO_HDM_SKIP_HIGH / 4,
};

static u64 reg_pair(const struct cxl_vfio_hdm_decoder *d, unsigned int low)
{
	return ((u64)d->reg[low + 1] << 32) | d->reg[low];
}

static bool is_committed(const struct cxl_vfio_hdm_decoder *d)
{
	return d->reg[REG_CTRL] & CXL_VFIO_HDM_CTRL_COMMITTED;
}

static void set_base(struct cxl_vfio_hdm_decoder *d, u64 base)
{
	d->reg[REG_BASE_LOW] = lower_32_bits(base);
	d->reg[REG_BASE_HIGH] = upper_32_bits(base);
}

static void decommit(struct cxl_vfio_hdm_decoder *d)
{
	d->reg[REG_CTRL] &= ~(CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_COMMITTED);
}

static bool is_locked(const struct cxl_vfio_hdm_decoder *d)
{
	return is_committed(d) && (d->reg[REG_CTRL] & CXL_VFIO_HDM_CTRL_LOCK);
}

/**
 * cxl_vfio_hdm_decoder_count() - decode the header's decoder count field
 * @cap: HDM Decoder Capability header, CXL r4.0 8.2.4.20.1
 *
 * Return: 1 to 32 decoders, 0 for a reserved encoding.
 */
unsigned int cxl_vfio_hdm_decoder_count(u32 cap)
{
	unsigned int code = FIELD_GET(CXL_VFIO_HDM_CAP_COUNT, cap);

	if (code == 0)
		return 1;
	if (code <= 8)
		return 2 * code;
	if (code <= 12)
		return 4 * (code - 4);
	return 0;
}

/**
 * cxl_vfio_hdm_length() - length of an HDM Decoder Capability, from its header
 * @cap: HDM Decoder Capability header
 *
 * Return: bytes from the header to the end of the last decoder.
 */
u32 cxl_vfio_hdm_length(u32 cap)
{
	return CXL_VFIO_HDM_DECODER(cxl_vfio_hdm_decoder_count(cap));
}

/* Is an access from a guest whose only memory of the device is the virtual BAR? */
static bool by_guest(const struct cxl_vfio_hdm *hdm, enum cxl_vfio_via via)
{
	return via == VIA_BAR && hdm->bar.present;
}

/* Do such a guest's accesses find decoder @n uncommitted, since its memory is not in the BAR? */
static bool is_hidden(const struct cxl_vfio_hdm *hdm, unsigned int n, enum cxl_vfio_via via)
{
	return by_guest(hdm, via) && n != hdm->bar.decoder && hdm->decoder[n].backed;
}

/* May committed decoders be written?  What is written is to outlive resets. */
static bool rewrites(const struct cxl_vfio_hdm *hdm, enum cxl_vfio_via via)
{
	return hdm->base_rw && !by_guest(hdm, via);
}

/* Remember what a write made of a committed decoder */
static void note_written(struct cxl_vfio_hdm *hdm, struct cxl_vfio_hdm_decoder *d,
			 enum cxl_vfio_via via)
{
	if (!rewrites(hdm, via))
		return;
	hdm->bar.follows = false;
	d->written = (struct cxl_vfio_hdm_written) {
		.valid = true,
		.locked = is_locked(d),
		.base = reg_pair(d, REG_BASE_LOW),
	};
}

/* Make the decoder what the VMM had made of it */
static void apply_written(struct cxl_vfio_hdm_decoder *d)
{
	set_base(d, d->written.base);
	d->reg[REG_CTRL] &= ~CXL_VFIO_HDM_CTRL_LOCK;
	if (d->written.locked)
		d->reg[REG_CTRL] |= CXL_VFIO_HDM_CTRL_LOCK;
}

/**
 * cxl_vfio_hdm_init() - make the guest's view from the hardware's registers
 * @hdm: the model, for a new user zeroed but for @bar
 * @regs: the whole capability as read from the device, header first; the
 *	header's decoder count is valid
 * @view: which parts of the registers the guest sees
 * @unlock: true to rebuild all decoders, as after a conventional reset; false to
 *	keep decoders that the guest locked
 *
 * With base_rw of @view, addresses and locks that the VMM wrote stay in any case: a VMM
 * writes them once, before the first reset.
 *
 * With hide_hpa of @view, decoders that nobody has written lie one after the other from the
 * address of the virtual BAR on, or from 0 if there is none.
 */
void cxl_vfio_hdm_init(struct cxl_vfio_hdm *hdm, const u32 *regs, const struct cxl_vfio_view *view,
		       bool unlock)
{
	u64 end = hdm->bar.addr;

	/* The memory of one device is not interleaved: no decoder commits with ways */
	hdm->cap = regs[CXL_VFIO_HDM_CAP / 4] & ~HDM_CAP_INTERLEAVE;
	hdm->base_rw = view->base_rw;
	hdm->bar.follows = hdm->bar.present && view->hide_hpa;
	hdm->count = cxl_vfio_hdm_decoder_count(hdm->cap);
	hdm->global = regs[CXL_VFIO_HDM_GLOBAL_CTRL / 4];

	for (unsigned int n = 0; n < hdm->count; n++) {
		struct cxl_vfio_hdm_decoder *d = &hdm->decoder[n];

		if (!unlock && is_locked(d)) {
			hdm->bar.follows = false;
			end = reg_pair(d, REG_BASE_LOW) + reg_pair(d, REG_SIZE_LOW);
			continue;
		}
		memcpy(d->reg, &regs[CXL_VFIO_HDM_DECODER(n) / 4], sizeof(d->reg));
		d->reg[HDM_REGS_PER_DECODER - 1] = 0;
		d->reg[REG_BASE_LOW] &= CXL_VFIO_HDM_LOW_MASK;
		d->reg[REG_SIZE_LOW] &= CXL_VFIO_HDM_LOW_MASK;
		d->reg[REG_SKIP_LOW] &= CXL_VFIO_HDM_LOW_MASK;
		d->backed = is_committed(d) ? reg_pair(d, REG_SIZE_LOW) : 0;
		d->skip = reg_pair(d, REG_SKIP_LOW);
		d->bi = d->reg[REG_CTRL] & CXL_VFIO_HDM_CTRL_BI;
		d->refused = false;
		if (!d->backed) {
			/* Guests refuse a device that has a decoder committed with size 0 */
			decommit(d);
			d->reg[REG_CTRL] &= ~CXL_VFIO_HDM_CTRL_LOCK;
		}
		if (view->hide_hpa) {
			/* One range after the other, so that none overlap */
			set_base(d, d->backed ? end : 0);
			d->reg[REG_CTRL] &= ~CXL_VFIO_HDM_CTRL_LOCK;
		}
		if (d->written.valid && d->backed) {
			hdm->bar.follows = false;
			apply_written(d);
		}
		if (d->backed)
			end = reg_pair(d, REG_BASE_LOW) + d->backed;
	}
	/*
	 * A Linux guest that reads Decoder Enable as 0 takes the DVSEC's ranges for the
	 * memory, which is right only where no decoder has any.
	 */
	for (unsigned int n = 0; n < hdm->count; n++)
		if (hdm->decoder[n].backed)
			hdm->global |= CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE;
}

/**
 * cxl_vfio_hdm_base() - BASE of a decoder as the guest sees it
 * @hdm: the model
 * @n: the decoder's number, below the decoder count
 *
 * Return: the address, bytes.
 */
u64 cxl_vfio_hdm_base(const struct cxl_vfio_hdm *hdm, unsigned int n)
{
	return reg_pair(&hdm->decoder[n], REG_BASE_LOW);
}

/**
 * cxl_vfio_hdm_move_bar() - the virtual BAR has another address
 * @hdm: the model
 * @addr: the guest's address of the BAR, bytes, a multiple of 256 MiB; 0 if it has none
 *
 * BASE of the decoders is where the memory is, until somebody programs a decoder.
 */
void cxl_vfio_hdm_move_bar(struct cxl_vfio_hdm *hdm, u64 addr)
{
	hdm->bar.addr = addr;
	if (!hdm->bar.follows)
		return;
	for (unsigned int n = 0; n < hdm->count; n++) {
		if (!hdm->decoder[n].backed)
			continue;
		set_base(&hdm->decoder[n], addr);
		addr += hdm->decoder[n].backed;
	}
}

/**
 * cxl_vfio_hdm_lose() - decommit and unlock all decoders of the model
 * @hdm: the model of a device whose own decoders no longer decode
 *
 * The guest cannot commit any decoder again until cxl_vfio_hdm_init(), which also brings
 * back what the VMM wrote.
 */
void cxl_vfio_hdm_lose(struct cxl_vfio_hdm *hdm)
{
	for (unsigned int n = 0; n < hdm->count; n++) {
		decommit(&hdm->decoder[n]);
		hdm->decoder[n].reg[REG_CTRL] &= ~CXL_VFIO_HDM_CTRL_LOCK;
		hdm->decoder[n].backed = 0;
	}
}

/**
 * cxl_vfio_hdm_size() - length of the modelled HDM Decoder Capability
 * @hdm: the model
 *
 * Return: bytes from the header to the end of the last decoder.
 */
u32 cxl_vfio_hdm_size(const struct cxl_vfio_hdm *hdm)
{
	return CXL_VFIO_HDM_DECODER(hdm->count);
}

/**
 * cxl_vfio_hdm_read() - read a register as a guest would
 * @hdm: the model
 * @offset: bytes from the capability's start, a multiple of 4
 * @via: way of the access
 *
 * Return: the register's value, 0 past the last decoder or for a reserved offset.
 */
u32 cxl_vfio_hdm_read(const struct cxl_vfio_hdm *hdm, u32 offset, enum cxl_vfio_via via)
{
	unsigned int n, reg;

	if (offset == CXL_VFIO_HDM_CAP)
		return hdm->cap;
	if (offset == CXL_VFIO_HDM_GLOBAL_CTRL)
		return hdm->global;
	if (offset < CXL_VFIO_HDM_DECODER(0) || offset >= cxl_vfio_hdm_size(hdm))
		return 0;

	offset -= CXL_VFIO_HDM_DECODER(0);
	n = offset / CXL_VFIO_HDM_DECODER_STRIDE;
	reg = offset % CXL_VFIO_HDM_DECODER_STRIDE / 4;
	if (is_hidden(hdm, n, via))
		return reg == REG_CTRL && hdm->decoder[n].refused ?
		       CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_ERROR : 0;
	return hdm->decoder[n].reg[reg];
}

/*
 * May decoder @n commit with its current settings?  CXL r4.0 8.2.4.20.12
 *
 * The device's own decoders stay as they are.  A decoder's device physical address is
 * the sum of the sizes and skips before it, so these must be the device's own, or
 * guest and device would mean different memory by one address.  A guest that has the
 * virtual BAR finds the memory there and nowhere else.
 */
static bool settings_legal(const struct cxl_vfio_hdm *hdm, unsigned int n, enum cxl_vfio_via via)
{
	const struct cxl_vfio_hdm_decoder *d = &hdm->decoder[n];
	u64 base = reg_pair(d, REG_BASE_LOW), size = reg_pair(d, REG_SIZE_LOW);

	if (!size || size > d->backed || base + size - 1 < base)
		return false;
	if (by_guest(hdm, via) &&
	    (!hdm->bar.addr || base != hdm->bar.addr || size != d->backed))
		return false;
	if (reg_pair(d, REG_SKIP_LOW) != d->skip)
		return false;
	/* The BI route is the host's and hidden, so the guest cannot change the way of coherency */
	if (!!(d->reg[REG_CTRL] & CXL_VFIO_HDM_CTRL_BI) != d->bi)
		return false;
	if (FIELD_GET(CXL_VFIO_HDM_CTRL_IG, d->reg[REG_CTRL]) > HDM_IG_MAX)
		return false;
	if (FIELD_GET(CXL_VFIO_HDM_CTRL_IW, d->reg[REG_CTRL]))
		return false;
	/* Decoders commit in ascending order, past those that have no memory to decode */
	for (unsigned int i = 0; i < n; i++) {
		const struct cxl_vfio_hdm_decoder *prev = &hdm->decoder[i];

		if (!prev->backed)
			continue;
		if (!is_committed(prev) || reg_pair(prev, REG_SIZE_LOW) != prev->backed ||
		    base <= reg_pair(prev, REG_BASE_LOW) + prev->backed - 1)
			return false;
	}
	return true;
}

/* Control bits that a write may change while the decoder is not committed */
static u32 ctrl_rw_mask(const struct cxl_vfio_hdm *hdm)
{
	u32 mask = CXL_VFIO_HDM_CTRL_IG | CXL_VFIO_HDM_CTRL_IW | CXL_VFIO_HDM_CTRL_LOCK |
		   CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_BI;

	if (hdm->cap & HDM_CAP_UIO)
		mask |= HDM_CTRL_UIO | HDM_CTRL_ISP;
	if (FIELD_GET(HDM_CAP_COHERENCY, hdm->cap) == HDM_COHERENCY_BOTH)
		mask |= CXL_VFIO_HDM_CTRL_HOST_ONLY;
	return mask;
}

static enum cxl_vfio_hdm_event_type write_committed_ctrl(struct cxl_vfio_hdm *hdm,
							 unsigned int n, u32 val,
							 enum cxl_vfio_via via)
{
	struct cxl_vfio_hdm_decoder *d = &hdm->decoder[n];

	if (val & CXL_VFIO_HDM_CTRL_COMMIT) {
		if (!rewrites(hdm, via) || !((val ^ d->reg[REG_CTRL]) & CXL_VFIO_HDM_CTRL_LOCK))
			return HDM_EVENT_NONE;
		d->reg[REG_CTRL] ^= CXL_VFIO_HDM_CTRL_LOCK;
		note_written(hdm, d, via);
		return is_locked(d) ? HDM_EVENT_LOCKED : HDM_EVENT_COMMITTED;
	}
	/* Decoders are decommitted in descending order only */
	for (unsigned int later = n + 1; later < hdm->count; later++)
		if (is_committed(&hdm->decoder[later]) && !is_hidden(hdm, later, via))
			return HDM_EVENT_NONE;

	hdm->bar.follows = false;
	decommit(d);
	return HDM_EVENT_DECOMMITTED;
}

static enum cxl_vfio_hdm_event_type write_ctrl(struct cxl_vfio_hdm *hdm, unsigned int n, u32 val,
					       enum cxl_vfio_via via)
{
	struct cxl_vfio_hdm_decoder *d = &hdm->decoder[n];
	u32 old = d->reg[REG_CTRL], mask = ctrl_rw_mask(hdm);

	if (is_committed(d))
		return write_committed_ctrl(hdm, n, val, via);

	d->reg[REG_CTRL] = (old & ~mask) | (val & mask);
	if (!(val & CXL_VFIO_HDM_CTRL_COMMIT)) {
		d->reg[REG_CTRL] &= ~CXL_VFIO_HDM_CTRL_ERROR;
		return HDM_EVENT_NONE;
	}
	if (old & CXL_VFIO_HDM_CTRL_COMMIT)
		return HDM_EVENT_NONE;
	if (!settings_legal(hdm, n, via)) {
		d->reg[REG_CTRL] |= CXL_VFIO_HDM_CTRL_ERROR;
		return HDM_EVENT_ERROR;
	}
	d->reg[REG_CTRL] |= CXL_VFIO_HDM_CTRL_COMMITTED;
	note_written(hdm, d, via);
	return is_locked(d) ? HDM_EVENT_LOCKED : HDM_EVENT_COMMITTED;
}

/*
 * Does a write of CTRL remove the lock of a decoder?  A VMM may remove firmware's lock, to
 * program the decoder for its guest.  The lock that it sets then is the guest's, and stays.
 */
static bool unlocks(const struct cxl_vfio_hdm *hdm, const struct cxl_vfio_hdm_decoder *d, u32 val,
		    enum cxl_vfio_via via)
{
	return rewrites(hdm, via) && !d->written.locked && (val & CXL_VFIO_HDM_CTRL_COMMIT) &&
	       !(val & CXL_VFIO_HDM_CTRL_LOCK);
}

/* Write a decoder that the guest sees uncommitted: it cannot be committed */
static enum cxl_vfio_hdm_event_type write_hidden(struct cxl_vfio_hdm_decoder *d,
						 unsigned int reg, u32 val)
{
	if (reg != REG_CTRL)
		return HDM_EVENT_NONE;
	d->refused = val & CXL_VFIO_HDM_CTRL_COMMIT;
	return d->refused ? HDM_EVENT_ERROR : HDM_EVENT_NONE;
}

static enum cxl_vfio_hdm_event_type write_decoder(struct cxl_vfio_hdm *hdm, unsigned int n,
						  unsigned int reg, u32 val,
						  enum cxl_vfio_via via)
{
	struct cxl_vfio_hdm_decoder *d = &hdm->decoder[n];

	if (is_hidden(hdm, n, via))
		return write_hidden(d, reg, val);
	if (is_locked(d) && !(reg == REG_CTRL && unlocks(hdm, d, val, via)))
		return HDM_EVENT_NONE;
	if (reg == REG_CTRL)
		return write_ctrl(hdm, n, val, via);
	if (reg > REG_SKIP_HIGH ||
	    (is_committed(d) && !(rewrites(hdm, via) && reg <= REG_BASE_HIGH)))
		return HDM_EVENT_NONE;

	if (reg == REG_BASE_LOW || reg == REG_SIZE_LOW || reg == REG_SKIP_LOW)
		val &= CXL_VFIO_HDM_LOW_MASK;
	d->reg[reg] = val;
	if (is_committed(d))
		note_written(hdm, d, via);
	return HDM_EVENT_NONE;
}

static void write_global(struct cxl_vfio_hdm *hdm, u32 val)
{
	u32 mask = CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE;

	if (hdm->cap & HDM_CAP_POISON)
		mask |= CXL_VFIO_HDM_GLOBAL_CTRL_POISON_EN;
	hdm->global = (hdm->global & ~mask) | (val & mask);
}

/**
 * cxl_vfio_hdm_write() - write a register as a guest would
 * @hdm: the model
 * @offset: bytes from the capability's start, a multiple of 4
 * @val: the value written
 * @via: way of the access
 *
 * Read-only, reserved and locked fields keep their value.
 *
 * Return: the decoder that the write addressed, and what happened to it.
 */
struct cxl_vfio_hdm_event cxl_vfio_hdm_write(struct cxl_vfio_hdm *hdm, u32 offset, u32 val,
					     enum cxl_vfio_via via)
{
	struct cxl_vfio_hdm_event event = { .type = HDM_EVENT_NONE };

	if (offset == CXL_VFIO_HDM_GLOBAL_CTRL) {
		write_global(hdm, val);
		return event;
	}
	if (offset < CXL_VFIO_HDM_DECODER(0) || offset >= cxl_vfio_hdm_size(hdm))
		return event;

	offset -= CXL_VFIO_HDM_DECODER(0);
	event.decoder = offset / CXL_VFIO_HDM_DECODER_STRIDE;
	event.type = write_decoder(hdm, event.decoder,
				   offset % CXL_VFIO_HDM_DECODER_STRIDE / 4, val, via);
	return event;
}
