/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of <linux/iommufd.h> and of VFIO's character devices that the tests use, for
 * build machines whose headers have neither.
 */
#ifndef TEST_IOMMUFD_H
#define TEST_IOMMUFD_H

#include <stdint.h>

#include <linux/types.h>
#include <linux/vfio.h>

#include "vfio.h"

#define IOMMUFD_IOCTL(nr)	_IO(';', nr)

struct iommufd_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMUFD_DESTROY		IOMMUFD_IOCTL(0x80)

struct iommufd_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMUFD_IOAS_ALLOC	IOMMUFD_IOCTL(0x81)

#define IOMMUFD_MAP_FIXED_IOVA	(1 << 0)
#define IOMMUFD_MAP_WRITEABLE	(1 << 1)
#define IOMMUFD_MAP_READABLE	(1 << 2)
#define IOMMUFD_MAP_ALL		(IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_WRITEABLE | \
				 IOMMUFD_MAP_READABLE)

struct iommufd_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMUFD_IOAS_MAP	IOMMUFD_IOCTL(0x85)

struct iommufd_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMUFD_IOAS_UNMAP	IOMMUFD_IOCTL(0x86)

struct iommufd_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMUFD_IOAS_MAP_FILE	IOMMUFD_IOCTL(0x8f)

struct cdev_bind_arg {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define CDEV_BIND		_IO(VFIO_TYPE, VFIO_BASE + 18)

struct cdev_attach_arg {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define CDEV_ATTACH		_IO(VFIO_TYPE, VFIO_BASE + 19)

struct cdev_detach_arg {
	__u32 argsz;
	__u32 flags;
};

#define CDEV_DETACH		_IO(VFIO_TYPE, VFIO_BASE + 20)

/* Open the character device of the function: a file or a negative errno */
int cdev_open(const char *bdf);
/* The others return 0 or a negative errno */
int cdev_bind(int device, int iommufd);
int cdev_attach(int device, uint32_t ioas);
int cdev_detach(int device);
/* Map @len bytes of the dma-buf @fd, from its start, at @iova of the address space @ioas */
int iommufd_map_file(int iommufd, uint32_t ioas, int fd, uint64_t iova, uint64_t len);

/*
 * Open the function by its character device, attached to an address space of its own whose
 * number goes to @ioas.  The container in @v is the iommufd.
 */
int cdev_open_attached(struct vfio *v, const char *bdf, uint32_t *ioas);

#endif
