// Copyright 2026 the ioq authors. MIT license.

/**
 * Cancelling
 * ==========
 *
 * An entry is marked, and whoever has it is told:
 *
 *     ring       by a request of its own, with the next turn
 *     waits      at once: it completes
 *     receivers  at their next turn
 *     lanes      look at the mark before they begin; those that are at it already
 *                are sent a signal, from turn to turn until it is complete, since
 *                one that comes just before the system call is lost
 *     nobody     a queue without lanes is within its turn, so it is for another
 *                thread to cancel what it is at: lanes/caller.c
 *
 * Either way the request completes as it would have: with its result or EINTR.
 */

#include "queue/turn.h"

/** Nanoseconds between the first interruptions of an operation, and at the most. */
#define INTERRUPT_MIN 1000000
#define INTERRUPT_MAX 64000000

/** Ask the ring to cancel an entry, now or by the next turn. */
static void cancel_at_ring(struct ioq *ioq, struct entry *entry) {
	entry->cancel_asked = ring_prepare_cancel(&ioq->ring, entry);
	ioq->cancels_owed = ioq->cancels_owed || !entry->cancel_asked;
}

void cancel_owed(struct ioq *ioq) {
	uint32_t depth = ioq->arena.depth;
	ioq->cancels_owed = false;
	for (uint32_t i = 0; ioq->ring.live && i < depth; ++i) {
		struct entry *entry = &ioq->arena.entries[(ioq->owed_from + i) % depth];
		if (entry->state == ENTRY_ACCEPTED && entry->place == ENTRY_AT_RING && !entry->cancel_asked
				&& entry_is_cancelled(entry)) {
			cancel_at_ring(ioq, entry);
			if (ioq->cancels_owed) {
				// There is no room: the next turn goes on from here
				ioq->owed_from = (ioq->owed_from + i) % depth;
				return;
			}
		}
	}
}

void cancel_interrupt(struct ioq *ioq) {
	if (ioq->lane_cancels == 0) {
		ioq->waits.remind_at = NEVER;
		return;
	}
	int64_t now = clock_now(IOQ_CLOCK_MONOTONIC);
	if (now >= ioq->interrupt_at) {
		lanes_interrupt(ioq->lanes);
		ioq->interrupt_at = now + ioq->interrupt_after;
		// What does not mind, such as a disk, is bothered ever less
		ioq->interrupt_after *= ioq->interrupt_after < INTERRUPT_MAX ? 2 : 1;
	}
	ioq->waits.remind_at = ioq->interrupt_at;
}

/** Mark an entry, if that can be. Returns whether it was not before. */
static bool cancel_mark(struct entry *entry) {
	if (entry->state != ENTRY_ACCEPTED || entry_is_close(entry)) {
		return false;
	}
	return !atomic_exchange_explicit(&entry->cancelled, true, memory_order_relaxed);
}

/** Tell whom a cancelled entry is with. */
static void cancel_where_it_is(struct ioq *ioq, struct entry *entry) {
	switch (entry->place) {
	case ENTRY_AT_RING:
		// Submitted by the next turn
		cancel_at_ring(ioq, entry);
		break;
	case ENTRY_AT_WAITS:
		waits_cancel(&ioq->waits, entry);
		break;
	case ENTRY_AT_RECEIVERS:
		ioq->receivers.cancelled = true;
		break;
	case ENTRY_HELD_BACK:
		// The next turn looks
		break;
	default:
		entry->counted = true;
		++ioq->lane_cancels;
		ioq->interrupt_at = 0;
		ioq->interrupt_after = INTERRUPT_MIN;
	}
}

int32_t ioq_cancel(struct ioq *ioq, uint32_t slot) {
	struct entry *entry = arena_at(&ioq->arena, slot);
	if (!entry || !cancel_mark(entry)) {
		return 0;
	}
	cancel_where_it_is(ioq, entry);
	return 1;
}

void ioq_cancel_all(struct ioq *ioq) {
	ioq->cancelled = true;
	for (uint32_t i = 0; i < ioq->arena.depth; ++i) {
		struct entry *entry = &ioq->arena.entries[i];
		if (cancel_mark(entry)) {
			cancel_where_it_is(ioq, entry);
		}
	}
}

uint32_t ioq_caller_id(struct ioq *ioq) {
	return ioq->caller ? caller_id(ioq->caller) : 0;
}

int32_t ioq_interrupt(uint32_t id, uint32_t turn) {
	return caller_interrupt(id, turn);
}
