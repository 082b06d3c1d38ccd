/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_PARAMS_H
#define CXL_VFIO_PARAMS_H

#include "view.h"

struct cxl_vfio_abi;
struct pci_dev;

/* vbar=: the slot of the virtual BAR */
enum cxl_vfio_vbar_choice {
	VBAR_AUTO,		/* a free pair of BARs */
	VBAR_OFF,
	VBAR_SLOT_0,		/* BAR 0; the next values are BARs 2 and 4 */
};

/* cxl_core=: does the device join the kernel's own CXL topology? */
enum cxl_vfio_topology_mode {
	TOPOLOGY_AUTO,		/* join if that is possible */
	TOPOLOGY_REQUIRE,
	TOPOLOGY_OFF,
};

/* struct_pages=: does HDM memory have struct pages? */
enum cxl_vfio_pages_mode {
	PAGES_AUTO,		/* where guests need struct pages for caching */
	PAGES_ON,
	PAGES_OFF,
};

/* cxl_cache=: may the device cache host memory? */
enum cxl_vfio_cache_mode {
	CACHE_KEEP,		/* as firmware or another driver set it up */
	CACHE_OFF,
};

/* reset_method=: what VFIO_DEVICE_RESET does to a device that can do a CXL reset */
enum cxl_vfio_reset_method {
	RESET_AUTO,		/* CXL reset, then function reset */
	RESET_CXL_ONLY,
	RESET_FLR_ONLY,
};

/**
 * struct cxl_vfio_params - the module's parameters, fixed once it is loaded
 * @view: what the register models show of the device
 * @abi: the VMM interface, an index of cxl_vfio_abis[]
 * @max_order: largest user mapping of HDM memory, as a power of two of pages
 * @enable_sriov: let root create virtual functions of an assigned function
 * @keep_memory: do not clear HDM memory between users
 * @reset_method: enum cxl_vfio_reset_method
 * @cache: enum cxl_vfio_cache_mode
 * @topology: enum cxl_vfio_topology_mode
 * @pages: enum cxl_vfio_pages_mode
 * @vbar: enum cxl_vfio_vbar_choice
 */
struct cxl_vfio_params {
	struct cxl_vfio_view view;
	unsigned int abi;
	unsigned int max_order;
	bool enable_sriov;
	bool keep_memory;
	unsigned int reset_method;
	unsigned int cache;
	unsigned int topology;
	unsigned int pages;
	unsigned int vbar;
};

extern const struct cxl_vfio_params *const cxl_vfio_params;

int cxl_vfio_params_init(void);
bool cxl_vfio_is_disabled(const struct pci_dev *pdev);

#endif
