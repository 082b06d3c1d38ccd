// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest without an operating system, for a machine of QEMU's type q35 with two
 * processors.  One writes to config space of the software device, then resets it, again
 * and again, while the other uses device memory.  The command line "storm=SECONDS" says
 * how long, by the guest's clock.  Nothing here needs an interrupt or a lock, so a guest
 * that stands still has met a fault of its host.  The results go to the serial port, in
 * lines "t2guest: ok ..." and "t2guest: FAIL ..." like those of modules/t2guest.c.
 */
#include <stdbool.h>
#include <stdint.h>
#include <linux/pci_regs.h>

#include <linux/cxl_vfio_regs.h>

#include "../../../t2dev/t2dev_regs.h"

#define LEN		0x10000
#define MEMORY_BAR	4
#define MEMORY_PAGES	256		/* that are used, one in each MiB */
#define BUSES		8		/* firmware numbers them from 0 on */

#define SERIAL		0x3f8
#define ICR		0xfee00300	/* of the local APIC: sends an interrupt */
#define ICR_TARGET	0xfee00310
#define ICR_INIT	0x4500
#define ICR_SIPI	0x4608		/* starts at 0x8000, where start.S has put its code */
#define ECAM_BASE	0x60		/* in config space of the host bridge, 00:00.0 */
#define LPC_BRIDGE	(0x1f << 3)	/* devfn of 00:1f.0 */
#define PM_BASE		0x40		/* in its config space; ports from there: */
#define PM_CNT		0x4
#define PM_TIMER	0x8
#define TIMER_HZ	3579545ULL
#define PATIENCE	(120 * TIMER_HZ)

struct start_info {			/* Xen's, as far as it is used here */
	uint32_t magic, version, flags, modules;
	uint64_t module_list, cmdline;
};

static uint16_t pm_port;
static uint64_t config, regs, memory;	/* addresses of the device */
static uint32_t pm_cap, exp_cap, dvsec;

/* Shared by the processors */
static volatile uint64_t used;		/* times that all of the memory was used */
static volatile uint64_t wrong;		/* dwords that were not what had been stored */
static volatile bool started, stop, stopped;

