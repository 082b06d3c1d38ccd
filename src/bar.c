// SPDX-License-Identifier: GPL-2.0-only
/*
 * The component BAR, which this driver serves instead of vfio-pci-core.  Accesses
 * to the component block inside the BAR reach the model, and the block is never
 * mapped.  Accesses to the rest of the BAR reach the device.
 */
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "cxl_vfio.h"

/**
 * cxl_vfio_bar_open() - map the component BAR for the time the device is open
 * @dev: the device, after vfio_pci_core_enable()
 *
 * Return: 0, also for a device without component registers; -EBUSY, logged, if another
 * driver has requested the BAR; -ENOMEM.
 */
int cxl_vfio_bar_open(struct cxl_vfio_device *dev)
{
	unsigned int bar = dev->found->bar;
	int ret;

	if (!cxl_vfio_has_comp(dev->found))
		return 0;
	ret = cxl_vfio_compat_claim_bar(&dev->core, bar, dev->topology.joined,
					&dev->bar.core_map);
	if (ret) {
		pci_err(dev->core.pdev, "BAR %u with the component registers: another driver has requested it, see /proc/iomem\n",
			bar);
		return ret;
	}

	dev->bar.regs = ioremap(dev->bar.window.phys, dev->bar.window.size);
	if (!dev->bar.regs) {
		cxl_vfio_compat_release_bar(&dev->core, bar, dev->bar.core_map);
		return -ENOMEM;
	}
	cxl_vfio_compat_show_bar(&dev->core, bar, dev->bar.regs);
	return 0;
}

/**
 * cxl_vfio_bar_close() - undo cxl_vfio_bar_open()
 * @dev: the device
 */
void cxl_vfio_bar_close(struct cxl_vfio_device *dev)
{
	if (!dev->bar.regs)
		return;
	cxl_vfio_compat_release_bar(&dev->core, dev->found->bar, dev->bar.core_map);
	iounmap(dev->bar.regs);
	dev->bar.regs = NULL;
}

/**
 * cxl_vfio_bar_is_block() - does a range touch the component block?
 * @dev: the device
 * @start: first byte, as an offset in the VFIO device's file
 * @len: bytes, not 0
 *
 * Return: true if any byte of the range is in the component block.
 */
bool cxl_vfio_bar_is_block(const struct cxl_vfio_device *dev, u64 start, u64 len)
{
	u64 block = block_start(dev);

	return start < block + CXL_VFIO_COMP_BLOCK_SIZE && len > 0 &&
	       (start >= block || len > block - start);
}

/* Size of the largest aligned access at @pos, at most @count bytes */
static size_t natural_size(u64 pos, size_t count)
{
	size_t size = 8;

	while (size > count || !IS_ALIGNED(pos, size))
		size /= 2;
	return size;
}

static void device_read(const void __iomem *reg, u64 *val, size_t size)
{
	switch (size) {
	case 8:
		*(u32 *)val = readl(reg);
		*((u32 *)val + 1) = readl(reg + 4);
		break;
	case 4:
		*(u32 *)val = readl(reg);
		break;
	case 2:
		*(u16 *)val = readw(reg);
		break;
	default:
		*(u8 *)val = readb(reg);
	}
}

static void device_write(void __iomem *reg, const u64 *val, size_t size)
{
	switch (size) {
	case 8:
		writel(*(u32 *)val, reg);
		writel(*((u32 *)val + 1), reg + 4);
		break;
	case 4:
		writel(*(u32 *)val, reg);
		break;
	case 2:
		writew(*(u16 *)val, reg);
		break;
	default:
		writeb(*(u8 *)val, reg);
	}
}

/*
 * One access to the device; -EIO while it does not decode memory, -EAGAIN to wait.
 * Registers are asked for without the gate's lock: an access under way when a reset
 * begins reads all ones, as under vfio-pci.
 */
static int try_access(struct cxl_vfio_device *dev, u64 at, u64 *val, size_t size, bool write)
{
	enum cxl_vfio_answer answer;

	if (down_read_killable(&dev->core.memory_lock))
		return -EINTR;
	answer = cxl_vfio_gate_ask(dev, ASK_BAR);
	if (answer == ANSWER_GO && write)
		device_write(dev->bar.regs + at, val, size);
	else if (answer == ANSWER_GO)
		device_read(dev->bar.regs + at, val, size);
	up_read(&dev->core.memory_lock);
	return answer == ANSWER_GO ? 0 : answer == ANSWER_WAIT ? -EAGAIN : -EIO;
}

static int device_access(struct cxl_vfio_device *dev, u64 at, u64 *val, size_t size, bool write)
{
	int ret;

	do {
		ret = try_access(dev, at, val, size, write);
	} while (ret == -EAGAIN && !cxl_vfio_gate_wait(dev, ASK_BAR, TASK_KILLABLE));
	return ret == -EAGAIN ? -EINTR : ret;
}

