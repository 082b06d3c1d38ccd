// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose resets lose part of what makes its memory work: the enables in
 * CONTROL of the CXL Device DVSEC, Decoder Enable in HDM Global Control, a decoder (of
 * several, if DECODERS is set).
 * Each must be back in the hardware before memory is touched, and what the user
 * programmed into its own view must be as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "lab.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define ENABLES		(CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE | CXL_VFIO_DVSEC_CTRL_MEM_ENABLE)
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED

/* Where the software device has them: in config space, and in BAR 0 of 256 KiB */
#define DEVCTL		(0x50 + PCI_EXP_DEVCTL)
#define PMCSR		(0x40 + PCI_PM_CTRL)
#define BLOCK		0x10000
#define HDM		(BLOCK + 0x1200)

FIXTURE(lose) {
	struct vfio v;
	uint32_t hdm;
	uint16_t dvsec;
	volatile uint32_t *p;
};

FIXTURE_VARIANT(lose) {
	const char *what;
	unsigned int decoder;
};

FIXTURE_VARIANT_ADD(lose, enables) { .what = "enables" };
FIXTURE_VARIANT_ADD(lose, global_control) { .what = "global" };
FIXTURE_VARIANT_ADD(lose, one_decoder) { .what = "decoder0" };
FIXTURE_VARIANT_ADD(lose, second_decoder) { .what = "decoder1", .decoder = 1 };
FIXTURE_VARIANT_ADD(lose, enables_and_global_control) { .what = "enables,global" };

FIXTURE_SETUP(lose)
{
	if (variant->decoder && !getenv("DECODERS"))
		SKIP(return, "the device has one");
	ASSERT_EQ(0, vfio_open(&self->v, getenv("DEVICE")));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	self->dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	ASSERT_NE(0, self->dvsec);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->p = region_map(&self->v, self->hdm, 0, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->p);
	*self->p = 0x10e;
	lab_configure("--lose=flr,cxl,bus,d3 --lose-what=%s", variant->what);
}

FIXTURE_TEARDOWN(lose)
{
	munmap((void *)self->p, PAGE);
	vfio_close(&self->v);
	lab_configure("restore");
}

/* Memory can be touched, and then the hardware is as it was at bind */
#define EXPECT_BACK() do {							\
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);				\
	EXPECT_TRUE(lab_wait_gate("open", "open"));				\
	EXPECT_FALSE(raises_sigbus(self->p, false));				\
	EXPECT_EQ(0x10e, region_read32(&self->v, self->hdm, 0));		\
	EXPECT_EQ(ENABLES, lab_config16(self->dvsec + CXL_VFIO_DVSEC_CTRL) & ENABLES);	\
	EXPECT_EQ(2, lab_register(HDM + CXL_VFIO_HDM_GLOBAL_CTRL) & 2);		\
	EXPECT_EQ(COMMITTED, lab_register(HDM + CXL_VFIO_HDM_CTRL +		\
					  CXL_VFIO_HDM_DECODER(variant->decoder)) & COMMITTED);	\
} while (0)

static void write16(struct vfio *v, uint16_t at, uint16_t val)
{
	region_write(v, CONFIG, at, &val, 2);
}

TEST_F(lose, at_flr_by_a_guest)
{
	write16(&self->v, DEVCTL, 0x2810 | PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_BACK();
}

TEST_F(lose, at_cxl_reset_by_a_guest)
{
	write16(&self->v, self->dvsec + CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_INIT_RST);
	EXPECT_BACK();
}

TEST_F(lose, at_vfio_device_reset)
{
	EXPECT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	EXPECT_BACK();
}

TEST_F(lose, at_sysfs_reset)
{
	EXPECT_EQ(0, system("echo 1 > /sys/bus/pci/devices/$DEVICE/reset"));
	EXPECT_BACK();
}

TEST_F(lose, at_d3hot)
{
	write16(&self->v, PMCSR, 3);
	write16(&self->v, PMCSR, 0);
	EXPECT_BACK();
}

/* What hardware with CONFIG_LOCK lost does not come back; the log is the scenario's */
TEST_F(lose, behind_a_lock_in_hardware)
{
	uint32_t val;

	if (!strstr(variant->what, "enables"))
		SKIP(return, "CONFIG_LOCK is for CONTROL");
	lab_configure("--config-lock=1");
	EXPECT_EQ(-1, ioctl(self->v.device, VFIO_DEVICE_RESET));
	EXPECT_EQ(EIO, errno);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_TRUE(lab_gate_is("closed"));
	EXPECT_TRUE(raises_sigbus(self->p, false));
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, 0, &val, 4));
	EXPECT_EQ(-EIO, region_write(&self->v, self->hdm, 0, &val, 4));

	lab_configure("restore");
	EXPECT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	EXPECT_BACK();
}

TEST_HARNESS_MAIN
