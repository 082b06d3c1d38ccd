// SPDX-License-Identifier: GPL-2.0-only
/*
 * stuck_importer - an importer of one device's dma-buf is in nobody else's way
 *
 * usage: stuck_importer ADDRESS OTHER
 * Exports memory of the device at ADDRESS to an importer that does not let go of it, and
 * resets that device, which has to wait.  Meanwhile the device at OTHER is opened, reset
 * and closed.  Status 4: this kernel's importers do not support revocation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../modules/t2lab.h"
#include "lab.h"

#define MIB	(1024 * 1024)

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state;
}

/* A process that waits for a fence sleeps and cannot be killed */
static bool waits(pid_t pid)
{
	unsigned int in_a_row = 0;

	for (int i = 0; i < LAB_PATIENCE && in_a_row < 100; i++) {
		char state = state_of(pid);

		if (state == 'Z' || !state)
			return false;
		in_a_row = state == 'D' ? in_a_row + 1 : 0;
		usleep(10000);
	}
	return in_a_row == 100;
}

static int use(const char *bdf)
{
	struct vfio v;

	if (vfio_open(&v, bdf))
		return fail("open of the other device");
	if (ioctl(v.device, VFIO_DEVICE_RESET))
		return fail("reset of the other device");
	vfio_close(&v);
	return 0;
}

int main(int argc, char **argv)
{
	int fd, importer = open("/dev/t2lab", O_RDWR | O_CLOEXEC), status;
	pid_t resets, uses;
	struct vfio v;

	if (argc != 3 || importer < 0) {
		fputs("usage: stuck_importer ADDRESS OTHER\n", stderr);
		return 2;
	}
	if (vfio_open(&v, argv[1]))
		return fail(argv[1]);
	fd = vfio_export_dmabuf(&v, vfio_cxl_cap(&v)->hdm_region_idx, 0, 2 * MIB);
	if (fd == -ENOTTY)
		return 4;
	if (fd < 0 || ioctl(importer, T2LAB_ATTACH, &fd) || ioctl(importer, T2LAB_MAP) ||
	    ioctl(importer, T2LAB_FENCE))
		return fail("import");
	resets = fork();
	if (!resets) {
		close(importer);
		_exit(ioctl(v.device, VFIO_DEVICE_RESET) ? 1 : 0);
	}
	if (!waits(resets))
		return fail("the reset does not wait for the importer");
	uses = fork();
	if (!uses) {
		close(importer);
		_exit(use(argv[2]));
	}
	if (!lab_wait_child(uses, &status) || status) {
		puts("the other device is not usable");
		close(importer);
		return 1;
	}
	/* Its end signals the fence */
	close(importer);
	if (!lab_wait_child(resets, &status) || status) {
		puts("the reset does not end well after the importer has let go");
		return 1;
	}
	return 0;
}
