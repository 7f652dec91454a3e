// Copyright 2026 the ioq authors. MIT license.

/** Rings: plainer ones, small ones, those that refuse, and those that die. */

#include "tests.h"

#include "../fault.h"
#include "fifo.h"
#include "owner.h"
#include "parked.h"
#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

/** Raw SQEs, one of which comes back more than once. */
void test_raw(void) {
	static const struct config config = {"raw", IOQ_OPEN_RING | IOQ_OPEN_RAW_SQE, 0, 0, IOQ_LANE_RING};
	open_queue(&config, 8, 1);
	CHECK_EQ(q.info.restricted, 0);
	struct io_uring_sqe sqe = {.opcode = IORING_OP_NOP, .user_data = 7};
	set_path(add(0, IOQ_OP_RAW_SQE), (const char *)&sqe, sizeof(sqe));
	CHECK_EQ(result_of(0), 0);
	check_lane(0);
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	sqe = (struct io_uring_sqe) {
		.opcode = IORING_OP_POLL_ADD, .fd = ends[0], .poll32_events = POLLIN, .len = IORING_POLL_ADD_MULTI,
	};
	set_path(add(1, IOQ_OP_RAW_SQE), (const char *)&sqe, sizeof(sqe));
	turn(0);
	for (int i = 0; i < 10; ++i) {
		CHECK_EQ(write(ends[1], "x", 1), 1);
		CHECK_EQ(turn(0), 0);
	}
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	// Fewer bytes than an SQE has
	set_path(add(2, IOQ_OP_RAW_SQE), (const char *)&sqe, 63);
	CHECK_EQ(result_of(2), -EINVAL);
	close_queue();
	close(ends[0]);
	close(ends[1]);
}

/** A ring does what it was made for and nothing else, whoever has it. */
void test_restricted(void) {
	struct ring ring;
	CHECK_EQ(ring_open(&ring, 8, 16, -1, false), 0);
	if (!ring.restricted) {
		ring_close(&ring);
		SKIP("this kernel restricts no rings");
	}
	static const uint8_t refused[] = {
		IORING_OP_ACCEPT, IORING_OP_CONNECT, IORING_OP_SENDMSG, IORING_OP_EPOLL_CTL, IORING_OP_SHUTDOWN,
		IORING_OP_FILES_UPDATE,
	};
	// Each is refused as such: a bad descriptor would be found out only then
	for (size_t i = 0; i < sizeof(refused); ++i) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring.uring);
		CHECK(sqe);
		io_uring_prep_rw(refused[i], sqe, -1, NULL, 0, 0);
		CHECK_EQ(io_uring_submit_and_wait(&ring.uring, 1), 1);
		struct io_uring_cqe *cqe;
		CHECK_EQ(io_uring_peek_cqe(&ring.uring, &cqe), 0);
		CHECK_EQ(cqe->res, -EACCES);
		io_uring_cqe_seen(&ring.uring, cqe);
	}
	int fd = 0;
	CHECK_EQ(io_uring_register_files(&ring.uring, &fd, 1), -EACCES);
	ring_close(&ring);
}

/** What takes too long the ring gives up by itself. */
void test_linked_timeout(const void *config) {
	int fd = make_fifo("fifo");
	open_queue(config, 300, 1);
	for (uint32_t slot = 0; slot < 200; ++slot) {
		set_timeout(add_read(slot, fd, 10), slot % 7);
		// With a path as well, and in time
		set_timeout(add_path(200, IOQ_OP_OPEN, "plain"), 1000);
		CHECK_EQ(turn(0) <= slot + 2, 1);
		int32_t opened = result_of(200);
		CHECK(opened >= 0);
		close(opened);
	}
	add_read(201, fd, 10);
	for (uint32_t slot = 0; slot < 200; ++slot) {
		CHECK_EQ(result_of(slot), -ETIMEDOUT);
	}
	CHECK(q.pending[201]);
	// In time, and cancelled before its time
	set_timeout(add_read(0, fd, 10), 100000);
	turn(0);
	CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
	CHECK_EQ(result_of(0), -EINTR);
	CHECK_EQ(ioq_cancel(q.ioq, 201), 1);
	CHECK_EQ(result_of(201), -EINTR);
	CHECK_EQ(write(fd, "x", 1), 1);
	set_timeout(add_read(0, fd, 10), 100000);
	CHECK_EQ(result_of(0), 1);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);
	// Nothing behind the paths
	struct ioq_request *request = add_read(0, fd, 10);
	request->hints = IOQ_HINT_TIMEOUT;
	CHECK_EQ(result_of(0), -EINVAL);
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
}

