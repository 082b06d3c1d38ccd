// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space as lspci -xxxx writes it: "e00: 23 00 81 e3 ...".  Other
 * lines are what lspci decoded, or comments.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define ROW	16

/* One line without its end: true if it is a row of bytes */
static bool read_row(const char *line, uint8_t *config)
{
	char *p;
	unsigned long at, byte;

	if (!isxdigit((unsigned char)*line))
		return false;
	at = strtoul(line, &p, 16);
	if (*p++ != ':' || at > CONFIG_SIZE - ROW)
		return false;
	for (unsigned int i = 0; i < ROW; i++) {
		const char *start = p;

		byte = strtoul(p, &p, 16);
		if (p - start != 3 || byte > 0xff)
			return false;
		config[at + i] = byte;
	}
	return true;
}

/* Fill the CONFIG_SIZE bytes at @config from the rows in the text up to @end */
void dump_read(const char *text, const char *end, uint8_t *config)
{
	while (text < end) {
		char line[128] = "";
		size_t len = strcspn(text, "\n");

		if (len < sizeof(line)) {
			memcpy(line, text, len);
			read_row(line, config);
		}
		text += len + 1;
	}
}
