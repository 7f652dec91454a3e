// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that need no lane, only time or a descriptor's readiness. See waits/waits.c.
 */

#ifndef IOQ_WAITS_H
#define IOQ_WAITS_H

#include "waits/clock.h"
#include "queue/entry.h"
#include "waits/bell.h"
#include "waits/locks.h"

/** The requests that wait for a clock. */
struct waits_clock {
	/** A timerfd, or -1 while nobody has waited for this clock. */
	int fd;
	/** Whether the timerfd is set. */
	bool armed;
	/** Entries in the heap. */
	uint32_t count;
	/** Room in the heap. */
	uint32_t capacity;
	/** A binary heap, the earliest first. */
	struct entry **heap;
};

struct waits {
	/** An epoll of the wake-up, the timerfds and what is polled: what a park polls. */
	int fd;
	/** By IOQ_CLOCK_*. */
	struct waits_clock clocks[IOQ_CLOCK_COUNT];
	/** The wake-up. */
	int wake_fd;
	/** Descriptors that are polled. */
	uint32_t polls;
	/** When the owner wants a turn for reasons of its own, by the monotonic clock. */
	int64_t remind_at;
	/** Entries that are complete. */
	struct entry *done;
	/** Where the next of them goes. */
	struct entry **done_tail;
	/** Entries to be tried again. */
	struct entry *again;
	/** Where the next of them goes. */
	struct entry **again_tail;
	/** Entries that are tried from time to time. */
	uint32_t retried;
	/** Those that wait for locks. */
	struct locks locks;
	/** What tells of locks that were released. */
	struct bell bell;
};

/**
 * Begin, with nothing waiting.
 *
 * @param wake_fd
 *         An eventfd that ends a park as well.
 * @return 0 or -errno.
 */
int waits_open(struct waits *waits, int wake_fd);

/** Release everything. What waits is forgotten. */
void waits_close(struct waits *waits);

/** Have a TIMEOUT or a POLL wait; it completes at once if it cannot. */
void waits_begin(struct waits *waits, struct entry *entry);

/** Complete an entry that need not wait. */
void waits_complete(struct waits *waits, struct entry *entry, int32_t result);

/** Complete an entry that waits, with -EINTR. */
void waits_cancel(struct waits *waits, struct entry *entry);

/** Have an entry wait that was tried in vain. It completes at once if it cannot. */
void waits_add(struct waits *waits, struct entry *entry);

/** The next entry that is to be tried again, or NULL. */
struct entry *waits_again(struct waits *waits);

/** An entry is over: whoever waits for the same lock is next. Any entry is fine. */
void waits_leave(struct waits *waits, struct entry *entry);

/** The next entry that is complete, or NULL. */
struct entry *waits_reap(struct waits *waits);

/**
 * Have the park end when the next entry is due.
 *
 * @return false if one is due already.
 */
bool waits_arm(struct waits *waits);

#endif // IOQ_WAITS_H
