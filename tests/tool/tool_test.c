// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of cxl-vfio on made-up trees of /sys and /proc, with good and broken devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/cxl_vfio_regs.h>

#include "../../tools/check.h"

#define BDF		"0000:0d:00.0"
#define DVSEC		0x130
#define LOCATOR		0x180
#define BLOCK		0x10000
#define HDM		0x200
#define BASE		0x100000000ull
#define SIZE		0x10000000ull
#define PM_CAP		0x40
#define RESOURCE0	"0xc0000000 0xc003ffff 0x140204\n"

struct options options = { .root = "" };
struct refusal refusal = { .reason = "" };

/* libpci does not free its parameters */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpci.so";
}

static char root[64];
static uint8_t config[4096];
static uint32_t regs[0x40000 / 4];

static void put32(unsigned int at, uint32_t val)
{
	memcpy(config + at, &val, 4);
}

static uint32_t *cm(unsigned int at)
{
	return &regs[(BLOCK + CXL_VFIO_CM_OFFSET + at) / 4];
}

static void dvsec(unsigned int at, unsigned int next, uint16_t id, unsigned int len)
{
	put32(at, 0x00010023 | next << 20);
	put32(at + 4, CXL_VFIO_DVSEC_VENDOR_ID | len << 20);
	put32(at + 8, id);
}

static void save(const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, name);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(path, 0755);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(1, fwrite(data, size, 1, f));
	fclose(f);
}

#define IN_DEVICE(name)	"/sys/bus/pci/devices/" BDF "/" name

static void save_text(const char *name, const char *text)
{
	save(name, text, strlen(text));
}

static void unlink_in_device(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/" BDF "/%s", root, name);
	unlink(path);
}

static void remove_path(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(0, remove(path));
}

static void save_device(void)
{
	save(IN_DEVICE("config"), config, sizeof(config));
	save(IN_DEVICE("resource0"), regs, sizeof(regs));
}

/* A good device with one committed decoder */
static int make_device(void **state)
{
	char path[PATH_MAX];
	uint32_t *d = cm(HDM + CXL_VFIO_HDM_DECODER(0));

	(void)state;
	memset(config, 0, sizeof(config));
	memset(regs, 0, sizeof(regs));
	put32(0, 0xc7121234);
	put32(4, 0x00100002);
	config[0x34] = PM_CAP;
	put32(PM_CAP, 0x00030001);
	put32(8, 0x12000001);
	put32(0x10, 0xc);
	put32(0x100, 0x00010003 | DVSEC << 20);
	dvsec(DVSEC, LOCATOR, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c);
	config[DVSEC + CXL_VFIO_DVSEC_CAP] = CXL_VFIO_DVSEC_CAP_MEM;
	config[DVSEC + CXL_VFIO_DVSEC_CTRL] = CXL_VFIO_DVSEC_CTRL_MEM_ENABLE;
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), SIZE | CXL_VFIO_DVSEC_RANGE_INFO_VALID |
	      CXL_VFIO_DVSEC_RANGE_ACTIVE);
	dvsec(LOCATOR, 0, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x1c);
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x100);
	*cm(0) = 0x01010001;
	*cm(4) = HDM << 20 | 0x00010005;
	*cm(HDM + CXL_VFIO_HDM_GLOBAL_CTRL) = CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE;
	d[CXL_VFIO_HDM_BASE_HIGH / 4] = BASE >> 32;
	d[CXL_VFIO_HDM_SIZE_LOW / 4] = SIZE;
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMITTED;

	save_text(IN_DEVICE("vendor"), "0x1234\n");
	save_text(IN_DEVICE("device"), "0xc712\n");
	save_text(IN_DEVICE("class"), "0x120000\n");
	save_text(IN_DEVICE("irq"), "0\n");
	save_text(IN_DEVICE("resource"), RESOURCE0);
	save_text(IN_DEVICE("driver_override"), "(null)\n");
	save_text("/proc/iomem", "00001000-0009fbff : System RAM\n"
		  "100000000-10fffffff : Reserved\n");
	save_device();
	snprintf(path, sizeof(path), "%s%s", root, IN_DEVICE("iommu_group"));
	unlink(path);
	unlink_in_device("driver");
	unlink_in_device("power/runtime_status");
	unlink_in_device("sriov_numvfs");
	unlink_in_device("cxl_vfio/gate");
	unlink_in_device("cxl_vfio/decoders");
	assert_int_equal(0, symlink("../../../../kernel/iommu_groups/7", path));
	return 0;
}

static void expect(enum verdict verdict, int err, const char *reason, const char *words)
{
	struct judgement *j;
	struct device d[4];

	save_device();
	assert_int_equal(1, find_devices(d, 4));
	j = &d[0].judgement;
	if (j->verdict != verdict || j->err != err || strcmp(j->reason, reason) ||
	    !strstr(j->message, words))
		fail_msg("the verdict is %d, %d, '%s', '%s', expected %d, %d, '%s', '%s'",
			 j->verdict, j->err, j->reason, j->message, verdict, err, reason, words);
}

static void expect_commands(const char *commands)
{
	struct device d;

	assert_int_equal(0, find_device(BDF, &d));
	assert_string_equal(commands, d.judgement.commands);
}

static void expect_remedy(const char *words)
{
	struct device d;

	assert_int_equal(0, find_device(BDF, &d));
	if (!strstr(d.judgement.remedy, words))
		fail_msg("the remedy is '%s', expected '%s'", d.judgement.remedy, words);
}

static void a_good_device_is_usable(void **state)
{
	struct device d[4];

	(void)state;
	assert_int_equal(1, find_devices(d, 4));
	assert_string_equal(BDF, d[0].address);
	assert_int_equal(0x1234, d[0].vendor);
	assert_int_equal(7, d[0].iommu_group);
	assert_string_equal("", d[0].driver);
	assert_string_equal("", d[0].override);
	assert_int_equal(1, d[0].nr_ranges);
	assert_int_equal(BASE, d[0].range[0].base);
	assert_int_equal(SIZE, d[0].range[0].size);
	assert_int_equal(CAN, d[0].judgement.verdict);
	assert_string_equal("", d[0].judgement.reason);
}

static void json_describes_a_good_device(void **state)
{
	struct json_object *o, *val;
	struct device d;

	(void)state;
	assert_int_equal(0, find_device(BDF, &d));
	o = device_json(&d);
	assert_true(json_object_object_get_ex(o, "usable", &val));
	assert_true(json_object_get_boolean(val));
	assert_false(json_object_object_get_ex(o, "driver", NULL));
	assert_false(json_object_object_get_ex(o, "reason", NULL));
	assert_true(json_object_object_get_ex(o, "vendor_id", &val));
	assert_string_equal("0x1234", json_object_get_string(val));
	assert_true(json_object_object_get_ex(o, "hdm_ranges", &val));
	val = json_object_array_get_idx(val, 0);
	assert_string_equal("{ \"base\": \"0x100000000\", \"size\": 268435456 }",
			    json_object_to_json_string(val));
	json_object_put(o);
}

