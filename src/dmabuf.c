// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory and BARs as dma-bufs: VFIO_DEVICE_FEATURE_DMA_BUF.
 *
 * BARs are exported by vfio-pci-core, without the component block.  HDM memory, by an HDM
 * region or the virtual BAR, has two exporters:
 *
 * This file is the one of users who opened the device through a group and container.
 * Importers must support revocation (dynamic importers): when the gate closes, their
 * mappings are revoked, and they get no new mapping until the gate opens.  They cannot pin.
 * After the close of the device a dma-buf may exist, but cannot be mapped any more.
 *
 * Users who opened it through iommufd want to map it there, and iommufd takes dma-bufs of
 * vfio-pci-core alone.  These are revoked when Memory Space goes off, by vfio-pci-core, and
 * when the gate closes, from here.  vfio-pci-core does not ask the gate before it lets an
 * importer map again.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/cxl_vfio_pci.h>

#include "cxl_vfio.h"

/* One entry of a scatterlist holds less than 4 GiB */
#define SEGMENT_MAX	SZ_1G
#define RANGES_MAX	64

/**
 * struct cxl_vfio_exports - the dma-bufs of one device
 * @refs: the device's reference, and one of each dma-buf, which may outlive the device
 * @lock: protects @list and @core; held, no dma-buf in the lists is freed
 * @list: dma-bufs of the current user
 * @core: dma-bufs that vfio-pci-core exported for the current user
 * @core_lock: serialises exports of HDM memory and of the component BAR by vfio-pci-core;
 *	not held together with @lock
 */
struct cxl_vfio_exports {
	struct kref refs;
	struct mutex lock;	/* of the lists */
	struct list_head list;
	struct list_head core;
	struct mutex core_lock;	/* of the device's struct cxl_vfio_compat_export */
};

/**
 * struct core_dmabuf - HDM memory or component BAR that vfio-pci-core exported
 * @node: entry in the list of the device's exports
 * @buf: the dma-buf, with a reference
 */
struct core_dmabuf {
	struct list_head node;
	struct dma_buf *buf;
};

/**
 * struct hdm_dmabuf - HDM memory that a user exported
 * @exports: the dma-bufs of the device, with a reference
 * @node: entry in the list of @exports
 * @dev: the device, NULL once it was closed; changed with @buf's reservation
 *	lock and the lock of @exports held
 * @buf: the dma-buf
 * @nr: number of ranges
 * @range: the exported ranges of host physical addresses
 */
struct hdm_dmabuf {
	struct cxl_vfio_exports *exports;
	struct list_head node;
	struct cxl_vfio_device *dev;
	struct dma_buf *buf;
	unsigned int nr;
	struct {
		phys_addr_t phys;
		u64 len;
	} range[];
};

static void free_exports(struct kref *refs)
{
	struct cxl_vfio_exports *exports = container_of(refs, struct cxl_vfio_exports, refs);

	mutex_destroy(&exports->core_lock);
	mutex_destroy(&exports->lock);
	kfree(exports);
}

/**
 * cxl_vfio_dmabuf_init() - prepare a device for exports
 * @dev: the device
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_dmabuf_init(struct cxl_vfio_device *dev)
{
	dev->exports = kzalloc(sizeof(*dev->exports), GFP_KERNEL);
	if (!dev->exports)
		return -ENOMEM;
	kref_init(&dev->exports->refs);
	mutex_init(&dev->exports->lock);
	mutex_init(&dev->exports->core_lock);
	INIT_LIST_HEAD(&dev->exports->list);
	INIT_LIST_HEAD(&dev->exports->core);
	return 0;
}

/**
 * cxl_vfio_dmabuf_exit() - undo cxl_vfio_dmabuf_init()
 * @dev: the device; dma-bufs that were exported may still exist
 */
void cxl_vfio_dmabuf_exit(struct cxl_vfio_device *dev)
{
	kref_put(&dev->exports->refs, free_exports);
}

static int cxl_vfio_dmabuf_attach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
	/* Only dynamic, peer-to-peer importers: they can be revoked and need no struct pages */
	return attach->importer_ops && attach->peer2peer ? 0 : -EOPNOTSUPP;
}

static int cxl_vfio_dmabuf_pin(struct dma_buf_attachment *attach)
{
	return -EOPNOTSUPP;
}

static void cxl_vfio_dmabuf_unpin(struct dma_buf_attachment *attach)
{
}

static void free_sgt(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		if (sg_dma_len(sg))
			dma_unmap_resource(dev, sg_dma_address(sg), sg_dma_len(sg), dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static unsigned int count_segments(const struct hdm_dmabuf *hdm)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < hdm->nr; i++)
		n += DIV_ROUND_UP_ULL(hdm->range[i].len, SEGMENT_MAX);
	return n;
}

