// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interfaces between this driver and VMMs, a table row each: the answer to
 * VFIO_DEVICE_GET_INFO, and the part of the component block in the COMP_REGS region.
 */
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/cxl_vfio_pci.h>

#include "cxl_vfio.h"

static_assert(sizeof(struct cxl_vfio_device_info_cap_v2) == 32);
static_assert(sizeof(struct cxl_vfio_device_info_cap_v3) == 48);

/* Length of the longest CXL capability in cxl_vfio_abis, bytes */
#define CAP_MAX		48

static void fill_cap_v2(const struct cxl_vfio_device *dev, void *cap)
{
	*(struct cxl_vfio_device_info_cap_v2 *)cap = (struct cxl_vfio_device_info_cap_v2) {
		.header.id = VFIO_DEVICE_INFO_CAP_CXL,
		.header.version = CXL_VFIO_DEVICE_INFO_CAP_VERSION,
		.hdm_regs_bar_index = dev->found->bar,
		.flags = (dev->found->by_ranges ? 0 : CXL_VFIO_CAP_V2_FIRMWARE_COMMITTED) |
			 (dev->found->dvsec_cap & CXL_VFIO_DVSEC_CAP_CACHE ?
			  CXL_VFIO_CAP_V2_CACHE_CAPABLE : 0),
		.hdm_regs_offset = dev->found->block_offset + CXL_VFIO_CM_OFFSET,
		.dpa_region_index = dev->mem[0].region,
		.comp_regs_region_index = dev->comp_region,
	};
}

static void fill_cap_v3(const struct cxl_vfio_device *dev, void *cap)
{
	*(struct cxl_vfio_device_info_cap_v3 *)cap = (struct cxl_vfio_device_info_cap_v3) {
		.header.id = VFIO_DEVICE_INFO_CAP_CXL,
		.header.version = CXL_VFIO_DEVICE_INFO_CAP_VERSION,
		.flags = dev->found->by_ranges ? 0 : CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED,
		.hdm_region_idx = dev->mem[0].region,
		.comp_reg_region_idx = dev->comp_region,
		.comp_reg_bar = dev->found->bar,
		.comp_reg_offset = dev->found->block_offset,
		.comp_reg_size = CXL_VFIO_COMP_BLOCK_SIZE,
	};
}

const struct cxl_vfio_abi cxl_vfio_abis[CXL_VFIO_NR_ABIS] = {
	{
		.name = "v3",
		.comp_whole = true,
		.cap_size = sizeof(struct cxl_vfio_device_info_cap_v3),
		.fill_cap = fill_cap_v3,
	}, {
		.name = "v2",
		.base_rw = true,
		.maps_hdm = true,
		.comp_start = CXL_VFIO_CM_OFFSET,
		.cap_size = sizeof(struct cxl_vfio_device_info_cap_v2),
		.fill_cap = fill_cap_v2,
	},
};

/**
 * cxl_vfio_comp_region_size() - size of the COMP_REGS region
 * @dev: the device, which has component registers
 *
 * Return: bytes.
 */
u32 cxl_vfio_comp_region_size(const struct cxl_vfio_device *dev)
{
	u32 hdm = dev->found->hdm_offset;
	u32 end = CXL_VFIO_COMP_BLOCK_SIZE;

	if (!dev->abi->comp_whole)
		end = CXL_VFIO_CM_OFFSET +
		      (hdm ? hdm + cxl_vfio_hdm_length(dev->found->cm[hdm / 4]) : CXL_VFIO_CM_SIZE);
	return end - dev->abi->comp_start;
}

/*
 * Have vfio-pci-core answer into @argsz bytes of user memory.  vfio-pci-core fills in
 * the fixed fields that fit, and sets argsz to the length of its whole answer.
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

/* Copy @cap to @offset of the user's answer, and link it to the end of the chain at @first */
static long append_cap(void __user *uinfo, u32 first, u32 offset, const void *cap, u32 size)
{
	u32 __user *link = uinfo + offsetof(struct vfio_device_info, cap_offset);
	u32 at = first, before = 0;

	if (put_user(first, link))
		return -EFAULT;
	while (at) {
		/* The chain ascends and ends below @offset, but the user may change it */
		if (at <= before || at > offset - sizeof(struct vfio_info_cap_header))
			return -EINVAL;
		before = at;
		link = uinfo + at + offsetof(struct vfio_info_cap_header, next);
		if (get_user(at, link))
			return -EFAULT;
	}
	if (copy_to_user(uinfo + offset, cap, size) || put_user(offset, link))
		return -EFAULT;
	return 0;
}

/**
 * cxl_vfio_device_info() - VFIO_DEVICE_GET_INFO with the CXL capability
 * @dev: the device
 * @arg: user pointer to struct vfio_device_info
 *
 * vfio-pci-core writes its answer to user memory and offers no way to add to it.
 * So the driver first gets the length of that answer, then the answer itself, and
 * appends the CXL capability.
 *
 * The capability says where the component registers are.  Without any there is none, and
 * vfio-pci-core's answer stands: a VMM finds the HDM regions by their type.
 *
 * Return: 0 or a negative errno as for the ioctl.
 */
long cxl_vfio_device_info(struct cxl_vfio_device *dev, unsigned long arg)
{
	struct vfio_device_info __user *uinfo = (void __user *)arg;
	u8 cap[CAP_MAX] __aligned(8) = {};
	struct vfio_device_info info;
	u32 argsz, offset, total;
	long ret;

	if (!cxl_vfio_has_comp(dev->found))
		return vfio_pci_core_ioctl(&dev->core.vdev, VFIO_DEVICE_GET_INFO, arg);
	if (get_user(argsz, &uinfo->argsz))
		return -EFAULT;
	ret = core_device_info(dev, uinfo, min_t(u32, argsz, sizeof(info)), &info);
	if (ret)
		return ret;
	offset = ALIGN(max_t(u32, info.argsz, sizeof(info)), 8);
	total = offset + dev->abi->cap_size;

	if (argsz >= total) {
		ret = core_device_info(dev, uinfo, offset, &info);
		if (ret)
			return ret;
		dev->abi->fill_cap(dev, cap);
		ret = append_cap(uinfo, info.flags & VFIO_DEVICE_FLAGS_CAPS ? info.cap_offset : 0,
				 offset, cap, dev->abi->cap_size);
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
