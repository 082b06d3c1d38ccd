// SPDX-License-Identifier: GPL-2.0-only
/*
 * The profiles: each is what its name says, and its capabilities take the writes that
 * PCIe lets them take.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "test_client.h"

#define MEM64	PCI_BASE_ADDRESS_MEM_TYPE_64
#define DOE	0x2b0
#define CXL11	"--profile=intel-0d93-rciep-cxl11"

static struct client *profile_open(const char *name)
{
	char option[128];

	snprintf(option, sizeof(option), "--profile=%s", name);
	return device_open(option);
}

/* Size a BAR as a host does: its register, the upper half of 64 bits aside */
static uint32_t size_bar(struct client *s, unsigned int bar)
{
	write32(s, CONFIG, PCI_BASE_ADDRESS_0 + 4 * bar, 0xffffffff);
	return read32(s, CONFIG, PCI_BASE_ADDRESS_0 + 4 * bar);
}

static uint64_t region_size(struct client *s, uint32_t index)
{
	uint8_t msg[32] = {}, out[32];

	put32(msg + 8, index);
	assert_int_equal(call(s, REGION_INFO, msg, 32, out, 32), 32);
	return get64(out + 16);
}

static void bars_are_those_of_the_profile(void **state)
{
	static const struct {
		const char *profile;
		uint32_t bar[NUM_BARS];		/* register after sizing */
		unsigned int comp, accel;	/* which of them */
	} expected[] = {
		{ "accelerator", { 0xff000000, 0xf000000c, 0xffffffff, 0xfe00000c, 0xffffffff,
				   0xffffff81 }, 3, 0 },
		{ "odd-bars", { 0xffff0000, 0xfff0000c, 0xffffffff, 0xfffc0004, 0xffffffff, 0 },
		  3, 0 },
		{ "full-bars", { 0xfffc000c, 0xffffffff, 0xffff000c, 0xffffffff, 0xfff0000c,
				 0xffffffff }, 0, 2 },
		{ "32-bit-bars", { 0xfffc0000, 0, 0xffff0000, 0, 0xffff0008, 0 }, 0, 2 },
		{ "intel-0d93-rciep-cxl11", { 0xfff00000, 0, 0xfffffc01, 0, 0xff000008, 0 },
		  NO_BAR, NO_BAR },
		{ "rciep-ranges", { 0xfff00000, 0, 0xfffffc01, 0, 0xff000008, 0 }, NO_BAR, 0 },
		{ "intel-0d93-early-type2-dvsec8086",
		  { 0xfff00000, 0, 0xfffffc01, 0, 0xff000008, 0 }, NO_BAR, NO_BAR },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(expected); i++) {
		struct client *s = profile_open(expected[i].profile);

		for (unsigned int bar = 0; bar < NUM_BARS; bar++) {
			uint32_t val = expected[i].bar[bar];
			bool upper = bar && (expected[i].bar[bar - 1] & 7) == MEM64;

			assert_int_equal(size_bar(s, bar), val);
			assert_int_equal(region_size(s, bar),
					 val && !upper ? -(val & (val & 1 ? ~3u : ~15u)) : 0);
		}
		if (expected[i].accel < NO_BAR)
			assert_int_equal(read32(s, expected[i].accel, T2DEV_ACC_ID),
					 T2DEV_ACC_ID_VALUE);
		if (expected[i].comp < NO_BAR)
			assert_int_equal(read32(s, CONFIG, 0x194) & 7, expected[i].comp);
		else if (expected[i].accel == NO_BAR)	/* memory, also in its middle */
			assert_int_equal(read32(s, 0, 0) | read32(s, 0, 0x71000), 0);
		device_close(s, "");
	}
}

