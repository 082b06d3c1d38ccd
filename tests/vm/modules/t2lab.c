// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests need from inside the kernel.  A dma-buf importer: attaches to what
 * it is given, maps it for a device without an IOMMU, and lets go when the
 * exporter asks.  A walk of a process's page tables.  KVM's own opinion on whether a
 * page frame is MMIO, which is what decides the memory type that guests on Intel
 * have: its function is called, not imitated.  Words of physical memory.  And a PCI
 * driver for a function beside the one under test, which can keep the recovery from
 * an error waiting between error_detected and the reset.
 */
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/timekeeping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "t2lab.h"

struct import {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;		/* under the dma-buf's reservation lock */
	unsigned int let_go;
	struct page *held;
	struct fence *fence;
};

struct fence {
	struct dma_fence fence;
	spinlock_t lock;		/* of the fence */
};

static const char *fence_name(struct dma_fence *fence)
{
	return "t2lab";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static struct platform_device *importer;

static void unmap(struct import *import)
{
	if (import->sgt)
		dma_buf_unmap_attachment(import->attach, import->sgt, DMA_BIDIRECTIONAL);
	import->sgt = NULL;
}

static void let_go(struct dma_buf_attachment *attach)
{
	struct import *import = attach->importer_priv;

	import->let_go++;
	unmap(import);
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

static long add_fence(struct import *import)
{
	struct fence *fence;
	long ret;

	if (!import->attach || import->fence)
		return -EINVAL;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return -ENOMEM;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->fence, &fence_ops, &fence->lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(import->attach->dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(import->attach->dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(import->attach->dmabuf->resv, &fence->fence,
				   DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(import->attach->dmabuf->resv);
	if (ret)
		dma_fence_put(&fence->fence);
	else
		import->fence = fence;
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

/* An entry of a page table, of any level: is it there, what does it point to? */
#ifdef CONFIG_X86
static bool is_present(u64 entry)
{
	return entry & _PAGE_PRESENT;
}

static bool is_huge(u64 entry)
{
	return entry & _PAGE_PSE;
}

static u64 address_in(u64 entry)
{
	return entry & PTE_PFN_MASK;
}

/* 0 is write-back */
static u32 cache_bits(u64 entry, unsigned int shift)
{
	return entry & (_PAGE_PCD | _PAGE_PWT | (shift > PAGE_SHIFT ? _PAGE_PAT_LARGE : _PAGE_PAT));
}
#else
static bool is_present(u64 entry)
{
	return entry & PTE_VALID;
}

/* Bit 1 is set in entries that point to a table */
static bool is_huge(u64 entry)
{
	return !(entry & BIT(1));
}

static u64 address_in(u64 entry)
{
	return __pte_to_phys(__pte(entry));
}

/* The index of the memory type; MT_NORMAL, which is write-back, has index 0 */
static u32 cache_bits(u64 entry, unsigned int shift)
{
	static_assert(MT_NORMAL == 0);
	return entry & PTE_ATTRINDX_MASK;
}
#endif

/* Describe the page of 2^@shift bytes that an entry maps, or that its table may map */
static bool maps(struct t2lab_page *page, u64 entry, unsigned int shift)
{
	page->order = shift - PAGE_SHIFT;
	page->pa = address_in(entry) & ~(BIT_ULL(shift) - 1);
	page->cache = cache_bits(entry, shift);
	return shift == PAGE_SHIFT || is_huge(entry);
}

/*
 * The entry that maps an address, at whichever level it is.  Each entry is read
 * once: somebody else may be taking the mapping away.
 */
static int walk(struct mm_struct *mm, struct t2lab_page *page)
{
	p4d_t *p4d = p4d_offset(pgd_offset(mm, page->va), page->va);
	u64 entry;

	if (p4d_none(*p4d))
		return -ENOENT;
	entry = pud_val(READ_ONCE(*pud_offset(p4d, page->va)));
	if (!is_present(entry))
		return -ENOENT;
	if (maps(page, entry, PUD_SHIFT))
		return 0;
	entry = pmd_val(READ_ONCE(((pmd_t *)__va(address_in(entry)))[pmd_index(page->va)]));
	if (!is_present(entry))
		return -ENOENT;
	if (maps(page, entry, PMD_SHIFT))
		return 0;
	entry = pte_val(READ_ONCE(((pte_t *)__va(address_in(entry)))[pte_index(page->va)]));
	if (!is_present(entry))
		return -ENOENT;
	maps(page, entry, PAGE_SHIFT);
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

static long word_of(void __user *arg, bool write)
{
	struct t2lab_word word;
	unsigned long at;
	void *page;
	u32 *va;

	if (copy_from_user(&word, arg, sizeof(word)))
		return -EFAULT;
	at = offset_in_page(word.pa) & ~3UL;
	if (word.registers)
		page = (__force void *)ioremap(word.pa & PAGE_MASK, PAGE_SIZE);
	else
		page = memremap(word.pa & PAGE_MASK, PAGE_SIZE, MEMREMAP_WB);
	if (!page)
		return -ENOMEM;
	va = page + at;
	if (write)
		WRITE_ONCE(*va, word.val);
	else
		word.val = READ_ONCE(*va);
	if (word.registers)
		iounmap((__force void __iomem *)page);
	else
		memunmap(page);
	return copy_to_user(arg, &word, sizeof(word)) ? -EFAULT : 0;
}

/* Have calls of xa_store() by the driver under test fail for lack of memory */
static bool fail_store;
module_param(fail_store, bool, 0644);
MODULE_PARM_DESC(fail_store, "the driver's xa_store() fails for lack of memory");

static int store_returns(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	char caller[128];

	if (!READ_ONCE(fail_store))
		return 0;
	snprintf(caller, sizeof(caller), "%pS", (void *)get_kretprobe_retaddr(instance));
	if (strstr(caller, "[cxl_vfio_pci]"))
		regs_set_return_value(regs, (unsigned long)XA_ERROR(-ENOMEM));
	return 0;
}

static struct kretprobe store_probe = {
	.kp.symbol_name = "xa_store",
	.handler = store_returns,
};

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "a PCI function's lock is held");

static long lock(u32 address)
{
	struct pci_dev *pdev = pci_get_domain_bus_and_slot(0, address >> 8, address & 0xff);

	if (!pdev)
		return -ENODEV;
	device_lock(&pdev->dev);
	locked = true;
	while (!fatal_signal_pending(current))
		schedule_timeout_killable(HZ);
	locked = false;
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return -EINTR;
}

/* The cost of memset() of physical memory, for comparison */
static long set_memory(void __user *arg)
{
	struct t2lab_memset set;
	void *va;

	if (copy_from_user(&set, arg, sizeof(set)))
		return -EFAULT;
	va = memremap(set.pa, set.len, MEMREMAP_WB);
	if (!va)
		return -ENOMEM;
	set.ns = ktime_get_ns();
	memset(va, 0, set.len);
	set.ns = ktime_get_ns() - set.ns;
	memunmap(va);
	return copy_to_user(arg, &set, sizeof(set)) ? -EFAULT : 0;
}

static long importer_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct import *import = file->private_data;
	u32 address;
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
	case T2LAB_FENCE:
		return add_fence(import);
	case T2LAB_PAGE:
		return page_of((void __user *)arg);
	case T2LAB_FRAME:
		return frame_of((void __user *)arg);
	case T2LAB_HOLD:
		return copy_from_user(&pa, (void __user *)arg, sizeof(pa)) ? -EFAULT :
			hold(import, pa);
	case T2LAB_MEMSET:
		return set_memory((void __user *)arg);
	case T2LAB_PEEK:
	case T2LAB_POKE:
		return word_of((void __user *)arg, cmd == T2LAB_POKE);
	case T2LAB_LOCK:
		return get_user(address, (u32 __user *)arg) ?: lock(address);
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

	if (import->fence) {
		dma_fence_signal(&import->fence->fence);
		dma_fence_put(&import->fence->fence);
	}
	if (import->attach) {
		struct dma_buf *buf = import->attach->dmabuf;

		/* Until it is detached the exporter may revoke what is mapped */
		dma_resv_lock(buf->resv, NULL);
		unmap(import);
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

/*
 * The driver of a sibling: binds what driver_override says, takes part in recovery
 * from errors, and does nothing with the function.
 */
static bool aer_hold, aer_hold_reset, aer_held;
module_param(aer_hold, bool, 0644);
MODULE_PARM_DESC(aer_hold, "keep recovery from an error waiting in error_detected");
module_param(aer_hold_reset, bool, 0644);
MODULE_PARM_DESC(aer_hold_reset, "keep it waiting in slot_reset, after the link was reset");
module_param(aer_held, bool, 0444);
MODULE_PARM_DESC(aer_held, "recovery is waiting in one of them");
static unsigned int aer_over;
module_param(aer_over, uint, 0444);
MODULE_PARM_DESC(aer_over, "how many recoveries came to their end");

static void sibling_wait(const bool *hold)
{
	while (READ_ONCE(*hold)) {
		WRITE_ONCE(aer_held, true);
		msleep(20);
	}
	WRITE_ONCE(aer_held, false);
}

static pci_ers_result_t sibling_error(struct pci_dev *pdev, pci_channel_state_t state)
{
	sibling_wait(&aer_hold);
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t sibling_reset(struct pci_dev *pdev)
{
	sibling_wait(&aer_hold_reset);
	pci_restore_state(pdev);
	pci_save_state(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static void sibling_resume(struct pci_dev *pdev)
{
	WRITE_ONCE(aer_over, aer_over + 1);
}

static int sibling_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return pci_save_state(pdev);
}

static const struct pci_error_handlers sibling_errors = {
	.error_detected = sibling_error,
	.slot_reset = sibling_reset,
	.resume = sibling_resume,
};

static const struct pci_device_id sibling_ids[] = { {} };

static struct pci_driver sibling = {
	.name = "t2lab",
	.id_table = sibling_ids,
	.probe = sibling_probe,
	.err_handler = &sibling_errors,
	.driver_managed_dma = true,	/* it does none, so the group stays the user's */
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
		goto unregister;
	ret = pci_register_driver(&sibling);
	if (ret)
		goto deregister;
	ret = register_kretprobe(&store_probe);
	if (ret)
		goto unregister_driver;
	return 0;

unregister_driver:
	pci_unregister_driver(&sibling);
deregister:
	misc_deregister(&importer_misc);
unregister:
	platform_device_unregister(importer);
	return ret;
}
module_init(importer_init);

static void __exit importer_exit(void)
{
	unregister_kretprobe(&store_probe);
	pci_unregister_driver(&sibling);
	misc_deregister(&importer_misc);
	platform_device_unregister(importer);
}
module_exit(importer_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What the tests of cxl-vfio-pci need from inside the kernel");
MODULE_INFO(import_ns, "DMA_BUF");
