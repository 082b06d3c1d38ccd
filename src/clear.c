// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clearing of HDM memory between two users, in the background.
 *
 * The memory is shared out to a few workers on the device's node.  Each clears a
 * chunk at a time with the gate's lock held for read, so that a reset or an error
 * waits for one chunk at most.  CLEARING holds the gate until all is clear.
 */
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "cxl_vfio.h"

/* Divides every HDM range, and is whole pages of any size */
#define CLEAR_CHUNK	SZ_2M
static_assert(CLEAR_CHUNK % PAGE_SIZE == 0);

/* Pages of each range that cxl_vfio_clear_verify() looks at */
#define VERIFY_PAGES	64

/* How long an open waits for pages that KVM still holds, jiffies */
#define HELD_PATIENCE	HZ
#define HELD_POLL_MS		20

/* Work that takes seconds to minutes: clearing, and waiting for a device's memory */
struct workqueue_struct *cxl_vfio_queue;

/**
 * cxl_vfio_clear_module_init() - make the queue of the driver's long work
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_clear_module_init(void)
{
	cxl_vfio_queue = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	return cxl_vfio_queue ? 0 : -ENOMEM;
}

/**
 * cxl_vfio_clear_module_exit() - undo cxl_vfio_clear_module_init()
 */
void cxl_vfio_clear_module_exit(void)
{
	destroy_workqueue(cxl_vfio_queue);
}

/* The range that byte @at of all memory lies in; @at becomes an offset in it */
static struct cxl_vfio_hdm_mem *mem_at(struct cxl_vfio_device *dev, u64 *at)
{
	struct cxl_vfio_hdm_mem *mem = dev->mem;

	while (*at >= mem->window.size)
		*at -= mem++->window.size;
	return mem;
}

/* Clear memory for guests as well, which may not see what is in the CPUs' caches */
static void clear_bytes(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len)
{
	memset(mem->va + start, 0, len);
	cxl_vfio_compat_sync_guests(mem->va + start, mem->window.phys + start, len);
}

/* Pages with a memory error are left out: touching one could end the host */
static void clear_chunk(struct cxl_vfio_hdm_mem *mem, u64 start)
{
	cxl_vfio_mem_touched(mem, start, CLEAR_CHUNK);
	if (!cxl_vfio_poison_hit(mem, start, CLEAR_CHUNK)) {
		clear_bytes(mem, start, CLEAR_CHUNK);
		return;
	}
	for (u64 at = start; at < start + CLEAR_CHUNK; at += PAGE_SIZE)
		if (!cxl_vfio_poison_hit(mem, at, PAGE_SIZE))
			clear_bytes(mem, at, PAGE_SIZE);
}

/* Clear the next chunk of a share; false if there is none or it must not be touched */
static bool clear_next(struct cxl_vfio_clear_part *part)
{
	struct cxl_vfio_device *dev = part->dev;
	struct cxl_vfio_hdm_mem *mem;
	u64 at = part->at;
	bool go;

	if (at >= part->end || READ_ONCE(dev->clear.stop))
		return false;
	down_read(&dev->gate.lock);
	go = cxl_vfio_gate_ask(dev, ASK_CLEAR) == ANSWER_GO &&
	     cxl_vfio_decodes_memory(dev->core.pdev);
	if (go) {
		mem = mem_at(dev, &at);
		clear_chunk(mem, at);
		WRITE_ONCE(part->at, part->at + CLEAR_CHUNK);
	}
	up_read(&dev->gate.lock);
	return go;
}

/* One runner less: the last one lets users in if all is clear */
static void drop_runner(struct cxl_vfio_device *dev)
{
	if (!atomic_dec_and_test(&dev->clear.running))
		return;
	if (!cxl_vfio_clear_left(dev))
		cxl_vfio_gate_set(dev, HOLD_CLEARING, false);
	wake_up_all(&dev->gate.wait);
}

static void cxl_vfio_clear_work(struct work_struct *work)
{
	struct cxl_vfio_clear_part *part = container_of(work, struct cxl_vfio_clear_part, work);
	struct cxl_vfio_device *dev = part->dev;

	while (clear_next(part))
		cond_resched();
	drop_runner(dev);
}

