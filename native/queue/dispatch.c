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

#include <errno.h>

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
 * the lanes can do, and the ring has threads as well. It has to be known that lanes are
 * not held up, which takes a millisecond: those are joined by more, of which there may be
 * more than the ring has threads, and what the ring has stays with it.
 * Decided for a turn as a whole: a few requests now and then would wake those
 * threads each time, which costs more than it brings.
 */
static ioq_ops dispatch_ring_ops(const struct ioq *ioq, const struct ioq_turn *turn) {
	bool overflow = ioq->overflow_ops != 0 && ioq->lanes && lanes_are_quick(ioq->lanes)
		&& lanes_backlog(ioq->lanes) + turn->request_count > IOQ_BACKLOG;
	return overflow ? ioq->ring_ops : ioq->ring_ops & ~ioq->overflow_ops;
}

void dispatch_begin(const struct ioq *ioq, struct turn_in *in, struct turn_out *out) {
	in->out = out;
	in->ring_ops = dispatch_ring_ops(ioq, out->turn);
	in->inline_length = 0;
	in->looked_at = -1;
	in->direct = 0;
	in->batch_count = 0;
}

/**
 * Direct transfers that go to the device at once. It idles while a whole batch is
 * prepared, and the kernel keeps more than two of a submission until the last of them.
 */
#define DIRECT_AT_ONCE 2

/** Whether an entry's file bypasses the cache. */
static bool is_direct(struct turn_in *in, const struct entry *entry) {
	if (in->looked_at != entry->fd) {
		int flags = fcntl(entry->fd, F_GETFL);
		in->looked_at = entry->fd;
		in->is_direct = flags >= 0 && (flags & O_DIRECT);
	}
	return in->is_direct;
}

/** Whether an entry is a transfer. */
static bool is_transfer(const struct entry *entry) {
	return entry->op == IOQ_OP_READ || entry->op == IOQ_OP_WRITE || entry_has_ranges(entry);
}

bool dispatch_to_ring(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	entry->lane = IOQ_LANE_RING;
	// One that is too long by itself holds the owner up; too many of them wait
	entry->punted = is_transfer(entry) && !entry_has_ranges(entry) && entry->length > INLINE_LENGTH_MAX;
	if (is_transfer(entry) && !entry->punted) {
		if (in->inline_length > INLINE_LENGTH_SUM_MAX) {
			entry->place = ENTRY_HELD_BACK;
			entry->next = NULL;
			*ioq->held_back_tail = entry;
			ioq->held_back_tail = &entry->next;
			return true;
		}
		in->inline_length += entry->length;
	}
	entry->place = ENTRY_AT_RING;
	if (entry_has_ranges(entry)) {
		return ring_prepare_ranges(&ioq->ring, entry, is_direct(in, entry) ? DIRECT_AT_ONCE : 0);
	}
	bool prepared = ring_prepare(&ioq->ring, entry);
	if (prepared && is_transfer(entry) && is_direct(in, entry) && ++in->direct % DIRECT_AT_ONCE == 0) {
		ring_hurry(&ioq->ring);
	}
	return prepared;
}

void dispatch_held_back(struct ioq *ioq, struct turn_in *in) {
	struct entry *entry;
	while ((entry = ioq->held_back) && in->inline_length <= INLINE_LENGTH_SUM_MAX) {
		ioq->held_back = entry->next;
		if (!ioq->held_back) {
			ioq->held_back_tail = &ioq->held_back;
		}
		if (entry_is_cancelled(entry)) {
			entry->place = ENTRY_AT_WAITS;
			waits_complete(&ioq->waits, entry, -EINTR);
		} else if (!ioq->ring.live || !dispatch_to_ring(ioq, in, entry)) {
			dispatch_elsewhere(ioq, in, entry);
		}
	}
}

