/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device of the fuzz targets: a config space and a component BAR, valid at first and
 * then changed by the input.
 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include "shim/kernel.h"

#define FUZZ_CFG_SIZE	4096
#define FUZZ_BAR_SIZE	0x20000
#define FUZZ_BAR_PHYS	0xc040000000ULL
#define FUZZ_BLOCK	0x10000
#define FUZZ_DVSEC	0x130
#define FUZZ_HPA	0x1357900000000000ULL	/* appears nowhere by chance */
#define FUZZ_HDM_SIZE	0x20000000ULL

struct fuzz_device {
	struct pci_dev pdev;
	u8 config[FUZZ_CFG_SIZE];
	u8 bar[FUZZ_BAR_SIZE];
	bool gone;		/* everything reads all ones */
};

extern struct fuzz_device fuzz_device;

/* The input, consumed from its front; take() returns zeros at its end */
struct input {
	const u8 *data;
	size_t len;
};

u32 take(struct input *in, unsigned int bytes);
void fuzz_device_init(void);
/* Change the device as the input says */
void fuzz_device_patch(struct input *in);
void put16(u8 *p, u16 val);
void put32(u8 *p, u32 val);
u32 get32(const u8 *p);

#endif
