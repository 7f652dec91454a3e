// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue
 * =========
 *
 *             turn in                                turn out
 *     JavaScript ──▶ entry ──▶ caller's ring ─────────▶ completion ──▶ JavaScript
 *                      │                                   ▲
 *                      ├─────▶ pending ▶ lanes ▶ ready ────┤
 *                      └─────▶ time, readiness, messages ──┘
 *
 * One thread owns a queue: the JavaScript thread that opened it. It calls
 * ioq_turn(), which takes a batch of requests in, submits, and hands out what
 * completions there are; it never waits. When there is nothing to do but wait,
 * one nonblocking FFI call sits in ioq_park() on a thread of the runtime's, and
 * looks at nothing but an eventfd.
 *
 * Nothing of JavaScript's memory is kept beyond a call: paths and bytes are
 * copied into entries, results out of them.
 *
 * Hazards of this queue's ancestor, and what became of them:
 *
 * - Destroying a queue whose ring or thread failed to start tore down what never
 *   was: every part here is destroyed by its own function, which bears NULL and
 *   "not live".
 * - A slow operation held back a whole batch; an error of submission spun
 *   forever: see ring.c.
 * - A cancelled open was published before its descriptor was closed: see
 *   ioq_entry_settle().
 * - A worker kept a popped slot reserved while it waited in its ring: see lane.c.
 * - Polling pops could outrun the pushes: the owner uses ioqq_try(), ioqq.c.
 * - A blocking pop with everything popped but not freed waited forever: there is
 *   no blocking pop for the owner, and in_flight counts what can still come.
 * - size and batches were shared by accident: only the owner touches them; what
 *   runs beside it, ioq_park(), reads one constant.
 * - STOP could block its sender: the queue has room for it, lane.c.
 * - Borrowed paths and directory descriptors: paths are copied. A descriptor a
 *   path is relative to must stay open until the completion; that is documented.
 * - A result buffer was left unwritten on cancel: a completion has a payload
 *   only if its result is not an error.
 * - No lanes made every wait hang: a queue without a lane does not open.
 */

#include "ioq_abi.h"

#include "caller.h"
#include "contents.h"
#include "entry.h"
#include "lane.h"
#include "perform.h"
#include "mailbox.h"
#include "orphan.h"
#include "pool.h"
#include "ring.h"
#include "waits.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static_assert(sizeof(struct ioq_request) == 64, "a request is a cache line");
static_assert(sizeof(struct ioq_completion) == 32, "a completion is half of one");
static_assert(sizeof(struct ioq_stat) == 128, "a stat is two");

/** Submission queue entries of the caller's ring. */
#define SQ_ENTRIES 256
/** The kernel's own bound on completion queue entries. */
#define CQ_ENTRIES_MAX 65536
/** Nanoseconds after which lanes of which nothing comes are held up. */
#define BOOST_AFTER 1000000
/** Nanoseconds between the first interruptions of an operation, and at the most. */
#define INTERRUPT_MIN 1000000
#define INTERRUPT_MAX 64000000
/**
 * Bytes of the largest transfer that may run within a turn. What is cached is
 * copied at about 10 GB/s by whoever asks for it: 128 KiB hold the caller up for
 * 15 µs, and to have a thread of the kernel's do it costs as much.
 */
#define INLINE_LENGTH_MAX (128 * 1024)
/** Bytes of all transfers that may run within a turn: a quarter of a millisecond. */
#define INLINE_LENGTH_SUM_MAX (2 * 1024 * 1024)
/** Bytes that a turn hands out to be taken, at the most: they are copied once more. */
#define HELD_LENGTH_SUM_MAX (1024 * 1024)

/** Milliseconds that the end of a thread waits for its queue to come to rest. */
#define ORPHAN_WAIT_MS 2000

static_assert(IOQ_OP_COUNT <= 64, "a set of operations is a word");

/** Split a 64-bit number into two words of a record. */
#define SPLIT(record, field, value) \
	do { \
		(record)->field##_low = (uint32_t)(uint64_t)(value); \
		(record)->field##_high = (uint32_t)((uint64_t)(value) >> 32); \
	} while (0)

/** Join them. */
#define JOIN(record, field) ((uint64_t)(record)->field##_high << 32 | (record)->field##_low)

struct ioq {
	/** The arena. */
	struct ioq_entry *entries;
	/** Its results of statx(2), apart so that they can outlive it. */
	struct statx *statxes;
	/** Entries in the arena. */
	uint32_t depth;
	/** Accepted requests whose completion was not handed out. */
	uint32_t in_flight;
	/** Bit n: operation n goes to the caller's ring. */
	ioq_ops ring_ops;
	/** Bit n: only if the lanes have enough to do. */
	ioq_ops overflow_ops;
	/** Worker lanes that were asked for. */
	uint32_t lane_count;
	/** Whether they were to have rings. */
	bool lane_rings;
	/** Whether the ring takes raw SQEs. */
	bool raw_sqes;
	/** Whether all that comes is cancelled. */
	bool cancelled;
	/** Whether the ring had no room for some cancellation. */
	bool cancels_owed;
	/** Written to by lanes, the ring and ioq_wake(): what ioq_park() polls. */
	int wake_fd;
	/** A reference to this library, or NULL. */
	void *library;
	/** Buffers for transfers. */
	struct ioq_pool pool;
	/** The caller's ring. */
	struct ioq_ring ring;
	/** The worker lanes, or NULL: turns run all requests themselves. */
	struct ioq_lanes *lanes;
	/** What those turns need. */
	struct ioq_scratch scratch;
	/** By what other threads interrupt those turns, or NULL. */
	struct ioq_caller *caller;
	/** Cancelled entries that are with the lanes. */
	uint32_t lane_cancels;
	/** When to interrupt the lanes that are at them, by the monotonic clock. */
	int64_t interrupt_at;
	/** How long after the last time, in nanoseconds. */
	int64_t interrupt_after;
	/** What waits without a lane. */
	struct ioq_waits waits;
	/** Memory that JavaScript sees: IOQ_REGIONS_MAX of them, once there is any. */
	struct ioq_region *regions;
	/** Messages from other queues, once anyone asked for our id. */
	struct ioq_mailbox *mailbox;
	/** Entries that wait for a message. */
	struct ioq_entry *receivers;
	/** Where the next of them goes. */
	struct ioq_entry **receivers_tail;
	/** Whether some of them are cancelled. */
	bool receivers_cancelled;
	/** Whether a turn said that ioq_park() may be called, and it was not yet. */
	atomic_bool park_due;
	/** Whether ioq_park() is running. */
	atomic_bool parked;
	/** For when our thread ends. */
	struct ioq_owned owned;
};

