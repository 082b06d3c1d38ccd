// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate in front of HDM memory and the component BAR.
 *
 * On real hardware a CPU access to memory that the device no longer decodes can
 * take the host down.  Therefore the gate closes, and user mappings go, before
 * anything that makes the memory go away.  The gate is a set of holds (gate.h).
 * It is open while there is no hold.  A hold answers those who want to touch
 * memory meanwhile: wait, or fail.
 *
 * Nobody waits with a lock held that the owner of the hold may need, and every
 * wait of a user's task ends when the task is killed.
 */
#include <linux/pci.h>

#include "cxl_vfio.h"
#include "trace.h"

static const struct {
	const char *name;
	u8 hdm, bar;	/* answers to users of either, enum cxl_vfio_answer */
	bool judged;
} holds[] = {
#define HOLD_ROW(id, text, for_hdm, for_bar, after)				\
	[HOLD_##id] = { .name = text, .hdm = ANSWER_##for_hdm,			\
			.bar = ANSWER_##for_bar, .judged = after },
	CXL_VFIO_HOLDS(HOLD_ROW)
};

/* Holds that last while the driver itself may clear memory */
#define HELD_WHILE_CLEARING	(BIT(HOLD_UNUSED) | BIT(HOLD_CLEARING))

/* Holds under which the device cannot be judged */
#define HELD_AWAY	(BIT(HOLD_RESET) | BIT(HOLD_ERROR) | BIT(HOLD_SLEEP) |	\
			 BIT(HOLD_LOW_POWER) | BIT(HOLD_RESET_FAILED) | BIT(HOLD_EVICTED))

/* Holds whose end may take minutes, or need the device lock that an unbind has */
#define HELD_LONG	(BIT(HOLD_SETTLE) | BIT(HOLD_ERROR))

/* Tasks whose own call holds a gate, of any device */
static LIST_HEAD(callers);
static DEFINE_SPINLOCK(callers_lock);

/**
 * cxl_vfio_gate_init() - make the gate of a device that nobody has open
 * @dev: the device
 */
void cxl_vfio_gate_init(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_gate *gate = &dev->gate;

	init_rwsem(&gate->lock);
	mutex_init(&gate->zap_lock);
	init_waitqueue_head(&gate->wait);
	gate->count[HOLD_UNUSED] = 1;
	gate->count[HOLD_SETTLE] = 1;
	gate->held = BIT(HOLD_UNUSED) | BIT(HOLD_SETTLE);
}

static enum cxl_vfio_answer answer_of(const struct cxl_vfio_gate *gate, enum cxl_vfio_asker asker)
{
	unsigned long held = READ_ONCE(gate->held);
	enum cxl_vfio_answer answer = ANSWER_GO;
	unsigned int hold;

	if (likely(!held))
		return ANSWER_GO;
	if (asker == ASK_CLEAR)
		return held & ~HELD_WHILE_CLEARING ? ANSWER_FAIL : ANSWER_GO;
	for_each_set_bit(hold, &held, HOLD_COUNT)
		answer = max_t(unsigned int, answer,
			       asker == ASK_BAR ? holds[hold].bar : holds[hold].hdm);
	if (answer == ANSWER_WAIT && (held & HELD_LONG) && READ_ONCE(gate->leaving))
		return ANSWER_FAIL;
	return answer;
}

/**
 * cxl_vfio_gate_ask() - may memory be touched now?
 * @dev: the device; the gate's lock is held, and memory_lock for ASK_HDM and ASK_BAR
 * @asker: who wants to touch what
 *
 * Return: an answer that holds until the gate's lock is dropped.  Without that lock,
 * which ASK_BAR does not need to read or write registers, it was right a moment ago.
 */
enum cxl_vfio_answer cxl_vfio_gate_ask(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker)
{
	enum cxl_vfio_answer answer = answer_of(&dev->gate, asker);

	if (asker != ASK_BAR)
		lockdep_assert_held(&dev->gate.lock);
	if (answer != ANSWER_GO || asker == ASK_IMPORT || asker == ASK_CLEAR)
		return answer;
	lockdep_assert_held(&dev->core.memory_lock);
	return !dev->core.pm_runtime_engaged && cxl_vfio_compat_memory_enabled(&dev->core) ?
		ANSWER_GO : ANSWER_FAIL;
}

/**
 * cxl_vfio_gate_is_caller() - does a call of this very task hold a gate?
 *
 * Return: true if it does: then the task must not wait for a gate.
 */
