// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binds and unbinds by driver_override.  Each step is checked, and a failed step undoes
 * the steps before it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libkmod.h>

#include "tool.h"

#define UNIT	"/usr/lib/systemd/system/cxl-vfio@.service"
#define SYSTEMD	"/etc/systemd/system"
#define WANTS	SYSTEMD "/multi-user.target.wants"
#define STORE	"/etc/driverctl.d"
#define DRACUT_CONF	"/etc/dracut.conf.d/cxl-vfio.conf"
#define RULE_FMT	"/etc/udev/rules.d/60-cxl-vfio-%s.rules"

static int write_attr(const char *address, const char *attr, const char *s)
{
	char path[PATH_MAX];
	int ret = device_path(path, sizeof(path), address, "%s", attr);

	return ret ? ret : write_string(path, s);
}

static int write_bus(const char *attr, const char *s)
{
	char path[PATH_MAX];
	int ret = make_path(path, sizeof(path), "/sys/bus/pci/%s", attr);

	return ret ? ret : write_string(path, s);
}

void current_driver(const char *address, char *driver, size_t size)
{
	char path[PATH_MAX];

	*driver = 0;
	if (!device_path(path, sizeof(path), address, "driver"))
		read_link_name(path, driver, size);
}

int load_module_named(const char *name)
{
	struct kmod_list *list = NULL, *entry;
	struct kmod_ctx *ctx;
	int ret;

	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return -ENOMEM;
	ret = kmod_module_new_from_lookup(ctx, name, &list);
	if (!ret && !list)
		ret = -ENOENT;
	kmod_list_foreach(entry, list) {
		struct kmod_module *mod = kmod_module_get_module(entry);

		if (!ret)
			ret = kmod_module_probe_insert_module(mod, KMOD_PROBE_APPLY_BLACKLIST, NULL,
							      NULL, NULL, NULL);
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
	kmod_unref(ctx);
	/* A positive result is of a module that is on a list of those not to be loaded */
	return ret > 0 ? -EPERM : ret;
}

static int load_module(void)
{
	char path[PATH_MAX];
	int ret;

	if (!make_path(path, sizeof(path), "/sys/module/" DRIVER) && exists(path))
		return 0;
	ret = load_module_named(MODULE);
	if (ret == -ENOENT)
		refuse("no-module", "there is no module " MODULE " for this kernel; see `dkms status` and install the headers of this kernel");
	else if (ret)
		refuse("module-refused", "cannot load the module " MODULE ": %s; see `dmesg` or `cxl-vfio doctor`",
		       strerror(-ret));
	return ret ? -EIO : 0;
}

int reload_module(const char *option)
{
	struct kmod_module *mod = NULL;
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	int ret = ctx ? kmod_module_new_from_name(ctx, MODULE, &mod) : -ENOMEM;

	if (!ret)
		ret = kmod_module_remove_module(mod, 0);
	if (!ret)
		ret = kmod_module_probe_insert_module(mod, 0, option, NULL, NULL, NULL);
	kmod_module_unref(mod);
	kmod_unref(ctx);
	return ret > 0 ? -EPERM : ret;
}

bool device_is_open(const char *address)
{
	char path[PATH_MAX], holds[160];

	return !device_path(path, sizeof(path), address, "cxl_vfio/holds") &&
	       !read_line(path, holds, sizeof(holds)) && !strstr(holds, "unused");
}

/*
 * Every function of the IOMMU group must have a VFIO driver or no driver.  A device that gets
 * its group with a driver is looked at once it has one.
 */
int check_group(const struct device *d)
{
	char path[PATH_MAX], driver[64];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	if (d->iommu_group < 0 && (no_iommu_mode() || has_group_only_with_driver(d)))
		return 0;
	if (d->iommu_group < 0) {
		refuse("no-iommu-group", "%s is in no IOMMU group; %s", d->address, iommu_remedy());
		return -ENODEV;
	}
	if (device_path(path, sizeof(path), d->address, "iommu_group/devices"))
		return -ENAMETOOLONG;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char bridge[PATH_MAX], class[32];

		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, d->address))
			continue;
		device_path(bridge, sizeof(bridge), entry->d_name, "class");
		if (!read_line(bridge, class, sizeof(class)) && !strncmp(class, "0x0604", 6))
			continue;
		current_driver(entry->d_name, driver, sizeof(driver));
		if (!*driver || strstr(driver, "vfio") || !strcmp(driver, "pci-stub"))
			continue;
		refuse("group-shared", "%s shares IOMMU group %d with %s, which is bound to %s; unbind %s first, or use --force",
		       d->address, d->iommu_group, entry->d_name, driver, entry->d_name);
		ret = -EBUSY;
	}
	if (dir)
		closedir(dir);
	return options.force ? 0 : ret;
}

