// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: vfio_pci_ioctl_get_region_info
 * asks 1: get_region_info_caps vfio_pci_ioctl_get_region_info
 *
 * Since about 7.0 VFIO_DEVICE_GET_REGION_INFO has an op of its own and never reaches
 * .ioctl.  On earlier kernels it is one of the commands of .ioctl.
 */
#include <linux/vfio_pci_core.h>

#if VARIANT == 1
const struct vfio_device_ops probe = {
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
};
#else
const struct vfio_device_ops probe = {
	.ioctl = vfio_pci_core_ioctl,
};
#endif
