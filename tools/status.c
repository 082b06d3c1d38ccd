// SPDX-License-Identifier: GPL-2.0-only
/*
 * State of a bound device, from the driver's files in sysfs.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define HOLDS		"holds"
#define CLEARING	"clearing"
#define PERCENT		"clearing_percent"
#define ERRORS		"errors"

/* Files of cxl_vfio/ with one line; `list` shows the decoders */
static const char * const files[] = {
	"gate", HOLDS, CLEARING, "last_reset", "resets", "restores", "zaps", "cache",
	"source", "struct_pages", "topology", "vbar"
};

/* The words of a line; "none" stands for no word */
static struct json_object *words_of(char *line)
{
	struct json_object *words = json_object_new_array();
	char *save;

	if (!strcmp(line, "none"))
		return words;
	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		json_object_array_add(words, json_object_new_string(word));
	return words;
}

/* The part of the device's memory that is still to be cleared, rounded up */
static void add_percent(struct json_object *o, const struct device *d, uint64_t left)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < d->nr_ranges; i++)
		size += d->range[i].size;
	if (left && size)
		json_object_object_add(o, PERCENT,
				       json_object_new_int64((100 * left + size - 1) / size));
}

/* Lines "KIND NUMBER"; an older driver has no such file */
static void add_errors(struct json_object *o, const struct device *d)
{
	struct json_object *errors;
	char path[PATH_MAX], kind[32];
	unsigned long n;
	FILE *f;

	if (device_path(path, sizeof(path), d->address, "cxl_vfio/" ERRORS))
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	errors = json_object_new_object();
	while (fscanf(f, "%31s %lu", kind, &n) == 2)
		json_object_object_add(errors, kind, json_object_new_int64(n));
	fclose(f);
	json_object_object_add(o, ERRORS, errors);
}

struct json_object *status_json(const struct device *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "address", json_object_new_string(d->address));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[PATH_MAX], line[256], *end;
		long n;

		if (device_path(path, sizeof(path), d->address, "cxl_vfio/%s", files[i]) ||
		    read_line(path, line, sizeof(line)))
			continue;
		if (!strcmp(files[i], HOLDS)) {
			json_object_object_add(o, HOLDS, words_of(line));
			continue;
		}
		if (!strcmp(line, "none"))
			continue;
		n = strtol(line, &end, 10);
		json_object_object_add(o, files[i], *line && !*end ?
				       json_object_new_int64(n) : json_object_new_string(line));
		if (!strcmp(files[i], CLEARING) && *line && !*end)
			add_percent(o, d, n);
	}
	add_errors(o, d);
	return o;
}

static void print_words(struct json_object *words, FILE *f)
{
	size_t n = json_object_array_length(words);

	if (!n)
		fputs(" none", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, " %s", json_object_get_string(json_object_array_get_idx(words, i)));
}

/* The kinds of which there were any */
static void print_errors(struct json_object *errors, FILE *f)
{
	bool any = false;

	json_object_object_foreach(errors, kind, n) {
		if (!json_object_get_int64(n))
			continue;
		fprintf(f, " %s %s", kind, json_object_get_string(n));
		any = true;
	}
	if (!any)
		fputs(" none", f);
}

void print_status(struct json_object *status, FILE *f)
{
	struct json_object *percent;

	json_object_object_foreach(status, key, val) {
		if (!strcmp(key, PERCENT))
			continue;
		if (!strcmp(key, "address")) {
			fprintf(f, "%s\n", json_object_get_string(val));
			continue;
		}
		fprintf(f, "  %-12s", key);
		if (json_object_is_type(val, json_type_array))
			print_words(val, f);
		else if (json_object_is_type(val, json_type_object))
			print_errors(val, f);
		else
			fprintf(f, " %s", json_object_get_string(val));
		if (!strcmp(key, CLEARING) && json_object_object_get_ex(status, PERCENT, &percent))
			fprintf(f, " (%s %%)", json_object_get_string(percent));
		fputc('\n', f);
	}
}
