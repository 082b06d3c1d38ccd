// SPDX-License-Identifier: GPL-2.0-only
/*
 * Component registers: the capability array, RAS and the HDM decoders with
 * their commit state machine, CXL r4.0 8.2.4.  Written for the device's side,
 * apart from the driver's own model, so that one tests the other.
 */
#include <string.h>

#include "device.h"

#define CAP_RAS		2
#define CAP_SECURITY	3
#define CAP_HDM		5
#define CAP_IDE		7

#define RAS_AT		0x080
#define IDE_AT		0x0e0
#define SECURITY_AT	0x120
#define HDM_AT		0x200
#define SECOND_HDM_AT	0x800

#define RAS_MASK		0x04
#define RAS_SEVERITY		0x08
#define RAS_CORRECTABLE		0x0c
#define RAS_CORRECTABLE_MASK	0x10
#define RAS_UNCORRECTABLE	0x0001cfff	/* the bits that there are */
#define RAS_CORRECTABLES	0x0000007f

#define HDM_GLOBAL	0x04
#define DECODER(n)	(0x10 + 0x20 * (n))
#define BASE_LOW	0x00
#define BASE_HIGH	0x04
#define SIZE_LOW	0x08
#define SIZE_HIGH	0x0c
#define CTRL		0x10
#define SKIP_LOW	0x14
#define SKIP_HIGH	0x18

#define CTRL_RW		0x13ffu		/* IG, IW, lock, commit, target type */
#define CTRL_IW		0x00f0u
#define CTRL_IG		0x000fu
#define CTRL_LOCK	(1u << 8)
#define CTRL_COMMIT	(1u << 9)
#define CTRL_COMMITTED	(1u << 10)
#define CTRL_ERROR	(1u << 11)

static uint32_t *cm(struct device *dev, uint32_t at)
{
	return &dev->comp.cm[at / 4];
}

static bool locked(uint32_t ctrl)
{
	return (ctrl & CTRL_COMMITTED) && (ctrl & CTRL_LOCK);
}

static uint32_t entry(uint32_t id, uint32_t version, uint32_t at)
{
	return id | version << 16 | at << 20;
}

static uint32_t count_code(const struct device *dev)
{
	unsigned int n = dev->options.decoders;

	for (unsigned int i = 0; i < 3; i++)
		if (misbehaves(dev, MIS_HDM_COUNT_13 + i))
			return 13 + i;
	return n == 1 ? 0 : n / 2;
}

static void build_decoder(struct device *dev, uint32_t at, const struct decoder_options *o)
{
	*cm(dev, at + BASE_LOW) = o->base;
	*cm(dev, at + BASE_HIGH) = o->base >> 32;
	*cm(dev, at + SIZE_LOW) = o->size;
	*cm(dev, at + SIZE_HIGH) = o->size >> 32;
	*cm(dev, at + CTRL) = o->ig | o->iw << 4 | o->target << 12;
	if (o->committed)
		*cm(dev, at + CTRL) |= CTRL_COMMIT | CTRL_COMMITTED;
	if (o->locked)
		*cm(dev, at + CTRL) |= CTRL_LOCK;
}

static void build_hdm(struct device *dev)
{
	*cm(dev, HDM_AT) = count_code(dev);
	*cm(dev, HDM_AT + HDM_GLOBAL) = dev->options.global_control;
	for (unsigned int n = 0; n < dev->options.decoders; n++)
		build_decoder(dev, HDM_AT + DECODER(n), &dev->options.decoder[n]);
}