/* Where a profile's Register Locator says that component registers are, they are */
static void component_block_is_where_the_locator_says(void **state)
{
	static const struct { const char *profile; uint32_t at; } expected[] = {
		{ "accelerator", 0x00ff0000 }, { "odd-bars", 0x10000 },
		{ "full-bars", 0x10000 }, { "32-bit-bars", 0x10000 },
		{ "component-block-first", 0 }, { "component-block-middle", 0x10000 },
		{ "component-block-last", 0x30000 }, { "locked-platform-first", 0x10000 },
		{ "memory-off", 0x10000 }, { "two-functions", 0x10000 },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(expected); i++) {
		struct client *s = profile_open(expected[i].profile);
		uint32_t entry = read32(s, CONFIG, 0x194);

		write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
		assert_int_equal(entry & 0xffff0000, expected[i].at);
		assert_int_equal(read32(s, entry & 7, expected[i].at + 0x1000), 0x04110001);
		device_close(s, "");
	}
}

static void locked_platforms_lock_every_decoder(void **state)
{
	static const struct {
		const char *profile;
		uint32_t size[4];
	} expected[] = {
		{ "locked-platform-first", { 0, 0, 0, GRANULE } },
		{ "locked-platform-last", { GRANULE, 0, 0, 0 } },
		{ "locked-platform-between", { GRANULE, 0, 0, GRANULE } },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(expected); i++) {
		struct client *s = profile_open(expected[i].profile);

		for (unsigned int n = 0; n < 4; n++) {
			assert_int_equal(read32(s, 0, DECODER(n) + 8), expected[i].size[n]);
			assert_int_equal(read32(s, 0, DECODER_CTRL(n)),
					 COMMIT | COMMITTED | LOCK_ON_COMMIT);
		}
		/* Range 1 is the memory that there is */
		assert_int_equal(read32(s, CONFIG, SIZE_LOW) & 0xf0000003, GRANULE | 3);
		device_close(s, "");
	}
}

static void config_locked_is_locked(void **state)
{
	struct client *s = profile_open("config-locked");

	(void)state;
	write16(s, CONFIG, CTRL, 3);
	assert_int_equal(read16(s, CTRL), 7);
	assert_int_equal(read16(s, LOCK), 1);
	device_close(s, "locked ");
}

static void memory_off_needs_a_second_enable(void **state)
{
	struct client *s = profile_open("memory-off");

	(void)state;
	/* device_open() was the test machine's firmware */
	assert_int_equal(read16(s, PCI_COMMAND), PCI_COMMAND_MASTER);
	write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read16(s, PCI_COMMAND), COMMAND_ON);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ID), T2DEV_ACC_ID_VALUE);
	write16(s, CONFIG, PCI_COMMAND, 0);
	write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read16(s, PCI_COMMAND), COMMAND_ON);
	device_close(s, "");
}

/* Configuration space as a file in the format of lspci -xxxx has it */
static void read_file(const char *name, uint8_t *config)
{
	char path[512], line[256];
	unsigned int at, b[16], rows = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.txt", profiles_dir, name);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%x: %x %x %x %x %x %x %x %x %x %x %x %x %x %x %x %x", &at, b,
			   b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, b + 7, b + 8, b + 9, b + 10,
			   b + 11, b + 12, b + 13, b + 14, b + 15) != 17)
			continue;
		assert_in_range(at, 0, CONFIG_SIZE - 16);
		for (unsigned int i = 0; i < 16; i++)
			config[at + i] = b[i];
		rows++;
	}
	fclose(file);
	assert_int_equal(rows, CONFIG_SIZE / 16);
}

static void dumps_are_played_byte_for_byte(void **state)
{
	static const char * const names[] = {
		"intel-0d93-early-type2-dvsec8086", "intel-0d93-rciep-cxl11",
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(names); i++) {
		uint8_t expected[CONFIG_SIZE], buf[64];
		struct client s = {};
		char option[128];

		read_file(names[i], expected);
		snprintf(option, sizeof(option), "--profile=%s", names[i]);
		client_start(&s, option);
		for (unsigned int at = 0; at < CONFIG_SIZE; at += sizeof(buf)) {
			assert_int_equal(try_access(&s, CONFIG, at, buf, sizeof(buf), false), 0);
			assert_memory_equal(buf, expected + at, sizeof(buf));
		}
		assert_int_equal(client_end(&s), 0);
	unlink(s.log);
	}
}

