// SPDX-License-Identifier: GPL-2.0-only
/* The platform's CEDT: which ranges may be memory below a host bridge */
#include "device.h"

#include <linux/acpi.h>

#include "../../src/cedt.h"

#define OURS	7
#define OTHER	8
#define MIB	0x100000ULL
#define RANGE	0x100000000ULL
#define SIZE	(256 * MIB)

static u8 table[1024];
static u32 used;
static bool no_table;
static unsigned int taken;
static struct acpi_device bridge;
static struct acpi_device *companion;

int acpi_get_table(const char *signature, u32 instance, struct acpi_table_header **out)
{
	assert_string_equal(signature, "CEDT");
	assert_int_equal(instance, 1);
	if (no_table)
		return 5;
	memcpy(table + 4, &used, 4);
	taken++;
	/* Of its own size, so that a read past its end is noticed */
	*out = malloc(used);
	memcpy(*out, table, used);
	return 0;
}

void acpi_put_table(struct acpi_table_header *t)
{
	free(t);
	taken--;
}

struct acpi_device *shim_acpi_companion(void)
{
	return companion;
}

int kstrtou32(const char *s, unsigned int base, u32 *res)
{
	char *end;

	*res = strtoul(s, &end, base);
	return *end || end == s ? -EINVAL : 0;
}

static int setup(void **state)
{
	unit_setup(state);
	memset(table, 0, sizeof(table));
	used = 36;
	no_table = false;
	taken = 0;
	bridge.uid = "7";
	companion = &bridge;
	return 0;
}

static void put(const void *entry, size_t len)
{
	memcpy(table + used, entry, len);
	used += len;
}

static void host_bridge(u32 uid, u32 version, u64 base, u64 len)
{
	struct acpi_cedt_chbs chbs = {
		.header = { ACPI_CEDT_TYPE_CHBS, 0, sizeof(chbs) }, .uid = uid,
		.cxl_version = version, .base = base, .length = len,
	};

	put(&chbs, sizeof(chbs));
}

/* A window with its number of ways as the table encodes it, and @n targets */
static void window(u64 base, u64 size, u8 eniw, unsigned int n, const u32 *targets)
{
	struct acpi_cedt_cfmws cfmws = {
		.header = { ACPI_CEDT_TYPE_CFMWS, 0, sizeof(cfmws) + 4 * n }, .base_hpa = base,
		.window_size = size, .interleave_ways = eniw,
	};

	put(&cfmws, sizeof(cfmws));
	put(targets, 4 * n);
}

static void window_to(u32 target, u64 base, u64 size)
{
	window(base, size, 0, 1, &target);
}

static int check(u64 base, u64 size)
{
	struct cxl_vfio_hdm_range range = { .base = base, .size = size, .decoder = 3 };
	int ret = cxl_vfio_cedt_check(&unit.pdev, &range);

	assert_int_equal(taken, 0);
	return ret;
}

static struct cxl_vfio_cedt look_up(void)
{
	struct cxl_vfio_hdm_range range = { .base = RANGE, .size = SIZE };
	struct cxl_vfio_cedt cedt;

	memset(&cedt, 0xff, sizeof(cedt));
	assert_true(cxl_vfio_cedt_read(&unit.pdev, &range, &cedt));
	assert_int_equal(taken, 0);
	return cedt;
}

static void without_a_cedt_no_range_is_judged(void **state)
{
	no_table = true;
	assert_int_equal(check(RANGE, SIZE), 1);
}

static void a_host_bridge_without_uid_is_not_judged(void **state)
{
	window_to(OTHER, RANGE, SIZE);
	companion = NULL;
	assert_int_equal(check(RANGE, SIZE), 1);
	companion = &bridge;
	bridge.uid = NULL;
	assert_int_equal(check(RANGE, SIZE), 1);
	bridge.uid = "PCI0";
	assert_int_equal(check(RANGE, SIZE), 1);
	assert_nothing_logged();
}

static void without_a_window_for_the_host_bridge_a_range_is_not_judged(void **state)
{
	host_bridge(OURS, 1, 0x140000000ULL, 0x10000);
	assert_int_equal(check(RANGE, SIZE), 1);
	window_to(OTHER, RANGE + SIZE, SIZE);
	window_to(OTHER, RANGE - SIZE, SIZE);
	assert_int_equal(check(RANGE, SIZE), 1);
	assert_nothing_logged();
}

