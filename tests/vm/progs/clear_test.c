// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of HDM memory between users, at the ends of the range and in its middle.
 * HPA is the range's address; LARGE is set where clearing takes a while.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "../modules/t2lab.h"
#include "lab.h"

#define MARK	0x0ddba11

FIXTURE(clear) {
	struct vfio v;
	uint32_t hdm;
	uint64_t size;
	uint64_t hpa;
	uint32_t expected;
};

static void open_device(struct __test_metadata *_metadata, struct vfio *v)
{
	ASSERT_EQ(0, vfio_open(v, input("DEVICE")));
	set_command(v, PCI_COMMAND_MEMORY, 0);
}

FIXTURE_SETUP(clear)
{
	struct vfio_region_info *info;

	open_device(_metadata, &self->v);
	self->hdm = vfio_cxl_region(&self->v, CXL_VFIO_REGION_SUBTYPE_HDM, 0);
	ASSERT_NE(0, self->hdm);
	info = vfio_region(&self->v, self->hdm);
	ASSERT_NE(NULL, info);
	self->size = info->size;
	free(info);
	self->hpa = getenv("HPA") ? strtoull(getenv("HPA"), NULL, 0) : 0;
	self->expected = input_yes("KEEP") ? MARK : 0;
}

FIXTURE_TEARDOWN(clear)
{
	vfio_close(&self->v);
}

#define PLACES	5

static uint64_t place(uint64_t size, unsigned int i)
{
	const uint64_t at[] = { 0, 0x12340, size / 2, size - 0x200000, size - 4 };

	return at[i];
}

static void reopen(struct __test_metadata *_metadata, struct vfio *v)
{
	vfio_close(v);
	open_device(_metadata, v);
}

TEST_F(clear, writes_are_cleared_unless_kept)
{
	for (unsigned int i = 0; i < PLACES; i++)
		region_write32(&self->v, self->hdm, place(self->size, i), MARK);
	reopen(_metadata, &self->v);
	for (unsigned int i = 0; i < PLACES; i++)
		EXPECT_EQ(self->expected,
			  region_read32(&self->v, self->hdm, place(self->size, i)));
}

TEST_F(clear, stores_through_a_mapping_are_cleared_unless_kept)
{
	uint8_t *p = region_map(&self->v, self->hdm, 0, self->size, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, p);
	for (unsigned int i = 0; i < PLACES; i++)
		*(uint32_t *)(p + place(self->size, i)) = MARK;
	munmap(p, self->size);
	reopen(_metadata, &self->v);
	for (unsigned int i = 0; i < PLACES; i++)
		EXPECT_EQ(self->expected,
			  region_read32(&self->v, self->hdm, place(self->size, i)));
}

/* The device itself stores, so that the host never sees the bytes */
TEST_F(clear, stores_by_the_device_are_cleared_unless_kept)
{
	struct accel_op op = {
		T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, .dst = 0x5000, .len = 64, .pattern = MARK,
	};

	ASSERT_EQ(0, accel_run(&self->v, &op, NULL));
	reopen(_metadata, &self->v);
	EXPECT_EQ(self->expected, region_read32(&self->v, self->hdm, 0x5000));
}

/* Lost decoders keep the driver from clearing the memory at close */
TEST_F(clear, memory_not_cleared_at_close_is_cleared_at_open_unless_kept)
{
	region_write32(&self->v, self->hdm, 0x6000, MARK);
	ASSERT_EQ(0, system("t2ctl $DEVICE --decoder=0,committed=0 --misbehave=commit-stuck"));
	vfio_close(&self->v);
	ASSERT_EQ(0, system("t2ctl $DEVICE restore"));
	open_device(_metadata, &self->v);
	EXPECT_EQ(self->expected, region_read32(&self->v, self->hdm, 0x6000));
}

static void mark(struct vfio *v, uint32_t hdm, uint64_t size)
{
	for (unsigned int i = 0; i < PLACES; i++)
		region_write32(v, hdm, place(size, i), MARK);
}

