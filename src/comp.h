/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_COMP_H
#define CXL_VFIO_COMP_H

#include "hdm.h"

#define CM_DWORDS	(CXL_VFIO_CM_SIZE / 4)

/**
 * struct cxl_vfio_comp - the component register block as the guest sees it
 * @cm: the CXL.cache/mem area, without the HDM Decoder Capability's registers
 * @hdm_offset: offset of the HDM Decoder Capability in the area, bytes; 0 if there is none
 * @ras_offset: offset of the RAS Capability in the area, bytes; 0 if there is none
 * @hdm: model of the HDM Decoder Capability
 */
struct cxl_vfio_comp {
	u32 cm[CM_DWORDS];
	u32 hdm_offset;
	u32 ras_offset;
	struct cxl_vfio_hdm hdm;
};

/**
 * struct cxl_vfio_ras_errors - errors that the RAS Capability reports, CXL r4.0 8.2.4.17
 * @uncorrectable: bits of Uncorrectable Error Status
 * @correctable: bits of Correctable Error Status
 * @header: the header log, of the first uncorrectable error
 */
struct cxl_vfio_ras_errors {
	u32 uncorrectable;
	u32 correctable;
	u32 header[CXL_VFIO_RAS_HEADER_DWORDS];
};

u32 cxl_vfio_cap_shown(u32 entry);
u32 cxl_vfio_comp_find_ras(const u32 *cm);
void cxl_vfio_comp_raise(struct cxl_vfio_comp *comp, const struct cxl_vfio_ras_errors *errors,
			 const struct cxl_vfio_view *view);
void cxl_vfio_comp_init(struct cxl_vfio_comp *comp, const u32 *cm, u32 hdm_offset,
			const struct cxl_vfio_view *view, bool unlock);
u32 cxl_vfio_comp_read(const struct cxl_vfio_comp *comp, u32 offset, enum cxl_vfio_via via);
struct cxl_vfio_hdm_event cxl_vfio_comp_write(struct cxl_vfio_comp *comp, u32 offset, u32 val,
					      enum cxl_vfio_via via);

#endif
