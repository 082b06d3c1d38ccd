// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device dies under its user: no later access of the user harms the host, and
 * closing the device returns.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "vfio.h"

FIXTURE(gone) {
};

FIXTURE_SETUP(gone)
{
}

FIXTURE_TEARDOWN(gone)
{
}

TEST_F(gone, accesses_to_a_dead_device_fail_and_close_returns)
{
	struct vfio v;
	volatile uint32_t *p, *bar;
	uint32_t hdm, comp, val = 0;

	ASSERT_EQ(0, vfio_open(&v, input("DEVICE")));
	hdm = vfio_cxl_cap(&v)->hdm_region_idx;
	comp = vfio_cxl_cap(&v)->comp_reg_region_idx;
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	p = region_map(&v, hdm, 0, PAGE, PROT_READ | PROT_WRITE);
	bar = region_map(&v, 0, 0, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, bar);
	*p = 1;

	ASSERT_EQ(0, system("t2ctl $DEVICE die"));
	/* The first access shows that the device is gone */
	set_command(&v, PCI_COMMAND_MASTER, 0);
	EXPECT_TRUE(raises_sigbus(p, false));
	EXPECT_EQ(-EIO, region_read(&v, hdm, 0, &val, 4));
	EXPECT_EQ(-EIO, region_write(&v, hdm, 0, &val, 4));
	if (!raises_sigbus(bar, false))
		EXPECT_EQ(~0u, *bar);
	region_read32(&v, comp, 0x1000);
	region_write32(&v, comp, 0x1210 + CXL_VFIO_HDM_CTRL, 0);
	config_read32(&v, find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE) + CXL_VFIO_DVSEC_CTRL2);
	EXPECT_NE(0, ioctl(v.device, VFIO_DEVICE_RESET));
	EXPECT_TRUE(raises_sigbus(p, true));

	munmap((void *)p, PAGE);
	munmap((void *)bar, PAGE);
	vfio_close(&v);
}

TEST_HARNESS_MAIN
