// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: pasid_attach_ioas
 * asks 1: vfio_iommufd_physical_pasid_attach_ioas vfio_iommufd_physical_pasid_detach_ioas
 *
 * Since about 6.16 a user can attach a PASID of the device to an address space.
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