/* Put the registers in the state that firmware left, as the options say */
void comp_build(struct device *dev)
{
	unsigned int n = 0;

	memset(&dev->comp, 0, sizeof(dev->comp));
	dev->comp.ras = RAS_AT;
	*cm(dev, RAS_AT) = dev->options.ras_uncorrectable;
	*cm(dev, RAS_AT + RAS_MASK) = RAS_UNCORRECTABLE;
	*cm(dev, RAS_AT + RAS_SEVERITY) = RAS_UNCORRECTABLE;
	*cm(dev, RAS_AT + RAS_CORRECTABLE) = dev->options.ras_correctable;
	*cm(dev, IDE_AT) = 0x1de1de00;
	*cm(dev, SECURITY_AT) = 0x5ec5ec00;

	*cm(dev, 4 * ++n) = entry(CAP_RAS, 3, RAS_AT);
	*cm(dev, 4 * ++n) = entry(CAP_SECURITY, 1, SECURITY_AT);
	if (!misbehaves(dev, MIS_NO_HDM_CAP)) {
		uint32_t at = HDM_AT;

		dev->comp.hdm = HDM_AT;
		build_hdm(dev);
		if (misbehaves(dev, MIS_CAP_PAST_BLOCK))
			at = CM_SIZE - 4;
		if (misbehaves(dev, MIS_CAP_IN_ARRAY))
			at = 4;
		if (misbehaves(dev, MIS_CAP_LOOP))
			at = 0;
		*cm(dev, 4 * ++n) = entry(CAP_HDM, 3, at);
	}
	*cm(dev, 4 * ++n) = entry(CAP_IDE, 2, IDE_AT);
	if (misbehaves(dev, MIS_TWO_HDM))
		*cm(dev, 4 * ++n) = entry(CAP_HDM, 3, SECOND_HDM_AT);
	if (misbehaves(dev, MIS_ARRAY_255))
		n = 255;
	*cm(dev, 0) = entry(misbehaves(dev, MIS_ARRAY_HEADER) ? 2 : 1, 1, 0) | 1 << 20 | n << 24;
	if (misbehaves(dev, MIS_ONES_HDM))
		memset(cm(dev, HDM_AT), 0xff, DECODER(dev->options.decoders));
	if (misbehaves(dev, MIS_ONES_DECODER))
		memset(cm(dev, HDM_AT + DECODER(0)), 0xff, 0x20 * dev->options.decoders);
}

/* What decoder @n decodes; false if it is not committed */
bool comp_decoder(const struct device *dev, unsigned int n, uint64_t *base, uint64_t *size)
{
	const uint32_t *reg = &dev->comp.cm[(HDM_AT + DECODER(n)) / 4];

	if (!dev->comp.hdm || !(reg[CTRL / 4] & CTRL_COMMITTED))
		return false;
	*base = (uint64_t)reg[BASE_HIGH / 4] << 32 | reg[BASE_LOW / 4];
	*size = (uint64_t)reg[SIZE_HIGH / 4] << 32 | reg[SIZE_LOW / 4];
	return true;
}

/*
 * Are the ranges of the CXL Device DVSEC decoded in place of decoders?  (8.2.4.20.2)  Only
 * without a committed decoder: what decoders map is the device's memory even while they
 * are not enabled.
 */
bool comp_uses_ranges(const struct device *dev)
{
	uint64_t base, size;

	if (!dev->comp.hdm)
		return true;
	for (unsigned int n = 0; n < dev->options.decoders; n++)
		if (comp_decoder(dev, n, &base, &size))
			return false;
	return !(dev->comp.cm[(HDM_AT + HDM_GLOBAL) / 4] & 2);
}

/* Does an enabled decoder decode the host physical address @hpa? */
bool comp_decodes(const struct device *dev, uint64_t hpa)
{
	uint64_t base, size;

	if (!dev->comp.hdm || !(dev->comp.cm[(HDM_AT + HDM_GLOBAL) / 4] & 2))
		return false;
	for (unsigned int n = 0; n < dev->options.decoders; n++)
		if (comp_decoder(dev, n, &base, &size) && hpa >= base && hpa - base < size)
			return true;
	return false;
}

