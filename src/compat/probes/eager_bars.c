// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: vfio_pci_core_get_iomap
 *
 * Since about 7.2 vfio-pci-core requests every BAR when a device is opened.  Earlier
 * kernels request each BAR at its first use.
 */
#include <linux/vfio_pci_core.h>

#if VARIANT == 1
void __iomem *probe(struct vfio_pci_core_device *core)
{
	return vfio_pci_core_get_iomap(core, 0);
}
#else
void __iomem *probe(struct vfio_pci_core_device *core)
{
	return core->barmap[0];
}
#endif
