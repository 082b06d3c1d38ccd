// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: vm_flags_set
 *
 * 6.3 made vm_flags read-only but for its setters.
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
