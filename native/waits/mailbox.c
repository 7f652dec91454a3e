// Copyright 2026 the ioq authors. MIT license.

/**
 * Mailboxes
 * =========
 *
 * Queues of one process, each with a thread of its own, send each other numbers:
 *
 *     POST ──▶ IORING_OP_MSG_RING ──▶ the target's ring ──▶ its owner ─┐
 *         └──▶ mailbox_post(), eventfd ───────────────────────▶ mailbox ▶ RECEIVE
 *
 * The first way is the kernel's, where both have a ring; the second works always.
 *
 * Whoever posts has only a number for the target, which may be closed at any time
 * by another thread. So a mailbox is counted: the list finds it, and whoever found
 * it may go on using it. It keeps a duplicate of the ring's descriptor, since one
 * that was closed could by then be another file's, to whom the kernel would send.
 *
 * It is bounded: a message first takes one of MESSAGES_MAX places, and gives it
 * back when it is received. So the ring never gets more than it can be given.
 *
 * This is the library's only global state, besides the signal of lanes.
 */

#include "waits/mailbox.h"

#include "ioq.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct mailbox {
	/** What it is found by. */
	uint32_t id;
	/** Who holds it: the owner, and those who found it. Under the list's lock. */
	uint32_t holders;
	/** The next one in the list. */
	struct mailbox *next;
	/** Guards what follows. */
	pthread_mutex_t mutex;
	/** Whether its owner is there. */
	bool open;
	/** Whether its ring takes messages. */
	bool has_ring;
	/** To be written to. The owner's. */
	int wake_fd;
	/** Its ring, or -1. */
	int ring_fd;
	/** Places taken: messages that are there, or on their way. */
	uint32_t taken;
	/** Messages that are there. */
	uint32_t count;
	/** The first of them. */
	uint32_t first;
	/** The messages. */
	uint64_t messages[IOQ_MESSAGES_MAX];
};

/** Guards the list. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
/** The mailboxes whose owners are there. */
static struct mailbox *list;
/** The last id that was given. */
static uint32_t last_id;

struct mailbox *mailbox_open(int wake_fd, int ring_fd) {
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	if (!mailbox) {
		return NULL;
	}
	pthread_mutex_init(&mailbox->mutex, NULL);
	mailbox->holders = 1;
	mailbox->open = true;
	mailbox->wake_fd = wake_fd;
	mailbox->ring_fd = ring_fd < 0 ? -1 : fcntl(ring_fd, F_DUPFD_CLOEXEC, 0);
	mailbox->has_ring = mailbox->ring_fd >= 0;

	pthread_mutex_lock(&list_mutex);
	bool taken = true;
	while (taken) {
		// After 2^32 of them there may be an old one under that number
		mailbox->id = ++last_id;
		taken = mailbox->id == 0;
		for (const struct mailbox *other = list; other && !taken; other = other->next) {
			taken = other->id == mailbox->id;
		}
	}
	mailbox->next = list;
	list = mailbox;
	pthread_mutex_unlock(&list_mutex);
	return mailbox;
}

void mailbox_release(struct mailbox *mailbox) {
	pthread_mutex_lock(&list_mutex);
	bool last = --mailbox->holders == 0;
	pthread_mutex_unlock(&list_mutex);
	if (last) {
		if (mailbox->ring_fd >= 0) {
			close(mailbox->ring_fd);
		}
		pthread_mutex_destroy(&mailbox->mutex);
		free(mailbox);
	}
}

void mailbox_close(struct mailbox *mailbox) {
	if (!mailbox) {
		return;
	}
	pthread_mutex_lock(&list_mutex);
	struct mailbox **at = &list;
	while (*at != mailbox) {
		at = &(*at)->next;
	}
	*at = mailbox->next;
	pthread_mutex_unlock(&list_mutex);

	pthread_mutex_lock(&mailbox->mutex);
	mailbox->open = false;
	pthread_mutex_unlock(&mailbox->mutex);
	mailbox_release(mailbox);
}

uint32_t mailbox_id(const struct mailbox *mailbox) {
	return mailbox->id;
}

struct mailbox *mailbox_find(uint32_t id) {
	pthread_mutex_lock(&list_mutex);
	struct mailbox *mailbox = list;
	while (mailbox && mailbox->id != id) {
		mailbox = mailbox->next;
	}
	if (mailbox) {
		++mailbox->holders;
	}
	pthread_mutex_unlock(&list_mutex);
	return mailbox;
}

void mailbox_forget_ring(struct mailbox *mailbox) {
	// The duplicate stays: someone may be about to use it
	pthread_mutex_lock(&mailbox->mutex);
	mailbox->has_ring = false;
	pthread_mutex_unlock(&mailbox->mutex);
}

/** Take a place. */
static int mailbox_claim(struct mailbox *mailbox) {
	if (!mailbox->open) {
		return -IOQ_ENOQUEUE;
	}
	if (mailbox->taken == IOQ_MESSAGES_MAX) {
		return -EAGAIN;
	}
	++mailbox->taken;
	return 0;
}

/** Put a message into the place that was taken for it. */
static void mailbox_put(struct mailbox *mailbox, uint64_t message) {
	mailbox->messages[(mailbox->first + mailbox->count++) % IOQ_MESSAGES_MAX] = message;
}

int mailbox_post(struct mailbox *mailbox, uint64_t message) {
	pthread_mutex_lock(&mailbox->mutex);
	int ret = mailbox_claim(mailbox);
	if (ret == 0) {
		mailbox_put(mailbox, message);
		// While its owner cannot close it
		uint64_t one = 1;
		ssize_t written;
		do {
			written = write(mailbox->wake_fd, &one, sizeof(one));
		} while (written < 0 && errno == EINTR);
	}
	pthread_mutex_unlock(&mailbox->mutex);
	return ret;
}

int mailbox_reserve(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->mutex);
	int ret = mailbox->has_ring ? mailbox_claim(mailbox) : -ENXIO;
	if (ret == 0) {
		ret = mailbox->ring_fd;
	}
	pthread_mutex_unlock(&mailbox->mutex);
	return ret;
}

void mailbox_cancel(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->mutex);
	--mailbox->taken;
	pthread_mutex_unlock(&mailbox->mutex);
}

void mailbox_deliver(struct mailbox *mailbox, uint64_t message) {
	pthread_mutex_lock(&mailbox->mutex);
	if (mailbox->count < IOQ_MESSAGES_MAX) {
		mailbox_put(mailbox, message);
	}
	pthread_mutex_unlock(&mailbox->mutex);
}

bool mailbox_take(struct mailbox *mailbox, uint64_t *message) {
	pthread_mutex_lock(&mailbox->mutex);
	bool any = mailbox->count > 0;
	if (any) {
		*message = mailbox->messages[mailbox->first];
		mailbox->first = (mailbox->first + 1) % IOQ_MESSAGES_MAX;
		--mailbox->count;
		// A ring that died with a message may have given its place back
		mailbox->taken -= mailbox->taken > 0;
	}
	pthread_mutex_unlock(&mailbox->mutex);
	return any;
}

bool mailbox_has(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->mutex);
	bool any = mailbox->count > 0;
	pthread_mutex_unlock(&mailbox->mutex);
	return any;
}
