// Copyright 2026 the ioq authors. MIT license.

/**
 * Taking a request
 * ================
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

#include "queue/accept.h"

#include "calls/position.h"
#include "calls/whole_file.h"
#include "queue/post.h"
#include "queue/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** Copy the paths of a request. */
static int take_paths(struct ioq_entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	uint32_t length = request->path_length;
	uint32_t length2 = request->path2_length;
	if (length > IOQ_PATH_MAX || length2 > IOQ_PATH_MAX) {
		return -ENAMETOOLONG;
	}
	if (request->path > input_length || length + length2 > input_length - request->path) {
		return -EINVAL;
	}
	if (length + length2 + 2 > IOQ_INLINE_PATH) {
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
static int take_timeout(struct ioq_entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	uint32_t words[2];
	uint64_t at = (uint64_t)request->path + request->path_length + request->path2_length;
	if (at + sizeof(words) > input_length) {
		return -EINVAL;
	}
	memcpy(words, input + at, sizeof(words));
	uint64_t nanoseconds = (uint64_t)words[1] << 32 | words[0];
	entry->due = ioq_later(ioq_clock_now(IOQ_CLOCK_MONOTONIC), nanoseconds < IOQ_NEVER ? (int64_t)nanoseconds : IOQ_NEVER);
	return 0;
}

/** Find out when a TIMEOUT ends. */
static void take_due(struct ioq_entry *entry) {
	entry->due = ioq_nanoseconds(entry->offset, entry->args[0]);
	if (!(entry->flags & IOQ_TIMEOUT_ABSOLUTE)) {
		entry->due = ioq_later(ioq_clock_now(ioq_entry_clock(entry)), entry->due);
	}
}

/** Copy a request into its entry. */
static int take_record(struct ioq *ioq, struct ioq_entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	entry->op = (uint8_t)request->op;
	entry->retries = 0;
	entry->positional = request->hints & IOQ_HINT_OFFSET;
	entry->timed = request->hints & IOQ_HINT_TIMEOUT;
	entry->guarded = request->hints & IOQ_HINT_GUARDED;
	entry->fd = request->fd;
	entry->fd2 = request->fd2;
	entry->fifo = -1;
	memcpy(entry->args, request->args, sizeof(entry->args));
	entry->flags = request->flags;
	entry->mode = request->mode;
	entry->length = request->length;
	entry->offset = (uint64_t)request->offset_high << 32 | request->offset_low;
	atomic_store_explicit(&entry->cancelled, request->hints & IOQ_HINT_CANCELLED, memory_order_relaxed);

	bool region = (request->hints & IOQ_HINT_REGION)
		&& (entry->op == IOQ_OP_READ || (entry->op == IOQ_OP_WRITE && entry->state == IOQ_FREE));
	if (ioq_op_is_write(entry->op) && !region) {
		// Never more than was staged, whatever the record says
		entry->length = (uint32_t)entry->payload_length;
	}
	if (entry->length > IOQ_TRANSFER_MAX) {
		entry->length = IOQ_TRANSFER_MAX;
	}
	int ret = take_paths(entry, request, input, input_length);
	if (ret == 0 && region) {
		ret = transfer_take_region(ioq, entry);
	}
	if (ret == 0 && entry->timed) {
		ret = take_timeout(entry, request, input, input_length);
	}
	if (entry->op == IOQ_OP_TIMEOUT) {
		take_due(entry);
	}
	return ret;
}

/** Look at what an entry is to be, before anything is reserved for it. */
static int check_entry(struct ioq *ioq, struct ioq_entry *entry, const struct ioq_request *request) {
	if (entry->op == IOQ_OP_RECEIVE && ioq_id(ioq) == 0) {
		return -ENOMEM;
	}
	if (ioq->cancelled) {
		atomic_store_explicit(&entry->cancelled, true, memory_order_relaxed);
	}
	if (ioq_entry_is_cancelled(entry)) {
		return -EINTR;
	}
	if (entry->op == IOQ_OP_RAW_SQE && request->path_length != sizeof(struct io_uring_sqe)) {
		return -EINVAL;
	}
	return 0;
}

/** Whether an entry is to move a position that the kernel keeps: no ring does that reliably. */
static bool moves_position(const struct ioq_entry *entry) {
	return (entry->op == IOQ_OP_READ || entry->op == IOQ_OP_WRITE) && !entry->positional
		&& ioq_has_position(entry->fd);
}

/** Complete a request at once: its entry is of no use. */
static void complete_at_once(struct ioq *ioq, struct turn_out *out, struct ioq_entry *entry, int ret) {
	uint32_t slot = (uint32_t)(entry - ioq->arena.entries);
	transfer_release(ioq, entry);
	turn_complete(out, slot, ret, IOQ_LANE_CORE);
}

void take_request(struct ioq *ioq, struct turn_in *in, const struct ioq_request *request, const uint8_t *input) {
	struct turn_out *out = in->out;
	struct ioq_entry *entry = arena_at(&ioq->arena, request->slot);
	bool staged = entry && entry->state == IOQ_STAGED && ioq_op_is_write(request->op);
	if (!entry || (entry->state != IOQ_FREE && !staged)) {
		turn_complete(out, request->slot, -EINVAL, IOQ_LANE_CORE);
		return;
	}
	if (request->op == IOQ_OP_NOP) {
		bool cancelled = ioq->cancelled || (request->hints & IOQ_HINT_CANCELLED);
		turn_complete(out, request->slot, cancelled ? -EINTR : 0, IOQ_LANE_CORE);
		return;
	}

	int ret = request->op < IOQ_OP_COUNT ? take_record(ioq, entry, request, input, out->turn->input_length) : -EINVAL;
	if (ret == 0) {
		ret = check_entry(ioq, entry, request);
	}
	bool to_ring = ret == 0 && (in->ring_ops >> entry->op & 1) && ring_takes(&ioq->ring, entry)
		&& !moves_position(entry);
	if (ret == 0 && entry->op == IOQ_OP_POST) {
		ret = post_begin(ioq, entry, &to_ring);
		if (!to_ring) {
			// Posted by now, or not
			complete_at_once(ioq, out, entry, ret);
			return;
		}
	}
	if (ret == 0 && ioq_entry_is_read(entry) && !entry->region) {
		// Also for a lane: the pool is ours alone
		ret = transfer_take_buffer(ioq, entry, entry->op == IOQ_OP_READ ? entry->length : IOQ_FIRST_LENGTH);
	} else if (ret == 0 && to_ring) {
		ret = ioq_entry_reserve(entry);
	}
	if (ret != 0) {
		complete_at_once(ioq, out, entry, ret);
		return;
	}

	entry->state = IOQ_ACCEPTED;
	++ioq->in_flight;
	if (!to_ring || !place_at_ring(ioq, in, entry)) {
		place_elsewhere(ioq, in, entry);
	}
}
