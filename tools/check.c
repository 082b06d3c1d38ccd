// SPDX-License-Identifier: GPL-2.0-only
/*
 * `cxl-vfio check`: runs the driver's contract on a real device, as ../docs/hardware.md
 * describes, and writes a report.  The device's memory is overwritten.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "check.h"

#define VFIO_PCI	"vfio-pci"
/* Lines at most, for the bar */
#define STEPS		27

static int write_bus(const char *attr, const char *s)
{
	char path[PATH_MAX];

	return make_path(path, sizeof(path), "/sys/bus/pci/%s", attr) ?: write_string(path, s);
}

static int write_attr(const char *address, const char *attr, const char *s)
{
	char path[PATH_MAX];

	return device_path(path, sizeof(path), address, "%s", attr) ?: write_string(path, s);
}

/* Bind to a driver, or with "" to none */
static int switch_driver(const char *address, const char *driver)
{
	char now[64], attr[128];
	int ret = 0;

	current_driver(address, now, sizeof(now));
	if (*now && strcmp(now, driver))
		ret = write_attr(address, "driver/unbind", address);
	if (!ret)
		ret = write_attr(address, "driver_override", *driver ? driver : "\n");
	if (ret || !*driver || !strcmp(now, driver))
		return ret;
	snprintf(attr, sizeof(attr), "drivers/%s/bind", driver);
	return write_bus(attr, address);
}

int open_device(struct check *c)
{
	int ret = vfio_open(&c->vfio, c->address, iommu_group_of(c->address), true);

	c->is_open = !ret;
	if (!ret)
		memory_on(&c->vfio);
	return ret;
}

void close_device(struct check *c)
{
	if (c->is_open)
		vfio_close(&c->vfio);
	c->is_open = false;
}

/* Would the driver take the device, and is anybody using it? */
static void check_judgement(struct check *c)
{
	const struct judgement *j = &c->device.judgement;

	if (j->verdict == CANNOT)
		line(c, "judgement", LINE_FAIL, "%s (%s)%s", j->message, j->reason, advice(j));
	else if (j->verdict == PLAIN)
		line(c, "judgement", LINE_FAIL, "the driver takes the device for a function without CXL memory");
	else if (j->verdict == CAN && *j->reason)
		line(c, "judgement", LINE_FAIL, "%s (%s)", j->message, j->reason);
	else {
		line(c, "judgement", LINE_OK, "%s", j->verdict == UNSURE ? j->message :
								      "the driver takes the device");
		return;
	}
	c->stop = true;
}

/*
 * Read config space under vfio-pci, twice: some registers change by themselves.  vfio-pci
 * resets the device and restores no decoder, so that this step is late and is left out if
 * the device needed that.
 */
static void read_stock(struct check *c)
{
	uint8_t again[CONFIG_SIZE];
	struct vfio v;
	int ret;

	progress(c, "stock");
	if (c->restores) {
		line(c, "stock", LINE_SKIP, "the device loses its decoders in an FLR, and vfio-pci would not restore them");
		return;
	}
	ret = load_module_named(VFIO_PCI) ?: switch_driver(c->address, VFIO_PCI);
	if (!ret)
		ret = vfio_open(&v, c->address, iommu_group_of(c->address), false);
	if (ret) {
		line(c, "stock", LINE_SKIP, "vfio-pci does not give the device out: %s",
		     strerror(-ret));
		return;
	}
	ret = read_config(&v, c->stock) ?: read_config(&v, again);
	for (unsigned int at = 0; at < CONFIG_SIZE; at++)
		c->stable[at] = c->stock[at] == again[at];
	vfio_close(&v);
	c->have_stock = !ret;
	line(c, "stock", ret ? LINE_SKIP : LINE_OK, "%s", ret ? strerror(-ret) :
	     "vfio-pci gives the device out, configuration space read");
}

static void check_bind(struct check *c)
{
	int ret;

	progress(c, "bind");
	c->touched = true;
	ret = load_module_named(MODULE) ?: switch_driver(c->address, DRIVER);
	if (ret)
		line(c, "bind", LINE_FAIL, "%s, see dmesg", strerror(-ret));
	else
		line(c, "bind", LINE_OK, "bound");
	c->stop = ret;
}

