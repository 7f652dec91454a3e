// Copyright 2026 the ioq authors. MIT license.

/**
 * Worker lanes
 * ============
 *
 *     owner ──push──▶ pending ──pop──▶ lane 0 ──push──▶ ready ──try──▶ owner
 *                             ──pop──▶ lane 1 ──push──▶
 *                                ...
 *
 * A lane runs its loop in one of two ways: synchronously, a system call per
 * operation; or with a ring of its own, which keeps up to RING_ENTRIES in flight
 * and does only what its ring does not have by system calls. A lane whose ring
 * cannot be made, or dies, goes on synchronously.
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
 *
 * A lane that waits in its ring cannot wait for the queue as well. It says so by
 * `sleeping`, and whoever pushes takes that back and writes to the lane's
 * eventfd, which the ring polls. Both sides use read-modify-writes of the same
 * word: whichever comes second sees what the other did before.
 */

#include "lanes/lane.h"

#include "waits/clock.h"
#include "lanes/interrupt.h"
#include "calls/perform.h"
#include "ring/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/** Submission queue entries of a lane's ring, and what it keeps in flight. */
#define RING_ENTRIES 64
/**
 * Nanoseconds that a request keeps a lane busy, up to which it did not wait for a
 * device: one that is cached takes 1 to 20 µs, the fastest disks about as much again.
 */
#define QUICK 50000
/** Bytes of a lane's stack: nothing here recurses or keeps much on it. */
#define STACK_LENGTH (256 * 1024)

struct ioq_lane {
	/** Its fellows. */
	struct ioq_lanes *lanes;
	/** Its thread. */
	pthread_t thread;
	/** Whether it steps in only when called. */
	bool spare;
	/** Whether it popped STOP. */
	bool stopped;
	/** Whether it started with a ring. */
	bool has_ring;
	/** Whether its eventfd is being polled. */
	bool polling;
	/** Whether it waits in its ring, or is about to. */
	atomic_bool sleeping;
	/** The entry that it runs by system calls, or NULL. */
	struct ioq_entry *_Atomic running;
	/** Whether to look for cancelled entries. */
	atomic_bool cancels;
	/** What its ring polls, or -1. */
	int wake_fd;
	/** Its ring, if it has one. */
	struct ioq_ring ring;
	/** What its ring has in flight. */
	struct ioq_entry *in_flight[RING_ENTRIES];
	/** For reading directories. */
	struct ioq_scratch scratch;
};

struct ioq_lanes {
	/** Requests. */
	struct ioqq *pending;
	/** Completions. */
	struct ioqq *ready;
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
	/** Lanes that started with a ring; the owner's. */
	unsigned int rings;
	/** Whether lanes are to have rings. */
	bool want_rings;
	/** Posted by each primary that has set itself up. */
	sem_t started;
	/** Posted to have a spare step in. */
	sem_t boost;
	/** Spares that wait for that. */
	atomic_uint idle;
	/** Whether spares are to end. */
	atomic_bool stop_spares;
	/** The lanes. */
	struct ioq_lane lanes[];
};

/** The message that ends a lane. Only its address counts. */
static alignas(IOQQ_ALIGN) char STOP[IOQQ_ALIGN];

/** Hand a completion to the owner. */
static void lane_publish(struct ioq_lane *lane, struct ioq_entry *entry) {
	ioqq_push(lane->lanes->ready, entry);
}

/** Run an entry by system calls, here and now. */
static void lane_perform(struct ioq_lane *lane, struct ioq_entry *entry) {
	entry->lane = IOQ_LANE_WORKER;
	// Whether the owner sees this in time does not matter, since it looks again
	atomic_store_explicit(&lane->running, entry, memory_order_relaxed);
	ioq_perform(entry, &lane->scratch);
	atomic_store_explicit(&lane->running, NULL, memory_order_relaxed);
	lane_publish(lane, entry);
}

/** How many entries to submit at once: a fair share, but at least one. */
static size_t lane_share(const struct ioq_lane *lane) {
	size_t share = ioqq_count(lane->lanes->pending) / lane->lanes->primaries;
	return share < 1 ? 1 : share > IOQQ_BATCH ? IOQQ_BATCH : share;
}

