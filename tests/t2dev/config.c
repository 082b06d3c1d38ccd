// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space: header, PCI Express, power management, MSI-X, and the
 * extended capabilities with the CXL DVSECs (CXL r4.0 8.1).
 */
#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"

#define PM_AT		0x40
#define EXP_AT		0x50
#define MSIX_AT		0x90

#define DSN_AT		0x100
#define CONTROL_AT	0x110		/* never moves: tests rely on it */
#define DVSEC_AT	0x130
#define LOCATOR_AT	0x180
#define AER_AT		0x1d0
#define FLEXBUS_AT	0x1b0

#define CXL_VENDOR	0x1e98
#define DVSEC_CAP	0x0a
#define DVSEC_CTRL	0x0c
#define DVSEC_STATUS	0x0e
#define DVSEC_CTRL2	0x10
#define DVSEC_STATUS2	0x12
#define DVSEC_LOCK	0x14
#define CTRL2_WBI	(1 << 1)
#define CTRL2_RESET	(1 << 2)
#define CTRL2_CLEAR	(1 << 3)

static void allow(struct device *dev, uint32_t at, uint32_t mask)
{
	put32(&dev->writable[at], mask);
}

static void build_header(struct device *dev)
{
	uint8_t *c = dev->config;

	put16(c + PCI_VENDOR_ID, T2DEV_VENDOR_ID);
	put16(c + PCI_DEVICE_ID, T2DEV_DEVICE_ID);
	put16(c + PCI_STATUS, PCI_STATUS_CAP_LIST);
	put32(c + PCI_CLASS_REVISION, T2DEV_CLASS << 8 | 1);
	put16(c + PCI_SUBSYSTEM_VENDOR_ID, T2DEV_VENDOR_ID);
	put16(c + PCI_SUBSYSTEM_ID, 1);
	c[PCI_CAPABILITY_LIST] = PM_AT;
	put16(&dev->writable[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
	      PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	dev->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	dev->writable[PCI_INTERRUPT_LINE] = 0xff;

	for (unsigned int bar = 0; bar < 4; bar += 2) {
		uint64_t mask = ~(device_region_size(dev, bar) - 1);

		put32(c + PCI_BASE_ADDRESS_0 + 4 * bar, PCI_BASE_ADDRESS_MEM_TYPE_64 |
		      PCI_BASE_ADDRESS_MEM_PREFETCH);
		allow(dev, PCI_BASE_ADDRESS_0 + 4 * bar, mask);
		allow(dev, PCI_BASE_ADDRESS_0 + 4 * bar + 4, mask >> 32);
	}
	if (dev->options.io_bar) {
		put32(c + PCI_BASE_ADDRESS_0 + 4 * IO_BAR, PCI_BASE_ADDRESS_SPACE_IO);
		allow(dev, PCI_BASE_ADDRESS_0 + 4 * IO_BAR, ~(IO_BAR_SIZE - 1));
		dev->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
	}
}

static void build_caps(struct device *dev)
{
	uint8_t *c = dev->config;

	dev->pm = PM_AT;
	c[PM_AT] = PCI_CAP_ID_PM;
	c[PM_AT + 1] = EXP_AT;
	put16(c + PM_AT + PCI_PM_PMC, 3);
	put16(c + PM_AT + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	put16(&dev->writable[PM_AT + PCI_PM_CTRL], PCI_PM_CTRL_STATE_MASK);

	dev->exp = EXP_AT;
	c[EXP_AT] = PCI_CAP_ID_EXP;
	c[EXP_AT + 1] = MSIX_AT;
	put16(c + EXP_AT + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(c + EXP_AT + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 1);
	put32(c + EXP_AT + PCI_EXP_LNKCAP, 5 | 16 << 4);
	put16(c + EXP_AT + PCI_EXP_LNKSTA, 5 | 16 << 4);
	put16(c + EXP_AT + PCI_EXP_DEVCTL, 0x2810);
	put16(&dev->writable[EXP_AT + PCI_EXP_DEVCTL], 0x7fff);
	put16(&dev->writable[EXP_AT + PCI_EXP_LNKCTL], 0x00c0);

	c[MSIX_AT] = PCI_CAP_ID_MSIX;
	put16(c + MSIX_AT + PCI_MSIX_FLAGS, T2DEV_MSIX_VECTORS - 1);
	put32(c + MSIX_AT + PCI_MSIX_TABLE, T2DEV_MSIX_TABLE | T2DEV_ACCEL_BAR);
	put32(c + MSIX_AT + PCI_MSIX_PBA, T2DEV_MSIX_PBA | T2DEV_ACCEL_BAR);
	put16(&dev->writable[MSIX_AT + PCI_MSIX_FLAGS], PCI_MSIX_FLAGS_ENABLE |
	      PCI_MSIX_FLAGS_MASKALL);
}

/* Append an extended capability to the chain, the last of which is *@prev */
static uint8_t *ext_cap(struct device *dev, uint16_t *prev, uint16_t at, uint16_t id,
			uint8_t version)
{
	put32(&dev->config[at], id | version << 16);
	if (*prev)
		put32(&dev->config[*prev], get32(&dev->config[*prev]) | (uint32_t)at << 20);
	*prev = at;
	return &dev->config[at];
}

static uint8_t *cxl_dvsec(struct device *dev, uint16_t *prev, uint16_t at, uint16_t id,
			  uint8_t rev, uint16_t len)
{
	uint8_t *c = ext_cap(dev, prev, at, PCI_EXT_CAP_ID_DVSEC, 1);

	put32(c + 4, CXL_VENDOR | rev << 16 | (uint32_t)len << 20);
	put16(c + 8, id);
	return c;
}

static void build_device_dvsec(struct device *dev, uint16_t *prev)
{
	unsigned int ranges = dev->options.decoders > 1 ? 2 : 1;
	uint16_t cap = 1 | 2 | 4 | 8 | ranges << 4 | 1 << 6 | 1 << 7 | 1 << 8 |
		       dev->options.mem_clear << 11;
	uint8_t *c = cxl_dvsec(dev, prev, DVSEC_AT, 0, 2, dev->options.dvsec_length);

	dev->dvsec = DVSEC_AT;
	if (misbehaves(dev, MIS_NO_MEM_CAPABLE))
		cap &= ~4;
	put16(c + DVSEC_CAP, cap);
	put16(c + DVSEC_CTRL, dev->options.control);
	put16(c + DVSEC_LOCK, dev->options.config_lock);
	put16(c + 0x16, 1 | 4 << 8);			/* 256 KiB of cache */
	for (unsigned int i = 0; i < ranges; i++) {
		const struct decoder_options *o = &dev->options.decoder[i];
		uint8_t *range = c + 0x18 + 0x10 * i;

		put32(range, o->size >> 32);
		put32(range + 4, (o->size & 0xf0000000) | 2 << 2 | 2 << 5 |
		      dev->options.active_timeout << 13 |
		      (misbehaves(dev, MIS_NOT_ACTIVE) ? 1 : 3));
		put32(range + 8, o->base >> 32);
		put32(range + 12, o->base & 0xf0000000);
	}
	if (misbehaves(dev, MIS_ONES_RANGE))
		memset(c + 0x1c, 0xff, 4);
	if (misbehaves(dev, MIS_ONES_DVSEC))
		memset(c + DVSEC_CAP, 0xff, dev->options.dvsec_length - DVSEC_CAP);
}

static void build_locator(struct device *dev, uint16_t *prev)
{
	uint8_t *c = cxl_dvsec(dev, prev, LOCATOR_AT, 8, 0, 0x0c + 3 * 8);
	uint64_t at = device_block_offset(dev);
	uint32_t bar = T2DEV_COMP_BAR;

	if (misbehaves(dev, MIS_BLOCK_OUTSIDE_BAR))
		at = dev->options.bar_size;
	if (misbehaves(dev, MIS_BLOCK_WRAPS))
		at = 0xffffffffffff0000;
	if (misbehaves(dev, MIS_BIR_INVALID))
		bar = 7;
	if (misbehaves(dev, MIS_BIR_UNIMPLEMENTED))
		bar = 5;
	if (misbehaves(dev, MIS_BIR_IO))
		bar = IO_BAR;
	if (misbehaves(dev, MIS_LOCATOR_LONG))
		put32(c + 4, get32(c + 4) | 0xfff00000);
	if (misbehaves(dev, MIS_LOCATOR_SHORT))
		put32(c + 4, (get32(c + 4) & 0xfffff) | 0x0c << 20);
	/* An empty entry, that of the component registers, another empty one */
	put32(c + 0x14, (at & 0xffff0000) | 1 << 8 | bar);
	put32(c + 0x18, at >> 32);
	if (misbehaves(dev, MIS_LOCATOR_REPEATED))
		memcpy(c + 0x1c, c + 0x14, 8);
	if (misbehaves(dev, MIS_ONES_LOCATOR))
		memset(c + 0x0c, 0xff, 3 * 8);
}

/* The extended capabilities anew, as the options say */
void config_build_ext(struct device *dev)
{
	uint16_t prev = 0;
	uint8_t *c;

	memset(dev->config + 0x100, 0, CONFIG_SIZE - 0x100);
	dev->dvsec = 0;

	c = ext_cap(dev, &prev, DSN_AT, PCI_EXT_CAP_ID_DSN, 1);
	put32(c + 4, 0x00c0ffee);
	put32(c + 8, 0x12345678);

	dev->control = CONTROL_AT;
	c = ext_cap(dev, &prev, CONTROL_AT, PCI_EXT_CAP_ID_VNDR, 1);
	put32(c + 4, T2DEV_VSEC_ID | T2DEV_VSEC_REV << 16 | (uint32_t)T2DEV_VSEC_LEN << 20);

	if (!misbehaves(dev, MIS_NO_DVSEC))
		build_device_dvsec(dev, &prev);
	if (!misbehaves(dev, MIS_NO_LOCATOR))
		build_locator(dev, &prev);
	ext_cap(dev, &prev, AER_AT, PCI_EXT_CAP_ID_ERR, 2);
	put32(&dev->config[AER_AT + PCI_ERR_UNCOR_SEVER], 0x00462030);
	allow(dev, AER_AT + PCI_ERR_UNCOR_MASK, ~0u);
	allow(dev, AER_AT + PCI_ERR_UNCOR_SEVER, ~0u);
	allow(dev, AER_AT + PCI_ERR_COR_MASK, ~0u);
	c = cxl_dvsec(dev, &prev, FLEXBUS_AT, 7, 2, 0x20);
	put16(c + 0x0a, 0x67);		/* capable of cache, io and mem, 68 B flit */
	put16(c + 0x0c, 0x67);		/* enabled */
	put16(c + 0x0e, 0x67);		/* negotiated */
}

void config_init(struct device *dev)
{
	memset(dev->config, 0, sizeof(dev->config));
	memset(dev->writable, 0, sizeof(dev->writable));
	build_header(dev);
	build_caps(dev);
	config_build_ext(dev);
}

bool config_memory_enabled(const struct device *dev)
{
	return (get16(&dev->config[PCI_COMMAND]) & PCI_COMMAND_MEMORY) &&
	       !(get16(&dev->config[dev->pm + PCI_PM_CTRL]) & PCI_PM_CTRL_STATE_MASK);
}

bool config_bus_master(const struct device *dev)
{
	return get16(&dev->config[PCI_COMMAND]) & PCI_COMMAND_MASTER;
}

/* What any reset does to the writable bits of the header and capabilities */
void config_reset(struct device *dev, enum reset_kind kind)
{
	if (kind == RESET_CXL || kind == RESET_D3)
		return;
	for (unsigned int i = 0; i < 0x100; i++)
		dev->config[i] &= ~dev->writable[i];
	put16(&dev->config[dev->exp + PCI_EXP_DEVCTL], 0x2810);
}

/* Memory_Active of all ranges */
void config_set_active(struct device *dev, bool active)
{
	for (unsigned int i = 0; i < 2 && dev->dvsec; i++) {
		uint8_t *low = &dev->config[dev->dvsec + 0x1c + 0x10 * i];

		put32(low, active && (get32(low) & 1) ? get32(low) | 2 : get32(low) & ~2u);
	}
}

/* CONTROL2's doorbells */
static void write_ctrl2(struct device *dev, uint16_t val)
{
	uint8_t *c = &dev->config[dev->dvsec];
	uint16_t status = get16(c + DVSEC_STATUS2);

	put16(c + DVSEC_CTRL2, val & 0x39);
	if (val & CTRL2_WBI)
		put16(c + DVSEC_STATUS2, status |= 1);
	if (!(val & CTRL2_RESET))
		return;
	if ((val & CTRL2_CLEAR) && dev->options.mem_clear)
		device_clear_memory(dev);
	device_reset(dev, RESET_CXL);
	status &= ~7;
	if (misbehaves(dev, MIS_RESET_ERROR))
		status |= 4;
	else if (!misbehaves(dev, MIS_RESET_HANGS))
		status |= 2;
	put16(c + DVSEC_STATUS2, status);
}

/* A 16-bit unit of the CXL Device DVSEC, already merged with what was there */
static void write_dvsec(struct device *dev, uint16_t at, uint16_t val)
{
	uint8_t *c = &dev->config[dev->dvsec];
	bool locked = get16(c + DVSEC_LOCK) & 1;

	switch (at) {
	case DVSEC_CTRL:
		if (!locked)
			put16(c + at, (val & 0x4ffd) | 2);
		break;
	case DVSEC_STATUS:
		put16(c + at, get16(c + at) & ~(val & 0x4000));
		break;
	case DVSEC_CTRL2:
		write_ctrl2(dev, val);
		break;
	case DVSEC_STATUS2:
		put16(c + at, get16(c + at) & ~(val & 8));
		break;
	case DVSEC_LOCK:
		put16(c + at, get16(c + at) | (val & 1));
		break;
	case 0x20:
	case 0x22:
	case 0x30:
	case 0x32:
		if (!locked)
			put16(c + at, val);
		break;
	case 0x26:
	case 0x36:
		if (!locked)
			put16(c + at, val & 0xf000);
		break;
	}
}

static void control_append(struct device *dev, const uint8_t *buf, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (buf[i] && dev->line_len < sizeof(dev->line) - 1)
			dev->line[dev->line_len++] = buf[i];
	dev->line[dev->line_len] = 0;
}

static void control_go(struct device *dev, uint32_t what)
{
	uint32_t result = EINVAL;

	if (what == T2DEV_GO_APPLY)
		result = device_configure(dev, dev->line);
	else if (what == T2DEV_GO_RESTORE)
		result = device_configure(dev, NULL);
	else if (what == T2DEV_GO_CLEAR)
		result = 0;
	else if (what == T2DEV_GO_DIE)
		dev->dying = true;
	dev->line_len = 0;
	dev->line[0] = 0;
	put32(&dev->config[dev->control + T2DEV_CTL_RESULT], result);
}

static void write_plain(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t mask = dev->writable[at + i];

		dev->config[at + i] = (dev->config[at + i] & ~mask) | (buf[i] & mask);
	}
}

static bool covers(uint32_t at, uint32_t count, uint32_t byte)
{
	return byte >= at && byte - at < count;
}

static void write_std(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	uint32_t flr = dev->exp + PCI_EXP_DEVCTL + 1, pmcsr = dev->pm + PCI_PM_CTRL;
	bool was_d3 = dev->config[pmcsr] & PCI_PM_CTRL_STATE_MASK;
	bool was_on = config_memory_enabled(dev);

	write_plain(dev, at, buf, count);
	if (was_on && !config_memory_enabled(dev))
		device_watch(dev);
	if (was_d3 && !(dev->config[pmcsr] & PCI_PM_CTRL_STATE_MASK))
		device_reset(dev, RESET_D3);
	if (covers(at, count, flr) && (buf[flr - at] & (PCI_EXP_DEVCTL_BCR_FLR >> 8)))
		device_reset(dev, RESET_FLR);
}

static void write_config(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	uint32_t end = dev->dvsec + dev->options.dvsec_length;

	if (at < 0x100) {
		write_std(dev, at, buf, count);
		return;
	}
	if (at >= AER_AT && at + count <= AER_AT + 0x48)
		write_plain(dev, at, buf, count);
	if (at == dev->control + T2DEV_CTL_DATA)
		control_append(dev, buf, count);
	else if (at == dev->control + T2DEV_CTL_GO && count == 4)
		control_go(dev, get32(buf));
	if (!dev->dvsec)
		return;
	for (uint32_t unit = at & ~1u; unit < at + count; unit += 2) {
		uint8_t both[2];

		if (unit < dev->dvsec + DVSEC_CTRL || unit >= end)
			continue;
		memcpy(both, &dev->config[unit], 2);
		for (uint32_t i = 0; i < 2; i++)
			if (covers(at, count, unit + i))
				both[i] = buf[unit + i - at];
		write_dvsec(dev, unit - dev->dvsec, get16(both));
	}
}

/* An access to configuration space; the caller checked its bounds */
void config_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write)
{
	if (write) {
		write_config(dev, at, buf, count);
		return;
	}
	/* Memory comes back after it was looked at a few times, or never */
	if (dev->inactive && dev->inactive != ~0u && covers(at, count, dev->dvsec + 0x1c) &&
	    !--dev->inactive)
		config_set_active(dev, true);
	put32(&dev->config[dev->control + T2DEV_CTL_TOUCHED], dev->touched);
	memcpy(buf, &dev->config[at], count);
}
