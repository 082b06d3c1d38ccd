// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space: the CXL DVSECs and what else of the device must not be reached
 * through it.  An access is clipped at the areas listed at open; what lies
 * between them is vfio-pci-core's.
 */
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "cxl_vfio.h"

/*
 * vfio-pci-core's map of config space has a capability id for each byte.  Two
 * values mean no capability: this one marks bytes that nobody described, ...
 */
#define MAP_INVALID		0xff
/* ... and this one bytes that are read from vconfig alone */
#define MAP_VIRTUAL		0xfe

#define VBAR_REGS(bar)		(PCI_BASE_ADDRESS_0 + 4 * (bar))

#define DVSEC_HEADER_END	CXL_VFIO_DVSEC_BODY

static u32 hw_read32(struct cxl_vfio_device *dev, u16 pos)
{
	u32 val = 0;

	pci_read_config_dword(dev->core.pdev, pos, &val);
	return val;
}

/* Counts on when there is no room, by which cxl_vfio_config_open() sees it */
static void add_area(struct cxl_vfio_device *dev, u16 start, u16 end,
		     enum cxl_vfio_config_kind kind)
{
	if (dev->nr_areas < CXL_VFIO_MAX_CONFIG_AREAS)
		dev->area[dev->nr_areas] = (struct cxl_vfio_config_area){ start, end, kind };
	dev->nr_areas++;
}

/* Show a DVSEC that this kernel's core leaves out: from a snapshot in vconfig */
static void make_virtual(struct cxl_vfio_device *dev, u16 pos, u16 end)
{
	for (u16 at = pos; at < end; at += 4) {
		__le32 val = cpu_to_le32(hw_read32(dev, at));

		memcpy(&dev->core.vconfig[at], &val, sizeof(val));
	}
	memset(&dev->core.pci_config_map[pos], MAP_VIRTUAL, end - pos);
}

static bool core_hides(const struct cxl_vfio_device *dev, u16 pos)
{
	/* Not the header: at the chain's start it stays as a placeholder */
	return dev->core.pci_config_map[pos + CXL_VFIO_DVSEC_HEADER2] == MAP_INVALID;
}

/* Returns whether the extended capability at @pos is to be seen by the user */
static bool classify(struct cxl_vfio_device *dev, u16 pos, u32 header)
{
	u32 header1 = hw_read32(dev, pos + CXL_VFIO_DVSEC_HEADER1);
	u16 len = FIELD_GET(CXL_VFIO_DVSEC_HEADER1_LEN, header1);
	u16 end = min_t(u32, pos + round_up(max_t(u16, len, 12), 4), PCI_CFG_SPACE_EXP_SIZE);

	if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_DOE) {
		/* The host reads the device's CDAT through the same mailbox */
		add_area(dev, pos + 4, min_t(u32, pos + 0x18, PCI_CFG_SPACE_EXP_SIZE),
			 AREA_HIDDEN);
		return !core_hides(dev, pos);
	}
	if (PCI_EXT_CAP_ID(header) != PCI_EXT_CAP_ID_DVSEC ||
	    FIELD_GET(CXL_VFIO_DVSEC_HEADER1_VENDOR, header1) != CXL_VFIO_DVSEC_VENDOR_ID)
		return !core_hides(dev, pos);

	if (core_hides(dev, pos))
		make_virtual(dev, pos, end);
	if (pos == dev->found->dvsec) {
		add_area(dev, pos, pos + DVSEC_HEADER_END, AREA_DVSEC_HEADER);
		add_area(dev, pos + DVSEC_HEADER_END, pos + dev->found->dvsec_len, AREA_DVSEC);
	} else {
		add_area(dev, pos, end, AREA_READONLY);
	}
	return true;
}

static void set_next(struct cxl_vfio_device *dev, u16 pos, u16 next)
{
	__le32 header;

	memcpy(&header, &dev->core.vconfig[pos], sizeof(header));
	header &= cpu_to_le32(0x000fffff);
	header |= cpu_to_le32((u32)next << 20);
	memcpy(&dev->core.vconfig[pos], &header, sizeof(header));
}

/*
 * Walk the device's own chain of extended capabilities, note the areas, and
 * link what the user may see to a chain: the core's own leaves DVSECs out on
 * kernels before 6.2.
 */
