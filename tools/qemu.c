// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a VMM is to be started, from what the driver says of a bound device: options of QEMU,
 * elements for libvirt.  docs/guest-topology.md explains the options of a CXL topology.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

#ifndef TABLE
#define TABLE		"/usr/share/cxl-vfio/guest-cxl.aml"
#endif

/* In a guest with a CXL topology */
#define BRIDGE		"cxl-vfio-bridge"
#define PORT		"cxl-vfio-port"
#define BUS_NR		"12"
#define MACHINE		"cxl=on,cxl-fmw.0.targets.0=" BRIDGE ",cxl-fmw.0.size="
#define BRIDGE_ARG	"pxb-cxl,id=" BRIDGE ",bus=pcie.0,bus_nr=" BUS_NR \
			",hdm_for_passthrough=true"
#define PORT_ARG	"cxl-rp,id=" PORT ",bus=" BRIDGE ",chassis=" BUS_NR ",slot=1,port=0"
/* Away from the slots that libvirt gives to its own devices */
#define BRIDGE_SLOT	",addr=0x18"

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

/* The window that QEMU reserves is moved to the BAR, and only has to have a legal size */
static void machine_arg(const struct device *d, char *arg, size_t size)
{
	snprintf(arg, size, MACHINE "%" PRIu64 "M", d->range[0].size >> 20);
}

static void add_arg(struct json_object *args, const char *option, const char *value)
{
	json_object_array_add(args, json_object_new_string(option));
	json_object_array_add(args, json_object_new_string(value));
}

int print_qemu(const char *address)
{
	char machine[256] = "q35,", function[128];
	struct json_object *args;
	struct device d;
	int ret;

	ret = options.topology ? find_for_topology(address, &d) : find_bound(address, &d);
	if (ret)
		return ret;
	args = json_object_new_array();
	snprintf(function, sizeof(function), "vfio-pci,host=%s,bus=" PORT, address);
	if (options.topology) {
		machine_arg(&d, machine + strlen(machine), sizeof(machine) - strlen(machine));
		add_arg(args, "-M", machine);
		add_arg(args, "-device", BRIDGE_ARG);
		add_arg(args, "-device", PORT_ARG);
		add_arg(args, "-device", function);
		add_arg(args, "-acpitable", "file=" TABLE);
	} else {
		add_arg(args, "-M", "q35");
		add_arg(args, "-device", "pcie-root-port,id=" PORT ",chassis=" BUS_NR);
		add_arg(args, "-device", function);
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

static void device_element(char *xml, size_t size, const char *address, const char *indent,
			   const char *alias)
{
	unsigned int domain, bus, slot, func;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
		return;
	snprintf(xml, size,
		 "%1$s<hostdev mode='subsystem' type='pci' managed='yes'>\n"
		 "%1$s  <driver model='" DRIVER "'/>\n"
		 "%1$s  <source>\n"
		 "%1$s    <address domain='0x%2$04x' bus='0x%3$02x' slot='0x%4$02x' function='0x%5$x'/>\n"
		 "%1$s  </source>\n"
		 "%6$s"
		 "%1$s</hostdev>\n", indent, domain, bus, slot, func, alias);
}

/* libvirt has no elements for a CXL topology: its device moves to a port of QEMU's options */
static void topology_xml(char *xml, size_t size, const char *address, const struct device *d)
{
	char device[512] = "", machine[256];

	device_element(device, sizeof(device), address, "    ", "      <alias name='ua-cxl-vfio'/>\n");
	machine_arg(d, machine, sizeof(machine));
	snprintf(xml, size,
		 "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
		 "  <devices>\n%s  </devices>\n"
		 "  <qemu:commandline>\n"
		 "    <qemu:arg value='-machine'/>\n"
		 "    <qemu:arg value='%s'/>\n"
		 "    <qemu:arg value='-device'/>\n"
		 "    <qemu:arg value='" BRIDGE_ARG BRIDGE_SLOT "'/>\n"
		 "    <qemu:arg value='-device'/>\n"
		 "    <qemu:arg value='" PORT_ARG "'/>\n"
		 "    <qemu:arg value='-acpitable'/>\n"
		 "    <qemu:arg value='file=" TABLE "'/>\n"
		 "  </qemu:commandline>\n"
		 "  <qemu:override>\n"
		 "    <qemu:device alias='ua-cxl-vfio'>\n"
		 "      <qemu:frontend>\n"
		 "        <qemu:property name='bus' type='string' value='" PORT "'/>\n"
		 "        <qemu:property name='addr' type='string' value='0x0'/>\n"
		 "      </qemu:frontend>\n"
		 "    </qemu:device>\n"
		 "  </qemu:override>\n"
		 "</domain>\n", device, machine);
}

int print_xml(const char *address)
{
	char xml[4096] = "";
	struct device d;
	int ret;

	/* libvirt binds the device itself, if it need not know more than the address */
	ret = options.topology ? find_for_topology(address, &d) : find_device(address, &d);
	if (ret)
		return ret;
	if (options.topology)
		topology_xml(xml, sizeof(xml), address, &d);
	else
		device_element(xml, sizeof(xml), address, "", "");
	if (options.json) {
		struct json_object *doc = new_document();

		json_object_object_add(doc, "xml", json_object_new_string(xml));
		print_document(doc);
	} else {
		fputs(xml, stdout);
	}
	return 0;
}
