/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_REGISTERS_H
#define CXL_VFIO_REGISTERS_H

#include "comp.h"

/* Time between two calls of cxl_vfio_ranges_ready(), milliseconds */
#define CXL_VFIO_ACTIVE_POLL_MS	10

struct cxl_vfio_device;
struct pci_dev;

/**
 * struct cxl_vfio_hdm_range - the range of one committed HDM decoder
 * @base: host physical address
 * @size: bytes, a multiple of 256 MiB
 * @decoder: the decoder's number
 */
struct cxl_vfio_hdm_range {
	u64 base;
	u64 size;
	unsigned int decoder;
};

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
 * @bar: BAR that holds the component register block
 * @block_offset: offset of the component register block in @bar
 * @hdm_offset: offset of the HDM Decoder Capability in the CXL.cache/mem area
 * @nr_ranges: number of committed decoders
 * @range: ranges of the committed decoders, in decoder order
 * @cm: the CXL.cache/mem area as read at bind
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
	unsigned int bar;
	u64 block_offset;
	u32 hdm_offset;
	unsigned int nr_ranges;
	struct cxl_vfio_hdm_range range[CXL_VFIO_HDM_MAX_DECODERS];
	u32 cm[CM_DWORDS];
};

bool cxl_vfio_decodes_memory(struct pci_dev *pdev);
void __iomem *cxl_vfio_map_cm(struct pci_dev *pdev, const struct cxl_vfio_found *found);
void cxl_vfio_read_cm(const void __iomem *regs, u32 *cm);
struct cxl_vfio_hdm_range cxl_vfio_decoder_range(const u32 *reg, unsigned int n);
bool cxl_vfio_decoder_intact(const void __iomem *regs, const struct cxl_vfio_found *found,
			     unsigned int n);
bool cxl_vfio_decoders_intact(const void __iomem *regs, const struct cxl_vfio_found *found);
unsigned int cxl_vfio_count_ranges(const struct cxl_vfio_found *found);
bool cxl_vfio_memory_active(struct pci_dev *pdev, const struct cxl_vfio_found *found);
int cxl_vfio_ranges_ready(struct pci_dev *pdev, const struct cxl_vfio_found *found,
			  unsigned int waited);

u16 cxl_vfio_dvsec_hw_read(struct cxl_vfio_device *dev, u16 offset);
void cxl_vfio_dvsec_hw_write(struct cxl_vfio_device *dev, u16 offset, u16 val);
bool cxl_vfio_config_is_locked(struct cxl_vfio_device *dev);
bool cxl_vfio_registers_intact(struct cxl_vfio_device *dev);
int cxl_vfio_restore(struct cxl_vfio_device *dev);
bool cxl_vfio_take_ras(struct cxl_vfio_device *dev, struct cxl_vfio_ras_errors *errors);

#endif
