// Copyright 2026 the ioq authors. MIT license.

#include "waits/clock.h"

#include "ioq.h"

/** Nanoseconds of a second. */
#define SECOND 1000000000

/** Clocks by IOQ_CLOCK_*. */
static const clockid_t clock_ids[] = {
	[IOQ_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
	[IOQ_CLOCK_REALTIME] = CLOCK_REALTIME,
	[IOQ_CLOCK_BOOTTIME] = CLOCK_BOOTTIME,
	[IOQ_CLOCK_PROCESS] = CLOCK_PROCESS_CPUTIME_ID,
	[IOQ_CLOCK_THREAD] = CLOCK_THREAD_CPUTIME_ID,
};

clockid_t clock_id(uint32_t clock) {
	return clock_ids[clock];
}

int64_t clock_now(uint32_t clock) {
	struct timespec now;
	clock_gettime(clock_ids[clock], &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t clock_nanoseconds(uint64_t seconds, uint32_t nanoseconds) {
	if (seconds >= NEVER / SECOND) {
		return NEVER;
	}
	return (int64_t)seconds * SECOND + nanoseconds;
}

void ioq_now(uint32_t clock, uint32_t *words) {
	if (clock >= sizeof(clock_ids) / sizeof(clock_ids[0])) {
		clock = IOQ_CLOCK_MONOTONIC;
	}
	int64_t now = clock_now(clock);
	uint64_t seconds = (uint64_t)(now / SECOND);
	words[0] = (uint32_t)seconds;
	words[1] = (uint32_t)(seconds >> 32);
	words[2] = (uint32_t)(now % SECOND);
	struct timespec resolution;
	clock_getres(clock_ids[clock], &resolution);
	// No clock of these is coarser than a tick of the kernel's
	words[3] = (uint32_t)resolution.tv_nsec;
}
