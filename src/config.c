// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space: the CXL DVSECs and the other registers that a user must not reach.
 * At open the driver lists these as areas.  An access is split at the borders of
 * areas; vfio-pci-core answers the parts outside of all areas.
 */
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "cxl_vfio.h"

/*
 * vfio-pci-core's map of config space has a capability id for each byte.  Two
 * values are no capability id: MAP_INVALID marks bytes that vfio-pci-core hides,
 * MAP_VIRTUAL marks bytes that it reads from vconfig alone.
 */
#define MAP_INVALID		0xff
#define MAP_VIRTUAL		0xfe

#define VBAR_REGS(bar)		(PCI_BASE_ADDRESS_0 + 4 * (bar))

#define DVSEC_HEADER_END	CXL_VFIO_DVSEC_BODY

/* Ids of extended capabilities, PCIe r6.3 7.9; not all kernels have names for them */
#define EXT_CAP_ID_PL_16GT		0x26
#define EXT_CAP_ID_LANE_MARGINING	0x27
#define EXT_CAP_ID_PL_32GT		0x2a
#define EXT_CAP_ID_ALTERNATE_PROTOCOL	0x2b
#define EXT_CAP_ID_IDE			0x30
#define EXT_CAP_ID_PL_64GT		0x31
#define EXT_CAP_ID_FLIT_LOGGING		0x32
#define EXT_CAP_ID_FLIT_ERROR_INJECTION	0x34

static u32 hw_read32(struct cxl_vfio_device *dev, u16 pos)
{
	u32 val = 0;

	pci_read_config_dword(dev->core.pdev, pos, &val);
	return val;
}

/* Keeps counting past the array's end, so that cxl_vfio_config_open() sees the overflow */
static void add_area(struct cxl_vfio_device *dev, u16 start, u16 end,
		     enum cxl_vfio_config_kind kind)
{
	if (dev->config.nr < CXL_VFIO_MAX_CONFIG_AREAS)
		dev->config.area[dev->config.nr] =
			(struct cxl_vfio_config_area){ start, end, kind };
	dev->config.nr++;
}

/* Show a DVSEC that this kernel's vfio-pci-core hides, by a snapshot in vconfig */
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
	/*
	 * Do not test the header: vfio-pci-core keeps the first one as a placeholder.
	 * Test the next dword, since the shortest capabilities (ATS, LTR) end there.
	 */
	return dev->core.pci_config_map[pos + 4] == MAP_INVALID;
}

/*
 * Extended capabilities that are the host's: a guest's write does not reach them.
 * vfio-pci-core hides those that it does not know from the guest's chain, but lets
 * writes to their registers through.  @len: bytes; 0 if it varies, which is taken to
 * be all up to the next capability.
 */
static const struct {
	u16 id;
	u16 len;
	enum cxl_vfio_config_kind kind;
} host_owned[] = {
	/* The host reads the device's CDAT through the same mailbox, reads included */
	{ PCI_EXT_CAP_ID_DOE, 0x18, AREA_HIDDEN },
	/* The link's encryption is between the host's port and the device */
	{ EXT_CAP_ID_IDE, 0, AREA_READONLY },
	/* Training, speeds and protocol of the link, which is CXL only if they are right */
	{ EXT_CAP_ID_ALTERNATE_PROTOCOL, 0, AREA_READONLY },
	{ EXT_CAP_ID_PL_16GT, 0, AREA_READONLY },
	{ EXT_CAP_ID_LANE_MARGINING, 0, AREA_READONLY },
	{ EXT_CAP_ID_PL_32GT, 0, AREA_READONLY },
	{ EXT_CAP_ID_PL_64GT, 0, AREA_READONLY },
	/* Errors put into the link on purpose, and the log of the host's link */
	{ EXT_CAP_ID_FLIT_LOGGING, 0, AREA_READONLY },
	{ EXT_CAP_ID_FLIT_ERROR_INJECTION, 0, AREA_READONLY },
};

/* Offset of the first extended capability behind @pos, the end of config space if none */
static u16 next_cap_start(struct cxl_vfio_device *dev, u16 pos)
{
	u16 end = PCI_CFG_SPACE_EXP_SIZE, at = PCI_CFG_SPACE_SIZE;

	/* As many as there is room for: the chain may loop */
	for (unsigned int i = 0; i < PCI_CFG_SPACE_EXP_SIZE / 8 && at >= PCI_CFG_SPACE_SIZE; i++) {
		if (at > pos)
			end = min(end, at);
		at = PCI_EXT_CAP_NEXT(hw_read32(dev, at)) & ~3;
	}
	return end;
}

