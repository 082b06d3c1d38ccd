// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way to reset the device or to take its power.  The scenario decides whether the
 * device keeps its decoders or loses them; the user must find the same memory and
 * registers either way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
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
#include "vfio.h"

#define MARK		0x0c01dbee
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define LOCK		CXL_VFIO_HDM_CTRL_LOCK
#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED

FIXTURE(reset) {
	struct vfio v;
	uint32_t hdm;
	uint32_t comp;
	uint32_t decoder;	/* decoder 0 of the software device, in COMP_REGS */
	uint16_t dvsec;
	volatile uint32_t *p;
};

static int reset_device(struct vfio *v)
{
	return ioctl(v->device, VFIO_DEVICE_RESET) ? -errno : 0;
}

FIXTURE_SETUP(reset)
{
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	self->hdm = vfio_cxl_cap(&self->v)->hdm_region_idx;
	self->comp = vfio_cxl_cap(&self->v)->comp_reg_region_idx;
	self->decoder = 0x1210;
	self->dvsec = find_dvsec(&self->v, CXL_VFIO_DVSEC_ID_DEVICE);
	ASSERT_NE(0, self->dvsec);
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->p = region_map(&self->v, self->hdm, 0, 16 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->p);
	*self->p = MARK;
}

FIXTURE_TEARDOWN(reset)
{
	munmap((void *)self->p, 16 * PAGE);
	vfio_close(&self->v);
}

static uint32_t ctrl_of(struct vfio *v, uint32_t comp, uint32_t decoder)
{
	return region_read32(v, comp, decoder + CXL_VFIO_HDM_CTRL) & (LOCK | COMMIT | COMMITTED);
}

/* Memory can be touched and has its contents, and decoder 0 is committed */
#define EXPECT_WHOLE() do {							\
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);				\
	EXPECT_FALSE(raises_sigbus(self->p, false));				\
	EXPECT_EQ(MARK, region_read32(&self->v, self->hdm, 0));			\
	EXPECT_EQ(COMMIT | COMMITTED, ctrl_of(&self->v, self->comp, self->decoder)); \
} while (0)

/* The user cannot reach memory through a mapping, read or write */
#define EXPECT_CLOSED() do {							\
	uint32_t val_;								\
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);				\
	EXPECT_TRUE(raises_sigbus(self->p, false));				\
	EXPECT_EQ(-EIO, region_read(&self->v, self->hdm, 0, &val_, 4));		\
	EXPECT_EQ(-EIO, region_write(&self->v, self->hdm, 0, &val_, 4));	\
} while (0)

static void configure(const char *options)
{
	char line[256];

	snprintf(line, sizeof(line), "t2ctl $DEVICE %s", options);
	if (system(line))
		fprintf(stderr, "# %s failed\n", line);
}

static void write16(struct vfio *v, uint16_t at, uint16_t val)
{
	region_write(v, CONFIG, at, &val, 2);
}

static uint16_t read16(struct vfio *v, uint16_t at)
{
	uint16_t val = 0;

	region_read(v, CONFIG, at, &val, 2);
	return val;
}

static void guest_flr(struct vfio *v)
{
	/* The software device has its PCI Express capability at 0x50 */
	const uint16_t devctl = 0x50 + PCI_EXP_DEVCTL;

	write16(v, devctl, read16(v, devctl) | PCI_EXP_DEVCTL_BCR_FLR);
}

static uint16_t guest_cxl_reset(struct vfio *v, uint16_t dvsec, uint16_t more)
{
	write16(v, dvsec + CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_INIT_RST | more);
	return read16(v, dvsec + CXL_VFIO_DVSEC_STATUS2) & 6;
}

static int hot_reset(struct vfio *v)
{
	struct {
		struct vfio_pci_hot_reset req;
		int32_t fd;
	} arg = { .req.argsz = sizeof(arg), .req.count = 1, .fd = v->group };

	return ioctl(v->device, VFIO_DEVICE_PCI_HOT_RESET, &arg) ? -errno : 0;
}

TEST_F(reset, memory_survives_vfio_device_reset)
{
	ASSERT_EQ(0, reset_device(&self->v));
	EXPECT_WHOLE();
}

/* As QEMU does at start: models must not be made from registers that are not decoded */
TEST_F(reset, models_survive_vfio_device_reset_while_memory_space_is_off)
{
	uint32_t array = region_read32(&self->v, self->comp, CXL_VFIO_CM_OFFSET);

	EXPECT_NE(0, array);
	set_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, reset_device(&self->v));
	EXPECT_EQ(array, region_read32(&self->v, self->comp, CXL_VFIO_CM_OFFSET));
	EXPECT_WHOLE();
	EXPECT_EQ(array, region_read32(&self->v, self->comp, CXL_VFIO_CM_OFFSET));
}

