// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets, power and errors: whatever happened to the device, one path brings it
 * back.
 *
 * Before: the gate closes (gate.c).  After: cxl_vfio_settle() puts DVSEC CONTROL
 * and the decoders back as they were at bind, waits until the memory is active,
 * brings the guest's view up to date and lets the gate open.  What cannot be put
 * back leaves the gate closed, with one line that says why, until a later reset
 * succeeds.
 *
 * The kernel's reset callbacks may be called with memory_lock held, so nothing
 * is waited for there: what takes time is left to a work item.  Whoever asked
 * for the reset waits for it.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/suspend.h>

#include "cxl_vfio.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

#define WBI_TIMEOUT_MS		100
#define CXL_RESET_SETTLE_MS	100		/* config space is undefined for so long */
#define CXL_RESET_POLL_MS	20

#define CTRL2_DOORBELLS		(CXL_VFIO_DVSEC_CTRL2_INIT_WBI | CXL_VFIO_DVSEC_CTRL2_INIT_RST)

enum reset_phase { PHASE_FUNCTION, PHASE_WBI, PHASE_CXL, PHASE_RESTORE, PHASE_ACTIVE };

static void trace_phase(struct cxl_vfio_device *dev, enum reset_phase phase, int ret,
			ktime_t start)
{
	trace_cxl_vfio_reset(dev->core.pdev, phase, ret, ktime_us_delta(ktime_get(), start));
}

/* It did not come back: nothing is to reach what was its memory */
static void give_up(struct cxl_vfio_device *dev)
{
	pci_clear_master(dev->core.pdev);
	dev->lost = true;
	cxl_vfio_model_lost(dev);
}

/* Is there anything to do, and any use in trying?  reset_lock is held. */
static bool needs_recovery(struct cxl_vfio_device *dev)
{
	lockdep_assert_held(&dev->reset_lock);
	if (!dev->lost && !dev->behind && cxl_vfio_gate_judge(dev))
		return false;
	if (!cxl_vfio_decodes_memory(dev->core.pdev) || cxl_vfio_is_away(dev))
		return false;
	/* What was told to be lost is tried again only when something has happened */
	return !dev->lost || dev->retry ||
	       (cxl_vfio_decoders_intact(dev->cm_regs, dev->found) &&
		cxl_vfio_memory_active(dev->core.pdev, dev->found));
}

/* Put back what was lost: as restore(), 0 if there is nothing to recover from */
static int recover_registers(struct cxl_vfio_device *dev, bool *needed)
{
	ktime_t start = ktime_get();
	int lost = 0;

	mutex_lock(&dev->reset_lock);
	*needed = needs_recovery(dev);
	if (*needed) {
		dev->retry = false;
		lost = cxl_vfio_restore(dev);
		trace_phase(dev, PHASE_RESTORE, min(lost, 0), start);
		dev->stats.restores += lost > 0;
		dev->behind |= lost > 0;
	}
	mutex_unlock(&dev->reset_lock);
	return lost;
}

/**
 * cxl_vfio_settle() - after anything that may have changed the device
 * @dev: the device
 *
 * Opens the gate if all is well, puts back what was lost if not.  May sleep for
 * as long as the device states that its memory takes to become active; a signal
 * ends that, and a work item goes on.  No locks are held.
 *
 * Return: 0, also while Memory Space is off or the device sleeps, when there is
 * nothing to be done; or a negative errno, told in the log, with the gate closed.
 */
int cxl_vfio_settle(struct cxl_vfio_device *dev)
{
	ktime_t start;
	bool needed;
	int lost, ret;

	lost = recover_registers(dev, &needed);
	ret = min(lost, 0);
	if (needed && !ret) {
		start = ktime_get();
		ret = cxl_vfio_wait_ranges(dev->core.pdev, dev->found);
		trace_phase(dev, PHASE_ACTIVE, ret, start);
	}

	mutex_lock(&dev->reset_lock);
	if (ret == -EINTR) {
		dev->retry = true;
		schedule_work(&dev->settle_work);
	} else if (ret) {
		give_up(dev);
	} else if (needed) {
		if (dev->behind || dev->lost)
			cxl_vfio_model_reset(dev, true);
		dev->behind = false;
		dev->lost = false;
	}
	if (dev->lost) {
		/* Whoever has turned it on again */
		pci_clear_master(dev->core.pdev);
		ret = ret ?: -EIO;
	} else if (needed) {
		cxl_vfio_gate_judge(dev);
	}
	mutex_unlock(&dev->reset_lock);
	return ret;
}

