// Copyright 2026 the ioq authors. MIT license.

/** Points in time: nanoseconds of one of the system's clocks, in 64 bits. */

#ifndef IOQ_CLOCK_H
#define IOQ_CLOCK_H

#include <stdint.h>
#include <time.h>

/** No point in time. */
#define IOQ_NEVER INT64_MAX

/** The system's id of an IOQ_CLOCK_*. */
clockid_t ioq_clock_id(uint32_t clock);

/** What a clock says, an IOQ_CLOCK_*, in nanoseconds. */
int64_t ioq_clock_now(uint32_t clock);

/** Seconds and nanoseconds as nanoseconds, or IOQ_NEVER if that is too far away. */
int64_t ioq_nanoseconds(uint64_t seconds, uint32_t nanoseconds);

/** Later than a point in time, by so many nanoseconds; at the latest IOQ_NEVER. */
static inline int64_t ioq_later(int64_t now, int64_t by) {
	return by < IOQ_NEVER - now ? now + by : IOQ_NEVER;
}

#endif // IOQ_CLOCK_H