/** What a turn has to write to. */
struct turn_out {
	/** The block. */
	struct ioq_turn *turn;
	/** The output. */
	uint8_t *output;
	/** Bytes of the output that are used. */
	uint32_t used;
	/** Bit n: operation n goes to the caller's ring in this turn. */
	ioq_ops ring_ops;
	/** Bytes of transfers that may run within this turn so far. */
	size_t inline_length;
	/** Bytes that this turn handed out to be taken. */
	size_t held_length;
	/** Entries on their way to the lanes. */
	struct ioq_entry *batch[IOQ_TURN_REQUESTS];
	/** How many. */
	size_t batch_count;
};

uint32_t ioq_abi_version(void) {
	return IOQ_ABI_VERSION;
}

/** Free a region if nobody has to do with it any more. */
static void region_settle(struct ioq_region *region) {
	if (region->memory && region->released && region->uses == 0) {
		munmap(region->memory, region->length);
		region->memory = NULL;
	}
}

/** Release the arena, in which nothing is in flight. */
static void ioq_free_arena(struct ioq *ioq) {
	bool abandoned = false;
	for (uint32_t i = 0; ioq->entries && i < ioq->depth; ++i) {
		struct ioq_entry *entry = &ioq->entries[i];
		abandoned = abandoned || entry->abandoned;
		if (entry->statx != &ioq->statxes[i]) {
			// What took the place of one that was given up
			free(entry->statx);
		}
		ioq_entry_release(entry);
	}
	free(ioq->entries);
	if (!abandoned) {
		free(ioq->statxes);
	}
}

/** Release all of a queue in which nothing is in flight. */
static void ioq_free(struct ioq *ioq) {
	lanes_stop(ioq->lanes);
	caller_close(ioq->caller);
	ioq_scratch_release(&ioq->scratch);
	// Before the eventfd goes, and the ring
	mailbox_close(ioq->mailbox);
	ring_close(&ioq->ring);
	waits_close(&ioq->waits);
	if (ioq->wake_fd >= 0) {
		close(ioq->wake_fd);
	}
	ioq_free_arena(ioq);
	ioq_pool_drain(&ioq->pool);
	for (uint32_t i = 0; ioq->regions && i < IOQ_REGIONS_MAX; ++i) {
		// But for those that a ring died with, which the kernel may write to
		ioq->regions[i].released = true;
		region_settle(&ioq->regions[i]);
	}
	free(ioq->regions);
	if (ioq->library) {
		// Not the last one: our caller holds another to call us by
		dlclose(ioq->library);
	}
	free(ioq);
}

/**
 * A reference to the library that this code is in. A JavaScript Worker that is
 * terminated unloads the library without closing its queues, and their lanes would
 * run into nothing, as would what closes them then (orphan.c).
 */
static void *hold_library(void) {
	Dl_info info;
	if (dladdr((void *)(uintptr_t)hold_library, &info) == 0) {
		return NULL;
	}
	return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

/** Make the arena. */
static int ioq_make_arena(struct ioq *ioq) {
	ioq->entries = aligned_alloc(alignof(struct ioq_entry), ioq->depth * sizeof(struct ioq_entry));
	ioq->statxes = malloc(ioq->depth * sizeof(struct statx));
	if (!ioq->entries || !ioq->statxes) {
		free(ioq->entries);
		ioq->entries = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < ioq->depth; ++i) {
		struct ioq_entry *entry = &ioq->entries[i];
		entry->state = IOQ_FREE;
		entry->path = entry->inline_path;
		entry->payload = NULL;
		entry->payload_length = 0;
		entry->pooled = false;
		entry->punted = false;
		entry->abandoned = false;
		entry->target = NULL;
		entry->region = NULL;
		entry->counted = false;
		entry->statx = &ioq->statxes[i];
		atomic_init(&entry->cancelled, false);
	}
	return 0;
}

/** Tell what the caller's ring is like. */
static void ioq_describe_ring(const struct ioq *ioq, struct ioq_info *info) {
	const struct ioq_ring *ring = &ioq->ring;
	info->ring_flags = ring->setup_flags;
	info->ring_features = ring->uring.features;
	info->sq_entries = *ring->uring.sq.kring_entries;
	info->cq_entries = *ring->uring.cq.kring_entries;
	SPLIT(info, ring_ops, ioq->ring_ops);
	info->restricted = ring->restricted;
	SPLIT(info, opcodes, ring->opcodes);
}

static void ioq_orphaned(struct ioq_owned *owned);

struct ioq *ioq_open(const struct ioq_options *options, struct ioq_info *info) {
	memset(info, 0, sizeof(*info));
	bool sync = options->flags & IOQ_OPEN_SYNC;
	if (options->depth < 1 || options->depth > IOQ_DEPTH_MAX
			|| (sync && (options->flags & IOQ_OPEN_RING))
			|| options->lanes < 1 || options->lanes > IOQ_LANES_MAX) {
		info->error = EINVAL;
		return NULL;
	}

	struct ioq *ioq = calloc(1, sizeof(*ioq));
	if (!ioq) {
		info->error = ENOMEM;
		return NULL;
	}
	ioq->depth = options->depth;
	ioq->lane_count = options->lanes;
	ioq->lane_rings = options->flags & IOQ_OPEN_LANE_RINGS;
	ioq->raw_sqes = options->flags & IOQ_OPEN_RAW_SQE;
	ioq->wake_fd = -1;
	ioq->waits.fd = -1;
	ioq->receivers_tail = &ioq->receivers;
	ioq->library = hold_library();

	int ret = ioq_make_arena(ioq);
	if (ret < 0) {
		goto fail;
	}
	ioq->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ioq->wake_fd < 0) {
		ret = -errno;
		goto fail;
	}
	ret = waits_open(&ioq->waits, ioq->wake_fd);
	if (ret < 0) {
		goto fail;
	}

	if (options->flags & IOQ_OPEN_RING) {
		// Whatever the depth, which may change
		uint32_t sq = SQ_ENTRIES;
		// Room for every request and its cancellation
		uint32_t cq = ioq->depth < CQ_ENTRIES_MAX / 2 ? 2 * ioq->depth : CQ_ENTRIES_MAX;
		ret = ring_open(&ioq->ring, sq, cq < 2 * sq ? 2 * sq : cq, ioq->wake_fd, ioq->raw_sqes);
		if (ret < 0) {
			goto fail;
		}
		ioq->ring_ops = ioq->ring.ops & ~JOIN(options, worker_ops);
		ioq->overflow_ops = JOIN(options, overflow_ops);
		ioq_describe_ring(ioq, info);
	}

	if (sync) {
		ioq->caller = caller_open();
		if (!ioq->caller) {
			ret = -ENOMEM;
			goto fail;
		}
	} else {
		ioq->lanes = lanes_start(ioq->depth, ioq->lane_count, ioq->lane_rings, ioq->wake_fd);
		if (!ioq->lanes) {
			ret = -errno;
			goto fail;
		}
		info->lanes = lanes_count(ioq->lanes);
		info->lane_rings = lanes_rings(ioq->lanes);
	}
	owned_add(&ioq->owned, ioq_orphaned);
	return ioq;

fail:
	ioq_free(ioq);
	info->error = (uint32_t)-ret;
	return NULL;
}

