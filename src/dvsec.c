// SPDX-License-Identifier: GPL-2.0-only
/*
 * CXL Device DVSEC model, CXL r4.0 8.1.3.
 *
 * A guest reads and writes this model in place of the device's own DVSEC.  The
 * model is pure: no I/O, no locks, no allocation.  The caller serialises accesses.
 *
 * All registers are treated in 16-bit units, because the body starts at 0x0a.
 * An access of any size and alignment is merged, byte by byte, into the units
 * that it touches.  Each unit then applies its own rule.
 */
#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "dvsec.h"

#define UNIT(offset)		((offset) / 2)
#define RANGE_LIVE		(CXL_VFIO_DVSEC_RANGE_INFO_VALID | CXL_VFIO_DVSEC_RANGE_ACTIVE)

/*
 * Bits that only hardware knows.  Those in @follows have the device's value.  Those in
 * @latched are set when the device sets them, and cleared by the guest, whose write
 * does not reach the device.  Cache Invalid is the driver's to set.
 */
static const struct {
	u16 offset;
	u16 follows;
	u16 latched;
} live[DVSEC_NR_LIVE] = {
	{ CXL_VFIO_DVSEC_STATUS, 0, CXL_VFIO_DVSEC_STATUS_VIRAL },
	{ CXL_VFIO_DVSEC_STATUS2, CXL_VFIO_DVSEC_STATUS2_PM_INIT_DONE,
	  CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR },
	{ CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), RANGE_LIVE, 0 },
	{ CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0) + 2, CXL_VFIO_DVSEC_RANGE_DEGRADED >> 16, 0 },
	{ CXL_VFIO_DVSEC_RANGE_SIZE_LOW(1), RANGE_LIVE, 0 },
	{ CXL_VFIO_DVSEC_RANGE_SIZE_LOW(1) + 2, CXL_VFIO_DVSEC_RANGE_DEGRADED >> 16, 0 },
};

/* Writable bits of CONTROL and CONTROL2, and the capability that each needs */
static const struct {
	u16 offset;
	u16 bits;
	u16 cap_offset;
	u16 cap;
} writable[] = {
	{ CXL_VFIO_DVSEC_CTRL, CXL_VFIO_DVSEC_CTRL_CACHE_MASK,
	  CXL_VFIO_DVSEC_CAP, CXL_VFIO_DVSEC_CAP_CACHE },
	{ CXL_VFIO_DVSEC_CTRL, CXL_VFIO_DVSEC_CTRL_MEM_ENABLE,
	  CXL_VFIO_DVSEC_CAP, CXL_VFIO_DVSEC_CAP_MEM },
	{ CXL_VFIO_DVSEC_CTRL, CXL_VFIO_DVSEC_CTRL_P2P_ENABLE,
	  CXL_VFIO_DVSEC_CAP3, CXL_VFIO_DVSEC_CAP3_P2P },
	{ CXL_VFIO_DVSEC_CTRL, CXL_VFIO_DVSEC_CTRL_VIRAL_ENABLE,
	  CXL_VFIO_DVSEC_CAP, CXL_VFIO_DVSEC_CAP_VIRAL },
	{ CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING,
	  CXL_VFIO_DVSEC_CAP, CXL_VFIO_DVSEC_CAP_CACHE },
	{ CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN,
	  CXL_VFIO_DVSEC_CAP, CXL_VFIO_DVSEC_CAP_RST_MEM_CLR },
	{ CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_HOT_RESET_STATE,
	  CXL_VFIO_DVSEC_CAP3, CXL_VFIO_DVSEC_CAP3_HOT_RESET_STATE },
	{ CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_MODIFIED_COMPLETION,
	  CXL_VFIO_DVSEC_CAP2, CXL_VFIO_DVSEC_CAP2_MODIFIED_COMPLETION },
};

/* Fields of CAPABILITY that the guest sees only with view.guest_reset */
#define CAP_GUEST_RESET		(CXL_VFIO_DVSEC_CAP_WBI | CXL_VFIO_DVSEC_CAP_RST |	\
				 CXL_VFIO_DVSEC_CAP_RST_TIMEOUT | CXL_VFIO_DVSEC_CAP_RST_MEM_CLR)

/* Does the DVSEC have the 16-bit unit at @offset? */
static bool has_unit(const struct cxl_vfio_dvsec *dvsec, u16 offset)
{
	return offset + 2 <= dvsec->len;
}

static bool config_locked(const struct cxl_vfio_dvsec *dvsec)
{
	return dvsec->reg[UNIT(CXL_VFIO_DVSEC_LOCK)] & CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK;
}

