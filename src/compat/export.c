// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exports of device memory and BARs as dma-bufs by vfio-pci-core, on kernels where it asks
 * the driver what to export.  iommufd takes no other exporter's dma-bufs.
 */
#include <linux/pci.h>

#include "cxl_vfio.h"

#if CXL_VFIO_PCI_OPS

/* HDM memory: any part of it, at the device's own address */
static int fill_memory(const struct cxl_vfio_compat_export *export, struct phys_vec *vec,
		       const struct vfio_region_dma_range *range, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (!range[i].length || range[i].offset >= export->size ||
		    range[i].length > export->size - range[i].offset)
			return -EINVAL;
		vec[i].paddr = export->phys + range[i].offset;
		vec[i].len = range[i].length;
	}
	return 0;
}

/*
 * What of a region becomes a dma-buf.  vfio-pci-core reads the region's index from user
 * memory, after the driver did.  A task that exports HDM memory gets that, whatever is read.
 * The component BAR is for a task that asked for it both times: dmabuf.c revokes its
 * dma-bufs with the gate.
 */
static int get_dmabuf_phys(struct vfio_pci_core_device *core, struct p2pdma_provider **provider,
			   unsigned int region, struct phys_vec *vec,
			   struct vfio_region_dma_range *range, size_t nr)
{
	struct cxl_vfio_device *dev = core_to_cxl_vfio(core);
	bool noted = READ_ONCE(dev->export.task) == current;

	if (noted && dev->export.size) {
		*provider = &dev->export.provider;
		return fill_memory(&dev->export, vec, range, nr);
	}
	if (cxl_vfio_is_comp_bar(dev->found, region) && !noted)
		return -EINVAL;
	for (size_t i = 0; i < nr && cxl_vfio_is_comp_bar(dev->found, region); i++)
		if (cxl_vfio_bar_is_block(dev, dev->bar.window.offset + range[i].offset,
					  range[i].length))
			return -EINVAL;
	return vfio_pci_core_get_dmabuf_phys(core, provider, region, vec, range, nr);
}

static const struct vfio_pci_device_ops pci_ops = {
	.get_dmabuf_phys = get_dmabuf_phys,
};

#endif

/**
 * cxl_vfio_compat_export_init() - let users export BARs of a CXL function as dma-bufs
 * @dev: the device, before vfio_pci_core_init_dev()
 */
void cxl_vfio_compat_export_init(struct cxl_vfio_device *dev)
{
#if CXL_VFIO_PCI_OPS
	struct pci_dev *port = pci_upstream_bridge(to_pci_dev(dev->core.vdev.dev));

	dev->core.pci_ops = &pci_ops;
	/*
	 * HDM memory is not reached by the address on the bus that a BAR has.  A port
	 * provides no peer-to-peer memory, so that no device gets such an address.
	 */
	if (port)
		dev->export.provider.owner = &port->dev;
#endif
}

/**
 * cxl_vfio_compat_core_exports() - is HDM memory to be exported by vfio-pci-core?
 * @dev: the device, open
 *
 * Return: true if the user opened the device through iommufd, and vfio-pci-core can: it
 * exports HDM memory in place of the component BAR, which not every device has.
 */
bool cxl_vfio_compat_core_exports(const struct cxl_vfio_device *dev)
{
#if CXL_VFIO_PCI_OPS && IS_ENABLED(CONFIG_IOMMUFD)
	return dev->core.vdev.iommufd_device && dev->export.provider.owner &&
	       cxl_vfio_has_comp(dev->found);
#else
	return false;
#endif
}
