// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxl-vfio - list CXL devices with memory, bind them to the driver, show their state and
 * check the host.  See cxl-vfio(8).
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct options options = { .root = "", .rounds = 20, .guest_time = 900 };
struct refusal refusal = { .reason = "" };

static void usage(FILE *f)
{
	fputs("usage: cxl-vfio [OPTION...] COMMAND [ADDRESS...]\n"
	      "Assigns CXL devices with memory to virtual machines.\n"
	      "\n"
	      "  list [ADDRESS]       list CXL devices with memory, and whether they can be assigned\n"
	      "  bind ADDRESS         bind a device to the driver " DRIVER "\n"
	      "  unbind ADDRESS       unbind a device and let the kernel choose its driver\n"
	      "  status [ADDRESS]     show gate, clearing, last reset and counters of bound devices\n"
	      "  qemu ADDRESS...      print options of QEMU for bound devices\n"
	      "  xml ADDRESS...       print <hostdev> elements for libvirt\n"
	      "  check ADDRESS        try everything on a device, which overwrites its memory\n"
	      "  doctor               check this host for problems, with a remedy for each\n"
	      "\n"
	      "  -j, --json           print JSON\n"
	      "  -p, --persist        bind, unbind: keep the result across reboots\n"
	      "  -f, --force          bind: ignore users of the device and of its IOMMU group\n"
	      "  -t, --topology       qemu, xml: for guests with a CXL stack, which find the device in\n"
	      "                       a CXL topology\n"
	      "  -y, --yes            check: do not ask\n"
	      "      --rounds=N       check: rounds of bind and unbind (20)\n"
	      "      --guest=IMAGE    check: boot this disk image, or kernel and initrd of this directory\n"
	      "      --guest-time=S   check: seconds that the guest may take (900)\n"
	      "      --report=FILE    doctor: write a file for a bug report, too\n"
	      "      --full           check, doctor: with addresses in the report\n"
	      "      --root=DIR       use /sys, /proc, /etc and /lib/modules below DIR\n"
	      "  -h, --help           show this help\n"
	      "  -V, --version        show the version\n"
	      "ADDRESS is as lspci prints it: 0d:00.0 or 0000:0d:00.0.\n"
	      "Exit status: 0 success, 1 failure, 2 wrong usage.\n", f);
}

static struct device *all_devices(int *n)
{
	struct device *d = calloc(MAX_DEVICES, sizeof(*d));

	if (!d) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	*n = find_devices(d, MAX_DEVICES);
	return d;
}

static void list_json(const struct device *d, int n)
{
	struct json_object *doc = new_document(), *all = json_object_new_array();

	for (int i = 0; i < n; i++)
		json_object_array_add(all, device_json(&d[i]));
	json_object_object_add(doc, "devices", all);
	print_document(doc);
}

static void print_verdict(const struct judgement *j)
{
	if (j->verdict == CANNOT && j->err)
		printf("%14s cannot be assigned: %s (%s)\n", "", j->message,
		       strerrorname_np(j->err));
	else if (j->verdict == CANNOT)
		printf("%14s cannot be assigned: %s\n", "", j->message);
	else if (j->verdict == UNSURE)
		printf("%14s cannot be judged from here: %s\n", "", j->message);
	else if (*j->reason)
		printf("%14s %s\n", "", j->message);
	if (*j->remedy)
		printf("%14s -> %s%s\n", "", j->remedy, *j->commands ? "; now:" : "");
	if (*j->commands)
		printf("%17s %s\n", "", j->commands);
}

