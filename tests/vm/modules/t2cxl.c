// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's driver for the software device that takes its memory from the kernel's CXL
 * subsystem, step by step as the Type-2 drivers in the kernel do.  No step looks at the BAR
 * with the memory, but for the last check.  Each check logs a line "t2cxl: ok ..." or
 * "t2cxl: FAIL ...".
 */
#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <cxl/cxl.h>
#include <cxl/pci.h>

#include <linux/cxl_vfio_regs.h>

#include "../../t2dev/t2dev_regs.h"

#define LEN		SZ_64K
#define MEMORY_BAR	4
#define PATTERN		0x600df00d

static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
MODULE_PARM_DESC(node, "NUMA node that the memory is added to after the checks (-1: none)");

struct accel {
	struct cxl_dev_state cxlds;
	struct pci_dev *pdev;
	void __iomem *regs;
	u8 *mem;
	u64 start;
	u64 size;
};

static void verdict(struct accel *a, bool ok, const char *what)
{
	pci_info(a->pdev, "t2cxl: %s %s\n", ok ? "ok" : "FAIL", what);
}

static void write64(struct accel *a, unsigned int reg, u64 val)
{
	writel(val, a->regs + reg);
	writel(val >> 32, a->regs + reg + 4);
}

/* Have the device compute over, or fill, LEN bytes of its memory from @at on */
static bool run(struct accel *a, u32 opcode, u32 flags, u64 at)
{
	u32 status;

	writel(T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR, a->regs + T2DEV_ACC_STATUS);
	writel(opcode, a->regs + T2DEV_ACC_OPCODE);
	writel(flags, a->regs + T2DEV_ACC_FLAGS);
	write64(a, T2DEV_ACC_SRC_LO, at);
	write64(a, T2DEV_ACC_DST_LO, at);
	write64(a, T2DEV_ACC_LEN_LO, LEN);
	writel(PATTERN, a->regs + T2DEV_ACC_PATTERN);
	writel(1, a->regs + T2DEV_ACC_DOORBELL);
	do {
		status = readl(a->regs + T2DEV_ACC_STATUS);
	} while (status & T2DEV_STATUS_BUSY);
	return (status & (T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR)) == T2DEV_STATUS_DONE;
}

/* Write LEN bytes at @at, and have the device compute their CRC */
static bool device_sees(struct accel *a, u64 at)
{
	u32 *p = (u32 *)(a->mem + at);

	for (u32 i = 0; i < LEN / 4; i++)
		p[i] = (i + at) * 2654435761U;
	return run(a, T2DEV_OP_CRC32, T2DEV_FLAG_SRC_HDM, at) &&
	       readl(a->regs + T2DEV_ACC_RESULT) == (u32)~crc32_le(~0U, (u8 *)p, LEN);
}

/* A page of each MiB, the last first, none of them at the start of a huge page */
static bool holds_what_is_stored(struct accel *a)
{
	for (u64 at = a->size; at; at -= SZ_1M)
		*(u32 *)(a->mem + at - SZ_64K + SZ_4K) = at >> 20;
	for (u64 at = a->size; at; at -= SZ_1M)
		if (*(u32 *)(a->mem + at - SZ_64K + SZ_4K) != at >> 20)
			return false;
	return true;
}

static bool bar_has_the_same(struct accel *a)
{
	u32 *bar = memremap(pci_resource_start(a->pdev, MEMORY_BAR), LEN, MEMREMAP_WB);
	bool same = bar && !memcmp(bar, a->mem, LEN);

	if (bar)
		memunmap(bar);
	return same;
}

static void use(struct accel *a)
{
	bool ok;

	verdict(a, holds_what_is_stored(a), "all of the region holds what is stored");
	verdict(a, device_sees(a, 0), "the device computes the CRC of what the CPU wrote");
	verdict(a, device_sees(a, a->size - LEN), "the device does so at the end of the region");
	ok = run(a, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, LEN);
	ok &= ((u32 *)a->mem)[LEN / 4 + 17] == PATTERN;
	verdict(a, ok, "the CPU reads from the region what the device filled");
	verdict(a, bar_has_the_same(a), "the region and BAR 4 are the same memory");
}

static void take_from_node(void *data)
{
	struct accel *a = data;

	verdict(a, !offline_and_remove_memory(a->start, a->size),
		"the kernel gives the memory of the NUMA node back");
}

/* The kernel has no dax device for a region that a driver has: the driver adds the memory */
static void add_to_node(struct accel *a, struct resource *claim)
{
	int ret;

	devm_memunmap(&a->pdev->dev, a->mem);
	/* Not busy, so that the kernel's own claim fits into it */
	claim->flags = IORESOURCE_SYSTEM_RAM;
	ret = add_memory_driver_managed(node, a->start, a->size, "System RAM (t2cxl)", MHP_NONE);
	verdict(a, !ret, "the kernel takes the memory of the region for a NUMA node");
	if (!ret)
		ret = devm_add_action_or_reset(&a->pdev->dev, take_from_node, a);
	if (ret)
		pci_info(a->pdev, "t2cxl: no memory for node %d: %d\n", node, ret);
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	u16 dvsec = pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
					      CXL_VFIO_DVSEC_ID_DEVICE);
	struct cxl_memdev *memdev;
	struct resource *claim;
	struct range range;
	struct accel *a;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_set_master(pdev);
	a = devm_cxl_dev_state_create(&pdev->dev, CXL_DEVTYPE_DEVMEM, pci_get_dsn(pdev), dvsec,
				      struct accel, cxlds, false);
	if (!a)
		return -ENOMEM;
	a->pdev = pdev;
	ret = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, &a->cxlds.reg_map);
	verdict(a, !ret && a->cxlds.reg_map.component_map.hdm_decoder.valid,
		"cxl-core finds the HDM decoders of the device");
	if (ret)
		return ret;
	a->cxlds.media_ready = true;
	ret = cxl_set_capacity(&a->cxlds, SZ_256M);
	if (ret)
		return ret;
	memdev = devm_cxl_probe_mem(&a->cxlds, &range);
	if (IS_ERR(memdev)) {
		pci_info(pdev, "t2cxl: no region: %pe\n", memdev);
		return PTR_ERR(memdev);
	}
	a->start = range.start;
	a->size = range_len(&range);
	verdict(a, a->size == SZ_256M, "cxl-core makes a region of all device memory");
	verdict(a, range.start == pci_resource_start(pdev, MEMORY_BAR),
		"the region is at the address of BAR 4");
	claim = devm_request_mem_region(&pdev->dev, range.start, a->size, "t2cxl");
	verdict(a, claim, "the driver claims the memory of the region");
	a->mem = devm_memremap(&pdev->dev, range.start, a->size, MEMREMAP_WB);
	a->regs = pcim_iomap(pdev, T2DEV_ACCEL_BAR, 0);
	if (IS_ERR(a->mem) || !a->regs)
		return -ENOMEM;
	use(a);
	if (node != NUMA_NO_NODE && claim)
		add_to_node(a, claim);
	pci_info(pdev, "t2cxl: finished\n");
	return 0;
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(T2DEV_VENDOR_ID, T2DEV_DEVICE_ID) },
	{}
};

/* No device table, so that no host loads this module by itself */

static struct pci_driver t2cxl_driver = {
	.name = "t2cxl",
	.id_table = ids,
	.probe = probe,
};
module_pci_driver(t2cxl_driver);

MODULE_IMPORT_NS("CXL");
MODULE_DESCRIPTION("A guest's driver that takes the memory of the software device from cxl-core");
MODULE_LICENSE("GPL");
