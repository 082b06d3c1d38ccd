// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxl-core's interface for drivers of Type-2 devices, where there is one.
 */
#include <linux/kmod.h>
#include <linux/pci.h>

#include "compat.h"

#if CXL_VFIO_CXL_TYPE2

#include <cxl/cxl.h>
#include <cxl/pci.h>

MODULE_IMPORT_NS("CXL");

/**
 * cxl_vfio_compat_load_cxl_root() - have the root of cxl-core's topology there
 *
 * cxl-core does not wait for it when a device wants to join.  A soft dependency
 * of this module would have `modprobe -r` unload the root with it, and with the
 * root the topology of all other devices.
 */
void cxl_vfio_compat_load_cxl_root(void)
{
	if (request_module("cxl_acpi"))
		pr_info(KBUILD_MODNAME ": the module cxl_acpi does not load\n");
}

/* cxl-core wants its part to be part of something */
struct cxl_part {
	struct cxl_dev_state cxlds;
};

/**
 * cxl_vfio_compat_cxl_join() - make a device part of cxl-core's topology
 * @pdev: the function, its memory active and its registers reachable; its
 *	driver is being bound
 * @dvsec: config space offset of its CXL Device DVSEC
 * @capacity: bytes of device memory
 * @range: the host physical range of the region that cxl-core assembled
 *
 * Undone by the driver core when the driver is unbound or its probe fails; any
 * failure here must make the probe fail, since cxl-core may have scheduled the
 * unbinding of a driver whose endpoint failed.
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_compat_cxl_join(struct pci_dev *pdev, u16 dvsec, u64 capacity, struct range *range)
{
	struct cxl_memdev *memdev;
	struct cxl_part *part;
	int ret;

	part = devm_cxl_dev_state_create(&pdev->dev, CXL_DEVTYPE_DEVMEM, pci_get_dsn(pdev), dvsec,
					 struct cxl_part, cxlds, false);
	if (!part)
		return -ENOMEM;
	ret = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, &part->cxlds.reg_map);
	if (ret)
		return ret;
	if (!part->cxlds.reg_map.component_map.hdm_decoder.valid)
		return -ENODEV;
	part->cxlds.media_ready = true;
	ret = cxl_set_capacity(&part->cxlds, capacity);
	if (ret)
		return ret;
	memdev = devm_cxl_probe_mem(&part->cxlds, range);
	return PTR_ERR_OR_ZERO(memdev);
}

static int is_memdev(struct device *dev, const void *unused)
{
	return dev->bus && !strcmp(dev->bus->name, "cxl") && !strncmp(dev_name(dev), "mem", 3);
}

/**
 * cxl_vfio_compat_cxl_memdev() - the device that stands for a function in cxl-core
 * @pdev: the function, joined
 *
 * Return: the device, its reference the caller's, or NULL.
 */
struct device *cxl_vfio_compat_cxl_memdev(struct pci_dev *pdev)
{
	return device_find_child(&pdev->dev, NULL, is_memdev);
}

#else

void cxl_vfio_compat_load_cxl_root(void)
{
}

int cxl_vfio_compat_cxl_join(struct pci_dev *pdev, u16 dvsec, u64 capacity, struct range *range)
{
	return -EOPNOTSUPP;
}

struct device *cxl_vfio_compat_cxl_memdev(struct pci_dev *pdev)
{
	return NULL;
}

#endif
