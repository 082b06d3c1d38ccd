/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Names of the CXL registers that both a VMM and this driver use.
 *
 * Offsets and fields of the CXL Device DVSEC, the Register Locator DVSEC, the
 * component register block and the HDM Decoder Capability.  Section numbers
 * are those of the CXL specification r4.0.  Everything is little endian.
 *
 * Plain macros without types, so that C, C++ and assembler can use them.  All have
 * the prefix CXL_VFIO_, because some versions of the kernel's own headers name some
 * of these registers too.
 */
#ifndef _UAPI_LINUX_CXL_VFIO_REGS_H
#define _UAPI_LINUX_CXL_VFIO_REGS_H

/* The CXL consortium's vendor id, which marks CXL DVSECs (8.1.1) */
#define CXL_VFIO_DVSEC_VENDOR_ID		0x1e98

/* DVSEC ids (8.1.1) */
#define CXL_VFIO_DVSEC_ID_DEVICE		0x0
#define CXL_VFIO_DVSEC_ID_PORT			0x3
#define CXL_VFIO_DVSEC_ID_FLEXBUS_PORT		0x7
#define CXL_VFIO_DVSEC_ID_REG_LOCATOR		0x8

/* Header registers at the start of every DVSEC */
#define CXL_VFIO_DVSEC_HEADER1			0x04
#define   CXL_VFIO_DVSEC_HEADER1_VENDOR		0x0000ffff
#define   CXL_VFIO_DVSEC_HEADER1_REV		0x000f0000
#define   CXL_VFIO_DVSEC_HEADER1_LEN		0xfff00000
#define CXL_VFIO_DVSEC_HEADER2			0x08
#define CXL_VFIO_DVSEC_BODY			0x0a

/* CXL Device DVSEC (8.1.3) */
#define CXL_VFIO_DVSEC_CAP			0x0a
#define   CXL_VFIO_DVSEC_CAP_CACHE		0x0001
#define   CXL_VFIO_DVSEC_CAP_IO			0x0002
#define   CXL_VFIO_DVSEC_CAP_MEM		0x0004
#define   CXL_VFIO_DVSEC_CAP_MEM_HWINIT		0x0008
#define   CXL_VFIO_DVSEC_CAP_HDM_COUNT		0x0030
#define   CXL_VFIO_DVSEC_CAP_WBI		0x0040
#define   CXL_VFIO_DVSEC_CAP_RST		0x0080
#define   CXL_VFIO_DVSEC_CAP_RST_TIMEOUT	0x0700
#define   CXL_VFIO_DVSEC_CAP_RST_MEM_CLR	0x0800
#define   CXL_VFIO_DVSEC_CAP_VIRAL		0x4000
#define CXL_VFIO_DVSEC_CTRL			0x0c
#define   CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE	0x0001
#define   CXL_VFIO_DVSEC_CTRL_IO_ENABLE		0x0002
#define   CXL_VFIO_DVSEC_CTRL_MEM_ENABLE	0x0004
#define   CXL_VFIO_DVSEC_CTRL_CACHE_MASK	0x0ff9	/* bits for CXL.cache */
#define   CXL_VFIO_DVSEC_CTRL_P2P_ENABLE	0x1000
#define   CXL_VFIO_DVSEC_CTRL_VIRAL_ENABLE	0x4000
#define   CXL_VFIO_DVSEC_CTRL_RW_MASK		0x5ffd
#define CXL_VFIO_DVSEC_STATUS			0x0e
#define   CXL_VFIO_DVSEC_STATUS_VIRAL		0x4000
#define CXL_VFIO_DVSEC_CTRL2			0x10
#define   CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING	0x0001
#define   CXL_VFIO_DVSEC_CTRL2_INIT_WBI		0x0002
#define   CXL_VFIO_DVSEC_CTRL2_INIT_RST		0x0004
#define   CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN	0x0008
#define   CXL_VFIO_DVSEC_CTRL2_HOT_RESET_STATE	0x0010
#define   CXL_VFIO_DVSEC_CTRL2_MODIFIED_COMPLETION	0x0020
#define   CXL_VFIO_DVSEC_CTRL2_RW_MASK		0x0039
#define CXL_VFIO_DVSEC_STATUS2			0x12
#define   CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID	0x0001
#define   CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE	0x0002
#define   CXL_VFIO_DVSEC_STATUS2_RST_ERROR	0x0004
#define   CXL_VFIO_DVSEC_STATUS2_HDM_PRESERVE_ERR	0x0008
#define   CXL_VFIO_DVSEC_STATUS2_PM_INIT_DONE	0x8000
#define CXL_VFIO_DVSEC_LOCK			0x14
#define   CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK	0x0001
#define CXL_VFIO_DVSEC_CAP2			0x16
#define   CXL_VFIO_DVSEC_CAP2_MODIFIED_COMPLETION	0x0040
#define CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i)	(0x18 + 0x10 * (i))
#define CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i)	(0x1c + 0x10 * (i))
#define   CXL_VFIO_DVSEC_RANGE_INFO_VALID	0x00000001
#define   CXL_VFIO_DVSEC_RANGE_ACTIVE		0x00000002
#define   CXL_VFIO_DVSEC_RANGE_ACTIVE_TIMEOUT	0x0000e000
#define   CXL_VFIO_DVSEC_RANGE_DEGRADED		0x00010000	/* active, but degraded */
#define   CXL_VFIO_DVSEC_RANGE_SIZE_LOW_MASK	0xf0000000
#define CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i)	(0x20 + 0x10 * (i))
#define CXL_VFIO_DVSEC_RANGE_BASE_LOW(i)	(0x24 + 0x10 * (i))
#define   CXL_VFIO_DVSEC_RANGE_BASE_LOW_MASK	0xf0000000
#define CXL_VFIO_DVSEC_RANGES			2
#define CXL_VFIO_DVSEC_CAP3			0x38
#define   CXL_VFIO_DVSEC_CAP3_HOT_RESET_STATE	0x0008
#define   CXL_VFIO_DVSEC_CAP3_P2P		0x0010