static void a_range_inside_a_window_is_taken(void **state)
{
	window_to(OTHER, 0, SIZE);
	window_to(OURS, RANGE, 4 * SIZE);
	assert_int_equal(check(RANGE, SIZE), 0);
	assert_int_equal(check(RANGE + 3 * SIZE, SIZE), 0);
	assert_int_equal(check(RANGE, 4 * SIZE), 0);
	assert_nothing_logged();
}

static void a_range_in_part_outside_of_the_windows_is_refused(void **state)
{
	window_to(OURS, RANGE, SIZE);
	assert_int_equal(check(RANGE, 2 * SIZE), -EADDRNOTAVAIL);
	assert_logged("HDM decoder 3: [mem 0x100000000-0x11fffffff] is in no CXL window");
	assert_int_equal(check(RANGE - SIZE, 2 * SIZE), -EADDRNOTAVAIL);
	assert_logged("in no CXL window");
	assert_int_equal(check(RANGE + SIZE, SIZE), -EADDRNOTAVAIL);
	assert_logged("in no CXL window");
	assert_int_equal(check(RANGE, SIZE), 0);
}

static void a_range_of_the_dvsec_is_refused_by_its_name(void **state)
{
	struct cxl_vfio_hdm_range range = { .base = RANGE, .size = SIZE, .by_dvsec = true };

	window_to(OTHER, RANGE, SIZE);
	assert_int_equal(cxl_vfio_cedt_check(&unit.pdev, &range), -EADDRNOTAVAIL);
	assert_logged("CXL Device DVSEC: RANGE1: [mem 0x100000000-0x10fffffff] is in a CXL window");
}

static void a_range_in_a_window_to_another_host_bridge_is_refused(void **state)
{
	window_to(OTHER, RANGE, SIZE);
	assert_int_equal(check(RANGE, SIZE), -EADDRNOTAVAIL);
	assert_logged("is in a CXL window to another host bridge");
	assert_int_equal(check(RANGE - SIZE, 2 * SIZE), -EADDRNOTAVAIL);
	assert_logged("another host bridge");
	assert_int_equal(check(RANGE - SIZE, 3 * SIZE), -EADDRNOTAVAIL);
	assert_logged("another host bridge");
	assert_int_equal(check(RANGE - SIZE, SIZE), 1);
	assert_int_equal(check(RANGE + SIZE, SIZE), 1);
}

static void an_interleaved_window_is_for_a_host_bridge_that_is_its_only_target(void **state)
{
	static const u8 encoded[] = { 1, 2, 3, 4, 8, 9, 10 };
	static const unsigned int ways[] = { 2, 4, 8, 16, 3, 6, 12 };
	u32 targets[16];

	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		for (unsigned int n = 0; n < 16; n++)
			targets[n] = n < ways[i] ? OURS : OTHER;
		used = 36;
		window(RANGE, SIZE, encoded[i], 16, targets);
		assert_true(look_up().inside);
		assert_false(look_up().exact);
		assert_false(look_up().elsewhere);
		for (unsigned int n = 0; n < ways[i]; n++) {
			targets[n] = OTHER;
			used = 36;
			window(RANGE, SIZE, encoded[i], 16, targets);
			assert_true(look_up().elsewhere);
			assert_false(look_up().has_windows);
			targets[n] = OURS;
		}
	}
}

static void neighbouring_windows_hold_a_range_together(void **state)
{
	window_to(OURS, RANGE + 2 * SIZE, SIZE);
	window_to(OURS, RANGE + SIZE, SIZE);
	window_to(OURS, RANGE, SIZE);
	assert_int_equal(check(RANGE, 3 * SIZE), 0);
	assert_int_equal(check(RANGE, 4 * SIZE), -EADDRNOTAVAIL);
	assert_logged("in no CXL window");
	/* A hole between them */
	used = 36;
	window_to(OURS, RANGE + 2 * SIZE, SIZE);
	window_to(OURS, RANGE, SIZE);
	assert_int_equal(check(RANGE, 3 * SIZE), -EADDRNOTAVAIL);
	assert_logged("in no CXL window");
}

/* A window of any size and place, as long as no address is missing */
static void a_window_that_ends_at_the_first_address_of_a_range_holds_that_address(void **state)
{
	window_to(OURS, RANGE - SIZE + 1, SIZE);
	window_to(OURS, RANGE + 1, SIZE);
	assert_int_equal(check(RANGE, SIZE), 0);
}

