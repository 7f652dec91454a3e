// Copyright 2026 the ioq authors. MIT license.

/**
 * Worker lanes
 * ============
 *
 *     owner ──push──▶ backlog ──pop──▶ lane 0 ──push──▶ ready ──try──▶ owner
 *                             ──pop──▶ lane 1 ──push──▶
 *                                ...
 *
 * A lane runs one request after the other, by plain system calls. (Rings of their
 * own made lanes slower on what is cached.) Each completion is published as soon as it
 * is there, and a lane claims no request before it can run it.
 *
 * Lanes start when there is something to do. Those with nothing to do lie on a stack:
 * who ran last, and has its memory cached, runs next.
 *
 * As many as pay: while operations find all they need in memory, one lane fewer than
 * there are processors is best, because the owner's thread wants one as well; more only
 * take turns on the same processors (cached stats on two of them: 1.2 µs each with one
 * lane, 2.0 with two). While the owner waits, one more has its processor. Operations
 * that wait for a disk or a server are another matter: each holds its lane up, and so
 * many can be held up as there is memory for. A queue's length tells neither from the
 * other, nor does the time that a request takes. So while requests wait that no lane
 * takes, a thread of its own looks once in a millisecond (the watch):
 *
 *     lanes on a processor for less than a quarter of the time    four times as many,
 *                                                                 and then all
 *                          for less than half                     twice as many,
 *                                                                 if they sleep
 *     operations that did not give up their processor             as few as at first
 *
 * The last is what lanes tell while there are many of them: a thread that waits leaves
 * its processor of its own accord, one whose processor somebody else uses does not. An
 * operation that waited counts by the time that it took, so that a few slow ones among
 * many quick ones keep the lanes that they hold up. Where operations are quick although
 * they leave their processors, a lock may be what they wait for: then more lanes must
 * complete more than before, or they go again. Lanes beyond what is allowed lie down
 * after their request.
 */

#include "lanes/lane.h"

#include "calls/calls.h"
#include "lanes/interrupt.h"
#include "lanes/processors.h"
#include "ops.h"
#include "waits/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/** Bytes of a lane's stack: nothing here keeps much on it, and trees recurse for so many levels only. */
#define STACK_LENGTH (512 * 1024)
/** Nanoseconds between two looks of the watch. */
#define LOOK_EVERY 1000000
/** Looks without a backlog after which the watch sleeps, and lanes are as few as at first. */
#define LOOKS_QUIET 8
/** Looks after which more lanes are tried again that did not pay. */
#define LOOKS_HELD 50
#define LOOKS_HELD_MAX 1600
/** Completions from which on their rate can be held against that of more lanes. */
#define TELLING 8
/** Lanes that are asked whether they wait. */
#define SLEEPERS 4
/** Looks, at the least, over which that rate is taken. */
#define LOOKS_TRIED 2
/** Operations that tell whether they wait, and how often in a row they have to say no. */
#define SAMPLE 32
/** One of so many is timed, which takes some system calls. */
#define TIMED_OF 4
#define QUICK_SAMPLES 2
/** Nanoseconds after which descriptors may have become free, and how often that is tried. */
#define FULL_REST 500000
#define FULL_TRIES 4000
/** Rounds of waiting for a request before lying down: a few microseconds. */
#define SPIN_ROUNDS 7

#if defined(__x86_64__) || defined(__i386__)
#  define spin_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#  define spin_pause() __asm__ volatile("yield")
#else
#  define spin_pause() ((void)0)
#endif

struct lane {
	/** Its fellows. */
	struct lanes *lanes;
	/** Its thread. */
	pthread_t thread;
	/** What its processor time is told by. */
	clockid_t clock;
	/** What the system calls it, once it runs. */
	atomic_int tid;
	/** Posted to have it get up. */
	sem_t called;
	/** The next one on the stack, while it lies there. */
	struct lane *below;
	/** Whether it is up. */
	atomic_bool up;
	/** The entry that it runs or NULL. */
	struct entry *_Atomic running;
	/** Operations while there were many lanes. */
	unsigned int tried;
	/** Operations that it timed, how long they took, and of that those that waited. */
	_Atomic uint64_t timed;
	_Atomic int64_t took;
	_Atomic int64_t waited;
	/** Its processor time when the watch looked last, and whether it was up. */
	int64_t used;
	bool was_up;
	/** For reading directories. */
	struct scratch scratch;
};