static void clear_units(struct cxl_vfio_dvsec *dvsec, u16 from, u16 to)
{
	for (u16 off = from; off < to; off += 2)
		dvsec->reg[UNIT(off)] = 0;
}

/**
 * cxl_vfio_dvsec_init() - make the guest's view from the hardware's registers
 * @dvsec: the model
 * @regs: the capability as read from the device, in 16-bit units
 * @len: length of the capability in bytes, from its header
 * @view: which parts of the registers the guest sees
 * @unlock: true to release the guest's CONFIG_LOCK, as a conventional reset does;
 *	false to keep CONFIG_LOCK, if it is set, and the registers that it locks, in a
 *	@dvsec that was initialised before
 *
 * Return: true if the guest's RANGE BASE registers were made from @regs.
 */
bool cxl_vfio_dvsec_init(struct cxl_vfio_dvsec *dvsec, const u16 *regs, u16 len,
			 const struct cxl_vfio_view *view, bool unlock)
{
	bool keep = !unlock && config_locked(dvsec);
	struct cxl_vfio_dvsec old = *dvsec;
	unsigned int ranges;

	memset(dvsec, 0, sizeof(*dvsec));
	dvsec->len = rounddown(min_t(u16, len, DVSEC_MAX_LEN), 2);
	memcpy(dvsec->reg, regs, dvsec->len);

	ranges = FIELD_GET(CXL_VFIO_DVSEC_CAP_HDM_COUNT, dvsec->reg[UNIT(CXL_VFIO_DVSEC_CAP)]);
	if (!view->guest_reset)
		dvsec->reg[UNIT(CXL_VFIO_DVSEC_CAP)] &= ~CAP_GUEST_RESET;
	if (has_unit(dvsec, CXL_VFIO_DVSEC_CTRL))
		dvsec->reg[UNIT(CXL_VFIO_DVSEC_CTRL)] |= CXL_VFIO_DVSEC_CTRL_IO_ENABLE;
	dvsec->reg[UNIT(CXL_VFIO_DVSEC_CTRL2)] &= CXL_VFIO_DVSEC_CTRL2_RW_MASK;
	/* The guest sees the results only of resets that it asked for itself */
	dvsec->reg[UNIT(CXL_VFIO_DVSEC_STATUS2)] &= ~(CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID |
						      CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE |
						      CXL_VFIO_DVSEC_STATUS2_RST_ERROR);

	for (unsigned int i = 0; i < ARRAY_SIZE(live); i++)
		dvsec->seen[i] = dvsec->reg[UNIT(live[i].offset)] & live[i].latched;
	for (unsigned int i = 0; i < CXL_VFIO_DVSEC_RANGES; i++) {
		u16 start = CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i);
		u16 base = CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);

		if (i >= ranges)
			clear_units(dvsec, start, start + 0x10);
		else if (keep)
			memcpy(&dvsec->reg[UNIT(base)], &old.reg[UNIT(base)], 8);
		else if (view->hide_hpa)
			clear_units(dvsec, base, base + 8);
	}
	if (keep) {
		dvsec->reg[UNIT(CXL_VFIO_DVSEC_CTRL)] = old.reg[UNIT(CXL_VFIO_DVSEC_CTRL)];
		dvsec->reg[UNIT(CXL_VFIO_DVSEC_LOCK)] = old.reg[UNIT(CXL_VFIO_DVSEC_LOCK)];
	}
	return !keep;
}

/**
 * cxl_vfio_dvsec_live_offset() - name a register with bits that only hardware knows
 * @n: which one, below DVSEC_NR_LIVE
 *
 * Return: the register's offset from the DVSEC's start.
 */
u16 cxl_vfio_dvsec_live_offset(unsigned int n)
{
	return live[n].offset;
}

/**
 * cxl_vfio_dvsec_is_live() - does a read need the hardware's current state?
 * @offset: first byte read
 * @count: bytes read
 *
 * Return: true if the read touches a register with bits that come from the
 * device; the caller calls cxl_vfio_dvsec_set_live() first.
 */
bool cxl_vfio_dvsec_is_live(u16 offset, size_t count)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(live); i++)
		if (offset < live[i].offset + 2 && offset + count > live[i].offset)
			return true;
	return false;
}

static void merge(struct cxl_vfio_dvsec *dvsec, u16 offset, u16 mask, u16 val)
{
	if (has_unit(dvsec, offset))
		dvsec->reg[UNIT(offset)] = (dvsec->reg[UNIT(offset)] & ~mask) | (val & mask);
}

