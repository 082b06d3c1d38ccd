// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CXL Device DVSEC, CXL r4.0 8.1.3: its registers with their locks, the
 * doorbells of CONTROL2 (9.6, 9.7) and what each reset does to them.
 */
#include <string.h>

#include "device.h"

#define CAP		0x0a
#define   CAP_CACHE	0x0001
#define   CAP_MEM	0x0004
#define   CAP_TWO	0x0020
#define   CAP_WBI	0x0040
#define   CAP_RESET	0x0080
#define   CAP_CLEAR	0x0800
#define   CAP_VIRAL	0x4000
#define   CAP_PM	0x8000
#define CTRL		0x0c
#define   CTRL_CACHE	0x0001
#define   CTRL_IO	0x0002
#define   CTRL_MEM	0x0004
#define STATUS		0x0e
#define CTRL2		0x10
#define   CTRL2_DISABLE	0x0001
#define   CTRL2_WBI	0x0002
#define   CTRL2_RESET	0x0004
#define   CTRL2_CLEAR	0x0008
#define STATUS2		0x12
#define   STATUS2_INVALID	0x0001
#define   STATUS2_COMPLETE	0x0002
#define   STATUS2_ERROR	0x0004
#define   STATUS2_KEPT	0x0008	/* volatile HDM preservation error, sticky */
#define   STATUS2_PM	0x8000	/* power management is initialised */
#define LOCK		0x14
#define   CONFIG_LOCK	0x0001
#define CAP2		0x16
#define SIZE_HIGH(i)	(0x18 + 0x10 * (i))
#define SIZE_LOW(i)	(0x1c + 0x10 * (i))
#define BASE_HIGH(i)	(0x20 + 0x10 * (i))
#define   INFO_VALID	0x0001u
#define   ACTIVE	0x0002u
#define RANGES		2

/*
 * After a loss of media, Memory_Info_Valid and Memory_Active are set again by so many
 * reads of RANGE1 SIZE LOW, or after so much time.
 */
#define VALID_READS	2
#define ACTIVE_READS	4
#define VALID_MS	500	/* the specification's limit is 1 s */
#define ACTIVE_MS	900	/* the least that Memory_Active_Timeout says is 1 s */

/*
 * Bits of the 16-bit register at @at that are there if CAPABILITY has @gate.  Other bits
 * of a register in this table are reserved, registers that it does not have read-only.
 */
static const struct {
	uint16_t at;
	uint16_t rw;
	uint16_t clears;	/* RW1C */
	uint16_t doorbells;	/* read 0 */
	uint16_t fixed;		/* RO, whatever is written: not reserved */
	bool locks;		/* RWL under CONFIG_LOCK */
	uint16_t gate;
} bits[] = {
	{ CTRL, 0, 0, 0, CTRL_IO, false, 0 },
	{ CTRL, 0x0ff9, 0, 0, 0, true, CAP_CACHE },
	{ CTRL, CTRL_MEM, 0, 0, 0, true, CAP_MEM },
	{ CTRL, 0x4000, 0, 0, 0, true, CAP_VIRAL },
	{ STATUS, 0, 0, 0, 0, false, 0 },
	{ STATUS, 0, 0x4000, 0, 0, false, CAP_VIRAL },
	{ CTRL2, 0, 0, 0, 0, false, 0 },
	{ CTRL2, CTRL2_DISABLE, 0, 0, 0, false, CAP_CACHE },
	{ CTRL2, 0, 0, CTRL2_WBI, 0, false, CAP_WBI },
	{ CTRL2, 0, 0, CTRL2_RESET, 0, false, CAP_RESET },
	{ CTRL2, CTRL2_CLEAR, 0, 0, 0, false, CAP_CLEAR },
	{ STATUS2, 0, STATUS2_KEPT, 0, 0x8007, false, 0 },
	{ LOCK, CONFIG_LOCK, 0, 0, 0, true, 0 },
	{ 0x20, 0xffff, 0, 0, 0, true, CAP_MEM },
	{ 0x22, 0xffff, 0, 0, 0, true, CAP_MEM },
	{ 0x24, 0, 0, 0, 0, true, CAP_MEM },
	{ 0x26, 0xf000, 0, 0, 0, true, CAP_MEM },
	{ 0x30, 0xffff, 0, 0, 0, true, CAP_TWO },
	{ 0x32, 0xffff, 0, 0, 0, true, CAP_TWO },
	{ 0x34, 0, 0, 0, 0, true, CAP_TWO },
	{ 0x36, 0xf000, 0, 0, 0, true, CAP_TWO },
};

