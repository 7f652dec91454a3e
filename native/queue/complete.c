// Copyright 2026 the ioq authors. MIT license.

/**
 * Completing
 * ==========
 *
 * A completion is a record in the turn's block. What else there is to tell goes
 * into the output behind the last payload, or, if it is large or file contents,
 * stays in the entry until it is taken (queue/transfer.c):
 *
 *     entry ──▶ completion ─┬─ stat, message, short payload ──▶ output ──▶ FREE
 *                           └─ what was read, long payload ──▶ HELD
 *
 * Room in the output for the stats of all completions to come is never given away
 * to other payloads, so a turn never has to stop for lack of it.
 */

#include "queue/turn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/** Bytes of the output for a payload, with room kept for stats to come. */
static uint32_t complete_room(const struct turn_out *out) {
	uint32_t to_come = IOQ_TURN_COMPLETIONS - out->turn->completion_count;
	uint32_t kept = out->used + to_come * (uint32_t)sizeof(struct ioq_stat);
	return kept < out->turn->output_length ? (out->turn->output_length - kept) & ~7u : 0;
}

void complete_entry(struct ioq *ioq, struct turn_out *out, struct entry *entry) {
	uint32_t slot = (uint32_t)(entry - ioq->arena.entries);
	struct ioq_completion *completion = complete_slot(out, slot, entry->result, entry->lane);
	--ioq->in_flight;
	if (entry->counted) {
		entry->counted = false;
		--ioq->lane_cancels;
	}

	// Cancelled after the lane was done with it, and before anybody saw it; or nobody is left to see it
	if (entry->result >= 0 && entry_is_open(entry) && (entry_is_cancelled(entry)
			|| !descriptor_own(entry->result, ioq->owner, entry->op == IOQ_OP_REPLACE_BEGIN))) {
		entry_close_result(entry);
		completion->result = -EINTR;
	}

	enum op_payload payload = entry->result >= 0 ? ops[entry->op].payload : PAYLOAD_NONE;
	if (payload == PAYLOAD_NUMBER) {
		memcpy(out->output + out->used, &entry->offset, sizeof(entry->offset));
		completion->payload = out->used;
		completion->payload_length = sizeof(entry->offset);
	} else if (payload == PAYLOAD_STAT) {
		stat_pack((void *)(out->output + out->used), entry->statx);
		completion->payload = out->used;
		completion->payload_length = sizeof(struct ioq_stat);
	} else if (payload != PAYLOAD_NONE && entry->payload_length > 0 && !entry->region) {
		completion->payload_length = (uint32_t)entry->payload_length;
		// What was read goes straight to where the reader wants it
		if (entry_is_read(entry) || entry->payload_length > complete_room(out)) {
			completion->flags = IOQ_COMPLETION_HELD;
			out->held_length += entry->payload_length;
			entry->state = ENTRY_HELD;
			return;
		}
		memcpy(out->output + out->used, entry->payload, entry->payload_length);
		completion->payload = out->used;
	}
	// The next payload begins where a 64-bit word may: complete_room() rounds as well
	out->used += (completion->payload_length + 7u) & ~7u;
	transfer_release(ioq, entry);
}
