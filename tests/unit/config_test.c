// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space: the areas that open lists, the chain of capabilities that users see, and
 * where each byte of an access goes.  vfio-pci-core is a recorder with the map of
 * tests/fuzz/core.c.
 */
#include "device.h"
#include "../fuzz/core.h"
#include "../../src/cxl_vfio.h"

#define POS(at)		((loff_t)VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_CONFIG_REGION_INDEX) + (at))
#define PMCSR		(0x40 + PCI_PM_CTRL)
#define BODY		(DVSEC + CXL_VFIO_DVSEC_BODY)
#define CTRL2		(DVSEC + CXL_VFIO_DVSEC_CTRL2)
#define STATUS2		(DVSEC + CXL_VFIO_DVSEC_STATUS2)

static struct cxl_vfio_params params;
const struct cxl_vfio_params *const cxl_vfio_params = &params;

static struct cxl_vfio_device dev;
static struct cxl_vfio_found found;
static struct core_config core;

/* What was called, one letter a call: see log_call() */
static char calls[64];
static char core_data[CFG_SIZE];	/* bytes that vfio-pci-core wrote */
static bool core_wrote[CFG_SIZE];
static ssize_t core_error;		/* that vfio-pci-core returns, 0: none */
static u32 core_limit;			/* bytes that it does at most, 0: no limit */
static bool hold_on_write;		/* its writes reset the function */
static unsigned long holds;
static int write_back_result, reset_result;
static bool reset_clears;

static void log_call(const char *fmt, ...)
{
	size_t used = strlen(calls);
	va_list args;

	va_start(args, fmt);
	vsnprintf(calls + used, sizeof(calls) - used, fmt, args);
	va_end(args);
}

#define assert_calls(text)				\
	do {						\
		assert_string_equal(calls, text);	\
		calls[0] = 0;				\
	} while (0)

/* Enter the gate: "(", leave it: ")", settle: "s", unjudge: "u" */

void cxl_vfio_gate_enter(struct cxl_vfio_device *d, struct cxl_vfio_caller *caller)
{
	assert_true(d == &dev && caller && !d->core.memory_lock.taken);
	log_call("(");
}

void cxl_vfio_gate_leave(struct cxl_vfio_device *d, struct cxl_vfio_caller *caller)
{
	assert_true(d == &dev && caller);
	log_call(")");
}

unsigned int cxl_vfio_gate_unjudge(struct cxl_vfio_device *d)
{
	assert_ptr_equal(d, &dev);
	log_call("u");
	return 0;
}

static bool killed_in_reset;

int cxl_vfio_gate_wait_reset(struct cxl_vfio_device *d)
{
	assert_ptr_equal(d, &dev);
	return killed_in_reset ? -EINTR : 0;
}

bool cxl_vfio_gate_is_held(const struct cxl_vfio_device *d, enum cxl_vfio_hold hold)
{
	assert_ptr_equal(d, &dev);
	return holds >> hold & 1;
}

bool cxl_vfio_gate_is_away(const struct cxl_vfio_device *d)
{
	return false;
}

int cxl_vfio_settle(struct cxl_vfio_device *d)
{
	assert_ptr_equal(d, &dev);
	log_call("s");
	return 0;
}

/* Config space is not where errors are looked for */
void cxl_vfio_errors_look(struct cxl_vfio_device *d)
{
	fail_msg("the errors of the device were looked for");
}

static u16 model_get(u16 offset)
{
	u8 b[2];

	cxl_vfio_dvsec_read(&dev.model.dvsec, offset, b, 2);
	return b[0] | b[1] << 8;
}

/* A CXL reset: "R".  STATUS2 shows no result while it runs */
int cxl_vfio_guest_reset(struct cxl_vfio_device *d, bool clear)
{
	assert_true(d == &dev && !d->model.lock.taken && unit.awake > 0);
	assert_int_equal(model_get(CXL_VFIO_DVSEC_STATUS2) & 6, 0);
	reset_clears = clear;
	log_call("R");
	return reset_result;
}

/* A cache write-back: "W" */
int cxl_vfio_write_back(struct cxl_vfio_device *d)
{
	assert_true(d == &dev && !d->model.lock.taken && unit.awake > 0);
	log_call("W");
	return write_back_result;
}

/* The virtual BAR: "v" when it is reset, "VOFFSET,COUNT" when it is accessed */
void cxl_vfio_vbar_reset(struct cxl_vfio_device *d)
{
	assert_ptr_equal(d, &dev);
	log_call("v");
}

void cxl_vfio_vbar_config(struct cxl_vfio_device *d, unsigned int offset, u8 *buf, size_t count,
			  bool write)
{
	assert_ptr_equal(d, &dev);
	log_call("V%c%u,%zu ", write ? 'w' : 'r', offset, count);
	for (size_t i = 0; i < count && !write; i++)
		buf[i] = 0xb0 + offset + i;
	for (size_t i = 0; i < count && write; i++)
		assert_int_equal(buf[i], 0xb0 + offset + i);
}

ssize_t vfio_pci_core_read(struct vfio_device *vdev, char *buf, size_t count, loff_t *ppos)
{
	u64 at = *ppos - POS(0);

	assert_ptr_equal(vdev, &dev.core.vdev);
	if (core_error)
		return core_error;
	if (at >= CFG_SIZE || count > CFG_SIZE - at)
		return -EFAULT;
	count = core_limit ? min_t(size_t, count, core_limit) : count;
	for (size_t i = 0; i < count; i++)
		buf[i] = core_config_byte(&core, unit.config, at + i);
	*ppos += count;
	return count;
}

/* A write by vfio-pci-core: "wOFFSET,COUNT" */
ssize_t vfio_pci_core_write(struct vfio_device *vdev, const char *buf, size_t count, loff_t *ppos)
{
	u64 at = *ppos - POS(0);

	assert_ptr_equal(vdev, &dev.core.vdev);
	log_call("w%llx,%zu ", at, count);
	if (core_error)
		return core_error;
	if (at >= CFG_SIZE || count > CFG_SIZE - at)
		return -EFAULT;
	for (size_t i = 0; i < count; i++) {
		core_data[at + i] = buf[i];
		core_wrote[at + i] = true;
	}
	if (hold_on_write)
		holds |= 1 << HOLD_SETTLE;
	*ppos += count;
	return count;
}

/* Opening */

static int setup(void **state)
{
	unit_setup(state);
	memset(&dev, 0, sizeof(dev));
	memset(&found, 0, sizeof(found));
	memset(core_wrote, 0, sizeof(core_wrote));
	calls[0] = 0;
	core_error = 0;
	core_limit = 0;
	hold_on_write = false;
	holds = 0;
	write_back_result = 0;
	reset_result = 0;
	params.view = (struct cxl_vfio_view) { .hide_hpa = true, .guest_reset = true };
	dev.core.pdev = &unit.pdev;
	dev.core.vconfig = core.vconfig;
	dev.core.pci_config_map = core.map;
	dev.found = &found;
	dev.vbar.bar = VBAR_NONE;
	found.dvsec = DVSEC;
	found.dvsec_len = 0x3c;
	return 0;
}

