// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_look - what is left of a hostile user of a VFIO device (hostile.c)
 *
 * usage: hostile_look ADDRESS WHAT
 * WHAT is
 *	registers	print the HDM decoders and the CXL Device DVSEC as the hardware has them
 *	fill		fill HDM memory, print "ready" and keep the device until killed
 *	scan		end with 1 if HDM memory has a byte other than 0
 *	remap		end with 1 if remap_file_pages() on a mapping of the device gives memory
 *			that is not the device's
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "lab.h"

#define MARK	0x0bad5eedu

static struct vfio v;
static uint32_t hdm;
static uint64_t size;

static int registers(void)
{
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(&v);
	uint32_t block = cap->comp_reg_offset, at = find_hdm(&v, cap->comp_reg_region_idx, 0);
	uint16_t dvsec = find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE);

	for (uint32_t i = 0; i < 0x30; i += 4)
		printf("hdm+%#x %#x\n", i, lab_register(block + at + i));
	for (uint32_t i = 0; i < CXL_VFIO_DVSEC_CAP3; i += 2)
		/* A reset leaves its result there */
		if (i != CXL_VFIO_DVSEC_STATUS2)
			printf("dvsec+%#x %#x\n", i, lab_config16(dvsec + i));
	return 0;
}

static int fill(void)
{
	uint32_t *p = region_map(&v, hdm, 0, size, PROT_READ | PROT_WRITE);

	if (p == MAP_FAILED)
		return 2;
	for (uint64_t i = 0; i < size / 4; i++)
		p[i] = MARK;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static int scan(void)
{
	uint64_t *p = region_map(&v, hdm, 0, size, PROT_READ);
	unsigned int found = 0;

	if (p == MAP_FAILED)
		return 2;
	for (uint64_t i = 0; i < size / 8; i++)
		if (p[i] && found++ < 8)
			printf("at %#llx: %#llx\n", (unsigned long long)i * 8,
			       (unsigned long long)p[i]);
	printf("%u words are not clear\n", found);
	return !!found;
}

static sigjmp_buf on_fault;

static void on_signal(int sig)
{
	siglongjmp(on_fault, sig);
}

/* Exchange the dword at @p: false if it cannot be read and written */
static bool exchange(volatile uint32_t *p, uint32_t val, uint32_t *old)
{
	if (sigsetjmp(on_fault, 1))
		return false;
	*old = *p;
	*p = val;
	return *p == val;
}

/* Is the page at @p the one at @offset of a region, which is what it should be? */
static bool is_device(volatile uint32_t *p, uint64_t offset)
{
	uint32_t index = offset >> 40, val;

	if (index >= v.info.num_regions)
		return false;
	*p = MARK + 1;
	return region_read(&v, index, offset & 0xffffffffff, &val, 4) == 4 && val == MARK + 1;
}

/* A mapping at @at of a region, moved to @pgoff: 1 if it is then memory of something else */
static int remap_one(uint32_t index, uint64_t at, uint64_t pgoff, int flags)
{
	volatile uint32_t *p = region_map(&v, index, at, 4 * PAGE, PROT_READ | PROT_WRITE);
	int found = 0;
	uint32_t old;

	if (p == MAP_FAILED) {
		printf("region %u cannot be mapped at %#llx\n", index, (unsigned long long)at);
		return 1;
	}
	if (!syscall(SYS_remap_file_pages, p, 4 * PAGE, 0, pgoff, flags)) {
		for (unsigned int i = 0; i < 4; i++) {
			volatile uint32_t *page = p + i * PAGE / 4;

			if (exchange(page, MARK, &old) && !is_device(page, (pgoff + i) * PAGE)) {
				printf("region %u at %#llx, page %#llx: memory, with %#x in it\n",
				       index, (unsigned long long)at,
				       (unsigned long long)pgoff + i, old);
				found = 1;
			}
		}
	}
	munmap((void *)p, 4 * PAGE);
	return found;
}

static int remap(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	int found = 0;

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	for (uint32_t index = 0; index < v.info.num_regions; index++) {
		struct vfio_region_info *info = vfio_region(&v, index);
		uint64_t here = (uint64_t)index << 28, end = info ? info->size / PAGE : 0;
		const uint64_t pgoffs[] = {
			0, 1, 4, 511, 1 << 16, here, here + 1, here + 4, here + end - 4, here + end,
			(uint64_t)hdm << 28, ((uint64_t)hdm << 28) + 8, 1ull << 28, ~0ull >> 12,
			(~0ull >> 12) - 3, ~0ull >> 13, 1ull << 51,
		};

		if (!info || !(info->flags & VFIO_REGION_INFO_FLAG_MMAP)) {
			free(info);
			continue;
		}
		for (unsigned int i = 0; i < sizeof(pgoffs) / sizeof(pgoffs[0]); i++)
			for (uint64_t at = 0; at <= 4 * PAGE; at += 4 * PAGE)
				for (int flags = 0; flags <= MAP_NONBLOCK; flags += MAP_NONBLOCK)
					found |= remap_one(index, at, pgoffs[i], flags);
		free(info);
	}
	return found;
}

int main(int argc, char **argv)
{
	struct vfio_region_info *info;

	if (argc != 3 || setenv("DEVICE", argv[1], 1) || vfio_open(&v, argv[1])) {
		fputs("usage: hostile_look ADDRESS registers|fill|scan|remap\n", stderr);
		return 2;
	}
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	hdm = vfio_cxl_cap(&v)->hdm_region_idx;
	info = vfio_region(&v, hdm);
	size = info->size;
	free(info);
	if (!strcmp(argv[2], "registers"))
		return registers();
	if (!strcmp(argv[2], "fill"))
		return fill();
	if (!strcmp(argv[2], "scan"))
		return scan();
	return remap();
}
