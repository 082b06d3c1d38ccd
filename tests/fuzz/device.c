// SPDX-License-Identifier: GPL-2.0-only
/* The device of the fuzz targets, see device.h */
#include <linux/cxl_vfio_regs.h>

#include "device.h"

struct fuzz_device fuzz_device;

void fuzz_log(const char *fmt, ...)
{
	(void)fmt;
}

u32 take(struct input *in, unsigned int bytes)
{
	u32 val = 0;

	for (unsigned int i = 0; i < bytes && in->len; i++, in->len--)
		val |= (u32)*in->data++ << (8 * i);
	return val;
}

void put16(u8 *p, u16 val)
{
	p[0] = val;
	p[1] = val >> 8;
}

void put32(u8 *p, u32 val)
{
	put16(p, val);
	put16(p + 2, val >> 16);
}

u32 get32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

static void put_cap(u16 at, u16 id, u16 next)
{
	put32(&fuzz_device.config[at], id | 1 << 16 | (u32)next << 20);
}

static void put_dvsec(u16 at, u16 id, u16 len, u16 next)
{
	put_cap(at, PCI_EXT_CAP_ID_DVSEC, next);
	put32(&fuzz_device.config[at + 4], CXL_VFIO_DVSEC_VENDOR_ID | (u32)len << 20);
	put16(&fuzz_device.config[at + 8], id);
}

static void put_range(u16 at)
{
	u8 *c = fuzz_device.config;

	put32(c + at + 4, (u32)FUZZ_HDM_SIZE | 3);
	put32(c + at + 8, upper_32_bits(FUZZ_HPA));
	put32(c + at + 12, 0x90000000);
}

static void put_config(void)
{
	u8 *c = fuzz_device.config;

	put16(c + PCI_COMMAND, PCI_COMMAND_MEMORY);
	put_cap(0x100, PCI_EXT_CAP_ID_DSN, 0x110);
	put_cap(0x110, PCI_EXT_CAP_ID_VNDR, FUZZ_DVSEC);
	put_dvsec(FUZZ_DVSEC, CXL_VFIO_DVSEC_ID_DEVICE, 0x3c, 0x180);
	put16(c + FUZZ_DVSEC + CXL_VFIO_DVSEC_CAP, 0x29cf | 2 << 4);
	put16(c + FUZZ_DVSEC + CXL_VFIO_DVSEC_CTRL, 7);
	put_range(FUZZ_DVSEC + 0x18);
	put_range(FUZZ_DVSEC + 0x28);
	put_dvsec(0x180, CXL_VFIO_DVSEC_ID_REG_LOCATOR, 0x24, 0x1b0);
	put32(c + 0x180 + 0x14, FUZZ_BLOCK | 1 << 8);
	put_dvsec(0x1b0, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT, 0x20, 0x1d0);
	put_cap(0x1d0, PCI_EXT_CAP_ID_DOE, 0);
}

static void put_component_block(void)
{
	u8 *cm = fuzz_device.bar + FUZZ_BLOCK + CXL_VFIO_CM_OFFSET;
	u8 *hdm = cm + 0x200;

	put32(cm, 1 | 1 << 16 | 3U << 24);
	put32(cm + 4, CXL_VFIO_CM_CAP_ID_RAS | 0x080U << 20);
	put32(cm + 8, CXL_VFIO_CM_CAP_ID_HDM | 0x200U << 20);
	put32(cm + 12, 7 | 0x0e0U << 20);		/* IDE */
	put32(hdm, 1);					/* two decoders */
	for (unsigned int n = 0; n < 2; n++) {
		u8 *d = hdm + CXL_VFIO_HDM_DECODER(n);

		put32(d + CXL_VFIO_HDM_BASE_LOW, n * (u32)FUZZ_HDM_SIZE);
		put32(d + CXL_VFIO_HDM_BASE_HIGH, upper_32_bits(FUZZ_HPA));
		put32(d + CXL_VFIO_HDM_SIZE_LOW, FUZZ_HDM_SIZE);
		put32(d + CXL_VFIO_HDM_CTRL, 0x600);
	}
}

void fuzz_device_init(void)
{
	memset(&fuzz_device, 0, sizeof(fuzz_device));
	fuzz_device.pdev.pm_cap = 0x40;
	fuzz_device.pdev.pcie_cap = 0x50;
	fuzz_device.pdev.resource[0] = (struct resource) {
		.start = FUZZ_BAR_PHYS, .size = FUZZ_BAR_SIZE, .flags = IORESOURCE_MEM,
	};
	fuzz_device.pdev.resource[4] = (struct resource) {
		.start = 0x1000, .size = 0x100000, .flags = IORESOURCE_IO,
	};
	put_config();
	put_component_block();
}

/* Each change has a place (config space, CM area or a BAR's resource), an offset, a dword */
void fuzz_device_patch(struct input *in)
{
	unsigned int n = take(in, 1) % 32;

	while (n--) {
		u32 where = take(in, 2), val = take(in, 4), at = where & 0xffc;

		switch (where >> 14) {
		case 0:
			put32(&fuzz_device.config[at], val);
			break;
		case 1:
			put32(&fuzz_device.bar[FUZZ_BLOCK + CXL_VFIO_CM_OFFSET + at], val);
			break;
		case 2:
			/* The decoders and the DVSECs, which have the most meaning per bit */
			at = where & 0x1000 ? FUZZ_DVSEC + (at & 0x7c) : 0x200 + (at & 0x7c);
			if (where & 0x1000)
				put32(&fuzz_device.config[at], val);
			else
				put32(&fuzz_device.bar[FUZZ_BLOCK + CXL_VFIO_CM_OFFSET + at], val);
			break;
		default:
			fuzz_device.pdev.resource[where % 6].size = val >> 8 & FUZZ_BAR_SIZE;
			fuzz_device.pdev.resource[where % 6].flags = val & 0x300;
			fuzz_device.gone = !(val & 0xfff00000);
		}
	}
}

