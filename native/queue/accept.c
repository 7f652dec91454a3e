// Copyright 2026 the ioq authors. MIT license.

/**
 * Accepting requests
 * ==================
 *
 * A record is copied into the entry of its slot, and its paths and its time limit
 * out of the input, where they stand one behind the other:
 *
 *     request ──▶ entry          path │ path2 │ nanoseconds, if it has a limit
 *                                └── request->path, an offset into the input
 *
 * Nothing in it is trusted: what makes no sense completes with EINVAL, and so does
 * all else that can be told right away.
 */

#include "queue/turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** Copy the paths of a request. */
static int accept_paths(struct entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	uint32_t length = request->path_length;
	uint32_t length2 = request->path2_length;
	if (length > IOQ_PATH_MAX || length2 > IOQ_PATH_MAX) {
		return -ENAMETOOLONG;
	}
	if (request->path > input_length || length + length2 > input_length - request->path) {
		return -EINVAL;
	}
	if (length + length2 + 2 > INLINE_PATH) {
		entry->path = malloc(length + length2 + 2);
		if (!entry->path) {
			entry->path = entry->inline_path;
			return -ENOMEM;
		}
	}
	entry->path2 = entry->path + length + 1;
	if (length > 0) {
		memcpy(entry->path, input + request->path, length);
	}
	if (length2 > 0) {
		memcpy(entry->path2, input + request->path + length, length2);
	}
	entry->path[length] = '\0';
	entry->path2[length2] = '\0';
	return 0;
}

/** Find out until when a request may take, which stands behind its paths. */
static int accept_timeout(struct entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	uint32_t words[2];
	uint64_t at = (uint64_t)request->path + request->path_length + request->path2_length;
	if (at + sizeof(words) > input_length) {
		return -EINVAL;
	}
	memcpy(words, input + at, sizeof(words));
	uint64_t nanoseconds = (uint64_t)words[1] << 32 | words[0];
	entry->due = clock_later(clock_now(IOQ_CLOCK_MONOTONIC), nanoseconds < NEVER ? (int64_t)nanoseconds : NEVER);
	return 0;
}

/** Find out when a TIMEOUT ends. */
static void accept_due(struct entry *entry) {
	int64_t limit = entry->timed ? entry->due : NEVER;
	entry->due = clock_nanoseconds(entry->offset, entry->args[0]);
	if (!(entry->flags & IOQ_TIMEOUT_ABSOLUTE)) {
		entry->due = clock_later(clock_now(entry_clock(entry)), entry->due);
	}
	if (limit != NEVER) {
		// The limit is by the monotonic clock, so what is left of it is compared
		int64_t left = limit - clock_now(IOQ_CLOCK_MONOTONIC);
		int64_t end = clock_later(clock_now(entry_clock(entry)), left > 0 ? left : 0);
		entry->limited = end < entry->due;
		entry->due = entry->limited ? end : entry->due;
	}
	// Its end says which of the two it was
	entry->timed = false;
}

/** Copy a request into its entry. */
static int accept_record(struct ioq *ioq, struct entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	entry->op = (uint8_t)request->op;
	entry->retries = 0;
	entry->positional = request->hints & IOQ_HINT_OFFSET;
	// A close takes what it takes: a descriptor that is not closed is lost
	entry->timed = (request->hints & IOQ_HINT_TIMEOUT) && !entry_is_close(entry);
	entry->guarded = request->hints & IOQ_HINT_GUARDED;
	entry->fd = request->fd;
	entry->fd2 = request->fd2;
	entry->fifo = -1;
	entry->source = -1;
	entry->watched = -1;
	entry->streams = false;
	entry->kept = 0;
	entry->done = 0;
	entry->pause = 0;
	entry->waits_for = 0;
	entry->elsewhere = false;
	entry->cancel_asked = false;
	entry->limited = false;
	entry->patience = ioq->patience;
	entry->heap_at = NOT_IN_HEAP;
	entry->line = NULL;
	memcpy(entry->args, request->args, sizeof(entry->args));
	entry->flags = request->flags;
	entry->mode = request->mode;
	entry->length = request->length;
	entry->offset = (uint64_t)request->offset_high << 32 | request->offset_low;
	atomic_store_explicit(&entry->cancelled, request->hints & IOQ_HINT_CANCELLED, memory_order_relaxed);

	bool region = (request->hints & IOQ_HINT_REGION)
		&& (entry->op == IOQ_OP_READ || (entry->op == IOQ_OP_WRITE && entry->state == ENTRY_FREE));
	if (entry_is_write(entry) && !region) {
		// Never more than was staged, whatever the record says
		entry->length = (uint32_t)entry->payload_length;
	}
	if (entry->length > IOQ_TRANSFER_MAX) {
		entry->length = IOQ_TRANSFER_MAX;
	}
	int ret = accept_paths(entry, request, input, input_length);
	if (ret == 0 && region) {
		ret = transfer_take_region(ioq, entry);
	}
	if (ret == 0 && entry->timed) {
		ret = accept_timeout(entry, request, input, input_length);
	}
	if (entry->op == IOQ_OP_TIMEOUT) {
		accept_due(entry);
	}
	return ret;
}

