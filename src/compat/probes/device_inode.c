// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: inode
 *
 * Since 6.10 each VFIO device has an inode of its own, by which its mappings can be
 * removed.  Before 6.10 all VFIO devices share one inode.
 */
#include <linux/vfio_pci_core.h>

#if VARIANT == 1
struct address_space *probe(struct vfio_device *vdev)
{
	return vdev->inode->i_mapping;
}
#else
struct list_head *probe(struct vfio_pci_core_device *core)
{
	return &core->vma_list;
}
#endif