bool cxl_vfio_gate_is_caller(void)
{
	const struct cxl_vfio_caller *caller;
	bool found = false;

	spin_lock(&callers_lock);
	list_for_each_entry(caller, &callers, node)
		found |= caller->task == current;
	spin_unlock(&callers_lock);
	return found;
}

/**
 * cxl_vfio_gate_wait() - wait until the gate no longer answers "wait"
 * @dev: the device; it stays open meanwhile
 * @asker: who waits for what
 * @state: TASK_KILLABLE or TASK_INTERRUPTIBLE
 *
 * No lock is held.  A task that waits can be frozen.
 *
 * Return: 0, -ERESTARTSYS for a signal, or -EDEADLK if a call of this very task
 * holds a gate.
 */
int cxl_vfio_gate_wait(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker, unsigned int state)
{
	if (cxl_vfio_gate_is_caller())
		return -EDEADLK;
	return wait_event_state(dev->gate.wait, answer_of(&dev->gate, asker) != ANSWER_WAIT,
				(state | TASK_FREEZABLE_UNSAFE));
}

/**
 * cxl_vfio_gate_wait_bounded() - wait with a lock that the hold's owner may need
 * @dev: the device; it stays open meanwhile
 * @asker: who waits for what
 * @jiffies: the longest wait
 *
 * Return: 0, or -EBUSY if the gate still says "wait" or the task was killed.
 */
int cxl_vfio_gate_wait_bounded(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker,
			       unsigned long jiffies)
{
	if (cxl_vfio_gate_is_caller())
		return -EBUSY;
	return wait_event_killable_timeout(dev->gate.wait,
					   answer_of(&dev->gate, asker) != ANSWER_WAIT,
					   jiffies) > 0 ? 0 : -EBUSY;
}

/**
 * cxl_vfio_gate_wait_reset() - wait until no reset is under way
 * @dev: the device, open
 *
 * No lock is held.  A reset may begin right afterwards.
 *
 * Return: 0, or -EINTR if the task was killed.
 */
int cxl_vfio_gate_wait_reset(struct cxl_vfio_device *dev)
{
	return wait_event_state(dev->gate.wait, !cxl_vfio_gate_is_held(dev, HOLD_RESET),
				(TASK_KILLABLE | TASK_FREEZABLE_UNSAFE)) ? -EINTR : 0;
}

static void set_held(struct cxl_vfio_device *dev, unsigned long held)
{
	struct cxl_vfio_gate *gate = &dev->gate;

	lockdep_assert_held_write(&gate->lock);
	if (gate->held == held)
		return;
	WRITE_ONCE(gate->held, held);
	trace_cxl_vfio_gate(dev->core.pdev, held);
	wake_up_all(&gate->wait);
}

static void set_count(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold, unsigned int count)
{
	struct cxl_vfio_gate *gate = &dev->gate;
	unsigned long held = gate->held;

	if (count > gate->count[hold] && holds[hold].judged) {
		gate->count[HOLD_SETTLE] = 1;
		held |= BIT(HOLD_SETTLE);
		gate->epoch++;
	}
	gate->count[hold] = count;
	set_held(dev, count ? held | BIT(hold) : held & ~BIT(hold));
}

/**
 * cxl_vfio_gate_add() - count one more hold, for hold.c
 * @dev: the device; the caller takes the mappings away
 * @hold: why
 */
void cxl_vfio_gate_add(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold)
{
	down_write(&dev->gate.lock);
	set_count(dev, hold, dev->gate.count[hold] + 1);
	up_write(&dev->gate.lock);
}

/**
 * cxl_vfio_gate_mark() - set or end a hold that is held once at most, for hold.c
 * @dev: the device; the caller takes the mappings away
 * @hold: why
 * @on: set it
 *
 * Return: true if that changed something.
 */
bool cxl_vfio_gate_mark(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold, bool on)
{
	bool change;

	down_write(&dev->gate.lock);
	change = dev->gate.count[hold] != on;
	if (change)
		set_count(dev, hold, on);
	up_write(&dev->gate.lock);
	return change;
}

/**
 * cxl_vfio_gate_next_epoch() - the device must be judged once more, for hold.c
 * @dev: the device; the caller takes the mappings away
 *
 * Return: the epoch in which it is to be judged.
 */
unsigned int cxl_vfio_gate_next_epoch(struct cxl_vfio_device *dev)
{
	unsigned int epoch;

	down_write(&dev->gate.lock);
	epoch = ++dev->gate.epoch;
	dev->gate.count[HOLD_SETTLE] = 1;
	set_held(dev, dev->gate.held | BIT(HOLD_SETTLE));
	up_write(&dev->gate.lock);
	return epoch;
}

