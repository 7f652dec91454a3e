// Copyright 2026 the ioq authors. MIT license.

/**
 * The memory of a queue, all of it the owner's to take and to give back. Lanes and
 * the kernel only use what an entry has.
 *
 *     arena     the entries, as many as the queue is deep
 *     pool      buffers for what is read and written
 *     regions   memory that JavaScript sees as well
 */

#ifndef IOQ_MEMORY_H
#define IOQ_MEMORY_H

#include "queue/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The entries. They are made with the queue and never move: the slot that a request
 * names is the index of its entry.
 */
struct arena {
	/** How many there are. */
	uint32_t depth;
	/** The entries. */
	struct entry *entries;
	/** Their results of statx(2), apart so that they can outlive them. */
	struct statx *statxes;
};

/**
 * Make an arena.
 *
 * @return 0 or -ENOMEM; it may be released either way.
 */
int arena_make(struct arena *arena, uint32_t depth);

/**
 * Release one in which nothing is in flight: entries, what they hold, and their
 * results, unless the kernel may still write to one of those.
 */
void arena_free(struct arena *arena);

/** The entry of a slot, or NULL if there is no such slot. */
static inline struct entry *arena_at(const struct arena *arena, uint32_t slot) {
	return slot < arena->depth ? &arena->entries[slot] : NULL;
}

/** Sizes of kept buffers: 4 KiB, 8 KiB, … 1 MiB. Larger ones are not kept. */
#define POOL_CLASSES 9

/** A buffer that nobody uses; in its own first bytes. */
struct pool_buffer {
	/** The one that was given back before it. */
	struct pool_buffer *next;
};

/**
 * Buffers, kept for the next transfer. A cached read of a page takes the kernel about
 * half a microsecond, and getting memory for it can take as long: malloc(3) has no
 * quick list for blocks of that size. Here the last one that was given back is the
 * next one to be taken, so it is also still in the processor's cache.
 *
 * All begin at a page, as transfers past the page cache (O_DIRECT) demand.
 */
struct pool {
	/** By size class: the buffers that nobody uses. */
	struct pool_buffer *unused[POOL_CLASSES];
	/** Bytes of all of them. */
	size_t unused_length;
};

/**
 * Take a buffer.
 *
 * @return It, or NULL. It may also be released by free(3).
 */
void *pool_take(struct pool *pool, size_t length);

/** Give a buffer back that was taken for `length`. NULL is fine. */
void pool_give(struct pool *pool, void *buffer, size_t length);

/** Release all buffers that nobody uses. */
void pool_drain(struct pool *pool);

/** Regions of one queue, at the most. */
#define REGIONS_MAX 1024

/**
 * Memory that JavaScript sees, and that transfers go straight to and from: the one
 * exception to the rule that nobody but the library touches what the kernel works on.
 * It takes unrestricted FFI to get hold of it. Its pages are freed when it was given back
 * and no request has to do with it any more. Its addresses are never used again, since
 * nobody can tell who else sees them.
 */
struct region {
	/** Where it is, or NULL: there is no region. */
	uint8_t *memory;
	/** Its bytes. */
	size_t length;
	/** Requests that have to do with it. */
	uint32_t uses;
	/** Whether JavaScript gave it back. */
	bool released;
	/** Whether the ring knows it, by its index. */
	bool registered;
	/** Its place among the others. */
	uint16_t index;
};

/**
 * Make a region.
 *
 * @param regions
 *         REGIONS_MAX of them, or NULL before the first one.
 * @return It, or NULL: there is no memory, or there are too many.
 */
struct region *region_make(struct region **regions, uint32_t length);

/** The region of an index that JavaScript still has, or NULL. `regions` may be NULL. */
struct region *region_at(struct region *regions, uint32_t index);

/** JavaScript gives it back. */
void region_give_back(struct region *region);

/** A request has to do with it, until region_unpin(). */
void region_pin(struct region *region);

/** That request is over. */
void region_unpin(struct region *region);

/**
 * Release all of them, but for those that a ring died with, which the kernel may
 * still write to. NULL is fine.
 */
void regions_free(struct region *regions);

#endif // IOQ_MEMORY_H