/** What is known of operations. */
enum pace {
	/** Nothing yet: a queue may be long because of either. */
	PACE_UNKNOWN,
	/** They find all they need in memory. */
	PACE_QUICK,
	/** They wait, and more lanes are allowed. */
	PACE_SLOW,
};

/** Looks since the number of lanes changed. */
struct stretch {
	/** How many. */
	unsigned int looks;
	/** Nanoseconds. */
	int64_t elapsed;
	/** Nanoseconds on processors, of all lanes. */
	int64_t used;
	/** Completions. */
	unsigned long completed;
};

/** Operations that were timed, how long they took, and of that those that waited. */
struct sample {
	uint64_t timed;
	int64_t took;
	int64_t waited;
};

struct lanes {
	/** Completions. */
	struct slots *ready;
	/** The most lanes. */
	unsigned int bound;
	/** Lanes that may be up while requests are quick, and the owner works. */
	unsigned int base;
	/** One more if its processor is free. */
	unsigned int quick_spares;
	/** Requests that wait, for whoever only wants to know. */
	atomic_size_t waiting;
	/** Lanes that started: those are complete. */
	atomic_uint count;
	/** Requests that were completed. */
	atomic_ulong completed;
	/** Lanes that have descriptors of their own as long as their request takes. */
	atomic_uint holding;
	/** What is known of the operations: a pace. */
	atomic_int pace;

	/** Guards what follows. */
	pthread_mutex_t mutex;
	/** The first request. */
	struct entry *first;
	/** Where the next one goes. */
	struct entry **last;
	/** Lanes that lie down. */
	struct lane *stack;
	/** Lanes that are up, or called. */
	unsigned int up;
	/** How many may be. */
	unsigned int allowed;
	/** Lanes that started. */
	unsigned int started;
	/** Whether somebody starts one. */
	bool starts;
	/** Whether all is to end. */
	bool stops;
	/** Whether the watch looks. */
	bool watching;
	/** Whether it was started. */
	bool has_watch;
	/** Its thread. */
	pthread_t watch;
	/** What it sleeps on. */
	pthread_cond_t look;

	/** The watch's own: looks without a backlog. */
	unsigned int quiet;
	/** Looks until more lanes may be tried that did not pay. */
	unsigned int held;
	/** How many that are the next time: the more often it was in vain, the more. */
	unsigned int hold;
	/** Whether they may be at once if all lanes are off their processors. */
	bool held_lightly;
	/** When it looked last. */
	int64_t looked_at;
	/** What was completed then. */
	unsigned long completed_before;
	/** Since the number of lanes changed: time, what was used of processors, what was completed. */
	struct stretch stretch;
	/** Lanes before more were tried, or 0. */
	unsigned int tried_from;
	/** What those completed, per second. */
	double rate_before;
	/** What all lanes together have told of operations, and had told at the last sample. */
	struct sample told, sampled;
	/** Samples in a row of operations that did not wait. */
	unsigned int quick_samples;

	/** The lanes. */
	struct lane lanes[];
};

