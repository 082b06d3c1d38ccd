// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each kind of reset loses and keeps, and how memory comes back after it.
 */
#include <stdio.h>
#include <unistd.h>

#include "test_client.h"

#define MEDIA	3u	/* Memory_Info_Valid and Memory_Active */

static void do_flr(struct client *s)
{
	write16(s, CONFIG, DEVCTL, read16(s, DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR);
}

static void do_cxl(struct client *s)
{
	write16(s, CONFIG, CTRL2, 3);
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	write16(s, CONFIG, CTRL2, 5);
	assert_int_equal(settled16(s, STATUS2) & 6, 2);
}

static void do_bus(struct client *s)
{
	uint8_t out[4];

	assert_int_equal(call(s, RESET, NULL, 0, out, sizeof(out)), 0);
}

static void do_d3(struct client *s)
{
	write16(s, CONFIG, PMCSR, 3);
	write16(s, CONFIG, PMCSR, 0);
}

/* The ways to reset, in the order of the columns below */
enum { FLR, CXL, BUS, D3, D3_SOFT, KINDS };
#define BIT(n)		(1u << (n))
#define STATUS_SET	"--ras-uncorrectable=0x14001 --status=0x4000 --status2=0x8008"
#define FUNCTION	(BIT(FLR) | BIT(BUS) | BIT(D3_SOFT))	/* resets of CXL.io */

static const struct {
	void (*reset)(struct client *s);
	const char *options;
} kinds[KINDS] = {
	[FLR] = { do_flr, "" }, [CXL] = { do_cxl, "" }, [BUS] = { do_bus, "" },
	[D3] = { do_d3, "" }, [D3_SOFT] = { do_d3, "--soft-reset" },
};

/* Bits of a register that is set to @set before: what they are after resets that lose it */
static const struct {
	const char *what;
	uint32_t region;
	uint32_t at;
	uint32_t mask;
	uint32_t set;
	uint32_t lost;
	unsigned int losers;
} state_bits[] = {
	{ "COMMAND", CONFIG, PCI_COMMAND, 0x6, COMMAND_ON, 0, FUNCTION },
	{ "BAR 0", CONFIG, PCI_BASE_ADDRESS_0, ~0u, 0xabcc000c, 0xc, FUNCTION },
	{ "MSI-X enable", CONFIG, MSIX_CTRL, 0x80000000, 0x80000000, 0, FUNCTION },
	{ "Device Control", CONFIG, DEVCTL, 0x700f, 0x0000, 0x2000, FUNCTION },
	{ "Max_Payload_Size", CONFIG, DEVCTL, 0xe0, 0x20, 0, BIT(BUS) },
	{ "AER mask, sticky", CONFIG, AER_MASK, ~0u, 0x10, 0, 0 },
	{ "accelerator", 2, T2DEV_ACC_PATTERN, ~0u, 7, 0, FUNCTION },
	{ "CONTROL", CONFIG, CTRL, 0xffff, 0xf, 2, BIT(CXL) | BIT(BUS) },
	{ "CONTROL2", CONFIG, CTRL2, 0xffff, 9, 0, BIT(CXL) | BIT(BUS) },
	{ "STATUS, sticky", CONFIG, CTRL, 0x40000000, 0x40000000, 0, 0 },
	{ "STATUS2, sticky or live", CONFIG, CTRL2, 0x80080000, 0x80080000, 0, 0 },
	{ "RANGE BASE", CONFIG, RANGE_BASE, ~0u, 3, 0, BIT(CXL) | BIT(BUS) },
	{ "global enable", 0, GLOBAL, ~0u, 2, 0, BIT(CXL) | BIT(BUS) },
	{ "decoder", 0, DECODER_CTRL(0), ~0u, COMMIT | COMMITTED, 0, BIT(CXL) | BIT(BUS) },
	{ "decoder base", 0, DECODER(0) + 4, ~0u, 1, 0, BIT(CXL) | BIT(BUS) },
	{ "RAS mask, sticky", 0, RAS + 0x04, ~0u, 0x11, 0, 0 },
	{ "RAS status, sticky", 0, RAS, ~0u, 0x14001, 0, 0 },
};

static void resets_lose_what_the_specification_says(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < COUNT(state_bits) * KINDS; i++) {
		unsigned int row = i / KINDS, kind = i % KINDS;
		uint32_t region = state_bits[row].region, mask = state_bits[row].mask, val, now;
		bool lost = state_bits[row].losers & BIT(kind);
		char options[128];
		struct client *s;

		snprintf(options, sizeof(options), STATUS_SET " %s", kinds[kind].options);
		s = device_open(options);
		/* A decoder is committed from the start, and its status set */
		val = read32(s, region, state_bits[row].at);
		if ((val & mask) != state_bits[row].set)
			write32(s, region, state_bits[row].at, (val & ~mask) | state_bits[row].set);
		assert_int_equal(read32(s, region, state_bits[row].at) & mask, state_bits[row].set);
		kinds[kind].reset(s);
		if (region != CONFIG)
			write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
		now = read32(s, region, state_bits[row].at) & mask;
		if (now != (lost ? state_bits[row].lost : state_bits[row].set))
			fail_msg("reset %u: %s reads %#x", kind, state_bits[row].what, now);
		device_close(s, "");
	}
}

