// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: vfio_pci_core_get_dmabuf_phys
 * asks 1: p2pdma_provider vfio_pci_device_ops vfio_pci_core_get_dmabuf_phys
 *
 * Since about 6.19 drivers can let users export BARs as dma-bufs, and say what of a region
 * is exported.
 */
#include <linux/pci-p2pdma.h>
#include <linux/vfio_pci_core.h>

#if VARIANT == 1
static int phys(struct vfio_pci_core_device *core, struct p2pdma_provider **provider,
		unsigned int region, struct phys_vec *vec, struct vfio_region_dma_range *range,
		size_t nr)
{
	(*provider)->owner = &core->pdev->dev;
	vec[0].paddr = range[0].offset;
	vec[0].len = range[0].length;
	return nr == 1 ? 0 : vfio_pci_core_get_dmabuf_phys(core, provider, region, vec, range, nr);
}

static const struct vfio_pci_device_ops ops = {
	.get_dmabuf_phys = phys,
};

void probe(struct vfio_pci_core_device *core)
{
	core->pci_ops = &ops;
}
#endif