static void settle_work(struct work_struct *work)
{
	cxl_vfio_settle(container_of(work, struct cxl_vfio_device, settle_work));
}

static void note_reset(struct cxl_vfio_device *dev, const char *kind, int result, ktime_t start)
{
	lockdep_assert_held(&dev->reset_lock);
	dev->retry = true;
	dev->stats.resets++;
	dev->last_reset.kind = kind;
	dev->last_reset.result = result;
	dev->last_reset.us = ktime_us_delta(ktime_get(), start);
}

static int write_back_cache(struct cxl_vfio_device *dev, u16 ctrl2)
{
	ktime_t start = ktime_get();
	int ret = -ETIMEDOUT;

	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2 | CXL_VFIO_DVSEC_CTRL2_INIT_WBI);
	for (unsigned int ms = 0; ms <= WBI_TIMEOUT_MS; ms++) {
		u16 status = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_STATUS2);

		if (PCI_POSSIBLE_ERROR(status))
			break;
		if (status & CXL_VFIO_DVSEC_STATUS2_CACHE_INVALID) {
			ret = 0;
			break;
		}
		usleep_range(1000, 1200);
	}
	trace_phase(dev, PHASE_WBI, ret, start);
	if (ret)
		pci_err(dev->core.pdev, "cache write-back and invalidate does not complete\n");
	return ret;
}

/**
 * cxl_vfio_write_back() - cache write-back and invalidate, as a guest asked
 * @dev: the device; its CAPABILITY says that it can
 */
void cxl_vfio_write_back(struct cxl_vfio_device *dev)
{
	mutex_lock(&dev->reset_lock);
	write_back_cache(dev, cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL2) & ~CTRL2_DOORBELLS);
	mutex_unlock(&dev->reset_lock);
}

/* Limit for a CXL reset, CXL r4.0 8.1.3.1: 10 ms to 100 s */
static unsigned int cxl_reset_timeout_ms(u16 cap)
{
	static const unsigned int ms[] = { 10, 100, 1000, 10000, 100000 };
	unsigned int code = FIELD_GET(CXL_VFIO_DVSEC_CAP_RST_TIMEOUT, cap);

	return max(100U, ms[min_t(unsigned int, code, ARRAY_SIZE(ms) - 1)]);
}

/* Ring the doorbell and wait, CXL r4.0 9.7 */
static int initiate_cxl_reset(struct cxl_vfio_device *dev, u16 ctrl2)
{
	unsigned int limit = cxl_reset_timeout_ms(dev->found->dvsec_cap);
	ktime_t start = ktime_get();
	int ret = -ETIMEDOUT;

	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2 | CXL_VFIO_DVSEC_CTRL2_INIT_RST);
	msleep(CXL_RESET_SETTLE_MS);
	for (unsigned int ms = 0; ms <= limit; ms += CXL_RESET_POLL_MS) {
		u16 status = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_STATUS2);

		if (!PCI_POSSIBLE_ERROR(status)) {
			if (status & CXL_VFIO_DVSEC_STATUS2_RST_ERROR) {
				ret = -EIO;
				break;
			}
			if (status & CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE) {
				ret = 0;
				break;
			}
		}
		msleep(CXL_RESET_POLL_MS);
	}
	trace_phase(dev, PHASE_CXL, ret, start);
	return ret;
}

