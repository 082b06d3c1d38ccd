// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's own registers: comparing them with their values at bind, and restoring
 * them.
 *
 * The device is not trusted: it may be gone and read all ones, and a register may
 * not keep the value that was written to it.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/pci.h>

#include "cxl_vfio.h"
#include "trace.h"

#define COMMIT_TRIES		20	/* a millisecond each: CXL r4.0 8.2.4.20.12 */

#define CTRL_ENABLES	(CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE | CXL_VFIO_DVSEC_CTRL_MEM_ENABLE)

/**
 * cxl_vfio_decodes_memory() - can the device's registers be reached now?
 * @pdev: the function
 *
 * Return: true in D0 with Memory Space on.
 */
bool cxl_vfio_decodes_memory(struct pci_dev *pdev)
{
	u16 command = 0;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return !PCI_POSSIBLE_ERROR(command) && (command & PCI_COMMAND_MEMORY) &&
	       pdev->current_state == PCI_D0;
}

/* Does RANGE BASE of range @i lie in the DVSEC?  One that is cut short has none */
static bool has_base(const struct cxl_vfio_found *found, unsigned int i)
{
	return CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i) + 8 <= found->dvsec_len;
}

/* Is RANGE BASE of range @i, which has one, as at bind? */
static bool base_intact(struct pci_dev *pdev, const struct cxl_vfio_found *found, unsigned int i)
{
	u16 at = found->dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);
	u32 high = 0, low = 0;

	pci_read_config_dword(pdev, at, &high);
	pci_read_config_dword(pdev, at + 4, &low);
	return high == found->range_base[i].high && low == found->range_base[i].low;
}

/* Does range @i have its size of bind time?  A size that is not valid yet may be any */
static bool size_intact(struct pci_dev *pdev, const struct cxl_vfio_found *found, unsigned int i)
{
	u32 low = 0;

	pci_read_config_dword(pdev, found->dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), &low);
	return !(low & CXL_VFIO_DVSEC_RANGE_INFO_VALID) ||
	       cxl_vfio_dvsec_range_size(pdev, found, i) == found->range_size[i];
}

/**
 * cxl_vfio_ranges_intact() - do the ranges of the DVSEC decode the same as at bind?
 * @pdev: the function
 * @found: what discovery found, the ranges as its memory
 *
 * Return: true if each range has its size of bind time, as far as it is valid now, and
 * each that has memory its RANGE BASE.  False for a device that is gone: no size and no
 * RANGE BASE is all ones.
 */
bool cxl_vfio_ranges_intact(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	for (unsigned int i = 0; i < cxl_vfio_dvsec_ranges(found); i++)
		if (!size_intact(pdev, found, i) ||
		    (found->range_size[i] && !base_intact(pdev, found, i)))
			return false;
	return true;
}

/**
 * cxl_vfio_decoder_intact() - does a decoder decode the same as at bind?
 * @regs: the CXL.cache/mem area's mapping; memory decode is on
 * @found: what discovery found
 * @n: the decoder's number
 *
 * Return: true if COMMITTED and, where it is set, BASE and SIZE have their values
 * of bind time.  False for every decoder of a device that is gone: it reads all
 * ones, which is no valid BASE.
 */
bool cxl_vfio_decoder_intact(const void __iomem *regs, const struct cxl_vfio_found *found,
			     unsigned int n)
{
	static const u8 fields[] = { CXL_VFIO_HDM_BASE_LOW, CXL_VFIO_HDM_BASE_HIGH,
				     CXL_VFIO_HDM_SIZE_LOW, CXL_VFIO_HDM_SIZE_HIGH };
	u32 at = found->hdm_offset + CXL_VFIO_HDM_DECODER(n);
	u32 saved = found->cm[(at + CXL_VFIO_HDM_CTRL) / 4];

	if ((readl(regs + at + CXL_VFIO_HDM_CTRL) ^ saved) & CXL_VFIO_HDM_CTRL_COMMITTED)
		return false;
	if (!(saved & CXL_VFIO_HDM_CTRL_COMMITTED))
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		if (readl(regs + at + fields[i]) != found->cm[(at + fields[i]) / 4])
			return false;
	return true;
}

