// Copyright 2026 the ioq authors. MIT license.

/**
 * The ring
 * ========
 *
 * The queue's thread owns it: it prepares, submits and reaps.
 *
 *     prepare()            submit()                    reap()
 *     entry → SQE   ...    io_uring_enter(2)    ...    CQE → settle → entry
 *                              |                        |      |
 *                              |  permanent error       |      interrupted: again
 *                              v                        v
 *                            die()                    done list
 *
 * How the ring's traps are avoided:
 *
 * - Never initialised, yet torn down (that closes descriptor 0): `live` is set
 *   last and read first.
 * - A submission that fails forever must not spin: EINTR, EAGAIN and EBUSY are
 *   retried a bounded number of times, after reaping, since a full completion
 *   queue is what EBUSY means; whatever stays prepared goes with the next turn.
 *   After FAILURES_MAX fruitless turns, or at any other error, the ring dies.
 * - A slow operation holds up no other: nothing ever waits for all of them.
 * - With DEFER_TASKRUN completions appear only inside io_uring_enter(2), even
 *   for who only looks; TASKRUN_FLAG says when entering is worth it.
 * - Polling the ring's own descriptor on another thread is not woken by deferred
 *   work (seen on 6.18), so waiting is left to an eventfd, which the kernel is
 *   asked to spare while nobody waits.
 * - Opcodes are probed on each ring, so that no queue goes by another's results.
 * - io-wq, the kernel's threads, belongs to the thread that made the ring: the rings
 *   of a thread share them, and the limits that the last of them has set.
 * - The completion queue has room for all that can be in flight; should it
 *   overflow all the same, the kernel keeps the rest (IORING_FEAT_NODROP) and
 *   ring_reap() fetches it.
 */

#include "ring/ring.h"
#include "ops.h"
#include "queue/ranges.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/** Tries of one submission. */
#define TRIES_MAX 16
/** Fruitless submissions in a row after which a ring is taken for dead. */
#define FAILURES_MAX 64
/**
 * io-wq threads for what ends by itself, to the kernel's mind: enough to overlap cold
 * lookups. That class is of regular files, and of all that has no file yet, so that an
 * open that waits for the other end of a FIFO takes one of these.
 */
#define IOWQ_BOUNDED_MIN 8
/** The same while what is asked for turns out to be slow, and they are held up. */
#define IOWQ_BOUNDED_MANY 64
/** io-wq threads for what may wait forever: reads and writes of what is no regular file. */
#define IOWQ_UNBOUNDED 64

/**
 * Closes in a row that a thread of the kernel's did, from which on lanes do it: some
 * file systems (overlayfs) have something to do at each, and io_uring never does that
 * within the submission: 9.7 µs instead of 1.2.
 */
#define SLOW_CLOSES 4
/** One in so many shows whether it is still so. */
#define SLOW_CLOSES_RETRIED 64

/** Set in the user_data of a range: the rest is where its entry's address is. */
#define IS_RANGE ((uint64_t)1)

/** Setups from the best to the plainest, each with the kernel that brought it. */
static const uint32_t setups[] = {
	// 6.1: completions are run when we enter, not when we are interrupted
	IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER
		| IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	// 6.0
	IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER
		| IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	// 5.19
	IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL
		| IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	// 5.18
	IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL,
	// 5.10
	IORING_SETUP_R_DISABLED,
	// 5.1
	0,
};

/** Say how many threads of the kernel's there may be. */
static void ring_set_workers(struct ring *ring, bool many) {
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int few = cpus > IOWQ_BOUNDED_MIN / 4 ? 4 * (unsigned int)cpus : IOWQ_BOUNDED_MIN;
	unsigned int workers[2] = {many && few < IOWQ_BOUNDED_MANY ? IOWQ_BOUNDED_MANY : few, IOWQ_UNBOUNDED};
	// 5.15; an older kernel goes by its own limits
	io_uring_register_iowq_max_workers(&ring->uring, workers);
	ring->many_workers = many;
}

void ring_expect(struct ring *ring, bool slow) {
	if (ring->live && slow != ring->many_workers) {
		ring_set_workers(ring, slow);
	}
}

