// Copyright 2026 the ioq authors. MIT license.

/**
 * Messages to other queues: how they go is told in waits/mailbox.c. One to a queue with a
 * ring goes with this turn's submission if we have a ring as well; room in the
 * mailbox is reserved for it first, so that it fails with EAGAIN like any other.
 */

#include "queue/turn.h"

#include <errno.h>

uint32_t ioq_id(struct ioq *ioq) {
	if (!ioq->mailbox) {
		int ring_fd = ioq->ring.live && (ioq->ring_ops >> IOQ_OP_POST & 1) ? ioq->ring.uring.ring_fd : -1;
		ioq->mailbox = mailbox_open(ioq->wake_fd, ring_fd);
		ioq->ring.mailbox = ioq->mailbox;
	}
	return ioq->mailbox ? mailbox_id(ioq->mailbox) : 0;
}

int post_begin(struct ioq *ioq, struct entry *entry, bool *to_ring) {
	struct mailbox *target = mailbox_find(entry->args[0]);
	if (!target) {
		*to_ring = false;
		return -IOQ_ENOQUEUE;
	}
	if (*to_ring && target != ioq->mailbox) {
		int fd = mailbox_reserve(target);
		if (fd >= 0) {
			entry->fd2 = fd;
			entry->target = target;
			return 0;
		}
	}
	*to_ring = false;
	int ret = mailbox_post(target, entry->offset);
	mailbox_release(target);
	return ret;
}

/** Let go of whom it was for. */
static void post_forget(struct entry *entry) {
	mailbox_release(entry->target);
	entry->target = NULL;
}

int post_without_ring(struct entry *entry) {
	// The room that was kept for it is anyone's from here on
	mailbox_cancel(entry->target);
	int ret = mailbox_post(entry->target, entry->offset);
	post_forget(entry);
	return ret;
}

void post_end(struct entry *entry) {
	if (entry->result < 0) {
		mailbox_cancel(entry->target);
	}
	post_forget(entry);
	if (entry->result == -EOVERFLOW) {
		// Its completion queue is full
		entry->result = -EAGAIN;
	} else if (entry->result == -EBADFD || entry->result == -EOWNERDEAD) {
		entry->result = -IOQ_ENOQUEUE;
	}
}