/** A submission queue of one entry, and more completions at once than the ring holds. */
void test_small_ring(const void *config) {
	atomic_store(&fault_small, true);
	open_queue(config, 512, 1);
	for (int round = 0; round < 5; ++round) {
		for (uint32_t slot = 0; slot < 512;) {
			if (slot % 2) {
				add(slot, IOQ_OP_KERNEL_NOP);
			} else {
				add_path(slot, IOQ_OP_STAT, "plain");
			}
			if (++slot % 128 == 0) {
				turn(0);
			}
		}
		wait_all();
		for (uint32_t slot = 0; slot < 512; ++slot) {
			CHECK_EQ(q.results[slot].result, 0);
		}
	}
	// All are waiting when what they wait for comes; half of them are cancelled then
	int fd = make_fifo("fifo");
	for (uint32_t slot = 0; slot < 300;) {
		add_read(slot, fd, 1);
		if (++slot % 100 == 0) {
			turn(0);
		}
	}
	uint8_t bytes[150] = {0};
	CHECK_EQ(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	uint32_t read = 0;
	while (q.pending_count > 150) {
		turn_wait();
	}
	ioq_cancel_all(q.ioq);
	wait_all();
	for (uint32_t slot = 0; slot < 300; ++slot) {
		CHECK(q.results[slot].result == 1 || q.results[slot].result == -EINTR);
		read += q.results[slot].result == 1;
	}
	CHECK_EQ(read, 150);
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** A queue whose ring cannot be had does not open, and leaves nothing behind. */
void test_setup_fails(void) {
	static const int errors[] = {EPERM, ENOSYS, ENOMEM};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		fault_inject(&fault_setup, errors[i], 0, FAULT_FOREVER);
		CHECK(!try_open(&ring_config, 64, 4));
		CHECK_EQ(q.info.error, errors[i]);
		// It is for older kernels that it tries again, not for refusals
		CHECK_EQ(atomic_load(&fault_setup.calls), 1);
		// What a ring that never was would have closed
		CHECK(fcntl(0, F_GETFD) >= 0);
		CHECK(!try_open(&idle_ring_config, 64, 4));
		CHECK_EQ(q.info.error, errors[i]);
	}
	fault_clear();
}

/** Older kernels get plainer rings, which must do all the same. */
void test_setup_plainer(void) {
	uint32_t last = ~0u;
	for (int n = 0;; ++n) {
		fault_inject(&fault_setup, EINVAL, 0, n);
		if (!try_open(&ring_config, 64, 2)) {
			CHECK_EQ(q.info.error, EINVAL);
			CHECK_EQ(n, 6);
			break;
		}
		CHECK_EQ(atomic_load(&fault_setup.calls), n + 1);
		CHECK(q.info.ring_flags != last);
		CHECK_EQ(q.info.restricted, (q.info.ring_flags & IORING_SETUP_R_DISABLED) != 0);
		last = q.info.ring_flags;

		int fd = make_fifo("fifo");
		add_read(0, fd, 10);
		add_read(1, fd, 10);
		for (uint32_t slot = 2; slot < 60; ++slot) {
			add_path(slot, slot & 1 ? IOQ_OP_STAT : IOQ_OP_OPEN, "plain");
		}
		for (uint32_t slot = 2; slot < 60; ++slot) {
			int32_t result = result_of(slot);
			check_lane(slot);
			CHECK(result >= 0);
			if (!(slot & 1)) {
				close_by_queue(slot, result);
			}
		}
		arm_at_rest();
		park();
		check_parked();
		CHECK_EQ(write(fd, "x", 1), 1);
		unpark();
		while (q.pending[0] && q.pending[1]) {
			turn(0);
		}
		uint32_t slot = q.pending[0] ? 0 : 1;
		CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
		check_result(slot, -EINTR);
		close_queue();
		close(fd);
		CHECK_EQ(unlink("fifo"), 0);
	}
	CHECK_EQ(last, 0);
	fault_clear();
}

/** Submissions that fail for a while: nothing is lost, and the ring lives. */
void test_submit_retried(const void *config) {
	static const int errors[] = {EINTR, EAGAIN, EBUSY};
	static const int times[] = {1, 5, 15, 16, 17, 40, 200};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); ++j) {
			open_queue(config, 600, 4);
			int fd = make_fifo("fifo");
			for (int round = 0; round < 3; ++round) {
				fault_inject(&fault_submit, errors[i], round, times[j]);
				add_read(0, fd, 10);
				// More than the ring has entries
				for (uint32_t slot = 1; slot < 600;) {
					add_path(slot, IOQ_OP_STAT, "plain");
					if (++slot % 200 == 0) {
						turn(0);
					}
				}
				for (uint32_t slot = 1; slot < 600; ++slot) {
					check_result(slot, 0);
				}
				CHECK_EQ(q.turn.ring_error, 0);
				CHECK(q.pending[0]);
				CHECK_EQ(write(fd, "x", 1), 1);
				check_result(0, 1);
				CHECK_EQ(ioq_release(q.ioq, 0), 0);
			}
			close_queue();
			close(fd);
		}
	}
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** The ring fails for good at once: the lanes do it all. */
void test_ring_dies_first(void) {
	static const int errors[] = {EPERM, EAGAIN, EBUSY, EINTR};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		open_queue(&ring_config, 600, 4);
		fault_inject(&fault_submit, errors[i], 0, FAULT_FOREVER);
		for (uint32_t slot = 0; slot < 600;) {
			struct ioq_request *request = add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_STAT, "plain");
			CHECK(request);
			if (++slot % 200 == 0) {
				turn(0);
			}
		}
		// Some are cancelled, which the dead ring is to be asked for
		for (uint32_t slot = 500; slot < 520; ++slot) {
			ioq_cancel(q.ioq, slot);
		}
		uint32_t turns = 0;
		while (q.pending_count > 0) {
			turn_wait();
			CHECK(++turns < 100000);
		}
		for (uint32_t slot = 0; slot < 600; ++slot) {
			int32_t result = q.results[slot].result;
			CHECK(result >= 0 || (result == -EINTR && slot >= 500 && slot < 520));
			CHECK_EQ(q.results[slot].lane, IOQ_LANE_WORKER);
			if (slot & 1 && result >= 0) {
				close(result);
			}
		}
		// A ring that only ever was interrupted is no use, either
		CHECK_EQ(q.turn.ring_error, errors[i] == EPERM ? EPERM : EAGAIN);

		// And the queue lives on
		for (uint32_t slot = 0; slot < 100; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
		}
		wait_all();
		CHECK_EQ(ioq_cancel(q.ioq, 0), 0);
		ioq_cancel_all(q.ioq);
		close_by_queue(0, dup(0));
		close_queue();
		fault_clear();
	}
}

