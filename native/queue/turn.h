// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue
 * =========
 *
 *             turn in                                turn out
 *     JavaScript ──▶ entry ──▶ ring ──────────────────▶ completion ──▶ JavaScript
 *                      │                                   ▲
 *                      ├─────▶ pending ▶ lanes ▶ ready ────┤
 *                      └─────▶ time, readiness, messages ──┘
 *
 * What has to wait for somebody else (a lock, a pipe, the other end of a FIFO) holds
 * no lane: a lane tries it without waiting, and what was tried in vain waits beside
 * time and readiness until it is tried again.
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
 *     open.c          ioq_open(), ioq_close(), ioq_resize()
 *     transfer.c      bytes that are staged before a turn, and taken after one
 *     turn.c          ioq_turn(): what follows, in its order
 *     accept.c            a request becomes an entry (entry.h)
 *     dispatch.c          the entry goes to whom it runs with: ring/ring.c, lanes/lane.c,
 *                         waits/waits.c, waits/receivers.c, post.c, or it runs here and
 *                         now, calls/perform.c; what must not wait, calls/attempt.c
 *     cancel.c            what is no longer wanted, wherever it is
 *     complete.c          a complete entry becomes a completion
 *     park.c          ioq_park(), ioq_wake(): waiting for the next one
 *     descriptors.c   who closes what was opened, if its thread ends
 *     library.c       the memory that the library itself is in
 *     thread_exit.c   the owner's thread ends without having closed the queue
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

#ifndef IOQ_TURN_H
#define IOQ_TURN_H

#include "calls/calls.h"
#include "lanes/caller.h"
#include "lanes/lane.h"
#include "queue/descriptors.h"
#include "queue/memory.h"
#include "queue/ranges.h"
#include "ring/ring.h"
#include "waits/receivers.h"
#include "waits/waits.h"

/** How ioq_park() and the queue stand to each other. */
enum park_state {
	/** Nobody is in there, nor will be before a turn says so. */
	PARK_OVER,
	/** A turn said that it may be called, and it was not yet. */
	PARK_DUE,
	/** It is running. */
	PARK_RUNS,
	/** Its thread has ended before the call came, and takes the queue down. */
	PARK_ENDS,
	/** The queue is gone; what is left of it goes with the call, if that comes. */
	PARK_ORPHANED,
};

struct ioq {
	/** The entries. */
	struct arena arena;
	/** Accepted requests whose completion was not handed out. */
	uint32_t in_flight;
	/** Bit n: operation n goes to the ring. */
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
	/** The slot from which on those are looked for. */
	uint32_t owed_from;
	/** What becomes of requests that have to wait: an entry_patience. */
	uint8_t patience;
	/** Which source of completions a turn begins with. */
	uint8_t first_source;
	/** Transfers that are left for the next turn: those before were enough for one. */
	struct entry *held_back;
	/** Where the next of them goes. */
	struct entry **held_back_tail;
	/** Written to by lanes, the ring and ioq_wake(): what ioq_park() polls. */
	int wake_fd;
	/** A reference to this library, or NULL. */
	void *library;
	/** Buffers for transfers. */
	struct pool pool;
	/** The ring of the owner's thread. */
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
	/** Writes that are done without a turn. */
	struct cached_writes writes;
	/** Memory that JavaScript sees: REGIONS_MAX of them, once there is any. */
	struct region *regions;
	/** Messages from other queues, once anyone asked for our id. */
	struct mailbox *mailbox;
	/** What waits for a message. */
	struct receivers receivers;
	/** A park_state. */
	atomic_int park_state;
	/** Who owns what it opens. */
	owner_id owner;
	/** Whether that is another thread's queue. */
	bool runs_for_other;
	/** The next queue of its thread, see queue/thread_exit.c; or of those that are gone, queue/park.c. */
	struct ioq *next_of_thread;
};

// complete.c

/** Bytes that a turn hands out to be taken, at the most: they are copied once more. */
#define HELD_LENGTH_SUM_MAX (1024 * 1024)

/** What a turn has to write to. */
struct turn_out {
	/** The block. */
	struct ioq_turn *turn;
	/** The output, or NULL if this turn hands nothing out. */
	uint8_t *output;
	/** Bytes of the output that are used. */
	uint32_t used;
	/** Bytes that this turn handed out to be taken. */
	size_t held_length;
};

/** Whether a turn can take another completion. */
static inline bool complete_has_room(const struct turn_out *out) {
	return out->turn->completion_count < IOQ_TURN_COMPLETIONS && out->held_length < HELD_LENGTH_SUM_MAX;
}

