// Copyright 2026 the ioq authors. MIT license.

/**
 * Worker lanes
 * ============
 *
 *     owner ──push──▶ pending ──pop──▶ lane 0 ──push──▶ ready ──try──▶ owner
 *                             ──pop──▶ lane 1 ──push──▶
 *                                ...
 *
 * A lane runs one request after the other, by plain system calls. (Rings of their
 * own made lanes slower on what is cached.)
 *
 * Each completion is published as soon as it is there, never after a slower
 * neighbour; and a lane claims no request before it can run it, since one that
 * it had claimed would be out of everybody's reach while the lane is held up.
 * (Claiming batches is no faster: the system calls cost far more.)
 *
 * Primaries and spares: while operations find all they need in memory, one lane
 * fewer than there are processors is best, because the owner's thread wants one
 * as well; more only take turns on the same processors (cached stats on two of
 * them: 1.2 µs each with one lane, 2.0 with two). Operations that wait for a disk
 * or a server are another matter. So the owner calls lanes_boost() when it runs
 * out of work while requests are still queued. How long a request keeps a lane
 * busy tells the two apart, on average since the last such call:
 *
 *     below QUICK   all is in memory: the owner's processor is free for one spare
 *     above         the lanes are held up: as many spares as there are requests
 *
 * Spares lie down when the queue is empty, and those too many for what is quick
 * already before. If nothing at all completes, there is nobody to call again: the
 * owner then sets itself an alarm. (Calling all in any case made thousands of small
 * cached files 15 % dearer, by threads that took turns.)
 *
 * STOP is one message. A lane that pops it pushes it back for the next and ends.
 * The queue has a slot more than there can be requests, so pushing STOP never
 * waits for anybody, however full the queue is.
 */

#include "lanes/lane.h"

#include "waits/clock.h"
#include "lanes/interrupt.h"
#include "calls/calls.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/**
 * Nanoseconds that a request keeps a lane busy, up to which it did not wait for a
 * device: one that is cached takes 1 to 20 µs, the fastest disks about as much again.
 */
#define QUICK 50000
/** Bytes of a lane's stack: nothing here recurses or keeps much on it. */
#define STACK_LENGTH (256 * 1024)

struct lane {
	/** Its fellows. */
	struct lanes *lanes;
	/** Its thread. */
	pthread_t thread;
	/** Whether it steps in only when called. */
	bool spare;
	/** Whether it popped STOP. */
	bool stopped;
	/** The entry that it runs or NULL. */
	struct entry *_Atomic running;
	/** For reading directories. */
	struct scratch scratch;
};

struct lanes {
	/** Requests. */
	struct slots *pending;
	/** Completions. */
	struct slots *ready;
	/** Lanes that always run, at the most. */
	unsigned int primaries;
	/** Lanes that were asked for, spares included. */
	unsigned int wanted;
	/** Lanes that started; the owner's. */
	unsigned int count;
	/** Spares that started. */
	atomic_uint spares;
	/** How many of those may be up while requests are quick. */
	unsigned int quick_spares;
	/** How many may be up now. */
	atomic_uint welcome;
	/** When the owner last ran out of work, by the monotonic clock, or 0; the owner's. */
	int64_t looked_at;
	/** Completions since; the owner's. */
	size_t reaped;
	/** Posted to have a spare step in. */
	sem_t boost;
	/** Spares that wait for that. */
	atomic_uint idle;
	/** Whether spares are to end. */
	atomic_bool stop_spares;
	/** The lanes. */
	struct lane lanes[];
};

/** The message that ends a lane. Only its address counts. */
static alignas(SLOTS_ALIGN) char STOP[SLOTS_ALIGN];
static_assert(alignof(struct entry) >= SLOTS_ALIGN, "entries fit into slots");

/** Hand a completion to the owner. */
static void lane_publish(struct lane *lane, struct entry *entry) {
	slots_push(lane->lanes->ready, entry);
}

/** Run an entry by system calls, here and now. */
static void lane_perform(struct lane *lane, struct entry *entry) {
	entry->lane = IOQ_LANE_WORKER;
	// Whether the owner sees this in time does not matter, since it looks again
	atomic_store_explicit(&lane->running, entry, memory_order_relaxed);
	perform(entry, &lane->scratch);
	atomic_store_explicit(&lane->running, NULL, memory_order_relaxed);
	lane_publish(lane, entry);
}

