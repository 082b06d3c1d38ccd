// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the host for problems that prevent assignment.  Each finding has a remedy.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "tool.h"

/* Headers before Linux 6.17 do not have it */
#ifndef KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED
#define KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED	243
#endif

#define REFUSALS	"see /usr/share/doc/cxl-vfio-pci-dkms/refusals.md"
enum state { OK, WARN, FAIL };

static const char * const state_names[] = { "ok", "warning", "failure" };

struct report {
	struct json_object *findings;
	bool failed;
};

__attribute__((format(printf, 5, 6)))
static void note(struct report *r, const char *what, enum state state, const char *remedy,
		 const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char found[640];
	va_list args;

	va_start(args, fmt);
	vsnprintf(found, sizeof(found), fmt, args);
	va_end(args);
	json_object_object_add(o, "check", json_object_new_string(what));
	json_object_object_add(o, "state", json_object_new_string(state_names[state]));
	json_object_object_add(o, "found", json_object_new_string(found));
	if (state != OK)
		json_object_object_add(o, "remedy", json_object_new_string(remedy));
	json_object_array_add(r->findings, o);
	r->failed |= state == FAIL;
	if (options.json)
		return;
	printf("%-8s %-12s %s\n", state == OK ? "ok" : state == WARN ? "WARNING" : "FAILURE", what,
	       found);
	if (state != OK)
		printf("%21s -> %s\n", "", remedy);
}

static bool path_exists(const char *fmt, const char *arg)
{
	char path[PATH_MAX];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return !make_path(path, sizeof(path), fmt, arg) && exists(path);
#pragma GCC diagnostic pop
}

static void check_kernel(struct report *r, const struct utsname *u)
{
	unsigned int major, minor;
	bool known = sscanf(u->release, "%u.%u", &major, &minor) == 2;

	note(r, "kernel", known && (major > 6 || (major == 6 && minor >= 1)) ? OK : FAIL,
	     "use Linux 6.1 or later", "Linux %s", u->release);
	note(r, "headers", path_exists("/lib/modules/%s/build", u->release) ? OK : WARN,
	     strcmp(u->machine, "aarch64") ?
	     "install the headers of this kernel for DKMS (linux-headers-amd64 on Debian)" :
	     "install the headers of this kernel for DKMS (linux-headers-arm64 on Debian)",
	     "/lib/modules/%s/build", u->release);
}

/* Is the kernel locked down, in a way that only signed modules pass? */
static bool is_locked_down(char *line, size_t size)
{
	char path[PATH_MAX];

	return !make_path(path, sizeof(path), "/sys/kernel/security/lockdown") &&
	       !read_line(path, line, size) && !strstr(line, "[none]");
}

/* What the probes of the build found, and what of it is trouble */
static void check_probes(struct report *r, const struct module *m)
{
	if (!*m->probes)
		return;
	note(r, "probes", OK, "", "%s", m->probes);
	if (strstr(m->probes, "vfio_cxl=1"))
		note(r, "vfio-cxl", WARN,
		     "see the kernel log at bind; if it takes the device, use this kernel's vfio-pci or a kernel without",
		     "this kernel's vfio-pci-core has CXL code of its own and cannot be kept from devices");
	else if (strstr(m->probes, "vfio_cxl=2"))
		note(r, "vfio-cxl", OK, "",
		     "this kernel's vfio-pci-core has CXL code of its own, which " MODULE " turns off");
}

/* After an update the module that was loaded before goes on */
static void check_loaded(struct report *r, const struct module *m)
{
	char path[PATH_MAX], loaded[64], version[64];

	if (make_path(path, sizeof(path), "/sys/module/" DRIVER "/srcversion") ||
	    read_line(path, loaded, sizeof(loaded)) || !strcmp(loaded, m->srcversion))
		return;
	if (make_path(path, sizeof(path), "/sys/module/" DRIVER "/version") ||
	    read_line(path, version, sizeof(version)))
		strcpy(version, "unknown");
	note(r, "loaded", WARN,
	     "shut down the guests, then `cxl-vfio unbind` each device, `modprobe -r " MODULE "` and `cxl-vfio bind`; or reboot",
	     "another module than the installed one is loaded: version %s, installed %s", version,
	     m->version);
}

