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

/** On which threads a fault strikes. */
enum fault_where {
	/** The one that runs the tests and owns the queues. */
	FAULT_OWNER,
	/** All others. */
	FAULT_LANES,
};

/** One kind of fault. */
struct fault {
	/** How often it will strike. */
	atomic_int times;
	/** How many calls are let through before. */
	atomic_int after;
	/** The errno. */
	atomic_int error;
	/** An enum fault_where. */
	atomic_int where;
	/** Calls so far, faulty or not, on any thread. */
	atomic_int calls;
};

/** Setting up a ring. */
static struct fault fault_setup;
/** Submitting to a ring. */
static struct fault fault_submit;
/** Waiting in a ring with nothing left to submit. */
static struct fault fault_wait;
/** Starting a thread. */
static struct fault fault_thread;
/** How many processors there seem to be; 0: as many as there are. */
static atomic_int fault_cpus;
/** Whether rings have one entry, and room for two completions. */
static atomic_bool fault_small;
/** Whether this thread is the one that runs the tests. */
static _Thread_local bool fault_owner;

/** Have a fault strike. */
static inline void fault_inject(struct fault *fault, enum fault_where where, int error, int after, int times) {
	atomic_store(&fault->times, 0);
	atomic_store(&fault->where, where);
	atomic_store(&fault->error, error);
	atomic_store(&fault->after, after);
	atomic_store(&fault->calls, 0);
	atomic_store(&fault->times, times);
}

/** Let everything work again. */
static inline void fault_clear(void) {
	fault_inject(&fault_setup, FAULT_OWNER, 0, 0, 0);
	fault_inject(&fault_submit, FAULT_OWNER, 0, 0, 0);
	fault_inject(&fault_wait, FAULT_OWNER, 0, 0, 0);
	fault_inject(&fault_thread, FAULT_OWNER, 0, 0, 0);
	atomic_store(&fault_cpus, 0);
	atomic_store(&fault_small, false);
}

/** Take one from a counter, unless it is zero. */
static inline bool fault_count_down(atomic_int *counter) {
	int value = atomic_load(counter);
	while (value > 0) {
		if (value == FAULT_FOREVER || atomic_compare_exchange_weak(counter, &value, value - 1)) {
			return true;
		}
	}
	return false;
}

/** The errno that a call is to fail with, or 0. */
static inline int fault_strikes(struct fault *fault) {
	atomic_fetch_add(&fault->calls, 1);
	if (atomic_load(&fault->times) == 0
			|| fault_owner != (atomic_load(&fault->where) == FAULT_OWNER)
			|| fault_count_down(&fault->after)
			|| !fault_count_down(&fault->times)) {
		return 0;
	}
	return atomic_load(&fault->error);
}

int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params) {
	int error = fault_strikes(&fault_setup);
	if (atomic_load(&fault_small)) {
		entries = 1;
		params->cq_entries = 2;
	}
	return error ? -error : __real_io_uring_queue_init_params(entries, ring, params);
}

int __real_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring) {
	int error = fault_strikes(&fault_submit);
	return error ? -error : __real_io_uring_submit(ring);
}

int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait_nr);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait_nr);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait_nr) {
	int error = fault_strikes(&fault_submit);
	if (!error && io_uring_sq_ready(ring) == 0) {
		error = fault_strikes(&fault_wait);
	}
	return error ? -error : __real_io_uring_submit_and_wait(ring, wait_nr);
}

int __real_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring) {
	int error = fault_strikes(&fault_submit);
	return error ? -error : __real_io_uring_submit_and_get_events(ring);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg) {
	int error = fault_strikes(&fault_thread);
	return error ? error : __real_pthread_create(thread, attr, function, arg);
}

int __real_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set) {
	int cpus = atomic_load(&fault_cpus);
	if (cpus == 0) {
		return __real_sched_getaffinity(pid, size, set);
	}
	CPU_ZERO_S(size, set);
	for (int i = 0; i < cpus; ++i) {
		CPU_SET_S((size_t)i, size, set);
	}
	return 0;
}

#endif // IOQ_FAULT_H
