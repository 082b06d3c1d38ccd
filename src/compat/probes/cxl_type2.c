// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: _devm_cxl_dev_state_create devm_cxl_probe_mem cxl_set_capacity cxl_pci_setup_regs
 * asks 1: cxl.h devm_cxl_dev_state_create devm_cxl_probe_mem cxl_set_capacity
 * asks 1: cxl_pci_setup_regs CXL_DEVTYPE_DEVMEM CXL_REGLOC_RBI_COMPONENT cxl_dev_state
 * asks 1: device_find_child
 *
 * Since about 7.3 cxl-core lets drivers of Type-2 devices join its topology.  7.2
 * has a part of the interface; its headers do not declare the rest.
 */
#if VARIANT == 1
#include <linux/pci.h>
/* <cxl/cxl.h> uses struct range and does not include it */
#include <linux/range.h>

#include <cxl/cxl.h>
#include <cxl/pci.h>

struct part {
	struct cxl_dev_state cxlds;
};

static int match(struct device *dev, const void *data)
{
	return 1;
}

struct device *probe(struct pci_dev *pdev, struct range *range)
{
	struct part *part;
	struct cxl_memdev *memdev;

	part = devm_cxl_dev_state_create(&pdev->dev, CXL_DEVTYPE_DEVMEM, 1ULL, 1, struct part,
					 cxlds, false);
	if (cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, &part->cxlds.reg_map) ||
	    !part->cxlds.reg_map.component_map.hdm_decoder.valid)
		return NULL;
	part->cxlds.media_ready = true;
	memdev = cxl_set_capacity(&part->cxlds, 1ULL) ? NULL :
						       devm_cxl_probe_mem(&part->cxlds, range);
	return memdev ? device_find_child(&pdev->dev, NULL, match) : NULL;
}
#endif
