/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_ABI_H
#define CXL_VFIO_ABI_H

#include <linux/types.h>

struct cxl_vfio_device;

#define CXL_VFIO_NR_ABIS	2

/**
 * struct cxl_vfio_abi - one posted interface between this driver and VMMs
 * @name: value of the vmm_abi parameter that selects this interface
 * @base_rw: a VMM programs committed decoders, see &struct cxl_vfio_view
 * @maps_hdm: the VMMs of this interface give the HDM region to their guests, so that a
 *	virtual BAR would show guests the same memory once more
 * @comp_start: offset in the component block where the COMP_REGS region starts, bytes
 * @comp_whole: the COMP_REGS region ends at the component block's end; if false,
 *	it ends after the last HDM decoder
 * @cap_size: length of the CXL capability of VFIO_DEVICE_GET_INFO, bytes
 * @fill_cap: fills in the zeroed CXL capability @cap
 */
struct cxl_vfio_abi {
	const char *name;
	bool base_rw;
	bool maps_hdm;
	u32 comp_start;
	bool comp_whole;
	u32 cap_size;
	void (*fill_cap)(const struct cxl_vfio_device *dev, void *cap);
};

extern const struct cxl_vfio_abi cxl_vfio_abis[CXL_VFIO_NR_ABIS];

#endif
