// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the component block and the DVSEC's ranges of a function.  cxl-vfio uses this
 * file too, so that it calls nothing of the driver.
 *
 * The device is not trusted: it may be gone and read all ones.
 */
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "registers.h"

#define INFO_VALID_TIMEOUT_MS	1000

/* Read @len bytes of registers from @start on, cut off at the end of the area */
static void read_dwords(const void __iomem *regs, u32 *cm, u32 start, u32 len)
{
	for (u32 off = start; off < start + len && off < CXL_VFIO_CM_SIZE; off += 4)
		cm[off / 4] = readl(regs + off);
}

/**
 * cxl_vfio_read_cm() - read the CXL.cache/mem area
 * @regs: the area's mapping; memory decode is on
 * @cm: filled in, CM_DWORDS registers
 *
 * Reads the capability array, and of the capabilities in it those that a guest
 * sees.  All other registers are not read and are 0 in @cm, since a read of an
 * unknown register may have a side effect.
 */
void cxl_vfio_read_cm(const void __iomem *regs, u32 *cm)
{
	unsigned int entries;

	memset(cm, 0, CXL_VFIO_CM_SIZE);
	cm[0] = readl(regs);
	entries = FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cm[0]);
	read_dwords(regs, cm, CXL_VFIO_CM_CAP_ENTRY(1), 4 * entries);

	for (unsigned int i = 1; i <= entries; i++) {
		u32 ptr = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, cm[i]) & ~3U, len;

		if (ptr < CXL_VFIO_CM_CAP_ENTRY(entries + 1))
			continue;
		if (FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, cm[i]) == CXL_VFIO_CM_CAP_ID_HDM)
			len = cxl_vfio_hdm_length(readl(regs + ptr));
		else
			len = cxl_vfio_cap_shown(cm[i]);
		read_dwords(regs, cm, ptr, len);
	}
}

/**
 * cxl_vfio_decoder_range() - base and size of a decoder, CXL r4.0 8.2.4.20
 * @reg: the decoder's registers, as read
 * @n: the decoder's number
 *
 * Return: the range of host physical addresses in BASE and SIZE, also of a decoder
 * that is not committed.
 */
struct cxl_vfio_hdm_range cxl_vfio_decoder_range(const u32 *reg, unsigned int n)
{
	return (struct cxl_vfio_hdm_range) {
		.base = ((u64)reg[CXL_VFIO_HDM_BASE_HIGH / 4] << 32) |
			reg[CXL_VFIO_HDM_BASE_LOW / 4],
		.size = ((u64)reg[CXL_VFIO_HDM_SIZE_HIGH / 4] << 32) |
			reg[CXL_VFIO_HDM_SIZE_LOW / 4],
		.decoder = n,
	};
}

static unsigned int active_timeout_ms(u32 size_low)
{
	static const unsigned int seconds[] = { 1, 4, 16, 64, 256 };
	unsigned int code = FIELD_GET(CXL_VFIO_DVSEC_RANGE_ACTIVE_TIMEOUT, size_low);

	return 1000 * seconds[min_t(unsigned int, code, ARRAY_SIZE(seconds) - 1)];
}

/**
 * cxl_vfio_dvsec_ranges() - number of ranges of the CXL Device DVSEC, CXL r4.0 8.1.3.1
 * @found: what discovery found
 *
 * Return: 1 or 2, as many as the DVSEC claims and has the SIZE registers of.
 */
unsigned int cxl_vfio_dvsec_ranges(const struct cxl_vfio_found *found)
{
	unsigned int n = clamp(FIELD_GET(CXL_VFIO_DVSEC_CAP_HDM_COUNT, found->dvsec_cap), 1,
			       CXL_VFIO_DVSEC_RANGES);

	while (n > 1 && CXL_VFIO_DVSEC_RANGE_BASE_HIGH(n - 1) > found->dvsec_len)
		n--;
	return n;
}

/*
 * Is range @i without memory, or can its memory be used?  @low returns the range's
 * SIZE LOW, all ones if the device is gone.  CXL r4.0 8.1.3.8
 */
