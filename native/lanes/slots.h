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
#define CACHE_LINE 64
/** Items that one batch carries: the slots of one cache line. */
#define SLOTS_PER_LINE (CACHE_LINE / sizeof(uintptr_t))
/** Items must be aligned to this, because slots keep tags in the low bits. */
#define SLOTS_ALIGN 4

/** A slot, see lanes/slots.c. */
typedef _Atomic uintptr_t slots_word;

struct slots_monitor;

struct slots {
	/** Number of slots, minus one. */
	size_t mask;
	/** Number of monitors, minus one. */
	size_t monitor_mask;
	/** What waiters sleep on. */
	struct slots_monitor *monitors;
	/** Written to when somebody waits by slots_arm(), or -1. */
	int wake_fd;
	/** Next index to be pushed to. */
	alignas(CACHE_LINE) _Atomic size_t head;
	/** Next index to be popped from. */
	alignas(CACHE_LINE) _Atomic size_t tail;
	/** The slots. */
	alignas(CACHE_LINE) slots_word words[];
};

/**
 * Create a queue.
 *
 * @param size
 *         How many items it must hold without a push having to wait.
 * @param wake_fd
 *         An eventfd for slots_arm(), or -1.
 * @return The queue, or NULL with errno set.
 */
struct slots *slots_create(size_t size, int wake_fd);

/** Destroy a queue that nobody uses any more. NULL is fine. */
void slots_destroy(struct slots *slots);

/** Push an item. Waits only while its slot is still being emptied. */
void slots_push(struct slots *slots, void *item);

/** Push several items with one claim. Their order is kept. */
void slots_push_batch(struct slots *slots, void *const items[], size_t count);

/**
 * Pop an item.
 *
 * @param block
 *         Whether to wait for one. Without, and with nothing there, the claimed
 *         slot is marked to be skipped, so do not poll with this: see slots_try().
 * @return The item, or NULL.
 */
void *slots_pop(struct slots *slots, bool block);

/** Roughly how many items there are: a hint for the size of a batch. */
size_t slots_count(const struct slots *slots);

/**
 * Pop an item, for a queue with a single consumer: it never waits, and takes no
 * claim that it cannot keep, so it may be called as often as one likes. Not to
 * be mixed with the other pops.
 */
void *slots_try(struct slots *slots);

/**
 * Have the next push that a single consumer waits for write to `wake_fd`.
 *
 * @return false if there is an item already.
 */
bool slots_arm(struct slots *slots);

#endif // IOQ_IOQQ_H
