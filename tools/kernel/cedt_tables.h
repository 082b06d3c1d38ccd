/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's names for the CEDT, for programs that compile src/cedt.c.  They define u8 to
 * u64 before.
 */
#ifndef CEDT_TABLES_H
#define CEDT_TABLES_H

/* ACPI 6.5, 5.2.6, and CXL r4.0 9.18.1 */
#define ACPI_SIG_CEDT			"CEDT"
#define ACPI_CEDT_TYPE_CHBS		0
#define ACPI_CEDT_TYPE_CFMWS		1
#define ACPI_CEDT_CHBS_VERSION_CXL20	1
#define ACPI_FAILURE(status)		((status) != 0)

struct acpi_table_header {
	char signature[4];
	u32 length;
	u8 rest[28];
} __attribute__((packed));

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

#endif
