// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a VMM is to be started, from what the driver says of a bound device: options of QEMU,
 * elements for libvirt.  docs/guest-topology.md explains the options of a CXL topology.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#ifndef TABLE
#define TABLE		"/usr/share/cxl-vfio/guest-cxl.aml"
#endif

/*
 * In a guest with a CXL topology.  Names of all but the first device end with a number, so that
 * the options of a single device stay as they are.
 */
#define BRIDGE		"cxl-vfio-bridge"
#define PORT		"cxl-vfio-port"
#define ALIAS		"ua-cxl-vfio"
#define HOSTDEV_ALIAS	"      <alias name='" ALIAS "%s'/>\n"
/* Buses of one host bridge, and of the root complex before the first */
#define BUSES		12
/* Away from the slots that libvirt gives to its own devices: 0x18, 0x17 ... */
#define BRIDGE_SLOT	0x18
/* Host bridges that the ACPI table knows */
#define MAX_BRIDGES	4

/* One device of a VMM's command line */
struct guest_device {
	const char *address;
	char suffix[12];		/* of names */
	unsigned int bus_nr;	/* of its host bridge, also the number of its chassis */
	unsigned int slot;	/* of its host bridge */
	uint64_t size;		/* of its memory */
};

/* Find a device that is bound and that a guest gets with its memory */
static int find_bound(const char *address, struct device *d)
{
	char path[512], line[64];
	int ret = find_device(address, d);

	if (ret)
		return ret;
	if (strcmp(d->driver, DRIVER)) {
		complain("%s is not bound to " DRIVER "; bind it with `cxl-vfio bind %s`", address,
			 address);
		return -ENODEV;
	}
	if (device_path(path, sizeof(path), address, "cxl_vfio/vbar") ||
	    read_line(path, line, sizeof(line)) || !strcmp(line, "none") || !d->nr_ranges) {
		complain("%s has no virtual BAR, so a guest on stock QEMU does not get its memory; see `cxl-vfio list`, and the module parameters vbar and vmm_abi",
			 address);
		return -ENODEV;
	}
	return 0;
}

/* As find_bound(), for a guest with a CXL topology */
static int find_for_topology(const char *address, struct device *d)
{
	char path[512], line[64];
	int ret = find_bound(address, d);

	if (ret)
		return ret;
	if (!make_path(path, sizeof(path), "/sys/module/" DRIVER "/parameters/hide_hpa") &&
	    !read_line(path, line, sizeof(line)) && !strcmp(line, "N")) {
		complain("hide_hpa=N: the guest would see the host's address in place of its own; load the module without that");
		return -EINVAL;
	}
	return 0;
}

/* Can one guest have all of them? */
static int check_number(const char *const *addresses, unsigned int n)
{
	if (options.topology && is_arm64()) {
		complain("--topology makes options for guests on x86; without it the guest has the memory as a BAR");
		return -EOPNOTSUPP;
	}
	if (options.topology && n > MAX_BRIDGES) {
		complain("a guest has at most %d devices in its CXL topology: leave %u of them out, or start the guest without --topology",
			 MAX_BRIDGES, n - MAX_BRIDGES);
		return -E2BIG;
	}
	for (unsigned int i = 1; i < n; i++)
		for (unsigned int k = 0; k < i; k++)
			if (!strcmp(addresses[k], addresses[i])) {
				complain("%s is there twice: a guest gets a device once",
					 addresses[i]);
				return -EINVAL;
			}
	return 0;
}

/* Find the devices of a command line; *@devices is for the caller to free */
static int find_all(const char *const *addresses, unsigned int n,
		    int (*find)(const char *address, struct device *d),
		    struct guest_device **devices)
{
	int ret = check_number(addresses, n);
	struct guest_device *g;
	struct device d;

	if (ret)
		return ret;
	g = calloc(n, sizeof(*g));
	if (!g) {
		complain("out of memory");
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < n; i++) {
		ret = find(addresses[i], &d);
		if (ret) {
			free(g);
			return ret;
		}
		if (i)
			snprintf(g[i].suffix, sizeof(g[i].suffix), "%u", i);
		g[i].address = addresses[i];
		g[i].bus_nr = BUSES * (i + 1);
		g[i].slot = BRIDGE_SLOT - i;
		g[i].size = d.range[0].size;
	}
	*devices = g;
	return 0;
}

/* The windows that QEMU reserves are moved to the BARs, and only have to have a legal size */
static void machine_arg(const struct guest_device *g, unsigned int n, char *arg, size_t size)
{
	size_t len = snprintf(arg, size, "cxl=on");

	for (unsigned int i = 0; i < n && len < size; i++)
		len += snprintf(arg + len, size - len,
				",cxl-fmw.%u.targets.0=" BRIDGE "%s,cxl-fmw.%u.size=%" PRIu64 "M",
				i, g[i].suffix, i, g[i].size >> 20);
}

static void bridge_arg(const struct guest_device *g, char *arg, size_t size)
{
	snprintf(arg, size, "pxb-cxl,id=" BRIDGE "%s,bus=pcie.0,bus_nr=%u,hdm_for_passthrough=true",
		 g->suffix, g->bus_nr);
}

static void port_arg(const struct guest_device *g, char *arg, size_t size)
{
	snprintf(arg, size, "cxl-rp,id=" PORT "%s,bus=" BRIDGE "%s,chassis=%u,slot=1,port=0",
		 g->suffix, g->suffix, g->bus_nr);
}

static void function_arg(const struct guest_device *g, char *arg, size_t size)
{
	snprintf(arg, size, "vfio-pci,host=%s,bus=" PORT "%s", g->address, g->suffix);
}

