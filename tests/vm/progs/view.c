// SPDX-License-Identifier: GPL-2.0-only
/*
 * view - print what VFIO shows of a device, to be compared with another driver's
 *
 * One fact a line: key|value|place.  Two drivers of the same device print the same keys
 * for what both show.  Names of places come from configuration space as the kernel reads
 * it itself, so that they do not depend on the driver.
 *
 * Bytes of configuration space are facts, and so are the bits of each that a user can
 * write.  Accesses of other sizes are facts only where they disagree with bytes.  Next
 * pointers are facts of their own: they differ wherever a capability is hidden.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define SIZE		0x1000
#define EXT		0x100
#define FEATURES	64
#define EXT_CAP_IDE	0x30

/* Names of capabilities, and the bytes of those that do not state their length */
static const struct name {
	uint16_t id;
	uint16_t length;
	const char *name;
} std_names[] = {
	{ PCI_CAP_ID_PM, 8, "Power Management" },
	{ PCI_CAP_ID_MSI, 0x18, "MSI" },
	{ PCI_CAP_ID_EXP, 0x3c, "PCI Express" },
	{ PCI_CAP_ID_MSIX, 12, "MSI-X" },
}, ext_names[] = {
	{ PCI_EXT_CAP_ID_ERR, 0x48, "Advanced Error Reporting" },
	{ PCI_EXT_CAP_ID_VC, 0x1c, "Virtual Channel" },
	{ PCI_EXT_CAP_ID_DSN, 0x0c, "Device Serial Number" },
	{ PCI_EXT_CAP_ID_MFVC, 0x1c, "Multi-Function Virtual Channel" },
	{ PCI_EXT_CAP_ID_VC9, 0x1c, "Virtual Channel 9" },
	{ PCI_EXT_CAP_ID_VNDR, 0, "Vendor-Specific" },
	{ PCI_EXT_CAP_ID_ACS, 8, "Access Control Services" },
	{ PCI_EXT_CAP_ID_ARI, 8, "Alternative Routing-ID" },
	{ PCI_EXT_CAP_ID_ATS, 8, "Address Translation Services" },
	{ PCI_EXT_CAP_ID_SRIOV, 0x40, "SR-IOV" },
	{ PCI_EXT_CAP_ID_PRI, 0x10, "Page Request Interface" },
	{ PCI_EXT_CAP_ID_REBAR, 0x0c, "Resizable BAR" },
	{ PCI_EXT_CAP_ID_LTR, 8, "Latency Tolerance Reporting" },
	{ PCI_EXT_CAP_ID_PASID, 8, "PASID" },
	{ PCI_EXT_CAP_ID_DVSEC, 0, "DVSEC" },
	{ PCI_EXT_CAP_ID_DOE, 0x18, "Data Object Exchange" },
	{ EXT_CAP_IDE, 0x20, "Integrity and Data Encryption" },
}, dvsec_names[] = {
	{ CXL_VFIO_DVSEC_ID_DEVICE, 0, "CXL Device DVSEC" },
	{ 2, 0, "Non-CXL Function Map DVSEC" },
	{ 5, 0, "GPF for Devices DVSEC" },
	{ CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0, "Flex Bus Port DVSEC" },
	{ CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0, "Register Locator DVSEC" },
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/*
 * Bits that are never written.  Everything else is written: the device is a software one,
 * and what a write changes is written back.
 */
static const struct {
	const char *name;
	uint16_t at;
	uint32_t bits;
	const char *why;
} left_out[] = {
	{ "header", PCI_CACHE_LINE_SIZE, 0x40000000, "Start BIST starts a self test" },
	{ "Power Management", PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK, "has a test of its own below" },
	{ "PCI Express", PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, "resets the function" },
	{ "PCI Express", PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_LD | PCI_EXP_LNKCTL_RL, "drops the link" },
	{ "Software Device Control", T2DEV_CTL_DATA, ~0u, "changes the software device" },
	{ "Software Device Control", T2DEV_CTL_GO, ~0u, "changes the software device" },
	{ "Data Object Exchange", PCI_DOE_CTRL, PCI_DOE_CTRL_GO | PCI_DOE_CTRL_ABORT,
	  "mailboxes have a test of their own below" },
	{ "Data Object Exchange", PCI_DOE_WRITE, ~0u, "mailboxes have a test of their own below" },
	{ "Data Object Exchange", PCI_DOE_READ, ~0u, "mailboxes have a test of their own below" },
	{ "CXL Device DVSEC", CXL_VFIO_DVSEC_CTRL2,
	  CXL_VFIO_DVSEC_CTRL2_INIT_WBI | CXL_VFIO_DVSEC_CTRL2_INIT_RST, "are doorbells" },
	{ "CXL Device DVSEC", CXL_VFIO_DVSEC_LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK,
	  "cannot be undone but by a reset of the bus" },
};

/* A part of configuration space with a name */
struct part {
	uint16_t at;
	uint16_t end;
	bool capability;
	char name[64];
};

static struct vfio dev;
static struct part parts[128];
static unsigned int num_parts;
static uint8_t hardware[SIZE];		/* as the kernel reads it */
static uint8_t skip[SIZE];		/* bits that are never written */
static uint8_t bytes[SIZE];		/* as a user reads it, byte by byte */

__attribute__((format(printf, 3, 4)))
static void fact(const char *key, const char *place, const char *fmt, ...)
{
	va_list ap;

	printf("%s|", key);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("|%s\n", place);
}

/* A fact about a place in configuration space, with the name of the place */
__attribute__((format(printf, 3, 4)))
static void config_fact(const char *what, uint32_t at, const char *fmt, ...)
{
	const struct part *p = NULL;
	char value[128];
	va_list ap;

	for (unsigned int i = 0; i < num_parts; i++)
		if (at >= parts[i].at && at < parts[i].end)
			p = &parts[i];
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	printf("%s 0x%03x|%s|", what, at, value);
	if (p)
		printf("%s 0x%02x\n", p->name, at - p->at);
	else
		puts("no capability");
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static const char *name_of(const struct name *names, unsigned int n, uint16_t id,
			   uint32_t *length)
{
	for (unsigned int i = 0; i < n; i++) {
		if (names[i].id != id)
			continue;
		if (names[i].length)
			*length = names[i].length;
		return names[i].name;
	}
	return NULL;
}

static void add_part(uint32_t at, uint32_t length, bool capability, const char *name)
{
	struct part *p = &parts[num_parts];

	if (num_parts == COUNT(parts))
		return;
	num_parts++;
	p->at = at;
	p->end = at + length < SIZE ? at + length : SIZE;
	p->capability = capability;
	snprintf(p->name, sizeof(p->name), "%s", name);
}

static void add_std(uint32_t at)
{
	uint32_t length = 2;
	char other[64];
	const char *name = name_of(std_names, COUNT(std_names), hardware[at], &length);

	snprintf(other, sizeof(other), "capability of id 0x%02x", hardware[at]);
	add_part(at, length, true, name ?: other);
}

static void add_ext(uint32_t at)
{
	uint16_t id = get16(hardware + at), vendor = get16(hardware + at + 4);
	uint32_t length = 4;
	const char *name = name_of(ext_names, COUNT(ext_names), id, &length);
	char other[64];

	snprintf(other, sizeof(other), "extended capability of id 0x%04x", id);
	if (id == PCI_EXT_CAP_ID_DVSEC || id == PCI_EXT_CAP_ID_VNDR)
		length = get32(hardware + at + 4) >> 20;
	if (id == PCI_EXT_CAP_ID_VNDR && vendor == T2DEV_VSEC_ID)
		name = "Software Device Control";
	if (id == PCI_EXT_CAP_ID_DVSEC) {
		uint16_t dvsec = get16(hardware + at + 8);

		snprintf(other, sizeof(other), "DVSEC %u of vendor 0x%04x", dvsec, vendor);
		name = NULL;
		if (vendor == CXL_VFIO_DVSEC_VENDOR_ID)
			name = name_of(dvsec_names, COUNT(dvsec_names), dvsec, &length);
	}
	add_part(at, length, true, name ?: other);
}

/* Call @each for every capability of a copy of configuration space */
static void walk(const uint8_t *config, void (*each_std)(uint32_t at),
		 void (*each_ext)(uint32_t at))
{
	uint32_t at = config[PCI_CAPABILITY_LIST] & ~3u;

	for (int left = 48; at >= 0x40 && left--; at = config[at + 1] & ~3u)
		each_std(at);
	at = EXT;
	for (int left = 512; at >= EXT && left--; at = get32(config + at) >> 20 & ~3u) {
		if (!get32(config + at) || !~get32(config + at))
			break;
		each_ext(at);
	}
}

static void leave_out(const struct part *p)
{
	for (unsigned int i = 0; i < COUNT(left_out); i++) {
		uint32_t at = p->at + left_out[i].at;

		if (strcmp(left_out[i].name, p->name) || at + 4 > p->end)
			continue;
		for (unsigned int byte = 0; byte < 4; byte++)
			skip[at + byte] |= left_out[i].bits >> 8 * byte;
		config_fact("not written", at, "0x%x %s", left_out[i].bits, left_out[i].why);
	}
}

/* Read configuration space by the kernel and give its parts their names */
static int read_hardware(const char *bdf)
{
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, hardware, SIZE, 0) != SIZE)
		ret = -EIO;
	close(fd);
	add_part(0, 0x40, false, "header");
	walk(hardware, add_std, add_ext);
	for (unsigned int i = 0; i < num_parts; i++)
		leave_out(&parts[i]);
	return ret;
}

