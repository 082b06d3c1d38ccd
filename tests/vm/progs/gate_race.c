// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate_race - memory is never touched while it is off, while others write registers
 *
 * usage: gate_race ADDRESS HOW ROUNDS
 * HOW is what turns memory off and on: command (Memory Space), d3 (PMCSR) or
 * low_power (VFIO's feature); meanwhile threads store to HDM memory and to the
 * component BAR, and another makes writes to config space that change nothing.  Memory
 * is not to be mapped while it is off, and the software device looks whether it
 * changes.  HOW "irqs" has interrupts set up while Memory Space is off, for which the
 * kernel turns it on for a moment: the gate must stay closed.  Ends with 0 if all is as
 * it should be.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "lab.h"

#define MIB		(1024ul * 1024)
#define SPAN		(128 * MIB)
#define WATCH		(SPAN - 2 * MIB)	/* what is taken away last */
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define DEVCTL		(0x50 + PCI_EXP_DEVCTL)
#define PMCSR		(0x40 + PCI_PM_CTRL)
#define TOUCHED		(0x110 + T2DEV_CTL_TOUCHED)

static struct vfio v;
static volatile uint8_t *hdm, *bar;
static atomic_bool stop, command_too, irqs;
static atomic_ulong stores, writes, wrong;

static __thread sigjmp_buf on_fault;

static void sigbus(int sig)
{
	siglongjmp(on_fault, sig);
}

static bool store(volatile uint8_t *p)
{
	if (sigsetjmp(on_fault, 1))
		return false;
	++*(volatile uint32_t *)p;
	return true;
}

/* All over the range, so that there is much to take away */
static void *store_everywhere(void *arg)
{
	for (size_t at = 0; !stop; at = (at + 2 * MIB) % SPAN) {
		if (store(hdm + at))
			stores++;
		store(bar);
	}
	return arg;
}

/* At the place that is taken away last, and that the device watches */
static void *store_at_the_end(void *arg)
{
	while (!stop)
		store(hdm + WATCH);
	return arg;
}

static void config_put(uint16_t at, uint16_t val)
{
	region_write(&v, CONFIG, at, &val, 2);
}

/* Of registers that can turn memory off, but these do not */
static void *write_what_changes_nothing(void *arg)
{
	for (unsigned int i = 0; !stop; i++) {
		config_put(DEVCTL, i % 2 ? 0x2810 : 0x3810);
		if (command_too)
			set_command(&v, i % 2 ? PCI_COMMAND_INTX_DISABLE : 0,
				    i % 2 ? 0 : PCI_COMMAND_INTX_DISABLE);
		else
			config_put(PMCSR, 0);
		writes++;
	}
	return arg;
}

static void *set_up_interrupts(void *arg)
{
	struct vfio_irq_set off = {
		.argsz = sizeof(off),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
	};

	while (!stop) {
		int fd = irqs ? msix_enable(&v) : -1;

		if (fd < 0) {
			usleep(1000);
			continue;
		}
		ioctl(v.device, VFIO_DEVICE_SET_IRQS, &off);
		close(fd);
		writes++;
	}
	return arg;
}

static void low_power(uint32_t feature)
{
	struct vfio_device_feature f = {
		.argsz = sizeof(f), .flags = VFIO_DEVICE_FEATURE_SET | feature,
	};

	if (ioctl(v.device, VFIO_DEVICE_FEATURE, &f))
		wrong++;
}

static void turn(const char *how, bool on)
{
	if (!strcmp(how, "d3"))
		config_put(PMCSR, on ? 0 : 3);
	else if (!strcmp(how, "low_power"))
		low_power(on ? VFIO_DEVICE_FEATURE_LOW_POWER_EXIT :
			       VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
	else
		set_command(&v, on ? PCI_COMMAND_MEMORY : 0, on ? 0 : PCI_COMMAND_MEMORY);
}

static void complain(const char *what, unsigned long round)
{
	if (wrong++ < 10)
		fprintf(stderr, "round %lu: %s\n", round, what);
}

/* It has been turned off, and nobody but this thread turns it on */
static void look(unsigned long round)
{
	for (unsigned int i = 0; i < 20; i++) {
		if (lab_mapped(hdm + WATCH))
			complain("HDM memory is mapped while it is off", round);
		if (lab_mapped(bar))
			complain("the component BAR is mapped while memory is off", round);
		if (lab_gate_is("open"))
			complain("the gate is open while memory is off", round);
	}
}

static bool more_of(atomic_ulong *count)
{
	unsigned long before = *count;

	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (*count > before + 64)
			return true;
		usleep(10000);
	}
	return false;
}

static void rounds_of(const char *how, unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		if (!more_of(&stores))
			complain("nobody gets at memory that is on", i);
		irqs = !strcmp(how, "irqs");
		turn(how, false);
		look(i);
		irqs = false;
		turn(how, true);
		if (!lab_wait_gate("open", "open"))
			complain("the gate does not open", i);
	}
}

static uint32_t touched(void)
{
	return lab_config16(TOUCHED) | (uint32_t)lab_config16(TOUCHED + 2) << 16;
}

static int start(const char *address)
{
	struct sigaction action = { .sa_handler = sigbus };

	sigaction(SIGBUS, &action, NULL);
	setenv("DEVICE", address, 1);
	if (vfio_open(&v, address))
		return -ENODEV;
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	hdm = region_map(&v, vfio_cxl_cap(&v)->hdm_region_idx, 0, SPAN, PROT_READ | PROT_WRITE);
	bar = region_map(&v, T2DEV_COMP_BAR, 0, PAGE, PROT_READ | PROT_WRITE);
	return hdm == MAP_FAILED || bar == MAP_FAILED ? -ENOMEM : 0;
}

int main(int argc, char **argv)
{
	void *(* const work[])(void *) = {
		store_everywhere, store_at_the_end, write_what_changes_nothing, set_up_interrupts,
	};
	uint32_t before;
	pthread_t thread[4];

	if (argc != 4 || start(argv[1])) {
		fputs("usage: gate_race ADDRESS command|d3|low_power|irqs ROUNDS\n", stderr);
		return 2;
	}
	lab_configure("--watch=%#lx", WATCH);
	before = touched();
	command_too = !strcmp(argv[2], "d3") || !strcmp(argv[2], "low_power");
	for (unsigned int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, work[i], NULL);
	rounds_of(argv[2], strtoul(argv[3], NULL, 0));
	stop = true;
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	if (touched() != before) {
		fprintf(stderr, "the device saw its memory change while it was off, %u times\n",
			touched() - before);
		wrong++;
	}
	lab_configure("--watch=none");
	printf("%lu stores, %lu writes, %lu wrong\n", stores, writes, wrong);
	vfio_close(&v);
	return wrong || !stores || !writes;
}
