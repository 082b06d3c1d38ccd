// SPDX-License-Identifier: GPL-2.0-only
/*
 * Component register block model, CXL r4.0 8.2.3 and 8.2.4.
 *
 * The 64 KiB block as a guest sees it: the capability array with the entries that
 * a guest may see, snapshots of the capabilities that these entries name, of which
 * RAS can be written, and the HDM Decoder Capability, which hdm.c models.  All other
 * registers read 0 and drop writes.  The model is pure: no I/O, no locks, no allocation.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "comp.h"

/* Registers of the RAS Capability that a guest may write.  They are sticky. */
static const struct {
	u8 offset;
	u32 rw;
	u32 rw1c;
} ras_regs[] = {
	{ CXL_VFIO_RAS_UNCORRECTABLE, 0, CXL_VFIO_RAS_UNCORRECTABLE_BITS },
	{ CXL_VFIO_RAS_UNCORRECTABLE_MASK, CXL_VFIO_RAS_UNCORRECTABLE_BITS, 0 },
	{ CXL_VFIO_RAS_SEVERITY, CXL_VFIO_RAS_UNCORRECTABLE_BITS, 0 },
	{ CXL_VFIO_RAS_CORRECTABLE, 0, CXL_VFIO_RAS_CORRECTABLE_BITS },
	{ CXL_VFIO_RAS_CORRECTABLE_MASK, CXL_VFIO_RAS_CORRECTABLE_BITS, 0 },
};

/*
 * Capabilities other than the HDM decoders that a guest sees, with the length
 * of their registers.  A capability that is not listed belongs to the host (IDE,
 * security, BI route and similar) or is unknown: the guest sees a null entry.
 */
static const struct {
	u16 id;
	u16 size;
} shown_caps[] = {
	{ CXL_VFIO_CM_CAP_ID_RAS, CXL_VFIO_RAS_LENGTH },
	{ CXL_VFIO_CM_CAP_ID_LINK, 0x38 },
};

/**
 * cxl_vfio_cap_shown() - is a capability shown to the guest as a snapshot?
 * @entry: the capability's entry in the capability array
 *
 * Return: the length of the capability's registers in bytes, 0 if it is not shown
 * or is the HDM Decoder Capability.
 */
u32 cxl_vfio_cap_shown(u32 entry)
{
	u16 id = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, entry);

	for (unsigned int i = 0; i < ARRAY_SIZE(shown_caps); i++)
		if (shown_caps[i].id == id)
			return shown_caps[i].size;
	return 0;
}

/**
 * cxl_vfio_comp_find_ras() - find the RAS Capability
 * @cm: the CXL.cache/mem area as read from the device; all of its capability
 *	array lies in the area
 *
 * Return: the capability's offset in the area, where all of its registers are; 0 if
 * there is none, or it lies in the capability array.
 */
u32 cxl_vfio_comp_find_ras(const u32 *cm)
{
	unsigned int entries = FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cm[0]);

	for (unsigned int i = 1; i <= entries; i++) {
		u32 at = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, cm[i]) & ~3U;

		if (FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, cm[i]) == CXL_VFIO_CM_CAP_ID_RAS)
			return at >= CXL_VFIO_CM_CAP_ENTRY(entries + 1) &&
			       at <= CXL_VFIO_CM_SIZE - CXL_VFIO_RAS_LENGTH ? at : 0;
	}
	return 0;
}

static void show_cap(struct cxl_vfio_comp *comp, const u32 *cm, u32 array_end, u32 entry)
{
	u32 start = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, entry) & ~3U;
	u32 len = cxl_vfio_cap_shown(entry);

	for (u32 off = start; off < start + len && off < CXL_VFIO_CM_SIZE; off += 4)
		if (off >= array_end)
			comp->cm[off / 4] = cm[off / 4];
}

/* Remove all errors from the registers of a RAS Capability, also their addresses in the log */
static void start_clean(u32 *ras)
{
	ras[CXL_VFIO_RAS_UNCORRECTABLE / 4] = 0;
	ras[CXL_VFIO_RAS_CORRECTABLE / 4] = 0;
	ras[CXL_VFIO_RAS_CONTROL / 4] &= ~CXL_VFIO_RAS_CONTROL_FIRST;
	memset(&ras[CXL_VFIO_RAS_HEADER / 4], 0, 4 * CXL_VFIO_RAS_HEADER_DWORDS);
}

/**
 * cxl_vfio_comp_raise() - show the guest errors of the device
 * @comp: the model
 * @errors: new errors
 * @view: which parts of the registers the guest sees
 */
void cxl_vfio_comp_raise(struct cxl_vfio_comp *comp, const struct cxl_vfio_ras_errors *errors,
			 const struct cxl_vfio_view *view)
{
	u32 uncorrectable = errors->uncorrectable & CXL_VFIO_RAS_UNCORRECTABLE_BITS;
	u32 *ras = &comp->cm[comp->ras_offset / 4];

	if (!comp->ras_offset)
		return;
	if (uncorrectable && !ras[CXL_VFIO_RAS_UNCORRECTABLE / 4]) {
		ras[CXL_VFIO_RAS_CONTROL / 4] &= ~CXL_VFIO_RAS_CONTROL_FIRST;
		ras[CXL_VFIO_RAS_CONTROL / 4] |= __ffs(uncorrectable);
		/* The header log has host physical addresses */
		if (!view->hide_hpa)
			memcpy(&ras[CXL_VFIO_RAS_HEADER / 4], errors->header,
			       sizeof(errors->header));
	}
	ras[CXL_VFIO_RAS_UNCORRECTABLE / 4] |= uncorrectable;
	ras[CXL_VFIO_RAS_CORRECTABLE / 4] |= errors->correctable & CXL_VFIO_RAS_CORRECTABLE_BITS;
}

