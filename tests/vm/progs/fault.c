// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault - let the 1st, 2nd, 3rd ... allocation or user copy of an operation fail
 *
 * usage: fault OPERATION BDF [ERRNO...]
 *
 * /proc/thread-self/fail-nth makes one allocation or copy fail; guest/fault.sh sets up in
 * debugfs which allocations and copies count.  Each time the operation has to succeed in
 * spite of the failure, to end with one of the errnos (numbers), or with a short count if
 * the errno 0 is among them.  Then the operation has to succeed when nothing fails, and
 * /proc/iomem has to be as it was.  The walk
 * ends when the operation runs through before the failure comes.  Prints what is wrong,
 * and at the end how many failures there were.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "iommufd.h"
#include "vfio.h"

#define MIB	(1024ul * 1024)
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
/* No operation has as many allocations: something repeats for ever */
#define MOST	5000
#define IOMEM	(256 * 1024)

static const char *bdf;
static int nth_fd;

static struct vfio v;
static uint32_t hdm, comp;
static uint16_t dvsec;
/* What the operation under way uses */
static int fd = -1;
static volatile uint32_t *mapping;
static char buffer[64 * 1024];
static unsigned int complaints;

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	complaints++;
}

/* The next n-th failure point of this thread fails */
static void arm(unsigned int n)
{
	char s[16];
	int len = snprintf(s, sizeof(s), "%u", n);

	/* Disarming may meet the failure point itself, once */
	if (pwrite(nth_fd, s, len, 0) != len && pwrite(nth_fd, s, len, 0) != len) {
		perror("fault: fail-nth");
		exit(2);
	}
}

/* Returns whether the failure did not come */
static bool disarm(void)
{
	char s[16] = "";

	/* A copy of this very read may be the one to fail */
	if (pread(nth_fd, s, sizeof(s) - 1, 0) < 0)
		return true;
	arm(0);
	return atoi(s) != 0;
}

static int open_attr(const char *place, const char *name)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/%s/%s", place, name);
	ret = open(path, O_WRONLY | O_CLOEXEC);
	if (ret < 0) {
		perror(path);
		exit(2);
	}
	return ret;
}

static bool is_bound(void)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/cxl_vfio_pci/%s", bdf);
	return !access(path, F_OK);
}

static int write_bdf(void)
{
	return write(fd, bdf, strlen(bdf)) < 0 ? -errno : 0;
}

static void open_bind(void)
{
	fd = open_attr("drivers/cxl_vfio_pci", "bind");
}

static void open_unbind(void)
{
	fd = open_attr("drivers/cxl_vfio_pci", "unbind");
}

