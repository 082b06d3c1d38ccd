// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges a device with the driver's own rules: discover.c, claim.c and what they call, over
 * what sysfs gives.  Here are the functions of the kernel that these files call, see
 * kernel/kernel.h.  Nothing is written to the device, and the registers in its BARs are
 * read only in D0 with Memory Space on.
 *
 * Where a rule needs what user space cannot have, the verdict is UNSURE.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/kernel.h"

#include "../src/claim.h"
#include "../src/discover.h"
#include "../src/params.h"
#include "../src/terms.h"
#include "tool.h"

#define MAX_FUNCTIONS	4096

struct shadow {
	bool valid;
	uintptr_t at;
	u32 val;
};

/* The device that is being judged, as the driver's files see it */
static struct host {
	struct pci_dev pdev;
	struct pci_bus bus;
	struct judgement *j;
	int config;
	u8 *map;
	size_t map_len;
	struct shadow ctrl, global;	/* what the driver would write */
	bool stopped;			/* a rule could not be followed further */
	struct pci_dev *functions;	/* all of the host, for claim.c */
	unsigned int nr_functions;
} host;

__attribute__((format(printf, 3, 4)))
static void unsure(bool stop, const char *reason, const char *fmt, ...)
{
	struct judgement *j = host.j;
	va_list args;

	host.stopped |= stop;
	if (j->verdict == UNSURE)
		return;
	j->verdict = UNSURE;
	j->reason = reason;
	va_start(args, fmt);
	vsnprintf(j->message, sizeof(j->message), fmt, args);
	va_end(args);
}

/* A format with its "%#x" as in the kernel, which prints 0x before 0 as well */
static void as_kernel(char *out, size_t size, const char *fmt)
{
	while (*fmt && size > 8) {
		unsigned long width;
		char *end;
		int n = 1;

		if (fmt[0] == '%' && fmt[1] == '#') {
			/* The width of "%#010x" has the prefix */
			width = strtoul(fmt + 2, &end, 10);
			n = width > 2 ? snprintf(out, size, "0x%%0%lu", width - 2) :
					snprintf(out, size, "0x%%");
			fmt = end;
		} else {
			*out = *fmt++;
		}
		out += n;
		size -= n;
	}
	*out = 0;
}

void judge_log(bool error, const char *fmt, ...)
{
	struct judgement *j = host.j;
	char kernel[256];
	va_list args;

	if (!error || host.stopped)
		return;
	as_kernel(kernel, sizeof(kernel), fmt);
	va_start(args, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(j->sentence, sizeof(j->sentence), kernel, args);
#pragma GCC diagnostic pop
	va_end(args);
	j->sentence[strcspn(j->sentence, "\n")] = 0;
}

/* Config space */

static u32 config_read(int at, size_t len)
{
	u32 val = 0;

	if (pread(host.config, &val, len, at) != (ssize_t)len)
		return ~0U;
	return val;
}

int pci_read_config_word(struct pci_dev *pdev, int at, u16 *val)
{
	(void)pdev;
	*val = host.ctrl.valid && host.ctrl.at == (uintptr_t)at ? host.ctrl.val :
								  config_read(at, 2);
	return 0;
}

int pci_read_config_dword(struct pci_dev *pdev, int at, u32 *val)
{
	(void)pdev;
	*val = config_read(at, 4);
	return 0;
}

/* The driver turns CXL.mem on */
int pci_write_config_word(struct pci_dev *pdev, int at, u16 val)
{
	(void)pdev;
	host.ctrl = (struct shadow){ true, at, val };
	unsure(false, "mem-enable-off", "CXL.mem is off: the driver tries to turn it on at bind");
	return 0;
}

/* An extended capability; a DVSEC is one with the vendor @vendor and the id @dvsec */
static u16 find_ext_cap(u16 id, u16 vendor, u16 dvsec)
{
	unsigned int at = PCI_CFG_SPACE_SIZE;

	for (unsigned int left = PCI_CFG_SPACE_EXP_SIZE / 8; left && at >= PCI_CFG_SPACE_SIZE;
	     left--) {
		u32 header = config_read(at, 4);

		if (!header)
			break;
		if ((header & 0xffff) == id &&
		    (id != PCI_EXT_CAP_ID_DVSEC ||
		     ((config_read(at + 4, 4) & 0xffff) == vendor &&
		      (config_read(at + 8, 4) & 0xffff) == dvsec)))
			return at;
		at = header >> 20 & ~3U;
	}
	return 0;
}

u16 pci_find_dvsec_capability(struct pci_dev *pdev, u16 vendor, u16 id)
{
	(void)pdev;
	return find_ext_cap(PCI_EXT_CAP_ID_DVSEC, vendor, id);
}

/* "noats" in the list of a word pci= on the kernel's command line */
static bool ats_is_off(void)
{
	char path[PATH_MAX], line[4096], *save = NULL;

	if (make_path(path, sizeof(path), "/proc/cmdline") ||
	    read_line(path, line, sizeof(line)))
		return false;
	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *end, *p = strstr(word, "noats");

		if (strncmp(word, "pci=", 4) || !p)
			continue;
		end = p + strlen("noats");
		if ((p[-1] == '=' || p[-1] == ',') && (!*end || *end == ','))
			return true;
	}
	return false;
}