void ioq_pack_stat(struct ioq_stat *to, const struct statx *from) {
	to->mask = from->stx_mask;
	to->mode = from->stx_mode;
	to->nlink = from->stx_nlink;
	to->uid = from->stx_uid;
	to->gid = from->stx_gid;
	to->blksize = from->stx_blksize;
	SPLIT(to, size, from->stx_size);
	SPLIT(to, blocks, from->stx_blocks);
	SPLIT(to, ino, from->stx_ino);
	SPLIT(to, dev, makedev(from->stx_dev_major, from->stx_dev_minor));
	SPLIT(to, rdev, makedev(from->stx_rdev_major, from->stx_rdev_minor));
	to->atime_low = (uint32_t)from->stx_atime.tv_sec;
	to->atime_high = (int32_t)(from->stx_atime.tv_sec >> 32);
	to->mtime_low = (uint32_t)from->stx_mtime.tv_sec;
	to->mtime_high = (int32_t)(from->stx_mtime.tv_sec >> 32);
	to->ctime_low = (uint32_t)from->stx_ctime.tv_sec;
	to->ctime_high = (int32_t)(from->stx_ctime.tv_sec >> 32);
	to->btime_low = (uint32_t)from->stx_btime.tv_sec;
	to->btime_high = (int32_t)(from->stx_btime.tv_sec >> 32);
	to->atime_nsec = from->stx_atime.tv_nsec;
	to->mtime_nsec = from->stx_mtime.tv_nsec;
	to->ctime_nsec = from->stx_ctime.tv_nsec;
	to->btime_nsec = from->stx_btime.tv_nsec;
	to->error = 0;
	memset(to->reserved, 0, sizeof(to->reserved));
}

/** Whether a turn can take another completion. */
static bool turn_has_room(const struct turn_out *out) {
	return out->turn->completion_count < IOQ_TURN_COMPLETIONS && out->held_length < HELD_LENGTH_SUM_MAX;
}

/** Bytes of the output for a payload, with room kept for stats to come. */
static uint32_t turn_room(const struct turn_out *out) {
	uint32_t to_come = IOQ_TURN_COMPLETIONS - out->turn->completion_count;
	uint32_t kept = out->used + to_come * (uint32_t)sizeof(struct ioq_stat);
	return kept < out->turn->output_length ? (out->turn->output_length - kept) & ~7u : 0;
}

/** Write a completion without a payload. */
static struct ioq_completion *turn_complete(struct turn_out *out, uint32_t slot, int32_t result, uint8_t lane) {
	struct ioq_completion *completion = &out->turn->completions[out->turn->completion_count++];
	*completion = (struct ioq_completion) {
		.slot = slot,
		.result = result,
		.lane = lane,
	};
	return completion;
}

/** A message went by the ring, or did not. */
static void end_post(struct ioq_entry *entry) {
	if (entry->result < 0) {
		mailbox_cancel(entry->target);
	}
	mailbox_release(entry->target);
	entry->target = NULL;
	if (entry->result == -EOVERFLOW) {
		// Its completion queue is full
		entry->result = -EAGAIN;
	} else if (entry->result == -EBADFD || entry->result == -EOWNERDEAD) {
		entry->result = -IOQ_ENOQUEUE;
	}
}

/** Have an entry go by a region. */
static int take_region(struct ioq *ioq, struct ioq_entry *entry) {
	struct ioq_region *region = ioq->regions && entry->args[0] < IOQ_REGIONS_MAX
		? &ioq->regions[entry->args[0]] : NULL;
	uint32_t at = entry->args[1];
	if (!region || !region->memory || region->released
			|| at > region->length || entry->length > region->length - at) {
		return -EINVAL;
	}
	++region->uses;
	entry->region = region;
	entry->payload = region->memory + at;
	return 0;
}

/** Release what an entry holds, its buffer to the pool if it is from there. */
static void release_entry(struct ioq *ioq, struct ioq_entry *entry) {
	if (entry->region) {
		entry->payload = NULL;
		--entry->region->uses;
		region_settle(entry->region);
		entry->region = NULL;
	}
	if (entry->pooled) {
		ioq_pool_give(&ioq->pool, entry->payload, entry->pool_length);
		entry->payload = NULL;
	}
	ioq_entry_release(entry);
}

