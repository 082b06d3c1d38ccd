// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate as users meet it.  A user who touches memory while the device comes back from
 * a reset waits, can be killed meanwhile, and goes on; a user who turned memory off
 * itself is refused.  A buffer inside device memory harms nobody.  A write to config
 * space that cannot change whether memory may be touched leaves mappings alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "lab.h"

#define MIB	(1024ul * 1024)
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define ROUNDS	5

/* Where the software device has them */
#define DEVCTL	(0x50 + PCI_EXP_DEVCTL)
#define PMCSR	(0x40 + PCI_PM_CTRL)
#define HDM	0x11200		/* in BAR 0 of 256 KiB */

static uint32_t config_get(struct vfio *v, uint16_t at, size_t n)
{
	uint32_t val = 0;

	region_read(v, CONFIG, at, &val, n);
	return val;
}

static ssize_t config_put(struct vfio *v, uint16_t at, uint32_t val, size_t n)
{
	return region_write(v, CONFIG, at, &val, n);
}

/* Ways to reset the device or to have it come back: 0 if it worked */
static int by_flr(struct vfio *v)
{
	uint16_t ctl = config_get(v, DEVCTL, 2) | PCI_EXP_DEVCTL_BCR_FLR;

	return config_put(v, DEVCTL, ctl, 2) == 2 ? 0 : -EIO;
}

static int by_cxl_reset(struct vfio *v)
{
	uint16_t dvsec = find_dvsec(v, CXL_VFIO_DVSEC_ID_DEVICE);

	config_put(v, dvsec + CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_INIT_RST, 2);
	return config_get(v, dvsec + CXL_VFIO_DVSEC_STATUS2, 2) &
	       CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE ? 0 : -EIO;
}

static int by_ioctl(struct vfio *v)
{
	return ioctl(v->device, VFIO_DEVICE_RESET) ? -errno : 0;
}

static int by_hot_reset(struct vfio *v)
{
	struct {
		struct vfio_pci_hot_reset req;
		int32_t fd;
	} arg = { .req.argsz = sizeof(arg), .req.count = 1, .fd = v->group };

	/* vfio-pci-core does not wait for accesses under way, as it may lock several devices */
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (!ioctl(v->device, VFIO_DEVICE_PCI_HOT_RESET, &arg))
			return 0;
		if (errno != EBUSY)
			return -errno;
		usleep(10000);
	}
	return -EBUSY;
}

static int by_sysfs(struct vfio *v)
{
	return system("echo 1 > /sys/bus/pci/devices/$DEVICE/reset");
}

static int by_writing_command(struct vfio *v)
{
	uint16_t command = config_get(v, PCI_COMMAND, 2) ^ PCI_COMMAND_INTX_DISABLE;

	return config_put(v, PCI_COMMAND, command, 2) == 2 ? 0 : -EIO;
}

static int by_writing_pmcsr(struct vfio *v)
{
	return config_put(v, PMCSR, 0, 2) == 2 ? 0 : -EIO;
}

FIXTURE(gate) {
	struct vfio v;
	uint32_t hdm;
	volatile uint32_t *p;
};