/* Open the device as the unit now is, on a kernel that shows DVSECs or does not */
static int open_as_is(bool knows_dvsecs)
{
	calls[0] = 0;
	core_config_init(&core, unit.config, knows_dvsecs);
	return cxl_vfio_config_open(&dev);
}

static void open_device(void)
{
	u16 regs[DVSEC_MAX_LEN / 2] = {};

	assert_int_equal(open_as_is(true), 0);
	assert_calls("v");
	for (unsigned int i = 0; i < found.dvsec_len / 2 && i < ARRAY_SIZE(regs); i++)
		regs[i] = get16(DVSEC + 2 * i);
	cxl_vfio_dvsec_init(&dev.model.dvsec, regs, found.dvsec_len, &params.view, true);
}

#define assert_areas(...)						\
	do {								\
		static const struct cxl_vfio_config_area list_[] = { __VA_ARGS__ }; \
									\
		check_areas(list_, ARRAY_SIZE(list_));			\
	} while (0)

static void check_areas(const struct cxl_vfio_config_area *areas, unsigned int n)
{
	for (unsigned int i = 0; i < n && i < dev.config.nr; i++) {
		const struct cxl_vfio_config_area *is = &dev.config.area[i], *should = &areas[i];

		if (is->start != should->start || is->end != should->end ||
		    is->kind != should->kind)
			fail_msg("area %u is %#x to %#x, kind %u; expected %#x to %#x, kind %u", i,
				 is->start, is->end, is->kind, should->start, should->end,
				 should->kind);
	}
	assert_int_equal(dev.config.nr, n);
}

static void check_plain(u16 end, u16 hole_start, u16 hole_end)
{
	assert_int_equal(dev.config.plain_end, end);
	assert_int_equal(dev.config.hole_start, hole_start);
	assert_int_equal(dev.config.hole_end, hole_end);
}

static void config_open_lists_the_areas(void **state)
{
	for (int knows_dvsecs = 0; knows_dvsecs < 2; knows_dvsecs++) {
		/* A second user has the same areas as the first */
		for (int user = 0; user < 2; user++) {
			assert_int_equal(open_as_is(knows_dvsecs), 0);
			assert_calls("v");
			assert_areas({ DVSEC, BODY, AREA_DVSEC_HEADER },
				     { BODY, DVSEC + 0x3c, AREA_DVSEC },
				     { RLOC, RLOC + 0x24, AREA_READONLY },
				     { FLEXBUS, FLEXBUS + 0x14, AREA_READONLY },
				     { DOE + 4, DOE + 0x18, AREA_HIDDEN });
			check_plain(DVSEC, 0, 0);
			/* Nothing before the extended capabilities is the driver's */
			assert_memory_equal(core.vconfig, unit.config, PCI_STD_HEADER_SIZEOF);
		}
	}
	assert_nothing_written();
	assert_nothing_logged();
}

static void config_open_lists_the_virtual_bar(void **state)
{
	dev.vbar.bar = 4;
	assert_int_equal(open_as_is(true), 0);
	assert_areas({ PCI_BASE_ADDRESS_4, PCI_BASE_ADDRESS_4 + 8, AREA_VBAR },
		     { DVSEC, BODY, AREA_DVSEC_HEADER },
		     { BODY, DVSEC + 0x3c, AREA_DVSEC },
		     { RLOC, RLOC + 0x24, AREA_READONLY },
		     { FLEXBUS, FLEXBUS + 0x14, AREA_READONLY },
		     { DOE + 4, DOE + 0x18, AREA_HIDDEN });
	check_plain(DVSEC, PCI_BASE_ADDRESS_4, PCI_BASE_ADDRESS_4 + 8);
	dev.vbar.bar = 0;
	assert_int_equal(open_as_is(true), 0);
	assert_int_equal(dev.config.area[0].start, PCI_BASE_ADDRESS_0);
	check_plain(DVSEC, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_0 + 8);
}

/* A DVSEC ends at the dword that its length reaches into, and has 12 bytes at least */
static void config_areas_end_with_their_capability(void **state)
{
	static const struct {
		u32 len, end;
	} dvsecs[] = {
		{ 0, 12 }, { 4, 12 }, { 12, 12 }, { 13, 16 }, { 15, 16 }, { 16, 16 }, { 17, 20 },
		{ 0x28, 0x28 }, { 0x29, 0x2c },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(dvsecs); i++) {
		put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, dvsecs[i].len, FLEXBUS);
		assert_int_equal(open_as_is(true), 0);
		assert_int_equal(dev.config.nr, 5);
		assert_int_equal(dev.config.area[2].start, RLOC);
		assert_int_equal(dev.config.area[2].end, RLOC + dvsecs[i].end);
	}
}

/* Capabilities at the end of config space end with it, and one of 12 bytes fits */
static void config_areas_end_with_config_space(void **state)
{
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, 0xfe4);
	put_cap(0xfe4, PCI_EXT_CAP_ID_DOE, 0xff4);
	put_dvsec(0xff4, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_areas({ DVSEC, BODY, AREA_DVSEC_HEADER }, { BODY, DVSEC + 0x3c, AREA_DVSEC },
		     { RLOC, RLOC + 0x24, AREA_READONLY }, { 0xfe8, 0xff4, AREA_HIDDEN },
		     { 0xff4, 0x1000, AREA_READONLY });

	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, 0xff4);
	put_cap(0xff4, PCI_EXT_CAP_ID_DOE, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_int_equal(dev.config.area[3].start, 0xff8);
	assert_int_equal(dev.config.area[3].end, 0x1000);
	/* Past that place there is no capability */
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, 0xff8);
	put_cap(0xff8, PCI_EXT_CAP_ID_DOE, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_int_equal(dev.config.nr, 3);
}

/* Lengths are the device's own: where they overlap, the later area begins in the earlier one */
static void config_areas_do_not_overlap(void **state)
{
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x60, FLEXBUS);
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x24, DOE);
	assert_int_equal(open_as_is(true), 0);
	assert_areas({ DVSEC, BODY, AREA_DVSEC_HEADER }, { BODY, DVSEC + 0x3c, AREA_DVSEC },
		     { RLOC, FLEXBUS, AREA_READONLY }, { FLEXBUS, DOE + 4, AREA_READONLY },
		     { DOE + 4, DOE + 0x18, AREA_HIDDEN });
	/* The first one too */
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, 0x110);
	put_dvsec(0x110, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x24, DVSEC);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_areas({ 0x110, DVSEC, AREA_READONLY }, { DVSEC, BODY, AREA_DVSEC_HEADER },
		     { BODY, DVSEC + 0x3c, AREA_DVSEC });
}