/** Write a completion without a payload. */
static inline struct ioq_completion *complete_slot(struct turn_out *out, uint32_t slot, int32_t result, uint8_t lane) {
	struct ioq_completion *completion = &out->turn->completions[out->turn->completion_count++];
	*completion = (struct ioq_completion) {
		.slot = slot,
		.result = result,
		.lane = lane,
	};
	return completion;
}

/** Hand out an entry that is complete. There must be room for a completion. */
void complete_entry(struct ioq *ioq, struct turn_out *out, struct entry *entry);

// dispatch.c

/** What a turn gathers while it takes requests. */
struct turn_in {
	/** What it has to write to, if one completes at once. */
	struct turn_out *out;
	/** Bit n: operation n goes to the ring in this turn. */
	ioq_ops ring_ops;
	/** Bytes of transfers that run within this turn so far. */
	size_t inline_length;
	/** The descriptor that was looked at last, and whether its transfers bypass the cache. */
	int looked_at;
	bool is_direct;
	/** Direct transfers that were prepared and not submitted. */
	uint32_t direct;
	/** How many entries are on their way to the lanes. */
	size_t batch_count;
	/** Those. */
	struct entry *batch[IOQ_TURN_REQUESTS];
};

/** Begin a turn's taking of requests. */
void dispatch_begin(const struct ioq *ioq, struct turn_in *in, struct turn_out *out);

/** Give an entry to the ring, if it has room. */
bool dispatch_to_ring(struct ioq *ioq, struct turn_in *in, struct entry *entry);

/** Give an entry to whoever does without the ring. */
void dispatch_elsewhere(struct ioq *ioq, struct turn_in *in, struct entry *entry);

/**
 * The ring is of no more use: what the kernel never saw goes elsewhere, what it has
 * fails, and the queue lives on without a ring.
 */
void dispatch_lose_ring(struct ioq *ioq, struct turn_in *in, int error);

/** Give what earlier turns had no time for to the ring. */
void dispatch_held_back(struct ioq *ioq, struct turn_in *in);

/** See to an entry that somebody gave back: it is complete, or not yet. */
void dispatch_returned(struct ioq *ioq, struct turn_in *in, struct entry *entry);

/** Have entries that were tried in vain be tried again, if it is time. */
void dispatch_again(struct ioq *ioq, struct turn_in *in);

/** Send what is on its way to the lanes on. */
void dispatch_flush(struct ioq *ioq, struct turn_in *in);

// accept.c

/** Take one request: complete it right away, or dispatch its entry. */
void accept_request(struct ioq *ioq, struct turn_in *in, const struct ioq_request *request, const uint8_t *input);

// cancel.c

/** Prepare the cancellations that the ring had no room for. Another one does no harm. */
void cancel_owed(struct ioq *ioq);

/** Interrupt lanes whose entries were cancelled, as long as there are any. */
void cancel_interrupt(struct ioq *ioq);

// park.c

/** Prepare what ioq_park() waits for. Returns whether it may be called. */
bool park_arm(struct ioq *ioq);

/** Whether no call is parked, nor may be yet. */
bool park_is_over(const struct ioq *ioq);

/** Have a call that was to come find nobody. Returns whether it has not come so far. */
bool park_end(struct ioq *ioq);

/** The queue is gone. Returns whether the rest is the caller's to free, or the call's. */
bool park_orphan(struct ioq *ioq);

// post.c

/** Post a message to another queue, or to this one. Returns 0 or -errno. */
int post(uint32_t target, uint64_t message);

// transfer.c

/**
 * Give an entry a buffer of its own.
 *
 * @return 0 or -ENOMEM.
 */
int transfer_take_buffer(struct ioq *ioq, struct entry *entry, uint32_t length);

/**
 * Have an entry go by the region that its arguments name.
 *
 * @return 0 or -EINVAL.
 */
int transfer_take_region(struct ioq *ioq, struct entry *entry);

/** Release what an entry holds, its buffer to the pool if it is from there. */
void transfer_release(struct ioq *ioq, struct entry *entry);

// open.c

/** Release all that a queue holds, opened in whole or in part; nothing is in flight. */
void queue_release(struct ioq *ioq);

// library.c

/** A reference to the library that this code is in, or NULL. */
void *library_hold(void);

/** Close the descriptor of the memory that this was loaded from, if there is one. */
void library_close_memory(void);

// thread_exit.c

/** Have a queue ended if the calling thread ends before thread_exit_remove(). */
void thread_exit_add(struct ioq *ioq);

/** It is closed in good order. For the thread that added it. */
void thread_exit_remove(struct ioq *ioq);

#endif // IOQ_TURN_H
