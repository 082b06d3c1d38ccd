// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory map, from /proc/iomem: is a range System RAM, and would a claim of the
 * range succeed?
 */
#include <dirent.h>
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
		"namespace", "Unusable memory",
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

/* How to unbind a device of this name, on any bus, from its driver; "" if there is none */
static void unbind_command(const char *name, char *buf, size_t size)
{
	char path[PATH_MAX], driver[64] = "";
	struct dirent *bus;
	DIR *dir = NULL;

	*buf = 0;
	if (!make_path(path, sizeof(path), "/sys/bus"))
		dir = opendir(path);
	while (dir && !*driver && (bus = readdir(dir))) {
		if (bus->d_name[0] == '.' || strchr(name, '/') ||
		    make_path(path, sizeof(path), "/sys/bus/%s/devices/%s/driver", bus->d_name,
			      name) ||
		    read_link_name(path, driver, sizeof(driver)))
			continue;
		snprintf(buf, size, "echo %s > /sys/bus/%s/drivers/%s/unbind", name, bus->d_name,
			 driver);
	}
	if (dir)
		closedir(dir);
}

/* How to take the memory blocks of a range from the kernel, which kmem does not do itself */
static void offline_command(const struct hdm_range *r, char *buf, size_t size)
{
	static const char dir[] = "/sys/devices/system/memory";
	char path[PATH_MAX], line[32];
	uint64_t block = 0;

	*buf = 0;
	if (!make_path(path, sizeof(path), "%s/block_size_bytes", dir) &&
	    !read_line(path, line, sizeof(line)))
		block = strtoull(line, NULL, 16);
	if (block)
		snprintf(buf, size, "for n in $(seq %" PRIu64 " %" PRIu64 "); do echo 0 > %s/memory$n/online; done; ",
			 r->base / block, (r->base + (r->size - 1)) / block, dir);
}

static void dax_remedy(const struct hdm_range *r, const char *dax, bool ram, struct judgement *j)
{
	char offline[160] = "", unbind[160];

	if (ram)
		offline_command(r, offline, sizeof(offline));
	unbind_command(dax, unbind, sizeof(unbind));
	if (*unbind)
		snprintf(j->commands, sizeof(j->commands), "%s%s", offline, unbind);
	snprintf(j->remedy, sizeof(j->remedy),
		 "the kernel's %s, as %s; for good, or if the kernel does not let go of it, boot with modprobe.blacklist=dax_hmem",
		 ram ? "kmem driver made it RAM" : "DAX driver has it", dax);
}

void holder_remedy(const struct hdm_range *r, bool ram, struct judgement *j)
{
	struct map *map = read_map();
	char dax[64], name[64];

	if (!map)
		return;
	find_dax(map, r, dax, sizeof(dax));
	if (*dax) {
		dax_remedy(r, dax, ram, j);
	} else if (ram) {
		snprintf(j->remedy, sizeof(j->remedy), "firmware gives it out as ordinary RAM: have firmware setup mark it as special purpose memory, and boot without efi=nosoftreserve");
	} else if (can_claim(map, r, name, sizeof(name)) != IOMEM_FREE) {
		unbind_command(name, j->commands, sizeof(j->commands));
		snprintf(j->remedy, sizeof(j->remedy), "'%s' has it in /proc/iomem: unbind the driver that uses it",
			 name);
	}
	free(map);
}
