// Copyright 2026 the ioq authors. MIT license.

#include "queue/entry.h"

#include "waits/clock.h"
#include "ring/fifo.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int ioq_entry_reserve(struct ioq_entry *entry) {
	if (entry->op == IOQ_OP_STAT) {
		return entry->statx ? 0 : -ENOMEM;
	}
	if ((entry->op == IOQ_OP_GET_XATTR || entry->op == IOQ_OP_LIST_XATTR) && !entry->payload) {
		entry->payload = malloc(IOQ_XATTR_MAX);
		return entry->payload ? 0 : -ENOMEM;
	}
	if (entry->op == IOQ_OP_READ && !entry->payload) {
		// The owner has seen to that already; malloc(0) may be NULL, which is no failure
		entry->payload = malloc(entry->length ? entry->length : 1);
		return entry->payload ? 0 : -ENOMEM;
	}
	return 0;
}

/**
 * Whether a result is one of the kernel's own ways to say "interrupted", which no
 * system call returns but io_uring does: ERESTARTSYS and its like (seen on 6.18
 * when the opening of a FIFO was cancelled).
 */
static bool is_restart(int32_t result) {
	return result == -512 || result == -513 || result == -514 || result == -516;
}

bool ioq_entry_settle(struct ioq_entry *entry) {
	bool cancelled = ioq_entry_is_cancelled(entry);

	if (is_restart(entry->result)) {
		entry->result = -EINTR;
	}
	if (entry->result == -ECANCELED || entry->result == -EINTR) {
		if (entry->timed && !cancelled && ioq_clock_now(IOQ_CLOCK_MONOTONIC) >= entry->due) {
			// That was the timeout it is linked with
			entry->result = -ETIMEDOUT;
		} else if (ioq_entry_is_close(entry)) {
			// Linux has released the descriptor even so, see close(2)
			entry->result = entry->result == -EINTR ? 0 : entry->result;
		} else if (!cancelled && entry->retries < IOQ_RETRIES_MAX) {
			++entry->retries;
			return false;
		} else {
			entry->result = -EINTR;
		}
	}

	if (cancelled && ioq_entry_is_open(entry) && entry->result >= 0) {
		close(entry->result);
		entry->result = -EINTR;
	}
	if (entry->op == IOQ_OP_TIMEOUT && entry->result == -ETIME) {
		// What it is there for
		entry->result = 0;
	}
	if (entry->op == IOQ_OP_READ || entry->op == IOQ_OP_GET_XATTR || entry->op == IOQ_OP_LIST_XATTR) {
		entry->payload_length = entry->result > 0 ? (size_t)entry->result : 0;
	}
	return true;
}

void ioq_entry_abandon(struct ioq_entry *entry) {
	entry->abandoned = true;
	fifo_let_go(entry);
	// In use for good, and so never freed
	entry->region = NULL;
	entry->payload = NULL;
	entry->payload_length = 0;
	entry->pooled = false;
	// If there is no memory, a later STAT in this entry fails with ENOMEM
	entry->statx = malloc(sizeof(*entry->statx));
}

void ioq_entry_release(struct ioq_entry *entry) {
	if (entry->path != entry->inline_path) {
		free(entry->path);
	}
	entry->path = entry->inline_path;
	free(entry->payload);
	entry->payload = NULL;
	entry->payload_length = 0;
	entry->pooled = false;
	fifo_let_go(entry);
	entry->state = IOQ_FREE;
}
