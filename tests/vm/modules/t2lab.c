// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test hooks inside the kernel, behind /dev/t2lab: a dma-buf importer that maps for a
 * device without IOMMU and supports revocation; a walk of a process's page tables; and
 * KVM's verdict on whether a page frame is MMIO, which decides the memory type that
 * guests on Intel get.  The verdict comes from KVM's own function.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "t2lab.h"

struct import {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;		/* under the dma-buf's reservation lock */
	unsigned int let_go;
	struct page *held;
};

static struct platform_device *importer;

static void let_go(struct dma_buf_attachment *attach)
{
	struct import *import = attach->importer_priv;

	import->let_go++;
	if (import->sgt)
		dma_buf_unmap_attachment(attach, import->sgt, DMA_BIDIRECTIONAL);
	import->sgt = NULL;
}

static const struct dma_buf_attach_ops attach_ops = {
	.allow_peer2peer = true,
#ifdef T2LAB_INVALIDATE
	.invalidate_mappings = let_go,
#else
	.move_notify = let_go,
#endif
};

static long attach(struct import *import, int fd, bool dynamic)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *buf;

	if (import->attach)
		return -EBUSY;
	buf = dma_buf_get(fd);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	attach = dynamic ? dma_buf_dynamic_attach(buf, &importer->dev, &attach_ops, import) :
			   dma_buf_attach(buf, &importer->dev);
	if (IS_ERR(attach)) {
		dma_buf_put(buf);
		return PTR_ERR(attach);
	}
	import->attach = attach;
	return 0;
}

