// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets, power and errors: before each of them a hold closes the gate (hold.c),
 * and after it settle.c brings the device back.
 *
 * The kernel's reset callbacks may be called with memory_lock held, so they wait
 * for nothing: a work item settles the device.  A task that asked for the reset
 * waits for its end.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/suspend.h>

#include "cxl_vfio.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

/* Longer than the PCI core takes to recover from an error on a link */
#define ERROR_PATIENCE		(180 * HZ)
#define HOT_RESET_TRIES		50
#define WBI_TIMEOUT_MS		100
#define CXL_RESET_SETTLE_MS	100		/* config space is undefined for so long */
#define CXL_RESET_POLL_MS	20
#define LOCK_TRIES		100		/* each after CXL_RESET_POLL_MS */

#define CTRL2_DOORBELLS		(CXL_VFIO_DVSEC_CTRL2_INIT_WBI | CXL_VFIO_DVSEC_CTRL2_INIT_RST)

static void note_reset(struct cxl_vfio_device *dev, const char *kind, int result, ktime_t start)
{
	struct cxl_vfio_recovery *recovery = &dev->recovery;

	lockdep_assert_held(&recovery->lock);
	if (recovery->state == RECOVERY_LOST)
		recovery->state = RECOVERY_LOST_RETRY;
	recovery->resets++;
	recovery->kind = kind;
	recovery->result = result;
	recovery->us = ktime_us_delta(ktime_get(), start);
}

static int cxl_vfio_write_back_cache(struct cxl_vfio_device *dev, u16 ctrl2)
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
	cxl_vfio_trace_phase(dev, PHASE_WBI, ret, start);
	if (ret)
		pci_err(dev->core.pdev, "cache write-back and invalidate does not complete\n");
	return ret;
}

/**
 * cxl_vfio_write_back() - cache write-back and invalidate, as a guest asked
 * @dev: the device; its CAPABILITY says that it can
 *
 * CXL r4.0 9.6: caching is off while the device writes back.
 *
 * Return: 0, -EINTR, or -ETIMEDOUT, logged.
 */
int cxl_vfio_write_back(struct cxl_vfio_device *dev)
{
	u16 ctrl2;
	int ret;

	if (mutex_lock_killable(&dev->recovery.lock))
		return -EINTR;
	ctrl2 = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL2) & ~CTRL2_DOORBELLS;
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2,
				ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	ret = cxl_vfio_write_back_cache(dev, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2);
	mutex_unlock(&dev->recovery.lock);
	return ret;
}

/* Turn Cache_Enable off, CXL r4.0 8.1.3.2, after the device wrote its cache back */
static int cache_off_locked(struct cxl_vfio_device *dev)
{
	u16 ctrl2 = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL2) & ~CTRL2_DOORBELLS;
	u16 ctrl = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL);
	int ret = 0;

	lockdep_assert_held(&dev->recovery.lock);
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2,
				ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	if (dev->found->dvsec_cap & CXL_VFIO_DVSEC_CAP_WBI)
		ret = cxl_vfio_write_back_cache(dev, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	if (!ret)
		cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL,
					ctrl & ~CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE);
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2);
	if (ret)
		return ret;
	ctrl = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL);
	if (ctrl & CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE) {
		pci_err(dev->core.pdev, "cxl_cache=off: CONTROL reads %#06x, Cache_Enable cannot be turned off\n",
			ctrl);
		return -EACCES;
	}
	dev->found->dvsec_ctrl = ctrl;
	pci_info(dev->core.pdev, "cxl_cache=off: Cache_Enable was on, turned off\n");
	return 0;
}

/**
 * cxl_vfio_limit_cache() - keep the device from host memory that the IOMMU hides
 * @dev: the device, at bind
 *
 * Does nothing unless cxl_cache=off.  The restore after a reset leaves CXL.cache off.
 *
 * Return: 0; -EPERM if the kernel may turn on ATS, -EACCES if Cache_Enable is locked,
 * -ETIMEDOUT if the cache is not written back, all logged.
 */
int cxl_vfio_limit_cache(struct cxl_vfio_device *dev)
{
	int ret = cxl_vfio_check_cache(dev->core.pdev, dev->found);

	if (ret <= 0)
		return ret;
	mutex_lock(&dev->recovery.lock);
	ret = cache_off_locked(dev);
	mutex_unlock(&dev->recovery.lock);
	return ret;
}

