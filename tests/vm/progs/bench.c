// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench - measure the cost of accesses through VFIO
 *
 * usage: bench ADDRESS METRIC
 * Prints the nanoseconds of one operation; METRIC names it.  Under QEMU's icount a
 * nanosecond is an instruction.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "../modules/t2lab.h"
#include "iommufd.h"
#include "vfio.h"

#define MIB	(1024ul * 1024)
#define GIB	(1024 * MIB)

static const char *bdf;
static struct vfio v;

static uint64_t now(void)
{
	struct timespec t;

	/* CPU time of this process: neither sleep nor other processes count */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t region_start(uint32_t index, uint64_t *size)
{
	struct vfio_region_info *info = vfio_region(&v, index);
	uint64_t offset;

	if (!info)
		die("region");
	offset = info->offset;
	if (size)
		*size = info->size;
	free(info);
	return offset;
}

static uint32_t hdm_region(void)
{
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(&v);

	if (!cap)
		die("no CXL capability");
	return cap->hdm_region_idx;
}

/* Average cost of a pread of @n bytes at offset @at */
static uint64_t one_pread(int fd, uint64_t at, size_t n, unsigned int times)
{
	char *buf = mmap(NULL, n, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t start;

	for (unsigned int i = 0; i < 10; i++)
		if (pread(fd, buf, n, at) != (ssize_t)n)
			die("pread");
	start = now();
	for (unsigned int i = 0; i < times; i++)
		if (pread(fd, buf, n, at) != (ssize_t)n)
			die("pread");
	return (now() - start) / times;
}

static uint64_t config_read_cost(uint16_t at)
{
	return one_pread(v.device, region_start(VFIO_PCI_CONFIG_REGION_INDEX, NULL) + at, 4, 2000);
}

static uint64_t cfg_plain(void)
{
	return config_read_cost(PCI_SUBSYSTEM_VENDOR_ID);
}

static uint64_t cfg_dvsec(void)
{
	return config_read_cost(find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE) +
				CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(0));
}

static uint64_t comp_regs(void)
{
	uint32_t index = vfio_cxl_cap(&v)->comp_reg_region_idx;

	/* Decoder 0's BASE of the software device */
	return one_pread(v.device, region_start(index, NULL) + 0x1210, 4, 2000);
}

static uint64_t bar_plain(void)
{
	return one_pread(v.device, region_start(T2DEV_COMP_BAR, NULL), 4, 2000);
}

static uint64_t hdm_pread(void)
{
	return one_pread(v.device, region_start(hdm_region(), NULL), MIB, 50);
}

static uint64_t tmpfs_pread(void)
{
	char *page = calloc(1, MIB);
	int fd = open("/tmp/bench", O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, page, MIB) != (ssize_t)MIB)
		die("/tmp/bench");
	return one_pread(fd, 0, MIB, 50);
}

