// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space with any device and any accesses.  This file replaces vfio-pci-core and
 * checks that no write reaches a CXL DVSEC or a DOE mailbox, and that no read shows the
 * host address.
 */
#include "device.h"
#include "../../src/cxl_vfio.h"

#define PMCSR	(0x40 + PCI_PM_CTRL)	/* of the device, see device.c */

static const struct cxl_vfio_params params = {
	.view = { .hide_hpa = true, .guest_reset = true },
};

const struct cxl_vfio_params *const cxl_vfio_params = &params;

static struct cxl_vfio_device dev;
static struct cxl_vfio_found found;
static u8 vconfig[FUZZ_CFG_SIZE], map[FUZZ_CFG_SIZE];
static bool host_only[FUZZ_CFG_SIZE];	/* writes of the user must not reach this byte */
static int held, settled;

void cxl_vfio_gate_enter(struct cxl_vfio_device *d, struct cxl_vfio_caller *caller)
{
	assert(d == &dev && caller && !held);
	held = 1;
}

void cxl_vfio_gate_leave(struct cxl_vfio_device *d, struct cxl_vfio_caller *caller)
{
	assert(d == &dev && caller && held && settled);
	held = 0;
	settled = 0;
}

unsigned int cxl_vfio_gate_unjudge(struct cxl_vfio_device *d)
{
	assert(d == &dev && held);
	return 0;
}

bool cxl_vfio_gate_is_held(const struct cxl_vfio_device *d, enum cxl_vfio_hold hold)
{
	assert(d == &dev && (hold == HOLD_SETTLE || hold == HOLD_LOST || hold == HOLD_UNUSED));
	return false;
}

bool cxl_vfio_gate_is_away(const struct cxl_vfio_device *d)
{
	assert(d == &dev);
	return false;
}

int cxl_vfio_settle(struct cxl_vfio_device *d)
{
	assert(d == &dev && held);
	settled = 1;
	return 0;
}

/* Called for a doorbell of CONTROL2: no model may be locked then */
int cxl_vfio_guest_reset(struct cxl_vfio_device *d, bool clear)
{
	assert(d == &dev && !d->model.lock.taken);
	cxl_vfio_model_reset(d, false);
	return clear ? -EIO : 0;
}

int cxl_vfio_write_back(struct cxl_vfio_device *d)
{
	assert(d == &dev && !d->model.lock.taken);
	return 0;
}

void cxl_vfio_vbar_reset(struct cxl_vfio_device *d)
{
	assert(d == &dev);
}

/* The registers of the virtual BAR, which no other access may reach */
void cxl_vfio_vbar_config(struct cxl_vfio_device *d, unsigned int offset, u8 *buf, size_t count,
			  bool write)
{
	assert(d == &dev && !d->model.lock.taken && d->vbar.bar == 4);
	assert(count && offset < 8 && count <= 8 - offset);
	if (!write)
		memset(buf, 0xba, count);
}

/* Called for a read of RAS: no model may be locked then */
void cxl_vfio_errors_look(struct cxl_vfio_device *d)
{
	assert(d == &dev && !d->model.lock.taken);
}

ssize_t vfio_pci_core_read(struct vfio_device *vdev, char *buf, size_t count, loff_t *ppos)
{
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;

	assert(vdev == &dev.core.vdev && count);
	if (at >= FUZZ_CFG_SIZE || count > FUZZ_CFG_SIZE - at)
		return -EFAULT;
	for (size_t i = 0; i < count; i++)
		buf[i] = map[at + i] == 0xfe ? vconfig[at + i] : fuzz_device.config[at + i];
	*ppos += count;
	return count;
}

ssize_t vfio_pci_core_write(struct vfio_device *vdev, const char *buf, size_t count, loff_t *ppos)
{
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;

	assert(vdev == &dev.core.vdev && count && buf);
	if (at >= FUZZ_CFG_SIZE || count > FUZZ_CFG_SIZE - at)
		return -EFAULT;
	for (size_t i = 0; i < count; i++) {
		assert(!host_only[at + i]);
		assert(dev.vbar.bar != 4 || (at + i - PCI_BASE_ADDRESS_4) / 8);
	}
	/* A byte that can turn memory off is written with the gate held alone */
	if ((at <= PCI_COMMAND && at + count > PCI_COMMAND) ||
	    (at <= PMCSR && at + count > PMCSR))
		assert(held);
	*ppos += count;
	return count;
}

