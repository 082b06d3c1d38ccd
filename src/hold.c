// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding the gate: the hold first, which keeps new accesses out, then the
 * mappings that users and importers already have.  Code that touches
 * memory calls gate.c alone, so that neither file calls the other in a circle.
 */
#include "cxl_vfio.h"

static void zap_all(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		cxl_vfio_mem_zap(&dev->mem[i], 0, dev->mem[i].window.size);
	cxl_vfio_compat_zap(&dev->core, &dev->zap, dev->bar.window.offset, dev->bar.window.size);
	cxl_vfio_dmabuf_revoke(dev);
	dev->gate.zaps++;
}

/*
 * Take all mappings away, or wait until a zap under way has done so.  A page
 * that is mapped after the flag was cleared sets it again.
 */
static void zap_mapped(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_gate *gate = &dev->gate;

	mutex_lock(&gate->zap_lock);
	if (READ_ONCE(gate->mapped)) {
		WRITE_ONCE(gate->mapped, false);
		zap_all(dev);
	}
	cxl_vfio_dmabuf_revoke_core(dev);
	mutex_unlock(&gate->zap_lock);
}

/**
 * cxl_vfio_gate_hold() - hold the gate once more
 * @dev: the device
 * @hold: why
 *
 * On return no mapping is left of what the hold closes, and no access is under
 * way.  Not with the gate's lock held; memory_lock may be held.
 */
void cxl_vfio_gate_hold(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold)
{
	cxl_vfio_gate_add(dev, hold);
	zap_mapped(dev);
}

/**
 * cxl_vfio_gate_set() - set or end a hold that is held once at most
 * @dev: the device
 * @hold: why
 * @on: set it; as cxl_vfio_gate_hold() then
 *
 * Return: true if that changed something.
 */
bool cxl_vfio_gate_set(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold, bool on)
{
	bool change = cxl_vfio_gate_mark(dev, hold, on);

	if (on)
		zap_mapped(dev);
	return change;
}

/**
 * cxl_vfio_gate_unjudge() - the device may have changed and must be judged
 * @dev: the device
 *
 * On return as after cxl_vfio_gate_hold().
 *
 * Return: the epoch in which the device is to be judged.
 */
unsigned int cxl_vfio_gate_unjudge(struct cxl_vfio_device *dev)
{
	unsigned int epoch = cxl_vfio_gate_next_epoch(dev);

	zap_mapped(dev);
	return epoch;
}

/**
 * cxl_vfio_gate_enter() - hold the gate for a call of the user
 * @dev: the device, open
 * @caller: kept until cxl_vfio_gate_leave()
 *
 * The call may turn memory off.  The task must not wait for a gate meanwhile: a
 * buffer of the call that lies in device memory is an error instead.
 */
void cxl_vfio_gate_enter(struct cxl_vfio_device *dev, struct cxl_vfio_caller *caller)
{
	caller->task = current;
	cxl_vfio_gate_note_caller(caller, true);
	cxl_vfio_gate_hold(dev, HOLD_CALL);
}

/**
 * cxl_vfio_gate_leave() - undo cxl_vfio_gate_enter()
 * @dev: the device
 * @caller: as entered
 */
void cxl_vfio_gate_leave(struct cxl_vfio_device *dev, struct cxl_vfio_caller *caller)
{
	cxl_vfio_gate_note_caller(caller, false);
	cxl_vfio_gate_release(dev, HOLD_CALL);
}
