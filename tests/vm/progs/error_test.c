// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that the kernel's AER code recovers from, looked at while that is under way:
 * a driver of the kernel helper on the card's other function keeps it waiting after
 * every driver was told of the error and before the link is reset.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "lab.h"

#define MIB	(1024 * 1024)
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define DEVCTL	(0x50 + PCI_EXP_DEVCTL)
#define PMCSR	(0x40 + PCI_PM_CTRL)
#define HOLD	"/sys/module/t2lab/parameters/aer_hold"
#define HOLD_RESET "/sys/module/t2lab/parameters/aer_hold_reset"
#define HELD	"/sys/module/t2lab/parameters/aer_held"
#define OVER	"/sys/module/t2lab/parameters/aer_over"

FIXTURE(error) {
	struct vfio v;
	uint32_t hdm;
	volatile uint32_t *p;
	uint32_t bars[6];
	unsigned int over;	/* recoveries that came to their end before */
};

FIXTURE_VARIANT(error) {
	unsigned int status;	/* bits of Uncorrectable Error Status */
};

FIXTURE_VARIANT_ADD(error, fatal) { .status = PCI_ERR_UNC_DLP };
FIXTURE_VARIANT_ADD(error, non_fatal) { .status = PCI_ERR_UNC_COMP_TIME };

static void read_bars(uint32_t *bars)
{
	for (unsigned int i = 0; i < 6; i++)
		bars[i] = lab_config16(PCI_BASE_ADDRESS_0 + 4 * i) |
			  (uint32_t)lab_config16(PCI_BASE_ADDRESS_0 + 4 * i + 2) << 16;
}

static unsigned int recoveries(void)
{
	FILE *f = fopen(OVER, "r");
	unsigned int n = 0;

	if (!f || fscanf(f, "%u", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

FIXTURE_SETUP(error)
{
	if (system("modprobe -q aer_inject"))
		SKIP(return, "this kernel has no aer_inject");
	ASSERT_EQ(0, vfio_open(&self->v, getenv("DEVICE")));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	/* From here on nothing of what was saved for the open is left */
	ASSERT_EQ(0, ioctl(self->v.device, VFIO_DEVICE_RESET));
	self->p = region_map(&self->v, self->hdm, 0, 2 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->p);
	*self->p = 0xe44;
	read_bars(self->bars);
	self->over = recoveries();
}

FIXTURE_TEARDOWN(error)
{
	system("echo N > " HOLD "; echo N > " HOLD_RESET);
	munmap((void *)self->p, 2 * MIB);
	vfio_close(&self->v);
}

/* Have an error happen, and recovery stop half way: false if it does not get there */
static bool begin_error(unsigned int status)
{
	char line[80];

	snprintf(line, sizeof(line), "echo Y > " HOLD "; aer_inject $DEVICE %#x", status);
	if (system(line))
		return false;
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (!system("grep -q Y " HELD))
			return true;
		usleep(10000);
	}
	return false;
}

/* Let recovery come to its end, the @n-th: false if it does not */
static bool end_error(unsigned int n)
{
	system("echo N > " HOLD);
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (recoveries() >= n)
			return true;
		usleep(10000);
	}
	return false;
}

static void write16(struct vfio *v, uint16_t at, uint16_t val)
{
	region_write(v, CONFIG, at, &val, 2);
}

static int is_open(volatile uint32_t *p)
{
	return lab_gate_is("open") || lab_mapped(p);
}

/* The device is as its user had it, and memory is where it was */
#define EXPECT_RECOVERED() do {							\
	uint32_t bars_[6];							\
										\
	EXPECT_TRUE(lab_wait_gate("open", "open"));				\
	EXPECT_FALSE(raises_sigbus(self->p, false));				\
	EXPECT_EQ(0xe44, region_read32(&self->v, self->hdm, 0));		\
	EXPECT_NE(0, lab_config16(PCI_COMMAND) & PCI_COMMAND_MEMORY);		\
	read_bars(bars_);							\
	EXPECT_EQ(0, memcmp(bars_, self->bars, sizeof(bars_)));			\
} while (0)