static void locks_end_with_a_conventional_reset(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < KINDS; kind++) {
		char options[128];
		struct client *s;
		bool ends = kind == BUS;

		snprintf(options, sizeof(options), "--config-lock=1 --decoder=0,locked=1 %s",
			 kinds[kind].options);
		s = device_open(options);
		kinds[kind].reset(s);
		write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
		assert_int_equal(read16(s, LOCK), !ends);
		assert_int_equal(read16(s, CTRL), ends ? 2 : 7);
		assert_int_equal(read32(s, CONFIG, RANGE_BASE), !ends);
		assert_int_equal(read32(s, 0, DECODER_CTRL(0)), ends ? 0 : 0x700);
		assert_int_equal(read32(s, 0, GLOBAL), kind == CXL || ends ? 0 : 2);
		device_close(s, "");
	}
}

static void memory_is_valid_and_then_active(struct client *s)
{
	/* The size is known with Memory_Info_Valid only */
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & (0xf0000000 | MEDIA), 0);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & (0xf0000000 | MEDIA), GRANULE | 1);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 1);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 3);
}

static void conventional_reset_loses_memory(void **state)
{
	struct client *s = device_open("");

	(void)state;
	do_bus(s);
	memory_is_valid_and_then_active(s);
	device_close(s, "");
}

static void cxl_reset_loses_memory_if_asked_to_clear_it(void **state)
{
	struct client *s = device_open("");

	(void)state;
	s->hdm[0] = 42;
	do_cxl(s);
	assert_int_equal(s->hdm[0], 42);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 3);
	device_close(s, "");
	s = device_open("");
	s->hdm[0] = 42;
	write16(s, CONFIG, CTRL2, 3);
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	write16(s, CONFIG, CTRL2, 0xd);
	assert_int_equal(s->hdm[0], 0);
	memory_is_valid_and_then_active(s);
	device_close(s, "");
}

static void flr_and_low_power_keep_memory(void **state)
{
	struct client *s = device_open("");

	(void)state;
	s->hdm[0] = 42;
	do_flr(s);
	do_d3(s);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 3);
	assert_int_equal(s->hdm[0], 42);
	device_close(s, "");
}

static void memory_is_active_in_time_without_a_look(void **state)
{
	struct client *s = device_open("");

	(void)state;
	do_bus(s);
	sleep(1);		/* what Memory_Active_Timeout says is the longest */
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 3);
	device_close(s, "");
}

static void slow_memory_is_active_later(void **state)
{
	struct client *s = device_open("--misbehave=reset-slow");

	(void)state;
	do_flr(s);
	for (int i = 0; i < 9; i++)
		assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 1);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 3);
	device_close(s, "");
	s = device_open("--misbehave=reset-slow");
	do_bus(s);
	sleep(1);		/* looks count, not time */
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 0);
	device_close(s, "");
	s = device_open("--misbehave=reset-inactive");
	do_bus(s);
	for (int i = 0; i < 20; i++)
		read32(s, CONFIG, SIZE_LOW);
	sleep(1);
	assert_int_equal(read32(s, CONFIG, SIZE_LOW) & MEDIA, 1);
	device_close(s, "");
}

static void reset_before_use_is_power_on(void **state)
{
	struct client s = {};

	(void)state;
	client_start(&s, "");
	write16(&s, CONFIG, CTRL, 0xf);
	do_bus(&s);
	assert_int_equal(read16(&s, CTRL), 7);
	write16(&s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read32(&s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED);
	do_bus(&s);
	assert_int_equal(read16(&s, CTRL), 2);
	assert_int_equal(client_end(&s), 0);
	unlink(s.log);
}

static void cxl_reset_ends_with_what_is_asked(void **state)
{
	static const struct { const char *options; uint16_t status; } ends[] = {
		{ "", 2 }, { "--misbehave=reset-error", 4 }, { "--misbehave=reset-hangs", 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(ends); i++) {
		struct client *s = device_open(ends[i].options);

		write16(s, CONFIG, CTRL2, 3);
		assert_int_equal(settled16(s, STATUS2), 1);
		write16(s, CONFIG, CTRL2, 5);
		assert_int_equal(settled16(s, STATUS2), ends[i].status);
		device_close(s, "");
	}
}

int run_reset_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resets_lose_what_the_specification_says),
		cmocka_unit_test(locks_end_with_a_conventional_reset),
		cmocka_unit_test(conventional_reset_loses_memory),
		cmocka_unit_test(cxl_reset_loses_memory_if_asked_to_clear_it),
		cmocka_unit_test(flr_and_low_power_keep_memory),
		cmocka_unit_test(memory_is_active_in_time_without_a_look),
		cmocka_unit_test(slow_memory_is_active_later),
		cmocka_unit_test(reset_before_use_is_power_on),
		cmocka_unit_test(cxl_reset_ends_with_what_is_asked),
	};

	return cmocka_run_group_tests_name("t2dev resets", tests, NULL, NULL);
}
