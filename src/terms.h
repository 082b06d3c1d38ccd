/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_TERMS_H
#define CXL_VFIO_TERMS_H

#include "discover.h"

#define VBAR_NONE	U32_MAX

unsigned int cxl_vfio_free_pair(struct pci_dev *pdev);
int cxl_vfio_choose_vbar(struct pci_dev *pdev, bool knows_memory, unsigned int *bar);
int cxl_vfio_check_cache(struct pci_dev *pdev, const struct cxl_vfio_found *found);

#endif
