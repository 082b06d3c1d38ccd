/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the kernel that the driver's rules for a device call: discover.c, look.c,
 * claim.c, cedt.c and the models of ../../src.  All headers in linux/ include this file.
 * judge.c has the functions, over what sysfs gives.
 */
#ifndef CXL_VFIO_TOOL_KERNEL_H
#define CXL_VFIO_TOOL_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include </usr/include/linux/types.h>
#include </usr/include/linux/pci_regs.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;

#define __iomem
#define KBUILD_MODNAME		"cxl_vfio_pci"
#define GFP_KERNEL		0
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(h, l)		((~0U >> (31 - (h))) & (~0U << (l)))
#define FIELD_GET(mask, reg)	(((reg) & (mask)) >> __builtin_ctz(mask))
#define FIELD_PREP(mask, val)	(((u32)(val) << __builtin_ctz(mask)) & (mask))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define round_down(x, a)	((x) & ~((typeof(x))(a) - 1))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define U8_MAX			0xff
#define U16_MAX			0xffff
#define U32_MAX			(~0U)
#define PAGE_SHIFT		12
#define PUD_SHIFT		30
#define scnprintf(buf, size, ...)	snprintf(buf, size, __VA_ARGS__)
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define clamp(x, lo, hi)	((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))
#define __ffs(x)		((unsigned int)__builtin_ctzl(x))
#define lower_32_bits(x)	((u32)(x))
#define upper_32_bits(x)	((u32)((x) >> 32))
#define kzalloc(size, flags)	((void)(flags), calloc(1, size))
#define kmalloc(size, flags)	((void)(flags), malloc(size))
#define kfree(p)		free(p)
#define ERR_PTR(err)		((void *)(intptr_t)(err))
#define PTR_ERR(p)		((int)(intptr_t)(p))
#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-4095)

/* As in vfio-pci-core: a region's index takes the upper bits of a file offset */
#define VFIO_PCI_OFFSET_SHIFT	40

#define PCI_CFG_SPACE_SIZE	256
#define PCI_CFG_SPACE_EXP_SIZE	4096
#define PCI_STD_NUM_BARS	6
#define PCI_NUM_RESOURCES	17
#define IORESOURCE_MEM		0x200
#define IORESOURCE_MEM_64	0x100000
#define IORESOURCE_SYSTEM_RAM	0x1000000
#define IORESOURCE_UNSET	0x20000000
#define IORES_DESC_NONE		0
#define REGION_INTERSECTS	0
#define REGION_DISJOINT		1

struct resource {
	u64 start;
	u64 end;
	unsigned long flags;
	bool parent;		/* has an address */
};

struct pci_bus {
	unsigned int domain;
	unsigned int number;
};

struct pci_dev {
	struct pci_bus *bus;
	unsigned int devfn;
	char name[16];
	struct resource resource[PCI_NUM_RESOURCES];
};

#define PCI_DEVFN(slot, func)		((slot) << 3 | (func))
#define pci_domain_nr(bus)		((bus)->domain)
#define pci_name(p)			((const char *)(p)->name)
#define pci_dev_put(p)			((void)(p))
#define pci_resource_start(p, i)	((p)->resource[i].start)
#define pci_resource_flags(p, i)	((p)->resource[i].flags)
#define PCI_POSSIBLE_ERROR(val)		((val) == (typeof(val))~0ULL)

static inline u64 pci_resource_len(const struct pci_dev *pdev, unsigned int i)
{
	return pdev->resource[i].end ? pdev->resource[i].end - pdev->resource[i].start + 1 : 0;
}

struct pci_dev *judge_next_function(struct pci_dev *pdev);
#define for_each_pci_dev(p)		for (; (p = judge_next_function(p));)

/* An error is the driver's sentence about a device that it refuses */
__attribute__((format(printf, 2, 3))) void judge_log(bool error, const char *fmt, ...);
#define pci_err(p, ...)			((void)(p), judge_log(true, __VA_ARGS__))
#define pci_info(p, ...)		((void)(p), judge_log(false, __VA_ARGS__))
#define pr_err(...)			judge_log(true, __VA_ARGS__)

int pci_read_config_word(struct pci_dev *pdev, int at, u16 *val);
int pci_read_config_dword(struct pci_dev *pdev, int at, u32 *val);
int pci_write_config_word(struct pci_dev *pdev, int at, u16 val);
u16 pci_find_dvsec_capability(struct pci_dev *pdev, u16 vendor, u16 id);
int pci_enable_device_mem(struct pci_dev *pdev);
void pci_disable_device(struct pci_dev *pdev);
bool pci_ats_supported(struct pci_dev *pdev);
void *ioremap(u64 phys, u64 size);
void iounmap(const void *regs);
u32 readl(const void *reg);
void writel(u32 val, void *reg);
unsigned long msleep_interruptible(unsigned int ms);
int region_intersects(u64 start, u64 size, unsigned long flags, unsigned long desc);
struct resource *request_mem_region_exclusive(u64 start, u64 size, const char *name);
void release_mem_region(u64 start, u64 size);

/* A parameter of the module, which settings.c finds by its name */
struct setting {
	const char *name;
	enum { SETTING_bool, SETTING_uint, SETTING_charp } type;
	void *value;
	char *word;		/* the default of a word */
	unsigned int number;	/* that of another type */
	char text[4096];	/* the value of a word, as long as sysfs shows them */
	struct setting *next;
};

void add_setting(struct setting *setting);
#define module_param(var, kind, perm)	module_param_named(var, var, kind, perm)
#define module_param_named(param, var, kind, perm)				\
	static __attribute__((constructor)) void add_##param(void)		\
	{									\
		static struct setting setting = {				\
			.name = #param, .type = SETTING_##kind, .value = &(var),	\
		};								\
										\
		(void)(perm);							\
		add_setting(&setting);						\
	}									\
	struct setting
#define MODULE_PARM_DESC(name, text)	_Static_assert(sizeof(text) > 1, "of " #name)

#include "cedt_tables.h"

struct acpi_device {
	const char *uid;
};

struct pci_host_bridge {
	int dev;
};

struct pci_host_bridge *pci_find_host_bridge(struct pci_bus *bus);
struct acpi_device *judge_companion(const int *dev);
int acpi_get_table(const char *signature, u32 instance, struct acpi_table_header **table);
void acpi_put_table(struct acpi_table_header *table);
int kstrtou32(const char *s, unsigned int base, u32 *res);
#define ACPI_COMPANION(dev)		judge_companion(dev)
#define acpi_device_uid(adev)		((adev)->uid)

#endif
