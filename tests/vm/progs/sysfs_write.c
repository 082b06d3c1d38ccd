// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs_write - write one word to a file and print the result
 *
 * Prints 0, or the name of the errno for a shell script to compare.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	ssize_t ret;
	int fd;

	if (argc != 3) {
		fputs("usage: sysfs_write FILE WORD\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_WRONLY);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	ret = write(fd, argv[2], strlen(argv[2]));
	puts(ret < 0 ? strerrorname_np(errno) : "0");
	close(fd);
	return 0;
}
