// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's view of the device: builds the register models, and gives locked
 * access to them.  The models themselves (hdm.c, dvsec.c, comp.c) do no I/O and
 * take no locks; this file reads the device for them and takes model.lock.
 */
#include <linux/pci.h>

#include "cxl_vfio.h"
#include "trace.h"

/*
 * RANGE BASE of DVSEC range @i where the ranges are the memory: the host's address, or
 * with addresses hidden one range after the other from 0 on, as for decoders
 */
static u64 own_base_of_range(const struct cxl_vfio_found *found, unsigned int i)
{
	u64 end = 0;

	for (unsigned int n = 0; n < found->nr_ranges; n++) {
		if (found->range[n].decoder == i)
			return cxl_vfio_params->view.hide_hpa ? end : found->range[n].base;
		end += found->range[n].size;
	}
	return 0;
}

/* BASE of the decoder that has the memory of DVSEC range @i, if there is one */
static u64 base_of_range(struct cxl_vfio_device *dev, unsigned int i)
{
	if (dev->found->by_ranges)
		return own_base_of_range(dev->found, i);
	return i < dev->found->nr_ranges ?
	       cxl_vfio_hdm_base(&dev->model.comp.hdm, dev->found->range[i].decoder) : 0;
}

/* The ranges' bases, before an access that may change decoders */
struct bases {
	u64 of[CXL_VFIO_DVSEC_RANGES];
};

static struct bases note_bases(struct cxl_vfio_device *dev)
{
	struct bases bases;

	for (unsigned int i = 0; i < CXL_VFIO_DVSEC_RANGES; i++)
		bases.of[i] = base_of_range(dev, i);
	return bases;
}

/* Have RANGE BASE follow: a guest takes memory by it where it finds no committed decoder */
static void mirror_bases(struct cxl_vfio_device *dev, const struct bases *before)
{
	for (unsigned int i = 0; i < CXL_VFIO_DVSEC_RANGES; i++)
		if (base_of_range(dev, i) != before->of[i])
			cxl_vfio_dvsec_set_base(&dev->model.dvsec, i, base_of_range(dev, i));
}

/* Write @n bytes of register @reg, from byte @first on, as a write of the whole register */
static void write_dword(struct cxl_vfio_device *dev, u32 reg, unsigned int first,
			const u8 *buf, unsigned int n, enum cxl_vfio_via via)
{
	u32 val = cxl_vfio_comp_read(&dev->model.comp, reg, via);
	struct bases before = note_bases(dev);
	struct cxl_vfio_hdm_event event;

	for (unsigned int i = 0; i < n; i++) {
		val &= ~(0xffU << (8 * (first + i)));
		val |= (u32)buf[i] << (8 * (first + i));
	}
	event = cxl_vfio_comp_write(&dev->model.comp, reg, val, via);
	mirror_bases(dev, &before);
	if (event.type != HDM_EVENT_NONE)
		trace_cxl_vfio_decoder(dev->core.pdev, event.decoder, event.type, false);
}

static void read_dword(struct cxl_vfio_device *dev, u32 reg, unsigned int first, u8 *buf,
		       unsigned int n, enum cxl_vfio_via via)
{
	u32 val = cxl_vfio_comp_read(&dev->model.comp, reg, via);

	for (unsigned int i = 0; i < n; i++)
		buf[i] = val >> (8 * (first + i));
}

static bool reads_ras(const struct cxl_vfio_device *dev, u32 offset, size_t count)
{
	u32 ras = CXL_VFIO_CM_OFFSET + dev->model.comp.ras_offset;

	return dev->model.comp.ras_offset && offset < ras + CXL_VFIO_RAS_LENGTH &&
	       offset + count > ras;
}

/**
 * cxl_vfio_block_access() - read or write the component block's model
 * @dev: the device
 * @offset: first byte, from the block's start
 * @buf: kernel buffer
 * @count: bytes, all in the block, at any alignment
 * @write: direction
 * @via: way of the access
 *
 * Return: @count.
 */
