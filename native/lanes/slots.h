// Copyright 2026 the ioq authors. MIT license.

/**
 * An MPMC queue of slots, after the one in bfs. See lanes/slots.c for the idea.
 */

#ifndef IOQ_IOQQ_H
#define IOQ_IOQQ_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** False sharing is avoided at this granularity, in bytes. */
#define IOQ_CACHE_LINE 64
/** Items that one batch carries: the slots of one cache line. */
#define IOQQ_BATCH (IOQ_CACHE_LINE / sizeof(uintptr_t))
/** Items must be aligned to this, because slots keep tags in the low bits. */
#define IOQQ_ALIGN 4

/** A slot, see lanes/slots.c. */
typedef _Atomic uintptr_t ioqq_slot;

struct ioqq_monitor;

struct ioqq {
	/** Number of slots, minus one. */
	size_t mask;
	/** Number of monitors, minus one. */
	size_t monitor_mask;
	/** What waiters sleep on. */
	struct ioqq_monitor *monitors;
	/** Written to when somebody waits by ioqq_arm(), or -1. */
	int wake_fd;
	/** Next index to be pushed to. */
	alignas(IOQ_CACHE_LINE) _Atomic size_t head;
	/** Next index to be popped from. */
	alignas(IOQ_CACHE_LINE) _Atomic size_t tail;
	/** The slots. */
	alignas(IOQ_CACHE_LINE) ioqq_slot slots[];
};

/**
 * Create a queue.
 *
 * @param size
 *         How many items it must hold without a push having to wait.
 * @param wake_fd
 *         An eventfd for ioqq_arm(), or -1.
 * @return The queue, or NULL with errno set.
 */
struct ioqq *ioqq_create(size_t size, int wake_fd);

/** Destroy a queue that nobody uses any more. NULL is fine. */
void ioqq_destroy(struct ioqq *ioqq);

/** Push an item. Waits only while its slot is still being emptied. */
void ioqq_push(struct ioqq *ioqq, void *item);

/** Push several items with one claim. Their order is kept. */
void ioqq_push_batch(struct ioqq *ioqq, void *const items[], size_t count);

/**
 * Pop an item.
 *
 * @param block
 *         Whether to wait for one. Without, and with nothing there, the claimed
 *         slot is marked to be skipped, so do not poll with this: see ioqq_try().
 * @return The item, or NULL.
 */
void *ioqq_pop(struct ioqq *ioqq, bool block);

/** Roughly how many items there are: a hint for the size of a batch. */
size_t ioqq_count(const struct ioqq *ioqq);

/**
 * Pop an item, for a queue with a single consumer: it never waits, and takes no
 * claim that it cannot keep, so it may be called as often as one likes. Not to
 * be mixed with the other pops.
 */
void *ioqq_try(struct ioqq *ioqq);

/**
 * Have the next push that a single consumer waits for write to `wake_fd`.
 *
 * @return false if there is an item already.
 */
bool ioqq_arm(struct ioqq *ioqq);

#endif // IOQ_IOQQ_H
