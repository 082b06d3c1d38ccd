// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: release_fault_lock
 *
 * Page faults that come with the lock of their mapping alone (6.4) drop it by a
 * function that came with 6.6.
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
