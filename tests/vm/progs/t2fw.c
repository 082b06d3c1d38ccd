// SPDX-License-Identifier: GPL-2.0-only
/*
 * t2fw - play firmware in the test machine
 *
 * usage: t2fw cedt OUT UID CHBS BASE,SIZE...
 *        t2fw commit BLOCK DECODER BASE,SIZE TARGET
 *        t2fw device ADDRESS BASE,SIZE [TARGET]
 *        t2fw tsc
 *
 * cedt writes a CEDT that replaces QEMU's: the host bridge with _UID UID has its
 * component block at CHBS and one window for each range.  commit and device run in the
 * machine before a CXL driver is loaded.  commit programs decoder DECODER of the
 * component block at BLOCK to decode a range to port TARGET.  device programs decoder 0
 * of the PCI function ADDRESS: of a switch with TARGET, else of an endpoint, whose
 * memory it enables as well.  tsc prints the frequency of this machine's time stamp
 * counter in kHz, which is that of an emulated machine on it; 0 where it has none.
 * Numbers are as in C, with an optional suffix k, M or G.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include <linux/pci_regs.h>

#include <linux/cxl_vfio_regs.h>

#define BLOCK_SIZE	0x10000
#define CM_OFFSET	0x1000
#define TABLE_MAX	4096

struct range {
	uint64_t base;
	uint64_t size;
};

/* ACPI 6.5, 5.2.6 */
struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

/* CXL r4.0 9.18.1.2 */
struct chbs {
	uint8_t type;
	uint8_t reserved1;
	uint16_t length;
	uint32_t uid;
	uint32_t version;
	uint32_t reserved2;
	uint64_t base;
	uint64_t size;
} __attribute__((packed));

/* CXL r4.0 9.18.1.3, of one way */
struct cfmws {
	uint8_t type;
	uint8_t reserved1;
	uint16_t length;
	uint32_t reserved2;
	uint64_t base;
	uint64_t size;
	uint8_t ways;
	uint8_t arithmetic;
	uint16_t reserved3;
	uint32_t granularity;
	uint16_t restrictions;
	uint16_t qtg_id;
	uint32_t target;
} __attribute__((packed));

#define RESTRICT_ALL	0x0f	/* Type 2 and Type 3, volatile and persistent */

static void fail(const char *what)
{
	fprintf(stderr, "t2fw: %s: %s\n", what, errno ? strerror(errno) : "not valid");
	exit(1);
}

static uint64_t number(const char *s, char **end)
{
	unsigned int shift = 0;
	uint64_t val;

	errno = 0;
	val = strtoull(s, end, 0);
	if (errno || *end == s)
		fail(s);
	for (const char *unit = "kMG"; *unit && **end; unit++) {
		shift += 10;
		if (**end == *unit) {
			(*end)++;
			return val << shift;
		}
	}
	return val;
}

static uint64_t whole_number(const char *s)
{
	char *end;
	uint64_t val = number(s, &end);

	if (*end)
		fail(s);
	return val;
}

static struct range parse_range(const char *s)
{
	struct range r;
	char *end;

	r.base = number(s, &end);
	if (*end != ',')
		fail(s);
	r.size = whole_number(end + 1);
	return r;
}

static int make_cedt(const char *out, uint32_t uid, uint64_t chbs, char **ranges, int n)
{
	static uint8_t table[TABLE_MAX];
	/* The kernel replaces a table with the same ids and a lower revision */
	struct acpi_header header = {
		.signature = "CEDT", .revision = 1, .oem_id = "BOCHS ",
		.oem_table_id = "BXPC    ", .oem_revision = 0x7fffffff, .creator_id = "T2FW",
	};
	struct chbs bridge = {
		.type = 0, .length = sizeof(bridge), .uid = uid, .version = 1, .base = chbs,
		.size = BLOCK_SIZE,
	};
	size_t at = sizeof(header);
	uint8_t sum = 0;
	FILE *f;

	memcpy(table + at, &bridge, sizeof(bridge));
	at += sizeof(bridge);
	for (int i = 0; i < n; i++) {
		struct range r = parse_range(ranges[i]);
		struct cfmws window = {
			.type = 1, .length = sizeof(window), .base = r.base, .size = r.size,
			.restrictions = RESTRICT_ALL, .target = uid,
		};

		if (at + sizeof(window) > sizeof(table))
			fail("too many windows");
		memcpy(table + at, &window, sizeof(window));
		at += sizeof(window);
	}
	header.length = at;
	memcpy(table, &header, sizeof(header));
	for (size_t i = 0; i < at; i++)
		sum += table[i];
	table[offsetof(struct acpi_header, checksum)] = -sum;

	f = fopen(out, "w");
	if (!f || fwrite(table, at, 1, f) != 1 || fclose(f))
		fail(out);
	return 0;
}

static volatile uint32_t *map_block(uint64_t block)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *p;

	if (fd < 0)
		fail("/dev/mem");
	p = mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, block);
	if (p == MAP_FAILED)
		fail("mapping the component block");
	return p;
}

/* The HDM Decoder Capability in the component block's array */
static volatile uint32_t *find_hdm(volatile uint32_t *block)
{
	volatile uint32_t *cm = block + CM_OFFSET / 4;
	unsigned int entries = cm[0] >> 24;

	errno = 0;
	if ((cm[0] & 0xffff) != CXL_VFIO_CM_CAP_HDR_ID_CM)
		fail("this is no component block");
	for (unsigned int i = 1; i <= entries; i++)
		if ((cm[i] & 0xffff) == CXL_VFIO_CM_CAP_ID_HDM)
			return cm + (cm[i] >> 20) / 4;
	fail("no HDM Decoder Capability");
	return NULL;
}

