// SPDX-License-Identifier: GPL-2.0-only
/*
 * aer_inject - inject an AER error of a PCI function through the module aer_inject
 *
 * usage: aer_inject ADDRESS STATUS; STATUS is the value of Uncorrectable Error Status
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct {
		uint8_t bus, dev, fn;
		uint32_t uncor_status, cor_status, header_log[4], domain;
	} err = {};
	unsigned int domain, bus, dev, fn;
	int fd;

	if (argc != 3 || sscanf(argv[1], "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4) {
		fputs("usage: aer_inject ADDRESS STATUS\n", stderr);
		return 2;
	}
	err.bus = bus;
	err.dev = dev;
	err.fn = fn;
	err.domain = domain;
	err.uncor_status = strtoul(argv[2], NULL, 0);
	fd = open("/dev/aer_inject", O_WRONLY);
	if (fd < 0 || write(fd, &err, sizeof(err)) != sizeof(err)) {
		perror("/dev/aer_inject");
		return 1;
	}
	close(fd);
	return 0;
}