/* Limit for a CXL reset, CXL r4.0 8.1.3.1: 10 ms to 100 s */
static unsigned int cxl_reset_timeout_ms(u16 cap)
{
	static const unsigned int ms[] = { 10, 100, 1000, 10000, 100000 };
	unsigned int code = FIELD_GET(CXL_VFIO_DVSEC_CAP_RST_TIMEOUT, cap);

	return max(100U, ms[min_t(unsigned int, code, ARRAY_SIZE(ms) - 1)]);
}

/*
 * Ring the doorbell and wait, CXL r4.0 9.7.  Users are kept from config space while it is
 * undefined.  The rest may take 100 s: then a user's access would sleep where it cannot be
 * killed, so that only writes to COMMAND and PMCSR wait, in config.c.
 */
static int cxl_vfio_initiate_reset(struct cxl_vfio_device *dev, u16 ctrl2)
{
	unsigned int limit = cxl_reset_timeout_ms(dev->found->dvsec_cap);
	ktime_t start = ktime_get();
	int ret = -ETIMEDOUT;

	pci_cfg_access_lock(dev->core.pdev);
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2 | CXL_VFIO_DVSEC_CTRL2_INIT_RST);
	msleep(CXL_RESET_SETTLE_MS);
	pci_cfg_access_unlock(dev->core.pdev);
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
	cxl_vfio_trace_phase(dev, PHASE_CXL, ret, start);
	return ret;
}

static int cxl_vfio_cxl_reset_locked(struct cxl_vfio_device *dev, bool clear)
{
	u16 ctrl2 = cxl_vfio_dvsec_hw_read(dev, CXL_VFIO_DVSEC_CTRL2) & ~CTRL2_DOORBELLS, command;
	struct pci_dev *pdev = dev->core.pdev;
	int ret = 0;

	lockdep_assert_held(&dev->recovery.lock);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_clear_master(pdev);
	ctrl2 &= ~CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN;
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2,
				ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	if (dev->found->dvsec_cap & CXL_VFIO_DVSEC_CAP_WBI)
		ret = cxl_vfio_write_back_cache(dev, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING);
	if (!ret && !pci_wait_for_pending_transaction(pdev))
		pci_warn(pdev, "transactions are still pending, resetting anyway\n");
	if (!ret)
		ret = cxl_vfio_initiate_reset(dev, ctrl2 | CXL_VFIO_DVSEC_CTRL2_DISABLE_CACHING |
					      (clear ? CXL_VFIO_DVSEC_CTRL2_RST_MEM_CLR_EN : 0));
	cxl_vfio_dvsec_hw_write(dev, CXL_VFIO_DVSEC_CTRL2, ctrl2);
	if (!ret && (command & PCI_COMMAND_MASTER))
		pci_set_master(pdev);
	return ret;
}

/* The IOMMU sends no ATS invalidation to a device that is in reset */
static int bracketed_cxl_reset(struct cxl_vfio_device *dev, bool clear)
{
	int ret = cxl_vfio_compat_reset_iommu_prepare(dev->core.pdev);

	if (ret) {
		pci_err(dev->core.pdev, "the IOMMU cannot detach the device for a CXL reset (%d)\n",
			ret);
		return ret;
	}
	ret = cxl_vfio_cxl_reset_locked(dev, clear);
	cxl_vfio_compat_reset_iommu_done(dev->core.pdev);
	return ret;
}

/*
 * CXL reset, CXL r4.0 9.7, with the device clearing its memory if @clear.
 * -EAGAIN if the function is being reset or unbound by another task, -EINTR,
 * -EIO if the device reports an error and -ETIMEDOUT if it reports nothing, both
 * logged; then the gate stays closed until a reset succeeds.
 */