static int commit(uint64_t block, unsigned int n, struct range r, uint32_t target, bool port)
{
	volatile uint32_t *hdm = find_hdm(map_block(block));
	volatile uint32_t *d = hdm + CXL_VFIO_HDM_DECODER(n) / 4;

	hdm[CXL_VFIO_HDM_GLOBAL_CTRL / 4] = 2;
	d[CXL_VFIO_HDM_BASE_LOW / 4] = r.base;
	d[CXL_VFIO_HDM_BASE_HIGH / 4] = r.base >> 32;
	d[CXL_VFIO_HDM_SIZE_LOW / 4] = r.size;
	d[CXL_VFIO_HDM_SIZE_HIGH / 4] = r.size >> 32;
	if (port)
		d[CXL_VFIO_HDM_SKIP_LOW / 4] = target;	/* the target list of a port */
	d[CXL_VFIO_HDM_CTRL / 4] = CXL_VFIO_HDM_CTRL_COMMIT;
	for (int i = 0; i < 1000; i++) {
		if (d[CXL_VFIO_HDM_CTRL / 4] & CXL_VFIO_HDM_CTRL_COMMITTED)
			return 0;
		usleep(1000);
	}
	errno = ETIMEDOUT;
	fail("decoder does not commit");
	return 1;
}

static uint32_t config_read(int fd, uint32_t at)
{
	uint32_t val = ~0u;

	if (pread(fd, &val, 4, at) != 4)
		fail("config space");
	return val;
}

static uint32_t find_dvsec(int fd, uint16_t id)
{
	uint32_t at = 0x100;

	while (at) {
		uint32_t header = config_read(fd, at);

		if ((header & 0xffff) == PCI_EXT_CAP_ID_DVSEC &&
		    (config_read(fd, at + 4) & 0xffff) == CXL_VFIO_DVSEC_VENDOR_ID &&
		    (config_read(fd, at + 8) & 0xffff) == id)
			return at;
		at = header >> 20;
	}
	errno = ENOENT;
	fail("DVSEC");
	return 0;
}

static int commit_device(const char *bdf, struct range r, const char *target)
{
	uint32_t dvsec, rloc, lo, bar, ctrl;
	uint64_t block;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR);
	if (fd < 0)
		fail(path);
	rloc = find_dvsec(fd, CXL_VFIO_DVSEC_ID_REG_LOCATOR) + 0xc;
	while ((config_read(fd, rloc) >> 8 & 0xff) != 1)
		rloc += 8;
	lo = config_read(fd, rloc);
	bar = PCI_BASE_ADDRESS_0 + 4 * (lo & 7);
	block = ((uint64_t)config_read(fd, bar + 4) << 32 | (config_read(fd, bar) & ~0xfu)) +
		(lo & 0xffff0000);
	ctrl = config_read(fd, PCI_COMMAND) | PCI_COMMAND_MEMORY;
	if (pwrite(fd, &ctrl, 2, PCI_COMMAND) != 2)
		fail("COMMAND");
	if (target)
		return commit(block, 0, r, whole_number(target), true);
	commit(block, 0, r, 0, false);
	dvsec = find_dvsec(fd, CXL_VFIO_DVSEC_ID_DEVICE);
	ctrl = config_read(fd, dvsec + CXL_VFIO_DVSEC_CTRL) | CXL_VFIO_DVSEC_CTRL_MEM_ENABLE;
	if (pwrite(fd, &ctrl, 2, dvsec + CXL_VFIO_DVSEC_CTRL) != 2)
		fail("DVSEC CONTROL");
	return 0;
}

struct instant {
	uint64_t ns;
	uint64_t tsc;
};

static uint64_t read_counter(void)
{
#ifdef __x86_64__
	return __rdtsc();
#else
	return 0;
#endif
}

/* Both clocks at once: of several tries the one that took the least time */
static struct instant now(void)
{
	uint64_t best = UINT64_MAX;
	struct instant instant = {};

	for (int i = 0; i < 100; i++) {
		uint64_t before = read_counter(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = read_counter();
		if (after - before < best) {
			best = after - before;
			instant.ns = t.tv_sec * 1000000000ull + t.tv_nsec;
			instant.tsc = before + best / 2;
		}
	}
	return instant;
}

static int print_tsc(void)
{
	struct instant start = now(), end;

	usleep(200000);
	end = now();
	printf("%llu\n", (unsigned long long)((end.tsc - start.tsc) * 1000000 /
					      (end.ns - start.ns)));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "tsc"))
		return print_tsc();
	if (argc > 5 && !strcmp(argv[1], "cedt"))
		return make_cedt(argv[2], whole_number(argv[3]), whole_number(argv[4]), argv + 5,
				 argc - 5);
	if (argc == 6 && !strcmp(argv[1], "commit"))
		return commit(whole_number(argv[2]), whole_number(argv[3]), parse_range(argv[4]),
			      whole_number(argv[5]), true);
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "device"))
		return commit_device(argv[2], parse_range(argv[3]), argv[4]);
	fputs("usage: t2fw cedt OUT UID CHBS BASE,SIZE...\n"
	      "       t2fw commit BLOCK DECODER BASE,SIZE TARGET\n"
	      "       t2fw device ADDRESS BASE,SIZE [TARGET]\n"
	      "       t2fw tsc\n", stderr);
	return 2;
}
