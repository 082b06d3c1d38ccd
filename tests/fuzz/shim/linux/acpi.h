/* SPDX-License-Identifier: GPL-2.0-only */
/* The CEDT and how drivers get at it; a test provides the table and the _UID */
#ifndef SHIM_ACPI_H
#define SHIM_ACPI_H

#include "../kernel.h"
#include "../../../../tools/kernel/cedt_tables.h"

struct acpi_device {
	const char *uid;
};

struct pci_bus;
struct pci_host_bridge {
	struct device dev;
};

int acpi_get_table(const char *signature, u32 instance, struct acpi_table_header **table);
void acpi_put_table(struct acpi_table_header *table);
struct acpi_device *shim_acpi_companion(void);
int kstrtou32(const char *s, unsigned int base, u32 *res);

#define ACPI_COMPANION(dev)		((void)(dev), shim_acpi_companion())
#define acpi_device_uid(adev)		((adev)->uid)

static inline struct pci_host_bridge *pci_find_host_bridge(struct pci_bus *bus)
{
	static struct pci_host_bridge bridge;

	return &bridge;
}

#endif
