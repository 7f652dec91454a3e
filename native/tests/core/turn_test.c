// Copyright 2026 the ioq authors. MIT license.

/** Turns: what they take and refuse, and how they hand out more than fits. */

#include "tests.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/** Operations that run nowhere in particular. */
void test_nop(const void *config) {
	open_queue(config, 4, 2);
	CHECK_EQ(ioq_abi_version(), IOQ_ABI_VERSION);
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(q.turn.armed, 0);
	for (int i = 0; i < 100; ++i) {
		add(0, IOQ_OP_NOP);
		CHECK_EQ(turn(0), 1);
		CHECK_EQ(q.results[0].result, 0);
		CHECK_EQ(q.results[0].lane, IOQ_LANE_CORE);
		for (uint32_t slot = 0; slot < 4; ++slot) {
			add(slot, slot == 2 ? IOQ_OP_NOP : IOQ_OP_KERNEL_NOP);
		}
		wait_all();
		for (uint32_t slot = 0; slot < 4; ++slot) {
			CHECK_EQ(q.results[slot].result, 0);
		}
		check_lane(3);
	}
	close_queue();
}

/** A turn whose block makes no sense accepts nothing. */
static void check_bad_turn(uint32_t request_count, uint32_t output_length, uint8_t *output) {
	q.turn.request_count = request_count;
	q.turn.input_length = q.input_used;
	q.turn.output_length = output_length;
	CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, output), -EINVAL);
	CHECK_EQ(q.turn.completion_count, 0);
	CHECK_EQ(q.turn.in_flight, 0);
	CHECK_EQ(q.turn.armed, 0);
}

