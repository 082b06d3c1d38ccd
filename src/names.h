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
	/* a page has an error and it is not known which, until the unbind */		\
	X(POISONED,	"poisoned",	FAIL,	GO,	false)				\
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

/* Kinds of errors that are counted: X(NAME, "name") */
#define CXL_VFIO_ERRORS(X)						\
	/* on the link, as the PCI core reports them */			\
	X(AER_FATAL,		"aer_fatal")				\
	X(AER_NONFATAL,		"aer_nonfatal")				\
	X(AER_CORRECTABLE,	"aer_correctable")			\
	/* in the device's RAS Capability */				\
	X(RAS_UNCORRECTABLE,	"ras_uncorrectable")			\
	X(RAS_CORRECTABLE,	"ras_correctable")			\
	/* in a page of HDM memory */					\
	X(MEMORY,		"memory")

#define CXL_VFIO_ERROR_ENUM(name, ...)	ERROR_##name,
enum cxl_vfio_error { CXL_VFIO_ERRORS(CXL_VFIO_ERROR_ENUM) ERROR_COUNT };

/* Bits of RAS Uncorrectable Error Status, CXL r4.0 8.2.4.17.1: X(bit, "name") */
#define CXL_VFIO_RAS_UNCORRECTABLE_NAMES(X)				\
	X(0,	"CXL.cache data parity")				\
	X(1,	"CXL.cache address parity")				\
	X(2,	"CXL.cache byte enable parity")				\
	X(3,	"CXL.cache data ECC")					\
	X(4,	"CXL.mem data parity")					\
	X(5,	"CXL.mem address parity")				\
	X(6,	"CXL.mem byte enable parity")				\
	X(7,	"CXL.mem data ECC")					\
	X(8,	"REINIT threshold")					\
	X(9,	"received unrecognized encoding")			\
	X(10,	"received poison")					\
	X(11,	"receiver overflow")					\
	X(14,	"internal")						\
	X(15,	"IDE transmit")						\
	X(16,	"IDE receive")

/* Bits of RAS Correctable Error Status, CXL r4.0 8.2.4.17.4: X(bit, "name") */
#define CXL_VFIO_RAS_CORRECTABLE_NAMES(X)				\
	X(0,	"CXL.cache data ECC")					\
	X(1,	"CXL.mem data ECC")					\
	X(2,	"CRC threshold")					\
	X(3,	"retry threshold")					\
	X(4,	"CXL.cache received poison")				\
	X(5,	"CXL.mem received poison")				\
	X(6,	"physical layer")

#endif