/* Share @size bytes out, whole chunks each */
static void share_out(struct cxl_vfio_clear *clear, u64 size)
{
	u64 share = round_up(DIV_ROUND_UP_ULL(size, CXL_VFIO_CLEAR_PARTS), CLEAR_CHUNK);

	for (unsigned int i = 0; i < CXL_VFIO_CLEAR_PARTS; i++) {
		WRITE_ONCE(clear->part[i].at, min(i * share, size));
		WRITE_ONCE(clear->part[i].end, min((i + 1) * share, size));
	}
}

static void stop_workers(struct cxl_vfio_clear *clear)
{
	lockdep_assert_held(&clear->lock);
	WRITE_ONCE(clear->stop, true);
	for (unsigned int i = 0; i < CXL_VFIO_CLEAR_PARTS; i++)
		flush_work(&clear->part[i].work);
	WRITE_ONCE(clear->stop, false);
}

/**
 * cxl_vfio_clear_restart() - all HDM memory has to be cleared
 * @dev: the device, which nobody uses
 *
 * CLEARING holds the gate from here on, unless the module's parameter keeps
 * memory between users.  cxl_vfio_clear_kick() starts the work.
 */
void cxl_vfio_clear_restart(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_clear *clear = &dev->clear;
	u64 size = 0;

	if (cxl_vfio_params->keep_memory)
		return;
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		size += dev->mem[i].window.size;
	mutex_lock(&clear->lock);
	stop_workers(clear);
	share_out(clear, size);
	clear->used = false;
	mutex_unlock(&clear->lock);
	cxl_vfio_gate_set(dev, HOLD_CLEARING, true);
}

/**
 * cxl_vfio_clear_init() - prepare clearing, and have all memory cleared
 * @dev: the device, its memory claimed
 */
void cxl_vfio_clear_init(struct cxl_vfio_device *dev)
{
	mutex_init(&dev->clear.lock);
	for (unsigned int i = 0; i < CXL_VFIO_CLEAR_PARTS; i++) {
		INIT_WORK(&dev->clear.part[i].work, cxl_vfio_clear_work);
		dev->clear.part[i].dev = dev;
	}
	cxl_vfio_clear_restart(dev);
}

/**
 * cxl_vfio_clear_exit() - end clearing, done or not
 * @dev: the device, no longer registered; nothing kicks any more
 */
void cxl_vfio_clear_exit(struct cxl_vfio_device *dev)
{
	mutex_lock(&dev->clear.lock);
	stop_workers(&dev->clear);
	mutex_unlock(&dev->clear.lock);
	mutex_destroy(&dev->clear.lock);
}

/**
 * cxl_vfio_clear_left() - how much memory is still to be cleared
 * @dev: the device
 *
 * Return: bytes, 0 if all of it is clear or is kept between users.
 */
u64 cxl_vfio_clear_left(const struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_clear_part *part = dev->clear.part;
	u64 left = 0;

	for (unsigned int i = 0; i < CXL_VFIO_CLEAR_PARTS; i++)
		left += READ_ONCE(part[i].end) - READ_ONCE(part[i].at);
	return left;
}

/**
 * cxl_vfio_clear_is_due() - is there memory to clear, and may it be cleared?
 * @dev: the device
 *
 * Return: true if both hold.
 */
bool cxl_vfio_clear_is_due(const struct cxl_vfio_device *dev)
{
	return cxl_vfio_clear_left(dev) && !(READ_ONCE(dev->gate.held) &
					     ~(BIT(HOLD_UNUSED) | BIT(HOLD_CLEARING)));
}

static bool may_start(const struct cxl_vfio_device *dev)
{
	return !READ_ONCE(dev->clear.recycling) && !READ_ONCE(dev->clear.deferred) &&
	       !READ_ONCE(dev->recovery.stop) && cxl_vfio_clear_is_due(dev);
}

/**
 * cxl_vfio_clear_kick() - clear what is left to clear, if that may be done now
 * @dev: the device
 *
 * Does not wait.  Does nothing while the device is being recycled, whose end kicks.
 */
void cxl_vfio_clear_kick(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_clear *clear = &dev->clear;
	int node = dev_to_node(&dev->core.pdev->dev);

	if (!may_start(dev))
		return;
	/* This function is a runner as well, so that the last worker waits for it */
	mutex_lock(&clear->lock);
	atomic_inc(&clear->running);
	for (unsigned int i = 0; i < CXL_VFIO_CLEAR_PARTS && may_start(dev); i++) {
		if (clear->part[i].at >= clear->part[i].end)
			continue;
		atomic_inc(&clear->running);
		if (!queue_work_node(node, cxl_vfio_queue, &clear->part[i].work))
			atomic_dec(&clear->running);
	}
	mutex_unlock(&clear->lock);
	drop_runner(dev);
}

