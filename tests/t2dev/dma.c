// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the machine, as the client hands it over: ranges of addresses, each
 * backed by part of a file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"

#define PAGE	4096ull

static bool overlap(const struct dma_map *a, const struct dma_map *b)
{
	return a->addr <= b->addr + b->size - 1 && b->addr <= a->addr + a->size - 1;
}

/* Add a mapping; its descriptor is duplicated.  0 or -errno */
int dma_add(struct dma_table *table, const struct dma_map *map)
{
	struct dma_map *grown, *new;
	struct stat st;

	for (unsigned int i = 0; i < table->n; i++)
		if (overlap(&table->map[i], map))
			return -EEXIST;
	if (table->n >= MAX_DMA_MAPS)
		return -ENOSPC;
	grown = realloc(table->map, (table->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->map = grown;
	new = &table->map[table->n];
	*new = *map;
	new->va = NULL;
	new->fd = dup(map->fd);
	if (new->fd < 0)
		return -errno;
	new->file = fstat(new->fd, &st) ? 0 : st.st_ino;
	table->n++;
	return 0;
}

static void drop(struct dma_table *table, unsigned int i)
{
	struct dma_map *map = &table->map[i];

	if (map->va)
		munmap(map->va, map->size + map->offset % PAGE);
	close(map->fd);
	*map = table->map[--table->n];
}

/* Remove all mappings that lie in a range; -ENOENT if there is none */
int dma_remove(struct dma_table *table, uint64_t addr, uint64_t size)
{
	int ret = -ENOENT;

	for (unsigned int i = table->n; i-- > 0;) {
		struct dma_map *map = &table->map[i];

		if (map->addr < addr || map->addr - addr >= size ||
		    map->size > size - (map->addr - addr))
			continue;
		drop(table, i);
		ret = 0;
	}
	return ret;
}

void dma_clear(struct dma_table *table)
{
	while (table->n)
		drop(table, table->n - 1);
	free(table->map);
	table->map = NULL;
}

/*
 * The client maps the machine's memory at its physical addresses first, and
 * replaces that by an IOMMU's mappings later.  What came first is remembered.
 */
void dma_note_ram(struct dma_table *ram, const struct dma_map *map)
{
	if (map->read && map->write && ram->n < 64)
		dma_add(ram, map);
}

static const struct dma_map *find(const struct dma_table *table, uint64_t addr)
{
	for (unsigned int i = 0; i < table->n; i++)
		if (addr >= table->map[i].addr && addr - table->map[i].addr < table->map[i].size)
			return &table->map[i];
	return NULL;
}

/* The machine's physical address of the memory at @addr, or ~0 if it has none */
uint64_t dma_physical(const struct dma_table *ram, const struct dma_table *table, uint64_t addr)
{
	const struct dma_map *map = find(table, addr);

	for (unsigned int i = 0; map && i < ram->n; i++) {
		const struct dma_map *m = &ram->map[i];
		uint64_t at = map->offset + (addr - map->addr);

		if (m->file == map->file && at >= m->offset && at - m->offset < m->size)
			return m->addr + (at - m->offset);
	}
	return ~0ull;
}

/*
 * A pointer to @addr; *@len, at least 1, is cut to what is contiguous there.
 * NULL if nothing is mapped there or not for this direction.
 */
uint8_t *dma_pointer(struct dma_table *table, uint64_t addr, uint64_t *len, bool write)
{
	for (unsigned int i = 0; i < table->n; i++) {
		struct dma_map *map = &table->map[i];
		uint64_t head = map->offset % PAGE;

		if (addr < map->addr || addr - map->addr >= map->size)
			continue;
		if (write ? !map->write : !map->read)
			return NULL;
		if (!map->va) {
			void *va = mmap(NULL, map->size + head,
					PROT_READ | (map->write ? PROT_WRITE : 0), MAP_SHARED,
					map->fd, map->offset - head);

			if (va == MAP_FAILED)
				return NULL;
			map->va = va;
		}
		if (*len > map->size - (addr - map->addr))
			*len = map->size - (addr - map->addr);
		return map->va + head + (addr - map->addr);
	}
	return NULL;
}