static void flags(const char *key, const char *place, uint32_t val, const char *const *names,
		  unsigned int n)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "0x%x", val);

	for (unsigned int i = 0; i < n; i++)
		if (val & (1u << i) && names[i])
			len += snprintf(text + len, sizeof(text) - len, " %s", names[i]);
	fact(key, place, "%s", text);
}

/* Where a capability of an info structure ends: at the next one or at the end */
static uint32_t cap_end(void *info, uint32_t first, uint32_t at, uint32_t end)
{
	struct vfio_info_cap_header *cap;

	for (uint32_t other = first; other; other = cap->next) {
		cap = info + other;
		if (other > at && other < end)
			end = other;
	}
	return end;
}

static void show_sparse(const char *key, const char *place,
			const struct vfio_region_info_cap_sparse_mmap *cap)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "can be mapped:");

	for (unsigned int i = 0; i < cap->nr_areas && len < (int)sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, " 0x%llx+0x%llx",
				(unsigned long long)cap->areas[i].offset,
				(unsigned long long)cap->areas[i].size);
	fact(key, place, "%s", text);
}

static void show_cxl(const char *key, const struct cxl_vfio_device_info_cap_v3 *cap)
{
	fact(key, "device",
	     "flags 0x%x HDM in region %u registers in region %u and BAR %u 0x%llx+0x%llx",
	     cap->flags, cap->hdm_region_idx, cap->comp_reg_region_idx, cap->comp_reg_bar,
	     (unsigned long long)cap->comp_reg_offset, (unsigned long long)cap->comp_reg_size);
}