static void check_open(struct check *c)
{
	char path[PATH_MAX], vbar[16];
	uint64_t size = 0;
	int ret;

	progress(c, "open");
	c->vbar = -1;
	if (!device_path(path, sizeof(path), c->address, "cxl_vfio/vbar") &&
	    !read_line(path, vbar, sizeof(vbar)) && strcmp(vbar, "none"))
		c->vbar = atoi(vbar);
	ret = open_device(c) ?: read_config(&c->vfio, c->ours);
	for (unsigned int i = 0; i < c->vfio.nr_memory; i++)
		size += c->vfio.memory[i].size;
	if (ret)
		line(c, "open", LINE_FAIL, "%s", strerror(-ret));
	else
		line(c, "open", LINE_OK, "%u ranges of %llu MiB in all", c->vfio.nr_memory,
		     (unsigned long long)size >> 20);
	c->stop = ret;
}

/* May a byte of config space differ from what vfio-pci shows? */
static bool may_differ(const struct check *c, unsigned int at)
{
	unsigned int dvsec = find_dvsec(c->ours, CXL_VFIO_DVSEC_ID_DEVICE);
	unsigned int bar = PCI_BASE_ADDRESS_0 + 4 * c->vbar;

	if (!c->stable[at])
		return true;
	if (at >= PCI_COMMAND && at < PCI_REVISION_ID)
		return true;
	/* A model, with addresses hidden */
	if (dvsec && at >= dvsec + CXL_VFIO_DVSEC_BODY && at < dvsec + 0x3c)
		return true;
	return c->vbar >= 0 && at >= bar && at < bar + 8;
}

static void check_config(struct check *c)
{
	unsigned int different = 0, first = 0;

	progress(c, "config");
	if (!c->have_stock) {
		line(c, "config", LINE_SKIP, "there is nothing to compare with");
		return;
	}
	/* A kernel whose vfio-pci hides DVSECs, which guests of this driver get */
	if (find_dvsec(c->ours, CXL_VFIO_DVSEC_ID_DEVICE) &&
	    !find_dvsec(c->stock, CXL_VFIO_DVSEC_ID_DEVICE)) {
		line(c, "config", LINE_SKIP, "this kernel's vfio-pci hides the DVSECs of CXL");
		return;
	}
	for (unsigned int at = CONFIG_SIZE; at-- > 0;) {
		if (c->stock[at] == c->ours[at] || may_differ(c, at))
			continue;
		different++;
		first = at;
	}
	if (different)
		line(c, "config", LINE_FAIL, "%u bytes differ from what vfio-pci shows, the first at 0x%03x: 0x%02x under vfio-pci, 0x%02x here",
		     different, first, c->stock[first], c->ours[first]);
	else
		line(c, "config", LINE_OK, "as under vfio-pci, but for the models and the virtual BAR");
}

/* The guest's view of the decoders: committed, without the host's address, and locked */
static void check_models(struct check *c)
{
	uint32_t header = block_read(&c->vfio, c->vfio.decoders);
	unsigned int committed = 0;

	progress(c, "models");
	if (c->device.by_ranges) {
		line(c, "models", LINE_SKIP, "the memory is of ranges of the CXL Device DVSEC");
		return;
	}
	for (unsigned int n = 0; n < MAX_RANGES; n++) {
		uint32_t at = c->vfio.decoders + CXL_VFIO_HDM_DECODER(n);
		uint32_t ctrl = block_read(&c->vfio, at + CXL_VFIO_HDM_CTRL), size;

		if (n && !(ctrl & CXL_VFIO_HDM_CTRL_COMMITTED))
			break;
		committed += !!(ctrl & CXL_VFIO_HDM_CTRL_COMMITTED);
		size = block_read(&c->vfio, at + CXL_VFIO_HDM_SIZE_LOW);
		/* A committed decoder keeps its size */
		block_write(&c->vfio, at + CXL_VFIO_HDM_SIZE_LOW, size ^ 0x10000000);
		if (committed && block_read(&c->vfio, at + CXL_VFIO_HDM_SIZE_LOW) != size) {
			line(c, "models", LINE_FAIL, "decoder %u is committed and takes another size",
			     n);
			return;
		}
	}
	if (header == ~0u || !committed)
		line(c, "models", LINE_FAIL, "the guest's view has no committed decoder");
	else
		line(c, "models", LINE_OK, "%u decoders committed, which keep their size",
		     committed);
}

/* A new user must not see what the last one left */
static void check_clearing(struct check *c)
{
	char path[PATH_MAX], keep[8] = "";
	int ret;

	progress(c, "clearing");
	if (!make_path(path, sizeof(path), "/sys/module/" DRIVER "/parameters/keep_memory"))
		read_line(path, keep, sizeof(keep));
	ret = fill(c, 200);
	close_device(c);
	if (ret) {
		line(c, "clearing", LINE_FAIL, "memory cannot be written: %s", strerror(-ret));
		c->stop = true;
		return;
	}
	ret = open_device(c);
	if (ret) {
		line(c, "clearing", LINE_FAIL, "the second open fails: %s", strerror(-ret));
		c->stop = true;
		return;
	}
	ret = look(c, 200);
	if (*keep == 'Y')
		line(c, "clearing", LINE_SKIP, "turned off by keep_memory=1");
	else if (ret < 0)
		line(c, "clearing", LINE_FAIL, "memory cannot be read: %s", strerror(-ret));
	else
		line(c, "clearing", ret == MEMORY_ZERO ? LINE_OK : LINE_FAIL, "%s",
		     ret == MEMORY_ZERO ? "the next user finds zeros" :
					  "the next user finds data of the last one");
}

