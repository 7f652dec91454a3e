// Copyright 2026 the ioq authors. MIT license.

/** What is cancelled, in whatever moment and wherever it is. */

#include "tests.h"

#include "../fault.h"
#include "fifo.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

/** Opens that are cancelled in every possible moment leak nothing. */
void test_cancel_open(const void *config) {
	open_queue(config, 64, 4);
	unsigned int opened = 0;
	for (int round = 0; round < TEST_SCALE(400); ++round) {
		for (uint32_t slot = 0; slot < 32; ++slot) {
			add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_OPEN_DIR, slot & 1 ? "plain" : "empty");
		}
		turn(0);
		for (int i = 0; i < round % 7 * 20; ++i) {
			sched_yield();
		}
		for (uint32_t slot = 0; slot < 32; ++slot) {
			bool was_pending = q.pending[slot];
			CHECK_EQ(ioq_cancel(q.ioq, slot), was_pending);
			CHECK_EQ(ioq_cancel(q.ioq, slot), 0);
		}
		bool done[32];
		for (uint32_t slot = 0; slot < 32; ++slot) {
			done[slot] = !q.pending[slot];
		}
		wait_all();
		for (uint32_t slot = 0; slot < 32; ++slot) {
			int32_t result = q.results[slot].result;
			if (done[slot]) {
				CHECK(result >= 0);
				close(result);
				++opened;
			} else {
				// Nobody could have seen the descriptor before it was cancelled
				CHECK_EQ(result, -EINTR);
			}
		}
	}
	(void)opened;
	close_queue();
}

/** What would wait forever on a ring can be cancelled. */
void test_cancel_fifo(const void *config) {
	int fd = make_fifo("fifo");
	CHECK_EQ(mkfifo("lonely", 0600), 0);
	open_queue(config, 512, 3);

	// A read, which the kernel polls for, and an open, which sits in a thread of
	// the kernel's: but for O_CREAT a ring would first try it with O_NONBLOCK,
	// which a FIFO takes for not wanting to wait
	for (int i = 0; i < 20; ++i) {
		add_read(0, fd, 10);
		add_path(1, IOQ_OP_OPEN, "lonely")->flags = O_RDONLY | O_CREAT;
		turn(0);
		test_sleep(i & 1 ? 5 : 0);
		CHECK_EQ(turn(0), 0);
		CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
		CHECK_EQ(ioq_cancel(q.ioq, 0), 0);
		while (q.pending[0]) {
			turn(0);
		}
		CHECK_EQ(q.results[0].result, -EINTR);
		check_lane(0);
		CHECK(q.pending[1]);
		CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
		while (q.pending[1]) {
			turn(0);
		}
		CHECK_EQ(q.results[1].result, -EINTR);
	}

	// More of them than the ring has entries
	uint32_t count = 511;
	for (uint32_t slot = 0; slot < count; ++slot) {
		add_read(slot, fd, 10);
		if (q.turn.request_count == IOQ_TURN_REQUESTS) {
			turn(0);
		}
	}
	turn(0);
	test_sleep(5);
	CHECK_EQ(turn(0), 0);
	// Others come through all the same
	add_path(count, IOQ_OP_STAT, "plain");
	while (q.pending[count]) {
		turn(0);
	}
	ioq_cancel_all(q.ioq);
	while (q.pending_count > 0) {
		turn(0);
	}
	for (uint32_t slot = 0; slot < count; ++slot) {
		CHECK_EQ(q.results[slot].result, -EINTR);
	}
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	CHECK_EQ(unlink("lonely"), 0);
	fault_clear();
}

/** What a lane waits for in a system call can be cancelled, at whatever moment. */
void test_interrupt(const void *config) {
	int fd = make_fifo("fifo");
	CHECK_EQ(mkfifo("lonely", 0600), 0);
	int locked = open("plain", O_RDONLY | O_CLOEXEC), lock = open("plain", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(flock(locked, LOCK_EX), 0);
	open_queue(config, 8, 4);
	for (int i = 0; i < TEST_SCALE(100); ++i) {
		add_read(0, fd, 10);
		add_path(1, IOQ_OP_OPEN, "lonely")->flags = O_RDONLY | O_CREAT;
		add_fd(2, IOQ_OP_LOCK, lock)->flags = LOCK_EX;
		turn(0);
		for (int j = 0; j < i % 10; ++j) {
			sched_yield();
		}
		if (i % 4 == 0) {
			test_sleep(1);
		}
		if (i & 1) {
			for (uint32_t slot = 0; slot < 3; ++slot) {
				CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
			}
		} else {
			ioq_cancel(q.ioq, 2);
			ioq_cancel(q.ioq, 0);
			wait_slot(0);
			CHECK(q.pending[1]);
			ioq_cancel(q.ioq, 1);
		}
		// Parks in between: the interruptions are repeated by themselves
		wait_all();
		for (uint32_t slot = 0; slot < 3; ++slot) {
			CHECK_EQ(q.results[slot].result, -EINTR);
		}
	}
	// Whom nobody cancelled goes on
	add_read(0, fd, 10);
	add_read(1, fd, 10);
	turn(0);
	test_sleep(2);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	CHECK(q.pending[0]);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(result_of(0), 1);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);
	close_queue();
	struct sigaction action;
	for (int signal_number = SIGRTMIN; signal_number <= SIGRTMAX; ++signal_number) {
		// The signal was given back
		CHECK_EQ(sigaction(signal_number, NULL, &action), 0);
		CHECK(action.sa_handler == SIG_DFL);
	}
	close(lock);
	close(locked);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	CHECK_EQ(unlink("lonely"), 0);
}

