// Copyright 2026 the ioq authors. MIT license.

/**
 * Tells the queues of this process that somebody released a lock. See waits/bell.c.
 */

#ifndef IOQ_BELL_H
#define IOQ_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Locks that one queue is told of by name until it looks. */
#define BELL_FILES 64

/** A file, as its locks know it. */
struct bell_file {
	/** The device. */
	uint64_t device;
	/** The inode. */
	uint64_t inode;
};

/** What one queue hears. */
struct bell {
	/** Whether there is something to be looked at. */
	atomic_bool rung;
	/** Whether it listens; its owner's. */
	bool listens;
	/** An eventfd that is written to. */
	int wake_fd;
	/** The next one that listens. */
	struct bell *next;
	/** Whether it was more than can be named: it may be any file. */
	bool any;
	/** How many are named. */
	uint32_t count;
	/** Those. */
	struct bell_file files[BELL_FILES];
};

/** Listen, or go on to. */
void bell_listen(struct bell *bell, int wake_fd);

/** Do not listen any more. One that does not is fine. */
void bell_leave(struct bell *bell);

/**
 * What was heard since the last time.
 *
 * @param files
 *         Receives up to BELL_FILES files.
 * @param any
 *         Receives whether it may be any file besides.
 * @return How many files.
 */
uint32_t bell_take(struct bell *bell, struct bell_file *files, bool *any);

/** A lock of a descriptor's file was released: tell whoever listens. For any thread. */
void bell_ring(int fd);

/** How many were, so far. */
uint64_t bell_released(void);

#endif // IOQ_BELL_H