/** How often this thread has left its processor to wait for something. */
static long count_waits(void) {
	struct rusage usage;
	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

/** Run an entry, and tell whether that took waiting. */
static void lane_time(struct lane *lane, struct entry *entry) {
	int64_t begun = clock_now(IOQ_CLOCK_MONOTONIC);
	long waits = count_waits();
	perform(entry, &lane->scratch);
	int64_t took = clock_now(IOQ_CLOCK_MONOTONIC) - begun;
	// Only this thread writes these
	if (count_waits() != waits) {
		atomic_fetch_add_explicit(&lane->waited, took, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&lane->took, took, memory_order_relaxed);
	atomic_fetch_add_explicit(&lane->timed, 1, memory_order_relaxed);
}

/** Run an entry by system calls, once. */
static void lane_try(struct lane *lane, struct entry *entry) {
	if (lanes_are_slow(lane->lanes) && lane->tried++ % TIMED_OF == 0) {
		lane_time(lane, entry);
	} else {
		perform(entry, &lane->scratch);
	}
}

/** Run an entry that has descriptors of its own meanwhile. */
static void lane_hold(struct lane *lane, struct entry *entry) {
	atomic_fetch_add_explicit(&lane->lanes->holding, 1, memory_order_relaxed);
	lane_try(lane, entry);
	atomic_fetch_sub_explicit(&lane->lanes->holding, 1, memory_order_relaxed);
}

/**
 * Run an entry by system calls, here and now. If the process has as many descriptors as it
 * may, and other lanes have some of them for as long as their requests take, it waits for
 * those: before there is a descriptor nothing was done, unless the request says so.
 */
static void lane_perform(struct lane *lane, struct entry *entry) {
	struct lanes *lanes = lane->lanes;
	entry->lane = IOQ_LANE_WORKER;
	// Whether the owner sees this in time does not matter, since it looks again
	atomic_store_explicit(&lane->running, entry, memory_order_relaxed);
	void (*run)(struct lane *, struct entry *) = ops[entry->op].holds ? lane_hold : lane_try;
	run(lane, entry);
	for (unsigned int i = 0; i < FULL_TRIES && entry->result == -EMFILE && !entry->waits_for
			&& entry->retries != UINT8_MAX; ++i) {
		bool others = lanes_hold(lanes);
		struct timespec rest = {.tv_nsec = FULL_REST};
		nanosleep(&rest, NULL);
		// Those that were the last to hold any may have ended meanwhile
		run(lane, entry);
		if (!others) {
			break;
		}
	}
	atomic_store_explicit(&lane->running, NULL, memory_order_relaxed);
	atomic_fetch_add_explicit(&lane->lanes->completed, 1, memory_order_relaxed);
	slots_push(lane->lanes->ready, entry);
}

/** Lanes that what is quick has at the most. */
static unsigned int lanes_least(const struct lanes *lanes) {
	return lanes->base + lanes->quick_spares;
}

/** Say how many lanes may be up. The mutex is held. */
static void lanes_allow(struct lanes *lanes, unsigned int allowed) {
	if (allowed > lanes_least(lanes)) {
		atomic_store_explicit(&lanes->pace, PACE_SLOW, memory_order_relaxed);
	} else if (lanes_are_slow(lanes)) {
		atomic_store_explicit(&lanes->pace, PACE_UNKNOWN, memory_order_relaxed);
	}
	lanes->allowed = allowed;
}

/** Wait a little for a request, since to lie down and get up takes longer. */
static void lane_spin(const struct lanes *lanes) {
	for (unsigned int round = 0; round < SPIN_ROUNDS; ++round) {
		for (unsigned int i = 0; i < 1u << round; ++i) {
			spin_pause();
		}
		if (atomic_load_explicit(&lanes->waiting, memory_order_relaxed) > 0) {
			break;
		}
	}
}

/** Take the first request out of the backlog. */
static struct entry *lanes_pop(struct lanes *lanes) {
	struct entry *entry = lanes->first;
	lanes->first = entry->next;
	if (!lanes->first) {
		lanes->last = &lanes->first;
	}
	atomic_fetch_sub_explicit(&lanes->waiting, 1, memory_order_relaxed);
	return entry;
}

/** A lane's thread. */
static void *lane_main(void *arg) {
	struct lane *lane = arg;
	struct lanes *lanes = lane->lanes;
	interrupt_accept();
	atomic_store_explicit(&lane->tid, gettid(), memory_order_relaxed);
	bool spun = false;
	pthread_mutex_lock(&lanes->mutex);
	while (!lanes->stops) {
		if (lanes->first && lanes->up <= lanes->allowed) {
			struct entry *entry = lanes_pop(lanes);
			pthread_mutex_unlock(&lanes->mutex);
			lane_perform(lane, entry);
			spun = false;
			pthread_mutex_lock(&lanes->mutex);
		} else if (!spun && lanes->up <= lanes->allowed) {
			pthread_mutex_unlock(&lanes->mutex);
			lane_spin(lanes);
			spun = true;
			pthread_mutex_lock(&lanes->mutex);
		} else {
			lane->below = lanes->stack;
			lanes->stack = lane;
			--lanes->up;
			atomic_store_explicit(&lane->up, false, memory_order_relaxed);
			pthread_mutex_unlock(&lanes->mutex);
			while (sem_wait(&lane->called) != 0) {
				// EINTR
			}
			spun = false;
			pthread_mutex_lock(&lanes->mutex);
		}
	}
	pthread_mutex_unlock(&lanes->mutex);
	return NULL;
}

/** Start a thread that no signal of JavaScript's goes to. Returns 0 or an errno. */
static int start_thread(pthread_t *thread, void *(*function)(void *), void *argument) {
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_LENGTH);
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int ret = pthread_create(thread, &attr, function, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

/** Start one more lane, which is up. Returns 0 or an errno. */
static int lane_create(struct lanes *lanes, struct lane *lane, unsigned int index) {
	lane->lanes = lanes;
	atomic_store_explicit(&lane->up, true, memory_order_relaxed);
	sem_init(&lane->called, 0, 0);
	int ret = start_thread(&lane->thread, lane_main, lane);
	if (ret != 0) {
		sem_destroy(&lane->called);
		return ret;
	}
	if (pthread_getcpuclockid(lane->thread, &lane->clock) != 0) {
		// Then it counts as waiting
		lane->clock = (clockid_t)-1;
	}
	char name[16];
	snprintf(name, sizeof(name), "ioq-%u", index);
	pthread_setname_np(lane->thread, name);
	return 0;
}

/**
 * Start one more lane. The mutex is held, and let go of meanwhile: a thread takes longer
 * to start than anyone may be held up. Returns 0 or an errno.
 */
static int lanes_add(struct lanes *lanes) {
	unsigned int index = lanes->started;
	lanes->starts = true;
	++lanes->up;
	pthread_mutex_unlock(&lanes->mutex);
	int ret = lane_create(lanes, &lanes->lanes[index], index);
	pthread_mutex_lock(&lanes->mutex);
	lanes->starts = false;
	if (ret == 0) {
		++lanes->started;
		atomic_store_explicit(&lanes->count, lanes->started, memory_order_release);
	} else {
		--lanes->up;
	}
	return ret;
}

/** Have the next lane on the stack get up, if there is one. The mutex is held. */
static struct lane *lanes_call(struct lanes *lanes) {
	struct lane *lane = lanes->stack;
	if (lane) {
		lanes->stack = lane->below;
		++lanes->up;
		atomic_store_explicit(&lane->up, true, memory_order_relaxed);
	}
	return lane;
}

/**
 * Have as many lanes get up as there are requests for, and are allowed; if there are
 * fewer than `most`, start some. The mutex is held, and let go of.
 */
static void lanes_call_unlock(struct lanes *lanes, size_t wanted, unsigned int most) {
	struct lane *called = NULL, *lane;
	while (wanted > 0 && lanes->up < lanes->allowed && (lane = lanes_call(lanes))) {
		lane->below = called;
		called = lane;
		--wanted;
	}
	// One that cannot be had is no loss while there are others
	while (wanted > 0 && lanes->first && lanes->up < lanes->allowed && lanes->started < most && !lanes->starts
			&& lanes_add(lanes) == 0) {
		--wanted;
	}
	pthread_mutex_unlock(&lanes->mutex);
	while (called) {
		lane = called;
		called = lane->below;
		sem_post(&lane->called);
	}
}

/** What a lane's thread has used of a processor so far, in nanoseconds. */
static int64_t lane_used(const struct lane *lane) {
	struct timespec used;
	if (lane->clock == (clockid_t)-1 || clock_gettime(lane->clock, &used) != 0) {
		return 0;
	}
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/**
 * How many lanes were up between two looks, and for how long on a processor. What they
 * told of operations is summed up as well.
 *
 * @param looks
 *         Whether to look at the lanes: where there can be no more of them, it does not matter.
 */
static unsigned int watch_sum(struct lanes *lanes, bool looks, int64_t *used) {
	unsigned int busy = 0;
	unsigned int count = atomic_load_explicit(&lanes->count, memory_order_acquire);
	*used = 0;
	lanes->told = (struct sample) {0};
	for (unsigned int i = 0; i < count; ++i) {
		struct lane *lane = &lanes->lanes[i];
		lanes->told.timed += atomic_load_explicit(&lane->timed, memory_order_relaxed);
		lanes->told.took += atomic_load_explicit(&lane->took, memory_order_relaxed);
		lanes->told.waited += atomic_load_explicit(&lane->waited, memory_order_relaxed);
		bool up = atomic_load_explicit(&lane->up, memory_order_relaxed) && looks;
		if (!up && !lane->was_up) {
			continue;
		}
		if (!looks) {
			lane->was_up = false;
			continue;
		}
		int64_t now = lane_used(lane);
		if (up && lane->was_up) {
			*used += now - lane->used;
			++busy;
		}
		lane->used = now;
		lane->was_up = up;
	}
	return busy;
}

/** Say how many lanes may be up from now on. The mutex is held. */
static void watch_allow(struct lanes *lanes, unsigned int allowed) {
	lanes_allow(lanes, allowed);
	lanes->stretch = (struct stretch) {0};
}

/** Whether what many lanes do is quick: it did not wait when it was looked at several times. */
static bool watch_finds_quick(struct lanes *lanes) {
	int64_t took = lanes->told.took - lanes->sampled.took;
	int64_t waited = lanes->told.waited - lanes->sampled.waited;
	if (lanes->told.timed - lanes->sampled.timed < SAMPLE) {
		return false;
	}
	lanes->sampled = lanes->told;
	lanes->quick_samples = 2 * waited < took ? lanes->quick_samples + 1 : 0;
	return lanes->quick_samples >= QUICK_SAMPLES;
}

/** Whether lanes that were tried pay, or nobody can tell, or will not yet. The mutex is held. */
static void watch_judge(struct lanes *lanes) {
	// Each lane has to have had something to complete
	if (lanes->tried_from == 0 || lanes->stretch.looks < LOOKS_TRIED || lanes->stretch.completed < lanes->up) {
		return;
	}
	unsigned int from = lanes->tried_from;
	lanes->tried_from = 0;
	double rate = (double)lanes->stretch.completed * 1e9 / (double)lanes->stretch.elapsed;
	if (rate < 1.2 * lanes->rate_before) {
		watch_allow(lanes, from);
		lanes->hold = lanes->hold < LOOKS_HELD_MAX ? 2 * lanes->hold : LOOKS_HELD_MAX;
		lanes->held = lanes->hold;
		lanes->held_lightly = false;
	}
}

/** Whether a lane waits, rather than for a processor: its thread sleeps. */
static bool lane_sleeps(const struct lane *lane) {
	char path[64], text[256];
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load_explicit(&lane->tid, memory_order_relaxed));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0) {
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	// The name comes before, in brackets
	const char *state = strrchr(text, ')');
	// Where that is not told, those that are off their processors wait
	return !state || strncmp(state, ") R", 3) != 0;
}

/**
 * Whether lanes wait in what they do. Where others use the processors, lanes are off
 * them as well, and more of those would only take turns with each other.
 */
static bool watch_finds_sleep(const struct lanes *lanes) {
	unsigned int seen = 0, sleep = 0;
	unsigned int count = atomic_load_explicit(&lanes->count, memory_order_acquire);
	for (unsigned int i = 0; i < count && seen < SLEEPERS; ++i) {
		const struct lane *lane = &lanes->lanes[i];
		if (atomic_load_explicit(&lane->running, memory_order_relaxed)) {
			++seen;
			sleep += lane_sleeps(lane);
		}
	}
	return seen > 0 && 2 * sleep >= seen;
}

/** Allow more lanes, if those that there are are held up. The mutex is held. */
static void watch_grow(struct lanes *lanes, unsigned int busy, int64_t used, int64_t elapsed) {
	size_t waiting = atomic_load_explicit(&lanes->waiting, memory_order_relaxed);
	int64_t all = elapsed * busy;
	const struct stretch *stretch = &lanes->stretch;
	// With as many processors in use as there are for lanes, more of them are no help
	bool full = 4 * stretch->used > 3 * stretch->elapsed * lanes->base;
	bool held = lanes->held > 0 && !(lanes->held_lightly && 8 * used < all);
	if (waiting == 0 || lanes->up < lanes->allowed || 2 * used >= all || full || held) {
		return;
	}
	// Few are tried first, in case that this was chance
	bool many = lanes->up > 2 * lanes_least(lanes);
	size_t more = 4 * used >= all ? lanes->up : many ? lanes->bound : 3 * lanes->up;
	more = waiting < more ? waiting : more;
	unsigned int allowed = more < lanes->bound - lanes->up ? lanes->up + (unsigned int)more : lanes->bound;
	if (allowed <= lanes->allowed || !watch_finds_sleep(lanes)) {
		return;
	}
	// What takes longer than a look does not wait for a lock that others give up soon
	bool telling = stretch->completed >= TELLING && stretch->completed >= (unsigned long)busy * stretch->looks;
	if (lanes->tried_from == 0 && telling) {
		lanes->tried_from = lanes->allowed;
		lanes->rate_before = (double)stretch->completed * 1e9 / (double)stretch->elapsed;
	}
	watch_allow(lanes, allowed);
}

/** Decide how many lanes may be up. The mutex is held. */
static void watch_decide(struct lanes *lanes, unsigned int busy, int64_t used, int64_t elapsed) {
	lanes->held -= lanes->held > 0;
	if (lanes_are_slow(lanes)) {
		if (watch_finds_quick(lanes)) {
			lanes->tried_from = 0;
			watch_allow(lanes, lanes_least(lanes));
			atomic_store_explicit(&lanes->pace, PACE_QUICK, memory_order_relaxed);
			lanes->held = LOOKS_HELD;
			lanes->held_lightly = true;
			return;
		}
	} else {
		lanes->sampled = lanes->told;
		lanes->quick_samples = 0;
		if (busy > 0 && 2 * used >= elapsed * busy) {
			atomic_store_explicit(&lanes->pace, PACE_QUICK, memory_order_relaxed);
		}
	}
	watch_judge(lanes);
	if (busy > 0) {
		watch_grow(lanes, busy, used, elapsed);
	}
}

/** Look at lanes that so far nobody looked at. */
static void watch_begin(struct lanes *lanes) {
	int64_t used;
	watch_sum(lanes, true, &used);
	lanes->quiet = 0;
	lanes->held = 0;
	lanes->hold = LOOKS_HELD;
	lanes->tried_from = 0;
	lanes->sampled = lanes->told;
	lanes->quick_samples = 0;
	lanes->stretch = (struct stretch) {0};
	lanes->looked_at = clock_now(IOQ_CLOCK_MONOTONIC);
	lanes->completed_before = atomic_load_explicit(&lanes->completed, memory_order_relaxed);
}

/** Look once. The mutex is held, and held again afterwards. */
static void watch_look(struct lanes *lanes) {
	bool looks = lanes->allowed < lanes->bound;
	pthread_mutex_unlock(&lanes->mutex);
	int64_t now = clock_now(IOQ_CLOCK_MONOTONIC);
	int64_t used;
	unsigned int busy = watch_sum(lanes, looks, &used);
	unsigned long completed = atomic_load_explicit(&lanes->completed, memory_order_relaxed);
	int64_t elapsed = now - lanes->looked_at;
	elapsed = elapsed > 0 ? elapsed : 1;
	if (atomic_load_explicit(&lanes->waiting, memory_order_relaxed) > 0) {
		// Otherwise it is not the lanes that tell how much is completed
		++lanes->stretch.looks;
		lanes->stretch.elapsed += elapsed;
		lanes->stretch.used += used;
		lanes->stretch.completed += completed - lanes->completed_before;
	}
	lanes->completed_before = completed;
	lanes->looked_at = now;

	pthread_mutex_lock(&lanes->mutex);
	if (atomic_load_explicit(&lanes->waiting, memory_order_relaxed) == 0 && lanes->up <= lanes->base) {
		lanes->tried_from = 0;
		if (++lanes->quiet == LOOKS_QUIET) {
			lanes->watching = false;
			lanes_allow(lanes, lanes->base);
			atomic_store_explicit(&lanes->pace, PACE_UNKNOWN, memory_order_relaxed);
		}
		return;
	}
	lanes->quiet = 0;
	watch_decide(lanes, busy, used, elapsed);
	lanes_call_unlock(lanes, atomic_load_explicit(&lanes->waiting, memory_order_relaxed), lanes->bound);
	pthread_mutex_lock(&lanes->mutex);
}

/** The watch's thread. */
static void *watch_main(void *arg) {
	struct lanes *lanes = arg;
	pthread_mutex_lock(&lanes->mutex);
	watch_begin(lanes);
	while (!lanes->stops) {
		if (!lanes->watching) {
			pthread_cond_wait(&lanes->look, &lanes->mutex);
			watch_begin(lanes);
			continue;
		}
		int64_t at = clock_now(IOQ_CLOCK_MONOTONIC) + LOOK_EVERY;
		struct timespec until = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000};
		while (!lanes->stops && pthread_cond_timedwait(&lanes->look, &lanes->mutex, &until) != ETIMEDOUT) {
			// Only the end comes before its time
		}
		if (!lanes->stops) {
			watch_look(lanes);
		}
	}
	pthread_mutex_unlock(&lanes->mutex);
	return NULL;
}

/** Requests wait that no lane takes: have somebody look why. The mutex is held. */
static void lanes_watch(struct lanes *lanes) {
	if (lanes->watching || lanes->allowed == lanes->bound) {
		return;
	}
	if (!lanes->has_watch) {
		// Without it the lanes that there are go on
		lanes->has_watch = start_thread(&lanes->watch, watch_main, lanes) == 0;
		if (lanes->has_watch) {
			pthread_setname_np(lanes->watch, "ioq-watch");
		}
	}
	lanes->watching = lanes->has_watch;
	pthread_cond_signal(&lanes->look);
}

struct lanes *lanes_start(size_t depth, unsigned int count, int wake_fd) {
	size_t bytes = sizeof(struct lanes) + count * sizeof(struct lane);
	struct lanes *lanes = calloc(1, bytes);
	if (!lanes) {
		return NULL;
	}
	unsigned int cpus = count_processors();
	lanes->bound = count;
	lanes->base = cpus <= 1 ? 1 : cpus - 1 < count ? cpus - 1 : count;
	lanes->quick_spares = cpus > lanes->base && count > lanes->base ? 1 : 0;
	lanes->allowed = lanes->base;
	lanes->last = &lanes->first;
	pthread_mutex_init(&lanes->mutex, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&lanes->look, &attr);
	pthread_condattr_destroy(&attr);
	interrupt_acquire();
	lanes->ready = slots_create(depth, wake_fd);
	if (!lanes->ready) {
		lanes_stop(lanes);
		errno = ENOMEM;
		return NULL;
	}
	return lanes;
}

void lanes_stop(struct lanes *lanes) {
	if (!lanes) {
		return;
	}
	pthread_mutex_lock(&lanes->mutex);
	lanes->stops = true;
	pthread_cond_signal(&lanes->look);
	pthread_mutex_unlock(&lanes->mutex);
	if (lanes->has_watch) {
		pthread_join(lanes->watch, NULL);
	}
	// From here on nobody starts lanes
	for (unsigned int i = 0; i < lanes->started; ++i) {
		sem_post(&lanes->lanes[i].called);
	}
	for (unsigned int i = 0; i < lanes->started; ++i) {
		struct lane *lane = &lanes->lanes[i];
		pthread_join(lane->thread, NULL);
		sem_destroy(&lane->called);
		scratch_release(&lane->scratch);
	}
	slots_destroy(lanes->ready);
	pthread_cond_destroy(&lanes->look);
	pthread_mutex_destroy(&lanes->mutex);
	interrupt_release();
	free(lanes);
}

unsigned int lanes_count(const struct lanes *lanes) {
	return lanes->bound;
}

bool lanes_push(struct lanes *lanes, struct entry *const entries[], size_t count) {
	pthread_mutex_lock(&lanes->mutex);
	if (lanes->started == 0 && lanes_add(lanes) != 0) {
		pthread_mutex_unlock(&lanes->mutex);
		return false;
	}
	if (!lanes->first && lanes->allowed <= lanes_least(lanes)) {
		// Those that stepped in while the owner waited
		lanes_allow(lanes, lanes->base);
	}
	for (size_t i = 0; i < count; ++i) {
		entries[i]->next = NULL;
		*lanes->last = entries[i];
		lanes->last = &entries[i]->next;
	}
	size_t waiting = atomic_fetch_add_explicit(&lanes->waiting, count, memory_order_relaxed) + count;
	unsigned int free_lanes = lanes->allowed - (lanes->up < lanes->allowed ? lanes->up : lanes->allowed);
	if (waiting > free_lanes) {
		lanes_watch(lanes);
	}
	// More than what is quick takes is the watch's to start: that would hold up the owner
	lanes_call_unlock(lanes, waiting, lanes_least(lanes));
	return true;
}

void lanes_boost(struct lanes *lanes) {
	if (atomic_load_explicit(&lanes->waiting, memory_order_relaxed) == 0) {
		return;
	}
	pthread_mutex_lock(&lanes->mutex);
	unsigned int least = lanes_least(lanes);
	lanes_allow(lanes, lanes->allowed > least ? lanes->allowed : least);
	lanes_call_unlock(lanes, atomic_load_explicit(&lanes->waiting, memory_order_relaxed), least);
}

size_t lanes_backlog(const struct lanes *lanes) {
	return atomic_load_explicit(&lanes->waiting, memory_order_relaxed);
}

bool lanes_are_quick(const struct lanes *lanes) {
	// With no more of them to be had nobody looks
	return atomic_load_explicit(&lanes->pace, memory_order_relaxed) == PACE_QUICK
		|| lanes->bound <= lanes_least(lanes);
}

bool lanes_are_slow(const struct lanes *lanes) {
	return atomic_load_explicit(&lanes->pace, memory_order_relaxed) == PACE_SLOW;
}

bool lanes_hold(const struct lanes *lanes) {
	return atomic_load_explicit(&lanes->holding, memory_order_relaxed) > 0;
}

struct entry *lanes_reap(struct lanes *lanes) {
	return slots_try(lanes->ready);
}

bool lanes_arm(struct lanes *lanes) {
	return slots_arm(lanes->ready);
}

void lanes_interrupt(struct lanes *lanes) {
	unsigned int count = atomic_load_explicit(&lanes->count, memory_order_acquire);
	for (unsigned int i = 0; i < count; ++i) {
		struct lane *lane = &lanes->lanes[i];
		struct entry *entry = atomic_load_explicit(&lane->running, memory_order_relaxed);
		if (entry && entry_is_cancelled(entry)) {
			interrupt_thread(lane->thread);
		}
	}
}
