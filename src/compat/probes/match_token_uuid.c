// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: vfio_pci_core_match_token_uuid
 * asks 1: match_token_uuid vfio_pci_core_match_token_uuid
 *
 * Drivers that use vfio_pci_core_match() must set .match_token_uuid on kernels that
 * have it, since about 6.18.
 */
#include <linux/vfio_pci_core.h>

const struct vfio_device_ops probe = {
	.match = vfio_pci_core_match,
#if VARIANT == 1
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
};
