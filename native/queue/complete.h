// Copyright 2026 the ioq authors. MIT license.

/** The way out of a turn: completions and their payloads. See queue/complete.c. */

#ifndef IOQ_HAND_OUT_H
#define IOQ_HAND_OUT_H

#include "queue/queue.h"

/** Bytes that a turn hands out to be taken, at the most: they are copied once more. */
#define HELD_LENGTH_SUM_MAX (1024 * 1024)

/** What a turn has to write to. */
struct turn_out {
	/** The block. */
	struct ioq_turn *turn;
	/** The output. */
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

#endif // IOQ_HAND_OUT_H
