// SPDX-License-Identifier: GPL-2.0-only
/*
 * large_map - map all of a device's HDM memory and touch both ends
 *
 * usage: large_map ADDRESS; ends with 0 if the ends hold what was stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "vfio.h"

int main(int argc, char **argv)
{
	struct vfio_region_info *info;
	volatile uint64_t *p, *last;
	uint32_t region;
	struct vfio v;

	if (argc != 2 || vfio_open(&v, argv[1])) {
		fputs("usage: large_map ADDRESS, bound to the driver\n", stderr);
		return 2;
	}
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	region = vfio_cxl_cap(&v)->hdm_region_idx;
	info = vfio_region(&v, region);
	p = region_map(&v, region, 0, info->size, PROT_READ | PROT_WRITE);
	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	last = p + info->size / sizeof(*p) - 1;
	*p = 0x1111111111111111;
	*last = 0x2222222222222222;
	if (*p != 0x1111111111111111 || *last != 0x2222222222222222 ||
	    region_read32(&v, region, info->size - 4) != 0x22222222) {
		fputs("the ends do not hold what was stored\n", stderr);
		return 1;
	}
	printf("%llu bytes\n", info->size);
	munmap((void *)p, info->size);
	vfio_close(&v);
	return 0;
}
