// SPDX-License-Identifier: GPL-2.0-only
/*
 * variants: 1 0
 * asks 1: cor_error_detected
 *
 * Does the PCI core report correctable errors to drivers?
 */
#include <linux/pci.h>

#if VARIANT == 1
static void report(struct pci_dev *pdev)
{
}

const struct pci_error_handlers probe = { .cor_error_detected = report };
#endif