static uint32_t inl(uint16_t port)
{
	uint32_t val;

	asm volatile("inl %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static void outb(uint16_t port, uint8_t val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static void outw(uint16_t port, uint16_t val)
{
	asm volatile("outw %0, %1" : : "a" (val), "Nd" (port));
}

static void outl(uint16_t port, uint32_t val)
{
	asm volatile("outl %0, %1" : : "a" (val), "Nd" (port));
}

static uint32_t read32(uint64_t addr) { return *(volatile uint32_t *)addr; }
static uint16_t read16(uint64_t addr) { return *(volatile uint16_t *)addr; }
static void write32(uint64_t addr, uint32_t val) { *(volatile uint32_t *)addr = val; }
static void write16(uint64_t addr, uint16_t val) { *(volatile uint16_t *)addr = val; }

/* QEMU's serial port is always ready */
static void print(const char *s)
{
	while (*s)
		outb(SERIAL, *s++);
}

static void print_number(uint64_t n)
{
	char digits[21], *p = digits + 20;

	*p = 0;
	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n);
	print(p);
}

static void verdict(bool ok, const char *what)
{
	print(ok ? "t2guest: ok " : "t2guest: FAIL ");
	print(what);
	print("\n");
}

static void finish(void)
{
	print("t2guest: finished\nguest: finished\n");
	outw(pm_port + PM_CNT, 0x2000);
	for (;;)
		asm volatile("hlt");
}

static void need(bool ok, const char *what)
{
	verdict(ok, what);
	if (!ok)
		finish();
}

/*
 * Ticks of the ACPI timer, for the first processor.  The timer has 24 bits: a processor
 * that is stopped for more than 4 seconds loses time, so that the storm lasts longer.
 */
static uint64_t now(void)
{
	static uint64_t ticks;
	static uint32_t last;
	uint32_t timer = inl(pm_port + PM_TIMER);

	ticks += (timer - last) & 0xffffff;
	last = timer;
	return ticks;
}

static bool wait_for(volatile bool *flag)
{
	uint64_t end = now() + PATIENCE;

	while (!*flag && now() < end)
		;
	return *flag;
}

/* Config space of bus 0, through ports */
static uint32_t port_config(uint8_t devfn, uint8_t reg)
{
	outl(0xcf8, 1u << 31 | devfn << 8 | reg);
	return inl(0xcfc);
}

static bool clock_runs(void)
{
	uint64_t start;

	pm_port = port_config(LPC_BRIDGE, PM_BASE) & 0xff80;
	start = now();
	for (uint32_t n = 0; n < 1000000; n++)
		if (now() != start)
			return true;
	return false;
}

static uint32_t seconds_of(const char *cmdline)
{
	uint32_t n = 0;

	while (*cmdline && *cmdline++ != '=')
		;
	while (*cmdline >= '0' && *cmdline <= '9')
		n = n * 10 + *cmdline++ - '0';
	return n;
}

static bool find_device(void)
{
	uint32_t ecam = port_config(0, ECAM_BASE);

	for (uint32_t n = 0; (ecam & 1) && n < BUSES * 32; n++) {
		config = (ecam & 0xf0000000) + n * 0x8000;
		if (read16(config + PCI_VENDOR_ID) == T2DEV_VENDOR_ID &&
		    read16(config + PCI_DEVICE_ID) == T2DEV_DEVICE_ID)
			return true;
	}
	return false;
}

/* Even a list of capabilities that is a circle ends */
static void find_capabilities(void)
{
	uint32_t pos = read16(config + PCI_CAPABILITY_LIST) & 0xfc, n;

	for (n = 0; pos && n < 48; n++) {
		uint16_t header = read16(config + pos);

		if ((header & 0xff) == PCI_CAP_ID_PM)
			pm_cap = pos;
		if ((header & 0xff) == PCI_CAP_ID_EXP)
			exp_cap = pos;
		pos = header >> 8 & 0xfc;
	}
	for (pos = 0x100, n = 0; pos && n < 960; n++) {
		uint32_t header = read32(config + pos);

		if ((header & 0xffff) == PCI_EXT_CAP_ID_DVSEC &&
		    read16(config + pos + CXL_VFIO_DVSEC_HEADER1) == CXL_VFIO_DVSEC_VENDOR_ID &&
		    read16(config + pos + CXL_VFIO_DVSEC_HEADER2) == CXL_VFIO_DVSEC_ID_DEVICE)
			dvsec = pos;
		pos = header >> 20 & 0xffc;
	}
}

static uint64_t bar(uint32_t n)
{
	uint64_t reg = config + PCI_BASE_ADDRESS_0 + 4 * n;

	return (read32(reg) & ~0xfULL) | (uint64_t)read32(reg + 4) << 32;
}

/* A 64-bit prefetchable one, where the page tables reach it */
static bool memory_is_mapped(void)
{
	write16(config + PCI_COMMAND, read16(config + PCI_COMMAND) |
				      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	regs = bar(T2DEV_ACCEL_BAR);
	memory = bar(MEMORY_BAR);
	return (read32(config + PCI_BASE_ADDRESS_0 + 4 * MEMORY_BAR) & 0xf) == 0xc &&
	       regs && memory && !(regs >> 46) && !(memory >> 46) &&
	       read32(regs + T2DEV_ACC_ID) == T2DEV_ACC_ID_VALUE;
}

/* The processor with APIC id 1; under KVM it needs no pause between INIT and SIPI */
static bool second_starts(void)
{
	write32(ICR_TARGET, 1 << 24);
	write32(ICR, ICR_INIT);
	write32(ICR, ICR_SIPI);
	return wait_for(&started);
}

/* The second processor: a page of each MiB, whatever happens to the device meanwhile */
void use_memory(void)
{
	started = true;
	for (uint32_t n = 0; !stop; n++) {
		for (uint32_t i = 0; i < MEMORY_PAGES; i++) {
			uint64_t addr = memory + ((uint64_t)i << 20) + LEN;

			write32(addr, n + i);
			if (read32(addr) != n + i)
				wrong++;
		}
		used++;
	}
	stopped = true;
}

static bool run_crc(void)
{
	uint64_t end = now() + PATIENCE;
	uint32_t status;

	write32(regs + T2DEV_ACC_STATUS, T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR);
	write32(regs + T2DEV_ACC_OPCODE, T2DEV_OP_CRC32);
	write32(regs + T2DEV_ACC_FLAGS, T2DEV_FLAG_SRC_HDM);
	write32(regs + T2DEV_ACC_SRC_LO, 0);
	write32(regs + T2DEV_ACC_SRC_HI, 0);
	write32(regs + T2DEV_ACC_LEN_LO, LEN);
	write32(regs + T2DEV_ACC_LEN_HI, 0);
	write32(regs + T2DEV_ACC_DOORBELL, 1);
	do {
		status = read32(regs + T2DEV_ACC_STATUS);
	} while ((status & T2DEV_STATUS_BUSY) && now() < end);
	return status == T2DEV_STATUS_DONE;
}

/* Fill the start of the memory, and compare the device's CRC of it with one made here */
static bool memory_and_device_work(void)
{
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < LEN / 4; i++)
		write32(memory + 4 * i, i * 2654435761U);
	for (uint32_t i = 0; i < LEN / 4; i++) {
		crc ^= read32(memory + 4 * i);
		for (uint32_t bit = 0; bit < 32; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return run_crc() && read32(regs + T2DEV_ACC_RESULT) == ~crc;
}

/* Registers that can turn memory off, though these writes do not */
static void write_config(uint32_t n)
{
	uint16_t val = read16(config + PCI_COMMAND);

	write16(config + PCI_COMMAND, val ^ PCI_COMMAND_INTX_DISABLE);
	val = read16(config + pm_cap + PCI_PM_CTRL);
	write16(config + pm_cap + PCI_PM_CTRL, val);
	val = read16(config + exp_cap + PCI_EXP_DEVCTL) & ~PCI_EXP_DEVCTL_READRQ;
	val |= n % 2 ? PCI_EXP_DEVCTL_READRQ_256B : PCI_EXP_DEVCTL_READRQ_512B;
	write16(config + exp_cap + PCI_EXP_DEVCTL, val);
}

static void reset_twice(uint32_t n)
{
	uint16_t val = read16(config + exp_cap + PCI_EXP_DEVCTL);

	(void)n;
	write16(config + exp_cap + PCI_EXP_DEVCTL, val | PCI_EXP_DEVCTL_BCR_FLR);
	write16(config + dvsec + CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_INIT_RST);
}

static void repeat(void (*what)(uint32_t n), uint32_t seconds, const char *name)
{
	uint64_t end = now() + seconds * TIMER_HZ / 2, before = used;
	uint32_t n = 0;

	while (now() < end)
		what(n++);
	print("t2guest: ");
	print(name);
	print(": ");
	print_number(n);
	print(" times, the memory used ");
	print_number(used - before);
	print(" times\n");
	verdict(used > before, name);
}

/* The first processor starts here */
void storm(const struct start_info *info)
{
	uint32_t seconds = seconds_of((const char *)info->cmdline);

	need(clock_runs(), "the ACPI timer runs");
	need(seconds, "the command line has the length of the storm");
	need(find_device(), "the software device is there");
	find_capabilities();
	need(dvsec && pm_cap && exp_cap, "the CXL Device DVSEC is there");
	need(memory_is_mapped(), "device memory is BAR 4");
	need(second_starts(), "there is a processor for each side");
	repeat(write_config, seconds, "memory is used while another CPU writes to config space");
	repeat(reset_twice, seconds, "memory is used while another CPU resets the device");
	stop = true;
	need(wait_for(&stopped), "the use of memory ends");
	verdict(!wrong, "it always holds what was stored");
	verdict(memory_and_device_work(), "memory and device work after all that");
	finish();
}
