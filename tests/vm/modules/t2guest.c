// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's driver for the software device: uses its memory in BAR 4, DMA and interrupts,
 * and resets it.  Each step logs a line "t2guest: ok ..." or "t2guest: FAIL ...".
 */
#include <linux/bitfield.h>
#include <linux/completion.h>
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <linux/cxl_vfio_regs.h>

#include "../../t2dev/t2dev_regs.h"

#define LEN		SZ_64K
#define MEMORY_BAR	4

/* Parts of the memory of which one page each is used */
#define PARTS		256

static unsigned int size_mib = 256;
module_param(size_mib, uint, 0444);
MODULE_PARM_DESC(size_mib, "size of the device's memory in MiB");

static unsigned int linger;
module_param(linger, uint, 0444);
MODULE_PARM_DESC(linger, "seconds that all of the memory stays mapped after it was used");

static bool no_msi;
module_param(no_msi, bool, 0444);
MODULE_PARM_DESC(no_msi, "the host cannot set up interrupts: wait for none");

static u64 memory_size(void)
{
	return (u64)size_mib << 20;
}

struct accel {
	struct pci_dev *pdev;
	void __iomem *regs;
	void __iomem *comp;
	void *mem;
	void *ram;
	dma_addr_t ram_addr;
	struct completion irq;
};

static void verdict(struct accel *a, bool ok, const char *what)
{
	dev_info(&a->pdev->dev, "t2guest: %s %s\n", ok ? "ok" : "FAIL", what);
}

static irqreturn_t interrupt(int irq, void *data)
{
	complete(&((struct accel *)data)->irq);
	return IRQ_HANDLED;
}

static void write64(struct accel *a, unsigned int reg, u64 val)
{
	writel(val, a->regs + reg);
	writel(val >> 32, a->regs + reg + 4);
}

static bool run(struct accel *a, u32 opcode, u32 flags, u64 src, u64 dst)
{
	u32 status;

	writel(T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR, a->regs + T2DEV_ACC_STATUS);
	writel(opcode, a->regs + T2DEV_ACC_OPCODE);
	writel(flags, a->regs + T2DEV_ACC_FLAGS);
	writel(0, a->regs + T2DEV_ACC_VECTOR);
	write64(a, T2DEV_ACC_SRC_LO, src);
	write64(a, T2DEV_ACC_DST_LO, dst);
	write64(a, T2DEV_ACC_LEN_LO, LEN);
	writel(0x600df00d, a->regs + T2DEV_ACC_PATTERN);
	writel(1, a->regs + T2DEV_ACC_DOORBELL);
	do {
		status = readl(a->regs + T2DEV_ACC_STATUS);
	} while (status & T2DEV_STATUS_BUSY);
	return (status & (T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR)) == T2DEV_STATUS_DONE;
}

static void fill(struct accel *a)
{
	for (u32 i = 0; i < LEN / 4; i++)
		((u32 *)a->mem)[i] = i * 2654435761U;
}

static bool device_sees(struct accel *a)
{
	u32 crc = ~crc32_le(~0U, a->mem, LEN);

	return run(a, T2DEV_OP_CRC32, T2DEV_FLAG_SRC_HDM, 0, 0) &&
	       readl(a->regs + T2DEV_ACC_RESULT) == crc;
}

/* A page of each part, the last first, none of them at the start of a huge page */
static bool holds_what_is_stored(struct accel *a)
{
	u64 part = memory_size() / PARTS;

	for (u32 i = PARTS; i--;)
		*(u32 *)(a->mem + i * part + SZ_64K + SZ_4K) = i;
	for (u32 i = 0; i < PARTS; i++)
		if (*(u32 *)(a->mem + i * part + SZ_64K + SZ_4K) != i)
			return false;
	return true;
}

/* What memory takes that is mapped as device memory nowhere: on arm64 that would fault */
static bool takes_any_access(struct accel *a)
{
	u8 *p = a->mem + SZ_4K + 1;

	memset(a->mem, 0xff, 2 * SZ_4K);
	memset(a->mem, 0, 2 * SZ_4K);
	*(volatile u64 *)p = 0x1122334455667788;
	return *(volatile u32 *)(p + 3) == 0x22334455 && !*(p + 8);
}

static void use(struct accel *a)
{
	bool ok;

	verdict(a, holds_what_is_stored(a), "all of the memory holds what is stored");
	verdict(a, takes_any_access(a), "the memory takes unaligned accesses and memset()");
	msleep(linger * 1000);
	fill(a);
	verdict(a, device_sees(a), "the device computes the CRC of what the CPU wrote");
	ok = run(a, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, LEN);
	ok &= ((u32 *)a->mem)[LEN / 4 + 17] == 0x600df00d;
	verdict(a, ok, "the CPU reads what the device filled");
	reinit_completion(&a->irq);
	ok = run(a, T2DEV_OP_COPY, T2DEV_FLAG_SRC_HDM | T2DEV_FLAG_IRQ, 0, a->ram_addr);
	ok &= !memcmp(a->ram, a->mem, LEN);
	verdict(a, ok, "the device copies its memory to RAM");
	if (!no_msi)
		verdict(a, wait_for_completion_timeout(&a->irq, 10 * HZ),
			"the MSI-X interrupt of the copy arrives");
}

