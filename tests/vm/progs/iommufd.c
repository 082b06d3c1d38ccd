// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "iommufd.h"

int cdev_open(const char *bdf)
{
	char path[300];
	struct dirent *entry;
	DIR *dir;
	int fd = -ENODEV;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	closedir(dir);
	return fd;
}

int cdev_bind(int device, int iommufd)
{
	struct cdev_bind_arg arg = { .argsz = sizeof(arg), .iommufd = iommufd };

	return ioctl(device, CDEV_BIND, &arg) ? -errno : 0;
}

int cdev_attach(int device, uint32_t ioas)
{
	struct cdev_attach_arg arg = { .argsz = sizeof(arg), .pt_id = ioas };

	return ioctl(device, CDEV_ATTACH, &arg) ? -errno : 0;
}

int cdev_detach(int device)
{
	struct cdev_detach_arg arg = { .argsz = sizeof(arg) };

	return ioctl(device, CDEV_DETACH, &arg) ? -errno : 0;
}

int iommufd_map_file(int iommufd, uint32_t ioas, int fd, uint64_t iova, uint64_t len)
{
	struct iommufd_ioas_map_file arg = {
		.size = sizeof(arg), .flags = IOMMUFD_MAP_ALL, .ioas_id = ioas,
		.fd = fd, .length = len, .iova = iova,
	};

	return ioctl(iommufd, IOMMUFD_IOAS_MAP_FILE, &arg) ? -errno : 0;
}

int cdev_open_attached(struct vfio *v, const char *bdf, uint32_t *ioas)
{
	struct iommufd_ioas_alloc alloc = { .size = sizeof(alloc) };
	int ret;

	memset(v, 0, sizeof(*v));
	v->group = -1;
	v->device = -1;
	v->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (v->container < 0)
		return -errno;
	v->device = cdev_open(bdf);
	ret = v->device < 0 ? v->device : cdev_bind(v->device, v->container);
	if (!ret && ioctl(v->container, IOMMUFD_IOAS_ALLOC, &alloc))
		ret = -errno;
	*ioas = alloc.out_ioas_id;
	if (!ret)
		ret = cdev_attach(v->device, *ioas);
	v->info.argsz = sizeof(v->info_raw);
	if (!ret && ioctl(v->device, VFIO_DEVICE_GET_INFO, &v->info))
		ret = -errno;
	if (ret)
		vfio_close(v);
	return ret;
}