static void walk_ext_caps(struct cxl_vfio_device *dev)
{
	DECLARE_BITMAP(seen, PCI_CFG_SPACE_EXP_SIZE / 4) = {};
	u16 pos = PCI_CFG_SPACE_SIZE, prev = 0;

	/* A chain that loops ends where it meets itself */
	while (pos >= PCI_CFG_SPACE_SIZE && pos <= PCI_CFG_SPACE_EXP_SIZE - 12 &&
	       !__test_and_set_bit(pos / 4, seen)) {
		u32 header = hw_read32(dev, pos);

		if (!header || PCI_POSSIBLE_ERROR(header))
			break;
		if (classify(dev, pos, header)) {
			if (prev)
				set_next(dev, prev, pos);
			set_next(dev, pos, 0);
			prev = pos;
		} else if (pos == PCI_CFG_SPACE_SIZE) {
			/* The core's placeholder, which the chain starts from */
			prev = pos;
		}
		pos = PCI_EXT_CAP_NEXT(header) & ~3;
	}
}

static int compare_areas(const void *a, const void *b)
{
	const struct cxl_vfio_config_area *x = a, *y = b;

	return (int)x->start - y->start;
}

/* In order, and each ending where the next begins, whatever lengths the device claims */
static void sort_areas(struct cxl_vfio_device *dev)
{
	sort(dev->area, dev->nr_areas, sizeof(dev->area[0]), compare_areas, NULL);
	for (unsigned int i = 0; i + 1 < dev->nr_areas; i++)
		dev->area[i].end = min(dev->area[i].end, dev->area[i + 1].start);
}

/* The virtual BAR's registers are the one area below the extended capabilities */
static void set_plain(struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_config_area *area = dev->area;
	bool hole = area->kind == AREA_VBAR;

	dev->hole_start = hole ? area->start : 0;
	dev->hole_end = hole ? area->end : 0;
	dev->plain_end = area[hole].start;
}

/**
 * cxl_vfio_config_open() - prepare config space for a new user
 * @dev: the device, after vfio_pci_core_enable(), which made vconfig anew
 *
 * Return: 0, -EIO if the CXL Device DVSEC is no longer where it was at bind,
 * -E2BIG if there are more capabilities to care for than anybody needs.
 */
int cxl_vfio_config_open(struct cxl_vfio_device *dev)
{
	bool found_dvsec = false;

	dev->nr_areas = 0;
	if (dev->vbar.bar != VBAR_NONE)
		add_area(dev, VBAR_REGS(dev->vbar.bar), VBAR_REGS(dev->vbar.bar + 2), AREA_VBAR);
	walk_ext_caps(dev);
	if (dev->nr_areas > CXL_VFIO_MAX_CONFIG_AREAS) {
		pci_err(dev->core.pdev, "%u areas of config space to care for, expected at most %u\n",
			dev->nr_areas, CXL_VFIO_MAX_CONFIG_AREAS);
		dev->nr_areas = 0;
		return -E2BIG;
	}
	sort_areas(dev);
	for (unsigned int i = 0; i < dev->nr_areas; i++)
		found_dvsec |= dev->area[i].kind == AREA_DVSEC &&
			       dev->area[i].start < dev->area[i].end;
	if (!found_dvsec) {
		pci_err(dev->core.pdev, "CXL Device DVSEC: not in the capability chain at %#x any more\n",
			dev->found->dvsec);
		return -EIO;
	}
	set_plain(dev);
	cxl_vfio_vbar_reset(dev);
	cxl_vfio_dvsec_resample(dev, true);
	return 0;
}

/* CXL reset, and in STATUS2 how it ended */
static void reset_for_guest(struct cxl_vfio_device *dev)
{
	bool clear;
	int ret;

	mutex_lock(&dev->model_lock);
	cxl_vfio_dvsec_set_reset(&dev->dvsec, 0);
	clear = cxl_vfio_dvsec_clears_memory(&dev->dvsec);
	mutex_unlock(&dev->model_lock);

	ret = cxl_vfio_guest_reset(dev, clear);

	mutex_lock(&dev->model_lock);
	cxl_vfio_dvsec_set_reset(&dev->dvsec, ret ? CXL_VFIO_DVSEC_STATUS2_RST_ERROR :
						    CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE);
	mutex_unlock(&dev->model_lock);
}

static int dvsec_access(struct cxl_vfio_device *dev, u16 offset, u8 *buf, size_t count,
			bool write)
{
	struct device *parent = &dev->core.pdev->dev;
	unsigned int events = 0;

	/* As vfio-pci-core does: an access wakes the function for a moment */
	if (pm_runtime_resume_and_get(parent))
		return -EIO;
	mutex_lock(&dev->model_lock);
	if (write) {
		events = cxl_vfio_dvsec_write(&dev->dvsec, offset, buf, count);
	} else {
		if (cxl_vfio_dvsec_is_live(offset, count))
			cxl_vfio_dvsec_refresh(dev);
		cxl_vfio_dvsec_read(&dev->dvsec, offset, buf, count);
	}
	mutex_unlock(&dev->model_lock);

	if (events & DVSEC_EVENT_RESET)
		reset_for_guest(dev);
	else if (events & DVSEC_EVENT_WBI)
		cxl_vfio_write_back(dev);
	pm_runtime_put(parent);
	return 0;
}