/* Decoder 0 comes back other than it was, and cannot be changed */
void comp_resize(struct device *dev)
{
	uint32_t at = HDM_AT + DECODER(0);

	build_decoder(dev, at, &dev->options.decoder[0]);
	*cm(dev, at + SIZE_LOW) = dev->options.decoder[0].size / 2;
	*cm(dev, at + SIZE_HIGH) = dev->options.decoder[0].size / 2 >> 32;
	*cm(dev, at + CTRL) |= CTRL_LOCK;
}

/* Lose what --lose-what says of the HDM registers, and nothing else */
void comp_lose(struct device *dev)
{
	if (dev->options.lose_what & LOSE_GLOBAL)
		*cm(dev, HDM_AT + HDM_GLOBAL) = 0;
	for (unsigned int n = 0; n < dev->options.decoders; n++)
		if (dev->options.lose_what & LOSE_DECODER(n))
			memset(cm(dev, HDM_AT + DECODER(n)), 0, 0x20);
}

/*
 * A conventional reset loses all decoders, a CXL reset those that are not locked; both
 * the global enable.  FLR and D3hot leave them alone, and RAS is sticky (8.2.4.17).
 */
void comp_reset(struct device *dev, enum reset_kind kind)
{
	if (!dev->comp.hdm || kind == RESET_FLR || kind == RESET_D3)
		return;
	*cm(dev, HDM_AT + HDM_GLOBAL) = 0;
	for (unsigned int n = 0; n < dev->options.decoders; n++) {
		uint32_t *reg = cm(dev, HDM_AT + DECODER(n));

		if (kind == RESET_BUS || !locked(reg[CTRL / 4])) {
			memset(reg, 0, 0x20);
			dev->comp.commit[n].bits = 0;
		}
	}
}

/* Size of the device's memory, which is what its decoders can map */
static uint64_t capacity(const struct device *dev)
{
	uint64_t sum = 0;

	for (unsigned int n = 0; n < dev->options.decoders; n++)
		sum += dev->options.decoder[n].size;
	return sum;
}

static uint64_t reg64(const uint32_t *reg, uint32_t low)
{
	return (uint64_t)reg[low / 4 + 1] << 32 | reg[low / 4];
}

/* What is wrong with decoder @n's settings, or NULL (8.2.4.20.12) */
static const char *settings_error(struct device *dev, unsigned int n)
{
	const uint32_t *reg = cm(dev, HDM_AT + DECODER(n));
	uint64_t base = reg64(reg, BASE_LOW), size = reg64(reg, SIZE_LOW);
	uint64_t dpa = reg64(reg, SKIP_LOW) + size, end = 0;

	for (unsigned int i = 0; i < n; i++) {
		const uint32_t *lower = cm(dev, HDM_AT + DECODER(i));

		dpa += reg64(lower, SKIP_LOW) + reg64(lower, SIZE_LOW);
		if (reg64(lower, SIZE_LOW))
			end = reg64(lower, BASE_LOW) + reg64(lower, SIZE_LOW);
	}
	if ((reg[CTRL / 4] & CTRL_IG) > 6)
		return "interleave granularity is reserved";
	if (reg[CTRL / 4] & CTRL_IW)
		return "the device does not interleave";
	/* A decoder of size 0 decodes nothing, and may be committed */
	if (size && base + size - 1 < base)
		return "the range wraps";
	if (size && base < end)
		return "the range is not above that of the decoders before";
	if (dpa > capacity(dev))
		return "the device has less memory";
	return NULL;
}

static bool may_commit(struct device *dev, unsigned int n)
{
	const char *error = settings_error(dev, n);
	uint64_t base, size;

	if (misbehaves(dev, MIS_COMMIT_ERROR))
		return false;
	if (n && !comp_decoder(dev, n - 1, &base, &size)) {
		misuse(dev, MISUSE_COMMIT_ORDER,
		       "HDM decoder %u is committed before HDM decoder %u", n, n - 1);
		return false;
	}
	if (error)
		misuse(dev, MISUSE_COMMIT_SETTINGS, "HDM decoder %u is committed, but %s", n,
		       error);
	return !error;
}