#define NUM_BITS	(sizeof(bits) / sizeof(bits[0]))

/* The rows of one register combined */
struct unit {
	bool known;
	uint16_t rw, clears, doorbells, fixed, locks;
};

static uint8_t *at(struct device *dev, uint16_t reg)
{
	return &dev->config[dev->dvsec + reg];
}

static uint16_t get(struct device *dev, uint16_t reg)
{
	return get16(at(dev, reg));
}

static uint32_t length(const struct device *dev)
{
	return get32(&dev->config[dev->dvsec + 4]) >> 20;
}

static void build_ranges(const struct options *o, uint8_t *c, unsigned int ranges, bool active)
{
	unsigned int range = 0;

	for (unsigned int i = 0; i < ranges; i++)
		put32(c + SIZE_LOW(i), 2 << 2 | 2 << 5 | o->active_timeout << 13 | INFO_VALID |
		      (active ? ACTIVE : 0));
	/* A decoder of size 0 has no memory for a range to describe */
	for (unsigned int i = 0; i < o->decoders && range < ranges; i++) {
		const struct decoder_options *d = &o->decoder[i];

		if (!d->size)
			continue;
		put32(c + SIZE_HIGH(range), d->size >> 32);
		put32(c + SIZE_LOW(range), get32(c + SIZE_LOW(range)) | (d->size & 0xf0000000));
		put32(c + BASE_HIGH(range), d->base >> 32);
		put32(c + BASE_HIGH(range) + 4, d->base & 0xf0000000);
		range++;
	}
}

/* Build the DVSEC's body at @c as firmware left it; the headers are there already */
void dvsec_build(struct device *dev, uint8_t *c)
{
	const struct options *o = &dev->options;
	unsigned int ranges = o->decoders > 1 ? 2 : 1;
	uint16_t cap = CAP_CACHE | CTRL_IO | CAP_MEM | 8 | ranges << 4 | CAP_WBI | CAP_RESET |
		       1 << 8;

	if (misbehaves(dev, MIS_NO_MEM_CAPABLE))
		cap &= ~CAP_MEM;
	if (o->mem_clear)
		cap |= CAP_CLEAR;
	if (o->status)
		cap |= CAP_VIRAL;
	if (o->status2 & STATUS2_PM)
		cap |= CAP_PM;
	if (o->capability)
		cap = o->capability;
	put16(c + CAP, cap);
	put16(c + CTRL, o->control | CTRL_IO);
	put16(c + STATUS, o->status);
	put16(c + STATUS2, o->status2);
	put16(c + LOCK, o->config_lock);
	put16(c + CAP2, 1 | 4 << 8);			/* 256 KiB of cache */
	build_ranges(o, c, ranges, !misbehaves(dev, MIS_NOT_ACTIVE));
	if (misbehaves(dev, MIS_ONES_RANGE))
		memset(c + SIZE_LOW(0), 0xff, 4);
	if (misbehaves(dev, MIS_ONES_DVSEC))
		memset(c + CAP, 0xff, o->dvsec_length - CAP);
}

/* Show the ranges' sizes and flags as far as they are valid now */
void dvsec_set_ready(struct device *dev)
{
	for (unsigned int i = 0; i < RANGES && dev->dvsec; i++) {
		uint32_t low = dev->dvsec + SIZE_LOW(i), high = dev->dvsec + SIZE_HIGH(i);
		uint32_t val = get32(&dev->fresh[low]);

		if (low + 4 > dev->dvsec + length(dev))
			break;
		if (dev->inactive)
			val &= ~ACTIVE;
		put32(&dev->config[low], dev->invalid ? val & ~(INFO_VALID | 0xf0000000) : val);
		put32(&dev->config[high], dev->invalid ? 0 : get32(&dev->fresh[high]));
	}
}

/* Clear Memory_Info_Valid and Memory_Active until dvsec_before_read() sets them again */
static void lose_media(struct device *dev)
{
	dev->invalid = VALID_READS;
	dev->inactive = ACTIVE_READS;
	dev->media_lost_ms = now_ms();
	dvsec_set_ready(dev);
}