/** How a ring dies under a request that is in flight. */
struct death {
	int error;
	int after;
};

/** A ring fails for good while the kernel has a request of it. */
static void test_ring_dies_later(const void *arg) {
	const struct death *death = arg;
	int fd = make_fifo("fifo");
	open_queue(&ring_config, 64, 4);
	add_read(0, fd, 100);
	add_read(1, fd, 100);
	turn(0);
	test_sleep(20);
	CHECK_EQ(turn(0), 0);

	fault_inject(&fault_submit, death->error, death->after, FAULT_FOREVER);
	while (q.pending[0]) {
		for (uint32_t slot = 2; slot < 60; ++slot) {
			if (!q.pending[slot]) {
				add_path(slot, slot & 1 ? IOQ_OP_STAT : IOQ_OP_READ_DIR, slot & 1 ? "plain" : "odd");
			}
		}
		turn_wait();
	}
	wait_all();
	for (uint32_t slot = 2; slot < 60; ++slot) {
		// The kernel may have had some of these as well: STAT goes to its threads
		int32_t result = q.results[slot].result;
		CHECK(result >= 0 || (slot & 1 && result == -death->error));
	}
	CHECK_EQ(q.results[0].result, -death->error);
	CHECK_EQ(q.results[1].result, -death->error);
	CHECK_EQ(q.turn.ring_error, death->error);

	// What the kernel had is now on the FIFO, or gone: either way it is quiet
	CHECK_EQ(write(fd, "late", 4), 4);
	test_sleep(20);
	int flags = fcntl(fd, F_GETFL);
	CHECK_EQ(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	char bytes[16];
	while (read(fd, bytes, sizeof(bytes)) > 0) {
		// Empty it
	}
	CHECK_EQ(fcntl(fd, F_SETFL, flags), 0);

	// Waiting still waits, though the dead ring has completions
	add_read(2, fd, 10);
	arm_at_rest();
	park();
	check_parked();
	CHECK_EQ(write(fd, "x", 1), 1);
	unpark();
	check_result(2, 1);
	CHECK_EQ(ioq_release(q.ioq, 2), 0);

	// The entries are good for anything
	add_path(0, IOQ_OP_STAT, "plain");
	check_result(0, 0);
	add_path(1, IOQ_OP_STAT, "plain");
	check_stat(wait_slot(1), "plain");
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** Run that in a process of its own. */
static void run_death(const struct death *death) {
	char full[128];
	snprintf(full, sizeof(full), "test_ring_dies_later [%s, after %d]", strerrorname_np(death->error), death->after);
	test_run(full, TEST_CHILD, test_ring_dies_later, death);
}

/** The ring fails at each of the first submissions. */
void run_ring_deaths(void) {
	for (int after = 0; after < 4; ++after) {
		run_death(&(struct death) {EPERM, after});
	}
	run_death(&(struct death) {EAGAIN, 0});
}
