// Copyright 2026 the ioq authors. MIT license.

/** Waiting in another thread: no wake-up is lost. */

#include "tests.h"

#include "fifo.h"
#include "owner.h"
#include "parked.h"

/** Waiting in another thread, woken by whatever there is. */
void test_park(const void *config) {
	int fd = make_fifo("fifo");
	open_queue(config, 16, 2);
	for (int round = 0; round < 3; ++round) {
		// By a completion
		add_read(0, fd, 1);
		arm_at_rest();
		park();
		check_parked();
		CHECK_EQ(write(fd, "x", 1), 1);
		unpark();
		check_result(0, 1);
		check_lane(0);
		CHECK_EQ(ioq_release(q.ioq, 0), 0);

		// By ioq_wake(), before or after
		add_read(0, fd, 1);
		arm_at_rest();
		if (round & 1) {
			ioq_wake(q.ioq);
			park();
		} else {
			park();
			check_parked();
			ioq_wake(q.ioq);
		}
		unpark();
		// That is over when the next one is armed
		arm_at_rest();
		park();
		check_parked();

		// Turns may go on meanwhile, and what they start wakes it
		add(1, IOQ_OP_NOP);
		CHECK_EQ(turn(0), 1);
		check_parked();
		add_path(1, IOQ_OP_READ_DIR, "odd");
		add_path(2, IOQ_OP_STAT, "plain");
		turn(0);
		while (q.pending_count > 1) {
			// Armed, because the read may hold up the only lane
			sched_yield();
			turn(IOQ_TURN_ARM);
		}
		ioq_wake(q.ioq);
		unpark();
		CHECK_EQ(write(fd, "x", 1), 1);
		check_result(0, 1);
		CHECK_EQ(ioq_release(q.ioq, 0), 0);
	}

	// Nothing in flight: nothing to wait for
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(q.turn.armed, 0);
	close_queue();

	// A call that comes when the queue was closed finds nobody
	open_queue(config, 16, 2);
	add_read(0, fd, 1);
	arm_at_rest();
	CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
	while (q.pending[0]) {
		turn(0);
	}
	CHECK_EQ(ioq_close(q.ioq), 0);
	CHECK(ioq_park(q.ioq) < 0);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
}

/** One small operation at a time, each waited for: no wake-up is lost. */
void test_park_often(const void *config) {
	open_queue(config, 4, 2);
	for (int i = 0; i < TEST_SCALE(8000); ++i) {
		add(0, IOQ_OP_KERNEL_NOP);
		if (i % 3 == 0) {
			add_path(1, IOQ_OP_READ_DIR, "empty");
		}
		wait_all();
	}
	close_queue();
}