int pci_read_config_dword(struct pci_dev *pdev, int at, u32 *val)
{
	assert(pdev == &fuzz_device.pdev && at >= 0 && at <= FUZZ_CFG_SIZE - 4);
	*val = fuzz_device.gone ? ~0U : get32(&fuzz_device.config[at]);
	return 0;
}

int pci_read_config_word(struct pci_dev *pdev, int at, u16 *val)
{
	assert(pdev == &fuzz_device.pdev && at >= 0 && at <= FUZZ_CFG_SIZE - 2);
	*val = fuzz_device.gone ? 0xffff : fuzz_device.config[at] | fuzz_device.config[at + 1] << 8;
	return 0;
}

int pci_write_config_word(struct pci_dev *pdev, int at, u16 val)
{
	assert(pdev == &fuzz_device.pdev && at >= 0 && at <= FUZZ_CFG_SIZE - 2);
	/* Discovery turns Mem_Enable on, and writes nothing else */
	assert(at == pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
					       CXL_VFIO_DVSEC_ID_DEVICE) + CXL_VFIO_DVSEC_CTRL);
	if (!fuzz_device.gone)
		put16(&fuzz_device.config[at], val);
	return 0;
}

/* Registers are put back after resets, of which there are none here */
int pci_write_config_dword(struct pci_dev *pdev, int at, u32 val)
{
	(void)pdev;
	(void)val;
	assert(!at);
	return 0;
}

int pci_user_read_config_word(struct pci_dev *pdev, int at, u16 *val)
{
	return pci_read_config_word(pdev, at, val);
}

/* What the driver writes for the user by itself: COMMAND alone */
int pci_user_write_config_word(struct pci_dev *pdev, int at, u16 val)
{
	assert(pdev == &fuzz_device.pdev && at == PCI_COMMAND);
	put16(&fuzz_device.config[at], val);
	return 0;
}

int pci_user_write_config_byte(struct pci_dev *pdev, int at, u8 val)
{
	assert(pdev == &fuzz_device.pdev && at == PCI_COMMAND);
	fuzz_device.config[at] = val;
	return 0;
}

/* As the PCI core finds it: along the chain, which may loop */
u16 pci_find_dvsec_capability(struct pci_dev *pdev, u16 vendor, u16 id)
{
	int at = PCI_CFG_SPACE_SIZE;

	for (int left = 480; left && at >= PCI_CFG_SPACE_SIZE && at <= FUZZ_CFG_SIZE - 12; left--) {
		u32 header, header1;
		u16 header2;

		pci_read_config_dword(pdev, at, &header);
		if (!header || PCI_POSSIBLE_ERROR(header))
			break;
		pci_read_config_dword(pdev, at + 4, &header1);
		pci_read_config_word(pdev, at + 8, &header2);
		if ((header & 0xffff) == PCI_EXT_CAP_ID_DVSEC && (header1 & 0xffff) == vendor &&
		    header2 == id)
			return at;
		at = header >> 20 & 0xffc;
	}
	return 0;
}

static int enabled;

int pci_enable_device_mem(struct pci_dev *pdev)
{
	(void)pdev;
	enabled++;
	return 0;
}

void pci_disable_device(struct pci_dev *pdev)
{
	(void)pdev;
	enabled--;
	assert(enabled == 0);
}

/* Only the BAR may be mapped, and only the BAR read */
void *ioremap(u64 phys, u64 size)
{
	assert(phys >= FUZZ_BAR_PHYS && phys - FUZZ_BAR_PHYS + size <= FUZZ_BAR_SIZE);
	return fuzz_device.bar + (phys - FUZZ_BAR_PHYS);
}

void iounmap(const void *va)
{
	assert((u8 *)va >= fuzz_device.bar && (u8 *)va < fuzz_device.bar + FUZZ_BAR_SIZE);
}

u32 readl(const void *reg)
{
	const u8 *p = reg;

	assert(enabled > 0);
	assert(p >= fuzz_device.bar && p + 4 <= fuzz_device.bar + FUZZ_BAR_SIZE);
	assert((p - fuzz_device.bar) % 4 == 0);
	return fuzz_device.gone ? ~0U : get32(p);
}

void writel(u32 val, void *reg)
{
	u8 *p = reg;

	assert(enabled > 0);
	assert(p >= fuzz_device.bar && p + 4 <= fuzz_device.bar + FUZZ_BAR_SIZE);
	assert((p - fuzz_device.bar) % 4 == 0);
	if (!fuzz_device.gone)
		put32(p, val);
}

/* Time passes at once, the function never sleeps, there is memory, user memory is mapped */

unsigned long msleep_interruptible(unsigned int ms)
{
	(void)ms;
	return 0;
}

void usleep_range(unsigned int from, unsigned int to)
{
	(void)from;
	(void)to;
}

int pm_runtime_resume_and_get(struct device *dev)
{
	(void)dev;
	return 0;
}

void pm_runtime_put(struct device *dev)
{
	(void)dev;
}

void *kzalloc(size_t size, int flags)
{
	(void)flags;
	return calloc(1, size);
}

void *kmalloc(size_t size, int flags)
{
	(void)flags;
	return malloc(size);
}

unsigned long copy_from_user(void *to, const void *from, unsigned long n)
{
	memcpy(to, from, n);
	return 0;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long n)
{
	memcpy(to, from, n);
	return 0;
}

int down_write_killable(struct rw_semaphore *s)
{
	assert(!s->taken++);
	return 0;
}
