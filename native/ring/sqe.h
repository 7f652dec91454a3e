// Copyright 2026 the ioq authors. MIT license.

/** A request in the kernel's form: see ring/sqe.c. */

#ifndef IOQ_SQE_H
#define IOQ_SQE_H

#include "queue/entry.h"

#include <liburing.h>

/** user_data of what is not an entry. */
#define NOT_AN_ENTRY 0
/** Set in the user_data of a message, which no address has. */
#define MESSAGE ((uint64_t)1 << 63)

/**
 * Write an entry as an SQE, with the entry as its user_data.
 *
 * @param fixed
 *         Whether the ring knows regions by their index.
 */
void sqe_write(struct io_uring_sqe *sqe, struct entry *entry, bool fixed);

/** Write the timeout that the SQE before it is linked with. */
void sqe_write_link_timeout(struct io_uring_sqe *sqe, struct entry *entry);

#endif // IOQ_SQE_H