/** See to whose the descriptors are that an entry closes, or puts in place of files. */
static int accept_owned(const struct ioq *ioq, const struct entry *entry) {
	if (entry_is_close(entry)) {
		return descriptor_disown(entry->fd, ioq->owner) ? 0 : -EBADF;
	}
	if (entry->op == IOQ_OP_REPLACE_END) {
		descriptor_settle((int)entry->args[3]);
	} else if (entry->op == IOQ_OP_RAW_SQE) {
		struct io_uring_sqe sqe;
		memcpy(&sqe, entry->path, sizeof(sqe));
		return sqe.opcode != IORING_OP_CLOSE || descriptor_disown(sqe.fd, ioq->owner) ? 0 : -EBADF;
	}
	return 0;
}

/** Look at what an entry is to be, before anything is reserved for it. */
static int accept_check(struct ioq *ioq, struct entry *entry, const struct ioq_request *request) {
	if (entry->op == IOQ_OP_RECEIVE && ioq_id(ioq) == 0) {
		return -ENOMEM;
	}
	if (ioq->cancelled) {
		atomic_store_explicit(&entry->cancelled, true, memory_order_relaxed);
	}
	if (entry_is_cancelled(entry)) {
		return -EINTR;
	}
	if (entry->op == IOQ_OP_RAW_SQE && request->path_length != sizeof(struct io_uring_sqe)) {
		return -EINVAL;
	}
	return accept_owned(ioq, entry);
}

/** Whether an entry is to move a position that the kernel keeps: no ring does that reliably. */
static bool accept_moves_position(const struct entry *entry) {
	return (entry->op == IOQ_OP_READ || entry->op == IOQ_OP_WRITE) && !entry->positional
		&& position_is_kept(entry->fd);
}

/** Complete a request at once: it did not get into its entry, or needs none. */
static void accept_fails(struct ioq *ioq, struct turn_out *out, struct entry *entry, int ret) {
	uint32_t slot = (uint32_t)(entry - ioq->arena.entries);
	transfer_release(ioq, entry);
	complete_slot(out, slot, ret, IOQ_LANE_CORE);
}

void accept_request(struct ioq *ioq, struct turn_in *in, const struct ioq_request *request, const uint8_t *input) {
	struct turn_out *out = in->out;
	struct entry *entry = arena_at(&ioq->arena, request->slot);
	bool staged = entry && entry->state == ENTRY_STAGED && request->op < IOQ_OP_COUNT
		&& (ops[request->op].kind == OP_WRITES || ops[request->op].kind == OP_RANGES);
	if (!entry || (entry->state != ENTRY_FREE && !staged)) {
		complete_slot(out, request->slot, -EINVAL, IOQ_LANE_CORE);
		return;
	}
	if (request->op == IOQ_OP_NOP) {
		bool cancelled = ioq->cancelled || (request->hints & IOQ_HINT_CANCELLED);
		complete_slot(out, request->slot, cancelled ? -EINTR : 0, IOQ_LANE_CORE);
		return;
	}

	int ret = request->op < IOQ_OP_COUNT ? accept_record(ioq, entry, request, input, out->turn->input_length) : -EINVAL;
	if (ret == 0) {
		ret = accept_check(ioq, entry, request);
	}
	bool to_ring = ret == 0 && (in->ring_ops >> entry->op & 1) && ring_takes(&ioq->ring, entry)
		&& !(request->hints & IOQ_HINT_NO_RING) && !accept_moves_position(entry);
	if (ret == 0 && entry->op == IOQ_OP_POST) {
		// Posted at once, or not
		accept_fails(ioq, out, entry, post(entry->args[0], entry->offset));
		return;
	}
	if (ret == 0 && entry_has_ranges(entry)) {
		ret = ranges_take(&ioq->pool, entry);
	} else if (ret == 0 && entry_is_read(entry) && !entry->region) {
		// Also for a lane: the pool is ours alone
		ret = transfer_take_buffer(ioq, entry, entry->op == IOQ_OP_READ ? entry->length : FIRST_LENGTH);
	} else if (ret == 0 && to_ring) {
		ret = entry_reserve(entry);
	}
	if (ret != 0) {
		accept_fails(ioq, out, entry, ret);
		return;
	}

	entry->state = ENTRY_ACCEPTED;
	++ioq->in_flight;
	if (!to_ring || !dispatch_to_ring(ioq, in, entry)) {
		dispatch_elsewhere(ioq, in, entry);
	}
}
