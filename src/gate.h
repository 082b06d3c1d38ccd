/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_GATE_H
#define CXL_VFIO_GATE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "names.h"

/* Who asks whether memory may be touched */
enum cxl_vfio_asker {
	ASK_HDM,	/* a user, for HDM memory */
	ASK_BAR,	/* a user, for the component BAR */
	ASK_IMPORT,	/* an importer of a dma-buf, for HDM memory */
	ASK_CLEAR,	/* the driver, to clear HDM memory */
};

enum cxl_vfio_answer {
	ANSWER_GO,	/* touch it now, before the gate's lock is dropped */
	ANSWER_WAIT,	/* wait without any lock, then ask again */
	ANSWER_FAIL,	/* SIGBUS, -EIO */
};

/**
 * struct cxl_vfio_gate - the gate in front of a device's memory: a set of holds
 * @lock: protects @held, @count and @epoch; held for read while memory is
 *	touched or mapped, for write to change a hold
 * @held: holds that last, a bit for each enum cxl_vfio_hold; open means 0
 * @count: how many times each hold is held
 * @epoch: changes with each event after which the device must be judged
 * @leaving: the function is being unbound: those who would wait fail
 * @wait: woken at each change of @held
 * @zap_lock: serialises zaps; taken without @lock
 * @mapped: users or importers may have got a mapping since the last zap
 * @zaps: how many zaps took mappings away
 */
struct cxl_vfio_gate {
	struct rw_semaphore lock;
	unsigned long held;
	unsigned int count[HOLD_COUNT];
	unsigned int epoch;
	bool leaving;
	wait_queue_head_t wait;
	struct mutex zap_lock;		/* of zaps */
	bool mapped;
	unsigned long zaps;
};

/**
 * struct cxl_vfio_caller - a task whose own call holds a gate
 * @node: in the list of all callers
 * @task: the task; it never waits for a gate
 */
struct cxl_vfio_caller {
	struct list_head node;
	struct task_struct *task;
};

#endif