/* Of BARs 0 to 5 what a virtual BAR can take; a 64-bit BAR may start at any register */
static void free_pairs_of_bars_are_found(void **state)
{
	static const struct {
		uint32_t bar[6];
		bool free;
	} cases[] = {
		{ { 0xc }, true },				/* 0+1 */
		{ { 0xc, 0, 0xc }, true },			/* 0+1, 2+3 */
		{ { 0xc, 0, 0xc, 0, 0xc }, false },		/* 0+1, 2+3, 4+5 */
		{ { 0xf0000000, 0xc, 0, 0x4 }, false },		/* 0, 1+2, 3+4 */
		{ { 0xf0000000, 0xc, 0, 0xe0000000 }, true },	/* 0, 1+2, 3 */
		{ { 0xf0000000, 0, 0xe0000000, 0, 0x1001 }, false },	/* 0, 2, I/O 4 */
		{ { 0, 0, 0xe0000000, 0, 0xc, 0x4 }, true },	/* 2, 4+5 whose address is high */
		{ { 0xc, 0x4, 0, 0, 0xe0000000 }, true },	/* 0+1 whose address is high, 4 */
	};
	struct device d;

	(void)state;
	save_text(IN_DEVICE("resource"), "0x0 0x0 0x0\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int bar = 0; bar < 6; bar++)
			put32(0x10 + 4 * bar, cases[i].bar[bar]);
		save_device();
		assert_int_equal(1, find_devices(&d, 1));
		assert_int_equal(cases[i].free, d.free_bars);
	}
}

static void put_range(unsigned int i, uint64_t base, uint64_t size)
{
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(i), base >> 32);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_BASE_LOW(i), base);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(i), size >> 32);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(i), size | CXL_VFIO_DVSEC_RANGE_INFO_VALID |
	      CXL_VFIO_DVSEC_RANGE_ACTIVE);
}

/* Memory by the DVSEC's ranges, whose base of the second is BASE + 4 GiB */
static void expect_ranges(unsigned int n)
{
	struct json_object *o, *val;
	struct device d;

	expect(CAN, 0, "", "");
	assert_int_equal(1, find_devices(&d, 1));
	assert_int_equal(n, d.nr_ranges);
	assert_true(d.by_ranges);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(BASE + i * (4ull << 30), d.range[i].base);
		assert_int_equal(SIZE, d.range[i].size);
	}
	o = device_json(&d);
	assert_true(json_object_object_get_ex(o, "source", &val));
	assert_string_equal("ranges", json_object_get_string(val));
	json_object_put(o);
}

static void ranges_are_memory_where_no_decoder_is_used(void **state)
{
	uint32_t *ctrl = cm(HDM + CXL_VFIO_HDM_DECODER(0) + CXL_VFIO_HDM_CTRL);
	uint32_t *global = cm(HDM + CXL_VFIO_HDM_GLOBAL_CTRL);
	struct device d;

	config[DVSEC + CXL_VFIO_DVSEC_CAP] |= 2 << 4;
	put_range(0, BASE, SIZE);
	put_range(1, BASE + (4ull << 30), SIZE);
	/* A committed decoder comes first */
	assert_int_equal(1, find_devices(&d, 1));
	assert_false(d.by_ranges);
	*ctrl = 0;
	*global = 0;
	expect_ranges(2);
	*global = CXL_VFIO_HDM_GLOBAL_CTRL_ENABLE;
	expect(CANNOT, ENODATA, "no-committed-decoder", "");
	*cm(4) = 0;			/* no HDM Decoder Capability */
	expect_ranges(2);
	put32(LOCATOR + 4, CXL_VFIO_DVSEC_VENDOR_ID | 0x0c << 20);
	expect_ranges(2);
	put_range(1, 0, 0);
	expect_ranges(1);
	put32(DVSEC + 4, CXL_VFIO_DVSEC_VENDOR_ID | 0x37 << 20);
	expect(CANNOT, EPROTO, "bad-dvsec", "for 2 ranges");
	put32(DVSEC + 4, CXL_VFIO_DVSEC_VENDOR_ID | 0x3c << 20);
	put_range(0, 0, 0);
	expect(CANNOT, ENOENT, "no-component-registers", "no range of the CXL Device DVSEC");
	put_range(0, BASE, SIZE);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), SIZE | CXL_VFIO_DVSEC_RANGE_ACTIVE);
	expect(UNSURE, 0, "memory-not-active", "bind waits");
	put_range(0, BASE, SIZE);
	config[DVSEC + CXL_VFIO_DVSEC_CTRL] = 0;
	expect(CANNOT, ENOENT, "no-component-registers", "Mem_Enable is off");
	make_device(state);
}

/* What the driver refuses, with its errno and its sentence */
static void an_unusable_device_has_the_errno_of_the_driver(void **state)
{
	uint32_t *d = cm(HDM + CXL_VFIO_HDM_DECODER(0));

	expect(CAN, 0, "", "");
	d[CXL_VFIO_HDM_CTRL / 4] = 0;
	expect(CANNOT, ENODATA, "no-committed-decoder", "none of 1 decoders is committed");
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMITTED | 0x10;
	expect(CANNOT, EDOM, "interleaved", "CTRL reads 0x00000410, interleaved");
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMITTED;
	d[CXL_VFIO_HDM_SIZE_LOW / 4] = 0;
	expect(CANNOT, ENODATA, "no-committed-decoder", "");
	d[CXL_VFIO_HDM_SIZE_HIGH / 4] = 0x200;
	expect(CANNOT, EFBIG, "range-too-large", "size 0x20000000000");
	make_device(state);
	memset(cm(0), 0xff, CXL_VFIO_CM_SIZE);
	expect(CANNOT, ENODEV, "gone", "the device does not respond");
	make_device(state);
	put32(DVSEC + CXL_VFIO_DVSEC_CAP, ~0u);
	expect(CANNOT, ENODEV, "gone", "CAPABILITY reads 0xffff");
	make_device(state);
	config[DVSEC + CXL_VFIO_DVSEC_CTRL] = 0;
	config[DVSEC + CXL_VFIO_DVSEC_LOCK] = 1;
	expect(CANNOT, EACCES, "mem-enable-locked", "CONFIG_LOCK is set");
	make_device(state);
	save_text(IN_DEVICE("sriov_numvfs"), "2\n");
	expect(CANNOT, EBUSY, "vfs-enabled", "virtual functions");
	expect_commands("echo 0 > /sys/bus/pci/devices/" BDF "/sriov_numvfs");
	make_device(state);
	unlink_in_device("iommu_group");
	expect(CANNOT, EINVAL, "no-iommu-group", "no IOMMU group");
}

/* Before Linux 6.15 a table of firmware gives a device its IOMMU group with its first driver */
static void a_device_without_group_before_6_15_is_tried(void **state)
{
	unlink_in_device("iommu_group");
	save_text("/proc/sys/kernel/osrelease", "6.12.118+deb13-arm64\n");
	expect(CANNOT, EINVAL, "no-iommu-group", "no IOMMU group");
	save_text("/sys/class/iommu/smmu3.0x1/name", "\n");
	expect(UNSURE, 0, "group-at-bind", "when a driver is bound");
	save_text("/proc/sys/kernel/osrelease", "7.3.4-arm64\n");
	expect(CANNOT, EINVAL, "no-iommu-group", "no IOMMU group");
	save_text("/proc/sys/kernel/osrelease", "6.15.0\n");
	expect(CANNOT, EINVAL, "no-iommu-group", "no IOMMU group");
	save_text("/proc/sys/kernel/osrelease", "6.14.11\n");
	expect(UNSURE, 0, "group-at-bind", "when a driver is bound");
	remove_path("/sys/class/iommu/smmu3.0x1/name");
	remove_path("/sys/class/iommu/smmu3.0x1");
	remove_path("/proc/sys/kernel/osrelease");
	make_device(state);
}

