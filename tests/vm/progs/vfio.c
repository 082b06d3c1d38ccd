// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define OFFSET_SHIFT	40

const char *input(const char *name)
{
	const char *value = getenv(name);

	if (!value) {
		fprintf(stderr, "%s is not set, see the inputs in tests/vm/progs/vfio.h\n", name);
		exit(2);
	}
	return value;
}

uint64_t input_number(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

bool input_yes(const char *name)
{
	const char *value = getenv(name);

	return value && *value == 'Y';
}

static int open_group(const char *bdf)
{
	char link[64], path[256], dev[320];
	ssize_t n;
	int fd;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = 0;
	snprintf(dev, sizeof(dev), "/dev/vfio/%s", basename(path));
	fd = open(dev, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int vfio_open(struct vfio *v, const char *bdf)
{
	int ret;

	memset(v, 0, sizeof(*v));
	v->container = -1;
	v->device = -1;
	v->group = open_group(bdf);
	if (v->group < 0)
		return v->group;

	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container < 0 ||
	    ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) ||
	    ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		goto fail;
	v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (v->device < 0)
		goto fail;
	v->info.argsz = sizeof(v->info_raw);
	if (ioctl(v->device, VFIO_DEVICE_GET_INFO, &v->info))
		goto fail;
	return 0;

fail:
	ret = -errno;
	vfio_close(v);
	return ret;
}

void vfio_close(struct vfio *v)
{
	if (v->device >= 0)
		close(v->device);
	if (v->group >= 0)
		close(v->group);
	if (v->container >= 0)
		close(v->container);
}

struct vfio_info_cap_header *vfio_cap(void *info, uint32_t first, uint16_t id)
{
	struct vfio_info_cap_header *cap;

	for (uint32_t at = first; at; at = cap->next) {
		cap = info + at;
		if (cap->id == id)
			return cap;
	}
	return NULL;
}

struct cxl_vfio_device_info_cap_v3 *vfio_cxl_cap(struct vfio *v)
{
	if (!(v->info.flags & VFIO_DEVICE_FLAGS_CAPS))
		return NULL;
	return (void *)vfio_cap(&v->info, v->info.cap_offset, VFIO_DEVICE_INFO_CAP_CXL);
}

struct vfio_region_info *vfio_region(struct vfio *v, uint32_t index)
{
	struct vfio_region_info *info = calloc(1, INFO_SIZE);

	info->argsz = INFO_SIZE;
	info->index = index;
	if (!ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, info))
		return info;
	free(info);
	return NULL;
}

uint32_t vfio_cxl_region(struct vfio *v, uint32_t subtype, unsigned int n)
{
	for (uint32_t i = VFIO_PCI_NUM_REGIONS; i < v->info.num_regions; i++) {
		struct vfio_region_info *info = vfio_region(v, i);
		struct vfio_region_info_cap_type *type = NULL;
		bool found;

		if (info && (info->flags & VFIO_REGION_INFO_FLAG_CAPS))
			type = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_TYPE);
		found = type && type->type == CXL_VFIO_REGION_TYPE && type->subtype == subtype;
		free(info);
		if (found && !n--)
			return i;
	}
	return 0;
}

ssize_t region_read(struct vfio *v, uint32_t index, uint64_t at, void *buf, size_t n)
{
	ssize_t ret = pread(v->device, buf, n, ((off_t)index << OFFSET_SHIFT) + at);

	return ret < 0 ? -errno : ret;
}

ssize_t region_write(struct vfio *v, uint32_t index, uint64_t at, const void *buf, size_t n)
{
	ssize_t ret = pwrite(v->device, buf, n, ((off_t)index << OFFSET_SHIFT) + at);

	return ret < 0 ? -errno : ret;
}

uint32_t region_read32(struct vfio *v, uint32_t index, uint64_t at)
{
	uint32_t val = ~0u;
	ssize_t ret = region_read(v, index, at, &val, sizeof(val));

	if (ret != sizeof(val))
		fprintf(stderr, "region %u offset %#llx: read returns %zd\n", index,
			(unsigned long long)at, ret);
	return val;
}

void region_write32(struct vfio *v, uint32_t index, uint64_t at, uint32_t val)
{
	ssize_t ret = region_write(v, index, at, &val, sizeof(val));

	if (ret != sizeof(val))
		fprintf(stderr, "region %u offset %#llx: write returns %zd\n", index,
			(unsigned long long)at, ret);
}

void *region_map(struct vfio *v, uint32_t index, uint64_t at, size_t n, int prot)
{
	return mmap(NULL, n, prot, MAP_SHARED, v->device,
		    ((off_t)index << OFFSET_SHIFT) + at);
}

uint32_t config_read32(struct vfio *v, uint16_t at)
{
	return region_read32(v, VFIO_PCI_CONFIG_REGION_INDEX, at);
}

void set_command(struct vfio *v, uint16_t set, uint16_t clear)
{
	uint16_t command = 0;

	region_read(v, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof(command));
	command = (command & ~clear) | set;
	region_write(v, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof(command));
}

