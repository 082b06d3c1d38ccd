// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory map, from /proc/iomem: is a range System RAM, and would a claim of the
 * range succeed?
 */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define MAX_ENTRIES	4096

struct entry {
	uint64_t start, end;
	unsigned int depth;
	char name[64];
};

struct map {
	struct entry entry[MAX_ENTRIES];
	unsigned int n;
	bool hidden;		/* addresses read 0 */
};

static struct map *read_map(void)
{
	struct map *map = calloc(1, sizeof(*map));
	char path[PATH_MAX], line[256];
	FILE *f = NULL;

	if (!map)
		return NULL;
	map->hidden = true;
	if (!make_path(path, sizeof(path), "/proc/iomem"))
		f = fopen(path, "re");
	while (f && map->n < MAX_ENTRIES && fgets(line, sizeof(line), f)) {
		struct entry *e = &map->entry[map->n];

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " : %63[^\n]", &e->start, &e->end,
			   e->name) != 3)
			continue;
		e->depth = strspn(line, " ") / 2;
		map->hidden &= !e->end;
		map->n++;
	}
	if (f)
		fclose(f);
	return map;
}

static bool overlaps(const struct entry *e, const struct hdm_range *r)
{
	return e->start <= r->base + (r->size - 1) && e->end >= r->base;
}

static bool begins(const char *s, const char *start)
{
	return !strncmp(s, start, strlen(start));
}

/* Resources that are there and that any driver may claim a part of */
static bool may_be_claimed(const char *name)
{
	static const char * const names[] = {
		"Reserved", "Soft Reserved", "CXL Window ", "PCI Bus ", "Persistent Memory",
		"hmem.", "region",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (begins(name, names[i]))
			return true;
	/* The BAR of a function */
	return strlen(name) >= 12 && name[4] == ':' && name[7] == ':' && name[10] == '.';
}

static bool is_claim(const char *name)
{
	static const char * const names[] = {
		"System RAM", "Kernel ", "Crash kernel", "ACPI ", "PCI ECAM", "PCI MMCONFIG", "dax",
		"Unusable memory",
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (begins(name, names[i]))
			return true;
	return !strchr(name, '/') && !make_path(path, sizeof(path), "/sys/module/%s", name) &&
	       exists(path);
}

/* Would request_mem_region() claim @r?  It goes down the tree as long as it may */
static enum iomem_answer can_claim(const struct map *map, const struct hdm_range *r, char *name,
				   size_t size)
{
	enum iomem_answer answer = IOMEM_FREE;
	unsigned int depth = 0, i = 0;

	while (i < map->n && map->entry[i].depth >= depth) {
		const struct entry *e = &map->entry[i++];

		if (e->depth > depth || !overlaps(e, r))
			continue;
		snprintf(name, size, "%s", e->name);
		if (e->start > r->base || e->end < r->base + (r->size - 1) || is_claim(e->name))
			return IOMEM_CLAIMED;
		if (!may_be_claimed(e->name))
			answer = IOMEM_UNKNOWN;
		depth++;
	}
	return answer;
}

enum iomem_answer ask_iomem(const struct hdm_range *r, bool ram, char *name, size_t size)
{
	enum iomem_answer answer = IOMEM_FREE;
	struct map *map = read_map();

	*name = 0;
	if (!map || map->hidden)
		answer = IOMEM_HIDDEN;
	else if (!ram)
		answer = can_claim(map, r, name, size);
	for (unsigned int i = 0; ram && map && !map->hidden && i < map->n; i++) {
		if (!begins(map->entry[i].name, "System RAM") || !overlaps(&map->entry[i], r))
			continue;
		snprintf(name, size, "%s", map->entry[i].name);
		answer = IOMEM_CLAIMED;
	}
	free(map);
	return answer;
}

/* The DAX device that has a part of the range, "" if none */
static void find_dax(const struct map *map, const struct hdm_range *r, char *name, size_t size)
{
	*name = 0;
	for (unsigned int i = 0; i < map->n; i++)
		if (begins(map->entry[i].name, "dax") && overlaps(&map->entry[i], r))
			snprintf(name, size, "%s", map->entry[i].name);
}

void holder_remedy(const struct hdm_range *r, bool ram, char *buf, size_t size)
{
	struct map *map = read_map();
	char dax[64], name[64];

	*buf = 0;
	if (!map)
		return;
	find_dax(map, r, dax, sizeof(dax));
	if (*dax && ram)
		snprintf(buf, size, "the kernel's kmem driver made it RAM: daxctl offline-memory %s && daxctl disable-device %s; for good, boot with modprobe.blacklist=dax_hmem",
			 dax, dax);
	else if (*dax)
		snprintf(buf, size, "the kernel's DAX driver has it: daxctl disable-device %s; for good, boot with modprobe.blacklist=dax_hmem",
			 dax);
	else if (ram)
		snprintf(buf, size, "firmware gives it out as ordinary RAM: have firmware setup mark it as special purpose memory, and boot without efi=nosoftreserve");
	else if (can_claim(map, r, name, sizeof(name)) != IOMEM_FREE)
		snprintf(buf, size, "'%s' has it in /proc/iomem: unbind the driver that uses it",
			 name);
	free(map);
}