/** Whether a popped item is STOP; replays it if so. */
static bool lane_check_stop(struct ioq_lane *lane, void *item) {
	if (item == STOP) {
		lane->stopped = true;
		ioqq_push(lane->lanes->pending, STOP);
	}
	return item == STOP;
}

/** Pop an entry and run it. Returns whether there was anything. */
static bool lane_run_one(struct ioq_lane *lane, bool block) {
	void *item = ioqq_pop(lane->lanes->pending, block);
	if (item && !lane_check_stop(lane, item)) {
		lane_perform(lane, item);
	}
	return item;
}

/** The synchronous loop. */
static void lane_run(struct ioq_lane *lane) {
	while (!lane->stopped) {
		lane_run_one(lane, true);
	}
}

/** Lie down if there are more spares than are welcome. Returns whether it did. */
static bool lane_retire(struct ioq_lanes *lanes) {
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
static void lane_run_spare(struct ioq_lane *lane) {
	struct ioq_lanes *lanes = lane->lanes;
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
			while (!lane->stopped && !retired && ioqq_count(lanes->pending) > 0 && lane_run_one(lane, false)) {
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
		} while (ioqq_count(lanes->pending) > 0);
	}
}

/** Remember an entry as in flight in the lane's ring. */
static void lane_remember(struct ioq_lane *lane, struct ioq_entry *entry) {
	for (size_t i = 0; i < RING_ENTRIES; ++i) {
		if (!lane->in_flight[i]) {
			lane->in_flight[i] = entry;
			return;
		}
	}
}

/** And forget it. */
static void lane_forget(struct ioq_lane *lane, const struct ioq_entry *entry) {
	for (size_t i = 0; i < RING_ENTRIES; ++i) {
		if (lane->in_flight[i] == entry) {
			lane->in_flight[i] = NULL;
			return;
		}
	}
}

/** Start an entry on the lane's ring, or run it here if that cannot be. */
static void lane_start(struct ioq_lane *lane, struct ioq_entry *entry) {
	if (!ioq_entry_is_cancelled(entry)
			&& ring_has(&lane->ring, entry->op)
			&& ring_takes(&lane->ring, entry)
			&& ioq_entry_reserve(entry) == 0) {
		entry->lane = IOQ_LANE_WORKER_RING;
		if (ring_prepare(&lane->ring, entry)) {
			lane_remember(lane, entry);
			return;
		}
	}
	// What was prepared must not wait for a system call. An error shows again
	if (io_uring_sq_ready(&lane->ring.uring) > 0) {
		ring_submit(&lane->ring, 0);
	}
	lane_perform(lane, entry);
}

/** Give up the lane's ring: what it never saw is queued again, the rest fails. */
static void lane_lose_ring(struct ioq_lane *lane, int error) {
	struct ioq_entry *unsubmitted;
	ring_die(&lane->ring, error, &unsubmitted);
	struct ioq_entry *done;
	while ((done = ring_reap(&lane->ring))) {
		lane_forget(lane, done);
		lane_publish(lane, done);
	}
	// Any of them may block, so they are left to whichever lane is free. There is
	// room, since they came from there, and we look into the queue ourselves next
	while (unsubmitted) {
		struct ioq_entry *entry = unsubmitted;
		unsubmitted = entry->next;
		lane_forget(lane, entry);
		ioqq_push(lane->lanes->pending, entry);
	}
	for (size_t i = 0; i < RING_ENTRIES; ++i) {
		struct ioq_entry *entry = lane->in_flight[i];
		if (entry) {
			lane->in_flight[i] = NULL;
			ioq_entry_abandon(entry);
			entry->result = -error;
			lane_publish(lane, entry);
		}
	}
}

/** Ask the kernel to cancel what was cancelled while in flight. */
static void lane_cancel(struct ioq_lane *lane) {
	for (size_t i = 0; i < RING_ENTRIES; ++i) {
		struct ioq_entry *entry = lane->in_flight[i];
		if (entry && ioq_entry_is_cancelled(entry) && !ring_prepare_cancel(&lane->ring, entry)) {
			// No room: once more in the next round, after a submission
			atomic_store_explicit(&lane->cancels, true, memory_order_relaxed);
		}
	}
}

/** Whether there is anything to be done before sleeping in the ring. */
static bool lane_has_news(struct ioq_lane *lane) {
	bool room = !lane->stopped && lane->ring.in_flight < RING_ENTRIES;
	return (room && ioqq_count(lane->lanes->pending) > 0)
		|| atomic_load_explicit(&lane->cancels, memory_order_acquire);
}

