// Copyright 2026 the ioq authors. MIT license.

#include "queue/arena.h"

#include <errno.h>
#include <stdlib.h>

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
		entry->target = NULL;
		entry->region = NULL;
		entry->counted = false;
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
