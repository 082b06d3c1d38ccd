// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds and validates the parts of a CXL Type-2 device: the CXL Device DVSEC, the
 * component register block that the Register Locator names, its HDM Decoder
 * Capability and the decoders that firmware committed.  Where there are none of these,
 * firmware may have enabled memory by the ranges of the DVSEC, as on CXL 1.1 devices.
 *
 * The device is not trusted: every register value is checked before it is used.
 * A function with a wrong value is refused, with one log line that names the
 * register, the value that was read and the value that was expected.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "discover.h"

/* Ends after RANGE1 BASE LOW: a mem-capable device has at least one range */
#define DVSEC_MIN_LEN		0x28

static bool all_ones(u32 val)
{
	return val == ~0U;
}

static u16 dvsec_length(struct pci_dev *pdev, u16 dvsec)
{
	u32 header = 0;

	pci_read_config_dword(pdev, dvsec + CXL_VFIO_DVSEC_HEADER1, &header);
	return FIELD_GET(CXL_VFIO_DVSEC_HEADER1_LEN, header);
}

/* Find the CXL Device DVSEC, CXL r4.0 8.1.3; returns 0 with @found->is_cxl clear if none */
static int find_dvsec(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	u16 cap = 0;

	found->dvsec = pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
						 CXL_VFIO_DVSEC_ID_DEVICE);
	if (!found->dvsec) {
		pci_info(pdev, "no CXL Device DVSEC, assigned as a plain PCI function\n");
		return 0;
	}
	pci_read_config_word(pdev, found->dvsec + CXL_VFIO_DVSEC_CAP, &cap);
	if (PCI_POSSIBLE_ERROR(cap)) {
		pci_err(pdev, "CXL Device DVSEC: CAPABILITY reads %#x, the device does not respond\n",
			cap);
		return -ENODEV;
	}
	if (!(cap & CXL_VFIO_DVSEC_CAP_MEM)) {
		pci_info(pdev, "CXL Device DVSEC: Mem_Capable is clear (CAPABILITY %#06x), assigned as a plain PCI function\n",
			 cap);
		return 0;
	}
	found->dvsec_len = dvsec_length(pdev, found->dvsec);
	if (found->dvsec_len < DVSEC_MIN_LEN ||
	    found->dvsec + found->dvsec_len > PCI_CFG_SPACE_EXP_SIZE) {
		pci_err(pdev, "CXL Device DVSEC: length is %#x at offset %#x, expected at least %#x within config space\n",
			found->dvsec_len, found->dvsec, DVSEC_MIN_LEN);
		return -EPROTO;
	}
	found->dvsec_cap = cap;
	pci_read_config_word(pdev, found->dvsec + CXL_VFIO_DVSEC_CTRL, &found->dvsec_ctrl);
	for (unsigned int i = 0; i < CXL_VFIO_DVSEC_RANGES; i++) {
		u16 at = CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);

		if (at + 8 > found->dvsec_len)
			break;
		pci_read_config_dword(pdev, found->dvsec + at, &found->range_base[i].high);
		pci_read_config_dword(pdev, found->dvsec + at + 4, &found->range_base[i].low);
	}
	found->is_cxl = true;
	return 0;
}

/* Does the component block fit into the BAR that the Register Locator names? */
static int check_block(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	u64 len;

	if (found->bar >= PCI_STD_NUM_BARS) {
		pci_err(pdev, "Register Locator: component block in BAR %u, expected 0 to 5\n",
			found->bar);
		return -EINVAL;
	}
	len = pci_resource_len(pdev, found->bar);
	if (!(pci_resource_flags(pdev, found->bar) & IORESOURCE_MEM) || !len ||
	    !pci_resource_start(pdev, found->bar)) {
		pci_err(pdev, "Register Locator: component block in BAR %u (start %#llx, size %#llx, flags %#lx), expected an assigned memory BAR\n",
			found->bar, (u64)pci_resource_start(pdev, found->bar), len,
			(unsigned long)pci_resource_flags(pdev, found->bar));
		return -ENXIO;
	}
	if (found->block_offset > len || len - found->block_offset < CXL_VFIO_COMP_BLOCK_SIZE) {
		pci_err(pdev, "Register Locator: component block at offset %#llx of BAR %u, expected %#x bytes within %#llx\n",
			found->block_offset, found->bar, CXL_VFIO_COMP_BLOCK_SIZE, len);
		return -ERANGE;
	}
	return 0;
}

