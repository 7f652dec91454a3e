// Copyright 2026 the ioq authors. MIT license.

/**
 * A JavaScript Worker may be terminated at any time. Its thread ends then, and no
 * line of JavaScript runs any more that could close a queue, whose worker lanes,
 * descriptors and memory would stay until the process ends.
 *
 * What does run is the destructor of a thread-specific value (pthread_key_create(3)),
 * and that on the very thread that owns the queue: even a ring that takes requests
 * from its owner alone can still be emptied. The value is the list of what the
 * thread has open.
 *
 * The main thread ends with the process, without destructors, which is just as well.
 */

#include "queue/owned.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/** Its value on each thread: what that thread owns. */
static pthread_key_t key;
/** Whether there was one left to be had. */
static bool have_key;

/** A thread ends. */
static void thread_ends(void *list) {
	for (struct ioq_owned *owned = list; owned;) {
		struct ioq_owned *next = owned->next;
		owned->orphaned(owned);
		owned = next;
	}
}

/** The library is loaded. */
__attribute__((constructor))
static void make_key(void) {
	have_key = pthread_key_create(&key, thread_ends) == 0;
}

/** The library is unloaded, so no queue is open: an open one holds on to it. */
__attribute__((destructor))
static void delete_key(void) {
	if (have_key) {
		have_key = false;
		pthread_key_delete(key);
	}
}

void owned_add(struct ioq_owned *owned, void (*orphaned)(struct ioq_owned *owned)) {
	owned->orphaned = orphaned;
	owned->next = have_key ? pthread_getspecific(key) : NULL;
	if (have_key) {
		// Without memory for it the thread's end goes unnoticed
		pthread_setspecific(key, owned);
	}
}

void owned_remove(struct ioq_owned *owned) {
	if (!have_key) {
		return;
	}
	struct ioq_owned *first = pthread_getspecific(key);
	if (first == owned) {
		pthread_setspecific(key, owned->next);
		return;
	}
	for (struct ioq_owned *other = first; other; other = other->next) {
		if (other->next == owned) {
			other->next = owned->next;
			return;
		}
	}
}