static void close_fd(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

static void undo_bind(void)
{
	close_fd();
	if (!is_bound())
		return;
	open_unbind();
	write_bdf();
	close_fd();
}

static void bind_for_unbind(void)
{
	int ret;

	open_bind();
	ret = write_bdf();
	if (ret)
		complain("the device does not bind: %s", strerror(-ret));
	close_fd();
	open_unbind();
}

/* sysfs returns success whatever the driver does */
static int unbind(void)
{
	int ret = write_bdf();

	return ret ?: is_bound() ? -EBUSY : 0;
}

static int get_device(void)
{
	v.device = ioctl(v.group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return v.device < 0 ? -errno : 0;
}

static void put_device(void)
{
	if (v.device >= 0)
		close(v.device);
	v.device = -1;
}

static void get_for_close(void)
{
	if (get_device())
		complain("the device does not open");
}

static int close_device(void)
{
	int ret = close(v.device) ? -errno : 0;

	v.device = -1;
	return ret;
}

static int get_info(void)
{
	v.info.argsz = sizeof(v.info_raw);
	return ioctl(v.device, VFIO_DEVICE_GET_INFO, &v.info) ? -errno : 0;
}

static int region_info(uint32_t index)
{
	struct vfio_region_info *info = (void *)buffer;

	memset(info, 0, INFO_SIZE);
	info->argsz = INFO_SIZE;
	info->index = index;
	return ioctl(v.device, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

static int bar_info(void)
{
	return region_info(T2DEV_COMP_BAR);
}

static int hdm_info(void)
{
	return region_info(hdm);
}

static int map(void)
{
	void *p = region_map(&v, hdm, 0, 64 * MIB, PROT_READ | PROT_WRITE);

	if (p == MAP_FAILED)
		return -errno;
	mapping = p;
	return 0;
}

static void undo_map(void)
{
	if (mapping)
		munmap((void *)mapping, 64 * MIB);
	mapping = NULL;
}

static void map_for_touch(void)
{
	if (map())
		complain("the memory does not map");
}

static sigjmp_buf sigbus_env;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(sigbus_env, 1);
}

/* No system call but the fault itself; the kernel repeats a fault that lacked memory */
static int touch(void)
{
	if (sigsetjmp(sigbus_env, 0))
		return -EIO;
	mapping[0] = 1;
	mapping[3 * MIB / 4] = 1;
	return 0;
}

static int export(uint32_t region, uint64_t len)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf req;
		struct vfio_region_dma_range range[2];
	} arg = {
		.feature.argsz = sizeof(arg),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.req = { .region_index = region, .open_flags = O_CLOEXEC | O_RDWR, .nr_ranges = 2 },
		.range = { { 0, len }, { 2 * len, len } },
	};

	fd = ioctl(v.device, VFIO_DEVICE_FEATURE, &arg);
	return fd < 0 ? -errno : 0;
}

static int export_hdm(void)
{
	return export(hdm, MIB);
}

/* The component BAR begins with pages that are not the component block */
static int export_bar(void)
{
	return export(T2DEV_COMP_BAR, PAGE);
}

static int reset(void)
{
	return ioctl(v.device, VFIO_DEVICE_RESET) ? -errno : 0;
}

/* The guest's way: a write to the DVSEC's CONTROL2 */
static int cxl_reset(void)
{
	uint16_t val = CXL_VFIO_DVSEC_CTRL2_INIT_RST;
	ssize_t n = region_write(&v, CONFIG, dvsec + CXL_VFIO_DVSEC_CTRL2, &val, sizeof(val));

	return n < 0 ? n : n != sizeof(val) ? -EIO : 0;
}

static void finish_cxl_reset(void)
{
	uint16_t status = 0;

	region_read(&v, CONFIG, dvsec + CXL_VFIO_DVSEC_STATUS2, &status, sizeof(status));
	if (!(status & CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE))
		complain("STATUS2 is %#x after a CXL reset", status);
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	if (region_read(&v, hdm, 0, buffer, PAGE) != (ssize_t)PAGE)
		complain("memory cannot be read after a CXL reset");
}

static void finish_reset(void)
{
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	if (region_read(&v, hdm, 0, buffer, PAGE) != (ssize_t)PAGE)
		complain("memory cannot be read after a reset");
}

static ssize_t whole(ssize_t n, size_t all)
{
	return n < 0 ? n : (size_t)n == all ? 0 : 1;
}

static int read_config(void)
{
	return whole(region_read(&v, CONFIG, 0, buffer, 64), 64);
}

static int write_config(void)
{
	uint16_t command = PCI_COMMAND_MEMORY;

	return whole(region_write(&v, CONFIG, PCI_COMMAND, &command, sizeof(command)),
		     sizeof(command));
}

static int read_dvsec(void)
{
	return whole(region_read(&v, CONFIG, dvsec, buffer, 0x3c), 0x3c);
}

static int read_hdm(void)
{
	return whole(region_read(&v, hdm, 8, buffer, sizeof(buffer)), sizeof(buffer));
}

static int write_hdm(void)
{
	return whole(region_write(&v, hdm, 8, buffer, sizeof(buffer)), sizeof(buffer));
}

static int read_comp(void)
{
	return whole(region_read(&v, comp, CXL_VFIO_CM_OFFSET, buffer, 64), 64);
}

static int write_comp(void)
{
	uint32_t val = 0;

	/* The capability header is read-only: nothing changes */
	return whole(region_write(&v, comp, CXL_VFIO_CM_OFFSET, &val, sizeof(val)), sizeof(val));
}

static int read_bar(void)
{
	return whole(region_read(&v, T2DEV_COMP_BAR, 0, buffer, 64), 64);
}

/*
 * What the walk has open: nothing, the group with its container, or the device too, by the
 * group or by its character device and iommufd
 */
enum needs { UNBOUND, GROUP, DEVICE, CDEV };

static const struct operation {
	const char *name;
	enum needs needs;
	void (*prepare)(void);
	/* 0 or a negative errno, 1 for a short count */
	int (*act)(void);
	void (*undo)(void);
} operations[] = {
	{ "bind", UNBOUND, open_bind, write_bdf, undo_bind },
	{ "unbind", UNBOUND, bind_for_unbind, unbind, undo_bind },
	{ "open", GROUP, NULL, get_device, put_device },
	{ "close", GROUP, get_for_close, close_device, put_device },
	{ "info", DEVICE, NULL, get_info, NULL },
	{ "bar-info", DEVICE, NULL, bar_info, NULL },
	{ "hdm-info", DEVICE, NULL, hdm_info, NULL },
	{ "mmap", DEVICE, NULL, map, undo_map },
	{ "touch", DEVICE, map_for_touch, touch, undo_map },
	{ "dma-buf", DEVICE, NULL, export_hdm, close_fd },
	{ "bar-dma-buf", DEVICE, NULL, export_bar, close_fd },
	/* vfio-pci-core's exporter */
	{ "core-dma-buf", CDEV, NULL, export_hdm, close_fd },
	{ "reset", DEVICE, NULL, reset, finish_reset },
	{ "cxl-reset", DEVICE, NULL, cxl_reset, finish_cxl_reset },
	{ "read-config", DEVICE, NULL, read_config, NULL },
	{ "write-config", DEVICE, NULL, write_config, NULL },
	{ "read-dvsec", DEVICE, NULL, read_dvsec, NULL },
	{ "read-hdm", DEVICE, NULL, read_hdm, NULL },
	{ "write-hdm", DEVICE, NULL, write_hdm, NULL },
	{ "read-comp", DEVICE, NULL, read_comp, NULL },
	{ "write-comp", DEVICE, NULL, write_comp, NULL },
	{ "read-bar", DEVICE, NULL, read_bar, NULL },
};

static const struct operation *find(const char *name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	fprintf(stderr, "fault: no operation '%s'\n", name);
	exit(2);
}

static void set_up(enum needs needs)
{
	uint32_t ioas;
	int ret;

	if (needs == UNBOUND) {
		undo_bind();
		return;
	}
	ret = needs == CDEV ? cdev_open_attached(&v, bdf, &ioas) : vfio_open(&v, bdf);
	if (ret) {
		fprintf(stderr, "fault: %s: %s\n", bdf, strerror(-ret));
		exit(2);
	}
	hdm = vfio_cxl_cap(&v)->hdm_region_idx;
	comp = vfio_cxl_cap(&v)->comp_reg_region_idx;
	dvsec = find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE);
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	if (needs == GROUP)
		put_device();
}

