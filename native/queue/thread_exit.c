// Copyright 2026 the ioq authors. MIT license.

/**
 * The end of a queue whose thread ends first, which queue/owned.c tells of: all is
 * cancelled, and it is turned on that thread until it has come to rest. If something
 * in the kernel does not let go in time, everything is left as it is, since that may
 * still write to it.
 */

#include "queue/thread_exit.h"

#include "queue/park.h"

#include <stdlib.h>
#include <unistd.h>

/** Milliseconds that the end of a thread waits for its queue to come to rest. */
#define WAIT_MS 2000

/** Close what a turn has opened, since there is nobody to tell. */
static void close_opened(struct ioq *ioq, const struct ioq_turn *turn) {
	for (uint32_t i = 0; i < turn->completion_count; ++i) {
		const struct ioq_completion *completion = &turn->completions[i];
		const struct entry *entry = arena_at(&ioq->arena, completion->slot);
		// What never left the core has left nothing in its entry
		if (completion->lane != IOQ_LANE_CORE && entry && completion->result >= 0 && entry_is_open(entry)) {
			close(completion->result);
		}
	}
}

void orphan_end(struct ioq_owned *owned) {
	struct ioq *ioq = (void *)((char *)owned - offsetof(struct ioq, owned));
	uint32_t output_length = IOQ_TURN_COMPLETIONS * (uint32_t)sizeof(struct ioq_stat);
	struct ioq_turn *turn = calloc(1, sizeof(*turn));
	uint8_t *output = aligned_alloc(8, output_length);

	bool rests = false;
	ioq_cancel_all(ioq);
	for (int ms = 0; turn && output && !rests && ms < WAIT_MS; ++ms) {
		turn->output_length = output_length;
		if (ioq_turn(ioq, turn, output, output) != 0) {
			break;
		}
		close_opened(ioq, turn);
		// A call that is parked, or about to be, still looks at us
		ioq_wake(ioq);
		rests = ioq->in_flight == 0 && park_is_over(ioq);
		if (!rests && turn->completion_count == 0) {
			struct timespec pause = {.tv_nsec = 1000000};
			nanosleep(&pause, NULL);
		}
	}
	free(turn);
	free(output);
	if (rests) {
		// It may be the last reference, and we are running in there
		ioq->library = NULL;
		queue_free(ioq);
	}
}
