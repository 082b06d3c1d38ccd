// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device through its character device and iommufd, as new VMMs open it: bound to an
 * iommufd, attached to an address space, and closed in any order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "../modules/t2lab.h"
#include "iommufd.h"
#include "vfio.h"

#define MIB	(1024ul * 1024)
#define IOVA	0x20000000ul
#define WORD	0x10feedu

static int read_info(struct vfio *v)
{
	v->info.argsz = sizeof(v->info_raw);
	return ioctl(v->device, VFIO_DEVICE_GET_INFO, &v->info) ? -errno : 0;
}

/* A device that is attached to an address space */
struct attached {
	struct vfio v;
	uint32_t ioas;
	uint32_t hdm;
};

static int map_memory(struct attached *a, void *va, uint64_t iova, uint64_t len)
{
	struct iommufd_ioas_map arg = {
		.size = sizeof(arg), .flags = IOMMUFD_MAP_ALL, .ioas_id = a->ioas,
		.user_va = (uintptr_t)va, .length = len, .iova = iova,
	};

	return ioctl(a->v.container, IOMMUFD_IOAS_MAP, &arg) ? -errno : 0;
}

static int map_file(struct attached *a, int fd, uint64_t iova, uint64_t len)
{
	return iommufd_map_file(a->v.container, a->ioas, fd, iova, len);
}

static int unmap(struct attached *a, uint64_t iova, uint64_t len)
{
	struct iommufd_ioas_unmap arg = {
		.size = sizeof(arg), .ioas_id = a->ioas, .iova = iova, .length = len,
	};

	return ioctl(a->v.container, IOMMUFD_IOAS_UNMAP, &arg) ? -errno : 0;
}

static void *map_hdm(struct vfio *v)
{
	return region_map(v, vfio_cxl_cap(v)->hdm_region_idx, 0, 4 * MIB, PROT_READ | PROT_WRITE);
}

