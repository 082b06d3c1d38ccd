// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report of `cxl-vfio check`: lines with a verdict each, and facts.  Without --full it
 * has no address of the host and no serial number.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static const char * const states[] = {
	[LINE_OK] = "ok", [LINE_FAIL] = "FAIL", [LINE_SKIP] = "skip",
};

/* The same in JSON */
static const char * const words[] = {
	[LINE_OK] = "ok", [LINE_FAIL] = "failure", [LINE_SKIP] = "skipped",
};

static size_t hex_digits(const char *s)
{
	return strspn(s, "0123456789abcdef");
}

/* "0d:00.0" */
static size_t slot_address(const char *s)
{
	if (hex_digits(s) != 2 || s[2] != ':' || hex_digits(s + 3) != 2 || s[5] != '.')
		return 0;
	return 6 + hex_digits(s + 6);
}

/* "0000:0d:00.0", or without the domain, as a line of the log repeats a parameter */
static size_t pci_address(const char *s)
{
	size_t n = hex_digits(s), slot;

	if (n < 4 || s[n] != ':')
		return slot_address(s);
	slot = slot_address(s + n + 1);
	return slot ? n + 1 + slot : 0;
}

/* "0x100000000", and no register value of 32 bits */
static size_t host_address(const char *s)
{
	size_t n = s[0] == '0' && s[1] == 'x' ? hex_digits(s + 2) : 0;

	return n > 8 ? n + 2 : 0;
}

void redact(char *s)
{
	char *out = s;

	while (!options.full && *s) {
		size_t n = pci_address(s) ?: host_address(s);

		if (n) {
			*out++ = '*';
			s += n;
		} else {
			*out++ = *s++;
		}
	}
	if (!options.full)
		*out = 0;
}

/* A bar on a terminal, of which each line takes the place */
void progress(struct check *c, const char *name)
{
	enum { WIDTH = 24 };
	unsigned int full = c->steps ? WIDTH * c->done / c->steps : 0;
	char bar[WIDTH + 1];

	if (!isatty(STDERR_FILENO))
		return;
	memset(bar, '.', WIDTH);
	memset(bar, '#', full < WIDTH ? full : WIDTH);
	bar[WIDTH] = 0;
	fprintf(stderr, *name ? "\r\033[K[%s] %s" : "\r\033[K", bar, name);
	fflush(stderr);
}

void line(struct check *c, const char *name, enum line_state state, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char found[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(found, sizeof(found), fmt, args);
	va_end(args);
	redact(found);
	json_object_object_add(o, "check", json_object_new_string(name));
	json_object_object_add(o, "state", json_object_new_string(words[state]));
	json_object_object_add(o, "found", json_object_new_string(found));
	json_object_array_add(c->lines, o);
	c->failed += state == LINE_FAIL;
	c->passed += state == LINE_OK;
	c->skipped += state == LINE_SKIP;
	progress(c, "");
	if (!options.json)
		printf("%-4s  %-16s %s\n", states[state], name, found);
	fflush(stdout);
}

void fact(struct check *c, const char *name, const char *fmt, ...)
{
	char found[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(found, sizeof(found), fmt, args);
	va_end(args);
	redact(found);
	json_object_object_add(c->facts, name, json_object_new_string(found));
}

static struct json_object *report_json(struct check *c)
{
	struct json_object *doc = new_document();

	json_object_object_add(doc, "passed", json_object_new_boolean(!c->failed));
	json_object_object_add(doc, "facts", json_object_get(c->facts));
	json_object_object_add(doc, "checks", json_object_get(c->lines));
	return doc;
}

static void report_text(struct check *c, FILE *f)
{
	size_t n = json_object_array_length(c->lines);

	fprintf(f, "cxl-vfio check: %s (%u ok, %u failed, %u skipped)\n\n",
		c->failed ? "FAILED" : "passed", c->passed, c->failed, c->skipped);
	json_object_object_foreach(c->facts, name, val)
		fprintf(f, "%-20s %s\n", name, json_object_get_string(val));
	fputc('\n', f);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(c->lines, i);

		fprintf(f, "%-8s %-16s %s\n",
			json_object_get_string(json_object_object_get(o, "state")),
			json_object_get_string(json_object_object_get(o, "check")),
			json_object_get_string(json_object_object_get(o, "found")));
	}
}

int write_reports(struct check *c)
{
	struct json_object *doc = report_json(c);
	FILE *f = fopen("report.txt", "we");
	int ret = 0;

	if (f)
		report_text(c, f);
	if (!f || fclose(f) ||
	    json_object_to_file_ext("report.json", doc, JSON_C_TO_STRING_PRETTY |
				    JSON_C_TO_STRING_NOSLASHESCAPE | JSON_C_TO_STRING_SPACED)) {
		complain("cannot write report.txt and report.json here: %s", strerror(errno));
		ret = -EIO;
	}
	if (options.json)
		print_document(doc);
	else
		json_object_put(doc);
	return ret;
}
