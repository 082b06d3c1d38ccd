// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds PCI functions with CXL memory, and those that are bound to the driver, and reads
 * their properties.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pci/pci.h>

#include "tool.h"

/* Read the decoders or ranges of a bound device from the driver's files in sysfs */
static void driver_decoders(struct device *d)
{
	char path[PATH_MAX], line[32];
	FILE *f;

	if (device_path(path, sizeof(path), d->address, "cxl_vfio/decoders"))
		return;
	f = fopen(path, "r");
	if (!f)
		return;
	while (d->nr_ranges < MAX_RANGES &&
	       fscanf(f, "%*u %" SCNx64 " %" SCNx64, &d->range[d->nr_ranges].base,
		      &d->range[d->nr_ranges].size) == 2)
		d->nr_ranges++;
	fclose(f);
	/* An older driver, which has no such file, takes decoders alone */
	d->by_ranges = !device_path(path, sizeof(path), d->address, "cxl_vfio/source") &&
		       !read_line(path, line, sizeof(line)) && !strcmp(line, "ranges");
}

#define OSRELEASE	"/proc/sys/kernel/osrelease"
#define IOMMUS		"/sys/class/iommu"
#define NO_IOMMU	"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

bool no_iommu_mode(void)
{
	char path[PATH_MAX], line[8];

	return !make_path(path, sizeof(path), NO_IOMMU) &&
	       !read_line(path, line, sizeof(line)) && *line == 'Y';
}

static bool has_vfs(const struct device *d)
{
	char path[PATH_MAX], line[16];

	return !device_path(path, sizeof(path), d->address, "sriov_numvfs") &&
	       !read_line(path, line, sizeof(line)) && atoi(line) > 0;
}

int iommu_group_of(const char *address)
{
	char path[PATH_MAX], group[32];

	if (device_path(path, sizeof(path), address, "iommu_group") ||
	    read_link_name(path, group, sizeof(group)))
		return -1;
	return atoi(group);
}

bool has_group_only_with_driver(const struct device *d)
{
	char path[PATH_MAX], line[64];
	unsigned int major, minor;
	struct dirent *entry;
	bool iommu = false;
	DIR *dir;

	if (d->iommu_group >= 0 || *d->driver || make_path(path, sizeof(path), OSRELEASE) ||
	    read_line(path, line, sizeof(line)) || sscanf(line, "%u.%u", &major, &minor) != 2 ||
	    major > 6 || (major == 6 && minor >= 15) || make_path(path, sizeof(path), IOMMUS))
		return false;
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		iommu |= entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return iommu;
}

__attribute__((format(printf, 4, 5)))
static void cannot(struct judgement *j, int err, const char *reason, const char *fmt, ...)
{
	va_list args;

	j->verdict = CANNOT;
	j->err = err;
	j->reason = reason;
	va_start(args, fmt);
	vsnprintf(j->message, sizeof(j->message), fmt, args);
	va_end(args);
}

/* What vfio-pci-core refuses, after the driver */
static void judge_core(struct device *d)
{
	struct judgement *j = &d->judgement;

	if (j->verdict != CAN && j->verdict != UNSURE)
		return;
	if (has_vfs(d)) {
		cannot(j, EBUSY, "vfs-enabled", "virtual functions of the device are enabled");
		snprintf(j->remedy, sizeof(j->remedy), "remove them");
		snprintf(j->commands, sizeof(j->commands),
			 "echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs", d->address);
	} else if (has_group_only_with_driver(d)) {
		if (j->verdict == UNSURE)
			return;
		cannot(j, 0, "group-at-bind",
		       "the kernel puts the device into an IOMMU group when a driver is bound, before Linux 6.15");
		j->verdict = UNSURE;
	} else if (d->iommu_group < 0 && !no_iommu_mode()) {
		cannot(j, EINVAL, "no-iommu-group", "the device is in no IOMMU group");
		snprintf(j->remedy, sizeof(j->remedy), "%s", iommu_remedy());
	}
}

