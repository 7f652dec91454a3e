// Copyright 2026 the ioq authors. MIT license.

/** Messages to other queues. See queue/post.c. */

#ifndef IOQ_POST_H
#define IOQ_POST_H

#include "queue/queue.h"

/**
 * Post an entry's message, unless the ring is to do it.
 *
 * @param to_ring
 *         Whether the ring could; receives whether it shall.
 * @return 0 or -errno.
 */
int post_begin(struct ioq *ioq, struct entry *entry, bool *to_ring);

/** Post it all the same, since the ring that was to do it cannot. Returns 0 or -errno. */
int post_without_ring(struct entry *entry);

/** The ring has sent it, or could not: see to the result. */
void post_end(struct entry *entry);

#endif // IOQ_POST_H
