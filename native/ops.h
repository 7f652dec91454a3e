// Copyright 2026 the ioq authors. MIT license.

/** The kernel's opcodes: which it has, which we use, and that it takes no others. */

#ifndef IOQ_OPCODES_H
#define IOQ_OPCODES_H

#include "ioq.h"

#include <liburing.h>
#include <stdbool.h>

/**
 * Find out which opcodes the kernel has, as bit n.
 *
 * @return 0 or -errno: -ENOSYS if they are too few to be of use.
 */
int opcodes_probe(struct io_uring *uring, uint64_t *opcodes);

/** Which of our operations can be done with those. */
ioq_ops opcodes_ops(uint64_t opcodes);

/**
 * Have the kernel refuse every opcode but ours, whoever gets hold of the ring, which
 * was not enabled yet. Returns whether it will.
 */
bool opcodes_restrict(struct io_uring *uring, uint64_t opcodes);

#endif // IOQ_OPCODES_H