/**
 * cxl_vfio_gate_note_caller() - note that a task's own call holds a gate, or no longer
 * @caller: the task; kept while noted
 * @on: note it
 */
void cxl_vfio_gate_note_caller(struct cxl_vfio_caller *caller, bool on)
{
	spin_lock(&callers_lock);
	if (on)
		list_add(&caller->node, &callers);
	else
		list_del(&caller->node);
	spin_unlock(&callers_lock);
}

/**
 * cxl_vfio_gate_release() - undo one cxl_vfio_gate_hold()
 * @dev: the device
 * @hold: why it was held
 */
void cxl_vfio_gate_release(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold)
{
	down_write(&dev->gate.lock);
	if (!WARN_ON_ONCE(!dev->gate.count[hold]))
		set_count(dev, hold, dev->gate.count[hold] - 1);
	up_write(&dev->gate.lock);
}

/**
 * cxl_vfio_gate_is_held() - is the gate held for a reason?
 * @dev: the device
 * @hold: the reason
 *
 * Return: true if it was a moment ago; it stays so only with a lock that keeps
 * the hold's owner out.
 */
bool cxl_vfio_gate_is_held(const struct cxl_vfio_device *dev, enum cxl_vfio_hold hold)
{
	return READ_ONCE(dev->gate.held) & BIT(hold);
}

/**
 * cxl_vfio_gate_is_away() - is the device out of reach, so that it cannot be judged?
 * @dev: the device
 *
 * Return: as for cxl_vfio_gate_is_held().
 */
bool cxl_vfio_gate_is_away(const struct cxl_vfio_device *dev)
{
	return READ_ONCE(dev->gate.held) & HELD_AWAY;
}

/**
 * cxl_vfio_gate_epoch() - the epoch of the device's present state
 * @dev: the device
 *
 * Return: a number that changes when the device must be judged once more.
 */
unsigned int cxl_vfio_gate_epoch(const struct cxl_vfio_device *dev)
{
	return READ_ONCE(dev->gate.epoch);
}

/**
 * cxl_vfio_gate_judged() - the device was seen to be usable
 * @dev: the device
 * @epoch: when it was looked at
 *
 * Ends the holds that a usable device has no reason for, unless something
 * happened since @epoch.
 *
 * Return: true if they have ended.
 */
bool cxl_vfio_gate_judged(struct cxl_vfio_device *dev, unsigned int epoch)
{
	struct cxl_vfio_gate *gate = &dev->gate;
	bool good;

	down_write(&gate->lock);
	good = gate->epoch == epoch;
	if (good) {
		gate->count[HOLD_SETTLE] = 0;
		gate->count[HOLD_MEMORY_OFF] = 0;
		gate->count[HOLD_LOST] = 0;
		set_held(dev, gate->held & ~(BIT(HOLD_SETTLE) | BIT(HOLD_MEMORY_OFF) |
					     BIT(HOLD_LOST)));
	}
	up_write(&gate->lock);
	return good;
}

/**
 * cxl_vfio_gate_leaving() - let nobody wait any longer, the function is unbound
 * @dev: the device
 */
void cxl_vfio_gate_leaving(struct cxl_vfio_device *dev)
{
	WRITE_ONCE(dev->gate.leaving, true);
	wake_up_all(&dev->gate.wait);
}

/**
 * cxl_vfio_gate_print() - the gate for people
 * @dev: the device
 * @buf: a sysfs page
 * @names: the names of its holds, else the state: open, busy or closed
 *
 * Return: bytes written.
 */
ssize_t cxl_vfio_gate_print(const struct cxl_vfio_device *dev, char *buf, bool names)
{
	static const char * const states[] = {
		[ANSWER_GO] = "open", [ANSWER_WAIT] = "busy", [ANSWER_FAIL] = "closed",
	};
	unsigned long held = READ_ONCE(dev->gate.held);
	unsigned int hold;
	ssize_t n = 0;

	if (!names)
		return sysfs_emit(buf, "%s\n", states[answer_of(&dev->gate, ASK_HDM)]);
	if (!held)
		return sysfs_emit(buf, "none\n");
	for_each_set_bit(hold, &held, HOLD_COUNT)
		n += sysfs_emit_at(buf, n, "%s%s", n ? " " : "", holds[hold].name);
	return n + sysfs_emit_at(buf, n, "\n");
}