static int cxl_vfio_cxl_reset(struct cxl_vfio_device *dev, bool clear)
{
	struct pci_dev *pdev = dev->core.pdev;
	ktime_t start = ktime_get();
	int ret;

	if (!device_trylock(&pdev->dev))
		return -EAGAIN;
	if (mutex_lock_killable(&dev->recovery.lock)) {
		device_unlock(&pdev->dev);
		return -EINTR;
	}
	cxl_vfio_gate_hold(dev, HOLD_RESET);
	cxl_vfio_mem_flush(dev);
	ret = bracketed_cxl_reset(dev, clear);
	cxl_vfio_gate_set(dev, HOLD_RESET_FAILED, ret);
	cxl_vfio_gate_release(dev, HOLD_RESET);
	note_reset(dev, "cxl", ret, start);
	if (ret)
		cxl_vfio_give_up(dev);
	mutex_unlock(&dev->recovery.lock);
	device_unlock(&pdev->dev);

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

/*
 * A hot reset loses device memory, so the CPUs' caches drop it before.  The core gives
 * up when another task has memory_lock; with the gate held such tasks are soon waiting
 * without it.
 */
static long cxl_vfio_hot_reset(struct cxl_vfio_device *dev, unsigned long arg)
{
	struct cxl_vfio_caller caller;
	long ret;

	cxl_vfio_gate_enter(dev, &caller);
	cxl_vfio_mem_flush(dev);
	cxl_vfio_port_unmask(dev);
	for (unsigned int i = 0; i < HOT_RESET_TRIES; i++) {
		ret = vfio_pci_core_ioctl(&dev->core.vdev, VFIO_DEVICE_PCI_HOT_RESET, arg);
		if (ret != -EBUSY)
			break;
		usleep_range(1000, 1500);
	}
	if (!ret)
		cxl_vfio_gate_set(dev, HOLD_RESET_FAILED, false);
	cxl_vfio_gate_leave(dev, &caller);
	return ret;
}

static long cxl_vfio_function_reset(struct cxl_vfio_device *dev, unsigned long arg)
{
	bool cxl = wants_cxl_reset(dev);
	long ret = 0;

	/*
	 * Every reset method waits about a minute for a device to return; none is
	 * started on a device that is gone.
	 */
	if (!pci_device_is_present(dev->core.pdev)) {
		pci_err(dev->core.pdev, "no function reset of a device that does not respond; is the device gone?\n");
		cxl_vfio_gate_unjudge(dev);
		return -EIO;
	}
	if (cxl)
		ret = cxl_vfio_cxl_reset(dev, false);
	cxl_vfio_port_unmask(dev);
	if (!cxl || cxl_vfio_params->reset_method != RESET_CXL_ONLY)
		ret = vfio_pci_core_ioctl(&dev->core.vdev, VFIO_DEVICE_RESET, arg);
	if (!ret)
		cxl_vfio_gate_set(dev, HOLD_RESET_FAILED, false);
	return ret;
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
	long ret;

	ret = cmd == VFIO_DEVICE_RESET ? cxl_vfio_function_reset(dev, arg) :
					 cxl_vfio_hot_reset(dev, arg);
	if (cxl_vfio_settle(dev) && !ret)
		ret = -EIO;
	if (!ret)
		cxl_vfio_rebuild_model(dev, true);
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
	struct cxl_vfio_caller caller;
	int ret;

	cxl_vfio_gate_enter(dev, &caller);
	ret = vfio_pci_core_ioctl_feature(&dev->core.vdev, flags, arg, argsz);
	down_read(&dev->core.memory_lock);
	cxl_vfio_gate_set(dev, HOLD_LOW_POWER, dev->core.pm_runtime_engaged);
	up_read(&dev->core.memory_lock);
	cxl_vfio_settle(dev);
	cxl_vfio_gate_leave(dev, &caller);
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
	int ret = cxl_vfio_cxl_reset(dev, clear);

	if (!ret)
		ret = cxl_vfio_settle(dev);
	if (!ret)
		cxl_vfio_rebuild_model(dev, false);
	return ret;
}

/**
 * cxl_vfio_attach() - let the new user at the device
 * @dev: the device, ready but for its memory and models
 *
 * Return: 0; -EINTR if the task was killed; -EIO if the device does not respond; -EBUSY
 * if KVM still holds pages of the last user's memory.
 */
int cxl_vfio_attach(struct cxl_vfio_device *dev)
{
	int ret;

	if (dev->core.reset_works)
		cxl_vfio_gate_set(dev, HOLD_RESET_FAILED, false);
	else if (READ_ONCE(dev->clear.deferred))
		pci_warn(dev->core.pdev, "the device cannot be reset, what the previous user started may still write its memory\n");
	WRITE_ONCE(dev->clear.deferred, false);
	cxl_vfio_gate_unjudge(dev);
	if (cxl_vfio_settle(dev) == -EINTR || cxl_vfio_clear_wait(dev))
		return -EINTR;
	ret = cxl_vfio_clear_released(dev);
	if (ret)
		return ret;
	/* Errors of before are logged, but are not the new user's */
	cxl_vfio_errors_look(dev);
	if (mutex_lock_killable(&dev->recovery.lock))
		return -EINTR;
	ret = cxl_vfio_model_open(dev);
	if (!ret && dev->recovery.state != RECOVERY_INTACT)
		cxl_vfio_model_lost(dev);
	if (!ret)
		cxl_vfio_gate_set(dev, HOLD_UNUSED, false);
	mutex_unlock(&dev->recovery.lock);
	/* The new user may have Memory Space off */
	if (!ret)
		cxl_vfio_settle(dev);
	return ret;
}

/**
 * cxl_vfio_closing() - vfio-pci-core is about to reset the device without calling back
 * @dev: the device, which nobody uses; cxl_vfio_closed() follows
 */
void cxl_vfio_closing(struct cxl_vfio_device *dev)
{
	cxl_vfio_port_unmask(dev);
	cxl_vfio_gate_hold(dev, HOLD_RESET);
	/* A task that puts registers back is done first */
	mutex_lock(&dev->recovery.lock);
	mutex_unlock(&dev->recovery.lock);
}

/**
 * cxl_vfio_detach() - the user has gone, and with it all mappings
 * @dev: the device; vfio-pci-core is about to reset it without calling back, and
 *	cxl_vfio_closed() follows
 */
void cxl_vfio_detach(struct cxl_vfio_device *dev)
{
	cxl_vfio_gate_set(dev, HOLD_UNUSED, true);
	cxl_vfio_closing(dev);
	cxl_vfio_gate_set(dev, HOLD_LOW_POWER, false);
	if (dev->clear.used)
		cxl_vfio_clear_restart(dev);
}

/**
 * cxl_vfio_closed() - vfio-pci-core has closed the device, and reset it if it could
 * @dev: the device, which is brought back and cleared in the background
 *
 * If the reset did not happen, the device may still write its memory: then the
 * memory is cleared after the reset of the next open.
 */
void cxl_vfio_closed(struct cxl_vfio_device *dev)
{
	cxl_vfio_gate_unjudge(dev);
	WRITE_ONCE(dev->clear.recycling, true);
	WRITE_ONCE(dev->clear.deferred, dev->core.needs_reset);
	cxl_vfio_gate_release(dev, HOLD_RESET);
	queue_work(cxl_vfio_queue, &dev->recovery.recycle_work);
}

static bool clears_itself(const struct cxl_vfio_device *dev)
{
	const u16 needed = CXL_VFIO_DVSEC_CAP_RST | CXL_VFIO_DVSEC_CAP_RST_MEM_CLR;
	struct pci_dev *pdev = dev->core.pdev;

	/* A CXL reset resets all functions of the device */
	return (dev->found->dvsec_cap & needed) == needed && wants_cxl_reset(dev) &&
	       !pdev->multifunction && !pdev->is_virtfn && !dev->clear.distrusted;
}

/* A reset that waits for the device's lock, which the bind itself may still have */
static int cxl_reset_patiently(struct cxl_vfio_device *dev)
{
	int ret = -EAGAIN;

	for (unsigned int i = 0; i < LOCK_TRIES && !READ_ONCE(dev->recovery.stop); i++) {
		ret = cxl_vfio_cxl_reset(dev, true);
		if (ret != -EAGAIN)
			break;
		msleep(CXL_RESET_POLL_MS);
	}
	return ret;
}

/* Let the device clear its memory, if it can; what it leaves is for the CPUs */
static void clear_by_reset(struct cxl_vfio_device *dev)
{
	if (clears_itself(dev) && cxl_vfio_clear_is_due(dev) && !cxl_reset_patiently(dev) &&
	    !cxl_vfio_settle(dev))
		cxl_vfio_clear_verify(dev);
}

/* Make the device ready for its next user, where nobody waits for it */
static void cxl_vfio_recycle_work(struct work_struct *work)
{
	struct cxl_vfio_device *dev = container_of(work, struct cxl_vfio_device,
						   recovery.recycle_work);

	cxl_vfio_clear_look(dev);
	cxl_vfio_settle(dev);
	if (!READ_ONCE(dev->clear.deferred))
		clear_by_reset(dev);
	cxl_vfio_clear_recycled(dev);
}

/**
 * cxl_vfio_recycle() - bring back and clear a device that was just bound
 * @dev: the device
 */
void cxl_vfio_recycle(struct cxl_vfio_device *dev)
{
	WRITE_ONCE(dev->clear.recycling, true);
	queue_work(cxl_vfio_queue, &dev->recovery.recycle_work);
}

static struct cxl_vfio_device *pdev_to_cxl_vfio(struct pci_dev *pdev)
{
	return core_to_cxl_vfio(dev_get_drvdata(&pdev->dev));
}

static void cxl_vfio_reset_prepare(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	cxl_vfio_gate_hold(dev, HOLD_RESET);
	/* A task that puts registers back is done first */
	mutex_lock(&dev->recovery.lock);
	dev->recovery.reset_start = ktime_get();
	mutex_unlock(&dev->recovery.lock);
}

/* Has the function's configuration space lost where its BARs are? */
static bool has_lost_bars(struct pci_dev *pdev)
{
	struct pci_bus_region region;
	struct resource *res;
	u32 low;

	for (unsigned int i = 0; i < PCI_STD_NUM_BARS; i++) {
		res = &pdev->resource[i];
		if (!(res->flags & IORESOURCE_MEM) ||
		    res->flags & (IORESOURCE_UNSET | IORESOURCE_PCI_FIXED))
			continue;
		pcibios_resource_to_bus(pdev->bus, &region, res);
		pci_read_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * i, &low);
		if ((low & PCI_BASE_ADDRESS_MEM_MASK) != lower_32_bits(region.start))
			return true;
	}
	return false;
}

