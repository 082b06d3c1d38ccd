/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the test programs: their inputs, a VFIO device through group and type1
 * container, its regions, and the accelerator of the software device.
 *
 * Functions that return int return 0 or a negative errno.
 */
#ifndef TEST_VFIO_H
#define TEST_VFIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <linux/cxl_vfio_pci.h>
#include <linux/cxl_vfio_regs.h>

/*
 * Inputs of the programs *_test: environment variables, which the scenario sets.  Commands
 * that a program runs, such as t2ctl, inherit them.
 *
 *	DEVICE		PCI address of the function, "0000:0d:00.0"; always set
 *	SIBLING		PCI address of another function of the card, if there is one
 *	HPA		host physical address of the first HDM range
 *	REGIONS		number of HDM regions (default 1)
 *	BAR		number of the virtual BAR
 *	SIZE		size of the first HDM range in MiB
 *	RANGES		1: the memory is that of the DVSEC's ranges, and of no decoder
 *	COMP		1: the device has component registers
 *	ROOT		1: the device is in the root complex, below no port
 *	ACCEL		BAR of the accelerator (default 2)
 *	HUGE		largest order of a page that the kernel maps it with (default 18)
 *	PAGES		1: HDM memory has struct pages
 *	RAW_RAM		1: firmware's memory map lists HDM memory as RAM
 *	POISON		1: the kernel reports errors in HDM memory
 *	NO_MSI		Y: vfio-pci cannot set up interrupts in the machine
 *	NO_MEMORY	1: a test may leave the gate closed until the unbind
 *	LOSE		Y: the device loses its decoders in a reset
 *
 * and the module's parameters:
 *
 *	ABI		vmm_abi, v2 or v3
 *	HIDE		hide_hpa, Y or N
 *	KEEP		keep_memory, Y or N
 *	MAX_ORDER	max_order (default 18)
 */

/* Value of an input; ends the program if the input is not set */
const char *input(const char *name);
/* Value of a number, @otherwise if the input is not set */
uint64_t input_number(const char *name, uint64_t otherwise);
/* Is the input Y? */
bool input_yes(const char *name);

/* Bytes of a page of the running kernel */
#define PAGE		((unsigned long)sysconf(_SC_PAGESIZE))

#define INFO_SIZE	1024

struct vfio {
	int container;
	int group;
	int device;
	union {
		struct vfio_device_info info;
		uint8_t info_raw[INFO_SIZE];
	};
};

/* Open the function at @bdf ("0000:0d:00.0") and read its device info */
int vfio_open(struct vfio *v, const char *bdf);
void vfio_close(struct vfio *v);
/* A dma-buf of a region: its file descriptor, or a negative errno */
int vfio_export_dmabuf(struct vfio *v, uint32_t region, uint64_t at, uint64_t len);

/* Find a capability in the chain of an info structure; NULL if there is none */
struct vfio_info_cap_header *vfio_cap(void *info, uint32_t first, uint16_t id);
struct cxl_vfio_device_info_cap_v3 *vfio_cxl_cap(struct vfio *v);

/* Region info with its capabilities, NULL on error; the caller calls free() */
struct vfio_region_info *vfio_region(struct vfio *v, uint32_t index);
/* Index of the @n-th region, from 0 on, of a subtype of CXL_VFIO_REGION_TYPE; 0 if none */
uint32_t vfio_cxl_region(struct vfio *v, uint32_t subtype, unsigned int n);

/* pread() and pwrite() in a region: number of bytes or a negative errno */
ssize_t region_read(struct vfio *v, uint32_t index, uint64_t at, void *buf, size_t n);
ssize_t region_write(struct vfio *v, uint32_t index, uint64_t at, const void *buf, size_t n);
uint32_t region_read32(struct vfio *v, uint32_t index, uint64_t at);
void region_write32(struct vfio *v, uint32_t index, uint64_t at, uint32_t val);
void *region_map(struct vfio *v, uint32_t index, uint64_t at, size_t n, int prot);

/* Config space */
uint32_t config_read32(struct vfio *v, uint16_t at);
void set_command(struct vfio *v, uint16_t set, uint16_t clear);
/* Walk the extended capabilities to a CXL DVSEC; 0 if there is none */
uint16_t find_dvsec(struct vfio *v, uint16_t dvsec_id);

/*
 * Walk the capability array of the component block that starts at @block of a region, as
 * a guest does.  Returns the offset of the HDM Decoder Capability in the block, 0 if
 * there is none.
 */
uint32_t find_hdm(struct vfio *v, uint32_t index, uint64_t block);

/* Map @n bytes at @va for DMA by the device at @iova */
int dma_map(struct vfio *v, void *va, uint64_t iova, uint64_t n);

/* Memory of this process in KiB by a line of its /proc/self/status, such as "VmLck" */
uint64_t status_kib(const char *line);

/* Enable MSI-X; returns the eventfd of vector 0 or a negative errno */
int msix_enable(struct vfio *v);

struct accel_op {
	uint32_t opcode;
	uint32_t flags;
	uint64_t src;
	uint64_t dst;
	uint64_t len;
	uint32_t pattern;
};

/* Run an operation and wait for its end; returns 0 or the negative errno of the device */
int accel_run(struct vfio *v, const struct accel_op *op, uint32_t *result);

/* CRC-32 (IEEE) of @n bytes, as the device computes it */
uint32_t crc32_of(const void *buf, size_t n);

/* Does a read or write of *@p raise SIGBUS? */
bool raises_sigbus(volatile uint32_t *p, bool write);

#endif
