// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting without a lane
 * ======================
 *
 * A worker lane that slept, or polled a descriptor, would be of no use to anyone
 * else, and there are few. So what a ring does not do waits with the owner:
 *
 *     TIMEOUT, attempts ──▶ heap of a clock ──▶ timerfd ─┐
 *     POLL, attempts ─────▶ duplicated descriptor ───────┼─▶ epoll ──▶ ioq_park()
 *     lanes, ring, bell, ioq_wake() ──▶ eventfd ─────────┘
 *
 * What was tried in vain (calls/attempt.c) waits here as well: for readiness, for time,
 * or in line for a lock (waits/locks.c). Then it goes back to where it was tried.
 *
 * The parked call polls the epoll descriptor and takes nothing out of it; a turn
 * looks at the clocks, and asks the epoll only while something is polled. Both
 * kinds may therefore come and go while a call is parked.
 *
 * Each polled descriptor is duplicated: epoll knows a descriptor only once, and
 * the owner may close its own. (So does a poll on a ring hold on to the file.)
 *
 * A timerfd is set to an absolute time: nothing is lost between looking at the
 * clock and setting it, and one for the wall clock follows when that is set.
 */

#include "waits/waits.h"

#include "calls/calls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/** Readiness looked at in one go. */
#define EVENTS_MAX 64
/** In `heap_at`: it is complete. */
#define DONE (UINT32_MAX - 1)
/** In `heap_at`: it is to be tried again. */
#define AGAIN (UINT32_MAX - 2)
/** Nanoseconds after which something is tried again: the first time, and at the most. */
#define PAUSE_MIN 500000
#define PAUSE_MAX 25000000
/** Nanoseconds for each entry that is: all of them together take a few percent of a processor. */
#define PAUSE_EACH 100000
/** Nanoseconds of a second. */
#define SECOND 1000000000