static void config_areas_are_in_ascending_order(void **state)
{
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, DOE);
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, FLEXBUS);
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, RLOC);
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, DVSEC);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, 0);
	dev.vbar.bar = 2;
	assert_int_equal(open_as_is(true), 0);
	assert_areas({ PCI_BASE_ADDRESS_2, PCI_BASE_ADDRESS_2 + 8, AREA_VBAR },
		     { DVSEC, BODY, AREA_DVSEC_HEADER }, { BODY, DVSEC + 0x3c, AREA_DVSEC },
		     { RLOC, RLOC + 0x24, AREA_READONLY },
		     { FLEXBUS, FLEXBUS + 0x14, AREA_READONLY },
		     { DOE + 4, DOE + 0x18, AREA_HIDDEN });
}

/* Only DVSECs of the CXL consortium and DOE mailboxes have rules */
static void config_areas_are_of_cxl_dvsecs_and_doe_mailboxes(void **state)
{
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, FLEXBUS);
	put16(RLOC + 4, 0x8086);
	put_cap(FLEXBUS, PCI_EXT_CAP_ID_VNDR, DOE);
	assert_int_equal(open_as_is(true), 0);
	assert_areas({ DVSEC, BODY, AREA_DVSEC_HEADER }, { BODY, DVSEC + 0x3c, AREA_DVSEC },
		     { DOE + 4, DOE + 0x18, AREA_HIDDEN });
}

/* Extended capabilities whose registers are the host's, PCIe r6.3 7.9; with the DOE mailbox */
static bool host_owns(u32 id)
{
	switch (id) {
	case 0x26: /* Physical Layer 16.0 GT/s */
	case 0x27: /* Lane Margining */
	case 0x2a: /* Physical Layer 32.0 GT/s */
	case 0x2b: /* Alternate Protocol */
	case 0x30: /* IDE */
	case 0x31: /* Physical Layer 64.0 GT/s */
	case 0x32: /* Flit Logging */
	case 0x34: /* Flit Error Injection */
		return true;
	}
	return false;
}

static void config_areas_have_the_capabilities_of_the_host(void **state)
{
	for (u32 id = 1; id < 0x40; id++) {
		const struct cxl_vfio_config_area *area = &dev.config.area[4];

		if (id == PCI_EXT_CAP_ID_DVSEC || id == PCI_EXT_CAP_ID_DOE)
			continue;
		put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, 0x244);
		put_cap(0x244, PCI_EXT_CAP_ID_ERR, 0x200);
		put_cap(0x200, id, 0);
		assert_int_equal(open_as_is(true), 0);
		assert_int_equal(dev.config.nr, host_owns(id) ? 5 : 4);
		if (!host_owns(id))
			continue;
		/* Up to the next capability, wherever that is in the chain */
		assert_true(area->start == 0x204 && area->end == 0x244);
		assert_int_equal(area->kind, AREA_READONLY);
		/* Up to the end of config space */
		put_cap(0x244, PCI_EXT_CAP_ID_ERR, 0xf00);
		put_cap(0xf00, id, 0);
		assert_int_equal(open_as_is(true), 0);
		assert_true(area->start == 0xf04 && area->end == 0x1000);
		/* Also if the chain loops */
		put_cap(0xf00, id, DVSEC);
		assert_int_equal(open_as_is(true), 0);
		assert_true(area->start == 0xf04 && area->end == 0x1000);
	}
	/* As many capabilities as fit: the nearest is the last of the chain */
	put_cap(DSN, 0x30, DVSEC);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, 0xff0);
	for (u32 at = 0xff0; at > 0x108; at -= 8)
		if (at < DVSEC || at > DVSEC + 0x38)
			put_cap(at, PCI_EXT_CAP_ID_LTR, at == DVSEC + 0x40 ? DVSEC - 8 : at - 8);
	put_cap(0x108, PCI_EXT_CAP_ID_LTR, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_int_equal(dev.config.nr, 3);
	assert_int_equal(dev.config.area[0].start, 0x104);
	assert_int_equal(dev.config.area[0].end, 0x108);
}

/* Link @n DOE mailboxes behind the CXL Device DVSEC, which has two areas */
static void put_mailboxes(unsigned int n)
{
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, 0x200);
	for (unsigned int i = 0; i < n; i++)
		put_cap(0x200 + 0x18 * i, PCI_EXT_CAP_ID_DOE,
			i + 1 < n ? 0x200 + 0x18 * (i + 1) : 0);
}

static void config_open_takes_64_areas(void **state)
{
	put_mailboxes(62);
	assert_int_equal(open_as_is(true), 0);
	assert_int_equal(dev.config.nr, 64);
	assert_int_equal(dev.config.area[63].end, 0x200 + 62 * 0x18);
	put_mailboxes(63);
	assert_int_equal(open_as_is(true), -E2BIG);
	assert_int_equal(dev.config.nr, 0);
	assert_calls("");
	assert_logged("config space has 65 areas with rules of their own, expected at most 64");
	put_mailboxes(62);
	dev.vbar.bar = 0;
	assert_int_equal(open_as_is(true), -E2BIG);
}

static void config_open_needs_the_dvsec_where_it_was(void **state)
{
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, RLOC);
	assert_int_equal(open_as_is(true), -EIO);
	assert_calls("");
	assert_logged("not in the capability chain at 0x130 any more");
	/* Moved */
	setup(state);
	found.dvsec = DVSEC + 4;
	assert_int_equal(open_as_is(true), -EIO);
	/* Its body is another capability's */
	setup(state);
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, DVSEC + 8);
	put_dvsec(DVSEC + 8, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x30, DVSEC);
	put32(DVSEC, PCI_EXT_CAP_ID_DVSEC | 1 << 16);
	put32(DVSEC + 4, CXL_VFIO_DVSEC_VENDOR_ID | 0x0a << 20);
	found.dvsec_len = 0x0a;
	assert_int_equal(open_as_is(true), -EIO);
}

/* The chain that users see */

static u32 read_dword(u32 at)
{
	loff_t pos = POS(at);
	u8 b[4];

	assert_int_equal(cxl_vfio_config_rw(&dev, (char *)b, 4, &pos, false), 4);
	assert_true(pos == POS(at + 4));
	return b[0] | b[1] << 8 | b[2] << 16 | (u32)b[3] << 24;
}

/* Walk the chain, and compare it with a list of offsets and ids that ends with offset 0 */
static void check_chain(const u32 (*chain)[2])
{
	u32 at = PCI_CFG_SPACE_SIZE;

	for (; chain[0][0]; chain++) {
		u32 header = read_dword(at);

		if (at != chain[0][0] || (u16)header != chain[0][1])
			fail_msg("capability %#x at %#x, expected %#x at %#x", (u16)header, at,
				 chain[0][1], chain[0][0]);
		/* The version stays, but a placeholder has none */
		assert_int_equal(header >> 16 & 0xf, chain[0][1] ? 1 : 0);
		at = header >> 20;
	}
	assert_int_equal(at, 0);
}

