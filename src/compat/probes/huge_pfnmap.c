// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * needs 2: vmf_insert_pfn_pmd
 * needs 1: vmf_insert_pfn_pmd
 * asks 2: vmf_insert_pfn_pmd pfn_t page_entry_size
 * asks 1: page_entry_size
 *
 * Huge pages in VM_PFNMAP mappings came with 6.12, which passes a pfn_t (1);
 * 6.17 made that an unsigned long (2).  Kernels before 6.6 have another prototype
 * of .huge_fault, which is never called for such mappings before 6.12; kernels
 * without transparent huge pages, as those with PREEMPT_RT, never call it (0).
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
#endif