TEST_F(error, nothing_opens_the_gate_before_the_link_is_reset)
{
	int open = 0;

	ASSERT_TRUE(begin_error(variant->status));
	EXPECT_FALSE(is_open(self->p));
	for (unsigned int i = 0; i < 20; i++) {
		set_command(&self->v, 0, PCI_COMMAND_MEMORY);
		set_command(&self->v, PCI_COMMAND_MEMORY, 0);
		open += is_open(self->p);
		write16(&self->v, PMCSR, 0);
		write16(&self->v, DEVCTL, i % 2 ? 0x2810 : 0x3810);
		set_command(&self->v, i % 2 ? PCI_COMMAND_INTX_DISABLE : 0,
			    i % 2 ? 0 : PCI_COMMAND_INTX_DISABLE);
		open += is_open(self->p);
	}
	EXPECT_EQ(0, open);
	EXPECT_TRUE(end_error(self->over + 1));
	EXPECT_RECOVERED();
}

TEST_F(error, users_wait_until_it_is_over)
{
	struct user user[USER_KINDS];

	for (int i = 0; i < USER_KINDS; i++) {
		user_start(&user[i], i, &self->v, self->hdm, self->p + MIB / 4);
		EXPECT_TRUE(user_goes_on(&user[i]));
	}
	ASSERT_TRUE(begin_error(variant->status));
	sleep(1);
	for (int i = 0; i < USER_KINDS; i++) {
		unsigned long done = user[i].shared->done;

		usleep(300000);
		EXPECT_EQ(done, user[i].shared->done);
	}
	EXPECT_TRUE(end_error(self->over + 1));
	for (int i = 0; i < USER_KINDS; i++)
		EXPECT_TRUE(user_goes_on(&user[i]));
	for (int i = 0; i < USER_KINDS; i++) {
		EXPECT_TRUE(user_stop(&user[i]));
		EXPECT_EQ(0, user[i].shared->refused);
		EXPECT_EQ(0, user[i].shared->wrong);
	}
	/* None of them stores where the mark is */
	EXPECT_RECOVERED();
}

TEST_F(error, bars_and_command_are_right_after_each_of_several)
{
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_TRUE(begin_error(variant->status));
		EXPECT_TRUE(end_error(self->over + i + 1));
		EXPECT_RECOVERED();
	}
}

static void sleep_and_wake(struct vfio *v)
{
	write16(v, PMCSR, 3);
	write16(v, PMCSR, 0);
}

/* What the kernel saves for a reset or a sleep, the user changes afterwards */
static void reset_without_memory(struct vfio *v)
{
	set_command(v, 0, PCI_COMMAND_MEMORY);
	ioctl(v->device, VFIO_DEVICE_RESET);
	set_command(v, PCI_COMMAND_MEMORY, 0);
}

TEST_F(error, bars_and_command_are_right_after_resets_and_sleep_before)
{
	for (unsigned int i = 0; i < 4; i++) {
		if (i % 2)
			sleep_and_wake(&self->v);
		else
			reset_without_memory(&self->v);
		*self->p = 0xe44;
		ASSERT_TRUE(begin_error(variant->status));
		EXPECT_TRUE(end_error(self->over + i + 1));
		EXPECT_RECOVERED();
	}
}

/*
 * A reset of the function by root that gets in between the reset of the link and the
 * driver's part of the recovery: the kernel saves and restores what the reset of the link
 * has left, which is no BARs.  The kernel helper's function has to come first, so that it
 * keeps the recovery waiting there.
 */
TEST_F(error, a_reset_by_root_after_that_of_the_link_loses_no_bars)
{
	uint32_t bars[6];

	ASSERT_TRUE(begin_error(variant->status));
	system("echo Y > " HOLD_RESET "; echo N > " HOLD);
	sleep(1);
	for (unsigned int i = 0; i < LAB_PATIENCE && system("grep -q Y " HELD); i++)
		usleep(10000);
	read_bars(bars);
	/* Not every kernel resets the link after a non-fatal error */
	if (variant->status == PCI_ERR_UNC_DLP)
		EXPECT_NE(0, memcmp(bars, self->bars, sizeof(bars)));
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_EQ(0, system("echo 1 > /sys/bus/pci/devices/$DEVICE/reset"));
	system("echo N > " HOLD_RESET);
	EXPECT_TRUE(end_error(self->over + 1));
	EXPECT_RECOVERED();
}

TEST_HARNESS_MAIN
