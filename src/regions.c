// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VMM is told about the device, and the COMP_REGS region: the component
 * register block as the guest sees it.
 */
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/cxl_vfio_pci.h>

#include "cxl_vfio.h"
#include "trace.h"

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

/* Merge @n bytes at @shift of a register; the register is written as a whole */
static void write_dword(struct cxl_vfio_device *dev, u32 reg, unsigned int first,
			const u8 *buf, unsigned int n)
{
	u32 val = cxl_vfio_comp_read(&dev->comp, reg);
	struct cxl_vfio_hdm_event event;

	for (unsigned int i = 0; i < n; i++) {
		val &= ~(0xffU << (8 * (first + i)));
		val |= (u32)buf[i] << (8 * (first + i));
	}
	event = cxl_vfio_comp_write(&dev->comp, reg, val);
	if (event.type != HDM_EVENT_NONE)
		trace_cxl_vfio_decoder(dev->core.pdev, event.decoder, event.type, false);
}

static void read_dword(struct cxl_vfio_device *dev, u32 reg, unsigned int first, u8 *buf,
		       unsigned int n)
{
	u32 val = cxl_vfio_comp_read(&dev->comp, reg);

	for (unsigned int i = 0; i < n; i++)
		buf[i] = val >> (8 * (first + i));
}

/**
 * cxl_vfio_block_access() - read or write the component block's model
 * @dev: the device
 * @offset: first byte, from the block's start
 * @buf: kernel buffer
 * @count: bytes, all in the block, at any alignment
 * @write: direction
 *
 * Return: @count.
 */
ssize_t cxl_vfio_block_access(struct cxl_vfio_device *dev, u32 offset, u8 *buf, size_t count,
			      bool write)
{
	size_t done = 0;

	mutex_lock(&dev->model_lock);
	while (done < count) {
		u32 reg = round_down(offset + done, 4);
		unsigned int first = offset + done - reg;
		unsigned int n = min_t(size_t, 4 - first, count - done);

		if (write)
			write_dword(dev, reg, first, buf + done, n);
		else
			read_dword(dev, reg, first, buf + done, n);
		done += n;
	}
	mutex_unlock(&dev->model_lock);
	return count;
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

/* The registers now; while nobody can reach them, what they are when somebody can */
static void sample(struct cxl_vfio_device *dev, u32 *cm)
{
	if (cxl_vfio_decodes_memory(dev->core.pdev))
		cxl_vfio_read_cm(dev->cm_regs, cm);
	else
		memcpy(cm, dev->found->cm, CXL_VFIO_CM_SIZE);
}

/*
 * Sample the device and make the guest's view of its component block anew; what
 * the guest locked stays unless the locks are to go.
 */
static int model_comp(struct cxl_vfio_device *dev, bool unlock)
{
	const struct cxl_vfio_found *found = dev->found;
	u32 expected = found->cm[found->hdm_offset / 4], *cm;
	int ret = 0;

	cm = kmalloc(CXL_VFIO_CM_SIZE, GFP_KERNEL);
	if (!cm)
		return -ENOMEM;
	sample(dev, cm);
	if (cm[found->hdm_offset / 4] != expected) {
		pci_err(dev->core.pdev, "HDM Decoder Capability: header reads %#010x, it was %#010x at bind\n",
			cm[found->hdm_offset / 4], expected);
		ret = -EIO;
	} else {
		mutex_lock(&dev->model_lock);
		cxl_vfio_comp_init(&dev->comp, cm, found->hdm_offset, &cxl_vfio_view, unlock);
		mutex_unlock(&dev->model_lock);
	}
	kfree(cm);
	return ret;
}

/**
 * cxl_vfio_model_reset() - bring the guest's view up to date after a reset
 * @dev: the device, its memory usable or Memory Space off
 * @conventional: the reset releases locks too
 */
void cxl_vfio_model_reset(struct cxl_vfio_device *dev, bool conventional)
{
	if (!dev->opened)
		return;
	/* A view that cannot be made anew stays as it was, which is no harm */
	model_comp(dev, conventional);
	cxl_vfio_dvsec_resample(dev, conventional);
}

/**
 * cxl_vfio_model_lost() - show the guest decoders that do not decode
 * @dev: the device, which did not come back from a reset
 */
void cxl_vfio_model_lost(struct cxl_vfio_device *dev)
{
	mutex_lock(&dev->model_lock);
	cxl_vfio_hdm_lose(&dev->comp.hdm);
	mutex_unlock(&dev->model_lock);
}

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

	ret = model_comp(dev, true);
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
