/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_DISCOVER_H
#define CXL_VFIO_DISCOVER_H

#include "registers.h"

int cxl_vfio_discover(struct pci_dev *pdev, struct cxl_vfio_found *found);
int cxl_vfio_component_block(struct pci_dev *port, u64 *block);

#endif
