// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue
 * =========
 *
 *             turn in                                turn out
 *     JavaScript ──▶ entry ──▶ caller's ring ─────────▶ completion ──▶ JavaScript
 *                      │                                   ▲
 *                      ├─────▶ pending ▶ lanes ▶ ready ────┤
 *                      └─────▶ time, readiness, messages ──┘
 *
 * One thread owns a queue: the JavaScript thread that opened it. It calls
 * ioq_turn(), which takes a batch of requests in, submits, and hands out what
 * completions there are; it never waits. When there is nothing to do but wait,
 * one nonblocking FFI call sits in ioq_park() on a thread of the runtime's, and
 * looks at nothing but an eventfd.
 *
 * Nothing of JavaScript's memory is kept beyond a call: paths and bytes are
 * copied into entries, results out of them.
 *
 * A request's way, and where to read on:
 *
 *     queue/open.c      ioq_open(), ioq_close(), ioq_resize()
 *     queue/transfer.c  bytes that are staged before a turn, and taken after one
 *     queue/turn.c      ioq_turn(): what follows, in its order
 *     queue/accept.c        a request becomes an entry
 *     queue/dispatch.c       the entry goes to whom it runs with: ring/ring.c, lanes/lane.c, waits/waits.c,
 *                   waits/receivers.c, queue/post.c, or it runs here and now, calls/perform.c
 *     queue/cancel.c      what is no longer wanted, wherever it is
 *     queue/complete.c    a complete entry becomes a completion
 *     queue/park.c      ioq_park(), ioq_wake(): waiting for the next one
 *     queue/thread_exit.c    the owner's thread ends without having closed the queue
 *
 * Hazards of this queue's ancestor, and what became of them:
 *
 * - Destroying a queue whose ring or thread failed to start tore down what never
 *   was: every part here is destroyed by its own function, which bears NULL and
 *   "not live".
 * - A slow operation held back a whole batch; an error of submission spun
 *   forever: see ring/ring.c.
 * - A cancelled open was published before its descriptor was closed: see
 *   entry_settle().
 * - A worker kept a popped slot reserved while it waited in its ring: see lanes/lane.c.
 * - Polling pops could outrun the pushes: the owner uses slots_try(), lanes/slots.c.
 * - A blocking pop with everything popped but not freed waited forever: there is
 *   no blocking pop for the owner, and in_flight counts what can still come.
 * - size and batches were shared by accident: only the owner touches them; what
 *   runs beside it, ioq_park(), reads one constant.
 * - STOP could block its sender: the queue has room for it, lanes/lane.c.
 * - Borrowed paths and directory descriptors: paths are copied. A descriptor a
 *   path is relative to must stay open until the completion; that is documented.
 * - A result buffer was left unwritten on cancel: a completion has a payload
 *   only if its result is not an error.
 * - No lanes made every wait hang: a queue without a lane does not open.
 */

#ifndef IOQ_QUEUE_H
#define IOQ_QUEUE_H

#include "queue/arena.h"
#include "lanes/caller.h"
#include "calls/directory.h"
#include "lanes/lane.h"
#include "queue/owned.h"
#include "queue/pool.h"
#include "waits/receivers.h"
#include "queue/region.h"
#include "ring/ring.h"
#include "waits/waits.h"

struct ioq {
	/** The entries. */
	struct arena arena;
	/** Accepted requests whose completion was not handed out. */
	uint32_t in_flight;
	/** Bit n: operation n goes to the caller's ring. */
	ioq_ops ring_ops;
	/** Bit n: only if the lanes have enough to do. */
	ioq_ops overflow_ops;
	/** Worker lanes that were asked for. */
	uint32_t lane_count;
	/** Whether the ring takes raw SQEs. */
	bool raw_sqes;
	/** Whether all that comes is cancelled. */
	bool cancelled;
	/** Whether the ring had no room for some cancellation. */
	bool cancels_owed;
	/** Written to by lanes, the ring and ioq_wake(): what ioq_park() polls. */
	int wake_fd;
	/** A reference to this library, or NULL. */
	void *library;
	/** Buffers for transfers. */
	struct pool pool;
	/** The caller's ring. */
	struct ring ring;
	/** The worker lanes, or NULL: turns run all requests themselves. */
	struct lanes *lanes;
	/** What those turns need. */
	struct scratch scratch;
	/** By what other threads interrupt those turns, or NULL. */
	struct caller *caller;
	/** Cancelled entries that are with the lanes. */
	uint32_t lane_cancels;
	/** When to interrupt the lanes that are at them, by the monotonic clock. */
	int64_t interrupt_at;
	/** How long after the last time, in nanoseconds. */
	int64_t interrupt_after;
	/** What waits without a lane. */
	struct waits waits;
	/** Memory that JavaScript sees: REGIONS_MAX of them, once there is any. */
	struct region *regions;
	/** Messages from other queues, once anyone asked for our id. */
	struct mailbox *mailbox;
	/** What waits for a message. */
	struct receivers receivers;
	/** Whether a turn said that ioq_park() may be called, and it was not yet. */
	atomic_bool park_due;
	/** Whether ioq_park() is running. */
	atomic_bool parked;
	/** For when our thread ends. */
	struct ioq_owned owned;
};

/** Release all of a queue in which nothing is in flight, opened in whole or in part. */
void queue_free(struct ioq *ioq);

#endif // IOQ_QUEUE_H
