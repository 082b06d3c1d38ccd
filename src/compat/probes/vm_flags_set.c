// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: vm_flags_set
 *
 * Since 6.3 vm_flags is read-only and has setter functions.
 */
#include <linux/mm.h>

void probe(struct vm_area_struct *vma)
{
#if VARIANT == 1
	vm_flags_set(vma, VM_IO);
#else
	vma->vm_flags |= VM_IO;
#endif
}
