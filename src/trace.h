/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cxl_vfio_pci

#if !defined(CXL_VFIO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CXL_VFIO_TRACE_H

#include <linux/pci.h>
#include <linux/tracepoint.h>

#include "names.h"

#define TRACE_HOLD(name, text, ...)	{ BIT(HOLD_##name), text },
#define TRACE_PHASE(name, text)		{ PHASE_##name, text },
#define TRACE_HDM_EVENT(name, text)	{ HDM_EVENT_##name, text },

/* PCI address of the function, a part of each event */
#define TRACE_BDF_FIELDS				\
	__field(u16, domain)				\
	__field(u8, bus)				\
	__field(u8, devfn)
#define TRACE_BDF_ASSIGN(pdev)				\
	__entry->domain = pci_domain_nr((pdev)->bus);	\
	__entry->bus = (pdev)->bus->number;		\
	__entry->devfn = (pdev)->devfn
#define TRACE_BDF_FMT	"%04x:%02x:%02x.%x "
#define TRACE_BDF_ARGS	__entry->domain, __entry->bus, PCI_SLOT(__entry->devfn), \
			PCI_FUNC(__entry->devfn)

/* Export the enums' values, for user space tools that parse the events' formats */
#define DEFINE_HOLD(name, ...)		TRACE_DEFINE_ENUM(HOLD_##name);
#define DEFINE_PHASE(name, ...)	TRACE_DEFINE_ENUM(PHASE_##name);
#define DEFINE_HDM_EVENT(name, ...)	TRACE_DEFINE_ENUM(HDM_EVENT_##name);

CXL_VFIO_HOLDS(DEFINE_HOLD)
CXL_VFIO_RESET_PHASES(DEFINE_PHASE)
CXL_VFIO_HDM_EVENTS(DEFINE_HDM_EVENT)

/* The gate's holds changed to @held */
TRACE_EVENT(cxl_vfio_gate,
	TP_PROTO(struct pci_dev *pdev, unsigned long held),
	TP_ARGS(pdev, held),
	TP_STRUCT__entry(TRACE_BDF_FIELDS __field(unsigned long, held)),
	TP_fast_assign(TRACE_BDF_ASSIGN(pdev); __entry->held = held;),
	TP_printk(TRACE_BDF_FMT "%s", TRACE_BDF_ARGS,
		  !__entry->held ? "open" :
		  __print_flags(__entry->held, "|", CXL_VFIO_HOLDS(TRACE_HOLD) { 0, NULL }))
);

/* A phase of a reset ended with @result, 0 or a negative errno, after @us microseconds */
TRACE_EVENT(cxl_vfio_reset,
	TP_PROTO(struct pci_dev *pdev, unsigned int phase, int result, u64 us),
	TP_ARGS(pdev, phase, result, us),
	TP_STRUCT__entry(TRACE_BDF_FIELDS __field(unsigned int, phase) __field(int, result)
			 __field(u64, us)),
	TP_fast_assign(TRACE_BDF_ASSIGN(pdev); __entry->phase = phase; __entry->result = result;
		       __entry->us = us;),
	TP_printk(TRACE_BDF_FMT "%s: %d after %llu us", TRACE_BDF_ARGS,
		  __print_symbolic(__entry->phase,
				   CXL_VFIO_RESET_PHASES(TRACE_PHASE) { -1, NULL }),
		  __entry->result, __entry->us)
);

/* Event @what changed a decoder of the guest's model, or of the device itself if @ours */
TRACE_EVENT(cxl_vfio_decoder,
	TP_PROTO(struct pci_dev *pdev, unsigned int decoder, unsigned int what, bool ours),
	TP_ARGS(pdev, decoder, what, ours),
	TP_STRUCT__entry(TRACE_BDF_FIELDS __field(unsigned int, decoder)
			 __field(unsigned int, what) __field(bool, ours)),
	TP_fast_assign(TRACE_BDF_ASSIGN(pdev); __entry->decoder = decoder; __entry->what = what;
		       __entry->ours = ours;),
	TP_printk(TRACE_BDF_FMT "HDM decoder %u: %s by the %s", TRACE_BDF_ARGS, __entry->decoder,
		  __print_symbolic(__entry->what,
				   CXL_VFIO_HDM_EVENTS(TRACE_HDM_EVENT) { -1, NULL }),
		  __entry->ours ? "driver" : "guest")
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
