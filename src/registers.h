/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_REGISTERS_H
#define CXL_VFIO_REGISTERS_H

#include <linux/pci.h>

#include "comp.h"

/* Time between two calls of cxl_vfio_ranges_ready(), milliseconds */
#define CXL_VFIO_ACTIVE_POLL_MS	10

/* found->bar of a function without component registers */
#define CXL_VFIO_BAR_NONE	0xff

struct cxl_vfio_device;

/**
 * struct cxl_vfio_hdm_range - memory of one committed HDM decoder, or of one range of the
 *	CXL Device DVSEC
 * @base: host physical address
 * @size: bytes, a multiple of 256 MiB
 * @decoder: number of the decoder, or of the DVSEC's range, from 0 on
 * @by_dvsec: it is a range of the DVSEC
 */
struct cxl_vfio_hdm_range {
	u64 base;
	u64 size;
	unsigned int decoder;
	bool by_dvsec;
};

/* What a log line about a range begins with, before cxl_vfio_range_number() */
static inline const char *cxl_vfio_range_name(const struct cxl_vfio_hdm_range *range)
{
	return range->by_dvsec ? "CXL Device DVSEC: RANGE" : "HDM decoder ";
}

/* The number that the specification has for a decoder, or for a range of the DVSEC */
static inline unsigned int cxl_vfio_range_number(const struct cxl_vfio_hdm_range *range)
{
	return range->decoder + range->by_dvsec;
}

/* The last address of a range that does not wrap */
static inline u64 cxl_vfio_range_end(const struct cxl_vfio_hdm_range *range)
{
	return range->base + (range->size - 1);
}

/**
 * struct cxl_vfio_found - what discovery learned about a function
 * @is_cxl: the function has HDM memory; the other members are valid only then
 * @dvsec: config space offset of the CXL Device DVSEC
 * @dvsec_len: length of the CXL Device DVSEC in bytes
 * @dvsec_cap: CAPABILITY of the CXL Device DVSEC
 * @dvsec_ctrl: CONTROL of the CXL Device DVSEC at the end of the bind, with
 *	Mem_Enable on
 * @range_base: both registers of each RANGE BASE of the DVSEC, as firmware left them
 * @range_size: size of each range of the DVSEC in bytes; valid if @by_ranges
 * @by_ranges: no decoder is committed, the ranges of the DVSEC are the memory
 * @bar: BAR that holds the component register block, CXL_VFIO_BAR_NONE if there is none
 * @block_offset: offset of the component register block in @bar
 * @hdm_offset: offset of the HDM Decoder Capability in the CXL.cache/mem area, 0 if there
 *	is none
 * @nr_ranges: number of committed decoders or, if @by_ranges, of the DVSEC's ranges
 * @range: their memory, in ascending order of their numbers; none has size 0
 * @cm: the CXL.cache/mem area as read at bind, zeroes without component registers
 */
struct cxl_vfio_found {
	bool is_cxl;
	u16 dvsec;
	u16 dvsec_len;
	u16 dvsec_cap;
	u16 dvsec_ctrl;
	struct {
		u32 high;
		u32 low;
	} range_base[CXL_VFIO_DVSEC_RANGES];
	u64 range_size[CXL_VFIO_DVSEC_RANGES];
	bool by_ranges;
	unsigned int bar;
	u64 block_offset;
	u32 hdm_offset;
	unsigned int nr_ranges;
	struct cxl_vfio_hdm_range range[CXL_VFIO_HDM_MAX_DECODERS];
	u32 cm[CM_DWORDS];
};

/* Does the function have component registers? */
static inline bool cxl_vfio_has_comp(const struct cxl_vfio_found *found)
{
	return found->bar < PCI_STD_NUM_BARS;
}

/* Is a VFIO region the BAR that holds the component register block? */
static inline bool cxl_vfio_is_comp_bar(const struct cxl_vfio_found *found, unsigned int region)
{
	return cxl_vfio_has_comp(found) && region == found->bar;
}

bool cxl_vfio_decodes_memory(struct pci_dev *pdev);
void __iomem *cxl_vfio_map_cm(struct pci_dev *pdev, const struct cxl_vfio_found *found);
void cxl_vfio_read_cm(const void __iomem *regs, u32 *cm);
struct cxl_vfio_hdm_range cxl_vfio_decoder_range(const u32 *reg, unsigned int n);
bool cxl_vfio_decoder_intact(const void __iomem *regs, const struct cxl_vfio_found *found,
			     unsigned int n);
bool cxl_vfio_decoders_intact(const void __iomem *regs, const struct cxl_vfio_found *found);
bool cxl_vfio_ranges_intact(struct pci_dev *pdev, const struct cxl_vfio_found *found);
u64 cxl_vfio_dvsec_range_size(struct pci_dev *pdev, const struct cxl_vfio_found *found,
			      unsigned int i);
unsigned int cxl_vfio_dvsec_ranges(const struct cxl_vfio_found *found);
bool cxl_vfio_config_is_locked(struct pci_dev *pdev, const struct cxl_vfio_found *found);
bool cxl_vfio_memory_active(struct pci_dev *pdev, const struct cxl_vfio_found *found);
int cxl_vfio_ranges_ready(struct pci_dev *pdev, const struct cxl_vfio_found *found,
			  unsigned int waited);

u16 cxl_vfio_dvsec_hw_read(struct cxl_vfio_device *dev, u16 offset);
void cxl_vfio_dvsec_hw_write(struct cxl_vfio_device *dev, u16 offset, u16 val);
bool cxl_vfio_registers_intact(struct cxl_vfio_device *dev);
int cxl_vfio_restore(struct cxl_vfio_device *dev);
bool cxl_vfio_take_ras(struct cxl_vfio_device *dev, struct cxl_vfio_ras_errors *errors);

#endif
