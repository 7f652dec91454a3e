// Copyright 2026 the ioq authors. MIT license.

/**
 * The turn
 * ========
 *
 * The one call that JavaScript makes while a queue works, with requests in a block
 * of memory and completions in the same block when it returns:
 *
 *     take all requests ──▶ submit ──▶ push to the lanes ──▶ hand out what is complete
 *                                                                │ nothing?
 *                                                                └──▶ arm, or yield
 *
 * Ring, lanes, waits and messages take turns in what is handed out: however much one
 * of them has, what another has completed is told by this turn or the next.
 *
 * A device that idles while JavaScript answers what it completed is given what there is
 * by a turn that ends after the first half (IOQ_TURN_SUBMIT).
 *
 * All that a batch costs is paid once: one call out of JavaScript, one
 * io_uring_enter(2), one push to the lanes.
 */

#include "queue/turn.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>

static_assert(sizeof(struct ioq_request) == 64, "a request is a cache line");
static_assert(sizeof(struct ioq_completion) == 32, "a completion is half of one");
static_assert(IOQ_OP_COUNT <= 64, "a set of operations is a word");

/** Who completes requests. */
enum source {
	SOURCE_RING,
	SOURCE_LANES,
	SOURCE_WAITS,
	SOURCE_RECEIVERS,
	SOURCE_COUNT,
};

/** Completions that each source may hand out before the others had their turn. */
#define SHARE (IOQ_TURN_COMPLETIONS / SOURCE_COUNT)
/** Bytes to be taken that it may. */
#define SHARE_LENGTH (HELD_LENGTH_SUM_MAX / SOURCE_COUNT)

/** Take what JavaScript has brought, and send it on its way. */
static void turn_accept(struct ioq *ioq, struct turn_in *in, const uint8_t *input) {
	struct ioq_turn *turn = in->out->turn;
	dispatch_held_back(ioq, in);
	for (uint32_t i = 0; i < turn->request_count; ++i) {
		accept_request(ioq, in, &turn->requests[i], input);
	}
	turn->request_count = 0;

	if (ioq->ring.live) {
		ring_expect(&ioq->ring, ioq->lanes && lanes_are_slow(ioq->lanes));
		ring_prepare_again(&ioq->ring);
	}
	if (ioq->cancels_owed) {
		cancel_owed(ioq);
	}
	if (ioq->ring.live && io_uring_sq_ready(&ioq->ring.uring) > 0) {
		int ret = ring_submit(&ioq->ring);
		if (ret < 0) {
			dispatch_lose_ring(ioq, in, -ret);
		}
	}
	dispatch_flush(ioq, in);
}

/** The next entry that a source gives back, or NULL. */
static struct entry *turn_next(struct ioq *ioq, enum source source) {
	switch (source) {
	case SOURCE_RING:
		return ring_reap(&ioq->ring);
	case SOURCE_LANES:
		return ioq->lanes ? lanes_reap(ioq->lanes) : NULL;
	case SOURCE_WAITS:
		return waits_reap(&ioq->waits);
	default:
		return receivers_reap(&ioq->receivers, ioq->mailbox);
	}
}

/**
 * Hand out completions while there are any and there is room. First each source has
 * its share, so that none keeps the others waiting; what room is left is for all.
 */
static void turn_reap(struct ioq *ioq, struct turn_in *in) {
	struct turn_out *out = in->out;
	struct ioq_turn *turn = out->turn;
	bool more[SOURCE_COUNT] = {false};
	for (unsigned int i = 0; i < SOURCE_COUNT; ++i) {
		enum source source = (ioq->first_source + i) % SOURCE_COUNT;
		size_t length = out->held_length;
		more[source] = true;
		// What goes elsewhere, or waits on, counts as well: this ends
		for (uint32_t given = 0; given < SHARE && more[source]; ++given) {
			if (turn->completion_count == IOQ_TURN_COMPLETIONS
					|| (given > 0 && out->held_length - length >= SHARE_LENGTH)) {
				break;
			}
			struct entry *entry = turn_next(ioq, source);
			more[source] = entry;
			if (entry) {
				dispatch_returned(ioq, in, entry);
			}
		}
	}
	for (unsigned int i = 0; i < SOURCE_COUNT; ++i) {
		enum source source = (ioq->first_source + i) % SOURCE_COUNT;
		for (uint32_t given = 0; given < IOQ_TURN_COMPLETIONS && more[source] && complete_has_room(out); ++given) {
			struct entry *entry = turn_next(ioq, source);
			more[source] = entry;
			if (entry) {
				dispatch_returned(ioq, in, entry);
			}
		}
	}
	ioq->first_source = (ioq->first_source + 1) % SOURCE_COUNT;
	dispatch_again(ioq, in);
	dispatch_flush(ioq, in);
}

int32_t ioq_turn(struct ioq *ioq, struct ioq_turn *turn, const uint8_t *input, uint8_t *output) {
	turn->completion_count = 0;
	turn->in_flight = ioq->in_flight;
	turn->armed = 0;
	if (turn->request_count > IOQ_TURN_REQUESTS
			|| turn->output_length < IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat)
			|| ((uintptr_t)output & 7) != 0) {
		return -EINVAL;
	}

	if (ioq->caller) {
		caller_turn(ioq->caller);
	}
	if (ioq->ring.live) {
		ring_disarm(&ioq->ring);
	}
	bool submits = turn->flags & IOQ_TURN_SUBMIT;
	struct turn_out out = {.turn = turn, .output = submits ? NULL : output};
	struct turn_in in;
	dispatch_begin(ioq, &in, &out);
	turn_accept(ioq, &in, input);
	if (submits) {
		turn->in_flight = ioq->in_flight;
		return 0;
	}
	turn_reap(ioq, &in);
	if (ioq->lane_cancels > 0 || ioq->waits.remind_at != NEVER) {
		cancel_interrupt(ioq);
	}

	if (turn->completion_count == 0 && (turn->flags & IOQ_TURN_ARM)) {
		turn->armed = park_arm(ioq);
	}
	if (turn->completion_count == 0 && !turn->armed && (turn->flags & IOQ_TURN_YIELD)) {
		// A lane that was woken on this processor waits for us to leave it
		sched_yield();
		turn_reap(ioq, &in);
	}
	turn->in_flight = ioq->in_flight;
	turn->ring_error = (uint32_t)ioq->ring.error;
	return 0;
}
