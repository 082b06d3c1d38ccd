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

#define HDM_GLOBAL	0x04
#define DECODER(n)	(0x10 + 0x20 * (n))
#define BASE_LOW	0x00
#define BASE_HIGH	0x04
#define SIZE_LOW	0x08
#define SIZE_HIGH	0x0c
#define CTRL		0x10
#define SKIP_LOW	0x14
#define SKIP_HIGH	0x18

#define CTRL_RW		0x37ffu
#define CTRL_LOCK	(1u << 8)
#define CTRL_COMMIT	(1u << 9)
#define CTRL_COMMITTED	(1u << 10)
#define CTRL_ERROR	(1u << 11)

static uint32_t *cm(struct device *dev, uint32_t at)
{
	return &dev->comp.cm[at / 4];
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
	*cm(dev, RAS_AT + 0x04) = 0x0001cfff;	/* uncorrectable error mask */
	*cm(dev, RAS_AT + 0x08) = 0x0001cfff;	/* and severity */
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

static bool may_commit(struct device *dev, unsigned int n)
{
	uint32_t *reg = cm(dev, HDM_AT + DECODER(n));
	uint64_t base = (uint64_t)reg[BASE_HIGH / 4] << 32 | reg[BASE_LOW / 4];
	uint64_t size = (uint64_t)reg[SIZE_HIGH / 4] << 32 | reg[SIZE_LOW / 4];
	uint64_t prev_base, prev_size;

	if (misbehaves(dev, MIS_COMMIT_ERROR))
		return false;
	if (!size || base + size - 1 < base || (reg[CTRL / 4] & 0xf) > 6 ||
	    (reg[CTRL / 4] >> 4 & 0xf))
		return false;
	if (!n)
		return true;
	return comp_decoder(dev, n - 1, &prev_base, &prev_size) && base >= prev_base + prev_size;
}

static void write_ctrl(struct device *dev, unsigned int n, uint32_t val)
{
	uint32_t *ctrl = cm(dev, HDM_AT + DECODER(n) + CTRL);
	uint32_t old = *ctrl;

	if (old & CTRL_COMMITTED) {
		if (!(val & CTRL_COMMIT))
			*ctrl &= ~(CTRL_COMMIT | CTRL_COMMITTED);
		return;
	}
	*ctrl = (old & ~CTRL_RW) | (val & CTRL_RW & ~(CTRL_COMMITTED | CTRL_ERROR));
	if (!(val & CTRL_COMMIT))
		*ctrl &= ~CTRL_ERROR;
	else if (misbehaves(dev, MIS_COMMIT_STUCK))
		return;
	else if (!(old & CTRL_COMMIT))
		*ctrl |= may_commit(dev, n) ? CTRL_COMMITTED : CTRL_ERROR;
	else
		*ctrl |= old & CTRL_ERROR;
}

static void write_decoder(struct device *dev, unsigned int n, uint32_t reg, uint32_t val)
{
	uint32_t ctrl = *cm(dev, HDM_AT + DECODER(n) + CTRL);

	if ((ctrl & CTRL_COMMITTED) && (ctrl & CTRL_LOCK))
		return;
	switch (reg) {
	case CTRL:
		write_ctrl(dev, n, val);
		return;
	case BASE_LOW:
	case SIZE_LOW:
	case SKIP_LOW:
		val &= 0xf0000000;
		break;
	case BASE_HIGH:
	case SIZE_HIGH:
	case SKIP_HIGH:
		break;
	default:
		return;
	}
	if (!(ctrl & CTRL_COMMITTED))
		*cm(dev, HDM_AT + DECODER(n) + reg) = val;
}

static void write_cm(struct device *dev, uint32_t at, uint32_t val)
{
	uint32_t hdm = at - HDM_AT;

	if (at == RAS_AT || at == RAS_AT + 0x0c) {
		*cm(dev, at) &= ~val;			/* status: RW1C */
	} else if (at == RAS_AT + 0x04 || at == RAS_AT + 0x08 || at == RAS_AT + 0x10) {
		*cm(dev, at) = val;
	} else if (dev->comp.hdm && at >= HDM_AT && hdm < DECODER(dev->options.decoders)) {
		if (hdm == HDM_GLOBAL)
			*cm(dev, at) = val & 2;
		else if (hdm >= DECODER(0))
			write_decoder(dev, (hdm - 0x10) / 0x20, (hdm - 0x10) % 0x20, val);
	}
}

static void write_bytes(struct device *dev, uint64_t at, const uint8_t *buf, uint32_t count)
{
	while (count) {
		uint32_t first = at % 4, n = 4 - first < count ? 4 - first : count;
		uint8_t dword[4];

		put32(dword, *cm(dev, at - first));
		memcpy(dword + first, buf, n);
		write_cm(dev, at - first, get32(dword));
		at += n;
		buf += n;
		count -= n;
	}
}

/* An access to the component block; outside the CM area nothing is there */
void comp_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write)
{
	uint32_t skip = 0;

	if (!write)
		memset(buf, misbehaves(dev, MIS_ALL_ONES) ? 0xff : 0, count);
	if (misbehaves(dev, MIS_ALL_ONES) || at >= CM_OFFSET + CM_SIZE || at + count <= CM_OFFSET)
		return;
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
		memcpy(buf, (uint8_t *)dev->comp.cm + at - CM_OFFSET, count);
}
