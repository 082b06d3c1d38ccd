/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_DVSEC_H
#define CXL_VFIO_DVSEC_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/cxl_vfio_regs.h>

#include "view.h"

/* The longest CXL Device DVSEC defined (revision 2 and 3) is 0x3c */
#define DVSEC_MAX_LEN	0x40

/* Number of 16-bit registers with bits that only hardware knows */
#define DVSEC_NR_LIVE	6

/* Bits for the actions that a guest's write asks the device for */
#define DVSEC_EVENT_WBI		BIT(0)	/* cache write-back and invalidate */
#define DVSEC_EVENT_RESET	BIT(1)	/* CXL reset */

/**
 * struct cxl_vfio_dvsec - the CXL Device DVSEC as the guest sees it
 * @reg: the capability in 16-bit units, as the guest reads it
 * @len: length of the capability in bytes, at most DVSEC_MAX_LEN; no register
 *	exists past it
 * @seen: error bits of the device that @reg has shown, one element a register of
 *	cxl_vfio_dvsec_live_offset()
 */
struct cxl_vfio_dvsec {
	u16 reg[DVSEC_MAX_LEN / 2];
	u16 len;
	u16 seen[DVSEC_NR_LIVE];
};

bool cxl_vfio_dvsec_init(struct cxl_vfio_dvsec *dvsec, const u16 *regs, u16 len,
			 const struct cxl_vfio_view *view, bool unlock);
void cxl_vfio_dvsec_set_base(struct cxl_vfio_dvsec *dvsec, unsigned int n, u64 base);
void cxl_vfio_dvsec_set_invalid(struct cxl_vfio_dvsec *dvsec);
void cxl_vfio_dvsec_set_reset(struct cxl_vfio_dvsec *dvsec, u16 status2);
bool cxl_vfio_dvsec_clears_memory(const struct cxl_vfio_dvsec *dvsec);
bool cxl_vfio_dvsec_is_live(u16 offset, size_t count);
u16 cxl_vfio_dvsec_live_offset(unsigned int n);
void cxl_vfio_dvsec_set_live(struct cxl_vfio_dvsec *dvsec, const u16 regs[DVSEC_NR_LIVE]);
void cxl_vfio_dvsec_read(const struct cxl_vfio_dvsec *dvsec, u16 offset, u8 *buf, size_t count);
unsigned int cxl_vfio_dvsec_write(struct cxl_vfio_dvsec *dvsec, u16 offset, const u8 *buf,
				  size_t count);

#endif
