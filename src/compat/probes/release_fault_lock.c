// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: release_fault_lock
 *
 * Since 6.4 a page fault may hold its VMA's lock instead of the mmap lock.  6.6 added
 * a function that drops either.
 */
#include <linux/mm.h>

#if VARIANT == 1
void probe(struct vm_fault *vmf)
{
	release_fault_lock(vmf);
}
#else
void probe(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}
#endif