static struct sg_table *alloc_sgt(const struct hdm_dmabuf *hdm)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (sgt && sg_alloc_table(sgt, count_segments(hdm), GFP_KERNEL)) {
		kfree(sgt);
		sgt = NULL;
	}
	return sgt;
}

/* Map all ranges for an importing device; the scatterlist has addresses but no pages */
static struct sg_table *map_ranges(const struct hdm_dmabuf *hdm, struct device *dev,
				   enum dma_data_direction dir)
{
	struct sg_table *sgt = alloc_sgt(hdm);
	struct scatterlist *sg;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	sg = sgt->sgl;
	for (unsigned int i = 0; i < hdm->nr; i++) {
		for (u64 done = 0, len; done < hdm->range[i].len; done += len, sg = sg_next(sg)) {
			dma_addr_t addr;

			len = min_t(u64, hdm->range[i].len - done, SEGMENT_MAX);
			addr = dma_map_resource(dev, hdm->range[i].phys + done, len, dir, 0);
			if (dma_mapping_error(dev, addr)) {
				free_sgt(dev, sgt, dir);
				return ERR_PTR(-EIO);
			}
			sg_set_page(sg, NULL, len, 0);
			sg_dma_address(sg) = addr;
			sg_dma_len(sg) = len;
		}
	}
	return sgt;
}

static struct sg_table *cxl_vfio_dmabuf_map(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir)
{
	struct hdm_dmabuf *hdm = attach->dmabuf->priv;
	struct cxl_vfio_device *dev = hdm->dev;
	struct sg_table *sgt;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (!dev)
		return ERR_PTR(-ENODEV);
	down_read(&dev->gate.lock);
	switch (cxl_vfio_gate_ask(dev, ASK_IMPORT)) {
	case ANSWER_GO:
		sgt = map_ranges(hdm, attach->dev, dir);
		WRITE_ONCE(dev->gate.mapped, true);
		break;
	case ANSWER_WAIT:
		/* Do not wait here: the hold's owner needs the reservation lock */
		sgt = ERR_PTR(-EAGAIN);
		break;
	default:
		sgt = ERR_PTR(-ENODEV);
	}
	up_read(&dev->gate.lock);
	return sgt;
}

static void cxl_vfio_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
				  enum dma_data_direction dir)
{
	free_sgt(attach->dev, sgt, dir);
}

static void cxl_vfio_dmabuf_release(struct dma_buf *buf)
{
	struct hdm_dmabuf *hdm = buf->priv;
	struct cxl_vfio_exports *exports = hdm->exports;

	mutex_lock(&exports->lock);
	if (hdm->dev)
		list_del(&hdm->node);
	mutex_unlock(&exports->lock);
	kref_put(&exports->refs, free_exports);
	kfree(hdm);
}

static const struct dma_buf_ops hdm_dmabuf_ops = {
	.attach = cxl_vfio_dmabuf_attach,
	.pin = cxl_vfio_dmabuf_pin,
	.unpin = cxl_vfio_dmabuf_unpin,
	.map_dma_buf = cxl_vfio_dmabuf_map,
	.unmap_dma_buf = cxl_vfio_dmabuf_unmap,
	.release = cxl_vfio_dmabuf_release,
};

