// Copyright 2026 the ioq authors. MIT license.

/** Requests that wait for a message, in the order in which they came. */

#ifndef IOQ_RECEIVERS_H
#define IOQ_RECEIVERS_H

#include "queue/entry.h"
#include "waits/mailbox.h"

struct receivers {
	/** The first of them. */
	struct entry *first;
	/** Where the next of them goes. */
	struct entry **tail;
	/** Whether some of them are cancelled. */
	bool cancelled;
};

/** Begin, with nobody waiting. */
void receivers_open(struct receivers *receivers);

/** Have a RECEIVE wait for a message. */
void receivers_add(struct receivers *receivers, struct entry *entry);

/**
 * The next RECEIVE that is complete, its message in `offset`, or NULL.
 *
 * @param mailbox
 *         Where messages arrive; NULL only if nobody waits for any.
 */
struct entry *receivers_reap(struct receivers *receivers, struct mailbox *mailbox);

/** Whether nobody could be given a message now. */
bool receivers_arm(const struct receivers *receivers, struct mailbox *mailbox);

#endif // IOQ_RECEIVERS_H
