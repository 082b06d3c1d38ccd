// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo - use a CXL Type-2 device as a VMM does, step by step
 *
 * Opens the device through VFIO, maps its HDM memory and lets device and CPU work on the
 * same bytes.  Prints each step with its result; ends with 1 at the first failure.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define MIB	(1024ull * 1024)
#define LEN	(1 * MIB)
#define IOVA	0x10000000

__attribute__((format(printf, 2, 3), noreturn))
static void die(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("  FAILED: ");
	vprintf(fmt, ap);
	va_end(ap);
	printf(err < 0 ? ": %s\n" : "\n", strerror(-err));
	exit(1);
}

static void show_device(struct vfio *v, struct cxl_vfio_device_info_cap_v3 *cap)
{
	struct vfio_region_info *hdm = vfio_region(v, cap->hdm_region_idx);

	if (!hdm)
		die(0, "region %u has no info", cap->hdm_region_idx);
	printf("  VFIO device info: flags %#x (CXL %s), %u regions\n", v->info.flags,
	       v->info.flags & VFIO_DEVICE_FLAGS_CXL ? "yes" : "no", v->info.num_regions);
	printf("  HDM memory: region %u, %llu MiB\n", cap->hdm_region_idx, hdm->size / MIB);
	printf("  component registers: region %u, in BAR %u at %#llx\n",
	       cap->comp_reg_region_idx, cap->comp_reg_bar,
	       (unsigned long long)cap->comp_reg_offset);
	free(hdm);
}

static void cpu_writes_device_reads(struct vfio *v, uint8_t *mem)
{
	struct accel_op op = { T2DEV_OP_CRC32, T2DEV_FLAG_SRC_HDM, .src = 0, .len = LEN };
	uint32_t expected, result = 0;
	int ret;

	for (size_t i = 0; i < LEN; i++)
		mem[i] = i * 31 + (i >> 12);
	expected = crc32_of(mem, LEN);
	ret = accel_run(v, &op, &result);
	if (ret)
		die(ret, "CRC32");
	printf("  CPU wrote %llu KiB through the mapping, CRC-32 %08x; the device computes %08x\n",
	       LEN / 1024, expected, result);
	if (result != expected)
		die(0, "the device sees other bytes");
}

static void device_writes_cpu_reads(struct vfio *v, uint8_t *mem)
{
	struct accel_op op = { T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, .dst = LEN, .len = LEN,
			       .pattern = 0xc0ffee42 };
	uint32_t *words = (uint32_t *)(mem + LEN);
	int ret = accel_run(v, &op, NULL);

	if (ret)
		die(ret, "FILL");
	for (size_t i = 0; i < LEN / 4; i++)
		if (words[i] != op.pattern)
			die(0, "word %zu reads %08x", i, words[i]);
	printf("  the device filled %llu KiB with %08x; the CPU reads them back\n", LEN / 1024,
	       op.pattern);
}

static void device_copies_and_interrupts(struct vfio *v, uint8_t *mem)
{
	struct accel_op op = { T2DEV_OP_COPY, T2DEV_FLAG_SRC_HDM | T2DEV_FLAG_IRQ, .src = 0,
			       .dst = IOVA, .len = LEN };
	uint8_t *ram = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pollfd pfd = { .events = POLLIN };
	int ret;

	if (ram == MAP_FAILED)
		die(0, "no memory");
	ret = dma_map(v, ram, IOVA, LEN);
	if (ret)
		die(ret, "mapping memory for DMA");
	set_command(v, PCI_COMMAND_MASTER, 0);
	pfd.fd = msix_enable(v);
	if (pfd.fd < 0)
		die(pfd.fd, "MSI-X");
	ret = accel_run(v, &op, NULL);
	if (ret)
		die(ret, "COPY");
	if (poll(&pfd, 1, 10000) != 1)
		die(0, "no interrupt within 10 s");
	if (memcmp(ram, mem, LEN))
		die(0, "the copy differs");
	printf("  the device copied %llu KiB of HDM memory to RAM and raised its MSI-X interrupt\n",
	       LEN / 1024);
}

int main(int argc, char **argv)
{
	struct cxl_vfio_device_info_cap_v3 *cap;
	struct vfio v;
	uint8_t *mem;
	int ret;

	if (argc != 2) {
		fputs("usage: demo BDF\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = vfio_open(&v, argv[1]);
	if (ret)
		die(ret, "opening %s through VFIO", argv[1]);
	cap = vfio_cxl_cap(&v);
	if (!cap)
		die(0, "the device has no CXL capability");
	show_device(&v, cap);

	set_command(&v, PCI_COMMAND_MEMORY, 0);
	mem = region_map(&v, cap->hdm_region_idx, 0, 2 * LEN, PROT_READ | PROT_WRITE);
	if (mem == MAP_FAILED)
		die(0, "mapping the HDM region");
	cpu_writes_device_reads(&v, mem);
	device_writes_cpu_reads(&v, mem);
	device_copies_and_interrupts(&v, mem);
	vfio_close(&v);
	return 0;
}
