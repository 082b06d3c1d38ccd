// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxl-vfio-pci: assigns CXL Type-2 accelerators, device memory included, to
 * virtual machines.
 *
 * A vfio-pci variant driver.  At bind it finds the device's component registers and
 * committed HDM decoders, or the ranges of its CXL Device DVSEC (discover.c), and claims
 * the memory behind them (hdm_mem.c).  The user of the VFIO device gets that memory as a
 * region to read, write and map.  The user also gets models of the decoders and of the CXL
 * Device DVSEC (regions.c, bar.c, config.c; hdm.c, dvsec.c, comp.c), and cannot reach the
 * device's own.  Memory can be touched only while the gate is open (gate.c).
 * vfio-pci-core does everything else, and serves functions without HDM memory alone.
 *
 * Differences between kernels are in compat/, and nowhere else.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/cxl_vfio_pci.h>

#include "cxl_vfio.h"

static int cxl_vfio_open_device(struct vfio_device *vdev)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);
	int ret;

	if (!pci_device_is_present(dev->core.pdev)) {
		pci_err(dev->core.pdev, "the device does not respond, is the device gone? Reset the port above it, or power-cycle it\n");
		return -ENODEV;
	}
	/* Making the device ready takes a lock that the open needs as well: wait here */
	if (cxl_vfio_clear_wait(dev))
		return -EINTR;
	ret = vfio_pci_core_enable(&dev->core);
	if (ret)
		return ret;
	ret = cxl_vfio_bar_open(dev);
	if (ret)
		goto disable;
	ret = cxl_vfio_config_open(dev);
	if (ret)
		goto close_bar;
	ret = cxl_vfio_regions_open(dev);
	if (ret)
		goto close_bar;
	ret = cxl_vfio_attach(dev);
	if (ret)
		goto close_mem;
	vfio_pci_core_finish_enable(&dev->core);
	cxl_vfio_compat_user_decides(&dev->core);
	return 0;

close_mem:
	cxl_vfio_mem_close(dev);
close_bar:
	cxl_vfio_bar_close(dev);
disable:
	cxl_vfio_closing(dev);
	vfio_pci_core_disable(&dev->core);
	cxl_vfio_closed(dev);
	return ret;
}

static void cxl_vfio_close_device(struct vfio_device *vdev)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);

	cxl_vfio_compat_user_gone(&dev->core);
	cxl_vfio_detach(dev);
	cxl_vfio_dmabuf_close(dev);
	cxl_vfio_mem_close(dev);
	cxl_vfio_bar_close(dev);
	/* Function resets wait a minute each for a device that is gone: only try a bus reset */
	if (!pci_device_is_present(dev->core.pdev))
		dev->core.reset_works = false;
	vfio_pci_core_close_device(vdev);
	cxl_vfio_closed(dev);
}

static ssize_t cxl_vfio_rw(struct vfio_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos, bool write)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);
	unsigned int index = VFIO_PCI_OFFSET_TO_INDEX(*ppos);

	if (!count)
		return 0;
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return cxl_vfio_config_rw(dev, buf, count, ppos, write);
	if (cxl_vfio_is_comp_bar(dev->found, index))
		return cxl_vfio_bar_rw(dev, buf, count, ppos, write);
	if (index == dev->vbar.bar)
		return cxl_vfio_vbar_rw(dev, buf, count, ppos, write);
	if (index == dev->comp_region)
		return cxl_vfio_comp_rw(&dev->core, buf, count, ppos, write);
	if (write) {
		cxl_vfio_mark_used(dev);
		return vfio_pci_core_write(vdev, buf, count, ppos);
	}
	return vfio_pci_core_read(vdev, buf, count, ppos);
}

static ssize_t cxl_vfio_read(struct vfio_device *vdev, char __user *buf, size_t count,
			     loff_t *ppos)
{
	if (cxl_vfio_config_is_plain(to_cxl_vfio(vdev), *ppos, count))
		return vfio_pci_core_read(vdev, buf, count, ppos);
	return cxl_vfio_rw(vdev, buf, count, ppos, false);
}

static ssize_t cxl_vfio_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			      loff_t *ppos)
{
	return cxl_vfio_rw(vdev, (char __user *)buf, count, ppos, true);
}

