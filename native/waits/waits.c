// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting without a lane
 * ======================
 *
 * A worker lane that slept, or polled a descriptor, would be of no use to anyone
 * else, and there are few. So what a ring does not do waits with the owner:
 *
 *     TIMEOUT ──▶ heap of its clock ──▶ timerfd ─┐
 *     POLL ──────▶ duplicated descriptor ────────┼─▶ epoll ──▶ ioq_park()
 *     lanes, ring, ioq_wake() ──▶ eventfd ───────┘
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
#define DONE UINT32_MAX
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

/** Put an entry in its place in a heap, from a place where it may be too late. */
static void heap_rise(struct waits_clock *clock, struct entry *entry, uint32_t at) {
	while (at > 0) {
		uint32_t parent = (at - 1) / 2;
		if (clock->heap[parent]->due <= entry->due) {
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
		if (child + 1 < clock->count && clock->heap[child + 1]->due < clock->heap[child]->due) {
			++child;
		}
		if (entry->due <= clock->heap[child]->due) {
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

/** Have a TIMEOUT wait. */
static int timeout_add(struct waits *waits, struct entry *entry) {
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

/** Have a POLL wait. */
static int poll_add(struct waits *waits, struct entry *entry) {
	int fd = fcntl(entry->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	// The bits of poll(2) and of epoll(7) are the same
	struct epoll_event event = {.events = entry->flags | EPOLLONESHOT, .data.ptr = entry};
	if (epoll_ctl(waits->fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		int error = errno;
		close(fd);
		if (error == EPERM) {
			// Of a file that is always ready, poll(2) says so
			waits_complete(waits, entry, (int32_t)(entry->flags & (POLLIN | POLLOUT)));
			return 0;
		}
		return -error;
	}
	entry->fd2 = fd;
	entry->heap_at = 0;
	++waits->polls;
	return 0;
}

/** A POLL is over. */
static void poll_remove(struct waits *waits, const struct entry *entry) {
	// Explicitly: the file may be open elsewhere, and would be polled on
	epoll_ctl(waits->fd, EPOLL_CTL_DEL, entry->fd2, NULL);
	close(entry->fd2);
	--waits->polls;
}

void waits_begin(struct waits *waits, struct entry *entry) {
	int ret = entry->op == IOQ_OP_TIMEOUT ? timeout_add(waits, entry) : poll_add(waits, entry);
	if (ret < 0) {
		waits_complete(waits, entry, ret);
	}
}

void waits_cancel(struct waits *waits, struct entry *entry) {
	if (entry->heap_at == DONE) {
		return;
	}
	if (entry->op == IOQ_OP_TIMEOUT) {
		heap_remove(&waits->clocks[entry_clock(entry)], entry);
	} else {
		poll_remove(waits, entry);
	}
	waits_complete(waits, entry, -EINTR);
}

/** Complete what is due. */
static void waits_expire(struct waits *waits, uint32_t which) {
	struct waits_clock *clock = &waits->clocks[which];
	int64_t now = clock_now(which);
	while (clock->count > 0 && clock->heap[0]->due <= now) {
		struct entry *entry = clock->heap[0];
		heap_remove(clock, entry);
		waits_complete(waits, entry, 0);
	}
}

/** Complete what is ready. */
static void waits_poll(struct waits *waits) {
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(waits->fd, events, EVENTS_MAX, 0);
	for (int i = 0; i < count; ++i) {
		struct entry *entry = events[i].data.ptr;
		if (entry) {
			poll_remove(waits, entry);
			waits_complete(waits, entry, (int32_t)events[i].events);
		}
	}
}

struct entry *waits_reap(struct waits *waits) {
	if (!waits->done) {
		for (uint32_t i = 0; i < IOQ_CLOCK_COUNT; ++i) {
			if (waits->clocks[i].count > 0) {
				waits_expire(waits, i);
			}
		}
		if (waits->polls > 0) {
			waits_poll(waits);
		}
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
	int64_t due = clock->count > 0 ? clock->heap[0]->due : NEVER;
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
	bool nothing = !waits->done;
	for (uint32_t i = 0; i < IOQ_CLOCK_COUNT; ++i) {
		nothing = clock_arm(waits, i) && nothing;
	}
	return nothing;
}
