// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * asks 2: disable_cxl
 * asks 1: cxl
 *
 * The vfio-pci-core of some vendors handles the CXL side of every device that a
 * driver registers.  A driver can turn that off (2) or cannot (1).
 */
#include <linux/vfio_pci_core.h>

#if VARIANT == 2
void probe(struct vfio_pci_core_device *core)
{
	core->disable_cxl = true;
}
#elif VARIANT == 1
bool probe(struct vfio_pci_core_device *core)
{
	return core->cxl;
}
#endif
