// Copyright 2026 the ioq authors. MIT license.

/** What waits for time and for readiness. */

#include "tests.h"

#include "../fault.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

/** Add a TIMEOUT of so many milliseconds. */
static struct ioq_request *add_timeout(uint32_t slot, uint32_t clock, uint32_t ms) {
	struct ioq_request *request = add(slot, IOQ_OP_TIMEOUT);
	request->flags = clock;
	request->offset_low = ms / 1000;
	request->args[0] = ms % 1000 * 1000000;
	return request;
}

/** What waits for a time does so in its order, whatever the clock, and can be cancelled. */
void test_timeouts(const void *config) {
	open_queue(config, 256, 1);
	for (uint32_t clock = 0; clock < IOQ_CLOCK_COUNT; ++clock) {
		uint64_t state = 7 + clock;
		uint32_t ms[200];
		for (uint32_t slot = 0; slot < 200; ++slot) {
			ms[slot] = test_random(&state) % 40;
			add_timeout(slot, clock, slot % 5 ? ms[slot] : 1000000);
		}
		struct timespec start;
		clock_gettime(CLOCK_MONOTONIC, &start);
		turn(0);
		// From anywhere in the heap
		for (uint32_t slot = 0; slot < 200; slot += 5) {
			CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
			CHECK_EQ(ioq_cancel(q.ioq, slot), 0);
		}
		while (q.pending_count > 0) {
			turn_wait();
			for (uint32_t i = 0; i < q.turn.completion_count; ++i) {
				const struct ioq_completion *completion = &q.turn.completions[i];
				CHECK_EQ(completion->result, completion->slot % 5 ? 0 : -EINTR);
				// Never early; how late, and so in which order, is up to the machine
				if (completion->slot % 5) {
					CHECK(test_since(&start) * 1000 + 1 >= ms[completion->slot]);
				}
			}
		}
		// A point in time that has passed
		add_timeout(0, clock | IOQ_TIMEOUT_ABSOLUTE, 1);
		CHECK_EQ(result_of(0), 0);
		CHECK_EQ(q.results[0].lane, q.config->lane == IOQ_LANE_RING ? IOQ_LANE_RING : IOQ_LANE_CORE);
		// One that is too far away for anybody's arithmetic
		add_timeout(0, clock | IOQ_TIMEOUT_ABSOLUTE, 1)->offset_high = 0x1fffff;
		add_timeout(1, clock, 1)->offset_high = UINT32_MAX;
		turn(0);
		CHECK_EQ(q.pending_count, 2);
		ioq_cancel_all(q.ioq);
		wait_all();
		CHECK_EQ(q.results[0].result, -EINTR);
		CHECK_EQ(q.results[1].result, -EINTR);
		close_queue();
		open_queue(config, 256, 1);
	}
	uint32_t words[4] = {0};
	ioq_now(IOQ_CLOCK_REALTIME, words);
	CHECK(llabs((long long)((uint64_t)words[1] << 32 | words[0]) - (long long)time(NULL)) < 10);
	// Processor time goes on, and is the process's at least as much as the thread's
	ioq_now(IOQ_CLOCK_THREAD, words);
	CHECK(words[3] > 0);
	uint64_t thread = words[0] * UINT64_C(1000000000) + words[2];
	ioq_now(IOQ_CLOCK_PROCESS, words);
	CHECK(words[0] * UINT64_C(1000000000) + words[2] >= thread);
	close_queue();
}

/** Polls, several of one descriptor. */
void test_polls(const void *config) {
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	open_queue(config, 16, 1);
	for (uint32_t slot = 0; slot < 4; ++slot) {
		add_fd(slot, IOQ_OP_POLL, ends[0])->flags = POLLIN;
	}
	add_fd(4, IOQ_OP_POLL, ends[1])->flags = POLLOUT;
	CHECK_EQ(result_of(4), POLLOUT);
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
	CHECK_EQ(result_of(0), -EINTR);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	wait_all();
	for (uint32_t slot = 1; slot < 4; ++slot) {
		CHECK_EQ(q.results[slot].result, POLLIN);
	}
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	add_fd(0, IOQ_OP_POLL, fd)->flags = POLLIN;
	CHECK_EQ(result_of(0), POLLIN);
	close(fd);
	add_fd(0, IOQ_OP_POLL, fd)->flags = POLLIN;
	CHECK_EQ(result_of(0), -EBADF);
	// Closing drops those that nobody waits for any more
	CHECK_EQ(read(ends[0], &(char) {0}, 1), 1);
	add_fd(0, IOQ_OP_POLL, ends[0])->flags = POLLIN;
	CHECK_EQ(turn(0), 0);
	ioq_cancel_all(q.ioq);
	wait_all();
	CHECK_EQ(q.results[0].result, -EINTR);
	close_queue();
	close(ends[0]);
	close(ends[1]);
}