/**
 * cxl_vfio_decoders_intact() - do the committed decoders decode the same as at bind?
 * @regs: the CXL.cache/mem area's mapping; memory decode is on
 * @found: what discovery found
 *
 * Return: true if cxl_vfio_decoder_intact() for each decoder committed at bind.
 */
bool cxl_vfio_decoders_intact(const void __iomem *regs, const struct cxl_vfio_found *found)
{
	for (unsigned int i = 0; i < found->nr_ranges; i++)
		if (!cxl_vfio_decoder_intact(regs, found, found->range[i].decoder))
			return false;
	return true;
}

/* Does Decoder Enable of HDM Decoder Global Control, if there is one, match bind time? */
static bool global_intact(struct cxl_vfio_device *dev)
{
	u32 global = dev->found->hdm_offset + CXL_VFIO_HDM_GLOBAL_CTRL;

	return !dev->found->hdm_offset ||
	       !((readl(dev->cm_regs + global) ^ dev->found->cm[global / 4]) &
		 CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
}

/* Do the enables of CONTROL (@ctrl) and of HDM Decoder Global Control match bind time? */
static bool enables_intact(struct cxl_vfio_device *dev, u16 ctrl)
{
	return !((ctrl ^ dev->found->dvsec_ctrl) & CTRL_ENABLES) && global_intact(dev);
}

/* Do the decoders or, where they are the memory, the DVSEC's ranges match bind time? */
static bool memory_intact(struct cxl_vfio_device *dev)
{
	return dev->found->by_ranges ? cxl_vfio_ranges_intact(dev->core.pdev, dev->found) :
				       cxl_vfio_decoders_intact(dev->cm_regs, dev->found);
}

/**
 * cxl_vfio_registers_intact() - does the device decode its memory as at bind?
 * @dev: the device, its registers reachable
 *
 * Return: true if CXL.mem and the decoders are enabled as at bind, and each decoder
 * that was committed at bind, or each of the DVSEC's ranges that are the memory, decodes
 * the same range.
 */
bool cxl_vfio_registers_intact(struct cxl_vfio_device *dev)
{
	return enables_intact(dev, cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL)) &&
	       memory_intact(dev);
}

/**
 * cxl_vfio_dvsec_hw_read() - read a register of the device's CXL Device DVSEC
 * @dev: the device
 * @offset: bytes from the DVSEC's start, a multiple of 2
 *
 * Return: the register's value, all ones if the device does not respond.
 */
u16 cxl_vfio_dvsec_hw_read(struct cxl_vfio_device *dev, u16 offset)
{
	u16 val = 0xffff;

	pci_read_config_word(dev->core.pdev, dev->found->dvsec + offset, &val);
	return val;
}

/**
 * cxl_vfio_dvsec_hw_write() - write a register of the device's CXL Device DVSEC
 * @dev: the device; recovery.lock is held once the device can be opened
 * @offset: bytes from the DVSEC's start, a multiple of 2
 * @val: the value
 */
void cxl_vfio_dvsec_hw_write(struct cxl_vfio_device *dev, u16 offset, u16 val)
{
	pci_write_config_word(dev->core.pdev, dev->found->dvsec + offset, val);
}

static void __iomem *decoder_regs(struct cxl_vfio_device *dev, unsigned int n)
{
	return dev->cm_regs + dev->found->hdm_offset + CXL_VFIO_HDM_DECODER(n);
}

/* Decoder @n's registers as they were at bind */
static const u32 *decoder_saved(struct cxl_vfio_device *dev, unsigned int n)
{
	return &dev->found->cm[(dev->found->hdm_offset + CXL_VFIO_HDM_DECODER(n)) / 4];
}

static bool was_committed(struct cxl_vfio_device *dev, unsigned int n)
{
	return decoder_saved(dev, n)[CXL_VFIO_HDM_CTRL / 4] & CXL_VFIO_HDM_CTRL_COMMITTED;
}

