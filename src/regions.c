// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VMM is told about the device, and the COMP_REGS region: the component
 * register block as the guest sees it.
 */
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/cxl_vfio_pci.h>

#include "cxl_vfio.h"

static_assert(sizeof(struct cxl_vfio_device_info_cap_v2) == 32);
static_assert(sizeof(struct cxl_vfio_device_info_cap_v3) == 48);

/* The CXL capability in one of its layouts */
union info_cap {
	struct vfio_info_cap_header header;
	struct cxl_vfio_device_info_cap_v2 v2;
	struct cxl_vfio_device_info_cap_v3 v3;
};

static u32 info_cap_size(void)
{
	return cxl_vfio_abi_v2 ? sizeof(struct cxl_vfio_device_info_cap_v2) :
				 sizeof(struct cxl_vfio_device_info_cap_v3);
}

/* Where in the component block the COMP_REGS region starts, and its size */
static u32 comp_region_start(void)
{
	return cxl_vfio_abi_v2 ? CXL_VFIO_CM_OFFSET : 0;
}

static u32 comp_region_size(const struct cxl_vfio_device *dev)
{
	if (!cxl_vfio_abi_v2)
		return CXL_VFIO_COMP_BLOCK_SIZE;
	return dev->found->hdm_offset + cxl_vfio_hdm_size(&dev->comp.hdm);
}

/**
 * cxl_vfio_comp_rw() - pread or pwrite of the COMP_REGS region
 * @core: the device
 * @buf: user buffer
 * @count: bytes, a multiple of 4
 * @ppos: offset in the VFIO device's file, a multiple of 4 in that region; advanced
 * @write: direction
 *
 * Return: bytes done, -EINVAL past the region or unaligned, -EFAULT.
 */
ssize_t cxl_vfio_comp_rw(struct vfio_pci_core_device *core, char __user *buf, size_t count,
			 loff_t *ppos, bool write)
{
	struct cxl_vfio_device *dev = core_to_cxl_vfio(core);
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done = 0;

	if (at >= comp_region_size(dev) || !IS_ALIGNED(at | count, 4))
		return -EINVAL;
	count = min_t(u64, count, comp_region_size(dev) - at);
	at += comp_region_start();

	while (done < count) {
		u8 regs[64];
		size_t n = min_t(size_t, count - done, sizeof(regs));

		if (write && copy_from_user(regs, buf + done, n))
			return done ? done : -EFAULT;
		cxl_vfio_block_access(dev, at + done, regs, n, write);
		if (!write && copy_to_user(buf + done, regs, n))
			return done ? done : -EFAULT;
		done += n;
		*ppos += n;
	}
	return done;
}

/* vfio-pci-core calls it unconditionally; the model lives with the bind */
static void comp_release(struct vfio_pci_core_device *core, struct vfio_pci_region *region)
{
}

static const struct vfio_pci_regops comp_regops = {
	.rw = cxl_vfio_comp_rw,
	.release = comp_release,
};

/**
 * cxl_vfio_regions_open() - give the device its regions past the BARs
 * @dev: the device, between vfio_pci_core_enable() and
 *	vfio_pci_core_finish_enable()
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_regions_open(struct cxl_vfio_device *dev)
{
	int ret;

	ret = cxl_vfio_model_comp(dev, true);
	if (ret)
		return ret;
	ret = cxl_vfio_mem_register(dev);
	if (ret)
		return ret;
	dev->comp_region = VFIO_PCI_NUM_REGIONS + dev->core.num_regions;
	ret = vfio_pci_core_register_dev_region(&dev->core, CXL_VFIO_REGION_TYPE,
						CXL_VFIO_REGION_SUBTYPE_COMP_REGS, &comp_regops,
						comp_region_size(dev),
						VFIO_REGION_INFO_FLAG_READ |
						VFIO_REGION_INFO_FLAG_WRITE, NULL);
	if (ret)
		cxl_vfio_mem_close(dev);
	return ret;
}

static struct cxl_vfio_device_info_cap_v2 cap_v2(const struct cxl_vfio_device *dev)
{
	return (struct cxl_vfio_device_info_cap_v2) {
		.header.id = VFIO_DEVICE_INFO_CAP_CXL,
		.header.version = CXL_VFIO_DEVICE_INFO_CAP_VERSION,
		.hdm_regs_bar_index = dev->found->bar,
		.flags = CXL_VFIO_CAP_V2_FIRMWARE_COMMITTED |
			 (dev->found->dvsec_cap & CXL_VFIO_DVSEC_CAP_CACHE ?
			  CXL_VFIO_CAP_V2_CACHE_CAPABLE : 0),
		.hdm_regs_offset = dev->found->block_offset + CXL_VFIO_CM_OFFSET,
		.dpa_region_index = dev->mem[0].region,
		.comp_regs_region_index = dev->comp_region,
	};
}

static struct cxl_vfio_device_info_cap_v3 cap_v3(const struct cxl_vfio_device *dev)
{
	return (struct cxl_vfio_device_info_cap_v3) {
		.header.id = VFIO_DEVICE_INFO_CAP_CXL,
		.header.version = CXL_VFIO_DEVICE_INFO_CAP_VERSION,
		.flags = CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED,
		.hdm_region_idx = dev->mem[0].region,
		.comp_reg_region_idx = dev->comp_region,
		.comp_reg_bar = dev->found->bar,
		.comp_reg_offset = dev->found->block_offset,
		.comp_reg_size = CXL_VFIO_COMP_BLOCK_SIZE,
	};
}

static void fill_cap(const struct cxl_vfio_device *dev, union info_cap *cap)
{
	memset(cap, 0, sizeof(*cap));
	if (cxl_vfio_abi_v2)
		cap->v2 = cap_v2(dev);
	else
		cap->v3 = cap_v3(dev);
}

/*
 * Have vfio-pci-core answer into @argsz bytes of user memory.  It fills in the
 * fixed fields as far as they fit, and in argsz what all of its answer takes.
 */