/*
 * Save the configuration space before the link is reset.  If it cannot be read any more,
 * the PCI core's buffers have the state of the last save or restore, at bind or later.
 * Linux before 6.2 marks a state as used up once it was restored, be it by a reset, by
 * vfio-pci-core at a close, or when a user wakes the function up.
 */
static void keep_before_error(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;

	if (dev->recovery.before_error)
		return;
	if (has_lost_bars(pdev) || pci_save_state(pdev))
		pdev->state_saved = true;
	dev->recovery.before_error = pci_store_saved_state(pdev);
}

/*
 * Restore the state from before an error on the link, if the PCI core has saved an empty
 * one: a reset of the function between that of the link and cxl_vfio_slot_reset() does so
 */
static void restore_from_before_error(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;

	if (!dev->recovery.before_error || !has_lost_bars(pdev))
		return;
	if (!pci_load_saved_state(pdev, dev->recovery.before_error))
		pci_restore_state(pdev);
}

static void forget_before_error(struct cxl_vfio_device *dev)
{
	kfree(dev->recovery.before_error);
	dev->recovery.before_error = NULL;
}

static void cxl_vfio_reset_done(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	restore_from_before_error(dev);
	if (!cxl_vfio_gate_is_held(dev, HOLD_ERROR))
		forget_before_error(dev);
	mutex_lock(&dev->recovery.lock);
	note_reset(dev, "function", 0, dev->recovery.reset_start);
	mutex_unlock(&dev->recovery.lock);
	cxl_vfio_trace_phase(dev, PHASE_FUNCTION, 0, dev->recovery.reset_start);
	cxl_vfio_gate_release(dev, HOLD_RESET);
	cxl_vfio_queue_settle(dev);
}

