// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client's side of vfio-user: starts a server and speaks to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_client.h"

/* Send a message; the answer's payload goes to @out.  Its length, or -errno */
int call_fd(struct client *s, uint16_t command, const void *payload, uint32_t len, void *out,
	    uint32_t room, int fd)
{
	uint8_t head[16] = { 7 };
	struct iovec iov[2] = { { head, 16 }, { (void *)payload, len } };
	union {
		struct cmsghdr c;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	uint32_t size;

	put16(head + 2, command);
	put32(head + 4, 16 + len);
	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.c.cmsg_level = SOL_SOCKET;
		control.c.cmsg_type = SCM_RIGHTS;
		control.c.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.c), &fd, sizeof(fd));
	}
	if (sendmsg(s->fd, &msg, MSG_NOSIGNAL) != (ssize_t)(16 + len) ||
	    recv(s->fd, head, 16, MSG_WAITALL) != 16)
		return -EPIPE;
	size = get32(head + 4) - 16;
	assert_int_equal(get16(head), 7);
	assert_int_equal(get16(head + 2), command);
	if (get32(head + 8) & 0x20) {
		assert_int_equal(size, 0);
		return -(int)get32(head + 12);
	}
	assert_in_range(size, 0, room);
	if (size)
		assert_int_equal(recv(s->fd, out, size, MSG_WAITALL), size);
	return size;
}

int call(struct client *s, uint16_t command, const void *payload, uint32_t len, void *out,
	 uint32_t room)
{
	return call_fd(s, command, payload, len, out, room, -1);
}

/* Access a region as a VMM does: 0 or -errno */
int try_access(struct client *s, uint32_t region, uint64_t at, void *buf, uint32_t count,
	       bool write)
{
	uint8_t msg[16 + 64] = {}, out[16 + 64];
	int ret;

	assert_in_range(count, 0, 64);
	put64(msg, at);
	put32(msg + 8, region);
	put32(msg + 12, count);
	if (write)
		memcpy(msg + 16, buf, count);
	ret = call(s, write ? WRITE : READ, msg, write ? 16 + count : 16, out, sizeof(out));
	if (ret >= 0 && !write)
		memcpy(buf, out + 16, count);
	return ret < 0 ? ret : 0;
}

uint32_t read32(struct client *s, uint32_t region, uint64_t at)
{
	uint8_t b[4];

	assert_int_equal(try_access(s, region, at, b, 4, false), 0);
	return get32(b);
}

void write32(struct client *s, uint32_t region, uint64_t at, uint32_t val)
{
	uint8_t b[4];

	put32(b, val);
	assert_int_equal(try_access(s, region, at, b, 4, true), 0);
}

int dma_map(struct client *s, uint64_t addr, uint64_t size, uint64_t offset, int fd)
{
	uint8_t msg[32] = {}, out[32];

	put32(msg, 32);
	put32(msg + 4, 3);
	put64(msg + 8, offset);
	put64(msg + 16, addr);
	put64(msg + 24, size);
	return call_fd(s, MAP, msg, sizeof(msg), out, sizeof(out), fd);
}

int dma_unmap(struct client *s, uint64_t addr, uint64_t size, uint32_t flags)
{
	uint8_t msg[24] = {}, out[24];

	put32(msg, 24);
	put32(msg + 4, flags);
	put64(msg + 8, addr);
	put64(msg + 16, size);
	return call(s, UNMAP, msg, sizeof(msg), out, sizeof(out));
}

int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	for (int i = 0; i < 500; i++) {
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return fd;
		usleep(10000);
	}
	close(fd);
	return -1;
}

/* Start a server with options, one a word; its log goes to a file */
void client_start(struct client *s, const char *options)
{
	char line[512], *words[OPTIONS_MAX_WORDS + 4] = { (char *)server, "--socket", s->path };
	static unsigned int count;
	char *save, *word;
	int n = 3;

	count++;
	snprintf(s->path, sizeof(s->path), "/tmp/t2dev-test.%d.%u", getpid(), count);
	snprintf(s->log, sizeof(s->log), "%s.log", s->path);
	snprintf(line, sizeof(line), "%s", options);
	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	s->pid = fork();
	if (!s->pid) {
		int fd = open(s->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDERR_FILENO);
		execv(server, words);
		_exit(127);
	}
	s->fd = connect_to(s->path);
	assert_true(s->fd >= 0);
}

