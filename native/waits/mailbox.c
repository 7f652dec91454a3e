// Copyright 2026 the ioq authors. MIT license.

/**
 * Mailboxes
 * =========
 *
 * Queues of one process, each with a thread of its own, send each other numbers:
 *
 *     POST ──▶ mailbox_post() ──▶ mailbox ──▶ RECEIVE
 *                  └── it was empty ──▶ eventfd ──▶ its owner
 *
 * (io_uring's own messages, IORING_OP_MSG_RING, save the eventfd; but they are lost
 * with the ring that they were sent to, and their sender has been told that they came.)
 *
 * Whoever posts has only a number for the target, which may be closed at any time
 * by another thread. So a mailbox is counted: the list finds it, and whoever found
 * it may go on using it.
 *
 * It is bounded: what does not fit is refused.
 */

#include "waits/mailbox.h"

#include "ioq.h"

#include <errno.h>
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
	/** To be written to. The owner's. */
	int wake_fd;
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

struct mailbox *mailbox_open(int wake_fd) {
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	if (!mailbox) {
		return NULL;
	}
	pthread_mutex_init(&mailbox->mutex, NULL);
	mailbox->holders = 1;
	mailbox->open = true;
	mailbox->wake_fd = wake_fd;

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

int mailbox_post(struct mailbox *mailbox, uint64_t message) {
	int ret = 0;
	pthread_mutex_lock(&mailbox->mutex);
	if (!mailbox->open) {
		ret = -IOQ_ENOQUEUE;
	} else if (mailbox->count == IOQ_MESSAGES_MAX) {
		ret = -EAGAIN;
	} else {
		mailbox->messages[(mailbox->first + mailbox->count) % IOQ_MESSAGES_MAX] = message;
		// Its owner looks before it waits: one that has something knows of it
		bool wakes = mailbox->count++ == 0;
		// While its owner cannot close it
		uint64_t one = 1;
		ssize_t written = 0;
		do {
			written = wakes ? write(mailbox->wake_fd, &one, sizeof(one)) : 0;
		} while (written < 0 && errno == EINTR);
	}
	pthread_mutex_unlock(&mailbox->mutex);
	return ret;
}

bool mailbox_take(struct mailbox *mailbox, uint64_t *message) {
	pthread_mutex_lock(&mailbox->mutex);
	bool any = mailbox->count > 0;
	if (any) {
		*message = mailbox->messages[mailbox->first];
		mailbox->first = (mailbox->first + 1) % IOQ_MESSAGES_MAX;
		--mailbox->count;
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
