// Copyright 2026 the ioq authors. MIT license.

/** Points in time: nanoseconds of one of the system's clocks, in 64 bits. */

#ifndef IOQ_CLOCK_H
#define IOQ_CLOCK_H

#include <stdint.h>
#include <time.h>

/** No point in time. */
#define NEVER INT64_MAX

/** The system's id of an IOQ_CLOCK_*. */
clockid_t clock_id(uint32_t clock);

/** What a clock says, an IOQ_CLOCK_*, in nanoseconds. */
int64_t clock_now(uint32_t clock);

/** Seconds and nanoseconds as nanoseconds, or NEVER if that is too far away. */
int64_t clock_nanoseconds(uint64_t seconds, uint32_t nanoseconds);

/** Later than a point in time, by so many nanoseconds; at the latest NEVER. */
static inline int64_t clock_later(int64_t now, int64_t by) {
	return by < NEVER - now ? now + by : NEVER;
}

#endif // IOQ_CLOCK_H
