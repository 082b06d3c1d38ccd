// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Data Object Exchange mailbox, PCIe r6.0 6.30.  Its only protocol is discovery,
 * which a kernel uses on each mailbox that it finds.
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"

#define CTRL_ABORT	(1u << 0)
#define CTRL_GO		(1u << 31)
#define STATUS_ERROR	(1u << 2)
#define STATUS_READY	(1u << 31)

#define DISCOVERY	0x00000001	/* vendor 1, the PCI-SIG, and type 0 */

/* STATUS and the read mailbox as they read now */
static void show(struct device *dev)
{
	const struct doe *doe = &dev->doe;
	bool ready = doe->taken < doe->length;

	put32(&dev->config[dev->doe_at + PCI_DOE_STATUS],
	      (ready ? STATUS_READY : 0) | (doe->error ? STATUS_ERROR : 0));
	put32(&dev->config[dev->doe_at + PCI_DOE_READ], ready ? doe->answer[doe->taken] : 0);
}

/* The mailbox without a request or an answer, as an abort and each reset leave it */
void doe_reset(struct device *dev)
{
	memset(&dev->doe, 0, sizeof(dev->doe));
	if (dev->doe_at)
		show(dev);
}

/* Answer a request: index 0 is discovery itself, and the last */
static void answer(struct doe *doe)
{
	static const uint32_t discovery[] = { DISCOVERY, 3, DISCOVERY };

	doe->length = 0;
	doe->taken = 0;
	doe->error = doe->written != 3 || doe->request[0] != DISCOVERY || doe->request[1] != 3;
	if (!doe->error) {
		memcpy(doe->answer, discovery, sizeof(discovery));
		doe->length = 3;
	}
	doe->written = 0;
}

/* A write of a dword of the capability */
void doe_write(struct device *dev, uint32_t at, uint32_t val)
{
	struct doe *doe = &dev->doe;

	switch (at) {
	case PCI_DOE_CTRL:
		if (val & CTRL_ABORT)
			memset(doe, 0, sizeof(*doe));
		else if ((val & CTRL_GO) && !doe->error)
			answer(doe);
		break;
	case PCI_DOE_WRITE:
		if (doe->written < DOE_WORDS)
			doe->request[doe->written] = val;
		doe->written++;
		break;
	case PCI_DOE_READ:
		if (doe->taken < doe->length)
			doe->taken++;
		break;
	}
	show(dev);
}
