// Copyright 2026 the ioq authors. MIT license.

/**
 * FIFOs that are opened through a ring. See ring/fifo.c.
 */

#ifndef IOQ_FIFO_H
#define IOQ_FIFO_H

#include "queue/entry.h"

/**
 * Look at what a ring opened, or did not.
 *
 * @return Whether it is a FIFO whose other end is still to be waited for: run the
 *         entry again, it is punted now.
 */
bool fifo_waits(struct entry *entry);

/** Let go of what was opened first, if anything was. */
void fifo_let_go(struct entry *entry);

#endif // IOQ_FIFO_H