/** Whether a popped item is STOP; replays it if so. */
static bool lane_check_stop(struct lane *lane, void *item) {
	if (item == STOP) {
		lane->stopped = true;
		slots_push(lane->lanes->pending, STOP);
	}
	return item == STOP;
}

/** Pop an entry and run it. Returns whether there was anything. */
static bool lane_run_one(struct lane *lane, bool block) {
	void *item = slots_pop(lane->lanes->pending, block);
	if (item && !lane_check_stop(lane, item)) {
		lane_perform(lane, item);
	}
	return item;
}

/** The synchronous loop. */
static void lane_run(struct lane *lane) {
	while (!lane->stopped) {
		lane_run_one(lane, true);
	}
}

/** Lie down if there are more spares than are welcome. Returns whether it did. */
static bool lane_retire(struct lanes *lanes) {
	unsigned int idle = atomic_load_explicit(&lanes->idle, memory_order_relaxed);
	while (atomic_load_explicit(&lanes->spares, memory_order_relaxed) - idle
			> atomic_load_explicit(&lanes->welcome, memory_order_relaxed)) {
		// Not two of them for the same one too many
		if (atomic_compare_exchange_weak_explicit(&lanes->idle, &idle, idle + 1,
				memory_order_acq_rel, memory_order_relaxed)) {
			return true;
		}
	}
	return false;
}

/** The loop of a spare. */
static void lane_run_spare(struct lane *lane) {
	struct lanes *lanes = lane->lanes;
	while (true) {
		while (sem_wait(&lanes->boost) != 0) {
			// EINTR
		}
		if (atomic_load_explicit(&lanes->stop_spares, memory_order_acquire)) {
			return;
		}
		bool retired = false;
		do {
			atomic_fetch_sub_explicit(&lanes->idle, 1, memory_order_relaxed);
			while (!lane->stopped && !retired && slots_count(lanes->pending) > 0 && lane_run_one(lane, false)) {
				// Nothing is popped only if others were faster
				retired = !lane->stopped && lane_retire(lanes);
			}
			if (lane->stopped) {
				return;
			}
			if (retired) {
				// Others are up: whoever calls those calls us as well, if need be
				break;
			}
			// Whoever pushed before this counted on others: look again. Who
			// pushes after it calls us, see lanes_boost()
			atomic_fetch_add_explicit(&lanes->idle, 1, memory_order_acq_rel);
		} while (slots_count(lanes->pending) > 0);
	}
}

/** A lane's thread. */
static void *lane_main(void *arg) {
	struct lane *lane = arg;
	interrupt_accept();

	if (lane->spare) {
		lane_run_spare(lane);
	} else {
		lane_run(lane);
	}
	return NULL;
}

/** Start one lane. Returns 0 or an errno. */
static int lane_create(struct lanes *lanes, unsigned int index, bool spare) {
	struct lane *lane = &lanes->lanes[index];
	lane->lanes = lanes;
	lane->spare = spare;

	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_LENGTH);
	// Signals are for the threads that JavaScript knows of
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int ret = pthread_create(&lane->thread, &attr, lane_main, lane);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);

	if (ret == 0) {
		char name[16];
		snprintf(name, sizeof(name), "ioq-%u", index);
		pthread_setname_np(lane->thread, name);
	}
	return ret;
}

/** Processors that this process may use. */
static unsigned int count_cpus(void) {
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) == 0) {
		return (unsigned int)CPU_COUNT(&set);
	}
	// More of them than the set has room for
	return CPU_SETSIZE;
}

struct lanes *lanes_start(size_t depth, unsigned int count, int wake_fd) {
	size_t bytes = sizeof(struct lanes) + count * sizeof(struct lane);
	bytes = (bytes + CACHE_LINE - 1) & ~((size_t)CACHE_LINE - 1);
	struct lanes *lanes = calloc(1, bytes);
	if (!lanes) {
		return NULL;
	}
	unsigned int cpus = count_cpus();
	lanes->wanted = count;
	lanes->primaries = cpus <= 1 ? 1 : cpus - 1 < count ? cpus - 1 : count;
	lanes->quick_spares = cpus > lanes->primaries ? 1 : 0;
	interrupt_acquire();
	sem_init(&lanes->boost, 0, 0);

	int error = ENOMEM;
	lanes->pending = slots_create(depth + 1, -1); // and STOP
	lanes->ready = slots_create(depth, wake_fd);
	if (!lanes->pending || !lanes->ready) {
		goto fail;
	}

