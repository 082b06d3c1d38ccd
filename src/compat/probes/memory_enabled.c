// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: __vfio_pci_memory_enabled
 * asks 1: __vfio_pci_memory_enabled
 *
 * Since about 7.0 vfio-pci-core exports the test whether a device decodes memory.  On
 * earlier kernels the driver makes that test from public fields.
 */
#include <linux/vfio_pci_core.h>

bool probe(struct vfio_pci_core_device *core)
{
#if VARIANT == 1
	return __vfio_pci_memory_enabled(core);
#else
	return core->pdev->no_command_memory || core->vconfig[PCI_COMMAND];
#endif
}
