// Copyright 2026 the ioq authors. MIT license.

/** What turns do for what was cancelled. See queue/cancel.c. */

#ifndef IOQ_CANCEL_H
#define IOQ_CANCEL_H

#include "queue/queue.h"

/** Prepare the cancellations that the ring had no room for. Another one does no harm. */
void cancel_owed(struct ioq *ioq);

/** Interrupt lanes whose entries were cancelled, as long as there are any. */
void cancel_interrupt(struct ioq *ioq);

#endif // IOQ_CANCEL_H