static void rules_hold_in_a_dump(void **state)
{
	struct client *s = profile_open("intel-0d93-rciep-cxl11");
	uint8_t out[4];

	(void)state;
	write16(s, CONFIG, 0xe0c, 0x4fff);	/* CXL.mem and I/O, no cache and no viral */
	assert_int_equal(read32(s, CONFIG, 0xe0c), 0x6);
	write16(s, CONFIG, 0xe10, 0x0007);	/* and no cache, no doorbells */
	assert_int_equal(read32(s, CONFIG, 0xe10), 0);
	write32(s, CONFIG, 0x6e4, 0xffffffff);	/* ATS */
	assert_int_equal(read32(s, CONFIG, 0x6e4), 0x801f0080);
	assert_int_equal(call(s, RESET, NULL, 0, out, sizeof(out)), 0);
	assert_int_equal(read32(s, CONFIG, PCI_BASE_ADDRESS_4), 8);	/* no address is left */
	device_close(s, "reserved ");
}

static uint32_t find_ext(struct client *s, uint16_t id, uint16_t dvsec)
{
	for (uint32_t at = 0x100; at; at = read32(s, CONFIG, at) >> 20)
		if ((read32(s, CONFIG, at) & 0xffff) == id &&
		    (id != PCI_EXT_CAP_ID_DVSEC || (read32(s, CONFIG, at + 8) & 0xffff) == dvsec))
			return at;
	return 0;
}

static void two_functions_say_so(void **state)
{
	struct client *s = profile_open("two-functions");
	uint32_t map = find_ext(s, PCI_EXT_CAP_ID_DVSEC, 2);

	(void)state;
	assert_int_equal(read32(s, CONFIG, PCI_CACHE_LINE_SIZE) >> 16 & 0x80, 0x80);
	assert_int_not_equal(map, 0);
	assert_int_equal(read32(s, CONFIG, map + 4) >> 20, 0x2c);
	assert_int_equal(read32(s, CONFIG, map + 0xc), 2);	/* function 1 */
	device_close(s, "");
	s = profile_open("two-functions-other");
	assert_int_equal(read32(s, CONFIG, PCI_CACHE_LINE_SIZE) >> 16 & 0x80, 0x80);
	assert_int_equal(find_ext(s, PCI_EXT_CAP_ID_DVSEC, 0), 0);
	assert_int_equal(find_ext(s, PCI_EXT_CAP_ID_DVSEC, 8), 0);
	device_close(s, "");
}

