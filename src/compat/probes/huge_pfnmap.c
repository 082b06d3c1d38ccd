// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * needs 2: vmf_insert_pfn_pmd
 * needs 1: vmf_insert_pfn_pmd
 * asks 2: vmf_insert_pfn_pmd pfn_t page_entry_size
 * asks 1: page_entry_size
 *
 * 6.12 added huge pages in VM_PFNMAP mappings and passes a pfn_t (1); 6.17 made that
 * an unsigned long (2).  Kernels before 6.12 never call .huge_fault for such mappings,
 * and before 6.6 it has another prototype.  Kernels without transparent huge pages,
 * such as those with PREEMPT_RT, never call .huge_fault (0).
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