/* Bytes of a capability of an info structure of which the last ones are not 0 */
static void show_other(const char *key, const char *place, const uint8_t *p, uint32_t n)
{
	char text[2 * INFO_SIZE + 1] = "bytes ";
	int len = strlen(text);

	while (n && !p[n - 1])
		n--;
	for (uint32_t i = 0; i < n; i++)
		len += snprintf(text + len, sizeof(text) - len, "%02x", p[i]);
	fact(key, place, "%s", text);
}

static void show_caps(const char *what, const char *place, void *info, uint32_t first,
		      uint32_t end, bool region)
{
	struct vfio_info_cap_header *cap;
	char key[64];

	for (uint32_t at = first; at; at = cap->next) {
		cap = info + at;
		snprintf(key, sizeof(key), "%s capability %u version %u", what, cap->id,
			 cap->version);
		if (region && cap->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
			show_sparse(key, place, (void *)cap);
		} else if (region && cap->id == VFIO_REGION_INFO_CAP_TYPE) {
			struct vfio_region_info_cap_type *type = (void *)cap;

			fact(key, place, "type 0x%x subtype %u", type->type, type->subtype);
		} else if (!region && cap->id == VFIO_DEVICE_INFO_CAP_CXL) {
			show_cxl(key, (void *)cap);
		} else {
			show_other(key, place, (uint8_t *)(cap + 1),
				   cap_end(info, first, at, end) - at - sizeof(*cap));
		}
	}
}

