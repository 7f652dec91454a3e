// Copyright 2026 the ioq authors. MIT license.

#include "queue/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/** Bytes of the smallest size class, and where buffers begin. */
#define PAGE_LENGTH ((size_t)4096)
/** Bytes of unused buffers to keep, at the most. */
#define KEPT_LENGTH_MAX ((size_t)16 << 20)

int arena_make(struct arena *arena, uint32_t depth) {
	arena->depth = depth;
	arena->entries = aligned_alloc(alignof(struct entry), depth * sizeof(struct entry));
	arena->statxes = malloc(depth * sizeof(struct statx));
	if (!arena->entries || !arena->statxes) {
		free(arena->entries);
		arena->entries = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < depth; ++i) {
		struct entry *entry = &arena->entries[i];
		entry->state = ENTRY_FREE;
		entry->path = entry->inline_path;
		entry->payload = NULL;
		entry->payload_length = 0;
		entry->pooled = false;
		entry->punted = false;
		entry->abandoned = false;
		entry->fifo = -1;
		entry->source = -1;
		entry->region = NULL;
		entry->counted = false;
		entry->holds = false;
		entry->statx = &arena->statxes[i];
		atomic_init(&entry->cancelled, false);
	}
	return 0;
}

void arena_free(struct arena *arena) {
	bool abandoned = false;
	for (uint32_t i = 0; arena->entries && i < arena->depth; ++i) {
		struct entry *entry = &arena->entries[i];
		abandoned = abandoned || entry->abandoned;
		if (entry->statx != &arena->statxes[i]) {
			// What took the place of one that was given up
			free(entry->statx);
		}
		entry_release(entry);
	}
	free(arena->entries);
	if (!abandoned) {
		free(arena->statxes);
	}
}

/** The smallest class for a length; POOL_CLASSES if there is none. */
static unsigned int class_of(size_t length) {
	unsigned int class = 0;
	while (class < POOL_CLASSES && PAGE_LENGTH << class < length) {
		++class;
	}
	return class;
}

void *pool_take(struct pool *pool, size_t length) {
	unsigned int class = class_of(length);
	if (class == POOL_CLASSES) {
		// aligned_alloc(3) wants whole multiples
		return aligned_alloc(PAGE_LENGTH, (length + PAGE_LENGTH - 1) & ~(PAGE_LENGTH - 1));
	}
	struct pool_buffer *buffer = pool->unused[class];
	if (!buffer) {
		return aligned_alloc(PAGE_LENGTH, PAGE_LENGTH << class);
	}
	pool->unused[class] = buffer->next;
	pool->unused_length -= PAGE_LENGTH << class;
	return buffer;
}

void pool_give(struct pool *pool, void *buffer, size_t length) {
	unsigned int class = class_of(length);
	if (!buffer || class == POOL_CLASSES
			|| pool->unused_length + (PAGE_LENGTH << class) > KEPT_LENGTH_MAX) {
		free(buffer);
		return;
	}
	struct pool_buffer *unused = buffer;
	unused->next = pool->unused[class];
	pool->unused[class] = unused;
	pool->unused_length += PAGE_LENGTH << class;
}

void pool_drain(struct pool *pool) {
	for (unsigned int class = 0; class < POOL_CLASSES; ++class) {
		struct pool_buffer *buffer = pool->unused[class];
		while (buffer) {
			struct pool_buffer *next = buffer->next;
			free(buffer);
			buffer = next;
		}
		pool->unused[class] = NULL;
	}
	pool->unused_length = 0;
}

struct region *region_make(struct region **regions, uint32_t length) {
	if (!*regions) {
		*regions = calloc(REGIONS_MAX, sizeof(**regions));
	}
	for (uint32_t i = 0; *regions && i < REGIONS_MAX; ++i) {
		struct region *region = &(*regions)[i];
		if (region->memory) {
			continue;
		}
		void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED) {
			return NULL;
		}
		*region = (struct region) {.memory = memory, .length = length, .index = (uint16_t)i};
		return region;
	}
	return NULL;
}

struct region *region_at(struct region *regions, uint32_t index) {
	struct region *region = regions && index < REGIONS_MAX ? &regions[index] : NULL;
	return region && region->memory && !region->released ? region : NULL;
}

/**
 * Give a region's pages back to the system, but not its addresses. Whoever may still see
 * them (a view that was handed to another thread, a read of the runtime's that is not
 * over) finds zeros there, and what he writes goes nowhere: neither unmapped memory nor
 * anybody else's. What is left is an empty mapping, which costs addresses alone.
 */
static void region_retire(const struct region *region) {
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
	if (mmap(region->memory, region->length, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) {
		madvise(region->memory, region->length, MADV_DONTNEED);
	}
}

/** Free a region if nobody has to do with it any more. */
static void region_settle(struct region *region) {
	if (region->memory && region->released && region->uses == 0) {
		region_retire(region);
		region->memory = NULL;
	}
}

void region_give_back(struct region *region) {
	region->released = true;
	region_settle(region);
}

void region_pin(struct region *region) {
	++region->uses;
}

void region_unpin(struct region *region) {
	--region->uses;
	region_settle(region);
}

void regions_free(struct region *regions) {
	for (uint32_t i = 0; regions && i < REGIONS_MAX; ++i) {
		region_give_back(&regions[i]);
	}
	free(regions);
}
