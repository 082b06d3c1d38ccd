/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_VIEW_H
#define CXL_VFIO_VIEW_H

#include <linux/types.h>

/**
 * struct cxl_vfio_view - what the models show of the device, and let be written
 * @hide_hpa: no host physical address: bases and error logs read 0, and
 *	committed decoders are unlocked, so that the VMM can write a guest address
 * @base_rw: BASE of a committed decoder can be written while it is not locked,
 *	as VMMs built for the second posted interface do
 * @guest_reset: the guest may ask for a CXL reset and for a cache write-back;
 *	the caller acts on the events
 */
struct cxl_vfio_view {
	bool hide_hpa;
	bool base_rw;
	bool guest_reset;
};

#endif
