// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: disable_idle_d3
 *
 * Can a driver keep vfio-pci-core from suspending a device that nobody has open?
 * Stable updates added this to some series.
 */
#include <linux/vfio_pci_core.h>

#if VARIANT == 1
void probe(struct vfio_pci_core_device *core)
{
	core->disable_idle_d3 = true;
}
#endif