static bool has_vbar(const struct device *d)
{
	char path[PATH_MAX], line[16];

	return !device_path(path, sizeof(path), d->address, "cxl_vfio/vbar") &&
	       !read_line(path, line, sizeof(line)) && strcmp(line, "none");
}

/* A function is found by its driver, whatever its registers read, or by its DVSEC */
static void find_memory(struct device *d)
{
	struct judgement *j = &d->judgement;
	char path[PATH_MAX];

	d->bound = !strcmp(d->driver, DRIVER);
	if (d->bound) {
		*j = (struct judgement){ .reason = "" };
		if (device_path(path, sizeof(path), d->address, "cxl_vfio/gate") || !exists(path))
			j->verdict = PLAIN;
		driver_decoders(d);
		return;
	}
	judge_device(d->address, j);
	d->nr_ranges = j->nr_ranges;
	d->by_ranges = j->by_ranges;
	memcpy(d->range, j->range, sizeof(d->range));
	judge_core(d);
}

/* Fill in @d; false if @p has no CXL memory and is not bound to the driver */
static bool look_at(struct pci_access *access, struct pci_dev *p, struct device *d)
{
	char path[PATH_MAX];

	memset(d, 0, sizeof(*d));
	pci_fill_info(p, PCI_FILL_IDENT | PCI_FILL_CLASS);
	snprintf(d->address, sizeof(d->address), "%04x:%02x:%02x.%x", p->domain, p->bus,
		 p->dev & 0x1f, p->func & 7);
	if (!device_path(path, sizeof(path), d->address, "driver"))
		read_link_name(path, d->driver, sizeof(d->driver));
	d->iommu_group = iommu_group_of(d->address);
	find_memory(d);
	if (d->judgement.verdict == PLAIN && !d->bound)
		return false;

	d->vendor = p->vendor_id;
	d->device = p->device_id;
	d->class = p->device_class;
	pci_lookup_name(access, d->name, sizeof(d->name), PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
			p->vendor_id, p->device_id);
	if (!device_path(path, sizeof(path), d->address, "driver_override"))
		read_line(path, d->override, sizeof(d->override));
	if (!strcmp(d->override, "(null)"))
		*d->override = 0;
	d->free_bars = d->bound ? has_vbar(d) || has_free_bars(d->address) :
				  d->judgement.free_bars;
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
		n += look_at(access, p, &devices[n]) && devices[n].judgement.verdict != PLAIN;
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
		refuse("no-device", "%s: there is no such PCI function; see `lspci`", address);
		return -ENODEV;
	}
	access = open_bus();
	p = pci_get_dev(access, domain, bus, slot, func);
	if (look_at(access, p, d))
		ret = 0;
	else if (geteuid())
		refuse("not-root", "%s: only root can read its config space; use sudo", address);
	else
		refuse("not-cxl", "%s: not a CXL device with memory; see `cxl-vfio list`", address);
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

static void judgement_json(const struct judgement *j, struct json_object *o)
{
	if (j->verdict != UNSURE)
		json_object_object_add(o, "usable", json_object_new_boolean(j->verdict == CAN));
	if (!*j->reason)
		return;
	json_object_object_add(o, "reason", json_object_new_string(j->reason));
	json_object_object_add(o, "message", json_object_new_string(j->message));
	if (j->err)
		json_object_object_add(o, "errno",
				       json_object_new_string(strerrorname_np(j->err)));
	if (*j->remedy)
		json_object_object_add(o, "remedy", json_object_new_string(j->remedy));
	if (*j->commands)
		json_object_object_add(o, "commands", json_object_new_string(j->commands));
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
	if (d->nr_ranges)
		json_object_object_add(o, "source", json_object_new_string(d->by_ranges ?
									   "ranges" : "decoders"));
	json_object_object_add(o, "free_bars", json_object_new_boolean(d->free_bars));
	judgement_json(&d->judgement, o);
	return o;
}
