// Copyright 2026 the ioq authors. MIT license.

/**
 * Transfers
 * =========
 *
 * Bytes to be written are copied into the library before the turn that writes
 * them, and bytes that were read stay there until JavaScript takes them:
 *
 *     ioq_stage() ──▶ STAGED ──▶ turn: ACCEPTED ──▶ HELD ──▶ ioq_take()
 *                       │                             │
 *                       └──────── ioq_release() ──────┘
 *
 * Both may be done in parts, since a copy of 100 MB would hold the owner up. What
 * goes by a region is copied by nobody: its memory is JavaScript's as well. And what
 * is written into the page cache at once (calls/cached_write.c) is taken from where it is.
 */

#include "queue/turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int transfer_take_buffer(struct ioq *ioq, struct entry *entry, uint32_t length) {
	entry->payload = pool_take(&ioq->pool, length);
	if (!entry->payload) {
		return -ENOMEM;
	}
	entry->pool_length = length;
	entry->pooled = true;
	return 0;
}

int transfer_take_region(struct ioq *ioq, struct entry *entry) {
	struct region *region = region_at(ioq->regions, entry->args[0]);
	uint32_t at = entry->args[1];
	if (!region || at > region->length || entry->length > region->length - at) {
		return -EINVAL;
	}
	region_pin(region);
	entry->region = region;
	entry->payload = region->memory + at;
	return 0;
}

void transfer_release(struct ioq *ioq, struct entry *entry) {
	if (entry->region) {
		entry->payload = NULL;
		region_unpin(entry->region);
		entry->region = NULL;
	}
	if (entry->pooled) {
		pool_give(&ioq->pool, entry->payload, entry->pool_length);
		entry->payload = NULL;
	}
	entry_release(entry);
}

int32_t ioq_stage(struct ioq *ioq, uint32_t slot, const uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->arena.depth || ioq->arena.entries[slot].state != ENTRY_FREE || length > IOQ_TRANSFER_MAX) {
		return -EINVAL;
	}
	struct entry *entry = &ioq->arena.entries[slot];
	int ret = transfer_take_buffer(ioq, entry, length);
	if (ret != 0) {
		return ret;
	}
	if (length > 0) {
		memcpy(entry->payload, bytes, length);
	}
	entry->payload_length = length;
	entry->length = length;
	entry->state = ENTRY_STAGED;
	return 0;
}

int32_t ioq_stage_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint32_t total,
		const uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->arena.depth || total > IOQ_TRANSFER_MAX || at > total || length > total - at) {
		return -EINVAL;
	}
	struct entry *entry = &ioq->arena.entries[slot];
	if (at == 0 && entry->state == ENTRY_FREE) {
		int ret = transfer_take_buffer(ioq, entry, total);
		if (ret != 0) {
			return ret;
		}
		entry->payload_length = 0;
		// Another part must not go beyond what this one was promised
		entry->length = total;
		entry->state = ENTRY_STAGED;
	}
	if (entry->state != ENTRY_STAGED || entry->payload_length != at || entry->length != total) {
		return -EINVAL;
	}
	if (length > 0) {
		memcpy((uint8_t *)entry->payload + at, bytes, length);
	}
	entry->payload_length += length;
	return 0;
}

int32_t ioq_take(struct ioq *ioq, uint32_t slot, uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->arena.depth || ioq->arena.entries[slot].state != ENTRY_HELD) {
		return -EINVAL;
	}
	struct entry *entry = &ioq->arena.entries[slot];
	size_t copied = entry->payload_length < length ? entry->payload_length : length;
	if (copied > 0) {
		memcpy(bytes, entry->payload, copied);
	}
	transfer_release(ioq, entry);
	return (int32_t)copied;
}

int32_t ioq_take_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->arena.depth || ioq->arena.entries[slot].state != ENTRY_HELD) {
		return -EINVAL;
	}
	const struct entry *entry = &ioq->arena.entries[slot];
	size_t left = at < entry->payload_length ? entry->payload_length - at : 0;
	size_t copied = left < length ? left : length;
	if (copied > 0) {
		memcpy(bytes, (const uint8_t *)entry->payload + at, copied);
	}
	return (int32_t)copied;
}

int32_t ioq_release(struct ioq *ioq, uint32_t slot) {
	if (slot >= ioq->arena.depth) {
		return -EINVAL;
	}
	struct entry *entry = &ioq->arena.entries[slot];
	if (entry->state != ENTRY_HELD && entry->state != ENTRY_STAGED) {
		return -EINVAL;
	}
	transfer_release(ioq, entry);
	return 0;
}

void *ioq_allocate(struct ioq *ioq, uint32_t length, uint32_t *index) {
	*index = EINVAL;
	if (length < 1 || length > IOQ_TRANSFER_MAX) {
		return NULL;
	}
	*index = ENOMEM;
	struct region *region = region_make(&ioq->regions, length);
	if (!region) {
		return NULL;
	}
	ring_register(&ioq->ring, region);
	*index = region->index;
	return region->memory;
}

int32_t ioq_deallocate(struct ioq *ioq, uint32_t index) {
	struct region *region = region_at(ioq->regions, index);
	if (!region) {
		return -EINVAL;
	}
	ring_unregister(&ioq->ring, region);
	region_give_back(region);
	return 0;
}

int32_t ioq_write_cached(struct ioq *ioq, int32_t fd, uint32_t kind, const uint8_t *bytes, uint32_t length,
		uint32_t offset_low, uint32_t offset_high) {
	if (!(kind & IOQ_WRITES_CACHED) || length > IOQ_WRITE_CACHED_MAX) {
		return -EINVAL;
	}
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	uint64_t offset = (uint64_t)offset_high << 32 | offset_low;
	return cached_write(&ioq->writes, fd, kind, &part, offset_high == IOQ_NO_OFFSET ? NULL : &offset);
}
