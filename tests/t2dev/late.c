// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results that a host has to wait for: a decoder commits, and a doorbell is answered,
 * after a second look or a while, not at once.
 */
#include <time.h>

#include "device.h"

#define LATE_READS	2
#define LATE_MS		10	/* as long as a decoder may take to commit, 8.2.4.20 */

/* Milliseconds of a clock that only goes forward, never 0 */
uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000 + 1;
}

/* From now on @bits are awaited */
void late_start(struct late *late, uint32_t bits)
{
	*late = (struct late){ bits, LATE_READS, now_ms() };
}

/* The bits that are awaited, if it is time, or by this @read of their register; or 0 */
uint32_t late_take(struct late *late, bool read)
{
	uint32_t bits = late->bits;

	if (!bits)
		return 0;
	if (read)
		late->reads--;
	if (late->reads && now_ms() - late->since_ms < LATE_MS)
		return 0;
	late->bits = 0;
	return bits;
}
