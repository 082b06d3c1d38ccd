// SPDX-License-Identifier: GPL-2.0-only
/*
 * The specification's rules, each with what the device does when a host keeps to it
 * and what it logs when a host does not.
 */
#include <errno.h>
#include <unistd.h>

#include "test_client.h"

#define TWO_DECODERS	"--decoders=2 --decoder=0,base=4G,size=256M,committed=1 " \
			"--decoder=1,base=0x110000000,size=256M,committed=1"

static void write_back_needs_caching_disabled(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write16(s, CONFIG, CTRL2, 2);
	assert_int_equal(settled16(s, STATUS2) & 1, 0);
	write16(s, CONFIG, CTRL2, 1);
	assert_int_equal(settled16(s, STATUS2) & 1, 0);
	write16(s, CONFIG, CTRL2, 3);
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	assert_int_equal(read16(s, CTRL2), 1);		/* the doorbell reads 0 */
	device_close(s, "doorbell ");
}

static void cache_invalid_ends_with_disable_caching(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write16(s, CONFIG, CTRL2, 3);			/* both in one write */
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	write16(s, CONFIG, CTRL2, 1);
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	write16(s, CONFIG, CTRL2, 0);
	assert_int_equal(settled16(s, STATUS2) & 1, 0);
	device_close(s, "");
}

static void cxl_reset_needs_a_cache_written_back(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write16(s, CONFIG, CTRL, 6);			/* without a cache there is no need */
	write16(s, CONFIG, CTRL2, 4);
	assert_int_equal(settled16(s, STATUS2) & 7, 2);
	write16(s, CONFIG, CTRL, 7);
	write16(s, CONFIG, CTRL2, 3);
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	write16(s, CONFIG, CTRL2, 5);
	assert_int_equal(settled16(s, STATUS2) & 7, 2);
	assert_int_equal(read16(s, CTRL2), 0);
	device_close(s, "");
	s = device_open("");
	write16(s, CONFIG, CTRL2, 4);
	assert_int_equal(settled16(s, STATUS2) & 7, 2);
	device_close(s, "doorbell ");
}

static void config_lock_drops_writes(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write16(s, CONFIG, CTRL, 0xf);
	assert_int_equal(read16(s, CTRL), 0xf);
	write32(s, CONFIG, RANGE_BASE + 4, 0x20000000);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE + 4), 0x20000000);
	write16(s, CONFIG, LOCK, 1);
	write16(s, CONFIG, CTRL, 0xf);			/* as it is: no harm */
	write16(s, CONFIG, CTRL2, 1);			/* not locked by it */
	assert_int_equal(read16(s, CTRL2), 1);
	device_close(s, "");
	s = device_open("--config-lock=1");
	write16(s, CONFIG, CTRL, 2);
	assert_int_equal(read16(s, CTRL), 7);
	write32(s, CONFIG, RANGE_BASE, 0x50005);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE), 1);
	write32(s, CONFIG, RANGE_BASE + 4, 0x20000000);
	assert_int_equal(read32(s, CONFIG, RANGE_BASE + 4), 0);
	write16(s, CONFIG, LOCK, 0);
	assert_int_equal(read16(s, LOCK), 1);
	device_close(s, "locked ");
}

static void range_bases_are_writable(void **state)
{
	static const uint32_t bases[] = { RANGE_BASE, RANGE_BASE + 0x10 };
	struct client *s = device_open(TWO_DECODERS);

	(void)state;
	for (unsigned int i = 0; i < COUNT(bases); i++) {
		write32(s, CONFIG, bases[i], 0x80002);
		assert_int_equal(read32(s, CONFIG, bases[i]), 0x80002);
		write32(s, CONFIG, bases[i] + 4, 0x20000000);
		assert_int_equal(read32(s, CONFIG, bases[i] + 4), 0x20000000);
	}
	device_close(s, "");
	/* There is no second range without two of them */
	s = device_open("");
	write32(s, CONFIG, bases[1], 0x80001);
	assert_int_equal(read32(s, CONFIG, bases[1]), 0);
	device_close(s, "read-only ");
}