static void add_arg(struct json_object *args, const char *option, const char *value)
{
	json_object_array_add(args, json_object_new_string(option));
	json_object_array_add(args, json_object_new_string(value));
}

static void add_device(struct json_object *args, const struct guest_device *g)
{
	char arg[128];

	if (options.topology) {
		bridge_arg(g, arg, sizeof(arg));
		add_arg(args, "-device", arg);
		port_arg(g, arg, sizeof(arg));
	} else {
		snprintf(arg, sizeof(arg), "pcie-root-port,id=" PORT "%s,chassis=%u", g->suffix,
			 g->bus_nr);
	}
	add_arg(args, "-device", arg);
	function_arg(g, arg, sizeof(arg));
	add_arg(args, "-device", arg);
}

int qemu_arguments(const char *const *addresses, unsigned int n, struct json_object *args)
{
	char machine[512];
	struct guest_device *g;
	size_t len;
	int ret;

	ret = find_all(addresses, n, options.topology ? find_for_topology : find_bound, &g);
	if (ret)
		return ret;
	len = snprintf(machine, sizeof(machine), "%s%s", is_arm64() ? "virt" : "q35",
		       options.topology ? "," : "");
	if (options.topology)
		machine_arg(g, n, machine + len, sizeof(machine) - len);
	add_arg(args, "-M", machine);
	for (unsigned int i = 0; i < n; i++)
		add_device(args, &g[i]);
	if (options.topology)
		add_arg(args, "-acpitable", "file=" TABLE);
	free(g);
	return 0;
}

int print_qemu(const char *const *addresses, unsigned int n)
{
	struct json_object *args = json_object_new_array();
	int ret = qemu_arguments(addresses, n, args);

	if (ret) {
		json_object_put(args);
		return ret;
	}
	if (options.json) {
		struct json_object *doc = new_document();

		json_object_object_add(doc, "arguments", args);
		print_document(doc);
		return 0;
	}
	for (size_t i = 0; i < json_object_array_length(args); i += 2)
		printf("%s%s %s", i ? " \\\n" : "",
		       json_object_get_string(json_object_array_get_idx(args, i)),
		       json_object_get_string(json_object_array_get_idx(args, i + 1)));
	putchar('\n');
	json_object_put(args);
	return 0;
}

static void device_element(FILE *f, const char *address, const char *indent, const char *alias)
{
	unsigned int domain, bus, slot, func;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
		return;
	fprintf(f,
		"%1$s<hostdev mode='subsystem' type='pci' managed='yes'>\n"
		"%1$s  <driver model='" DRIVER "'/>\n"
		"%1$s  <source>\n"
		"%1$s    <address domain='0x%2$04x' bus='0x%3$02x' slot='0x%4$02x' function='0x%5$x'/>\n"
		"%1$s  </source>\n"
		"%6$s"
		"%1$s</hostdev>\n", indent, domain, bus, slot, func, alias);
}

static void option_element(FILE *f, const char *option, const char *value)
{
	fprintf(f, "    <qemu:arg value='%s'/>\n    <qemu:arg value='%s'/>\n", option, value);
}

/* libvirt has no elements for a CXL topology: its devices move to ports of QEMU's options */
static void topology_xml(FILE *f, const struct guest_device *g, unsigned int n)
{
	char arg[512];

	fputs("<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
	      "  <devices>\n", f);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(arg, sizeof(arg), HOSTDEV_ALIAS, g[i].suffix);
		device_element(f, g[i].address, "    ", arg);
	}
	fputs("  </devices>\n"
	      "  <qemu:commandline>\n", f);
	machine_arg(g, n, arg, sizeof(arg));
	option_element(f, "-machine", arg);
	for (unsigned int i = 0; i < n; i++) {
		bridge_arg(&g[i], arg, sizeof(arg));
		snprintf(arg + strlen(arg), sizeof(arg) - strlen(arg), ",addr=0x%x", g[i].slot);
		option_element(f, "-device", arg);
		port_arg(&g[i], arg, sizeof(arg));
		option_element(f, "-device", arg);
	}
	option_element(f, "-acpitable", "file=" TABLE);
	fputs("  </qemu:commandline>\n"
	      "  <qemu:override>\n", f);
	for (unsigned int i = 0; i < n; i++)
		fprintf(f,
			"    <qemu:device alias='" ALIAS "%1$s'>\n"
			"      <qemu:frontend>\n"
			"        <qemu:property name='bus' type='string' value='" PORT "%1$s'/>\n"
			"        <qemu:property name='addr' type='string' value='0x0'/>\n"
			"      </qemu:frontend>\n"
			"    </qemu:device>\n", g[i].suffix);
	fputs("  </qemu:override>\n"
	      "</domain>\n", f);
}

int print_xml(const char *const *addresses, unsigned int n)
{
	struct guest_device *g;
	char *xml = NULL;
	size_t size;
	FILE *f;
	int ret;

	/* libvirt binds the devices itself, if it need not know more than the addresses */
	ret = find_all(addresses, n, options.topology ? find_for_topology : find_device, &g);
	if (ret)
		return ret;
	f = open_memstream(&xml, &size);
	if (!f) {
		free(g);
		complain("out of memory");
		return -ENOMEM;
	}
	if (options.topology)
		topology_xml(f, g, n);
	for (unsigned int i = 0; i < n && !options.topology; i++)
		device_element(f, g[i].address, "", "");
	free(g);
	fclose(f);
	if (options.json) {
		struct json_object *doc = new_document();

		json_object_object_add(doc, "xml", json_object_new_string(xml));
		print_document(doc);
	} else {
		fputs(xml, stdout);
	}
	free(xml);
	return 0;
}
