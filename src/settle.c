// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settling: the one path that brings a device back after anything that may have
 * changed it.
 *
 * It looks at the device, puts CONTROL, Global Control and the decoders back as
 * they were at bind, waits until the memory is active, brings the guest's view up
 * to date and ends the holds that a usable device has no reason for.  A device
 * that cannot be put back stays closed, with one line in the log that gives the
 * reason, until a later reset succeeds.
 */
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>

#include "cxl_vfio.h"
#include "trace.h"

/**
 * cxl_vfio_trace_phase() - trace that a phase of a reset is over
 * @dev: the device
 * @phase: the phase
 * @ret: 0 or a negative errno
 * @start: when it began
 */
void cxl_vfio_trace_phase(struct cxl_vfio_device *dev, enum cxl_vfio_reset_phase phase, int ret,
			  ktime_t start)
{
	trace_cxl_vfio_reset(dev->core.pdev, phase, ret, ktime_us_delta(ktime_get(), start));
}

/**
 * cxl_vfio_give_up() - the device did not come back
 * @dev: the device; recovery.lock is held
 *
 * Stops DMA, closes the gate and shows the guest uncommitted decoders.
 */
void cxl_vfio_give_up(struct cxl_vfio_device *dev)
{
	lockdep_assert_held(&dev->recovery.lock);
	pci_clear_master(dev->core.pdev);
	dev->recovery.state = RECOVERY_LOST;
	cxl_vfio_gate_set(dev, HOLD_LOST, true);
	cxl_vfio_model_lost(dev);
}

/**
 * cxl_vfio_queue_settle() - settle the device where nobody can wait for it
 * @dev: the device
 */
void cxl_vfio_queue_settle(struct cxl_vfio_device *dev)
{
	if (!READ_ONCE(dev->recovery.stop))
		queue_work(cxl_vfio_queue, &dev->recovery.settle_work);
}

/* memory_lock keeps Memory Space and power as they are while the device is judged */
static int lock_device(struct cxl_vfio_device *dev)
{
	if (down_read_killable(&dev->core.memory_lock))
		return -EINTR;
	if (!mutex_lock_killable(&dev->recovery.lock))
		return 0;
	up_read(&dev->core.memory_lock);
	return -EINTR;
}

static void unlock_device(struct cxl_vfio_device *dev)
{
	mutex_unlock(&dev->recovery.lock);
	up_read(&dev->core.memory_lock);
}

enum verdict {
	VERDICT_AWAY,	/* a hold says that the device cannot be reached */
	VERDICT_OFF,	/* Memory Space is off, or the function is not in D0 */
	VERDICT_USABLE,
	VERDICT_UNUSABLE,
};

/* May the user's side of the function be decoded?  Without a user, always. */
static bool user_decodes_memory(struct cxl_vfio_device *dev)
{
	return cxl_vfio_gate_is_held(dev, HOLD_UNUSED) ||
	       cxl_vfio_compat_memory_enabled(&dev->core);
}

static enum verdict judge(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;

	lockdep_assert_held(&dev->recovery.lock);
	if (cxl_vfio_gate_is_away(dev))
		return VERDICT_AWAY;
	if (!cxl_vfio_decodes_memory(pdev) || !user_decodes_memory(dev))
		return VERDICT_OFF;
	return cxl_vfio_registers_intact(dev) && cxl_vfio_memory_active(pdev, dev->found) ?
		VERDICT_USABLE : VERDICT_UNUSABLE;
}

/* The device was seen to be usable in @epoch: let users at it, or clear it first */
static void take_back(struct cxl_vfio_device *dev, unsigned int epoch)
{
	lockdep_assert_held(&dev->recovery.lock);
	if (dev->recovery.state != RECOVERY_INTACT)
		cxl_vfio_model_reset(dev, true);
	dev->recovery.state = RECOVERY_INTACT;
	if (cxl_vfio_gate_judged(dev, epoch))
		cxl_vfio_clear_kick(dev);
}

/* Put registers back: 0 if the memory may become active now, or a negative errno */
static int cxl_vfio_put_back(struct cxl_vfio_device *dev)
{
	ktime_t start = ktime_get();
	int lost;

	if (dev->recovery.state == RECOVERY_LOST)
		return -EIO;
	lost = cxl_vfio_restore(dev);
	cxl_vfio_trace_phase(dev, PHASE_RESTORE, min(lost, 0), start);
	dev->recovery.restores += lost > 0;
	if (lost < 0)
		cxl_vfio_give_up(dev);
	return min(lost, 0);
}

/*
 * Look at the device, and put registers back if they are lost.  Returns 1 if its
 * memory must be waited for, 0 if there is nothing left to do, or a negative errno.
 */
static int cxl_vfio_look(struct cxl_vfio_device *dev, unsigned int *epoch)
{
	int ret = lock_device(dev);

	if (ret)
		return ret;
	*epoch = cxl_vfio_gate_epoch(dev);
	switch (judge(dev)) {
	case VERDICT_AWAY:
		break;
	case VERDICT_OFF:
		cxl_vfio_gate_set(dev, HOLD_MEMORY_OFF, true);
		break;
	case VERDICT_USABLE:
		take_back(dev, *epoch);
		break;
	case VERDICT_UNUSABLE:
		/* Not if it is held already: another task that settles would start again */
		if (!cxl_vfio_gate_is_held(dev, HOLD_SETTLE))
			*epoch = cxl_vfio_gate_unjudge(dev);
		cxl_vfio_gate_set(dev, HOLD_MEMORY_OFF, false);
		ret = cxl_vfio_put_back(dev) ?: 1;
		/* The guest or another driver may have re-enabled bus mastering */
		if (ret < 0)
			pci_clear_master(dev->core.pdev);
	}
	unlock_device(dev);
	return ret;
}