static void dvsec_status_is_cleared_by_ones(void **state)
{
	struct client *s = device_open("--status=0x4000 --status2=0x8008");

	(void)state;
	write32(s, CONFIG, CTRL, 0x4007);
	assert_int_equal(read32(s, CONFIG, CTRL), 0x40004007);
	write32(s, CONFIG, CTRL, 0x40000007);
	assert_int_equal(read32(s, CONFIG, CTRL), 0x7);
	write16(s, CONFIG, STATUS2, 0x8000);
	assert_int_equal(read16(s, STATUS2), 0x8008);
	write16(s, CONFIG, STATUS2, 0x8);
	assert_int_equal(read16(s, STATUS2), 0x8000);
	device_close(s, "");
}

static const uint32_t decoder_regs[] = { 0x00, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18 };

static void committed_decoder_keeps_its_settings(void **state)
{
	struct client *s = device_open("");

	(void)state;
	for (unsigned int i = 0; i < COUNT(decoder_regs); i++) {
		uint32_t reg = DECODER(0) + decoder_regs[i], old = read32(s, 0, reg);

		write32(s, 0, reg, reg == DECODER_CTRL(0) ? old ^ 0x1011 : old ^ 0x20000000);
		assert_int_equal(read32(s, 0, reg), old);
	}
	write32(s, 0, DECODER_CTRL(0), COMMIT | LOCK_ON_COMMIT);	/* acts at commit only */
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED);
	device_close(s, "locked ");
}

static void locked_decoder_drops_every_write(void **state)
{
	struct client *s = device_open("--decoder=0,locked=1");
	uint32_t old;

	(void)state;
	write32(s, 0, DECODER_CTRL(0), COMMIT | COMMITTED | LOCK_ON_COMMIT);	/* as it is */
	device_close(s, "");
	s = device_open("--decoder=0,locked=1");
	for (unsigned int i = 0; i < COUNT(decoder_regs); i++) {
		old = read32(s, 0, DECODER(0) + decoder_regs[i]);
		write32(s, 0, DECODER(0) + decoder_regs[i], 0x20000000);
		assert_int_equal(read32(s, 0, DECODER(0) + decoder_regs[i]), old);
	}
	device_close(s, "locked reserved ");
}

static void locked_decoder_is_not_decommitted(void **state)
{
	struct client *s = device_open("--decoder=0,locked=1");

	(void)state;
	write32(s, 0, DECODER_CTRL(0), LOCK_ON_COMMIT);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED | LOCK_ON_COMMIT);
	device_close(s, "locked ");
}

/* A register of a region, what is written, and what is read then */
struct write {
	uint32_t region;
	uint32_t at;
	uint32_t val;
	uint32_t expected;
};

static void check_writes(const struct write *w, unsigned int n, const char *options,
			 const char *misuses)
{
	for (unsigned int i = 0; i < n; i++) {
		struct client *s = device_open(options);

		write32(s, w[i].region, w[i].at, w[i].val);
		if (read32(s, w[i].region, w[i].at) != w[i].expected)
			fail_msg("write %u of region %u at %#x: %#x was written and reads %#x", i,
				 w[i].region, w[i].at, w[i].val,
				 read32(s, w[i].region, w[i].at));
		device_close(s, misuses);
	}
}

static void reserved_bits_read_zero(void **state)
{
	static const struct write writes[] = {
		{ CONFIG, CTRL, 0x0000f7ff, 0x000007ff },
		{ CONFIG, CTRL, 0xffff0007, 0x00000007 },	/* STATUS: no viral */
		{ CONFIG, CTRL2, 0x0000fff9, 0x00000009 },
		{ CONFIG, RANGE_BASE + 4, 0x2fffffff, 0x20000000 },
		{ CONFIG, RANGE_BASE + 4, 0x00000001, 0x00000000 },
		{ CONFIG, RANGE_BASE + 0x14, 0x00000001, 0x00000000 },
		{ CONFIG, LOCK, 0x04010002, 0x04010000 },
		{ CONFIG, CTRL2, 0x00100000, 0x00000000 },	/* STATUS2 */
		{ 0, GLOBAL, 0xffffffff, 0x00000002 },
		{ 0, RAS + 0x04, 0xffffffff, 0x0001cfff },
		{ 0, RAS + 0x08, 0xffffffff, 0x0001cfff },
		{ 0, RAS + 0x10, 0xffffffff, 0x0000007f },
		{ 0, DECODER(0), 0x2fffffff, 0x20000000 },
		{ 0, DECODER(0) + 0x08, 0x2fffffff, 0x20000000 },
		{ 0, DECODER(0) + 0x14, 0x2fffffff, 0x20000000 },
		{ 0, DECODER(0) + 0x1c, 0xffffffff, 0x00000000 },
		{ 0, DECODER_CTRL(0), 0xfffff1ff, 0x000011ff },
	};

	(void)state;
	check_writes(writes, COUNT(writes), "--decoders=2 --decoder=0,committed=0", "reserved ");
}

