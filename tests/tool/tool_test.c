// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of cxl-vfio on made-up trees of /sys and /proc, with good and broken devices.
 */
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

#include "../../tools/tool.h"

#define BDF		"0000:0d:00.0"
#define DVSEC		0x130
#define LOCATOR		0x180
#define BLOCK		0x10000
#define HDM		0x200
#define BASE		0x100000000ull
#define SIZE		0x10000000ull

struct options options = { .root = "" };

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
	put32(8, 0x12000001);
	put32(0x10, 0xc);
	put32(0x100, 0x00010003 | DVSEC << 20);
	dvsec(DVSEC, LOCATOR, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c);
	config[DVSEC + CXL_VFIO_DVSEC_CAP] = CXL_VFIO_DVSEC_CAP_MEM;
	dvsec(LOCATOR, 0, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x1c);
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x100);
	*cm(0) = 0x01010001;
	*cm(4) = HDM << 20 | 0x00010005;
	d[CXL_VFIO_HDM_BASE_HIGH / 4] = BASE >> 32;
	d[CXL_VFIO_HDM_SIZE_LOW / 4] = SIZE;
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMITTED;

	save_text(IN_DEVICE("vendor"), "0x1234\n");
	save_text(IN_DEVICE("device"), "0xc712\n");
	save_text(IN_DEVICE("class"), "0x120000\n");
	save_text(IN_DEVICE("irq"), "0\n");
	save_text(IN_DEVICE("resource"), "0x0 0x0 0x0\n");
	save_text(IN_DEVICE("driver_override"), "(null)\n");
	save_text("/proc/iomem", "00001000-0009fbff : System RAM\n"
		  "100000000-10fffffff : Reserved\n");
	save_device();
	snprintf(path, sizeof(path), "%s%s", root, IN_DEVICE("iommu_group"));
	unlink(path);
	assert_int_equal(0, symlink("../../../../kernel/iommu_groups/7", path));
	return 0;
}

static void expect_reason(const char *words)
{
	struct device d[4];

	save_device();
	assert_int_equal(1, find_devices(d, 4));
	if (!words)
		assert_string_equal("", d[0].reason);
	else if (!strstr(d[0].reason, words))
		fail_msg("the reason is '%s', expected '%s'", d[0].reason, words);
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
	assert_string_equal("", d[0].reason);
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
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int bar = 0; bar < 6; bar++)
			put32(0x10 + 4 * bar, cases[i].bar[bar]);
		save_device();
		assert_int_equal(1, find_devices(&d, 1));
		assert_int_equal(cases[i].free, d.free_bars);
	}
}

static void an_unusable_device_has_a_reason(void **state)
{
	uint32_t *d = cm(HDM + CXL_VFIO_HDM_DECODER(0));
	char path[PATH_MAX];

	expect_reason(NULL);
	d[CXL_VFIO_HDM_CTRL / 4] = 0;
	expect_reason("no HDM decoder is committed");
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMITTED | 0x10;
	expect_reason("interleaved");
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMITTED;
	save_text("/proc/iomem", "100000000-13fffffff : System RAM\n");
	expect_reason("System RAM");
	/* Without root, /proc/iomem has zeros for addresses */
	save_text("/proc/iomem", "00000000-00000000 : System RAM\n");
	expect_reason(NULL);
	config[4] = 0;
	expect_reason("memory space is off");
	make_device(state);
	memset(cm(0), 0xff, CXL_VFIO_CM_SIZE);
	expect_reason("all ones");
	make_device(state);
	snprintf(path, sizeof(path), "%s%s", root, IN_DEVICE("iommu_group"));
	unlink(path);
	expect_reason("no IOMMU group");
}

/* No value in the registers of a device may do harm */
static void hostile_registers_do_no_harm(void **state)
{
	struct device d[4];

	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x107);
	expect_reason("no component registers");
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), 0xfff00100);
	expect_reason("cannot be read");
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1), BLOCK | 0x100);
	put32(LOCATOR + CXL_VFIO_RLOC_ENTRY(1) + 4, ~0u);
	expect_reason("cannot be read");
	make_device(state);
	put32(LOCATOR + 4, CXL_VFIO_DVSEC_VENDOR_ID | 0xfffu << 20);
	expect_reason(NULL);
	make_device(state);
	/* A capability at the end of the area, a reserved decoder count, 255 entries */
	*cm(4) = 0xffcu << 20 | 0x00010005;
	*cm(0xffc) = 0xc;
	expect_reason("no HDM decoder is committed");
	*cm(0xffc) = 0xf;
	expect_reason("no HDM decoder is committed");
	memset(cm(0), 0x05, CXL_VFIO_CM_SIZE);
	expect_reason("");
	/* The walk of a chain that loops ends without a DVSEC */
	make_device(state);
	put32(0x100, 0x00010003 | 0x100u << 20);
	save_device();
	assert_int_equal(0, find_devices(d, 4));
	memset(config + 0x100, 0xff, sizeof(config) - 0x100);
	save_device();
	assert_int_equal(0, find_devices(d, 4));
}

static void a_device_with_short_config_space_is_not_listed(void **state)
{
	struct device d[4];

	(void)state;
	save(IN_DEVICE("config"), config, 64);
	assert_int_equal(0, find_devices(d, 4));
}

static void addresses_are_parsed_strictly(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0d:00.0", "0000:0d:00.0" }, { "0000:0d:00.0", "0000:0d:00.0" },
		{ "0001:FF:1f.7", "0001:ff:1f.7" }, { "1:2:3.4", "0001:02:03.4" },
		{ "", NULL }, { "0d:00", NULL }, { "0d:00.8", NULL }, { "0d:20.0", NULL },
		{ "0000:0d:00.0 ", NULL }, { "0d:00.0/..", NULL }, { "../../etc", NULL },
		{ "00000:0d:00.0", NULL }, { "-1:00.0", NULL }, { "0x0d:00.0", NULL },
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
		cmocka_unit_test_setup(an_unusable_device_has_a_reason, make_device),
		cmocka_unit_test_setup(hostile_registers_do_no_harm, make_device),
		cmocka_unit_test_setup(a_device_with_short_config_space_is_not_listed, make_device),
		cmocka_unit_test_setup(guest_memory_follows_cpu_driver_and_kernel, make_device),
		cmocka_unit_test_setup(status_shows_holds_and_clearing, make_device),
		cmocka_unit_test_setup(status_shows_errors, make_device),
		cmocka_unit_test(certificates),
		cmocka_unit_test(enrolled_keys),
		cmocka_unit_test(refusals),
		cmocka_unit_test(addresses_are_parsed_strictly),
		cmocka_unit_test(sizes_are_shown_in_mib_or_gib),
	};

	snprintf(root, sizeof(root), "/tmp/cxl-vfio-test.XXXXXX");
	if (!mkdtemp(root))
		return 1;
	options.root = root;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