static int cxl_vfio_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);
	unsigned int index = vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);

	cxl_vfio_mark_used(dev);
	if (cxl_vfio_is_comp_bar(dev->found, index))
		return cxl_vfio_bar_mmap(dev, vma);
	if (index == dev->vbar.bar)
		return cxl_vfio_window_mmap(&dev->vbar.window, vma, vma->vm_page_prot);
	return vfio_pci_core_mmap(vdev, vma);
}

static int cxl_vfio_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
				struct vfio_info_cap *caps)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);

	if (cxl_vfio_is_comp_bar(dev->found, info->index))
		return cxl_vfio_bar_region_info(dev, info, caps);
	/* VBAR_NONE is a number that users may ask for as well */
	if (info->index < PCI_STD_NUM_BARS && info->index == dev->vbar.bar)
		return cxl_vfio_vbar_region_info(dev, info, caps);
	return cxl_vfio_compat_core_region_info(vdev, info, caps);
}

static long cxl_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return cxl_vfio_device_info(dev, arg);
	case VFIO_DEVICE_RESET:
	case VFIO_DEVICE_PCI_HOT_RESET:
		return cxl_vfio_reset_ioctl(dev, cmd, arg);
	case VFIO_DEVICE_IOEVENTFD:
		/*
		 * vfio-pci-core takes a negative BAR number, on every kernel so far, and
		 * then writes outside of its own array.  A check here would be of no use:
		 * the core reads the argument once more.  VMMs can do without.
		 */
		return -ENOTTY;
	}
	return cxl_vfio_compat_ioctl(vdev, cmd, arg, cxl_vfio_region_info);
}

static int cxl_vfio_feature(struct vfio_device *vdev, u32 flags, void __user *arg, size_t argsz)
{
	int ret;

	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return cxl_vfio_low_power(to_cxl_vfio(vdev), flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_DMA_BUF:
		ret = cxl_vfio_dmabuf_feature(to_cxl_vfio(vdev), flags, arg, argsz);
		if (ret != -ENOTTY)
			return ret;
		break;
	}
	return vfio_pci_core_ioctl_feature(vdev, flags, arg, argsz);
}

/* The function is being unbound and its user asked to close it: end all waits */
static void cxl_vfio_request(struct vfio_device *vdev, unsigned int count)
{
	cxl_vfio_gate_leaving(to_cxl_vfio(vdev));
	vfio_pci_core_request(vdev, count);
}

static int cxl_vfio_init(struct vfio_device *vdev)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);
	int ret;

	mutex_init(&dev->model.lock);
	mutex_init(&dev->recovery.lock);
	cxl_vfio_gate_init(dev);
	ret = cxl_vfio_dmabuf_init(dev);
	if (ret)
		return ret;
	ret = cxl_vfio_compat_zap_init(&dev->zap);
	if (ret)
		goto exit_dmabuf;
	cxl_vfio_compat_export_init(dev);
	ret = vfio_pci_core_init_dev(vdev);
	if (ret)
		goto exit_zap;
	return 0;

exit_zap:
	cxl_vfio_compat_zap_exit(&dev->zap);
exit_dmabuf:
	cxl_vfio_dmabuf_exit(dev);
	return ret;
}

static void cxl_vfio_release(struct vfio_device *vdev)
{
	struct cxl_vfio_device *dev = to_cxl_vfio(vdev);

	cxl_vfio_compat_zap_exit(&dev->zap);
	cxl_vfio_dmabuf_exit(dev);
	mutex_destroy(&dev->model.lock);
	mutex_destroy(&dev->recovery.lock);
	kfree(dev->found);
	vfio_pci_core_release_dev(vdev);
}

static const struct vfio_device_ops cxl_vfio_ops = {
	.name = KBUILD_MODNAME,
	.init = cxl_vfio_init,
	.release = cxl_vfio_release,
	.open_device = cxl_vfio_open_device,
	.close_device = cxl_vfio_close_device,
	.read = cxl_vfio_read,
	.write = cxl_vfio_write,
	.mmap = cxl_vfio_mmap,
	.ioctl = cxl_vfio_ioctl,
	.device_feature = cxl_vfio_feature,
	.request = cxl_vfio_request,
	.match = vfio_pci_core_match,
	CXL_VFIO_COMPAT_MATCH_TOKEN_UUID
	CXL_VFIO_COMPAT_REGION_INFO(cxl_vfio_region_info)
	CXL_VFIO_COMPAT_IOMMUFD_OPS
	CXL_VFIO_COMPAT_PASID_OPS
};