static void show_device(void)
{
	static const char * const names[] = {
		"reset", "pci", "platform", "amba", "ccw", "ap", "fsl-mc", "caps", "cdx", "cxl",
	};

	flags("device flags", "device", dev.info.flags, names, COUNT(names));
	fact("device regions", "device", "%u", dev.info.num_regions);
	fact("device interrupts", "device", "%u", dev.info.num_irqs);
	if (dev.info.flags & VFIO_DEVICE_FLAGS_CAPS)
		show_caps("device", "device", &dev.info, dev.info.cap_offset, dev.info.argsz,
			  false);
}

static void show_dword(uint32_t index, const char *place, const char *which, uint64_t at)
{
	uint32_t val = 0;
	ssize_t ret = region_read(&dev, index, at, &val, sizeof(val));
	char key[64];

	snprintf(key, sizeof(key), "region %02u %s dword", index, which);
	if (ret == sizeof(val))
		fact(key, place, "0x%08x", val);
	else
		fact(key, place, "read returns %zd", ret);
}

static void show_region(uint32_t index)
{
	static const char * const names[] = { "read", "write", "mmap", "caps" };
	static const char * const places[] = {
		"BAR 0", "BAR 1", "BAR 2", "BAR 3", "BAR 4", "BAR 5", "expansion ROM",
		"configuration space", "VGA",
	};
	const char *place = index < COUNT(places) ? places[index] : "more regions";
	struct vfio_region_info *info = vfio_region(&dev, index);
	char key[64];

	snprintf(key, sizeof(key), "region %02u", index);
	if (index >= dev.info.num_regions)
		snprintf(key, sizeof(key), "region past the last");
	if (!info) {
		fact(key, place, "%s", strerrorname_np(errno));
		return;
	}
	snprintf(key, sizeof(key), "region %02u size", index);
	fact(key, place, "0x%llx", (unsigned long long)info->size);
	snprintf(key, sizeof(key), "region %02u flags", index);
	flags(key, place, info->flags, names, COUNT(names));
	snprintf(key, sizeof(key), "region %02u offset", index);
	fact(key, place, "0x%llx", (unsigned long long)info->offset);
	snprintf(key, sizeof(key), "region %02u", index);
	if (info->flags & VFIO_REGION_INFO_FLAG_CAPS)
		show_caps(key, place, info, info->cap_offset, info->argsz, true);
	if (index < VFIO_PCI_ROM_REGION_INDEX && info->size) {
		show_dword(index, place, "first", 0);
		show_dword(index, place, "last", info->size - 4);
	}
	free(info);
}

static void show_interrupt(uint32_t index)
{
	static const char * const names[] = { "eventfd", "maskable", "automasked", "noresize" };
	static const char * const places[] = { "INTx", "MSI", "MSI-X", "error", "request" };
	const char *place = index < COUNT(places) ? places[index] : "more interrupts";
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
	char key[64];

	snprintf(key, sizeof(key), "interrupt %u", index);
	if (ioctl(dev.device, VFIO_DEVICE_GET_IRQ_INFO, &info)) {
		fact(key, place, "%s", strerrorname_np(errno));
		return;
	}
	fact(key, place, "%u vectors", info.count);
	snprintf(key, sizeof(key), "interrupt %u flags", index);
	flags(key, place, info.flags, names, COUNT(names));
}

static bool feature(uint32_t flags)
{
	struct vfio_device_feature f = {
		.argsz = sizeof(f),
		.flags = VFIO_DEVICE_FEATURE_PROBE | flags,
	};

	return !ioctl(dev.device, VFIO_DEVICE_FEATURE, &f);
}

static void show_features(void)
{
	static const char * const names[] = {
		"PCI VF token", "migration", "migration state", "low power entry",
		"low power entry with wakeup", "low power exit", "DMA logging start",
		"DMA logging stop", "DMA logging report", "migration data size", "bus master",
		"dma-buf",
	};

	for (uint32_t i = 0; i < FEATURES; i++) {
		const char *place = i < COUNT(names) ? names[i] : "more features";
		bool get = feature(VFIO_DEVICE_FEATURE_GET | i);
		bool set = feature(VFIO_DEVICE_FEATURE_SET | i);
		char key[64];

		snprintf(key, sizeof(key), "feature %02u", i);
		if (get || set)
			fact(key, place, "%s%s", get ? "get" : "", set ? "set" : "");
	}
}

