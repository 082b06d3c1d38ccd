// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO operations for functions without HDM memory: vfio-pci-core alone serves them,
 * as under vfio-pci.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "cxl_vfio.h"

static int cxl_vfio_plain_init(struct vfio_device *vdev)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);

	cxl_vfio_compat_plain_init(&dev->core);
	return vfio_pci_core_init_dev(vdev);
}

static void cxl_vfio_plain_release(struct vfio_device *vdev)
{
	kfree(to_cxl_vfio(vdev)->found);
	vfio_pci_core_release_dev(vdev);
}

static int cxl_vfio_plain_open_device(struct vfio_device *vdev)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);
	int ret;

	ret = vfio_pci_core_enable(&dev->core);
	if (!ret)
		vfio_pci_core_finish_enable(&dev->core);
	return ret;
}

const struct vfio_device_ops cxl_vfio_plain_ops = {
	/* vfio-pci-core has virtual functions bound to the driver of this name */
	.name = KBUILD_MODNAME,
	.init = cxl_vfio_plain_init,
	.release = cxl_vfio_plain_release,
	.open_device = cxl_vfio_plain_open_device,
	.close_device = vfio_pci_core_close_device,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
	CXL_VFIO_COMPAT_MATCH_TOKEN_UUID
	CXL_VFIO_COMPAT_PLAIN_REGION_INFO
	CXL_VFIO_COMPAT_IOMMUFD_OPS
	CXL_VFIO_COMPAT_PASID_OPS
};
