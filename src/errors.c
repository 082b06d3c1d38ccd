// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors of a bound device: counts them for sysfs, logs those of the RAS Capability
 * with their names, and shows each of them to the guest once.
 *
 * The device is not trusted: it may report any error at any rate.
 */
#include <linux/io.h>
#include <linux/pci.h>

#include "cxl_vfio.h"

#define MAX_NAMES	256	/* bytes, for the names of all errors in one log line */

struct bit_name {
	unsigned int bit;
	const char *name;
};

#define BIT_NAME(bit, name)	{ bit, name },
static const struct bit_name uncorrectable_names[] = {
	CXL_VFIO_RAS_UNCORRECTABLE_NAMES(BIT_NAME)
};

static const struct bit_name correctable_names[] = {
	CXL_VFIO_RAS_CORRECTABLE_NAMES(BIT_NAME)
};

#define ERROR_NAME(error, name)	name,
static const char * const error_names[ERROR_COUNT] = { CXL_VFIO_ERRORS(ERROR_NAME) };

/**
 * cxl_vfio_error_count() - count an error
 * @dev: the device
 * @error: its kind
 */
void cxl_vfio_error_count(struct cxl_vfio_device *dev, enum cxl_vfio_error error)
{
	atomic_long_inc(&dev->errors[error]);
}

/**
 * cxl_vfio_errors_print() - print the number of errors since the bind
 * @dev: the device
 * @buf: a page
 *
 * Return: bytes printed: a line "KIND NUMBER" for each kind.
 */
ssize_t cxl_vfio_errors_print(struct cxl_vfio_device *dev, char *buf)
{
	ssize_t n = 0;

	for (unsigned int i = 0; i < ERROR_COUNT; i++)
		n += sysfs_emit_at(buf, n, "%s %lu\n", error_names[i],
				   atomic_long_read(&dev->errors[i]));
	return n;
}

/* Write the names of the bits that are set in @status to @buf */
static void list_names(char *buf, u32 status, const struct bit_name *names, unsigned int nr)
{
	size_t len = 0;

	buf[0] = 0;
	for (unsigned int i = 0; i < nr; i++)
		if (status & BIT(names[i].bit))
			len += scnprintf(buf + len, MAX_NAMES - len, "%s%s", len ? ", " : "",
					 names[i].name);
}

static void log_errors(struct cxl_vfio_device *dev, const struct cxl_vfio_ras_errors *errors)
{
	const char *action = cxl_vfio_gate_is_held(dev, HOLD_UNUSED) ? "" : ", shown to the guest";
	char names[MAX_NAMES];

	if (errors->uncorrectable) {
		cxl_vfio_error_count(dev, ERROR_RAS_UNCORRECTABLE);
		list_names(names, errors->uncorrectable, uncorrectable_names,
			   ARRAY_SIZE(uncorrectable_names));
		dev_err_ratelimited(&dev->core.pdev->dev, "CXL RAS: uncorrectable error: %s (status %#010x)%s\n",
				    names, errors->uncorrectable, action);
	}
	if (errors->correctable) {
		cxl_vfio_error_count(dev, ERROR_RAS_CORRECTABLE);
		list_names(names, errors->correctable, correctable_names,
			   ARRAY_SIZE(correctable_names));
		dev_warn_ratelimited(&dev->core.pdev->dev, "CXL RAS: correctable error: %s (status %#010x)%s\n",
				     names, errors->correctable, action);
	}
}

/* Take the errors from the device, if its registers can be reached now */
static bool take_errors(struct cxl_vfio_device *dev, struct cxl_vfio_ras_errors *errors)
{
	bool taken = false;

	/* A user who turns memory off holds the lock, and so does a reset by vfio-pci-core */
	if (!down_read_trylock(&dev->core.memory_lock))
		return false;
	if (!cxl_vfio_gate_is_away(dev) && !dev->core.pm_runtime_engaged &&
	    cxl_vfio_decodes_memory(dev->core.pdev))
		taken = cxl_vfio_take_ras(dev, errors);
	up_read(&dev->core.memory_lock);
	return taken;
}

/**
 * cxl_vfio_errors_look() - look for errors in the device's RAS Capability
 * @dev: the device; neither memory_lock nor model.lock is held
 *
 * Nothing is done while the device's registers cannot be reached: they are sticky.
 */
void cxl_vfio_errors_look(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_ras_errors errors = {};

	if (!take_errors(dev, &errors))
		return;
	log_errors(dev, &errors);
	mutex_lock(&dev->model.lock);
	cxl_vfio_comp_raise(&dev->model.comp, &errors, &cxl_vfio_params->view);
	mutex_unlock(&dev->model.lock);
}
