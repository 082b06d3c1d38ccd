// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bits of a capability a host can write, and what resets do to them: one
 * table for all devices, PCIe r6.0 7.5 to 7.9.  Registers missing from the table
 * are read-only.
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"

/* Resets that leave a register alone */
enum keep { KEEP_NONE, KEEP_FLR, KEEP_ALL };

/* Bits in the dword at @at of capability @id, where all @gate bits at @gate_at are set */
static const struct rule {
	uint16_t id;
	uint16_t at;
	uint32_t rw;
	uint32_t clears;	/* RW1C */
	enum keep keep;
	uint16_t gate_at;
	uint32_t gate;
} std_rules[] = {
	{ PCI_CAP_ID_PM, 4, 0x3, 0, KEEP_FLR, 0, 0 },
	{ PCI_CAP_ID_PM, 4, 0x100, 0x8000, KEEP_ALL, 0, 0x80000000 },	/* PME from D3cold */
	/* The form with 64-bit addresses and masks */
	{ PCI_CAP_ID_MSI, 0, 0x00710000, 0, KEEP_NONE, 0, 0x01800000 },
	{ PCI_CAP_ID_MSI, 4, 0xfffffffc, 0, KEEP_NONE, 0, 0x01800000 },
	{ PCI_CAP_ID_MSI, 8, 0xffffffff, 0, KEEP_NONE, 0, 0x01800000 },
	{ PCI_CAP_ID_MSI, 12, 0x0000ffff, 0, KEEP_NONE, 0, 0x01800000 },
	{ PCI_CAP_ID_MSI, 16, 0x0000000f, 0, KEEP_NONE, 0, 0x01800000 },
	{ PCI_CAP_ID_MSIX, 0, 0xc0000000, 0, KEEP_NONE, 0, 0 },
	/* Device Control without Initiate FLR, which reads 0; FLR keeps Max_Payload_Size */
	{ PCI_CAP_ID_EXP, PCI_EXP_DEVCTL, 0x00007f1f, 0x000f0000, KEEP_NONE, 0, 0 },
	{ PCI_CAP_ID_EXP, PCI_EXP_DEVCTL, 0x000000e0, 0, KEEP_FLR, 0, 0 },
	{ PCI_CAP_ID_EXP, PCI_EXP_LNKCTL, 0x000000c0, 0, KEEP_FLR, PCI_EXP_LNKCAP, 0x1 },
	{ PCI_CAP_ID_EXP, PCI_EXP_DEVCTL2, 0x0000000f, 0, KEEP_NONE, PCI_EXP_DEVCAP2, 0x2 },
	{ PCI_CAP_ID_EXP, PCI_EXP_DEVCTL2, 0x00000010, 0, KEEP_NONE, PCI_EXP_DEVCAP2, 0x10 },
	{ PCI_CAP_ID_EXP, PCI_EXP_DEVCTL2, 0x00000400, 0, KEEP_FLR, PCI_EXP_DEVCAP2, 0x800 },
}, ext_rules[] = {
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_STATUS, 0, 0x0ffff030, KEEP_ALL, 0, 0 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_MASK, 0x0ffff030, 0, KEEP_ALL, 0, 0 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_SEVER, 0x0ffff030, 0, KEEP_ALL, 0, 0 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_COR_STATUS, 0, 0x0000f1c1, KEEP_ALL, 0, 0 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_COR_MASK, 0x0000f1c1, 0, KEEP_ALL, 0, 0 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_CAP, 0x0040, 0, KEEP_ALL, PCI_ERR_CAP, 0x0020 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_CAP, 0x0100, 0, KEEP_ALL, PCI_ERR_CAP, 0x0080 },
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_CAP, 0x0400, 0, KEEP_ALL, PCI_ERR_CAP, 0x0200 },
	{ PCI_EXT_CAP_ID_ATS, 4, 0x801f0000, 0, KEEP_NONE, 0, 0 },
	{ PCI_EXT_CAP_ID_PRI, 4, 0x00000001, 0x00030000, KEEP_NONE, 0, 0 },
	{ PCI_EXT_CAP_ID_PRI, 12, 0xffffffff, 0, KEEP_NONE, 0, 0 },
	{ PCI_EXT_CAP_ID_PASID, 4, 0x00010000, 0, KEEP_NONE, 0, 0 },
	{ PCI_EXT_CAP_ID_PASID, 4, 0x00020000, 0, KEEP_NONE, 4, 0x2 },
	{ PCI_EXT_CAP_ID_PASID, 4, 0x00040000, 0, KEEP_NONE, 4, 0x4 },
	{ PCI_EXT_CAP_ID_LTR, 4, 0x1fff1fff, 0, KEEP_FLR, 0, 0 },
	{ PCI_EXT_CAP_ID_ACS, 4, 0x00040000, 0, KEEP_NONE, 4, 0x04 },
	{ PCI_EXT_CAP_ID_ACS, 4, 0x00080000, 0, KEEP_NONE, 4, 0x08 },
	{ PCI_EXT_CAP_ID_ACS, 4, 0x00400000, 0, KEEP_NONE, 4, 0x40 },
	{ PCI_EXT_CAP_ID_REBAR, 8, 0x00003f00, 0, KEEP_ALL, 0, 0 },
	{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_CTRL, 0x00000009, 0, KEEP_NONE, 0, 0 },
	{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_NUM_VF, 0x0000ffff, 0, KEEP_NONE, 0, 0 },
	/* The first stream, where there are selective ones only */
	{ EXT_CAP_IDE, 0x10, 0xffffc3ff, 0, KEEP_NONE, 4, 0x2 },
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* A standard capability's place, or 0 */
uint32_t caps_find(const struct device *dev, uint16_t id)
{
	uint32_t at = dev->config[PCI_CAPABILITY_LIST];

	for (int left = 48; at && left--; at = dev->config[at + 1])
		if (dev->config[at] == id)
			return at;
	return 0;
}

