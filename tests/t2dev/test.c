// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the software device by itself: they speak vfio-user to a server that
 * they start, as QEMU would, and as QEMU never should.
 *
 * usage: test T2DEV PROFILES-DIRECTORY
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_client.h"

const char *server, *profiles_dir;

static int setup_device(void **state, const char *options)
{
	struct client *s = calloc(1, sizeof(*s));

	client_start(s, options);
	client_map(s);
	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	*state = s;
	return 0;
}

static int setup(void **state)
{
	return setup_device(state, "--keep");
}

static int setup_accelerator(void **state)
{
	return setup_device(state, "--keep --profile=accelerator");
}

/* The server must be as well as at its start: still there, and serving */
static int teardown(void **state)
{
	struct client *s = *state;
	int status;

	close(s->fd);
	s->fd = connect_to(s->path);
	assert_true(s->fd >= 0);
	assert_int_equal(read32(s, CONFIG, 0), (uint32_t)T2DEV_DEVICE_ID << 16 | T2DEV_VENDOR_ID);
	assert_int_equal(waitpid(s->pid, &status, WNOHANG), 0);
	kill(s->pid, SIGTERM);
	waitpid(s->pid, &status, 0);
	close(s->fd);
	unlink(s->path);
	unlink(s->log);
	munmap(s->hdm, 4096);
	munmap(s->dma, DMA_SIZE);
	free(s);
	return 0;
}

static void version_is_negotiated(void **state)
{
	uint8_t ok[4] = {}, wrong[4] = { 1 }, out[256];

	assert_true(call(*state, VERSION, ok, 4, out, sizeof(out)) > 4);
	assert_non_null(strstr((char *)out + 4, "max_data_xfer_size"));
	assert_int_equal(call(*state, VERSION, wrong, 4, out, sizeof(out)), -EOPNOTSUPP);
	assert_int_equal(call(*state, VERSION, ok, 3, out, sizeof(out)), -EINVAL);
}

static void short_messages_are_refused(void **state)
{
	static const uint16_t commands[] = {
		VERSION, MAP, UNMAP, INFO, REGION_INFO, IRQ_INFO, SET_IRQS, READ, WRITE,
	};
	uint8_t out[64];

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		assert_int_equal(call(*state, commands[i], NULL, 0, out, sizeof(out)), -EINVAL);
	assert_int_equal(call(*state, 999, NULL, 0, out, sizeof(out)), -ENOSYS);
}

static void senseless_sizes_end_the_connection(void **state)
{
	static const uint32_t sizes[] = { 0, 15, 0x7fffffff, 0xffffffff };
	struct client *s = *state;

	for (unsigned int i = 0; i < 4; i++) {
		uint8_t head[16] = { 0, 0, INFO };

		put32(head + 4, sizes[i]);
		assert_int_equal(send(s->fd, head, 16, MSG_NOSIGNAL), 16);
		assert_int_equal(recv(s->fd, head, 16, MSG_WAITALL), 0);
		close(s->fd);
		s->fd = connect_to(s->path);
		assert_true(s->fd >= 0);
	}
}

static void a_client_that_leaves_in_a_message_is_survived(void **state)
{
	struct client *s = *state;
	uint8_t head[16] = { 0, 0, WRITE };

	put32(head + 4, 4096);
	assert_int_equal(send(s->fd, head, 16, MSG_NOSIGNAL), 16);
	/* teardown closes, connects again and finds the device well */
}

static void regions_have_their_bounds(void **state)
{
	static const uint64_t size[NUM_REGIONS] = {
		[0] = 0x40000, [2] = T2DEV_ACCEL_BAR_SIZE, [CONFIG] = CONFIG_SIZE,
	};
	uint8_t msg[32] = {}, out[32], byte;

	for (uint32_t i = 0; i < NUM_REGIONS; i++) {
		put32(msg + 8, i);
		assert_int_equal(call(*state, REGION_INFO, msg, 32, out, 32), 32);
		assert_int_equal(get64(out + 16), size[i]);
		assert_int_equal(try_access(*state, i, size[i], &byte, 1, false), -EINVAL);
		assert_int_equal(try_access(*state, i, ~0ull, &byte, 1, false), -EINVAL);
	}
	put32(msg + 8, NUM_REGIONS);
	assert_int_equal(call(*state, REGION_INFO, msg, 32, out, 32), -EINVAL);
	put32(msg + 8, NUM_IRQS);
	assert_int_equal(call(*state, IRQ_INFO, msg, 16, out, 32), -EINVAL);
}

