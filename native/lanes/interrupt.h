// Copyright 2026 the ioq authors. MIT license.

/**
 * Interrupting a thread that waits in a system call. See lanes/interrupt.c.
 */

#ifndef IOQ_INTERRUPT_H
#define IOQ_INTERRUPT_H

#include <pthread.h>
#include <stdbool.h>

/** Get hold of a signal that nobody in the process uses, if there is one. */
void interrupt_acquire(void);

/** Let go of it: the last one restores what was. */
void interrupt_release(void);

/** Have the calling thread take the signal. */
void interrupt_accept(void);

/** Send it to a thread. Returns false if that cannot be. */
bool interrupt_thread(pthread_t thread);

#endif // IOQ_INTERRUPT_H
