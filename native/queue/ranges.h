// Copyright 2026 the ioq authors. MIT license.

/**
 * Many ranges of a file by one request, with one completion:
 *
 *     staged    range │ range │ …
 *                 ▼ ranges_take()
 *     payload   range │ range │ … │ owner │ owner │ … │ bytes of all ranges
 *               └── the head, to the beginning of a page ──┘
 *
 * All are read at the same time by a ring, or one after the other by a lane, into one
 * piece of memory. Each has its own result: what is not read when the request completes,
 * is cut short or has failed, the reader asks for again, as a read like any other.
 *
 * An owner is where the address of the entry stands: a completion of the kernel's tells the
 * entry and the range by it.
 */

#ifndef IOQ_RANGES_H
#define IOQ_RANGES_H

#include "queue/memory.h"

/** Results of a range that was not tried, and of one that a ring has. */
#define RANGE_UNTRIED (-EAGAIN)
#define RANGE_IN_FLIGHT (-EINPROGRESS)

/**
 * Give an entry memory for the ranges that were staged for it.
 *
 * @return 0 or -errno: -EINVAL if they make no sense.
 */
int ranges_take(struct pool *pool, struct entry *entry);

/** What an entry completes with: where in its payload the bytes begin, or -EINTR. */
int32_t ranges_result(struct entry *entry);

/** Its ranges. */
static inline struct ioq_range *ranges_of(const struct entry *entry) {
	return entry->payload;
}

/** Where a range's owner stands. */
static inline struct entry **ranges_owner(const struct entry *entry, uint32_t range) {
	return (struct entry **)(ranges_of(entry) + entry->range_count) + range;
}

/** Bytes of the head. */
static inline size_t ranges_head(uint32_t count) {
	return (count * (sizeof(struct ioq_range) + sizeof(struct entry *)) + 4095) & ~(size_t)4095;
}

/** Where the bytes of the first range go. */
static inline uint8_t *ranges_bytes(const struct entry *entry) {
	return (uint8_t *)entry->payload + ranges_head(entry->range_count);
}

/** Where a range begins in its file. */
static inline uint64_t range_offset(const struct ioq_range *range) {
	return (uint64_t)range->offset_high << 32 | range->offset_low;
}

#endif // IOQ_RANGES_H
