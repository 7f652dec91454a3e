// Copyright 2026 the ioq authors. MIT license.

/** Which descriptors have a position. See calls/position.c. */

#ifndef IOQ_POSITION_H
#define IOQ_POSITION_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Whether a transfer without an offset goes by a position that the kernel keeps.
 * Neither asks a server nor waits for whoever is using that position.
 */
bool ioq_has_position(int fd);

/** Whether a file may have bytes at an offset although a read found none: its size is told as 0, or as more. */
bool ioq_may_have_more(int fd, uint64_t offset);

#endif // IOQ_POSITION_H