static void decommit(struct device *dev, unsigned int n, uint32_t *ctrl)
{
	uint64_t base, size;

	if (n + 1 < dev->options.decoders && comp_decoder(dev, n + 1, &base, &size))
		misuse(dev, MISUSE_COMMIT_ORDER,
		       "HDM decoder %u is decommitted before HDM decoder %u", n, n + 1);
	*ctrl &= ~(CTRL_COMMIT | CTRL_COMMITTED);
}

/* A write to CTRL that no lock forbids */
static void write_ctrl(struct device *dev, unsigned int n, uint32_t val)
{
	uint32_t *ctrl = cm(dev, HDM_AT + DECODER(n) + CTRL);
	uint32_t old = *ctrl;

	if (old & CTRL_COMMITTED) {
		if (!(val & CTRL_COMMIT))
			decommit(dev, n, ctrl);
		return;
	}
	*ctrl = (old & ~CTRL_RW) | (val & CTRL_RW);
	if (!(val & CTRL_COMMIT)) {
		*ctrl &= ~CTRL_ERROR;
		dev->comp.commit[n].bits = 0;
	} else if (!(old & CTRL_COMMIT) && !misbehaves(dev, MIS_COMMIT_STUCK)) {
		late_start(&dev->comp.commit[n],
			   may_commit(dev, n) ? CTRL_COMMITTED : CTRL_ERROR);
	}
}

/* Bits of a decoder's register that are RWL, by offset; the rest is reserved or RO */
static uint32_t decoder_bits(uint32_t reg)
{
	static const uint32_t bits[0x20 / 4] = {
		[BASE_LOW / 4] = 0xf0000000, [BASE_HIGH / 4] = 0xffffffff,
		[SIZE_LOW / 4] = 0xf0000000, [SIZE_HIGH / 4] = 0xffffffff,
		[CTRL / 4] = CTRL_RW,
		[SKIP_LOW / 4] = 0xf0000000, [SKIP_HIGH / 4] = 0xffffffff,
	};

	return bits[reg / 4];
}

static void write_decoder(struct device *dev, unsigned int n, uint32_t reg, uint32_t val)
{
	uint32_t *now = cm(dev, HDM_AT + DECODER(n) + reg), rwl = decoder_bits(reg);
	uint32_t ctrl = *cm(dev, HDM_AT + DECODER(n) + CTRL);
	uint32_t fixed = reg == CTRL ? CTRL_COMMITTED | CTRL_ERROR : 0;
	bool decommits = reg == CTRL && !(val & CTRL_COMMIT);

	if (val & ~(rwl | fixed))
		misuse(dev, MISUSE_RESERVED, "HDM decoder %u: %#x written at offset %#x", n, val,
		       reg);
	if ((ctrl & CTRL_COMMITTED) && ((*now ^ val) & rwl) && (locked(ctrl) || !decommits)) {
		misuse(dev, MISUSE_LOCKED,
		       "HDM decoder %u: %#x written at offset %#x, which reads %#x, CTRL %#x", n,
		       val, reg, *now, ctrl);
		return;
	}
	if (reg == CTRL)
		write_ctrl(dev, n, val);
	else
		*now = val & rwl;
}

/* Registers outside the decoders; all others are read-only */
static const struct {
	uint16_t at;
	bool hdm;	/* there only with the HDM Decoder Capability */
	uint32_t rw;
	uint32_t clears;	/* RW1C */
} plain[] = {
	{ RAS_AT, false, 0, RAS_UNCORRECTABLE },
	{ RAS_AT + RAS_MASK, false, RAS_UNCORRECTABLE, 0 },
	{ RAS_AT + RAS_SEVERITY, false, RAS_UNCORRECTABLE, 0 },
	{ RAS_AT + RAS_CORRECTABLE, false, 0, RAS_CORRECTABLES },
	{ RAS_AT + RAS_CORRECTABLE_MASK, false, RAS_CORRECTABLES, 0 },
	{ HDM_AT + HDM_GLOBAL, true, 2, 0 },	/* no poison on decode errors */
};