static void list_text(const struct device *d, int n)
{
	if (n)
		printf("%-12s  %-16s %5s  %-12s %s\n", "ADDRESS", "DRIVER", "GROUP", "MEMORY", "DEVICE");
	for (int i = 0; i < n; i++) {
		char group[16] = "-", size[32];
		uint64_t bytes = 0;

		for (unsigned int k = 0; k < d[i].nr_ranges; k++)
			bytes += d[i].range[k].size;
		format_size(bytes, size, sizeof(size));
		if (d[i].iommu_group >= 0)
			snprintf(group, sizeof(group), "%d", d[i].iommu_group);
		printf("%-12s  %-16s %5s  %-12s %s\n", d[i].address,
		       *d[i].driver ? d[i].driver : "-", group, d[i].nr_ranges ? size : "-",
		       d[i].name);
		print_verdict(&d[i].judgement);
		if (d[i].by_ranges)
			printf("%14s memory by ranges of the CXL Device DVSEC, without a committed decoder\n",
			       "");
		if (!d[i].free_bars)
			printf("%14s no pair of BARs is free: only VMMs that know CXL give guests its memory\n",
			       "");
	}
}

static int list_one(const char *address)
{
	struct device d;

	if (find_device(address, &d))
		return EXIT_FAILED;
	if (options.json)
		list_json(&d, 1);
	else
		list_text(&d, 1);
	return EXIT_OK;
}

static int do_list(const char *address)
{
	struct device *d;
	int n;

	if (address)
		return list_one(address);
	if (geteuid())
		complain("only root can read all of config space: devices may be missing from this list");
	d = all_devices(&n);
	if (options.json)
		list_json(d, n);
	else
		list_text(d, n);
	if (!n && !options.json)
		puts("there is no CXL device with memory");
	free(d);
	return EXIT_OK;
}

static int do_status(const char *address)
{
	struct json_object *doc = new_document(), *all = json_object_new_array();
	struct device *d;
	int n, bound = 0;

	d = all_devices(&n);
	for (int i = 0; i < n; i++) {
		if (!d[i].bound || (address && strcmp(d[i].address, address)))
			continue;
		json_object_array_add(all, status_json(&d[i]));
		bound++;
	}
	json_object_object_add(doc, "devices", all);
	for (int i = 0; i < bound && !options.json; i++)
		print_status(json_object_array_get_idx(all, i), stdout);
	free(d);
	if (options.json)
		print_document(doc);
	else
		json_object_put(doc);
	if (address && !bound) {
		refuse("not-bound", "%s is not bound to " DRIVER "; bind it with `cxl-vfio bind %s`",
		       address, address);
		return EXIT_FAILED;
	}
	if (!bound && !options.json)
		puts("no device is bound to " DRIVER);
	return EXIT_OK;
}

static int do_qemu(const char *const *addresses, unsigned int n)
{
	return print_qemu(addresses, n) ? EXIT_FAILED : EXIT_OK;
}

static int do_xml(const char *const *addresses, unsigned int n)
{
	return print_xml(addresses, n) ? EXIT_FAILED : EXIT_OK;
}

static int do_doctor(const char *address)
{
	(void)address;
	return doctor();
}

/* The answer of bind and unbind */
static void print_result(const char *address)
{
	struct json_object *doc = new_document();
	char driver[64];

	current_driver(address, driver, sizeof(driver));
	json_object_object_add(doc, "address", json_object_new_string(address));
	if (*driver)
		json_object_object_add(doc, "driver", json_object_new_string(driver));
	json_object_object_add(doc, "done", json_object_new_boolean(!*refusal.reason));
	if (*refusal.reason) {
		json_object_object_add(doc, "reason", json_object_new_string(refusal.reason));
		json_object_object_add(doc, "message", json_object_new_string(refusal.message));
	}
	print_document(doc);
}

static int as_root(int (*fn)(const char *address), const char *address)
{
	int ret = -EPERM;

	if (geteuid())
		refuse("not-root", "this command needs root; use sudo");
	else
		ret = fn(address);
	if (options.json)
		print_result(address);
	return ret ? EXIT_FAILED : EXIT_OK;
}

static int do_bind(const char *address)
{
	return as_root(bind_device, address);
}

static int do_unbind(const char *address)
{
	return as_root(unbind_device, address);
}