/*
 * Find the Register Locator's entry for component registers, CXL r4.0 8.1.9.  Returns 0
 * with @found->bar CXL_VFIO_BAR_NONE if there is none.
 */
static int find_block(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	u16 rloc = pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
					     CXL_VFIO_DVSEC_ID_REG_LOCATOR);
	unsigned int entries, len;

	found->bar = CXL_VFIO_BAR_NONE;
	if (!rloc)
		return 0;
	len = dvsec_length(pdev, rloc);
	if (len < CXL_VFIO_RLOC_ENTRY(0) || rloc + len > PCI_CFG_SPACE_EXP_SIZE) {
		pci_err(pdev, "Register Locator DVSEC: length is %#x at offset %#x, expected at least %#x within config space\n",
			len, rloc, CXL_VFIO_RLOC_ENTRY(0));
		return -EPROTO;
	}
	entries = (len - CXL_VFIO_RLOC_ENTRY(0)) / 8;
	for (unsigned int i = 0; i < entries; i++) {
		u32 lo = ~0U, hi = ~0U;

		pci_read_config_dword(pdev, rloc + CXL_VFIO_RLOC_ENTRY(i), &lo);
		pci_read_config_dword(pdev, rloc + CXL_VFIO_RLOC_ENTRY(i) + 4, &hi);
		if (PCI_POSSIBLE_ERROR(lo)) {
			pci_err(pdev, "Register Locator: entry %u reads %#x, the device does not respond\n",
				i, lo);
			return -ENODEV;
		}
		if (FIELD_GET(CXL_VFIO_RLOC_BLOCK_ID, lo) != CXL_VFIO_RLOC_BLOCK_ID_COMPONENT)
			continue;
		if (found->bar != CXL_VFIO_BAR_NONE) {
			pci_err(pdev, "Register Locator: entry %u is a second one for component registers, expected one\n",
				i);
			return -EEXIST;
		}
		found->bar = FIELD_GET(CXL_VFIO_RLOC_BIR, lo);
		found->block_offset = ((u64)hi << 32) | (lo & CXL_VFIO_RLOC_OFFSET_LOW);
	}
	return found->bar == CXL_VFIO_BAR_NONE ? 0 : check_block(pdev, found);
}

/**
 * cxl_vfio_component_block() - find the component registers of a CXL port
 * @port: a root or switch port
 * @block: the block's host physical address
 *
 * Return: 0; -ENOMEM; or another negative errno, logged, if there is no block.
 */
int cxl_vfio_component_block(struct pci_dev *port, u64 *block)
{
	struct cxl_vfio_found *found = kzalloc(sizeof(*found), GFP_KERNEL);
	int ret;

	if (!found)
		return -ENOMEM;
	ret = find_block(port, found);
	if (!ret && !cxl_vfio_has_comp(found)) {
		pci_err(port, "Register Locator: no component registers, expected them in a CXL port\n");
		ret = -ENOENT;
	}
	if (!ret)
		*block = pci_resource_start(port, found->bar) + found->block_offset;
	kfree(found);
	return ret;
}

/*
 * Find the only HDM Decoder Capability in the capability array, CXL r4.0 8.2.4.  Returns
 * 0 with @found->hdm_offset 0 if there is none.
 */
