// SPDX-License-Identifier: GPL-2.0-only
/*
 * User mappings, filled on demand: a page appears when it is touched and only
 * while the device can be touched.  What may be mapped, and with which cache
 * type, is for the callers to say.
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include "cxl_vfio.h"

/* 2 MiB: as much as one page table maps */
#define FAULT_AROUND_ORDER	9U

/* May a page of @window be mapped now?  0, or the fault's result if not */
static vm_fault_t window_blocked(struct cxl_vfio_window *window)
{
	struct cxl_vfio_device *dev = window->dev;

	lockdep_assert_held_read(&dev->core.memory_lock);
	lockdep_assert_held_read(&dev->hdm_lock);

	if (dev->gate == GATE_BUSY)
		return VM_FAULT_NOPAGE;
	if (dev->core.pm_runtime_engaged || !cxl_vfio_compat_memory_enabled(&dev->core))
		return VM_FAULT_SIGBUS;
	if (window->mem && dev->gate != GATE_OPEN)
		return VM_FAULT_SIGBUS;
	return 0;
}

/* May these pages be given away? */
static vm_fault_t window_poisoned(struct cxl_vfio_window *window, phys_addr_t phys,
				  unsigned int order)
{
	if (!window->mem ||
	    !cxl_vfio_poison_hit(window->mem, phys - window->phys, PAGE_SIZE << order))
		return 0;
	return order ? VM_FAULT_FALLBACK : VM_FAULT_HWPOISON;
}

/*
 * Where no huge page fits, or the kernel has none for such memory: insert the
 * pages around the fault as well, so that they need no faults of their own.
 * One that cannot be inserted now gets its own fault when it is touched.
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
	for (; addr < end; addr += PAGE_SIZE, phys += PAGE_SIZE)
		if (vmf_insert_pfn(vma, addr, PHYS_PFN(phys)) != VM_FAULT_NOPAGE)
			return;
}

/* Insert the page or huge page that covers the fault, if one fits there */
static vm_fault_t window_fault_order(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct cxl_vfio_window *window = cxl_vfio_compat_window(vma);
	struct cxl_vfio_device *dev = window->dev;
	unsigned long len = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, len);
	phys_addr_t phys;
	vm_fault_t ret;

	if (order > cxl_vfio_params->max_order || addr < vma->vm_start || addr + len > vma->vm_end)
		return VM_FAULT_FALLBACK;
	phys = window->phys + ((loff_t)vma->vm_pgoff << PAGE_SHIFT) - window->offset +
	       (addr - vma->vm_start);
	if (!IS_ALIGNED(phys, len))
		return VM_FAULT_FALLBACK;

	down_read(&dev->core.memory_lock);
	down_read(&dev->hdm_lock);
	ret = window_blocked(window) ?: window_poisoned(window, phys, order);
	if (!ret)
		ret = cxl_vfio_compat_insert_pfn(vmf, PHYS_PFN(phys), order);
	if (ret == VM_FAULT_NOPAGE && !order && dev->gate == GATE_OPEN)
		fault_around(vmf, window);
	up_read(&dev->hdm_lock);
	up_read(&dev->core.memory_lock);
	return ret;
}

static vm_fault_t window_fault(struct vm_fault *vmf)
{
	return window_fault_order(vmf, 0);
}

static const struct vm_operations_struct window_vm_ops = {
	.fault = window_fault,
	CXL_VFIO_COMPAT_HUGE_FAULT(window_fault_order)
	CXL_VFIO_COMPAT_VMA_OPS
};

/**
 * cxl_vfio_window_of() - what does a mapping map?
 * @vma: any mapping
 *
 * Return: the window, NULL if it is none that cxl_vfio_window_mmap() made.
 */
struct cxl_vfio_window *cxl_vfio_window_of(struct vm_area_struct *vma)
{
	return vma->vm_ops == &window_vm_ops ? cxl_vfio_compat_window(vma) : NULL;
}

/**
 * cxl_vfio_window_mmap() - let a user map part of a window
 * @window: the window
 * @vma: the mapping asked for; its vm_pgoff is an offset in the VFIO device
 * @prot: page protection with the cache type
 *
 * Nothing is mapped yet: pages come with faults.  The caller holds the mmap
 * lock for write, as in every mmap handler.
 *
 * Return: 0, -EINVAL for a private mapping or one that leaves the window.
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

	cxl_vfio_compat_vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = prot;
	vma->vm_ops = &window_vm_ops;
	return cxl_vfio_compat_attach(&window->dev->zap, window, vma);
}

/**
 * cxl_vfio_mem_zap() - take users' mappings of HDM memory away
 * @mem: the memory, its device open
 * @start: first byte, from its start
 * @len: bytes
 */
void cxl_vfio_mem_zap(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len)
{
	struct cxl_vfio_device *dev = mem->window.dev;

	cxl_vfio_compat_zap(&dev->core, &dev->zap, mem->window.offset + start, len);
	if (dev->vbar.bar != VBAR_NONE && dev->vbar.window.mem == mem)
		cxl_vfio_compat_zap(&dev->core, &dev->zap, dev->vbar.window.offset + start, len);
}