static void write_plain(struct device *dev, uint32_t at, uint32_t val, uint32_t mask)
{
	uint32_t *now = cm(dev, at);

	for (unsigned int i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (plain[i].at != at || (plain[i].hdm && !dev->comp.hdm))
			continue;
		if (val & ~(plain[i].rw | plain[i].clears))
			misuse(dev, MISUSE_RESERVED, "component registers: %#x written at CM + %#x",
			       val, at);
		*now = (*now & ~(plain[i].rw & mask)) | (val & plain[i].rw);
		*now &= ~(val & plain[i].clears);
		return;
	}
	misuse(dev, MISUSE_READ_ONLY, "component registers: %#x written at CM + %#x", val, at);
}

/* A write to the bytes of @mask in a dword; @val is 0 in the others */
static void write_cm(struct device *dev, uint32_t at, uint32_t val, uint32_t mask)
{
	uint32_t decoder = at - HDM_AT - DECODER(0);

	if (dev->comp.hdm && at >= HDM_AT + DECODER(0) &&
	    at < HDM_AT + DECODER(dev->options.decoders))
		write_decoder(dev, decoder / 0x20, decoder % 0x20,
			      (*cm(dev, at) & ~mask) | val);
	else
		write_plain(dev, at, val, mask);
}

static void write_bytes(struct device *dev, uint64_t at, const uint8_t *buf, uint32_t count)
{
	while (count) {
		uint32_t first = at % 4, n = 4 - first < count ? 4 - first : count;
		uint32_t mask = (n == 4 ? ~0u : (1u << 8 * n) - 1) << 8 * first;
		uint8_t dword[4] = {};

		memcpy(dword + first, buf, n);
		write_cm(dev, at - first, get32(dword), mask);
		at += n;
		buf += n;
		count -= n;
	}
}

static void settle(struct device *dev, unsigned int n, bool read)
{
	*cm(dev, HDM_AT + DECODER(n) + CTRL) |= late_take(&dev->comp.commit[n], read);
}

/* Commit the decoders whose time has come */
void comp_settle(struct device *dev)
{
	for (unsigned int n = 0; n < dev->options.decoders; n++)
		settle(dev, n, false);
}

static void read_cm(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count)
{
	for (unsigned int n = 0; n < dev->options.decoders; n++)
		if (covers(at, count, HDM_AT + DECODER(n) + CTRL))
			settle(dev, n, true);
	memcpy(buf, (uint8_t *)dev->comp.cm + at, count);
}

/* An access to the component block; outside the CM area nothing is there */
void comp_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write)
{
	uint32_t skip = 0;

	if (at % 4 || count != 4)
		misuse(dev, MISUSE_WIDTH, "component block: %u bytes %s at offset %#llx", count,
		       write ? "written" : "read", (unsigned long long)at);
	if (!write)
		memset(buf, misbehaves(dev, MIS_ALL_ONES) ? 0xff : 0, count);
	if (misbehaves(dev, MIS_ALL_ONES))
		return;
	if (at >= CM_OFFSET + CM_SIZE || at + count <= CM_OFFSET) {
		if (write)
			misuse(dev, MISUSE_READ_ONLY, "component block: write at offset %#llx",
			       (unsigned long long)at);
		return;
	}
	if (at < CM_OFFSET)
		skip = CM_OFFSET - at;
	at += skip;
	buf += skip;
	count -= skip;
	if (count > CM_OFFSET + CM_SIZE - at)
		count = CM_OFFSET + CM_SIZE - at;
	if (write)
		write_bytes(dev, at - CM_OFFSET, buf, count);
	else
		read_cm(dev, at - CM_OFFSET, buf, count);
}
