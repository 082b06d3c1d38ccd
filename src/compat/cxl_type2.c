// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxl-core's interface for drivers of Type-2 devices, on kernels that have it.
 */
#include <linux/kmod.h>
#include <linux/pci.h>

#include "compat.h"

#if CXL_VFIO_CXL_TYPE2

#include <cxl/cxl.h>
#include <cxl/pci.h>

MODULE_IMPORT_NS("CXL");

/**
 * cxl_vfio_compat_load_cxl_root() - load cxl_acpi, the root of cxl-core's topology
 *
 * When a device joins, cxl-core does not wait for the root.  With a soft dependency,
 * `modprobe -r` of this module would also unload cxl_acpi, and with it the topology
 * of all other devices.
 */
void cxl_vfio_compat_load_cxl_root(void)
{
	if (request_module("cxl_acpi"))
		pr_info(KBUILD_MODNAME ": the module cxl_acpi cannot be loaded\n");
}

/* devm_cxl_dev_state_create() needs a structure around its own */
struct cxl_part {
	struct cxl_dev_state cxlds;
};

/**
 * cxl_vfio_compat_cxl_join() - make a device part of cxl-core's topology
 * @pdev: the function, its memory active and its registers reachable; its
 *	driver is being bound
 * @dvsec: config space offset of the function's CXL Device DVSEC
 * @capacity: bytes of device memory
 * @range: the host physical range of the region that cxl-core assembled
 *
 * The driver core undoes this when the driver is unbound or its probe fails.  If this
 * function fails, the probe must fail, since cxl-core may already have scheduled the
 * unbinding of the driver.
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
 * cxl_vfio_compat_cxl_memdev() - find the memdev of a function in cxl-core
 * @pdev: the function, after cxl_vfio_compat_cxl_join()
 *
 * Return: the memdev, with a reference that the caller drops, or NULL.
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
