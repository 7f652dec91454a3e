// Copyright 2026 the ioq authors. MIT license.

/**
 * Locks
 * =====
 *
 * flock(2) without waiting says whether a lock is free, and nothing says when it will
 * be. So it is tried from time to time; but of all that wait for one file, only the
 * first:
 *
 *     file 1 ──▶ entry (tries) ◀▶ entry ◀▶ entry
 *     file 2 ──▶ entry (tries)
 *
 * Who got the lock leaves, and the next one tries at once: it may be a shared lock. So
 * a thousand that wait for one file cost as much as one, and get it in their order.
 */

#include "waits/locks.h"

#include <stdlib.h>

/** Buckets, a power of two. */
#define BUCKETS 1024

/** Where a file's line is. */
static struct lock_line **bucket_of(const struct locks *locks, uint64_t device, uint64_t inode) {
	uint64_t hash = (inode ^ device << 32) * 0x9e3779b97f4a7c15;
	return &locks->buckets[hash >> 54 & (BUCKETS - 1)];
}

/** A file's line, or NULL. */
static struct lock_line *find_line(const struct locks *locks, uint64_t device, uint64_t inode) {
	struct lock_line *line = locks->buckets ? *bucket_of(locks, device, inode) : NULL;
	while (line && (line->device != device || line->inode != inode)) {
		line = line->next;
	}
	return line;
}

void locks_close(struct locks *locks) {
	for (size_t i = 0; locks->buckets && i < BUCKETS; ++i) {
		while (locks->buckets[i]) {
			struct lock_line *line = locks->buckets[i];
			locks->buckets[i] = line->next;
			free(line);
		}
	}
	free(locks->buckets);
	locks->buckets = NULL;
	locks->count = 0;
}

int locks_join(struct locks *locks, struct entry *entry) {
	if (!locks->buckets) {
		locks->buckets = calloc(BUCKETS, sizeof(*locks->buckets));
		if (!locks->buckets) {
			return -ENOMEM;
		}
	}
	struct lock_line *line = find_line(locks, entry->lock_device, entry->lock_inode);
	if (!line) {
		line = calloc(1, sizeof(*line));
		if (!line) {
			return -ENOMEM;
		}
		line->device = entry->lock_device;
		line->inode = entry->lock_inode;
		struct lock_line **bucket = bucket_of(locks, line->device, line->inode);
		line->next = *bucket;
		*bucket = line;
		++locks->count;
	}
	entry->line = line;
	entry->ahead = line->last;
	entry->behind = NULL;
	*(line->last ? &line->last->behind : &line->first) = entry;
	line->last = entry;
	return 0;
}

struct entry *locks_leave(struct locks *locks, struct entry *entry) {
	struct lock_line *line = entry->line;
	bool first = line->first == entry;
	*(entry->ahead ? &entry->ahead->behind : &line->first) = entry->behind;
	*(entry->behind ? &entry->behind->ahead : &line->last) = entry->ahead;
	entry->line = NULL;
	entry->ahead = entry->behind = NULL;
	if (line->first) {
		return first ? line->first : NULL;
	}
	struct lock_line **at = bucket_of(locks, line->device, line->inode);
	while (*at != line) {
		at = &(*at)->next;
	}
	*at = line->next;
	free(line);
	--locks->count;
	return NULL;
}

struct entry *locks_first(const struct locks *locks, uint64_t device, uint64_t inode) {
	struct lock_line *line = find_line(locks, device, inode);
	return line ? line->first : NULL;
}

void locks_each(const struct locks *locks, void (*function)(void *, struct entry *), void *argument) {
	for (size_t i = 0; locks->buckets && i < BUCKETS; ++i) {
		for (struct lock_line *line = locks->buckets[i]; line; line = line->next) {
			function(argument, line->first);
		}
	}
}