/* The device stores a word at an address of its IOMMU's */
static int dma_store(struct vfio *v, uint64_t iova, uint32_t word)
{
	struct accel_op op = {
		.opcode = T2DEV_OP_FILL, .dst = iova, .len = 64, .pattern = word,
	};

	set_command(v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	return accel_run(v, &op, NULL);
}

FIXTURE(iommufd) {
	struct attached a;
};

/* Open the device and attach it to an address space of its own */
static int open_attached(struct attached *a)
{
	int ret = cdev_open_attached(&a->v, input("DEVICE"), &a->ioas);

	if (ret)
		return ret;
	if (!vfio_cxl_cap(&a->v))
		return -ENODATA;
	a->hdm = vfio_cxl_cap(&a->v)->hdm_region_idx;
	set_command(&a->v, PCI_COMMAND_MEMORY, 0);
	return 0;
}

FIXTURE_SETUP(iommufd)
{
	ASSERT_EQ(0, open_attached(&self->a));
}

FIXTURE_TEARDOWN(iommufd)
{
	vfio_close(&self->a.v);
}

TEST_F(iommufd, device_answers_after_its_first_bind_only)
{
	int again = cdev_open(input("DEVICE"));
	struct vfio other = { .device = again };

	ASSERT_LE(0, again);
	EXPECT_EQ(-EINVAL, read_info(&other));
	EXPECT_EQ(-EINVAL, cdev_bind(again, self->a.v.container));
	EXPECT_EQ(-EINVAL, cdev_bind(self->a.v.device, self->a.v.container));
	close(again);
	EXPECT_EQ(0, read_info(&self->a.v));
}

TEST_F(iommufd, group_is_refused_meanwhile)
{
	struct vfio other;

	EXPECT_EQ(-EBUSY, vfio_open(&other, input("DEVICE")));
}

/* Maps all that a region says can be mapped, and reads its first word */
static void map_region(struct __test_metadata *_metadata, struct vfio *v,
		       struct vfio_region_info *info)
{
	struct vfio_region_info_cap_sparse_mmap *sparse = NULL;
	struct vfio_region_sparse_mmap_area all = { 0, info->size };
	struct vfio_region_sparse_mmap_area *area = &all;
	uint32_t nr = 1;

	if (info->flags & VFIO_REGION_INFO_FLAG_CAPS)
		sparse = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	if (sparse) {
		area = sparse->areas;
		nr = sparse->nr_areas;
	}
	for (uint32_t i = 0; i < nr; i++) {
		volatile uint32_t *p = region_map(v, info->index, area[i].offset, area[i].size,
						  PROT_READ);

		ASSERT_NE(MAP_FAILED, p) {
			TH_LOG("region %u area %u: %s", info->index, i, strerror(errno));
		}
		EXPECT_FALSE(raises_sigbus(p, false));
		EXPECT_EQ(region_read32(v, info->index, area[i].offset), *p) {
			TH_LOG("region %u area %u", info->index, i);
		}
		munmap((void *)p, area[i].size);
	}
}

TEST_F(iommufd, every_region_has_info_and_can_be_mapped)
{
	int mapped = 0;

	for (uint32_t i = 0; i < self->a.v.info.num_regions; i++) {
		struct vfio_region_info *info = vfio_region(&self->a.v, i);

		/* VGA, which the device does not have */
		if (i == VFIO_PCI_VGA_REGION_INDEX)
			continue;
		ASSERT_NE(NULL, info) {
			TH_LOG("region %u", i);
		}
		if (info->size && info->flags & VFIO_REGION_INFO_FLAG_MMAP) {
			map_region(_metadata, &self->a.v, info);
			mapped++;
		}
		free(info);
	}
	/* HDM memory, and BARs */
	EXPECT_LE(3, mapped);
}

TEST_F(iommufd, device_reaches_mapped_memory_only)
{
	uint32_t *ram = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, ram);
	ASSERT_EQ(0, map_memory(&self->a, ram, IOVA, MIB));
	EXPECT_EQ(0, dma_store(&self->a.v, IOVA + PAGE, WORD));
	EXPECT_EQ(WORD, ram[PAGE / 4]);

	ASSERT_EQ(0, cdev_detach(self->a.v.device));
	EXPECT_NE(0, dma_store(&self->a.v, IOVA + PAGE, WORD + 1));
	EXPECT_EQ(WORD, ram[PAGE / 4]);
	ASSERT_EQ(0, cdev_attach(self->a.v.device, self->a.ioas));
	EXPECT_EQ(0, dma_store(&self->a.v, IOVA + PAGE, WORD + 2));
	EXPECT_EQ(WORD + 2, ram[PAGE / 4]);

	EXPECT_EQ(0, unmap(&self->a, IOVA, MIB));
	EXPECT_NE(0, dma_store(&self->a.v, IOVA + PAGE, WORD + 3));
	EXPECT_EQ(WORD + 2, ram[PAGE / 4]);
}

/* iommufd would pin pages of a mapping, which no reset or memory error could undo */
TEST_F(iommufd, mapping_of_hdm_memory_is_not_pinned)
{
	volatile uint32_t *p = map_hdm(&self->a.v);

	ASSERT_NE(MAP_FAILED, p);
	*p = WORD;
	EXPECT_EQ(-EFAULT, map_memory(&self->a, (void *)p, IOVA, 4 * MIB));
	/* Nothing is left in the address space */
	EXPECT_EQ(-ENOENT, unmap(&self->a, IOVA, 4 * MIB));
	EXPECT_EQ(WORD, *p);
}

/* What of the device a VMM maps in iommufd, for other devices to reach it */
enum { PLAIN_BAR, COMPONENT_BAR, VIRTUAL_BAR, HDM_REGION };

FIXTURE(dmabuf) {
	struct attached a;
	volatile uint32_t *p;
	uint32_t region;
	uint64_t len;
	int fd;
};

FIXTURE_VARIANT(dmabuf) {
	int of;
	bool memory;
};

FIXTURE_VARIANT_ADD(dmabuf, plain_bar) { .of = PLAIN_BAR };
FIXTURE_VARIANT_ADD(dmabuf, component_bar) { .of = COMPONENT_BAR };
FIXTURE_VARIANT_ADD(dmabuf, virtual_bar) { .of = VIRTUAL_BAR, .memory = true };
FIXTURE_VARIANT_ADD(dmabuf, hdm_region) { .of = HDM_REGION, .memory = true };

