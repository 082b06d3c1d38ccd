// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress - accesses of all kinds while the device is reset again and again
 *
 * usage: stress ADDRESS ROUNDS
 * Several processes and threads read, fault, map and read config space through ROUNDS
 * resets of mixed kinds.  Every access must get the written value or fail with SIGBUS or
 * EIO, and memory must have its contents at the end.  Ends with 0 if so.
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
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define MIB	(1024ul * 1024)
#define SPAN	(8 * MIB)
#define MARK	0x9a7e0000u

static struct vfio v;
static uint32_t hdm;
static uint16_t dvsec;

/* Shared by all processes */
static struct {
	atomic_bool stop;
	atomic_ulong good, refused, wrong;
} *shared;

static __thread sigjmp_buf on_fault;

static void sigbus(int sig)
{
	siglongjmp(on_fault, sig);
}

static uint32_t expected(size_t at)
{
	return MARK + at / PAGE;
}

static void count(bool refused, uint32_t val, size_t at)
{
	if (refused)
		shared->refused++;
	else if (val == expected(at))
		shared->good++;
	else if (shared->wrong++ < 10)
		fprintf(stderr, "at %#zx: %#x\n", at, val);
}

static void touch(volatile uint8_t *p, size_t at)
{
	volatile uint32_t val = 0;

	if (sigsetjmp(on_fault, 1)) {
		count(true, 0, at);
		return;
	}
	val = *(volatile uint32_t *)(p + at);
	count(false, val, at);
}

static size_t somewhere(unsigned int *seed)
{
	return rand_r(seed) % (SPAN / PAGE) * PAGE;
}

static void *fault_through_a_mapping(void *arg)
{
	volatile uint8_t *p = region_map(&v, hdm, 0, SPAN, PROT_READ | PROT_WRITE);
	unsigned int seed = (uintptr_t)arg;

	while (!shared->stop)
		touch(p, somewhere(&seed));
	munmap((void *)p, SPAN);
	return NULL;
}

static void *map_and_unmap(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!shared->stop) {
		size_t at = somewhere(&seed);
		void *p = region_map(&v, hdm, at, PAGE, PROT_READ);

		if (p == MAP_FAILED)
			shared->wrong++;
		else
			touch((uint8_t *)p - at, at);
		munmap(p, PAGE);
	}
	return NULL;
}

static void *read_through_the_descriptor(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!shared->stop) {
		size_t at = somewhere(&seed);
		uint32_t val = 0;
		ssize_t n = region_read(&v, hdm, at, &val, 4);

		count(n == -EIO, val, at);
	}
	return NULL;
}

static void *look_at_registers(void *arg)
{
	uint32_t comp = vfio_cxl_cap(&v)->comp_reg_region_idx;

	(void)arg;
	while (!shared->stop) {
		if (config_read32(&v, dvsec + 8) << 16)
			shared->wrong++;	/* the id of the CXL Device DVSEC is 0 */
		region_read32(&v, comp, 0x1220);
		config_read32(&v, PCI_COMMAND);
		usleep(200);
	}
	return NULL;
}

static void *(* const workers[])(void *) = {
	fault_through_a_mapping, map_and_unmap, read_through_the_descriptor, look_at_registers,
};

static void work(unsigned int process)
{
	pthread_t thread[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, workers[i], (void *)(process * 10 + i));
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static int reset(unsigned int round)
{
	uint16_t val = CXL_VFIO_DVSEC_CTRL2_INIT_RST;

	switch (round % 8) {
	case 0:
		return ioctl(v.device, VFIO_DEVICE_RESET);
	case 1:
		region_read(&v, VFIO_PCI_CONFIG_REGION_INDEX, 0x50 + PCI_EXP_DEVCTL, &val, 2);
		val |= PCI_EXP_DEVCTL_BCR_FLR;
		region_write(&v, VFIO_PCI_CONFIG_REGION_INDEX, 0x50 + PCI_EXP_DEVCTL, &val, 2);
		break;
	case 2:
		region_write(&v, VFIO_PCI_CONFIG_REGION_INDEX, dvsec + CXL_VFIO_DVSEC_CTRL2, &val,
			     2);
		break;
	default:
		set_command(&v, 0, PCI_COMMAND_MEMORY);
		break;
	}
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = sigbus };
	unsigned long rounds;
	pid_t pid[2];
	int status;

	if (argc != 3 || vfio_open(&v, argv[1])) {
		fputs("usage: stress ADDRESS ROUNDS\n", stderr);
		return 2;
	}
	rounds = strtoul(argv[2], NULL, 0);
	hdm = vfio_cxl_cap(&v)->hdm_region_idx;
	dvsec = find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	sigaction(SIGBUS, &action, NULL);
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	for (size_t at = 0; at < SPAN; at += PAGE)
		region_write32(&v, hdm, at, expected(at));

	for (unsigned int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			work(i);
			_exit(0);
		}
	}
	for (unsigned long i = 0; i < rounds; i++)
		if (reset(i))
			perror("reset");
	shared->stop = true;
	for (unsigned int i = 0; i < 2; i++)
		if (waitpid(pid[i], &status, 0) != pid[i] || status)
			shared->wrong++;
	for (size_t at = 0; at < SPAN; at += PAGE)
		if (region_read32(&v, hdm, at) != expected(at))
			shared->wrong++;
	printf("%lu resets: %lu accesses right, %lu refused, %lu wrong\n", rounds, shared->good,
	       shared->refused, shared->wrong);
	vfio_close(&v);
	return shared->wrong || !shared->good;
}
