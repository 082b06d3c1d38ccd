// SPDX-License-Identifier: GPL-2.0-only
/*
 * t2ctl - change the behaviour of the software device at run time
 *
 * Writes a line of options to the device's control capability, see t2dev_regs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"

static uint32_t cfg_read(int fd, off_t at)
{
	uint32_t val = ~0u;

	if (pread(fd, &val, sizeof(val), at) != sizeof(val))
		val = ~0u;
	return val;
}

static void cfg_write(int fd, off_t at, uint32_t val)
{
	if (pwrite(fd, &val, sizeof(val), at) != sizeof(val)) {
		perror("t2ctl: config space");
		exit(1);
	}
}

static off_t find_control(int fd)
{
	int left = 512;

	for (off_t at = 0x100; at && left--;) {
		uint32_t header = cfg_read(fd, at);

		if (header == ~0u)
			break;
		if ((header & 0xffff) == PCI_EXT_CAP_ID_VNDR &&
		    (cfg_read(fd, at + 4) & 0xffff) == T2DEV_VSEC_ID)
			return at;
		at = header >> 20;
	}
	return 0;
}

static void send_line(int fd, off_t control, char **words, int n)
{
	char line[T2DEV_CTL_LINE_MAX] = "";

	for (int i = 0; i < n; i++) {
		if (strlen(line) + strlen(words[i]) + 2 > sizeof(line)) {
			fputs("t2ctl: line too long\n", stderr);
			exit(2);
		}
		strcat(line, words[i]);
		strcat(line, " ");
	}
	for (size_t i = 0; i < strlen(line); i += 4) {
		uint32_t chars = 0;

		memcpy(&chars, line + i, strnlen(line + i, 4));
		cfg_write(fd, control + T2DEV_CTL_DATA, chars);
	}
}

int main(int argc, char **argv)
{
	uint32_t result, go;
	char path[256];
	off_t control;
	int fd;

	if (argc < 3) {
		fputs("usage: t2ctl BDF --option... | restore | die\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", argv[1]);
	fd = open(path, O_RDWR);
	if (fd < 0) {
		perror(path);
		return 1;
	}
	/* A device that reads all ones has no chain, but its control capability works */
	control = find_control(fd) ?: 0x110;
	if (!strcmp(argv[2], "die")) {
		cfg_write(fd, control + T2DEV_CTL_GO, T2DEV_GO_DIE);
		return 0;
	}
	go = T2DEV_GO_RESTORE;
	if (strcmp(argv[2], "restore")) {
		cfg_write(fd, control + T2DEV_CTL_GO, T2DEV_GO_CLEAR);
		send_line(fd, control, argv + 2, argc - 2);
		go = T2DEV_GO_APPLY;
	}
	cfg_write(fd, control + T2DEV_CTL_GO, go);
	result = cfg_read(fd, control + T2DEV_CTL_RESULT);
	if (result)
		fprintf(stderr, "t2ctl: the device says: %s\n", strerror(result));
	close(fd);
	return result ? 1 : 0;
}
