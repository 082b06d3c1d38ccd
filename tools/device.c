// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds PCI functions with CXL memory and reads their properties without help of a
 * driver: config space through libpci, HDM decoders from the component registers.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pci/pci.h>

#include <linux/cxl_vfio_regs.h>

#include "tool.h"

#define DVSEC_EXT_CAP	0x23
#define CONFIG_SIZE	4096
#define GET(field, val)	(((val) & (field)) / ((field) & ~((field) << 1)))

static uint16_t find_dvsec(struct pci_dev *p, uint16_t id)
{
	unsigned int at = 0x100, left = CONFIG_SIZE / 8;

	while (at >= 0x100 && at <= CONFIG_SIZE - 12 && left--) {
		uint32_t header = pci_read_long(p, at);

		if (!header || header == ~0u)
			break;
		if ((header & 0xffff) == DVSEC_EXT_CAP &&
		    (pci_read_long(p, at + 4) & 0xffff) == CXL_VFIO_DVSEC_VENDOR_ID &&
		    pci_read_word(p, at + 8) == id)
			return at;
		at = header >> 20 & ~3u;
	}
	return 0;
}

/* Find BAR and offset of the component block; false if the Register Locator has none */
static bool find_block(struct pci_dev *p, unsigned int *bar, uint64_t *offset)
{
	uint16_t rloc = find_dvsec(p, CXL_VFIO_DVSEC_ID_REG_LOCATOR);
	unsigned int len;

	if (!rloc)
		return false;
	len = pci_read_long(p, rloc + 4) >> 20;
	for (unsigned int at = CXL_VFIO_RLOC_ENTRY(0); at + 8 <= len; at += 8) {
		uint32_t lo = pci_read_long(p, rloc + at);

		if (GET(CXL_VFIO_RLOC_BLOCK_ID, lo) != CXL_VFIO_RLOC_BLOCK_ID_COMPONENT)
			continue;
		*bar = GET(CXL_VFIO_RLOC_BIR, lo);
		*offset = (uint64_t)pci_read_long(p, rloc + at + 4) << 32 |
			  (lo & CXL_VFIO_RLOC_OFFSET_LOW);
		return *bar < 6;
	}
	return false;
}

static unsigned int decoder_count(uint32_t cap)
{
	static const uint8_t counts[] = { 1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32 };
	unsigned int code = cap & 0xf;

	return code < sizeof(counts) ? counts[code] : 0;
}

static void note_decoder(struct device *d, const volatile uint32_t *reg)
{
	uint32_t ctrl = reg[CXL_VFIO_HDM_CTRL / 4];

	if (!(ctrl & CXL_VFIO_HDM_CTRL_COMMITTED) || d->nr_ranges == MAX_RANGES)
		return;
	if (GET(CXL_VFIO_HDM_CTRL_IW, ctrl))
		snprintf(d->reason, sizeof(d->reason), "an HDM decoder is interleaved");
	d->range[d->nr_ranges].base = (uint64_t)reg[CXL_VFIO_HDM_BASE_HIGH / 4] << 32 |
				      reg[CXL_VFIO_HDM_BASE_LOW / 4];
	d->range[d->nr_ranges++].size = (uint64_t)reg[CXL_VFIO_HDM_SIZE_HIGH / 4] << 32 |
					reg[CXL_VFIO_HDM_SIZE_LOW / 4];
}

static void read_decoders(struct device *d, const volatile uint32_t *cm)
{
	unsigned int entries = cm[0] >> 24;

	if (cm[0] == ~0u) {
		snprintf(d->reason, sizeof(d->reason), "the registers read all ones");
		return;
	}
	for (unsigned int i = 1; i <= entries; i++) {
		unsigned int at = (cm[i] >> 20) / 4, count;

		if ((cm[i] & 0xffff) != CXL_VFIO_CM_CAP_ID_HDM)
			continue;
		count = decoder_count(cm[at]);
		for (unsigned int n = 0; n < count; n++) {
			unsigned int reg = at + CXL_VFIO_HDM_DECODER(n) / 4;

			if (4 * reg + 0x20 <= CXL_VFIO_CM_SIZE)
				note_decoder(d, cm + reg);
		}
	}
}