static void read_only_registers_stay(void **state)
{
	static const struct write writes[] = {
		{ CONFIG, SIZE_LOW, 0x20000003, 0x1000004b },
		{ CONFIG, DVSEC + 0x18, 1, 0 },
		{ CONFIG, LOCK, 0x04050000, 0x04010000 },	/* CAPABILITY2 */
		{ CONFIG, DVSEC + 0x38, 1, 0 },
		{ 0, BLOCK + 0x1000, 0, 0x04110001 },
		{ 0, BLOCK + 0x1004, 0, 0x08030002 },
		{ 0, HDM, 5, 0 },
		{ 0, RAS + 0x14, 0xffffffff, 0 },
		{ 0, RAS + 0x18, 1, 0 },
		{ 0, BLOCK + 0x10e0, 1, 0x1de1de00 },		/* IDE */
		{ 0, DECODER(1), 0x20000000, 0 },		/* past the last decoder */
		{ 0, BLOCK, 1, 0 },
		{ 0, BLOCK + 0x2000, 1, 0 },
		{ 0, BLOCK + 0xe000, 1, 0 },
	};

	(void)state;
	check_writes(writes, COUNT(writes), "", "read-only ");
}

static void error_status_is_cleared_by_ones(void **state)
{
	struct client *s = device_open("--ras-uncorrectable=0x14001 --ras-correctable=0x41");

	(void)state;
	write32(s, CONFIG, AER_STATUS, ~(uint32_t)PCI_ERR_UNC_INTN);
	assert_int_equal(read32(s, CONFIG, AER_STATUS), PCI_ERR_UNC_INTN);
	write32(s, CONFIG, AER_STATUS, PCI_ERR_UNC_INTN);
	assert_int_equal(read32(s, CONFIG, AER_STATUS), 0);
	assert_int_equal(read32(s, CONFIG, AER_STATUS + 0xc), PCI_ERR_COR_INTERNAL);
	write32(s, CONFIG, AER_STATUS + 0xc, PCI_ERR_COR_INTERNAL);
	assert_int_equal(read32(s, CONFIG, AER_STATUS + 0xc), 0);
	write32(s, 0, RAS, 0);
	assert_int_equal(read32(s, 0, RAS), 0x14001);
	write32(s, 0, RAS, 0x10000);
	assert_int_equal(read32(s, 0, RAS), 0x4001);
	write32(s, 0, RAS + 0x0c, 0x02);
	assert_int_equal(read32(s, 0, RAS + 0x0c), 0x41);
	write32(s, 0, RAS + 0x0c, 0x40);
	assert_int_equal(read32(s, 0, RAS + 0x0c), 0x01);
	write32(s, 0, RAS + 0x04, 0x5);
	assert_int_equal(read32(s, 0, RAS + 0x04), 0x5);
	device_close(s, "");
}

static void bytes_not_written_are_not_cleared(void **state)
{
	struct client *s = device_open("--ras-uncorrectable=0x14001 --allow-misuse=width");
	uint8_t byte = 1;

	(void)state;
	assert_int_equal(try_access(s, 0, RAS, &byte, 1, true), 0);
	assert_int_equal(read32(s, 0, RAS), 0x14000);
	device_close(s, "");
}

