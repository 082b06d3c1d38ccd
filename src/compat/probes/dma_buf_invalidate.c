// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 2 1 0
 * needs 2: dma_buf_invalidate_mappings
 * needs 1: dma_buf_move_notify
 * asks 2: dma_buf_invalidate_mappings
 *
 * Function by which an exporter revokes importers' mappings, renamed in about 7.0 (2).
 * Kernels without CONFIG_DMA_SHARED_BUFFER have no dma-bufs (0).
 */
#include <linux/dma-buf.h>

#if VARIANT == 2
void probe(struct dma_buf *buf)
{
	dma_buf_invalidate_mappings(buf);
}
#elif VARIANT == 1
void probe(struct dma_buf *buf)
{
	dma_buf_move_notify(buf);
}
#endif