/* Read the decoders from the device; needs root, and Memory Space on */
static void map_decoders(struct device *d, struct pci_dev *p)
{
	char path[PATH_MAX];
	unsigned int bar = 0;
	uint64_t offset = 0;
	struct stat st;
	void *map;
	int fd;

	if (!find_block(p, &bar, &offset)) {
		snprintf(d->reason, sizeof(d->reason), "the device has no component registers");
		return;
	}
	if (!(pci_read_word(p, PCI_COMMAND) & PCI_COMMAND_MEMORY)) {
		snprintf(d->reason, sizeof(d->reason), "memory space is off, so the HDM decoders cannot be read");
		return;
	}
	if (device_path(path, sizeof(path), d->address, "resource%u", bar))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || (uint64_t)st.st_size < CXL_VFIO_COMP_BLOCK_SIZE ||
	    offset > (uint64_t)st.st_size - CXL_VFIO_COMP_BLOCK_SIZE) {
		snprintf(d->reason, sizeof(d->reason), "the component registers cannot be read");
		goto close;
	}
	map = mmap(NULL, CXL_VFIO_COMP_BLOCK_SIZE, PROT_READ, MAP_SHARED, fd, offset);
	if (map == MAP_FAILED) {
		snprintf(d->reason, sizeof(d->reason), "the component registers cannot be mapped");
		goto close;
	}
	read_decoders(d, (volatile uint32_t *)((char *)map + CXL_VFIO_CM_OFFSET));
	munmap(map, CXL_VFIO_COMP_BLOCK_SIZE);
close:
	if (fd >= 0)
		close(fd);
}

/* Read the decoders of a bound device from the driver's file in sysfs */
static bool driver_decoders(struct device *d)
{
	char path[PATH_MAX];
	FILE *f;

	if (strcmp(d->driver, DRIVER) ||
	    device_path(path, sizeof(path), d->address, "cxl_vfio/decoders"))
		return false;
	f = fopen(path, "r");
	if (!f)
		return false;
	while (d->nr_ranges < MAX_RANGES &&
	       fscanf(f, "%*u %" SCNx64 " %" SCNx64, &d->range[d->nr_ranges].base,
		      &d->range[d->nr_ranges].size) == 2)
		d->nr_ranges++;
	fclose(f);
	return d->nr_ranges;
}

/* Does the kernel use the range as RAM? */
static bool is_system_ram(const struct hdm_range *r)
{
	char path[PATH_MAX], line[256];
	bool ram = false;
	FILE *f;

	if (make_path(path, sizeof(path), "/proc/iomem"))
		return false;
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		uint64_t from, to;

		if (strstr(line, ": System RAM") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2 && to &&
		    from < r->base + r->size && to >= r->base)
			ram = true;
	}
	if (f)
		fclose(f);
	return ram;
}

static void judge(struct device *d)
{
	if (*d->reason)
		return;
	if (d->iommu_group < 0) {
		snprintf(d->reason, sizeof(d->reason), "the device is in no IOMMU group: turn the IOMMU on (intel_iommu=on)");
	} else if (!d->nr_ranges) {
		snprintf(d->reason, sizeof(d->reason), "no HDM decoder is committed: enable this in firmware setup");
	} else {
		for (unsigned int i = 0; i < d->nr_ranges && !*d->reason; i++)
			if (is_system_ram(&d->range[i]))
				snprintf(d->reason, sizeof(d->reason), "the kernel uses the device's memory as System RAM: have firmware mark it as special purpose");
	}
}