/* Integrated endpoints have no link, and the one of the dump has its CXL capabilities */
static void integrated_endpoints_say_so(void **state)
{
	static const char * const names[] = { "rciep-ranges", "rciep-decoders" };
	const uint32_t exp = 0x50;
	struct client *s, *dump;
	uint32_t at;

	(void)state;
	for (unsigned int i = 0; i < COUNT(names); i++) {
		s = profile_open(names[i]);
		assert_int_equal(read32(s, CONFIG, exp) >> 16, 2 | PCI_EXP_TYPE_RC_END << 4);
		assert_int_equal(read32(s, CONFIG, exp + PCI_EXP_LNKCAP), 0);
		assert_int_equal(read32(s, CONFIG, exp + PCI_EXP_LNKCTL), 0);
		assert_int_not_equal(read32(s, CONFIG, exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR,
				     0);
		device_close(s, "");
	}
	s = profile_open("rciep-ranges");
	dump = profile_open("intel-0d93-rciep-cxl11");
	at = find_ext(dump, PCI_EXT_CAP_ID_DVSEC, 0);
	assert_int_equal(read32(s, CONFIG, DVSEC + 4) >> 20, read32(dump, CONFIG, at + 4) >> 20);
	assert_int_equal(read32(s, CONFIG, DVSEC + 8) >> 16, read32(dump, CONFIG, at + 8) >> 16);
	assert_int_equal(find_ext(s, PCI_EXT_CAP_ID_DVSEC, 8), 0);
	assert_int_equal(read16(s, CTRL), 6);
	write16(s, CONFIG, CTRL, 7);		/* it has no cache */
	assert_int_equal(read16(s, CTRL), 6);
	device_close(s, "reserved ");
	device_close(dump, "");
}

/* Memory that RANGE1 maps is there while Mem_Enable is set, and moves with its base */
static void ranges_map_memory_without_decoders(void **state)
{
	const uint32_t done = T2DEV_STATUS_DONE, bad = done | T2DEV_STATUS_ERROR;
	struct client *s = profile_open("no-locator");
	uint8_t out[4];

	(void)state;
	assert_int_equal(find_ext(s, PCI_EXT_CAP_ID_DVSEC, 8), 0);
	assert_int_equal(read32(s, 2, T2DEV_ACC_HDM_SIZE_LO), GRANULE);
	write32(s, 2, T2DEV_ACC_PATTERN, 0x01020304);
	assert_int_equal(operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, 0, 4), done);
	assert_int_equal(get32(s->hdm), 0x01020304);
	write16(s, CONFIG, CTRL, 3);
	assert_int_equal(operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, 0, 4), bad);
	assert_int_equal(read32(s, 2, T2DEV_ACC_HDM_SIZE_LO), 0);
	write16(s, CONFIG, CTRL, 7);
	write32(s, CONFIG, RANGE_BASE, 2);
	assert_int_equal(operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, 0, 4), bad);
	write32(s, CONFIG, RANGE_BASE, 1);
	assert_int_equal(operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, 0, 4), done);
	/* A bus reset loses base and enable; FLR does where it is asked to */
	assert_int_equal(call(s, RESET, NULL, 0, out, sizeof(out)), 0);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE), 0);
	assert_int_equal(read16(s, CTRL), 2);
	assert_int_equal(control(s, "--lose=flr --lose-what=ranges", T2DEV_GO_APPLY), 0);
	write32(s, CONFIG, DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE), 0);
	assert_int_equal(read16(s, CTRL), 7);
	assert_int_equal(control(s, "--lose-what=all", T2DEV_GO_APPLY), 0);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE), 1);
	write32(s, CONFIG, DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE), 0);
	assert_int_equal(read16(s, CTRL), 2);
	device_close(s, "");
}

/* CXL.mem uses the ranges as long as no decoder is enabled, and CONFIG_LOCK keeps them */
static void ranges_locked_has_two_ranges_and_a_lock(void **state)
{
	struct client *s = profile_open("ranges-locked");

	(void)state;
	assert_int_equal(read32(s, 2, T2DEV_ACC_HDM_SIZE_LO), 2 * GRANULE);
	assert_int_equal(read32(s, 0, GLOBAL), 0);
	for (unsigned int n = 0; n < 2; n++)
		assert_int_equal(read32(s, 0, DECODER_CTRL(n)), 0);
	assert_int_equal(read16(s, LOCK), 1);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE + 0x14), 0x10000000);
	write32(s, CONFIG, RANGE_BASE, 2);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE), 1);
	write32(s, 0, GLOBAL, 2);
	assert_int_equal(read32(s, 2, T2DEV_ACC_HDM_SIZE_LO), 0);
	write32(s, 0, GLOBAL, 0);
	assert_int_equal(read32(s, 2, T2DEV_ACC_HDM_SIZE_LO), 2 * GRANULE);
	device_close(s, "locked ");
}