/** Give an entry a buffer for a transfer. */
static int take_buffer(struct ioq *ioq, struct ioq_entry *entry, uint32_t length) {
	entry->payload = ioq_pool_take(&ioq->pool, length);
	if (!entry->payload) {
		return -ENOMEM;
	}
	entry->pool_length = length;
	entry->pooled = true;
	return 0;
}

/** Hand out an entry that a lane has completed. */
static void turn_hand_out(struct ioq *ioq, struct turn_out *out, struct ioq_entry *entry) {
	uint32_t slot = (uint32_t)(entry - ioq->entries);
	struct ioq_completion *completion = turn_complete(out, slot, entry->result, entry->lane);
	--ioq->in_flight;
	if (entry->counted) {
		entry->counted = false;
		--ioq->lane_cancels;
	}
	if (entry->target) {
		end_post(entry);
		completion->result = entry->result;
	}

	// Cancelled after the lane was done with it, and before anybody saw it
	if (entry->result >= 0 && ioq_entry_is_open(entry) && ioq_entry_is_cancelled(entry)) {
		close(entry->result);
		completion->result = -EINTR;
	}

	if (entry->op == IOQ_OP_RECEIVE && entry->result >= 0) {
		memcpy(out->output + out->used, &entry->offset, sizeof(entry->offset));
		completion->payload = out->used;
		completion->payload_length = sizeof(entry->offset);
	} else if (entry->op == IOQ_OP_STAT && entry->result >= 0) {
		ioq_pack_stat((void *)(out->output + out->used), entry->statx);
		completion->payload = out->used;
		completion->payload_length = sizeof(struct ioq_stat);
	} else if (entry->result >= 0 && entry->payload_length > 0 && !ioq_op_is_write(entry->op) && !entry->region) {
		completion->payload_length = (uint32_t)entry->payload_length;
		// What was read goes straight to where the reader wants it
		if (ioq_entry_is_read(entry) || entry->payload_length > turn_room(out)) {
			completion->flags = IOQ_COMPLETION_HELD;
			out->held_length += entry->payload_length;
			entry->state = IOQ_HELD;
			return;
		}
		memcpy(out->output + out->used, entry->payload, entry->payload_length);
		completion->payload = out->used;
	}
	// The next payload begins where a 64-bit word may: turn_room() rounds as well
	out->used += (completion->payload_length + 7u) & ~7u;
	release_entry(ioq, entry);
}

/** Send the batch on to the lanes. */
static void turn_flush(struct ioq *ioq, struct turn_out *out) {
	if (out->batch_count > 0) {
		lanes_push(ioq->lanes, out->batch, out->batch_count);
		out->batch_count = 0;
	}
}

/** Put an entry into the batch for the lanes, or run it if there are none. */
static void turn_to_lanes(struct ioq *ioq, struct turn_out *out, struct ioq_entry *entry) {
	if (!ioq->lanes) {
		entry->lane = IOQ_LANE_CORE;
		caller_enter(ioq->caller, entry);
		ioq_perform(entry, &ioq->scratch);
		caller_enter(ioq->caller, NULL);
		// There is room: a turn takes as many as it can hand out
		turn_hand_out(ioq, out, entry);
		return;
	}
	if (out->batch_count == IOQ_TURN_REQUESTS) {
		turn_flush(ioq, out);
	}
	entry->place = IOQ_AT_LANES;
	entry->punted = false;
	out->batch[out->batch_count++] = entry;
}

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

/** Later than a point in time, by so many nanoseconds. */
static int64_t later(int64_t now, int64_t by) {
	return by < IOQ_NEVER - now ? now + by : IOQ_NEVER;
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
	entry->due = later(ioq_clock_now(IOQ_CLOCK_MONOTONIC), nanoseconds < IOQ_NEVER ? (int64_t)nanoseconds : IOQ_NEVER);
	return 0;
}

/** Find out when a TIMEOUT ends. */
static void take_due(struct ioq_entry *entry) {
	entry->due = ioq_nanoseconds(entry->offset, entry->args[0]);
	if (!(entry->flags & IOQ_TIMEOUT_ABSOLUTE)) {
		entry->due = later(ioq_clock_now(ioq_entry_clock(entry)), entry->due);
	}
}

/** Copy a request into its entry. */
static int take_request(struct ioq *ioq, struct ioq_entry *entry, const struct ioq_request *request, const uint8_t *input, uint32_t input_length) {
	entry->op = (uint8_t)request->op;
	entry->retries = 0;
	entry->positional = request->hints & IOQ_HINT_OFFSET;
	entry->timed = request->hints & IOQ_HINT_TIMEOUT;
	entry->guarded = request->hints & IOQ_HINT_GUARDED;
	entry->fd = request->fd;
	entry->fd2 = request->fd2;
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
		ret = take_region(ioq, entry);
	}
	if (ret == 0 && entry->timed) {
		ret = take_timeout(entry, request, input, input_length);
	}
	if (entry->op == IOQ_OP_TIMEOUT) {
		take_due(entry);
	}
	return ret;
}

/**
 * Which operations go to the ring in this turn.
 *
 * Some are cheaper on a lane, but a backlog there says that more is wanted than
 * the lanes can do, or that they are held up, and the ring has threads as well.
 * Decided for a turn as a whole: a few requests now and then would wake those
 * threads each time, which costs more than it brings.
 */
static ioq_ops turn_ring_ops(const struct ioq *ioq, const struct ioq_turn *turn) {
	bool overflow = ioq->overflow_ops != 0 && ioq->lanes
		&& lanes_backlog(ioq->lanes) + turn->request_count > IOQ_BACKLOG;
	return overflow ? ioq->ring_ops : ioq->ring_ops & ~ioq->overflow_ops;
}