/** What goes wrong, and how. */
void test_errors(const void *config) {
	open_queue(config, 8, 2);
	CHECK_EQ(open_by_queue(0, "missing", O_RDONLY), -ENOENT);
	CHECK_EQ(open_by_queue(0, "", O_RDONLY), -ENOENT);
	add_path(0, IOQ_OP_STAT, "missing/too");
	check_result(0, -ENOENT);
	add_path(0, IOQ_OP_READ_DIR, "missing");
	check_result(0, -ENOENT);
	add_path(0, IOQ_OP_READ_DIR, "plain");
	check_result(0, -ENOTDIR);
	add_path(0, IOQ_OP_OPEN_DIR, "plain");
	check_result(0, -ENOTDIR);
	add_fd(0, IOQ_OP_READ_DIR_BLOCK, -1);
	check_result(0, -EBADF);
	add_fd(0, IOQ_OP_CLOSE, 999999);
	check_result(0, -EBADF);
	add_read(0, -1, 10);
	check_result(0, -EBADF);
	CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"x", 1), 0);
	add_fd(0, IOQ_OP_WRITE, 999999);
	check_result(0, -EBADF);
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	add_fd(0, IOQ_OP_READ_DIR_BLOCK, fd);
	check_result(0, -ENOTDIR);
	CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"x", 1), 0);
	add_fd(0, IOQ_OP_WRITE, fd);
	check_result(0, -EBADF);
	close(fd);
	fd = open("empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	add_read(0, fd, 10);
	check_result(0, -EISDIR);
	close(fd);

	// Paths of every length that matters
	static const size_t lengths[] = {7, 8, 190, 191, 192, 193, 4000, 4094, 4095};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); ++i) {
		// "./././plain" or "././/plain"
		char path[IOQ_PATH_MAX + 1];
		size_t dots = lengths[i] - strlen("plain");
		for (size_t j = 0; j < dots; ++j) {
			path[j] = j & 1 || j == dots - 1 ? '/' : '.';
		}
		strcpy(path + dots, "plain");
		set_path(add(0, IOQ_OP_STAT), path, lengths[i]);
		check_result(0, 0);
	}
	add(0, IOQ_OP_STAT)->path_length = 4096;
	check_result(0, -ENAMETOOLONG);
	add(0, IOQ_OP_STAT)->path_length = 0xffffffff;
	check_result(0, -ENAMETOOLONG);

	// Paths that lie outside of the input
	struct ioq_request *request = add(0, IOQ_OP_STAT);
	request->path = 1;
	check_result(0, -EINVAL);
	request = add(0, IOQ_OP_STAT);
	request->path_length = 1;
	check_result(0, -EINVAL);
	request = add_path(0, IOQ_OP_STAT, "plain");
	request->path = 0xffffffff;
	check_result(0, -EINVAL);
	request = add_path(0, IOQ_OP_STAT, "plain");
	++request->path_length;
	check_result(0, -EINVAL);

	// Operations that there are not
	add(0, IOQ_OP_COUNT);
	check_result(0, -EINVAL);
	add(0, 0xffff);
	check_result(0, -EINVAL);
	// 256 + OPEN, lest the high byte is lost
	add_path(0, 256 + IOQ_OP_OPEN, "plain");
	check_result(0, -EINVAL);

	// Slots that there are not
	static const uint32_t slots[] = {8, 9, 65536, 0xffffffff};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); ++i) {
		q.turn.requests[0] = (struct ioq_request) {.slot = slots[i], .op = IOQ_OP_KERNEL_NOP};
		q.turn.request_count = 1;
		q.turn.output_length = OUTPUT_LENGTH;
		CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, q.output), 0);
		CHECK_EQ(q.turn.completion_count, 1);
		CHECK_EQ(q.turn.completions[0].slot, slots[i]);
		CHECK_EQ(q.turn.completions[0].result, -EINVAL);
		CHECK_EQ(q.turn.in_flight, 0);
		CHECK_EQ(ioq_stage(q.ioq, slots[i], NULL, 0), -EINVAL);
		CHECK_EQ(ioq_take(q.ioq, slots[i], NULL, 0), -EINVAL);
		CHECK_EQ(ioq_release(q.ioq, slots[i]), -EINVAL);
		CHECK_EQ(ioq_cancel(q.ioq, slots[i]), 0);
	}
	CHECK_EQ(ioq_take(q.ioq, 0, NULL, 0), -EINVAL);
	CHECK_EQ(ioq_release(q.ioq, 0), -EINVAL);
	CHECK_EQ(ioq_stage(q.ioq, 0, NULL, (uint32_t)IOQ_TRANSFER_MAX + 1), -EINVAL);
	CHECK_EQ(ioq_cancel(q.ioq, 0), 0);

	// A slot that is in use: the one in flight is not disturbed
	CHECK_EQ(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDWR | O_CLOEXEC);
	add_read(1, fd, 10);
	CHECK_EQ(turn(0), 0);
	for (int i = 0; i < 2; ++i) {
		q.turn.requests[0] = (struct ioq_request) {.slot = 1, .op = i ? IOQ_OP_KERNEL_NOP : IOQ_OP_NOP};
		q.turn.request_count = 1;
		CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, q.output), 0);
		CHECK_EQ(q.turn.completion_count, 1);
		CHECK_EQ(q.turn.completions[0].result, -EINVAL);
		CHECK_EQ(q.turn.in_flight, 1);
		CHECK_EQ(ioq_stage(q.ioq, 1, NULL, 0), -EINVAL);
		CHECK_EQ(ioq_take(q.ioq, 1, NULL, 0), -EINVAL);
		CHECK_EQ(ioq_release(q.ioq, 1), -EINVAL);
	}
	CHECK_EQ(ioq_close(q.ioq), -EBUSY);
	CHECK_EQ(write(fd, "abc", 3), 3);
	check_result(1, 3);
	CHECK_EQ(ioq_release(q.ioq, 1), 0);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);

	// A slot that was staged takes a WRITE and nothing else, and keeps its bytes
	CHECK_EQ(ioq_stage(q.ioq, 2, (const uint8_t *)"abc", 3), 0);
	add(2, IOQ_OP_KERNEL_NOP);
	check_result(2, -EINVAL);
	fd = open("written", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	add_fd(2, IOQ_OP_WRITE, fd);
	check_result(2, 3);
	close(fd);
	CHECK_EQ(unlink("written"), 0);

	// Blocks that make no sense
	add_path(3, IOQ_OP_OPEN, "plain");
	check_bad_turn(IOQ_TURN_REQUESTS + 1, OUTPUT_LENGTH, q.output);
	check_bad_turn(1, IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat) - 1, q.output);
	check_bad_turn(1, OUTPUT_LENGTH - 64, q.output + 4);
	fd = result_of(3);
	CHECK(fd >= 0);
	close(fd);

	// Cancelled before it came, except if it closes
	add_path(4, IOQ_OP_OPEN, "plain")->hints = IOQ_HINT_CANCELLED;
	check_result(4, -EINTR);
	add(4, IOQ_OP_NOP)->hints = IOQ_HINT_CANCELLED;
	check_result(4, -EINTR);
	CHECK_EQ(ioq_stage(q.ioq, 4, (const uint8_t *)"abc", 3), 0);
	add_fd(4, IOQ_OP_WRITE, 999999)->hints = IOQ_HINT_CANCELLED;
	check_result(4, -EINTR);
	CHECK_EQ(ioq_release(q.ioq, 4), -EINVAL);
	add_fd(4, IOQ_OP_CLOSE, dup(0))->hints = IOQ_HINT_CANCELLED;
	check_result(4, 0);
	close_queue();
}