#define assert_chain(...)						\
	do {								\
		static const u32 chain_[][2] = { __VA_ARGS__, { 0 } };	\
									\
		check_chain(chain_);					\
	} while (0)

static void config_chain_has_cxl_dvsecs_on_every_kernel(void **state)
{
	for (int knows_dvsecs = 0; knows_dvsecs < 2; knows_dvsecs++) {
		assert_int_equal(open_as_is(knows_dvsecs), 0);
		assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
			     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC });
	}
}

/* DVSECs that the kernel hides are shown as they were at open, to the end of their area */
static void config_shows_hidden_dvsecs_by_a_snapshot(void **state)
{
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x23, FLEXBUS);
	assert_int_equal(open_as_is(false), 0);
	for (u32 at = 0; at < CFG_SIZE; at++) {
		bool virtual = (at >= DVSEC && at < DVSEC + 0x3c) ||
			       (at >= RLOC && at < RLOC + 0x24) ||
			       (at >= FLEXBUS && at < FLEXBUS + 0x14);

		assert_int_equal(core.map[at] == CORE_VIRTUAL, virtual);
		/* Of a header, the next pointer alone is the driver's */
		if (virtual && at % 0x10 > 3)
			assert_int_equal(core.vconfig[at], unit.config[at]);
	}
	/* Kernels that show DVSECs need no snapshot */
	assert_int_equal(open_as_is(true), 0);
	for (u32 at = 0; at < CFG_SIZE; at++)
		assert_true(core.map[at] != CORE_VIRTUAL);
}

static void config_chain_keeps_a_placeholder(void **state)
{
	/* SECPCI is hidden by every kernel */
	put_cap(DSN, PCI_EXT_CAP_ID_SECPCI, DVSEC);
	for (int knows_dvsecs = 0; knows_dvsecs < 2; knows_dvsecs++) {
		assert_int_equal(open_as_is(knows_dvsecs), 0);
		assert_chain({ DSN, 0 }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
			     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC });
	}
	/* Two hidden ones in front, and one later */
	put_cap(DSN, PCI_EXT_CAP_ID_SECPCI, 0x120);
	put_cap(0x120, PCI_EXT_CAP_ID_SECPCI, DVSEC);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, DOE);
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, FLEXBUS);
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, 0);
	for (int knows_dvsecs = 0; knows_dvsecs < 2; knows_dvsecs++) {
		assert_int_equal(open_as_is(knows_dvsecs), 0);
		assert_chain({ DSN, 0 }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
			     { FLEXBUS, PCI_EXT_CAP_ID_DVSEC });
	}
}

/* Capabilities that the kernel shows stay, wherever they are in the chain */
static void config_chain_keeps_what_the_kernel_shows(void **state)
{
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, 0x200);
	put_cap(0x200, PCI_EXT_CAP_ID_ERR, 0x240);
	put_dvsec(0x240, 5, 0x10, 0x260);
	put16(0x244, 0x8086);
	put_cap(0x260, PCI_EXT_CAP_ID_SECPCI, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
		     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC },
		     { 0x200, PCI_EXT_CAP_ID_ERR }, { 0x240, PCI_EXT_CAP_ID_DVSEC });
	/* Before 6.2 the DVSEC of another vendor is hidden as any DVSEC */
	assert_int_equal(open_as_is(false), 0);
	assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
		     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC },
		     { 0x200, PCI_EXT_CAP_ID_ERR });

	/* A kernel may learn to show DOE mailboxes; their registers stay hidden */
	core_config_init(&core, unit.config, true);
	memset(core.map + DOE, PCI_EXT_CAP_ID_DOE, 0x18);
	memcpy(core.vconfig + DOE, unit.config + DOE, 0x18);
	assert_int_equal(cxl_vfio_config_open(&dev), 0);
	assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
		     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC },
		     { DOE, PCI_EXT_CAP_ID_DOE }, { 0x200, PCI_EXT_CAP_ID_ERR },
		     { 0x240, PCI_EXT_CAP_ID_DVSEC });
	assert_int_equal(read_dword(DOE + 4), 0);
}

/* A DVSEC and a capability right behind it, which is before it in the chain */
static void config_chain_may_go_backwards(void **state)
{
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, FLEXBUS);
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, DOE);
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, 0x200);
	put_cap(0x200, PCI_EXT_CAP_ID_ERR, RLOC);
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, FLEXBUS - RLOC, 0);
	assert_int_equal(open_as_is(false), 0);
	assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
		     { FLEXBUS, PCI_EXT_CAP_ID_DVSEC }, { 0x200, PCI_EXT_CAP_ID_ERR },
		     { RLOC, PCI_EXT_CAP_ID_DVSEC });
	assert_areas({ DVSEC, BODY, AREA_DVSEC_HEADER }, { BODY, DVSEC + 0x3c, AREA_DVSEC },
		     { RLOC, FLEXBUS, AREA_READONLY },
		     { FLEXBUS, FLEXBUS + 0x14, AREA_READONLY },
		     { DOE + 4, DOE + 0x18, AREA_HIDDEN });
}

/* The shortest capabilities that vfio-pci-core shows have 8 bytes */
static void config_chain_keeps_short_capabilities(void **state)
{
	put_cap(DSN, PCI_EXT_CAP_ID_ATS, 0x110);
	put_cap(0x110, PCI_EXT_CAP_ID_ARI, 0x120);
	put_cap(0x120, PCI_EXT_CAP_ID_LTR, DVSEC);
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, 0x200);
	put_cap(0x200, PCI_EXT_CAP_ID_ACS, 0);
	for (int knows_dvsecs = 0; knows_dvsecs < 2; knows_dvsecs++) {
		assert_int_equal(open_as_is(knows_dvsecs), 0);
		assert_chain({ DSN, PCI_EXT_CAP_ID_ATS }, { 0x110, PCI_EXT_CAP_ID_ARI },
			     { 0x120, PCI_EXT_CAP_ID_LTR }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
			     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC },
			     { 0x200, PCI_EXT_CAP_ID_ACS });
	}
}

static void config_chain_of_the_device_may_loop(void **state)
{
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, DVSEC);
	assert_int_equal(open_as_is(true), 0);
	assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
		     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC });
	assert_int_equal(dev.config.nr, 4);
	/* To itself */
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, FLEXBUS);
	assert_int_equal(open_as_is(true), 0);
	assert_int_equal(dev.config.nr, 4);
}