/** Whether a transfer would hold the caller up, were it run within this turn. */
static bool is_too_long(struct turn_out *out, const struct ioq_entry *entry) {
	if (entry->op != IOQ_OP_READ && entry->op != IOQ_OP_WRITE) {
		return false;
	}
	if (entry->length > INLINE_LENGTH_MAX || out->inline_length > INLINE_LENGTH_SUM_MAX) {
		return true;
	}
	out->inline_length += entry->length;
	return false;
}

/** Complete a RECEIVE, or have it wait for a message. */
static void receivers_add(struct ioq *ioq, struct ioq_entry *entry) {
	entry->place = IOQ_AT_RECEIVERS;
	entry->lane = IOQ_LANE_CORE;
	entry->next = NULL;
	*ioq->receivers_tail = entry;
	ioq->receivers_tail = &entry->next;
}

/** The next RECEIVE that was cancelled, taken out of those that wait. */
static struct ioq_entry *receivers_next_cancelled(struct ioq *ioq) {
	struct ioq_entry **at = &ioq->receivers;
	while (*at && !ioq_entry_is_cancelled(*at)) {
		at = &(*at)->next;
	}
	struct ioq_entry *entry = *at;
	ioq->receivers_cancelled = entry;
	if (entry) {
		*at = entry->next;
		if (!*at) {
			ioq->receivers_tail = at;
		}
		entry->result = -EINTR;
	}
	return entry;
}

/** The next RECEIVE that is complete, or NULL. */
static struct ioq_entry *receivers_reap(struct ioq *ioq) {
	struct ioq_entry *entry = ioq->receivers_cancelled ? receivers_next_cancelled(ioq) : NULL;
	if (entry) {
		return entry;
	}
	entry = ioq->receivers;
	if (entry && mailbox_take(ioq->mailbox, &entry->offset)) {
		ioq->receivers = entry->next;
		if (!entry->next) {
			ioq->receivers_tail = &ioq->receivers;
		}
		entry->result = 0;
		return entry;
	}
	return NULL;
}

/** Whether nobody could be given a message now. */
static bool receivers_arm(struct ioq *ioq) {
	return !ioq->receivers || (!ioq->receivers_cancelled && !mailbox_has(ioq->mailbox));
}

/**
 * Post a message, unless the ring is to do it.
 *
 * @param to_ring
 *         Whether the ring could; receives whether it shall.
 */
