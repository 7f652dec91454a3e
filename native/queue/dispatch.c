// Copyright 2026 the ioq authors. MIT license.

/**
 * Dispatching
 * ===========
 *
 * With whom an entry runs is decided once, as it comes in:
 *
 *                     ┌─▶ ring            what it has an opcode for, and has room for
 *     entry ──▶ turn ─┼─▶ waits           time and readiness: no lane is to sleep
 *                     ├─▶ receivers       messages
 *                     ├─▶ lanes           all else, in one batch per turn
 *                     └─▶ here and now    instead of the lanes, if there are none
 *
 * Should the ring die, what the kernel never saw of it is dispatched once more.
 */

#include "queue/turn.h"

/**
 * Bytes of the largest transfer that may run within a turn. What is cached is
 * copied at about 10 GB/s by whoever asks for it: 128 KiB hold the owner up for
 * 15 µs, and to have a thread of the kernel's do it costs as much.
 */
#define INLINE_LENGTH_MAX (128 * 1024)
/** Bytes of all transfers that may run within a turn: a quarter of a millisecond. */
#define INLINE_LENGTH_SUM_MAX (2 * 1024 * 1024)

/**
 * Which operations go to the ring in this turn.
 *
 * Some are cheaper on a lane, but a backlog there says that more is wanted than
 * the lanes can do, or that they are held up, and the ring has threads as well.
 * Decided for a turn as a whole: a few requests now and then would wake those
 * threads each time, which costs more than it brings.
 */
static ioq_ops dispatch_ring_ops(const struct ioq *ioq, const struct ioq_turn *turn) {
	bool overflow = ioq->overflow_ops != 0 && ioq->lanes
		&& lanes_backlog(ioq->lanes) + turn->request_count > IOQ_BACKLOG;
	return overflow ? ioq->ring_ops : ioq->ring_ops & ~ioq->overflow_ops;
}

void dispatch_begin(const struct ioq *ioq, struct turn_in *in, struct turn_out *out) {
	in->out = out;
	in->ring_ops = dispatch_ring_ops(ioq, out->turn);
	in->inline_length = 0;
	in->batch_count = 0;
}

/** Whether a transfer would hold the owner up, were it run within this turn. */
static bool is_too_long(struct turn_in *in, const struct entry *entry) {
	if (entry->op != IOQ_OP_READ && entry->op != IOQ_OP_WRITE) {
		return false;
	}
	if (entry->length > INLINE_LENGTH_MAX || in->inline_length > INLINE_LENGTH_SUM_MAX) {
		return true;
	}
	in->inline_length += entry->length;
	return false;
}

bool dispatch_to_ring(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	entry->lane = IOQ_LANE_RING;
	entry->place = ENTRY_AT_RING;
	entry->punted = is_too_long(in, entry);
	return ring_prepare(&ioq->ring, entry);
}

void dispatch_flush(struct ioq *ioq, struct turn_in *in) {
	if (in->batch_count > 0) {
		lanes_push(ioq->lanes, in->batch, in->batch_count);
		in->batch_count = 0;
	}
}

/** Run an entry within this turn. */
static void dispatch_here(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	caller_enter(ioq->caller, entry);
	perform(entry, &ioq->scratch);
	caller_enter(ioq->caller, NULL);
	// There is room: a turn takes as many as it can hand out
	complete_entry(ioq, in->out, entry);
}

/** Put an entry into the batch for the lanes. */
static void dispatch_to_lanes(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	if (in->batch_count == IOQ_TURN_REQUESTS) {
		dispatch_flush(ioq, in);
	}
	entry->place = ENTRY_AT_LANES;
	entry->punted = false;
	in->batch[in->batch_count++] = entry;
}

void dispatch_elsewhere(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	entry->lane = IOQ_LANE_CORE;
	switch (ops[entry->op].place) {
	case PLACE_WAITS:
		entry->place = ENTRY_AT_WAITS;
		waits_begin(&ioq->waits, entry);
		break;
	case PLACE_RECEIVERS:
		entry->place = ENTRY_AT_RECEIVERS;
		receivers_add(&ioq->receivers, entry);
		break;
	case PLACE_POST:
		// The ring that was to send it is gone, or full
		entry->place = ENTRY_AT_WAITS;
		waits_complete(&ioq->waits, entry, post_without_ring(entry));
		break;
	default:
		if (ioq->lanes) {
			dispatch_to_lanes(ioq, in, entry);
		} else {
			dispatch_here(ioq, in, entry);
		}
	}
}

void dispatch_lose_ring(struct ioq *ioq, struct turn_in *in, int error) {
	struct entry *unsubmitted;
	ring_die(&ioq->ring, error, &unsubmitted);
	ioq->ring_ops = 0;
	if (ioq->mailbox) {
		mailbox_forget_ring(ioq->mailbox);
	}
	while (unsubmitted) {
		struct entry *entry = unsubmitted;
		unsubmitted = entry->next;
		dispatch_elsewhere(ioq, in, entry);
	}

	// Those that had come back already are in the ring's list
	for (struct entry *entry = ioq->ring.done; entry; entry = entry->next) {
		entry->place = ENTRY_AT_LANES;
	}
	for (uint32_t i = 0; i < ioq->arena.depth; ++i) {
		struct entry *entry = &ioq->arena.entries[i];
		if (entry->state == ENTRY_ACCEPTED && entry->place == ENTRY_AT_RING) {
			entry_abandon(entry);
			entry->place = ENTRY_AT_LANES;
			entry->result = -error;
			entry->next = NULL;
			*ioq->ring.done_tail = entry;
			ioq->ring.done_tail = &entry->next;
		}
	}
}