/* A chain ends at a pointer into plain config space, and at a header that is not there */
static void config_chain_ends_where_no_capability_is(void **state)
{
	static const u32 places[] = { 0x40, 0x200, 0x204 };

	put32(0x40, PCI_EXT_CAP_ID_DOE | 1 << 16);
	put32(0x200, 0);
	put32(0x204, ~0U);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, places[i]);
		assert_int_equal(open_as_is(true), 0);
		assert_int_equal(dev.config.nr, 4);
		assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
			     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC });
	}
	/* In a capability that the kernel shows */
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, 0x220);
	put_cap(0x220, PCI_EXT_CAP_ID_ERR, 0x228);
	put32(0x228, 0);
	assert_int_equal(open_as_is(true), 0);
	assert_chain({ DSN, PCI_EXT_CAP_ID_DSN }, { DVSEC, PCI_EXT_CAP_ID_DVSEC },
		     { RLOC, PCI_EXT_CAP_ID_DVSEC }, { FLEXBUS, PCI_EXT_CAP_ID_DVSEC },
		     { 0x220, PCI_EXT_CAP_ID_ERR });
}

/* Reading and writing */

static ssize_t access_at(u32 at, void *buf, size_t count, bool write)
{
	loff_t pos = POS(at);
	ssize_t ret = cxl_vfio_config_rw(&dev, buf, count, &pos, write);

	assert_true(pos == POS(at) + (ret > 0 ? ret : 0));
	assert_int_equal(unit.awake, 0);
	assert_int_equal(dev.model.lock.taken, 0);
	assert_int_equal(dev.core.memory_lock.taken, 0);
	return ret;
}

static ssize_t write_bytes(u32 at, u32 val, size_t count)
{
	return access_at(at, &val, count, true);
}

static u8 read_byte(u32 at)
{
	u8 byte;

	assert_int_equal(access_at(at, &byte, 1, false), 1);
	return byte;
}

/* What a user sees of each byte */
static u8 expected_byte(u32 at)
{
	u8 byte;

	if (at >= PCI_BASE_ADDRESS_4 && at < PCI_BASE_ADDRESS_4 + 8)
		return 0xb0 + at - PCI_BASE_ADDRESS_4;
	if (at >= DOE + 4 && at < DOE + 0x18)
		return 0;
	if (at >= BODY && at < DVSEC + found.dvsec_len) {
		cxl_vfio_dvsec_read(&dev.model.dvsec, at - DVSEC, &byte, 1);
		return byte;
	}
	return core_config_byte(&core, unit.config, at);
}

static void config_reads_are_split_at_the_borders_of_areas(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 4, 8, 16, 100, 1000 };
	u8 buf[1002];

	for (u32 at = 0; at < CFG_SIZE; at++)
		if (at < 0x100 || at >= 0x200)
			unit.config[at] = at ^ at >> 8;
	dev.vbar.bar = 4;
	open_device();
	for (u32 at = 0; at < 0x220; at++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
			memset(buf, 0x5a, sizeof(buf));
			assert_int_equal(access_at(at, buf + 1, counts[i], false), counts[i]);
			for (u32 b = 0; b < counts[i]; b++)
				assert_int_equal(buf[b + 1], expected_byte(at + b));
			assert_true(buf[0] == 0x5a && buf[counts[i] + 1] == 0x5a);
			calls[0] = 0;
		}
	}
	assert_false(dev.clear.used);
}

static void config_areas_are_those_of_the_current_user(void **state)
{
	open_device();
	assert_int_equal(read_byte(DOE + 4), 0);
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, 0);
	open_device();
	assert_int_equal(read_byte(DOE + 4), unit.config[DOE + 4]);
}

static void config_writes_do_not_reach_areas(void **state)
{
	u8 buf[CFG_SIZE];

	dev.vbar.bar = 4;
	open_device();
	put16(PCI_COMMAND, 0);
	memset(core.vconfig + PCI_COMMAND, 0, 2);
	memset(buf, 0, sizeof(buf));
	for (u32 i = 0; i < 8; i++)
		buf[PCI_BASE_ADDRESS_4 + i] = 0xb0 + i;
	assert_int_equal(access_at(0, buf, CFG_SIZE, true), CFG_SIZE);
	for (u32 at = 0; at < CFG_SIZE; at++) {
		bool area = (at >= PCI_BASE_ADDRESS_4 && at < PCI_BASE_ADDRESS_4 + 8) ||
			    (at >= DVSEC && at < DVSEC + 0x3c) ||
			    (at >= RLOC && at < RLOC + 0x24) ||
			    (at >= FLEXBUS && at < FLEXBUS + 0x14) ||
			    (at >= DOE + 4 && at < DOE + 0x18);
		/* The driver writes COMMAND, and drops BIST and the byte of PMCSR itself */
		bool own = at == PCI_COMMAND || at == PCI_COMMAND + 1 || at == PCI_BIST ||
			   at == PMCSR;

		assert_int_equal(core_wrote[at], !area && !own);
	}
	assert_written({ PCI_COMMAND, 0 });
	assert_true(dev.clear.used);
}

/* A DVSEC may be longer than the registers that the specification has */
static void config_reads_of_a_long_dvsec_have_zeros_at_its_end(void **state)
{
	u8 buf[0x100];

	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0xc0, 0x200);
	put_dvsec(0x200, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, 0);
	memset(&unit.config[DVSEC + 0x3c], 0xee, 0xc0 - 0x3c);
	found.dvsec_len = 0xc0;
	open_device();
	assert_int_equal(access_at(DVSEC, buf, 0x100, false), 0x100);
	for (u32 at = 0; at < 0xc0; at++)
		assert_int_equal(buf[at], expected_byte(DVSEC + at));
	for (u32 at = DVSEC_MAX_LEN; at < 0xc0; at++)
		assert_int_equal(buf[at], 0);
	memset(buf, 0xff, sizeof(buf));
	buf[CXL_VFIO_DVSEC_CTRL2] = 0;
	assert_int_equal(access_at(DVSEC, buf, 0xc0, true), 0xc0);
	assert_calls("");
}

static void config_drops_writes_to_read_only_areas(void **state)
{
	open_device();
	assert_int_equal(write_bytes(DVSEC, ~0U, 4), 4);
	assert_int_equal(write_bytes(RLOC + 0x20, ~0U, 4), 4);
	assert_int_equal(write_bytes(DOE + 4, ~0U, 4), 4);
	assert_int_equal(write_bytes(DOE + 0x14, ~0U, 4), 4);
	assert_calls("");
	assert_false(dev.clear.used);
	assert_nothing_written();
}