/**
 * cxl_vfio_comp_init() - make the guest's view from the hardware's registers
 * @comp: the model
 * @cm: the CXL.cache/mem area as read from the device; all of its capability
 *	array lies in the area
 * @hdm_offset: offset of the HDM Decoder Capability in the area, bytes; all of
 *	the capability lies in the area; 0 if there is none
 * @view: which parts of the registers the guest sees
 * @unlock: as for cxl_vfio_hdm_init()
 *
 * The guest starts without errors in RAS.  Its RAS registers are sticky: in a @comp
 * that was initialised before they stay as they are.  A new user's @comp is zeroed.
 */
void cxl_vfio_comp_init(struct cxl_vfio_comp *comp, const u32 *cm, u32 hdm_offset,
			const struct cxl_vfio_view *view, bool unlock)
{
	unsigned int entries = FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cm[0]);
	u32 ras[CXL_VFIO_RAS_LENGTH / 4], at = cxl_vfio_comp_find_ras(cm);
	bool keep = at && comp->ras_offset == at;

	if (keep)
		memcpy(ras, &comp->cm[at / 4], sizeof(ras));
	memset(comp->cm, 0, sizeof(comp->cm));
	comp->cm[0] = cm[0];
	for (unsigned int i = 1; i <= entries; i++) {
		u16 id = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, cm[i]);

		if (id == CXL_VFIO_CM_CAP_ID_HDM || cxl_vfio_cap_shown(cm[i]))
			comp->cm[i] = cm[i];
		show_cap(comp, cm, CXL_VFIO_CM_CAP_ENTRY(entries + 1), cm[i]);
	}
	comp->ras_offset = at;
	if (keep)
		memcpy(&comp->cm[at / 4], ras, sizeof(ras));
	else if (at)
		start_clean(&comp->cm[at / 4]);
	comp->hdm_offset = hdm_offset;
	if (hdm_offset)
		cxl_vfio_hdm_init(&comp->hdm, &cm[hdm_offset / 4], view, unlock);
}

static bool in_hdm(const struct cxl_vfio_comp *comp, u32 cm_offset)
{
	return comp->hdm_offset && cm_offset >= comp->hdm_offset &&
	       cm_offset - comp->hdm_offset < cxl_vfio_hdm_size(&comp->hdm);
}

/**
 * cxl_vfio_comp_read() - read a register of the component block
 * @comp: the model
 * @offset: bytes from the block's start, a multiple of 4
 * @via: way of the access
 *
 * Return: the register's value, 0 at an offset where the guest sees no register.
 */
u32 cxl_vfio_comp_read(const struct cxl_vfio_comp *comp, u32 offset, enum cxl_vfio_via via)
{
	u32 cm_offset = offset - CXL_VFIO_CM_OFFSET;

	if (offset < CXL_VFIO_CM_OFFSET || cm_offset >= CXL_VFIO_CM_SIZE)
		return 0;
	if (in_hdm(comp, cm_offset))
		return cxl_vfio_hdm_read(&comp->hdm, cm_offset - comp->hdm_offset, via);
	return comp->cm[cm_offset / 4];
}

static void write_ras(struct cxl_vfio_comp *comp, u32 cm_offset, u32 val)
{
	u32 *reg = &comp->cm[cm_offset / 4];

	for (unsigned int i = 0; i < ARRAY_SIZE(ras_regs); i++) {
		if (cm_offset - comp->ras_offset != ras_regs[i].offset)
			continue;
		*reg = (*reg & ~ras_regs[i].rw) | (val & ras_regs[i].rw);
		*reg &= ~(val & ras_regs[i].rw1c);
	}
}

/**
 * cxl_vfio_comp_write() - write a register of the component block as a guest would
 * @comp: the model
 * @offset: bytes from the block's start, a multiple of 4
 * @val: the value written
 * @via: way of the access
 *
 * Return: the write's effect on a decoder, as for cxl_vfio_hdm_write().
 */
struct cxl_vfio_hdm_event cxl_vfio_comp_write(struct cxl_vfio_comp *comp, u32 offset, u32 val,
					      enum cxl_vfio_via via)
{
	u32 cm_offset = offset - CXL_VFIO_CM_OFFSET;

	if (offset < CXL_VFIO_CM_OFFSET || cm_offset >= CXL_VFIO_CM_SIZE)
		return (struct cxl_vfio_hdm_event){ .type = HDM_EVENT_NONE };
	if (in_hdm(comp, cm_offset))
		return cxl_vfio_hdm_write(&comp->hdm, cm_offset - comp->hdm_offset, val, via);
	if (comp->ras_offset)
		write_ras(comp, cm_offset, val);
	return (struct cxl_vfio_hdm_event){ .type = HDM_EVENT_NONE };
}
