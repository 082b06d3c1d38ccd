// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of `cxl-vfio check` on device memory: data by read, write and mappings, and speed.
 * Of large memory, samples are written and read, spread from the first to the last byte.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define SAMPLE		(64ul << 10)
#define SAMPLES		128
#define WORDS		(SAMPLE / sizeof(uint32_t))
#define CHASE		(16ul << 20)	/* bytes that the loads of a latency are spread over */
#define LOADS		(1u << 16)
#define STREAM		(64ul << 20)	/* bytes of a bandwidth */
#define LINE		64

/* Where sample @i of @n is */
static uint64_t sample_at(const struct memory *m, unsigned int i, unsigned int n)
{
	uint64_t step = n > 1 ? (m->size - SAMPLE) / (n - 1) : 0;

	return i * step / SAMPLE * SAMPLE;
}

static unsigned int samples_of(const struct memory *m)
{
	return m->size / SAMPLE < SAMPLES ? m->size / SAMPLE : SAMPLES;
}

/* A different word at each place, so that one range that shows up twice is noticed */
static uint32_t word(uint32_t seed, unsigned int range, uint64_t at)
{
	uint64_t x = (at / 4 + ((uint64_t)range << 58) + seed) * 0x9e3779b97f4a7c15ull;

	return x >> 32 ^ x;
}

static void make_sample(uint32_t *buf, uint32_t seed, unsigned int range, uint64_t at)
{
	for (unsigned int i = 0; i < WORDS; i++)
		buf[i] = word(seed, range, at + 4 * i);
}

int fill(struct check *c, uint32_t seed)
{
	uint32_t *buf = malloc(SAMPLE);
	int ret = buf ? 0 : -ENOMEM;

	for (unsigned int r = 0; r < c->vfio.nr_memory && !ret; r++) {
		struct memory *m = &c->vfio.memory[r];

		for (unsigned int i = 0; i < samples_of(m) && !ret; i++) {
			uint64_t at = sample_at(m, i, samples_of(m));
			ssize_t n;

			make_sample(buf, seed, r, at);
			n = pwrite(c->vfio.device, buf, SAMPLE, m->offset + at);
			if (n != (ssize_t)SAMPLE)
				ret = n < 0 ? -errno : -EIO;
		}
	}
	free(buf);
	return ret;
}

/* What a sample holds: zero, the pattern or something else */
static int holds(const uint32_t *buf, uint32_t seed, unsigned int range, uint64_t at)
{
	unsigned int zero = 0, same = 0;

	for (unsigned int i = 0; i < WORDS; i++) {
		zero += !buf[i];
		same += buf[i] == word(seed, range, at + 4 * i);
	}
	return same == WORDS ? MEMORY_KEPT : zero == WORDS ? MEMORY_ZERO : MEMORY_OTHER;
}

int look(struct check *c, uint32_t seed)
{
	uint32_t *buf = malloc(SAMPLE);
	int ret = buf ? -ENODATA : -ENOMEM;

	for (unsigned int r = 0; buf && r < c->vfio.nr_memory; r++) {
		struct memory *m = &c->vfio.memory[r];

		for (unsigned int i = 0; i < samples_of(m); i++) {
			uint64_t at = sample_at(m, i, samples_of(m));
			ssize_t n = pread(c->vfio.device, buf, SAMPLE, m->offset + at);
			int is;

			if (n != (ssize_t)SAMPLE) {
				ret = n < 0 ? -errno : -EIO;
				goto out;
			}
			is = holds(buf, seed, r, at);
			ret = ret == -ENODATA || ret == is ? is : MEMORY_OTHER;
		}
	}
out:
	free(buf);
	return ret;
}

/* All memory by read() and write(): words by address, then patterns of bits */
static void check_io(struct check *c)
{
	int ret;

	ret = fill(c, 1) ?: look(c, 1);
	if (ret == MEMORY_KEPT)
		ret = fill(c, 2) ?: look(c, 2);
	if (ret < 0)
		line(c, "memory-io", LINE_FAIL, "read or write fails: %s", strerror(-ret));
	else if (ret != MEMORY_KEPT)
		line(c, "memory-io", LINE_FAIL, "memory does not read what was written");
	else
		line(c, "memory-io", LINE_OK, "%u samples of each range read what was written",
		     samples_of(&c->vfio.memory[0]));
}

struct mapped {
	struct check *c;
	uint32_t seed;
	const char *what;
};

static const uint32_t patterns[] = { 0, ~0u, 0x55555555, 0xaaaaaaaa, 0x0f0f0f0f, 0x00ff00ff };

/* Through a mapping: patterns of bits, words by address, and read() sees the same */
static int use_mapping(void *arg)
{
	struct mapped *mapped = arg;
	struct check *c = mapped->c;

	for (unsigned int r = 0; r < c->vfio.nr_memory; r++) {
		struct memory *m = &c->vfio.memory[r];

		for (unsigned int i = 0; i < samples_of(m); i++) {
			uint64_t at = sample_at(m, i, samples_of(m));
			volatile uint32_t *p = (volatile uint32_t *)(m->map + at);
			unsigned int k = i % (sizeof(patterns) / sizeof(*patterns));

			for (unsigned int w = 0; w < WORDS; w++)
				p[w] = patterns[k];
			for (unsigned int w = 0; w < WORDS; w++)
				if (p[w] != patterns[k])
					return -EBADMSG;
			for (unsigned int w = 0; w < WORDS; w++)
				p[w] = word(mapped->seed, r, at + 4 * w);
		}
	}
	/* What was written through the mapping, by read() */
	if (look(c, mapped->seed) != MEMORY_KEPT)
		return -EBADMSG;
	/* And what write() wrote, through the mapping */
	if (fill(c, mapped->seed + 1))
		return -EIO;
	for (unsigned int r = 0; r < c->vfio.nr_memory; r++) {
		struct memory *m = &c->vfio.memory[r];

		for (unsigned int i = 0; i < samples_of(m); i++) {
			uint64_t at = sample_at(m, i, samples_of(m));

			if (holds((const uint32_t *)(m->map + at), mapped->seed + 1, r, at) !=
			    MEMORY_KEPT)
				return -EBADMSG;
		}
	}
	return 0;
}

