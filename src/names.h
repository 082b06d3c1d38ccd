/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enumerations with the names that sysfs and trace events show: a table each, from
 * which the enumerators, the names and the formats of the events are made.
 */
#ifndef CXL_VFIO_NAMES_H
#define CXL_VFIO_NAMES_H

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

#define CXL_VFIO_HOLD_ENUM(name, ...)	HOLD_##name,
enum cxl_vfio_hold { CXL_VFIO_HOLDS(CXL_VFIO_HOLD_ENUM) HOLD_COUNT };

/* Phases of a reset, as traced: X(NAME, "name") */
#define CXL_VFIO_RESET_PHASES(X)		\
	X(FUNCTION,	"function reset")	\
	X(WBI,		"cache write-back")	\
	X(CXL,		"CXL reset")		\
	X(RESTORE,	"restore")		\
	X(ACTIVE,	"memory active")

#define CXL_VFIO_PHASE_ENUM(name, ...)	PHASE_##name,
enum cxl_vfio_reset_phase { CXL_VFIO_RESET_PHASES(CXL_VFIO_PHASE_ENUM) };

/* Events of a decoder, caused by a register write: X(NAME, "name") */
#define CXL_VFIO_HDM_EVENTS(X)						\
	X(NONE,		"none")						\
	X(COMMITTED,	"committed")					\
	/* committed and locked until the next reset */			\
	X(LOCKED,	"locked")					\
	X(DECOMMITTED,	"decommitted")					\
	/* COMMIT was written but the settings are illegal */		\
	X(ERROR,	"refused")

#define CXL_VFIO_HDM_EVENT_ENUM(name, ...)	HDM_EVENT_##name,
enum cxl_vfio_hdm_event_type { CXL_VFIO_HDM_EVENTS(CXL_VFIO_HDM_EVENT_ENUM) };

#endif