static int cxl_reset_locked(struct cxl_vfio_device *dev, bool clear)
{
	u16 ctrl2 = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL2) & ~CTRL2_DOORBELLS, command;
	struct pci_dev *pdev = dev->core.pdev;
	int ret = 0;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_clear_master(pdev);
	ctrl2 &= ~CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN;
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	if (dev->found->dvsec_cap & CXL_VFIO_DVSEC_CAP_WBI)
		ret = write_back_cache(dev, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	if (!ret && !pci_wait_for_pending_transaction(pdev))
		pci_warn(pdev, "transactions are pending, CXL reset all the same\n");
	if (!ret)
		ret = initiate_cxl_reset(dev, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING |
					 (clear ? CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN : 0));
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2);
	if (!ret && (command & PCI_COMMAND_MASTER))
		pci_set_master(pdev);
	return ret;
}

/*
 * CXL reset, CXL r4.0 9.7, with the device clearing its memory if it is to.
 * -EAGAIN if somebody else is resetting or unbinding the function, -EIO if the
 * device reports an error and -ETIMEDOUT if it reports nothing, both told in the
 * log; then the gate stays closed until a reset succeeds.
 */
static int cxl_reset(struct cxl_vfio_device *dev, bool clear)
{
	struct pci_dev *pdev = dev->core.pdev;
	ktime_t start = ktime_get();
	int ret;

	if (!pci_dev_trylock(pdev))
		return -EAGAIN;
	mutex_lock(&dev->reset_lock);
	cxl_vfio_gate_close(dev, true);
	ret = cxl_reset_locked(dev, clear);
	cxl_vfio_gate_reset_over(dev, ret);
	note_reset(dev, "cxl", ret, start);
	if (ret)
		give_up(dev);
	mutex_unlock(&dev->reset_lock);
	pci_dev_unlock(pdev);

	if (ret)
		pci_err(pdev, "CXL reset %s, device memory stays closed until a reset succeeds\n",
			ret == -ETIMEDOUT ? "does not complete" : "reports an error");
	return ret;
}

static bool wants_cxl_reset(const struct cxl_vfio_device *dev)
{
	return cxl_vfio_params->reset_method != RESET_FLR_ONLY &&
	       (dev->found->dvsec_cap & CXL_VFIO_DVSEC_CAP_RST);
}

/**
 * cxl_vfio_reset_ioctl() - VFIO_DEVICE_RESET and VFIO_DEVICE_PCI_HOT_RESET
 * @dev: the device, open
 * @cmd: which
 * @arg: its argument
 *
 * Return: as for the ioctl, -EIO if the device did not come back as it was.
 */
long cxl_vfio_reset_ioctl(struct cxl_vfio_device *dev, unsigned int cmd, unsigned long arg)
{
	bool cxl = cmd == VFIO_DEVICE_RESET && wants_cxl_reset(dev);
	long ret = 0;

	/* Each way to reset a function waits for minutes that one that is gone comes back */
	if (cmd == VFIO_DEVICE_RESET && !pci_device_is_present(dev->core.pdev)) {
		pci_err(dev->core.pdev, "no function reset of a device that does not respond; is the device gone?\n");
		cxl_vfio_gate_judge(dev);
		return -EIO;
	}

	if (cxl)
		ret = cxl_reset(dev, false);
	if (!cxl || cxl_vfio_params->reset_method != RESET_CXL_ONLY)
		ret = vfio_pci_core_ioctl(&dev->core.vdev, cmd, arg);
	if (cxl_vfio_settle(dev) && !ret)
		ret = -EIO;
	if (!ret)
		cxl_vfio_model_reset(dev, true);
	return ret;
}

/**
 * cxl_vfio_low_power() - VFIO_DEVICE_FEATURE_LOW_POWER_*
 * @dev: the device, open
 * @flags: which, and to do what with it
 * @arg: its argument
 * @argsz: of that size
 *
 * From entry to exit HDM memory is closed, even if something woke the device.
 *
 * Return: as for the ioctl.
 */
