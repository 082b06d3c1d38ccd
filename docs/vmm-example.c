// SPDX-License-Identifier: GPL-2.0-only
/*
 * Find and map device memory, as a VMM does: vmm-example GROUP ADDRESS, for example
 * /dev/vfio/7 0000:0d:00.0.  The tests build and run this program.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <linux/cxl_vfio_pci.h>

/* Find the CXL capability in the chain of VFIO_DEVICE_GET_INFO; NULL if there is none */
static struct cxl_vfio_device_info_cap_v3 *find_cap(struct vfio_device_info *info)
{
	__u32 at = info->flags & VFIO_DEVICE_FLAGS_CAPS ? info->cap_offset : 0;

	while (at) {
		struct vfio_info_cap_header *header = (void *)((char *)info + at);

		if (header->id == VFIO_DEVICE_INFO_CAP_CXL)
			return (void *)header;
		at = header->next;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int container = open("/dev/vfio/vfio", O_RDWR), device, group;
	struct vfio_device_info probe = { .argsz = sizeof(probe) }, *info;
	struct vfio_region_info region = { .argsz = sizeof(region) };
	struct cxl_vfio_device_info_cap_v3 *cap;
	unsigned int *memory;
	unsigned short command;

	if (argc != 3)
		return 2;
	group = open(argv[1], O_RDWR);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return 1;
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]);

	/* First ask for the length of the answer, then for the answer */
	if (device < 0 || ioctl(device, VFIO_DEVICE_GET_INFO, &probe))
		return 1;
	info = calloc(1, probe.argsz);
	info->argsz = probe.argsz;
	if (ioctl(device, VFIO_DEVICE_GET_INFO, info) || !(info->flags & VFIO_DEVICE_FLAGS_CXL))
		return 1;
	cap = find_cap(info);
	if (!cap)
		return 1;
	printf("component registers: BAR %u at %#llx, as region %u\n", cap->comp_reg_bar,
	       (unsigned long long)cap->comp_reg_offset, cap->comp_reg_region_idx);

	region.index = cap->hdm_region_idx;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region))
		return 1;
	memory = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		      region.offset);
	if (memory == MAP_FAILED)
		return 1;
	printf("device memory: region %u, %llu MiB\n", region.index,
	       (unsigned long long)region.size >> 20);

	/* Turn Memory Space on: without it an access gets SIGBUS */
	region.index = VFIO_PCI_CONFIG_REGION_INDEX;
	ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region);
	pread(device, &command, 2, region.offset + 4);
	command |= 2;
	pwrite(device, &command, 2, region.offset + 4);
	memory[0] = 42;
	printf("it reads %u\n", memory[0]);
	return memory[0] != 42;
}
