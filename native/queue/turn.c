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

/** Take what JavaScript has brought, and send it on its way. */
static void turn_accept(struct ioq *ioq, struct turn_in *in, struct turn_out *out, const uint8_t *input) {
	struct ioq_turn *turn = out->turn;
	dispatch_begin(ioq, in, out);
	for (uint32_t i = 0; i < turn->request_count; ++i) {
		accept_request(ioq, in, &turn->requests[i], input);
	}
	turn->request_count = 0;

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

/**
 * Whether a ring says something of a transfer that may not be so. A file that is made on
 * the fly may be told as empty, and io_uring does not even ask for more of that; and a
 * write that falls short may be told as an error. The same transfer may be done again: it is at an
 * offset, and the first one has moved nothing.
 */
static bool turn_doubts(struct entry *entry) {
	if (entry->lane != IOQ_LANE_RING || !entry->positional || entry_is_cancelled(entry)) {
		return false;
	}
	if (entry->op == IOQ_OP_READ) {
		return entry->result == 0 && entry->length > 0 && position_may_have_more(entry->fd, entry->offset);
	}
	bool falls_short = entry->result == -EIO || entry->result == -ENOSPC || entry->result == -EDQUOT;
	return entry->op == IOQ_OP_WRITE && falls_short && position_takes_back_writes(entry->fd);
}

/** Hand out completions while there are any and there is room. */
static void turn_reap(struct ioq *ioq, struct turn_in *in, struct turn_out *out) {
	struct entry *entry;
	while (complete_has_room(out) && (entry = ring_reap(&ioq->ring))) {
		if (turn_doubts(entry)) {
			// A system call asks the file system itself
			dispatch_elsewhere(ioq, in, entry);
		} else {
			complete_entry(ioq, out, entry);
		}
	}
	dispatch_flush(ioq, in);
	while (ioq->lanes && complete_has_room(out) && (entry = lanes_reap(ioq->lanes))) {
		complete_entry(ioq, out, entry);
	}
	while (complete_has_room(out) && (entry = waits_reap(&ioq->waits))) {
		complete_entry(ioq, out, entry);
	}
	while (complete_has_room(out) && (entry = receivers_reap(&ioq->receivers, ioq->mailbox))) {
		complete_entry(ioq, out, entry);
	}
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
	struct turn_out out = {.turn = turn, .output = output};
	struct turn_in in;
	turn_accept(ioq, &in, &out, input);
	turn_reap(ioq, &in, &out);
	if (ioq->lane_cancels > 0 || ioq->waits.remind_at != NEVER) {
		cancel_interrupt(ioq);
	}

	if (turn->completion_count == 0 && (turn->flags & IOQ_TURN_ARM)) {
		turn->armed = park_arm(ioq);
	}
	if (turn->completion_count == 0 && !turn->armed && (turn->flags & IOQ_TURN_YIELD)) {
		// A lane that was woken on this processor waits for us to leave it
		sched_yield();
		turn_reap(ioq, &in, &out);
	}
	turn->in_flight = ioq->in_flight;
	turn->ring_error = (uint32_t)ioq->ring.error;
	return 0;
}