static void show_hot_reset(void)
{
	union {
		struct vfio_pci_hot_reset_info info;
		uint8_t room[sizeof(struct vfio_pci_hot_reset_info) +
			     32 * sizeof(struct vfio_pci_dependent_device)];
	} u = { .info.argsz = sizeof(u) };
	char text[512] = "";
	int len = 0;

	if (ioctl(dev.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &u.info)) {
		fact("hot reset", "device", "%s", strerrorname_np(errno));
		return;
	}
	for (uint32_t i = 0; i < u.info.count && len < (int)sizeof(text); i++) {
		const struct vfio_pci_dependent_device *d = &u.info.devices[i];

		len += snprintf(text + len, sizeof(text) - len, " %04x:%02x:%02x.%x",
				d->segment, d->bus, d->devfn >> 3, d->devfn & 7);
	}
	fact("hot reset", "device", "resets%s", text);
}

/* Read @n bytes: all of them, or the result is a fact */
static uint64_t get(uint32_t at, unsigned int n)
{
	uint64_t val = 0;
	ssize_t ret = region_read(&dev, CONFIG, at, &val, n);

	if (ret == (ssize_t)n)
		return val;
	config_fact("read failed", at, "%u bytes: %zd", n, ret);
	return ~0ull >> (64 - 8 * n);
}

static void put(uint32_t at, uint64_t val, unsigned int n)
{
	ssize_t ret = region_write(&dev, CONFIG, at, &val, n);

	if (ret != (ssize_t)n)
		config_fact("write failed", at, "%u bytes: %zd", n, ret);
}

static uint64_t by_bytes(uint32_t at, unsigned int n)
{
	uint64_t val = 0;

	for (unsigned int i = 0; i < n; i++)
		val |= get(at + i, 1) << 8 * i;
	return val;
}

static void show_std(uint32_t at)
{
	config_fact("capability", at, "id 0x%02x", bytes[at]);
	config_fact("next", at, "0x%03x", bytes[at + 1]);
}

static void show_ext(uint32_t at)
{
	uint32_t header = get32(bytes + at);

	config_fact("capability", at, "id 0x%04x version %u", header & 0xffff,
		    header >> 16 & 0xf);
	config_fact("next", at, "0x%03x", header >> 20);
}

/* The bits of a byte that are a next pointer */
static uint8_t next_bits(uint32_t at)
{
	for (unsigned int i = 0; i < num_parts; i++) {
		const struct part *p = &parts[i];

		if (!p->capability)
			continue;
		if (p->at < EXT && at == p->at + 1u)
			return 0xff;
		if (p->at >= EXT && at == p->at + 2u)
			return 0xf0;
		if (p->at >= EXT && at == p->at + 3u)
			return 0xff;
	}
	return at == PCI_CAPABILITY_LIST ? 0xff : 0;
}

/* RESULT and TOUCHED of the software device say what tests did, and nothing about drivers */
static bool is_live(uint32_t at)
{
	for (unsigned int i = 0; i < num_parts; i++)
		if (!strcmp(parts[i].name, "Software Device Control") &&
		    at >= parts[i].at + (uint32_t)T2DEV_CTL_RESULT && at < parts[i].end)
			return true;
	return false;
}

static void show_bytes(void)
{
	for (uint32_t at = 0; at < SIZE; at++)
		bytes[at] = get(at, 1);
	config_fact("next", PCI_CAPABILITY_LIST, "0x%03x", bytes[PCI_CAPABILITY_LIST]);
	walk(bytes, show_std, show_ext);
	for (uint32_t at = 0; at < SIZE; at++)
		if (next_bits(at) != 0xff && !is_live(at))
			config_fact("config", at, "%02x", bytes[at] & ~next_bits(at));
}

/* Is there anything in or right before a dword? */
static bool in_use(uint32_t at)
{
	for (unsigned int i = 0; i < num_parts; i++)
		if (at + 8 > parts[i].at && at < parts[i].end)
			return true;
	return get32(hardware + at) || get32(bytes + at);
}

