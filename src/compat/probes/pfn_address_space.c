// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: register_pfn_address_space unregister_pfn_address_space
 * asks 1: memory-failure.h pfn_address_space register_pfn_address_space pfn_to_vma_pgoff
 *
 * Reports of memory errors in pages without a struct page, since 7.1.
 */
#if VARIANT == 1
#include <linux/memory-failure.h>
#include <linux/mm.h>
#include <linux/vfio_pci_core.h>

static int pgoff(struct vm_area_struct *vma, unsigned long pfn, pgoff_t *out)
{
	return 0;
}

int probe(struct pfn_address_space *space, struct vfio_device *vdev)
{
	*space = (struct pfn_address_space) {
		.node.start = 1,
		.node.last = 1,
		.mapping = vdev->inode->i_mapping,
		.pfn_to_vma_pgoff = pgoff,
	};
	return register_pfn_address_space(space);
}
#endif