/* An extended capability's place, with @vendor a DVSEC of that vendor and id, or 0 */
uint32_t caps_find_ext(const struct device *dev, uint16_t id, uint16_t vendor, uint16_t dvsec)
{
	uint32_t at = 0x100;

	/* A chain may be a loop */
	for (int left = 512; at >= 0x100 && left--; at = get32(&dev->config[at]) >> 20 & ~3u) {
		const uint8_t *c = &dev->config[at];

		if (get16(c) == id && (!vendor || (get16(c + 4) == vendor &&
						   get16(c + 8) == dvsec)))
			return at;
	}
	return 0;
}

static void allow_dword(struct device *dev, uint32_t at, const struct rule *r)
{
	uint32_t bits = r->rw | r->clears;

	if (at + 4 > CONFIG_SIZE)
		return;
	put32(&dev->writable[at], get32(&dev->writable[at]) | r->rw);
	put32(&dev->clears[at], get32(&dev->clears[at]) | r->clears);
	if (r->keep >= KEEP_FLR)
		put32(&dev->flr_keeps[at], get32(&dev->flr_keeps[at]) | bits);
	if (r->keep == KEEP_ALL)
		put32(&dev->sticky[at], get32(&dev->sticky[at]) | bits);
}

static void allow(struct device *dev, uint32_t cap, const struct rule *r)
{
	if (cap && cap + r->gate_at + 4 <= CONFIG_SIZE &&
	    (get32(&dev->config[cap + r->gate_at]) & r->gate) == r->gate)
		allow_dword(dev, cap + r->at, r);
}

/* Apply the tables to the capabilities that configuration space has now */
void caps_allow(struct device *dev)
{
	for (unsigned int i = 0; i < COUNT(std_rules); i++)
		allow(dev, caps_find(dev, std_rules[i].id), &std_rules[i]);
	for (unsigned int i = 0; i < COUNT(ext_rules); i++)
		allow(dev, caps_find_ext(dev, ext_rules[i].id, 0, 0), &ext_rules[i]);
}