FIXTURE_SETUP(gate)
{
	ASSERT_EQ(0, vfio_open(&self->v, getenv("DEVICE")));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->p = region_map(&self->v, self->hdm, 0, 4 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_FALSE(raises_sigbus(self->p, true));
}

FIXTURE_TEARDOWN(gate)
{
	munmap((void *)self->p, 4 * MIB);
	vfio_close(&self->v);
}

FIXTURE(wait) {
	struct vfio v;
	uint32_t hdm;
	volatile uint32_t *p;
};

FIXTURE_VARIANT(wait) {
	int (*reset)(struct vfio *v);
};

FIXTURE_VARIANT_ADD(wait, by_flr) { .reset = by_flr };
FIXTURE_VARIANT_ADD(wait, by_cxl_reset) { .reset = by_cxl_reset };
FIXTURE_VARIANT_ADD(wait, by_ioctl) { .reset = by_ioctl };
FIXTURE_VARIANT_ADD(wait, by_hot_reset) { .reset = by_hot_reset };
FIXTURE_VARIANT_ADD(wait, by_sysfs) { .reset = by_sysfs };
FIXTURE_VARIANT_ADD(wait, by_writing_command) { .reset = by_writing_command };
FIXTURE_VARIANT_ADD(wait, by_writing_pmcsr) { .reset = by_writing_pmcsr };

FIXTURE_SETUP(wait)
{
	ASSERT_EQ(0, vfio_open(&self->v, getenv("DEVICE")));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->p = region_map(&self->v, self->hdm, 0, 4 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->p);
	/* What takes longest to come back */
	lab_configure("--lose=flr,cxl,bus,d3");
}

FIXTURE_TEARDOWN(wait)
{
	munmap((void *)self->p, 4 * MIB);
	vfio_close(&self->v);
	lab_configure("restore");
}

/* Users of all kinds at once, none of which is to notice more than a pause */
TEST_F(wait, users_wait_and_go_on)
{
	struct user user[USER_KINDS];

	for (int i = 0; i < USER_KINDS; i++)
		user_start(&user[i], i, &self->v, self->hdm, self->p);
	for (int i = 0; i < USER_KINDS; i++)
		EXPECT_TRUE(user_goes_on(&user[i]));
	for (int round = 0; round < ROUNDS; round++) {
		EXPECT_EQ(0, variant->reset(&self->v));
		for (int i = 0; i < USER_KINDS; i++)
			EXPECT_TRUE(user_goes_on(&user[i]));
	}
	for (int i = 0; i < USER_KINDS; i++) {
		EXPECT_TRUE(user_stop(&user[i]));
		EXPECT_EQ(0, user[i].shared->refused) {
			TH_LOG("%s", i == USER_STORES ? "through a mapping" :
			       i == USER_READS ? "by read()" : "by write()");
		}
		EXPECT_EQ(0, user[i].shared->wrong);
	}
}

/* The IOMMU's mapping of device memory follows page faults in the kernel */
TEST_F(wait, type1_maps_memory_meanwhile)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = 0x20000000, .size = 64 * PAGE,
	};
	int failed = 0, status;
	pid_t pid = fork();

	if (!pid) {
		for (int round = 0; round < ROUNDS; round++)
			variant->reset(&self->v);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (dma_map(&self->v, (void *)self->p, unmap.iova, unmap.size))
			failed++;
		else
			ASSERT_EQ(0, ioctl(self->v.container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	}
	EXPECT_EQ(0, failed);
}

/* Memory that takes long to become active again; another process waits in the reset */
static pid_t reset_that_takes_long(struct vfio *v)
{
	pid_t pid;

	lab_configure("--misbehave=reset-inactive --active-timeout=4");
	pid = fork();
	if (!pid) {
		by_flr(v);
		_exit(0);
	}
	return pid;
}

TEST_F(gate, a_waiter_can_be_killed_and_another_goes_on)
{
	struct user user[2 * USER_KINDS];
	pid_t resetter;
	int status;

	for (int i = 0; i < 2 * USER_KINDS; i++) {
		user_start(&user[i], i % USER_KINDS, &self->v, self->hdm, self->p);
		EXPECT_TRUE(user_goes_on(&user[i]));
	}
	resetter = reset_that_takes_long(&self->v);
	EXPECT_TRUE(lab_wait_gate("busy", "closed"));
	sleep(1);
	EXPECT_TRUE(lab_gate_is("busy"));
	for (int i = 0; i < USER_KINDS; i++) {
		kill(user[i].pid, SIGKILL);
		EXPECT_TRUE(lab_wait_child(user[i].pid, &status));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	/* They ended while they had to wait, not because that was over */
	EXPECT_TRUE(lab_gate_is("busy"));

	lab_configure("--misbehave=none");
	EXPECT_TRUE(lab_wait_child(resetter, &status));
	EXPECT_TRUE(lab_wait_gate("open", "open"));
	for (int i = USER_KINDS; i < 2 * USER_KINDS; i++)
		EXPECT_TRUE(user_goes_on(&user[i]));
	for (int i = USER_KINDS; i < 2 * USER_KINDS; i++)
		EXPECT_TRUE(user_stop(&user[i]));
	for (int i = 0; i < 2 * USER_KINDS; i++)
		EXPECT_EQ(0, user[i].shared->refused);
	lab_configure("restore");
}

TEST_F(gate, users_wait_through_system_suspend)
{
	struct user user[USER_KINDS];

	if (!system("grep -q region /sys/bus/pci/devices/$DEVICE/cxl_vfio/topology"))
		SKIP(return, "cxl-core keeps a system with CXL memory from sleeping");
	for (int i = 0; i < USER_KINDS; i++) {
		user_start(&user[i], i, &self->v, self->hdm, self->p);
		EXPECT_TRUE(user_goes_on(&user[i]));
	}
	EXPECT_EQ(0, system("echo freezer > /sys/power/pm_test && echo mem > /sys/power/state"));
	for (int i = 0; i < USER_KINDS; i++)
		EXPECT_TRUE(user_goes_on(&user[i]));
	for (int i = 0; i < USER_KINDS; i++) {
		EXPECT_TRUE(user_stop(&user[i]));
		EXPECT_EQ(0, user[i].shared->refused);
	}
	system("echo none > /sys/power/pm_test");
}

/* Refused, not kept waiting: nobody else would turn it on again */
TEST_F(gate, memory_that_its_user_turned_off_is_refused)
{
	uint32_t val;

	EXPECT_STREQ("open", lab_sysfs("gate"));
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(raises_sigbus(self->p, false));
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, 0, &val, 4));
	EXPECT_STREQ("closed", lab_sysfs("gate"));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
	config_put(&self->v, PMCSR, 3, 2);
	EXPECT_TRUE(raises_sigbus(self->p, true));
	EXPECT_EQ(-EIO, region_write(&self->v, self->hdm, 0, &val, 4));
	EXPECT_STREQ("closed", lab_sysfs("gate"));
	config_put(&self->v, PMCSR, 0, 2);
	EXPECT_TRUE(lab_wait_gate("open", "open"));
	EXPECT_FALSE(raises_sigbus(self->p, true));
}