/** The loop of a lane with a ring; returns when the ring is lost or at STOP. */
static void lane_run_ring(struct ioq_lane *lane) {
	while (lane->ring.live && (!lane->stopped || lane->ring.in_flight > 0)) {
		struct ioqq *pending = lane->lanes->pending;
		size_t share = lane_share(lane);
		bool fresh = false;
		for (size_t i = 0; i < share && !lane->stopped && lane->ring.in_flight < RING_ENTRIES; ++i) {
			bool block = i == 0 && lane->ring.in_flight == 0;
			void *item = block || ioqq_count(pending) > 0 ? ioqq_pop(pending, block) : NULL;
			if (item && !lane_check_stop(lane, item)) {
				lane_start(lane, item);
				fresh = true;
			}
		}
		if (atomic_exchange_explicit(&lane->cancels, false, memory_order_acquire)) {
			lane_cancel(lane);
			fresh = true;
		}

		// Wait only if there is nothing else to do
		unsigned int wait = 0;
		if (!fresh && lane->ring.in_flight > 0) {
			uint64_t count;
			if (lane->polling && read(lane->wake_fd, &count, sizeof(count)) > 0) {
				lane->polling = false;
			}
			lane->polling = lane->polling || ring_prepare_poll(&lane->ring, lane->wake_fd);
			atomic_exchange_explicit(&lane->sleeping, true, memory_order_acq_rel);
			wait = lane->polling && !lane_has_news(lane);
		}
		int ret = ring_submit(&lane->ring, wait);
		atomic_store_explicit(&lane->sleeping, false, memory_order_relaxed);
		if (ret < 0) {
			lane_lose_ring(lane, -ret);
			return;
		}

		struct ioq_entry *entry;
		while ((entry = ring_reap(&lane->ring))) {
			lane_forget(lane, entry);
			lane_publish(lane, entry);
		}
	}
}

/** A lane's thread. */
static void *lane_main(void *arg) {
	struct ioq_lane *lane = arg;
	struct ioq_lanes *lanes = lane->lanes;
	interrupt_accept();

	if (lane->spare) {
		lane_run_spare(lane);
		return NULL;
	}
	if (lanes->want_rings) {
		lane->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (lane->wake_fd >= 0) {
			ring_open(&lane->ring, RING_ENTRIES, 4 * RING_ENTRIES, -1, false);
		}
	}
	lane->has_ring = lane->ring.live;
	sem_post(&lanes->started);

	if (lane->has_ring) {
		lane_run_ring(lane);
		ring_close(&lane->ring);
	}
	lane_run(lane);
	return NULL;
}