int ring_open(struct ring *ring, uint32_t sq_entries, uint32_t cq_entries, int wake_fd, bool raw) {
	memset(ring, 0, sizeof(*ring));
	ring->done_tail = &ring->done;

	int ret = -EINVAL;
	for (size_t i = 0; ret == -EINVAL && i < sizeof(setups) / sizeof(setups[0]); ++i) {
		struct io_uring_params params = {
			.flags = setups[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
			.cq_entries = cq_entries,
		};
		ring->setup_flags = setups[i];
		ret = io_uring_queue_init_params(sq_entries, &ring->uring, &params);
	}
	if (ret < 0) {
		goto fail;
	}

	ret = ring_probe(&ring->uring, &ring->opcodes);
	if (ret < 0) {
		goto fail_exit;
	}
	ring->ops = ops_on_ring(ring->opcodes);
	// The clocks came with 5.15, this with 5.17
	ring->clocks = ring->uring.features & IORING_FEAT_CQE_SKIP;
	// 5.12, as RESOLVE_CACHED
	ring->cached_opens = (ring->uring.features & IORING_FEAT_NATIVE_WORKERS)
		&& (ring->opcodes >> IORING_OP_OPENAT2 & 1);
	ring->link_timeouts = ring->opcodes >> IORING_OP_LINK_TIMEOUT & 1;

	if (wake_fd >= 0) {
		ret = io_uring_register_eventfd(&ring->uring, wake_fd);
		if (ret < 0) {
			goto fail_exit;
		}
		ring->armed = true;
		ring_disarm(ring);
	}

	ring_set_workers(ring, false);

	// 5.18, and sixteen of a thread: to enter is cheaper without looking its file up
	io_uring_register_ring_fd(&ring->uring);
	if (ring->setup_flags & IORING_SETUP_R_DISABLED) {
		if (raw) {
			ring->ops |= (ioq_ops)1 << IOQ_OP_RAW_SQE;
		} else {
			ring->restricted = ring_restrict(&ring->uring, ring->opcodes);
		}
		ret = io_uring_enable_rings(&ring->uring);
		if (ret < 0) {
			goto fail_exit;
		}
	}
	ring->live = true;
	return 0;

fail_exit:
	io_uring_queue_exit(&ring->uring);
fail:
	ring->ops = 0;
	ring->error = -ret;
	return ret;
}

bool ring_takes(struct ring *ring, const struct entry *entry) {
	if (entry_is_close(entry) && ring->slow_closes >= SLOW_CLOSES) {
		// From time to time one of them shows whether that is still so
		return ++ring->closes_elsewhere % SLOW_CLOSES_RETRIED == 0;
	}
	if (entry->guarded) {
		// To look where a path leads takes several calls, see calls/guard.c
		return false;
	}
	if (entry_is_open(entry) && !ring_open_takes(entry)) {
		return false;
	}
	switch (ops[entry->op].ring) {
	case RING_CLOCK:
		return ring->clocks || entry_clock(entry) == IOQ_CLOCK_MONOTONIC;
	case RING_XATTR:
		return entry->flags == 0 && (entry->fd == AT_FDCWD || !entry->path[0] || entry->path[0] == '/');
	default:
		return true;
	}
}

void ring_close(struct ring *ring) {
	if (ring->live) {
		ring->live = false;
		io_uring_queue_exit(&ring->uring);
	}
}

/** Settle an entry that came back, and keep it until it is asked for. */
static void ring_complete(struct ring *ring, struct entry *entry, int32_t result) {
	entry->result = result;
	if (entry_is_close(entry)) {
		ring->slow_closes = entry->ring_turn == ring->turns ? 0 : ring->slow_closes + 1;
	}
	if (ring_open_leaves(entry) || (entry_finds_directory(entry) && !entry_is_cancelled(entry))) {
		entry->elsewhere = true;
	} else if (!entry_settle(entry) && !entry->elsewhere) {
		if (!ring_prepare(ring, entry)) {
			entry->next = ring->again;
			ring->again = entry;
		}
		return;
	}
	entry->next = NULL;
	*ring->done_tail = entry;
	ring->done_tail = &entry->next;
}

/** A range came back. */
static void ring_complete_range(struct ring *ring, struct entry **owner, int32_t result) {
	struct entry *e = *owner;
	ranges_of(e)[owner - ranges_owner(e, 0)].result = result;
	if (--e->ranges_out == 0) {
		ring_complete(ring, e, ranges_result(e));
	}
}

/** Take everything off the completion queue. Returns how much there was. */
static unsigned int ring_drain(struct ring *ring) {
	unsigned int count = 0;
	struct io_uring_cqe *cqe;
	while (io_uring_peek_cqe(&ring->uring, &cqe) == 0) {
		uint64_t user_data = cqe->user_data;
		bool more = cqe->flags & IORING_CQE_F_MORE;
		int32_t result = cqe->res;
		io_uring_cqe_seen(&ring->uring, cqe);
		++count;
		if (user_data & IS_RANGE) {
			ring_complete_range(ring, (struct entry **)(uintptr_t)(user_data & ~IS_RANGE), result);
		} else if (user_data != NOT_AN_ENTRY && !more) {
			// Only a raw one comes back more than once: the last time counts
			ring_complete(ring, (struct entry *)(uintptr_t)user_data, result);
		}
	}
	return count;
}

/** Get an SQE, submitting what is in the way. */
static struct io_uring_sqe *ring_get_sqe(struct ring *ring) {
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	if (!sqe && io_uring_submit(&ring->uring) > 0) {
		// An error will show again, and be dealt with, in ring_submit()
		sqe = io_uring_get_sqe(&ring->uring);
	}
	return sqe;
}

/** Make room for two SQEs in a row, which is what a linked timeout takes. */
static bool ring_make_room(struct ring *ring) {
	return io_uring_submit(&ring->uring) > 0 && io_uring_sq_space_left(&ring->uring) >= 2;
}

bool ring_prepare(struct ring *ring, struct entry *e) {
	if (!ring->live) {
		return false;
	}
	bool linked = e->timed && ring->link_timeouts && e->op != IOQ_OP_TIMEOUT;
	if (linked && io_uring_sq_space_left(&ring->uring) < 2 && !ring_make_room(ring)) {
		return false;
	}
	struct io_uring_sqe *sqe = ring_get_sqe(ring);
	if (!sqe) {
		return false;
	}

	if (entry_is_open(e)) {
		ring_open_how(e, ring->cached_opens);
	}
	e->ring_turn = ring->turns;
	sqe_write(sqe, e, ring->fixed);
	if (linked) {
		sqe->flags |= IOSQE_IO_LINK;
		sqe_write_link_timeout(io_uring_get_sqe(&ring->uring), e);
	}
	return true;
}

bool ring_prepare_ranges(struct ring *ring, struct entry *e, unsigned int at_once) {
	struct ioq_range *ranges = ranges_of(e);
	uint8_t *bytes = ranges_bytes(e);
	e->ranges_out = 0;
	for (uint32_t i = 0; ring->live && i < e->range_count; bytes += ranges[i++].length) {
		struct io_uring_sqe *sqe = ring_get_sqe(ring);
		if (!sqe) {
			// The others keep what says that they were not read
			break;
		}
		struct entry **owner = ranges_owner(e, i);
		*owner = e;
		io_uring_prep_read(sqe, e->fd, bytes, ranges[i].length, range_offset(&ranges[i]));
		io_uring_sqe_set_data64(sqe, (uintptr_t)owner | IS_RANGE);
		ranges[i].result = RANGE_IN_FLIGHT;
		if (++e->ranges_out % (at_once ? at_once : UINT32_MAX) == 0) {
			ring_hurry(ring);
		}
	}
	return e->ranges_out > 0;
}

/** Prepare requests to cancel the ranges of an entry that are in flight. */
static bool ring_prepare_cancel_ranges(struct ring *ring, struct entry *e) {
	for (uint32_t i = 0; i < e->range_count; ++i) {
		if (ranges_of(e)[i].result != RANGE_IN_FLIGHT) {
			continue;
		}
		struct io_uring_sqe *sqe = ring_get_sqe(ring);
		if (!sqe) {
			return false;
		}
		io_uring_prep_cancel64(sqe, (uintptr_t)ranges_owner(e, i) | IS_RANGE, 0);
		io_uring_sqe_set_data(sqe, NOT_AN_ENTRY);
	}
	return true;
}

void ring_hurry(struct ring *ring) {
	// An error will show again, and be dealt with, in ring_submit()
	io_uring_submit(&ring->uring);
}

bool ring_prepare_cancel(struct ring *ring, struct entry *entry) {
	if (ring->live && entry_has_ranges(entry)) {
		return ring_prepare_cancel_ranges(ring, entry);
	}
	struct io_uring_sqe *sqe = ring->live ? ring_get_sqe(ring) : NULL;
	if (!sqe) {
		return false;
	}
	io_uring_prep_cancel(sqe, entry, 0);
	io_uring_sqe_set_data(sqe, NOT_AN_ENTRY);
	return true;
}

void ring_prepare_again(struct ring *ring) {
	struct entry *entry;
	while ((entry = ring->again)) {
		struct entry *next = entry->next;
		if (entry_is_cancelled(entry)) {
			ring->again = next;
			ring_complete(ring, entry, -EINTR);
		} else if (ring_prepare(ring, entry)) {
			ring->again = next;
		} else {
			break;
		}
	}
}

void ring_register(struct ring *ring, struct region *region) {
	if (!ring->live) {
		return;
	}
	// 5.19, and as much locked memory as is granted; without, transfers do all the same
	ring->fixed = ring->fixed || io_uring_register_buffers_sparse(&ring->uring, REGIONS_MAX) == 0;
	struct iovec iov = {.iov_base = region->memory, .iov_len = region->length};
	region->registered = ring->fixed
		&& io_uring_register_buffers_update_tag(&ring->uring, region->index, &iov, NULL, 1) == 1;
}

void ring_unregister(struct ring *ring, struct region *region) {
	if (ring->live && region->registered) {
		struct iovec none = {0};
		__u64 tag = 0;
		io_uring_register_buffers_update_tag(&ring->uring, region->index, &none, &tag, 1);
	}
	region->registered = false;
}

void ring_disarm(struct ring *ring) {
	++ring->turns;
	if (ring->armed) {
		// Kernels before 5.8 cannot, and write to it at each completion
		ring->armed = io_uring_cq_eventfd_toggle(&ring->uring, false) != 0;
	}
}

/** Whether the kernel has completions that it will not show until we enter. */
static bool ring_has_more(const struct ring *ring) {
	unsigned int flags = IO_URING_READ_ONCE(*ring->uring.sq.kflags);
	return flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

bool ring_arm(struct ring *ring) {
	if (!ring->armed) {
		ring->armed = true;
		io_uring_cq_eventfd_toggle(&ring->uring, true);
		// The kernel first says that there is something, then looks whether we
		// want to be told; we do it the other way round, and neither may be late
		__sync_synchronize();
	}
	return !ring->done && !ring->again && !ring_has_more(ring)
		&& io_uring_cq_ready(&ring->uring) == 0
		&& io_uring_sq_ready(&ring->uring) == 0;
}

int ring_submit(struct ring *ring) {
	struct io_uring *uring = &ring->uring;
	for (int tries = 0; tries < TRIES_MAX; ++tries) {
		int ret = io_uring_submit_and_get_events(uring);
		unsigned int reaped = 0;
		if (ret == -EAGAIN || ret == -EBUSY) {
			reaped = ring_drain(ring);
		} else if (ret < 0 && ret != -EINTR) {
			return ret;
		}
		if (ret >= 0 || reaped > 0) {
			ring->failures = 0;
		}
		// With nothing left to submit it was the fetching that was interrupted
		if ((ret >= 0 || ret == -EINTR) && io_uring_sq_ready(uring) == 0) {
			ring->failures = 0;
			return 0;
		}
	}
	return ++ring->failures < FAILURES_MAX ? 0 : -EAGAIN;
}

struct entry *ring_reap(struct ring *ring) {
	if (!ring->done && ring->live) {
		if (ring_drain(ring) == 0 && ring_has_more(ring)) {
			io_uring_get_events(&ring->uring);
			ring_drain(ring);
		}
	}

	struct entry *entry = ring->done;
	if (entry) {
		ring->done = entry->next;
		if (!ring->done) {
			ring->done_tail = &ring->done;
		}
	}
	return entry;
}

void ring_die(struct ring *ring, int error, struct entry **unsubmitted) {
	// First of all, since what was interrupted may be prepared again by this
	ring_drain(ring);

	struct io_uring_sq *sq = &ring->uring.sq;
	// What lies between the kernel's head and our tail it has never looked at
	unsigned int head = io_uring_smp_load_acquire(sq->khead);
	struct entry **tail = unsubmitted;
	for (; head != sq->sqe_tail; ++head) {
		uint64_t user_data = sq->sqes[head & *sq->kring_mask].user_data;
		struct entry *entry = (void *)(uintptr_t)user_data;
		// Of an entry with ranges the kernel may have some: it is given up
		if (entry != NOT_AN_ENTRY && !(user_data & IS_RANGE)) {
			*tail = entry;
			tail = &entry->next;
		}
	}
	*tail = ring->again;
	ring->again = NULL;

	ring->error = error;
	ring_close(ring);
}
