// Copyright 2026 the ioq authors. MIT license.

/** Operations that wait for as long as a test wants them to: those on FIFOs. */

#ifndef IOQ_TEST_FIFO_H
#define IOQ_TEST_FIFO_H

#include <stdint.h>

/** A FIFO, open at both ends. */
int make_fifo(const char *name);

/** Add what holds up its lane until somebody opens a FIFO. */
void add_blocked(uint32_t slot, const char *name);

/** Unblock one that add_blocked() added. */
void finish_blocked(uint32_t slot, const char *name);

#endif // IOQ_TEST_FIFO_H
