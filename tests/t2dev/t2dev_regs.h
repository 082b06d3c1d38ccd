/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register map of the software CXL Type-2 device: what a program that drives
 * it needs to know.  Shared by the device server (tests/t2dev) and by the
 * programs that run inside the test machine (tests/vm/progs).
 */
#ifndef T2DEV_REGS_H
#define T2DEV_REGS_H

/* An id that no kernel driver claims; class "processing accelerator". */
#define T2DEV_VENDOR_ID		0x1234
#define T2DEV_DEVICE_ID		0xc712
#define T2DEV_CLASS		0x120000

/*
 * BAR 0 (64-bit): the 64 KiB component block somewhere inside it; every other
 * byte is plain read/write storage.
 * BAR 2 (64-bit): the accelerator below, then the MSI-X table and PBA.
 * BAR 4 is not implemented.
 */
#define T2DEV_COMP_BAR		0
#define T2DEV_ACCEL_BAR		2
#define T2DEV_ACCEL_BAR_SIZE	0x10000
#define T2DEV_MSIX_TABLE	0x8000
#define T2DEV_MSIX_PBA		0xc000
#define T2DEV_MSIX_VECTORS	4

/* Accelerator registers: 32 bit, little endian, offsets in BAR 2 */
#define T2DEV_ACC_ID		0x00	/* RO, T2DEV_ACC_ID_VALUE */
#define T2DEV_ACC_ID_VALUE	0x56443254	/* "T2DV" */
#define T2DEV_ACC_VERSION	0x04	/* RO */
#define T2DEV_ACC_STATUS	0x08	/* DONE, ERROR: write 1 to clear */
#define   T2DEV_STATUS_BUSY	(1u << 0)
#define   T2DEV_STATUS_DONE	(1u << 1)
#define   T2DEV_STATUS_ERROR	(1u << 2)
#define T2DEV_ACC_OPCODE	0x0c	/* RW */
#define   T2DEV_OP_FILL		1	/* DST[0..LEN) = PATTERN, a dword at a time */
#define   T2DEV_OP_COPY		2	/* DST[0..LEN) = SRC[0..LEN) */
#define   T2DEV_OP_CRC32	3	/* RESULT = CRC-32 (IEEE) of SRC[0..LEN) */
#define T2DEV_ACC_FLAGS		0x10	/* RW */
#define   T2DEV_FLAG_SRC_HDM	(1u << 0)	/* SRC is an HDM offset, else a DMA address */
#define   T2DEV_FLAG_DST_HDM	(1u << 1)	/* DST is an HDM offset, else a DMA address */
#define   T2DEV_FLAG_IRQ	(1u << 2)	/* raise VECTOR on completion */
#define T2DEV_ACC_VECTOR	0x14	/* RW, MSI-X vector */
#define T2DEV_ACC_SRC_LO	0x18	/* RW */
#define T2DEV_ACC_SRC_HI	0x1c
#define T2DEV_ACC_DST_LO	0x20	/* RW */
#define T2DEV_ACC_DST_HI	0x24
#define T2DEV_ACC_LEN_LO	0x28	/* RW, bytes */
#define T2DEV_ACC_LEN_HI	0x2c
#define T2DEV_ACC_PATTERN	0x30	/* RW */
#define T2DEV_ACC_DOORBELL	0x34	/* WO, any write starts OPCODE */
#define T2DEV_ACC_RESULT	0x38	/* RO, result of CRC32 */
#define T2DEV_ACC_ERRNO		0x3c	/* RO, why STATUS.ERROR (a Linux errno), else 0 */
#define T2DEV_ACC_HDM_SIZE_LO	0x40	/* RO, bytes of HDM memory over all decoders */
#define T2DEV_ACC_HDM_SIZE_HI	0x44

/*
 * Control capability: a PCI Express vendor-specific extended capability
 * (id 0x000b) through which a test changes the device's behaviour at run
 * time.  DATA takes four characters of an option line at a time, GO acts on
 * the line.  The line has the syntax of the command line ("--block=end
 * --decoder=0,size=0"); options that only make sense at start are refused.
 */
#define T2DEV_VSEC_ID		0x7432
#define T2DEV_VSEC_REV		1
#define T2DEV_VSEC_LEN		0x18
#define T2DEV_CTL_DATA		0x08	/* WO, appends up to 4 characters, NUL ignored */
#define T2DEV_CTL_GO		0x0c	/* WO */
#define   T2DEV_GO_APPLY	1	/* apply the line on top of the present state */
#define   T2DEV_GO_RESTORE	2	/* forget the line, back to the state at start */
#define   T2DEV_GO_CLEAR	3	/* forget the line */
#define   T2DEV_GO_DIE		4	/* end after this write, as a device that is pulled out */
#define T2DEV_CTL_RESULT	0x10	/* RO, 0 or a Linux errno for the last GO */
#define T2DEV_CTL_TOUCHED	0x14	/* RO, times that --watch saw a change since start */
#define T2DEV_CTL_LINE_MAX	512

/* Exit status of the server when the host misused the device */
#define T2DEV_EXIT_MISUSE	3

#endif
