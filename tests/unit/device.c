// SPDX-License-Identifier: GPL-2.0-only
/* The device of the unit tests, see device.h */
#include "device.h"

struct unit_device unit;
static struct unit_write expected[MAX_WRITES];
static unsigned int nr_expected;

/* Registers */

void put16(u32 at, u16 val)
{
	unit.config[at] = val;
	unit.config[at + 1] = val >> 8;
}

void put32(u32 at, u32 val)
{
	put16(at, val);
	put16(at + 2, val >> 16);
}

u16 get16(u32 at)
{
	return unit.config[at] | unit.config[at + 1] << 8;
}

u32 get32(u32 at)
{
	return get16(at) | (u32)get16(at + 2) << 16;
}

void put_cap(u32 at, u16 id, u32 next)
{
	put32(at, id | 1 << 16 | next << 20);
}

void put_dvsec(u32 at, u16 id, u32 len, u32 next)
{
	put_cap(at, PCI_EXT_CAP_ID_DVSEC, next);
	put32(at + 4, CXL_VFIO_DVSEC_VENDOR_ID | 2 << 16 | len << 20);
	put16(at + 8, id);
}

u32 cm_get(u32 at)
{
	u32 val;

	memcpy(&val, &unit.bar[CM + at], 4);
	return val;
}

void cm_put(u32 at, u32 val)
{
	memcpy(&unit.bar[CM + at], &val, 4);
}

void put_decoder(unsigned int n, u64 base, u64 size, u32 ctrl)
{
	u32 at = HDM + CXL_VFIO_HDM_DECODER(n);

	cm_put(at + CXL_VFIO_HDM_BASE_LOW, base);
	cm_put(at + CXL_VFIO_HDM_BASE_HIGH, base >> 32);
	cm_put(at + CXL_VFIO_HDM_SIZE_LOW, size);
	cm_put(at + CXL_VFIO_HDM_SIZE_HIGH, size >> 32);
	cm_put(at + CXL_VFIO_HDM_CTRL, ctrl);
	cm_put(at + CXL_VFIO_HDM_SKIP_LOW, 0x10000000 * (n + 3));
	cm_put(at + CXL_VFIO_HDM_SKIP_HIGH, 0x40 + n);
	cm_put(at + 0x1c, 0xbad0bad0);	/* reserved */
}

void put_range(unsigned int i, u64 size, u64 base)
{
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i), size >> 32);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), (u32)size | 3);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i), base >> 32);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(i), base);
}

static void put_config(void)
{
	put16(PCI_COMMAND, PCI_COMMAND_MEMORY);
	put_cap(DSN, PCI_EXT_CAP_ID_DSN, DVSEC);
	put32(DSN + 4, 0x11223344);
	put32(DSN + 8, 0x55667788);
	put_dvsec(DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, RLOC);
	/* Cache, io and mem capable, two ranges, write-back, reset in 1 s, memory clear */
	put16(DVSEC + CXL_VFIO_DVSEC_CAP, 0x0ae7);
	put16(DVSEC + CXL_VFIO_DVSEC_CTRL, 7);
	put16(DVSEC + CXL_VFIO_DVSEC_CTRL2, 0);
	put_range(0, SIZE0, BASE0);
	put_range(1, SIZE1, BASE1);
	put_dvsec(RLOC, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, FLEXBUS);
	put32(RLOC + CXL_VFIO_RLOC_ENTRY(0), 3 << 8 | 4);
	put32(RLOC + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 1 << 8 | BAR);
	put_dvsec(FLEXBUS, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x14, DOE);
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, 0);
	for (u32 at = DOE + 4; at < DOE + 0x18; at += 4)
		put32(at, 0xd0e00000 | at);
}

/* Each register of the area reads something else, so that one read in place of another shows */
static void put_component_block(void)
{
	for (u32 at = 0; at < CXL_VFIO_CM_SIZE; at += 4)
		cm_put(at, 0xc0000000 | at);
	cm_put(0, 1 | 1 << 16 | 4U << 24);
	cm_put(4, CXL_VFIO_CM_CAP_ID_RAS | 2 << 16 | (u32)RAS << 20);
	cm_put(8, CXL_VFIO_CM_CAP_ID_LINK | 2 << 16 | (u32)LINK << 20);
	cm_put(12, CXL_VFIO_CM_CAP_ID_HDM | 2 << 16 | (u32)HDM << 20);
	cm_put(16, 7 | 1 << 16 | (u32)IDE << 20);
	cm_put(HDM, HDM_HEADER);
	cm_put(HDM + CXL_VFIO_HDM_GLOBAL_CTRL, CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE);
	put_decoder(0, BASE0, SIZE0, 0x600);
	put_decoder(1, BASE1, SIZE1, 0x600);
	put_decoder(2, 0, 0, 0);
	put_decoder(3, 0, 0, 0);
}