FIXTURE_SETUP(dmabuf)
{
	const int bars[] = { T2DEV_ACCEL_BAR, T2DEV_COMP_BAR, VFIO_PCI_BAR4_REGION_INDEX };

	ASSERT_EQ(0, open_attached(&self->a));
	self->region = variant->of == HDM_REGION ? self->a.hdm : (uint32_t)bars[variant->of];
	self->len = variant->memory ? 2 * MIB : T2DEV_ACCEL_BAR_SIZE;
	self->p = map_hdm(&self->a.v);
	ASSERT_NE(MAP_FAILED, self->p);
	self->fd = vfio_export_dmabuf(&self->a.v, self->region, 0, self->len);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, map_file(&self->a, self->fd, IOVA, self->len));
}

FIXTURE_TEARDOWN(dmabuf)
{
	munmap((void *)self->p, 4 * MIB);
	close(self->fd);
	vfio_close(&self->a.v);
}

/* Does the device reach the first MiB of memory by the mapping in iommufd? */
static bool reaches(struct attached *a, volatile uint32_t *p, uint32_t word)
{
	p[PAGE / 4] = 0;
	return !dma_store(&a->v, IOVA + PAGE, word) && p[PAGE / 4] == word;
}

TEST_F(dmabuf, iommufd_maps_one_range_of_it)
{
	struct attached *a = &self->a;
	int fd;

	if (variant->memory)
		EXPECT_TRUE(reaches(a, self->p, WORD));
	EXPECT_EQ(0, unmap(a, IOVA, self->len));
	EXPECT_NE(0, dma_store(&a->v, IOVA + PAGE, WORD));
	EXPECT_EQ(0, map_file(a, self->fd, IOVA, self->len));
	if (variant->memory)
		EXPECT_TRUE(reaches(a, self->p, WORD + 1));
	EXPECT_EQ(-EINVAL, map_file(a, self->fd, 2 * IOVA, self->len + PAGE));
	EXPECT_GT(0, vfio_export_dmabuf(&a->v, self->region, 1, PAGE));
	EXPECT_GT(0, vfio_export_dmabuf(&a->v, self->region, 0, 1ull << 40));
	/* A second file, from another part */
	fd = vfio_export_dmabuf(&a->v, self->region, PAGE, PAGE);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, map_file(a, fd, 2 * IOVA, PAGE));
	if (variant->memory) {
		EXPECT_EQ(0, dma_store(&a->v, 2 * IOVA, WORD + 2));
		EXPECT_EQ(WORD + 2, self->p[PAGE / 4]);
	}
	close(fd);
}

/* A VMM's limit of locked memory (RLIMIT_MEMLOCK) is for its RAM alone */
TEST_F(dmabuf, mapping_in_iommufd_is_not_counted_as_pinned)
{
	void *ram = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before = status_kib("VmPin");

	ASSERT_NE(MAP_FAILED, ram);
	EXPECT_EQ(0, before);
	ASSERT_EQ(0, map_memory(&self->a, ram, 2 * IOVA, MIB));
	EXPECT_EQ(1024, status_kib("VmPin"));
	munmap(ram, MIB);
}

/* vfio-pci-core revokes it with Memory Space, the gate whenever memory may be lost */
TEST_F(dmabuf, mapping_in_iommufd_is_revoked)
{
	struct attached *a = &self->a;
	uint16_t dvsec = find_dvsec(&a->v, CXL_VFIO_DVSEC_ID_DEVICE);
	const uint16_t reset = CXL_VFIO_DVSEC_CTRL2_INIT_RST;

	set_command(&a->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, unmap(a, IOVA, self->len));
	EXPECT_EQ(-ENODEV, map_file(a, self->fd, IOVA, self->len));
	set_command(&a->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0, map_file(a, self->fd, IOVA, self->len));
	if (variant->memory)
		EXPECT_TRUE(reaches(a, self->p, WORD));

	EXPECT_EQ(0, ioctl(a->v.device, VFIO_DEVICE_RESET));
	EXPECT_NE(0, dma_store(&a->v, IOVA + PAGE, WORD + 1));
	EXPECT_EQ(0, unmap(a, IOVA, self->len));
	EXPECT_EQ(0, map_file(a, self->fd, IOVA, self->len));
	if (!variant->memory)
		return;
	EXPECT_TRUE(reaches(a, self->p, WORD + 2));

	/* A reset that vfio-pci-core does not know of */
	region_write(&a->v, VFIO_PCI_CONFIG_REGION_INDEX, dvsec + CXL_VFIO_DVSEC_CTRL2, &reset, 2);
	EXPECT_FALSE(reaches(a, self->p, WORD + 3));
	EXPECT_EQ(0, unmap(a, IOVA, self->len));
	EXPECT_EQ(0, map_file(a, self->fd, IOVA, self->len));
	EXPECT_TRUE(reaches(a, self->p, WORD + 4));
}