static int cxl_vfio_decommit_decoder(struct cxl_vfio_device *dev, unsigned int n)
{
	void __iomem *reg = decoder_regs(dev, n);
	u32 ctrl = readl(reg + CXL_VFIO_HDM_CTRL);

	if (!(ctrl & (CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_COMMITTED)))
		return 0;
	if (!(ctrl & CXL_VFIO_HDM_CTRL_LOCK)) {
		writel(ctrl & ~CXL_VFIO_HDM_CTRL_COMMIT, reg + CXL_VFIO_HDM_CTRL);
		if (!(readl(reg + CXL_VFIO_HDM_CTRL) & CXL_VFIO_HDM_CTRL_COMMITTED))
			return 0;
	}
	pci_err(dev->core.pdev, "HDM decoder %u: locked with settings that differ from bind time, device memory stays closed; unbind and have firmware set it up again\n",
		n);
	return -EBUSY;
}

static int cxl_vfio_commit_decoder(struct cxl_vfio_device *dev, unsigned int n)
{
	static const u8 regs[] = {
		CXL_VFIO_HDM_BASE_HIGH, CXL_VFIO_HDM_BASE_LOW, CXL_VFIO_HDM_SIZE_HIGH,
		CXL_VFIO_HDM_SIZE_LOW, CXL_VFIO_HDM_SKIP_HIGH, CXL_VFIO_HDM_SKIP_LOW,
	};
	const u32 *saved = decoder_saved(dev, n);
	void __iomem *reg = decoder_regs(dev, n);
	u32 ctrl = saved[CXL_VFIO_HDM_CTRL / 4] & ~CXL_VFIO_HDM_CTRL_COMMITTED;

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		writel(saved[regs[i] / 4], reg + regs[i]);
	writel(ctrl | CXL_VFIO_HDM_CTRL_COMMIT, reg + CXL_VFIO_HDM_CTRL);
	for (unsigned int i = 0; i < COMMIT_TRIES; i++) {
		ctrl = readl(reg + CXL_VFIO_HDM_CTRL);
		if (ctrl & (CXL_VFIO_HDM_CTRL_COMMITTED | CXL_VFIO_HDM_CTRL_ERROR))
			break;
		usleep_range(1000, 1500);
	}
	if (!(ctrl & CXL_VFIO_HDM_CTRL_COMMITTED)) {
		pci_err(dev->core.pdev, "HDM decoder %u: CTRL reads %#010x, the decoder does not commit again, device memory stays closed; reset the device, or unbind and have firmware commit it\n",
			n, ctrl);
		return ctrl & CXL_VFIO_HDM_CTRL_ERROR ? -EIO : -ETIMEDOUT;
	}
	trace_cxl_vfio_decoder(dev->core.pdev, n, HDM_EVENT_COMMITTED, true);
	return 0;
}

/* Restore CONTROL, which is impossible while CONFIG_LOCK is set; its enables must be right */
static int cxl_vfio_restore_control(struct cxl_vfio_device *dev, u16 ctrl)
{
	u16 saved = dev->found->dvsec_ctrl;
	bool locked;

	if (ctrl == saved)
		return 0;
	locked = cxl_vfio_config_is_locked(dev->core.pdev, dev->found);
	if (!locked) {
		cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL, saved);
		ctrl = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL);
	}
	if (!((ctrl ^ saved) & CTRL_ENABLES))
		return 0;
	pci_err(dev->core.pdev, "CXL Device DVSEC: CONTROL reads %#06x, it was %#06x at bind and %s, device memory stays closed; power-cycle the device\n",
		ctrl, saved, locked ? "CONFIG_LOCK is set" : "does not take it back");
	return -EPERM;
}

/*
 * Ranges that are the memory change only while CXL.mem is off, so that no address between
 * two is decoded: @ctrl is CONTROL, which is not locked.  Returns CONTROL as it is then.
 */
