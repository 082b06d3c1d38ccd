// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space: header, PCI Express, power management, MSI-X, and the
 * extended capabilities with the CXL DVSECs (CXL r4.0 8.1).
 */
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

static void allow(struct device *dev, uint32_t at, uint32_t mask)
{
	put32(&dev->writable[at], mask);
}

static void build_bar(struct device *dev, unsigned int i)
{
	const struct bar *bar = &dev->bar[i];
	uint32_t at = PCI_BASE_ADDRESS_0 + 4 * i;
	uint64_t mask = ~(bar->size - 1) & ~0xfull;

	if (!bar->size)
		return;
	put32(&dev->config[at], bar->type);
	allow(dev, at, mask);
	if (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64)
		allow(dev, at + 4, mask >> 32);
	if (bar->type & PCI_BASE_ADDRESS_SPACE_IO)
		dev->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
}

static void build_header(struct device *dev)
{
	const struct profile *p = dev->options.profile;
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

	for (unsigned int i = 0; i < NUM_BARS; i++)
		build_bar(dev, i);
	for (const struct header_word *w = p ? p->header : NULL; w && w->at; w++)
		put32(c + w->at, w->val);
}

static void build_caps(struct device *dev)
{
	uint8_t *c = dev->config;

	c[PM_AT] = PCI_CAP_ID_PM;
	c[PM_AT + 1] = EXP_AT;
	put16(c + PM_AT + PCI_PM_PMC, 3);
	if (!dev->options.soft_reset)
		put16(c + PM_AT + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);

	c[EXP_AT] = PCI_CAP_ID_EXP;
	c[EXP_AT + 1] = MSIX_AT;
	put16(c + EXP_AT + PCI_EXP_FLAGS,
	      2 | (dev->options.rciep ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT) << 4);
	put32(c + EXP_AT + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 1);
	/* An integrated endpoint has no link */
	if (!dev->options.rciep) {
		put32(c + EXP_AT + PCI_EXP_LNKCAP, 5 | 16 << 4);
		put16(c + EXP_AT + PCI_EXP_LNKSTA, 5 | 16 << 4);
	}
	put16(c + EXP_AT + PCI_EXP_DEVCTL, 0x2810);

	c[MSIX_AT] = PCI_CAP_ID_MSIX;
	put16(c + MSIX_AT + PCI_MSIX_FLAGS, T2DEV_MSIX_VECTORS - 1);
	put32(c + MSIX_AT + PCI_MSIX_TABLE, T2DEV_MSIX_TABLE | dev->accel_bar);
	put32(c + MSIX_AT + PCI_MSIX_PBA, T2DEV_MSIX_PBA | dev->accel_bar);
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

static void build_locator(struct device *dev, uint16_t *prev)
{
	uint8_t *c = cxl_dvsec(dev, prev, LOCATOR_AT, 8, 0, 0x0c + 3 * 8);
	uint64_t at = device_block_offset(dev);
	uint32_t bar = dev->comp_bar;

	if (misbehaves(dev, MIS_BLOCK_OUTSIDE_BAR))
		at = dev->bar[dev->comp_bar].size;
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

/* Build the usual chain of extended capabilities, then append the profile's own */
static void build_chain(struct device *dev)
{
	const struct profile *p = dev->options.profile;
	uint16_t prev = 0;
	uint8_t *c;

	c = ext_cap(dev, &prev, DSN_AT, PCI_EXT_CAP_ID_DSN, 1);
	put32(c + 4, 0x00c0ffee);
	put32(c + 8, 0x12345678);

	c = ext_cap(dev, &prev, CONTROL_AT, PCI_EXT_CAP_ID_VNDR, 1);
	put32(c + 4, T2DEV_VSEC_ID | T2DEV_VSEC_REV << 16 | (uint32_t)T2DEV_VSEC_LEN << 20);

	if (!misbehaves(dev, MIS_NO_DVSEC))
		dvsec_build(dev, cxl_dvsec(dev, &prev, DVSEC_AT, 0, 2, dev->options.dvsec_length));
	if (!misbehaves(dev, MIS_NO_LOCATOR))
		build_locator(dev, &prev);
	c = ext_cap(dev, &prev, AER_AT, PCI_EXT_CAP_ID_ERR, 2);
	put32(c + PCI_ERR_UNCOR_SEVER, 0x00462030);
	/* CXL RAS errors are internal errors to PCIe (CXL r4.0 12.2) */
	put32(c + PCI_ERR_UNCOR_STATUS, dev->options.ras_uncorrectable ? PCI_ERR_UNC_INTN : 0);
	put32(c + PCI_ERR_COR_STATUS, dev->options.ras_correctable ? PCI_ERR_COR_INTERNAL : 0);
	c = cxl_dvsec(dev, &prev, FLEXBUS_AT, 7, 2, 0x20);
	put16(c + 0x0a, 0x67);		/* capable of cache, io and mem, 68 B flit */
	put16(c + 0x0c, 0x67);		/* enabled */
	put16(c + 0x0e, 0x67);		/* negotiated */
	for (const struct cap_def *cap = p ? p->caps : NULL; cap && cap->id; cap++) {
		c = ext_cap(dev, &prev, cap->at, cap->id, cap->version);
		for (unsigned int i = 0; i < cap->words; i++)
			put32(c + 4 + 4 * i, cap->body[i]);
	}
}

static bool is_dump(const struct device *dev)
{
	return dev->options.profile && dev->options.profile->dump;
}

/* Build the extended capabilities from the options */
void config_build_ext(struct device *dev)
{
	if (!is_dump(dev)) {
		memset(dev->config + 0x100, 0, CONFIG_SIZE - 0x100);
		build_chain(dev);
		dev->control = CONTROL_AT;
	}
	dev->dvsec = caps_find_ext(dev, PCI_EXT_CAP_ID_DVSEC, CXL_VENDOR, 0);
	dev->doe_at = caps_find_ext(dev, PCI_EXT_CAP_ID_DOE, 0, 0);
	caps_allow(dev);
	memcpy(dev->fresh + 0x100, dev->config + 0x100, CONFIG_SIZE - 0x100);
	doe_reset(dev);
}

/* The header and the standard capabilities as at power-on, and a dump as a whole */
void config_init(struct device *dev)
{
	memset(dev->config, 0, sizeof(dev->config));
	memset(dev->writable, 0, sizeof(dev->writable));
	build_header(dev);
	if (is_dump(dev))
		dump_read(dev->options.profile->dump, dev->options.profile->dump_end, dev->config);
	else
		build_caps(dev);
	dev->pm = caps_find(dev, PCI_CAP_ID_PM);
	dev->exp = caps_find(dev, PCI_CAP_ID_EXP);
	memcpy(dev->fresh, dev->config, 0x100);
	/* What firmware wrote to the header is gone after a reset */
	for (unsigned int i = 0; i < 0x40; i++)
		dev->fresh[i] &= ~dev->writable[i];
}

bool config_low_power(const struct device *dev)
{
	return dev->pm && (dev->config[dev->pm + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK);
}

bool config_memory_enabled(const struct device *dev)
{
	return (get16(&dev->config[PCI_COMMAND]) & PCI_COMMAND_MEMORY) && !config_low_power(dev);
}

bool config_bus_master(const struct device *dev)
{
	return get16(&dev->config[PCI_COMMAND]) & PCI_COMMAND_MASTER;
}

/* Is the whole function reset on its way from D3hot to D0? */
static bool resets_in_d3(const struct device *dev)
{
	return !(get16(&dev->config[dev->pm + PCI_PM_CTRL]) & PCI_PM_CTRL_NO_SOFT_RESET);
}

/*
 * A CXL reset does not touch CXL.io state, and neither does D3hot to D0 while
 * No_Soft_Reset is set.  Other resets restore all writable bits except sticky ones
 * and, for FLR, those that PCIe r6.0 6.6.2 exempts.
 */
void config_reset(struct device *dev, enum reset_kind kind)
{
	const uint8_t *keeps = kind == RESET_BUS ? dev->sticky : dev->flr_keeps;

	if (kind == RESET_CXL || (kind == RESET_D3 && !resets_in_d3(dev)))
		return;
	for (unsigned int i = 0; i < CONFIG_SIZE; i++) {
		uint8_t lost = (dev->writable[i] | dev->clears[i]) & ~keeps[i];

		dev->config[i] = (dev->config[i] & ~lost) | (dev->fresh[i] & lost);
	}
	doe_reset(dev);
	engine_reset(dev);
}

/* Write the writable bits; a power state that the function does not support is ignored */
static void write_plain(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	uint8_t *pmcsr = &dev->config[dev->pm + PCI_PM_CTRL];
	uint16_t pmc = get16(&dev->config[dev->pm + PCI_PM_PMC]);
	uint8_t state = *pmcsr & PCI_PM_CTRL_STATE_MASK, new;

	for (uint32_t i = at; i < at + count; i++) {
		uint8_t val = buf[i - at], rw = dev->writable[i];

		dev->config[i] = (dev->config[i] & ~rw) | (val & rw);
		dev->config[i] &= ~(val & dev->clears[i]);
	}
	new = *pmcsr & PCI_PM_CTRL_STATE_MASK;
	if (dev->pm && ((new == 1 && !(pmc & PCI_PM_CAP_D1)) ||
			(new == 2 && !(pmc & PCI_PM_CAP_D2))))
		*pmcsr = (*pmcsr & ~PCI_PM_CTRL_STATE_MASK) | state;
}

static void write_std(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	uint32_t flr = dev->exp + PCI_EXP_DEVCTL + 1;
	bool was_d3 = config_low_power(dev), was_on = config_memory_enabled(dev);

	write_plain(dev, at, buf, count);
	if (was_on && !config_memory_enabled(dev))
		device_watch(dev);
	/* The test machine's firmware enables memory space of each device: undo that once */
	if (dev->options.memory_off && !dev->firmware_done && config_memory_enabled(dev)) {
		dev->firmware_done = true;
		dev->config[PCI_COMMAND] &= ~PCI_COMMAND_MEMORY;
	}
	dev->used |= config_memory_enabled(dev);
	if (was_d3 && !config_low_power(dev))
		device_reset(dev, RESET_D3);
	if (covers(at, count, flr) && (buf[flr - at] & (PCI_EXP_DEVCTL_BCR_FLR >> 8)))
		device_reset(dev, RESET_FLR);
}

static void write_config(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	write_std(dev, at, buf, count);
	control_write(dev, at, buf, count);
	dvsec_write(dev, at, buf, count);
	if (dev->doe_at && count == 4 && at >= dev->doe_at && at < dev->doe_at + 0x18)
		doe_write(dev, at - dev->doe_at, get32(buf));
}

/* An access to configuration space; the caller checked its bounds */
void config_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write)
{
	if (write) {
		write_config(dev, at, buf, count);
		return;
	}
	dvsec_before_read(dev, at, count);
	if (dev->control)
		put32(&dev->config[dev->control + T2DEV_CTL_TOUCHED], dev->touched);
	memcpy(buf, &dev->config[at], count);
}
