// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's driver for the software device: uses its memory in BAR 4, DMA and interrupts,
 * and resets it.  Each step logs a line "t2guest: ok ..." or "t2guest: FAIL ...".  With
 * storm=SECONDS one processor writes to config space and resets the device for so long,
 * by the guest's clock, while another uses the memory.
 */
#include <linux/bitfield.h>
#include <linux/completion.h>
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <linux/cxl_vfio_regs.h>

#include "../../t2dev/t2dev_regs.h"

#define LEN		SZ_64K
#define MEMORY_BAR	4

static unsigned int storm;
module_param(storm, uint, 0444);
MODULE_PARM_DESC(storm, "seconds of writes to config space and of resets, in halves");

struct accel {
	struct pci_dev *pdev;
	void __iomem *regs;
	void __iomem *comp;
	void *mem;
	void *ram;
	dma_addr_t ram_addr;
	struct completion irq;
	unsigned long used;		/* times that all of the memory was used */
	unsigned long wrong;		/* dwords that were not what had been stored */
	bool stop;			/* the memory is to be used no longer */
	bool stopped;
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

/* A page of each MiB, the last first, none of them at the start of a huge page */
static bool holds_what_is_stored(struct accel *a)
{
	for (u32 i = SZ_256M / SZ_1M; i--;)
		*(u32 *)(a->mem + i * SZ_1M + SZ_64K + SZ_4K) = i;
	for (u32 i = 0; i < SZ_256M / SZ_1M; i++)
		if (*(u32 *)(a->mem + i * SZ_1M + SZ_64K + SZ_4K) != i)
			return false;
	return true;
}

static void use(struct accel *a)
{
	bool ok;

	verdict(a, holds_what_is_stored(a), "all of the memory holds what is stored");
	fill(a);
	verdict(a, device_sees(a), "the device computes the CRC of what the CPU wrote");
	ok = run(a, T2DEV_OP_FILL, T2DEV_FLAG_DST_HDM, 0, LEN);
	ok &= ((u32 *)a->mem)[LEN / 4 + 17] == 0x600df00d;
	verdict(a, ok, "the CPU reads what the device filled");
	reinit_completion(&a->irq);
	ok = run(a, T2DEV_OP_COPY, T2DEV_FLAG_SRC_HDM | T2DEV_FLAG_IRQ, 0, a->ram_addr);
	ok &= !memcmp(a->ram, a->mem, LEN);
	verdict(a, ok, "the device copies its memory to RAM");
	verdict(a, wait_for_completion_timeout(&a->irq, 10 * HZ),
		"the MSI-X interrupt of the copy arrives");
}

/* The decoder is committed and shows no host address */
static void look_at_decoder(struct accel *a)
{
	u32 base, hdm = 0, cap = readl(a->comp + CXL_VFIO_CM_OFFSET);
	void __iomem *cm = a->comp + CXL_VFIO_CM_OFFSET, *decoder;

	for (unsigned int i = 1; i <= FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cap); i++) {
		u32 entry = readl(cm + 4 * i);

		if (FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, entry) == CXL_VFIO_CM_CAP_ID_HDM)
			hdm = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, entry);
	}
	decoder = cm + hdm + CXL_VFIO_HDM_DECODER(0);
	verdict(a, hdm && (readl(decoder + CXL_VFIO_HDM_CTRL) & CXL_VFIO_HDM_CTRL_COMMITTED),
		"the HDM decoder is committed");
	base = readl(decoder + CXL_VFIO_HDM_BASE_LOW) | readl(decoder + CXL_VFIO_HDM_BASE_HIGH);
	verdict(a, hdm && !base, "decoder 0 shows no host address");
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

/* A page of each MiB, again and again, whatever happens to the device meanwhile */
static int use_memory(void *data)
{
	struct accel *a = data;

	for (u32 n = 0; !READ_ONCE(a->stop); n++) {
		for (u32 i = 0; i < SZ_256M / SZ_1M; i++) {
			u32 *p = a->mem + i * SZ_1M + SZ_64K;

			WRITE_ONCE(*p, n + i);
			if (READ_ONCE(*p) != n + i)
				WRITE_ONCE(a->wrong, a->wrong + 1);
			cond_resched();
		}
		WRITE_ONCE(a->used, a->used + 1);
	}
	WRITE_ONCE(a->stopped, true);
	return 0;
}

/*
 * Wait for it without waking it up.  After a storm kthread_stop() left both processors
 * of nested guests waiting for the lock of one run queue, in two of six on Linux 7.3.
 */
static void stop_use(struct accel *a)
{
	WRITE_ONCE(a->stop, true);
	while (!READ_ONCE(a->stopped))
		msleep(20);
}

/* Registers that can turn memory off, though these writes do not */
static void write_config(struct accel *a, u16 dvsec, u32 n)
{
	struct pci_dev *pdev = a->pdev;
	u16 val;

	pci_read_config_word(pdev, PCI_COMMAND, &val);
	pci_write_config_word(pdev, PCI_COMMAND, val ^ PCI_COMMAND_INTX_DISABLE);
	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &val);
	pci_write_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, val);
	pcie_capability_clear_and_set_word(pdev, PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_READRQ,
					   n % 2 ? PCI_EXP_DEVCTL_READRQ_256B :
						   PCI_EXP_DEVCTL_READRQ_512B);
}

static void reset_twice(struct accel *a, u16 dvsec, u32 n)
{
	pcie_capability_set_word(a->pdev, PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	pci_write_config_word(a->pdev, dvsec + CXL_VFIO_DVSEC_CTRL2,
			      CXL_VFIO_DVSEC_CTRL2_INIT_RST);
}

static void repeat(struct accel *a, void (*what)(struct accel *, u16, u32), u16 dvsec,
		   const char *name)
{
	ktime_t end = ktime_add_ms(ktime_get(), storm * (MSEC_PER_SEC / 2));
	unsigned long used = READ_ONCE(a->used);
	u32 n = 0;

	while (ktime_before(ktime_get(), end)) {
		what(a, dvsec, n++);
		cond_resched();
	}
	dev_info(&a->pdev->dev, "t2guest: %s: %u times, the memory used %lu times\n", name, n,
		 READ_ONCE(a->used) - used);
	verdict(a, READ_ONCE(a->used) > used, name);
}

static void weather_the_storm(struct accel *a, u16 dvsec)
{
	struct task_struct *user;

	user = kthread_create(use_memory, a, "t2guest-memory");
	if (IS_ERR(user))
		return;
	kthread_bind(user, num_online_cpus() - 1);
	wake_up_process(user);
	verdict(a, num_online_cpus() > 1, "there is a processor for each side");
	repeat(a, write_config, dvsec, "memory is used while another CPU writes to config space");
	repeat(a, reset_twice, dvsec, "memory is used while another CPU resets the device");
	stop_use(a);
	verdict(a, !a->wrong, "it always holds what was stored");
	fill(a);
	verdict(a, device_sees(a), "memory and device work after all that");
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
	ok = pci_resource_len(pdev, MEMORY_BAR) == SZ_256M;
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
	a->mem = (__force void *)ioremap_cache(pci_resource_start(pdev, MEMORY_BAR), SZ_256M);
	a->ram = dma_alloc_coherent(&pdev->dev, LEN, &a->ram_addr, GFP_KERNEL);
	if (!a->regs || !a->comp || !a->mem || !a->ram || !dvsec)
		return -ENODEV;
	use(a);
	look_at_decoder(a);
	reset(a, dvsec);
	if (storm)
		weather_the_storm(a, dvsec);
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