/* Give the device the machine's memory: HDM memory, and some for its DMA */
void client_map(struct client *s)
{
	int fd = memfd_create("hdm", 0);

	assert_int_equal(ftruncate(fd, 2 * GRANULE), 0);
	s->hdm = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	s->dma = mmap(NULL, DMA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, GRANULE);
	assert_int_equal(dma_map(s, HDM_BASE, GRANULE, 0, fd), 0);
	assert_int_equal(dma_map(s, DMA_BASE, DMA_SIZE, GRANULE, fd), 0);
	/* HDM memory as an IOMMU shows it */
	assert_int_equal(dma_map(s, HDM_IOVA, DMA_SIZE, 0, fd), 0);
	close(fd);
}

/* Have the accelerator do something; what STATUS says then */
uint32_t operate(struct client *s, uint32_t opcode, uint32_t flags, uint64_t src, uint64_t dst,
		 uint64_t len)
{
	const uint32_t reg[][2] = {
		{ T2DEV_ACC_STATUS, ~0u }, { T2DEV_ACC_OPCODE, opcode }, { T2DEV_ACC_FLAGS, flags },
		{ T2DEV_ACC_SRC_LO, src }, { T2DEV_ACC_SRC_HI, src >> 32 },
		{ T2DEV_ACC_DST_LO, dst }, { T2DEV_ACC_DST_HI, dst >> 32 },
		{ T2DEV_ACC_LEN_LO, len }, { T2DEV_ACC_LEN_HI, len >> 32 },
		{ T2DEV_ACC_DOORBELL, 1 },
	};

	for (unsigned int i = 0; i < sizeof(reg) / sizeof(reg[0]); i++)
		write32(s, 2, reg[i][0], reg[i][1]);
	return read32(s, 2, T2DEV_ACC_STATUS);
}

/* Give the control capability a line: 0 or the errno that it answers */
uint32_t control(struct client *s, const char *line, uint32_t go)
{
	for (size_t i = 0; i < strlen(line); i += 4) {
		char four[4] = {};

		memcpy(four, line + i, strnlen(line + i, 4));
		assert_int_equal(try_access(s, CONFIG, CONTROL + T2DEV_CTL_DATA, four, 4, true), 0);
	}
	write32(s, CONFIG, CONTROL + T2DEV_CTL_GO, go);
	return read32(s, CONFIG, CONTROL + T2DEV_CTL_RESULT);
}

/* 16 bits of configuration space, as a dword that has them */
uint16_t read16(struct client *s, uint64_t at)
{
	return read32(s, CONFIG, at & ~3ull) >> (at & 2 ? 16 : 0);
}

/* What a register is at last: hardware may need a second look */
uint32_t settled32(struct client *s, uint32_t region, uint64_t at)
{
	read32(s, region, at);
	return read32(s, region, at);
}

uint16_t settled16(struct client *s, uint64_t at)
{
	read16(s, at);
	return read16(s, at);
}

void write16(struct client *s, uint32_t region, uint64_t at, uint16_t val)
{
	uint8_t b[2];

	put16(b, val);
	assert_int_equal(try_access(s, region, at, b, 2, true), 0);
}

/* A device with options, on and with memory; to be closed with device_close() */
struct client *device_open(const char *options)
{
	struct client *s = calloc(1, sizeof(*s));

	client_start(s, options);
	client_map(s);
	write32(s, CONFIG, PCI_COMMAND, COMMAND_ON);
	return s;
}

/* Leave the server, which ends by that: its status */
int client_end(struct client *s)
{
	int status;

	close(s->fd);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/*
 * Leave the device, which ends by that.  Exactly the kinds of misuse in @misuses, each
 * followed by a blank, must be in its log, and the exit status must say so.
 */
void device_close(struct client *s, const char *misuses)
{
	static const char prefix[] = "t2dev: misuse: ";
	char line[512], seen[256] = "";
	int status = client_end(s);
	FILE *log = fopen(s->log, "r");

	assert_non_null(log);
	while (fgets(line, sizeof(line), log)) {
		char *kind = line + sizeof(prefix) - 1;

		if (strncmp(line, prefix, sizeof(prefix) - 1))
			continue;
		strcpy(strchr(kind, ':'), " ");
		if (!strstr(seen, kind))
			strcat(seen, kind);
	}
	fclose(log);
	unlink(s->log);
	munmap(s->hdm, 4096);
	munmap(s->dma, DMA_SIZE);
	free(s);
	assert_string_equal(seen, misuses);
	assert_int_equal(status, *misuses ? T2DEV_EXIT_MISUSE : 0);
}
