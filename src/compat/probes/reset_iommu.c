// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: pci_dev_reset_iommu_prepare pci_dev_reset_iommu_done
 * asks 1: pci_dev_reset_iommu_prepare pci_dev_reset_iommu_done
 *
 * Since 7.0 the IOMMU can block a function's ATS while the function is reset.
 */
#include <linux/iommu.h>
#include <linux/pci.h>

#if VARIANT == 1
int probe(struct pci_dev *pdev)
{
	int ret = pci_dev_reset_iommu_prepare(pdev);

	pci_dev_reset_iommu_done(pdev);
	return ret;
}
#endif
