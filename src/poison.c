// SPDX-License-Identifier: GPL-2.0-only
/*
 * Poisoned pages of HDM memory: a page with a memory error is taken from its
 * users, and is not mapped again until the device is unbound and bound again.  The
 * kernel reports errors in memory with struct pages (pages.c), and since 7.1 also
 * in memory without struct pages (compat/pfn_space.c).
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include "cxl_vfio.h"

static void cxl_vfio_zap_poison(struct work_struct *work)
{
	struct cxl_vfio_hdm_mem *mem = container_of(work, struct cxl_vfio_hdm_mem, poison_work);
	struct cxl_vfio_device *dev = mem->window.dev;
	unsigned long page;
	void *entry;

	if (READ_ONCE(mem->poison_unknown))
		cxl_vfio_gate_set(dev, HOLD_POISONED, true);
	/* Wait for faults that tested the page before it was marked, and may insert it */
	down_write(&dev->gate.lock);
	up_write(&dev->gate.lock);
	xa_for_each(&mem->poison, page, entry)
		cxl_vfio_mem_zap(mem, (u64)page << PAGE_SHIFT, PAGE_SIZE);
}

/**
 * cxl_vfio_poison_init() - prepare for memory errors
 * @mem: the memory, zeroed
 */
void cxl_vfio_poison_init(struct cxl_vfio_hdm_mem *mem)
{
	xa_init(&mem->poison);
	INIT_WORK(&mem->poison_work, cxl_vfio_zap_poison);
}

/**
 * cxl_vfio_poison_exit() - undo cxl_vfio_poison_init()
 * @mem: the memory; no user has it open
 */
void cxl_vfio_poison_exit(struct cxl_vfio_hdm_mem *mem)
{
	cancel_work_sync(&mem->poison_work);
	xa_destroy(&mem->poison);
}

/**
 * cxl_vfio_poison_add() - mark a page with a memory error
 * @mem: the memory
 * @page: number of the page in the memory
 *
 * @mem's poison_work takes the page from its users, or all memory if the page cannot
 * be noted.  May be called in atomic context.
 */
void cxl_vfio_poison_add(struct cxl_vfio_hdm_mem *mem, unsigned long page)
{
	bool noted = !xa_err(xa_store(&mem->poison, page, xa_mk_value(1), GFP_ATOMIC));

	if (!noted)
		WRITE_ONCE(mem->poison_unknown, true);
	cxl_vfio_error_count(mem->window.dev, ERROR_MEMORY);
	pci_err(mem->window.dev->core.pdev, "memory error at %#llx, %s\n",
		(u64)mem->window.phys + ((u64)page << PAGE_SHIFT),
		noted ? "the page is taken from its users" :
			"and no host memory to note it: device memory stays closed; unbind the function, and bind it again");
	schedule_work(&mem->poison_work);
}

/*
 * Called by the kernel's memory failure code for each mapping of the file, in atomic
 * context: finds the bad page in the mapping, and marks it.  Work queued by that
 * removes the page from all mappings.
 */
static int cxl_vfio_pfn_to_vma_pgoff(struct vm_area_struct *vma, unsigned long pfn, pgoff_t *pgoff)
{
	struct cxl_vfio_window *window = cxl_vfio_window_of(vma);
	phys_addr_t phys = PFN_PHYS(pfn);

	if (!window || !window->mem || phys < window->phys ||
	    phys - window->phys >= window->size)
		return -EFAULT;
	*pgoff = (window->offset + (phys - window->phys)) >> PAGE_SHIFT;
	if (*pgoff < vma->vm_pgoff || *pgoff - vma->vm_pgoff >= vma_pages(vma))
		return -EFAULT;
	cxl_vfio_poison_add(window->mem, (phys - window->phys) >> PAGE_SHIFT);
	return 0;
}

/**
 * cxl_vfio_poison_open() - register for reports of memory errors at open
 * @mem: the memory, its region registered
 */
void cxl_vfio_poison_open(struct cxl_vfio_hdm_mem *mem)
{
	cxl_vfio_compat_pfn_space_register(&mem->pfn_space, &mem->window.dev->core,
					   mem->window.phys, mem->window.size,
					   cxl_vfio_pfn_to_vma_pgoff);
}

/**
 * cxl_vfio_poison_close() - undo cxl_vfio_poison_open()
 * @mem: the memory
 */
void cxl_vfio_poison_close(struct cxl_vfio_hdm_mem *mem)
{
	cxl_vfio_compat_pfn_space_unregister(&mem->pfn_space);
	flush_work(&mem->poison_work);
}