TEST_F(reset, memory_survives_vfio_device_pci_hot_reset)
{
	ASSERT_EQ(0, hot_reset(&self->v));
	EXPECT_WHOLE();
}

TEST_F(reset, memory_survives_flr_by_a_guest)
{
	guest_flr(&self->v);
	EXPECT_WHOLE();
}

TEST_F(reset, memory_survives_a_reset_through_sysfs)
{
	ASSERT_EQ(0, system("echo 1 > /sys/bus/pci/devices/$DEVICE/reset"));
	usleep(500000);
	EXPECT_WHOLE();
}

TEST_F(reset, memory_survives_cxl_reset_by_a_guest)
{
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE,
		  guest_cxl_reset(&self->v, self->dvsec, 0));
	EXPECT_EQ(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_CTRL2) & 6);
	EXPECT_WHOLE();
}

TEST_F(reset, cxl_reset_by_a_guest_clears_memory_if_asked)
{
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE,
		  guest_cxl_reset(&self->v, self->dvsec, CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN));
	EXPECT_EQ(0, *self->p);
	EXPECT_EQ(0, region_read32(&self->v, self->hdm, 0));
}

TEST_F(reset, cache_write_back_by_a_guest_completes)
{
	const uint16_t ctrl2 = self->dvsec + CXL_VFIO_DVSEC_CTRL2;

	/* Cache Invalid is defined while caching is disabled, CXL r4.0 9.6 */
	write16(&self->v, ctrl2,
		CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING | CXL_VFIO_DVSEC_CTRL2_INIT_WBI);
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID,
		  read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_STATUS2) & 7);
	EXPECT_EQ(0, read16(&self->v, ctrl2) & 6);
	write16(&self->v, ctrl2, 0);
	EXPECT_EQ(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_STATUS2) & 7);
	EXPECT_WHOLE();
}

TEST_F(reset, memory_is_closed_in_d3hot_and_open_after)
{
	const uint16_t pmcsr = 0x40 + PCI_PM_CTRL;

	write16(&self->v, pmcsr, 3);
	EXPECT_TRUE(raises_sigbus(self->p, false));
	write16(&self->v, pmcsr, 0);
	usleep(20000);
	EXPECT_WHOLE();
}

/* Of the guest's view, whether the hardware loses its own decoders or not */
TEST_F(reset, locks_outlive_flr_and_cxl_reset_only)
{
	uint32_t at = self->decoder + CXL_VFIO_HDM_CTRL;

	region_write32(&self->v, self->comp, at, 0);
	region_write32(&self->v, self->comp, self->decoder + 4, 0x77);
	region_write32(&self->v, self->comp, at, COMMIT | LOCK);
	write16(&self->v, self->dvsec + CXL_VFIO_DVSEC_LOCK, 1);
	ASSERT_EQ(COMMIT | COMMITTED | LOCK, ctrl_of(&self->v, self->comp, self->decoder));

	guest_flr(&self->v);
	EXPECT_EQ(COMMIT | COMMITTED | LOCK, ctrl_of(&self->v, self->comp, self->decoder));
	EXPECT_EQ(0x77, region_read32(&self->v, self->comp, self->decoder + 4));
	EXPECT_EQ(1, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_LOCK));
	guest_cxl_reset(&self->v, self->dvsec, 0);
	EXPECT_EQ(COMMIT | COMMITTED | LOCK, ctrl_of(&self->v, self->comp, self->decoder));
	EXPECT_EQ(1, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_LOCK));

	ASSERT_EQ(0, hot_reset(&self->v));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(COMMIT | COMMITTED, ctrl_of(&self->v, self->comp, self->decoder));
	EXPECT_EQ(0, region_read32(&self->v, self->comp, self->decoder + 4));
	EXPECT_EQ(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_LOCK));
}

/* All ones are no values of registers: what the guest saw last stays */
TEST_F(reset, reads_of_all_ones_are_not_shown)
{
	uint16_t low = self->dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0);
	const uint16_t bits = CXL_VFIO_DVSEC_RANGE_INFO_VALID | CXL_VFIO_DVSEC_RANGE_ACTIVE;

	configure("--misbehave=not-active,reset-gone");
	EXPECT_EQ(CXL_VFIO_DVSEC_RANGE_INFO_VALID, read16(&self->v, low) & bits);
	EXPECT_EQ(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_STATUS2) &
		  CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID);
	guest_flr(&self->v);
	EXPECT_EQ(0, read16(&self->v, low) & CXL_VFIO_DVSEC_RANGE_ACTIVE);
	EXPECT_EQ(0, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_STATUS2) &
		  CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID);
	configure("restore");
	EXPECT_EQ(0, reset_device(&self->v));
	EXPECT_WHOLE();
}