/* A read of @n bytes that bytes contradict, and not because the place is a live one */
static void compare_read(uint32_t at, unsigned int n)
{
	uint64_t before = 0, val;

	if (at + n > SIZE)
		return;
	val = get(at, n);
	for (unsigned int i = 0; i < n; i++)
		before |= (uint64_t)bytes[at + i] << 8 * i;
	if (val == before)
		return;
	for (int tries = 3; tries--;) {
		before = by_bytes(at, n);
		val = get(at, n);
		if (val == before || before != by_bytes(at, n))
			return;
	}
	config_fact(n == 2 ? "read of 2 bytes" : n == 4 ? "read of 4 bytes" : "read of 8 bytes",
		    at, "0x%llx, its bytes read 0x%llx", (unsigned long long)val,
		    (unsigned long long)before);
}

static void compare_reads(void)
{
	for (uint32_t at = 0; at < SIZE; at += 4) {
		if (!in_use(at)) {
			compare_read(at, 4);
			continue;
		}
		for (uint32_t i = at; i < at + 4; i++) {
			compare_read(i, 2);
			compare_read(i, 4);
			compare_read(i, 8);
		}
	}
}

/* The border of the region, where VFIO cuts or refuses an access */
static void show_border(void)
{
	static const struct {
		uint32_t at, n;
	} tries[] = { { SIZE - 1, 2 }, { SIZE - 2, 4 }, { SIZE - 4, 8 }, { SIZE, 1 } };
	uint64_t val;

	for (unsigned int i = 0; i < COUNT(tries); i++) {
		char key[64];

		snprintf(key, sizeof(key), "read of %u bytes past the end 0x%04x", tries[i].n,
			 tries[i].at);
		fact(key, "configuration space", "%zd",
		     region_read(&dev, CONFIG, tries[i].at, &val, tries[i].n));
	}
}

/* What a place reads after a write of ones, and after one of zeros */
struct written {
	uint64_t ones, zeros;
};

/* Write @n bytes, and what they read before; the bits to leave alone keep their value */
static struct written try_write(uint32_t at, unsigned int n)
{
	uint64_t keep = 0, old, after, all = ~0ull >> (64 - 8 * n);
	struct written w;

	for (unsigned int i = 0; i < n; i++)
		keep |= (uint64_t)skip[at + i] << 8 * i;
	old = get(at, n);
	w.ones = old;
	w.zeros = old;
	/* Even a write of the old value would do something */
	if (keep == all)
		return w;
	put(at, (all & ~keep) | (old & keep), n);
	w.ones = get(at, n);
	put(at, old & keep, n);
	w.zeros = get(at, n);
	if (w.ones == old && w.zeros == old)
		return w;
	put(at, old, n);
	after = get(at, n);
	if (after != old && get(at, n) != old)
		config_fact("changed by writes", at, "0x%llx was 0x%llx",
			    (unsigned long long)after, (unsigned long long)old);
	return w;
}

/* The bits that a user can write, and what else reads differently after writes */
static void show_written(const char *what, uint32_t at, const struct written *w, uint8_t was)
{
	uint8_t rw = w->ones & ~w->zeros, ones = w->ones, zeros = w->zeros;

	if (((ones ^ was) | (zeros ^ was)) & (uint8_t)~rw)
		config_fact(what, at, "%02x, %02x reads %02x after ones, %02x after zeros", rw,
			    was, ones, zeros);
	else
		config_fact(what, at, "%02x", rw);
}

/* What a write of more bytes does to one of them that a write of this byte does not */
static void compare_write(const char *what, uint32_t at, const struct written *wide,
			  unsigned int shift, const struct written *byte)
{
	struct written part = { wide->ones >> shift & 0xff, wide->zeros >> shift & 0xff };

	if (part.ones != byte->ones || part.zeros != byte->zeros)
		show_written(what, at, &part, bytes[at]);
}

