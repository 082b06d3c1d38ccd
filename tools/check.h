/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `cxl-vfio check`: a VFIO device (vfio.c), the lines of its report (report.c) and the
 * steps (check.c, check_memory.c, check_reset.c).
 *
 * Functions that return int return 0 or a negative errno, and print nothing.
 */
#ifndef CXL_VFIO_CHECK_H
#define CXL_VFIO_CHECK_H

#include <sys/types.h>

#include <linux/vfio.h>

#include <linux/cxl_vfio_pci.h>
#include <linux/cxl_vfio_regs.h>

#include "tool.h"

#define CONFIG_SIZE	4096
#define MAX_REGIONS	32

struct memory {
	unsigned int region;
	uint64_t offset;		/* in the device's file */
	uint64_t size;
	uint8_t *map;			/* all of it, NULL if it is not mapped */
};

struct vfio {
	int container;
	int group;
	int device;
	unsigned int regs_region;	/* the component registers */
	uint64_t regs_offset;		/* in the device's file */
	uint64_t config_offset;		/* the same of config space */
	uint32_t decoders;		/* HDM Decoder Capability in the block, 0 if none */
	struct memory memory[MAX_RANGES];
	unsigned int nr_memory;
};

enum line_state { LINE_OK, LINE_FAIL, LINE_SKIP };

struct check {
	char address[ADDRESS_LEN];
	struct device device;
	struct vfio vfio;
	bool is_open;
	bool stop;			/* no further step makes sense */
	bool touched;			/* the device's driver was changed */
	unsigned int rounds;
	char probes[512];		/* of the module */
	uint8_t stock[CONFIG_SIZE];	/* config space under vfio-pci */
	uint8_t stable[CONFIG_SIZE];	/* 1: the byte did not change from one read to the next */
	bool have_stock;
	uint8_t ours[CONFIG_SIZE];
	int vbar;			/* BAR that shows the memory, negative if none */
	long restores;			/* of registers that an FLR lost */
	struct json_object *lines;
	struct json_object *facts;
	unsigned int failed, passed, skipped, done, steps;
};

/* vfio.c: the device must be bound; @cxl: to this driver */
int vfio_open(struct vfio *v, const char *address, int group, bool cxl);
void vfio_close(struct vfio *v);
int read_config(struct vfio *v, uint8_t *config);
uint16_t config_read16(struct vfio *v, unsigned int at);
void config_write16(struct vfio *v, unsigned int at, uint16_t val);
uint32_t block_read(struct vfio *v, uint32_t at);
void block_write(struct vfio *v, uint32_t at, uint32_t val);
/* Offsets of capabilities in config space, 0 if there is none */
unsigned int find_cap(const uint8_t *config, uint8_t id);
unsigned int find_dvsec(const uint8_t *config, uint16_t id);
/* Turn Memory Space on, as a guest does */
void memory_on(struct vfio *v);
/* Map all of a range at an address that is @skew past a multiple of 1 GiB */
int map_memory(struct vfio *v, struct memory *m, size_t skew);
void unmap_memory(struct memory *m);
/* Run @fn on mapped memory; -EFAULT if an access got SIGBUS */
int with_memory(int (*fn)(void *arg), void *arg);

/* report.c */
__attribute__((format(printf, 4, 5)))
void line(struct check *c, const char *name, enum line_state state, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void fact(struct check *c, const char *name, const char *fmt, ...);
void progress(struct check *c, const char *name);
int write_reports(struct check *c);

/* check_memory.c */
/* Write a pattern to samples of all memory; then: is it there (1), is it zero (0), or else? */
int fill(struct check *c, uint32_t seed);
int look(struct check *c, uint32_t seed);
enum { MEMORY_ZERO, MEMORY_KEPT, MEMORY_OTHER };
void check_memory(struct check *c);
void check_speed(struct check *c, const char *name);

/* check_reset.c */
void check_resets(struct check *c);

/* guest.c: boot the guest that the options name, if they name one; the device is bound */
void check_guest(struct check *c);
/* Add options of QEMU for a disk image, or a directory with a kernel */
int guest_image(const char *image, struct json_object *args);
enum guest_word { GUEST_SILENT, GUEST_OK, GUEST_FAIL };
/* What the guest says in @len bytes of its serial line; @log has room for one byte more */
enum guest_word guest_word(char *log, size_t len, char *says, size_t size);

/* check.c */
int open_device(struct check *c);
void close_device(struct check *c);

#endif
