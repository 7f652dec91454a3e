// Copyright 2026 the ioq authors. MIT license.

/**
 * Parking
 * =======
 *
 * A turn never waits. When it has nothing to hand out, and something is in flight,
 * it arms whatever could bring the next completion, and ioq_park() waits for that
 * in another thread, with nothing but a descriptor to poll:
 *
 *     turn: arm ring, lanes, waits, receivers ──▶ "armed" ──▶ park: poll(epoll)
 *             └── one of them has something by now ──▶ "not armed": another turn
 *
 * Arming comes before looking, on both sides, so that neither is missed. It also
 * empties the eventfd: never while a wake-up is pending that nobody has looked for.
 */

#include "queue/turn.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * Calls of this process that may be parked for as long as it takes. Each holds a thread
 * of the runtime's, which has 32 for everything that may block.
 */
#define PARKED_MAX 16
/** Milliseconds that others are parked before they give their thread to the next. */
#define PARKED_MS 5

/** Calls of this process that are parked. */
static atomic_uint parked_calls;

/** Empty the eventfd of writes that are left over from an earlier wait. */
static void drain_wakes(const struct ioq *ioq) {
	uint64_t count;
	ssize_t ret;
	do {
		ret = read(ioq->wake_fd, &count, sizeof(count));
	} while (ret < 0 && errno == EINTR);
}

/** Arm all that may complete something. Returns false if something may be complete. */
static bool arm_all(struct ioq *ioq) {
	if (ioq->lanes) {
		lanes_boost(ioq->lanes);
	}
	// A ring with something left to submit wants another turn
	bool ring = !ioq->ring.live || (ring_arm(&ioq->ring) && !ioq->cancels_owed);
	return ring && !ioq->held_back && waits_arm(&ioq->waits) && receivers_arm(&ioq->receivers, ioq->mailbox)
		&& (!ioq->lanes || lanes_arm(ioq->lanes));
}

bool park_arm(struct ioq *ioq) {
	if (ioq->in_flight == 0) {
		return false;
	}
	drain_wakes(ioq);
	if (!arm_all(ioq)) {
		return false;
	}
	// A call that is parked already stays the only one
	int over = PARK_OVER;
	atomic_compare_exchange_strong(&ioq->park_state, &over, PARK_DUE);
	return true;
}

bool park_is_over(const struct ioq *ioq) {
	return atomic_load(&ioq->park_state) == PARK_OVER;
}

bool park_end(struct ioq *ioq) {
	int due = PARK_DUE;
	return atomic_compare_exchange_strong(&ioq->park_state, &due, PARK_ENDS);
}

/** Guards the list. */
static pthread_mutex_t orphans_mutex = PTHREAD_MUTEX_INITIALIZER;
/** What is left for calls to come, which may be never: the process may end before. */
static struct ioq *orphans;

/** Note what is left for a call. */
static void orphans_add(struct ioq *ioq) {
	pthread_mutex_lock(&orphans_mutex);
	ioq->next_of_thread = orphans;
	orphans = ioq;
	pthread_mutex_unlock(&orphans_mutex);
}

/** It came. */
static void orphans_remove(struct ioq *ioq) {
	pthread_mutex_lock(&orphans_mutex);
	struct ioq **at = &orphans;
	while (*at != ioq) {
		at = &(*at)->next_of_thread;
	}
	*at = ioq->next_of_thread;
	pthread_mutex_unlock(&orphans_mutex);
}

bool park_orphan(struct ioq *ioq) {
	int ends = PARK_ENDS;
	orphans_add(ioq);
	if (atomic_compare_exchange_strong(&ioq->park_state, &ends, PARK_ORPHANED)) {
		return false;
	}
	orphans_remove(ioq);
	return true;
}

int32_t ioq_park(struct ioq *ioq) {
	int due = PARK_DUE;
	if (!atomic_compare_exchange_strong(&ioq->park_state, &due, PARK_RUNS)) {
		int ends = PARK_ENDS;
		if (!atomic_compare_exchange_strong(&ioq->park_state, &ends, PARK_OVER) && ends == PARK_ORPHANED) {
			// Its thread has ended, and left this to us
			orphans_remove(ioq);
			free(ioq);
		}
		return -ECANCELED;
	}
	struct pollfd fd = {.fd = ioq->waits.fd, .events = POLLIN};
	// With too many, they take turns: no number of queues takes all threads for good
	unsigned int others = atomic_fetch_add_explicit(&parked_calls, 1, memory_order_relaxed);
	int timeout = others < PARKED_MAX ? -1 : PARKED_MS;
	int ret;
	do {
		ret = poll(&fd, 1, timeout);
	} while (ret < 0 && errno == EINTR);
	ret = ret < 0 ? -errno : 0;
	atomic_fetch_sub_explicit(&parked_calls, 1, memory_order_relaxed);
	// From here on the queue may go away
	atomic_store(&ioq->park_state, PARK_OVER);
	return ret;
}

void ioq_wake(struct ioq *ioq) {
	uint64_t one = 1;
	ssize_t ret;
	do {
		ret = write(ioq->wake_fd, &one, sizeof(one));
	} while (ret < 0 && errno == EINTR);
}