static void check_module(struct report *r, const struct utsname *u)
{
	char cert[PATH_MAX], remedy[PATH_MAX + 160], line[160];
	const char *help;
	struct module m;

	if (find_module(&m, u->release)) {
		note(r, "module", FAIL, "dkms status; dkms autoinstall",
		     MODULE " is not installed for this kernel");
		return;
	}
	note(r, "module", OK, "", MODULE " %s, %s%s", m.version,
	     *m.signer ? "signed by " : "not signed", m.signer);
	check_probes(r, &m);
	check_loaded(r, &m);
	help = find_refusal(line, sizeof(line));
	if (help)
		note(r, "load", FAIL, help, "the kernel refused it: %s", line);
	if (!*m.signer && is_locked_down(line, sizeof(line))) {
		signing_certificate(cert, sizeof(cert));
		snprintf(remedy, sizeof(remedy),
			 "have dkms sign it (dkms build --force), then enrol the key: mokutil --import %s",
			 cert);
		note(r, "lockdown", FAIL, remedy,
		     "the kernel is locked down (%s) and takes no module without a signature",
		     line);
	}
}

static bool secure_boot_is_on(void)
{
	unsigned char val[5] = {};
	char path[PATH_MAX];
	FILE *f;

	if (make_path(path, sizeof(path), "/sys/firmware/efi/efivars/SecureBoot-%s",
		      "8be4df61-93ca-11d2-aa0d-00e098032b8c"))
		return false;
	f = fopen(path, "r");
	if (f && fread(val, 1, sizeof(val), f) != sizeof(val))
		val[4] = 0;
	if (f)
		fclose(f);
	return val[4];
}

static void check_secure_boot(struct report *r, const struct utsname *u)
{
	char cert[PATH_MAX], remedy[PATH_MAX + 160];
	struct module m;

	if (!secure_boot_is_on()) {
		note(r, "secure boot", OK, "", "off");
		return;
	}
	if (!find_module(&m, u->release) && kernel_has_key(m.signer)) {
		note(r, "secure boot", OK, "", "on, the kernel has the key of '%s'", m.signer);
		return;
	}
	signing_certificate(cert, sizeof(cert));
	snprintf(remedy, sizeof(remedy),
		 "enrol the key that dkms signs with and reboot: mokutil --import %s", cert);
	note(r, "secure boot", WARN, remedy,
	     "on, and the kernel has no key that signed " MODULE);
}

static void check_iommu(struct report *r)
{
	char path[PATH_MAX];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	if (make_path(path, sizeof(path), "/sys/kernel/iommu_groups"))
		return;
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	note(r, "iommu", n ? OK : FAIL, iommu_remedy(), "%u groups", n);
}

/*
 * Count the ranges of a device in the kernel's list of memory types (none if it cannot
 * be read), and those that are write-back
 */
static void count_types(const struct device *d, unsigned int *listed, unsigned int *cached)
{
	char path[PATH_MAX], line[160];
	uint64_t start, end;
	FILE *f;

	*listed = 0;
	*cached = 0;
	if (make_path(path, sizeof(path), "/sys/kernel/debug/x86/pat_memtype_list"))
		return;
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		const char *p = strstr(line, "0x");

		if (!p || sscanf(p, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		for (unsigned int i = 0; i < d->nr_ranges; i++) {
			if (start != d->range[i].base || end - start != d->range[i].size)
				continue;
			*listed += 1;
			*cached += !!strstr(line, "write-back");
		}
	}
	fclose(f);
}

/* Does KVM on arm64 map memory of devices cacheable?  Negative if it cannot be asked */
static int kvm_maps_cacheable(void)
{
	char path[PATH_MAX];
	int fd, ret;

	if (make_path(path, sizeof(path), "/dev/kvm"))
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED);
	close(fd);
	return ret;
}

static enum guest_memory guest_memory_on_arm64(const char *probes)
{
	int cacheable;

	if (strstr(probes, "kvm_cacheable_pfnmap=0"))
		return GUESTS_OLD_KVM;
	cacheable = kvm_maps_cacheable();
	return cacheable < 0 ? GUESTS_ASK_KVM : cacheable ? GUESTS_CACHED : GUESTS_NONE;
}

enum guest_memory guest_memory_of(const struct device *d, const char *probes)
{
	unsigned int listed, cached;
	char path[PATH_MAX], line[64];

	if (is_arm64())
		return guest_memory_on_arm64(probes);
	count_types(d, &listed, &cached);
	if (cached < listed)
		return HOSTS_UNCACHED;
	if (!cpu_has("vmx"))
		return GUESTS_CHOICE;
	if (device_path(path, sizeof(path), d->address, "cxl_vfio/struct_pages") ||
	    read_line(path, line, sizeof(line)) || !strcmp(line, "none"))
		return GUESTS_UNCACHED;
	return listed ? GUESTS_CACHED : GUESTS_UNKNOWN;
}