/** More completions than a turn hands out, and more requests than the ring takes. */
void test_many(const void *config) {
	open_queue(config, DEPTH_MAX, 2);
	for (int round = 0; round < 4; ++round) {
		for (uint32_t slot = 0; slot < DEPTH_MAX;) {
			for (int i = 0; i < IOQ_TURN_REQUESTS; ++i, ++slot) {
				add_path(slot, IOQ_OP_STAT, slot % 3 ? "plain" : "missing");
			}
			if (round & 1) {
				// Without looking at what completes until all are in
				turn(0);
			} else {
				turn(IOQ_TURN_ARM);
			}
		}
		test_sleep(round & 2 ? 20 : 0);
		wait_all();
		for (uint32_t slot = 0; slot < DEPTH_MAX; ++slot) {
			CHECK_EQ(q.results[slot].result, slot % 3 ? 0 : -ENOENT);
		}
	}
	close_queue();
}

/** Payloads of all kinds in an output that they just fit into. */
void test_output(const void *config) {
	open_queue(config, IOQ_TURN_COMPLETIONS, 2);
	for (uint32_t round = 0; round < 12; ++round) {
		q.output_length = IOQ_TURN_COMPLETIONS * (uint32_t)sizeof(struct ioq_stat) + round * 101;
		memset(q.output + q.output_length, 0xA5, OUTPUT_LENGTH - q.output_length);
		// Where the directories come among the stats is different each time
		for (uint32_t slot = 0; slot < IOQ_TURN_COMPLETIONS; ++slot) {
			if ((slot + round) % 12 == 0) {
				add_path(slot, IOQ_OP_READ_DIR, slot % 8 == 0 ? "empty" : slot % 8 == 4 ? "odd" : "raw");
			} else {
				add_path(slot, IOQ_OP_STAT, "plain");
			}
		}
		turn(0);
		// Have the rest come in one turn, as nearly as can be
		test_sleep(5);
		wait_all();
		uint32_t held = 0;
		for (uint32_t slot = 0; slot < IOQ_TURN_COMPLETIONS; ++slot) {
			CHECK(q.results[slot].result >= 0);
			if (q.results[slot].flags & IOQ_COMPLETION_HELD) {
				CHECK_EQ(ioq_release(q.ioq, slot), 0);
				++held;
			}
		}
		CHECK(held <= IOQ_TURN_COMPLETIONS / 12 + 1);
		for (uint32_t i = q.output_length; i < OUTPUT_LENGTH; ++i) {
			CHECK_EQ(q.output[i], 0xA5);
		}
	}
	close_queue();
}