static void read_iomem(char *text)
{
	ssize_t n, all = 0;
	int in = open("/proc/iomem", O_RDONLY | O_CLOEXEC);

	while ((n = read(in, text + all, IOMEM - 1 - all)) > 0)
		all += n;
	text[all] = 0;
	close(in);
}

/* Complain of the first line that differs from what /proc/iomem was at the start */
static void compare_iomem(const char *before)
{
	static char now[IOMEM];
	size_t at = 0, line = 0;

	read_iomem(now);
	if (!strcmp(before, now))
		return;
	for (; before[at] == now[at]; at++)
		if (now[at] == '\n')
			line = at + 1;
	complain("/proc/iomem had '%.*s', has '%.*s'", (int)strcspn(before + line, "\n"),
		 before + line, (int)strcspn(now + line, "\n"), now + line);
}

static int run(const struct operation *op, unsigned int n, bool *over)
{
	int ret;

	if (op->prepare)
		op->prepare();
	if (n)
		arm(n);
	ret = op->act();
	if (n)
		*over = disarm();
	if (op->undo)
		op->undo();
	return ret;
}

static const char *name_of(int ret)
{
	return ret > 0 ? "a short count" : strerror(-ret);
}

/* Is the result 0 or one of the @errnos? */
static bool is_clean(int ret, char **errnos)
{
	if (!ret)
		return true;
	for (; *errnos; errnos++)
		if (ret == -atoi(*errnos) || (ret > 0 && !atoi(*errnos)))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_sigbus, .sa_flags = SA_NODEFER };
	static char before[IOMEM];
	const struct operation *op;
	unsigned int failures = 0, errors = 0;

	if (argc < 3) {
		fputs("usage: fault OPERATION BDF [ERRNO...]\n", stderr);
		return 2;
	}
	op = find(argv[1]);
	bdf = argv[2];
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGBUS, &action, NULL);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0) {
		perror("/proc/thread-self/fail-nth");
		return 2;
	}
	v.device = -1;
	set_up(op->needs);
	/* The first time may make what stays, such as caches */
	if (run(op, 0, NULL)) {
		fprintf(stderr, "fault: %s fails without a failure\n", op->name);
		return 1;
	}
	read_iomem(before);

	for (unsigned int n = 1;; n++) {
		bool over = false;
		int ret = run(op, n, &over);

		if (over && !ret)
			break;
		failures++;
		errors += ret != 0;
		if (!is_clean(ret, argv + 3))
			complain("failure %u ends in: %s", n, name_of(ret));
		compare_iomem(before);
		ret = run(op, 0, NULL);
		if (ret)
			complain("without a failure, after failure %u: %s", n, name_of(ret));
		compare_iomem(before);
		if (complaints > 20 || n == MOST) {
			complain("the walk stops at failure %u", n);
			break;
		}
	}
	printf("%u failures, %u ended in an error\n", failures, errors);
	return complaints != 0;
}