static void config_passes_the_virtual_bar_its_registers(void **state)
{
	u8 buf[8] = { 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7 };

	dev.vbar.bar = 2;
	open_device();
	assert_int_equal(access_at(PCI_BASE_ADDRESS_2, buf, 8, true), 8);
	assert_calls("Vw0,8 ");
	assert_int_equal(access_at(PCI_BASE_ADDRESS_2 + 3, buf + 3, 2, true), 2);
	assert_calls("Vw3,2 ");
	assert_int_equal(read_byte(PCI_BASE_ADDRESS_2 + 7), 0xb7);
	assert_calls("Vr7,1 ");
}

static void config_reports_what_was_done_before_an_error(void **state)
{
	u8 buf[64];

	open_device();
	/* Unmapped at the first byte of the model, behind the header from vfio-pci-core */
	memset(buf, 0, sizeof(buf));
	unit.unmapped = buf + 10;
	assert_int_equal(access_at(DVSEC, buf, 20, false), 10);
	assert_int_equal(access_at(DVSEC, buf, 20, true), 10);
	assert_int_equal(access_at(BODY, buf + 10, 2, false), -EFAULT);
	assert_int_equal(access_at(BODY, buf + 10, 2, true), -EFAULT);
	unit.unmapped = NULL;
	core_error = -EIO;
	assert_int_equal(access_at(DVSEC + 0x3a, buf, 20, false), 2);
	assert_int_equal(access_at(DVSEC + 0x3a, buf, 20, true), 2);
	assert_int_equal(access_at(0x200, buf, 4, false), -EIO);
	assert_int_equal(access_at(0x200, buf, 4, true), -EIO);
	core_error = 0;
	/* vfio-pci-core may do a part of an access; past the end of config space it fails */
	core_limit = 3;
	assert_int_equal(access_at(0x200, buf, 20, false), 20);
	assert_int_equal(access_at(CFG_SIZE, buf, 1, false), -EFAULT);
	assert_int_equal(access_at(0x200, buf, 0, false), 0);
}

/* The CXL Device DVSEC */

static void dvsec_accesses_wake_the_function(void **state)
{
	u8 byte = 0;

	open_device();
	unit.asleep = true;
	assert_int_equal(access_at(BODY, &byte, 1, false), -EIO);
	assert_int_equal(access_at(BODY, &byte, 1, true), -EIO);
	/* Other areas do not need the function */
	assert_int_equal(access_at(DOE + 4, &byte, 1, false), 1);
}

static void dvsec_reads_have_the_live_bits_of_the_device(void **state)
{
	open_device();
	put16(STATUS2, CXL_VFIO_DVSEC_STATUS2_PM_INIT_DONE | 7);
	/* A read of other registers does not look at the device */
	read_byte(DVSEC + CXL_VFIO_DVSEC_CTRL);
	assert_int_equal(model_get(CXL_VFIO_DVSEC_STATUS2), 0);
	assert_int_equal(read_byte(STATUS2 + 1), 0x80);
	assert_int_equal(read_byte(STATUS2), 0);
	/* A dword of CONTROL2 has STATUS2 in its upper half */
	put16(STATUS2, 0);
	assert_int_equal(read_dword(CTRL2) >> 16, 0);
	put16(STATUS2, CXL_VFIO_DVSEC_STATUS2_PM_INIT_DONE);
	assert_int_equal(read_dword(CTRL2) >> 16, 0x8000);
	for (unsigned int i = 0; i < 2; i++) {
		u32 low = DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i);

		assert_int_equal(read_byte(low) & 3, 3);
		unit.config[low] &= ~2;
		assert_int_equal(read_byte(low) & 3, 1);
		/* A device that is gone has no live bits */
		unit.gone = true;
		assert_int_equal(read_byte(low) & 3, 1);
		unit.gone = false;
	}
}

/* Offset of the decoders in the model's component block, and bytes of decoder @n there */
#define HDM_AT		0x100
#define DECODER(n)	(CXL_VFIO_CM_OFFSET + HDM_AT + CXL_VFIO_HDM_DECODER(n))

/* A component block with two decoders of 256 MiB, both committed */
static void make_decoders(void)
{
	static u32 cm[CXL_VFIO_CM_SIZE / 4];

	memset(cm, 0, sizeof(cm));
	cm[HDM_AT / 4] = 1;
	for (unsigned int n = 0; n < 2; n++) {
		u32 *d = &cm[(HDM_AT + CXL_VFIO_HDM_DECODER(n)) / 4];

		d[CXL_VFIO_HDM_SIZE_LOW / 4] = 0x10000000;
		d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_COMMITTED;
	}
	dev.model.comp.hdm.bar.present = true;
	cxl_vfio_comp_init(&dev.model.comp, cm, HDM_AT, &params.view, true);
	found.nr_ranges = 2;
	found.range[1].decoder = 1;
}

static u64 range_base(unsigned int i)
{
	u32 high = DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i);

	return (u64)read_dword(high) << 32 | read_dword(high + 4);
}

/* The second range has memory that is not in the BAR: it comes behind, as its decoder does */
static void dvsec_ranges_follow_the_virtual_bar(void **state)
{
	u32 zero = 0, val = 0;

	open_device();
	make_decoders();
	dev.vbar.addr = 0x1230000000;
	mutex_lock(&dev.model.lock);
	cxl_vfio_model_move_bar(&dev);
	mutex_unlock(&dev.model.lock);
	assert_true(range_base(0) == 0x1230000000);
	assert_true(range_base(1) == 0x1240000000);
	cxl_vfio_block_access(&dev, DECODER(0) + CXL_VFIO_HDM_BASE_LOW, (u8 *)&val, 4, false,
			      VIA_BAR);
	assert_int_equal(val, 0x30000000);

	/* By the BAR the second decoder is hidden, and what is written to the first counts */
	cxl_vfio_block_access(&dev, DECODER(1) + CXL_VFIO_HDM_SIZE_LOW, (u8 *)&val, 4, false,
			      VIA_BAR);
	assert_int_equal(val, 0);
	cxl_vfio_block_access(&dev, DECODER(1) + CXL_VFIO_HDM_SIZE_LOW, (u8 *)&val, 4, false,
			      VIA_REGION);
	assert_int_equal(val, 0x10000000);
	cxl_vfio_block_access(&dev, DECODER(0) + CXL_VFIO_HDM_CTRL, (u8 *)&zero, 4, true,
			      VIA_BAR);
	dev.vbar.addr = 0x4560000000;
	mutex_lock(&dev.model.lock);
	cxl_vfio_model_move_bar(&dev);
	mutex_unlock(&dev.model.lock);
	assert_true(range_base(0) == 0x1230000000);
	cxl_vfio_block_access(&dev, DECODER(0) + CXL_VFIO_HDM_BASE_HIGH, (u8 *)&zero, 4, true,
			      VIA_BAR);
	assert_true(range_base(0) == 0x30000000);
}