/* The kernel resets the link above the device and calls the driver's error handlers */
TEST_F(reset, memory_survives_a_fatal_error_on_the_link)
{
	if (system("modprobe -q aer_inject"))
		SKIP(return, "this kernel has no aer_inject");
	ASSERT_EQ(0, system("aer_inject $DEVICE 0x10"));
	for (unsigned int i = 0; i < 6000; i++) {
		usleep(100000);
		if (!system("grep -q ^error /sys/bus/pci/devices/$DEVICE/cxl_vfio/last_reset"))
			break;
	}
	EXPECT_EQ(0, system("grep -q ^error /sys/bus/pci/devices/$DEVICE/cxl_vfio/last_reset"));
	sleep(1);
	EXPECT_WHOLE();
}

/* VFIO_DEVICE_FEATURE_SET of a low power feature; @eventfd is for entry with wakeup */
static int low_power(struct vfio *v, uint32_t feature, int eventfd)
{
	struct {
		struct vfio_device_feature f;
		struct vfio_device_low_power_entry_with_wakeup wakeup;
	} arg = {
		.f.argsz = sizeof(arg.f),
		.f.flags = VFIO_DEVICE_FEATURE_SET | feature,
		.wakeup.wakeup_eventfd = eventfd,
	};

	if (eventfd >= 0)
		arg.f.argsz = sizeof(arg);
	return ioctl(v->device, VFIO_DEVICE_FEATURE, &arg) ? -errno : 0;
}

static int wait_suspended(void)
{
	return system("timeout 600 sh -c 'until grep -q suspended "
		      "/sys/bus/pci/devices/$DEVICE/power/runtime_status; do sleep 0.1; done'");
}

TEST_F(reset, memory_is_closed_in_vfio_low_power_and_open_after)
{
	ASSERT_EQ(0, low_power(&self->v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, -1));
	EXPECT_EQ(0, wait_suspended());
	EXPECT_CLOSED();
	EXPECT_EQ(-EINVAL, low_power(&self->v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, -1));
	EXPECT_TRUE(raises_sigbus(self->p, false));
	/* Reads of the DVSEC wake the function up */
	EXPECT_EQ(0x1e98, read16(&self->v, self->dvsec + 4));
	EXPECT_NE(0xffff, read16(&self->v, self->dvsec + CXL_VFIO_DVSEC_STATUS2));
	ASSERT_EQ(0, low_power(&self->v, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, -1));
	EXPECT_WHOLE();
}

TEST_F(reset, memory_stays_closed_after_a_wakeup_until_low_power_exit)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t count = 0;

	ASSERT_EQ(0, low_power(&self->v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, fd));
	EXPECT_EQ(0, wait_suspended());
	EXPECT_TRUE(raises_sigbus(self->p, false));
	read16(&self->v, PCI_VENDOR_ID);
	EXPECT_EQ(8, read(fd, &count, 8));
	/* The function is awake, but closed until the user ends low power */
	EXPECT_TRUE(raises_sigbus(self->p, false));
	ASSERT_EQ(0, low_power(&self->v, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, -1));
	EXPECT_WHOLE();
	close(fd);
}

/* The next user finds the device awake, and its memory cleared unless it is kept */
TEST_F(reset, a_device_closed_in_low_power_wakes_up_for_the_next_user)
{
	ASSERT_EQ(0, low_power(&self->v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, -1));
	EXPECT_EQ(0, wait_suspended());
	munmap((void *)self->p, 16 * PAGE);
	vfio_close(&self->v);
	ASSERT_EQ(0, vfio_open(&self->v, input("DEVICE")));
	set_command(&self->v, PCI_COMMAND_MEMORY, 0);
	self->p = region_map(&self->v, self->hdm, 0, 16 * PAGE, PROT_READ | PROT_WRITE);
	if (input_yes("KEEP")) {
		EXPECT_EQ(MARK, *self->p);
	} else {
		EXPECT_EQ(0, *self->p);
		EXPECT_EQ(0, region_read32(&self->v, self->hdm, 0));
	}
}

/* By the port above, where the kernel offers it, else by the function */
TEST_F(reset, memory_survives_a_reset_of_the_bus)
{
	ASSERT_EQ(0, system("cd /sys/bus/pci/devices/$DEVICE; "
			    "if [ -e ../reset_subordinate ]; then echo 1 > ../reset_subordinate; "
			    "else echo bus > reset_method && echo 1 > reset && "
			    "echo default > reset_method; fi"));
	usleep(500000);
	EXPECT_WHOLE();
}

