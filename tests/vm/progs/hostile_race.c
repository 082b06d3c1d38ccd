// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_race - arguments of an ioctl that change while the kernel reads them
 *
 * usage: hostile_race ADDRESS ROUNDS
 * One thread asks for an ioeventfd on a harmless register, another one moves the offset
 * in the argument to CTRL of HDM decoder 0.  Where that was accepted the eventfd is
 * signalled, which decommits the decoder.  Ends with 0 if the decoder stays committed.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../../t2dev/t2dev_regs.h"
#include "lab.h"

static struct vfio v;
static volatile struct vfio_device_ioeventfd req;
static atomic_bool stop;
static uint64_t harmless, forbidden;

static void *change(void *arg)
{
	while (!atomic_load(&stop)) {
		req.offset = forbidden;
		req.offset = harmless;
	}
	return arg;
}

/* Ask once, signal what was accepted, and take it back: returns whether it was accepted */
static bool ask(uint64_t offset, int fd)
{
	bool accepted;

	req.argsz = sizeof(req);
	req.flags = VFIO_DEVICE_IOEVENTFD_32;
	req.offset = offset;
	req.data = 0;
	req.fd = fd;
	accepted = !ioctl(v.device, VFIO_DEVICE_IOEVENTFD, &req);
	if (accepted)
		eventfd_write(fd, 1);
	return accepted;
}

static void take_back(uint64_t offset)
{
	struct vfio_device_ioeventfd off = {
		.argsz = sizeof(off), .flags = VFIO_DEVICE_IOEVENTFD_32, .offset = offset, .fd = -1,
	};

	ioctl(v.device, VFIO_DEVICE_IOEVENTFD, &off);
}

int main(int argc, char **argv)
{
	struct cxl_vfio_device_info_cap_v3 *cap;
	unsigned long rounds, accepted = 0;
	uint64_t block, ctrl;
	pthread_t changer;
	int fd;

	if (argc != 3) {
		fputs("usage: hostile_race ADDRESS ROUNDS\n", stderr);
		return 2;
	}
	rounds = strtoul(argv[2], NULL, 0);
	setenv("DEVICE", argv[1], 1);
	if (vfio_open(&v, argv[1])) {
		perror("hostile_race: open");
		return 2;
	}
	set_command(&v, PCI_COMMAND_MEMORY, 0);
	cap = (void *)vfio_cap(&v.info, v.info.cap_offset, VFIO_DEVICE_INFO_CAP_CXL);
	if (!cap)
		return 2;
	block = cap->comp_reg_offset;
	ctrl = block + find_hdm(&v, T2DEV_COMP_BAR, block) + CXL_VFIO_HDM_DECODER(0) +
	       CXL_VFIO_HDM_CTRL;
	forbidden = ((uint64_t)T2DEV_COMP_BAR << 40) + ctrl;
	harmless = ((uint64_t)T2DEV_ACCEL_BAR << 40) + T2DEV_ACC_PATTERN;
	fd = eventfd(0, EFD_CLOEXEC);
	if (!(lab_register(ctrl) & CXL_VFIO_HDM_CTRL_COMMITTED)) {
		fputs("hostile_race: decoder 0 is not committed at the start\n", stderr);
		return 2;
	}
	pthread_create(&changer, NULL, change, NULL);
	for (unsigned long i = 0; i < rounds; i++) {
		accepted += ask(harmless, fd);
		take_back(harmless);
		take_back(forbidden);
		if (lab_register(ctrl) & CXL_VFIO_HDM_CTRL_COMMITTED)
			continue;
		printf("round %lu: an ioeventfd has decommitted the device's own decoder 0\n", i);
		return 1;
	}
	atomic_store(&stop, true);
	pthread_join(changer, NULL);
	vfio_close(&v);
	printf("%lu of %lu ioeventfds were accepted\n", accepted, rounds);
	return !accepted;
}