/* A network interface that is up means that the host uses the device */
int check_users(const struct device *d)
{
	char path[PATH_MAX], state[32];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	if (device_path(path, sizeof(path), d->address, "net"))
		return -ENAMETOOLONG;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    device_path(path, sizeof(path), d->address, "net/%s/operstate",
				entry->d_name) ||
		    read_line(path, state, sizeof(state)) || strcmp(state, "up"))
			continue;
		refuse("interface-up", "%s: its network interface %s is up; take it down first, or use --force",
		       d->address, entry->d_name);
		ret = -EBUSY;
	}
	if (dir)
		closedir(dir);
	return options.force ? 0 : ret;
}

static bool have_driverctl(void)
{
	char path[PATH_MAX];

	return !make_path(path, sizeof(path), "/usr/sbin/driverctl") && exists(path);
}

/*
 * The override in driverctl's store, which it sets at boot.  driverctl itself would unbind
 * the device, also one that a VM uses.
 */
static int write_override(const char *address)
{
	char path[PATH_MAX];
	int ret = -1;
	FILE *f;

	if (!make_path(path, sizeof(path), STORE))
		mkdir(path, 0755);
	if (make_path(path, sizeof(path), STORE "/pci-%s", address))
		return -ENAMETOOLONG;
	f = fopen(path, "we");
	if (f) {
		ret = fputs(DRIVER "\n", f);
		ret |= fclose(f);
	}
	if (ret < 0) {
		refuse("cannot-write", "%s: %s", path, strerror(errno));
		return -EIO;
	}
	return 0;
}

/* Write the rule that binds the device when udev finds it, also if the module is loaded then */
static int write_rule(const char *address)
{
	char path[PATH_MAX];
	int ret = 0;
	FILE *f;

	if (make_path(path, sizeof(path), RULE_FMT, address))
		return -ENAMETOOLONG;
	f = fopen(path, "we");
	if (f) {
		fprintf(f, "# Written by cxl-vfio bind --persist; `cxl-vfio unbind --persist` removes it\n"
			"ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"%s\", "
			"ATTR{driver_override}=\"" DRIVER "\", RUN+=\"/sbin/modprobe " MODULE "\", "
			"RUN+=\"/bin/sh -c 'echo %%k > /sys/bus/pci/drivers_probe'\"\n",
			address);
		ret = ferror(f);
		ret |= fclose(f);
	}
	if (!f || ret) {
		refuse("cannot-write", "%s: %s", path, strerror(errno));
		return -EIO;
	}
	return 0;
}

/*
 * Have systemd bind the device before virtual machines start, also if another driver had it
 * from the initramfs.  Without the unit of the package there is the rule alone.
 */
static int set_unit(const char *address, bool on)
{
	char unit[PATH_MAX], link[PATH_MAX];

	if (make_path(unit, sizeof(unit), UNIT) || !exists(unit) ||
	    make_path(link, sizeof(link), SYSTEMD) || !exists(link) ||
	    make_path(link, sizeof(link), WANTS))
		return 0;
	mkdir(link, 0755);
	if (make_path(link, sizeof(link), WANTS "/cxl-vfio@%s.service", address))
		return -ENAMETOOLONG;
	unlink(link);
	if (!on || !symlink(UNIT, link))
		return 0;
	refuse("cannot-write", "%s: %s", link, strerror(errno));
	return -EIO;
}

/* Keep the binding across reboots: by driverctl if installed, else by a udev rule */
static int make_persistent(const char *address)
{
	const char *recipe = initramfs_recipe();
	int ret;

	ret = have_driverctl() ? write_override(address) : write_rule(address);
	ret = ret ?: set_unit(address, true);
	if (!ret && !options.json && recipe)
		printf("If another driver has the device after a reboot: %s\n", recipe);
	return ret;
}

static void drop_persistent(const char *address)
{
	char path[PATH_MAX];

	if (!make_path(path, sizeof(path), RULE_FMT, address))
		unlink(path);
	if (!make_path(path, sizeof(path), STORE "/pci-%s", address))
		unlink(path);
	set_unit(address, false);
	/* initramfs-tools takes all rules in /etc, dracut those that it was asked for */
	if (options.json)
		return;
	if (!make_path(path, sizeof(path), "/usr/sbin/update-initramfs") && exists(path))
		printf("If the initramfs was made since the bind: update-initramfs -u\n");
	else if (!make_path(path, sizeof(path), DRACUT_CONF) && exists(path))
		printf("To end it in the initramfs as well: dracut -f\n");
}

static int release(const char *address, const char *driver)
{
	return *driver ? write_attr(address, "driver/unbind", address) : 0;
}

/* Restore the former override and let the kernel choose the driver */
static void roll_back(const struct device *d)
{
	char with_end[66];

	snprintf(with_end, sizeof(with_end), "%s\n", d->override);
	write_attr(d->address, "driver_override", with_end);
	write_bus("drivers_probe", d->address);
}

