// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bound device as a VMM sees it.  The device is the software device.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define CM		CXL_VFIO_CM_OFFSET
#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define LOCK		CXL_VFIO_HDM_CTRL_LOCK
#define ERROR		CXL_VFIO_HDM_CTRL_ERROR

FIXTURE(cxl) {
	struct vfio v;
	uint32_t hdm;		/* region indices */
	uint32_t comp;
	uint64_t hdm_size;
	uint64_t block;		/* offset of the component block in its BAR */
	uint32_t decoder;	/* offset of the HDM capability in COMP_REGS */
};

FIXTURE_SETUP(cxl)
{
	struct cxl_vfio_device_info_cap_v3 *cap;
	struct vfio_region_info *info;

	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	cap = vfio_cxl_cap(&self->v);
	ASSERT_NE(NULL, cap);
	self->hdm = cap->hdm_region_idx;
	self->comp = cap->comp_reg_region_idx;
	self->block = cap->comp_reg_offset;
	info = vfio_region(&self->v, self->hdm);
	ASSERT_NE(NULL, info);
	self->hdm_size = info->size;
	free(info);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->decoder = find_hdm(&self->v, self->comp, 0);
	ASSERT_NE(0, self->decoder);
}

FIXTURE_TEARDOWN(cxl)
{
	vfio_close(&self->v);
}

TEST_F(cxl, device_is_cxl)
{
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(&self->v);
	struct vfio_region_info *comp = vfio_region(&self->v, self->comp);

	EXPECT_TRUE(self->v.info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_TRUE(self->v.info.flags & VFIO_DEVICE_FLAGS_CXL);
	EXPECT_EQ(1, cap->header.version);
	EXPECT_TRUE(cap->flags & CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED);
	EXPECT_NE(cap->hdm_region_idx, cap->comp_reg_region_idx);
	EXPECT_LE(VFIO_PCI_NUM_REGIONS, cap->hdm_region_idx);
	EXPECT_LE(VFIO_PCI_NUM_REGIONS, cap->comp_reg_region_idx);
	EXPECT_GT(self->v.info.num_regions, cap->comp_reg_region_idx);
	EXPECT_EQ(T2DEV_COMP_BAR, cap->comp_reg_bar);
	ASSERT_NE(NULL, comp);
	EXPECT_EQ(cap->comp_reg_size, comp->size);
	EXPECT_EQ(CXL_VFIO_COMP_BLOCK_SIZE, comp->size);
	free(comp);
}

TEST_F(cxl, device_info_fits_any_argsz)
{
	union {
		struct vfio_device_info info;
		uint8_t raw[INFO_SIZE];
	} u;
	uint32_t total = self->v.info.argsz;

	for (uint32_t argsz = 16; argsz <= total + 8; argsz += 4) {
		memset(&u, 0xa5, sizeof(u));
		u.info.argsz = argsz;
		ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_GET_INFO, &u.info));
		EXPECT_TRUE(u.info.flags & VFIO_DEVICE_FLAGS_CXL);
		EXPECT_EQ(total, u.info.argsz);
		EXPECT_EQ(0xa5, u.raw[argsz]) TH_LOG("wrote past argsz %u", argsz);
		if (argsz >= total) {
			EXPECT_NE(NULL, vfio_cap(&u, u.info.cap_offset, VFIO_DEVICE_INFO_CAP_CXL));
		} else if (argsz >= sizeof(u.info)) {
			EXPECT_EQ(0, u.info.cap_offset);
		}
	}
	u.info.argsz = 12;
	EXPECT_EQ(-1, ioctl(self->v.device, VFIO_DEVICE_GET_INFO, &u.info));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(cxl, regions_describe_themselves)
{
	struct vfio_region_info *info = vfio_region(&self->v, self->hdm);
	struct vfio_region_info_cap_type *type;

	ASSERT_NE(NULL, info);
	type = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_TYPE);
	ASSERT_NE(NULL, type);
	EXPECT_EQ(CXL_VFIO_REGION_TYPE, type->type);
	EXPECT_EQ(CXL_VFIO_REGION_SUBTYPE_HDM, type->subtype);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		  VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS, info->flags);
	free(info);

	info = vfio_region(&self->v, self->comp);
	ASSERT_NE(NULL, info);
	type = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_TYPE);
	ASSERT_NE(NULL, type);
	EXPECT_EQ(CXL_VFIO_REGION_TYPE, type->type);
	EXPECT_EQ(CXL_VFIO_REGION_SUBTYPE_COMP_REGS, type->subtype);
	EXPECT_FALSE(info->flags & VFIO_REGION_INFO_FLAG_MMAP);
	free(info);
}