/* The decoder is committed, and where the memory is */
static void look_at_decoder(struct accel *a)
{
	u64 base;
	u32 hdm = 0, cap = readl(a->comp + CXL_VFIO_CM_OFFSET);
	void __iomem *cm = a->comp + CXL_VFIO_CM_OFFSET, *decoder;

	for (unsigned int i = 1; i <= FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cap); i++) {
		u32 entry = readl(cm + 4 * i);

		if (FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, entry) == CXL_VFIO_CM_CAP_ID_HDM)
			hdm = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, entry);
	}
	decoder = cm + hdm + CXL_VFIO_HDM_DECODER(0);
	verdict(a, hdm && (readl(decoder + CXL_VFIO_HDM_CTRL) & CXL_VFIO_HDM_CTRL_COMMITTED),
		"the HDM decoder is committed");
	base = readl(decoder + CXL_VFIO_HDM_BASE_LOW) |
	       (u64)readl(decoder + CXL_VFIO_HDM_BASE_HIGH) << 32;
	verdict(a, hdm && base == pci_resource_start(a->pdev, MEMORY_BAR),
		"decoder 0 shows the address of BAR 4");
}

/* A device without component registers: its memory is that of RANGE1 of the DVSEC */
static void look_at_range(struct accel *a, u16 dvsec)
{
	u32 low = 0, high = 0, size = 0, size_high = 0;

	pci_read_config_dword(a->pdev, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0), &high);
	pci_read_config_dword(a->pdev, dvsec + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0), &low);
	pci_read_config_dword(a->pdev, dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0), &size);
	pci_read_config_dword(a->pdev, dvsec + CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(0), &size_high);
	verdict(a, !low && !high, "RANGE1 of the DVSEC shows no host address");
	verdict(a, ((u64)size_high << 32 | (size & CXL_VFIO_DVSEC_RANGE_SIZE_LOW_MASK)) ==
		memory_size() && (size & CXL_VFIO_DVSEC_RANGE_ACTIVE),
		"RANGE1 of the DVSEC is active memory");
}

static void reset(struct accel *a, u16 dvsec)
{
	u16 status = 0;

	fill(a);
	verdict(a, !pci_reset_function_locked(a->pdev) && device_sees(a),
		"memory and device work after a function reset");
	pci_write_config_word(a->pdev, dvsec + CXL_VFIO_DVSEC_CTRL2,
			      CXL_VFIO_DVSEC_CTRL2_INIT_RST);
	msleep(100);
	pci_read_config_word(a->pdev, dvsec + CXL_VFIO_DVSEC_STATUS2, &status);
	verdict(a, status & CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE, "a CXL reset completes");
	fill(a);
	verdict(a, device_sees(a), "memory and device work after the CXL reset");
}

static void __iomem *map_component_block(struct pci_dev *pdev)
{
	u16 rloc = pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
					     CXL_VFIO_DVSEC_ID_REG_LOCATOR);
	u32 lo = 0;

	if (!rloc)
		return NULL;
	for (unsigned int i = 0; i < 4; i++) {
		pci_read_config_dword(pdev, rloc + CXL_VFIO_RLOC_ENTRY(i), &lo);
		if (FIELD_GET(CXL_VFIO_RLOC_BLOCK_ID, lo) == CXL_VFIO_RLOC_BLOCK_ID_COMPONENT)
			break;
	}
	return pci_iomap_range(pdev, FIELD_GET(CXL_VFIO_RLOC_BIR, lo),
			       lo & CXL_VFIO_RLOC_OFFSET_LOW, CXL_VFIO_COMP_BLOCK_SIZE);
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	u16 dvsec = pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
					      CXL_VFIO_DVSEC_ID_DEVICE);
	struct accel *a = devm_kzalloc(&pdev->dev, sizeof(*a), GFP_KERNEL);
	bool ok;

	if (!a)
		return -ENOMEM;
	a->pdev = pdev;
	init_completion(&a->irq);
	verdict(a, dvsec, "the CXL Device DVSEC is there");
	ok = pci_resource_len(pdev, MEMORY_BAR) == memory_size();
	ok &= !!(pci_resource_flags(pdev, MEMORY_BAR) & IORESOURCE_PREFETCH);
	verdict(a, ok, "device memory is BAR 4");
	if (pci_enable_device(pdev) ||
	    dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)) ||
	    pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX) != 1 ||
	    request_irq(pci_irq_vector(pdev, 0), interrupt, 0, "t2guest", a))
		return -ENODEV;
	pci_set_master(pdev);
	a->regs = pci_iomap(pdev, T2DEV_ACCEL_BAR, 0);
	a->comp = map_component_block(pdev);
	a->mem = (__force void *)ioremap_cache(pci_resource_start(pdev, MEMORY_BAR),
						memory_size());
	a->ram = dma_alloc_coherent(&pdev->dev, LEN, &a->ram_addr, GFP_KERNEL);
	if (!a->regs || !a->mem || !a->ram || !dvsec)
		return -ENODEV;
	use(a);
	if (a->comp)
		look_at_decoder(a);
	else
		look_at_range(a, dvsec);
	reset(a, dvsec);
	dev_info(&pdev->dev, "t2guest: finished\n");
	return 0;
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(T2DEV_VENDOR_ID, T2DEV_DEVICE_ID) },
	{}
};

/* No device table, so that no host loads this module by itself */

static struct pci_driver t2guest_driver = {
	.name = "t2guest",
	.id_table = ids,
	.probe = probe,
};
module_pci_driver(t2guest_driver);

MODULE_DESCRIPTION("A guest's driver for the software CXL Type-2 device");
MODULE_LICENSE("GPL");
