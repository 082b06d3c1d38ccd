// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

void complain(const char *fmt, ...)
{
	va_list args;

	fputs("cxl-vfio: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void refuse(const char *reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(refusal.message, sizeof(refusal.message), fmt, args);
	va_end(args);
	refusal.reason = reason;
	complain("%s", refusal.message);
}

static int make_path_v(char *path, size_t size, const char *fmt, va_list args)
{
	int n = snprintf(path, size, "%s", options.root), more;

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	more = vsnprintf(path + n, size - n, fmt, args);
	return more < 0 || (size_t)more >= size - n ? -ENAMETOOLONG : 0;
}

int make_path(char *path, size_t size, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = make_path_v(path, size, fmt, args);
	va_end(args);
	return ret;
}

int device_path(char *path, size_t size, const char *address, const char *fmt, ...)
{
	char inner[PATH_MAX];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(inner, sizeof(inner), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(inner))
		return -ENAMETOOLONG;
	return make_path(path, size, "/sys/bus/pci/devices/%s%s%s", address, *inner ? "/" : "",
			 inner);
}

int read_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*buf = 0;
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0) {
		n = -errno;
		close(fd);
		return n;
	}
	close(fd);
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return 0;
}

int write_string(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, s, strlen(s)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int read_link_name(const char *path, char *buf, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	*buf = 0;
	if (n < 0)
		return -errno;
	target[n] = 0;
	n = snprintf(buf, size, "%s", basename(target));
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

bool exists(const char *path)
{
	return !access(path, F_OK);
}

int parse_address(const char *s, char address[ADDRESS_LEN])
{
	unsigned int domain = 0, bus, slot, func;
	int n = 0;

	if (strspn(s, "0123456789abcdefABCDEF:.") != strlen(s))
		return -EINVAL;
	/* Domains of VMD controllers have more than four digits */
	if (sscanf(s, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &func, &n) != 4 || s[n]) {
		domain = 0;
		if (sscanf(s, "%2x:%2x.%1x%n", &bus, &slot, &func, &n) != 3 || s[n])
			return -EINVAL;
	}
	if (slot > 31 || func > 7)
		return -EINVAL;
	snprintf(address, ADDRESS_LEN, "%04x:%02x:%02x.%x", domain, bus & 0xff, slot & 0x1f,
		 func & 7);
	return 0;
}