/** What waits for a lock holds no lane, and gets it in the order in which it came. */
void test_locks(const void *config) {
	enum { COUNT = 40 };
	int holder = open("plain", O_RDONLY | O_CLOEXEC), fds[COUNT];
	CHECK_EQ(flock(holder, LOCK_EX), 0);
	open_queue(config, 64, 1);
	for (uint32_t slot = 0; slot < COUNT; ++slot) {
		fds[slot] = open("plain", O_RDONLY | O_CLOEXEC);
		add_fd(slot, IOQ_OP_LOCK, fds[slot])->flags = LOCK_EX;
		add_path(60, IOQ_OP_READ_DIR, "odd");
		CHECK(result_of(60) > 0);
		CHECK(q.pending[slot]);
	}
	// From within, and from the front
	CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
	CHECK_EQ(ioq_cancel(q.ioq, 20), 1);
	CHECK_EQ(result_of(0), -EINTR);
	CHECK_EQ(result_of(20), -EINTR);
	// One that does not want to wait
	add_fd(61, IOQ_OP_LOCK, fds[0])->flags = LOCK_EX | LOCK_NB;
	CHECK_EQ(result_of(61), -EWOULDBLOCK);
	CHECK_EQ(flock(holder, LOCK_UN), 0);
	for (uint32_t slot = 1; slot < COUNT; ++slot) {
		if (slot == 20) {
			continue;
		}
		CHECK_EQ(result_of(slot), 0);
		for (uint32_t later = slot + 1; later < COUNT; ++later) {
			CHECK(later == 20 || q.pending[later]);
		}
		add_fd(62, IOQ_OP_LOCK, fds[slot])->flags = LOCK_UN;
		CHECK_EQ(result_of(62), 0);
	}
	close_queue();
	for (uint32_t slot = 0; slot < COUNT; ++slot) {
		close(fds[slot]);
	}
	close(holder);
}

