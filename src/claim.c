// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims a range of host physical addresses that an HDM decoder, or the DVSEC, names, if it
 * can be memory of the device alone.  cxl-vfio uses this file too, so that it calls nothing
 * of the driver but cedt.c.
 *
 * A device that was tampered with may name any range.
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio_pci_core.h>

#include "cedt.h"
#include "claim.h"

/* A VFIO region's index takes the upper bits of a file offset */
#define REGION_MAX	BIT_ULL(VFIO_PCI_OFFSET_SHIFT)

/* Does a range touch a BAR or a bridge window that @pdev has an address for? */
static bool touches_resource(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range)
{
	for (unsigned int i = 0; i < PCI_NUM_RESOURCES; i++) {
		const struct resource *res = &pdev->resource[i];

		if (res->parent && (res->flags & IORESOURCE_MEM) &&
		    res->start <= cxl_vfio_range_end(range) && res->end >= range->base)
			return true;
	}
	return false;
}

/*
 * A device that was tampered with may name any range, also one where the platform
 * reaches another device: its user would have the registers of that device.
 */
static int check_route(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range)
{
	struct pci_dev *other = NULL;

	for_each_pci_dev(other) {
		if (!touches_resource(other, range))
			continue;
		pci_err(pdev, "%s%u: [mem %#llx-%#llx] overlaps a BAR or bridge window of %s, expected memory of this device alone\n",
			cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->base,
			cxl_vfio_range_end(range), pci_name(other));
		pci_dev_put(other);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/*
 * Claim a range.  The kernel gives no reason for a failure: another claim is there, or no
 * memory for this one.  Returns the claim, -EBUSY or -ENOMEM.
 */
static struct resource *request(const struct cxl_vfio_hdm_range *range)
{
	struct resource *res = request_mem_region_exclusive(range->base, range->size,
							    KBUILD_MODNAME);
	void *memory;

	if (res)
		return res;
	memory = kmalloc(sizeof(*res), GFP_KERNEL);
	if (!memory)
		return ERR_PTR(-ENOMEM);
	kfree(memory);
	res = request_mem_region_exclusive(range->base, range->size, KBUILD_MODNAME);
	return res ?: ERR_PTR(-EBUSY);
}

/**
 * cxl_vfio_claim_memory() - claim the range of an HDM decoder or of the DVSEC
 * @pdev: the function
 * @range: the range, which discovery accepted
 * @claim: the claim in /proc/iomem
 *
 * Return: 0, or 1 if the platform says nothing of the range; or a negative errno, logged,
 * with nothing claimed.
 */
int cxl_vfio_claim_memory(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range,
			  struct resource **claim)
{
	int ret;

	if (range->size > REGION_MAX) {
		pci_err(pdev, "%s%u: size %#llx, a VFIO region holds at most %#llx\n",
			cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->size,
			REGION_MAX);
		return -EFBIG;
	}
	if (region_intersects(range->base, range->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pci_err(pdev, "%s%u: [mem %#llx-%#llx] is System RAM, expected memory that the kernel leaves alone\n",
			cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->base,
			cxl_vfio_range_end(range));
		return -EADDRINUSE;
	}
	ret = check_route(pdev, range);
	if (ret)
		return ret;
	*claim = request(range);
	if (IS_ERR(*claim)) {
		ret = PTR_ERR(*claim);
		pci_err(pdev, "%s%u: [mem %#llx-%#llx] %s\n",
			cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->base,
			cxl_vfio_range_end(range),
			ret == -EBUSY ? "is claimed by another driver, see /proc/iomem" :
					"cannot be claimed, no host memory is left");
		return ret;
	}
	ret = cxl_vfio_cedt_check(pdev, range);
	if (ret < 0)
		release_mem_region(range->base, range->size);
	return ret;
}
