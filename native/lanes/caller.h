// Copyright 2026 the ioq authors. MIT license.

/**
 * Threads that run their queue's requests themselves, and how another one may
 * interrupt them. See lanes/caller.c.
 */

#ifndef IOQ_CALLER_H
#define IOQ_CALLER_H

#include "queue/descriptors.h"
#include "queue/entry.h"

#include <stdint.h>

struct caller;

/**
 * Have the calling thread found by others.
 *
 * @param owner
 *         For whom it runs operations. When that one has ended, it begins none any more.
 * @return The caller, or NULL if there is no memory.
 */
struct caller *caller_open(owner_id owner);

/** It is gone: nobody finds it any more. NULL is fine. */
void caller_close(struct caller *caller);

/** What others find it by: not 0. */
uint32_t caller_id(const struct caller *caller);

/** A turn begins. */
void caller_turn(struct caller *caller);

/** From now on it is at this entry; NULL: at none. */
void caller_enter(struct caller *caller, struct entry *entry);

/**
 * Cancel what a caller is at, and interrupt it. A signal may come too early to
 * count: to be repeated until the operation is over.
 *
 * @param turn
 *         In which turn of its own, counted from 1: what comes after it is not touched.
 * @return 0, or -ESRCH if it is not at any operation of that turn.
 */
int caller_interrupt(uint32_t id, uint32_t turn);

/** Cancel and interrupt what callers are at for an owner. Returns whether there is anything. */
bool callers_interrupt(owner_id owner);

/** Whether any of them is at an entry that goes by a descriptor. */
bool callers_use(owner_id owner, int fd);

#endif // IOQ_CALLER_H