/* VFIO's mode without an IOMMU, in which VFIO gives the device a group at bind */
static void no_iommu_is_needed_in_the_mode_without_one(void **state)
{
	static const char mode[] = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
	struct device d;

	unlink_in_device("iommu_group");
	save_text(mode, "N\n");
	expect(CANNOT, EINVAL, "no-iommu-group", "no IOMMU group");
	assert_int_equal(0, find_device(BDF, &d));
	assert_int_equal(-ENODEV, check_group(&d));
	save_text(mode, "Y\n");
	expect(CAN, 0, "", "");
	assert_int_equal(0, find_device(BDF, &d));
	assert_int_equal(0, check_group(&d));
	remove_path(mode);
	make_device(state);
}

/* Another BAR or bridge window in the range, and one without an address */
static void a_range_with_resources_of_other_functions_is_refused(void **state)
{
	static const char other[] = "/sys/bus/pci/devices/0000:0e:00.0/resource";
	static const char none[] = "0x0 0x0 0x0\n";
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "%s0x104000000 0x1040fffff 0x140204\n", none);
	save_text(other, text);
	save("/sys/bus/pci/devices/0000:0e:00.0/config", regs, 256);
	save_text("/sys/bus/pci/devices/0000:0e:00.0/vendor", "0x1234\n");
	save_text("/sys/bus/pci/devices/0000:0e:00.0/device", "0x1\n");
	save_text("/sys/bus/pci/devices/0000:0e:00.0/class", "0x20000\n");
	save_text("/sys/bus/pci/devices/0000:0e:00.0/irq", "0\n");
	expect(CANNOT, EADDRNOTAVAIL, "range-is-mmio", "bridge window of 0000:0e:00.0");
	save_text(other, "0x104000000 0x1040fffff 0x20140204\n");
	expect(CAN, 0, "", "");
	save_text(other, "0x1000 0x101f 0x40101\n");
	expect(CAN, 0, "", "");
}

/* What only a bind can find out */
static void a_verdict_without_its_facts_is_unsure(void **state)
{
	expect(CAN, 0, "", "");
	config[4] = 0;
	expect(UNSURE, 0, "memory-off", "Memory Space is off");
	make_device(state);
	config[PM_CAP + 4] = 3;
	expect(UNSURE, 0, "asleep", "low power");
	make_device(state);
	save_text(IN_DEVICE("power/runtime_status"), "suspended\n");
	expect(UNSURE, 0, "asleep", "low power");
	make_device(state);
	save_text(IN_DEVICE("resource"), "0xc0000000 0xcfffffff 0x140204\n");
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), 0x100000 | 0x100);
	expect(UNSURE, 0, "registers-held", "cannot be mapped");
	make_device(state);
	put32(DVSEC + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), SIZE | CXL_VFIO_DVSEC_RANGE_INFO_VALID);
	expect(UNSURE, 0, "memory-not-active", "bind waits");
	make_device(state);
	config[DVSEC + CXL_VFIO_DVSEC_CTRL] = 0;
	expect(UNSURE, 0, "mem-enable-off", "CXL.mem is off");
	make_device(state);
	*cm(HDM + CXL_VFIO_HDM_GLOBAL_CTRL) = 0;
	expect(UNSURE, 0, "decoders-off", "the HDM decoders are off");
	/* A refusal that does not depend on it counts */
	save_text("/proc/iomem", "100000000-13fffffff : System RAM\n");
	expect(CANNOT, EADDRINUSE, "range-is-ram", "System RAM");
	make_device(state);
	/* Without root, /proc/iomem has zeros for addresses */
	save_text("/proc/iomem", "00000000-00000000 : System RAM\n");
	expect(UNSURE, 0, "iomem-hidden", "shows no addresses");
}

#define PARAMETER(name)	"/sys/module/" DRIVER "/parameters/" name
#define ATS_CAP		0x300

/* What the module's parameters refuse, or leave to a bind */
static void parameters_of_the_loaded_module_count(void **state)
{
	save_text(PARAMETER("vbar"), "0\n");
	expect(CANNOT, EEXIST, "bar-in-use", "vbar=0: the device has a BAR of its own");
	save_text(PARAMETER("vbar"), "2\n");
	expect(CAN, 0, "", "");
	save_text(PARAMETER("disable_cxl"), "0000:0d:01.0," BDF "\n");
	expect(CAN, 0, "disabled", "assigns it as a plain PCI function");
	save_text(PARAMETER("disable_cxl"), "0000:0d:01.0,1:0d:00.0\n");
	expect(CAN, 0, "", "");
	save_text(PARAMETER("cxl_core"), "require\n");
	expect(UNSURE, 0, "topology-required", "cxl_core=require");
	save_text(PARAMETER("cxl_core"), "off\n");
	expect(CAN, 0, "", "");
	save_text(PARAMETER("cxl_cache"), "off\n");
	expect(CAN, 0, "", "");
	config[DVSEC + CXL_VFIO_DVSEC_CTRL] |= CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE;
	expect(UNSURE, 0, "cache-on", "cxl_cache=off");
	config[DVSEC + CXL_VFIO_DVSEC_LOCK] = CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK;
	expect(CANNOT, EACCES, "cache-locked", "cxl_cache=off: CONTROL reads 0x0005");
	make_device(state);
	put32(LOCATOR, 0x00010023 | ATS_CAP << 20);
	put32(ATS_CAP, 0x0001000f);
	expect(CANNOT, EPERM, "ats", "may turn on ATS");
	save_text("/proc/cmdline", "quiet pci=nomsi,noatsx pcie=noats\n");
	expect(CANNOT, EPERM, "ats", "may turn on ATS");
	save_text("/proc/cmdline", "quiet pci=nomsi,noats\n");
	expect(CAN, 0, "", "");
	save_text(PARAMETER("cxl_cache"), "keep\n");
	save_text("/proc/cmdline", "quiet\n");
	expect(CAN, 0, "", "");
	remove_path("/proc/cmdline");
	remove_path(PARAMETER("cxl_cache"));
	remove_path(PARAMETER("cxl_core"));
	remove_path(PARAMETER("vbar"));
	remove_path(PARAMETER("disable_cxl"));
	remove_path("/sys/module/" DRIVER "/parameters");
	remove_path("/sys/module/" DRIVER);
}

static void parameters_that_the_module_would_get_count(void **state)
{
	(void)state;
	save_text("/etc/modprobe.d/cxl.conf", "options cxl-vfio-pci hide_hpa=N vbar=0\n"
		  "options vfio-pci vbar=2\n");
	expect(CANNOT, EEXIST, "bar-in-use", "vbar=0: the device has a BAR of its own");
	save_text("/etc/modprobe.d/cxl.conf", "options cxl_vfio_pci disable_cxl=all\n");
	expect(CAN, 0, "disabled", "assigns it as a plain PCI function");
	/* With these the module would not load */
	save_text("/etc/modprobe.d/cxl.conf", "options cxl_vfio_pci vbar=1\n");
	expect(CANNOT, EINVAL, "bad-parameter", "vbar=1: expected auto, off, 0, 2 or 4");
	save_text("/etc/modprobe.d/cxl.conf", "options cxl_vfio_pci disable_cxl=0d:00.0\n");
	expect(CANNOT, EINVAL, "bad-parameter", "disable_cxl=0d:00.0: expected 'all' or addresses");
	/* The loaded module has what it was loaded with */
	save_text(PARAMETER("vbar"), "auto\n");
	expect(CAN, 0, "", "");
	remove_path(PARAMETER("vbar"));
	remove_path("/sys/module/" DRIVER "/parameters");
	remove_path("/sys/module/" DRIVER);
	remove_path("/etc/modprobe.d/cxl.conf");
	expect(CAN, 0, "", "");
}

