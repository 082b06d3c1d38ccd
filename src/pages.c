// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDM memory with struct pages.
 *
 * KVM on Intel maps a page into a guest uncached if the page has no struct page
 * and is no RAM of the platform.  KVM maps it write-back if the page has a struct
 * page and is reserved, and the kernel's own mapping is write-back.  So this file
 * makes the range ZONE_DEVICE memory.  Its pages are given to no allocator.  Users'
 * mappings stay page frames (VM_PFNMAP), which get_user_pages() refuses, so memory
 * with struct pages is revoked from its users in the same ways as without them.
 */
#include <linux/delay.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "cxl_vfio.h"

/* How long pages may be held at unbind before this is logged */
#define PATIENCE_MS	1000

/* How many pages are looked at before another task may run */
#define SCAN_BATCH	65536

/**
 * cxl_vfio_pages_wanted() - must HDM memory get struct pages?
 *
 * Return: true with struct_pages=on, and with struct_pages=auto on a host whose
 * guests would otherwise get the memory uncached.
 */
bool cxl_vfio_pages_wanted(void)
{
	return cxl_vfio_params->pages == PAGES_ON ||
	       (cxl_vfio_params->pages == PAGES_AUTO && cxl_vfio_compat_guests_need_pages());
}

/* Called by the kernel's memory failure code, in process context */
static int cxl_vfio_pages_failed(struct dev_pagemap *pgmap, unsigned long pfn, unsigned long n,
				 int flags)
{
	struct cxl_vfio_hdm_mem *mem = pgmap->owner;
	unsigned long first = pfn - PHYS_PFN(mem->window.phys);

	for (unsigned long page = first; page < first + n; page++)
		cxl_vfio_poison_add(mem, page);
	flush_work(&mem->poison_work);
	return 0;
}

static const struct dev_pagemap_ops pages_ops = {
	.memory_failure = cxl_vfio_pages_failed,
};

static unsigned int fold_order(const struct cxl_vfio_window *window)
{
	return min_t(unsigned int, __ffs64(window->phys | window->size) - PAGE_SHIFT,
		     CXL_VFIO_COMPAT_FOLD_ORDER);
}

/*
 * Bytes that the array of struct pages takes.  With @order not 0 the array is
 * folded: it has two pages for each 2^@order pages of memory, and page tables.
 */
static u64 array_size_of(const struct cxl_vfio_window *window, unsigned int order)
{
	u64 pages = PHYS_PFN(window->size), array = pages * sizeof(struct page);

	return order ? (pages >> order) * 2 * PAGE_SIZE +
		       DIV_ROUND_UP_ULL(array, PMD_SIZE) * PAGE_SIZE : array;
}

/**
 * cxl_vfio_pages_cost() - host memory that the array of struct pages takes
 * @mem: the memory
 *
 * Return: bytes, 0 if the memory has no struct pages.
 */
u64 cxl_vfio_pages_cost(const struct cxl_vfio_hdm_mem *mem)
{
	return mem->pgmap ? array_size_of(&mem->window, mem->pgmap->vmemmap_shift) : 0;
}

static void *cxl_vfio_map_pages(struct cxl_vfio_hdm_mem *mem, struct dev_pagemap *pgmap)
{
	unsigned int order;

	if (!pgmap)
		return ERR_PTR(-ENOMEM);
	if (!cxl_vfio_compat_is_pluggable(mem->window.phys, mem->window.size))
		return ERR_PTR(-ERANGE);
	/* Refuse an array that would take more than half of the available host memory */
	order = fold_order(&mem->window);
	if (array_size_of(&mem->window, order) > (u64)si_mem_available() * PAGE_SIZE / 2)
		return ERR_PTR(-ENOMEM);

	pgmap->type = MEMORY_DEVICE_GENERIC;
	pgmap->range.start = mem->window.phys;
	pgmap->range.end = mem->window.phys + mem->window.size - 1;
	pgmap->nr_range = 1;
	pgmap->vmemmap_shift = order;
	pgmap->ops = &pages_ops;
	pgmap->owner = mem;
	return cxl_vfio_compat_memremap_pages(pgmap, dev_to_node(&mem->window.dev->core.pdev->dev));
}

/**
 * cxl_vfio_pages_map() - give memory struct pages, and map it for the kernel
 * @mem: the memory, claimed, its window set
 *
 * Return: the mapping, write-back unless the platform overrules that; NULL, logged,
 * if the memory cannot get struct pages: the caller then uses memremap().
 */
void *cxl_vfio_pages_map(struct cxl_vfio_hdm_mem *mem)
{
	struct pci_dev *pdev = mem->window.dev->core.pdev;
	struct dev_pagemap *pgmap = kzalloc(sizeof(*pgmap), GFP_KERNEL);
	void *va = cxl_vfio_map_pages(mem, pgmap);

	if (IS_ERR(va)) {
		pci_warn(pdev, "no struct pages for [mem %#llx-%#llx] (error %ld), going on without them; guests on an Intel host get this memory uncached\n",
			 (u64)mem->window.phys, (u64)mem->window.phys + mem->window.size - 1,
			 PTR_ERR(va));
		kfree(pgmap);
		return NULL;
	}
	mem->pgmap = pgmap;
	pci_info(pdev, "struct pages for [mem %#llx-%#llx] take %llu KiB of host memory\n",
		 (u64)mem->window.phys, (u64)mem->window.phys + mem->window.size - 1,
		 cxl_vfio_pages_cost(mem) >> 10);
	return va;
}

/**
 * cxl_vfio_pages_held() - has any page a reference besides that of ZONE_DEVICE itself?
 * @mem: the memory; no user has it mapped
 * @at: byte to begin at, from the memory's start; then where the first such page is
 *
 * Up to Linux 6.12 KVM takes references to device memory that a guest uses for control
 * structures of a nested guest, and keeps them when the mapping is gone.  A page that has
 * none gets none while no user has it mapped, so that a later look may begin at @at.
 *
 * Return: true if one has, or if the task was killed before all were seen; false for
 * memory without struct pages, whose pages KVM uses without a reference.
 */
bool cxl_vfio_pages_held(const struct cxl_vfio_hdm_mem *mem, u64 *at)
{
	u64 step, n = 0;

	if (!mem->pgmap)
		return false;
	step = PAGE_SIZE << mem->pgmap->vmemmap_shift;
	for (; *at < mem->window.size; *at += step) {
		if (page_ref_count(pfn_to_page(PHYS_PFN(mem->window.phys + *at))) != 1)
			return true;
		if (++n % SCAN_BATCH)
			continue;
		cond_resched();
		if (fatal_signal_pending(current))
			return true;
	}
	return false;
}

/**
 * cxl_vfio_pages_unmap() - undo cxl_vfio_pages_map()
 * @mem: the memory; no user has it open
 *
 * Waits until no page has another reference.
 */
void cxl_vfio_pages_unmap(struct cxl_vfio_hdm_mem *mem)
{
	u64 at = 0;

	for (unsigned int ms = 0; cxl_vfio_pages_held(mem, &at); ms += 20) {
		if (ms == PATIENCE_MS)
			pci_warn(mem->window.dev->core.pdev,
				 "pages of device memory are still held, waiting; end the virtual machines that used it\n");
		msleep(20);
	}
	cxl_vfio_compat_memunmap_pages(mem->pgmap);
	kfree(mem->pgmap);
	mem->pgmap = NULL;
}