static void check_dmabuf(struct check *c)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf get;
		struct vfio_region_dma_range range;
	} arg = {
		.feature.argsz = sizeof(arg),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.get.region_index = c->vfio.memory[0].region,
		.get.open_flags = 2,	/* O_RDWR */
		.get.nr_ranges = 1,
		.range.length = 2 << 20,
	};
	int fd;

	progress(c, "dma-buf");
	fd = ioctl(c->vfio.device, VFIO_DEVICE_FEATURE, &arg);
	if (fd >= 0) {
		close(fd);
		line(c, "dma-buf", LINE_OK, "2 MiB of memory exported");
	} else if (errno == ENOTTY || errno == EOPNOTSUPP) {
		line(c, "dma-buf", LINE_SKIP, "this kernel has no dma-bufs of devices");
	} else {
		line(c, "dma-buf", LINE_FAIL, "%s", strerror(errno));
	}
}

static void check_rounds(struct check *c)
{
	unsigned int n = 0;
	int ret = 0;

	for (; n < c->rounds && !ret; n++) {
		progress(c, "rounds");
		ret = switch_driver(c->address, "") ?: switch_driver(c->address, DRIVER);
	}
	if (ret)
		line(c, "rounds", LINE_FAIL, "round %u of unbind and bind fails: %s, see dmesg", n,
		     strerror(-ret));
	else
		line(c, "rounds", LINE_OK, "%u rounds of unbind and bind", n);
	c->stop = ret;
}

/* Speed with struct pages, and without, on a driver that no other device is bound to */
static void check_pages(struct check *c, const char *mode, const char *name)
{
	char option[32];
	int ret;

	progress(c, name);
	snprintf(option, sizeof(option), "struct_pages=%s", mode);
	ret = switch_driver(c->address, "") ?: reload_module(option);
	if (ret) {
		line(c, name, LINE_SKIP, "the module cannot be loaded with %s: %s", option,
		     strerror(-ret));
		switch_driver(c->address, DRIVER);
		return;
	}
	ret = switch_driver(c->address, DRIVER) ?: open_device(c);
	if (ret)
		line(c, name, LINE_FAIL, "bind or open with %s: %s", option, strerror(-ret));
	else
		check_speed(c, name);
	close_device(c);
}

static void note_registers(struct check *c)
{
	unsigned int dvsec = find_dvsec(c->ours, CXL_VFIO_DVSEC_ID_DEVICE), at = 0x100;
	char list[400] = "", *p = list;

	if (dvsec)
		fact(c, "dvsec", "capability 0x%04x control 0x%04x status 0x%04x",
		     config_read16(&c->vfio, dvsec + CXL_VFIO_DVSEC_CAP),
		     config_read16(&c->vfio, dvsec + CXL_VFIO_DVSEC_CTRL),
		     config_read16(&c->vfio, dvsec + CXL_VFIO_DVSEC_STATUS));
	for (unsigned int left = 64; left && at >= 0x100 && at < CONFIG_SIZE - 4; left--) {
		uint32_t header;

		memcpy(&header, c->ours + at, 4);
		p += snprintf(p, list + sizeof(list) - p, "%s%04x@%03x", p == list ? "" : " ",
			      header & 0xffff, at);
		if (p >= list + sizeof(list) - 16)
			break;
		at = header >> 20 & ~3u;
	}
	fact(c, "capabilities", "%s", list);
	p = list;
	*p = 0;
	for (uint32_t i = 1; i <= block_read(&c->vfio, CXL_VFIO_CM_OFFSET) >> 24 &&
	     p < list + sizeof(list) - 24; i++) {
		uint32_t entry = block_read(&c->vfio, CXL_VFIO_CM_OFFSET + 4 * i);

		p += snprintf(p, list + sizeof(list) - p, "%sid %u version %u", i > 1 ? ", " : "",
			      entry & 0xffff, entry >> 16 & 15);
	}
	fact(c, "component", "%s", list);
	for (unsigned int i = 0; i < c->vfio.nr_memory; i++) {
		char name[16], size[32];

		snprintf(name, sizeof(name), "range%u", i);
		format_size(c->vfio.memory[i].size, size, sizeof(size));
		fact(c, name, "%s", size);
	}
}

