// Copyright 2026 the ioq authors. MIT license.

/**
 * An io_uring that belongs to one thread. See ring/ring.c.
 */

#ifndef IOQ_RING_H
#define IOQ_RING_H

#include "queue/entry.h"

#include <liburing.h>

struct ioq_ring {
	/** Whether there is a ring; nothing else counts if not. */
	bool live;
	/** Why there is none (any more): an errno, or 0. */
	int error;
	/** IORING_SETUP_* that the kernel accepted. */
	uint32_t setup_flags;
	/** Bit n: the kernel has io_uring opcode n. */
	uint64_t opcodes;
	/** Bit n: operation n can run here. */
	ioq_ops ops;
	/** Whether regions can be registered: a table for them is. */
	bool fixed;
	/** Whether timeouts may choose their clock. */
	bool clocks;
	/** Whether an operation can be linked with a timeout. */
	bool link_timeouts;
	/** Whether the kernel refuses all other opcodes. */
	bool restricted;
	/** Whether completions write to the eventfd. */
	bool armed;
	/** Submissions in a row that got nowhere. */
	uint32_t failures;
	/** Entries that came back and were not yet asked for. */
	struct ioq_entry *done;
	/** Where the next of them goes. */
	struct ioq_entry **done_tail;
	/** Where messages from other rings go, or NULL. */
	struct ioq_mailbox *mailbox;
	/** liburing's own. */
	struct io_uring uring;
};

/**
 * Set up a ring for the calling thread, which alone may use it from now on.
 *
 * @param wake_fd
 *         An eventfd for ring_arm(), or -1.
 * @param raw
 *         Whether it takes raw SQEs, and so must not be restricted.
 * @return 0, or -errno with `ring->live` false and `ring->error` set.
 */
int ring_open(struct ioq_ring *ring, uint32_t sq_entries, uint32_t cq_entries, int wake_fd, bool raw);

/** Tear a ring down. One that is not live is fine. */
void ring_close(struct ioq_ring *ring);

/** Whether an entry whose operation can run here can do so itself. */
static inline bool ring_takes(const struct ioq_ring *ring, const struct ioq_entry *entry) {
	switch (entry->op) {
	case IOQ_OP_OPEN:
		// To look where a path leads takes several calls, see calls/guard.h
		return !entry->guarded;
	case IOQ_OP_TIMEOUT:
		return ring->clocks || ioq_entry_clock(entry) == IOQ_CLOCK_MONOTONIC;
	case IOQ_OP_GET_XATTR:
	case IOQ_OP_SET_XATTR:
		// Neither relative to a directory nor of a link itself
		return entry->flags == 0 && (entry->fd == AT_FDCWD || !entry->path[0] || entry->path[0] == '/');
	default:
		return true;
	}
}

/**
 * Prepare an entry for submission, making room in the queue if need be.
 *
 * @return false if there is no room: run it elsewhere.
 */
bool ring_prepare(struct ioq_ring *ring, struct ioq_entry *entry);

/** Register a region, so that the kernel need not look up its pages each time. */
void ring_register(struct ioq_ring *ring, struct ioq_region *region);

/** Forget one. What is in flight is not affected. */
void ring_unregister(struct ioq_ring *ring, struct ioq_region *region);

/** Prepare a request to cancel an entry that is in flight. As ring_prepare(). */
bool ring_prepare_cancel(struct ioq_ring *ring, struct ioq_entry *entry);

/**
 * Submit what was prepared and let the kernel do its bookkeeping.
 *
 * @return 0 or, if the ring is of no more use, -errno.
 */
int ring_submit(struct ioq_ring *ring);

/**
 * The next entry that is complete, or NULL. Enters the kernel only if it says
 * that there is something to fetch.
 */
struct ioq_entry *ring_reap(struct ioq_ring *ring);

/**
 * Have the next completion write to the eventfd, until ring_disarm().
 *
 * @return false if there is something to reap or to submit already.
 */
bool ring_arm(struct ioq_ring *ring);

/** Spare the kernel the eventfd while nobody waits for it. */
void ring_disarm(struct ioq_ring *ring);

/**
 * Give up a ring that ring_submit() failed on.
 *
 * @param unsubmitted
 *         Receives the entries that the kernel never saw, as a list.
 */
void ring_die(struct ioq_ring *ring, int error, struct ioq_entry **unsubmitted);

#endif // IOQ_RING_H
