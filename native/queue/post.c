// Copyright 2026 the ioq authors. MIT license.

/**
 * Messages to other queues: how they go is told in waits/mailbox.c.
 */

#include "queue/turn.h"

#include "waits/mailbox.h"

#include <errno.h>

uint32_t ioq_id(struct ioq *ioq) {
	if (!ioq->mailbox) {
		ioq->mailbox = mailbox_open(ioq->wake_fd);
	}
	return ioq->mailbox ? mailbox_id(ioq->mailbox) : 0;
}

int post(uint32_t target, uint64_t message) {
	struct mailbox *mailbox = mailbox_find(target);
	if (!mailbox) {
		return -IOQ_ENOQUEUE;
	}
	int ret = mailbox_post(mailbox, message);
	mailbox_release(mailbox);
	return ret;
}
