/* SPDX-License-Identifier: GPL-2.0-only */
/* A tracepoint is a function that does nothing */
#define TP_PROTO(...)			__VA_ARGS__
#define TP_ARGS(...)
#define TRACE_DEFINE_ENUM(name)		struct trace_enum_##name
#define TRACE_EVENT(name, proto, ...)	static inline void trace_##name(proto) { }