/* Mappings whose place in the address space allows pages up to a size */
static void check_maps(struct check *c)
{
	const struct {
		const char *name;
		size_t skew;
	} maps[] = {
		{ "memory-map-1g", 0 }, { "memory-map-2m", 2ul << 20 },
		{ "memory-map-page", sysconf(_SC_PAGESIZE) },
	};

	for (unsigned int k = 0; k < sizeof(maps) / sizeof(*maps); k++) {
		struct mapped arg = { c, 16 + 2 * k, maps[k].name };
		int ret = 0;

		progress(c, maps[k].name);
		for (unsigned int r = 0; r < c->vfio.nr_memory && !ret; r++)
			ret = map_memory(&c->vfio, &c->vfio.memory[r], maps[k].skew);
		if (!ret)
			ret = with_memory(use_mapping, &arg);
		for (unsigned int r = 0; r < c->vfio.nr_memory; r++)
			unmap_memory(&c->vfio.memory[r]);
		if (ret == -EBADMSG)
			line(c, maps[k].name, LINE_FAIL, "memory does not read what was written");
		else if (ret)
			line(c, maps[k].name, LINE_FAIL, "%s", ret == -EFAULT ?
			     "an access got SIGBUS" : strerror(-ret));
		else
			line(c, maps[k].name, LINE_OK,
			     "patterns and data agree with read() and write()");
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

struct speed {
	struct memory *m;
	double latency;			/* nanoseconds */
	double load, store;		/* GB/s */
};

static size_t at_most(uint64_t size, size_t most)
{
	return size < most ? size : most;
}

/* Loads that each wait for the one before, in an order that no prefetcher guesses */
static double latency_of(uint8_t *map, size_t size)
{
	size_t lines = size / LINE, at = 0;
	double start;

	/* A full period of the lines: an odd addend and a factor of 1 modulo 4 */
	for (size_t i = 0; i < lines; i++)
		*(volatile uint64_t *)(map + i * LINE) = (i * 1664525u + 1013904223u) % lines;
	start = now();
	for (unsigned int i = 0; i < LOADS; i++)
		at = *(volatile uint64_t *)(map + at * LINE);
	return (now() - start) * 1e9 / LOADS + (at > lines);
}

static int measure(void *arg)
{
	struct speed *s = arg;
	size_t size = at_most(s->m->size, STREAM);
	volatile uint64_t *p = (volatile uint64_t *)s->m->map;
	double start;

	s->latency = latency_of(s->m->map, at_most(s->m->size, CHASE));
	start = now();
	for (size_t i = 0; i < size / 8; i++)
		p[i] = i;
	s->store = size / (now() - start) / 1e9;
	start = now();
	for (size_t i = 0; i < size / 8; i++)
		(void)p[i];
	s->load = size / (now() - start) / 1e9;
	return 0;
}

void check_speed(struct check *c, const char *name)
{
	struct speed s = { .m = &c->vfio.memory[0] };
	char path[PATH_MAX], pages[64] = "";
	int ret;

	progress(c, name);
	if (!device_path(path, sizeof(path), c->address, "cxl_vfio/struct_pages"))
		read_line(path, pages, sizeof(pages));
	ret = map_memory(&c->vfio, s.m, 0) ?: with_memory(measure, &s);
	unmap_memory(s.m);
	if (ret)
		line(c, name, LINE_FAIL, "%s", ret == -EFAULT ? "an access got SIGBUS" :
								strerror(-ret));
	else
		line(c, name, LINE_OK, "%s struct pages: %.0f ns a load, %.2f GB/s load, %.2f GB/s store by one thread",
		     !*pages || !strcmp(pages, "none") ? "without" : "with", s.latency, s.load,
		     s.store);
}

static void check_type(struct check *c)
{
	static const char * const types[] = {
		[GUESTS_CHOICE] = "guests choose the memory type",
		[GUESTS_CACHED] = "write-back for guests",
		[GUESTS_UNKNOWN] = "write-back for guests if the host has it so",
		[GUESTS_UNCACHED] = "uncached for guests: no struct pages",
		[GUESTS_OLD_KVM] = "uncached for guests: KVM before 6.17",
		[GUESTS_ASK_KVM] = "write-back for guests if KVM can",
		[GUESTS_NONE] = "KVM cannot map it write-back",
		[HOSTS_UNCACHED] = "the host does not map it write-back",
	};
	enum guest_memory memory = guest_memory_of(&c->device, c->probes);

	line(c, "memory-type", memory == HOSTS_UNCACHED || memory == GUESTS_NONE ? LINE_FAIL :
							   LINE_OK, "%s", types[memory]);
}

void check_memory(struct check *c)
{
	progress(c, "memory-io");
	memory_on(&c->vfio);
	check_io(c);
	check_maps(c);
	check_type(c);
	check_speed(c, "speed");
}
