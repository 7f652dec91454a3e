// Copyright 2026 the ioq authors. MIT license.

#include "replies.h"
#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>

/** A reply that waits. */
struct reply {
	/** When it is to be sent. */
	uint64_t due;
	/** Which request it answers. */
	uint64_t unique;
	/** 0, or a negative error. */
	int error;
	/** How long the body is. */
	size_t length;
	/** The body. */
	char body[];
};

/** The replies, a heap: the one that is due next is at the top. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct reply **heap;
	size_t count, room;
	int fuse;
} replies = { .lock = PTHREAD_MUTEX_INITIALIZER };

uint64_t replies_now(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/** Write a reply. An error here means that nobody waits for it any more. */
static void write_reply(uint64_t unique, int error, const void *body, size_t length) {
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + (error ? 0 : length)),
		.error = error,
		.unique = unique,
	};
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)(uintptr_t)body, .iov_len = length },
	};
	while (writev(replies.fuse, parts, error || !length ? 1 : 2) < 0 && errno == EINTR) {
	}
}

static void swap(size_t a, size_t b) {
	struct reply *reply = replies.heap[a];
	replies.heap[a] = replies.heap[b];
	replies.heap[b] = reply;
}

static void rise(size_t i) {
	for (; i && replies.heap[i]->due < replies.heap[(i - 1) / 2]->due; i = (i - 1) / 2) {
		swap(i, (i - 1) / 2);
	}
}

static void sink(size_t i) {
	for (size_t child; (child = 2 * i + 1) < replies.count; i = child) {
		if (child + 1 < replies.count
			&& replies.heap[child + 1]->due < replies.heap[child]->due) {
			child++;
		}
		if (replies.heap[i]->due <= replies.heap[child]->due) {
			return;
		}
		swap(i, child);
	}
}

/** Take the reply at a place of the heap. */
static struct reply *take(size_t i) {
	struct reply *reply = replies.heap[i];
	replies.heap[i] = replies.heap[--replies.count];
	if (i < replies.count) {
		rise(i);
		sink(i);
	}
	return reply;
}

static void *send_due(void *unused) {
	(void)unused;
	// The kernel would otherwise round each wait up by 50 microseconds
	prctl(PR_SET_TIMERSLACK, 1);
	pthread_mutex_lock(&replies.lock);
	for (;;) {
		if (!replies.count) {
			pthread_cond_wait(&replies.changed, &replies.lock);
			continue;
		}
		uint64_t due = replies.heap[0]->due;
		if (due > replies_now()) {
			struct timespec ts = {
				.tv_sec = (time_t)(due / 1000000000),
				.tv_nsec = (long)(due % 1000000000),
			};
			pthread_cond_timedwait(&replies.changed, &replies.lock, &ts);
			continue;
		}
		struct reply *reply = take(0);
		pthread_mutex_unlock(&replies.lock);
		write_reply(reply->unique, reply->error, reply->body, reply->length);
		free(reply);
		pthread_mutex_lock(&replies.lock);
	}
	return NULL;
}

int replies_start(int fuse) {
	pthread_condattr_t attributes;
	pthread_t thread;
	replies.fuse = fuse;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&replies.changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return pthread_create(&thread, NULL, send_due, NULL);
}

/** Let a reply wait: whether there was memory for it. */
static int keep(uint64_t unique, int error, const void *body, size_t length, uint64_t due) {
	if (replies.count == replies.room) {
		size_t room = replies.room ? replies.room * 2 : 1024;
		struct reply **heap = realloc(replies.heap, room * sizeof(*heap));
		if (!heap) {
			return 0;
		}
		replies.heap = heap;
		replies.room = room;
	}
	struct reply *reply = malloc(sizeof(*reply) + length);
	if (!reply) {
		return 0;
	}
	*reply = (struct reply){ .due = due, .unique = unique, .error = error, .length = length };
	memcpy(reply->body, body, length);
	replies.heap[replies.count++] = reply;
	rise(replies.count - 1);
	if (replies.heap[0] == reply) {
		pthread_cond_signal(&replies.changed);
	}
	return 1;
}

void replies_send(uint64_t unique, int error, const void *body, size_t length, uint64_t due) {
	if (due > replies_now()) {
		pthread_mutex_lock(&replies.lock);
		int kept = keep(unique, error, body, error ? 0 : length, due);
		pthread_mutex_unlock(&replies.lock);
		if (kept) {
			return;
		}
	}
	write_reply(unique, error, body, length);
}

void replies_interrupt(uint64_t unique) {
	struct reply *reply = NULL;
	pthread_mutex_lock(&replies.lock);
	for (size_t i = 0; i < replies.count && !reply; i++) {
		if (replies.heap[i]->unique == unique) {
			reply = take(i);
		}
	}
	pthread_mutex_unlock(&replies.lock);
	if (reply) {
		write_reply(unique, -EINTR, NULL, 0);
		free(reply);
	}
}