/* The device's next user has its memory alone */
TEST_F(dmabuf, nothing_is_left_after_the_close)
{
	struct attached *a = &self->a;

	munmap((void *)self->p, 4 * MIB);
	close(a->v.device);
	EXPECT_EQ(0, unmap(a, IOVA, self->len));
	EXPECT_EQ(-ENODEV, map_file(a, self->fd, IOVA, self->len));
	a->v.device = cdev_open(input("DEVICE"));
	ASSERT_LE(0, a->v.device);
	ASSERT_EQ(0, cdev_bind(a->v.device, a->v.container));
	ASSERT_EQ(0, cdev_attach(a->v.device, a->ioas));
	set_command(&a->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(-ENODEV, map_file(a, self->fd, IOVA, self->len));
	self->p = map_hdm(&a->v);
	ASSERT_NE(MAP_FAILED, self->p);
}

/* No device gets an address on the bus for memory that is not reached by one */
TEST_F(dmabuf, other_importers_get_no_mapping)
{
	int importer = open("/dev/t2lab", O_RDWR);

	ASSERT_LE(0, importer);
	EXPECT_EQ(-1, ioctl(importer, T2LAB_STATIC, &self->fd));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, ioctl(importer, T2LAB_ATTACH, &self->fd));
	EXPECT_EQ(-1, ioctl(importer, T2LAB_MAP));
	EXPECT_EQ(EINVAL, errno);
	close(importer);
}

TEST_F(iommufd, request_for_a_dma_buf_may_be_in_read_only_memory)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf req;
		struct vfio_region_dma_range range;
	} *arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	ASSERT_NE(MAP_FAILED, arg);
	arg->feature.argsz = sizeof(*arg);
	arg->feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF;
	arg->req.region_index = self->a.hdm;
	arg->req.open_flags = O_CLOEXEC | O_RDWR;
	arg->req.nr_ranges = 1;
	arg->range.length = PAGE;
	ASSERT_EQ(0, mprotect(arg, PAGE, PROT_READ));
	fd = ioctl(self->a.v.device, VFIO_DEVICE_FEATURE, arg);
	EXPECT_LE(0, fd);
	EXPECT_EQ(self->a.hdm, arg->req.region_index);
	close(fd);
}

TEST_F(iommufd, memory_works_after_resets_attached_and_detached)
{
	volatile uint32_t *p = map_hdm(&self->a.v);
	uint32_t *ram = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, ram);
	ASSERT_EQ(0, map_memory(&self->a, ram, IOVA, MIB));
	EXPECT_EQ(0, ioctl(self->a.v.device, VFIO_DEVICE_RESET));
	set_command(&self->a.v, PCI_COMMAND_MEMORY, 0);
	*p = WORD;
	EXPECT_EQ(WORD, region_read32(&self->a.v, self->a.hdm, 0));

	ASSERT_EQ(0, cdev_detach(self->a.v.device));
	EXPECT_EQ(0, ioctl(self->a.v.device, VFIO_DEVICE_RESET));
	set_command(&self->a.v, PCI_COMMAND_MEMORY, 0);
	*p = WORD + 1;
	EXPECT_EQ(WORD + 1, region_read32(&self->a.v, self->a.hdm, 0));
	ASSERT_EQ(0, cdev_attach(self->a.v.device, self->a.ioas));
	EXPECT_EQ(0, dma_store(&self->a.v, IOVA, WORD));
	EXPECT_EQ(WORD, *ram);
}