/* List the area of the capability at @pos if it is the host's */
static void list_host_owned(struct cxl_vfio_device *dev, u16 pos, u16 id)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(host_owned); i++) {
		u16 end;

		if (host_owned[i].id != id)
			continue;
		end = host_owned[i].len ? pos + host_owned[i].len : next_cap_start(dev, pos);
		add_area(dev, pos + 4, min_t(u16, end, PCI_CFG_SPACE_EXP_SIZE),
			 host_owned[i].kind);
	}
}

/* List the areas of the extended capability at @pos; returns whether the user may see it */
static bool classify(struct cxl_vfio_device *dev, u16 pos, u32 header)
{
	u32 header1 = hw_read32(dev, pos + CXL_VFIO_DVSEC_HEADER1);
	u16 len = FIELD_GET(CXL_VFIO_DVSEC_HEADER1_LEN, header1);
	u16 end = min_t(u32, pos + round_up(max_t(u16, len, 12), 4), PCI_CFG_SPACE_EXP_SIZE);

	list_host_owned(dev, pos, PCI_EXT_CAP_ID(header));
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
 * Walk the device's own chain of extended capabilities, list the areas, and link
 * the capabilities that the user may see to a new chain.  The chain that
 * vfio-pci-core makes has no DVSECs on kernels before 6.2.
 */
static void walk_ext_caps(struct cxl_vfio_device *dev)
{
	DECLARE_BITMAP(seen, PCI_CFG_SPACE_EXP_SIZE / 4) = {};
	u16 pos = PCI_CFG_SPACE_SIZE, prev = 0;

	/* Stop at the first capability that was already visited: the chain may loop */
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
			/* vfio-pci-core keeps a hidden first one as a placeholder */
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

/* Sort the areas, and cut overlaps that come from wrong lengths in the device */
static void sort_areas(struct cxl_vfio_device *dev)
{
	sort(dev->config.area, dev->config.nr, sizeof(dev->config.area[0]), compare_areas, NULL);
	for (unsigned int i = 0; i + 1 < dev->config.nr; i++)
		dev->config.area[i].end = min(dev->config.area[i].end,
					      dev->config.area[i + 1].start);
}

/* Note the borders of plain config space, with the virtual BAR's registers as its hole */
static void set_plain(struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_config_area *area = dev->config.area;
	bool hole = area->kind == AREA_VBAR;

	dev->config.hole_start = hole ? area->start : 0;
	dev->config.hole_end = hole ? area->end : 0;
	dev->config.plain_end = area[hole].start;
}

/**
 * cxl_vfio_config_open() - prepare config space for a new user
 * @dev: the device, after vfio_pci_core_enable(), which rebuilt vconfig
 *
 * Return: 0; -EIO, logged, if the CXL Device DVSEC is no longer where it was at
 * bind; -E2BIG, logged, if there are more than CXL_VFIO_MAX_CONFIG_AREAS areas.
 */
int cxl_vfio_config_open(struct cxl_vfio_device *dev)
{
	bool found_dvsec = false;

	dev->config.nr = 0;
	if (dev->vbar.bar != VBAR_NONE)
		add_area(dev, VBAR_REGS(dev->vbar.bar), VBAR_REGS(dev->vbar.bar + 2), AREA_VBAR);
	walk_ext_caps(dev);
	if (dev->config.nr > CXL_VFIO_MAX_CONFIG_AREAS) {
		pci_err(dev->core.pdev, "config space has %u areas with rules of their own, expected at most %u\n",
			dev->config.nr, CXL_VFIO_MAX_CONFIG_AREAS);
		dev->config.nr = 0;
		return -E2BIG;
	}
	sort_areas(dev);
	for (unsigned int i = 0; i < dev->config.nr; i++)
		found_dvsec |= dev->config.area[i].kind == AREA_DVSEC &&
			       dev->config.area[i].start < dev->config.area[i].end;
	if (!found_dvsec) {
		pci_err(dev->core.pdev, "CXL Device DVSEC: not in the capability chain at %#x any more\n",
			dev->found->dvsec);
		return -EIO;
	}
	set_plain(dev);
	cxl_vfio_vbar_reset(dev);
	return 0;
}

/* Do the CXL reset that a guest asked for, and show its result in STATUS2 */
static void cxl_vfio_reset_for_guest(struct cxl_vfio_device *dev)
{
	bool clear;
	int ret;

	mutex_lock(&dev->model.lock);
	cxl_vfio_dvsec_set_reset(&dev->model.dvsec, 0);
	clear = cxl_vfio_dvsec_clears_memory(&dev->model.dvsec);
	mutex_unlock(&dev->model.lock);

	ret = cxl_vfio_guest_reset(dev, clear);

	mutex_lock(&dev->model.lock);
	cxl_vfio_dvsec_set_reset(&dev->model.dvsec, ret ? CXL_VFIO_DVSEC_STATUS2_RST_ERROR :
						    CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE);
	mutex_unlock(&dev->model.lock);
}

/* Cache write-back and invalidate, shown in STATUS2 when it has succeeded */
static void write_back_for_guest(struct cxl_vfio_device *dev)
{
	if (cxl_vfio_write_back(dev))
		return;
	mutex_lock(&dev->model.lock);
	cxl_vfio_dvsec_set_invalid(&dev->model.dvsec);
	mutex_unlock(&dev->model.lock);
}

static int cxl_vfio_dvsec_access(struct cxl_vfio_device *dev, u16 offset, u8 *buf, size_t count,
				 bool write)
{
	struct device *parent = &dev->core.pdev->dev;
	unsigned int events = 0;

	/* Wake the function for the access, as vfio-pci-core does */
	if (pm_runtime_resume_and_get(parent))
		return -EIO;
	mutex_lock(&dev->model.lock);
	if (write) {
		events = cxl_vfio_dvsec_write(&dev->model.dvsec, offset, buf, count);
	} else {
		if (cxl_vfio_dvsec_is_live(offset, count))
			cxl_vfio_dvsec_refresh(dev);
		cxl_vfio_dvsec_read(&dev->model.dvsec, offset, buf, count);
	}
	mutex_unlock(&dev->model.lock);

	if (events & DVSEC_EVENT_RESET)
		cxl_vfio_reset_for_guest(dev);
	else if (events & DVSEC_EVENT_WBI)
		write_back_for_guest(dev);
	pm_runtime_put(parent);
	return 0;
}

/*
 * Let vfio-pci-core do a write that may turn Memory Space or power off.  It reads
 * the user's buffer itself, so the driver cannot know the value beforehand: the
 * gate is held, and mappings are removed, before the write.
 */
static ssize_t cxl_vfio_held_write(struct cxl_vfio_device *dev, const char __user *buf,
				   size_t count, loff_t pos)
{
	struct cxl_vfio_caller caller;
	ssize_t ret;

	cxl_vfio_gate_enter(dev, &caller);
	ret = vfio_pci_core_write(&dev->core.vdev, buf, count, &pos);
	cxl_vfio_gate_unjudge(dev);
	cxl_vfio_settle(dev);
	cxl_vfio_gate_leave(dev, &caller);
	return ret;
}

/*
 * Let vfio-pci-core do a write that may reset the function.  The reset callbacks
 * hold the gate for such a reset; then the device is brought back here.
 */
static ssize_t core_write(struct cxl_vfio_device *dev, const char __user *buf, size_t count,
			  loff_t pos)
{
	ssize_t ret = vfio_pci_core_write(&dev->core.vdev, buf, count, &pos);

	if (cxl_vfio_gate_is_held(dev, HOLD_SETTLE))
		cxl_vfio_settle(dev);
	return ret;
}

/* Bits of COMMAND that vfio-pci-core acts on or keeps a copy of */
#define COMMAND_CORE	(PCI_COMMAND_MEMORY | PCI_COMMAND_IO)

/*
 * Write the low byte of COMMAND, or all of it if @whole, to the device, unless that
 * changes bits that vfio-pci-core acts on.  @val is a copy, so that a user who
 * changes the buffer meanwhile has no effect.  Returns true if it was written.
 */
static bool write_harmless_command(struct cxl_vfio_device *dev, u16 val, bool whole)
{
	u16 core = COMMAND_CORE | (whole ? PCI_COMMAND_INTX_DISABLE : 0), virt, phys;
	struct pci_dev *pdev = dev->core.pdev;
	bool harmless = false;

	if (down_write_killable(&dev->core.memory_lock))
		return false;
	virt = le16_to_cpup((__le16 *)&dev->core.vconfig[PCI_COMMAND]);
	if (!((val ^ virt) & core) && pdev->current_state == PCI_D0 &&
	    !dev->core.pm_runtime_engaged &&
	    !pci_user_read_config_word(pdev, PCI_COMMAND, &phys))
		harmless = !((phys ^ virt) & COMMAND_CORE);
	if (harmless && whole)
		harmless = !pci_user_write_config_word(pdev, PCI_COMMAND,
						       (val & ~PCI_COMMAND_INTX_DISABLE) |
						       (phys & PCI_COMMAND_INTX_DISABLE));
	else if (harmless)
		harmless = !pci_user_write_config_byte(pdev, PCI_COMMAND, val);
	up_write(&dev->core.memory_lock);
	return harmless;
}

/*
 * Do a write that begins at COMMAND.  Returns the number of bytes that the driver
 * wrote, 0 if vfio-pci-core must write all of them, or -EFAULT.  The upper byte
 * cannot turn memory off: if INTx Disable changes, vfio-pci-core writes that byte.
 */
static ssize_t command_write(struct cxl_vfio_device *dev, const char __user *buf, size_t count)
{
	size_t n = min(count, sizeof(u16));
	__le16 val = 0;

	if (copy_from_user(&val, buf, n))
		return -EFAULT;
	if (n == 2 && write_harmless_command(dev, le16_to_cpu(val), true))
		return 2;
	return write_harmless_command(dev, le16_to_cpu(val), false) ? 1 : 0;
}

/* Do a write that begins at PMCSR: drop a low byte that keeps the current power state */
static ssize_t pmcsr_write(struct cxl_vfio_device *dev, const char __user *buf)
{
	u8 val;

	if (copy_from_user(&val, buf, 1))
		return -EFAULT;
	return dev->core.pdev->current_state == PCI_D0 &&
	       (val & PCI_PM_CTRL_STATE_MASK) == (__force u8)PCI_D0 ? 1 : 0;
}

/* Offset of the first byte at or after @at that may turn memory off, U64_MAX if none */
static u64 next_switch(const struct cxl_vfio_device *dev, u64 at)
{
	u8 pm_cap = dev->core.pdev->pm_cap;

	if (at <= PCI_COMMAND)
		return PCI_COMMAND;
	return pm_cap && at <= pm_cap + PCI_PM_CTRL ? pm_cap + PCI_PM_CTRL : U64_MAX;
}

/*
 * Access config space that is in no area.  A write is cut before a byte that may
 * turn memory off, and after the bytes that the driver wrote or dropped itself.
 */
static ssize_t cxl_vfio_core_access(struct cxl_vfio_device *dev, char __user *buf, size_t count,
				    loff_t pos, bool write)
{
	u64 at = pos & VFIO_PCI_OFFSET_MASK, first;
	ssize_t ret;

	if (!write)
		return vfio_pci_core_read(&dev->core.vdev, buf, count, &pos);

	cxl_vfio_mark_used(dev);
	/* A self-test may take the function away for two seconds: BIST is not written */
	if (at == PCI_BIST)
		return 1;
	if (at < PCI_BIST)
		count = min_t(u64, count, PCI_BIST - at);
	first = next_switch(dev, at);
	if (first >= at + count)
		return core_write(dev, buf, count, pos);
	if (first > at)
		return core_write(dev, buf, first - at, pos);
	/* A reset decides about these bytes too: bus mastering is off meanwhile */
	ret = cxl_vfio_gate_wait_reset(dev);
	if (ret)
		return ret;
	/* A device that is not known to be usable is judged after the write */
	if (cxl_vfio_gate_is_held(dev, HOLD_SETTLE) || cxl_vfio_gate_is_held(dev, HOLD_LOST))
		return cxl_vfio_held_write(dev, buf, count, pos);
	ret = first == PCI_COMMAND ? command_write(dev, buf, count) : pmcsr_write(dev, buf);
	return ret ?: cxl_vfio_held_write(dev, buf, count, pos);
}

static ssize_t area_access(struct cxl_vfio_device *dev, const struct cxl_vfio_config_area *area,
			   char __user *buf, size_t count, loff_t pos, bool write)
{
	u8 bytes[DVSEC_MAX_LEN] = {};
	int ret;

	if (area->kind == AREA_DVSEC_HEADER || area->kind == AREA_READONLY)
		return write ? count : cxl_vfio_core_access(dev, buf, count, pos, false);

	count = min(count, sizeof(bytes));
	if (write && copy_from_user(bytes, buf, count))
		return -EFAULT;
	if (area->kind == AREA_VBAR)
		cxl_vfio_vbar_config(dev, (pos & VFIO_PCI_OFFSET_MASK) - area->start, bytes, count,
				     write);
	if (area->kind == AREA_DVSEC) {
		ret = cxl_vfio_dvsec_access(dev, (pos & VFIO_PCI_OFFSET_MASK) - dev->found->dvsec,
					    bytes, count, write);
		if (ret)
			return ret;
	}
	if (!write && copy_to_user(buf, bytes, count))
		return -EFAULT;
	return count;
}

/* The first area that ends after config space offset @at, NULL if there is none */
static const struct cxl_vfio_config_area *next_area(const struct cxl_vfio_device *dev, u64 at)
{
	for (unsigned int i = 0; i < dev->config.nr; i++)
		if (at < dev->config.area[i].end)
			return &dev->config.area[i];
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
 * An access may have any size and alignment; it is split at the borders of areas.
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
			ret = cxl_vfio_core_access(dev, buf + done,
						   area ? min_t(u64, n, area->start - at) : n,
						   *ppos, write);
		if (ret <= 0)
			return done ? done : ret;
		done += ret;
		*ppos += ret;
	}
	return done;
}