static void dvsec_doorbells_reset_the_device(void **state)
{
	static const struct {
		u8 write;
		int result;
		bool clear;
		u16 status2;
	} resets[] = {
		{ 4, 0, false, CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE },
		{ 4, -EIO, false, CXL_VFIO_DVSEC_STATUS2_RST_ERROR },
		{ 4 | 8, 0, true, CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE },
		/* With both doorbells the reset writes caches back itself */
		{ 4 | 2, 0, false, CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE },
	};

	open_device();
	for (unsigned int i = 0; i < ARRAY_SIZE(resets); i++) {
		reset_result = resets[i].result;
		assert_int_equal(write_bytes(CTRL2, resets[i].write, 2), 2);
		assert_calls("R");
		assert_int_equal(reset_clears, resets[i].clear);
		assert_int_equal(model_get(CXL_VFIO_DVSEC_STATUS2), resets[i].status2);
	}
	assert_nothing_written();
}

static void dvsec_doorbells_write_caches_back(void **state)
{
	open_device();
	assert_int_equal(write_bytes(CTRL2, 1, 1), 1);
	assert_calls("");
	write_back_result = -ETIMEDOUT;
	assert_int_equal(write_bytes(CTRL2, 3, 1), 1);
	assert_calls("W");
	assert_int_equal(model_get(CXL_VFIO_DVSEC_STATUS2), 0);
	write_back_result = 0;
	assert_int_equal(write_bytes(CTRL2, 3, 1), 1);
	assert_calls("W");
	assert_int_equal(model_get(CXL_VFIO_DVSEC_STATUS2), 1);
	/* A read rings no doorbell */
	read_dword(CTRL2);
	assert_calls("");
}

/* Writes that may turn memory off */

static void core_writes_settle_after_a_reset(void **state)
{
	open_device();
	assert_int_equal(write_bytes(0x60, 0, 4), 4);
	assert_calls("w60,4 ");
	assert_true(dev.clear.used);
	hold_on_write = true;
	assert_int_equal(write_bytes(0x60, 0, 4), 4);
	assert_calls("w60,4 s");
	core_error = -EPERM;
	assert_int_equal(write_bytes(0x60, 0, 4), -EPERM);
	assert_calls("w60,4 s");
}

#define MEM		PCI_COMMAND_MEMORY
#define MASTER		PCI_COMMAND_MASTER
#define INTX		PCI_COMMAND_INTX_DISABLE

/* COMMAND of the device, that of the user, a write of it, and what comes of it */
static const struct {
	u16 phys, virt, write;
	unsigned int count;
	const char *calls;
	int written;		/* by the driver, -1 if nothing */
} command_cases[] = {
	/* Harmless: the driver writes it.  INTx Disable is vfio-pci-core's own in the device */
	{ MEM, MEM, MEM | MASTER, 2, "", MEM | MASTER },
	{ MEM | INTX, MEM, MEM | MASTER, 2, "", MEM | MASTER | INTX },
	{ MEM, MEM | INTX, MEM | MASTER | INTX, 2, "", MEM | MASTER },
	{ 0, 0, MASTER, 2, "", MASTER },
	{ MEM, MEM, MEM | MASTER, 1, "", MEM | MASTER },
	{ MEM, MEM, MEM | 0x140, 2, "", MEM | 0x140 },
	/* INTx Disable changes: the lower byte is the driver's, the upper vfio-pci-core's */
	{ MEM, MEM, MEM | MASTER | INTX, 2, "w5,1 ", MEM | MASTER },
	{ MEM | INTX, MEM | INTX, MEM, 2, "w5,1 ", MEM },
	{ MEM, MEM | INTX, MEM | MASTER, 1, "", MEM | MASTER },
	/* Memory or I/O space changes: vfio-pci-core writes it, with the gate held */
	{ MEM, MEM, MASTER, 2, "(w4,2 us)", -1 },
	{ MEM, MEM, 0, 1, "(w4,1 us)", -1 },
	{ MEM, MEM, MEM | PCI_COMMAND_IO, 2, "(w4,2 us)", -1 },
	{ 0, 0, MEM, 2, "(w4,2 us)", -1 },
	/* The device is not as the user has it */
	{ 0, MEM, MEM, 2, "(w4,2 us)", -1 },
	{ MEM | PCI_COMMAND_IO, MEM, MEM, 2, "(w4,2 us)", -1 },
	{ MEM, 0, 0, 2, "(w4,2 us)", -1 },
	/* More than COMMAND */
	{ MEM, MEM, MEM | MASTER, 4, "w6,2 ", MEM | MASTER },
	{ MEM, MEM, 0, 4, "(w4,4 us)", -1 },
	{ MEM, MEM, MEM | INTX, 4, "w5,3 ", MEM },
};

static void put_command(u16 phys, u16 virt)
{
	put16(PCI_COMMAND, phys);
	memcpy(core.vconfig + PCI_COMMAND, &virt, 2);
}

static void check_written(u32 at, int val)
{
	struct unit_write expected = { at, val };

	assert_writes(&expected, val >= 0);
}

static void command_writes_hold_the_gate_if_memory_may_go(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(command_cases); i++) {
		setup(state);
		open_device();
		put_command(command_cases[i].phys, command_cases[i].virt);
		assert_int_equal(write_bytes(PCI_COMMAND, command_cases[i].write,
					     command_cases[i].count), command_cases[i].count);
		if (strcmp(calls, command_cases[i].calls))
			fail_msg("write %u: calls are \"%s\", expected \"%s\"", i, calls,
				 command_cases[i].calls);
		check_written(PCI_COMMAND, command_cases[i].written);
		assert_true(dev.clear.used);
	}
}

static void asleep_by_state(void) { unit.pdev.current_state = 3; }
static void asleep_by_user(void) { dev.core.pm_runtime_engaged = true; }
static void cut_short(void) { unit.killed = true; }
static void unreadable(void) { unit.no_user_read = true; }
static void unwritable(void) { unit.no_user_write = true; }
static void unsettled(void) { holds = 1 << HOLD_SETTLE; }
static void lost(void) { holds = 1 << HOLD_LOST; }

static void command_writes_hold_the_gate_if_the_device_is_not_known(void **state)
{
	static void (*const reasons[])(void) = {
		asleep_by_state, asleep_by_user, cut_short, unreadable, unwritable, unsettled, lost,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(reasons); i++) {
		for (unsigned int count = 1; count <= 2; count++) {
			setup(state);
			open_device();
			put_command(MEM, MEM);
			reasons[i]();
			assert_int_equal(write_bytes(PCI_COMMAND, MEM, count), count);
			assert_calls(count == 1 ? "(w4,1 us)" : "(w4,2 us)");
			assert_nothing_written();
		}
	}
	/* Other holds say nothing about the device */
	setup(state);
	open_device();
	put_command(MEM, MEM);
	holds = 1 << HOLD_CLEARING | 1 << HOLD_CALL | 1 << HOLD_UNUSED | 1 << HOLD_MEMORY_OFF;
	assert_int_equal(write_bytes(PCI_COMMAND, MEM, 2), 2);
	assert_calls("");
}

