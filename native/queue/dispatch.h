// Copyright 2026 the ioq authors. MIT license.

/** To whom an accepted entry goes. See queue/dispatch.c. */

#ifndef IOQ_PLACE_H
#define IOQ_PLACE_H

#include "queue/complete.h"

/** What a turn gathers while it takes requests. */
struct turn_in {
	/** What it has to write to, if one completes at once. */
	struct turn_out *out;
	/** Bit n: operation n goes to the caller's ring in this turn. */
	ioq_ops ring_ops;
	/** Bytes of transfers that may run within this turn so far. */
	size_t inline_length;
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
 * The caller's ring is of no more use: what the kernel never saw goes elsewhere,
 * what it has fails, and the queue lives on without a ring.
 */
void dispatch_lose_ring(struct ioq *ioq, struct turn_in *in, int error);

/** Send what is on its way to the lanes on. */
void dispatch_flush(struct ioq *ioq, struct turn_in *in);

#endif // IOQ_PLACE_H