static bool touches(loff_t pos, size_t count, loff_t byte)
{
	return pos <= byte && pos + count > byte;
}

/*
 * Could a write of @count bytes at @pos change Memory Space or the power state,
 * or reset the function?
 */
static bool touches_memory_state(struct cxl_vfio_device *dev, loff_t pos, size_t count)
{
	struct pci_dev *pdev = dev->core.pdev;

	return touches(pos, count, PCI_COMMAND) ||
	       (pdev->pm_cap && touches(pos, count, pdev->pm_cap + PCI_PM_CTRL)) ||
	       (pdev->pcie_cap && touches(pos, count, pdev->pcie_cap + PCI_EXP_DEVCTL + 1));
}

/*
 * A piece for vfio-pci-core.  It reads the user's buffer by itself, so what it
 * will find there is not known beforehand: memory goes away before any write
 * that could turn it off, and comes back afterwards if it did not.
 */
static ssize_t core_access(struct cxl_vfio_device *dev, char __user *buf, size_t count,
			   loff_t pos, bool write)
{
	struct vfio_device *vdev = &dev->core.vdev;
	bool pause;
	ssize_t ret;

	if (!write)
		return vfio_pci_core_read(vdev, buf, count, &pos);

	cxl_vfio_mark_used(dev);
	pause = touches_memory_state(dev, pos & VFIO_PCI_OFFSET_MASK, count);
	if (pause)
		cxl_vfio_gate_pause(dev);
	ret = vfio_pci_core_write(vdev, buf, count, &pos);
	if (pause)
		cxl_vfio_settle(dev);
	return ret;
}

static ssize_t area_access(struct cxl_vfio_device *dev, const struct cxl_vfio_config_area *area,
			   char __user *buf, size_t count, loff_t pos, bool write)
{
	u8 bytes[DVSEC_MAX_LEN] = {};
	int ret;

	if (area->kind == AREA_DVSEC_HEADER || area->kind == AREA_READONLY)
		return write ? count : core_access(dev, buf, count, pos, false);

	count = min(count, sizeof(bytes));
	if (write && copy_from_user(bytes, buf, count))
		return -EFAULT;
	if (area->kind == AREA_VBAR)
		cxl_vfio_vbar_config(dev, (pos & VFIO_PCI_OFFSET_MASK) - area->start, bytes, count,
				     write);
	if (area->kind == AREA_DVSEC) {
		ret = dvsec_access(dev, (pos & VFIO_PCI_OFFSET_MASK) - dev->found->dvsec, bytes,
				   count, write);
		if (ret)
			return ret;
	}
	if (!write && copy_to_user(buf, bytes, count))
		return -EFAULT;
	return count;
}

/* The first area that ends past @at, NULL if there is none */
static const struct cxl_vfio_config_area *next_area(const struct cxl_vfio_device *dev, u64 at)
{
	for (unsigned int i = 0; i < dev->nr_areas; i++)
		if (at < dev->area[i].end)
			return &dev->area[i];
	return NULL;
}

/**
 * cxl_vfio_config_rw() - pread or pwrite of config space
 * @dev: the device
 * @buf: user buffer
 * @count: bytes
 * @ppos: offset in the VFIO device's file, in the config region; advanced
 * @write: direction
 *
 * Any size and alignment; an access over the border of an area is split there.
 *
 * Return: bytes done or a negative errno.
 */
ssize_t cxl_vfio_config_rw(struct cxl_vfio_device *dev, char __user *buf, size_t count,
			   loff_t *ppos, bool write)
{
	size_t done = 0;

	while (done < count) {
		u64 at = *ppos & VFIO_PCI_OFFSET_MASK;
		const struct cxl_vfio_config_area *area = next_area(dev, at);
		size_t n = count - done;
		ssize_t ret;

		if (area && at >= area->start)
			ret = area_access(dev, area, buf + done, min_t(u64, n, area->end - at),
					  *ppos, write);
		else
			ret = core_access(dev, buf + done,
					  area ? min_t(u64, n, area->start - at) : n,
					  *ppos, write);
		if (ret <= 0)
			return done ? done : ret;
		done += ret;
		*ppos += ret;
	}
	return done;
}