int cxl_vfio_low_power(struct cxl_vfio_device *dev, u32 flags, void __user *arg, size_t argsz)
{
	int ret;

	cxl_vfio_gate_pause(dev);
	ret = vfio_pci_core_ioctl_feature(&dev->core.vdev, flags, arg, argsz);
	cxl_vfio_gate_sleep(dev, ASLEEP_USER, dev->core.pm_runtime_engaged);
	cxl_vfio_settle(dev);
	return ret;
}

/**
 * cxl_vfio_guest_reset() - CXL reset as a guest asked for
 * @dev: the device, open; its CAPABILITY says that it can
 * @clear: Reset Memory Clear Enable
 *
 * Return: 0 or a negative errno; the guest's STATUS2 is for the caller.
 */
int cxl_vfio_guest_reset(struct cxl_vfio_device *dev, bool clear)
{
	int ret = cxl_reset(dev, clear);

	if (!ret)
		ret = cxl_vfio_settle(dev);
	if (!ret)
		cxl_vfio_model_reset(dev, false);
	return ret;
}

static struct cxl_vfio_device *pdev_to_cxl_vfio(struct pci_dev *pdev)
{
	return core_to_cxl_vfio(dev_get_drvdata(&pdev->dev));
}

static void reset_prepare(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	cxl_vfio_gate_close(dev, true);
	/* Whoever is putting registers back is done first */
	mutex_lock(&dev->reset_lock);
	dev->reset_start = ktime_get();
	mutex_unlock(&dev->reset_lock);
}

static void reset_done(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	cxl_vfio_gate_reset_over(dev, false);
	mutex_lock(&dev->reset_lock);
	note_reset(dev, "function", 0, dev->reset_start);
	mutex_unlock(&dev->reset_lock);
	trace_phase(dev, PHASE_FUNCTION, 0, dev->reset_start);
	if (dev->lost || !cxl_vfio_gate_judge(dev))
		schedule_work(&dev->settle_work);
}

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);
	pci_ers_result_t result = vfio_pci_core_aer_err_detected(pdev, state);

	if (!dev->found->is_cxl || state == pci_channel_io_normal)
		return result;
	/* Until a reset the link may be down */
	cxl_vfio_gate_close(dev, false);
	return state == pci_channel_io_frozen ? PCI_ERS_RESULT_NEED_RESET :
						PCI_ERS_RESULT_DISCONNECT;
}

/* The link was reset, without the callbacks above and without saving anything */
static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return PCI_ERS_RESULT_RECOVERED;
	pci_restore_state(pdev);
	mutex_lock(&dev->reset_lock);
	dev->retry = true;
	note_reset(dev, "error", 0, ktime_get());
	mutex_unlock(&dev->reset_lock);
	return PCI_ERS_RESULT_RECOVERED;
}

static void resume(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (dev->found->is_cxl)
		schedule_work(&dev->settle_work);
}

const struct pci_error_handlers cxl_vfio_err_handlers = {
	.error_detected = error_detected,
	.slot_reset = slot_reset,
	.resume = resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};

/* The PCI core takes a sleeping system's functions to D3 without asking vfio-pci-core */
static int pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct cxl_vfio_device *dev = container_of(nb, struct cxl_vfio_device, pm_nb);

	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		cxl_vfio_gate_sleep(dev, ASLEEP_SYSTEM, true);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		cxl_vfio_gate_sleep(dev, ASLEEP_SYSTEM, false);
		schedule_work(&dev->settle_work);
		break;
	}
	return NOTIFY_DONE;
}

/**
 * cxl_vfio_reset_bind() - be told of what happens to the device
 * @dev: the device, before it is registered
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_reset_bind(struct cxl_vfio_device *dev)
{
	INIT_WORK(&dev->settle_work, settle_work);
	dev->pm_nb.notifier_call = pm_event;
	return register_pm_notifier(&dev->pm_nb);
}

/**
 * cxl_vfio_reset_unbind() - undo cxl_vfio_reset_bind()
 * @dev: the device, no longer registered
 */
void cxl_vfio_reset_unbind(struct cxl_vfio_device *dev)
{
	unregister_pm_notifier(&dev->pm_nb);
	cancel_work_sync(&dev->settle_work);
}
