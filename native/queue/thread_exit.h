// Copyright 2026 the ioq authors. MIT license.

/** A queue whose thread ends without closing it. See queue/thread_exit.c. */

#ifndef IOQ_ORPHAN_H
#define IOQ_ORPHAN_H

#include "queue/owned.h"

/** Cancel all of the queue that it is part of, wait a while, and release it. */
void orphan_end(struct ioq_owned *owned);

#endif // IOQ_ORPHAN_H