	while (lanes->count < lanes->primaries && (error = lane_create(lanes, lanes->count, false)) == 0) {
		++lanes->count;
	}
	if (lanes->count == 0) {
		goto fail;
	}
	// Fewer than we would like are enough; spares are still to be had later
	return lanes;

fail:
	lanes_stop(lanes);
	errno = error;
	return NULL;
}

void lanes_stop(struct lanes *lanes) {
	if (!lanes) {
		return;
	}
	if (lanes->count > 0) {
		slots_push(lanes->pending, STOP);
	}
	atomic_store_explicit(&lanes->stop_spares, true, memory_order_release);
	for (unsigned int i = 0; i < lanes->count; ++i) {
		if (lanes->lanes[i].spare) {
			sem_post(&lanes->boost);
		}
	}
	for (unsigned int i = 0; i < lanes->count; ++i) {
		struct lane *lane = &lanes->lanes[i];
		pthread_join(lane->thread, NULL);
		scratch_release(&lane->scratch);
	}
	slots_destroy(lanes->pending);
	slots_destroy(lanes->ready);
	sem_destroy(&lanes->boost);
	interrupt_release();
	free(lanes);
}

unsigned int lanes_count(const struct lanes *lanes) {
	return lanes->wanted;
}

/**
 * How many spares may be up: one for the owner's processor, or all if requests keep
 * lanes busy for longer than they would in memory.
 */
static size_t lanes_welcome(struct lanes *lanes, unsigned int idle) {
	int64_t now = clock_now(IOQ_CLOCK_MONOTONIC);
	size_t reaped = lanes->reaped;
	int64_t elapsed = now - lanes->looked_at;
	bool first = lanes->looked_at == 0;
	lanes->reaped = 0;
	lanes->looked_at = now;
	int64_t up = lanes->primaries + atomic_load_explicit(&lanes->spares, memory_order_relaxed) - idle;
	bool quick = first || elapsed * up < QUICK * (int64_t)reaped;
	return quick ? lanes->quick_spares : IOQ_LANES_MAX;
}

bool lanes_boost(struct lanes *lanes) {
	size_t needed = slots_count(lanes->pending);
	if (needed == 0) {
		lanes->looked_at = 0;
		return false;
	}
	// A read-modify-write, as is the spares': whichever comes second sees what
	// the other did before, so either they see the requests or we see them idle
	unsigned int idle = atomic_fetch_add_explicit(&lanes->idle, 0, memory_order_acq_rel);
	size_t welcome = lanes_welcome(lanes, idle);
	atomic_store_explicit(&lanes->welcome, (unsigned int)welcome, memory_order_relaxed);
	size_t up = atomic_load_explicit(&lanes->spares, memory_order_relaxed) - idle;
	size_t wanted = up < welcome ? welcome - up : 0;
	bool limited = wanted < needed;
	wanted = limited ? wanted : needed;
	// A spare that cannot be had is no loss: the primaries go on
	while (wanted > idle && lanes->count < lanes->wanted && lane_create(lanes, lanes->count, true) == 0) {
		++lanes->count;
		atomic_fetch_add_explicit(&lanes->spares, 1, memory_order_relaxed);
		idle = atomic_fetch_add_explicit(&lanes->idle, 1, memory_order_relaxed) + 1;
	}
	// Those that were called and have yet to come count as called
	int called = 0;
	sem_getvalue(&lanes->boost, &called);
	for (size_t i = (size_t)called; i < idle && i < wanted; ++i) {
		sem_post(&lanes->boost);
	}
	return limited && welcome < IOQ_LANES_MAX;
}

void lanes_push(struct lanes *lanes, struct entry *const entries[], size_t count) {
	slots_push_batch(lanes->pending, (void *const *)entries, count);
}

size_t lanes_backlog(const struct lanes *lanes) {
	return slots_count(lanes->pending);
}

struct entry *lanes_reap(struct lanes *lanes) {
	struct entry *entry = slots_try(lanes->ready);
	lanes->reaped += entry != NULL;
	return entry;
}

bool lanes_arm(struct lanes *lanes) {
	return slots_arm(lanes->ready);
}

void lanes_interrupt(struct lanes *lanes) {
	for (unsigned int i = 0; i < lanes->count; ++i) {
		struct lane *lane = &lanes->lanes[i];
		struct entry *entry = atomic_load_explicit(&lane->running, memory_order_relaxed);
		if (entry && entry_is_cancelled(entry)) {
			interrupt_thread(lane->thread);
		}
	}
}