/* One aligned access to the BAR at @at, which does not cross the component block's border */
static int bar_access(struct cxl_vfio_device *dev, u64 at, u64 *val, size_t size, bool write)
{
	u64 block = dev->found->block_offset;
	ssize_t ret;

	if (at < block || at >= block + CXL_VFIO_COMP_BLOCK_SIZE)
		return device_access(dev, at, val, size, write);

	ret = cxl_vfio_block_access(dev, at - block, (u8 *)val, size, write, VIA_BAR);
	return ret < 0 ? ret : 0;
}

/**
 * cxl_vfio_bar_rw() - pread or pwrite of the component BAR
 * @dev: the device
 * @buf: user buffer
 * @count: bytes
 * @ppos: offset in the VFIO device's file, in the BAR; advanced
 * @write: direction
 *
 * Return: bytes done; -EINVAL past the BAR's end; -EFAULT; -EIO while Memory Space
 * is off; -EINTR if the task was killed while it waited.
 */
ssize_t cxl_vfio_bar_rw(struct cxl_vfio_device *dev, char __user *buf, size_t count, loff_t *ppos,
			bool write)
{
	struct device *parent = &dev->core.pdev->dev;
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done = 0;
	int ret;

	if (at >= dev->bar.window.size)
		return -EINVAL;
	if (write)
		cxl_vfio_mark_used(dev);
	count = min_t(u64, count, dev->bar.window.size - at);

	ret = pm_runtime_resume_and_get(parent);
	if (ret)
		return -EIO;

	while (done < count) {
		size_t size = natural_size(at + done, count - done);
		u64 val = 0;

		if (write && copy_from_user(&val, buf + done, size))
			ret = -EFAULT;
		else
			ret = bar_access(dev, at + done, &val, size, write);
		if (!ret && !write && copy_to_user(buf + done, &val, size))
			ret = -EFAULT;
		if (ret)
			break;
		done += size;
	}
	pm_runtime_put(parent);

	*ppos += done;
	return done ? done : ret;
}

/**
 * cxl_vfio_bar_mmap() - map part of the component BAR
 * @dev: the device
 * @vma: the mapping asked for
 *
 * Return: 0, -EINVAL if the mapping touches the component block or leaves the BAR.
 */
int cxl_vfio_bar_mmap(struct cxl_vfio_device *dev, struct vm_area_struct *vma)
{
	/* A device's registers are not encrypted on hosts whose memory is */
	pgprot_t prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (cxl_vfio_bar_is_block(dev, start, vma->vm_end - vma->vm_start))
		return -EINVAL;
	return cxl_vfio_window_mmap(&dev->bar.window, vma, prot);
}

/**
 * cxl_vfio_bar_add_sparse() - describe the parts of a BAR that can be mapped
 * @caps: capabilities; a sparse mmap capability is added
 * @areas: the parts
 * @n: number of @areas
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_bar_add_sparse(struct vfio_info_cap *caps,
			    const struct vfio_region_sparse_mmap_area *areas, unsigned int n)
{
	struct vfio_region_info_cap_sparse_mmap *sparse;
	int ret;

	sparse = kzalloc(struct_size(sparse, areas, n), GFP_KERNEL);
	if (!sparse)
		return -ENOMEM;
	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	sparse->nr_areas = n;
	memcpy(sparse->areas, areas, n * sizeof(*areas));
	ret = vfio_info_add_capability(caps, &sparse->header, struct_size(sparse, areas, n));
	kfree(sparse);
	return ret;
}

/*
 * Describe the parts of the BAR before and after the block.  They are whole pages, and no
 * page has registers besides those of the block: it is 64 KiB and aligned to that, as is
 * the BAR (8.1.9), and no page is larger.
 */
static_assert(CXL_VFIO_COMP_BLOCK_SIZE % PAGE_SIZE == 0);
static int add_sparse_areas(struct cxl_vfio_device *dev, struct vfio_region_info *info,
			    struct vfio_info_cap *caps)
{
	u64 before = dev->found->block_offset;
	u64 after = before + CXL_VFIO_COMP_BLOCK_SIZE;
	struct vfio_region_sparse_mmap_area areas[2] = {};
	unsigned int n = 0;

	if (before)
		areas[n++].size = before;
	if (after < dev->bar.window.size) {
		areas[n].offset = after;
		areas[n++].size = dev->bar.window.size - after;
	}
	if (!n)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return cxl_vfio_bar_add_sparse(caps, areas, n);
}

/**
 * cxl_vfio_bar_region_info() - describe the component BAR
 * @dev: the device
 * @info: filled in
 * @caps: sparse mmap areas are added
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_bar_region_info(struct cxl_vfio_device *dev, struct vfio_region_info *info,
			     struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header msix = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};
	int ret;

	info->offset = dev->bar.window.offset;
	info->size = dev->bar.window.size;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	ret = add_sparse_areas(dev, info, caps);
	if (!ret && dev->core.msix_bar == dev->found->bar && dev->core.pdev->msix_cap)
		ret = vfio_info_add_capability(caps, &msix, sizeof(msix));
	return ret;
}
