/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_HDM_H
#define CXL_VFIO_HDM_H

#include <linux/types.h>
#include <linux/cxl_vfio_regs.h>

#include "names.h"
#include "view.h"

#define HDM_REGS_PER_DECODER	(CXL_VFIO_HDM_DECODER_STRIDE / 4)
#define HDM_MAX_REGS		(CXL_VFIO_HDM_DECODER(CXL_VFIO_HDM_MAX_DECODERS) / 4)

/**
 * struct cxl_vfio_hdm_event - effect of a guest's register write on a decoder
 * @type: what happened to the decoder
 * @decoder: the decoder's number
 */
struct cxl_vfio_hdm_event {
	enum cxl_vfio_hdm_event_type type;
	unsigned int decoder;
};

/**
 * struct cxl_vfio_hdm_written - what a VMM made of a committed decoder
 * @valid: it did; only with base_rw of &struct cxl_vfio_view
 * @locked: it locked the decoder
 * @base: address that the decoder decoded last
 */
struct cxl_vfio_hdm_written {
	bool valid;
	bool locked;
	u64 base;
};

/**
 * struct cxl_vfio_hdm_bar - the BAR that has the memory of a decoder, the virtual BAR
 * @present: there is one
 * @follows: the guest's BASE of @decoder is @addr, and later decoders come behind it: nobody
 *	has programmed a decoder since the last reset
 * @decoder: number of the decoder, the first with memory
 * @addr: the guest's address of the BAR, bytes; 0 while it has none
 */
struct cxl_vfio_hdm_bar {
	bool present;
	bool follows;
	unsigned int decoder;
	u64 addr;
};

/**
 * struct cxl_vfio_hdm_decoder - one HDM decoder as the guest sees it
 * @reg: BASE, SIZE, CTRL and DPA skip, dwords in register order
 * @backed: bytes of host memory behind the decoder, 0 where firmware did not
 *	commit it, or committed it with size 0
 * @skip: DPA skip of the device's own decoder, bytes
 * @bi: BI of the device's own decoder: its memory is kept coherent by back-invalidation
 * @refused: the guest sees the decoder uncommitted, as its memory is not in the virtual BAR,
 *	and tried to commit it
 * @written: what outlives resets
 */
struct cxl_vfio_hdm_decoder {
	u32 reg[HDM_REGS_PER_DECODER];
	u64 backed;
	u64 skip;
	bool bi;
	bool refused;
	struct cxl_vfio_hdm_written written;
};

/**
 * struct cxl_vfio_hdm - the HDM Decoder Capability as the guest sees it
 * @cap: capability header
 * @global: HDM Decoder Global Control
 * @base_rw: see &struct cxl_vfio_view
 * @bar: the virtual BAR; @present and @decoder of it are the caller's to set, before
 *	cxl_vfio_hdm_init()
 * @count: number of decoders
 * @decoder: the decoders
 */
struct cxl_vfio_hdm {
	u32 cap;
	u32 global;
	bool base_rw;
	struct cxl_vfio_hdm_bar bar;
	unsigned int count;
	struct cxl_vfio_hdm_decoder decoder[CXL_VFIO_HDM_MAX_DECODERS];
};

unsigned int cxl_vfio_hdm_decoder_count(u32 cap);
u32 cxl_vfio_hdm_length(u32 cap);
void cxl_vfio_hdm_init(struct cxl_vfio_hdm *hdm, const u32 *regs,
		       const struct cxl_vfio_view *view, bool unlock);
u64 cxl_vfio_hdm_base(const struct cxl_vfio_hdm *hdm, unsigned int n);
void cxl_vfio_hdm_move_bar(struct cxl_vfio_hdm *hdm, u64 addr);
void cxl_vfio_hdm_lose(struct cxl_vfio_hdm *hdm);
u32 cxl_vfio_hdm_size(const struct cxl_vfio_hdm *hdm);
u32 cxl_vfio_hdm_read(const struct cxl_vfio_hdm *hdm, u32 offset, enum cxl_vfio_via via);
struct cxl_vfio_hdm_event cxl_vfio_hdm_write(struct cxl_vfio_hdm *hdm, u32 offset, u32 val,
					     enum cxl_vfio_via via);

#endif