static int take_post(struct ioq *ioq, struct ioq_entry *entry, bool *to_ring) {
	struct ioq_mailbox *target = mailbox_find(entry->args[0]);
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

/** Give an entry to whoever does without the ring. */
static void turn_place(struct ioq *ioq, struct turn_out *out, struct ioq_entry *entry) {
	switch (entry->op) {
	case IOQ_OP_TIMEOUT:
	case IOQ_OP_POLL:
		entry->place = IOQ_AT_WAITS;
		entry->lane = IOQ_LANE_CORE;
		waits_begin(&ioq->waits, entry);
		break;
	case IOQ_OP_RECEIVE:
		receivers_add(ioq, entry);
		break;
	case IOQ_OP_POST:
		// The ring that was to send it is gone, or full: its place is another's
		mailbox_cancel(entry->target);
		entry->result = mailbox_post(entry->target, entry->offset);
		mailbox_release(entry->target);
		entry->target = NULL;
		entry->place = IOQ_AT_WAITS;
		entry->lane = IOQ_LANE_CORE;
		waits_complete(&ioq->waits, entry, entry->result);
		break;
	default:
		turn_to_lanes(ioq, out, entry);
	}
}

/** Accept one request: complete it right away or give it to a lane. */
static void turn_take(struct ioq *ioq, struct turn_out *out, const struct ioq_request *request, const uint8_t *input) {
	struct ioq_entry *entry = request->slot < ioq->depth ? &ioq->entries[request->slot] : NULL;
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

	int ret = request->op < IOQ_OP_COUNT ? take_request(ioq, entry, request, input, out->turn->input_length) : -EINVAL;
	if (ret == 0 && request->op == IOQ_OP_RECEIVE && ioq_id(ioq) == 0) {
		ret = -ENOMEM;
	}
	if (ret == 0 && ioq->cancelled) {
		atomic_store_explicit(&entry->cancelled, true, memory_order_relaxed);
	}
	if (ret == 0 && ioq_entry_is_cancelled(entry)) {
		ret = -EINTR;
	}
	if (ret == 0 && entry->op == IOQ_OP_RAW_SQE && request->path_length != sizeof(struct io_uring_sqe)) {
		ret = -EINVAL;
	}
	bool to_ring = ret == 0 && (out->ring_ops >> entry->op & 1) && ring_takes(&ioq->ring, entry);
	if (ret == 0 && entry->op == IOQ_OP_POST) {
		ret = take_post(ioq, entry, &to_ring);
		if (!to_ring) {
			release_entry(ioq, entry);
			turn_complete(out, request->slot, ret, IOQ_LANE_CORE);
			return;
		}
	}
	if (ret == 0 && ioq_entry_is_read(entry) && !entry->region) {
		// Also for a lane: the pool is ours alone
		ret = take_buffer(ioq, entry, entry->op == IOQ_OP_READ ? entry->length : IOQ_FIRST_LENGTH);
	} else if (ret == 0 && to_ring) {
		ret = ioq_entry_reserve(entry);
	}
	if (ret != 0) {
		release_entry(ioq, entry);
		turn_complete(out, request->slot, ret, IOQ_LANE_CORE);
		return;
	}

	entry->state = IOQ_ACCEPTED;
	++ioq->in_flight;
	if (to_ring) {
		entry->lane = IOQ_LANE_RING;
		entry->place = IOQ_AT_RING;
		entry->punted = is_too_long(out, entry);
		if (ring_prepare(&ioq->ring, entry)) {
			return;
		}
	}
	turn_place(ioq, out, entry);
}

/**
 * The caller's ring is of no more use: what the kernel never saw goes to the
 * lanes, what it has fails, and the queue lives on without a ring.
 */
static void turn_lose_ring(struct ioq *ioq, struct turn_out *out, int error) {
	struct ioq_entry *unsubmitted;
	ring_die(&ioq->ring, error, &unsubmitted);
	ioq->ring_ops = 0;
	if (ioq->mailbox) {
		mailbox_forget_ring(ioq->mailbox);
	}
	while (unsubmitted) {
		struct ioq_entry *entry = unsubmitted;
		unsubmitted = entry->next;
		turn_place(ioq, out, entry);
	}

	// Those that had come back already are in the ring's list
	for (struct ioq_entry *entry = ioq->ring.done; entry; entry = entry->next) {
		entry->place = IOQ_AT_LANES;
	}
	for (uint32_t i = 0; i < ioq->depth; ++i) {
		struct ioq_entry *entry = &ioq->entries[i];
		if (entry->state == IOQ_ACCEPTED && entry->place == IOQ_AT_RING) {
			ioq_entry_abandon(entry);
			entry->place = IOQ_AT_LANES;
			entry->result = -error;
			entry->next = NULL;
			*ioq->ring.done_tail = entry;
			ioq->ring.done_tail = &entry->next;
		}
	}
}

/** Ask the ring to cancel an entry, now or by the next turn. */
static void cancel_on_ring(struct ioq *ioq, struct ioq_entry *entry) {
	if (!ring_prepare_cancel(&ioq->ring, entry)) {
		ioq->cancels_owed = true;
	}
}

/** Prepare the cancellations that there was no room for. Another one does no harm. */
static void turn_cancel(struct ioq *ioq) {
	ioq->cancels_owed = false;
	for (uint32_t i = 0; ioq->ring.live && i < ioq->depth; ++i) {
		struct ioq_entry *entry = &ioq->entries[i];
		if (entry->state == IOQ_ACCEPTED && entry->place == IOQ_AT_RING && ioq_entry_is_cancelled(entry)) {
			cancel_on_ring(ioq, entry);
		}
	}
}

/**
 * Interrupt lanes whose entries were cancelled, as long as there are any. What
 * does not mind being interrupted, such as a disk, is bothered ever less.
 */
static void turn_interrupt(struct ioq *ioq) {
	if (ioq->lane_cancels == 0) {
		ioq->waits.remind_at = IOQ_NEVER;
		return;
	}
	int64_t now = ioq_clock_now(IOQ_CLOCK_MONOTONIC);
	if (now >= ioq->interrupt_at) {
		lanes_interrupt(ioq->lanes);
		ioq->interrupt_at = now + ioq->interrupt_after;
		ioq->interrupt_after *= ioq->interrupt_after < INTERRUPT_MAX ? 2 : 1;
	}
	ioq->waits.remind_at = ioq->interrupt_at;
}

/** Prepare what ioq_park() waits for. Returns whether it may be called. */
static bool turn_arm(struct ioq *ioq) {
	if (ioq->in_flight == 0) {
		return false;
	}
	// Writes that are left over from an earlier wait
	uint64_t count;
	ssize_t ret;
	do {
		ret = read(ioq->wake_fd, &count, sizeof(count));
	} while (ret < 0 && errno == EINTR);
	if (ioq->lanes) {
		int64_t now = lanes_backlog(ioq->lanes) > 0 ? ioq_clock_now(IOQ_CLOCK_MONOTONIC) : 0;
		if (lanes_boost(ioq->lanes, now) && now + BOOST_AFTER < ioq->waits.remind_at) {
			ioq->waits.remind_at = now + BOOST_AFTER;
		}
	}
	// A ring with something left to submit wants another turn
	bool ring = !ioq->ring.live || (ring_arm(&ioq->ring) && !ioq->cancels_owed);
	return ring && waits_arm(&ioq->waits) && receivers_arm(ioq)
		&& (!ioq->lanes || lanes_arm(ioq->lanes));
}

/** Hand out completions while there are any and there is room. */
static void turn_reap(struct ioq *ioq, struct turn_out *out) {
	struct ioq_entry *entry;
	while (turn_has_room(out) && (entry = ring_reap(&ioq->ring))) {
		turn_hand_out(ioq, out, entry);
	}
	while (ioq->lanes && turn_has_room(out) && (entry = lanes_reap(ioq->lanes))) {
		turn_hand_out(ioq, out, entry);
	}
	while (turn_has_room(out) && (entry = waits_reap(&ioq->waits))) {
		turn_hand_out(ioq, out, entry);
	}
	while (turn_has_room(out) && (entry = receivers_reap(ioq))) {
		turn_hand_out(ioq, out, entry);
	}
}

int32_t ioq_turn(struct ioq *ioq, struct ioq_turn *turn, const uint8_t *input, uint8_t *output) {
	turn->completion_count = 0;
	turn->in_flight = ioq->in_flight;
	turn->armed = 0;
	if (turn->request_count > IOQ_TURN_REQUESTS
			|| turn->output_length < IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat)
			|| ((uintptr_t)output & 7) != 0) {
		return -EINVAL;
	}

	if (ioq->caller) {
		caller_turn(ioq->caller);
	}
	if (ioq->ring.live) {
		ring_disarm(&ioq->ring);
	}
	struct turn_out out = {.turn = turn, .output = output, .ring_ops = turn_ring_ops(ioq, turn)};
	for (uint32_t i = 0; i < turn->request_count; ++i) {
		turn_take(ioq, &out, &turn->requests[i], input);
	}
	turn->request_count = 0;

	if (ioq->cancels_owed) {
		turn_cancel(ioq);
	}
	if (ioq->ring.live && io_uring_sq_ready(&ioq->ring.uring) > 0) {
		int ret = ring_submit(&ioq->ring, 0);
		if (ret < 0) {
			turn_lose_ring(ioq, &out, -ret);
		}
	}
	turn_flush(ioq, &out);
	turn_reap(ioq, &out);
	if (ioq->lane_cancels > 0 || ioq->waits.remind_at != IOQ_NEVER) {
		turn_interrupt(ioq);
	}

	if (turn->completion_count == 0 && (turn->flags & IOQ_TURN_ARM)) {
		turn->armed = turn_arm(ioq);
		// A call that is parked already stays the only one
		if (turn->armed && !atomic_load_explicit(&ioq->parked, memory_order_acquire)) {
			atomic_store_explicit(&ioq->park_due, true, memory_order_relaxed);
		}
	}
	if (turn->completion_count == 0 && !turn->armed && (turn->flags & IOQ_TURN_YIELD)) {
		// A lane that was woken on this processor waits for us to leave it
		sched_yield();
		turn_reap(ioq, &out);
	}
	turn->in_flight = ioq->in_flight;
	turn->ring_error = (uint32_t)ioq->ring.error;
	return 0;
}

