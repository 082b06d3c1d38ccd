// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: vfio_pci_core_get_dmabuf_phys
 * asks 1: vfio_pci_device_ops vfio_pci_core_get_dmabuf_phys
 *
 * Since about 6.19 drivers can let users export BARs as dma-bufs.
 */
#include <linux/vfio_pci_core.h>

#if VARIANT == 1
static const struct vfio_pci_device_ops ops = {
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
};

void probe(struct vfio_pci_core_device *core)
{
	core->pci_ops = &ops;
}
#endif