static int find_hdm(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	const u32 *cm = found->cm;
	unsigned int entries = FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cm[0]);
	unsigned int count;

	if (all_ones(cm[0])) {
		pci_err(pdev, "component block: capability array header reads %#x, the device does not respond\n",
			cm[0]);
		return -ENODEV;
	}
	if (FIELD_GET(CXL_VFIO_CM_CAP_HDR_ID, cm[0]) != CXL_VFIO_CM_CAP_HDR_ID_CM) {
		pci_err(pdev, "component block: capability array header reads %#010x, expected id %u\n",
			cm[0], CXL_VFIO_CM_CAP_HDR_ID_CM);
		return -EPROTO;
	}
	for (unsigned int i = 1; i <= entries; i++) {
		if (FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, cm[i]) != CXL_VFIO_CM_CAP_ID_HDM)
			continue;
		if (found->hdm_offset) {
			pci_err(pdev, "component block: entry %u is a second HDM Decoder Capability, expected one\n",
				i);
			return -EEXIST;
		}
		found->hdm_offset = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, cm[i]);
		if (found->hdm_offset < CXL_VFIO_CM_CAP_ENTRY(entries + 1) ||
		    !IS_ALIGNED(found->hdm_offset, 4)) {
			pci_err(pdev, "component block: HDM Decoder Capability at offset %#x, expected past the capability array and aligned to 4\n",
				found->hdm_offset);
			return -EBADMSG;
		}
	}
	if (!found->hdm_offset)
		return 0;
	if (all_ones(cm[found->hdm_offset / 4])) {
		pci_err(pdev, "HDM Decoder Capability: header reads %#x, the device does not respond\n",
			cm[found->hdm_offset / 4]);
		return -ENODEV;
	}
	count = cxl_vfio_hdm_decoder_count(cm[found->hdm_offset / 4]);
	if (!count) {
		pci_err(pdev, "HDM Decoder Capability: header reads %#010x, decoder count is a reserved encoding\n",
			cm[found->hdm_offset / 4]);
		return -EBADMSG;
	}
	if (found->hdm_offset + cxl_vfio_hdm_length(cm[found->hdm_offset / 4]) > CXL_VFIO_CM_SIZE) {
		pci_err(pdev, "HDM Decoder Capability: %u decoders at offset %#x do not fit the %#x bytes of the register area\n",
			count, found->hdm_offset, CXL_VFIO_CM_SIZE);
		return -EBADMSG;
	}
	return 0;
}

/* Check a range's addresses, and that it overlaps none before it; then note it */
static int note_range(struct pci_dev *pdev, struct cxl_vfio_found *found,
		      const struct cxl_vfio_hdm_range *range)
{
	const char *name = cxl_vfio_range_name(range);
	unsigned int n = cxl_vfio_range_number(range);

	if (!IS_ALIGNED(range->base | range->size, CXL_VFIO_HDM_GRANULE)) {
		pci_err(pdev, "%s%u: base %#llx size %#llx, expected multiples of 256 MiB\n",
			name, n, range->base, range->size);
		return -EINVAL;
	}
	if (range->base + range->size - 1 < range->base) {
		pci_err(pdev, "%s%u: base %#llx size %#llx wraps around\n",
			name, n, range->base, range->size);
		return -EOVERFLOW;
	}
	for (unsigned int i = 0; i < found->nr_ranges; i++) {
		const struct cxl_vfio_hdm_range *other = &found->range[i];

		if (range->base <= cxl_vfio_range_end(other) &&
		    other->base <= cxl_vfio_range_end(range)) {
			pci_err(pdev, "%s%u: base %#llx size %#llx overlaps %s%u\n",
				name, n, range->base, range->size, cxl_vfio_range_name(other),
				cxl_vfio_range_number(other));
			return -ENOTUNIQ;
		}
	}
	found->range[found->nr_ranges++] = *range;
	return 0;
}

/* Check committed decoder @n and note its range; @reg is its first register */
static int note_decoder(struct pci_dev *pdev, struct cxl_vfio_found *found, unsigned int n,
			const u32 *reg)
{
	u32 ctrl = reg[CXL_VFIO_HDM_CTRL / 4];
	struct cxl_vfio_hdm_range range = cxl_vfio_decoder_range(reg, n);

	if (all_ones(ctrl)) {
		pci_err(pdev, "HDM decoder %u: CTRL reads %#x, the device does not respond\n",
			n, ctrl);
		return -ENODEV;
	}
	if (FIELD_GET(CXL_VFIO_HDM_CTRL_IW, ctrl)) {
		pci_err(pdev, "HDM decoder %u: CTRL reads %#010x, interleaved; expected one way\n",
			n, ctrl);
		return -EDOM;
	}
	/* Firmware locks decoders that it has no use for so, CXL r4.0 8.2.4.20.12 */
	return range.size ? note_range(pdev, found, &range) : 0;
}

/*
 * Note the committed decoders.  Returns 0 without any if Decoder Enable is off: then the
 * device decodes the DVSEC's ranges in their place, CXL r4.0 8.2.4.20.2.
 */