TEST_F(cxl, hdm_region_mmap_rw)
{
	volatile uint32_t *p = region_map(&self->v, self->hdm, 0, PAGE, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, (void *)p);
	p[0] = 0x12345678;
	p[PAGE / 4 - 1] = 0x9abcdef0;
	EXPECT_EQ(0x12345678, p[0]);
	EXPECT_EQ(0x12345678, region_read32(&self->v, self->hdm, 0));
	EXPECT_EQ(0x9abcdef0, region_read32(&self->v, self->hdm, PAGE - 4));
	region_write32(&self->v, self->hdm, 0, 0x0badcafe);
	EXPECT_EQ(0x0badcafe, p[0]);
	munmap((void *)p, PAGE);
}

TEST_F(cxl, hdm_region_maps_whole_and_to_its_end)
{
	uint8_t *p = region_map(&self->v, self->hdm, 0, self->hdm_size, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, (void *)p);
	for (uint64_t at = 0; at < self->hdm_size; at += 16 << 20)
		memcpy(p + at, &at, sizeof(at));
	for (uint64_t at = 0; at < self->hdm_size; at += 16 << 20) {
		uint64_t val = ~0ull;

		ASSERT_EQ(sizeof(val), region_read(&self->v, self->hdm, at, &val, sizeof(val)));
		EXPECT_EQ(at, val);
	}
	p[self->hdm_size - 1] = 0x5a;
	munmap(p, self->hdm_size);

	EXPECT_EQ(MAP_FAILED, region_map(&self->v, self->hdm, 0, self->hdm_size + PAGE, PROT_READ));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, region_map(&self->v, self->hdm, self->hdm_size, PAGE, PROT_READ));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(cxl, hdm_region_cannot_be_mapped_private)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->v.device,
		       (off_t)self->hdm << 40);

	EXPECT_EQ(MAP_FAILED, p);
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(cxl, hdm_region_reads_and_writes_any_bytes)
{
	uint8_t out[3 * PAGE], in[3 * PAGE];
	uint64_t end = self->hdm_size;

	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + 3;
	EXPECT_EQ(sizeof(out), region_write(&self->v, self->hdm, PAGE - 5, out, sizeof(out)));
	EXPECT_EQ(sizeof(in), region_read(&self->v, self->hdm, PAGE - 5, in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	EXPECT_EQ(1, region_read(&self->v, self->hdm, PAGE - 4, in, 1));
	EXPECT_EQ(out[1], in[0]);

	EXPECT_EQ(3, region_read(&self->v, self->hdm, end - 3, in, 8));
	EXPECT_EQ(-EINVAL, region_read(&self->v, self->hdm, end, in, 1));
	EXPECT_EQ(-EFAULT, region_read(&self->v, self->hdm, 0, (void *)8, 16));
	EXPECT_EQ(-EFAULT, region_write(&self->v, self->hdm, 0, (void *)8, 16));
}

TEST_F(cxl, hdm_region_copies_what_a_faulting_buffer_takes)
{
	uint8_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, mprotect(p + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(100, region_read(&self->v, self->hdm, 0, p + PAGE - 100, 200));
	EXPECT_EQ(100, region_write(&self->v, self->hdm, 0, p + PAGE - 100, 200));
	munmap(p, 2 * PAGE);
}

TEST_F(cxl, component_bar_sparse_mmap)
{
	struct vfio_region_info *info = vfio_region(&self->v, T2DEV_COMP_BAR);
	struct vfio_region_info_cap_sparse_mmap *sparse;
	uint64_t block_end = self->block + CXL_VFIO_COMP_BLOCK_SIZE;

	ASSERT_NE(NULL, info);
	ASSERT_TRUE(info->flags & VFIO_REGION_INFO_FLAG_MMAP);
	sparse = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	ASSERT_NE(NULL, sparse);
	ASSERT_LE(1, sparse->nr_areas);
	for (uint32_t i = 0; i < sparse->nr_areas; i++) {
		uint64_t start = sparse->areas[i].offset, size = sparse->areas[i].size;
		volatile uint32_t *p;

		EXPECT_TRUE(start + size <= self->block || start >= block_end);
		EXPECT_LE(start + size, info->size);
		p = region_map(&self->v, T2DEV_COMP_BAR, start, size, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, (void *)p);
		p[1] = 0xfeed0000 + i;
		EXPECT_EQ(0xfeed0000 + i, region_read32(&self->v, T2DEV_COMP_BAR, start + 4));
		munmap((void *)p, size);
	}
	EXPECT_EQ(MAP_FAILED, region_map(&self->v, T2DEV_COMP_BAR, 0, info->size, PROT_READ));
	EXPECT_EQ(EINVAL, errno);
	for (uint64_t at = self->block; at < block_end; at += PAGE) {
		EXPECT_EQ(MAP_FAILED, region_map(&self->v, T2DEV_COMP_BAR, at, PAGE, PROT_READ));
	}
	if (self->block >= PAGE) {
		EXPECT_EQ(MAP_FAILED, region_map(&self->v, T2DEV_COMP_BAR, self->block - PAGE,
						 2 * PAGE, PROT_READ));
	}
	free(info);
}

TEST_F(cxl, component_bar_shows_the_block_as_comp_regs_does)
{
	uint8_t bar[0x600], regs[0x600];

	for (uint32_t at = 0; at < CXL_VFIO_COMP_BLOCK_SIZE; at += sizeof(bar)) {
		size_t n = sizeof(bar);

		if (at + n > CXL_VFIO_COMP_BLOCK_SIZE)
			n = CXL_VFIO_COMP_BLOCK_SIZE - at;
		ASSERT_EQ(n, region_read(&self->v, T2DEV_COMP_BAR, self->block + at, bar, n));
		ASSERT_EQ(n, region_read(&self->v, self->comp, at, regs, n));
		EXPECT_EQ(0, memcmp(bar, regs, n)) TH_LOG("differs from offset %#x", at);
	}
	for (unsigned int n = 1; n <= 9; n++) {
		memset(bar, 0xff, n);
		EXPECT_EQ(n, region_read(&self->v, T2DEV_COMP_BAR, self->block + CM + 3, bar, n));
		region_read(&self->v, self->comp, CM, regs, 16);
		EXPECT_EQ(0, memcmp(bar, regs + 3, n));
	}
}

TEST_F(cxl, component_bar_access_over_the_blocks_border_is_split)
{
	struct vfio_region_info *info = vfio_region(&self->v, T2DEV_COMP_BAR);
	uint64_t after = self->block + CXL_VFIO_COMP_BLOCK_SIZE;
	uint8_t out[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, in[8];

	if (after < info->size) {
		EXPECT_EQ(8, region_write(&self->v, T2DEV_COMP_BAR, after - 4, out, 8));
		EXPECT_EQ(8, region_read(&self->v, T2DEV_COMP_BAR, after - 4, in, 8));
		EXPECT_EQ(0, memcmp(in, "\0\0\0\0", 4));
		EXPECT_EQ(0, memcmp(in + 4, out + 4, 4));
	}
	if (self->block) {
		EXPECT_EQ(8, region_write(&self->v, T2DEV_COMP_BAR, self->block - 4, out, 8));
		EXPECT_EQ(8, region_read(&self->v, T2DEV_COMP_BAR, self->block - 4, in, 8));
		EXPECT_EQ(0, memcmp(in, out, 4));
		EXPECT_EQ(0, memcmp(in + 4, "\0\0\0\0", 4));
	}
	EXPECT_EQ(-EINVAL, region_read(&self->v, T2DEV_COMP_BAR, info->size, in, 1));
	EXPECT_EQ(2, region_read(&self->v, T2DEV_COMP_BAR, info->size - 2, in, 8));
	free(info);
}

TEST_F(cxl, comp_regs_cm_cap_array_read)
{
	uint32_t header = region_read32(&self->v, self->comp, CM);

	EXPECT_EQ(CXL_VFIO_CM_CAP_HDR_ID_CM, header & CXL_VFIO_CM_CAP_HDR_ID);
	region_write32(&self->v, self->comp, CM, 0);
	EXPECT_EQ(header, region_read32(&self->v, self->comp, CM));
	for (uint32_t at = 0; at < CM; at += 4)
		ASSERT_EQ(0, region_read32(&self->v, self->comp, at));
}

TEST_F(cxl, comp_regs_take_aligned_dwords_only)
{
	uint32_t val[4];

	EXPECT_EQ(-EINVAL, region_read(&self->v, self->comp, CM + 2, val, 4));
	EXPECT_EQ(-EINVAL, region_read(&self->v, self->comp, CM, val, 2));
	EXPECT_EQ(-EINVAL, region_write(&self->v, self->comp, CM, val, 1));
	EXPECT_EQ(-EINVAL, region_read(&self->v, self->comp, CXL_VFIO_COMP_BLOCK_SIZE, val, 4));
	EXPECT_EQ(8, region_read(&self->v, self->comp, CM, val, 8));
	EXPECT_EQ(4, region_read(&self->v, self->comp, CXL_VFIO_COMP_BLOCK_SIZE - 4, val, 8));
	EXPECT_EQ(MAP_FAILED, region_map(&self->v, self->comp, 0, PAGE, PROT_READ));
}

static uint32_t ctrl(struct vfio *v, uint32_t comp, uint32_t hdm)
{
	return region_read32(v, comp, hdm + CXL_VFIO_HDM_DECODER(0) + CXL_VFIO_HDM_CTRL) &
	       (COMMIT | COMMITTED | LOCK | ERROR);
}

TEST_F(cxl, hdm_decoder_commit_fsm)
{
	uint32_t dec = self->decoder + CXL_VFIO_HDM_DECODER(0);
	uint32_t size_high = region_read32(&self->v, self->comp, dec + CXL_VFIO_HDM_SIZE_HIGH);
	uint32_t size = region_read32(&self->v, self->comp, dec + CXL_VFIO_HDM_SIZE_LOW);

#define STATE()		ctrl(&self->v, self->comp, self->decoder)
#define WRITE(reg, val)	region_write32(&self->v, self->comp, dec + (reg), (val))
#define READ(reg)	region_read32(&self->v, self->comp, dec + (reg))
	EXPECT_EQ(self->hdm_size, ((uint64_t)size_high << 32) + size);
	EXPECT_EQ(COMMIT | COMMITTED, STATE());

	/* Committed: BASE and SIZE are read-only */
	WRITE(CXL_VFIO_HDM_BASE_LOW, 0x40000000);
	WRITE(CXL_VFIO_HDM_SIZE_LOW, 0x40000000);
	EXPECT_EQ(0, READ(CXL_VFIO_HDM_BASE_LOW));
	EXPECT_EQ(size, READ(CXL_VFIO_HDM_SIZE_LOW));

	WRITE(CXL_VFIO_HDM_CTRL, 0);
	EXPECT_EQ(0, STATE());
	WRITE(CXL_VFIO_HDM_CTRL, COMMIT);
	EXPECT_EQ(COMMIT | COMMITTED, STATE());

	/* Illegal settings: Error Not Committed until COMMIT is cleared */
	WRITE(CXL_VFIO_HDM_CTRL, 0);
	WRITE(CXL_VFIO_HDM_SIZE_LOW, 0);
	WRITE(CXL_VFIO_HDM_SIZE_HIGH, 0);
	WRITE(CXL_VFIO_HDM_CTRL, COMMIT);
	EXPECT_EQ(COMMIT | ERROR, STATE());
	WRITE(CXL_VFIO_HDM_CTRL, 0);
	EXPECT_EQ(0, STATE());
	WRITE(CXL_VFIO_HDM_SIZE_HIGH, size_high + 1);
	WRITE(CXL_VFIO_HDM_CTRL, COMMIT);
	EXPECT_EQ(COMMIT | ERROR, STATE());
	WRITE(CXL_VFIO_HDM_CTRL, 0);

	/* A guest address is kept without its low bits; Lock On Commit makes it read-only */
	WRITE(CXL_VFIO_HDM_SIZE_HIGH, size_high);
	WRITE(CXL_VFIO_HDM_SIZE_LOW, size);
	WRITE(CXL_VFIO_HDM_BASE_LOW, 0x5fffffff);
	WRITE(CXL_VFIO_HDM_BASE_HIGH, 0x12);
	WRITE(CXL_VFIO_HDM_CTRL, COMMIT | LOCK);
	EXPECT_EQ(COMMIT | COMMITTED | LOCK, STATE());
	WRITE(CXL_VFIO_HDM_CTRL, 0);
	EXPECT_EQ(COMMIT | COMMITTED | LOCK, STATE());
	WRITE(CXL_VFIO_HDM_BASE_LOW, 0);
	EXPECT_EQ(0x50000000, READ(CXL_VFIO_HDM_BASE_LOW));
	EXPECT_EQ(0x12, READ(CXL_VFIO_HDM_BASE_HIGH));
#undef STATE
#undef WRITE
#undef READ
}

TEST_F(cxl, decoder_writes_never_reach_the_device)
{
	uint32_t dec = self->decoder + CXL_VFIO_HDM_DECODER(0);
	uint32_t at = dec + CXL_VFIO_HDM_CTRL;

	region_write32(&self->v, self->comp, at, 0);
	region_write32(&self->v, T2DEV_COMP_BAR, self->block + dec + CXL_VFIO_HDM_SIZE_LOW, 0);
	EXPECT_EQ(0, ctrl(&self->v, self->comp, self->decoder));

	/* The device still decodes, and the next user finds decoder 0 committed */
	region_write32(&self->v, self->hdm, 64, 0xc0ffee00);
	EXPECT_EQ(0xc0ffee00, region_read32(&self->v, self->hdm, 64));
	vfio_close(&self->v);
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(COMMIT | COMMITTED, ctrl(&self->v, self->comp, self->decoder));
	EXPECT_EQ((uint32_t)self->hdm_size,
		  region_read32(&self->v, self->comp, dec + CXL_VFIO_HDM_SIZE_LOW));
}

/* No region and no config register shows the host address of HDM memory */
TEST_F(cxl, no_view_has_a_host_address)
{
	uint64_t hpa = input_number("HPA", 0x100000000);
	uint16_t dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	uint32_t dec = self->decoder + CXL_VFIO_HDM_DECODER(0);

	EXPECT_EQ(0, region_read32(&self->v, self->comp, dec + CXL_VFIO_HDM_BASE_LOW));
	EXPECT_EQ(0, region_read32(&self->v, self->comp, dec + CXL_VFIO_HDM_BASE_HIGH));
	EXPECT_EQ(0, config_read32(&self->v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0)));
	EXPECT_EQ(0, config_read32(&self->v, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0)));
	for (uint32_t at = 0; at < CXL_VFIO_COMP_BLOCK_SIZE; at += 8) {
		uint32_t pair[2];

		region_read(&self->v, self->comp, at, pair, 8);
		ASSERT_FALSE(pair[0] == (uint32_t)hpa && pair[1] == hpa >> 32 && hpa);
	}
}

TEST_F(cxl, dvsecs_are_in_the_capability_chain)
{
	EXPECT_NE(0, find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE));
	EXPECT_NE(0, find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_REG_LOCATOR));
	EXPECT_NE(0, find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT));
}