/*
 * Recovery from an error has not ended: some kernels call no driver when it fails.
 * Those who wait fail from now on, and a device that is well after all is let in.
 */
static void cxl_vfio_error_work(struct work_struct *work)
{
	struct cxl_vfio_device *dev = container_of(to_delayed_work(work), struct cxl_vfio_device,
						   recovery.error_work);

	if (!cxl_vfio_gate_is_held(dev, HOLD_ERROR))
		return;
	pci_err(dev->core.pdev, "recovery from an error on the link has not ended, device memory stays closed; reset the device\n");
	mutex_lock(&dev->recovery.lock);
	dev->recovery.state = RECOVERY_LOST_RETRY;
	cxl_vfio_gate_set(dev, HOLD_LOST, true);
	cxl_vfio_gate_set(dev, HOLD_ERROR, false);
	mutex_unlock(&dev->recovery.lock);
	cxl_vfio_queue_settle(dev);
}

static void log_link_error(struct cxl_vfio_device *dev, pci_channel_state_t state)
{
	bool fatal = state != pci_channel_io_normal;

	cxl_vfio_error_count(dev, fatal ? ERROR_AER_FATAL : ERROR_AER_NONFATAL);
	if (state == pci_channel_io_perm_failure)
		pci_err(dev->core.pdev, "error on the link, which is lost: device memory stays closed; reset the device\n");
	else
		pci_err(dev->core.pdev, "%s error on the link: device memory is closed until the recovery ends\n",
			fatal ? "fatal" : "non-fatal");
}