/** Requests that wait behind a lane that is held up can be cancelled. */
void test_cancel_queued(const void *config) {
	atomic_store(&fault_cpus, 2);
	open_queue(config, 64, 1);
	add_blocked(0, "fifo0");
	turn(0);
	test_sleep(5);
	for (uint32_t slot = 1; slot < 40; ++slot) {
		add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_STAT, "plain");
	}
	int fd = dup(0);
	add_fd(40, IOQ_OP_CLOSE, fd);
	turn(0);
	for (uint32_t slot = 1; slot <= 40; ++slot) {
		CHECK_EQ(ioq_cancel(q.ioq, slot), slot < 40);
	}
	finish_blocked(0, "fifo0");
	for (uint32_t slot = 1; slot < 40; ++slot) {
		check_result(slot, -EINTR);
	}
	check_result(40, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	close_queue();
	fault_clear();
}

/** Cancellations that cannot be submitted at first are not forgotten. */
void test_cancel_retried(const void *config) {
	int fd = make_fifo("fifo");
	static const int errors[] = {EINTR, EAGAIN, EBUSY};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		open_queue(config, 600, 4);
		for (uint32_t slot = 0; slot < 600; ++slot) {
			add_read(slot, fd, 10);
			if (q.turn.request_count == 200) {
				turn(0);
			}
		}
		turn(0);
		test_sleep(5);
		CHECK_EQ(turn(0), 0);
		fault_inject(&fault_submit, errors[i], 0, 600);
		for (uint32_t slot = 0; slot < 10; ++slot) {
			CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
		}
		ioq_cancel_all(q.ioq);
		while (q.pending_count > 0) {
			turn(0);
		}
		for (uint32_t slot = 0; slot < 600; ++slot) {
			CHECK_EQ(q.results[slot].result, -EINTR);
		}
		CHECK_EQ(q.turn.ring_error, 0);
		close_queue();
	}
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** Interrupts a queue without lanes from a thread of its own. */
static void *interrupt_caller(void *argument) {
	uint32_t id = *(uint32_t *)argument;
	struct timespec pause = {.tv_nsec = 20000000};
	// What is meant by another turn, and by another queue, is nothing of this one's
	nanosleep(&pause, NULL);
	CHECK_EQ(ioq_interrupt(id, 2), -ESRCH);
	CHECK_EQ(ioq_interrupt(id + 1, 1), -ESRCH);
	nanosleep(&pause, NULL);
	int32_t ret;
	do {
		ret = ioq_interrupt(id, 1);
		pause.tv_nsec = 1000000;
		nanosleep(&pause, NULL);
	} while (ret == 0);
	// Until it was over
	CHECK_EQ(ret, -ESRCH);
	return NULL;
}

/** A thread that runs its requests itself can be interrupted by another one. */
void test_interrupt_caller(void) {
	CHECK_EQ(mkfifo("lonely", 0600), 0);
	open_queue(&sync_config, 8, 1);
	uint32_t id = ioq_caller_id(q.ioq);
	CHECK(id != 0);
	add_path(0, IOQ_OP_OPEN, "lonely");
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, interrupt_caller, &id), 0);
	CHECK_EQ(turn(0), 1);
	CHECK_EQ(q.results[0].result, -EINTR);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	// It was that one only
	add_path(1, IOQ_OP_STAT, "lonely");
	CHECK_EQ(turn(0), 1);
	CHECK_EQ(q.results[1].result, 0);
	close_queue();
	CHECK_EQ(ioq_interrupt(id, 2), -ESRCH);

	open_queue(&lanes_config, 8, 1);
	CHECK_EQ(ioq_caller_id(q.ioq), 0);
	close_queue();
	CHECK_EQ(unlink("lonely"), 0);
}