static bool range_active(struct pci_dev *pdev, const struct cxl_vfio_found *found, unsigned int i,
			 u32 *low)
{
	u32 high = 0;

	*low = 0;
	pci_read_config_dword(pdev, found->dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i), &high);
	pci_read_config_dword(pdev, found->dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), low);
	if (PCI_POSSIBLE_ERROR(*low) || !(*low & CXL_VFIO_DVSEC_RANGE_INFO_VALID))
		return false;
	return (*low & CXL_VFIO_DVSEC_RANGE_ACTIVE) ||
	       (!high && !(*low & CXL_VFIO_DVSEC_RANGE_SIZE_LOW_MASK));
}

/**
 * cxl_vfio_config_is_locked() - does hardware drop writes of CONTROL and RANGE BASE?
 * @pdev: the function
 * @found: what discovery found
 *
 * Return: true if CONFIG_LOCK is set, CXL r4.0 8.1.3.6.
 */
bool cxl_vfio_config_is_locked(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	u16 lock = 0;

	pci_read_config_word(pdev, found->dvsec + CXL_VFIO_DVSEC_LOCK, &lock);
	return lock & CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK;
}

/**
 * cxl_vfio_memory_active() - does the device report its memory as usable?
 * @pdev: the function
 * @found: what discovery found
 *
 * Return: true if Memory_Info_Valid and Memory_Active are set for every range.
 */
bool cxl_vfio_memory_active(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	u32 low;

	for (unsigned int i = 0; i < cxl_vfio_dvsec_ranges(found); i++)
		if (!range_active(pdev, found, i, &low))
			return false;
	return true;
}

/* cxl_vfio_ranges_ready() for range @i */
static int range_ready(struct pci_dev *pdev, const struct cxl_vfio_found *found, unsigned int i,
		       unsigned int waited)
{
	unsigned int limit = INFO_VALID_TIMEOUT_MS;
	u32 low;

	if (range_active(pdev, found, i, &low))
		return 0;
	if (PCI_POSSIBLE_ERROR(low)) {
		pci_err(pdev, "CXL Device DVSEC: RANGE%u SIZE LOW reads %#x, the device does not respond\n",
			i + 1, low);
		return -ENODEV;
	}
	if (low & CXL_VFIO_DVSEC_RANGE_INFO_VALID)
		limit = active_timeout_ms(low);
	if (waited < limit)
		return -EAGAIN;
	pci_err(pdev, "CXL Device DVSEC: RANGE%u SIZE LOW reads %#010x after %u ms, expected Memory_Info_Valid and Memory_Active\n",
		i + 1, low, waited);
	return -ETIMEDOUT;
}

/**
 * cxl_vfio_ranges_ready() - can the memory of all ranges be used?
 * @pdev: the function
 * @found: what discovery found
 * @waited: milliseconds since the caller's first call
 *
 * Return: 0; -EAGAIN if the caller must call again after CXL_VFIO_ACTIVE_POLL_MS;
 * -ETIMEDOUT, logged, after the time that the device states, 256 s at most;
 * -ENODEV, logged, if the device does not respond.
 */
int cxl_vfio_ranges_ready(struct pci_dev *pdev, const struct cxl_vfio_found *found,
			  unsigned int waited)
{
	int ret = 0;

	for (unsigned int i = 0; i < cxl_vfio_dvsec_ranges(found) && !ret; i++)
		ret = range_ready(pdev, found, i, waited);
	return ret;
}

/**
 * cxl_vfio_dvsec_range_size() - size of a range, CXL r4.0 8.1.3.8
 * @pdev: the function
 * @found: what discovery found
 * @i: the range, from 0 on, whose Memory_Info_Valid is set
 *
 * Return: bytes, a multiple of 256 MiB.
 */
u64 cxl_vfio_dvsec_range_size(struct pci_dev *pdev, const struct cxl_vfio_found *found,
			      unsigned int i)
{
	u32 high = 0, low = 0;

	pci_read_config_dword(pdev, found->dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i), &high);
	pci_read_config_dword(pdev, found->dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), &low);
	return ((u64)high << 32) | (low & CXL_VFIO_DVSEC_RANGE_SIZE_LOW_MASK);
}

/**
 * cxl_vfio_map_cm() - map the CXL.cache/mem area
 * @pdev: the function
 * @found: what discovery found: the place of the component block, which there is
 *
 * Return: the mapping, NULL if there is no address space left.
 */
void __iomem *cxl_vfio_map_cm(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	return ioremap(pci_resource_start(pdev, found->bar) + found->block_offset +
		       CXL_VFIO_CM_OFFSET, CXL_VFIO_CM_SIZE);
}