TEST_F(cxl, register_locator_names_the_component_block)
{
	uint16_t at = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_REG_LOCATOR);
	bool found = false;

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t lo = config_read32(&self->v, at + CXL_VFIO_RLOC_ENTRY(i));

		if ((lo & CXL_VFIO_RLOC_BLOCK_ID) >> 8 != CXL_VFIO_RLOC_BLOCK_ID_COMPONENT)
			continue;
		found = true;
		EXPECT_EQ(T2DEV_COMP_BAR, lo & CXL_VFIO_RLOC_BIR);
		EXPECT_EQ(self->block, lo & CXL_VFIO_RLOC_OFFSET_LOW);
	}
	EXPECT_TRUE(found);
}

static ssize_t config_read(struct vfio *v, uint16_t at, void *buf, size_t n)
{
	return region_read(v, VFIO_PCI_CONFIG_REGION_INDEX, at, buf, n);
}

static ssize_t config_write(struct vfio *v, uint16_t at, const void *buf, size_t n)
{
	return region_write(v, VFIO_PCI_CONFIG_REGION_INDEX, at, buf, n);
}

TEST_F(cxl, dvsec_reads_the_same_at_any_size_and_alignment)
{
	uint16_t dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	uint8_t whole[0x38 + 16];

	/* Accesses across both borders of the DVSEC are clipped there */
	for (size_t i = 0; i < sizeof(whole); i++)
		ASSERT_EQ(1, config_read(&self->v, dvsec - 8 + i, &whole[i], 1));
	for (size_t n = 1; n <= 16; n++) {
		for (size_t i = 0; i + n <= sizeof(whole); i++) {
			uint8_t part[16];

			ASSERT_EQ(n, config_read(&self->v, dvsec - 8 + i, part, n));
			ASSERT_EQ(0, memcmp(part, whole + i, n))
				TH_LOG("%zu bytes at %#zx differ", n, dvsec - 8 + i);
		}
	}
}

