// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold_page - hold a reference on a page of device memory
 *
 * usage: hold_page ADDRESS SECONDS
 * Takes a reference on the page at the host physical address ADDRESS, prints "ready" and
 * drops the reference after SECONDS.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../modules/t2lab.h"

int main(int argc, char **argv)
{
	int lab = open("/dev/t2lab", O_RDWR);
	uint64_t pa;

	if (argc != 3 || lab < 0) {
		fputs("usage: hold_page ADDRESS SECONDS\n", stderr);
		return 2;
	}
	pa = strtoull(argv[1], NULL, 0);
	if (ioctl(lab, T2LAB_HOLD, &pa)) {
		perror("hold_page");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	sleep(atoi(argv[2]));
	close(lab);
	return 0;
}