/* Does the device claim the range that the register at @offset belongs to? */
static bool is_claimed(const struct cxl_vfio_dvsec *dvsec, u16 offset)
{
	unsigned int ranges = FIELD_GET(CXL_VFIO_DVSEC_CAP_HDM_COUNT,
					dvsec->reg[UNIT(CXL_VFIO_DVSEC_CAP)]);

	return offset < CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(min_t(u16, ranges, CXL_VFIO_DVSEC_RANGES));
}

/**
 * cxl_vfio_dvsec_set_live() - refresh the bits that only hardware knows
 * @dvsec: the model
 * @regs: the registers of cxl_vfio_dvsec_live_offset() as read from the device
 */
void cxl_vfio_dvsec_set_live(struct cxl_vfio_dvsec *dvsec, const u16 regs[DVSEC_NR_LIVE])
{
	for (unsigned int i = 0; i < ARRAY_SIZE(live); i++) {
		if (!is_claimed(dvsec, live[i].offset))
			continue;
		merge(dvsec, live[i].offset, live[i].follows, regs[i]);
		merge(dvsec, live[i].offset, live[i].latched & regs[i] & ~dvsec->seen[i], ~0);
		dvsec->seen[i] = regs[i] & live[i].latched;
	}
}

/**
 * cxl_vfio_dvsec_set_base() - set the guest's RANGE BASE, whether it is locked or not
 * @dvsec: the model
 * @n: the range, below CXL_VFIO_DVSEC_RANGES; nothing is done if the device has no such
 * @base: bytes, a multiple of 256 MiB
 */
void cxl_vfio_dvsec_set_base(struct cxl_vfio_dvsec *dvsec, unsigned int n, u64 base)
{
	u16 high = CXL_VFIO_DVSEC_RANGE_BASE_HIGH(n), low = CXL_VFIO_DVSEC_RANGE_BASE_LOW(n);

	if (!is_claimed(dvsec, high))
		return;
	merge(dvsec, high, ~0, base >> 32);
	merge(dvsec, high + 2, ~0, base >> 48);
	merge(dvsec, low, ~0, base);
	merge(dvsec, low + 2, ~0, base >> 16);
}

/**
 * cxl_vfio_dvsec_set_invalid() - show that the device's cache was written back
 * @dvsec: the model
 *
 * CXL r4.0 9.6: Cache Invalid is defined while caching is disabled, and ends with it.
 */
void cxl_vfio_dvsec_set_invalid(struct cxl_vfio_dvsec *dvsec)
{
	if (dvsec->reg[UNIT(CXL_VFIO_DVSEC_CTRL2)] & CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING)
		merge(dvsec, CXL_VFIO_DVSEC_STATUS2, CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID, ~0);
}

/**
 * cxl_vfio_dvsec_set_reset() - show the result of a CXL reset by the guest
 * @dvsec: the model
 * @status2: Reset Complete or Reset Error of STATUS2; 0 while the reset runs
 */
void cxl_vfio_dvsec_set_reset(struct cxl_vfio_dvsec *dvsec, u16 status2)
{
	merge(dvsec, CXL_VFIO_DVSEC_STATUS2,
	      CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE | CXL_VFIO_DVSEC_STATUS2_RST_ERROR, status2);
}

/**
 * cxl_vfio_dvsec_clears_memory() - must a CXL reset clear the device's memory?
 * @dvsec: the model
 *
 * Return: true if the guest set Reset Memory Clear Enable and the device is
 * capable of Reset Memory Clear.
 */
bool cxl_vfio_dvsec_clears_memory(const struct cxl_vfio_dvsec *dvsec)
{
	return (dvsec->reg[UNIT(CXL_VFIO_DVSEC_CAP)] & CXL_VFIO_DVSEC_CAP_RST_MEM_CLR) &&
	       (dvsec->reg[UNIT(CXL_VFIO_DVSEC_CTRL2)] & CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN);
}

/**
 * cxl_vfio_dvsec_read() - read bytes of the DVSEC
 * @dvsec: the model
 * @offset: first byte, from the DVSEC's start
 * @buf: filled in
 * @count: number of bytes; bytes past the capability read 0
 */
void cxl_vfio_dvsec_read(const struct cxl_vfio_dvsec *dvsec, u16 offset, u8 *buf, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = offset + i;

		buf[i] = at < dvsec->len ? dvsec->reg[at / 2] >> (8 * (at % 2)) : 0;
	}
}

