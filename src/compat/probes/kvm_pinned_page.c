// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: pinned_page
 *
 * Since 6.13 KVM holds references only to pages that it pinned.  Earlier kernels take
 * a reference to each page with a struct page, for every kind of mapping.
 */
#include <linux/kvm_host.h>

#if VARIANT == 1
struct page *probe(struct kvm_host_map *map)
{
	return map->pinned_page;
}
#endif