/** Run an entry within this turn. */
static void dispatch_here(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	if (ioq->caller) {
		caller_enter(ioq->caller, entry);
	}
	perform(entry, &ioq->scratch);
	if (ioq->caller) {
		caller_enter(ioq->caller, NULL);
	}
	if (!entry->waits_for && in->out->output && in->out->turn->completion_count < IOQ_TURN_COMPLETIONS) {
		waits_leave(&ioq->waits, entry);
		complete_entry(ioq, in->out, entry);
	} else if (entry->waits_for) {
		waits_add(&ioq->waits, entry);
	} else {
		// It was tried again, beside as many requests as a turn can hand out, or this one hands out none
		entry->place = ENTRY_AT_WAITS;
		waits_complete(&ioq->waits, entry, entry->result);
	}
}

void dispatch_flush(struct ioq *ioq, struct turn_in *in) {
	uint32_t count = in->batch_count;
	in->batch_count = 0;
	if (count > 0 && !lanes_push(ioq->lanes, in->batch, count)) {
		// Not a single thread is to be had: rather late than never
		for (uint32_t i = 0; i < count; ++i) {
			dispatch_here(ioq, in, in->batch[i]);
		}
	}
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
	default:
		if (ioq->lanes) {
			dispatch_to_lanes(ioq, in, entry);
		} else {
			dispatch_here(ioq, in, entry);
		}
	}
}

/**
 * Whether a ring says something of a transfer that may not be so. A file that is made on
 * the fly may be told as empty, and io_uring does not even ask for more of that; and a
 * write that falls short may be told as an error. The same transfer may be done again: it
 * is at an offset, and the first one has moved nothing. A system call asks the file
 * system itself.
 */
static bool is_doubtful(struct entry *entry) {
	if (entry->lane != IOQ_LANE_RING || !entry->positional || entry_is_cancelled(entry)) {
		return false;
	}
	if (entry->op == IOQ_OP_READ) {
		return entry->result == 0 && entry->length > 0 && position_may_have_more(entry->fd, entry->offset);
	}
	bool falls_short = entry->result == -EIO || entry->result == -ENOSPC || entry->result == -EDQUOT;
	return entry->op == IOQ_OP_WRITE && falls_short && position_takes_back_writes(entry->fd);
}

/** Whether a descriptor was not to be had on the ring, and requests have some that they will give back. */
static bool may_have_more(const struct ioq *ioq, const struct entry *entry) {
	return entry->result == -EMFILE && entry->lane == IOQ_LANE_RING && ops[entry->op].kind == OP_OPENS
		&& ioq->lanes && (lanes_hold(ioq->lanes) || attempt_any_held());
}

void dispatch_returned(struct ioq *ioq, struct turn_in *in, struct entry *entry) {
	if (entry->elsewhere || is_doubtful(entry) || may_have_more(ioq, entry)) {
		entry->elsewhere = false;
		dispatch_elsewhere(ioq, in, entry);
		return;
	}
	if (entry->waits_for && !entry_is_cancelled(entry)) {
		if (entry->counted) {
			entry->counted = false;
			--ioq->lane_cancels;
		}
		waits_add(&ioq->waits, entry);
		return;
	}
	if (entry->waits_for) {
		entry->waits_for = 0;
		entry->result = entry->done > 0 ? (int32_t)entry->done : -EINTR;
	}
	waits_leave(&ioq->waits, entry);
	complete_entry(ioq, in->out, entry);
}

void dispatch_again(struct ioq *ioq, struct turn_in *in) {
	struct entry *entry;
	// No more than one turn's worth: what is tried here may be to be tried again
	for (uint32_t tried = 0; tried < IOQ_TURN_REQUESTS && (entry = waits_again(&ioq->waits)); ++tried) {
		dispatch_elsewhere(ioq, in, entry);
	}
}

void dispatch_lose_ring(struct ioq *ioq, struct turn_in *in, int error) {
	struct entry *unsubmitted;
	ring_die(&ioq->ring, error, &unsubmitted);
	ioq->ring_ops = 0;
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
