// Copyright 2026 the ioq authors. MIT license.

/** What waits for time and for readiness. */

#include "tests.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

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
	uint32_t words[3] = {0};
	ioq_now(IOQ_CLOCK_REALTIME, words);
	CHECK(llabs((long long)((uint64_t)words[1] << 32 | words[0]) - (long long)time(NULL)) < 10);
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
