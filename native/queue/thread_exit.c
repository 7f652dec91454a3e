// Copyright 2026 the ioq authors. MIT license.

/**
 * Queues whose thread ends without closing them
 * =============================================
 *
 * A JavaScript Worker may be terminated at any time. Its thread ends then, and no
 * line of JavaScript runs any more that could close a queue, whose worker lanes,
 * descriptors and memory would stay until the process ends.
 *
 * What does run is the destructor of a thread-specific value (pthread_key_create(3)),
 * and that on the very thread that owns the queue: even a ring that takes requests
 * from its owner alone can still be emptied. The value is the list of what the
 * thread has open. Each queue is cancelled, and turned on that thread until it has
 * come to rest; then the descriptors are closed that they have opened (descriptors.c).
 * If something in the kernel does not let go in time, the queue is left as it is, since
 * that may still write to it, and so is what descriptors it goes by.
 *
 * The main thread ends with the process, without destructors, which is just as well.
 * Where it goes on with another program (a reload while files are watched), the old
 * program's last line can still give its queues up, by ioq_abandon().
 */

#include "queue/turn.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/** Milliseconds that the end of a thread waits for a queue to come to rest. */
#define WAIT_MS 2000
/** The same for the end of a program, which a person may be waiting for. */
#define ABANDON_WAIT_MS 250

/** Its value on each thread: the queues that the thread owns. */
static pthread_key_t key;
/** Whether there was one left to be had. */
static bool have_key;

/** Cancel all of a queue and wait a while for it to come to rest; whether it did. */
static bool thread_exit_quiesce(struct ioq *ioq, int wait_ms) {
	uint32_t output_length = IOQ_TURN_COMPLETIONS * (uint32_t)sizeof(struct ioq_stat);
	struct ioq_turn *turn = calloc(1, sizeof(*turn));
	uint8_t *output = aligned_alloc(8, output_length);

	bool rests = false;
	ioq_cancel_all(ioq);
	for (int ms = 0; turn && output && !rests && ms < wait_ms; ++ms) {
		turn->output_length = output_length;
		if (ioq_turn(ioq, turn, output, output) != 0) {
			break;
		}
		// A call that is parked, or about to be, still looks at us
		ioq_wake(ioq);
		rests = ioq->in_flight == 0 && (park_is_over(ioq) || park_end(ioq));
		if (!rests && turn->completion_count == 0) {
			struct timespec pause = {.tv_nsec = 1000000};
			nanosleep(&pause, NULL);
		}
	}
	free(turn);
	free(output);
	return rests;
}

/** What descriptors are looked at for. */
struct leaving {
	/** Who leaves them. */
	owner_id owner;
	/** The queues of the thread, of which some may not have come to rest. */
	const struct ioq *queues;
};

/** Whether a request is not over that goes by a descriptor. */
static bool is_used(int fd, void *arg) {
	const struct leaving *leaving = arg;
	for (const struct ioq *ioq = leaving->queues; ioq; ioq = ioq->next_of_thread) {
		for (uint32_t i = 0; ioq->in_flight > 0 && i < ioq->arena.depth; ++i) {
			const struct entry *entry = &ioq->arena.entries[i];
			if (entry->state == ENTRY_ACCEPTED && entry_uses(entry, fd)) {
				return true;
			}
		}
	}
	return callers_use(leaving->owner, fd);
}

/** Close what a queue has opened that nobody has closed. */
static void thread_exit_close(const struct ioq *ioq, const struct ioq *queues, int wait_ms) {
	if (ioq->runs_for_other || ioq->owner == 0) {
		return;
	}
	owner_end(ioq->owner);
	for (int ms = 0; callers_interrupt(ioq->owner) && ms < wait_ms; ++ms) {
		struct timespec pause = {.tv_nsec = 1000000};
		nanosleep(&pause, NULL);
	}
	struct leaving leaving = {.owner = ioq->owner, .queues = queues};
	descriptors_close(ioq->owner, is_used, &leaving);
}

/** End a queue whose thread ends, and that has come to rest. */
static void thread_exit_end(struct ioq *ioq) {
	// It may be the last reference, and we are running in there
	ioq->library = NULL;
	queue_release(ioq);
	if (park_orphan(ioq)) {
		free(ioq);
	}
	// A call of the runtime's that was armed for and has not come yet, and may
	// never come, finds no more than the word that says so
}

/** A thread ends. */
static void thread_exit(void *list) {
	struct ioq *rest = NULL;
	struct ioq **rest_tail = &rest;
	struct ioq *busy = NULL;
	bool loaded = false;
	for (struct ioq *ioq = list, *next; ioq; ioq = next) {
		next = ioq->next_of_thread;
		// Another thread has, if we run requests for its queue
		loaded = loaded || !ioq->runs_for_other;
		if (thread_exit_quiesce(ioq, WAIT_MS)) {
			*rest_tail = ioq;
			rest_tail = &ioq->next_of_thread;
		} else {
			ioq->next_of_thread = busy;
			busy = ioq;
		}
	}
	// A descriptor may be in use by any queue of the thread
	*rest_tail = NULL;
	for (const struct ioq *ioq = rest; ioq; ioq = ioq->next_of_thread) {
		thread_exit_close(ioq, busy, WAIT_MS);
	}
	for (const struct ioq *ioq = busy; ioq; ioq = ioq->next_of_thread) {
		thread_exit_close(ioq, busy, WAIT_MS);
	}
	while (rest) {
		struct ioq *next = rest->next_of_thread;
		thread_exit_end(rest);
		rest = next;
	}
	// We stay loaded, since it is in here that we run; the descriptor need not
	if (loaded) {
		library_close_memory();
	}
}

/** The library is loaded. */
__attribute__((constructor))
static void make_key(void) {
	have_key = pthread_key_create(&key, thread_exit) == 0;
}

/** The library is unloaded, so no queue is open: an open one holds on to it. */
__attribute__((destructor))
static void delete_key(void) {
	if (have_key) {
		have_key = false;
		pthread_key_delete(key);
	}
}

void thread_exit_add(struct ioq *ioq) {
	ioq->next_of_thread = have_key ? pthread_getspecific(key) : NULL;
	if (have_key) {
		// Without memory for it the thread's end goes unnoticed
		pthread_setspecific(key, ioq);
	}
}

void thread_exit_remove(struct ioq *ioq) {
	struct ioq *first = have_key ? pthread_getspecific(key) : NULL;
	if (have_key && first == ioq) {
		pthread_setspecific(key, ioq->next_of_thread);
		return;
	}
	for (struct ioq *other = first; other; other = other->next_of_thread) {
		if (other->next_of_thread == ioq) {
			other->next_of_thread = ioq->next_of_thread;
			return;
		}
	}
}

int32_t ioq_abandon(struct ioq *ioq) {
	thread_exit_remove(ioq);
	bool rests = thread_exit_quiesce(ioq, ABANDON_WAIT_MS);
	// What is given up later may still go by its descriptors
	ioq->next_of_thread = have_key ? pthread_getspecific(key) : NULL;
	thread_exit_close(ioq, rests ? ioq->next_of_thread : ioq, ABANDON_WAIT_MS);
	if (!rests) {
		return -EBUSY;
	}
	queue_release(ioq);
	if (park_orphan(ioq)) {
		free(ioq);
	}
	return 0;
}