/* Wait until sysfs says that no byte is left to clear */
static bool all_cleared(void)
{
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (!*lab_sysfs("clearing"))
			return false;
		if (!strcmp(lab_sysfs("clearing"), "0"))
			return true;
		usleep(10000);
	}
	return false;
}

/* Without a user to wait for it, and with none to see it: as physical memory shows */
TEST_F(clear, it_is_cleared_after_close_while_nobody_has_it)
{
	mark(&self->v, self->hdm, self->size);
	for (unsigned int i = 0; i < PLACES; i++)
		ASSERT_EQ(MARK, lab_peek(self->hpa + place(self->size, i)));
	vfio_close(&self->v);
	EXPECT_TRUE(all_cleared());
	for (unsigned int i = 0; i < PLACES; i++)
		EXPECT_EQ(self->expected, lab_peek(self->hpa + place(self->size, i)));
	open_device(_metadata, &self->v);
	EXPECT_STREQ("0", lab_sysfs("clearing"));
}

TEST_F(clear, close_leaves_it_to_others_and_open_waits_for_them)
{
	if (!getenv("LARGE") || *getenv("KEEP") == 'Y')
		SKIP(return, "nothing here that takes a while");
	mark(&self->v, self->hdm, self->size);
	vfio_close(&self->v);
	EXPECT_LT(0, lab_number("clearing"));
	open_device(_metadata, &self->v);
	EXPECT_STREQ("0", lab_sysfs("clearing"));
	for (unsigned int i = 0; i < PLACES; i++)
		EXPECT_EQ(0, region_read32(&self->v, self->hdm, place(self->size, i)));
}

/* Killed while it waits; the next one still finds the memory cleared */
TEST_F(clear, an_open_that_waits_can_be_killed)
{
	struct vfio v;
	int status;
	pid_t pid;

	if (!getenv("LARGE") || *getenv("KEEP") == 'Y')
		SKIP(return, "nothing here that takes a while");
	mark(&self->v, self->hdm, self->size);
	vfio_close(&self->v);
	pid = fork();
	if (!pid)
		_exit(vfio_open(&v, getenv("DEVICE")) ? 1 : 0);
	usleep(300000);
	kill(pid, SIGKILL);
	EXPECT_TRUE(lab_wait_child(pid, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT(0, lab_number("clearing"));
	open_device(_metadata, &self->v);
	for (unsigned int i = 0; i < PLACES; i++)
		EXPECT_EQ(0, region_read32(&self->v, self->hdm, place(self->size, i)));
}

/* Keep everybody from resetting the function: the process that does it */
static pid_t lock_function(void)
{
	unsigned int bus, dev, fn;
	uint32_t address;
	pid_t pid;

	if (sscanf(getenv("DEVICE"), "%*x:%x:%x.%x", &bus, &dev, &fn) != 3)
		return -1;
	address = bus << 8 | dev << 3 | fn;
	pid = fork();
	if (!pid) {
		/* The VFIO device is closed when the test closes it */
		close_range(3, ~0U, 0);
		_exit(ioctl(open("/dev/t2lab", O_RDWR), T2LAB_LOCK, &address) ? 1 : 0);
	}
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (!system("grep -q Y /sys/module/t2lab/parameters/locked"))
			return pid;
		usleep(10000);
	}
	return pid;
}

/*
 * The function could not be reset at close, so the device may have gone on storing.
 * Here the kernel helper plays that device.
 */
TEST_F(clear, what_a_device_stores_that_was_not_reset_at_close_is_gone)
{
	pid_t pid = lock_function();
	int status;

	ASSERT_LT(0, pid);
	mark(&self->v, self->hdm, self->size);
	vfio_close(&self->v);
	kill(pid, SIGKILL);
	ASSERT_TRUE(lab_wait_child(pid, &status));
	for (unsigned int i = 0; i < 300 && strcmp(lab_sysfs("clearing"), "0"); i++)
		usleep(10000);
	lab_poke(self->hpa + place(self->size, 2), MARK);
	open_device(_metadata, &self->v);
	EXPECT_EQ(self->expected, region_read32(&self->v, self->hdm, place(self->size, 2)));
}

TEST_HARNESS_MAIN