static void count_down(unsigned int *reads, bool in_time)
{
	if (*reads && *reads != ~0u)
		*reads = in_time ? 0 : *reads - 1;
}

static void set_late(struct device *dev, bool read)
{
	uint16_t bits = late_take(&dev->status2, read);

	if (bits)
		put16(at(dev, STATUS2), get(dev, STATUS2) | bits);
}

/* Set the bits of STATUS2 whose time has come */
void dvsec_settle(struct device *dev)
{
	set_late(dev, false);
}

/* A read of configuration space is next: count it if it polls RANGE1 SIZE LOW */
void dvsec_before_read(struct device *dev, uint32_t where, uint32_t count)
{
	uint64_t passed = dev->media_lost_ms ? now_ms() - dev->media_lost_ms : 0;

	if (!dev->dvsec)
		return;
	if (covers(where, count, dev->dvsec + STATUS2))
		set_late(dev, true);
	if (!covers(where, count, dev->dvsec + SIZE_LOW(0)) || !(dev->invalid || dev->inactive))
		return;
	count_down(&dev->invalid, passed >= VALID_MS);
	count_down(&dev->inactive, passed >= ACTIVE_MS);
	dvsec_set_ready(dev);
}

/* Does the device answer CXL.mem, as far as this DVSEC says? */
bool dvsec_mem_enabled(const struct device *dev)
{
	return dev->dvsec && (get16(&dev->config[dev->dvsec + CTRL]) & CTRL_MEM);
}

/* What range @n decodes while CXL.mem is enabled; false if it has no memory */
bool dvsec_range(const struct device *dev, unsigned int n, uint64_t *base, uint64_t *size)
{
	const uint8_t *now = &dev->config[dev->dvsec], *fresh = &dev->fresh[dev->dvsec];
	unsigned int count = get16(fresh + CAP) >> 4 & 3;

	if (!dev->dvsec || n >= count || n >= RANGES || BASE_HIGH(n) + 8 > length(dev))
		return false;
	*size = (uint64_t)get32(fresh + SIZE_HIGH(n)) << 32 |
		(get32(fresh + SIZE_LOW(n)) & 0xf0000000);
	*base = (uint64_t)get32(now + BASE_HIGH(n)) << 32 |
		(get32(now + BASE_HIGH(n) + 4) & 0xf0000000);
	return *size;
}

/* Set CONTROL to its default */
void dvsec_lose_enables(struct device *dev)
{
	if (dev->dvsec)
		put16(at(dev, CTRL), CTRL_IO);
}

/* Set the bases of the ranges to their default */
void dvsec_lose_ranges(struct device *dev)
{
	for (unsigned int i = 0; i < RANGES && dev->dvsec; i++)
		if (BASE_HIGH(i) + 8 <= length(dev))
			memset(at(dev, BASE_HIGH(i)), 0, 8);
}

static void default_locked(struct device *dev)
{
	dvsec_lose_enables(dev);
	dvsec_lose_ranges(dev);
}

/*
 * FLR and a return from D3hot leave CXL.cache and CXL.mem alone (9.5).  A CXL reset
 * spares CONFIG_LOCK and what it locks (8.1.3.7), a conventional reset does not.
 */
void dvsec_reset(struct device *dev, enum reset_kind kind)
{
	if (!dev->dvsec || kind == RESET_FLR || kind == RESET_D3)
		return;
	if (kind == RESET_BUS)
		put16(at(dev, LOCK), 0);
	if (!(get(dev, LOCK) & CONFIG_LOCK))
		default_locked(dev);
	put16(at(dev, CTRL2), 0);
	dev->status2.bits = 0;
	put16(at(dev, STATUS2), get(dev, STATUS2) & (STATUS2_KEPT | STATUS2_PM));
	if (kind == RESET_BUS)
		lose_media(dev);
}

/* Initiate Cache Write Back and Invalidation: Disable_Caching comes first (9.6) */
static void write_back(struct device *dev, uint16_t ctrl2)
{
	if (!(ctrl2 & CTRL2_DISABLE)) {
		misuse(dev, MISUSE_DOORBELL,
		       "write-back and invalidate without Disable_Caching, CONTROL2 is %#x", ctrl2);
		return;
	}
	late_start(&dev->status2, STATUS2_INVALID);
}

