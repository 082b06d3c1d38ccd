/* SPDX-License-Identifier: GPL-2.0-only */
/* The CEDT and how drivers get at it; a test provides the table and the _UID */
#ifndef SHIM_ACPI_H
#define SHIM_ACPI_H

#include "../kernel.h"

#define ACPI_SIG_CEDT			"CEDT"
#define ACPI_CEDT_TYPE_CHBS		0
#define ACPI_CEDT_TYPE_CFMWS		1
#define ACPI_CEDT_CHBS_VERSION_CXL20	1
#define ACPI_FAILURE(status)		((status) != 0)

/* ACPI 6.5, 5.2.6 */
struct acpi_table_header {
	char signature[4];
	u32 length;
	u8 rest[28];
} __attribute__((packed));

/* CXL r4.0 9.18.1 */
struct acpi_cedt_header {
	u8 type;
	u8 reserved;
	u16 length;
} __attribute__((packed));

struct acpi_cedt_chbs {
	struct acpi_cedt_header header;
	u32 uid;
	u32 cxl_version;
	u32 reserved;
	u64 base;
	u64 length;
} __attribute__((packed));

struct acpi_cedt_cfmws {
	struct acpi_cedt_header header;
	u32 reserved1;
	u64 base_hpa;
	u64 window_size;
	u8 interleave_ways;
	u8 interleave_arithmetic;
	u16 reserved2;
	u32 granularity;
	u16 restrictions;
	u16 qtg_id;
	u32 interleave_targets[];
} __attribute__((packed));

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