/** What waits for a pipe holds no lane, and its descriptor's flags are left alone. */
void test_streams(const void *config) {
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	open_queue(config, 16, 1);
	add_read(0, ends[0], 10);
	add_read(1, ends[0], 10);
	add_path(2, IOQ_OP_READ_DIR, "odd");
	CHECK(result_of(2) > 0);
	CHECK(!(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	CHECK_EQ(write(ends[1], "some", 4), 4);
	CHECK_EQ(result_of(0), 4);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);

	// More than there is room for, and as much as the operation says that it wrote
	static uint8_t bytes[200000];
	CHECK_EQ(ioq_stage(q.ioq, 3, bytes, sizeof(bytes)), 0);
	add_fd(3, IOQ_OP_WRITE, ends[1]);
	add_path(2, IOQ_OP_READ_DIR, "odd");
	CHECK(result_of(2) > 0);
	uint32_t length = 0;
	while (q.pending[3] || length < (uint32_t)q.results[3].result) {
		static uint8_t part[65536];
		struct pollfd readable = {.fd = ends[0], .events = POLLIN};
		if (poll(&readable, 1, 1) > 0) {
			length += (uint32_t)read(ends[0], part, sizeof(part));
		}
		turn(0);
	}
	CHECK_EQ(length, q.results[3].result);
	if (q.config->lane != IOQ_LANE_RING) {
		// It does not wait by its owner's wish; a ring does, even so
		CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
		add_read(0, ends[0], 10);
		CHECK_EQ(result_of(0), -EAGAIN);
	}
	// The end
	close(ends[1]);
	CHECK_EQ(fcntl(ends[0], F_SETFL, 0), 0);
	add_read(0, ends[0], 10);
	CHECK_EQ(result_of(0), 0);
	close_queue();
	close(ends[0]);
}

/** Opens of FIFOs hold no lane, either, and lose nobody's data. */
void test_fifos(const void *config) {
	open_queue(config, 16, 1);
	for (int round = 0; round < 20; ++round) {
		unlink("lonely");
		CHECK_EQ(mkfifo("lonely", 0600), 0);
		add_path(0, IOQ_OP_OPEN, "lonely");
		add_path(2, IOQ_OP_READ_DIR, "odd");
		CHECK(result_of(2) > 0);
		CHECK(q.pending[0]);
		// Waits for the reader by itself, as open(2) does
		int writer = open("lonely", O_WRONLY | O_CLOEXEC);
		CHECK(writer >= 0);
		if (round % 2) {
			CHECK_EQ(write(writer, "data", 4), 4);
			close(writer);
		}
		int reader = result_of(0);
		CHECK(reader >= 0);
		CHECK(!(fcntl(reader, F_GETFL) & O_NONBLOCK));
		if (!(round % 2)) {
			CHECK_EQ(write(writer, "data", 4), 4);
			close(writer);
		}
		char data[8];
		CHECK_EQ(read(reader, data, sizeof(data)), 4);
		close(reader);

		// The other way round, and created in the queue's place meanwhile
		add_path(1, IOQ_OP_OPEN, "lonely")->flags = O_WRONLY | O_CREAT | O_TRUNC;
		add_path(2, IOQ_OP_READ_DIR, "odd");
		CHECK(result_of(2) > 0);
		CHECK(q.pending[1]);
		reader = open("lonely", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		writer = result_of(1);
		CHECK(writer >= 0);
		CHECK(!(fcntl(writer, F_GETFL) & O_NONBLOCK));
		close(writer);
		close(reader);
	}
	close_queue();
	CHECK_EQ(unlink("lonely"), 0);
}

/** A writer that comes right after a read that has brought nothing loses nothing, either. */
void test_late_writer(const void *config) {
	open_queue(config, 16, 1);
	for (int round = 0; round < 2; ++round) {
		unlink("lonely");
		CHECK_EQ(mkfifo("lonely", 0600), 0);
		atomic_store(&fault_writer, -1);
		atomic_store(&fault_late, "lonely");
		add_path(0, IOQ_OP_READ_FILE, "lonely");
		int writer;
		do {
			// Another one as well: it comes through, and gives the first time to give up
			add_path(2, IOQ_OP_READ_DIR, "odd");
			CHECK(result_of(2) > 0);
		} while ((writer = atomic_load(&fault_writer)) < 0);
		if (round == 0) {
			add_path(2, IOQ_OP_READ_DIR, "odd");
			CHECK(result_of(2) > 0);
			CHECK(q.pending[0]);
			CHECK_EQ(write(writer, "data", 4), 4);
		}
		close(writer);
		CHECK_EQ(result_of(0), round == 0 ? 4 : 0);
		if (q.results[0].flags & IOQ_COMPLETION_HELD) {
			CHECK_EQ(ioq_release(q.ioq, 0), 0);
		}
	}
	close_queue();
	CHECK_EQ(unlink("lonely"), 0);
}

/** What is not to take forever: a TIMEOUT has a limit of its own, a close none. */
void test_limits(const void *config) {
	open_queue(config, 16, 1);
	set_timeout(add_timeout(0, IOQ_CLOCK_MONOTONIC, 100000), 5);
	CHECK_EQ(result_of(0), -ETIMEDOUT);
	set_timeout(add_timeout(0, IOQ_CLOCK_MONOTONIC, 5), 100000);
	CHECK_EQ(result_of(0), 0);
	for (int i = 0; i < 50; ++i) {
		int fd = dup(0);
		set_timeout(add_fd(1, IOQ_OP_CLOSE, fd), 0);
		CHECK_EQ(result_of(1), 0);
		CHECK_EQ(fcntl(fd, F_GETFD), -1);
	}
	close_queue();
}

/** More cached reads in a turn than it has time for: the rest goes with the next. */
void test_held_back(const void *config) {
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	open_queue(config, 256, 1);
	for (uint32_t slot = 0; slot < 200; ++slot) {
		struct ioq_request *request = add_read(slot, fd, 128 * 1024);
		request->hints = IOQ_HINT_OFFSET;
	}
	turn(0);
	CHECK_EQ(ioq_cancel(q.ioq, 199), q.pending[199]);
	bool cancelled = q.pending[199];
	wait_all();
	for (uint32_t slot = 0; slot < 200; ++slot) {
		int32_t result = q.results[slot].result;
		CHECK(result >= 0 || (slot == 199 && cancelled && result == -EINTR));
		if (q.results[slot].flags & IOQ_COMPLETION_HELD) {
			CHECK_EQ(ioq_release(q.ioq, slot), 0);
		}
	}
	close_queue();
	close(fd);
}
