// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * needs 1: _devm_cxl_dev_state_create devm_cxl_probe_mem cxl_set_capacity cxl_pci_setup_regs
 *
 * Since 7.3 or so cxl-core lets drivers of Type-2 devices join its topology.
 * 7.2 has part of it; what is missing there no header declares.
 */
#if VARIANT == 1
#include <cxl/cxl.h>
#include <cxl/pci.h>

int probe(struct cxl_dev_state *cxlds, struct pci_dev *pdev, struct range *range)
{
	cxlds->media_ready = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, &cxlds->reg_map);
	return cxl_set_capacity(cxlds, 1ULL) || !devm_cxl_probe_mem(cxlds, range);
}
#endif