static void link_driver(const char *bus, const char *device, const char *driver)
{
	char path[PATH_MAX], target[64];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/name", bus, device);
	save_text(path, "x\n");
	snprintf(path, sizeof(path), "%s/sys/bus/%s/devices/%s/driver", root, bus, device);
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	assert_int_equal(0, symlink(target, path));
}

/* Who has the range, and how to get it back */
static void users_of_the_range_are_named(void **state)
{
	(void)state;
	save_text("/proc/iomem", "100000000-13fffffff : System RAM\n");
	expect(CANNOT, EADDRINUSE, "range-is-ram", "is System RAM");
	expect_remedy("have firmware setup mark it as special purpose memory");
	save_text("/proc/iomem", "100000000-10fffffff : Soft Reserved\n"
		  "  100000000-10fffffff : dax0.0\n"
		  "    100000000-10fffffff : System RAM (kmem)\n");
	expect(CANNOT, EADDRINUSE, "range-is-ram", "is System RAM");
	expect_remedy("the kernel's kmem driver made it RAM, as dax0.0");
	expect_commands("");
	link_driver("dax", "dax0.0", "kmem");
	save_text("/sys/devices/system/memory/block_size_bytes", "8000000\n");
	expect_commands("for n in $(seq 32 33); do "
			"echo 0 > /sys/devices/system/memory/memory$n/online; done; "
			"echo dax0.0 > /sys/bus/dax/drivers/kmem/unbind");
	remove_path("/sys/bus/dax/devices/dax0.0/driver");
	link_driver("dax", "dax0.0", "device_dax");
	save_text("/proc/iomem", "100000000-10fffffff : Soft Reserved\n"
		  "  100000000-10fffffff : hmem.0\n    100000000-10fffffff : dax0.0\n");
	expect(CANNOT, EBUSY, "range-claimed", "is claimed by another driver");
	expect_remedy("the kernel's DAX driver has it, as dax0.0");
	expect_commands("echo dax0.0 > /sys/bus/dax/drivers/device_dax/unbind");
	remove_path("/sys/bus/dax/devices/dax0.0/driver");
	expect_remedy("boot with modprobe.blacklist=dax_hmem");
	/* Without its driver, a device of dax_hmem has no claim */
	save_text("/proc/iomem", "100000000-10fffffff : Soft Reserved\n"
		  "  100000000-10fffffff : hmem.0\n");
	expect(CAN, 0, "", "");
	save_text("/proc/iomem", "100000000-1ffffffff : CXL Window 0\n"
		  "  100000000-10fffffff : region0\n");
	expect(CAN, 0, "", "");
	link_driver("nd", "namespace0.0", "nd_pmem");
	save_text("/proc/iomem", "100000000-10fffffff : Persistent Memory (legacy)\n"
		  "  100000000-10fffffff : namespace0.0\n");
	expect(CANNOT, EBUSY, "range-claimed", "");
	expect_remedy("'namespace0.0' has it in /proc/iomem");
	expect_commands("echo namespace0.0 > /sys/bus/nd/drivers/nd_pmem/unbind");
	/* A resource that ends inside of the range is in the way, whatever it is */
	save_text("/proc/iomem", "100000000-107ffffff : Reserved\n");
	expect(CANNOT, EBUSY, "range-claimed", "");
	expect_remedy("'Reserved' has it in /proc/iomem");
	save_text("/sys/module/other/refcnt", "1\n");
	save_text("/proc/iomem", "100000000-1ffffffff : Reserved\n  108000000-108000fff : nothing\n"
		  "90000000-9fffffff : other\n");
	expect(CANNOT, EBUSY, "range-claimed", "");
	save_text("/proc/iomem", "100000000-1ffffffff : other\n");
	expect(CANNOT, EBUSY, "range-claimed", "");
	save_text("/proc/iomem", "100000000-1ffffffff : something\n");
	expect(UNSURE, 0, "range-maybe-claimed", "'something' of /proc/iomem");
}

/* A bound device is found by its driver, whatever it reads */
static void a_bound_device_that_is_gone_is_found(void **state)
{
	struct device d[4];
	char path[PATH_MAX];

	(void)state;
	save_text("/sys/bus/pci/drivers/" DRIVER "/bind", "\n");
	snprintf(path, sizeof(path), "%s%s", root, IN_DEVICE("driver"));
	assert_int_equal(0, symlink("../../drivers/" DRIVER, path));
	memset(config, 0xff, sizeof(config));
	save_device();
	/* As a plain function it is for unbind alone */
	assert_int_equal(0, find_devices(d, 4));
	assert_int_equal(0, find_device(BDF, d));
	assert_true(d[0].bound);
	save_text(IN_DEVICE("cxl_vfio/gate"), "closed\n");
	save_text(IN_DEVICE("cxl_vfio/decoders"), "0 0x100000000 0x10000000\n");
	assert_int_equal(1, find_devices(d, 4));
	assert_true(d[0].bound);
	assert_int_equal(CAN, d[0].judgement.verdict);
	assert_int_equal(1, d[0].nr_ranges);
	assert_int_equal(0x1234, d[0].vendor);
}

/* No value in the registers of a device may do harm */
static void hostile_registers_do_no_harm(void **state)
{
	struct device d[4];

	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x107);
	expect(CANNOT, EINVAL, "bad-register-locator", "in BAR 7");
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x105);
	expect(CANNOT, ENXIO, "bar-unassigned", "BAR 5 (start 0");
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), 0xfff00100);
	expect(CANNOT, ERANGE, "bad-register-locator", "at offset 0xfff00000");
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x100);
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1) + 4, ~0u);
	expect(CANNOT, ERANGE, "bad-register-locator", "");
	make_device(state);
	put32(LOCATOR + 4, CXL_VFIO_DVSEC_VENDOR_ID | 0xfffu << 20);
	expect(CANNOT, EPROTO, "bad-register-locator", "length is 0xfff");
	make_device(state);
	/* A capability at the end of the area, a reserved decoder count, 255 entries */
	*cm(4) = 0xffcu << 20 | 0x00010005;
	*cm(0xffc) = 0xc;
	expect(CANNOT, EBADMSG, "bad-hdm-capability", "do not fit");
	*cm(0xffc) = 0xf;
	expect(CANNOT, EBADMSG, "bad-hdm-capability", "reserved encoding");
	memset(cm(0), 0x05, CXL_VFIO_CM_SIZE);
	expect(CANNOT, EPROTO, "bad-capability-array", "expected id 1");
	/* A BAR that is shorter than its address says */
	make_device(state);
	save_device();
	save(IN_DEVICE("resource0"), regs, 4096);
	assert_int_equal(1, find_devices(d, 4));
	assert_int_equal(UNSURE, d[0].judgement.verdict);
	/* The walk of a chain that loops ends without a DVSEC */
	make_device(state);
	put32(0x100, 0x00010003 | 0x100u << 20);
	save_device();
	assert_int_equal(0, find_devices(d, 4));
	memset(config + 0x100, 0xff, sizeof(config) - 0x100);
	save_device();
	assert_int_equal(0, find_devices(d, 4));
	memset(config, 0xff, sizeof(config));
	save_device();
	assert_int_equal(0, find_devices(d, 4));
}