int32_t ioq_stage(struct ioq *ioq, uint32_t slot, const uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->depth || ioq->entries[slot].state != IOQ_FREE || length > IOQ_TRANSFER_MAX) {
		return -EINVAL;
	}
	struct ioq_entry *entry = &ioq->entries[slot];
	int ret = take_buffer(ioq, entry, length);
	if (ret != 0) {
		return ret;
	}
	if (length > 0) {
		memcpy(entry->payload, bytes, length);
	}
	entry->payload_length = length;
	entry->length = length;
	entry->state = IOQ_STAGED;
	return 0;
}

int32_t ioq_stage_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint32_t total,
		const uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->depth || total > IOQ_TRANSFER_MAX || at > total || length > total - at) {
		return -EINVAL;
	}
	struct ioq_entry *entry = &ioq->entries[slot];
	if (at == 0 && entry->state == IOQ_FREE) {
		int ret = take_buffer(ioq, entry, total);
		if (ret != 0) {
			return ret;
		}
		entry->payload_length = 0;
		// Another part must not go beyond what this one was promised
		entry->length = total;
		entry->state = IOQ_STAGED;
	}
	if (entry->state != IOQ_STAGED || entry->payload_length != at || entry->length != total) {
		return -EINVAL;
	}
	if (length > 0) {
		memcpy((uint8_t *)entry->payload + at, bytes, length);
	}
	entry->payload_length += length;
	return 0;
}

int32_t ioq_take(struct ioq *ioq, uint32_t slot, uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->depth || ioq->entries[slot].state != IOQ_HELD) {
		return -EINVAL;
	}
	struct ioq_entry *entry = &ioq->entries[slot];
	size_t copied = entry->payload_length < length ? entry->payload_length : length;
	if (copied > 0) {
		memcpy(bytes, entry->payload, copied);
	}
	release_entry(ioq, entry);
	return (int32_t)copied;
}

int32_t ioq_take_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint8_t *bytes, uint32_t length) {
	if (slot >= ioq->depth || ioq->entries[slot].state != IOQ_HELD) {
		return -EINVAL;
	}
	const struct ioq_entry *entry = &ioq->entries[slot];
	size_t left = at < entry->payload_length ? entry->payload_length - at : 0;
	size_t copied = left < length ? left : length;
	if (copied > 0) {
		memcpy(bytes, (const uint8_t *)entry->payload + at, copied);
	}
	return (int32_t)copied;
}

int32_t ioq_release(struct ioq *ioq, uint32_t slot) {
	if (slot >= ioq->depth) {
		return -EINVAL;
	}
	struct ioq_entry *entry = &ioq->entries[slot];
	if (entry->state != IOQ_HELD && entry->state != IOQ_STAGED) {
		return -EINVAL;
	}
	release_entry(ioq, entry);
	return 0;
}

void *ioq_allocate(struct ioq *ioq, uint32_t length, uint32_t *index) {
	*index = EINVAL;
	if (length < 1 || length > IOQ_TRANSFER_MAX) {
		return NULL;
	}
	*index = ENOMEM;
	if (!ioq->regions) {
		ioq->regions = calloc(IOQ_REGIONS_MAX, sizeof(*ioq->regions));
	}
	for (uint32_t i = 0; ioq->regions && i < IOQ_REGIONS_MAX; ++i) {
		struct ioq_region *region = &ioq->regions[i];
		if (region->memory) {
			continue;
		}
		void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED) {
			return NULL;
		}
		*region = (struct ioq_region) {.memory = memory, .length = length, .index = (uint16_t)i};
		ring_register(&ioq->ring, region);
		*index = i;
		return memory;
	}
	return NULL;
}

int32_t ioq_deallocate(struct ioq *ioq, uint32_t index) {
	if (!ioq->regions || index >= IOQ_REGIONS_MAX
			|| !ioq->regions[index].memory || ioq->regions[index].released) {
		return -EINVAL;
	}
	struct ioq_region *region = &ioq->regions[index];
	ring_unregister(&ioq->ring, region);
	region->released = true;
	region_settle(region);
	return 0;
}

int32_t ioq_resize(struct ioq *ioq, uint32_t depth) {
	if (depth < 1 || depth > IOQ_DEPTH_MAX) {
		return -EINVAL;
	}
	bool busy = ioq->in_flight > 0;
	for (uint32_t i = 0; i < ioq->depth && !busy; ++i) {
		busy = ioq->entries[i].state != IOQ_FREE;
	}
	if (busy) {
		return -EBUSY;
	}
	// The lanes' queues are as large as the arena, so both are made anew; what
	// parks, waits or posts has nothing to do with either
	struct ioq old = *ioq;
	ioq->depth = depth;
	ioq->entries = NULL;
	ioq->statxes = NULL;
	int ret = ioq_make_arena(ioq);
	if (ret == 0) {
		ioq->lanes = lanes_start(depth, ioq->lane_count, ioq->lane_rings, ioq->wake_fd);
		ret = ioq->lanes ? 0 : -errno;
	}
	// Of the two arenas the one that is of no use goes
	struct ioq other = ret == 0 ? old : *ioq;
	if (ret == 0) {
		lanes_stop(old.lanes);
	} else {
		ioq->depth = old.depth;
		ioq->entries = old.entries;
		ioq->statxes = old.statxes;
		ioq->lanes = old.lanes;
	}
	ioq_free_arena(&other);
	return ret;
}

