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
 * come to rest. If something in the kernel does not let go in time, everything is
 * left as it is, since that may still write to it.
 *
 * The main thread ends with the process, without destructors, which is just as well.
 * Where it goes on with another program (a reload while files are watched), the old
 * program's last line can still give its queues up, by ioq_abandon().
 */

#include "queue/turn.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/** Milliseconds that the end of a thread waits for a queue to come to rest. */
#define WAIT_MS 2000
/** The same for the end of a program, which a person may be waiting for. */
#define ABANDON_WAIT_MS 250

/** Its value on each thread: the queues that the thread owns. */
static pthread_key_t key;
/** Whether there was one left to be had. */
static bool have_key;

/** Close what a turn has opened, since there is nobody to tell. */
static void close_opened(struct ioq *ioq, const struct ioq_turn *turn) {
	for (uint32_t i = 0; i < turn->completion_count; ++i) {
		const struct ioq_completion *completion = &turn->completions[i];
		const struct entry *entry = arena_at(&ioq->arena, completion->slot);
		// What never left the core has left nothing in its entry
		if (completion->lane != IOQ_LANE_CORE && entry && completion->result >= 0 && entry_is_open(entry)) {
			close(completion->result);
		}
	}
}

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
		close_opened(ioq, turn);
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

/** End a queue whose thread ends. */
static void thread_exit_end(struct ioq *ioq) {
	if (thread_exit_quiesce(ioq, WAIT_MS)) {
		// It may be the last reference, and we are running in there
		ioq->library = NULL;
		queue_release(ioq);
		if (park_orphan(ioq)) {
			free(ioq);
		}
		// A call of the runtime's that was armed for and has not come yet, and may
		// never come, finds no more than the word that says so
	}
}

/** A thread ends. */
static void thread_exit(void *list) {
	for (struct ioq *ioq = list; ioq;) {
		struct ioq *next = ioq->next_of_thread;
		thread_exit_end(ioq);
		ioq = next;
	}
	// We stay loaded, since it is in here that we run; the descriptor need not
	library_close_memory();
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
	if (!thread_exit_quiesce(ioq, ABANDON_WAIT_MS)) {
		return -EBUSY;
	}
	queue_release(ioq);
	if (park_orphan(ioq)) {
		free(ioq);
	}
	return 0;
}
