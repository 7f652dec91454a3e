// Copyright 2026 the ioq authors. MIT license.

/**
 * Lines of requests that wait for locks. See waits/locks.c.
 */

#ifndef IOQ_LOCKS_H
#define IOQ_LOCKS_H

#include "queue/entry.h"

/** Those who wait for one file's lock. */
struct lock_line {
	/** The file. */
	uint64_t device, inode;
	/** Who tries; the others wait for it. */
	struct entry *first;
	/** Who came last. */
	struct entry *last;
	/** The next line of its bucket. */
	struct lock_line *next;
};

struct locks {
	/** Lines by the hash of their file, or NULL while there was none. */
	struct lock_line **buckets;
	/** Lines. */
	uint32_t count;
};

/** Release everything. */
void locks_close(struct locks *locks);

/**
 * Have an entry stand in line, at the end.
 *
 * @return 0 or -ENOMEM.
 */
int locks_join(struct locks *locks, struct entry *entry);

/** Take an entry out of its line. Returns who is the first one now, if that has changed. */
struct entry *locks_leave(struct locks *locks, struct entry *entry);

/** The first one in a file's line, or NULL. */
struct entry *locks_first(const struct locks *locks, uint64_t device, uint64_t inode);

/** Call a function with the first one of each line, which leaves the lines alone. */
void locks_each(const struct locks *locks, void (*function)(void *, struct entry *), void *argument);

#endif // IOQ_LOCKS_H