static void extended_capabilities_form_a_chain(void **state)
{
	static const struct {
		uint16_t at, id;
		uint32_t dvsec;
	} expected[] = {
		{ 0x100, PCI_EXT_CAP_ID_DSN, 0 },
		{ CONTROL, PCI_EXT_CAP_ID_VNDR, 0 },
		{ DVSEC, PCI_EXT_CAP_ID_DVSEC, 0x1e98 },
		{ 0x180, PCI_EXT_CAP_ID_DVSEC, 0x1e98 | 8 << 16 },
		{ 0x1d0, PCI_EXT_CAP_ID_ERR, 0 },
		{ 0x1b0, PCI_EXT_CAP_ID_DVSEC, 0x1e98 | 7 << 16 },
	};
	uint32_t at = 0x100;

	for (unsigned int i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		uint32_t header = read32(*state, CONFIG, at);

		assert_int_equal(at, expected[i].at);
		assert_int_equal(header & 0xffff, expected[i].id);
		if (expected[i].dvsec) {
			assert_int_equal(read32(*state, CONFIG, at + 4) & 0xffff, 0x1e98);
			assert_int_equal(read32(*state, CONFIG, at + 8) & 0xffff,
					 expected[i].dvsec >> 16);
		}
		at = header >> 20;
	}
	assert_int_equal(at, 0);
}

static void bars_are_sized(void **state)
{
	write32(*state, CONFIG, PCI_BASE_ADDRESS_0, 0xffffffff);
	write32(*state, CONFIG, PCI_BASE_ADDRESS_1, 0xffffffff);
	assert_int_equal(read32(*state, CONFIG, PCI_BASE_ADDRESS_0) & ~0xfu, 0xfffc0000);
	assert_int_equal(read32(*state, CONFIG, PCI_BASE_ADDRESS_1), 0xffffffff);
}

static void memory_space_off_reads_ones(void **state)
{
	write32(*state, CONFIG, PCI_COMMAND, 0);
	assert_int_equal(read32(*state, 2, T2DEV_ACC_ID), 0xffffffff);
	assert_int_equal(read32(*state, 0, HDM), 0xffffffff);
	write32(*state, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read32(*state, 2, T2DEV_ACC_ID), T2DEV_ACC_ID_VALUE);
}

static void decoder_commits_and_decommits(void **state)
{
	const uint64_t ctrl = HDM + 0x20;

	assert_int_equal(settled32(*state, 0, ctrl) & 0x600, 0x600);
	write32(*state, 0, HDM + 0x10, 0x20000000);	/* base low: committed, so kept */
	assert_int_equal(read32(*state, 0, HDM + 0x10), 0);
	write32(*state, 0, ctrl, 0);
	assert_int_equal(settled32(*state, 0, ctrl) & 0x600, 0);
	write32(*state, 0, HDM + 0x18, 0x20000000);	/* more than there is cannot commit */
	write32(*state, 0, ctrl, 0x200);
	assert_int_equal(settled32(*state, 0, ctrl) & 0xc00, 0x800);
	write32(*state, 0, ctrl, 0);
	write32(*state, 0, HDM + 0x18, GRANULE);
	write32(*state, 0, ctrl, 0x300);
	assert_int_equal(settled32(*state, 0, ctrl) & 0xf00, 0x700);
	write32(*state, 0, ctrl, 0);			/* locked */
	assert_int_equal(settled32(*state, 0, ctrl) & 0xf00, 0x700);
}

static void engine_fills_copies_and_checksums(void **state)
{
	struct client *s = *state;

	write32(s, 2, T2DEV_ACC_PATTERN, 0x04030201);
	assert_int_equal(operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, 16, 9),
			 T2DEV_STATUS_DONE);
	assert_memory_equal(s->hdm + 15, "\0\1\2\3\4\1\2\3\4\1\0", 11);
	assert_int_equal(operate(s, T2DEV_OP_COPY, T2DEV_FLAG_SRC_HDM, 16, DMA_BASE + 5, 9),
			 T2DEV_STATUS_DONE);
	assert_memory_equal(s->dma + 4, "\0\1\2\3\4\1\2\3\4\1\0", 11);
	memcpy(s->hdm, "123456789", 9);		/* CRC-32's check value */
	assert_int_equal(operate(s, T2DEV_OP_CRC32, T2DEV_FLAG_SRC_HDM, 0, 0, 9),
			 T2DEV_STATUS_DONE);
	assert_int_equal(read32(s, 2, T2DEV_ACC_RESULT), 0xcbf43926);
}