static int find_decoders(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	const u32 *hdm = &found->cm[found->hdm_offset / 4];
	unsigned int count = cxl_vfio_hdm_decoder_count(hdm[0]);
	int ret;

	for (unsigned int n = 0; n < count; n++) {
		const u32 *reg = &hdm[CXL_VFIO_HDM_DECODER(n) / 4];

		if (!(reg[CXL_VFIO_HDM_CTRL / 4] & CXL_VFIO_HDM_CTRL_COMMITTED))
			continue;
		ret = note_decoder(pdev, found, n, reg);
		if (ret)
			return ret;
	}
	if (!found->nr_ranges &&
	    (hdm[CXL_VFIO_HDM_GLOBAL_CTRL / 4] & CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE)) {
		pci_err(pdev, "HDM Decoder Capability: none of %u decoders is committed with memory, expected firmware to commit one\n",
			count);
		return -ENODATA;
	}
	return 0;
}

/* Turn CXL.mem on if firmware left it off; fails if CONFIG_LOCK is set in hardware */
static int enable_mem(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	bool locked;

	if (found->dvsec_ctrl & CXL_VFIO_DVSEC_CTRL_MEM_ENABLE)
		return 0;
	locked = cxl_vfio_config_is_locked(pdev, found);
	if (!locked) {
		pci_write_config_word(pdev, found->dvsec + CXL_VFIO_DVSEC_CTRL,
				      found->dvsec_ctrl | CXL_VFIO_DVSEC_CTRL_MEM_ENABLE);
		pci_read_config_word(pdev, found->dvsec + CXL_VFIO_DVSEC_CTRL,
				     &found->dvsec_ctrl);
	}
	if (found->dvsec_ctrl & CXL_VFIO_DVSEC_CTRL_MEM_ENABLE) {
		pci_info(pdev, "CXL Device DVSEC: Mem_Enable was off, turned on\n");
		return 0;
	}
	pci_err(pdev, "CXL Device DVSEC: CONTROL reads %#06x, Mem_Enable is off and cannot be turned on%s\n",
		found->dvsec_ctrl, locked ? ", CONFIG_LOCK is set" : "");
	return -EACCES;
}

/* Turn on Decoder Enable of HDM Decoder Global Control if firmware left it off */
static int enable_decoders(struct pci_dev *pdev, struct cxl_vfio_found *found,
			   void __iomem *regs)
{
	u32 at = found->hdm_offset + CXL_VFIO_HDM_GLOBAL_CTRL, *global = &found->cm[at / 4];

	if (*global & CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE)
		return 0;
	writel(*global | CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE, regs + at);
	*global = readl(regs + at);
	if (*global & CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE) {
		pci_info(pdev, "HDM Decoder Global Control: Decoder Enable was off, turned on\n");
		return 0;
	}
	pci_err(pdev, "HDM Decoder Global Control: reads %#010x, Decoder Enable is off and cannot be turned on\n",
		*global);
	return -EACCES;
}

/* Check what was read of the component block; where decoders are the memory, enable them */
static int take_decoders(struct pci_dev *pdev, struct cxl_vfio_found *found, void __iomem *regs)
{
	int ret = find_hdm(pdev, found);

	if (!ret && found->hdm_offset)
		ret = find_decoders(pdev, found);
	if (ret || !found->nr_ranges)
		return ret;
	return enable_mem(pdev, found) ?: enable_decoders(pdev, found, regs);
}

/* Read and check the component block, with memory decode on */
static int read_registers(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	void __iomem *regs;
	int ret;

	ret = pci_enable_device_mem(pdev);
	if (ret) {
		pci_err(pdev, "cannot turn on memory decode to read the component block\n");
		return ret;
	}
	regs = cxl_vfio_map_cm(pdev, found);
	if (regs) {
		cxl_vfio_read_cm(regs, found->cm);
		ret = take_decoders(pdev, found, regs);
		iounmap(regs);
	} else {
		ret = -ENOMEM;
	}
	pci_disable_device(pdev);
	return ret;
}

