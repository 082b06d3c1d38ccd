// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * needs 2: cpu_cache_invalidate_memregion cpu_cache_has_invalidate_memregion
 * needs 1: cpu_cache_invalidate_memregion cpu_cache_has_invalidate_memregion
 * asks 2: cpu_cache_invalidate_memregion res_desc
 * asks 1: cpu_cache_invalidate_memregion
 *
 * Since 6.2 the kernel can invalidate all CPU caches for memory that a device
 * changes: it takes a resource descriptor (1), on later kernels a range (2).  Of a call with
 * a range clang says that only 'res_desc' is expected, and does not name the function.
 */
#include <linux/ioport.h>
#include <linux/memregion.h>

#if VARIANT == 2
int probe(void)
{
	return cpu_cache_invalidate_memregion((phys_addr_t)0, (size_t)0);
}

int (*check)(phys_addr_t start, size_t len) = cpu_cache_invalidate_memregion;
#elif VARIANT == 1
int (*check)(int res_desc) = cpu_cache_invalidate_memregion;
#endif