TEST_F(iommufd, address_space_outlives_its_device)
{
	struct iommufd_destroy destroy = { .size = sizeof(destroy), .id = self->a.ioas };

	EXPECT_EQ(-1, ioctl(self->a.v.container, IOMMUFD_DESTROY, &destroy));
	EXPECT_EQ(EBUSY, errno);
	close(self->a.v.device);
	self->a.v.device = cdev_open(input("DEVICE"));
	ASSERT_LE(0, self->a.v.device);
	ASSERT_EQ(0, cdev_bind(self->a.v.device, self->a.v.container));
	ASSERT_EQ(0, cdev_attach(self->a.v.device, self->a.ioas));
	EXPECT_EQ(0, read_info(&self->a.v));
	ASSERT_EQ(0, cdev_detach(self->a.v.device));
	EXPECT_EQ(0, ioctl(self->a.v.container, IOMMUFD_DESTROY, &destroy));
}

/* What a user may hold: each is closed at another time */
enum { DEVICE, IOMMUFD, MAPPING, DMABUF, HELD };

FIXTURE(order) {
	int held[HELD];
	void *mapping;
};

FIXTURE_VARIANT(order) {
	int of[HELD];
};

FIXTURE_VARIANT_ADD(order, device_first) { .of = { DEVICE, IOMMUFD, MAPPING, DMABUF } };
FIXTURE_VARIANT_ADD(order, iommufd_first) { .of = { IOMMUFD, DEVICE, DMABUF, MAPPING } };
FIXTURE_VARIANT_ADD(order, mapping_first) { .of = { MAPPING, IOMMUFD, DEVICE, DMABUF } };
FIXTURE_VARIANT_ADD(order, dmabuf_first) { .of = { DMABUF, MAPPING, IOMMUFD, DEVICE } };
FIXTURE_VARIANT_ADD(order, device_last) { .of = { IOMMUFD, DMABUF, MAPPING, DEVICE } };

FIXTURE_SETUP(order)
{
	struct iommufd_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio v = { .group = -1, .container = -1 };

	self->held[DEVICE] = cdev_open(input("DEVICE"));
	ASSERT_LE(0, self->held[DEVICE]);
	self->held[IOMMUFD] = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->held[IOMMUFD]);
	ASSERT_EQ(0, cdev_bind(self->held[DEVICE], self->held[IOMMUFD]));
	ASSERT_EQ(0, ioctl(self->held[IOMMUFD], IOMMUFD_IOAS_ALLOC, &alloc));
	ASSERT_EQ(0, cdev_attach(self->held[DEVICE], alloc.out_ioas_id));
	v.device = self->held[DEVICE];
	ASSERT_EQ(0, read_info(&v));
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	self->mapping = map_hdm(&v);
	ASSERT_NE(MAP_FAILED, self->mapping);
	self->held[DMABUF] = vfio_export_dmabuf(&v, vfio_cxl_cap(&v)->hdm_region_idx, 0, 2 * MIB);
	ASSERT_LE(0, self->held[DMABUF]);
}

FIXTURE_TEARDOWN(order)
{
}

TEST_F(order, all_can_be_closed)
{
	bool mapped = true;
	int fd;

	for (int i = 0; i < HELD; i++) {
		/* A mapping keeps the device open */
		if (mapped)
			EXPECT_FALSE(raises_sigbus(self->mapping, true));
		if (variant->of[i] == MAPPING) {
			EXPECT_EQ(0, munmap(self->mapping, 4 * MIB));
			mapped = false;
		} else {
			EXPECT_EQ(0, close(self->held[variant->of[i]]));
		}
	}
	/* The device is free for its next user */
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	self->held[DEVICE] = cdev_open(input("DEVICE"));
	ASSERT_LE(0, self->held[DEVICE]);
	EXPECT_EQ(0, cdev_bind(self->held[DEVICE], fd));
	close(self->held[DEVICE]);
	close(fd);
}

TEST_HARNESS_MAIN