/* The driver's last complaint about the device in the kernel log, from a position on */
static void find_sentence(int kmsg, const char *address, char *sentence, size_t size)
{
	char line[2048], tag[64];
	ssize_t n;

	*sentence = 0;
	snprintf(tag, sizeof(tag), DRIVER " %s: ", address);
	while (kmsg >= 0 && ((n = read(kmsg, line, sizeof(line) - 1)) > 0 ||
			     (n < 0 && errno == EPIPE))) {
		char *text;

		line[n > 0 ? n : 0] = 0;
		text = strstr(line, tag);
		/* Level 3 is an error; the driver core logs one too, without the reason */
		if (text && (strtoul(line, NULL, 10) & 7) == 3 &&
		    strncmp(text + strlen(tag), "probe ", 6))
			snprintf(sentence, size, "%.*s", (int)strcspn(text + strlen(tag), "\n"),
				 text + strlen(tag));
	}
}

/* Bind by name, which gives the driver's errno, unlike drivers_probe */
static int probe(const struct device *d)
{
	char path[PATH_MAX], driver[64], sentence[256];
	int kmsg = -1, ret;

	if (!make_path(path, sizeof(path), "/dev/kmsg"))
		kmsg = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
	ret = write_bus("drivers/" DRIVER "/bind", d->address);
	current_driver(d->address, driver, sizeof(driver));
	if (strcmp(driver, DRIVER)) {
		ret = ret ?: -EIO;
		find_sentence(kmsg, d->address, sentence, sizeof(sentence));
		refuse(reason_of(-ret, sentence), "%s: " DRIVER " refused the device (%s): %s; driver as before: %s",
		       d->address, strerrorname_np(-ret),
		       *sentence ? sentence : "see `dmesg` for the reason",
		       *d->driver ? d->driver : "none");
	} else {
		ret = 0;
	}
	if (kmsg >= 0)
		close(kmsg);
	return ret;
}

/* The group that the device got with the driver; it loses the driver if that group is in use */
static int check_new_group(const struct device *d)
{
	struct device bound = *d;
	int ret;

	snprintf(bound.driver, sizeof(bound.driver), DRIVER);
	bound.iommu_group = iommu_group_of(d->address);
	ret = check_group(&bound);
	if (ret)
		release(d->address, DRIVER);
	return ret;
}

static int check_verdict(const struct device *d)
{
	const struct judgement *j = &d->judgement;

	if (j->verdict == UNSURE)
		complain("%s: cannot be judged from here: %s", d->address, j->message);
	if (j->verdict != CANNOT || options.force)
		return 0;
	refuse(j->reason, "%s: %s%s", d->address, j->message, advice(j));
	return -EINVAL;
}

int bind_device(const char *address)
{
	struct device d;
	int ret;

	ret = find_device(address, &d);
	if (ret)
		return ret;
	if (d.bound) {
		if (!options.json)
			printf("%s: already bound to " DRIVER "\n", address);
		return options.persist ? make_persistent(address) : 0;
	}
	ret = check_verdict(&d);
	if (!ret)
		ret = check_group(&d);
	if (!ret)
		ret = check_users(&d);
	if (!ret)
		ret = load_module();
	if (ret)
		return ret;

	ret = write_attr(address, "driver_override", DRIVER);
	if (ret) {
		refuse("cannot-write", "%s: cannot set driver_override: %s", address,
		       strerror(-ret));
		return ret;
	}
	ret = release(address, d.driver);
	if (ret) {
		refuse("cannot-unbind", "%s: cannot unbind from %s: %s", address, d.driver,
		       strerror(-ret));
		roll_back(&d);
		return ret;
	}
	ret = probe(&d);
	if (!ret && d.iommu_group < 0)
		ret = check_new_group(&d);
	if (ret) {
		roll_back(&d);
		return ret;
	}
	if (!options.json)
		printf("%s: bound to " DRIVER "\n", address);
	return options.persist ? make_persistent(address) : 0;
}

int unbind_device(const char *address)
{
	char driver[64];
	struct device d;
	int ret;

	ret = find_device(address, &d);
	if (ret)
		return ret;
	if (options.persist)
		drop_persistent(address);
	if (!d.bound) {
		if (!options.json)
			printf("%s: not bound to " DRIVER "\n", address);
		return 0;
	}
	ret = write_attr(address, "driver_override", "\n");
	if (!ret)
		ret = release(address, d.driver);
	if (ret) {
		refuse("cannot-unbind", "%s: cannot unbind: %s", address, strerror(-ret));
		return ret;
	}
	write_bus("drivers_probe", address);
	current_driver(address, driver, sizeof(driver));
	if (!options.json)
		printf("%s: unbound, driver now: %s\n", address, *driver ? driver : "none");
	return 0;
}
