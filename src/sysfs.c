// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory cxl_vfio/ in sysfs, below each bound PCI function, for operators.
 * All files are read-only.  A file has one value, or one line for each decoder or kind.
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "cxl_vfio.h"

static struct cxl_vfio_device *from_device(struct device *device)
{
	return core_to_cxl_vfio(dev_get_drvdata(device));
}

/* May the device cache host memory: "on" or "off" */
static ssize_t cache_show(struct device *device, struct device_attribute *attr, char *buf)
{
	bool on = from_device(device)->found->dvsec_ctrl & CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE;

	return sysfs_emit(buf, "%s\n", on ? "on" : "off");
}
static DEVICE_ATTR_RO(cache);

/*
 * "N BASE SIZE" for each decoder or, where they are the memory, range of the DVSEC; only
 * root can read it, since it has host addresses
 */
static ssize_t decoders_show(struct device *device, struct device_attribute *attr, char *buf)
{
	const struct cxl_vfio_found *found = from_device(device)->found;
	ssize_t n = 0;

	for (unsigned int i = 0; i < found->nr_ranges; i++)
		n += sysfs_emit_at(buf, n, "%u %#llx %#llx\n",
				   cxl_vfio_range_number(&found->range[i]), found->range[i].base,
				   found->range[i].size);
	return n;
}
static DEVICE_ATTR_ADMIN_RO(decoders);

/* "KIND NUMBER" for each kind of error, as in aer_dev_fatal of the PCI core */
static ssize_t errors_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return cxl_vfio_errors_print(from_device(device), buf);
}
static DEVICE_ATTR_RO(errors);

static ssize_t gate_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return cxl_vfio_gate_print(from_device(device), buf, false);
}
static DEVICE_ATTR_RO(gate);

/* Reasons why the gate is not open: names of its holds, or "none" */
static ssize_t holds_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return cxl_vfio_gate_print(from_device(device), buf, true);
}
static DEVICE_ATTR_RO(holds);

/* Bytes of HDM memory that are still to be cleared */
static ssize_t clearing_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", cxl_vfio_clear_left(from_device(device)));
}
static DEVICE_ATTR_RO(clearing);

/* "KIND RESULT MICROSECONDS" of the last reset, or "none" */
static ssize_t last_reset_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct cxl_vfio_device *dev = from_device(device);
	ssize_t n;

	if (mutex_lock_interruptible(&dev->recovery.lock))
		return -EINTR;
	if (dev->recovery.kind)
		n = sysfs_emit(buf, "%s %d %llu\n", dev->recovery.kind, dev->recovery.result,
			       dev->recovery.us);
	else
		n = sysfs_emit(buf, "none\n");
	mutex_unlock(&dev->recovery.lock);
	return n;
}
static DEVICE_ATTR_RO(last_reset);

static ssize_t resets_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(from_device(device)->recovery.resets));
}
static DEVICE_ATTR_RO(resets);

static ssize_t restores_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(from_device(device)->recovery.restores));
}
static DEVICE_ATTR_RO(restores);

/* What the memory is of: "decoders", or "ranges" of the CXL Device DVSEC */
static ssize_t source_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  from_device(device)->found->by_ranges ? "ranges" : "decoders");
}
static DEVICE_ATTR_RO(source);

/* Bytes of host memory that struct pages of HDM memory take, or "none" */
static ssize_t struct_pages_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct cxl_vfio_device *dev = from_device(device);
	u64 cost = 0;

	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		cost += cxl_vfio_pages_cost(&dev->mem[i]);
	return cost ? sysfs_emit(buf, "%llu\n", cost) : sysfs_emit(buf, "none\n");
}
static DEVICE_ATTR_RO(struct_pages);

/* "MEMDEV REGION", names that `cxl list` shows, or "none" */
static ssize_t topology_show(struct device *device, struct device_attribute *attr, char *buf)
{
	const struct cxl_vfio_topology *topology = &from_device(device)->topology;

	if (!topology->joined)
		return sysfs_emit(buf, "none\n");
	return sysfs_emit(buf, "%s %s\n", dev_name(topology->memdev), topology->region);
}
static DEVICE_ATTR_RO(topology);

/* Number of the virtual BAR, or "none" */
static ssize_t vbar_show(struct device *device, struct device_attribute *attr, char *buf)
{
	const struct cxl_vfio_vbar *vbar = &from_device(device)->vbar;

	return vbar->bar == VBAR_NONE ? sysfs_emit(buf, "none\n") :
					sysfs_emit(buf, "%u\n", vbar->bar);
}
static DEVICE_ATTR_RO(vbar);

static ssize_t zaps_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(from_device(device)->gate.zaps));
}
static DEVICE_ATTR_RO(zaps);

static struct attribute *cxl_vfio_attrs[] = {
	&dev_attr_cache.attr,
	&dev_attr_clearing.attr,
	&dev_attr_decoders.attr,
	&dev_attr_errors.attr,
	&dev_attr_gate.attr,
	&dev_attr_holds.attr,
	&dev_attr_last_reset.attr,
	&dev_attr_resets.attr,
	&dev_attr_restores.attr,
	&dev_attr_source.attr,
	&dev_attr_struct_pages.attr,
	&dev_attr_topology.attr,
	&dev_attr_vbar.attr,
	&dev_attr_zaps.attr,
	NULL
};

static umode_t is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	return from_device(kobj_to_dev(kobj))->found->is_cxl ? attr->mode : 0;
}

static const struct attribute_group cxl_vfio_group = {
	.name = "cxl_vfio",
	.attrs = cxl_vfio_attrs,
	.is_visible = is_visible,
};

const struct attribute_group *cxl_vfio_groups[] = {
	&cxl_vfio_group,
	NULL
};
