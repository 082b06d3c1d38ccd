/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device of the unit tests: a CXL device's config space and component BAR, and the
 * part of the kernel that the code under test calls.  It records what is written, what is
 * read from the BAR and what is logged, and fails where a test says so.
 */
#ifndef UNIT_DEVICE_H
#define UNIT_DEVICE_H

#include <setjmp.h>
#include <stdarg.h>

#include "../fuzz/shim/kernel.h"

#include <cmocka.h>

#include <linux/cxl_vfio_regs.h>

/* assert() of the shim and of the code under test aborts, which is a failure too */

#define CFG_SIZE	4096
#define BAR		2
#define BAR_PHYS	0xc040000000ULL
#define BAR_LEN		0x40000
#define BLOCK		0x10000
#define CM		(BLOCK + CXL_VFIO_CM_OFFSET)	/* CXL.cache/mem area in the BAR */

/* Capabilities in the order of the chain */
#define DSN		0x100
#define DVSEC		0x130
#define RLOC		0x180
#define FLEXBUS		0x1b0
#define DOE		0x1d0

#define RAS		0x100	/* in the CXL.cache/mem area */
#define LINK		0x180
#define HDM		0x200
#define IDE		0x400
#define DECODERS	4
#define HDM_HEADER	0x00600402	/* four decoders, poison, both coherency models */

/* Ranges of the two decoders that firmware committed */
#define BASE0		0x130000000ULL
#define SIZE0		0x240000000ULL
#define BASE1		0x570000000ULL
#define SIZE1		0x110000000ULL

struct unit_write {
	u32 at;		/* in config space, or in the CXL.cache/mem area + MMIO */
	u32 val;
};

#define MMIO		0x10000
#define MAX_WRITES	128

struct unit_device {
	struct pci_dev pdev;
	u8 config[CFG_SIZE];
	u8 bar[BAR_LEN];
	bool gone;			/* reads return all ones, writes are lost */
	bool no_memory;			/* kmalloc() fails */
	bool no_mapping;		/* ioremap() fails */
	bool no_enable;			/* memory decode cannot be turned on */
	bool no_user_write;		/* pci_user_write_config_*() fail */
	bool no_user_read;
	bool asleep;			/* the function does not wake up */
	bool killed;			/* sleeps and waits for locks are cut short */
	const void *unmapped;		/* this byte of user memory cannot be accessed */

	/* What a register becomes when @val is written to it; NULL: @val */
	u32 (*config_write)(u32 at, u32 val);
	u32 (*mmio_write)(u32 at, u32 val);
	void (*time_passes)(unsigned int ms);

	int enabled, mapped, awake;
	unsigned int slept;		/* milliseconds */
	struct unit_write write[MAX_WRITES];
	unsigned int nr_writes;
	bool read[BAR_LEN / 4];		/* registers that were read */
	char log[16384];
};

extern struct unit_device unit;

/* The device as above, all that was recorded forgotten */
void unit_device_init(void);
int unit_setup(void **state);

void put16(u32 at, u16 val);
void put32(u32 at, u32 val);
u16 get16(u32 at);
u32 get32(u32 at);
void put_cap(u32 at, u16 id, u32 next);
void put_dvsec(u32 at, u16 id, u32 len, u32 next);
u32 cm_get(u32 at);
void cm_put(u32 at, u32 val);
void put_decoder(unsigned int n, u64 base, u64 size, u32 ctrl);
void put_range(unsigned int i, u64 size, u64 base);	/* of the DVSEC, valid and active */

/* The log has exactly one line since the last call, with @text in it */
void assert_logged(const char *text);
void assert_nothing_logged(void);
/* The writes since the last call are exactly these */
void assert_writes(const struct unit_write *writes, unsigned int n);
#define assert_written(...)							\
	do {									\
		static const struct unit_write list_[] = { __VA_ARGS__ };	\
										\
		assert_writes(list_, ARRAY_SIZE(list_));			\
	} while (0)
void assert_nothing_written(void);

/* The same in steps: expect writes in their order, then compare */
void expect_write(u32 at, u32 val);
void assert_expected_writes(void);

#endif
