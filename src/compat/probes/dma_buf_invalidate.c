// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: dma_buf_invalidate_mappings
 * needs 0: dma_buf_move_notify
 *
 * How an exporter tells importers to let go.
 */
#include <linux/dma-buf.h>

void probe(struct dma_buf *buf)
{
#if VARIANT == 1
	dma_buf_invalidate_mappings(buf);
#else
	dma_buf_move_notify(buf);
#endif
}
