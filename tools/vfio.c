// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VFIO device through its group and a type1 container, for `cxl-vfio check`.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "check.h"

#define INFO_SIZE	1024
#define GIB		(1ul << 30)

static int region_info(struct vfio *v, unsigned int index, struct vfio_region_info *info)
{
	memset(info, 0, INFO_SIZE);
	info->argsz = INFO_SIZE;
	info->index = index;
	return ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

/* The subtype of a region of this driver, 0 if it is none */
static uint32_t subtype_of(const struct vfio_region_info *info)
{
	uint32_t at = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;

	while (at && at <= INFO_SIZE - sizeof(struct vfio_region_info_cap_type)) {
		const struct vfio_region_info_cap_type *cap =
			(const void *)((const char *)info + at);

		if (cap->header.id == VFIO_REGION_INFO_CAP_TYPE &&
		    cap->type == CXL_VFIO_REGION_TYPE)
			return cap->subtype;
		at = cap->header.next;
	}
	return 0;
}

/* Find the HDM Decoder Capability in the capability array, as a guest does */
static void find_decoders(struct vfio *v)
{
	uint32_t array = block_read(v, CXL_VFIO_CM_OFFSET);

	for (uint32_t i = 1; i <= array >> 24; i++) {
		uint32_t entry = block_read(v, CXL_VFIO_CM_OFFSET + 4 * i);

		if ((entry & 0xffff) == CXL_VFIO_CM_CAP_ID_HDM)
			v->decoders = CXL_VFIO_CM_OFFSET + (entry >> 20);
	}
}

static int find_regions(struct vfio *v)
{
	struct vfio_region_info *info = calloc(1, INFO_SIZE);
	struct vfio_device_info device = { .argsz = sizeof(device) };
	int ret = -ENOMEM;

	if (info && ioctl(v->device, VFIO_DEVICE_GET_INFO, &device))
		ret = -errno;
	else if (info)
		ret = region_info(v, VFIO_PCI_CONFIG_REGION_INDEX, info);
	if (!ret)
		v->config_offset = info->offset;
	for (unsigned int i = VFIO_PCI_NUM_REGIONS; !ret && i < device.num_regions; i++) {
		if (region_info(v, i, info))
			continue;
		if (subtype_of(info) == CXL_VFIO_REGION_SUBTYPE_COMP_REGS) {
			v->regs_region = i;
			v->regs_offset = info->offset;
		} else if (subtype_of(info) == CXL_VFIO_REGION_SUBTYPE_HDM &&
			   v->nr_memory < MAX_RANGES) {
			v->memory[v->nr_memory++] = (struct memory){
				.region = i, .offset = info->offset, .size = info->size,
			};
		}
	}
	free(info);
	return ret;
}

int vfio_open(struct vfio *v, const char *address, int group, bool cxl)
{
	char path[PATH_MAX];
	int ret;

	*v = (struct vfio){ .container = -1, .group = -1, .device = -1 };
	if (make_path(path, sizeof(path), "/dev/vfio/%d", group))
		return -ENAMETOOLONG;
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container >= 0)
		v->group = open(path, O_RDWR | O_CLOEXEC);
	if (v->group < 0 || ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) ||
	    ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		goto fail;
	v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, address);
	if (v->device < 0)
		goto fail;
	ret = find_regions(v);
	if (!ret && cxl)
		ret = v->nr_memory ? 0 : -ENODATA;
	if (!ret && v->regs_region)
		find_decoders(v);
	if (ret)
		vfio_close(v);
	return ret;

fail:
	ret = -errno;
	vfio_close(v);
	return ret;
}

void vfio_close(struct vfio *v)
{
	for (unsigned int i = 0; i < v->nr_memory; i++)
		unmap_memory(&v->memory[i]);
	if (v->device >= 0)
		close(v->device);
	if (v->group >= 0)
		close(v->group);
	if (v->container >= 0)
		close(v->container);
	*v = (struct vfio){ .container = -1, .group = -1, .device = -1 };
}

