// SPDX-License-Identifier: GPL-2.0-only
/*
 * The COMP_REGS region, the component register block as the guest sees it, and
 * the registration of all regions past the BARs.
 */
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/cxl_vfio_pci.h>

#include "cxl_vfio.h"

/**
 * cxl_vfio_comp_rw() - pread or pwrite of the COMP_REGS region
 * @core: the device
 * @buf: user buffer
 * @count: bytes, a multiple of 4
 * @ppos: offset in the VFIO device's file, in the region, a multiple of 4; advanced
 * @write: direction
 *
 * Return: bytes done; -EINVAL past the region's end or for an unaligned access;
 * -EFAULT.
 */
ssize_t cxl_vfio_comp_rw(struct vfio_pci_core_device *core, char __user *buf, size_t count,
			 loff_t *ppos, bool write)
{
	struct cxl_vfio_device *dev = core_to_cxl_vfio(core);
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done = 0;

	if (at >= cxl_vfio_comp_region_size(dev) || !IS_ALIGNED(at | count, 4))
		return -EINVAL;
	count = min_t(u64, count, cxl_vfio_comp_region_size(dev) - at);
	at += dev->abi->comp_start;

	while (done < count) {
		u8 regs[64];
		size_t n = min_t(size_t, count - done, sizeof(regs));

		if (write && copy_from_user(regs, buf + done, n))
			return done ? done : -EFAULT;
		cxl_vfio_block_access(dev, at + done, regs, n, write, VIA_REGION);
		if (!write && copy_to_user(buf + done, regs, n))
			return done ? done : -EFAULT;
		done += n;
		*ppos += n;
	}
	return done;
}

/* Nothing to release: the model exists until unbind.  vfio-pci-core needs the callback. */
static void comp_release(struct vfio_pci_core_device *core, struct vfio_pci_region *region)
{
}

static const struct vfio_pci_regops comp_regops = {
	.rw = cxl_vfio_comp_rw,
	.release = comp_release,
};

/**
 * cxl_vfio_regions_open() - register the device's regions past the BARs
 * @dev: the device, between vfio_pci_core_enable() and
 *	vfio_pci_core_finish_enable()
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_regions_open(struct cxl_vfio_device *dev)
{
	int ret;

	dev->comp_region = COMP_REGION_NONE;
	ret = cxl_vfio_mem_register(dev);
	if (ret || !cxl_vfio_has_comp(dev->found))
		return ret;
	dev->comp_region = VFIO_PCI_NUM_REGIONS + dev->core.num_regions;
	ret = vfio_pci_core_register_dev_region(&dev->core, CXL_VFIO_REGION_TYPE,
						CXL_VFIO_REGION_SUBTYPE_COMP_REGS, &comp_regops,
						cxl_vfio_comp_region_size(dev),
						VFIO_REGION_INFO_FLAG_READ |
						VFIO_REGION_INFO_FLAG_WRITE, NULL);
	if (ret)
		cxl_vfio_mem_close(dev);
	return ret;
}