static u16 stop_ranges(struct cxl_vfio_device *dev, u16 ctrl)
{
	if (!dev->found->by_ranges || !(ctrl & CXL_VFIO_DVSEC_CTRL_MEM_ENABLE) ||
	    cxl_vfio_ranges_intact(dev->core.pdev, dev->found))
		return ctrl;
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL, ctrl & ~CXL_VFIO_DVSEC_CTRL_MEM_ENABLE);
	return cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL);
}

/* A CXL reset loses RANGE BASE as it loses CONTROL, unless CONFIG_LOCK keeps both */
static void restore_range_bases(struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_found *found = dev->found;
	struct pci_dev *pdev = dev->core.pdev;

	for (unsigned int i = 0; i < cxl_vfio_dvsec_ranges(found); i++) {
		u16 at = found->dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);
		u32 high = 0, low = 0;

		if (!has_base(found, i))
			break;
		pci_read_config_dword(pdev, at, &high);
		pci_read_config_dword(pdev, at + 4, &low);
		if (high != found->range_base[i].high)
			pci_write_config_dword(pdev, at, found->range_base[i].high);
		if (low != found->range_base[i].low)
			pci_write_config_dword(pdev, at + 4, found->range_base[i].low);
	}
}

/* Are the DVSEC's ranges back?  An error is logged */
static int check_ranges(struct cxl_vfio_device *dev, bool locked)
{
	const struct cxl_vfio_found *found = dev->found;
	struct pci_dev *pdev = dev->core.pdev;

	for (unsigned int i = 0; i < cxl_vfio_dvsec_ranges(found); i++) {
		if (!size_intact(pdev, found, i)) {
			pci_err(pdev, "CXL Device DVSEC: RANGE%u SIZE is %#llx, it was %#llx at bind, device memory stays closed; reset the device\n",
				i + 1, cxl_vfio_dvsec_range_size(pdev, found, i),
				found->range_size[i]);
			return -EIO;
		}
		if (found->range_size[i] && !base_intact(pdev, found, i)) {
			pci_err(pdev, "CXL Device DVSEC: RANGE%u BASE differs from bind time and %s, device memory stays closed; power-cycle the device\n",
				i + 1, locked ? "CONFIG_LOCK is set" :
						"does not take its value back");
			return -EPERM;
		}
	}
	return 0;
}

/* Put back what firmware set: errors that are masked, and how severe each error is */
static void restore_ras_masks(struct cxl_vfio_device *dev)
{
	static const u8 regs[] = { CXL_VFIO_RAS_UNCORRECTABLE_MASK, CXL_VFIO_RAS_SEVERITY,
				   CXL_VFIO_RAS_CORRECTABLE_MASK };
	u32 ras = cxl_vfio_comp_find_ras(dev->found->cm);

	for (unsigned int i = 0; i < ARRAY_SIZE(regs) && ras; i++) {
		u32 saved = dev->found->cm[(ras + regs[i]) / 4];

		if (readl(dev->cm_regs + ras + regs[i]) != saved)
			writel(saved, dev->cm_regs + ras + regs[i]);
	}
}

static int cxl_vfio_restore_global(struct cxl_vfio_device *dev)
{
	u32 hdm = dev->found->hdm_offset, cap = dev->found->cm[hdm / 4], now;
	u32 saved = dev->found->cm[(hdm + CXL_VFIO_HDM_GLOBAL_CTRL) / 4];
	void __iomem *reg = dev->cm_regs + hdm;

	now = readl(reg);
	if (now != cap) {
		pci_err(dev->core.pdev, "HDM Decoder Capability: header reads %#010x, it was %#010x at bind; device memory stays closed, is the device gone?\n",
			now, cap);
		return -ENODEV;
	}
	if (readl(reg + CXL_VFIO_HDM_GLOBAL_CTRL) == saved)
		return 0;
	writel(saved, reg + CXL_VFIO_HDM_GLOBAL_CTRL);
	now = readl(reg + CXL_VFIO_HDM_GLOBAL_CTRL);
	if (!((now ^ saved) & CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE))
		return 0;
	pci_err(dev->core.pdev, "HDM Decoder Global Control: reads %#010x after %#010x was written, device memory stays closed; reset the device\n",
		now, saved);
	return -EIO;
}

