/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of the gate share: what sysfs and /dev/t2lab show of the device that
 * the environment's DEVICE names, and other processes that use its memory.
 */
#ifndef TEST_LAB_H
#define TEST_LAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vfio.h"

/* How often something is looked at, with a pause of 10 ms, until it counts as hung */
#define LAB_PATIENCE	30000

/* Have the software device change its behaviour: printf() of t2ctl's options */
void lab_configure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A file in cxl_vfio/ of sysfs: its first word, "" if it cannot be read */
const char *lab_sysfs(const char *name);
bool lab_gate_is(const char *state);
/* Wait until the gate is in one of two states; false if that never happens */
bool lab_wait_gate(const char *a, const char *b);
unsigned long long lab_number(const char *name);

/* Registers as the hardware has them, past the driver */
uint16_t lab_config16(unsigned int at);
uint32_t lab_register(uint64_t offset_in_bar0);

/* Physical memory */
uint32_t lab_peek(uint64_t pa);
void lab_poke(uint64_t pa, uint32_t val);

/* Is there a page table entry for @p? */
bool lab_mapped(volatile void *p);

/* Wait for a child: false if it does not end; it is left alone then */
bool lab_wait_child(pid_t pid, int *status);

/* What a process does with memory, for as long as it lives */
enum user_kind { USER_STORES, USER_READS, USER_WRITES, USER_KINDS };

struct user {
	pid_t pid;
	struct {
		atomic_ulong done;	/* accesses */
		atomic_ulong refused;	/* of these ended by SIGBUS or with an error */
		atomic_ulong wrong;	/* found other than what was written */
		atomic_bool stop;
	} *shared;
};

/* Start a process that uses the first MiB of HDM region @hdm, mapped at @p */
void user_start(struct user *u, enum user_kind kind, struct vfio *v, uint32_t hdm,
		volatile uint32_t *p);
/* Wait until it has done more; false if it makes no progress */
bool user_goes_on(struct user *u);
/* End it; false if it does not end */
bool user_stop(struct user *u);

#endif