uint16_t find_dvsec(struct vfio *v, uint16_t dvsec_id)
{
	int left = 512;

	for (uint16_t at = 0x100; at && left--;) {
		uint32_t header = config_read32(v, at);

		if ((header & 0xffff) == PCI_EXT_CAP_ID_DVSEC &&
		    (config_read32(v, at + 4) & 0xffff) == CXL_VFIO_DVSEC_VENDOR_ID &&
		    (config_read32(v, at + 8) & 0xffff) == dvsec_id)
			return at;
		at = header >> 20;
	}
	return 0;
}

uint32_t find_hdm(struct vfio *v, uint32_t index, uint64_t block)
{
	uint64_t cm = block + CXL_VFIO_CM_OFFSET;
	uint32_t header = region_read32(v, index, cm);

	for (uint32_t i = 1; i <= header >> 24; i++) {
		uint32_t entry = region_read32(v, index, cm + CXL_VFIO_CM_CAP_ENTRY(i));

		if ((entry & CXL_VFIO_CM_CAP_ENTRY_ID) == CXL_VFIO_CM_CAP_ID_HDM)
			return CXL_VFIO_CM_OFFSET + (entry >> 20);
	}
	return 0;
}

int dma_map(struct vfio *v, void *va, uint64_t iova, uint64_t n)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = n,
	};

	return ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

uint64_t status_kib(const char *line)
{
	FILE *status = fopen("/proc/self/status", "r");
	char text[128];
	uint64_t kib = 0;

	while (status && fgets(text, sizeof(text), status))
		if (!strncmp(text, line, strlen(line)))
			kib = strtoull(text + strlen(line) + 1, NULL, 10);
	if (status)
		fclose(status);
	return kib;
}

int msix_enable(struct vfio *v)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} req = {
		.set.argsz = sizeof(req),
		.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.set.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.set.count = 1,
	};

	req.fd = eventfd(0, EFD_CLOEXEC);
	if (req.fd < 0)
		return -errno;
	if (ioctl(v->device, VFIO_DEVICE_SET_IRQS, &req)) {
		int ret = -errno;

		close(req.fd);
		return ret;
	}
	return req.fd;
}

static uint32_t accel_read(struct vfio *v, uint32_t reg)
{
	return region_read32(v, input_number("ACCEL", T2DEV_ACCEL_BAR), reg);
}

static void accel_write(struct vfio *v, uint32_t reg, uint32_t val)
{
	region_write32(v, input_number("ACCEL", T2DEV_ACCEL_BAR), reg, val);
}

static void accel_write64(struct vfio *v, uint32_t reg, uint64_t val)
{
	accel_write(v, reg, val);
	accel_write(v, reg + 4, val >> 32);
}

int accel_run(struct vfio *v, const struct accel_op *op, uint32_t *result)
{
	uint32_t status;

	accel_write(v, T2DEV_ACC_STATUS, T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR);
	accel_write(v, T2DEV_ACC_OPCODE, op->opcode);
	accel_write(v, T2DEV_ACC_FLAGS, op->flags);
	accel_write(v, T2DEV_ACC_VECTOR, 0);
	accel_write64(v, T2DEV_ACC_SRC_LO, op->src);
	accel_write64(v, T2DEV_ACC_DST_LO, op->dst);
	accel_write64(v, T2DEV_ACC_LEN_LO, op->len);
	accel_write(v, T2DEV_ACC_PATTERN, op->pattern);
	accel_write(v, T2DEV_ACC_DOORBELL, 1);

	do {
		status = accel_read(v, T2DEV_ACC_STATUS);
	} while (status & T2DEV_STATUS_BUSY);

	if (!(status & T2DEV_STATUS_DONE) || (status & T2DEV_STATUS_ERROR))
		return -(int)accel_read(v, T2DEV_ACC_ERRNO) ?: -EPROTO;
	if (result)
		*result = accel_read(v, T2DEV_ACC_RESULT);
	return 0;
}

uint32_t crc32_of(const void *buf, size_t n)
{
	const uint8_t *p = buf;
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static sigjmp_buf sigbus_env;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(sigbus_env, 1);
}

bool raises_sigbus(volatile uint32_t *p, bool write)
{
	struct sigaction action = { .sa_handler = on_sigbus }, old;
	bool raised = true;

	sigaction(SIGBUS, &action, &old);
	if (!sigsetjmp(sigbus_env, 1)) {
		if (write)
			*p = 0x5b5b5b5b;
		else
			(void)*p;
		raised = false;
	}
	sigaction(SIGBUS, &old, NULL);
	return raised;
}

int vfio_export_dmabuf(struct vfio *v, uint32_t region, uint64_t at, uint64_t len)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf req;
		struct vfio_region_dma_range range;
	} arg = {
		.feature.argsz = sizeof(arg),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.req = { .region_index = region, .open_flags = O_CLOEXEC | O_RDWR, .nr_ranges = 1 },
		.range = { at, len },
	};
	int fd = ioctl(v->device, VFIO_DEVICE_FEATURE, &arg);

	return fd < 0 ? -errno : fd;
}
