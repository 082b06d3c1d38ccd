/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * VFIO extensions of the cxl-vfio-pci driver, for VMMs.
 *
 * Include this header beside <linux/vfio.h>.  Layouts and numbers are those of the
 * third posting (June 2026) of the kernel series "vfio/pci: Add CXL Type-2 device
 * passthrough support" or, with the module parameter vmm_abi=v2, of the second
 * posting (April 2026).  The postings have different layouts under the same
 * capability id and version, so the structures have the posting in their name.
 */
#ifndef _UAPI_LINUX_CXL_VFIO_PCI_H
#define _UAPI_LINUX_CXL_VFIO_PCI_H

#include <linux/types.h>
#include <linux/vfio.h>

/*
 * VFIO_DEVICE_GET_INFO: bit in vfio_device_info.flags, set together with
 * VFIO_DEVICE_FLAGS_PCI for a function whose HDM memory can be assigned, and which has
 * component registers.  A function without them has neither this bit nor the CXL
 * capability: its HDM regions are found by their type.
 */
#ifndef VFIO_DEVICE_FLAGS_CXL
#define VFIO_DEVICE_FLAGS_CXL			(1 << 9)
#endif

/* Id of the CXL capability in the chain of VFIO_DEVICE_GET_INFO */
#ifndef VFIO_DEVICE_INFO_CAP_CXL
#define VFIO_DEVICE_INFO_CAP_CXL		6
#endif
#define CXL_VFIO_DEVICE_INFO_CAP_VERSION	1

/**
 * struct cxl_vfio_device_info_cap_v3 - locations of a device's CXL resources
 * @header: id VFIO_DEVICE_INFO_CAP_CXL, version 1
 * @flags: CXL_VFIO_CAP_V3_* bits
 * @hdm_region_idx: VFIO region index of the HDM memory of the first committed
 *	decoder or, without CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED, of the first range of
 *	the CXL Device DVSEC; read, write and mmap
 * @comp_reg_region_idx: VFIO region index of the emulated component register
 *	block; read and write, aligned dwords
 * @comp_reg_bar: BAR that holds the component register block
 * @reserved: 0
 * @comp_reg_offset: offset of the component register block in @comp_reg_bar, bytes
 * @comp_reg_size: size of the component register block and of its region, bytes
 */
struct cxl_vfio_device_info_cap_v3 {
	struct vfio_info_cap_header header;
	__u32 flags;
#define CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED	(1 << 0)
	__u32 hdm_region_idx;
	__u32 comp_reg_region_idx;
	__u32 comp_reg_bar;
	__u32 reserved;
	__aligned_u64 comp_reg_offset;
	__aligned_u64 comp_reg_size;
};

/**
 * struct cxl_vfio_device_info_cap_v2 - the CXL capability with vmm_abi=v2
 * @header: id VFIO_DEVICE_INFO_CAP_CXL, version 1
 * @hdm_regs_bar_index: BAR that holds the component register block
 * @reserved: 0
 * @flags: CXL_VFIO_CAP_V2_* bits
 * @hdm_regs_offset: offset of the block's CXL.cache/mem area in
 *	@hdm_regs_bar_index, bytes
 * @dpa_region_index: VFIO region index of the HDM memory of the first committed
 *	decoder or, without CXL_VFIO_CAP_V2_FIRMWARE_COMMITTED, of the first range of the
 *	CXL Device DVSEC
 * @comp_regs_region_index: VFIO region index of the emulated component
 *	registers, from the CXL.cache/mem area to the last HDM decoder
 */
struct cxl_vfio_device_info_cap_v2 {
	struct vfio_info_cap_header header;
	__u8 hdm_regs_bar_index;
	__u8 reserved[3];
	__u32 flags;
#define CXL_VFIO_CAP_V2_FIRMWARE_COMMITTED	(1 << 0)
#define CXL_VFIO_CAP_V2_CACHE_CAPABLE		(1 << 1)
	__aligned_u64 hdm_regs_offset;
	__u32 dpa_region_index;
	__u32 comp_regs_region_index;
};

/*
 * VFIO_DEVICE_GET_REGION_INFO: regions past the BARs carry
 * VFIO_REGION_INFO_CAP_TYPE with this type and one of these subtypes.
 */
#define CXL_VFIO_REGION_TYPE			0x80001e98U
/*
 * Host-managed device memory of one committed decoder, in decoder order, or of one range
 * of the CXL Device DVSEC on devices whose firmware committed none
 */
#define CXL_VFIO_REGION_SUBTYPE_HDM		1
/*
 * The emulated component register block.  Offset 0 is the block's start; with
 * vmm_abi=v2 it is the start of the block's CXL.cache/mem area.
 */
#define CXL_VFIO_REGION_SUBTYPE_COMP_REGS	2

/*
 * VFIO_DEVICE_FEATURE, GET: HDM memory or, from Linux 7.0 on, a BAR as a dma-buf, for
 * importers that support revocation.  The same as in <linux/vfio.h> from Linux 7.0 on,
 * for all kernels.
 */
#ifndef VFIO_DEVICE_FEATURE_DMA_BUF
#define VFIO_DEVICE_FEATURE_DMA_BUF		11

struct vfio_region_dma_range {
	__u64 offset;
	__u64 length;
};

struct vfio_device_feature_dma_buf {
	__u32 region_index;
	__u32 open_flags;
	__u32 flags;
	__u32 nr_ranges;
	struct vfio_region_dma_range dma_ranges[];
};
#endif

#endif /* _UAPI_LINUX_CXL_VFIO_PCI_H */