/* Reports have no addresses of the host, and registers stay */
static void reports_have_no_addresses(void **state)
{
	char s[] = "0000:0d:00.0: CTRL reads 0x600, [mem 0x100000000-0x10fffffff] 10000:e1:00.0";
	char typed[] = "cxl_vfio_pci: disable_cxl=0d:00.0: expected at 12:30:00";

	(void)state;
	redact(s);
	assert_string_equal("*: CTRL reads 0x600, [mem *-*] *", s);
	redact(typed);
	assert_string_equal("cxl_vfio_pci: disable_cxl=*: expected at 12:30:00", typed);
}

static void remedies_fit_the_cpu(void **state)
{
	(void)state;
	save_text("/proc/cpuinfo", "vendor_id : GenuineIntel\nflags : vmx\n");
	assert_non_null(strstr(iommu_remedy(), "add intel_iommu=on"));
	save_text("/proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\n");
	assert_null(strstr(iommu_remedy(), "intel"));
	assert_non_null(strstr(iommu_remedy(), "SMMU"));
	remove_path("/proc/cpuinfo");
}

static void a_device_with_short_config_space_is_not_listed(void **state)
{
	struct device d[4];

	(void)state;
	save(IN_DEVICE("config"), config, 64);
	assert_int_equal(0, find_devices(d, 4));
}

static void expect_word(enum guest_word expected, const char *text, size_t len, const char *words)
{
	char log[256], says[32] = "?";
	enum guest_word word;

	memcpy(log, text, len);
	word = guest_word(log, len, says, sizeof(says));
	if (word != expected || strcmp(says, words))
		fail_msg("'%s' is %d, '%s', expected %d, '%s'", text, word, says, expected, words);
}

#define EXPECT_WORD(expected, text, words)	expect_word(expected, text, sizeof(text) - 1, words)

static void guests_say_whether_all_is_well(void **state)
{
	(void)state;
	EXPECT_WORD(GUEST_SILENT, "", "");
	EXPECT_WORD(GUEST_SILENT, "[    0.0] Linux\n", "");
	EXPECT_WORD(GUEST_OK, "[    0.0] Linux\r\ncxl-vfio-guest: ok\r\nmore", "ok");
	/* Firmware may print zeros, and a message of the kernel may come before */
	EXPECT_WORD(GUEST_OK, "\0\0[    1.0] x cxl-vfio-guest: ok\n", "ok");
	EXPECT_WORD(GUEST_FAIL, "cxl-vfio-guest: FAIL no BAR\n", "FAIL no BAR");
	EXPECT_WORD(GUEST_FAIL, "cxl-vfio-guest: FAIL a reason that is longer than room\n",
		    "FAIL a reason that is longer th");
	/* A line that has not ended, and another word */
	EXPECT_WORD(GUEST_SILENT, "cxl-vfio-guest: ok", "");
	EXPECT_WORD(GUEST_SILENT, "cxl-vfio-guest: okay\n", "okay");
	EXPECT_WORD(GUEST_OK, "cxl-vfio-guest: soon\ncxl-vfio-guest: ok\n", "ok");
}

static void expect_image(int expected, const char *name, const char *arguments)
{
	struct json_object *args = json_object_new_array();
	char path[PATH_MAX], text[4096] = "";

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(expected, guest_image(path, args));
	for (size_t i = 0; i < json_object_array_length(args); i++) {
		const char *arg = json_object_get_string(json_object_array_get_idx(args, i));
		const char *in_root = strstr(arg, root);

		/* Without the test's directory */
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s%s|",
			 in_root ? (int)(in_root - arg) : 0, arg,
			 in_root ? in_root + strlen(root) : arg);
	}
	assert_string_equal(arguments, text);
	json_object_put(args);
}

static void guests_have_a_disk_or_a_kernel(void **state)
{
	(void)state;
	expect_image(-ENOENT, "/guest", "");
	save_text("/guest/notes", "x\n");
	expect_image(-ENOENT, "/guest", "");
	save_text("/guest/vmlinuz-7.3", "x\n");
	expect_image(0, "/guest", "-kernel|/guest/vmlinuz-7.3|-append|console=ttyS0 panic=-1 |");
	save_text("/guest/initrd.img-7.3", "x\n");
	save_text("/guest/cmdline", "quiet root=/dev/vda1\n");
	expect_image(0, "/guest", "-kernel|/guest/vmlinuz-7.3|-initrd|/guest/initrd.img-7.3|"
		     "-append|console=ttyS0 panic=-1 quiet root=/dev/vda1|");
	save_text("/disk.qcow2", "x\n");
	expect_image(0, "/disk.qcow2", "-drive|file=/disk.qcow2,if=virtio,snapshot=on|");
	save_text("/a,b", "x\n");
	expect_image(-EINVAL, "/a,b", "");
	remove_path("/guest/notes");
	remove_path("/guest/vmlinuz-7.3");
	remove_path("/guest/initrd.img-7.3");
	remove_path("/guest/cmdline");
	remove_path("/guest");
	remove_path("/disk.qcow2");
	remove_path("/a,b");
}

static void addresses_are_parsed_strictly(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0d:00.0", "0000:0d:00.0" }, { "0000:0d:00.0", "0000:0d:00.0" },
		{ "0001:FF:1f.7", "0001:ff:1f.7" }, { "10000:e1:00.0", "10000:e1:00.0" },
		{ "1:2:3.4", "0001:02:03.4" },
		{ "", NULL }, { "0d:00", NULL }, { "0d:00.8", NULL }, { "0d:20.0", NULL },
		{ "0000:0d:00.0 ", NULL }, { "0d:00.0/..", NULL }, { "../../etc", NULL },
		{ "000000000:0d:00.0", NULL }, { "-1:00.0", NULL }, { "0x0d:00.0", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char address[ADDRESS_LEN] = "";
		int ret = parse_address(cases[i].in, address);

		if (!cases[i].out != !!ret)
			fail_msg("'%s' gives %d '%s'", cases[i].in, ret, address);
		if (cases[i].out)
			assert_string_equal(cases[i].out, address);
	}
}

static void sizes_are_shown_in_mib_or_gib(void **state)
{
	char s[32];

	(void)state;
	format_size(256ull << 20, s, sizeof(s));
	assert_string_equal("256 MiB", s);
	format_size(64ull << 30, s, sizeof(s));
	assert_string_equal("64 GiB", s);
	format_size(0, s, sizeof(s));
	assert_string_equal("0 MiB", s);
}

/* The memory type of guests, derived from CPU flags, sysfs and the PAT list */
static void guest_memory_follows_cpu_driver_and_kernel(void **state)
{
	static const char types[] = "/sys/kernel/debug/x86/pat_memtype_list";
	struct device d;
	char line[128];

	(void)state;
	assert_int_equal(1, find_devices(&d, 1));
	save_text("/proc/cpuinfo", "processor : 0\nflags : fpu svm vmxnet\n");
	assert_int_equal(GUESTS_CHOICE, guest_memory_of(&d, ""));
	save_text("/proc/cpuinfo", "processor : 0\nflags : fpu vmx sse2\n");
	assert_int_equal(GUESTS_UNCACHED, guest_memory_of(&d, ""));
	save_text(IN_DEVICE("cxl_vfio/struct_pages"), "none\n");
	assert_int_equal(GUESTS_UNCACHED, guest_memory_of(&d, ""));
	save_text(IN_DEVICE("cxl_vfio/struct_pages"), "131072\n");
	assert_int_equal(GUESTS_UNKNOWN, guest_memory_of(&d, ""));
	snprintf(line, sizeof(line), "PAT list:\nPAT: [mem 0x%016llx-0x%016llx] write-back\n",
		 (unsigned long long)BASE, (unsigned long long)BASE + SIZE);
	save_text(types, line);
	assert_int_equal(GUESTS_CACHED, guest_memory_of(&d, ""));
	snprintf(line, sizeof(line), "PAT: [mem 0x%016llx-0x%016llx] uncached-minus\n",
		 (unsigned long long)BASE, (unsigned long long)BASE + SIZE);
	save_text(types, line);
	assert_int_equal(HOSTS_UNCACHED, guest_memory_of(&d, ""));
	save_text("/proc/cpuinfo", "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\n");
	assert_int_equal(GUESTS_OLD_KVM, guest_memory_of(&d, "kvm_cacheable_pfnmap=0"));
	assert_int_equal(GUESTS_ASK_KVM, guest_memory_of(&d, "kvm_cacheable_pfnmap=1"));
	save_text("/proc/cpuinfo", "processor : 0\nflags : fpu svm\n");
}

