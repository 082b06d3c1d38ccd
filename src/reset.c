// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate in front of HDM memory, and the resets that it guards against.
 *
 * On real hardware a CPU access to memory that the device no longer decodes can
 * take the host down, so the gate closes, and user mappings go, before whatever
 * makes the memory go away; it opens only after the decoders were seen to be as
 * they were at bind.
 */
#include <linux/pci.h>

#include "cxl_vfio.h"

static void zap_all(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		cxl_vfio_compat_zap(&dev->core, &dev->zap, dev->mem[i].window.offset,
				    dev->mem[i].window.size);
	cxl_vfio_compat_zap(&dev->core, &dev->zap, dev->bar.offset, dev->bar.size);
	cxl_vfio_dmabuf_revoke(dev);
}

/* Close the gate; on return no mapping is left and no access under way */
static void close_gate(struct cxl_vfio_device *dev, bool resetting)
{
	bool opened;

	down_write(&dev->hdm_lock);
	dev->resetting |= resetting;
	dev->gate = GATE_CLOSED;
	opened = dev->opened;
	up_write(&dev->hdm_lock);
	if (opened)
		zap_all(dev);
}

/**
 * cxl_vfio_gate_pause() - hold everybody back for a moment
 * @dev: the device, open
 *
 * On return no user mapping is left and no access to HDM memory is under way;
 * who tries one meanwhile tries again, until cxl_vfio_gate_update() decides.
 * Not with hdm_lock held; memory_lock may be held.
 */
void cxl_vfio_gate_pause(struct cxl_vfio_device *dev)
{
	bool pause;

	down_write(&dev->hdm_lock);
	pause = dev->gate == GATE_OPEN;
	if (pause)
		dev->gate = GATE_BUSY;
	up_write(&dev->hdm_lock);
	if (pause)
		zap_all(dev);
}

/* Can the device's registers be read now? */
static bool decodes_memory(struct pci_dev *pdev)
{
	u16 command = 0;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return !PCI_POSSIBLE_ERROR(command) && (command & PCI_COMMAND_MEMORY) &&
	       pdev->current_state == PCI_D0;
}

/*
 * Is HDM memory as it was at bind?  If not, the log is told once, and the
 * device's own DMA is stopped, which might still reach what was its memory.
 */
static bool memory_intact(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;
	bool decoders = cxl_vfio_decoders_intact(dev->cm_regs, dev->found);

	if (decoders && cxl_vfio_memory_active(pdev, dev->found)) {
		dev->told_lost = false;
		return true;
	}
	pci_clear_master(pdev);
	if (!dev->told_lost)
		pci_err(pdev, decoders ?
			"memory is not active, it stays closed until it is\n" :
			"HDM decoders are not committed as they were at bind, device memory stays closed; unbind, have firmware commit them and bind again\n");
	dev->told_lost = true;
	return false;
}

/* Let nothing of the last user survive, while nobody can see */
static void clear_memory(struct cxl_vfio_device *dev)
{
	if (dev->unclean && !cxl_vfio_keep_memory)
		cxl_vfio_mem_clear(dev);
	dev->unclean = false;
}

/* What should the gate be?  Caller holds hdm_lock for write. */
static enum cxl_vfio_gate judge(struct cxl_vfio_device *dev)
{
	lockdep_assert_held_write(&dev->hdm_lock);
	if (!dev->opened || dev->resetting || !decodes_memory(dev->core.pdev) ||
	    !memory_intact(dev))
		return GATE_CLOSED;
	clear_memory(dev);
	return GATE_OPEN;
}

/**
 * cxl_vfio_gate_update() - open the gate if HDM memory can be used, else close
 * @dev: the device
 *
 * While Memory Space is off or the function is not in D0 the gate is closed
 * without a word; a decoder that is not as it was at bind is told in the log.
 * Not with hdm_lock held; memory_lock may be held.
 */
void cxl_vfio_gate_update(struct cxl_vfio_device *dev)
{
	bool closed;

	down_write(&dev->hdm_lock);
	dev->gate = judge(dev);
	closed = dev->gate == GATE_CLOSED && dev->opened;
	up_write(&dev->hdm_lock);
	if (closed)
		zap_all(dev);
}

/**
 * cxl_vfio_gate_open() - a user has opened the device
 * @dev: the device, all set for the user
 */
void cxl_vfio_gate_open(struct cxl_vfio_device *dev)
{
	down_write(&dev->hdm_lock);
	dev->opened = true;
	dev->gate = judge(dev);
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
	dev->gate = GATE_CLOSED;
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
	if (dev->unclean && !dev->resetting && decodes_memory(dev->core.pdev) &&
	    memory_intact(dev))
		clear_memory(dev);
	up_write(&dev->hdm_lock);
}

static struct cxl_vfio_device *pdev_to_cxl_vfio(struct pci_dev *pdev)
{
	return core_to_cxl_vfio(dev_get_drvdata(&pdev->dev));
}

static void reset_prepare(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (dev->found->is_cxl)
		close_gate(dev, true);
}

static void reset_done(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	down_write(&dev->hdm_lock);
	dev->resetting = false;
	dev->gate = judge(dev);
	up_write(&dev->hdm_lock);
}

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	/* Until a reset the link may be down */
	if (dev->found->is_cxl && state != pci_channel_io_normal)
		close_gate(dev, false);
	return vfio_pci_core_aer_err_detected(pdev, state);
}

const struct pci_error_handlers cxl_vfio_err_handlers = {
	.error_detected = error_detected,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
