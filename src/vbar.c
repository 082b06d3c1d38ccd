// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual BAR: the first HDM memory of the device as a 64-bit prefetchable BAR that
 * the device itself does not have.  With it, a VMM that does not know CXL gives the memory
 * to its guest.
 */
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "cxl_vfio.h"

#define BAR_FLAGS	(PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH)

/* Does the VMM's interface show it the HDM region?  It does so beside component registers */
static bool knows_memory(const struct cxl_vfio_device *dev)
{
	return dev->abi->maps_hdm && cxl_vfio_has_comp(dev->found);
}

/**
 * cxl_vfio_vbar_bind() - choose the slots of the virtual BAR
 * @dev: the device, its memory claimed
 *
 * Return: 0, also if there is no virtual BAR; -EEXIST, logged, if the device has a
 * BAR of its own in the slots that the parameter vbar names.
 */
int cxl_vfio_vbar_bind(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_vbar *vbar = &dev->vbar;
	int ret;

	ret = cxl_vfio_choose_vbar(dev->core.pdev, knows_memory(dev), &vbar->bar);
	if (ret || vbar->bar == VBAR_NONE)
		return ret;
	vbar->size = roundup_pow_of_two(dev->mem[0].window.size);
	vbar->window = dev->mem[0].window;
	vbar->window.offset = VFIO_PCI_INDEX_TO_OFFSET(vbar->bar);
	pci_info(dev->core.pdev, "virtual BAR %u: %llu MiB of device memory in %llu MiB\n",
		 vbar->bar, vbar->window.size >> 20, vbar->size >> 20);
	return 0;
}

/**
 * cxl_vfio_vbar_reset() - reset the virtual BAR's registers for a new user
 * @dev: the device
 */
void cxl_vfio_vbar_reset(struct cxl_vfio_device *dev)
{
	mutex_lock(&dev->model.lock);
	dev->vbar.addr = 0;
	cxl_vfio_model_move_bar(dev);
	mutex_unlock(&dev->model.lock);
}

/**
 * cxl_vfio_vbar_config() - access the virtual BAR's registers, PCIe 6.0 7.5.1.2.1
 * @dev: the device
 * @offset: first byte, from the lower register's start
 * @buf: kernel buffer
 * @count: bytes within the two registers
 * @write: direction
 */
void cxl_vfio_vbar_config(struct cxl_vfio_device *dev, unsigned int offset, u8 *buf,
			  size_t count, bool write)
{
	struct cxl_vfio_vbar *vbar = &dev->vbar;
	__le64 regs;

	mutex_lock(&dev->model.lock);
	regs = cpu_to_le64(vbar->addr | BAR_FLAGS);
	if (write) {
		memcpy((u8 *)&regs + offset, buf, count);
		vbar->addr = le64_to_cpu(regs) & ~(vbar->size - 1);
		cxl_vfio_model_move_bar(dev);
	} else {
		memcpy(buf, (u8 *)&regs + offset, count);
	}
	mutex_unlock(&dev->model.lock);
}

/**
 * cxl_vfio_vbar_rw() - pread or pwrite of the virtual BAR
 * @dev: the device
 * @buf: user buffer
 * @count: bytes
 * @ppos: offset in the VFIO device's file, in the BAR; advanced
 * @write: direction
 *
 * The BAR is rounded up to a power of two.  The part past the memory reads as all
 * ones and ignores writes.
 *
 * Return: bytes done, fewer than @count where an access crosses the memory's end;
 * -EINVAL past the BAR's end; other errors as for the HDM region.
 */
ssize_t cxl_vfio_vbar_rw(struct cxl_vfio_device *dev, char __user *buf, size_t count,
			 loff_t *ppos, bool write)
{
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;
	u8 ones[64];
	ssize_t ret;

	if (at >= dev->vbar.size)
		return -EINVAL;
	if (at < dev->mem[0].window.size) {
		ret = cxl_vfio_mem_rw(&dev->mem[0], buf, count, at, write);
		if (ret > 0)
			*ppos += ret;
		return ret;
	}
	count = min_t(u64, count, dev->vbar.size - at);
	memset(ones, 0xff, sizeof(ones));
	for (size_t done = 0; done < count && !write; done += sizeof(ones))
		if (copy_to_user(buf + done, ones, min(count - done, sizeof(ones))))
			return -EFAULT;
	*ppos += count;
	return count;
}

/**
 * cxl_vfio_vbar_region_info() - describe the virtual BAR
 * @dev: the device
 * @info: filled in
 * @caps: a sparse mmap area is added, if the BAR is larger than the memory
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_vbar_region_info(struct cxl_vfio_device *dev, struct vfio_region_info *info,
			      struct vfio_info_cap *caps)
{
	const struct cxl_vfio_vbar *vbar = &dev->vbar;
	const struct vfio_region_sparse_mmap_area memory = { .size = vbar->window.size };

	info->offset = vbar->window.offset;
	info->size = vbar->size;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		      VFIO_REGION_INFO_FLAG_MMAP;
	return vbar->size == vbar->window.size ? 0 : cxl_vfio_bar_add_sparse(caps, &memory, 1);
}