/*
 * Mark the bytes that writes must not reach, by a walk independent of the driver's.
 * Returns false where the capabilities of the device overlap, which leaves it undefined.
 */
static bool mark_host_only(void)
{
	bool seen[FUZZ_CFG_SIZE] = {};
	u32 at = PCI_CFG_SPACE_SIZE;

	memset(host_only, 0, sizeof(host_only));
	while (at >= PCI_CFG_SPACE_SIZE && at <= FUZZ_CFG_SIZE - 12) {
		u32 header = get32(&fuzz_device.config[at]), from = at, to = at + 12;
		u32 header1 = get32(&fuzz_device.config[at + 4]);
		bool ours = false;

		if (!header || header == ~0U)
			break;
		if ((header & 0xffff) == PCI_EXT_CAP_ID_DOE) {
			from = at + 4;
			to = at + 0x18;
			ours = true;
		} else if ((header & 0xffff) == PCI_EXT_CAP_ID_DVSEC &&
			   (header1 & 0xffff) == CXL_VFIO_DVSEC_VENDOR_ID) {
			to = at + max_t(u32, header1 >> 20, 12);
			ours = true;
		}
		if (to > FUZZ_CFG_SIZE)
			return false;
		for (u32 i = at; i < to; i++) {
			if (seen[i])
				return false;
			seen[i] = true;
			host_only[i] = ours && i >= from;
		}
		at = header >> 20 & 0xffc;
	}
	return true;
}

static u8 read_byte(u16 at)
{
	loff_t pos = at;
	char byte = 0;

	cxl_vfio_config_rw(&dev, &byte, 1, &pos, false);
	return byte;
}

static void check_hidden(void)
{
	u16 base = found.dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0);

	for (u16 i = 0; i < 8; i++)
		assert(!read_byte(base + i));
}

static void access_config(struct input *in)
{
	u8 op = take(in, 1);
	bool write = op & 1;
	u16 at = take(in, 2) & 0xfff;
	size_t n = 1 + (op >> 1) % 64;
	loff_t pos = ((loff_t)VFIO_PCI_CONFIG_REGION_INDEX << VFIO_PCI_OFFSET_SHIFT) + at;
	u8 *buf = malloc(n);		/* exactly @n bytes, so that the sanitizer finds overruns */
	ssize_t ret;

	for (size_t i = 0; i < n; i++)
		buf[i] = write ? take(in, 1) : 0x5a;
	ret = cxl_vfio_config_rw(&dev, (char *)buf, n, &pos, write);
	assert(ret <= (ssize_t)n && (ret > 0 || at + n > FUZZ_CFG_SIZE));
	for (ssize_t i = 0; i < ret && !write && found.dvsec; i++) {
		u16 byte = at + i;

		/* No register changes by itself here, so reads must agree */
		assert(buf[i] == read_byte(byte));
	}
	assert(!held && !dev.core.memory_lock.taken);
	free(buf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, len };
	u8 hidden_from;
	bool clear;

	fuzz_device_init();
	memset(&dev, 0, sizeof(dev));
	memset(&found, 0, sizeof(found));
	dev.core.pdev = &fuzz_device.pdev;
	dev.core.vconfig = vconfig;
	dev.core.pci_config_map = map;
	dev.found = &found;
	fuzz_device_patch(&in);
	fuzz_device.gone = false;
	found.dvsec = pci_find_dvsec_capability(&fuzz_device.pdev, CXL_VFIO_DVSEC_VENDOR_ID,
						CXL_VFIO_DVSEC_ID_DEVICE);
	if (!found.dvsec)
		return 0;
	found.dvsec_len = get32(&fuzz_device.config[found.dvsec + 4]) >> 20;
	if (found.dvsec_len < 0x28 || found.dvsec + found.dvsec_len > FUZZ_CFG_SIZE)
		return 0;

	/* Kernels differ in how much of the capability chain vfio-pci-core shows */
	hidden_from = take(&in, 1);
	dev.vbar.bar = hidden_from & 1 ? 4 : VBAR_NONE;
	memset(map, 0, sizeof(map));
	if (hidden_from)
		memset(map + 16 * hidden_from, 0xff, sizeof(map) - 16 * hidden_from);
	memcpy(vconfig, fuzz_device.config, sizeof(vconfig));
	clear = mark_host_only();
	if (!clear)
		memset(host_only, 0, sizeof(host_only));
	if (cxl_vfio_config_open(&dev))
		return 0;
	if (clear)
		check_hidden();
	while (in.len)
		access_config(&in);
	return 0;
}