static void expect_status(const char *json, const char *text)
{
	struct json_object *o;
	struct device d;
	char buf[512] = "";
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	assert_non_null(f);
	assert_int_equal(1, find_devices(&d, 1));
	o = status_json(&d);
	assert_string_equal(json, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	print_status(o, f);
	fclose(f);
	assert_string_equal(text, buf);
	json_object_put(o);
}

static void status_shows_holds_and_clearing(void **state)
{
	(void)state;
	/* The driver of version 0.1 has neither file */
	unlink_in_device("cxl_vfio/struct_pages");
	save_text(IN_DEVICE("cxl_vfio/gate"), "closed\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"closed\"}",
		      BDF "\n  gate         closed\n");

	save_text(IN_DEVICE("cxl_vfio/gate"), "open\n");
	save_text(IN_DEVICE("cxl_vfio/holds"), "none\n");
	save_text(IN_DEVICE("cxl_vfio/clearing"), "0\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"open\",\"holds\":[],\"clearing\":0}",
		      BDF "\n  gate         open\n  holds        none\n  clearing     0\n");

	save_text(IN_DEVICE("cxl_vfio/gate"), "closed\n");
	save_text(IN_DEVICE("cxl_vfio/holds"), "unused clearing\n");
	save_text(IN_DEVICE("cxl_vfio/clearing"), "67108864\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"closed\",\"holds\":[\"unused\","
		      "\"clearing\"],\"clearing\":67108864,\"clearing_percent\":25}",
		      BDF "\n  gate         closed\n  holds        unused clearing\n"
		      "  clearing     67108864 (25 %)\n");
	/* The last page is not 0 percent */
	save_text(IN_DEVICE("cxl_vfio/clearing"), "4096\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"closed\",\"holds\":[\"unused\","
		      "\"clearing\"],\"clearing\":4096,\"clearing_percent\":1}",
		      BDF "\n  gate         closed\n  holds        unused clearing\n"
		      "  clearing     4096 (1 %)\n");
}

/* What a command prints to standard output, if it succeeds; NULL if it does not */
static const char *printed_for(const char *const *addresses, unsigned int n,
			       int (*print)(const char *const *, unsigned int), bool topology,
			       bool json)
{
	static char buf[8192];
	FILE *before = stdout;
	int ret;

	memset(buf, 0, sizeof(buf));
	options.topology = topology;
	options.json = json;
	stdout = fmemopen(buf, sizeof(buf), "w");
	assert_non_null(stdout);
	ret = print(addresses, n);
	fclose(stdout);
	stdout = before;
	options.topology = false;
	options.json = false;
	assert_true(ret < 0 || *buf);
	return ret ? NULL : buf;
}

static const char *printed(int (*print)(const char *const *, unsigned int), bool topology,
			   bool json)
{
	return printed_for((const char *[]){ BDF }, 1, print, topology, json);
}

static void bind_to(const char *driver)
{
	char path[PATH_MAX], target[128];

	snprintf(path, sizeof(path), "%s%s", root, IN_DEVICE("driver"));
	unlink(path);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	assert_int_equal(0, symlink(target, path));
}

/* As bind_to(), with one decoder whose memory is BAR 4 */
static void bind_with_memory(const char *driver, const char *decoder)
{
	bind_to(driver);
	save_text(IN_DEVICE("cxl_vfio/vbar"), "4\n");
	save_text(IN_DEVICE("cxl_vfio/decoders"), decoder);
}

#define PLAIN_ARGS	"-M q35 \\\n" \
			"-device pcie-root-port,id=cxl-vfio-port,chassis=12 \\\n" \
			"-device vfio-pci,host=" BDF ",bus=cxl-vfio-port\n"

#define TOPOLOGY_ARGS	"-M q35,cxl=on,cxl-fmw.0.targets.0=cxl-vfio-bridge," \
			"cxl-fmw.0.size=768M \\\n" \
			"-device pxb-cxl,id=cxl-vfio-bridge,bus=pcie.0,bus_nr=12," \
			"hdm_for_passthrough=true \\\n" \
			"-device cxl-rp,id=cxl-vfio-port,bus=cxl-vfio-bridge,chassis=12," \
			"slot=1,port=0 \\\n" \
			"-device vfio-pci,host=" BDF ",bus=cxl-vfio-port \\\n" \
			"-acpitable file=/usr/share/cxl-vfio/guest-cxl.aml\n"

static void vmms_are_started_as_the_driver_says(void **state)
{
	const char *text;

	(void)state;
	bind_with_memory("cxl_vfio_pci", "0 0x100000000 0x30000000\n");
	text = printed(print_qemu, false, false);
	assert_non_null(text);
	assert_string_equal(PLAIN_ARGS, text);
	text = printed(print_qemu, true, false);
	assert_non_null(text);
	assert_string_equal(TOPOLOGY_ARGS, text);
	text = printed(print_qemu, true, true);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"vfio-pci,host=" BDF ",bus=cxl-vfio-port\","));
	text = printed(print_xml, true, false);
	assert_non_null(text);
	assert_non_null(strstr(text, "<alias name='ua-cxl-vfio'/>"));
	assert_non_null(strstr(text, "cxl-fmw.0.size=768M"));
	/* libvirt needs the address alone, whatever the device is bound to */
	bind_to("nvidia");
	text = printed(print_xml, false, false);
	assert_non_null(text);
	assert_non_null(strstr(text, "<driver model='cxl_vfio_pci'/>"));
	assert_null(strstr(text, "qemu:"));
	bind_to("cxl_vfio_pci");
}

/* One more address of the same device */
#define BDF_OF(n)	"0000:0d:01." #n

static void add_address(const char *address)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", root, address);
	assert_int_equal(0, symlink(BDF, path));
}

static void remove_address(const char *address)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", root, address);
	assert_int_equal(0, unlink(path));
}

static void contains_once(const char *text, const char *words)
{
	const char *at = strstr(text, words);

	if (!at || strstr(at + 1, words))
		fail_msg("'%s' is not exactly once in '%s'", words, text);
}

