// Copyright 2026 the ioq authors. MIT license.

/** Waiting for completions in another thread. See queue/park.c. */

#ifndef IOQ_PARK_H
#define IOQ_PARK_H

#include "queue/queue.h"

/** Prepare what ioq_park() waits for. Returns whether it may be called. */
bool park_arm(struct ioq *ioq);

/** Whether no call is parked, nor may be yet. */
bool park_is_over(const struct ioq *ioq);

#endif // IOQ_PARK_H
