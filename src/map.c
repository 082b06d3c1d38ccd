// SPDX-License-Identifier: GPL-2.0-only
/*
 * User mappings, filled on demand: a page appears when it is touched and only
 * while the device can be touched.  What may be mapped, and with which cache
 * type, is for the callers to say.
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include "cxl_vfio.h"

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
	if (window->gated && dev->gate != GATE_OPEN)
		return VM_FAULT_SIGBUS;
	return 0;
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

	if (addr < vma->vm_start || addr + len > vma->vm_end)
		return VM_FAULT_FALLBACK;
	phys = window->phys + ((loff_t)vma->vm_pgoff << PAGE_SHIFT) - window->offset +
	       (addr - vma->vm_start);
	if (!IS_ALIGNED(phys, len))
		return VM_FAULT_FALLBACK;

	down_read(&dev->core.memory_lock);
	down_read(&dev->hdm_lock);
	ret = window_blocked(window);
	if (!ret)
		ret = cxl_vfio_compat_insert_pfn(vmf, PHYS_PFN(phys), order);
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
