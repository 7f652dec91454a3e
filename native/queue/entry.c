// Copyright 2026 the ioq authors. MIT license.

#include "queue/entry.h"

#include "calls/calls.h"
#include "waits/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int entry_reserve(struct entry *entry) {
	size_t length;
	switch (ops[entry->op].payload) {
	case PAYLOAD_STAT:
		return entry->statx ? 0 : -ENOMEM;
	case PAYLOAD_FILLED:
		// malloc(0) may be NULL, which is no failure
		length = entry->length ? entry->length : 1;
		break;
	case PAYLOAD_XATTR:
		length = XATTR_MAX;
		break;
	default:
		return 0;
	}
	if (!entry->payload) {
		entry->payload = malloc(length);
	}
	return entry->payload ? 0 : -ENOMEM;
}

/**
 * Whether a result is one of the kernel's own ways to say "interrupted", which no
 * system call returns but io_uring does: ERESTARTSYS and its like (seen on 6.18
 * when the opening of a FIFO was cancelled).
 */
static bool is_restart(int32_t result) {
	return result == -512 || result == -513 || result == -514 || result == -516;
}

bool entry_settle(struct entry *entry) {
	bool cancelled = entry_is_cancelled(entry);

	if (is_restart(entry->result)) {
		entry->result = -EINTR;
	}
	if (entry->result == -EINTR && entry->done > 0) {
		// As write(2): what is written is written
		entry->result = (int32_t)entry->done;
	} else if (entry->result == -ECANCELED || entry->result == -EINTR) {
		if (entry->timed && !cancelled && clock_now(IOQ_CLOCK_MONOTONIC) >= entry->due) {
			// That was the timeout it is linked with
			entry->result = -ETIMEDOUT;
		} else if (entry_is_close(entry) && entry->result == -EINTR) {
			// Linux has released the descriptor even so, see close(2)
			entry->result = 0;
		} else if (entry_is_close(entry)) {
			// It was never begun, and without a ring nobody can take it back
			entry->elsewhere = true;
			return false;
		} else if (!cancelled && entry->retries < RETRIES_MAX
				&& (entry->result == -ECANCELED || !ops[entry->op].once)) {
			++entry->retries;
			return false;
		} else if (!cancelled && entry->retries == RETRIES_MAX && entry->result == -ECANCELED
				&& entry->op != IOQ_OP_RAW_SQE) {
			// The kernel can start no thread for it, and never began it: a lane does it, once
			++entry->retries;
			entry->elsewhere = true;
			return false;
		} else {
			entry->result = -EINTR;
		}
	}

	if (cancelled && entry_is_open(entry) && entry->result >= 0) {
		entry_close_result(entry);
		entry->result = -EINTR;
	}
	if (entry->op == IOQ_OP_TIMEOUT && entry->result == -ETIME) {
		// What it is there for
		entry->result = entry->limited ? -ETIMEDOUT : 0;
	}
	if (ops[entry->op].payload == PAYLOAD_FILLED || ops[entry->op].payload == PAYLOAD_XATTR) {
		entry->payload_length = entry->result > 0 ? (size_t)entry->result : 0;
	}
	return true;
}

void entry_close_result(struct entry *entry) {
	if (entry->op == IOQ_OP_REPLACE_BEGIN) {
		replace_forget(entry, entry->result);
	}
	close(entry->result);
}

void entry_close_fifo(struct entry *entry) {
	attempt_holds(entry, false);
	if (entry->fifo >= 0) {
		close(entry->fifo);
		entry->fifo = -1;
	}
	if (entry->source >= 0) {
		close(entry->source);
		entry->source = -1;
	}
}

void entry_abandon(struct entry *entry) {
	entry->abandoned = true;
	entry_close_fifo(entry);
	// In use for good, and so never freed
	entry->region = NULL;
	entry->payload = NULL;
	entry->payload_length = 0;
	entry->pooled = false;
	// If there is no memory, a later STAT in this entry fails with ENOMEM
	entry->statx = malloc(sizeof(*entry->statx));
}

void entry_release(struct entry *entry) {
	if (entry->path != entry->inline_path) {
		free(entry->path);
	}
	entry->path = entry->inline_path;
	free(entry->payload);
	entry->payload = NULL;
	entry->payload_length = 0;
	entry->pooled = false;
	entry_close_fifo(entry);
	entry->state = ENTRY_FREE;
}
