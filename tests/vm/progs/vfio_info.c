// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_info - print flags, regions and interrupts that VFIO reports for a device
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vfio.h"

int main(int argc, char **argv)
{
	struct vfio v;
	int ret;

	if (argc != 2) {
		fputs("usage: vfio_info BDF\n", stderr);
		return 2;
	}
	ret = vfio_open(&v, argv[1]);
	if (ret) {
		fprintf(stderr, "vfio_info: %s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	printf("flags %#x\n", v.info.flags & ~VFIO_DEVICE_FLAGS_CAPS);
	for (uint32_t i = 0; i < v.info.num_regions; i++) {
		struct vfio_region_info *info = vfio_region(&v, i);

		if (info)
			printf("region %u size %#llx flags %#x argsz %u\n", i,
			       (unsigned long long)info->size, info->flags, info->argsz);
		free(info);
	}
	for (uint32_t i = 0; i < v.info.num_irqs; i++) {
		struct vfio_irq_info info = { .argsz = sizeof(info), .index = i };

		if (!ioctl(v.device, VFIO_DEVICE_GET_IRQ_INFO, &info))
			printf("irq %u count %u flags %#x\n", i, info.count, info.flags);
	}
	vfio_close(&v);
	return 0;
}