/** Have a descriptor end a park. */
static int waits_watch(const struct waits *waits, int fd) {
	struct epoll_event event = {.events = EPOLLIN};
	return epoll_ctl(waits->fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int waits_open(struct waits *waits, int wake_fd) {
	memset(waits, 0, sizeof(*waits));
	waits->done_tail = &waits->done;
	waits->again_tail = &waits->again;
	waits->wake_fd = wake_fd;
	waits->remind_at = NEVER;
	for (size_t i = 0; i < IOQ_CLOCK_COUNT; ++i) {
		waits->clocks[i].fd = -1;
	}
	waits->fd = epoll_create1(EPOLL_CLOEXEC);
	return waits->fd < 0 ? -errno : waits_watch(waits, wake_fd);
}

void waits_close(struct waits *waits) {
	if (!waits->done_tail) {
		// Never opened: what looks like descriptors is none
		return;
	}
	bell_leave(&waits->bell);
	locks_close(&waits->locks);
	for (size_t i = 0; i < IOQ_CLOCK_COUNT; ++i) {
		struct waits_clock *clock = &waits->clocks[i];
		if (clock->fd >= 0) {
			close(clock->fd);
		}
		free(clock->heap);
	}
	if (waits->fd >= 0) {
		close(waits->fd);
	}
}

void waits_complete(struct waits *waits, struct entry *entry, int32_t result) {
	entry->result = result;
	entry->heap_at = DONE;
	entry->next = NULL;
	*waits->done_tail = entry;
	waits->done_tail = &entry->next;
}

/** Have an entry be tried again. */
static void waits_retry(struct waits *waits, struct entry *entry) {
	entry->heap_at = AGAIN;
	entry->next = NULL;
	*waits->again_tail = entry;
	waits->again_tail = &entry->next;
}

/** Put an entry in its place in a heap, from a place where it may be too late. */
static void heap_rise(struct waits_clock *clock, struct entry *entry, uint32_t at) {
	while (at > 0) {
		uint32_t parent = (at - 1) / 2;
		if (clock->heap[parent]->wake_at <= entry->wake_at) {
			break;
		}
		clock->heap[at] = clock->heap[parent];
		clock->heap[at]->heap_at = at;
		at = parent;
	}
	clock->heap[at] = entry;
	entry->heap_at = at;
}

/** The same, from a place where it may be too early. */
static void heap_sink(struct waits_clock *clock, struct entry *entry, uint32_t at) {
	while (2 * at + 1 < clock->count) {
		uint32_t child = 2 * at + 1;
		if (child + 1 < clock->count && clock->heap[child + 1]->wake_at < clock->heap[child]->wake_at) {
			++child;
		}
		if (entry->wake_at <= clock->heap[child]->wake_at) {
			break;
		}
		clock->heap[at] = clock->heap[child];
		clock->heap[at]->heap_at = at;
		at = child;
	}
	clock->heap[at] = entry;
	entry->heap_at = at;
}

/** Take an entry out of its heap. */
static void heap_remove(struct waits_clock *clock, const struct entry *entry) {
	uint32_t at = entry->heap_at;
	struct entry *last = clock->heap[--clock->count];
	if (last != entry) {
		heap_sink(clock, last, at);
		heap_rise(clock, last, last->heap_at);
	}
}

/** Make room in a heap. */
static int heap_reserve(struct waits_clock *clock) {
	if (clock->count < clock->capacity) {
		return 0;
	}
	uint32_t capacity = clock->capacity ? 2 * clock->capacity : 16;
	struct entry **heap = realloc(clock->heap, capacity * sizeof(*heap));
	if (!heap) {
		return -ENOMEM;
	}
	clock->heap = heap;
	clock->capacity = capacity;
	return 0;
}

/** Make sure that a clock has a timerfd. */
static int clock_open(struct waits *waits, uint32_t which) {
	struct waits_clock *clock = &waits->clocks[which];
	if (clock->fd >= 0) {
		return 0;
	}
	int fd = timerfd_create(clock_id(which), TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	int ret = waits_watch(waits, fd);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	clock->fd = fd;
	return 0;
}

/** Have an entry wait for its time. */
static int time_add(struct waits *waits, struct entry *entry) {
	uint32_t which = entry_clock(entry);
	int ret = clock_open(waits, which);
	if (ret == 0) {
		ret = heap_reserve(&waits->clocks[which]);
	}
	if (ret == 0) {
		struct waits_clock *clock = &waits->clocks[which];
		heap_rise(clock, entry, clock->count++);
	}
	return ret;
}

/** Have an entry wait for its descriptor. */
static int watch_add(struct waits *waits, struct entry *entry, int watched, uint32_t events) {
	// What belongs to the entry nobody else closes meanwhile
	bool own = watched == entry->fifo;
	int fd = own ? watched : fcntl(watched, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	// The bits of poll(2) and of epoll(7) are the same
	struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = entry};
	if (epoll_ctl(waits->fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		int error = errno;
		if (!own) {
			close(fd);
		}
		return -error;
	}
	entry->watched = fd;
	entry->watches_fifo = own;
	++waits->polls;
	return 0;
}

/** Have a POLL wait. */
static int poll_add(struct waits *waits, struct entry *entry) {
	int ret = watch_add(waits, entry, entry->fd, entry->flags);
	if (ret == -EPERM) {
		// Of a file that is always ready, poll(2) says so
		waits_complete(waits, entry, (int32_t)(entry->flags & (POLLIN | POLLOUT)));
		return 0;
	}
	return ret;
}

/** An entry waits for nothing any more, but for its place in a line. */
static void waits_end(struct waits *waits, struct entry *entry) {
	if (entry->heap_at < AGAIN) {
		heap_remove(&waits->clocks[entry_clock(entry)], entry);
		entry->heap_at = NOT_IN_HEAP;
		waits->retried -= entry->waits_for != 0;
	}
	if (entry->watched >= 0) {
		// Explicitly: the file may be open elsewhere, and would be polled on
		epoll_ctl(waits->fd, EPOLL_CTL_DEL, entry->watched, NULL);
		if (!entry->watches_fifo) {
			close(entry->watched);
		}
		entry->watched = -1;
		--waits->polls;
	}
}

void waits_begin(struct waits *waits, struct entry *entry) {
	entry->wake_at = entry->due;
	int ret = entry->op == IOQ_OP_TIMEOUT ? time_add(waits, entry) : poll_add(waits, entry);
	if (ret < 0) {
		waits_complete(waits, entry, ret);
	}
}

/** Have an entry be tried after a while, ever later. */
static int retry_add(struct waits *waits, struct entry *entry) {
	// All that are tried share the time that this may take
	int64_t least = (int64_t)waits->retried * PAUSE_EACH;
	entry->pause = entry->pause == 0 ? PAUSE_MIN : 2 * entry->pause;
	entry->pause = entry->pause < PAUSE_MAX ? entry->pause : PAUSE_MAX;
	entry->wake_at = clock_now(IOQ_CLOCK_MONOTONIC) + (entry->pause > least ? entry->pause : least);
	int ret = time_add(waits, entry);
	waits->retried += ret == 0;
	return ret;
}

/** Have an entry stand in line for its lock. Returns whether it is the first, or -ENOMEM. */
static int lock_add(struct waits *waits, struct entry *entry) {
	if (!entry->line) {
		int ret = locks_join(&waits->locks, entry);
		if (ret < 0) {
			return ret;
		}
		bell_listen(&waits->bell, waits->wake_fd);
	}
	return locks_first(&waits->locks, entry->lock_device, entry->lock_inode) == entry;
}

void waits_add(struct waits *waits, struct entry *entry) {
	entry->place = ENTRY_AT_WAITS;
	attempt_holds(entry, entry->fifo >= 0);
	int ret = 0;
	bool tries = entry->waits_for & WAITS_TIME;
	if (entry->waits_for & WAITS_LOCK) {
		bool joins = !entry->line;
		ret = lock_add(waits, entry);
		tries = ret > 0;
		if (tries && joins && bell_released() != entry->released) {
			// Some lock was released before anybody could tell us
			waits_retry(waits, entry);
			return;
		}
	}
	if (ret >= 0 && (entry->waits_for & WAITS_READY)) {
		// Without a descriptor to spare, or with nothing to be polled, time will tell
		int end = entry->op == IOQ_OP_SPLICE && entry->events == POLLOUT ? entry->fd2 : entry->fd;
		int watched = entry->fifo >= 0 ? entry->fifo : end;
		tries = watch_add(waits, entry, watched, entry->events) < 0 || tries;
	}
	if (ret >= 0 && tries) {
		ret = retry_add(waits, entry);
	}
	if (ret < 0) {
		waits_end(waits, entry);
		waits_leave(waits, entry);
		waits_complete(waits, entry, ret);
	}
}

void waits_leave(struct waits *waits, struct entry *entry) {
	if (!entry->line) {
		return;
	}
	struct entry *first = locks_leave(&waits->locks, entry);
	if (waits->locks.count == 0) {
		bell_leave(&waits->bell);
	}
	if (first && first->place == ENTRY_AT_WAITS && first->heap_at == NOT_IN_HEAP) {
		waits_retry(waits, first);
	}
}

void waits_cancel(struct waits *waits, struct entry *entry) {
	if (entry->heap_at == DONE || entry->heap_at == AGAIN) {
		// It is told, or sees the mark, soon
		return;
	}
	waits_end(waits, entry);
	waits_leave(waits, entry);
	waits_complete(waits, entry, entry->done > 0 ? (int32_t)entry->done : -EINTR);
}

/** Try the first one in a line now, unless that is under way. */
static void lock_hasten(void *argument, struct entry *entry) {
	struct waits *waits = argument;
	entry->pause = 0;
	if (entry->place == ENTRY_AT_WAITS && entry->heap_at < AGAIN) {
		waits_end(waits, entry);
		waits_retry(waits, entry);
	}
}

/** See to locks that were released. */
static void waits_listen(struct waits *waits) {
	struct bell_file files[BELL_FILES];
	bool any;
	uint32_t count = bell_take(&waits->bell, files, &any);
	for (uint32_t i = 0; i < count; ++i) {
		struct entry *entry = locks_first(&waits->locks, files[i].device, files[i].inode);
		if (entry) {
			lock_hasten(waits, entry);
		}
	}
	if (any) {
		locks_each(&waits->locks, lock_hasten, waits);
	}
}

/** Complete what is due. */
static void waits_expire(struct waits *waits, uint32_t which) {
	struct waits_clock *clock = &waits->clocks[which];
	int64_t now = clock_now(which);
	while (clock->count > 0 && clock->heap[0]->wake_at <= now) {
		struct entry *entry = clock->heap[0];
		waits_end(waits, entry);
		if (entry->waits_for) {
			waits_retry(waits, entry);
		} else {
			waits_complete(waits, entry, entry->limited ? -ETIMEDOUT : 0);
		}
	}
}

/** Complete what is ready. */
static void waits_poll(struct waits *waits) {
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(waits->fd, events, EVENTS_MAX, 0);
	for (int i = 0; i < count; ++i) {
		struct entry *entry = events[i].data.ptr;
		if (entry) {
			waits_end(waits, entry);
			if (entry->waits_for) {
				waits_retry(waits, entry);
			} else {
				waits_complete(waits, entry, (int32_t)events[i].events);
			}
		}
	}
}

/** Look at all clocks and descriptors. */
static void waits_look(struct waits *waits) {
	for (uint32_t i = 0; i < IOQ_CLOCK_COUNT; ++i) {
		if (waits->clocks[i].count > 0) {
			waits_expire(waits, i);
		}
	}
	if (waits->polls > 0) {
		waits_poll(waits);
	}
}

struct entry *waits_again(struct waits *waits) {
	struct entry *entry = waits->again;
	if (entry) {
		waits->again = entry->next;
		if (!waits->again) {
			waits->again_tail = &waits->again;
		}
		entry->heap_at = NOT_IN_HEAP;
	}
	return entry;
}

struct entry *waits_reap(struct waits *waits) {
	if (!waits->done) {
		waits_listen(waits);
		waits_look(waits);
	}
	struct entry *entry = waits->done;
	if (entry) {
		waits->done = entry->next;
		if (!waits->done) {
			waits->done_tail = &waits->done;
		}
	}
	return entry;
}

/** Set or clear a clock's timerfd. Returns false if that time has come. */
static bool clock_arm(struct waits *waits, uint32_t which) {
	struct waits_clock *clock = &waits->clocks[which];
	int64_t due = clock->count > 0 ? clock->heap[0]->wake_at : NEVER;
	if (which == IOQ_CLOCK_MONOTONIC && waits->remind_at < due && clock_open(waits, which) == 0) {
		due = waits->remind_at;
	}
	if (due == NEVER && !clock->armed) {
		return true;
	}
	if (due != NEVER && due <= clock_now(which)) {
		return false;
	}
	struct itimerspec when = {0};
	if (due != NEVER) {
		when.it_value.tv_sec = due / SECOND;
		when.it_value.tv_nsec = due % SECOND;
	}
	timerfd_settime(clock->fd, TFD_TIMER_ABSTIME, &when, NULL);
	clock->armed = due != NEVER;
	return true;
}

bool waits_arm(struct waits *waits) {
	bool nothing = !waits->done && !waits->again
		&& !atomic_load_explicit(&waits->bell.rung, memory_order_acquire);
	for (uint32_t i = 0; i < IOQ_CLOCK_COUNT; ++i) {
		nothing = clock_arm(waits, i) && nothing;
	}
	return nothing;
}
