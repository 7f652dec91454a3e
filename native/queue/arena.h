// Copyright 2026 the ioq authors. MIT license.

/**
 * The entries of a queue, as many as it is deep. They are made with it and never
 * move: the slot that a request names is the index of its entry.
 */

#ifndef IOQ_ARENA_H
#define IOQ_ARENA_H

#include "queue/entry.h"

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

#endif // IOQ_ARENA_H