/* Map the first @n bytes of a region, at an address that allows huge pages */
static char *map_region(uint32_t index, size_t n)
{
	char *room = mmap(NULL, n + GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = (char *)(((unsigned long)room + GIB - 1) / GIB * GIB);

	p = mmap(p, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v.device,
		 region_start(index, NULL));
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static volatile char *map_hdm(size_t n)
{
	return map_region(hdm_region(), n);
}

/*
 * Cost of VFIO_IOMMU_MAP_DMA of all of the HDM region, as a VMM does it when a guest starts;
 * of BAR 2 for a device without HDM memory.  No page was touched before.
 */
static uint64_t map_dma(void)
{
	uint32_t index = vfio_cxl_cap(&v) ? hdm_region() : VFIO_PCI_BAR2_REGION_INDEX;
	uint64_t size, start;
	char *p;

	region_start(index, &size);
	p = map_region(index, size);
	start = now();
	/* Above the range of interrupts */
	if (dma_map(&v, p, 64 * GIB, size))
		die("VFIO_IOMMU_MAP_DMA");
	return now() - start;
}

/* The same for IOMMU_IOAS_MAP_FILE of a dma-buf of it, as a VMM with iommufd does it */
static uint64_t map_file(void)
{
	uint64_t size, start;
	uint32_t index, ioas;
	int fd;

	vfio_close(&v);
	if (cdev_open_attached(&v, bdf, &ioas))
		die("iommufd");
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	index = vfio_cxl_cap(&v) ? hdm_region() : VFIO_PCI_BAR2_REGION_INDEX;
	region_start(index, &size);
	fd = vfio_export_dmabuf(&v, index, 0, size);
	if (fd < 0)
		die("dma-buf");
	start = now();
	if (iommufd_map_file(v.container, ioas, fd, 64 * GIB, size))
		die("IOMMU_IOAS_MAP_FILE");
	return now() - start;
}

/* Cost of the first touch of every page of 1 GiB */
static uint64_t hdm_touch(void)
{
	volatile char *p = map_hdm(GIB);
	/* Not asked for in the loop, whose instructions count */
	const size_t page = PAGE;
	uint64_t start = now();

	for (size_t i = 0; i < GIB; i += page)
		p[i] = 1;
	return now() - start;
}

/* Cost of turning Memory Space off, with all of the region mapped and touched */
static uint64_t zap(void)
{
	uint64_t size, start, sum = 0;
	volatile char *p;

	region_start(hdm_region(), &size);
	p = map_hdm(size);
	for (unsigned int i = 0; i < 5; i++) {
		for (size_t at = 0; at < size; at += 2 * MIB)
			p[at] = 1;
		start = now();
		set_command(&v, 0, PCI_COMMAND_MEMORY);
		sum += now() - start;
		set_command(&v, PCI_COMMAND_MEMORY, 0);
	}
	return sum / 5;
}

/* Cost of open and close, without an access in between */
static uint64_t open_close(void)
{
	uint64_t start;

	vfio_close(&v);
	start = now();
	for (unsigned int i = 0; i < 5; i++) {
		if (vfio_open(&v, bdf))
			die("open");
		vfio_close(&v);
	}
	start = (now() - start) / 5;
	if (vfio_open(&v, bdf))
		die("open");
	return start;
}

static void write_config16(uint16_t at, uint16_t val)
{
	if (pwrite(v.device, &val, 2, region_start(VFIO_PCI_CONFIG_REGION_INDEX, NULL) + at) != 2)
		die("config write");
}

static uint16_t read_config16(uint16_t at)
{
	uint16_t val;

	if (pread(v.device, &val, 2, region_start(VFIO_PCI_CONFIG_REGION_INDEX, NULL) + at) != 2)
		die("config read");
	return val;
}

static void touch(volatile char *p, size_t n)
{
	for (size_t at = 0; at < n; at += 2 * MIB)
		p[at] = 1;
}

/*
 * COMMAND written with another INTx Disable, and 1 GiB touched again.  With vfio-pci the
 * memory is anonymous, as there is no device memory to map.
 */
static uint64_t command_write(void)
{
	uint16_t command = read_config16(PCI_COMMAND);
	volatile char *p = vfio_cxl_cap(&v) ? map_hdm(GIB) :
		mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;

	touch(p, GIB);
	start = now();
	for (unsigned int i = 0; i < 100; i++) {
		command ^= PCI_COMMAND_INTX_DISABLE;
		write_config16(PCI_COMMAND, command);
		touch(p, GIB);
	}
	return (now() - start) / 100;
}

/* FLR with all of the region mapped, and the first touch after it */
static uint64_t reset_resume(void)
{
	const uint16_t devctl = 0x50 + PCI_EXP_DEVCTL;	/* of the software device */
	uint64_t size, start, sum = 0;
	volatile char *p;

	region_start(hdm_region(), &size);
	p = map_hdm(size);
	for (unsigned int i = 0; i < 5; i++) {
		touch(p, size);
		start = now();
		write_config16(devctl, read_config16(devctl) | PCI_EXP_DEVCTL_BCR_FLR);
		*p = 1;
		sum += now() - start;
	}
	return sum / 5;
}

/* CXL reset with all of the region mapped and touched: the CPUs' caches drop it before */
static uint64_t cxl_reset(void)
{
	uint16_t ctrl2 = find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE) + CXL_VFIO_DVSEC_CTRL2;
	uint64_t size, start, sum = 0;
	volatile char *p;

	region_start(hdm_region(), &size);
	p = map_hdm(size);
	for (unsigned int i = 0; i < 3; i++) {
		touch(p, size);
		start = now();
		write_config16(ctrl2, CXL_VFIO_DVSEC_CTRL2_INIT_RST);
		sum += now() - start;
	}
	return sum / 3;
}

/* CPU time of all workers of the kernel that may run on any processor */
static uint64_t workers(void)
{
	uint64_t sum = 0;
	glob_t g = {};

	glob("/proc/[0-9]*", 0, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		unsigned long long ns = 0;
		char path[320], comm[64] = "";
		FILE *f;

		snprintf(path, sizeof(path), "%s/comm", g.gl_pathv[i]);
		f = fopen(path, "r");
		if (f && fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = '\0';
		if (f)
			fclose(f);
		if (strncmp(comm, "kworker/u", 9))
			continue;
		snprintf(path, sizeof(path), "%s/schedstat", g.gl_pathv[i]);
		f = fopen(path, "r");
		if (f && fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		if (f)
			fclose(f);
	}
	globfree(&g);
	return sum;
}

static unsigned long long sysfs_number(const char *name, unsigned int word)
{
	unsigned long long val[3] = {};
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/cxl_vfio/%s", bdf, name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lli %lli %lli", &val[0], &val[1], &val[2]) < 1)
		die(path);
	fclose(f);
	return val[word];
}

/* Clearing by the driver after a close, for each GiB of memory */
static uint64_t clear(void)
{
	uint64_t size, start, sum;

	region_start(hdm_region(), &size);
	if (pwrite(v.device, "x", 1, region_start(hdm_region(), NULL)) != 1)
		die("write");
	start = workers();
	vfio_close(&v);
	while (sysfs_number("clearing", 0))
		usleep(100000);
	sum = workers() - start;
	if (vfio_open(&v, bdf))
		die("open");
	return sum * GIB / size;
}

/* The kernel's memset() of the same memory, for each GiB */
static uint64_t kernel_memset(void)
{
	struct t2lab_memset set = {
		.pa = sysfs_number("decoders", 1), .len = sysfs_number("decoders", 2),
	};
	int fd = open("/dev/t2lab", O_RDWR);

	if (fd < 0 || ioctl(fd, T2LAB_MEMSET, &set))
		die("/dev/t2lab");
	close(fd);
	return set.ns * GIB / set.len;
}

static const struct {
	const char *name;
	uint64_t (*cost)(void);
} metrics[] = {
	{ "cfg_plain", cfg_plain }, { "cfg_dvsec", cfg_dvsec }, { "comp_regs", comp_regs },
	{ "bar_plain", bar_plain }, { "hdm_pread", hdm_pread }, { "tmpfs_pread", tmpfs_pread },
	{ "hdm_touch", hdm_touch }, { "zap", zap }, { "open_close", open_close },
	{ "command_write", command_write }, { "reset_resume", reset_resume }, { "clear", clear },
	{ "cxl_reset", cxl_reset }, { "map_dma", map_dma }, { "map_file", map_file },
	{ "memset", kernel_memset },
};

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: bench ADDRESS METRIC\n", stderr);
		return 2;
	}
	bdf = argv[1];
	if (vfio_open(&v, bdf)) {
		fprintf(stderr, "bench: cannot open %s through VFIO\n", bdf);
		return 1;
	}
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	for (unsigned int i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (strcmp(metrics[i].name, argv[2]))
			continue;
		printf("%llu\n", (unsigned long long)metrics[i].cost());
		vfio_close(&v);
		return 0;
	}
	fprintf(stderr, "bench: no metric '%s'\n", argv[2]);
	return 2;
}