/* Dwords always; where there is something, bytes, and where they disagree, words and dwords */
static void show_writes_at(uint32_t at)
{
	struct written dword = try_write(at, 4), byte[4], word[2];
	bool all = in_use(at);

	for (unsigned int i = 0; i < 4; i++) {
		byte[i].ones = dword.ones >> 8 * i & 0xff;
		byte[i].zeros = dword.zeros >> 8 * i & 0xff;
		if (all)
			byte[i] = try_write(at + i, 1);
		show_written("writable", at + i, &byte[i], bytes[at + i]);
	}
	if (!all)
		return;
	for (unsigned int i = 0; i < 2; i++)
		word[i] = try_write(at + 2 * i, 2);
	for (unsigned int i = 0; i < 4; i++) {
		compare_write("writable as a word", at + i, &word[i / 2], 8 * (i % 2), &byte[i]);
		compare_write("writable as a dword", at + i, &dword, 8 * i, &byte[i]);
	}
}

static void show_writes(void)
{
	for (uint32_t at = 0; at < SIZE; at += 4)
		if (!is_live(at))
			show_writes_at(at);
}

/* To D3hot and back: what the state reads, and what COMMAND reads afterwards */
static void show_power(void)
{
	for (unsigned int i = 0; i < num_parts; i++) {
		uint32_t at = parts[i].at + PCI_PM_CTRL;
		uint16_t old, low, back;

		if (strcmp(parts[i].name, "Power Management"))
			continue;
		old = get(at, 2);
		put(at, (old & ~PCI_PM_CTRL_STATE_MASK) | 3, 2);
		low = get(at, 2);
		put(at, old & ~PCI_PM_CTRL_STATE_MASK, 2);
		back = get(at, 2);
		config_fact("power state", at, "%04x, %04x in D3hot, %04x back in D0, COMMAND %04x",
			    old, low, back, (unsigned int)get(PCI_COMMAND, 2));
	}
}

/* Does a mailbox answer a user's discovery request?  An abort leaves it as it was */
static void show_exchange(uint32_t at)
{
	static const uint32_t request[] = { 0x00000001, 3, 0 };
	bool ready;

	put(at + PCI_DOE_CTRL, PCI_DOE_CTRL_ABORT, 4);
	for (unsigned int i = 0; i < COUNT(request); i++)
		put(at + PCI_DOE_WRITE, request[i], 4);
	put(at + PCI_DOE_CTRL, PCI_DOE_CTRL_GO, 4);
	ready = get(at + PCI_DOE_STATUS, 4) & PCI_DOE_STATUS_DATA_OBJECT_READY;
	put(at + PCI_DOE_CTRL, PCI_DOE_CTRL_ABORT, 4);
	config_fact("exchange", at, "%s", ready ? "answered" : "no answer");
}

static void show_exchanges(void)
{
	for (unsigned int i = 0; i < num_parts; i++)
		if (!strcmp(parts[i].name, "Data Object Exchange"))
			show_exchange(parts[i].at);
}

/* Bytes that do not have the value that they had at first */
static void show_changes(const char *what)
{
	uint32_t now = 0;

	for (uint32_t at = 0; at < SIZE; at++) {
		if (at % 4 == 0)
			now = get(at, 4);
		if ((uint8_t)now != bytes[at] && !is_live(at))
			config_fact(what, at, "%02x was %02x", (uint8_t)now, bytes[at]);
		now >>= 8;
	}
}

static void show_reset(void)
{
	fact("reset", "device", "%s",
	     ioctl(dev.device, VFIO_DEVICE_RESET) ? strerrorname_np(errno) : "works");
	show_changes("changed by a reset");
}

int main(int argc, char **argv)
{
	int ret;

	if (argc != 2) {
		fputs("usage: view BDF\n", stderr);
		return 2;
	}
	ret = vfio_open(&dev, argv[1]) ?: read_hardware(argv[1]);
	if (ret) {
		fprintf(stderr, "view: %s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	show_device();
	/* Past the last one as well, which has to be an error */
	for (uint32_t i = 0; i < dev.info.num_regions + 1; i++)
		show_region(i);
	for (uint32_t i = 0; i < dev.info.num_irqs + 1; i++)
		show_interrupt(i);
	show_features();
	show_hot_reset();
	show_bytes();
	compare_reads();
	show_border();
	show_writes();
	show_power();
	show_exchanges();
	show_changes("changed in the end");
	show_reset();
	vfio_close(&dev);
	return 0;
}