static int do_check(const char *address)
{
	if (!geteuid())
		return check_device(address) ? EXIT_FAILED : EXIT_OK;
	refuse("not-root", "this command needs root; use sudo");
	return EXIT_FAILED;
}

enum { NO_ADDRESS, MAY_HAVE_ADDRESS, NEEDS_ADDRESS };

static const struct command {
	const char *name;
	int address;
	int (*run)(const char *address);
	int (*run_all)(const char *const *addresses, unsigned int n);	/* takes several */
} commands[] = {
	{ "list", MAY_HAVE_ADDRESS, do_list },
	{ "bind", NEEDS_ADDRESS, do_bind },
	{ "unbind", NEEDS_ADDRESS, do_unbind },
	{ "status", MAY_HAVE_ADDRESS, do_status },
	{ "qemu", NEEDS_ADDRESS, .run_all = do_qemu },
	{ "xml", NEEDS_ADDRESS, .run_all = do_xml },
	{ "check", NEEDS_ADDRESS, do_check },
	{ "doctor", NO_ADDRESS, do_doctor },
};

static int wrong_usage(const char *what, const char *word)
{
	complain("%s%s; see cxl-vfio --help", what, word);
	return EXIT_USAGE;
}

/* Take a number from 1 on */
static bool take_number(const char *text, unsigned int *number)
{
	unsigned long val;
	char *end;

	errno = 0;
	val = strtoul(text, &end, 10);
	*number = val;
	return isdigit(*text) && !*end && !errno && val && val <= UINT_MAX;
}

static int run_command(int argc, char **argv)
{
	static char address[MAX_DEVICES][ADDRESS_LEN];
	static const char *addresses[MAX_DEVICES];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];
		int max = c->run_all ? MAX_DEVICES : c->address != NO_ADDRESS;

		if (strcmp(argv[0], c->name))
			continue;
		if (argc > 1 + max)
			return wrong_usage("too many arguments: ", argv[argc - 1]);
		if (argc < 2)
			return c->address == NEEDS_ADDRESS ?
			       wrong_usage("an address is missing; lspci prints addresses", "") :
			       c->run(NULL);
		for (int k = 0; k < argc - 1; k++) {
			if (parse_address(argv[k + 1], address[k]))
				return wrong_usage("not a PCI address: ", argv[k + 1]);
			addresses[k] = address[k];
		}
		return c->run_all ? c->run_all(addresses, argc - 1) : c->run(address[0]);
	}
	return wrong_usage("there is no command ", argv[0]);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "persist", no_argument, NULL, 'p' },
		{ "force", no_argument, NULL, 'f' },
		{ "topology", no_argument, NULL, 't' },
		{ "yes", no_argument, NULL, 'y' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "full", no_argument, NULL, 'u' },
		{ "guest", required_argument, NULL, 'g' },
		{ "guest-time", required_argument, NULL, 'G' },
		{ "report", required_argument, NULL, 'o' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{}
	};
	int c;

	while ((c = getopt_long(argc, argv, "jpftyhV", longs, NULL)) >= 0) {
		switch (c) {
		case 'j':
			options.json = true;
			break;
		case 'p':
			options.persist = true;
			break;
		case 'f':
			options.force = true;
			break;
		case 't':
			options.topology = true;
			break;
		case 'y':
			options.yes = true;
			break;
		case 'n':
			if (!take_number(optarg, &options.rounds))
				return wrong_usage("not a number of rounds: ", optarg);
			break;
		case 'g':
			options.guest = optarg;
			break;
		case 'G':
			if (!take_number(optarg, &options.guest_time))
				return wrong_usage("not a number of seconds: ", optarg);
			break;
		case 'o':
			options.report = optarg;
			break;
		case 'u':
			options.full = true;
			break;
		case 'r':
			options.root = optarg;
			break;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		case 'V':
			puts("cxl-vfio " VERSION);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return run_command(argc - optind, argv + optind);
}
