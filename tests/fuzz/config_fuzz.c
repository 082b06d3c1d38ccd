// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space with any device and any accesses.  This file replaces vfio-pci-core, with
 * its map of config space, and checks that the device opens, that the chain of capabilities
 * is complete, that each byte comes from where it should, that no write reaches a CXL DVSEC
 * or a DOE mailbox, and that no read shows the host address.
 */
#include "core.h"
#include "device.h"
#include "../../src/cxl_vfio.h"

#define PMCSR	(0x40 + PCI_PM_CTRL)	/* of the device, see device.c */

static const struct cxl_vfio_params params = {
	.view = { .hide_hpa = true, .guest_reset = true },
};

const struct cxl_vfio_params *const cxl_vfio_params = &params;

static struct cxl_vfio_device dev;
static struct cxl_vfio_found found;
static struct core_config core;
static int held, settled;

/* Where a byte of config space is to come from */
enum source { CORE, CORE_READONLY, MODEL, ZERO, VBAR };

/* The device as a walk finds it that is independent of the driver's */
static struct {
	enum source source[FUZZ_CFG_SIZE];
	u32 shown[FUZZ_CFG_SIZE / 4][2];	/* offset and id of capabilities users see */
	u32 start[FUZZ_CFG_SIZE / 4];		/* of all capabilities */
	unsigned int nr_shown, nr_starts, nr_areas;
	bool clear;		/* no capability overlaps another, or has a wrong length */
} walked;

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

int cxl_vfio_gate_wait_reset(struct cxl_vfio_device *d)
{
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
		buf[i] = core_config_byte(&core, fuzz_device.config, at + i);
	*ppos += count;
	return count;
}

ssize_t vfio_pci_core_write(struct vfio_device *vdev, const char *buf, size_t count, loff_t *ppos)
{
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;

	assert(vdev == &dev.core.vdev && count && buf);
	if (at >= FUZZ_CFG_SIZE || count > FUZZ_CFG_SIZE - at)
		return -EFAULT;
	for (size_t i = 0; i < count && walked.clear; i++)
		assert(walked.source[at + i] == CORE);
	/* A byte that can turn memory off is written with the gate held alone */
	if ((at <= PCI_COMMAND && at + count > PCI_COMMAND) ||
	    (at <= PMCSR && at + count > PMCSR))
		assert(held);
	*ppos += count;
	return count;
}

static void set_source(u32 from, u32 to, enum source source)
{
	for (u32 at = from; at < to && at < FUZZ_CFG_SIZE; at++)
		walked.source[at] = source;
}

/* Is a capability the host's up to the next one?  PCIe r6.3 7.9: the link and its IDE */
static bool host_owns(u16 id)
{
	return id == 0x26 || id == 0x27 || id == 0x2a || id == 0x2b || id == 0x30 ||
	       id == 0x31 || id == 0x32 || id == 0x34;
}

static void walk_host_owned(void)
{
	for (unsigned int i = 0; i < walked.nr_starts; i++) {
		u32 at = walked.start[i], end = FUZZ_CFG_SIZE;

		if (!host_owns(get32(&fuzz_device.config[at])))
			continue;
		for (unsigned int other = 0; other < walked.nr_starts; other++)
			if (walked.start[other] > at)
				end = min(end, walked.start[other]);
		set_source(at + 4, end, CORE_READONLY);
		walked.nr_areas++;
	}
}

/* Note one capability; returns the offset after its last byte */
static u32 walk_capability(u32 at, u16 id)
{
	u32 header1 = get32(&fuzz_device.config[at + 4]), len = max_t(u32, header1 >> 20, 12);
	u32 core_len = core_cap_length(&core, fuzz_device.config, at);
	bool ours = id == PCI_EXT_CAP_ID_DVSEC && (header1 & 0xffff) == CXL_VFIO_DVSEC_VENDOR_ID;

	if (ours || core_len) {
		walked.shown[walked.nr_shown][0] = at;
		walked.shown[walked.nr_shown++][1] = id;
	} else if (at == PCI_CFG_SPACE_SIZE) {
		/* The placeholder that vfio-pci-core makes of a hidden first one */
		walked.shown[walked.nr_shown++][0] = at;
	}
	if (id == PCI_EXT_CAP_ID_DOE) {
		set_source(at + 4, at + 0x18, ZERO);
		walked.nr_areas++;
		return at + 0x18;
	}
	if (ours) {
		set_source(at, at + len, CORE_READONLY);
		walked.nr_areas++;
		if (at != found.dvsec)
			return at + len;
		set_source(at + CXL_VFIO_DVSEC_BODY, at + found.dvsec_len, MODEL);
		walked.nr_areas++;
		return at + len;
	}
	/* The shortest capabilities have 8 bytes; hidden ones are longer than the walk knows */
	walked.clear &= !core_len || core_len >= 8;
	return at + (core_len ?: 12);
}