/* A hot reset of another function of the card resets this one as well */
TEST_F(reset, memory_survives_a_hot_reset_of_a_sibling)
{
	const char *sibling = getenv("SIBLING");
	struct vfio other = self->v;

	if (!sibling)
		SKIP(return, "the card has one function");
	other.device = ioctl(self->v.group, VFIO_GROUP_GET_DEVICE_FD, sibling);
	ASSERT_LE(0, other.device);
	ASSERT_EQ(0, hot_reset(&other));
	usleep(500000);
	EXPECT_WHOLE();
	close(other.device);
}

/* Up to freezing tasks: the root file system of this machine would not survive more */
TEST_F(reset, memory_survives_a_system_suspend)
{
	if (!system("grep -q region /sys/bus/pci/devices/$DEVICE/cxl_vfio/topology"))
		SKIP(return, "cxl-core does not let a system with CXL memory suspend");
	ASSERT_EQ(0, system("echo freezer > /sys/power/pm_test && echo mem > /sys/power/state"));
	usleep(300000);
	EXPECT_WHOLE();
}

TEST_F(reset, sysfs_shows_resets_and_the_last_one)
{
	char line[64] = "";
	FILE *f;

	ASSERT_EQ(0, reset_device(&self->v));
	f = popen("cat /sys/bus/pci/devices/$DEVICE/cxl_vfio/last_reset", "r");
	ASSERT_NE(NULL, fgets(line, sizeof(line), f));
	pclose(f);
	EXPECT_EQ(0, strncmp(line, "function 0 ", 11)) TH_LOG("last_reset: %s", line);
	EXPECT_EQ(0, system("grep -q open /sys/bus/pci/devices/$DEVICE/cxl_vfio/gate"));
	EXPECT_EQ(0, system("[ $(cat /sys/bus/pci/devices/$DEVICE/cxl_vfio/resets) -ge 2 ]"));
}

/* Devices that fail a reset: memory stays closed until a later reset succeeds */
static const struct failure {
	const char *options;
	int guest_cxl;		/* a guest's CXL reset fails, else VFIO_DEVICE_RESET */
} failures[] = {
	{ "--lose=flr,cxl --misbehave=commit-stuck", 0 },
	{ "--lose=flr,cxl --misbehave=commit-error", 0 },
	{ "--misbehave=reset-resizes", 0 },
	{ "--misbehave=reset-inactive", 0 },
	{ "--misbehave=reset-gone", 0 },
	{ "--misbehave=reset-hangs", 1 },
	{ "--misbehave=reset-error", 1 },
};

TEST_F(reset, failed_devices_stay_closed_until_a_reset_succeeds)
{
	for (unsigned int i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		configure(failures[i].options);
		if (failures[i].guest_cxl) {
			EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_ERROR,
				  guest_cxl_reset(&self->v, self->dvsec, 0));
		} else {
			EXPECT_EQ(-EIO, reset_device(&self->v)) TH_LOG("%s", failures[i].options);
		}
		EXPECT_CLOSED();
		EXPECT_EQ(0, ctrl_of(&self->v, self->comp, self->decoder)) {
			TH_LOG("%s", failures[i].options);
		}
		configure("restore");
		EXPECT_EQ(0, reset_device(&self->v)) TH_LOG("%s", failures[i].options);
		EXPECT_WHOLE();
	}
}

static bool is_in_reset(void)
{
	char path[128], holds[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/cxl_vfio/holds", input("DEVICE"));
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(holds, sizeof(holds), f))
		holds[0] = 0;
	fclose(f);
	for (char *word = strtok(holds, "\n "); word; word = strtok(NULL, "\n "))
		if (!strcmp(word, "reset"))
			return true;
	return false;
}

/* A reset that takes long keeps no other CPU of the guest from config space */
TEST_F(reset, config_space_is_read_during_a_cxl_reset)
{
	atomic_uint *reads = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				  -1, 0);
	pid_t reader;

	ASSERT_NE(MAP_FAILED, reads);
	reader = fork();
	if (!reader) {
		for (;;) {
			bool in_reset = is_in_reset();

			read16(&self->v, PCI_STATUS);
			if (in_reset && is_in_reset())
				atomic_fetch_add(reads, 1);
		}
	}
	configure("--misbehave=reset-hangs");
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_ERROR, guest_cxl_reset(&self->v, self->dvsec, 0));
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	EXPECT_LE(3, atomic_load(reads));
	configure("restore");
	EXPECT_EQ(0, reset_device(&self->v));
	munmap(reads, PAGE);
}

TEST_F(reset, reset_waits_for_slow_memory)
{
	configure("--lose=flr,cxl --misbehave=reset-slow");
	ASSERT_EQ(0, reset_device(&self->v));
	EXPECT_WHOLE();
	configure("restore");
}

TEST_HARNESS_MAIN