/* Is the 16-bit unit at @offset part of a range's base?  @mask: its writable bits */
static bool is_range_base(const struct cxl_vfio_dvsec *dvsec, u16 offset, u16 *mask)
{
	unsigned int ranges = FIELD_GET(CXL_VFIO_DVSEC_CAP_HDM_COUNT,
					dvsec->reg[UNIT(CXL_VFIO_DVSEC_CAP)]);

	for (unsigned int i = 0; i < CXL_VFIO_DVSEC_RANGES && i < ranges; i++) {
		u16 high = CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);
		u16 low = CXL_VFIO_DVSEC_RANGE_BASE_LOW(i);

		if (offset == high || offset == high + 2)
			*mask = 0xffff;
		else if (offset == low)
			*mask = CXL_VFIO_DVSEC_RANGE_BASE_LOW_MASK & 0xffff;
		else if (offset == low + 2)
			*mask = CXL_VFIO_DVSEC_RANGE_BASE_LOW_MASK >> 16;
		else
			continue;
		return true;
	}
	return false;
}

/* The commands that @rung, written to CONTROL2, starts and CAPABILITY supports */
static unsigned int doorbells(const struct cxl_vfio_dvsec *dvsec, u16 rung)
{
	u16 cap = dvsec->reg[UNIT(CXL_VFIO_DVSEC_CAP)];
	unsigned int events = 0;

	if ((rung & CXL_VFIO_DVSEC_CTRL2_INIT_WBI) && (cap & CXL_VFIO_DVSEC_CAP_WBI))
		events |= DVSEC_EVENT_WBI;
	if ((rung & CXL_VFIO_DVSEC_CTRL2_INIT_RST) && (cap & CXL_VFIO_DVSEC_CAP_RST))
		events |= DVSEC_EVENT_RESET;
	return events;
}

static u16 writable_bits(const struct cxl_vfio_dvsec *dvsec, u16 offset)
{
	u16 bits = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(writable); i++)
		if (writable[i].offset == offset &&
		    dvsec->reg[UNIT(writable[i].cap_offset)] & writable[i].cap)
			bits |= writable[i].bits;
	return bits;
}

/* Apply a write of the bytes in @mask to the 16-bit unit at @offset */
static unsigned int write_unit(struct cxl_vfio_dvsec *dvsec, u16 offset, u16 mask, u16 val)
{
	u16 *reg = &dvsec->reg[UNIT(offset)];
	u16 base_mask;

	switch (offset) {
	case CXL_VFIO_DVSEC_CTRL:
		if (!config_locked(dvsec))
			merge(dvsec, offset, mask & writable_bits(dvsec, offset), val);
		return 0;
	case CXL_VFIO_DVSEC_STATUS:
		*reg &= ~(val & mask & CXL_VFIO_DVSEC_STATUS_VIRAL);
		return 0;
	case CXL_VFIO_DVSEC_CTRL2:
		merge(dvsec, offset, mask & writable_bits(dvsec, offset), val);
		if (!(*reg & CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING))
			merge(dvsec, CXL_VFIO_DVSEC_STATUS2,
			      CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID, 0);
		return doorbells(dvsec, val & mask);
	case CXL_VFIO_DVSEC_STATUS2:
		*reg &= ~(val & mask & CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR);
		return 0;
	case CXL_VFIO_DVSEC_LOCK:
		*reg |= val & mask & CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK;
		return 0;
	}
	if (is_range_base(dvsec, offset, &base_mask) && !config_locked(dvsec))
		merge(dvsec, offset, mask & base_mask, val);
	return 0;
}

/**
 * cxl_vfio_dvsec_write() - write bytes of the DVSEC as a guest would
 * @dvsec: the model
 * @offset: first byte, from the DVSEC's start
 * @buf: the bytes
 * @count: number of bytes; bytes past the capability are dropped
 *
 * Read-only, reserved and locked fields keep their value.
 *
 * Return: DVSEC_EVENT_* bits, 0 if the write asks the device for nothing.
 */
unsigned int cxl_vfio_dvsec_write(struct cxl_vfio_dvsec *dvsec, u16 offset, const u8 *buf,
				  size_t count)
{
	size_t end = min_t(size_t, offset + count, dvsec->len);
	unsigned int events = 0;

	for (size_t unit = rounddown(offset, 2); unit < end; unit += 2) {
		u16 mask = 0, val = 0;

		for (size_t at = max_t(size_t, unit, offset); at < unit + 2 && at < end; at++) {
			mask |= 0xff << (8 * (at - unit));
			val |= buf[at - offset] << (8 * (at - unit));
		}
		events |= write_unit(dvsec, unit, mask, val);
	}
	return events;
}
