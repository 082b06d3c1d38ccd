/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_CLAIM_H
#define CXL_VFIO_CLAIM_H

#include "registers.h"

struct resource;

int cxl_vfio_claim_memory(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range,
			  struct resource **claim);

#endif