/* Revoke importers' mappings and wait until they are gone */
static void revoke_locked(struct dma_buf *buf)
{
	dma_resv_assert_held(buf->resv);
	cxl_vfio_compat_dma_buf_invalidate(buf);
	dma_resv_wait_timeout(buf->resv, DMA_RESV_USAGE_BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
}

/* Revoke importers' mappings, for good if @closing */
static void let_go(struct hdm_dmabuf *hdm, bool closing)
{
	dma_resv_lock(hdm->buf->resv, NULL);
	revoke_locked(hdm->buf);
	if (closing)
		hdm->dev = NULL;
	dma_resv_unlock(hdm->buf->resv);
}

/**
 * cxl_vfio_dmabuf_revoke() - revoke importers' mappings after the gate closed
 * @dev: the device; the gate's lock is not held
 */
void cxl_vfio_dmabuf_revoke(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_exports *exports = dev->exports;
	struct hdm_dmabuf *hdm;

	mutex_lock(&exports->lock);
	list_for_each_entry(hdm, &exports->list, node)
		let_go(hdm, false);
	mutex_unlock(&exports->lock);
}

/**
 * cxl_vfio_dmabuf_revoke_core() - revoke what importers have of vfio-pci-core's dma-bufs
 * @dev: the device, its gate held; the gate's lock is not held
 */
void cxl_vfio_dmabuf_revoke_core(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_exports *exports = dev->exports;
	struct core_dmabuf *core;

	mutex_lock(&exports->lock);
	list_for_each_entry(core, &exports->core, node) {
		dma_resv_lock(core->buf->resv, NULL);
		revoke_locked(core->buf);
		dma_resv_unlock(core->buf->resv);
	}
	mutex_unlock(&exports->lock);
}

/* Drop the references to vfio-pci-core's dma-bufs, all or those that nobody else has */
static void forget_core(struct cxl_vfio_exports *exports, bool all)
{
	struct core_dmabuf *core, *next;

	mutex_lock(&exports->lock);
	list_for_each_entry_safe(core, next, &exports->core, node) {
		if (!all && file_count(core->buf->file) > 1)
			continue;
		list_del(&core->node);
		dma_buf_put(core->buf);
		kfree(core);
	}
	mutex_unlock(&exports->lock);
}

/**
 * cxl_vfio_dmabuf_close() - revoke the dma-bufs of a user that closes, for good
 * @dev: the device, its gate closed
 */
void cxl_vfio_dmabuf_close(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_exports *exports = dev->exports;
	struct hdm_dmabuf *hdm, *next;

	mutex_lock(&exports->lock);
	list_for_each_entry_safe(hdm, next, &exports->list, node) {
		list_del(&hdm->node);
		let_go(hdm, true);
	}
	mutex_unlock(&exports->lock);
	cxl_vfio_dmabuf_revoke_core(dev);
	forget_core(exports, true);
}

/* Check and copy the ranges asked for; returns their total bytes or a negative errno */
static s64 take_ranges(struct hdm_dmabuf *hdm, const struct cxl_vfio_hdm_mem *mem,
		       const struct vfio_region_dma_range *range)
{
	u64 total = 0, end;

	for (unsigned int i = 0; i < hdm->nr; i++) {
		u64 start = range[i].offset, len = range[i].length;

		if (!len || !PAGE_ALIGNED(start | len) || check_add_overflow(start, len, &end) ||
		    end > mem->window.size || check_add_overflow(total, len, &total) ||
		    total > S64_MAX)
			return -EINVAL;
		hdm->range[i].phys = mem->window.phys + start;
		hdm->range[i].len = len;
	}
	return total;
}

static int cxl_vfio_dmabuf_export(struct cxl_vfio_device *dev, struct hdm_dmabuf *hdm, u64 size,
				  u32 open_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	int fd;

	info.ops = &hdm_dmabuf_ops;
	info.size = size;
	info.flags = open_flags;
	info.priv = hdm;
	hdm->dev = dev;
	hdm->buf = dma_buf_export(&info);
	if (IS_ERR(hdm->buf)) {
		int ret = PTR_ERR(hdm->buf);

		kfree(hdm);
		return ret;
	}
	hdm->exports = dev->exports;
	kref_get(&hdm->exports->refs);
	mutex_lock(&hdm->exports->lock);
	list_add_tail(&hdm->node, &hdm->exports->list);
	mutex_unlock(&hdm->exports->lock);

	fd = dma_buf_fd(hdm->buf, open_flags);
	if (fd < 0)
		dma_buf_put(hdm->buf);
	return fd;
}

/* HDM memory that a region shows, NULL if it shows none */
static struct cxl_vfio_hdm_mem *mem_of_export(struct cxl_vfio_device *dev, u32 region)
{
	return region == dev->vbar.bar ? &dev->mem[0] : cxl_vfio_mem_of_region(dev, region);
}

static int export_here(struct cxl_vfio_device *dev, const struct cxl_vfio_hdm_mem *mem,
		       const struct vfio_device_feature_dma_buf *req,
		       const struct vfio_region_dma_range *range)
{
	struct hdm_dmabuf *hdm = kzalloc(struct_size(hdm, range, req->nr_ranges), GFP_KERNEL);
	s64 total;

	if (!hdm)
		return -ENOMEM;
	hdm->nr = req->nr_ranges;
	total = take_ranges(hdm, mem, range);
	if (total < 0) {
		kfree(hdm);
		return total;
	}
	return cxl_vfio_dmabuf_export(dev, hdm, total, req->open_flags);
}

/*
 * Remember a dma-buf that vfio-pci-core exported, to revoke it.  A user may replace the
 * file by one of another dma-buf meanwhile; then mappings of the user's own go later, when
 * Memory Space goes off, or at the close.
 */
static void note_core_export(struct cxl_vfio_device *dev, struct core_dmabuf *core, int fd)
{
	struct cxl_vfio_exports *exports = dev->exports;

	core->buf = dma_buf_get(fd);
	if (IS_ERR(core->buf)) {
		kfree(core);
		return;
	}
	if (strcmp(core->buf->exp_name, "vfio_pci_core")) {
		dma_buf_put(core->buf);
		kfree(core);
		return;
	}
	mutex_lock(&exports->lock);
	list_add_tail(&core->node, &exports->core);
	mutex_unlock(&exports->lock);
	/* An importer may be faster than the list */
	if (READ_ONCE(dev->gate.held))
		cxl_vfio_dmabuf_revoke_core(dev);
}

/*
 * Have vfio-pci-core export what the request at @arg names: a part of the component BAR or,
 * with @mem, of HDM memory.
 */
static int export_by_core(struct cxl_vfio_device *dev, const struct cxl_vfio_hdm_mem *mem,
			  void __user *arg, size_t argsz)
{
	struct core_dmabuf *core = kmalloc(sizeof(*core), GFP_KERNEL);
	int fd;

	if (!core)
		return -ENOMEM;
	forget_core(dev->exports, false);
	/* A user may delay the reads of its request for long */
	fd = mutex_lock_killable(&dev->exports->core_lock);
	if (fd) {
		kfree(core);
		return fd;
	}
	dev->export.phys = mem ? mem->window.phys : 0;
	dev->export.size = mem ? mem->window.size : 0;
	WRITE_ONCE(dev->export.task, current);
	fd = vfio_pci_core_ioctl_feature(&dev->core.vdev, VFIO_DEVICE_FEATURE_GET |
					 VFIO_DEVICE_FEATURE_DMA_BUF, arg, argsz);
	WRITE_ONCE(dev->export.task, NULL);
	mutex_unlock(&dev->exports->core_lock);
	if (fd < 0)
		kfree(core);
	else
		note_core_export(dev, core, fd);
	return fd;
}

/*
 * Have vfio-pci-core export HDM memory.  It reads its request from user memory and takes
 * the index of a BAR alone, so the request is written to a page of its own there, with the
 * component BAR's index, and the answer to what is exported comes from dev->export.
 */
static int export_mem_by_core(struct cxl_vfio_device *dev, const struct cxl_vfio_hdm_mem *mem,
			      struct vfio_device_feature_dma_buf *req,
			      const struct vfio_region_dma_range *range)
{
	size_t ranges = array_size(req->nr_ranges, sizeof(*range)), size = sizeof(*req) + ranges;
	unsigned long at = vm_mmap(NULL, 0, PAGE_ALIGN(size), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	void __user *arg = (void __user *)at;
	/* What a copy to pages that were mapped just now lacks, if it fails, is memory */
	int fd = -ENOMEM;

	if (IS_ERR_VALUE(at))
		return (int)at;
	req->region_index = dev->found->bar;
	if (!copy_to_user(arg, req, sizeof(*req)) &&
	    !copy_to_user(arg + sizeof(*req), range, ranges))
		fd = export_by_core(dev, mem, arg, size);
	vm_munmap(at, PAGE_ALIGN(size));
	return fd;
}

/**
 * cxl_vfio_dmabuf_feature() - VFIO_DEVICE_FEATURE_DMA_BUF
 * @dev: the device, open
 * @flags: flags of the feature call
 * @arg: user pointer to struct vfio_device_feature_dma_buf
 * @argsz: bytes at @arg
 *
 * Return: a file descriptor; 0 for a probe; -ENOTTY if this kernel's importers do
 * not support revocation or the region is a BAR that vfio-pci-core serves, and
 * vfio-pci-core must answer; -EINVAL for ranges that are not whole pages of the region, or
 * touch the component block; other errors.
 */
int cxl_vfio_dmabuf_feature(struct cxl_vfio_device *dev, u32 flags, void __user *arg,
			    size_t argsz)
{
	struct vfio_device_feature_dma_buf req;
	struct vfio_region_dma_range *range;
	struct cxl_vfio_hdm_mem *mem;
	int ret;

	if (!CXL_VFIO_COMPAT_DMA_BUF)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(req));
	if (ret != 1)
		return ret;
	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	cxl_vfio_mark_used(dev);
	if (cxl_vfio_is_comp_bar(dev->found, req.region_index))
		return export_by_core(dev, NULL, arg, argsz);
	mem = mem_of_export(dev, req.region_index);
	if (!mem)
		return -ENOTTY;
	if (!req.nr_ranges || req.nr_ranges > RANGES_MAX || req.flags ||
	    (req.open_flags & ~(O_ACCMODE | O_CLOEXEC)))
		return -EINVAL;

	range = memdup_user(arg + sizeof(req), array_size(req.nr_ranges, sizeof(*range)));
	if (IS_ERR(range))
		return PTR_ERR(range);
	ret = cxl_vfio_compat_core_exports(dev) ? export_mem_by_core(dev, mem, &req, range) :
						  export_here(dev, mem, &req, range);
	kfree(range);
	return ret;
}

/* MODULE_IMPORT_NS() spelt out, since its argument changed its type in 6.13 */
MODULE_INFO(import_ns, "DMA_BUF");