ssize_t cxl_vfio_block_access(struct cxl_vfio_device *dev, u32 offset, u8 *buf, size_t count,
			      bool write, enum cxl_vfio_via via)
{
	size_t done = 0;

	if (!write && reads_ras(dev, offset, count))
		cxl_vfio_errors_look(dev);
	mutex_lock(&dev->model.lock);
	while (done < count) {
		u32 reg = round_down(offset + done, 4);
		unsigned int first = offset + done - reg;
		unsigned int n = min_t(size_t, 4 - first, count - done);

		if (write)
			write_dword(dev, reg, first, buf + done, n, via);
		else
			read_dword(dev, reg, first, buf + done, n, via);
		done += n;
	}
	mutex_unlock(&dev->model.lock);
	return count;
}

/**
 * cxl_vfio_model_move_bar() - have the decoders follow the virtual BAR
 * @dev: the device, whose virtual BAR has a new address; model.lock is held
 *
 * Only what the guest sees changes: BASE of the decoders, and RANGE BASE of the DVSEC.
 */
void cxl_vfio_model_move_bar(struct cxl_vfio_device *dev)
{
	struct bases before = note_bases(dev);

	lockdep_assert_held(&dev->model.lock);
	cxl_vfio_hdm_move_bar(&dev->model.comp.hdm, dev->vbar.addr);
	mirror_bases(dev, &before);
}

/* Read the registers, or copy those saved at bind while the device cannot be read */
static void sample(struct cxl_vfio_device *dev, u32 *cm)
{
	if (cxl_vfio_decodes_memory(dev->core.pdev) && !cxl_vfio_gate_is_away(dev))
		cxl_vfio_read_cm(dev->cm_regs, cm);
	else
		memcpy(cm, dev->found->cm, CXL_VFIO_CM_SIZE);
}

/*
 * Rebuild the guest's view of the component block.  @unlock releases decoders that
 * the guest locked.
 */
static int rebuild_comp(struct cxl_vfio_device *dev, bool unlock)
{
	const struct cxl_vfio_found *found = dev->found;
	u32 expected = found->cm[found->hdm_offset / 4], *cm;
	int ret = 0;

	if (!cxl_vfio_has_comp(found))
		return 0;
	cm = kmalloc(CXL_VFIO_CM_SIZE, GFP_KERNEL);
	if (!cm)
		return -ENOMEM;
	sample(dev, cm);
	if (cm[found->hdm_offset / 4] != expected) {
		pci_err(dev->core.pdev, "%s: header reads %#010x, it was %#010x at bind\n",
			found->hdm_offset ? "HDM Decoder Capability" : "capability array",
			cm[found->hdm_offset / 4], expected);
		ret = -EIO;
	} else {
		mutex_lock(&dev->model.lock);
		cxl_vfio_comp_init(&dev->model.comp, cm, found->hdm_offset, &cxl_vfio_params->view,
				   unlock);
		mutex_unlock(&dev->model.lock);
	}
	kfree(cm);
	return ret;
}

/*
 * Rebuild the guest's CXL Device DVSEC, after its component block, whose decoders have
 * the bases.  @unlock releases the guest's CONFIG_LOCK.
 * If the device does not respond, the guest's view stays unchanged.
 */