/* The accelerator's capabilities: the dword at @at, and what all ones make of it */
static void capabilities_take_what_they_may(void **state)
{
	static const struct {
		uint16_t id;
		uint16_t at;
		uint32_t fresh, ones;
	} expected[] = {
		{ PCI_EXT_CAP_ID_ATS, 4, 0x00000020, 0x801f0020 },
		{ PCI_EXT_CAP_ID_PRI, 4, 0x01000000, 0x01000001 },
		{ PCI_EXT_CAP_ID_PRI, 8, 64, 64 },
		{ PCI_EXT_CAP_ID_PRI, 12, 0, 0xffffffff },
		{ PCI_EXT_CAP_ID_PASID, 4, 0x00001406, 0x00071406 },
		{ PCI_EXT_CAP_ID_ARI, 4, 0, 0 },
		{ PCI_EXT_CAP_ID_LTR, 4, 0, 0x1fff1fff },
		{ PCI_EXT_CAP_ID_ACS, 4, 0x0000004c, 0x004c004c },
		{ PCI_EXT_CAP_ID_REBAR, 4, 0x00001000, 0x00001000 },
		{ PCI_EXT_CAP_ID_REBAR, 8, 0x00000821, 0x00003f21 },
		{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_CTRL, 0, 0x00000009 },
		{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_INITIAL_VF, 0x00040004, 0x00040004 },
		{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_NUM_VF, 0, 0x0000ffff },
		{ PCI_EXT_CAP_ID_DOE, 4, 0, 0 },
		{ EXT_CAP_IDE, 4, 2, 2 },
		{ EXT_CAP_IDE, 8, 0, 0 },
		{ EXT_CAP_IDE, 0x10, 0, 0xffffc3ff },
		{ PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_STATUS, 0, 0 },
		{ PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_MASK, 0, 0x0ffff030 },
		{ PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_SEVER, 0x00462030, 0x0ffff030 },
		{ PCI_EXT_CAP_ID_ERR, PCI_ERR_COR_MASK, 0, 0x0000f1c1 },
		{ PCI_EXT_CAP_ID_ERR, PCI_ERR_CAP, 0, 0 },
		{ PCI_EXT_CAP_ID_DSN, 4, 0x00c0ffee, 0x00c0ffee },
	};
	struct client *s = profile_open("accelerator");
	uint8_t out[4];

	(void)state;
	for (unsigned int i = 0; i < COUNT(expected); i++) {
		uint32_t at = find_ext(s, expected[i].id, 0);

		assert_int_not_equal(at, 0);
		assert_int_equal(read32(s, CONFIG, at + expected[i].at), expected[i].fresh);
		write32(s, CONFIG, at + expected[i].at, 0xffffffff);
		assert_int_equal(read32(s, CONFIG, at + expected[i].at), expected[i].ones);
	}
	/* GPF for devices is read-only */
	assert_int_not_equal(find_ext(s, PCI_EXT_CAP_ID_DVSEC, 5), 0);
	assert_int_equal(call(s, RESET, NULL, 0, out, sizeof(out)), 0);
	assert_int_equal(read32(s, CONFIG, find_ext(s, PCI_EXT_CAP_ID_ATS, 0) + 4), 0x20);
	assert_int_equal(read32(s, CONFIG, find_ext(s, PCI_EXT_CAP_ID_REBAR, 0) + 8), 0x3f21);
	device_close(s, "");
}

/* Capabilities of the usual device and of a card with more in them */
static void other_capabilities_take_what_they_may(void **state)
{
	static const struct {
		const char *options;
		uint32_t at, val, expected;
	} writes[] = {
		{ "", PMCSR, 0xffffffff, 0x0000000b },			/* no PME */
		{ "", DEVCTL, 0x00007fff, 0x00007fff },
		{ "", 0x60, 0xffffffff, 0x010500c0 },			/* Link Control */
		{ "", 0x78, 0xffffffff, 0 },				/* Device Control 2 */
		{ "", MSIX_CTRL, 0xffffffff, 0xc0030011 },
		{ CXL11, 0x48, 0x00007fff, 0x00007fff },
		{ CXL11, 0x50, 0xffffffff, 0 },				/* it has no link */
		{ CXL11, 0x68, 0xffffffff, 0x0000041f },
		{ CXL11, 0x80, 0xffffffff, 0x03f5a005 },		/* MSI */
		{ CXL11, 0x84, 0xffffffff, 0xfffffffc },
		{ CXL11, 0x88, 0xffffffff, 0xffffffff },
		{ CXL11, 0x8c, 0xffffffff, 0x0000ffff },
		{ CXL11, 0x90, 0xffffffff, 0x0000000f },
		{ CXL11, 0xa4, 0xffffffff, 0x0000010b },		/* PME from D3cold */
		{ CXL11, 0x118, 0, 0x000002a0 },			/* AER: ECRC */
		{ CXL11, 0x118, 0xffffffff, 0x000007e0 },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(writes); i++) {
		struct client *s = device_open(writes[i].options);

		write32(s, CONFIG, writes[i].at, writes[i].val);
		assert_int_equal(read32(s, CONFIG, writes[i].at), writes[i].expected);
		device_close(s, "");
	}
}