TEST_F(cxl, dvsec_lock_byte_read)
{
	uint16_t dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	uint8_t lock = 0xff, one = 1, zero = 0;
	uint16_t control, all = 0xffff, cap, high = 0;

	EXPECT_EQ(1, config_read(&self->v, dvsec + CXL_VFIO_DVSEC_LOCK, &lock, 1));
	EXPECT_EQ(0, lock);

	/* CONTROL byte by byte: the other byte stays, IO_Enable reads 1 */
	EXPECT_EQ(2, config_write(&self->v, dvsec + CXL_VFIO_DVSEC_CTRL, &all, 2));
	EXPECT_EQ(1, config_write(&self->v, dvsec + CXL_VFIO_DVSEC_CTRL, &zero, 1));
	config_read(&self->v, dvsec + CXL_VFIO_DVSEC_CTRL, &control, 2);
	config_read(&self->v, dvsec + CXL_VFIO_DVSEC_CAP, &cap, 2);
	high |= cap & CXL_VFIO_DVSEC_CAP_CACHE ? CXL_VFIO_DVSEC_CTRL_CACHE_MASK & 0xff00 : 0;
	high |= cap & CXL_VFIO_DVSEC_CAP_VIRAL ? CXL_VFIO_DVSEC_CTRL_VIRAL_ENABLE : 0;
	EXPECT_NE(0, high);
	EXPECT_EQ(high | CXL_VFIO_DVSEC_CTRL_IO_ENABLE, control);

	/* LOCK is set once and makes CONTROL read-only */
	config_write(&self->v, dvsec + CXL_VFIO_DVSEC_LOCK, &one, 1);
	config_write(&self->v, dvsec + CXL_VFIO_DVSEC_LOCK, &zero, 1);
	config_read(&self->v, dvsec + CXL_VFIO_DVSEC_LOCK, &lock, 1);
	EXPECT_EQ(1, lock);
	all = 0;
	config_write(&self->v, dvsec + CXL_VFIO_DVSEC_CTRL, &all, 2);
	config_read(&self->v, dvsec + CXL_VFIO_DVSEC_CTRL, &all, 2);
	EXPECT_EQ(control, all);
}