static pci_ers_result_t cxl_vfio_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);
	pci_ers_result_t result = vfio_pci_core_aer_err_detected(pdev, state);

	if (!dev->found->is_cxl)
		return result;
	/* Another function's vote may lead to a reset of the link, whatever the error */
	cxl_vfio_gate_set(dev, HOLD_ERROR, true);
	log_link_error(dev, state);
	keep_before_error(dev);
	/* A task that puts registers back is done first */
	mutex_lock(&dev->recovery.lock);
	mutex_unlock(&dev->recovery.lock);
	if (!READ_ONCE(dev->recovery.stop))
		mod_delayed_work(cxl_vfio_queue, &dev->recovery.error_work, ERROR_PATIENCE);
	switch (state) {
	case pci_channel_io_normal:
		return result;
	case pci_channel_io_frozen:
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		/* No recovery follows: those who wait would wait for ever */
		cxl_vfio_gate_set(dev, HOLD_LOST, true);
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

/* The link was reset, without the reset callbacks and without saving anything */
static pci_ers_result_t cxl_vfio_slot_reset(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return PCI_ERS_RESULT_RECOVERED;
	pci_restore_state(pdev);
	restore_from_before_error(dev);
	mutex_lock(&dev->recovery.lock);
	note_reset(dev, "error", 0, ktime_get());
	mutex_unlock(&dev->recovery.lock);
	return PCI_ERS_RESULT_RECOVERED;
}

static void cxl_vfio_resume(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	cancel_delayed_work(&dev->recovery.error_work);
	forget_before_error(dev);
	cxl_vfio_gate_set(dev, HOLD_ERROR, false);
	cxl_vfio_errors_look(dev);
	cxl_vfio_queue_settle(dev);
}

/* The PCI core has logged and cleared a correctable error, which needs no recovery */
static void __maybe_unused cxl_vfio_cor_error_detected(struct pci_dev *pdev)
{
	struct cxl_vfio_device *dev = pdev_to_cxl_vfio(pdev);

	if (!dev->found->is_cxl)
		return;
	cxl_vfio_error_count(dev, ERROR_AER_CORRECTABLE);
	cxl_vfio_errors_look(dev);
}

const struct pci_error_handlers cxl_vfio_err_handlers = {
	.error_detected = cxl_vfio_error_detected,
	CXL_VFIO_COMPAT_COR_ERROR_DETECTED(cxl_vfio_cor_error_detected)
	.slot_reset = cxl_vfio_slot_reset,
	.resume = cxl_vfio_resume,
	.reset_prepare = cxl_vfio_reset_prepare,
	.reset_done = cxl_vfio_reset_done,
};

/* The PCI core takes a sleeping system's functions to D3 without asking vfio-pci-core */
static int cxl_vfio_pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct cxl_vfio_device *dev = container_of(nb, struct cxl_vfio_device, recovery.pm_nb);

	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		cxl_vfio_gate_set(dev, HOLD_SLEEP, true);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		cxl_vfio_port_unmask(dev);
		cxl_vfio_gate_set(dev, HOLD_SLEEP, false);
		cxl_vfio_queue_settle(dev);
		break;
	}
	return NOTIFY_DONE;
}

/**
 * cxl_vfio_reset_bind() - take part in what happens to the device
 * @dev: the device, before it is registered
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_reset_bind(struct cxl_vfio_device *dev)
{
	int ret;

	cxl_vfio_settle_bind(dev);
	INIT_WORK(&dev->recovery.recycle_work, cxl_vfio_recycle_work);
	INIT_DELAYED_WORK(&dev->recovery.error_work, cxl_vfio_error_work);
	ret = pci_save_state(dev->core.pdev);
	if (ret)
		return ret;
	dev->recovery.pm_nb.notifier_call = cxl_vfio_pm_event;
	return register_pm_notifier(&dev->recovery.pm_nb);
}

/**
 * cxl_vfio_reset_unbind() - undo cxl_vfio_reset_bind()
 * @dev: the device, no longer registered; a wait for its memory ends early
 *
 * The registers are left as the bind found them, if the device takes them.
 */
void cxl_vfio_reset_unbind(struct cxl_vfio_device *dev)
{
	unregister_pm_notifier(&dev->recovery.pm_nb);
	WRITE_ONCE(dev->recovery.stop, true);
	cancel_delayed_work_sync(&dev->recovery.error_work);
	cancel_work_sync(&dev->recovery.settle_work);
	cancel_work_sync(&dev->recovery.recycle_work);
	forget_before_error(dev);
	cxl_vfio_settle_unbind(dev);
}