static void walk(void)
{
	bool seen[FUZZ_CFG_SIZE] = {}, visited[FUZZ_CFG_SIZE] = {};
	u32 at = PCI_CFG_SPACE_SIZE;

	memset(&walked, 0, sizeof(walked));
	walked.clear = true;
	if (dev.vbar.bar == 4) {
		set_source(PCI_BASE_ADDRESS_4, PCI_BASE_ADDRESS_4 + 8, VBAR);
		walked.nr_areas++;
	}
	while (at >= PCI_CFG_SPACE_SIZE && at <= FUZZ_CFG_SIZE - 12 && !visited[at]) {
		u32 header = get32(&fuzz_device.config[at]), end;

		walked.start[walked.nr_starts++] = at;
		walked.clear &= header != ~0U;
		if (!header || header == ~0U)
			break;
		visited[at] = true;
		end = walk_capability(at, header);
		for (u32 i = at; i < end && i < FUZZ_CFG_SIZE; i++) {
			walked.clear &= !seen[i];
			seen[i] = true;
		}
		at = header >> 20 & 0xffc;
	}
	walked.clear &= at <= FUZZ_CFG_SIZE - 12;
	walk_host_owned();
}

static u8 read_byte(u16 at)
{
	loff_t pos = at;
	char byte = 0;

	cxl_vfio_config_rw(&dev, &byte, 1, &pos, false);
	return byte;
}

/*
 * Compare the chain that the user sees with the one of the walk.  vfio-pci-core does not
 * find the start of a capability that is right behind one with the same byte in its map.
 */
static void check_chain(void)
{
	u32 at = PCI_CFG_SPACE_SIZE;

	for (unsigned int i = 0; i < walked.nr_shown; i++) {
		u32 header = 0;

		assert(at >= PCI_CFG_SPACE_SIZE);
		if (core.map[at] != CORE_VIRTUAL && core.map[at - 1] == core.map[at])
			return;
		for (u32 byte = 0; byte < 4; byte++)
			header |= (u32)read_byte(at + byte) << (8 * byte);
		/* A placeholder with one of these numbers is no capability for vfio-pci-core */
		if (!walked.shown[i][1] && core.map[at] >= CORE_VIRTUAL)
			return;
		assert(at == walked.shown[i][0] && (u16)header == walked.shown[i][1]);
		at = header >> 20;
	}
	assert(!at);
}

static void check_hidden(void)
{
	u16 base = found.dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0);

	for (u16 i = 0; i < 8; i++)
		assert(!read_byte(base + i));
}

/* No register changes by itself here, so reads must agree */
static void check_byte(u16 at, u8 byte)
{
	assert(byte == read_byte(at));
	if (!walked.clear)
		return;
	switch (walked.source[at]) {
	case CORE:
	case CORE_READONLY:
		assert(byte == core_config_byte(&core, fuzz_device.config, at));
		break;
	case ZERO:
		assert(!byte);
		break;
	case VBAR:
		assert(byte == 0xba);
		break;
	case MODEL:
		break;
	}
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
	for (ssize_t i = 0; i < ret && !write; i++)
		check_byte(at + i, buf[i]);
	assert(!held && !dev.core.memory_lock.taken);
	free(buf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, len };
	u8 kernel;
	int ret;

	fuzz_device_init();
	memset(&dev, 0, sizeof(dev));
	memset(&found, 0, sizeof(found));
	dev.core.pdev = &fuzz_device.pdev;
	dev.core.vconfig = core.vconfig;
	dev.core.pci_config_map = core.map;
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

	/* Kernels before 6.2 hide all DVSECs */
	kernel = take(&in, 1);
	dev.vbar.bar = kernel & 1 ? 4 : VBAR_NONE;
	core_config_init(&core, fuzz_device.config, kernel & 2);
	walk();
	ret = cxl_vfio_config_open(&dev);
	if (walked.clear)
		assert(ret == (walked.nr_areas > CXL_VFIO_MAX_CONFIG_AREAS ? -E2BIG : 0));
	assert(!ret || ret == -E2BIG || ret == -EIO);
	if (ret)
		return 0;
	if (walked.clear) {
		check_chain();
		check_hidden();
	}
	while (in.len)
		access_config(&in);
	return 0;
}