/**
 * cxl_vfio_clear_recycled() - the device is ready for its next user but for clearing
 * @dev: the device
 */
void cxl_vfio_clear_recycled(struct cxl_vfio_device *dev)
{
	WRITE_ONCE(dev->clear.recycling, false);
	cxl_vfio_clear_kick(dev);
	wake_up_all(&dev->gate.wait);
}

/**
 * cxl_vfio_clear_wait() - wait until nothing is being cleared
 * @dev: the device
 *
 * Memory that cannot be cleared now stays held by CLEARING, and is not waited for.
 *
 * Return: 0, or -EINTR if the task was killed.
 */
int cxl_vfio_clear_wait(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_clear *clear = &dev->clear;

	return wait_event_state(dev->gate.wait,
				!READ_ONCE(clear->recycling) && !atomic_read(&clear->running),
				(TASK_KILLABLE | TASK_FREEZABLE_UNSAFE)) ? -EINTR : 0;
}

static bool is_held(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		if (cxl_vfio_pages_held(&dev->mem[i], &dev->mem[i].seen))
			return true;
	return false;
}

/**
 * cxl_vfio_clear_look() - look whether the last user's memory is still held
 * @dev: the device, which nobody uses
 */
void cxl_vfio_clear_look(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		dev->mem[i].seen = 0;
	WRITE_ONCE(dev->clear.held, is_held(dev));
}

/**
 * cxl_vfio_clear_released() - let nobody in while a page of the last user is held
 * @dev: the device, recycled; nobody uses it
 *
 * KVM may write to such a page until it drops its reference.  Waits a second for that.
 * Then memory is cleared once more, which is waited for too.
 *
 * Return: 0; -EBUSY, logged; -EINTR if the task was killed.
 */
int cxl_vfio_clear_released(struct cxl_vfio_device *dev)
{
	unsigned long end = jiffies + HELD_PATIENCE;

	if (!READ_ONCE(dev->clear.held))
		return 0;
	while (is_held(dev)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, end)) {
			pci_err(dev->core.pdev, "a virtual machine that has no access any more still holds pages of device memory; end it, then open the device\n");
			return -EBUSY;
		}
		schedule_timeout_killable(msecs_to_jiffies(HELD_POLL_MS));
	}
	WRITE_ONCE(dev->clear.held, false);
	cxl_vfio_clear_restart(dev);
	cxl_vfio_clear_kick(dev);
	return cxl_vfio_clear_wait(dev);
}

static bool is_zero(struct cxl_vfio_hdm_mem *mem, u64 at)
{
	return cxl_vfio_poison_hit(mem, at, PAGE_SIZE) ||
	       !memchr_inv(mem->va + at, 0, PAGE_SIZE);
}

/* Look at pages all over a range, its first and last among them */
static bool is_clear(struct cxl_vfio_hdm_mem *mem)
{
	u64 step = round_down(div_u64(mem->window.size, VERIFY_PAGES), PAGE_SIZE);

	for (unsigned int i = 0; i < VERIFY_PAGES; i++)
		if (!is_zero(mem, i * step))
			return false;
	return is_zero(mem, mem->window.size - PAGE_SIZE);
}

/**
 * cxl_vfio_clear_verify() - did the device itself clear its memory?
 * @dev: the device, after a CXL reset with Reset Memory Clear, usable
 *
 * Samples the memory.  If it is clear, nothing is left to do.  Else the device is
 * not asked again.
 *
 * Return: true if it is clear.
 */
bool cxl_vfio_clear_verify(struct cxl_vfio_device *dev)
{
	bool clear;

	down_read(&dev->gate.lock);
	clear = cxl_vfio_gate_ask(dev, ASK_CLEAR) == ANSWER_GO;
	for (unsigned int i = 0; i < dev->found->nr_ranges && clear; i++)
		clear = is_clear(&dev->mem[i]);
	up_read(&dev->gate.lock);
	if (!clear) {
		pci_warn(dev->core.pdev, "CXL reset with Reset Memory Clear left data behind, clearing device memory by the CPU\n");
		dev->clear.distrusted = true;
		return false;
	}
	mutex_lock(&dev->clear.lock);
	stop_workers(&dev->clear);
	share_out(&dev->clear, 0);
	mutex_unlock(&dev->clear.lock);
	cxl_vfio_gate_set(dev, HOLD_CLEARING, false);
	return true;
}