static struct cxl_vfio_found *cxl_vfio_find(struct pci_dev *pdev)
{
	struct cxl_vfio_found *found;
	int ret;

	found = kzalloc(sizeof(*found), GFP_KERNEL);
	if (!found)
		return ERR_PTR(-ENOMEM);

	if (cxl_vfio_is_disabled(pdev)) {
		pci_info(pdev, "named in disable_cxl, assigned as a plain PCI function\n");
		return found;
	}
	ret = cxl_vfio_discover(pdev, found);
	if (ret) {
		kfree(found);
		return ERR_PTR(ret);
	}
	return found;
}

/* Note the component BAR and map its registers, if there are component registers */
static int map_registers(struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_found *found = dev->found;
	struct pci_dev *pdev = dev->core.pdev;

	if (!cxl_vfio_has_comp(found))
		return 0;
	dev->bar.window.dev = dev;
	dev->bar.window.phys = pci_resource_start(pdev, found->bar);
	dev->bar.window.size = pci_resource_len(pdev, found->bar);
	dev->bar.window.offset = VFIO_PCI_INDEX_TO_OFFSET(found->bar);
	dev->cm_regs = cxl_vfio_map_cm(pdev, found);
	return dev->cm_regs ? 0 : -ENOMEM;
}

static void unmap_registers(struct cxl_vfio_device *dev)
{
	if (dev->cm_regs)
		iounmap(dev->cm_regs);
}

/* Claim the resources that a CXL function has while it is bound */
static int cxl_vfio_claim(struct cxl_vfio_device *dev)
{
	int ret;

	ret = map_registers(dev);
	if (ret)
		return ret;
	/* A CXL device may lose its memory's contents in D3: only its user may allow D3 */
	cxl_vfio_compat_stay_awake(&dev->core);
	ret = cxl_vfio_topology_join(dev);
	if (ret)
		goto unmap;
	ret = cxl_vfio_mem_claim(dev);
	if (ret)
		goto unmap;
	ret = cxl_vfio_vbar_bind(dev);
	if (ret)
		goto release;
	ret = cxl_vfio_topology_watch(dev);
	if (ret)
		goto release;
	ret = cxl_vfio_port_take(dev);
	if (ret)
		goto leave;
	ret = cxl_vfio_limit_cache(dev);
	if (ret)
		goto release_port;
	ret = cxl_vfio_reset_bind(dev);
	if (ret)
		goto release_port;
	cxl_vfio_clear_init(dev);
	return 0;

release_port:
	cxl_vfio_port_release(dev);
leave:
	cxl_vfio_topology_leave(dev);
release:
	cxl_vfio_mem_release(dev);
unmap:
	cxl_vfio_compat_may_sleep(&dev->core);
	unmap_registers(dev);
	return ret;
}

static void cxl_vfio_unclaim(struct cxl_vfio_device *dev)
{
	cxl_vfio_reset_unbind(dev);
	cxl_vfio_clear_exit(dev);
	cxl_vfio_port_release(dev);
	cxl_vfio_topology_leave(dev);
	cxl_vfio_mem_release(dev);
	cxl_vfio_compat_may_sleep(&dev->core);
	unmap_registers(dev);
}

static void log_found(struct pci_dev *pdev, const struct cxl_vfio_found *found)
{
	for (unsigned int i = 0; i < found->nr_ranges; i++)
		pci_info(pdev, "%s%u: [mem %#llx-%#llx], %llu MiB\n",
			 cxl_vfio_range_name(&found->range[i]),
			 cxl_vfio_range_number(&found->range[i]), found->range[i].base,
			 cxl_vfio_range_end(&found->range[i]), found->range[i].size >> 20);
}