static void engine_refuses_what_it_cannot_reach(void **state)
{
	const uint32_t bad = T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR, hdm = T2DEV_FLAG_DST_HDM;
	struct client *s = *state;

	assert_int_equal(operate(s, T2DEV_OP_FILL, hdm, 0, GRANULE, 1), bad);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ERRNO), EFAULT);
	assert_int_equal(operate(s, T2DEV_OP_FILL, hdm, 0, GRANULE - 1, 2), bad);
	assert_int_equal(operate(s, T2DEV_OP_FILL, hdm, 0, ~0ull, 2), bad);
	assert_int_equal(operate(s, T2DEV_OP_FILL, 0, 0, 0x1000, 1), bad);
	assert_int_equal(operate(s, 77, 0, 0, 0, 1), bad);
	assert_int_equal(read32(s, 2, T2DEV_ACC_ERRNO), EINVAL);
	write32(s, CONFIG, PCI_COMMAND, PCI_COMMAND_MEMORY);
	assert_int_equal(operate(s, T2DEV_OP_FILL, 0, 0, DMA_BASE, 1), bad);
	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(operate(s, T2DEV_OP_FILL, 0, 0, DMA_BASE, 1), T2DEV_STATUS_DONE);
	assert_int_equal(dma_unmap(s, DMA_BASE, DMA_SIZE, 0), 24);
	assert_int_equal(operate(s, T2DEV_OP_FILL, 0, 0, DMA_BASE, 1), bad);
}

static void dma_maps_are_checked(void **state)
{
	struct client *s = *state;
	int fd = memfd_create("more", 0);

	assert_int_equal(dma_map(s, DMA_BASE + 4096, 4096, 0, fd), -EEXIST);
	assert_int_equal(dma_map(s, 0, 0, 0, fd), -EINVAL);
	assert_int_equal(dma_map(s, ~0ull - 100, 4096, 0, fd), -EINVAL);
	assert_int_equal(dma_map(s, 0, 4096, ~0ull - 100, fd), -EINVAL);
	assert_int_equal(dma_unmap(s, 0, 4096, 4), -EINVAL);
	assert_int_equal(dma_unmap(s, 0, 0, 2), 24);	/* all */
	assert_int_equal(dma_map(s, DMA_BASE, 4096, 0, fd), 0);
	close(fd);
}

static int set_irqs(struct client *s, uint32_t flags, uint32_t index, uint32_t first,
		    uint32_t count, int fd)
{
	uint8_t msg[20], out[4];

	put32(msg, 20);
	put32(msg + 4, flags);
	put32(msg + 8, index);
	put32(msg + 12, first);
	put32(msg + 16, count);
	return call_fd(s, SET_IRQS, msg, sizeof(msg), out, sizeof(out), fd);
}

static void interrupts_arrive(void **state)
{
	struct client *s = *state;
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t n = 0;

	assert_int_equal(set_irqs(s, 0x24, 2, 1, 1, fd), 0);
	write32(s, 2, T2DEV_ACC_VECTOR, 1);
	operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM | T2DEV_FLAG_IRQ, 0, 0, 4);
	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 1);
	write32(s, 2, T2DEV_ACC_VECTOR, T2DEV_MSIX_VECTORS);
	operate(s, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM | T2DEV_FLAG_IRQ, 0, 0, 4);
	assert_int_equal(read(fd, &n, sizeof(n)), -1);
	assert_int_equal(set_irqs(s, 0x24, 2, 4, 1, fd), -EINVAL);
	assert_int_equal(set_irqs(s, 0x24, 2, 1, 0xffffffff, fd), -EINVAL);
	assert_int_equal(set_irqs(s, 0x24, 9, 0, 1, fd), -EINVAL);
	assert_int_equal(set_irqs(s, 0x22, 2, 0, 1, -1), -EINVAL);
	close(fd);
}