static void component_registers_take_aligned_dwords(void **state)
{
	static const struct { uint32_t at, count; } bad[] = {
		{ HDM, 1 }, { HDM, 2 }, { HDM, 8 }, { HDM + 2, 4 }, { BLOCK + 3, 1 },
	};
	struct client *s = device_open("");
	uint8_t buf[8] = {};

	(void)state;
	assert_int_equal(try_access(s, 0, BLOCK - 3, buf, 1, false), 0);	/* beside it */
	device_close(s, "");
	for (unsigned int i = 0; i < COUNT(bad); i++) {
		s = device_open("");
		assert_int_equal(try_access(s, 0, bad[i].at, buf, bad[i].count, false), 0);
		device_close(s, "width ");
	}
}

static void bars_are_closed_without_memory_space(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write16(s, CONFIG, PCI_COMMAND, PCI_COMMAND_MASTER);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ID), 0xffffffff);
	write32(s, 0, GLOBAL, 0);
	write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read32(s, 0, GLOBAL), 2);
	device_close(s, "other-bar memory-off ");
}

static void bars_are_closed_in_d3hot(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write16(s, CONFIG, PMCSR, 1);			/* there is no D1 */
	assert_int_equal(read16(s, PMCSR) & 3, 0);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ID), T2DEV_ACC_ID_VALUE);
	write16(s, CONFIG, PMCSR, 3);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ID), 0xffffffff);
	assert_int_equal(read32(s, 0, GLOBAL), 0xffffffff);
	write16(s, CONFIG, PMCSR, 0);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ID), T2DEV_ACC_ID_VALUE);
	device_close(s, "other-bar low-power ");
}

static void set_decoder(struct client *s, unsigned int n, uint64_t base, uint64_t size)
{
	write32(s, 0, DECODER(n), base);
	write32(s, 0, DECODER(n) + 4, base >> 32);
	write32(s, 0, DECODER(n) + 8, size);
	write32(s, 0, DECODER(n) + 12, size >> 32);
}

static void decoders_commit_in_order(void **state)
{
	struct client *s = device_open(TWO_DECODERS);

	(void)state;
	write32(s, 0, DECODER_CTRL(1), 0);
	write32(s, 0, DECODER_CTRL(0), 0);
	write32(s, 0, DECODER_CTRL(0), COMMIT);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED);
	write32(s, 0, DECODER_CTRL(1), COMMIT);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(1)), COMMIT | COMMITTED);
	device_close(s, "");
	s = device_open(TWO_DECODERS);
	write32(s, 0, DECODER_CTRL(1), 0);
	write32(s, 0, DECODER_CTRL(0), 0);
	write32(s, 0, DECODER_CTRL(1), COMMIT);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(1)), COMMIT | NOT_COMMITTED);
	write32(s, 0, DECODER(1) + 8, 0x10000000);	/* writable in that state */
	write32(s, 0, DECODER_CTRL(1), 0);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(1)), 0);
	device_close(s, "commit-order ");
}

/* Is a bit late?  Not on each try: in between, a slow machine takes the time for it */
static bool is_late(struct client *s, uint32_t region, uint64_t at, uint32_t off, uint32_t on,
		    uint32_t bit)
{
	for (int tries = 0; tries < 100; tries++) {
		write32(s, region, at, off);
		write32(s, region, at, on);
		if (!(read32(s, region, at) & bit))
			return true;
	}
	return false;
}

static void results_are_late(void **state)
{
	struct client *s = device_open("--allow-misuse=doorbell");

	(void)state;
	assert_true(is_late(s, 0, DECODER_CTRL(0), 0, COMMIT, COMMITTED));
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED);
	assert_true(is_late(s, CONFIG, CTRL2, 0, 3, 1 << 16));
	assert_int_equal(settled16(s, STATUS2) & 1, 1);
	assert_true(is_late(s, CONFIG, CTRL2, 0, 4, 2 << 16));
	assert_int_equal(settled16(s, STATUS2) & 7, 2);
	device_close(s, "");
}

