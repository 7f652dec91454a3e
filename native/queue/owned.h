// Copyright 2026 the ioq authors. MIT license.

/**
 * Queues whose thread ends without closing them. See queue/owned.c.
 */

#ifndef IOQ_OWNED_H
#define IOQ_OWNED_H

/** A part of whatever belongs to a thread. */
struct ioq_owned {
	/** The next one of the thread. */
	struct ioq_owned *next;
	/** Called on the thread, in its last moments. */
	void (*orphaned)(struct ioq_owned *owned);
};

/** Have `orphaned` called if the calling thread ends before owned_remove(). */
void owned_add(struct ioq_owned *owned, void (*orphaned)(struct ioq_owned *owned));

/** It has been released in good order. For the thread that added it. */
void owned_remove(struct ioq_owned *owned);

#endif // IOQ_OWNED_H
