// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: pasid_attach_ioas
 *
 * 6.16 or so added attaching a PASID of the device.
 */
#include <linux/vfio_pci_core.h>

const struct vfio_device_ops probe = {
#if VARIANT == 1
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
	.match = vfio_pci_core_match,
#endif
};