static void note_host(struct check *c)
{
	const struct device *d = &c->device;
	struct utsname u;
	struct module m;

	uname(&u);
	fact(c, "tool", "%s", VERSION);
	if (find_module(&m, u.release))
		snprintf(m.version, sizeof(m.version), "not installed");
	fact(c, "module", "%s", m.version);
	snprintf(c->probes, sizeof(c->probes), "%s", m.probes);
	fact(c, "kernel", "%s %s", u.release, u.machine);
	fact(c, "device", "%04x:%04x class %04x", d->vendor, d->device, d->class);
	fact(c, "name", "%s", d->name);
	if (options.full)
		fact(c, "address", "%s", d->address);
	for (unsigned int i = 0; options.full && i < d->nr_ranges; i++) {
		char name[24];

		snprintf(name, sizeof(name), "host-range%u", i);
		fact(c, name, "base 0x%llx size 0x%llx", (unsigned long long)d->range[i].base,
		     (unsigned long long)d->range[i].size);
	}
}

/* Lines in their order.  @done counts for the bar */
static void run(struct check *c)
{
	static void (* const before[])(struct check *c) = {
		check_judgement, check_bind, check_open, check_models,
		note_registers, check_memory, check_resets, check_clearing, check_dmabuf,
	};

	for (size_t i = 0; i < sizeof(before) / sizeof(*before) && !c->stop; i++) {
		before[i](c);
		c->done = c->passed + c->failed + c->skipped;
	}
	close_device(c);
	if (!c->stop)
		check_rounds(c);
	if (c->stop)
		return;
	check_guest(c);
	check_pages(c, "off", "speed-no-pages");
	check_pages(c, "on", "speed-pages");
	switch_driver(c->address, "");
	reload_module(NULL);
	read_stock(c);
	check_config(c);
}

/* As it was: the same driver and override, and a device that the driver would take again */
static void restore_driver(struct check *c)
{
	struct judgement j;
	char driver[64];

	switch_driver(c->address, "");
	judge_device(c->address, &j);
	if (*c->device.override)
		write_attr(c->address, "driver_override", c->device.override);
	if (*c->device.driver)
		write_bus("drivers_probe", c->address);
	current_driver(c->address, driver, sizeof(driver));
	if (j.verdict == CANNOT && c->device.judgement.verdict != CANNOT)
		line(c, "as-before", LINE_FAIL, "the driver would refuse the device now: %s",
		     j.message);
	else
		line(c, "as-before", strcmp(driver, c->device.driver) ? LINE_FAIL : LINE_OK,
		     "driver: %s", *driver ? driver : "none");
}

static int ask(const struct device *d)
{
	char answer[8] = "";

	if (options.yes)
		return 0;
	if (isatty(STDIN_FILENO)) {
		fprintf(stderr, "This overwrites the memory of %s (%s) and resets it.  Type yes to go on: ",
			d->address, d->name);
		if (fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n"))
			return 0;
	}
	refuse("not-confirmed", "%s: not checked, since this overwrites its memory; --yes does without the question",
	       d->address);
	return -ECANCELED;
}

int check_device(const char *address)
{
	struct check *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return -ENOMEM;
	snprintf(c->address, sizeof(c->address), "%s", address);
	c->rounds = options.rounds;
	c->steps = STEPS;
	ret = find_device(address, &c->device) ?: ask(&c->device);
	if (!ret && c->device.bound && device_is_open(address)) {
		refuse("in-use", "%s: a program or a VM has it open", address);
		ret = -EBUSY;
	}
	if (!ret && c->device.iommu_group < 0 && no_iommu_mode()) {
		refuse("no-iommu-group", "check needs an IOMMU, and %s is in no IOMMU group; %s",
		       address, iommu_remedy());
		ret = -ENODEV;
	}
	if (!ret)
		ret = check_group(&c->device) ?: check_users(&c->device);
	if (!ret) {
		c->lines = json_object_new_array();
		c->facts = json_object_new_object();
		note_host(c);
		run(c);
		if (c->touched)
			restore_driver(c);
		ret = write_reports(c);
		if (!options.json)
			printf("%s: %u ok, %u failed, %u skipped; report.txt and report.json are for an issue\n",
			       c->failed ? "FAILED" : "passed", c->passed, c->failed, c->skipped);
		ret = ret ?: c->failed ? -EIO : 0;
		json_object_put(c->lines);
		json_object_put(c->facts);
	}
	free(c);
	return ret;
}