int read_config(struct vfio *v, uint8_t *config)
{
	memset(config, 0xff, CONFIG_SIZE);
	/* vfio-pci-core answers reads of one dword */
	for (unsigned int at = 0; at < CONFIG_SIZE; at += 4)
		if (pread(v->device, config + at, 4, v->config_offset + at) != 4)
			return at >= PCI_STD_HEADER_SIZEOF ? 0 : -EIO;
	return 0;
}

uint16_t config_read16(struct vfio *v, unsigned int at)
{
	uint16_t val = 0xffff;

	if (pread(v->device, &val, 2, v->config_offset + at) != 2)
		return 0xffff;
	return val;
}

void config_write16(struct vfio *v, unsigned int at, uint16_t val)
{
	/* A write that is refused shows in what is read afterwards */
	if (pwrite(v->device, &val, 2, v->config_offset + at) != 2)
		return;
}

uint32_t block_read(struct vfio *v, uint32_t at)
{
	uint32_t val = ~0u;

	if (pread(v->device, &val, 4, v->regs_offset + at) != 4)
		return ~0u;
	return val;
}

void block_write(struct vfio *v, uint32_t at, uint32_t val)
{
	if (pwrite(v->device, &val, 4, v->regs_offset + at) != 4)
		return;
}

unsigned int find_cap(const uint8_t *config, uint8_t id)
{
	unsigned int at = config[PCI_CAPABILITY_LIST] & ~3u;

	for (unsigned int left = 48; left && at >= PCI_STD_HEADER_SIZEOF; left--) {
		if (config[at] == id)
			return at;
		at = config[at + 1] & ~3u;
	}
	return 0;
}

unsigned int find_dvsec(const uint8_t *config, uint16_t id)
{
	unsigned int at = 0x100;

	for (unsigned int left = CONFIG_SIZE / 8; left && at >= 0x100 && at <= CONFIG_SIZE - 12;
	     left--) {
		uint32_t header, header1;
		uint16_t its;

		memcpy(&header, config + at, 4);
		memcpy(&header1, config + at + 4, 4);
		memcpy(&its, config + at + 8, 2);
		if ((header & 0xffff) == PCI_EXT_CAP_ID_DVSEC && its == id &&
		    (header1 & 0xffff) == CXL_VFIO_DVSEC_VENDOR_ID)
			return at;
		at = header >> 20 & ~3u;
	}
	return 0;
}

void memory_on(struct vfio *v)
{
	config_write16(v, PCI_COMMAND, config_read16(v, PCI_COMMAND) | PCI_COMMAND_MEMORY);
}

int map_memory(struct vfio *v, struct memory *m, size_t skew)
{
	uint8_t *room, *at;

	unmap_memory(m);
	room = mmap(NULL, m->size + 2 * GIB, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	at = (uint8_t *)(((uintptr_t)room + GIB - 1) / GIB * GIB) + skew;
	m->map = mmap(at, m->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->device,
		      m->offset);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		munmap(room, m->size + 2 * GIB);
		return -errno;
	}
	/* What is left of the room is address space alone */
	munmap(room, at - room);
	munmap(at + m->size, room + 2 * GIB - at);
	return 0;
}

void unmap_memory(struct memory *m)
{
	if (m->map)
		munmap(m->map, m->size);
	m->map = NULL;
}

static sigjmp_buf on_sigbus;

static void sigbus(int sig)
{
	siglongjmp(on_sigbus, sig);
}

int with_memory(int (*fn)(void *arg), void *arg)
{
	struct sigaction action = { .sa_handler = sigbus }, before;
	volatile int ret = -EFAULT;

	sigaction(SIGBUS, &action, &before);
	if (!sigsetjmp(on_sigbus, 1))
		ret = fn(arg);
	sigaction(SIGBUS, &before, NULL);
	return ret;
}
