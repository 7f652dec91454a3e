// Copyright 2026 the ioq authors. MIT license.

/**
 * The beginning and the end of a queue, and another depth in between.
 */

#include "queue/turn.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/** Submission queue entries of the queue's ring. */
#define SQ_ENTRIES 256
/** The kernel's own bound on completion queue entries. */
#define CQ_ENTRIES_MAX 65536

uint32_t ioq_abi_version(void) {
	return IOQ_ABI_VERSION;
}

/** Tell what the queue's ring is like. */
static void describe_ring(const struct ioq *ioq, struct ioq_info *info) {
	const struct ring *ring = &ioq->ring;
	info->ring_flags = ring->setup_flags;
	info->ring_features = ring->uring.features;
	info->sq_entries = *ring->uring.sq.kring_entries;
	info->cq_entries = *ring->uring.cq.kring_entries;
	SPLIT(info, ring_ops, ioq->ring_ops);
	info->restricted = ring->restricted;
	SPLIT(info, opcodes, ring->opcodes);
}

/** Set up the queue's ring. */
static int open_ring(struct ioq *ioq, const struct ioq_options *options, struct ioq_info *info) {
	// Whatever the depth, which may change
	uint32_t sq = SQ_ENTRIES;
	// Room for every request and its cancellation
	uint32_t cq = options->depth < CQ_ENTRIES_MAX / 2 ? 2 * options->depth : CQ_ENTRIES_MAX;
	int ret = ring_open(&ioq->ring, sq, cq < 2 * sq ? 2 * sq : cq, ioq->wake_fd, ioq->raw_sqes);
	if (ret < 0) {
		return ret;
	}
	ioq->ring_ops = ioq->ring.ops & ~JOIN(options, worker_ops);
	ioq->overflow_ops = JOIN(options, overflow_ops);
	describe_ring(ioq, info);
	return 0;
}

void queue_release(struct ioq *ioq) {
	if (!ioq->runs_for_other) {
		owner_end(ioq->owner);
	}
	lanes_stop(ioq->lanes);
	caller_close(ioq->caller);
	scratch_release(&ioq->scratch);
	// Before the eventfd goes, and the ring
	mailbox_close(ioq->mailbox);
	ring_close(&ioq->ring);
	waits_close(&ioq->waits);
	if (ioq->wake_fd >= 0) {
		close(ioq->wake_fd);
	}
	arena_free(&ioq->arena);
	pool_drain(&ioq->pool);
	regions_free(ioq->regions);
	if (ioq->library) {
		// Not the last one: whoever calls us holds another to do so by
		dlclose(ioq->library);
	}
}

struct ioq *ioq_open(const struct ioq_options *options, struct ioq_info *info) {
	memset(info, 0, sizeof(*info));
	// Where Deno finds its permission broker, see deno(1)
	info->brokered = getenv("DENO_PERMISSION_BROKER_PATH") != NULL;
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
	ioq->lane_count = options->lanes;
	ioq->raw_sqes = options->flags & IOQ_OPEN_RAW_SQE;
	ioq->wake_fd = -1;
	ioq->waits.fd = -1;
	ioq->held_back_tail = &ioq->held_back;
	ioq->patience = !sync || (options->flags & IOQ_OPEN_WAITS) ? PATIENCE_WAITS
		: options->flags & IOQ_OPEN_TRIES ? PATIENCE_FAILS : PATIENCE_BLOCKS;
	ioq->runs_for_other = options->owner != 0;
	ioq->owner = options->owner == IOQ_NO_OWNER ? 0 : ioq->runs_for_other ? options->owner : owner_begin();
	receivers_open(&ioq->receivers);
	ioq->library = library_hold();

	int ret = ioq->runs_for_other && ioq->owner != 0 && !owner_lives(ioq->owner) ? -EOWNERDEAD
		: arena_make(&ioq->arena, options->depth);
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
		ret = open_ring(ioq, options, info);
		if (ret < 0) {
			goto fail;
		}
	}

	if (sync) {
		ioq->caller = caller_open(ioq->owner);
		if (!ioq->caller) {
			ret = -ENOMEM;
			goto fail;
		}
	} else {
		ioq->lanes = lanes_start(ioq->arena.depth, ioq->lane_count, ioq->wake_fd);
		if (!ioq->lanes) {
			ret = -errno;
			goto fail;
		}
		info->lanes = lanes_count(ioq->lanes);
	}
	info->owner = ioq->owner;
	thread_exit_add(ioq);
	return ioq;

fail:
	queue_release(ioq);
	free(ioq);
	info->error = (uint32_t)-ret;
	return NULL;
}

int32_t ioq_close(struct ioq *ioq) {
	// A call that was armed for and has not come may never come: it finds nobody then
	if (ioq->in_flight > 0 || !(park_is_over(ioq) || park_end(ioq))) {
		return -EBUSY;
	}
	thread_exit_remove(ioq);
	queue_release(ioq);
	if (park_orphan(ioq)) {
		free(ioq);
	}
	return 0;
}

int32_t ioq_resize(struct ioq *ioq, uint32_t depth) {
	if (depth < 1 || depth > IOQ_DEPTH_MAX) {
		return -EINVAL;
	}
	bool busy = ioq->in_flight > 0;
	for (uint32_t i = 0; i < ioq->arena.depth && !busy; ++i) {
		busy = ioq->arena.entries[i].state != ENTRY_FREE;
	}
	if (busy) {
		return -EBUSY;
	}
	// The lanes' queues are as large as the arena, so both are made anew; what
	// parks, waits or posts has nothing to do with either
	struct lanes *lanes = NULL;
	struct arena arena;
	int ret = arena_make(&arena, depth);
	if (ret == 0 && ioq->lanes) {
		lanes = lanes_start(depth, ioq->lane_count, ioq->wake_fd);
		ret = lanes ? 0 : -errno;
	}
	if (ret == 0) {
		lanes_stop(ioq->lanes);
		ioq->lanes = lanes;
		struct arena old = ioq->arena;
		ioq->arena = arena;
		arena = old;
	}
	// Of the two arenas the one that is of no use
	arena_free(&arena);
	return ret;
}