/*
 * Restore all decoders from the first that is not intact on: decommit them in
 * descending order, commit them in ascending order.
 */
static int cxl_vfio_restore_decoders(struct cxl_vfio_device *dev)
{
	u32 hdm = dev->found->hdm_offset, cap = dev->found->cm[hdm / 4];
	unsigned int count = cxl_vfio_hdm_decoder_count(cap), first = 0;
	int ret = 0;

	if (cxl_vfio_decoders_intact(dev->cm_regs, dev->found))
		return 0;
	while (first < count && cxl_vfio_decoder_intact(dev->cm_regs, dev->found, first))
		first++;
	for (unsigned int n = count; n-- > first && !ret;)
		ret = cxl_vfio_decommit_decoder(dev, n);
	for (unsigned int n = first; n < count && !ret; n++)
		if (was_committed(dev, n))
			ret = cxl_vfio_commit_decoder(dev, n);
	return ret;
}

/**
 * cxl_vfio_restore() - restore the registers that a reset lost
 * @dev: the device, its registers reachable; recovery.lock is held
 *
 * Return: 1 if a register was restored, 0 if none was lost, or a negative errno,
 * logged.
 */
int cxl_vfio_restore(struct cxl_vfio_device *dev)
{
	u16 ctrl = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL);
	bool locked;
	int ret;

	lockdep_assert_held(&dev->recovery.lock);
	if (PCI_POSSIBLE_ERROR(ctrl)) {
		pci_err(dev->core.pdev, "CXL Device DVSEC: CONTROL reads %#x, device memory stays closed, is the device gone?\n",
			ctrl);
		return -ENODEV;
	}
	if (cxl_vfio_registers_intact(dev))
		return 0;
	locked = cxl_vfio_config_is_locked(dev->core.pdev, dev->found);
	if (!locked) {
		ctrl = stop_ranges(dev, ctrl);
		restore_range_bases(dev);
	}
	restore_ras_masks(dev);
	ret = dev->found->by_ranges ? check_ranges(dev, locked) : 0;
	if (!ret)
		ret = cxl_vfio_restore_control(dev, ctrl);
	if (!ret && dev->found->hdm_offset)
		ret = cxl_vfio_restore_global(dev);
	if (!ret && !dev->found->by_ranges)
		ret = cxl_vfio_restore_decoders(dev);
	return ret ?: 1;
}

/**
 * cxl_vfio_take_ras() - read and clear the errors in the device's RAS Capability
 * @dev: the device, its registers reachable
 * @errors: filled in
 *
 * Return: true if there were errors.
 */
bool cxl_vfio_take_ras(struct cxl_vfio_device *dev, struct cxl_vfio_ras_errors *errors)
{
	u32 at = cxl_vfio_comp_find_ras(dev->found->cm);
	void __iomem *ras = dev->cm_regs + at;

	if (!at)
		return false;
	errors->uncorrectable = readl(ras + CXL_VFIO_RAS_UNCORRECTABLE);
	errors->correctable = readl(ras + CXL_VFIO_RAS_CORRECTABLE);
	if (PCI_POSSIBLE_ERROR(errors->uncorrectable) || PCI_POSSIBLE_ERROR(errors->correctable))
		return false;
	errors->uncorrectable &= CXL_VFIO_RAS_UNCORRECTABLE_BITS;
	errors->correctable &= CXL_VFIO_RAS_CORRECTABLE_BITS;
	if (errors->uncorrectable) {
		for (unsigned int i = 0; i < CXL_VFIO_RAS_HEADER_DWORDS; i++)
			errors->header[i] = readl(ras + CXL_VFIO_RAS_HEADER + 4 * i);
		writel(errors->uncorrectable, ras + CXL_VFIO_RAS_UNCORRECTABLE);
	}
	if (errors->correctable)
		writel(errors->correctable, ras + CXL_VFIO_RAS_CORRECTABLE);
	return errors->uncorrectable || errors->correctable;
}
