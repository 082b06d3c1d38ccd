/* SPDX-License-Identifier: GPL-2.0-only */
#include "../kernel.h"

bool pci_ats_supported(struct pci_dev *pdev);
