// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory errors in pages without a struct page: from 7.1 on the kernel reports them
 * to the driver that registered the pages (see probes/pfn_address_space.c).
 */
#include <linux/pci.h>

#include "compat.h"

#if CXL_VFIO_PFN_ADDRESS_SPACE

/**
 * cxl_vfio_compat_pfn_space_register() - register a range for reports of memory errors
 * @space: zeroed
 * @core: the device, open
 * @phys: host physical address, page aligned
 * @len: bytes, page aligned
 * @pgoff: finds the file offset of a bad page in a mapping, or fails if the mapping
 *	does not have the page; called in atomic context
 *
 * Registration is best effort; a failure is logged.  Without it the kernel handles a
 * memory error as in any memory that it does not know.
 */
void cxl_vfio_compat_pfn_space_register(struct cxl_vfio_compat_pfn_space *space,
					struct vfio_pci_core_device *core, phys_addr_t phys,
					u64 len, cxl_vfio_compat_pgoff_fn pgoff)
{
	space->space = (struct pfn_address_space) {
		.node.start = PHYS_PFN(phys),
		.node.last = PHYS_PFN(phys + len - 1),
		.mapping = core->vdev.inode->i_mapping,
		.pfn_to_vma_pgoff = pgoff,
	};
	space->registered = !register_pfn_address_space(&space->space);
	if (!space->registered)
		pci_info(core->pdev, "memory errors in device memory will not be reported\n");
}

/**
 * cxl_vfio_compat_pfn_space_unregister() - unregister a range, if it is registered
 * @space: as for cxl_vfio_compat_pfn_space_register()
 */
void cxl_vfio_compat_pfn_space_unregister(struct cxl_vfio_compat_pfn_space *space)
{
	if (space->registered)
		unregister_pfn_address_space(&space->space);
	space->registered = false;
}

#else

void cxl_vfio_compat_pfn_space_register(struct cxl_vfio_compat_pfn_space *space,
					struct vfio_pci_core_device *core, phys_addr_t phys,
					u64 len, cxl_vfio_compat_pgoff_fn pgoff)
{
}

void cxl_vfio_compat_pfn_space_unregister(struct cxl_vfio_compat_pfn_space *space)
{
}

#endif