TEST_F(cxl, dvsec_writes_never_reach_the_device)
{
	uint16_t dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	uint16_t rloc = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_REG_LOCATOR);
	uint16_t flex = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT);
	uint8_t before[4096], after[4096], junk[0x30];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", input("DEVICE"));
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(before), pread(fd, before, sizeof(before), 0));
	memset(junk, 0xff, sizeof(junk));
	/* LOCK last, since it makes other fields read-only */
	config_write(&self->v, dvsec, junk, CXL_VFIO_DVSEC_LOCK);
	config_write(&self->v, dvsec + CXL_VFIO_DVSEC_CAP2, junk,
		     0x38 - CXL_VFIO_DVSEC_CAP2);
	config_write(&self->v, dvsec + CXL_VFIO_DVSEC_LOCK, junk, 2);
	config_write(&self->v, rloc, junk, 0x14);
	config_write(&self->v, flex, junk, 0x14);
	ASSERT_EQ(sizeof(after), pread(fd, after, sizeof(after), 0));
	for (unsigned int i = 0; i < 0x38; i++) {
		/* The doorbells in CONTROL2 have reset the device */
		if (i == CXL_VFIO_DVSEC_STATUS2)
			continue;
		EXPECT_EQ(before[dvsec + i], after[dvsec + i]) TH_LOG("DVSEC byte %#x", i);
	}
	EXPECT_EQ(0, memcmp(before + rloc, after + rloc, 0x14));
	EXPECT_EQ(0, memcmp(before + flex, after + flex, 0x14));
	/* Headers stay the same for the user as well */
	EXPECT_EQ(dvsec, find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE));
	EXPECT_EQ(rloc, find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_REG_LOCATOR));
	close(fd);
}