bool pci_ats_supported(struct pci_dev *pdev)
{
	(void)pdev;
	return find_ext_cap(PCI_EXT_CAP_ID_ATS, 0, 0) && !ats_is_off();
}

/* Power state in the PCI Power Management Capability; D0 without one */
static unsigned int power_state(void)
{
	unsigned int at = config_read(PCI_CAPABILITY_LIST, 1);

	if (!(config_read(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	for (unsigned int left = 48; left && at >= 0x40; left--) {
		if (config_read(at, 1) == PCI_CAP_ID_PM)
			return config_read(at + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK;
		at = config_read(at + 1, 1) & ~3U;
	}
	return 0;
}

static bool attr_is(const char *attr, const char *start)
{
	char path[PATH_MAX], line[32];

	return !device_path(path, sizeof(path), host.pdev.name, "%s", attr) &&
	       !read_line(path, line, sizeof(line)) && !strncmp(line, start, strlen(start));
}

int pci_enable_device_mem(struct pci_dev *pdev)
{
	(void)pdev;
	if (attr_is("power/runtime_status", "susp") || attr_is("power_state", "D3") ||
	    power_state()) {
		unsure(true, "asleep", "the device is in a low power state: bind wakes it up");
		return -EAGAIN;
	}
	if (!(config_read(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY)) {
		unsure(true, "memory-off", "Memory Space is off, so that registers cannot be read: bind turns it on");
		return -EAGAIN;
	}
	return 0;
}

void pci_disable_device(struct pci_dev *pdev)
{
	(void)pdev;
}

/* The BAR */

static void cannot_map(unsigned int bar)
{
	char path[PATH_MAX], line[160];

	if (errno == EPERM && !make_path(path, sizeof(path), "/sys/kernel/security/lockdown") &&
	    !read_line(path, line, sizeof(line)) && !strstr(line, "[none]"))
		unsure(true, "lockdown", "the kernel is locked down and lets no program read BAR %u: bind can",
		       bar);
	else
		unsure(true, "registers-held", "registers in BAR %u cannot be mapped (%s): bind can",
		       bar, strerror(errno));
}

void *ioremap(u64 phys, u64 size)
{
	long page = sysconf(_SC_PAGESIZE);
	unsigned int bar = 0;
	char path[PATH_MAX];
	u64 offset, skip;
	int fd;

	while (bar < PCI_STD_NUM_BARS && (phys < host.pdev.resource[bar].start ||
					  phys > host.pdev.resource[bar].end))
		bar++;
	offset = bar < PCI_STD_NUM_BARS ? phys - host.pdev.resource[bar].start : 0;
	skip = offset % page;
	host.map_len = skip + size;
	host.map = MAP_FAILED;
	fd = device_path(path, sizeof(path), host.pdev.name, "resource%u", bar) ? -1 :
	     open(path, O_RDONLY | O_CLOEXEC);
	/* A BAR in a made-up tree is a file, which may be too short for its address */
	if (fd >= 0 && (u64)lseek(fd, 0, SEEK_END) < offset + size)
		errno = EINVAL;
	else if (fd >= 0)
		host.map = mmap(NULL, host.map_len, PROT_READ, MAP_SHARED, fd, offset - skip);
	if (host.map == MAP_FAILED) {
		cannot_map(bar);
		host.map = NULL;
	}
	if (fd >= 0)
		close(fd);
	return host.map ? host.map + skip : NULL;
}

void iounmap(const void *regs)
{
	(void)regs;
	munmap(host.map, host.map_len);
	host.map = NULL;
}

u32 readl(const void *reg)
{
	if (host.global.valid && host.global.at == (uintptr_t)reg)
		return host.global.val;
	return *(const volatile u32 *)reg;
}

/* The driver turns the decoders on */
void writel(u32 val, void *reg)
{
	host.global = (struct shadow){ true, (uintptr_t)reg, val };
	unsure(false, "decoders-off", "the HDM decoders are off: the driver tries to turn them on at bind");
}

/* The driver waits for the memory, longer than a list of devices may */
unsigned long msleep_interruptible(unsigned int ms)
{
	unsure(true, "memory-not-active", "the device does not report its memory as active: bind waits for that");
	return ms;
}

/* The host */

static void read_resources(struct pci_dev *pdev)
{
	char path[PATH_MAX];
	FILE *f;

	if (device_path(path, sizeof(path), pdev->name, "resource"))
		return;
	f = fopen(path, "re");
	for (unsigned int i = 0; f && i < PCI_NUM_RESOURCES; i++) {
		struct resource *res = &pdev->resource[i];
		unsigned long long start, end;

		if (fscanf(f, "%llx %llx %lx", &start, &end, &res->flags) != 3)
			break;
		res->start = start;
		res->end = end;
		res->parent = start && !(res->flags & IORESOURCE_UNSET);
	}
	if (f)
		fclose(f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pci_dev *)a)->name, ((const struct pci_dev *)b)->name);
}

static void read_functions(void)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	host.functions = calloc(MAX_FUNCTIONS, sizeof(*host.functions));
	if (!host.functions || make_path(path, sizeof(path), "/sys/bus/pci/devices"))
		return;
	dir = opendir(path);
	while (dir && host.nr_functions < MAX_FUNCTIONS && (entry = readdir(dir))) {
		struct pci_dev *pdev = &host.functions[host.nr_functions];

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(pdev->name))
			continue;
		strcpy(pdev->name, entry->d_name);
		read_resources(pdev);
		host.nr_functions++;
	}
	if (dir)
		closedir(dir);
	/* In the order of the kernel, as far as addresses show it */
	qsort(host.functions, host.nr_functions, sizeof(*host.functions), by_name);
}

struct pci_dev *judge_next_function(struct pci_dev *pdev)
{
	unsigned int next = pdev ? pdev - host.functions + 1 : 0;

	if (!host.functions)
		read_functions();
	return next < host.nr_functions ? &host.functions[next] : NULL;
}

static enum iomem_answer iomem(u64 start, u64 size, bool ram)
{
	struct hdm_range range = { start, size };
	enum iomem_answer answer;
	char name[64];

	answer = ask_iomem(&range, ram, name, sizeof(name));
	if (answer == IOMEM_HIDDEN)
		unsure(false, "iomem-hidden", "/proc/iomem shows no addresses, so that users of the memory cannot be found");
	else if (answer == IOMEM_UNKNOWN)
		unsure(false, "range-maybe-claimed", "'%s' of /proc/iomem may have claimed the memory",
		       name);
	return answer;
}

int region_intersects(u64 start, u64 size, unsigned long flags, unsigned long desc)
{
	(void)flags;
	(void)desc;
	return iomem(start, size, true) == IOMEM_CLAIMED ? REGION_INTERSECTS : REGION_DISJOINT;
}

struct resource *request_mem_region_exclusive(u64 start, u64 size, const char *name)
{
	static struct resource claim;

	(void)name;
	return iomem(start, size, false) == IOMEM_CLAIMED ? NULL : &claim;
}

void release_mem_region(u64 start, u64 size)
{
	(void)start;
	(void)size;
}

struct pci_host_bridge *pci_find_host_bridge(struct pci_bus *bus)
{
	static struct pci_host_bridge bridge;

	(void)bus;
	return &bridge;
}

/* The last part "pciDDDD:BB" of the path of the function is its host bridge */
struct acpi_device *judge_companion(const int *dev)
{
	char path[PATH_MAX], target[PATH_MAX], uid_path[PATH_MAX], *end = NULL;
	static struct acpi_device companion;
	static char uid[32];
	ssize_t n;

	(void)dev;
	if (device_path(path, sizeof(path), host.pdev.name, "%s", ""))
		return NULL;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return NULL;
	target[n] = 0;
	for (char *p = target; (p = strstr(p, "/pci")); p += 4)
		if (strchr("0123456789abcdef", p[4]))
			end = p + 1 + strcspn(p + 1, "/");
	if (!end)
		return NULL;
	*end = 0;
	/* The link is relative to the directory with all functions */
	if (make_path(uid_path, sizeof(uid_path), "/sys/bus/pci/devices/%s/firmware_node/uid",
		      target) ||
	    read_line(uid_path, uid, sizeof(uid)))
		return NULL;
	companion.uid = uid;
	return &companion;
}

int kstrtou32(const char *s, unsigned int base, u32 *res)
{
	unsigned long long val;
	char *end;

	errno = 0;
	val = strtoull(s, &end, base);
	if (errno || end == s || *end || val > UINT32_MAX)
		return -EINVAL;
	*res = val;
	return 0;
}

int acpi_get_table(const char *signature, u32 instance, struct acpi_table_header **table)
{
	const size_t most = 1 << 20;
	char path[PATH_MAX];
	size_t n = 0;
	FILE *f;

	(void)instance;
	if (make_path(path, sizeof(path), "/sys/firmware/acpi/tables/%s", signature))
		return 1;
	f = fopen(path, "re");
	if (!f)
		return 1;
	*table = malloc(most);
	if (*table)
		n = fread(*table, 1, most, f);
	fclose(f);
	if (n >= sizeof(**table) && (*table)->length <= n)
		return 0;
	free(*table);
	return 1;
}

void acpi_put_table(struct acpi_table_header *table)
{
	free(table);
}

/* Verdicts */

/* Stable words for what the driver refuses, by its errno and a part of its sentence */
static const struct {
	int err;
	const char *part, *reason;
} reasons[] = {
	{ EPROTO, "CXL Device DVSEC", "bad-dvsec" },
	{ EPROTO, "Register Locator", "bad-register-locator" },
	{ EPROTO, "component block", "bad-capability-array" },
	{ ENOENT, "Register Locator", "no-component-registers" },
	{ EEXIST, "Register Locator", "bad-register-locator" },
	{ EINVAL, "Register Locator", "bad-register-locator" },
	{ EINVAL, KBUILD_MODNAME ": ", "bad-parameter" },
	{ ERANGE, "Register Locator", "bad-register-locator" },
	{ ENXIO, "Register Locator", "bar-unassigned" },
	{ EEXIST, "component block", "bad-hdm-capability" },
	{ EBADMSG, "CXL Device DVSEC", "bad-dvsec" },
	{ EBADMSG, "", "bad-hdm-capability" },
	{ EOPNOTSUPP, "component block", "no-hdm-capability" },
	{ ENODATA, "", "no-committed-decoder" },
	{ EINVAL, "", "range-unaligned" },
	{ EDOM, "", "interleaved" },
	{ EOVERFLOW, "", "range-wraps" },
	{ ENOTUNIQ, "", "ranges-overlap" },
	{ EFBIG, "", "range-too-large" },
	{ EADDRINUSE, "System RAM", "range-is-ram" },
	{ EADDRNOTAVAIL, "overlaps a BAR", "range-is-mmio" },
	{ EADDRNOTAVAIL, "CXL window", "range-outside-window" },
	{ EBUSY, "is claimed", "range-claimed" },
	{ EACCES, "cannot be turned on", "mem-enable-locked" },
	{ EACCES, "cxl_cache=off", "cache-locked" },
	{ EPERM, "cxl_cache=off", "ats" },
	{ EPERM, "cxl_core=require", "not-in-topology" },
	{ EEXIST, "vbar=", "bar-in-use" },
	{ ETIMEDOUT, "", "memory-not-active" },
	{ ENODEV, "", "gone" },
};

const char *reason_of(int err, const char *sentence)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].err == err && strstr(sentence, reasons[i].part))
			return reasons[i].reason;
	return "refused";
}

