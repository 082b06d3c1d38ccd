// SPDX-License-Identifier: GPL-2.0-only
/*
 * klog - print kernel messages since a mark
 *
 * usage: klog [MARK]
 * Prints the messages after the last one that contains MARK, or all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	static char all[1 << 22];
	char record[8192];
	size_t used = 0;
	ssize_t n;

	if (fd < 0 || argc > 2) {
		fputs("usage: klog [MARK]\n", stderr);
		return 2;
	}
	/* "level,number,time,flags;message\n", then lines that begin with a space */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *message;

		if (n <= 0)
			continue;
		record[n] = 0;
		message = strchr(record, ';');
		if (!message)
			continue;
		message++;
		message[strcspn(message, "\n") + 1] = 0;
		if (argc == 2 && strstr(message, argv[1])) {
			used = 0;
		} else if (used + strlen(message) < sizeof(all)) {
			strcpy(all + used, message);
			used += strlen(message);
		}
	}
	fwrite(all, 1, used, stdout);
	return 0;
}
