/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CXL_VFIO_GATE_H
#define CXL_VFIO_GATE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * All holds of the gate, a row each: X(NAME, "name", HDM memory, component BAR,
 * judged).  The third and fourth column say how a touch of either is answered
 * while the hold lasts.  JUDGED: what happens meanwhile may change the device,
 * so that memory stays held by SETTLE until the device was seen to be usable.
 */
#define CXL_VFIO_HOLDS(X)								\
	/* nobody has the VFIO device open */						\
	X(UNUSED,	"unused",	FAIL,	FAIL,	false)				\
	/* nobody has looked at the device since something may have changed it */	\
	X(SETTLE,	"settle",	WAIT,	GO,	false)				\
	/* a call of the user that may turn Memory Space or power off */		\
	X(CALL,		"call",		WAIT,	WAIT,	true)				\
	/* a reset is under way */							\
	X(RESET,	"reset",	WAIT,	WAIT,	true)				\
	/* an error on the link, not recovered from */					\
	X(ERROR,	"error",	WAIT,	WAIT,	true)				\
	/* system sleep */								\
	X(SLEEP,	"sleep",	WAIT,	WAIT,	true)				\
	/* HDM memory may still hold a previous user's data */				\
	X(CLEARING,	"clearing",	WAIT,	GO,	false)				\
	/* Memory Space is off or the function is not in D0, by the user's wish */	\
	X(MEMORY_OFF,	"memory_off",	FAIL,	FAIL,	false)				\
	/* VFIO low power, from entry to exit */					\
	X(LOW_POWER,	"low_power",	FAIL,	FAIL,	true)				\
	/* decoders or memory did not come back from a reset */				\
	X(LOST,		"lost",		FAIL,	GO,	false)				\
	/* the last reset failed, the device is in no known state */			\
	X(RESET_FAILED,	"reset_failed",	FAIL,	GO,	true)				\
	/* HDM memory was taken away, for as long as the function is bound */		\
	X(EVICTED,	"evicted",	FAIL,	GO,	false)

#define CXL_VFIO_HOLD_ENUM(name, text, hdm, bar, judged)	HOLD_##name,
enum cxl_vfio_hold { CXL_VFIO_HOLDS(CXL_VFIO_HOLD_ENUM) HOLD_COUNT };

/* Phases of a reset, as traced: X(NAME, "name") */
#define CXL_VFIO_RESET_PHASES(X)		\
	X(FUNCTION,	"function reset")	\
	X(WBI,		"cache write-back")	\
	X(CXL,		"CXL reset")		\
	X(RESTORE,	"restore")		\
	X(ACTIVE,	"memory active")

#define CXL_VFIO_PHASE_ENUM(name, text)	PHASE_##name,
enum cxl_vfio_reset_phase { CXL_VFIO_RESET_PHASES(CXL_VFIO_PHASE_ENUM) };

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
	struct mutex zap_lock;
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