/* By a negative offset vfio-pci-core would write outside of its own array */
TEST_F(cxl, ioeventfds_are_refused)
{
	const uint64_t offsets[] = {
		((uint64_t)T2DEV_COMP_BAR << 40) + 0x1000, (uint64_t)T2DEV_ACCEL_BAR << 40,
		-0x100ull, -(1ull << 40),
	};
	struct vfio_device_ioeventfd req = {
		.argsz = sizeof(req), .flags = VFIO_DEVICE_IOEVENTFD_32, .fd = eventfd(0, 0),
	};

	ASSERT_LE(0, req.fd);
	for (unsigned int i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		req.offset = offsets[i];
		EXPECT_EQ(-1, ioctl(self->v.device, VFIO_DEVICE_IOEVENTFD, &req));
		EXPECT_EQ(ENOTTY, errno);
	}
	close(req.fd);
}

TEST_F(cxl, hdm_memory_follows_memory_space)
{
	volatile uint32_t *p = region_map(&self->v, self->hdm, 0, PAGE, PROT_READ | PROT_WRITE);
	uint32_t val;

	ASSERT_NE(MAP_FAILED, (void *)p);
	p[0] = 0x11223344;
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(raises_sigbus(p, false));
	EXPECT_TRUE(raises_sigbus(p, true));
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, 0, &val, 4));
	EXPECT_EQ(-EIO, region_write(&self->v, self->hdm, 0, &val, 4));
	EXPECT_EQ(-EIO, region_read(&self->v, T2DEV_COMP_BAR, self->block ? 0 :
				    CXL_VFIO_COMP_BLOCK_SIZE, &val, 4));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(p, false));
	EXPECT_EQ(0x11223344, p[0]);
	munmap((void *)p, PAGE);
}

