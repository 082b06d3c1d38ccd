/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_VIEW_H
#define CXL_VFIO_VIEW_H

#include <linux/types.h>

/**
 * struct cxl_vfio_view - registers that the models show, and allow to be written
 * @hide_hpa: show no host physical address: bases start at 0, error logs read 0, and
 *	committed decoders are unlocked, so that the VMM can write a guest address
 * @base_rw: what VMMs built for the second posted interface do with a committed
 *	decoder: they write its BASE while it is not locked, lock it, and remove
 *	firmware's lock; what they wrote outlives every reset
 * @guest_reset: allow the guest to ask for a CXL reset and for a cache
 *	write-back; the caller acts on the events
 */
struct cxl_vfio_view {
	bool hide_hpa;
	bool base_rw;
	bool guest_reset;
};

/**
 * enum cxl_vfio_via - the way by which an access reaches the component block
 * @VIA_REGION: the COMP_REGS region, which VMMs that know CXL use
 * @VIA_BAR: the component BAR: a VMM that does not know CXL passes its guest's own
 *	accesses on, and what such a guest has of the memory is the virtual BAR
 */
enum cxl_vfio_via {
	VIA_REGION,
	VIA_BAR,
};

#endif
