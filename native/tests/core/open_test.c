// Copyright 2026 the ioq authors. MIT license.

/** A queue opens, closes, and changes its depth, or fails to and leaves nothing behind. */

#include "tests.h"

#include "../fault.h"
#include "fifo.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/** Options that make no sense. */
void test_options(void) {
	static const struct ioq_options bad[] = {
		{.depth = 0, .lanes = 1}, {.depth = 1, .lanes = 0},
		{.depth = IOQ_DEPTH_MAX + 1, .lanes = 1}, {.depth = 1, .lanes = IOQ_LANES_MAX + 1},
	};
	struct ioq_info info;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		CHECK(!ioq_open(&bad[i], &info));
		CHECK_EQ(info.error, EINVAL);
	}
	// The extremes work
	for (uint32_t flags = 0; flags <= (have_rings ? 1 : 0); ++flags) {
		struct ioq_options most = {.depth = IOQ_DEPTH_MAX, .lanes = IOQ_LANES_MAX, .flags = flags};
		struct ioq *ioq = ioq_open(&most, &info);
		CHECK(ioq);
		CHECK_EQ(ioq_close(ioq), 0);
	}
	open_queue(&lanes_config, 1, 1);
	for (int i = 0; i < 100; ++i) {
		add(0, IOQ_OP_KERNEL_NOP);
		check_result(0, 0);
	}
	close_queue();
}

/** Another depth. */
void test_resize(const void *config) {
	open_queue(config, 2, 2);
	CHECK_EQ(ioq_resize(q.ioq, 0), -EINVAL);
	CHECK_EQ(ioq_resize(q.ioq, IOQ_DEPTH_MAX + 1), -EINVAL);
	static const uint32_t depths[] = {600, 1, 33};
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); ++i) {
		CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"x", 1), 0);
		CHECK_EQ(ioq_resize(q.ioq, depths[i]), -EBUSY);
		CHECK_EQ(ioq_release(q.ioq, 0), 0);
		CHECK_EQ(ioq_resize(q.ioq, depths[i]), 0);
		for (uint32_t slot = 0; slot < depths[i]; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
			if (q.turn.request_count == IOQ_TURN_REQUESTS) {
				turn(0);
			}
		}
		turn(0);
		if (q.pending_count > 0) {
			CHECK_EQ(ioq_resize(q.ioq, 5), -EBUSY);
		}
		wait_all();
		CHECK_EQ(q.results[depths[i] - 1].result, 0);
		add_path(depths[i], IOQ_OP_STAT, "plain");
		CHECK_EQ(result_of(depths[i]), -EINVAL);
	}
	// Its lanes start anew, when there is something to do
	bool lanes = !(q.config->flags & IOQ_OPEN_SYNC);
	fault_inject(&fault_thread, EAGAIN, 0, FAULT_FOREVER);
	CHECK_EQ(ioq_resize(q.ioq, 32), 0);
	fault_clear();
	add_path(31, IOQ_OP_STAT, "plain");
	CHECK_EQ(result_of(31), 0);
	CHECK(lanes || q.results[31].lane == IOQ_LANE_CORE);
	close_queue();
}

/** Bytes that the allocator has given out. */
static size_t allocated(void) {
	return mallinfo2().uordblks;
}

/** Opened and closed many times: nothing is left. */
void test_cycles(const void *config) {
	size_t before = 0;
	unsigned int fds = test_count_fds();
	for (int i = 0; i < TEST_SCALE(200); ++i) {
		open_queue(config, 64, 1 + (uint32_t)i % 4);
		CHECK_EQ(q.info.sq_entries > 0, (q.config->flags & IOQ_OPEN_RING) != 0);
		if (i % 4 != 0) {
			add_path(0, IOQ_OP_STAT, "plain");
			add_path(1, IOQ_OP_READ_DIR, "odd");
			add(2, IOQ_OP_KERNEL_NOP);
			wait_all();
		}
		close_queue();
		CHECK_EQ(test_count_fds(), fds);
		if (i == 10) {
			before = allocated();
		}
	}
#ifdef TEST_PLAIN
	// Caches may settle a little
	CHECK(allocated() < before + 16384);
#endif
	(void)before;
}

/** Threads that cannot be had. */
void test_thread_fails(const void *config) {
	fault_inject(&fault_thread, EAGAIN, 0, FAULT_FOREVER);
	open_queue(config, 64, 4);
	// Without a single thread the turn itself runs what it brings
	for (uint32_t slot = 10; slot < 40; ++slot) {
		add_path(slot, IOQ_OP_READ_DIR, "odd");
	}
	wait_all();
	for (uint32_t slot = 10; slot < 40; ++slot) {
		CHECK(q.results[slot].result > 0);
	}
	close_queue();
	fault_clear();

	// One lane starts, and others when it is held up
	atomic_store(&fault_cpus, 4);
	fault_inject(&fault_thread, EAGAIN, 1, 1);
	open_queue(config, 64, 4);
	bool blocks = q.config->lane == IOQ_LANE_WORKER;
	for (int round = 0; round < 20; ++round) {
		if (blocks) {
			add_blocked(0, "fifo0");
			turn(0);
			test_sleep(2);
		}
		for (uint32_t slot = 10; slot < 40; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
		}
		for (uint32_t slot = 10; slot < 40; ++slot) {
			check_result(slot, 0);
		}
		if (blocks) {
			finish_blocked(0, "fifo0");
		}
	}
	close_queue();
	fault_clear();
}

/** A terminal that the leader of a session opens does not become the session's. */
void test_open_terminal(const void *config) {
	CHECK(setsid() >= 0);
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(terminal >= 0);
	CHECK_EQ(grantpt(terminal), 0);
	CHECK_EQ(unlockpt(terminal), 0);
	char path[64];
	CHECK_EQ(ptsname_r(terminal, path, sizeof(path)), 0);
	open_queue(config, 8, 1);
	add_path(0, IOQ_OP_OPEN, path)->flags = O_RDWR;
	int32_t fd = result_of(0);
	CHECK(fd >= 0);
	CHECK(open("/dev/tty", O_RDONLY | O_CLOEXEC) < 0 && errno == ENXIO);
	close(fd);
	close_queue();
	close(terminal);
}