static int rebuild_dvsec(struct cxl_vfio_device *dev, bool unlock)
{
	const struct cxl_vfio_found *found = dev->found;
	u16 regs[DVSEC_MAX_LEN / 2] = {};

	for (u16 off = 0; off + 2 <= found->dvsec_len && off < sizeof(regs); off += 2)
		pci_read_config_word(dev->core.pdev, found->dvsec + off, &regs[off / 2]);
	if (PCI_POSSIBLE_ERROR(regs[CXL_VFIO_DVSEC_CAP / 2])) {
		pci_err(dev->core.pdev, "CXL Device DVSEC: CAPABILITY reads %#x, the device does not respond\n",
			regs[CXL_VFIO_DVSEC_CAP / 2]);
		return -EIO;
	}
	/* A CXL reset changes CONTROL, which is put back once Memory Space is on */
	regs[CXL_VFIO_DVSEC_CTRL / 2] = found->dvsec_ctrl;
	/* As with decoders, the host's lock keeps the VMM from no guest address */
	if (found->by_ranges && cxl_vfio_params->view.hide_hpa)
		regs[CXL_VFIO_DVSEC_LOCK / 2] &= ~CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK;
	mutex_lock(&dev->model.lock);
	if (cxl_vfio_dvsec_init(&dev->model.dvsec, regs, found->dvsec_len,
				&cxl_vfio_params->view, unlock))
		for (unsigned int i = 0; i < CXL_VFIO_DVSEC_RANGES; i++)
			cxl_vfio_dvsec_set_base(&dev->model.dvsec, i, base_of_range(dev, i));
	mutex_unlock(&dev->model.lock);
	return 0;
}

/**
 * cxl_vfio_model_open() - build the guest's view for a new user
 * @dev: the device, being opened; recovery.lock is held
 *
 * Return: 0, -ENOMEM, or -EIO, logged, if the device does not respond or the header
 * of its HDM Decoder Capability, or without one of its capability array, differs from bind
 * time.
 */
int cxl_vfio_model_open(struct cxl_vfio_device *dev)
{
	/* Nothing of the last user's view survives, not even what is sticky */
	mutex_lock(&dev->model.lock);
	memset(&dev->model.comp, 0, sizeof(dev->model.comp));
	dev->model.comp.hdm.bar = (struct cxl_vfio_hdm_bar) {
		.present = dev->vbar.bar != VBAR_NONE && !dev->found->by_ranges,
		.decoder = dev->found->range[0].decoder,
		.addr = dev->vbar.addr,
	};
	mutex_unlock(&dev->model.lock);
	return rebuild_comp(dev, true) ?: rebuild_dvsec(dev, true);
}

/**
 * cxl_vfio_model_reset() - bring the guest's view up to date after a reset
 * @dev: the device, its memory usable or Memory Space off
 * @conventional: it was a conventional reset, which releases the guest's locks
 *
 * A view that cannot be rebuilt stays unchanged, which does no harm.
 */
void cxl_vfio_model_reset(struct cxl_vfio_device *dev, bool conventional)
{
	if (cxl_vfio_gate_is_held(dev, HOLD_UNUSED))
		return;
	rebuild_comp(dev, conventional);
	rebuild_dvsec(dev, conventional);
}

/**
 * cxl_vfio_model_lost() - show the guest decoders that do not decode
 * @dev: the device, whose registers could not be restored after a reset
 */
void cxl_vfio_model_lost(struct cxl_vfio_device *dev)
{
	mutex_lock(&dev->model.lock);
	cxl_vfio_hdm_lose(&dev->model.comp.hdm);
	mutex_unlock(&dev->model.lock);
}

/**
 * cxl_vfio_dvsec_refresh() - update the DVSEC bits that only hardware knows
 * @dev: the device, open; model.lock is held
 *
 * A device that is gone or in reset reads all ones; then the model is not changed.
 */
void cxl_vfio_dvsec_refresh(struct cxl_vfio_device *dev)
{
	u16 regs[DVSEC_NR_LIVE] = {};
	bool gone = false;

	lockdep_assert_held(&dev->model.lock);
	for (unsigned int i = 0; i < DVSEC_NR_LIVE; i++) {
		u16 offset = cxl_vfio_dvsec_live_offset(i);

		if (offset + 2 > dev->found->dvsec_len)
			continue;
		regs[i] = cxl_vfio_dvsec_hw_read(dev, offset);
		gone |= PCI_POSSIBLE_ERROR(regs[i]);
	}
	if (!gone)
		cxl_vfio_dvsec_set_live(&dev->model.dvsec, regs);
}
