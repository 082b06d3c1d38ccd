// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misuse: what a host does that the specification forbids or gives no answer to.
 * Each is a line in the log, and the device's exit status says that there was one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device.h"

#define MAX_LINES	10	/* of each kind; all are counted */

static const struct {
	const char *name;
	const char *what;
} kinds[MISUSE_KINDS] = {
	[MISUSE_MEMORY_OFF] = { "memory-off", "component BAR: access with memory space off" },
	[MISUSE_LOW_POWER] = { "low-power", "component BAR: access in a state other than D0" },
	[MISUSE_OTHER_BAR] = { "other-bar", "another BAR: access in one of these states" },
	[MISUSE_WIDTH] = { "width", "component register access other than an aligned dword" },
	[MISUSE_READ_ONLY] = { "read-only", "write to a CXL register without a writable bit" },
	[MISUSE_RESERVED] = { "reserved", "reserved bits of a CXL register written as 1" },
	[MISUSE_LOCKED] = { "locked", "change of what CONFIG_LOCK or a committed decoder closes" },
	[MISUSE_COMMIT_ORDER] = { "commit-order", "decoder committed or decommitted out of order" },
	[MISUSE_COMMIT_SETTINGS] = { "commit-settings", "decoder committed with illegal settings" },
	[MISUSE_DOORBELL] = { "doorbell", "CONTROL2 doorbell rung without its precondition" },
	[MISUSE_HDM_DMA] = { "hdm-dma", "DMA to HDM memory that no decoder decodes" },
};

/* The kind of a name, or -1 */
int misuse_find(const char *name)
{
	for (unsigned int i = 0; i < MISUSE_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

void misuse_help(void)
{
	puts("\nMisuse by the host, which fails the device unless --allow-misuse names it:");
	for (unsigned int i = 0; i < MISUSE_KINDS; i++)
		printf("  %-18s %s\n", kinds[i].name, kinds[i].what);
}

/* Log and count what the host did, unless it is allowed now */
void misuse(struct device *dev, enum misuse_kind kind, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (dev->options.allow_misuse & (1u << kind))
		return;
	if (++dev->misused[kind] > MAX_LINES)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line("misuse: %s: %s", kinds[kind].name, text);
}

/* Was there any?  Logs how often, for the kinds of which not all were logged */
bool misuse_seen(const struct device *dev)
{
	bool any = false;

	for (unsigned int i = 0; i < MISUSE_KINDS; i++) {
		any |= dev->misused[i];
		if (dev->misused[i] > MAX_LINES)
			log_line("misuse: %s: %u times", kinds[i].name, dev->misused[i]);
	}
	return any;
}