/* Wait until the memory of all ranges can be used, at most for the time the device states */
static int wait_ranges(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	unsigned int waited = 0;
	int ret;

	while ((ret = cxl_vfio_ranges_ready(pdev, found, waited)) == -EAGAIN) {
		if (msleep_interruptible(CXL_VFIO_ACTIVE_POLL_MS))
			return -EINTR;
		waited += CXL_VFIO_ACTIVE_POLL_MS;
	}
	return ret;
}

/* Why no decoder is the memory, for the log, and the errno if no range is it either */
static const char *lack_of_decoders(const struct cxl_vfio_found *found, int *err)
{
	if (!cxl_vfio_has_comp(found)) {
		*err = -ENOENT;
		return "Register Locator: no component registers";
	}
	if (!found->hdm_offset) {
		*err = -EOPNOTSUPP;
		return "component block: no HDM Decoder Capability";
	}
	*err = -ENODATA;
	return "HDM Decoder Capability: Decoder Enable is off, no decoder is committed";
}

/* Does the DVSEC have what it claims about its ranges, and did firmware enable them? */
static int check_ranges(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	unsigned int count = FIELD_GET(CXL_VFIO_DVSEC_CAP_HDM_COUNT, found->dvsec_cap);
	const char *lack;
	int err;

	lack = lack_of_decoders(found, &err);
	if (!(found->dvsec_ctrl & CXL_VFIO_DVSEC_CTRL_MEM_ENABLE)) {
		pci_err(pdev, "%s, and CONTROL of the CXL Device DVSEC reads %#06x, Mem_Enable is off; expected firmware to enable memory\n",
			lack, found->dvsec_ctrl);
		return err;
	}
	if (!count || count > CXL_VFIO_DVSEC_RANGES) {
		pci_err(pdev, "CXL Device DVSEC: CAPABILITY reads %#06x, HDM_Count is a reserved encoding\n",
			found->dvsec_cap);
		return -EBADMSG;
	}
	if (CXL_VFIO_DVSEC_RANGE_BASE_HIGH(count - 1) + 8 > found->dvsec_len) {
		pci_err(pdev, "CXL Device DVSEC: length is %#x at offset %#x, expected at least %#x for %u ranges\n",
			found->dvsec_len, found->dvsec,
			CXL_VFIO_DVSEC_RANGE_BASE_HIGH(count - 1) + 8, count);
		return -EPROTO;
	}
	return 0;
}

/*
 * Take the ranges of the DVSEC for the memory, CXL r4.0 8.1.3.8: firmware set them and
 * Mem_Enable.  Their sizes are valid once they are ready.
 */
static int take_ranges(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	const char *lack;
	int ret, err;

	ret = check_ranges(pdev, found) ?: wait_ranges(pdev, found);
	for (unsigned int i = 0; i < cxl_vfio_dvsec_ranges(found) && !ret; i++) {
		struct cxl_vfio_hdm_range range = {
			.base = (u64)found->range_base[i].high << 32 | found->range_base[i].low,
			.size = cxl_vfio_dvsec_range_size(pdev, found, i),
			.decoder = i,
			.by_dvsec = true,
		};

		found->range_size[i] = range.size;
		if (range.size)
			ret = note_range(pdev, found, &range);
	}
	if (ret)
		return ret;
	found->by_ranges = true;
	if (found->nr_ranges)
		return 0;
	lack = lack_of_decoders(found, &err);
	pci_err(pdev, "%s, and no range of the CXL Device DVSEC has memory; expected firmware to enable memory\n",
		lack);
	return err;
}

/**
 * cxl_vfio_discover() - find out whether a function has HDM memory, and where
 * @pdev: the function, in D0 and bound to no other driver
 * @found: zeroed; filled in
 *
 * Return: 0 with @found->is_cxl set if there is HDM memory to assign, 0 with it
 * clear if there is none, or a negative errno, logged, if a register of a function
 * that claims HDM memory has a wrong value.
 */
int cxl_vfio_discover(struct pci_dev *pdev, struct cxl_vfio_found *found)
{
	int ret;

	ret = find_dvsec(pdev, found);
	if (ret || !found->is_cxl)
		return ret;
	ret = find_block(pdev, found);
	if (!ret && cxl_vfio_has_comp(found))
		ret = read_registers(pdev, found);
	if (ret)
		return ret;
	return found->nr_ranges ? wait_ranges(pdev, found) : take_ranges(pdev, found);
}
