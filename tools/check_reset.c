// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of `cxl-vfio check` that reset the device: each way of ../docs/reset.md, what it
 * does to the memory's contents and to the decoders, and whether the memory can be used
 * afterwards.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "check.h"

/* What ../docs/reset.md says of the contents */
enum contents { KEPT, CLEARED, ANY };

#define NOT_CAPABLE	1		/* of the reset: no error */

static int device_reset(struct check *c)
{
	return ioctl(c->vfio.device, VFIO_DEVICE_RESET) ? -errno : 0;
}

static int guest_flr(struct check *c)
{
	unsigned int cap = find_cap(c->ours, PCI_CAP_ID_EXP);
	uint32_t devcap;

	memcpy(&devcap, c->ours + cap + PCI_EXP_DEVCAP, 4);
	if (!cap || !(devcap & PCI_EXP_DEVCAP_FLR))
		return NOT_CAPABLE;
	config_write16(&c->vfio, cap + PCI_EXP_DEVCTL,
		       config_read16(&c->vfio, cap + PCI_EXP_DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR);
	return 0;
}

static int cxl_reset(struct check *c, uint16_t needs, uint16_t more)
{
	unsigned int dvsec = find_dvsec(c->ours, CXL_VFIO_DVSEC_ID_DEVICE);
	const uint16_t done = CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE;
	uint16_t status;

	if (!dvsec || (config_read16(&c->vfio, dvsec + CXL_VFIO_DVSEC_CAP) & needs) != needs)
		return NOT_CAPABLE;
	config_write16(&c->vfio, dvsec + CXL_VFIO_DVSEC_CTRL2,
		       CXL_VFIO_DVSEC_CTRL2_INIT_RST | more);
	status = config_read16(&c->vfio, dvsec + CXL_VFIO_DVSEC_STATUS2);
	return (status & (done | CXL_VFIO_DVSEC_STATUS2_RST_ERROR)) == done ? 0 : -EIO;
}

static int guest_cxl_reset(struct check *c)
{
	return cxl_reset(c, CXL_VFIO_DVSEC_CAP_RST, 0);
}

static int guest_cxl_clear(struct check *c)
{
	return cxl_reset(c, CXL_VFIO_DVSEC_CAP_RST | CXL_VFIO_DVSEC_CAP_RST_MEM_CLR,
			 CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN);
}

static int hot_reset(struct check *c)
{
	struct {
		struct vfio_pci_hot_reset req;
		int32_t fd;
	} arg = { .req.argsz = sizeof(arg), .req.count = 1, .fd = c->vfio.group };
	int ret = ioctl(c->vfio.device, VFIO_DEVICE_PCI_HOT_RESET, &arg) ? -errno : 0;

	/* Functions on the same bus that this program does not own, or no bus of its own */
	return ret == -EPERM || ret == -EINVAL || ret == -ENODEV ? NOT_CAPABLE : ret;
}

static int sysfs_reset(struct check *c)
{
	char path[PATH_MAX];

	if (device_path(path, sizeof(path), c->address, "reset") || !exists(path))
		return NOT_CAPABLE;
	return write_string(path, "1");
}

static const struct reset {
	const char *name;
	int (*run)(struct check *c);
	enum contents contents;
} resets[] = {
	{ "reset-device", device_reset, ANY },
	{ "reset-flr", guest_flr, KEPT },
	{ "reset-cxl", guest_cxl_reset, ANY },
	{ "reset-cxl-clear", guest_cxl_clear, CLEARED },
	{ "reset-hot", hot_reset, ANY },
	{ "reset-sysfs", sysfs_reset, ANY },
};

static long attr_number(const struct check *c, const char *attr)
{
	char path[PATH_MAX], text[64];

	if (device_path(path, sizeof(path), c->address, "cxl_vfio/%s", attr) ||
	    read_line(path, text, sizeof(text)))
		return 0;
	return atol(text);
}

/* Does decoder 0 of the guest's view decode all of the memory's first range? */
static bool is_committed(struct check *c)
{
	/* Memory by ranges of the DVSEC: there may be no decoder */
	if (!c->vfio.decoders || c->device.by_ranges)
		return true;
	for (unsigned int n = 0; n < MAX_RANGES; n++) {
		uint32_t at = c->vfio.decoders + CXL_VFIO_HDM_DECODER(n);
		uint64_t size = (uint64_t)block_read(&c->vfio, at + CXL_VFIO_HDM_SIZE_HIGH) << 32 |
				block_read(&c->vfio, at + CXL_VFIO_HDM_SIZE_LOW);

		if (block_read(&c->vfio, at + CXL_VFIO_HDM_CTRL) & CXL_VFIO_HDM_CTRL_COMMITTED)
			return size == c->vfio.memory[0].size;
	}
	return false;
}

/* The gate, and what holds it */
static void gate_of(const struct check *c, char *gate, size_t size)
{
	char path[PATH_MAX], holds[160] = "", state[32] = "";

	if (!device_path(path, sizeof(path), c->address, "cxl_vfio/gate"))
		read_line(path, state, sizeof(state));
	if (!device_path(path, sizeof(path), c->address, "cxl_vfio/holds"))
		read_line(path, holds, sizeof(holds));
	snprintf(gate, size, "gate %s: %s", state, holds);
}

/* What a reset left; an empty @why if all is well */
static void look_after(struct check *c, const struct reset *r, uint32_t seed, char *why,
		       size_t size, const char **contents)
{
	static const char * const words[] = {
		[MEMORY_ZERO] = "contents cleared", [MEMORY_KEPT] = "contents kept",
		[MEMORY_OTHER] = "contents changed",
	};
	char gate[256];
	int is;

	*why = 0;
	*contents = "";
	memory_on(&c->vfio);
	is = look(c, seed);
	if (is < 0) {
		gate_of(c, gate, sizeof(gate));
		snprintf(why, size, "memory cannot be read afterwards: %s (%s)", strerror(-is),
			 gate);
		return;
	}
	*contents = words[is];
	if (r->contents == KEPT && is != MEMORY_KEPT)
		snprintf(why, size, "%s, expected kept", words[is]);
	else if (r->contents == CLEARED && is != MEMORY_ZERO)
		snprintf(why, size, "%s, expected cleared", words[is]);
	else if (!is_committed(c))
		snprintf(why, size, "%s, but no decoder decodes the memory in the guest's view",
			 words[is]);
	else if (fill(c, seed + 1) || look(c, seed + 1) != MEMORY_KEPT)
		snprintf(why, size, "memory does not read what was written afterwards");
}

static void check_reset(struct check *c, const struct reset *r, uint32_t seed)
{
	long restores = attr_number(c, "restores");
	const char *contents;
	char why[400];
	int ret;

	progress(c, r->name);
	memory_on(&c->vfio);
	ret = fill(c, seed);
	if (ret) {
		line(c, r->name, LINE_FAIL, "memory cannot be written before the reset: %s",
		     strerror(-ret));
		return;
	}
	ret = r->run(c);
	if (ret == NOT_CAPABLE) {
		line(c, r->name, LINE_SKIP, "the device or its place does not allow this reset");
		return;
	}
	if (ret) {
		line(c, r->name, LINE_FAIL, "the reset fails: %s", strerror(-ret));
		return;
	}
	look_after(c, r, seed, why, sizeof(why), &contents);
	restores = attr_number(c, "restores") - restores;
	c->restores += r->contents == KEPT ? restores : 0;
	if (*why)
		line(c, r->name, LINE_FAIL, "%s", why);
	else
		line(c, r->name, LINE_OK, "%s, registers %s", contents,
		     restores > 0 ? "restored by the driver" : "kept by the device");
}

void check_resets(struct check *c)
{
	for (unsigned int i = 0; i < sizeof(resets) / sizeof(*resets); i++)
		check_reset(c, &resets[i], 100 + 2 * i);
}
