// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate in front of HDM memory.
 *
 * On real hardware a CPU access to memory that the device no longer decodes can
 * take the host down, so the gate closes, and user mappings go, before whatever
 * makes the memory go away; it opens only after the decoders were seen to be as
 * they were at bind, and the memory to be active.
 */
#include <linux/pci.h>

#include "cxl_vfio.h"
#include "trace.h"

static void zap_all(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		cxl_vfio_mem_zap(&dev->mem[i], 0, dev->mem[i].window.size);
	cxl_vfio_compat_zap(&dev->core, &dev->zap, dev->bar.offset, dev->bar.size);
	cxl_vfio_dmabuf_revoke(dev);
	dev->stats.zaps++;
}

static void set_gate(struct cxl_vfio_device *dev, enum cxl_vfio_gate gate)
{
	lockdep_assert_held_write(&dev->hdm_lock);
	if (dev->gate != gate)
		trace_cxl_vfio_gate(dev->core.pdev, gate);
	dev->gate = gate;
}

/**
 * cxl_vfio_gate_close() - close the gate until cxl_vfio_gate_judge() opens it
 * @dev: the device
 * @resetting: and let it not be opened before cxl_vfio_gate_reset_over()
 *
 * On return no mapping is left and no access under way.  Not with hdm_lock
 * held; memory_lock may be held.
 */
void cxl_vfio_gate_close(struct cxl_vfio_device *dev, bool resetting)
{
	bool opened;

	down_write(&dev->hdm_lock);
	dev->resetting += resetting;
	set_gate(dev, GATE_CLOSED);
	opened = dev->opened;
	up_write(&dev->hdm_lock);
	if (opened)
		zap_all(dev);
}

/**
 * cxl_vfio_gate_reset_over() - undo what @resetting did
 * @dev: the device
 * @failed: the reset failed: the device is in no known state, and the gate
 *	stays closed until a later reset succeeds
 */
void cxl_vfio_gate_reset_over(struct cxl_vfio_device *dev, bool failed)
{
	down_write(&dev->hdm_lock);
	if (!WARN_ON_ONCE(!dev->resetting))
		dev->resetting--;
	dev->reset_failed = failed;
	up_write(&dev->hdm_lock);
}

/**
 * cxl_vfio_gate_pause() - hold everybody back for a moment
 * @dev: the device, open
 *
 * On return no user mapping is left and no access to HDM memory is under way;
 * who tries one meanwhile tries again, until cxl_vfio_gate_judge() decides.
 * Not with hdm_lock held; memory_lock may be held.
 */
void cxl_vfio_gate_pause(struct cxl_vfio_device *dev)
{
	bool pause;

	down_write(&dev->hdm_lock);
	pause = dev->gate == GATE_OPEN;
	if (pause)
		set_gate(dev, GATE_BUSY);
	up_write(&dev->hdm_lock);
	if (pause)
		zap_all(dev);
}

/* May HDM memory be touched, as far as the device is concerned? */
static bool usable(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;

	return !cxl_vfio_is_away(dev) && cxl_vfio_decodes_memory(pdev) &&
	       cxl_vfio_decoders_intact(dev->cm_regs, dev->found) &&
	       cxl_vfio_memory_active(pdev, dev->found);
}

/* Let nothing of the last user survive, while nobody can see */
static void clear_memory(struct cxl_vfio_device *dev)
{
	if (dev->unclean && !cxl_vfio_params->keep_memory)
		cxl_vfio_mem_clear(dev);
	dev->unclean = false;
}

/**
 * cxl_vfio_gate_judge() - open the gate if HDM memory can be used, else close
 * @dev: the device
 *
 * Not with hdm_lock held; memory_lock may be held.
 *
 * Return: true if it is open.
 */
bool cxl_vfio_gate_judge(struct cxl_vfio_device *dev)
{
	bool open, opened;

	down_write(&dev->hdm_lock);
	opened = dev->opened;
	open = opened && usable(dev);
	if (open)
		clear_memory(dev);
	set_gate(dev, open ? GATE_OPEN : GATE_CLOSED);
	up_write(&dev->hdm_lock);
	if (!open && opened)
		zap_all(dev);
	return open;
}

/**
 * cxl_vfio_gate_user() - a user has come
 * @dev: the device, all set for the user; the gate is still closed
 */
void cxl_vfio_gate_user(struct cxl_vfio_device *dev)
{
	down_write(&dev->hdm_lock);
	dev->opened = true;
	up_write(&dev->hdm_lock);
}

/**
 * cxl_vfio_gate_shut() - the user has gone, and with it all mappings
 * @dev: the device
 */
void cxl_vfio_gate_shut(struct cxl_vfio_device *dev)
{
	down_write(&dev->hdm_lock);
	dev->opened = false;
	set_gate(dev, GATE_CLOSED);
	dev->asleep &= ~ASLEEP_USER;
	dev->unclean |= dev->used;
	dev->used = false;
	up_write(&dev->hdm_lock);
}

/**
 * cxl_vfio_gate_clean() - clear what the user left, if that can be done now
 * @dev: the device, closed and quiet; if it cannot be done now, the next open
 *	does it before the gate opens
 */
void cxl_vfio_gate_clean(struct cxl_vfio_device *dev)
{
	down_write(&dev->hdm_lock);
	if (dev->unclean && usable(dev))
		clear_memory(dev);
	up_write(&dev->hdm_lock);
}

/**
 * cxl_vfio_gate_sleep() - the device is about to sleep, or has come back
 * @dev: the device
 * @who: whose wish it is
 * @sleep: which of the two
 */
void cxl_vfio_gate_sleep(struct cxl_vfio_device *dev, enum cxl_vfio_asleep who, bool sleep)
{
	down_write(&dev->hdm_lock);
	if (sleep)
		dev->asleep |= who;
	else
		dev->asleep &= ~who;
	up_write(&dev->hdm_lock);
	if (sleep)
		cxl_vfio_gate_close(dev, false);
}

/**
 * cxl_vfio_gate_evict() - close the gate for as long as the device is bound
 * @dev: the device
 *
 * Return: true if it was not done before.
 */
bool cxl_vfio_gate_evict(struct cxl_vfio_device *dev)
{
	bool first;

	down_write(&dev->hdm_lock);
	first = !dev->evicted;
	dev->evicted = true;
	up_write(&dev->hdm_lock);
	if (first)
		cxl_vfio_gate_close(dev, false);
	return first;
}