static void several_devices_have_a_host_bridge_each(void **state)
{
	static const char * const all[] = { BDF, BDF_OF(1), BDF_OF(2), BDF_OF(3), BDF_OF(4) };
	static const char * const twice[] = { BDF, BDF_OF(1), BDF };
	const char *text;

	(void)state;
	bind_with_memory("cxl_vfio_pci", "0 0x100000000 0x30000000\n");
	for (unsigned int i = 1; i < 5; i++)
		add_address(all[i]);
	text = printed_for(all, 4, print_qemu, true, false);
	assert_non_null(text);
	contains_once(text, "cxl-fmw.0.targets.0=cxl-vfio-bridge,cxl-fmw.0.size=768M,"
		      "cxl-fmw.1.targets.0=cxl-vfio-bridge1,cxl-fmw.1.size=768M,"
		      "cxl-fmw.2.targets.0=cxl-vfio-bridge2,cxl-fmw.2.size=768M,"
		      "cxl-fmw.3.targets.0=cxl-vfio-bridge3,cxl-fmw.3.size=768M \\\n");
	contains_once(text, "-device pxb-cxl,id=cxl-vfio-bridge,bus=pcie.0,bus_nr=12,");
	contains_once(text, "-device pxb-cxl,id=cxl-vfio-bridge3,bus=pcie.0,bus_nr=48,");
	contains_once(text, "-device cxl-rp,id=cxl-vfio-port1,bus=cxl-vfio-bridge1,chassis=24,");
	contains_once(text, "-device vfio-pci,host=" BDF_OF(2) ",bus=cxl-vfio-port2 ");
	contains_once(text, "-acpitable ");
	contains_once(text, "-M ");
	text = printed_for(all, 2, print_xml, true, false);
	assert_non_null(text);
	contains_once(text, "<alias name='ua-cxl-vfio'/>");
	contains_once(text, "<alias name='ua-cxl-vfio1'/>");
	contains_once(text, "bus_nr=12,hdm_for_passthrough=true,addr=0x18'");
	contains_once(text, "bus_nr=24,hdm_for_passthrough=true,addr=0x17'");
	contains_once(text, "<qemu:device alias='ua-cxl-vfio1'>\n      <qemu:frontend>\n"
		      "        <qemu:property name='bus' type='string' value='cxl-vfio-port1'/>");
	contains_once(text, "</domain>");
	text = printed_for(all, 2, print_xml, false, false);
	assert_non_null(text);
	contains_once(text, "slot='0x00' function='0x0'");
	contains_once(text, "slot='0x01' function='0x1'");
	text = printed_for(all, 5, print_qemu, false, false);
	assert_non_null(text);
	contains_once(text, "-device pcie-root-port,id=cxl-vfio-port4,chassis=60 ");
	/* The table in the guest knows four host bridges */
	assert_null(printed_for(all, 5, print_qemu, true, false));
	assert_null(printed_for(all, 5, print_xml, true, false));
	assert_null(printed_for(twice, 3, print_qemu, true, false));
	remove_address(BDF_OF(4));
	assert_null(printed_for(&all[3], 2, print_qemu, true, false));
	for (unsigned int i = 1; i < 4; i++)
		remove_address(all[i]);
}

/* The line of a guest on a QEMU that is the script @qemu, with the gate @gate */
static void expect_guest(const char *qemu, const char *gate, const char *state, const char *words)
{
	struct check c = { .address = BDF, .vbar = 4 };
	const char *is = "none", *found = "";
	char path[PATH_MAX];
	struct json_object *o;

	save_text("/bin/qemu-system-x86_64", qemu);
	snprintf(path, sizeof(path), "%s/bin/qemu-system-x86_64", root);
	assert_int_equal(0, chmod(path, 0755));
	save_text(IN_DEVICE("cxl_vfio/gate"), gate);
	c.lines = json_object_new_array();
	check_guest(&c);
	o = json_object_array_get_idx(c.lines, 0);
	if (o) {
		is = json_object_get_string(json_object_object_get(o, "state"));
		found = json_object_get_string(json_object_object_get(o, "found"));
	}
	if (strcmp(is, state) || !strstr(found, words))
		fail_msg("the guest's line is %s, '%s', expected %s, '%s'", is, found, state,
			 words);
	json_object_put(c.lines);
}

#define SCRIPT		"#!/bin/sh\n"
#define SAYS(what)	"printf 'Linux\\r\\n" what "\\r\\n' > guest.log\n"
/* As a guest that goes on, until it is ended */
#define STAYS		"exec /bin/sleep 600\n"

static void guests_are_booted_and_heard(void **state)
{
	const char *path = getenv("PATH");
	char before[PATH_MAX], bin[PATH_MAX], old[PATH_MAX];

	(void)state;
	snprintf(old, sizeof(old), "%s", path ?: "");
	snprintf(bin, sizeof(bin), "%s/bin", root);
	setenv("PATH", bin, 1);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(0, chdir(root));
	bind_with_memory("cxl_vfio_pci", "0 0x100000000 0x10000000\n");
	save_text("/disk", "x\n");
	options.guest = "disk";
	options.json = true;
	options.guest_time = 600;
	expect_guest(SCRIPT SAYS("cxl-vfio-guest: ok"), "open\n", "ok", "says ok");
	expect_guest(SCRIPT SAYS("cxl-vfio-guest: ok") STAYS, "open\n", "ok", "says ok");
	expect_guest(SCRIPT SAYS("cxl-vfio-guest: ok"), "closed\n", "failure",
		     "never turned the device's memory on");
	expect_guest(SCRIPT SAYS("cxl-vfio-guest: FAIL no BAR") STAYS, "open\n", "failure",
		     "the guest says: FAIL no BAR");
	expect_guest(SCRIPT SAYS("nothing"), "open\n", "failure",
		     "QEMU ended before the guest said anything, see guest.log");
	expect_guest(SCRIPT "echo no such device >&2\nexit 1\n", "closed\n", "failure",
		     "QEMU ended before the guest said anything: no such device");
	/* What QEMU is started with, the last of it */
	expect_guest(SCRIPT "for last; do :; done; echo \"$last\" >&2\n", "closed\n", "failure",
		     "anything: file=disk,if=virtio,snapshot=on");
	options.guest_time = 1;
	expect_guest(SCRIPT STAYS, "closed\n", "failure",
		     "the guest said nothing in 1 s, memory was never turned on, see guest.log");
	options.guest = "missing";
	expect_guest(SCRIPT, "closed\n", "failure", "missing is no disk image");
	assert_int_equal(0, access("guest-qemu.log", F_OK));
	options.guest = NULL;
	expect_guest(SCRIPT, "closed\n", "none", "");
	unlink("guest.log");
	unlink("guest-qemu.log");
	options.json = false;
	assert_int_equal(0, chdir(before));
	setenv("PATH", old, 1);
	remove_path("/disk");
	remove_path("/bin/qemu-system-x86_64");
	remove_path("/bin");
}

/* On arm64 QEMU has no q35, and what a topology is made of there was tried by nobody */
static void vmms_on_arm64_get_another_machine(void **state)
{
	const char *text;

	(void)state;
	bind_with_memory("cxl_vfio_pci", "0 0x100000000 0x10000000\n");
	save_text("/proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\n");
	text = printed(print_qemu, false, false);
	assert_non_null(text);
	assert_int_equal(0, strncmp(text, "-M virt \\\n-device pcie-root-port,", 33));
	assert_null(printed(print_qemu, true, false));
	assert_null(printed(print_xml, true, false));
	assert_non_null(printed(print_xml, false, false));
	save_text("/proc/cpuinfo", "processor : 0\nflags : fpu svm\n");
	assert_non_null(printed(print_qemu, true, false));
	unlink_in_device("driver");
}