static void refuse_with(struct judgement *j, int err)
{
	j->verdict = CANNOT;
	j->err = -err;
	j->reason = reason_of(-err, j->sentence);
	snprintf(j->message, sizeof(j->message), "%s", *j->sentence ? j->sentence : strerror(-err));
}

/* Claim each range, as the driver does at bind */
static int claim(struct judgement *j, const struct cxl_vfio_found *found)
{
	struct resource *claimed;
	int ret;

	for (unsigned int i = 0; i < found->nr_ranges; i++) {
		struct hdm_range range = { found->range[i].base, found->range[i].size };

		ret = cxl_vfio_claim_memory(&host.pdev, &found->range[i], &claimed);
		if (ret == -EADDRINUSE || ret == -EBUSY)
			holder_remedy(&range, ret == -EADDRINUSE, j);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* What parameters ask of a device whose memory can be claimed */
static int check_terms(const struct cxl_vfio_found *found)
{
	unsigned int bar;
	int ret;

	if (cxl_vfio_params->topology == TOPOLOGY_REQUIRE)
		unsure(false, "topology-required", "cxl_core=require: bind finds out whether the kernel's CXL topology has a place for the device");
	ret = cxl_vfio_choose_vbar(&host.pdev, false, &bar);
	if (ret)
		return ret;
	ret = cxl_vfio_check_cache(&host.pdev, found);
	if (ret > 0)
		unsure(false, "cache-on", "cxl_cache=off: CXL.cache is on, the driver tries to turn it off at bind");
	return min(ret, 0);
}

/* Follow the driver through a bind, as far as it concerns the device and its own memory */
static int follow(struct judgement *j)
{
	static struct cxl_vfio_found found;
	int ret;

	memset(&found, 0, sizeof(found));
	ret = read_settings();
	if (ret)
		return ret;
	*j->sentence = 0;
	if (cxl_vfio_is_disabled(&host.pdev)) {
		j->reason = "disabled";
		snprintf(j->message, sizeof(j->message),
			 "disable_cxl names the device: the driver assigns it as a plain PCI function, without its memory");
		return 0;
	}
	ret = cxl_vfio_discover(&host.pdev, &found);
	for (unsigned int i = 0; i < found.nr_ranges && i < MAX_RANGES; i++)
		j->range[j->nr_ranges++] = (struct hdm_range){ found.range[i].base,
							       found.range[i].size };
	j->by_ranges = found.by_ranges && found.nr_ranges;
	if (ret || !found.is_cxl) {
		j->verdict = ret ? j->verdict : PLAIN;
		return ret;
	}
	return claim(j, &found) ?: check_terms(&found);
}

/* Make @host the function; close_host() undoes it */
static void open_host(const char *address, struct judgement *j)
{
	unsigned int slot = 0, func = 0;
	char path[PATH_MAX];

	host = (struct host){ .j = j };
	snprintf(host.pdev.name, sizeof(host.pdev.name), "%s", address);
	host.pdev.bus = &host.bus;
	if (sscanf(address, "%x:%x:%x.%x", &host.bus.domain, &host.bus.number, &slot, &func) == 4)
		host.pdev.devfn = PCI_DEVFN(slot, func);
	host.config = device_path(path, sizeof(path), address, "config") ? -1 :
		      open(path, O_RDONLY | O_CLOEXEC);
	read_resources(&host.pdev);
}

static void close_host(void)
{
	free(host.functions);
	if (host.config >= 0)
		close(host.config);
}

bool has_free_bars(const char *address)
{
	struct judgement j = {};
	bool ret;

	open_host(address, &j);
	ret = cxl_vfio_free_pair(&host.pdev) != VBAR_NONE;
	close_host();
	return ret;
}

void judge_device(const char *address, struct judgement *j)
{
	int ret;

	*j = (struct judgement){ .reason = "" };
	open_host(address, j);
	ret = follow(j);
	if (ret < 0 && !host.stopped)
		refuse_with(j, ret);
	j->free_bars = cxl_vfio_free_pair(&host.pdev) != VBAR_NONE;
	close_host();
}