static int cxl_vfio_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct cxl_vfio_found *found;
	struct cxl_vfio_device *dev;
	int ret;

	/* The module cannot be unloaded while a function is bound */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;

	found = cxl_vfio_find(pdev);
	if (IS_ERR(found)) {
		ret = PTR_ERR(found);
		goto put_module;
	}
	dev = vfio_alloc_device(cxl_vfio_device, core.vdev, &pdev->dev,
				found->is_cxl ? &cxl_vfio_ops : &cxl_vfio_plain_ops);
	if (IS_ERR(dev)) {
		kfree(found);
		ret = PTR_ERR(dev);
		goto put_module;
	}
	dev->found = found;
	dev->abi = &cxl_vfio_abis[cxl_vfio_params->abi];
	cxl_vfio_compat_no_core_cxl(&dev->core);
	if (found->is_cxl) {
		ret = cxl_vfio_claim(dev);
		if (ret)
			goto put_device;
	}
	dev_set_drvdata(&pdev->dev, &dev->core);
	ret = vfio_pci_core_register_device(&dev->core);
	if (ret)
		goto unclaim;

	cxl_vfio_compat_check_core_cxl(&dev->core);
	log_found(pdev, found);
	if (found->is_cxl)
		cxl_vfio_recycle(dev);
	return 0;

unclaim:
	if (found->is_cxl)
		cxl_vfio_unclaim(dev);
put_device:
	vfio_put_device(&dev->core.vdev);
put_module:
	module_put(THIS_MODULE);
	return ret;
}

static void cxl_vfio_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);
	struct cxl_vfio_device *dev = core_to_cxl_vfio(core);

	/* The device was pulled out: close its memory for the last user, for good */
	if (dev->found->is_cxl && pci_channel_offline(pdev))
		cxl_vfio_gate_set(dev, HOLD_EVICTED, true);
	vfio_pci_core_unregister_device(core);
	if (dev->found->is_cxl)
		cxl_vfio_unclaim(dev);
	vfio_put_device(&core->vdev);
	module_put(THIS_MODULE);
}

/* As vfio-pci: the user of the function must know the token to share it with others */
static int cxl_vfio_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	if (!cxl_vfio_params->enable_sriov) {
		pci_info(pdev, "virtual functions are created only with the module parameter enable_sriov=1\n");
		return -ENOENT;
	}
	return vfio_pci_core_sriov_configure(dev_get_drvdata(&pdev->dev), nr_virtfn);
}

/*
 * Device ids for which VMM managers choose this driver, by the module's vfio_pci:
 * aliases.  They are named at build time, see Kbuild; no device has been tested on
 * hardware yet.  driver_override binds any function, listed or not.
 */
static const struct pci_device_id cxl_vfio_ids[] = {
	CXL_VFIO_ID_TABLE
	{}
};
MODULE_DEVICE_TABLE(pci, cxl_vfio_ids);

static struct pci_driver cxl_vfio_driver = {
	.name = KBUILD_MODNAME,
	.id_table = cxl_vfio_ids,
	.probe = cxl_vfio_probe,
	.remove = cxl_vfio_remove,
	.sriov_configure = cxl_vfio_sriov_configure,
	.dev_groups = cxl_vfio_groups,
	.err_handler = &cxl_vfio_err_handlers,
	.driver_managed_dma = true,
};

static int __init cxl_vfio_module_init(void)
{
	int ret;

	ret = cxl_vfio_params_init();
	if (ret)
		return ret;
	ret = cxl_vfio_clear_module_init();
	if (ret)
		return ret;
	if (cxl_vfio_params->topology != TOPOLOGY_OFF)
		cxl_vfio_compat_load_cxl_root();
	ret = pci_register_driver(&cxl_vfio_driver);
	if (ret)
		cxl_vfio_clear_module_exit();
	return ret;
}
module_init(cxl_vfio_module_init);

static void __exit cxl_vfio_module_exit(void)
{
	pci_unregister_driver(&cxl_vfio_driver);
	cxl_vfio_clear_module_exit();
}
module_exit(cxl_vfio_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO driver for CXL Type-2 devices: device memory for virtual machines");
MODULE_AUTHOR("The cxl-vfio-pci authors");
MODULE_VERSION(CXL_VFIO_VERSION);