static void results_come_without_a_look(void **state)
{
	struct client *s = device_open("");

	(void)state;
	write32(s, 0, DECODER_CTRL(0), 0);
	write32(s, 0, DECODER_CTRL(0), COMMIT);
	write16(s, CONFIG, CTRL2, 3);
	usleep(10000);		/* what a decoder may take */
	assert_int_equal(read32(s, 0, DECODER_CTRL(0)), COMMIT | COMMITTED);
	assert_int_equal(read16(s, STATUS2) & 1, 1);
	device_close(s, "");
	/* The next step does not need the look either */
	s = device_open(TWO_DECODERS);
	write32(s, 0, DECODER_CTRL(1), 0);
	write32(s, 0, DECODER_CTRL(0), 0);
	write32(s, 0, DECODER_CTRL(0), COMMIT);
	write16(s, CONFIG, CTRL2, 3);
	usleep(10000);
	write32(s, 0, DECODER_CTRL(1), COMMIT);
	write16(s, CONFIG, CTRL2, 5);
	device_close(s, "");
}

/* What is withdrawn before it is there does not come later */
static void withdrawn_results_do_not_come(void **state)
{
	struct client *s = device_open("");
	uint8_t out[4];

	(void)state;
	write32(s, 0, DECODER_CTRL(0), 0);
	write32(s, 0, DECODER_CTRL(0), COMMIT);
	write32(s, 0, DECODER_CTRL(0), 0);
	write16(s, CONFIG, CTRL2, 3);
	write16(s, CONFIG, CTRL2, 0);
	usleep(10000);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), 0);
	assert_int_equal(settled16(s, STATUS2), 0);

	write32(s, 0, DECODER_CTRL(0), COMMIT);
	write16(s, CONFIG, CTRL2, 3);
	assert_int_equal(call(s, RESET, NULL, 0, out, sizeof(out)), 0);
	write16(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	usleep(10000);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), 0);
	assert_int_equal(settled16(s, STATUS2), 0);

	write16(s, CONFIG, CTRL2, 3);
	assert_int_equal(control(s, "", T2DEV_GO_RESTORE), 0);
	usleep(10000);
	assert_int_equal(settled16(s, STATUS2), 0);
	device_close(s, "");
}

static void decoders_decommit_in_reverse(void **state)
{
	struct client *s = device_open(TWO_DECODERS);

	(void)state;
	write32(s, 0, DECODER_CTRL(0), 0);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(0)), 0);
	device_close(s, "commit-order ");
}

static void illegal_settings_do_not_commit(void **state)
{
	static const struct {
		uint64_t base, size;
		uint32_t ctrl;
	} bad[] = {
		{ HDM_BASE, GRANULE, 0x10 },		/* interleaved */
		{ HDM_BASE, GRANULE, 0x07 },		/* reserved granularity */
		{ HDM_BASE, 3 * GRANULE, 0 },		/* more than there is */
		{ 0xfffffffff0000000, 2 * GRANULE, 0 },
		{ 0, GRANULE, 0 },			/* below the one before */
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(bad); i++) {
		struct client *s = device_open(TWO_DECODERS);
		unsigned int n = bad[i].base ? 0 : 1;

		write32(s, 0, DECODER_CTRL(1), 0);
		if (!n)
			write32(s, 0, DECODER_CTRL(0), 0);
		set_decoder(s, n, n ? HDM_BASE : bad[i].base, bad[i].size);
		write32(s, 0, DECODER_CTRL(n), COMMIT | bad[i].ctrl);
		assert_int_equal(settled32(s, 0, DECODER_CTRL(n)) & 0xe00, COMMIT | NOT_COMMITTED);
		device_close(s, "commit-settings ");
	}
}

static void dpa_skip_counts_as_memory(void **state)
{
	struct client *s = device_open(TWO_DECODERS);

	(void)state;
	write32(s, 0, DECODER_CTRL(1), 0);
	write32(s, 0, DECODER(1) + 0x14, GRANULE);
	write32(s, 0, DECODER_CTRL(1), COMMIT);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(1)) & 0xe00, COMMIT | NOT_COMMITTED);
	device_close(s, "commit-settings ");
}

static void decoder_of_size_zero_commits(void **state)
{
	struct client *s = device_open(TWO_DECODERS);

	(void)state;
	write32(s, 0, DECODER_CTRL(1), 0);
	set_decoder(s, 1, 0, 0);		/* nowhere is a place for it */
	write32(s, 0, DECODER_CTRL(1), COMMIT | LOCK_ON_COMMIT);
	assert_int_equal(settled32(s, 0, DECODER_CTRL(1)), COMMIT | COMMITTED | LOCK_ON_COMMIT);
	device_close(s, "");
}