/* CXL Extensions DVSEC for Ports (8.1.5) */
#define CXL_VFIO_DVSEC_PORT_CTRL		0x0c
#define   CXL_VFIO_DVSEC_PORT_CTRL_UNMASK_SBR	0x0001

/* Register Locator DVSEC (8.1.9): 8-byte entries */
#define CXL_VFIO_RLOC_ENTRY(i)			(0x0c + 8 * (i))
#define   CXL_VFIO_RLOC_BIR			0x00000007
#define   CXL_VFIO_RLOC_BLOCK_ID		0x0000ff00
#define   CXL_VFIO_RLOC_BLOCK_ID_EMPTY		0
#define   CXL_VFIO_RLOC_BLOCK_ID_COMPONENT	1
#define   CXL_VFIO_RLOC_OFFSET_LOW		0xffff0000

/* Component register block (8.2.3): 64 KiB */
#define CXL_VFIO_COMP_BLOCK_SIZE		0x10000
#define CXL_VFIO_CM_OFFSET			0x1000	/* CXL.cache/mem area */
#define CXL_VFIO_CM_SIZE			0x1000

/* CXL.cache/mem capability array (8.2.4): offsets from the start of that area */
#define CXL_VFIO_CM_CAP_HDR			0x0
#define   CXL_VFIO_CM_CAP_HDR_ID		0x0000ffff
#define   CXL_VFIO_CM_CAP_HDR_ID_CM		1
#define   CXL_VFIO_CM_CAP_HDR_VERSION		0x000f0000
#define   CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE	0xff000000
#define CXL_VFIO_CM_CAP_ENTRY(i)		(4 * (i))	/* i from 1 */
#define   CXL_VFIO_CM_CAP_ENTRY_ID		0x0000ffff
#define   CXL_VFIO_CM_CAP_ENTRY_VERSION		0x000f0000
#define   CXL_VFIO_CM_CAP_ENTRY_PTR		0xfff00000

/* Capability ids in the CXL.cache/mem capability array */
#define CXL_VFIO_CM_CAP_ID_NULL			0x0
#define CXL_VFIO_CM_CAP_ID_RAS			0x2
#define CXL_VFIO_CM_CAP_ID_LINK			0x4
#define CXL_VFIO_CM_CAP_ID_HDM			0x5

/* RAS Capability (8.2.4.17) */
#define CXL_VFIO_RAS_UNCORRECTABLE		0x00	/* status */
#define   CXL_VFIO_RAS_UNCORRECTABLE_BITS	0x0001cfff
#define CXL_VFIO_RAS_UNCORRECTABLE_MASK		0x04
#define CXL_VFIO_RAS_SEVERITY			0x08
#define CXL_VFIO_RAS_CORRECTABLE		0x0c	/* status */
#define   CXL_VFIO_RAS_CORRECTABLE_BITS		0x0000007f
#define CXL_VFIO_RAS_CORRECTABLE_MASK		0x10
#define CXL_VFIO_RAS_CONTROL			0x14
#define   CXL_VFIO_RAS_CONTROL_FIRST		0x0000003f	/* the first error's bit */
#define CXL_VFIO_RAS_HEADER			0x18
#define CXL_VFIO_RAS_HEADER_DWORDS		16
#define CXL_VFIO_RAS_LENGTH			0x58

/* HDM Decoder Capability (8.2.4.20) */
#define CXL_VFIO_HDM_CAP			0x0
#define   CXL_VFIO_HDM_CAP_COUNT		0x0000000f
#define CXL_VFIO_HDM_GLOBAL_CTRL		0x4
#define   CXL_VFIO_HDM_GLOBAL_CTRL_POISON_EN	0x00000001
#define   CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE	0x00000002
#define CXL_VFIO_HDM_DECODER(n)			(0x10 + 0x20 * (n))
#define CXL_VFIO_HDM_BASE_LOW			0x00	/* from the decoder's start */
#define CXL_VFIO_HDM_BASE_HIGH			0x04
#define CXL_VFIO_HDM_SIZE_LOW			0x08
#define CXL_VFIO_HDM_SIZE_HIGH			0x0c
#define   CXL_VFIO_HDM_LOW_MASK			0xf0000000
#define CXL_VFIO_HDM_CTRL			0x10
#define   CXL_VFIO_HDM_CTRL_IG			0x0000000f
#define   CXL_VFIO_HDM_CTRL_IW			0x000000f0
#define   CXL_VFIO_HDM_CTRL_LOCK		0x00000100	/* lock on commit */
#define   CXL_VFIO_HDM_CTRL_COMMIT		0x00000200
#define   CXL_VFIO_HDM_CTRL_COMMITTED		0x00000400
#define   CXL_VFIO_HDM_CTRL_ERROR		0x00000800	/* error, not committed */
#define   CXL_VFIO_HDM_CTRL_HOST_ONLY		0x00001000	/* target range type */
#define   CXL_VFIO_HDM_CTRL_BI			0x00002000
#define CXL_VFIO_HDM_SKIP_LOW			0x14
#define CXL_VFIO_HDM_SKIP_HIGH			0x18
#define CXL_VFIO_HDM_DECODER_STRIDE		0x20
#define CXL_VFIO_HDM_GRANULE			0x10000000	/* 256 MiB */
#define CXL_VFIO_HDM_MAX_DECODERS		32

#endif /* _UAPI_LINUX_CXL_VFIO_REGS_H */