static void check_memory_type(struct report *r, const struct device *d, const char *probes)
{
	static const struct {
		enum state state;
		const char *found, *remedy;
	} what[] = {
		[GUESTS_CHOICE] = { OK,
			"guests get the memory type that they map device memory with", "" },
		[GUESTS_CACHED] = { OK, "guests get device memory write-back", "" },
		[GUESTS_UNKNOWN] = { OK,
			"guests get device memory write-back if the host has it so (no debugfs to check)",
			"" },
		[GUESTS_UNCACHED] = { WARN,
			"guests get device memory uncached: KVM on Intel needs struct pages for write-back",
			"load the module with struct_pages=on; the kernel log has failures" },
		[GUESTS_OLD_KVM] = { WARN,
			"guests get device memory uncached: KVM on arm64 maps it write-back since Linux 6.17",
			"use Linux 6.17 or later" },
		[GUESTS_ASK_KVM] = { OK,
			"guests get device memory write-back if KVM can map it so (no /dev/kvm to ask)",
			"" },
		[GUESTS_NONE] = { WARN,
			"guests get no device memory: KVM cannot map it write-back on this CPU",
			"the CPU needs FEAT_S2FWB and CTR_EL0.DIC" },
		[HOSTS_UNCACHED] = { WARN,
			"the host maps device memory other than write-back",
			"check the memory types in /proc/mtrr, which firmware sets" },
	};
	enum guest_memory memory = guest_memory_of(d, probes);

	note(r, "memory type", what[memory].state, what[memory].remedy, "%s: %s", d->address,
	     what[memory].found);
}

const char *initramfs_recipe(void)
{
	/* Debian and Ubuntu have initramfs-tools, others dracut */
	if (path_exists("%s", "/usr/sbin/update-initramfs"))
		return "echo " MODULE " >> /etc/initramfs-tools/modules; update-initramfs -u";
	if (path_exists("%s", "/usr/bin/dracut"))
		return "echo 'add_dracutmodules+=\" cxl-vfio \"' > /etc/dracut.conf.d/cxl-vfio.conf; "
			"dracut -f";
	return NULL;
}

/* Another driver was there before driver_override was set */
static void check_boot(struct report *r, const struct device *d)
{
	const char *recipe = initramfs_recipe();
	char remedy[256];

	if (strcmp(d->override, DRIVER) || !*d->driver || d->bound)
		return;
	snprintf(remedy, sizeof(remedy),
		 "`cxl-vfio bind --persist`, or if the driver does not let go, have the initramfs bind the device first and reboot%s%s",
		 recipe ? ": " : "", recipe ?: "");
	note(r, "boot", WARN, remedy,
	     "%s: %s has the device although driver_override names " DRIVER
	     ": it was bound earlier, in the initramfs", d->address, d->driver);
}

/* An older driver has no such file */
static void check_cache(struct report *r, const struct device *d)
{
	char path[PATH_MAX], line[64];

	if (device_path(path, sizeof(path), d->address, "cxl_vfio/cache") ||
	    read_line(path, line, sizeof(line)))
		return;
	note(r, "CXL.cache", OK, "", "%s: the device %s cache host memory", d->address,
	     strcmp(line, "on") ? "may not" : "may");
}

static void check_one_device(struct report *r, const struct device *d)
{
	static const enum state states[] = { [CAN] = OK, [CANNOT] = FAIL, [UNSURE] = OK };
	const struct judgement *j = &d->judgement;
	char found[320] = "can be assigned", remedy[600];

	if (j->verdict == UNSURE)
		snprintf(found, sizeof(found), "cannot be judged from here: %s", j->message);
	else if (*j->reason)
		snprintf(found, sizeof(found), "%s", j->message);
	snprintf(remedy, sizeof(remedy), "%s%s%s", *j->remedy ? j->remedy : REFUSALS,
		 *j->commands ? "; now: " : "", j->commands);
	note(r, "device", states[j->verdict], remedy, "%s (%s): %s",
	     d->address, *d->driver ? d->driver : "no driver", found);
	check_boot(r, d);
	if (!d->free_bars)
		note(r, "virtual BAR", WARN, "use a VMM that knows the HDM region",
		     "%s: no pair of BARs is free, so that stock VMMs give guests no device memory",
		     d->address);
}

