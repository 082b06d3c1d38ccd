/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vfio-pci-core knows of a device's extended config space: which bytes belong to
 * which capability, and the chain of capabilities that it shows.
 */
#ifndef FUZZ_CORE_H
#define FUZZ_CORE_H

#include "shim/kernel.h"

#define CORE_CFG_SIZE	4096
#define CORE_INVALID	0xff	/* in the map: in no capability that vfio-pci-core shows */
#define CORE_VIRTUAL	0xfe	/* in the map: read from vconfig alone */

struct core_config {
	u8 vconfig[CORE_CFG_SIZE];
	u8 map[CORE_CFG_SIZE];
	bool knows_dvsecs;	/* false before 6.2, which hid every DVSEC */
};

/* Length of the capability at @at as vfio-pci-core counts it, 0 if it hides it */
u32 core_cap_length(const struct core_config *core, const u8 *config, u16 at);
/* Fill in the map and vconfig, as vfio_pci_core_enable() does */
void core_config_init(struct core_config *core, const u8 *config, bool knows_dvsecs);
/* A byte as vfio-pci-core shows it */
u8 core_config_byte(const struct core_config *core, const u8 *config, u16 at);

#endif
