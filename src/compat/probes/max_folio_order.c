// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: MAX_FOLIO_ORDER
 *
 * Since 6.18 memremap_pages() refuses to fold more than 2^MAX_FOLIO_ORDER struct
 * pages into one.
 */
#include <linux/mm.h>

#if VARIANT == 1
unsigned int probe(void)
{
	return MAX_FOLIO_ORDER;
}
#endif