static void options_change_at_run_time(void **state)
{
	struct client *s = *state;
	char words[2 * T2DEV_CTL_LINE_MAX];

	assert_int_equal(control(s, "--decoder=0,size=512M --misbehave=not-active",
				 T2DEV_GO_APPLY), 0);
	assert_int_equal(read32(s, 0, HDM + 0x18), 0x20000000);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x1c) & 3, 1);
	assert_int_equal(control(s, "", T2DEV_GO_RESTORE), 0);
	assert_int_equal(read32(s, 0, HDM + 0x18), GRANULE);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x1c) & 3, 3);
	assert_int_equal(control(s, "--socket=/tmp/other", T2DEV_GO_APPLY), EINVAL);
	assert_int_equal(control(s, "--nothing", T2DEV_GO_APPLY), EINVAL);
	assert_int_equal(control(s, "--decoder=99", T2DEV_GO_APPLY), EINVAL);
	assert_int_equal(control(s, "--decoder=0,size=99999999999999G", T2DEV_GO_APPLY), EINVAL);
	assert_int_equal(control(s, "", 99), EINVAL);
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = 0;
	assert_int_equal(control(s, words, T2DEV_GO_APPLY), EINVAL);
}

static void resets_lose_what_was_asked(void **state)
{
	struct client *s = *state;
	uint8_t out[4];

	assert_int_equal(control(s, "--lose=flr --lose-memory=bus", T2DEV_GO_APPLY), 0);
	s->hdm[0] = 42;
	write32(s, 2, T2DEV_ACC_PATTERN, 1);
	assert_int_equal(call(s, RESET, NULL, 0, out, sizeof(out)), 0);
	assert_int_equal(s->hdm[0], 0);
	assert_int_equal(read32(s, CONFIG, PCI_COMMAND) & 0xffff, 0);
	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read32(s, 2, T2DEV_ACC_PATTERN), 0);
	assert_int_equal(control(s, "--lose=flr", T2DEV_GO_APPLY), 0);
	assert_int_equal(read32(s, 0, HDM + 0x20) & 0x400, 0x400);
	write32(s, CONFIG, 0x50 + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(read32(s, 0, HDM + 0x20) & 0x400, 0);
}

static void flr(struct client *s)
{
	write32(s, CONFIG, 0x50 + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
}

/* Each by itself: the others are as they were */
static void resets_lose_a_part_if_asked(void **state)
{
	struct client *s = *state;

	assert_int_equal(control(s, "--lose=flr --lose-what=enables", T2DEV_GO_APPLY), 0);
	flr(s);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x0c) & 0xffff, 2);
	assert_int_equal(read32(s, 0, HDM + 0x04), 2);
	assert_int_equal(read32(s, 0, HDM + 0x20) & 0x400, 0x400);
	write32(s, CONFIG, DVSEC + 0x0c, 7);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x0c) & 0xffff, 7);

	assert_int_equal(control(s, "--lose-what=global", T2DEV_GO_APPLY), 0);
	flr(s);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x0c) & 0xffff, 7);
	assert_int_equal(read32(s, 0, HDM + 0x04), 0);
	assert_int_equal(read32(s, 0, HDM + 0x20) & 0x400, 0x400);

	assert_int_equal(control(s, "--lose-what=decoder1 --decoders=2 --decoder=1,"
				 "base=0x110000000,size=256M,committed=1", T2DEV_GO_APPLY), 0);
	flr(s);
	assert_int_equal(read32(s, 0, HDM + 0x04), 2);
	assert_int_equal(read32(s, 0, HDM + 0x20) & 0x400, 0x400);
	assert_int_equal(read32(s, 0, HDM + 0x40) & 0x400, 0);

	assert_int_equal(control(s, "--lose-what=enables,global --config-lock=1",
				 T2DEV_GO_APPLY), 0);
	flr(s);
	write32(s, CONFIG, DVSEC + 0x0c, 7);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x0c) & 0xffff, 2);
	assert_int_equal(read32(s, 0, HDM + 0x04), 0);
	assert_int_equal(control(s, "--lose-what=everything", T2DEV_GO_APPLY), EINVAL);
}