TEST_F(cxl, hdm_memory_is_back_after_a_reset)
{
	volatile uint32_t *p = region_map(&self->v, self->hdm, 0, PAGE, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, (void *)p);
	p[0] = 0x55667788;
	ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(p, false));
	EXPECT_EQ(0x55667788, p[0]);
	munmap((void *)p, PAGE);
}

TEST_F(cxl, mappings_live_through_fork_and_partial_munmap)
{
	volatile uint32_t *p = region_map(&self->v, self->hdm, 0, 4 * PAGE,
					  PROT_READ | PROT_WRITE);
	int status = -1;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)p);
	p[0] = 1;
	pid = fork();
	if (!pid) {
		p[1] = p[0] + 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, p[1]);
	munmap((void *)p + PAGE, PAGE);
	p[2 * PAGE / 4] = 3;
	EXPECT_EQ(3, region_read32(&self->v, self->hdm, 2 * PAGE));
	munmap((void *)p, 4 * PAGE);
}

/* A mapping keeps the device open after its file descriptor is closed */
TEST_F(cxl, mapping_outlives_the_file_descriptor)
{
	volatile uint32_t *p = region_map(&self->v, self->hdm, 0, PAGE, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, (void *)p);
	close(self->v.device);
	self->v.device = -1;
	p[0] = 0x77;
	EXPECT_EQ(0x77, p[0]);
	munmap((void *)p, PAGE);
}

