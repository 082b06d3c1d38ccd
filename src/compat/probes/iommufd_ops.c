// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 *
 * 6.2 to 6.6 added four ops for iommufd; all four are wanted where it is built.
 */
#include <linux/vfio_pci_core.h>

const struct vfio_device_ops probe = {
#if VARIANT == 1
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#else
	.match = vfio_pci_core_match,
#endif
};