static void vmms_are_not_started_without_bar_or_driver(void **state)
{
	(void)state;
	bind_with_memory("vfio-pci", "0 0x100000000 0x10000000\n");
	assert_null(printed(print_qemu, false, false));
	assert_null(printed(print_xml, true, false));
	bind_to("cxl_vfio_pci");
	assert_non_null(printed(print_xml, true, false));
	save_text(IN_DEVICE("cxl_vfio/vbar"), "none\n");
	assert_null(printed(print_qemu, false, false));
	assert_null(printed(print_xml, true, false));
	save_text(IN_DEVICE("cxl_vfio/vbar"), "4\n");
	/* The address of the host is of no use to a guest's CXL stack, and harms no other */
	save_text("/sys/module/cxl_vfio_pci/parameters/hide_hpa", "N\n");
	assert_null(printed(print_qemu, true, false));
	assert_non_null(printed(print_qemu, false, false));
	save_text("/sys/module/cxl_vfio_pci/parameters/hide_hpa", "Y\n");
	assert_non_null(printed(print_qemu, true, false));
	unlink_in_device("driver");
	/* For other tests the module is not there */
	remove_path("/sys/module/cxl_vfio_pci/parameters/hide_hpa");
	remove_path("/sys/module/cxl_vfio_pci/parameters");
	remove_path("/sys/module/cxl_vfio_pci");
}

static void status_shows_errors(void **state)
{
	(void)state;
	unlink_in_device("cxl_vfio/struct_pages");
	unlink_in_device("cxl_vfio/holds");
	unlink_in_device("cxl_vfio/clearing");
	save_text(IN_DEVICE("cxl_vfio/gate"), "open\n");
	save_text(IN_DEVICE("cxl_vfio/errors"), "aer_fatal 0\nras_correctable 0\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"open\",\"errors\":{"
		      "\"aer_fatal\":0,\"ras_correctable\":0}}",
		      BDF "\n  gate         open\n  errors       none\n");
	save_text(IN_DEVICE("cxl_vfio/cache"), "off\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"open\",\"cache\":\"off\",\"errors\":{"
		      "\"aer_fatal\":0,\"ras_correctable\":0}}",
		      BDF "\n  gate         open\n  cache        off\n  errors       none\n");
	unlink_in_device("cxl_vfio/cache");
	save_text(IN_DEVICE("cxl_vfio/errors"), "aer_fatal 1\nras_correctable 0\nmemory 12\n");
	expect_status("{\"address\":\"" BDF "\",\"gate\":\"open\",\"errors\":{"
		      "\"aer_fatal\":1,\"ras_correctable\":0,\"memory\":12}}",
		      BDF "\n  gate         open\n  errors       aer_fatal 1 memory 12\n");
}

/* Which certificate to enrol, wherever the distribution has it */
static void certificates(void **state)
{
	char cert[256];

	(void)state;
	signing_certificate(cert, sizeof(cert));
	assert_string_equal("/var/lib/dkms/mok.pub", cert);
	save_text("/var/lib/shim-signed/mok/MOK.der", "key");
	signing_certificate(cert, sizeof(cert));
	assert_string_equal("/var/lib/shim-signed/mok/MOK.der", cert);
	save_text("/etc/dkms/framework.conf",
		  "# mok_certificate=/not/this\nmok_certificate=/a/b.der\n");
	signing_certificate(cert, sizeof(cert));
	assert_string_equal("/a/b.der", cert);
	save_text("/etc/dkms/framework.conf.d/own.conf", "mok_certificate=\"/c d.der\"\n");
	signing_certificate(cert, sizeof(cert));
	assert_string_equal("/c d.der", cert);
}

static void enrolled_keys(void **state)
{
	(void)state;
	assert_false(kernel_has_key("Host key"));
	save_text("/proc/keys", "05de2a I--Q 1 perm 1f030000 0 0 keyring .machine: 1\n"
		  "0b3a2c I----- 1 perm 1f030000 0 0 asymmetri Host key: 2f5e: X509.rsa 0a1b []\n");
	assert_true(kernel_has_key("Host key"));
	assert_false(kernel_has_key("Other key"));
	assert_false(kernel_has_key(".machine"));
	assert_false(kernel_has_key(""));
}

/* Why the kernel did not load the module, the last reason of its log */
static void refusals(void **state)
{
	char line[160];

	(void)state;
	assert_null(find_refusal(line, sizeof(line)));
	save_text("/dev/kmsg", "6,1,1,-;other: Unknown symbol x (err -2)\n");
	assert_null(find_refusal(line, sizeof(line)));
	save_text("/dev/kmsg",
		  "4,1,1,-;cxl_vfio_pci: disagrees about version of symbol module_layout\n"
		  "4,2,2,-;failed to validate module [cxl_vfio_pci] BTF: -22\n");
	assert_non_null(strstr(find_refusal(line, sizeof(line)), "BTF"));
	assert_string_equal("failed to validate module [cxl_vfio_pci] BTF: -22", line);
	save_text("/dev/kmsg", "4,1,1,-;cxl_vfio_pci: Unknown symbol cxl_x (err -2)\n");
	assert_non_null(strstr(find_refusal(line, sizeof(line)), "another kernel"));
	/* It is there now */
	save_text("/sys/module/cxl_vfio_pci/refcnt", "0\n");
	assert_null(find_refusal(line, sizeof(line)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_device_is_usable, make_device),
		cmocka_unit_test_setup(json_describes_a_good_device, make_device),
		cmocka_unit_test_setup(free_pairs_of_bars_are_found, make_device),
		cmocka_unit_test_setup(ranges_are_memory_where_no_decoder_is_used, make_device),
		cmocka_unit_test_setup(an_unusable_device_has_the_errno_of_the_driver, make_device),
		cmocka_unit_test_setup(a_device_without_group_before_6_15_is_tried, make_device),
		cmocka_unit_test_setup(no_iommu_is_needed_in_the_mode_without_one, make_device),
		cmocka_unit_test_setup(a_verdict_without_its_facts_is_unsure, make_device),
		cmocka_unit_test_setup(parameters_of_the_loaded_module_count, make_device),
		cmocka_unit_test_setup(parameters_that_the_module_would_get_count, make_device),
		cmocka_unit_test_setup(users_of_the_range_are_named, make_device),
		cmocka_unit_test_setup(a_bound_device_that_is_gone_is_found, make_device),
		cmocka_unit_test_setup(hostile_registers_do_no_harm, make_device),
		cmocka_unit_test_setup(a_device_with_short_config_space_is_not_listed, make_device),
		cmocka_unit_test_setup(guest_memory_follows_cpu_driver_and_kernel, make_device),
		cmocka_unit_test_setup(status_shows_holds_and_clearing, make_device),
		cmocka_unit_test_setup(status_shows_errors, make_device),
		cmocka_unit_test(remedies_fit_the_cpu),
		cmocka_unit_test_setup(vmms_are_started_as_the_driver_says, make_device),
		cmocka_unit_test_setup(several_devices_have_a_host_bridge_each, make_device),
		cmocka_unit_test_setup(vmms_are_not_started_without_bar_or_driver, make_device),
		cmocka_unit_test_setup(vmms_on_arm64_get_another_machine, make_device),
		cmocka_unit_test(reports_have_no_addresses),
		cmocka_unit_test(certificates),
		cmocka_unit_test(enrolled_keys),
		cmocka_unit_test(refusals),
		cmocka_unit_test_setup(guests_are_booted_and_heard, make_device),
		cmocka_unit_test(guests_say_whether_all_is_well),
		cmocka_unit_test(guests_have_a_disk_or_a_kernel),
		cmocka_unit_test(addresses_are_parsed_strictly),
		cmocka_unit_test(sizes_are_shown_in_mib_or_gib),
		cmocka_unit_test_setup(a_range_with_resources_of_other_functions_is_refused,
				       make_device),
	};

	snprintf(root, sizeof(root), "/tmp/cxl-vfio-test.XXXXXX");
	if (!mkdtemp(root))
		return 1;
	options.root = root;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
