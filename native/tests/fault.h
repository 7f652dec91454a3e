// Copyright 2026 the ioq authors. MIT license.

/**
 * Injects faults: functions of liburing and libc are wrapped at link time (see
 * WRAPPED in the Makefile) and fail when and where a test wants them to.
 */

#ifndef IOQ_FAULT_H
#define IOQ_FAULT_H

#include <liburing.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

/** Forever, as a number of times. */
#define FAULT_FOREVER INT_MAX

/** One kind of fault. */
struct fault {
	/** How often it will strike. */
	atomic_int times;
	/** How many calls are let through before. */
	atomic_int after;
	/** The errno. */
	atomic_int error;
	/** Calls so far, faulty or not, on any thread. */
	atomic_int calls;
};

/** Setting up a ring. */
extern struct fault fault_setup;
/** Submitting to a ring. */
extern struct fault fault_submit;
/** Starting a thread. */
extern struct fault fault_thread;
/** How many processors there seem to be; 0: as many as there are. */
extern atomic_int fault_cpus;
/** Whether rings have one entry, and room for two completions. */
extern atomic_bool fault_small;
/** A FIFO of which the next read that brings nothing is followed at once by a writer. */
extern const char *_Atomic fault_late;
/** That writer's descriptor, or -1. */
extern atomic_int fault_writer;

/** Have a fault strike. */
static inline void fault_inject(struct fault *fault, int error, int after, int times) {
	atomic_store(&fault->times, 0);
	atomic_store(&fault->error, error);
	atomic_store(&fault->after, after);
	atomic_store(&fault->calls, 0);
	atomic_store(&fault->times, times);
}

/** Let everything work again. */
static inline void fault_clear(void) {
	fault_inject(&fault_setup, 0, 0, 0);
	fault_inject(&fault_submit, 0, 0, 0);
	fault_inject(&fault_thread, 0, 0, 0);
	atomic_store(&fault_cpus, 0);
	atomic_store(&fault_small, false);
}

#endif // IOQ_FAULT_H