static void check_devices(struct report *r, const struct utsname *u)
{
	struct device *d = calloc(MAX_DEVICES, sizeof(*d));
	struct module m;
	int n = d ? find_devices(d, MAX_DEVICES) : 0;

	if (find_module(&m, u->release))
		*m.probes = 0;
	if (n <= 0)
		note(r, "devices", WARN, geteuid() ?
		     "run as root, config space cannot be read otherwise" :
		     "check that the device is visible: lspci -vvv | grep -A3 'CXL Devices'",
		     "there is no CXL device with memory");
	for (int i = 0; i < n; i++) {
		check_one_device(r, &d[i]);
		if (d[i].bound) {
			check_memory_type(r, &d[i], m.probes);
			check_cache(r, &d[i]);
		}
	}
	free(d);
}

/* Report the first line that a program prints for --version */
static void check_program(struct report *r, const char *what, const char *command,
			  const char *remedy)
{
	char line[160] = "";
	FILE *f = popen(command, "r");

	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = 0;
	if (f)
		pclose(f);
	note(r, what, *line ? OK : WARN, remedy, "%s", *line ? line : "not installed");
}

/* Lines of the driver in the kernel log */
static struct json_object *driver_log(void)
{
	struct json_object *log = json_object_new_array();
	char path[PATH_MAX], line[2048];
	int fd = -1;
	ssize_t n;

	if (!make_path(path, sizeof(path), "/dev/kmsg"))
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while (fd >= 0 && ((n = read(fd, line, sizeof(line) - 1)) > 0 ||
			   (n < 0 && errno == EPIPE))) {
		char *text;

		line[n > 0 ? n : 0] = 0;
		text = strchr(line, ';');
		if (!text || (!strstr(text, DRIVER) && !strstr(text, MODULE)))
			continue;
		text[strcspn(text, "\n")] = 0;
		json_object_array_add(log, json_object_new_string(text + 1));
	}
	if (fd >= 0)
		close(fd);
	return log;
}

/* One file for a bug report: what doctor, list and status say, and the driver's log */
static int write_report(const struct report *r, const struct utsname *u)
{
	struct json_object *doc = new_document(), *list = json_object_new_array();
	struct json_object *status = json_object_new_array();
	struct device *d = calloc(MAX_DEVICES, sizeof(*d));
	int n = d ? find_devices(d, MAX_DEVICES) : 0, ret = 0;
	char *text;
	FILE *f;

	for (int i = 0; i < n; i++) {
		json_object_array_add(list, device_json(&d[i]));
		if (d[i].bound)
			json_object_array_add(status, status_json(&d[i]));
	}
	free(d);
	json_object_object_add(doc, "tool", json_object_new_string(VERSION));
	json_object_object_add(doc, "kernel", json_object_new_string(u->release));
	json_object_object_add(doc, "findings", json_object_get(r->findings));
	json_object_object_add(doc, "devices", list);
	json_object_object_add(doc, "status", status);
	json_object_object_add(doc, "log", driver_log());
	text = strdup(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
						     JSON_C_TO_STRING_NOSLASHESCAPE |
						     JSON_C_TO_STRING_SPACED));
	if (text)
		redact(text);
	f = fopen(options.report, "we");
	if (!text || !f || fprintf(f, "%s\n", text) < 0)
		ret = -EIO;
	if (f && fclose(f))
		ret = -EIO;
	if (ret)
		complain("%s cannot be written: %s", options.report, strerror(errno));
	free(text);
	json_object_put(doc);
	return ret;
}

int doctor(void)
{
	struct report r = { .findings = json_object_new_array() };
	struct json_object *doc;
	struct utsname u;

	uname(&u);
	check_kernel(&r, &u);
	check_module(&r, &u);
	check_secure_boot(&r, &u);
	check_iommu(&r);
	check_devices(&r, &u);
	check_program(&r, "dkms", "dkms --version 2>/dev/null",
		      "install DKMS, which builds the module at kernel updates");
	check_program(&r, "qemu",
		      "qemu-system-$(uname -m) --version 2>/dev/null || /usr/libexec/qemu-kvm --version 2>/dev/null",
		      "needed only to run VMs on this host");
	check_program(&r, "libvirt",
		      "libvirtd --version 2>/dev/null || virtqemud --version 2>/dev/null",
		      "needed only if libvirt runs VMs on this host");
	if (options.report && write_report(&r, &u))
		r.failed = true;
	if (options.json) {
		doc = new_document();
		json_object_object_add(doc, "findings", r.findings);
		print_document(doc);
	} else {
		json_object_put(r.findings);
	}
	return r.failed ? EXIT_FAILED : EXIT_OK;
}