/* Nothing is behind those capabilities of 8 bytes, as on most devices */
static void short_capabilities_stand_alone(void **state)
{
	static const uint16_t ids[] = {
		PCI_EXT_CAP_ID_ATS, PCI_EXT_CAP_ID_PASID, PCI_EXT_CAP_ID_ARI,
		PCI_EXT_CAP_ID_LTR, PCI_EXT_CAP_ID_ACS,
	};
	struct client *s = profile_open("accelerator");

	(void)state;
	for (unsigned int i = 0; i < COUNT(ids); i++) {
		uint32_t at = find_ext(s, ids[i], 0);

		assert_int_not_equal(at, 0);
		assert_int_equal(read32(s, CONFIG, at + 8), 0);
		for (uint32_t cap = 0x100; cap; cap = read32(s, CONFIG, cap) >> 20)
			assert_int_not_equal(cap, at + 8);
	}
	device_close(s, "");
}

static void doe_answers_discovery(void **state)
{
	static const uint32_t question[] = { 1, 3, 0 }, answer[] = { 1, 3, 1 };
	struct client *s = profile_open("accelerator");

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		write32(s, CONFIG, DOE + PCI_DOE_WRITE, question[i]);
	assert_int_equal(read32(s, CONFIG, DOE + PCI_DOE_STATUS), 0);
	write32(s, CONFIG, DOE + PCI_DOE_CTRL, PCI_DOE_CTRL_GO);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(read32(s, CONFIG, DOE + PCI_DOE_STATUS),
				 PCI_DOE_STATUS_DATA_OBJECT_READY);
		assert_int_equal(read32(s, CONFIG, DOE + PCI_DOE_READ), answer[i]);
		write32(s, CONFIG, DOE + PCI_DOE_READ, 0);
	}
	assert_int_equal(read32(s, CONFIG, DOE + PCI_DOE_STATUS), 0);
	/* Another protocol is an error until an abort */
	write32(s, CONFIG, DOE + PCI_DOE_WRITE, 0x00021e98);
	write32(s, CONFIG, DOE + PCI_DOE_CTRL, PCI_DOE_CTRL_GO);
	assert_int_equal(read32(s, CONFIG, DOE + PCI_DOE_STATUS), PCI_DOE_STATUS_ERROR);
	write32(s, CONFIG, DOE + PCI_DOE_CTRL, PCI_DOE_CTRL_ABORT);
	assert_int_equal(read32(s, CONFIG, DOE + PCI_DOE_STATUS), 0);
	device_close(s, "");
}

static void options_change_a_profile(void **state)
{
	struct client *s = device_open("--profile=locked-platform-last --decoder=0,locked=0");

	(void)state;
	assert_int_equal(read32(s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED);
	assert_int_equal(control(s, "--profile=full-bars", T2DEV_GO_APPLY), EINVAL);
	device_close(s, "");
}

int run_profile_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_are_those_of_the_profile),
		cmocka_unit_test(component_block_is_where_the_locator_says),
		cmocka_unit_test(locked_platforms_lock_every_decoder),
		cmocka_unit_test(config_locked_is_locked),
		cmocka_unit_test(memory_off_needs_a_second_enable),
		cmocka_unit_test(dumps_are_played_byte_for_byte),
		cmocka_unit_test(rules_hold_in_a_dump),
		cmocka_unit_test(two_functions_say_so),
		cmocka_unit_test(integrated_endpoints_say_so),
		cmocka_unit_test(ranges_map_memory_without_decoders),
		cmocka_unit_test(ranges_locked_has_two_ranges_and_a_lock),
		cmocka_unit_test(capabilities_take_what_they_may),
		cmocka_unit_test(other_capabilities_take_what_they_may),
		cmocka_unit_test(short_capabilities_stand_alone),
		cmocka_unit_test(doe_answers_discovery),
		cmocka_unit_test(options_change_a_profile),
	};

	return cmocka_run_group_tests_name("t2dev profiles", tests, NULL, NULL);
}