static void a_range_in_two_windows_is_not_exact(void **state)
{
	window_to(OURS, RANGE, SIZE / 2);
	window_to(OURS, RANGE + SIZE / 2, SIZE);
	assert_true(look_up().inside);
	assert_false(look_up().exact);
}

static void a_window_without_interleaving_is_exact(void **state)
{
	window_to(OURS, RANGE, SIZE);
	assert_true(look_up().exact);
	assert_true(look_up().inside);
	assert_true(look_up().has_windows);
	assert_false(look_up().elsewhere);
	/* The next window changes nothing */
	window_to(OURS, RANGE + SIZE, SIZE);
	assert_true(look_up().exact);
	assert_true(look_up().inside);
	used = 36;
	window_to(OURS, 0 - SIZE, SIZE);
	window_to(OURS, 0, SIZE);
	assert_int_equal(check(0 - SIZE, SIZE), 0);
}

static void an_entry_that_contradicts_the_specification_counts_for_nothing(void **state)
{
	static const u32 two[] = { OTHER, OTHER };

	window(RANGE, SIZE, 2, 2, two);			/* four ways, two targets */
	window(RANGE, SIZE, 0, 0, two);		/* no target */
	window(RANGE, SIZE, 5, 2, two);			/* reserved numbers of ways */
	window(RANGE, SIZE, 7, 2, two);
	window(RANGE, SIZE, 11, 2, two);
	window_to(OTHER, RANGE, 0);			/* no memory */
	window_to(OTHER, RANGE, 0 - RANGE + 1);		/* wraps */
	put("\1\0\10\0aaaa", 8);			/* a window of eight bytes */
	host_bridge(OURS, 0, 0x140000000ULL, 0x2000);	/* CXL 1.1: no component block */
	host_bridge(OURS, 1, 0x140000000ULL, 0x2000);
	host_bridge(OTHER, 1, 0x140000000ULL, 0x10000);
	assert_int_equal(check(RANGE, SIZE), 1);
	assert_int_equal(look_up().block, 0);
	assert_false(look_up().elsewhere);
	assert_false(look_up().has_windows);
}

static void a_window_that_ends_at_the_last_address_is_one(void **state)
{
	window_to(OURS, 0 - SIZE, SIZE);
	assert_int_equal(check(0 - SIZE, SIZE), 0);
	assert_int_equal(check(RANGE, SIZE), -EADDRNOTAVAIL);
	assert_logged("in no CXL window");
}

static void the_table_ends_at_an_entry_that_does_not_fit(void **state)
{
	put("\7\0\3\0", 4);	/* shorter than its own header */
	window_to(OTHER, RANGE, SIZE);
	assert_int_equal(check(RANGE, SIZE), 1);
	used = 36;
	window_to(OTHER, RANGE, SIZE);
	used -= 4;
	assert_int_equal(check(RANGE, SIZE), 1);
	used = 36;
	put("\7\0\5\0\0", 5);	/* a kind that is not known */
	window_to(OTHER, RANGE, SIZE);
	assert_int_equal(check(RANGE, SIZE), -EADDRNOTAVAIL);
	assert_logged("another host bridge");
}

static void the_host_bridge_has_its_component_block(void **state)
{
	host_bridge(OTHER, 1, 0x150000000ULL, 0x10000);
	host_bridge(OURS, 1, 0x140000000ULL, 0x10000);
	assert_int_equal(look_up().block, 0x140000000ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
		T(without_a_cedt_no_range_is_judged),
		T(a_host_bridge_without_uid_is_not_judged),
		T(without_a_window_for_the_host_bridge_a_range_is_not_judged),
		T(a_range_inside_a_window_is_taken),
		T(a_range_in_part_outside_of_the_windows_is_refused),
		T(a_range_of_the_dvsec_is_refused_by_its_name),
		T(a_range_in_a_window_to_another_host_bridge_is_refused),
		T(an_interleaved_window_is_for_a_host_bridge_that_is_its_only_target),
		T(neighbouring_windows_hold_a_range_together),
		T(a_window_that_ends_at_the_first_address_of_a_range_holds_that_address),
		T(a_range_in_two_windows_is_not_exact),
		T(a_window_without_interleaving_is_exact),
		T(an_entry_that_contradicts_the_specification_counts_for_nothing),
		T(a_window_that_ends_at_the_last_address_is_one),
		T(the_table_ends_at_an_entry_that_does_not_fit),
		T(the_host_bridge_has_its_component_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
