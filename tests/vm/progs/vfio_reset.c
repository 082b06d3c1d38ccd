// SPDX-License-Identifier: GPL-2.0-only
/* vfio_reset - reset a device by VFIO_DEVICE_RESET and print 0 or the errno */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vfio.h"

int main(int argc, char **argv)
{
	struct vfio v;

	if (argc != 2 || vfio_open(&v, argv[1])) {
		fputs("usage: vfio_reset ADDRESS\n", stderr);
		return 2;
	}
	puts(ioctl(v.device, VFIO_DEVICE_RESET) ? strerrorname_np(errno) : "0");
	vfio_close(&v);
	return 0;
}
