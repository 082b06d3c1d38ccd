// SPDX-License-Identifier: GPL-2.0-only
/*
 * t2dev - a CXL Type-2 device in software
 *
 * A vfio-user server to which stock QEMU attaches with -device vfio-user-pci.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

static struct device device;

static int serve(const char *path, bool keep)
{
	int listener = transport_listen(path), ret;

	if (listener < 0) {
		log_line("cannot listen on %s: %s", path, strerror(-listener));
		return 1;
	}
	do {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			ret = -errno;
			break;
		}
		ret = transport_serve(&device, fd);
		close(fd);
		device_disconnect(&device);
		log_line("client left%s%s", ret ? ": " : "", ret ? strerror(-ret) : "");
	} while (keep);

	close(listener);
	unlink(path);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options;
	int ret;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			options_help();
			return 0;
		}
		if (!strcmp(argv[i], "--version")) {
			puts("t2dev " T2DEV_VERSION);
			return 0;
		}
	}
	options_default(&options);
	if (options_parse(&options, argc, argv, true))
		return 2;
	if (!options.socket[0]) {
		log_line("--socket PATH is needed, see --help");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (device_init(&device, &options)) {
		log_line("no memory");
		return 1;
	}
	ret = serve(options.socket, options.keep);
	if (misuse_seen(&device) && !ret)
		ret = T2DEV_EXIT_MISUSE;
	device_free(&device);
	return ret;
}