/* As the hardware has them, whatever firmware left */
TEST_F(gate, enables_are_on_while_memory_can_be_touched)
{
	uint16_t dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);

	EXPECT_FALSE(raises_sigbus(self->p, false));
	EXPECT_NE(0, lab_config16(dvsec + CXL_VFIO_DVSEC_CTRL) & CXL_VFIO_DVSEC_CTRL_MEM_ENABLE);
	EXPECT_EQ(2, lab_register(HDM + CXL_VFIO_HDM_GLOBAL_CTRL) & 2);
}

TEST_F(gate, sysfs_names_what_holds_it)
{
	EXPECT_STREQ("none", lab_sysfs("holds"));
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_STRNE("none", lab_sysfs("holds"));
	EXPECT_STRNE("", lab_sysfs("holds"));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_TRUE(lab_wait_gate("open", "open"));
	EXPECT_STREQ("none", lab_sysfs("holds"));
}

/*
 * In a child, as it may hang: the errno of a call with an argument in device memory.
 * A child that does not even die is freed by a reset, for the tests that follow.
 */
static int in_a_child(struct __test_metadata *_metadata, int (*call)(struct vfio *, void *),
		      struct vfio *v, void *arg)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		_exit(-call(v, arg));
	if (lab_wait_child(pid, &status))
		return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
	EXPECT_TRUE(false) TH_LOG("the call does not return");
	kill(pid, SIGKILL);
	if (lab_wait_child(pid, &status))
		return -ETIMEDOUT;
	EXPECT_TRUE(false) TH_LOG("the process cannot be killed");
	system("echo 1 > /sys/bus/pci/devices/$DEVICE/reset");
	lab_wait_child(pid, &status);
	return -ETIMEDOUT;
}

static int write_command_from(struct vfio *v, void *buf)
{
	ssize_t n = region_write(v, CONFIG, PCI_COMMAND, buf, 2);

	return n < 0 ? n : 0;
}

static int write_flr_from(struct vfio *v, void *buf)
{
	ssize_t n = region_write(v, CONFIG, DEVCTL, buf, 2);

	return n < 0 ? n : 0;
}

static int low_power_from(struct vfio *v, void *buf)
{
	return ioctl(v->device, VFIO_DEVICE_FEATURE, buf) ? -errno : 0;
}

#define EXPECT_DONE_OR_FAULT(ret) do {				\
	int ret_ = (ret);					\
								\
	EXPECT_TRUE(!ret_ || ret_ == -EFAULT) TH_LOG("returns %d", ret_);	\
} while (0)

TEST_F(gate, config_write_from_device_memory_returns)
{
	*self->p = config_get(&self->v, PCI_COMMAND, 2) ^ PCI_COMMAND_INTX_DISABLE;
	EXPECT_DONE_OR_FAULT(in_a_child(_metadata, write_command_from, &self->v,
					(void *)self->p));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
}

/* The write turns off what its buffer is in */
TEST_F(gate, memory_space_turned_off_from_device_memory)
{
	*self->p = config_get(&self->v, PCI_COMMAND, 2) & ~PCI_COMMAND_MEMORY;
	EXPECT_DONE_OR_FAULT(in_a_child(_metadata, write_command_from, &self->v,
					(void *)self->p));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
}

TEST_F(gate, flr_from_device_memory_returns)
{
	*self->p = config_get(&self->v, DEVCTL, 2) | PCI_EXP_DEVCTL_BCR_FLR;
	EXPECT_DONE_OR_FAULT(in_a_child(_metadata, write_flr_from, &self->v, (void *)self->p));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
}

