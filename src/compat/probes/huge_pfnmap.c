// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * needs 2: vmf_insert_pfn_pmd
 * needs 1: vmf_insert_pfn_pmd
 *
 * Huge pages in VM_PFNMAP mappings came with 6.12, which passes a pfn_t (1);
 * 6.16 or so made that an unsigned long (2).  Before, .huge_fault is never
 * called for such mappings and has another prototype (0).
 */
#include <linux/mm.h>

#if VARIANT == 2
static vm_fault_t fault(struct vm_fault *vmf, unsigned int order)
{
	return vmf_insert_pfn_pmd(vmf, order, false);
}

const struct vm_operations_struct probe = { .huge_fault = fault };
#elif VARIANT == 1
#include <linux/pfn_t.h>

static vm_fault_t fault(struct vm_fault *vmf, unsigned int order)
{
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(order, PFN_DEV), false);
}

const struct vm_operations_struct probe = { .huge_fault = fault };
#else
static vm_fault_t fault(struct vm_fault *vmf, enum page_entry_size size)
{
	return VM_FAULT_FALLBACK;
}

const struct vm_operations_struct probe = { .huge_fault = fault };
#endif
