// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold - use a device that is about to be removed
 *
 * usage: hold ADDRESS LET_GO
 * Maps HDM memory, prints "ready" and uses the memory until the file LET_GO exists, then
 * closes the device.  Ends with 0 if the memory worked throughout.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "vfio.h"

int main(int argc, char **argv)
{
	volatile uint32_t *p;
	struct vfio v;

	if (argc != 3 || vfio_open(&v, argv[1])) {
		fputs("usage: hold ADDRESS LET_GO\n", stderr);
		return 2;
	}
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	p = region_map(&v, vfio_cxl_cap(&v)->hdm_region_idx, 0, PAGE, PROT_READ | PROT_WRITE);
	puts("ready");
	fflush(stdout);
	for (uint32_t i = 1; i < 18000 && access(argv[2], F_OK); i++) {
		if (raises_sigbus(p, true))
			return 1;
		*p = i;
		usleep(100000);
		if (*p != i)
			return 1;
	}
	munmap((void *)p, PAGE);
	vfio_close(&v);
	return 0;
}