void unit_device_init(void)
{
	memset(&unit, 0, sizeof(unit));
	nr_expected = 0;
	unit.pdev.pm_cap = 0x40;
	unit.pdev.resource[BAR] = (struct resource) {
		.start = BAR_PHYS, .size = BAR_LEN, .flags = IORESOURCE_MEM | IORESOURCE_MEM_64,
	};
	put_config();
	put_component_block();
}

int unit_setup(void **state)
{
	(void)state;
	unit_device_init();
	return 0;
}

/* The log and the recorded writes */

void fuzz_log(const char *fmt, ...)
{
	size_t used = strlen(unit.log);
	va_list args;

	assert_true(strchr(fmt, '\n') && !strchr(fmt, '\n')[1]);
	va_start(args, fmt);
	assert_true(vsnprintf(unit.log + used, sizeof(unit.log) - used, fmt, args) <
		    (int)(sizeof(unit.log) - used));
	va_end(args);
}

void assert_logged(const char *text)
{
	char *end = strchr(unit.log, '\n');

	if (!end || end[1] || !strstr(unit.log, text))
		fail_msg("expected one line with \"%s\", the log is \"%s\"", text, unit.log);
	unit.log[0] = 0;
}

void assert_nothing_logged(void)
{
	assert_string_equal(unit.log, "");
}

void assert_writes(const struct unit_write *writes, unsigned int n)
{
	for (unsigned int i = 0; i < n || i < unit.nr_writes; i++) {
		const struct unit_write *is = &unit.write[i], *should = &writes[i];

		if (i >= n)
			fail_msg("write %u: %#x to %#x, expected none", i, is->val, is->at);
		else if (i >= unit.nr_writes)
			fail_msg("write %u: none, expected %#x to %#x", i, should->val, should->at);
		else if (is->at != should->at || is->val != should->val)
			fail_msg("write %u: %#x to %#x, expected %#x to %#x", i, is->val, is->at,
				 should->val, should->at);
	}
	unit.nr_writes = 0;
}

void assert_nothing_written(void)
{
	assert_writes(NULL, 0);
}

void expect_write(u32 at, u32 val)
{
	assert_true(nr_expected < MAX_WRITES);
	expected[nr_expected++] = (struct unit_write){ at, val };
}

void assert_expected_writes(void)
{
	unsigned int n = nr_expected;

	nr_expected = 0;
	assert_writes(expected, n);
}

static void record(u32 at, u32 val)
{
	assert_true(unit.nr_writes < MAX_WRITES);
	unit.write[unit.nr_writes++] = (struct unit_write){ at, val };
}

/* Config space */

static void check_config(struct pci_dev *pdev, int at, int size)
{
	assert_ptr_equal(pdev, &unit.pdev);
	assert_true(at >= 0 && at <= CFG_SIZE - size && !(at % size));
}

int pci_read_config_dword(struct pci_dev *pdev, int at, u32 *val)
{
	check_config(pdev, at, 4);
	*val = unit.gone ? ~0U : get32(at);
	return 0;
}

int pci_read_config_word(struct pci_dev *pdev, int at, u16 *val)
{
	check_config(pdev, at, 2);
	*val = unit.gone ? 0xffff : get16(at);
	return 0;
}

int pci_write_config_dword(struct pci_dev *pdev, int at, u32 val)
{
	check_config(pdev, at, 4);
	record(at, val);
	if (!unit.gone)
		put32(at, unit.config_write ? unit.config_write(at, val) : val);
	return 0;
}

int pci_write_config_word(struct pci_dev *pdev, int at, u16 val)
{
	check_config(pdev, at, 2);
	record(at, val);
	if (!unit.gone)
		put16(at, unit.config_write ? unit.config_write(at, val) : val);
	return 0;
}

int pci_user_read_config_word(struct pci_dev *pdev, int at, u16 *val)
{
	return unit.no_user_read ? -EIO : pci_read_config_word(pdev, at, val);
}