/* Has something happened to the device, or is it about to leave the driver? */
static bool is_overtaken(struct cxl_vfio_device *dev, unsigned int epoch)
{
	return cxl_vfio_gate_epoch(dev) != epoch || READ_ONCE(dev->recovery.stop);
}

/*
 * Wait for the memory, as long as the device states that it takes.  -ECANCELED if
 * the wait is pointless by now.
 */
static int cxl_vfio_wait_active(struct cxl_vfio_device *dev, unsigned int epoch)
{
	ktime_t start = ktime_get();
	unsigned int waited = 0;
	int ret;

	for (;;) {
		if (is_overtaken(dev, epoch)) {
			ret = -ECANCELED;
			break;
		}
		ret = cxl_vfio_ranges_ready(dev->core.pdev, dev->found, waited);
		if (ret != -EAGAIN)
			break;
		schedule_timeout_killable(msecs_to_jiffies(CXL_VFIO_ACTIVE_POLL_MS));
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		waited += CXL_VFIO_ACTIVE_POLL_MS;
	}
	cxl_vfio_trace_phase(dev, PHASE_ACTIVE, ret, start);
	return ret;
}

/* The wait is over: judge once more, open the gate or give up */
static int cxl_vfio_conclude(struct cxl_vfio_device *dev, int ret, unsigned int epoch)
{
	int err = lock_device(dev);

	if (err)
		return err;
	if (is_overtaken(dev, epoch)) {
		ret = -ECANCELED;
	} else if (ret) {
		cxl_vfio_give_up(dev);
	} else {
		switch (judge(dev)) {
		case VERDICT_USABLE:
			take_back(dev, epoch);
			break;
		case VERDICT_UNUSABLE:
			pci_err(dev->core.pdev, "device memory stays closed: registers do not stay as they were put back; reset the device\n");
			cxl_vfio_give_up(dev);
			ret = -EIO;
			break;
		default:
			ret = -ECANCELED;
		}
	}
	unlock_device(dev);
	return ret;
}

static int settle_once(struct cxl_vfio_device *dev)
{
	unsigned int epoch;
	int ret = cxl_vfio_look(dev, &epoch);

	if (ret <= 0)
		return ret;
	ret = cxl_vfio_wait_active(dev, epoch);
	return ret == -EINTR || ret == -ECANCELED ? ret : cxl_vfio_conclude(dev, ret, epoch);
}

/**
 * cxl_vfio_settle() - after anything that may have changed the device
 * @dev: the device
 *
 * Opens the gate if all is well, puts back what was lost if not.  May sleep for
 * as long as the device states that its memory takes to become active; if the
 * task is killed meanwhile, a work item goes on.  No locks are held.
 *
 * Return: 0, also while Memory Space is off or the device is out of reach, when
 * there is nothing to be done; or a negative errno, logged, with the gate closed.
 */
int cxl_vfio_settle(struct cxl_vfio_device *dev)
{
	int ret;

	do {
		ret = settle_once(dev);
	} while (ret == -ECANCELED && !READ_ONCE(dev->recovery.stop));
	if (ret == -EINTR)
		cxl_vfio_queue_settle(dev);
	return ret == -ECANCELED ? 0 : ret;
}

static void cxl_vfio_settle_work(struct work_struct *work)
{
	cxl_vfio_settle(container_of(work, struct cxl_vfio_device, recovery.settle_work));
}

/**
 * cxl_vfio_rebuild_model() - bring the guest's view up to date after a reset
 * @dev: the device, settled; no locks are held
 * @conventional: the reset releases locks too
 */
void cxl_vfio_rebuild_model(struct cxl_vfio_device *dev, bool conventional)
{
	if (lock_device(dev))
		return;
	cxl_vfio_model_reset(dev, conventional);
	unlock_device(dev);
}

/**
 * cxl_vfio_settle_bind() - prepare settling by work item
 * @dev: the device, before it is registered
 */
void cxl_vfio_settle_bind(struct cxl_vfio_device *dev)
{
	INIT_WORK(&dev->recovery.settle_work, cxl_vfio_settle_work);
}

/**
 * cxl_vfio_settle_unbind() - leave the registers as the bind found them
 * @dev: the device, no longer registered, its work items ended
 *
 * A reset that failed may have lost them, and so may the reset of the last close, after
 * which the device was not looked at yet.  The next bind would then find no memory.
 */
void cxl_vfio_settle_unbind(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;
	int ret;

	if (pci_channel_offline(pdev) || !pci_device_is_present(pdev))
		return;
	mutex_lock(&dev->recovery.lock);
	ret = pci_enable_device_mem(pdev);
	if (!ret) {
		ret = cxl_vfio_restore(dev);
		pci_disable_device(pdev);
	}
	mutex_unlock(&dev->recovery.lock);
	if (ret < 0)
		pci_err(pdev, "unbound without the memory that firmware had set up (%d): reboot, so that firmware sets it up again before the next bind\n",
			ret);
}
