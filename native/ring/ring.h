// Copyright 2026 the ioq authors. MIT license.

/**
 * The io_uring of a queue. See ring/ring.c.
 */

#ifndef IOQ_RING_H
#define IOQ_RING_H

#include "queue/memory.h"

#include <liburing.h>

struct ring {
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
	struct entry *done;
	/** Where the next of them goes. */
	struct entry **done_tail;
	/** Entries that were interrupted, and had no room to be prepared again. */
	struct entry *again;
	/** Whether the kernel may have many threads for what is slow. */
	bool many_workers;
	/** Turns so far. */
	uint32_t turns;
	/** Closes in a row that a thread of the kernel's did. */
	uint32_t slow_closes;
	/** Closes that went elsewhere because of that. */
	uint32_t closes_elsewhere;
	/** Whether opens can keep to what is cached. */
	bool cached_opens;
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
int ring_open(struct ring *ring, uint32_t sq_entries, uint32_t cq_entries, int wake_fd, bool raw);

/** Tear a ring down. One that is not live is fine. */
void ring_close(struct ring *ring);

/** Whether an entry whose operation can run here can do so itself. */
bool ring_takes(struct ring *ring, const struct entry *entry);

/**
 * Prepare an entry for submission, making room in the queue if need be.
 *
 * @return false if there is no room: run it elsewhere.
 */
bool ring_prepare(struct ring *ring, struct entry *entry);

/**
 * Prepare an entry with ranges, each as a read of its own.
 *
 * @param at_once
 *         Submit so many at a time, or 0: all with the turn.
 * @return false if there is no room for any.
 */
bool ring_prepare_ranges(struct ring *ring, struct entry *entry, unsigned int at_once);

/** Submit what was prepared, without looking at what is complete. */
void ring_hurry(struct ring *ring);

/** Say whether what is asked for is slow: then the kernel may have more threads. */
void ring_expect(struct ring *ring, bool slow);

/** Prepare what had no room before, as far as there is some. */
void ring_prepare_again(struct ring *ring);

/** Register a region, so that the kernel need not look up its pages each time. */
void ring_register(struct ring *ring, struct region *region);

/** Forget one. What is in flight is not affected. */
void ring_unregister(struct ring *ring, struct region *region);

/** Prepare a request to cancel an entry that is in flight. As ring_prepare(). */
bool ring_prepare_cancel(struct ring *ring, struct entry *entry);

/**
 * Submit what was prepared and let the kernel do its bookkeeping.
 *
 * @return 0 or, if the ring is of no more use, -errno.
 */
int ring_submit(struct ring *ring);

/**
 * The next entry that is complete, or NULL. Enters the kernel only if it says
 * that there is something to fetch.
 */
struct entry *ring_reap(struct ring *ring);

/**
 * Have the next completion write to the eventfd, until ring_disarm().
 *
 * @return false if there is something to reap or to submit already.
 */
bool ring_arm(struct ring *ring);

/** A turn begins: spare the kernel the eventfd while nobody waits for it. */
void ring_disarm(struct ring *ring);

/**
 * Give up a ring that ring_submit() failed on.
 *
 * @param unsubmitted
 *         Receives the entries that the kernel never saw, as a list.
 */
void ring_die(struct ring *ring, int error, struct entry **unsubmitted);

// sqe.c

/** user_data of what is not an entry. */
#define NOT_AN_ENTRY 0
/**
 * Write an entry as an SQE, with the entry as its user_data.
 *
 * @param fixed
 *         Whether the ring knows regions by their index.
 */
void sqe_write(struct io_uring_sqe *sqe, struct entry *entry, bool fixed);

/** Write the timeout that the SQE before it is linked with. */
void sqe_write_link_timeout(struct io_uring_sqe *sqe, struct entry *entry);

// restrict.c

/**
 * Find out which opcodes the kernel has, as bit n.
 *
 * @return 0 or -errno: -ENOSYS if they are too few to be of use.
 */
int ring_probe(struct io_uring *uring, uint64_t *opcodes);

/**
 * Have the kernel refuse every opcode but ours, whoever gets hold of the ring, which
 * was not enabled yet. Returns whether it will.
 */
bool ring_restrict(struct io_uring *uring, uint64_t opcodes);

// opens.c

/** Whether a ring opens a file without a thread of the kernel's, which may have to wait. */
bool ring_open_takes(const struct entry *entry);

/** Say how to open a file: anyhow, or only with what is cached of its path. */
void ring_open_how(struct entry *entry, bool cached);

/**
 * Look at what the ring opened, or did not.
 *
 * @return Whether it is for others to open it, or to wait for its other end.
 */
bool ring_open_leaves(struct entry *entry);

#endif // IOQ_RING_H