static long core_device_info(struct cxl_vfio_device *dev, struct vfio_device_info __user *uinfo,
			     u32 argsz, struct vfio_device_info *info)
{
	long ret;

	memset(info, 0, sizeof(*info));
	if (put_user(argsz, &uinfo->argsz))
		return -EFAULT;
	ret = vfio_pci_core_ioctl(&dev->core.vdev, VFIO_DEVICE_GET_INFO, (unsigned long)uinfo);
	if (ret)
		return ret;
	return copy_from_user(info, uinfo, min_t(size_t, argsz, sizeof(*info))) ? -EFAULT : 0;
}

/* Put @cap at @offset of the user's answer, as the last of the chain from @first */
static long append_cap(void __user *uinfo, u32 first, u32 offset, const union info_cap *cap)
{
	u32 __user *link = uinfo + offsetof(struct vfio_device_info, cap_offset);
	u32 at = first;

	if (put_user(first, link))
		return -EFAULT;
	while (at) {
		/* The core's part lies below; the user could be changing it */
		if (at > offset - sizeof(struct vfio_info_cap_header))
			return -EINVAL;
		link = uinfo + at + offsetof(struct vfio_info_cap_header, next);
		if (get_user(at, link))
			return -EFAULT;
	}
	if (copy_to_user(uinfo + offset, cap, info_cap_size()) || put_user(offset, link))
		return -EFAULT;
	return 0;
}

/**
 * cxl_vfio_device_info() - VFIO_DEVICE_GET_INFO with the CXL capability
 * @dev: the device
 * @arg: user pointer to struct vfio_device_info
 *
 * vfio-pci-core writes its answer to user memory and offers no way to add to
 * it, so it is asked first how long its answer is, then to give it, and the
 * capability is put behind.
 *
 * Return: 0 or a negative errno as for the ioctl.
 */
long cxl_vfio_device_info(struct cxl_vfio_device *dev, unsigned long arg)
{
	struct vfio_device_info __user *uinfo = (void __user *)arg;
	union info_cap cap;
	struct vfio_device_info info;
	u32 argsz, offset, total;
	long ret;

	if (get_user(argsz, &uinfo->argsz))
		return -EFAULT;
	ret = core_device_info(dev, uinfo, min_t(u32, argsz, sizeof(info)), &info);
	if (ret)
		return ret;
	offset = ALIGN(max_t(u32, info.argsz, sizeof(info)), 8);
	total = offset + info_cap_size();

	if (argsz >= total) {
		ret = core_device_info(dev, uinfo, offset, &info);
		if (ret)
			return ret;
		fill_cap(dev, &cap);
		ret = append_cap(uinfo, info.flags & VFIO_DEVICE_FLAGS_CAPS ? info.cap_offset : 0,
				 offset, &cap);
		if (ret)
			return ret;
	} else if (argsz >= sizeof(info) && put_user(0, &uinfo->cap_offset)) {
		return -EFAULT;
	}

	info.flags |= VFIO_DEVICE_FLAGS_CXL | VFIO_DEVICE_FLAGS_CAPS;
	if (put_user(info.flags, &uinfo->flags) || put_user(total, &uinfo->argsz))
		return -EFAULT;
	return 0;
}