static void command_writes_are_cut_before_command(void **state)
{
	open_device();
	put_command(MEM, MEM);
	assert_int_equal(access_at(2, "\0\0\2\0\0\0", 6, true), 6);
	assert_calls("w2,2 w6,2 ");
	assert_int_equal(access_at(0, "\0\0\0\0\0", 5, true), 5);
	assert_calls("w0,4 (w4,1 us)");
	assert_int_equal(access_at(0, "\0\0\0\0", 4, true), 4);
	assert_calls("w0,4 ");
	assert_int_equal(access_at(5, "\0", 1, true), 1);
	assert_calls("w5,1 ");
}

static void command_writes_fail_with_unmapped_user_memory(void **state)
{
	u8 buf[4] = {};

	open_device();
	put_command(MEM, MEM);
	unit.unmapped = buf;
	assert_int_equal(access_at(PCI_COMMAND, buf, 2, true), -EFAULT);
	assert_int_equal(access_at(PMCSR, buf, 2, true), -EFAULT);
	assert_calls("");
	assert_nothing_written();
}

static void held_writes_return_what_the_core_returns(void **state)
{
	open_device();
	put_command(MEM, MEM);
	core_error = -EPERM;
	assert_int_equal(write_bytes(PCI_COMMAND, 0, 2), -EPERM);
	assert_calls("(w4,2 us)");
}

static void pmcsr_writes_hold_the_gate_if_the_power_state_changes(void **state)
{
	open_device();
	/* D0 again: the byte that has the state is dropped */
	assert_int_equal(write_bytes(PMCSR, 0x0100, 2), 2);
	assert_calls("w45,1 ");
	assert_int_equal(write_bytes(PMCSR, 0xfc, 1), 1);
	assert_calls("");
	for (u32 d = 1; d < 4; d++) {
		assert_int_equal(write_bytes(PMCSR, d, 2), 2);
		assert_calls("(w44,2 us)");
	}
	unit.pdev.current_state = 3;
	assert_int_equal(write_bytes(PMCSR, 0, 2), 2);
	assert_calls("(w44,2 us)");
	unit.pdev.current_state = PCI_D0;
	holds = 1 << HOLD_LOST;
	assert_int_equal(write_bytes(PMCSR, 0, 2), 2);
	assert_calls("(w44,2 us)");
	holds = 0;
	/* A write that begins before PMCSR is cut */
	assert_int_equal(access_at(PMCSR - 2, "\0\0\3", 3, true), 3);
	assert_calls("w42,2 (w44,1 us)");
	assert_int_equal(write_bytes(PMCSR + 1, 3, 1), 1);
	assert_calls("w45,1 ");
	/* A function without power management has no PMCSR */
	unit.pdev.pm_cap = 0;
	assert_int_equal(write_bytes(PMCSR, 3, 2), 2);
	assert_calls("w44,2 ");
	assert_int_equal(write_bytes(5, 3, 1), 1);
	assert_calls("w5,1 ");
}

static void a_write_to_command_or_pmcsr_waits_for_a_reset(void **state)
{
	open_device();
	put_command(MEM, MEM);
	killed_in_reset = true;
	assert_int_equal(write_bytes(PCI_COMMAND, MEM, 2), -EINTR);
	assert_int_equal(write_bytes(PMCSR, 0, 2), -EINTR);
	assert_calls("");
	assert_nothing_written();
	/* Other bytes do not */
	assert_int_equal(write_bytes(PCI_CACHE_LINE_SIZE, 0, 1), 1);
	assert_calls("wc,1 ");
	killed_in_reset = false;
}

static void bist_is_not_written(void **state)
{
	u8 zeros[16] = {};

	open_device();
	assert_int_equal(write_bytes(PCI_BIST, PCI_BIST_START, 1), 1);
	assert_calls("");
	assert_int_equal(write_bytes(PCI_CACHE_LINE_SIZE, ~0U, 4), 4);
	assert_calls("wc,3 ");
	/* Nor by a write that the gate is held for */
	holds = 1 << HOLD_LOST;
	assert_int_equal(access_at(PCI_COMMAND, zeros, 16, true), 16);
	assert_calls("(w4,11 us)w10,4 ");
	assert_int_equal(access_at(PCI_BIST, zeros, 1, false), 1);
}

#define CASE(fn)	cmocka_unit_test_setup(fn, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(config_open_lists_the_areas),
		CASE(config_open_lists_the_virtual_bar),
		CASE(config_areas_end_with_their_capability),
		CASE(config_areas_end_with_config_space),
		CASE(config_areas_do_not_overlap),
		CASE(config_areas_are_in_ascending_order),
		CASE(config_areas_are_of_cxl_dvsecs_and_doe_mailboxes),
		CASE(config_areas_have_the_capabilities_of_the_host),
		CASE(config_open_takes_64_areas),
		CASE(config_open_needs_the_dvsec_where_it_was),
		CASE(config_chain_has_cxl_dvsecs_on_every_kernel),
		CASE(config_shows_hidden_dvsecs_by_a_snapshot),
		CASE(config_chain_keeps_a_placeholder),
		CASE(config_chain_keeps_what_the_kernel_shows),
		CASE(config_chain_may_go_backwards),
		CASE(config_chain_keeps_short_capabilities),
		CASE(config_chain_of_the_device_may_loop),
		CASE(config_chain_ends_where_no_capability_is),
		CASE(config_reads_are_split_at_the_borders_of_areas),
		CASE(config_areas_are_those_of_the_current_user),
		CASE(config_writes_do_not_reach_areas),
		CASE(config_reads_of_a_long_dvsec_have_zeros_at_its_end),
		CASE(config_drops_writes_to_read_only_areas),
		CASE(config_passes_the_virtual_bar_its_registers),
		CASE(config_reports_what_was_done_before_an_error),
		CASE(dvsec_accesses_wake_the_function),
		CASE(dvsec_reads_have_the_live_bits_of_the_device),
		CASE(dvsec_ranges_follow_the_virtual_bar),
		CASE(dvsec_doorbells_reset_the_device),
		CASE(dvsec_doorbells_write_caches_back),
		CASE(core_writes_settle_after_a_reset),
		CASE(command_writes_hold_the_gate_if_memory_may_go),
		CASE(command_writes_hold_the_gate_if_the_device_is_not_known),
		CASE(command_writes_are_cut_before_command),
		CASE(command_writes_fail_with_unmapped_user_memory),
		CASE(held_writes_return_what_the_core_returns),
		CASE(pmcsr_writes_hold_the_gate_if_the_power_state_changes),
		CASE(a_write_to_command_or_pmcsr_waits_for_a_reset),
		CASE(bist_is_not_written),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
