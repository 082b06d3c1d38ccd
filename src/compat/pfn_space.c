// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory errors in pages without a struct page: from 7.1 on the kernel tells
 * whoever registered them (pfn_address_space.c tells).
 */
#include <linux/pci.h>

#include "compat.h"

#if CXL_VFIO_PFN_ADDRESS_SPACE

/**
 * cxl_vfio_compat_pfn_space_register() - ask to be told of memory errors
 * @space: zeroed
 * @core: the device, open
 * @phys: host physical address, page aligned
 * @len: bytes, page aligned
 * @pgoff: says at which offset of the file a mapping has a bad page, if it does;
 *	called in atomic context
 *
 * Without it a memory error ends as it does for any memory that the kernel does
 * not know, so failing is no reason to fail.
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
		pci_info(core->pdev, "memory errors will not be reported\n");
}

/**
 * cxl_vfio_compat_pfn_space_unregister() - undo the registration, if there is one
 * @space: as registered
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
