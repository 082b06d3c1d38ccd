// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * asks 2: detach_ioas vfio_iommufd_physical_detach_ioas bind_iommufd vfio_iommufd_physical_bind
 * asks 1: bind_iommufd vfio_iommufd_physical_bind
 *
 * 6.2 added three ops for iommufd (1), and refuses to register a device without
 * them.  6.6 added a fourth (2).
 */
#include <linux/vfio_pci_core.h>

const struct vfio_device_ops probe = {
#if VARIANT >= 1
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
#endif
#if VARIANT == 2
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#endif
	.match = vfio_pci_core_match,
};