/** Start one lane. Returns 0 or an errno. */
static int lane_create(struct ioq_lanes *lanes, unsigned int index, bool spare) {
	struct ioq_lane *lane = &lanes->lanes[index];
	lane->lanes = lanes;
	lane->spare = spare;
	lane->wake_fd = -1;

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

struct ioq_lanes *lanes_start(size_t depth, unsigned int count, bool rings, int wake_fd) {
	size_t bytes = sizeof(struct ioq_lanes) + count * sizeof(struct ioq_lane);
	bytes = (bytes + IOQ_CACHE_LINE - 1) & ~((size_t)IOQ_CACHE_LINE - 1);
	struct ioq_lanes *lanes = calloc(1, bytes);
	if (!lanes) {
		return NULL;
	}
	unsigned int cpus = count_cpus();
	lanes->wanted = count;
	lanes->primaries = cpus <= 1 ? 1 : cpus - 1 < count ? cpus - 1 : count;
	lanes->quick_spares = cpus > lanes->primaries ? 1 : 0;
	lanes->want_rings = rings;
	interrupt_acquire();
	sem_init(&lanes->started, 0, 0);
	sem_init(&lanes->boost, 0, 0);

	int error = ENOMEM;
	lanes->pending = ioqq_create(depth + 1, -1); // and STOP
	lanes->ready = ioqq_create(depth, wake_fd);
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
	for (unsigned int i = 0; i < lanes->count; ++i) {
		while (sem_wait(&lanes->started) != 0) {
			// EINTR
		}
	}
	// Only now, because whose post it was a semaphore does not say
	for (unsigned int i = 0; i < lanes->count; ++i) {
		lanes->rings += lanes->lanes[i].has_ring;
	}
	return lanes;

fail:
	lanes_stop(lanes);
	errno = error;
	return NULL;
}

void lanes_stop(struct ioq_lanes *lanes) {
	if (!lanes) {
		return;
	}
	if (lanes->count > 0) {
		ioqq_push(lanes->pending, STOP);
	}
	atomic_store_explicit(&lanes->stop_spares, true, memory_order_release);
	for (unsigned int i = 0; i < lanes->count; ++i) {
		if (lanes->lanes[i].spare) {
			sem_post(&lanes->boost);
		}
	}
	for (unsigned int i = 0; i < lanes->count; ++i) {
		struct ioq_lane *lane = &lanes->lanes[i];
		pthread_join(lane->thread, NULL);
		ioq_scratch_release(&lane->scratch);
		if (lane->wake_fd >= 0) {
			close(lane->wake_fd);
		}
	}
	ioqq_destroy(lanes->pending);
	ioqq_destroy(lanes->ready);
	sem_destroy(&lanes->started);
	sem_destroy(&lanes->boost);
	interrupt_release();
	free(lanes);
}

unsigned int lanes_count(const struct ioq_lanes *lanes) {
	return lanes->wanted;
}

/**
 * How many spares may be up: one for the owner's processor, or all if requests keep
 * lanes busy for longer than they would in memory.
 */
static size_t lanes_welcome(struct ioq_lanes *lanes, unsigned int idle) {
	int64_t now = ioq_clock_now(IOQ_CLOCK_MONOTONIC);
	size_t reaped = lanes->reaped;
	int64_t elapsed = now - lanes->looked_at;
	bool first = lanes->looked_at == 0;
	lanes->reaped = 0;
	lanes->looked_at = now;
	int64_t up = lanes->primaries + atomic_load_explicit(&lanes->spares, memory_order_relaxed) - idle;
	bool quick = first || elapsed * up < QUICK * (int64_t)reaped;
	return quick ? lanes->quick_spares : IOQ_LANES_MAX;
}

bool lanes_boost(struct ioq_lanes *lanes) {
	size_t needed = ioqq_count(lanes->pending);
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

unsigned int lanes_rings(const struct ioq_lanes *lanes) {
	return lanes->rings;
}

/** Have one lane that sleeps in its ring look around. */
static bool lane_wake(struct ioq_lane *lane) {
	if (!atomic_exchange_explicit(&lane->sleeping, false, memory_order_acq_rel)) {
		return false;
	}
	uint64_t one = 1;
	return write(lane->wake_fd, &one, sizeof(one)) == sizeof(one);
}

void lanes_push(struct ioq_lanes *lanes, struct ioq_entry *const entries[], size_t count) {
	ioqq_push_batch(lanes->pending, (void *const *)entries, count);
	if (lanes->rings == 0) {
		return;
	}
	// As many sleepers as there are entries: each will take a share
	for (unsigned int i = 0; i < lanes->primaries && count > 0; ++i) {
		count -= lane_wake(&lanes->lanes[i]);
	}
}

size_t lanes_backlog(const struct ioq_lanes *lanes) {
	return ioqq_count(lanes->pending);
}

struct ioq_entry *lanes_reap(struct ioq_lanes *lanes) {
	struct ioq_entry *entry = ioqq_try(lanes->ready);
	lanes->reaped += entry != NULL;
	return entry;
}

bool lanes_arm(struct ioq_lanes *lanes) {
	return ioqq_arm(lanes->ready);
}

void lanes_interrupt(struct ioq_lanes *lanes) {
	for (unsigned int i = 0; i < lanes->count; ++i) {
		struct ioq_lane *lane = &lanes->lanes[i];
		struct ioq_entry *entry = atomic_load_explicit(&lane->running, memory_order_relaxed);
		if (entry && ioq_entry_is_cancelled(entry)) {
			interrupt_thread(lane->thread);
		}
	}
}

void lanes_cancel(struct ioq_lanes *lanes) {
	for (unsigned int i = 0; lanes->rings > 0 && i < lanes->primaries; ++i) {
		atomic_store_explicit(&lanes->lanes[i].cancels, true, memory_order_release);
		lane_wake(&lanes->lanes[i]);
	}
}
