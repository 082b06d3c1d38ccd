// SPDX-License-Identifier: GPL-2.0-only
/*
 * The platform's CXL Early Discovery Table (CEDT): where host bridges have their
 * registers, and which windows of host physical addresses lead to them.  Firmware wrote
 * it before any user had the device.
 */
#include <linux/acpi.h>
#include <linux/pci.h>

#include "cedt.h"

/* What is asked of the table, how much of the range is found, and the answer */
struct question {
	const struct cxl_vfio_hdm_range *range;
	u32 uid;
	u64 next;	/* the first address that no window is known for yet */
	struct cxl_vfio_cedt *cedt;
};

/* Encoded Number of Interleave Ways, CXL r4.0 9.18.1.3; 0 if reserved */
static unsigned int interleave_ways(u8 eniw)
{
	if (eniw <= 4)
		return 1 << eniw;
	return eniw >= 8 && eniw <= 10 ? 3 << (eniw - 8) : 0;
}

/*
 * Do all ways lead to the host bridge?  A window to several of them is no place for a
 * device whose decoders do not interleave.
 */
static bool leads_to(const struct acpi_cedt_cfmws *window, unsigned int ways, u32 uid)
{
	for (unsigned int i = 0; i < ways; i++)
		if (window->interleave_targets[i] != uid)
			return false;
	return true;
}

static void note_window(struct question *q, const struct acpi_cedt_cfmws *window)
{
	const struct cxl_vfio_hdm_range *range = q->range;
	unsigned int ways;
	u64 end;

	if (window->header.length < offsetof(struct acpi_cedt_cfmws, interleave_targets))
		return;
	ways = interleave_ways(window->interleave_ways);
	end = window->base_hpa + (window->window_size - 1);
	if (!ways || !window->window_size || end < window->base_hpa ||
	    window->header.length < offsetof(struct acpi_cedt_cfmws, interleave_targets[ways]))
		return;
	if (!leads_to(window, ways, q->uid)) {
		if (window->base_hpa <= cxl_vfio_range_end(range) && end >= range->base)
			q->cedt->elsewhere = true;
		return;
	}
	q->cedt->has_windows = true;
	if (q->cedt->inside || window->base_hpa > q->next || end < q->next)
		return;
	/* Neighbouring windows may hold the range together */
	q->cedt->inside = end >= cxl_vfio_range_end(range);
	q->cedt->exact = q->cedt->inside && ways == 1 && q->next == range->base;
	q->next = end + 1;
}

static void note_host_bridge(const struct question *q, const struct acpi_cedt_chbs *bridge)
{
	if (bridge->header.length >= sizeof(*bridge) && bridge->uid == q->uid &&
	    bridge->cxl_version == ACPI_CEDT_CHBS_VERSION_CXL20 &&
	    bridge->length >= CXL_VFIO_COMP_BLOCK_SIZE)
		q->cedt->block = bridge->base;
}

static bool host_bridge_uid(struct pci_dev *pdev, u32 *uid)
{
	struct acpi_device *adev = ACPI_COMPANION(&pci_find_host_bridge(pdev->bus)->dev);

	return adev && acpi_device_uid(adev) && !kstrtou32(acpi_device_uid(adev), 0, uid);
}

static void walk(struct question *q, const struct acpi_table_header *table)
{
	const struct acpi_cedt_header *entry;

	for (u32 at = sizeof(*table); at + sizeof(*entry) <= table->length; at += entry->length) {
		entry = (const void *)table + at;
		if (entry->length < sizeof(*entry) || entry->length > table->length - at)
			break;
		if (entry->type == ACPI_CEDT_TYPE_CHBS)
			note_host_bridge(q, (const void *)entry);
		else if (entry->type == ACPI_CEDT_TYPE_CFMWS)
			note_window(q, (const void *)entry);
	}
}

/**
 * cxl_vfio_cedt_read() - look up a range and the host bridge above a function
 * @pdev: the function
 * @range: the range, its size not 0, which does not wrap
 * @cedt: what the table says; nothing for entries that CXL r4.0 9.18.1 does not allow
 *
 * Return: false if the platform has no CEDT, or the host bridge no number to find in it,
 * as those of VMD domains.
 */
bool cxl_vfio_cedt_read(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range,
			struct cxl_vfio_cedt *cedt)
{
	struct question q = { .range = range, .next = range->base, .cedt = cedt };
	struct acpi_table_header *table;
	u64 before;

	*cedt = (struct cxl_vfio_cedt){};
	if (!host_bridge_uid(pdev, &q.uid) ||
	    ACPI_FAILURE(acpi_get_table(ACPI_SIG_CEDT, 1, &table)))
		return false;
	/* Windows may have any order: each pass finds at least one more, or is the last */
	do {
		before = q.next;
		walk(&q, table);
	} while (!cedt->inside && q.next != before);
	acpi_put_table(table);
	return true;
}

/**
 * cxl_vfio_cedt_check() - may a range be memory of a function?
 * @pdev: the function
 * @range: the range that one of its HDM decoders, or its DVSEC, names, its size not 0
 *
 * A device that was tampered with may name any range.
 *
 * Return: 0; 1 if the platform gives the host bridge no window, or says nothing of the
 * host bridge, so that nothing is known of the range; or -EADDRNOTAVAIL, logged, if the
 * platform routes the range elsewhere.
 */
int cxl_vfio_cedt_check(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range)
{
	struct cxl_vfio_cedt cedt;

	cxl_vfio_cedt_read(pdev, range, &cedt);
	if (cedt.inside)
		return 0;
	if (!cedt.has_windows && !cedt.elsewhere)
		return 1;
	pci_err(pdev, "%s%u: [mem %#llx-%#llx] is %s, see the platform's CEDT\n",
		cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->base,
		cxl_vfio_range_end(range),
		cedt.elsewhere ? "in a CXL window to another host bridge, or to several" :
				 "in no CXL window to the host bridge of the device");
	return -EADDRNOTAVAIL;
}