static void dma_to_memory_that_is_off_is_misuse(void **state)
{
	static const struct write off[] = {
		{ CONFIG, CTRL, 3, 0 }, { 0, GLOBAL, 0, 0 }, { 0, DECODER_CTRL(0), 0, 0 },
	};
	struct client *s = device_open("");

	(void)state;
	assert_int_equal(operate(s, T2DEV_OP_FILL, 0, 0, HDM_IOVA, 4), T2DEV_STATUS_DONE);
	device_close(s, "");
	for (unsigned int i = 0; i < COUNT(off); i++) {
		s = device_open("");
		write32(s, off[i].region, off[i].at, off[i].val);
		operate(s, T2DEV_OP_FILL, 0, 0, DMA_BASE, 4);	/* is not HDM memory */
		operate(s, T2DEV_OP_FILL, 0, 0, HDM_IOVA, 4);
		device_close(s, "hdm-dma ");
	}
}

static void misuse_can_be_allowed(void **state)
{
	struct client *s = device_open("--allow-misuse=doorbell,width");

	(void)state;
	write16(s, CONFIG, CTRL2, 2);
	assert_int_equal(control(s, "--allow-misuse=width", T2DEV_GO_APPLY), 0);
	assert_int_equal(control(s, "--allow-misuse=nothing", T2DEV_GO_APPLY), EINVAL);
	device_close(s, "");
	s = device_open("");
	assert_int_equal(control(s, "--allow-misuse=doorbell", T2DEV_GO_APPLY), 0);
	write16(s, CONFIG, CTRL2, 2);
	assert_int_equal(control(s, "--allow-misuse=none", T2DEV_GO_APPLY), 0);
	write16(s, CONFIG, CTRL2, 2);
	device_close(s, "doorbell ");
}

static void device_that_is_pulled_out_reports_misuse(void **state)
{
	struct client *s = device_open("");
	uint8_t die[4] = { T2DEV_GO_DIE };

	(void)state;
	write16(s, CONFIG, CTRL2, 2);
	assert_int_equal(try_access(s, CONFIG, CONTROL + T2DEV_CTL_GO, die, 4, true), 0);
	device_close(s, "doorbell ");
}

int run_strict_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_back_needs_caching_disabled),
		cmocka_unit_test(cache_invalid_ends_with_disable_caching),
		cmocka_unit_test(cxl_reset_needs_a_cache_written_back),
		cmocka_unit_test(config_lock_drops_writes),
		cmocka_unit_test(range_bases_are_writable),
		cmocka_unit_test(dvsec_status_is_cleared_by_ones),
		cmocka_unit_test(committed_decoder_keeps_its_settings),
		cmocka_unit_test(locked_decoder_drops_every_write),
		cmocka_unit_test(locked_decoder_is_not_decommitted),
		cmocka_unit_test(reserved_bits_read_zero),
		cmocka_unit_test(read_only_registers_stay),
		cmocka_unit_test(error_status_is_cleared_by_ones),
		cmocka_unit_test(bytes_not_written_are_not_cleared),
		cmocka_unit_test(component_registers_take_aligned_dwords),
		cmocka_unit_test(bars_are_closed_without_memory_space),
		cmocka_unit_test(bars_are_closed_in_d3hot),
		cmocka_unit_test(decoders_commit_in_order),
		cmocka_unit_test(results_are_late),
		cmocka_unit_test(results_come_without_a_look),
		cmocka_unit_test(withdrawn_results_do_not_come),
		cmocka_unit_test(decoders_decommit_in_reverse),
		cmocka_unit_test(illegal_settings_do_not_commit),
		cmocka_unit_test(dpa_skip_counts_as_memory),
		cmocka_unit_test(decoder_of_size_zero_commits),
		cmocka_unit_test(dma_to_memory_that_is_off_is_misuse),
		cmocka_unit_test(misuse_can_be_allowed),
		cmocka_unit_test(device_that_is_pulled_out_reports_misuse),
	};

	return cmocka_run_group_tests_name("t2dev strict", tests, NULL, NULL);
}
