// Copyright 2026 the ioq authors. MIT license.

#include "queue/ranges.h"

#include <errno.h>
#include <string.h>

int ranges_take(struct pool *pool, struct entry *entry) {
	size_t staged = entry->payload_length;
	uint32_t count = (uint32_t)(staged / sizeof(struct ioq_range));
	if (staged % sizeof(struct ioq_range) != 0 || count < 1 || count > IOQ_RANGES_MAX) {
		return -EINVAL;
	}
	uint32_t length = 0;
	struct ioq_range *ranges = ranges_of(entry);
	for (uint32_t i = 0; i < count; ++i) {
		// Neither sum is larger than twice what is allowed
		if (ranges[i].length > IOQ_RANGE_LENGTH_MAX || (length += ranges[i].length) > IOQ_RANGES_LENGTH_MAX) {
			return -EINVAL;
		}
		ranges[i].result = RANGE_UNTRIED;
	}
	size_t all = ranges_head(count) + length;
	void *payload = pool_take(pool, all);
	if (!payload) {
		return -ENOMEM;
	}
	memcpy(payload, ranges, staged);
	pool_give(pool, ranges, entry->pool_length);
	entry->payload = payload;
	entry->payload_length = all;
	entry->pool_length = (uint32_t)all;
	entry->range_count = count;
	entry->length = length;
	// Its owner ends it in time
	entry->timed = false;
	return 0;
}

int32_t ranges_result(struct entry *entry) {
	const struct ioq_range *ranges = ranges_of(entry);
	bool complete = true;
	for (uint32_t i = 0; i < entry->range_count && complete; ++i) {
		complete = ranges[i].result >= 0;
	}
	return complete || !entry_is_cancelled(entry) ? (int32_t)ranges_head(entry->range_count) : -EINTR;
}