TEST_F(cxl, device_and_host_see_the_same_bytes)
{
	uint8_t *p = region_map(&self->v, self->hdm, 0, 1 << 20, PROT_READ | PROT_WRITE);
	struct accel_op crc = { T2DEV_OP_CRC32, T2DEV_FLAG_SRC_HDM, .src = 0, .len = 65536 };
	struct accel_op fill = { T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, .dst = 65536, .len = 65536,
				 .pattern = 0xdecade00 };
	uint32_t result = 0;

	ASSERT_NE(MAP_FAILED, (void *)p);
	for (unsigned int i = 0; i < 65536; i++)
		p[i] = i ^ (i >> 8);
	ASSERT_EQ(0, accel_run(&self->v, &crc, &result));
	EXPECT_EQ(crc32_of(p, 65536), result);
	ASSERT_EQ(0, accel_run(&self->v, &fill, NULL));
	for (unsigned int i = 65536; i < 131072; i += 4)
		ASSERT_EQ(0xdecade00, *(uint32_t *)(p + i));
	munmap(p, 1 << 20);
}

TEST_F(cxl, device_reaches_memory_through_dma_and_interrupts)
{
	struct accel_op copy = { T2DEV_OP_COPY, T2DEV_FLAG_SRC_HDM | T2DEV_FLAG_IRQ,
				 .src = 4096, .dst = 0x200000, .len = 8192 };
	uint8_t *buf = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	uint8_t *p = region_map(&self->v, self->hdm, 0, 1 << 16, PROT_READ | PROT_WRITE);
	struct pollfd pfd = { .events = POLLIN };

	if (input_yes("NO_MSI"))
		SKIP(return, "vfio-pci cannot set up interrupts with this machine's virtio-iommu");
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, dma_map(&self->v, buf, copy.dst, 1 << 16));
	set_command(&self->v, PCI_COMMAND_MASTER, 0);
	pfd.fd = msix_enable(&self->v);
	ASSERT_LE(0, pfd.fd);
	for (unsigned int i = 0; i < 8192; i++)
		p[4096 + i] = i * 13;
	ASSERT_EQ(0, accel_run(&self->v, &copy, NULL));
	EXPECT_EQ(1, poll(&pfd, 1, 5000));
	EXPECT_EQ(0, memcmp(buf, p + 4096, 8192));

	copy.dst = 0x7000000;
	EXPECT_EQ(-EFAULT, accel_run(&self->v, &copy, NULL));
	close(pfd.fd);
	munmap(p, 1 << 16);
	munmap(buf, 1 << 16);
}

TEST_HARNESS_MAIN
