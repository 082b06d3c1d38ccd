// SPDX-License-Identifier: GPL-2.0-only
/*
 * User mappings, filled on demand: a page is inserted when a user touches it, and
 * only while the gate is open.  The callers choose the range that may be mapped and
 * the cache type.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pgtable.h>

#include "cxl_vfio.h"

/* Longest wait of a fault that must keep its lock, jiffies */
#define BOUNDED_WAIT	(2 * HZ)

/*
 * Pages that one page table maps, as a power of two: with 4 KiB pages 512 pages (2 MiB),
 * with 64 KiB pages 8192 (512 MiB)
 */
#define FAULT_AROUND_ORDER	((unsigned int)(PMD_SHIFT - PAGE_SHIFT))

/* Is any of the 2^@order pages at @phys poisoned?  Returns 0 or the fault's result */
static vm_fault_t window_poisoned(struct cxl_vfio_window *window, phys_addr_t phys,
				  unsigned int order)
{
	if (!window->mem ||
	    !cxl_vfio_poison_hit(window->mem, phys - window->phys, PAGE_SIZE << order))
		return 0;
	return order ? VM_FAULT_FALLBACK : VM_FAULT_HWPOISON;
}

/*
 * Insert the pages around a fault as well, so that they need no faults of their
 * own.  This is for faults where no huge page fits or the kernel has none for such
 * memory.  A page that cannot be inserted now gets its own fault when it is touched.
 */
static void fault_around(struct vm_fault *vmf, struct cxl_vfio_window *window)
{
	unsigned long len = PAGE_SIZE << min(cxl_vfio_params->max_order, FAULT_AROUND_ORDER);
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = max(ALIGN_DOWN(vmf->address, len), vma->vm_start);
	unsigned long end = min(ALIGN_DOWN(vmf->address, len) + len, vma->vm_end);
	phys_addr_t phys = window->phys + ((loff_t)vma->vm_pgoff << PAGE_SHIFT) -
			   window->offset + (addr - vma->vm_start);

	if (!window->mem || window_poisoned(window, phys, get_order(end - addr)))
		return;
	cxl_vfio_mem_touched(window->mem, phys - window->phys, end - addr);
	for (; addr < end; addr += PAGE_SIZE, phys += PAGE_SIZE)
		if (vmf_insert_pfn(vma, addr, PHYS_PFN(phys)) != VM_FAULT_NOPAGE)
			return;
}

static enum cxl_vfio_asker asker_of(const struct cxl_vfio_window *window)
{
	return window->mem ? ASK_HDM : ASK_BAR;
}

/* Insert the page or huge page at @phys; the gate is open, and its lock is held */
static vm_fault_t window_insert(struct vm_fault *vmf, struct cxl_vfio_window *window,
				phys_addr_t phys, unsigned int order)
{
	vm_fault_t ret = window_poisoned(window, phys, order);

	if (ret)
		return ret;
	if (window->mem)
		cxl_vfio_mem_touched(window->mem, phys - window->phys, PAGE_SIZE << order);
	ret = cxl_vfio_compat_insert_pfn(vmf, PHYS_PFN(phys), order);
	if (ret == VM_FAULT_NOPAGE && !order)
		fault_around(vmf, window);
	/* After the page is there: a zap that clears the flag before has missed the page */
	WRITE_ONCE(window->dev->gate.mapped, true);
	return ret;
}

/* As in userfaultfd, a signal ends the wait if the faulting instruction can be restarted */
static unsigned int wait_state(const struct vm_fault *vmf)
{
	const unsigned int restartable = FAULT_FLAG_INTERRUPTIBLE | FAULT_FLAG_USER;

	return (vmf->flags & restartable) == restartable ? TASK_INTERRUPTIBLE : TASK_KILLABLE;
}

/*
 * Is this a fault by which KVM or the IOMMU driver looks for a page frame?  They look
 * at the page table after the fault.  If another task takes the page away in between
 * they fail, and KVM stops its guest, unless the lock was dropped during the fault:
 * then they try again.  Such a fault drops the lock even after it has succeeded.
 */
static bool is_lookup(const struct vm_fault *vmf)
{
	return (vmf->flags & (FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT |
			      FAULT_FLAG_USER | FAULT_FLAG_TRIED)) == FAULT_FLAG_ALLOW_RETRY;
}

static bool can_drop_lock(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_ALLOW_RETRY) && !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT);
}

/* Wait until memory_lock can be taken and the gate no longer answers ANSWER_WAIT */
static int wait_unlocked(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker,
			 unsigned int state)
{
	int ret = down_read_killable(&dev->core.memory_lock);

	if (ret)
		return ret;
	up_read(&dev->core.memory_lock);
	return cxl_vfio_gate_wait(dev, asker, state);
}

/*
 * Wait until a fault can be answered.  The mmap or VMA lock is dropped for the wait,
 * since the owner of the hold may need it.  A reference to the VFIO device's file
 * keeps the device open meanwhile.  VM_FAULT_RETRY makes the kernel look up the
 * mapping again, and makes KVM and type1 try again.
 */
