// Copyright 2026 the ioq authors. MIT license.

/** The memory that an entry's transfer goes by. See queue/transfer.c. */

#ifndef IOQ_TRANSFER_H
#define IOQ_TRANSFER_H

#include "queue/queue.h"

/**
 * Give an entry a buffer of its own.
 *
 * @return 0 or -ENOMEM.
 */
int transfer_take_buffer(struct ioq *ioq, struct entry *entry, uint32_t length);

/**
 * Have an entry go by the region that its arguments name.
 *
 * @return 0 or -EINVAL.
 */
int transfer_take_region(struct ioq *ioq, struct entry *entry);

/** Release what an entry holds, its buffer to the pool if it is from there. */
void transfer_release(struct ioq *ioq, struct entry *entry);

#endif // IOQ_TRANSFER_H