static long map(struct import *import)
{
	struct sg_table *sgt;

	if (!import->attach)
		return -EINVAL;
	dma_resv_lock(import->attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(import->attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR_OR_NULL(sgt))
		import->sgt = sgt;
	dma_resv_unlock(import->attach->dmabuf->resv);
	return IS_ERR(sgt) ? PTR_ERR(sgt) : 0;
}

static long pin(struct import *import)
{
	long ret;

	if (!import->attach)
		return -EINVAL;
	dma_resv_lock(import->attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(import->attach);
	dma_resv_unlock(import->attach->dmabuf->resv);
	return ret;
}

/* Without an IOMMU the DMA address is the host physical address */
static u32 peek(u64 addr)
{
	u32 *va = memremap(addr, PAGE_SIZE, MEMREMAP_WB), val = 0;

	if (va) {
		val = *va;
		memunmap(va);
	}
	return val;
}

static long info(struct import *import, void __user *arg)
{
	struct t2lab_info info = { .let_go = import->let_go };
	struct scatterlist *sg;
	int i;

	if (!import->attach)
		return -EINVAL;
	dma_resv_lock(import->attach->dmabuf->resv, NULL);
	if (import->sgt) {
		info.mapped = 1;
		info.addr = sg_dma_address(import->sgt->sgl);
		for_each_sgtable_dma_sg(import->sgt, sg, i) {
			info.segments++;
			info.len += sg_dma_len(sg);
		}
		info.value = peek(info.addr);
	}
	dma_resv_unlock(import->attach->dmabuf->resv);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* Find the page table entry that maps an address, at any level */
static int walk(struct mm_struct *mm, struct t2lab_page *page)
{
	const u64 cache = _PAGE_PCD | _PAGE_PWT;
	p4d_t *p4d = p4d_offset(pgd_offset(mm, page->va), page->va);
	pud_t *pud;
	pmd_t *pmd;
	pte_t *pte;

	if (p4d_none(*p4d))
		return -ENOENT;
	pud = pud_offset(p4d, page->va);
	if (pud_none(*pud))
		return -ENOENT;
	page->order = 18;
	page->pa = pud_val(*pud) & PTE_PFN_MASK & PUD_MASK;
	page->cache = pud_val(*pud) & (cache | _PAGE_PAT_LARGE);
	if (pud_val(*pud) & _PAGE_PSE)
		return 0;
	pmd = pmd_offset(pud, page->va);
	if (pmd_none(*pmd))
		return -ENOENT;
	page->order = 9;
	page->pa = pmd_val(*pmd) & PTE_PFN_MASK & PMD_MASK;
	page->cache = pmd_val(*pmd) & (cache | _PAGE_PAT_LARGE);
	if (pmd_val(*pmd) & _PAGE_PSE)
		return 0;
	pte = (pte_t *)pmd_page_vaddr(*pmd) + pte_index(page->va);
	if (!pte_present(*pte))
		return -ENOENT;
	page->order = 0;
	page->pa = pte_val(*pte) & PTE_PFN_MASK;
	page->cache = pte_val(*pte) & (cache | _PAGE_PAT);
	return 0;
}

static long page_of(void __user *arg)
{
	struct t2lab_page page;
	int ret;

	if (copy_from_user(&page, arg, sizeof(page)))
		return -EFAULT;
	mmap_read_lock(current->mm);
	ret = walk(current->mm, &page);
	mmap_read_unlock(current->mm);
	if (ret)
		return ret;
	return copy_to_user(arg, &page, sizeof(page)) ? -EFAULT : 0;
}

typedef bool (*is_mmio_fn)(u64 pfn);

/* KVM does not export the function: a kprobe finds its address */
static is_mmio_fn find_is_mmio(void)
{
	static const char * const names[] = { "kvm_is_mmio_pfn", "__kvm_is_mmio_pfn" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		struct kprobe probe = { .symbol_name = names[i] };

		if (!register_kprobe(&probe)) {
			is_mmio_fn fn = (is_mmio_fn)probe.addr;

			unregister_kprobe(&probe);
			return fn;
		}
	}
	return NULL;
}

static long frame_of(void __user *arg)
{
	static is_mmio_fn is_mmio;
	struct t2lab_frame frame;
	unsigned long pfn;

	if (!is_mmio)
		is_mmio = find_is_mmio();
	if (!is_mmio)
		return -ENOENT;
	if (copy_from_user(&frame, arg, sizeof(frame)))
		return -EFAULT;
	pfn = PHYS_PFN(frame.pa);
	frame.has_page = pfn_valid(pfn);
	frame.is_reserved = frame.has_page && PageReserved(pfn_to_page(pfn));
	frame.is_mmio = is_mmio(pfn);
	return copy_to_user(arg, &frame, sizeof(frame)) ? -EFAULT : 0;
}

static long hold(struct import *import, u64 pa)
{
	if (import->held || !pfn_valid(PHYS_PFN(pa)))
		return -EINVAL;
	import->held = pfn_to_page(PHYS_PFN(pa));
	get_page(import->held);
	return 0;
}

static long importer_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct import *import = file->private_data;
	u64 pa;
	int fd;

	switch (cmd) {
	case T2LAB_ATTACH:
	case T2LAB_STATIC:
		if (get_user(fd, (int __user *)arg))
			return -EFAULT;
		return attach(import, fd, cmd == T2LAB_ATTACH);
	case T2LAB_MAP:
		return map(import);
	case T2LAB_PIN:
		return pin(import);
	case T2LAB_PAGE:
		return page_of((void __user *)arg);
	case T2LAB_FRAME:
		return frame_of((void __user *)arg);
	case T2LAB_HOLD:
		return copy_from_user(&pa, (void __user *)arg, sizeof(pa)) ? -EFAULT :
			hold(import, pa);
	case T2LAB_INFO:
		return info(import, (void __user *)arg);
	}
	return -ENOTTY;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct import *import = kzalloc(sizeof(*import), GFP_KERNEL);

	file->private_data = import;
	return import ? 0 : -ENOMEM;
}

static int importer_release(struct inode *inode, struct file *file)
{
	struct import *import = file->private_data;

	if (import->attach) {
		struct dma_buf *buf = import->attach->dmabuf;

		dma_resv_lock(buf->resv, NULL);
		if (import->sgt)
			dma_buf_unmap_attachment(import->attach, import->sgt, DMA_BIDIRECTIONAL);
		dma_resv_unlock(buf->resv);
		dma_buf_detach(buf, import->attach);
		dma_buf_put(buf);
	}
	if (import->held)
		put_page(import->held);
	kfree(import);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "t2lab",
	.fops = &importer_fops,
};

static int __init importer_init(void)
{
	int ret;

	importer = platform_device_register_simple("t2lab", -1, NULL, 0);
	if (IS_ERR(importer))
		return PTR_ERR(importer);
	ret = dma_coerce_mask_and_coherent(&importer->dev, DMA_BIT_MASK(64)) ?:
	      misc_register(&importer_misc);
	if (ret)
		platform_device_unregister(importer);
	return ret;
}
module_init(importer_init);

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	platform_device_unregister(importer);
}
module_exit(importer_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What the tests of cxl-vfio-pci need from inside the kernel");
MODULE_INFO(import_ns, "DMA_BUF");