static void enables_are_as_firmware_left_them(void **state)
{
	struct client *s = *state;

	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(control(s, "--control=2 --global-control=0 --active-timeout=4",
				 T2DEV_GO_APPLY), 0);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x0c) & 0xffff, 2);
	assert_int_equal(read32(s, 0, HDM + 0x04), 0);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x1c) >> 13 & 7, 4);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x08) >> 27 & 1, 1);
	assert_int_equal(control(s, "--mem-clear=0", T2DEV_GO_APPLY), 0);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x08) >> 27 & 1, 0);
	assert_int_equal(control(s, "", T2DEV_GO_RESTORE), 0);
	assert_int_equal(read32(s, CONFIG, DVSEC + 0x0c) & 0xffff, 7);
	assert_int_equal(read32(s, 0, HDM + 0x04), 2);
}

/* A processor that writes while memory is off is noticed; one that does not, is not */
static void watched_memory_is_noticed_to_change_while_off(void **state)
{
	struct client *s = *state;
	pid_t writer;

	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	assert_int_equal(control(s, "--watch=8", T2DEV_GO_APPLY), 0);
	write32(s, CONFIG, PCI_COMMAND, 0);
	flr(s);
	assert_int_equal(read32(s, CONFIG, CONTROL + T2DEV_CTL_TOUCHED), 0);

	writer = fork();
	if (!writer) {
		for (;;)
			++*(volatile uint32_t *)(s->hdm + 8);
	}
	while (!*(volatile uint32_t *)(s->hdm + 8))
		;
	for (unsigned int i = 0; i < 1000 && !read32(s, CONFIG, CONTROL + T2DEV_CTL_TOUCHED); i++) {
		write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
		write32(s, CONFIG, PCI_COMMAND, 0);
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	assert_int_not_equal(read32(s, CONFIG, CONTROL + T2DEV_CTL_TOUCHED), 0);
	assert_int_equal(control(s, "--watch=3", T2DEV_GO_APPLY), EINVAL);
}

/*
 * Messages of every kind with contents at random (the same on each run): the
 * server has to live, with its sanitizers silent.  FUZZ_ROUNDS asks for more.
 */
static void random_messages_are_survived(void **state)
{
	static const uint16_t commands[] = {
		VERSION, MAP, UNMAP, INFO, REGION_INFO, IRQ_INFO, SET_IRQS, READ, WRITE, WRITE,
		RESET,
	};
	static const uint32_t lens[] = { 0, 4, 16, 20, 24, 32, 48 };
	static const uint32_t region[] = { 0, 2, CONFIG, 11 };
	static uint8_t out[0x110000];
	long rounds = atol(getenv("FUZZ_ROUNDS") ?: "20000");
	struct client *s = *state;

	srandom(1);
	for (long i = 0; i < rounds; i++) {
		uint16_t command = commands[random() % 11];
		uint32_t len = lens[random() % 7];
		uint8_t msg[48];

		for (uint32_t j = 0; j < len; j++)
			msg[j] = random() % 3 ? 0 : random();
		if (command == READ || command == WRITE) {
			/* Mostly in bounds, so that more than bounds is tested */
			put64(msg, random() % (random() % 2 ? 0x200 : 0x40000));
			put32(msg + 8, region[random() % 4]);
			put32(msg + 12, random() % 32);
		}
		assert_int_not_equal(call(s, command, msg, len, out, sizeof(out)), -EPIPE);
	}
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(version_is_negotiated),
		T(short_messages_are_refused),
		T(senseless_sizes_end_the_connection),
		T(a_client_that_leaves_in_a_message_is_survived),
		T(regions_have_their_bounds),
		T(extended_capabilities_form_a_chain),
		T(bars_are_sized),
		T(memory_space_off_reads_ones),
		T(decoder_commits_and_decommits),
		T(engine_fills_copies_and_checksums),
		T(engine_refuses_what_it_cannot_reach),
		T(dma_maps_are_checked),
		T(interrupts_arrive),
		T(options_change_at_run_time),
		T(resets_lose_what_was_asked),
		T(resets_lose_a_part_if_asked),
		T(enables_are_as_firmware_left_them),
		T(watched_memory_is_noticed_to_change_while_off),
		T(random_messages_are_survived),
		cmocka_unit_test_setup_teardown(random_messages_are_survived, setup_accelerator,
						teardown),
	};

	int failed;

	if (argc != 3) {
		fprintf(stderr, "usage: test T2DEV PROFILES-DIRECTORY\n");
		return 2;
	}
	server = argv[1];
	profiles_dir = argv[2];
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("t2dev", tests, NULL, NULL);
	failed += run_strict_tests();
	failed += run_reset_tests();
	failed += run_profile_tests();
	return failed ? 1 : 0;
}
