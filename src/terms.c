// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module's parameters ask of a device.  cxl-vfio uses this file too, so that it
 * calls nothing of the driver.
 */
#include <linux/pci.h>
#include <linux/pci-ats.h>

#include "params.h"
#include "terms.h"

/*
 * The BAR registers that the device has, a bit each.  A BAR without an address may
 * have no resource, so the registers are read as well.  A 64-bit BAR may start at an
 * odd register; its upper half is a register that reads 0 and has no resource.
 */
static unsigned int used_slots(struct pci_dev *pdev)
{
	unsigned int used = 0;

	for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		bool is_64 = pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64;
		u32 val = ~0U;

		pci_read_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * bar, &val);
		if (!val && !pci_resource_len(pdev, bar))
			continue;
		used |= BIT(bar);
		if ((val & (PCI_BASE_ADDRESS_SPACE | PCI_BASE_ADDRESS_MEM_TYPE_MASK)) ==
		    PCI_BASE_ADDRESS_MEM_TYPE_64)
			is_64 = true;
		if (is_64)
			used |= BIT(++bar);
	}
	return used;
}

static bool pair_is_free(struct pci_dev *pdev, unsigned int bar)
{
	return !(used_slots(pdev) & (3U << bar));
}

/**
 * cxl_vfio_free_pair() - find room for a virtual BAR
 * @pdev: the function
 *
 * Return: the lower of the first two slots that are free, of BARs 0 and 1, 2 and 3 or 4
 * and 5; VBAR_NONE if none are.
 */
unsigned int cxl_vfio_free_pair(struct pci_dev *pdev)
{
	for (unsigned int slot = 0; slot < PCI_STD_NUM_BARS; slot += 2)
		if (pair_is_free(pdev, slot))
			return slot;
	return VBAR_NONE;
}

/**
 * cxl_vfio_choose_vbar() - choose the slots of the virtual BAR
 * @pdev: the function
 * @knows_memory: the VMM's interface shows it the HDM region
 * @bar: the lower slot, VBAR_NONE if there is no virtual BAR
 *
 * Return: 0, also if there is no virtual BAR; -EEXIST, logged, if the device has a
 * BAR of its own in the slots that the parameter vbar names.
 */
int cxl_vfio_choose_vbar(struct pci_dev *pdev, bool knows_memory, unsigned int *bar)
{
	unsigned int choice = cxl_vfio_params->vbar, slot;

	*bar = VBAR_NONE;
	if (choice == VBAR_OFF || (choice == VBAR_AUTO && knows_memory))
		return 0;
	if (choice == VBAR_AUTO) {
		*bar = cxl_vfio_free_pair(pdev);
		if (*bar == VBAR_NONE)
			pci_info(pdev, "no free pair of BARs: a VMM must know the HDM region to use device memory\n");
		return 0;
	}
	slot = 2 * (choice - VBAR_SLOT_0);
	if (!pair_is_free(pdev, slot)) {
		pci_err(pdev, "vbar=%u: the device has a BAR of its own in that slot\n", slot);
		return -EEXIST;
	}
	*bar = slot;
	return 0;
}

/**
 * cxl_vfio_check_cache() - may the parameter cxl_cache be followed?
 * @pdev: the function
 * @found: what discovery found
 *
 * Return: 0 if CXL.cache is left as it is, 1 if it must be turned off; -EPERM if the
 * kernel may turn on ATS, -EACCES if Cache_Enable is locked, both logged.
 */
int cxl_vfio_check_cache(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	if (cxl_vfio_params->cache == CACHE_KEEP)
		return 0;
	if (pci_ats_supported(pdev)) {
		pci_err(pdev, "cxl_cache=off: the kernel may turn on ATS for the device; boot with pci=noats\n");
		return -EPERM;
	}
	if (!(found->dvsec_ctrl & CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE))
		return 0;
	if (!cxl_vfio_config_is_locked(pdev, found))
		return 1;
	pci_err(pdev, "cxl_cache=off: CONTROL reads %#06x, Cache_Enable cannot be turned off, CONFIG_LOCK is set\n",
		found->dvsec_ctrl);
	return -EACCES;
}