/* Initiate CXL Reset: the cache has been written back before (9.7) */
static void cxl_reset(struct device *dev, bool clear)
{
	uint16_t status = get(dev, STATUS2);

	if ((get(dev, CAP) & CAP_WBI) && (get(dev, CTRL) & CTRL_CACHE) &&
	    !(status & STATUS2_INVALID))
		misuse(dev, MISUSE_DOORBELL,
		       "CXL reset with the cache enabled and not invalid, STATUS2 is %#x", status);
	if (clear && !misbehaves(dev, MIS_CLEAR_FAILS))
		device_clear_memory(dev);
	device_reset(dev, RESET_CXL);
	if (clear && !dev->inactive)
		lose_media(dev);
	if (misbehaves(dev, MIS_RESET_ERROR))
		late_start(&dev->status2, STATUS2_ERROR);
	else if (!misbehaves(dev, MIS_RESET_HANGS))
		late_start(&dev->status2, STATUS2_COMPLETE);
}

static void ring(struct device *dev, uint16_t bells, uint16_t ctrl2)
{
	if (!(ctrl2 & CTRL2_DISABLE)) {
		put16(at(dev, STATUS2), get(dev, STATUS2) & ~STATUS2_INVALID);
		dev->status2.bits &= ~STATUS2_INVALID;
	}
	if (bells & CTRL2_WBI)
		write_back(dev, ctrl2);
	if (bells & CTRL2_RESET)
		cxl_reset(dev, ctrl2 & CTRL2_CLEAR);
}

static struct unit unit_at(struct device *dev, uint16_t reg)
{
	uint16_t cap = get(dev, CAP);
	struct unit u = {};

	for (unsigned int i = 0; i < NUM_BITS; i++) {
		if (bits[i].at != reg || (cap & bits[i].gate) != bits[i].gate)
			continue;
		u.known = true;
		u.rw |= bits[i].rw;
		u.clears |= bits[i].clears;
		u.doorbells |= bits[i].doorbells;
		u.fixed |= bits[i].fixed;
		u.locks |= bits[i].locks ? bits[i].rw : 0;
	}
	return u;
}

/* A write to the bytes of @mask in a register; @val is 0 in the other byte */
static void write_unit(struct device *dev, uint16_t reg, uint16_t val, uint16_t mask)
{
	const struct unit u = unit_at(dev, reg);
	uint16_t old = get(dev, reg), new = (old & ~(u.rw & mask)) | (val & u.rw);
	uint16_t reserved = val & ~(u.rw | u.clears | u.doorbells | u.fixed);

	if (!u.known) {
		if ((val ^ old) & mask)
			misuse(dev, MISUSE_READ_ONLY,
			       "CXL Device DVSEC: %#x written at offset %#x, which reads %#x",
			       val, reg, old);
		return;
	}
	if (reserved)
		misuse(dev, MISUSE_RESERVED,
		       "CXL Device DVSEC: %#x written at offset %#x, bits %#x are reserved",
		       val, reg, reserved);
	if ((get(dev, LOCK) & CONFIG_LOCK) && ((old ^ new) & u.locks)) {
		misuse(dev, MISUSE_LOCKED,
		       "CXL Device DVSEC: %#x written at offset %#x, which CONFIG_LOCK locks at %#x",
		       val, reg, old);
		new = (new & ~u.locks) | (old & u.locks);
	}
	put16(at(dev, reg), new & ~(val & u.clears));
	if (reg == CTRL2)
		ring(dev, val & u.doorbells, new);
}

/* A write to configuration space: what of it is in this DVSEC's body */
void dvsec_write(struct device *dev, uint32_t where, const uint8_t *buf, uint32_t count)
{
	if (!dev->dvsec)
		return;
	for (uint32_t unit = where & ~1u; unit < where + count; unit += 2) {
		uint16_t val = 0, mask = 0;

		if (unit < dev->dvsec + CAP || unit + 2 > dev->dvsec + length(dev))
			continue;
		for (uint32_t i = 0; i < 2; i++) {
			if (!covers(where, count, unit + i))
				continue;
			val |= buf[unit + i - where] << 8 * i;
			mask |= 0xff << 8 * i;
		}
		write_unit(dev, unit - dev->dvsec, val, mask);
	}
}
