// Copyright 2026 the ioq authors. MIT license.

/**
 * Worker lanes: threads that take requests from one queue and put completions
 * into another. See lanes/lane.c.
 */

#ifndef IOQ_LANE_H
#define IOQ_LANE_H

#include "lanes/slots.h"

struct entry;
struct lanes;

/**
 * Make lanes, which start when there is something to do.
 *
 * @param depth
 *         How many requests can be with the lanes at once.
 * @param count
 *         How many lanes there may be.
 * @param wake_fd
 *         An eventfd that is written to when a completion comes that
 *         lanes_arm() was waiting for.
 * @return The lanes, or NULL with errno set.
 */
struct lanes *lanes_start(size_t depth, unsigned int count, int wake_fd);

/** Stop the lanes and release them. Nothing may be with them. NULL is fine. */
void lanes_stop(struct lanes *lanes);

/** How many lanes there can be. */
unsigned int lanes_count(const struct lanes *lanes);

/** Give entries to the lanes. Returns false if there is no lane and none can be started. */
bool lanes_push(struct lanes *lanes, struct entry *const entries[], size_t count);

/** Roughly how many entries wait for a lane. */
size_t lanes_backlog(const struct lanes *lanes);

/** The next entry that a lane has completed, or NULL. For one thread only. */
struct entry *lanes_reap(struct lanes *lanes);

/** The owner has nothing to do: if requests wait, a lane may have its processor. */
void lanes_boost(struct lanes *lanes);

/** Whether the lanes are known to do what is quick: few are enough for that. */
bool lanes_are_quick(const struct lanes *lanes);

/** Whether they are known to do what waits. */
bool lanes_are_slow(const struct lanes *lanes);

/** Whether some lane has descriptors that it will give back. */
bool lanes_hold(const struct lanes *lanes);

/** See slots_arm(). */
bool lanes_arm(struct lanes *lanes);

/**
 * Interrupt the system calls of lanes whose entry was cancelled. To be repeated
 * until those are complete: an interruption may come too early to count.
 */
void lanes_interrupt(struct lanes *lanes);

#endif // IOQ_LANE_H
