/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_CEDT_H
#define CXL_VFIO_CEDT_H

#include "registers.h"

/**
 * struct cxl_vfio_cedt - what the platform's CEDT says of a range below a host bridge
 * @block: host physical address of the host bridge's component block, 0 if none
 * @has_windows: any window leads to the host bridge alone
 * @inside: such windows hold the range
 * @exact: one of them, without interleaving, holds the range
 * @elsewhere: a window that leads to another host bridge, too, overlaps the range
 */
struct cxl_vfio_cedt {
	u64 block;
	bool has_windows;
	bool inside;
	bool exact;
	bool elsewhere;
};

bool cxl_vfio_cedt_read(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range,
			struct cxl_vfio_cedt *cedt);
int cxl_vfio_cedt_check(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range);

#endif