/* Does the function leave BARs 0 and 1, 2 and 3 or 4 and 5 to a virtual BAR? */
static bool has_free_bars(struct pci_dev *p)
{
	unsigned int used = 0;

	pci_fill_info(p, PCI_FILL_SIZES);
	for (unsigned int bar = 0; bar < 6; bar++) {
		uint32_t val = pci_read_long(p, PCI_BASE_ADDRESS_0 + 4 * bar);

		if (!val && !p->size[bar])
			continue;
		used |= 1u << bar;
		/* A 64-bit BAR may start at any register and takes the next one too */
		if (!(val & PCI_BASE_ADDRESS_SPACE_IO) &&
		    (val & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
			used |= 1u << ++bar;
	}
	return !(used & 3) || !(used & 3 << 2) || !(used & 3 << 4);
}

/* Fill in @d; false if @p shows no CXL memory */
static bool look_at(struct pci_access *access, struct pci_dev *p, struct device *d)
{
	char path[PATH_MAX], group[32];
	uint16_t dvsec, cap;

	memset(d, 0, sizeof(*d));
	pci_fill_info(p, PCI_FILL_IDENT | PCI_FILL_CLASS);
	snprintf(d->address, sizeof(d->address), "%04x:%02x:%02x.%x", p->domain & 0xffff, p->bus,
		 p->dev & 0x1f, p->func & 7);
	dvsec = find_dvsec(p, CXL_VFIO_DVSEC_ID_DEVICE);
	if (!dvsec)
		return false;
	cap = pci_read_word(p, dvsec + CXL_VFIO_DVSEC_CAP);
	if (cap == 0xffff || !(cap & CXL_VFIO_DVSEC_CAP_MEM))
		return false;

	d->vendor = p->vendor_id;
	d->device = p->device_id;
	d->class = p->device_class;
	pci_lookup_name(access, d->name, sizeof(d->name), PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
			p->vendor_id, p->device_id);
	if (!device_path(path, sizeof(path), d->address, "driver"))
		read_link_name(path, d->driver, sizeof(d->driver));
	if (!device_path(path, sizeof(path), d->address, "driver_override"))
		read_line(path, d->override, sizeof(d->override));
	if (!strcmp(d->override, "(null)"))
		*d->override = 0;
	d->iommu_group = -1;
	if (!device_path(path, sizeof(path), d->address, "iommu_group") &&
	    !read_link_name(path, group, sizeof(group)))
		d->iommu_group = atoi(group);
	d->free_bars = has_free_bars(p);
	if (!driver_decoders(d))
		map_decoders(d, p);
	if (strcmp(d->driver, DRIVER))
		judge(d);
	return true;
}

static void ignore(char *msg, ...)
{
	(void)msg;
}

/* libpci expects its error callback not to return */
static __attribute__((noreturn)) void libpci_failed(char *msg, ...)
{
	complain("libpci: %s", msg);
	exit(EXIT_FAILED);
}

static struct pci_access *open_bus(void)
{
	struct pci_access *access = pci_alloc();
	char path[PATH_MAX];

	access->error = libpci_failed;
	access->warning = ignore;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	if (!make_path(path, sizeof(path), "/sys/bus/pci"))
		pci_set_param(access, "sysfs.path", path);
	pci_init(access);
	pci_scan_bus(access);
	return access;
}

int find_devices(struct device *devices, unsigned int max)
{
	struct pci_access *access = open_bus();
	unsigned int n = 0;

	for (struct pci_dev *p = access->devices; p && n < max; p = p->next)
		n += look_at(access, p, &devices[n]);
	pci_cleanup(access);
	return n;
}

int find_device(const char *address, struct device *d)
{
	struct pci_access *access;
	unsigned int domain, bus, slot, func;
	struct pci_dev *p;
	char path[PATH_MAX];
	int ret = -ENODEV;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4 ||
	    device_path(path, sizeof(path), address, "%s", ""))
		return -EINVAL;
	if (!exists(path)) {
		complain("%s: there is no such PCI function; see `lspci`", address);
		return -ENODEV;
	}
	access = open_bus();
	p = pci_get_dev(access, domain, bus, slot, func);
	if (look_at(access, p, d))
		ret = 0;
	else if (geteuid())
		complain("%s: only root can read its config space; use sudo", address);
	else
		complain("%s: not a CXL device with memory; see `cxl-vfio list`", address);
	pci_free_dev(p);
	pci_cleanup(access);
	return ret;
}

static struct json_object *hex(uint64_t val, int digits)
{
	char s[32];

	snprintf(s, sizeof(s), "0x%0*" PRIx64, digits, val);
	return json_object_new_string(s);
}

struct json_object *device_json(const struct device *d)
{
	struct json_object *o = json_object_new_object(), *ranges = json_object_new_array();

	json_object_object_add(o, "address", json_object_new_string(d->address));
	json_object_object_add(o, "vendor_id", hex(d->vendor, 4));
	json_object_object_add(o, "device_id", hex(d->device, 4));
	json_object_object_add(o, "class", hex(d->class, 4));
	json_object_object_add(o, "name", json_object_new_string(d->name));
	if (*d->driver)
		json_object_object_add(o, "driver", json_object_new_string(d->driver));
	if (*d->override)
		json_object_object_add(o, "driver_override", json_object_new_string(d->override));
	if (d->iommu_group >= 0)
		json_object_object_add(o, "iommu_group", json_object_new_int(d->iommu_group));
	for (unsigned int i = 0; i < d->nr_ranges; i++) {
		struct json_object *r = json_object_new_object();

		json_object_object_add(r, "base", hex(d->range[i].base, 1));
		json_object_object_add(r, "size", json_object_new_int64(d->range[i].size));
		json_object_array_add(ranges, r);
	}
	json_object_object_add(o, "hdm_ranges", ranges);
	json_object_object_add(o, "free_bars", json_object_new_boolean(d->free_bars));
	json_object_object_add(o, "usable", json_object_new_boolean(!*d->reason));
	if (*d->reason)
		json_object_object_add(o, "reason", json_object_new_string(d->reason));
	return o;
}
