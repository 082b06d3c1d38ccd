// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that this project did not write: the models agree with its registers, and
 * its memory can be used.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "vfio.h"

FIXTURE(type3) {
	struct vfio v;
	uint32_t hdm, comp;
};

FIXTURE_SETUP(type3)
{
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	ASSERT_NE(NULL, vfio_cxl_cap(&self->v));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	self->comp = vfio_cxl_cap(&self->v)->comp_reg_region_idx;
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
}

FIXTURE_TEARDOWN(type3)
{
	vfio_close(&self->v);
}

TEST_F(type3, dvsecs_are_shown)
{
	uint16_t dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);

	ASSERT_NE(0, dvsec);
	EXPECT_NE(0, find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_REG_LOCATOR));
	EXPECT_NE(0, config_read32(&self->v, dvsec + 8) >> 16 & CXL_VFIO_DVSEC_CAP_MEM);
	EXPECT_NE(0, config_read32(&self->v, dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0)) &
		     CXL_VFIO_DVSEC_RANGE_ACTIVE);
}

TEST_F(type3, decoder_0_is_committed_and_shows_no_host_address)
{
	uint32_t hdm = find_hdm(&self->v, self->comp, 0), decoder;

	ASSERT_NE(0, hdm);
	decoder = hdm + CXL_VFIO_HDM_DECODER(0);
	EXPECT_NE(0, region_read32(&self->v, self->comp, decoder + CXL_VFIO_HDM_CTRL) &
		     CXL_VFIO_HDM_CTRL_COMMITTED);
	EXPECT_EQ(0, region_read32(&self->v, self->comp, decoder + CXL_VFIO_HDM_BASE_LOW));
	EXPECT_EQ(0, region_read32(&self->v, self->comp, decoder + CXL_VFIO_HDM_BASE_HIGH));
	EXPECT_EQ(256u << 20, region_read32(&self->v, self->comp, decoder + CXL_VFIO_HDM_SIZE_LOW));
}

TEST_F(type3, memory_holds_what_is_written)
{
	uint32_t *p = region_map(&self->v, self->hdm, 0, 256 * PAGE, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, p[0]);
	for (uint32_t i = 0; i < 256; i++)
		p[i * PAGE / 4] = i + 1;
	for (uint32_t i = 0; i < 256; i++)
		EXPECT_EQ(i + 1, region_read32(&self->v, self->hdm, (uint64_t)i * PAGE));
	region_write32(&self->v, self->hdm, (256u << 20) - 4, 0x73);
	EXPECT_EQ(0x73, region_read32(&self->v, self->hdm, (256u << 20) - 4));
	munmap(p, 256 * PAGE);
}

TEST_HARNESS_MAIN