TEST_F(gate, config_write_from_the_component_bar_returns)
{
	volatile uint32_t *bar = region_map(&self->v, T2DEV_COMP_BAR, 0, PAGE,
					    PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, bar);
	*bar = config_get(&self->v, PCI_COMMAND, 2) & ~PCI_COMMAND_MEMORY;
	EXPECT_DONE_OR_FAULT(in_a_child(_metadata, write_command_from, &self->v, (void *)bar));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
	munmap((void *)bar, PAGE);
}

TEST_F(gate, low_power_entry_from_device_memory_returns)
{
	struct {
		struct vfio_device_feature f;
		struct vfio_device_low_power_entry_with_wakeup wakeup;
	} arg = {
		.f.argsz = sizeof(arg),
		.f.flags = VFIO_DEVICE_FEATURE_SET |
			   VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
		.wakeup.wakeup_eventfd = eventfd(0, EFD_NONBLOCK),
	};

	memcpy((void *)self->p, &arg, sizeof(arg));
	EXPECT_DONE_OR_FAULT(in_a_child(_metadata, low_power_from, &self->v, (void *)self->p));
	arg.f.argsz = sizeof(arg.f);
	arg.f.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	low_power_from(&self->v, &arg);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
	close(arg.wakeup.wakeup_eventfd);
}

/* What is mapped stays mapped, and nobody's mappings were taken away */
#define EXPECT_LEFT_ALONE(write) do {						\
	unsigned long long zaps_;						\
										\
	*self->p = 1;								\
	ASSERT_TRUE(lab_mapped(self->p));					\
	zaps_ = lab_number("zaps");						\
	EXPECT_LT(0, write);							\
	EXPECT_TRUE(lab_mapped(self->p));					\
	EXPECT_EQ(zaps_, lab_number("zaps"));					\
} while (0)

TEST_F(gate, writes_of_command_with_the_same_memory_space_leave_mappings)
{
	struct vfio *v = &self->v;
	uint16_t command = config_get(v, PCI_COMMAND, 2);

	EXPECT_LEFT_ALONE(config_put(v, PCI_COMMAND, command, 2));
	EXPECT_LEFT_ALONE(config_put(v, PCI_COMMAND, command, 1));
	EXPECT_LEFT_ALONE(config_put(v, PCI_COMMAND, command ^ PCI_COMMAND_INTX_DISABLE, 2));
	EXPECT_LEFT_ALONE(config_put(v, PCI_COMMAND, command ^ PCI_COMMAND_MASTER, 2));
	EXPECT_LEFT_ALONE(config_put(v, PCI_COMMAND, command, 4));
}

TEST_F(gate, writes_of_device_control_without_flr_leave_mappings)
{
	struct vfio *v = &self->v;
	uint16_t ctl = config_get(v, DEVCTL, 2) & ~PCI_EXP_DEVCTL_BCR_FLR;

	EXPECT_LEFT_ALONE(config_put(v, DEVCTL, ctl, 2));
	EXPECT_LEFT_ALONE(config_put(v, DEVCTL, ctl ^ 0x1000, 2));
	EXPECT_LEFT_ALONE(config_put(v, DEVCTL + 1, (ctl ^ 0x1000) >> 8, 1));
	EXPECT_LEFT_ALONE(config_put(v, DEVCTL, ctl, 4));
}

TEST_F(gate, writes_of_d0_in_d0_leave_mappings)
{
	EXPECT_LEFT_ALONE(config_put(&self->v, PMCSR, 0, 2));
	EXPECT_LEFT_ALONE(config_put(&self->v, PMCSR, 0, 1));
}

static void on_usr1(int sig)
{
}

/* Signals that end nothing, as a VMM gives them to its processors' threads */
static pid_t signals(void)
{
	struct sigaction action = { .sa_handler = on_usr1 };
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	pid = fork();
	if (pid)
		return pid;
	while (!kill(getppid(), SIGUSR1))
		usleep(1000);
	_exit(0);
}

TEST_F(gate, signals_do_not_fail_a_reset)
{
	pid_t pid;

	lab_configure("--lose=flr,cxl --misbehave=reset-slow");
	pid = signals();
	for (int round = 0; round < 3; round++) {
		EXPECT_EQ(0, by_ioctl(&self->v));
		EXPECT_EQ(0, by_cxl_reset(&self->v));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	lab_configure("restore");
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(raises_sigbus(self->p, false));
}

TEST_HARNESS_MAIN