static vm_fault_t cxl_vfio_wait_for_gate(struct vm_fault *vmf, struct cxl_vfio_window *window)
{
	enum cxl_vfio_asker asker = asker_of(window);
	struct cxl_vfio_device *dev = window->dev;
	unsigned int state = wait_state(vmf);
	struct file *file;
	int ret;

	if (!can_drop_lock(vmf)) {
		if (vmf->flags & FAULT_FLAG_ALLOW_RETRY)
			return VM_FAULT_RETRY;
		ret = cxl_vfio_gate_wait_bounded(dev, asker, BOUNDED_WAIT);
		return ret ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
	}
	if (cxl_vfio_gate_is_caller())
		return VM_FAULT_SIGBUS;
	file = get_file(cxl_vfio_compat_file(vmf->vma));
	cxl_vfio_compat_release_fault_lock(vmf);
	wait_unlocked(dev, asker, state);
	fput(file);
	return VM_FAULT_RETRY;
}

/* Insert the page or huge page of 2^@order pages that covers the fault, if it fits */
static vm_fault_t cxl_vfio_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct cxl_vfio_window *window = cxl_vfio_compat_window(vma);
	struct cxl_vfio_device *dev = window->dev;
	unsigned long len = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, len);
	enum cxl_vfio_answer answer;
	phys_addr_t phys;
	vm_fault_t ret;

	if (order > cxl_vfio_params->max_order || addr < vma->vm_start || addr + len > vma->vm_end)
		return VM_FAULT_FALLBACK;
	phys = window->phys + ((loff_t)vma->vm_pgoff << PAGE_SHIFT) - window->offset +
	       (addr - vma->vm_start);
	if (!IS_ALIGNED(phys, len))
		return VM_FAULT_FALLBACK;

	if (!down_read_trylock(&dev->core.memory_lock))
		return cxl_vfio_wait_for_gate(vmf, window);
	down_read(&dev->gate.lock);
	answer = cxl_vfio_gate_ask(dev, asker_of(window));
	ret = answer == ANSWER_GO ? window_insert(vmf, window, phys, order) : VM_FAULT_SIGBUS;
	up_read(&dev->gate.lock);
	up_read(&dev->core.memory_lock);
	if (answer == ANSWER_WAIT)
		return cxl_vfio_wait_for_gate(vmf, window);
	if (ret != VM_FAULT_NOPAGE || !is_lookup(vmf))
		return ret;
	cxl_vfio_compat_release_fault_lock(vmf);
	return VM_FAULT_RETRY;
}

static vm_fault_t cxl_vfio_fault(struct vm_fault *vmf)
{
	return cxl_vfio_huge_fault(vmf, 0);
}

static const struct vm_operations_struct window_vm_ops = {
	.fault = cxl_vfio_fault,
	CXL_VFIO_COMPAT_HUGE_FAULT(cxl_vfio_huge_fault)
	CXL_VFIO_COMPAT_VMA_OPS
};

/**
 * cxl_vfio_window_of() - the window that a mapping maps
 * @vma: any mapping
 *
 * Return: the window, NULL if cxl_vfio_window_mmap() did not make the mapping.
 */
struct cxl_vfio_window *cxl_vfio_window_of(struct vm_area_struct *vma)
{
	return vma->vm_ops == &window_vm_ops ? cxl_vfio_compat_window(vma) : NULL;
}

/**
 * cxl_vfio_window_mmap() - let a user map part of a window
 * @window: the window
 * @vma: the mapping asked for; its vm_pgoff counts pages in the VFIO device's file
 * @prot: page protection with the cache type
 *
 * Pages are mapped on demand, at the first fault.  The caller holds the mmap lock
 * for write, as in every mmap handler.
 *
 * Return: 0; -EINVAL for a private mapping or one that leaves the window; -ENOMEM.
 */
int cxl_vfio_window_mmap(struct cxl_vfio_window *window, struct vm_area_struct *vma,
			 pgprot_t prot)
{
	u64 start = ((u64)vma->vm_pgoff << PAGE_SHIFT) - window->offset;
	u64 len = vma->vm_end - vma->vm_start;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (start >= window->size || len > window->size - start)
		return -EINVAL;

	/* Where KVM on arm64 does not map a window cacheable: normal memory, not device memory */
	cxl_vfio_compat_vm_flags_set(vma, VM_ALLOW_ANY_UNCACHED | VM_IO | VM_PFNMAP |
					  VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = prot;
	vma->vm_ops = &window_vm_ops;
	return cxl_vfio_compat_attach(&window->dev->zap, window, vma);
}

/**
 * cxl_vfio_mem_zap() - remove users' mappings of HDM memory
 * @mem: the memory, its device open
 * @start: first byte, from the memory's start
 * @len: bytes
 */
void cxl_vfio_mem_zap(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len)
{
	struct cxl_vfio_device *dev = mem->window.dev;

	cxl_vfio_compat_zap(&dev->core, &dev->zap, mem->window.offset + start, len);
	if (dev->vbar.bar != VBAR_NONE && dev->vbar.window.mem == mem)
		cxl_vfio_compat_zap(&dev->core, &dev->zap, dev->vbar.window.offset + start, len);
}
