// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>

#include "tool.h"

/* Every JSON answer is an object with a schema number, see docs/cxl-vfio-json.md */
struct json_object *new_document(void)
{
	struct json_object *doc = json_object_new_object();

	json_object_object_add(doc, "schema", json_object_new_int(JSON_SCHEMA));
	return doc;
}

void print_document(struct json_object *doc)
{
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE |
					    JSON_C_TO_STRING_SPACED));
	json_object_put(doc);
}

void format_size(uint64_t bytes, char *buf, size_t size)
{
	if (bytes && !(bytes % (1ull << 30)))
		snprintf(buf, size, "%" PRIu64 " GiB", bytes >> 30);
	else
		snprintf(buf, size, "%" PRIu64 " MiB", bytes >> 20);
}

const char *advice(const struct judgement *j)
{
	static char text[sizeof(j->remedy) + sizeof(j->commands) + 16];

	snprintf(text, sizeof(text), "%s%s%s%s", *j->remedy ? "; " : "", j->remedy,
		 *j->commands ? "; now: " : "", j->commands);
	return text;
}