uint32_t ioq_id(struct ioq *ioq) {
	if (!ioq->mailbox) {
		int ring_fd = ioq->ring.live && (ioq->ring_ops >> IOQ_OP_POST & 1) ? ioq->ring.uring.ring_fd : -1;
		ioq->mailbox = mailbox_open(ioq->wake_fd, ring_fd);
		ioq->ring.mailbox = ioq->mailbox;
	}
	return ioq->mailbox ? mailbox_id(ioq->mailbox) : 0;
}

void ioq_now(uint32_t clock, uint32_t *words) {
	int64_t now = ioq_clock_now(clock < IOQ_CLOCK_COUNT ? clock : IOQ_CLOCK_MONOTONIC);
	uint64_t seconds = (uint64_t)(now / 1000000000);
	words[0] = (uint32_t)seconds;
	words[1] = (uint32_t)(seconds >> 32);
	words[2] = (uint32_t)(now % 1000000000);
}

/** Cancel an entry, if that can be. Returns whether its lane must be told. */
static bool cancel_entry(struct ioq_entry *entry) {
	if (entry->state != IOQ_ACCEPTED || ioq_entry_is_close(entry)) {
		return false;
	}
	return !atomic_exchange_explicit(&entry->cancelled, true, memory_order_relaxed);
}

/** Tell whom a cancelled entry is with. Returns whether that is still to be done: the lanes. */
static bool cancel_where_it_is(struct ioq *ioq, struct ioq_entry *entry) {
	switch (entry->place) {
	case IOQ_AT_RING:
		// Submitted by the next turn
		cancel_on_ring(ioq, entry);
		return false;
	case IOQ_AT_WAITS:
		waits_cancel(&ioq->waits, entry);
		return false;
	case IOQ_AT_RECEIVERS:
		ioq->receivers_cancelled = true;
		return false;
	default:
		entry->counted = true;
		++ioq->lane_cancels;
		ioq->interrupt_at = 0;
		ioq->interrupt_after = INTERRUPT_MIN;
		return true;
	}
}

int32_t ioq_cancel(struct ioq *ioq, uint32_t slot) {
	if (slot >= ioq->depth || !cancel_entry(&ioq->entries[slot])) {
		return 0;
	}
	if (cancel_where_it_is(ioq, &ioq->entries[slot]) && ioq->lanes) {
		lanes_cancel(ioq->lanes);
	}
	return 1;
}

void ioq_cancel_all(struct ioq *ioq) {
	ioq->cancelled = true;
	for (uint32_t i = 0; i < ioq->depth; ++i) {
		struct ioq_entry *entry = &ioq->entries[i];
		if (cancel_entry(entry)) {
			cancel_where_it_is(ioq, entry);
		}
	}
	if (ioq->lanes) {
		lanes_cancel(ioq->lanes);
	}
}

int32_t ioq_park(struct ioq *ioq) {
	atomic_store_explicit(&ioq->parked, true, memory_order_relaxed);
	atomic_store_explicit(&ioq->park_due, false, memory_order_release);
	struct pollfd fd = {.fd = ioq->waits.fd, .events = POLLIN};
	int ret;
	do {
		ret = poll(&fd, 1, -1);
	} while (ret < 0 && errno == EINTR);
	ret = ret < 0 ? -errno : 0;
	// From here on the queue may go away
	atomic_store_explicit(&ioq->parked, false, memory_order_release);
	return ret;
}

void ioq_wake(struct ioq *ioq) {
	uint64_t one = 1;
	ssize_t ret;
	do {
		ret = write(ioq->wake_fd, &one, sizeof(one));
	} while (ret < 0 && errno == EINTR);
}

uint32_t ioq_caller_id(struct ioq *ioq) {
	return ioq->caller ? caller_id(ioq->caller) : 0;
}

int32_t ioq_interrupt(uint32_t id, uint32_t turn) {
	return caller_interrupt(id, turn);
}

int32_t ioq_close(struct ioq *ioq) {
	if (ioq->in_flight > 0) {
		return -EBUSY;
	}
	owned_remove(&ioq->owned);
	ioq_free(ioq);
	return 0;
}

/** Close what a turn has opened, since there is nobody to tell. */
static void orphan_close_opened(struct ioq *ioq, const struct ioq_turn *turn) {
	for (uint32_t i = 0; i < turn->completion_count; ++i) {
		const struct ioq_completion *completion = &turn->completions[i];
		// What never left the core has left nothing in its entry
		if (completion->lane != IOQ_LANE_CORE && completion->slot < ioq->depth
				&& completion->result >= 0 && ioq_entry_is_open(&ioq->entries[completion->slot])) {
			close(completion->result);
		}
	}
}

/**
 * Our thread ends, and we are still open: cancel all, wait for it a while, close.
 * If something in the kernel does not let go in time, everything is left as it is.
 */
static void ioq_orphaned(struct ioq_owned *owned) {
	struct ioq *ioq = (void *)((char *)owned - offsetof(struct ioq, owned));
	uint32_t output_length = IOQ_TURN_COMPLETIONS * (uint32_t)sizeof(struct ioq_stat);
	struct ioq_turn *turn = calloc(1, sizeof(*turn));
	uint8_t *output = aligned_alloc(8, output_length);

	bool rests = false;
	ioq_cancel_all(ioq);
	for (int ms = 0; turn && output && !rests && ms < ORPHAN_WAIT_MS; ++ms) {
		turn->output_length = output_length;
		if (ioq_turn(ioq, turn, output, output) != 0) {
			break;
		}
		orphan_close_opened(ioq, turn);
		// A call that is parked, or about to be, still looks at us
		ioq_wake(ioq);
		rests = ioq->in_flight == 0
			&& !atomic_load_explicit(&ioq->park_due, memory_order_acquire)
			&& !atomic_load_explicit(&ioq->parked, memory_order_acquire);
		if (!rests && turn->completion_count == 0) {
			struct timespec pause = {.tv_nsec = 1000000};
			nanosleep(&pause, NULL);
		}
	}
	free(turn);
	free(output);
	if (rests) {
		// It may be the last reference, and we are running in there
		ioq->library = NULL;
		ioq_free(ioq);
	}
}
