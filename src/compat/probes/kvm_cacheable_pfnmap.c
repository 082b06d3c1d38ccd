// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED kvm.h
 *
 * Since 6.17 KVM on arm64 maps memory of a device into guests as cacheable as the VMM's
 * own mapping of it.  Earlier kernels never map it cacheable.
 */
#include <linux/kvm.h>

#if VARIANT == 1
int probe(void)
{
	return KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED;
}
#endif