int pci_user_write_config_word(struct pci_dev *pdev, int at, u16 val)
{
	return unit.no_user_write ? -EIO : pci_write_config_word(pdev, at, val);
}

int pci_user_write_config_byte(struct pci_dev *pdev, int at, u8 val)
{
	check_config(pdev, at, 1);
	if (unit.no_user_write)
		return -EIO;
	record(at, val);
	unit.config[at] = val;
	return 0;
}

u16 pci_find_dvsec_capability(struct pci_dev *pdev, u16 vendor, u16 id)
{
	u32 at = PCI_CFG_SPACE_SIZE;

	assert_ptr_equal(pdev, &unit.pdev);
	while (at && !unit.gone) {
		if ((u16)get32(at) == PCI_EXT_CAP_ID_DVSEC && get16(at + 4) == vendor &&
		    get16(at + 8) == id)
			return at;
		at = get32(at) >> 20;
	}
	return 0;
}

/* The BAR */

int pci_enable_device_mem(struct pci_dev *pdev)
{
	assert_ptr_equal(pdev, &unit.pdev);
	if (unit.no_enable)
		return -EBUSY;
	unit.enabled++;
	return 0;
}

void pci_disable_device(struct pci_dev *pdev)
{
	assert_ptr_equal(pdev, &unit.pdev);
	assert_true(unit.enabled-- > 0);
}

void *ioremap(u64 phys, u64 size)
{
	assert_true(phys >= BAR_PHYS && phys - BAR_PHYS + size <= BAR_LEN);
	if (unit.no_mapping)
		return NULL;
	unit.mapped++;
	return unit.bar + (phys - BAR_PHYS);
}

void iounmap(const void *va)
{
	assert_ptr_equal(va, unit.bar + CM);
	assert_true(unit.mapped-- > 0);
}

static u32 reg_offset(const void *reg)
{
	const u8 *p = reg;

	assert_true(unit.enabled > 0 && unit.mapped > 0);
	assert_true(p >= unit.bar && p + 4 <= unit.bar + BAR_LEN);
	assert_true((p - unit.bar) % 4 == 0);
	return p - unit.bar;
}

u32 readl(const void *reg)
{
	u32 at = reg_offset(reg), val;

	unit.read[at / 4] = true;
	memcpy(&val, &unit.bar[at], 4);
	return unit.gone ? ~0U : val;
}

void writel(u32 val, void *reg)
{
	u32 at = reg_offset(reg);

	record(MMIO + at - CM, val);
	if (unit.mmio_write)
		val = unit.mmio_write(at - CM, val);
	if (!unit.gone)
		memcpy(&unit.bar[at], &val, 4);
}

/* Time, power, memory */

static void pass(unsigned int ms)
{
	unit.slept += ms;
	assert_true(unit.slept < 1000000);
	if (unit.time_passes)
		unit.time_passes(ms);
}

unsigned long msleep_interruptible(unsigned int ms)
{
	pass(ms);
	return unit.killed ? ms : 0;
}

void usleep_range(unsigned int from, unsigned int to)
{
	assert_true(from % 1000 == 0 && from <= to && to <= 2 * from);
	pass(from / 1000);
}

int pm_runtime_resume_and_get(struct device *dev)
{
	assert_ptr_equal(dev, &unit.pdev.dev);
	if (unit.asleep)
		return -EACCES;
	unit.awake++;
	return 0;
}

void pm_runtime_put(struct device *dev)
{
	assert_ptr_equal(dev, &unit.pdev.dev);
	assert_true(unit.awake-- > 0);
}

void *kzalloc(size_t size, int flags)
{
	return unit.no_memory ? NULL : calloc(1, size);
}

/* Memory that holds whatever was in it before */
void *kmalloc(size_t size, int flags)
{
	void *p = unit.no_memory ? NULL : malloc(size);

	return p ? memset(p, 0x6b, size) : NULL;
}

static bool can_access(const void *p, unsigned long n)
{
	return (u8 *)unit.unmapped < (u8 *)p || (u8 *)unit.unmapped >= (u8 *)p + n;
}

unsigned long copy_from_user(void *to, const void *from, unsigned long n)
{
	if (!can_access(from, n))
		return n;
	memcpy(to, from, n);
	return 0;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long n)
{
	if (!can_access(to, n))
		return n;
	memcpy(to, from, n);
	return 0;
}

int down_write_killable(struct rw_semaphore *s)
{
	if (unit.killed)
		return -EINTR;
	assert_int_equal(s->taken++, 0);
	return 0;
}
