// Copyright 2026 the ioq authors. MIT license.

/** Payloads that come and go in parts, and memory that JavaScript sees. */

#include "tests.h"

#include "fifo.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>

/** Payloads that come and go in parts. */
void test_parts(const void *config) {
	open_queue(config, 4, 1);
	int fd = open_by_queue(0, "parts", O_RDWR | O_CREAT | O_TRUNC);
	const uint8_t *bytes = (const uint8_t *)"abcdef";
	CHECK_EQ(ioq_stage_part(q.ioq, 4, 0, 6, bytes, 1), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 1, 6, bytes, 1), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 0, 6, bytes, 7), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 0, 6, bytes, 2), 0);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 3, 6, bytes, 2), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 2, 7, bytes, 2), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 2, 6, bytes + 2, 4), 0);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 6, 6, bytes, 1), -EINVAL);
	add_fd(1, IOQ_OP_WRITE, fd);
	CHECK_EQ(result_of(1), 6);
	CHECK_EQ(ioq_stage_part(q.ioq, 2, 0, 6, bytes, 2), 0);
	CHECK_EQ(ioq_release(q.ioq, 2), 0);

	add_read(1, fd, 100)->hints = IOQ_HINT_OFFSET;
	CHECK_EQ(result_of(1), 6);
	uint8_t got[8] = {0};
	CHECK_EQ(ioq_take_part(q.ioq, 0, 0, got, 1), -EINVAL);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 4, got, 8), 2);
	CHECK(memcmp(got, "ef", 3) == 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 0, got, 4), 4);
	CHECK(memcmp(got, "abcd", 5) == 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 6, got, 4), 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, UINT32_MAX, got, 4), 0);
	CHECK_EQ(ioq_release(q.ioq, 1), 0);
	close_by_queue(0, fd);
	CHECK_EQ(unlink("parts"), 0);
	close_queue();
}

/** Stage ranges and add the request that reads them. */
static void add_ranges(uint32_t slot, int fd, struct ioq_range *ranges, uint32_t count) {
	CHECK_EQ(ioq_stage(q.ioq, slot, (const uint8_t *)ranges, count * (uint32_t)sizeof(*ranges)), 0);
	add_fd(slot, IOQ_OP_READ_RANGES, fd);
}

/** Many ranges by one request. */
void test_ranges(const void *config) {
	enum { COUNT = 900, LENGTH = 1000, EACH = 300 };
	static struct ioq_range ranges[IOQ_RANGES_MAX + 1];
	static uint8_t bytes[LENGTH], got[EACH];
	open_queue(config, 4, 1);
	int fd = open_by_queue(0, "ranges", O_RDWR | O_CREAT | O_TRUNC);
	for (size_t i = 0; i < LENGTH; ++i) {
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	}
	CHECK_EQ(pwrite(fd, bytes, LENGTH, 0), LENGTH);
	for (uint32_t i = 0; i < COUNT; ++i) {
		ranges[i] = (struct ioq_range) {.offset_low = i * 37 % LENGTH, .length = i % EACH, .result = 1};
	}
	// Beyond the end, and far beyond it
	ranges[5].offset_low = LENGTH;
	ranges[6].offset_high = 1;
	add_ranges(1, fd, ranges, COUNT);
	int32_t head = result_of(1);
	check_lane(1);
	CHECK_EQ(head % 4096, 0);
	CHECK_EQ(q.results[1].flags, IOQ_COMPLETION_HELD);
	static struct ioq_range told[COUNT];
	CHECK_EQ(ioq_take_part(q.ioq, 1, 0, (uint8_t *)told, sizeof(told)), sizeof(told));
	uint32_t at = (uint32_t)head;
	for (uint32_t i = 0; i < COUNT; at += ranges[i++].length) {
		uint32_t left = ranges[i].offset_high || i == 5 ? 0 : LENGTH - ranges[i].offset_low;
		uint32_t count = ranges[i].length < left ? ranges[i].length : left;
		CHECK_EQ(told[i].result, count);
		CHECK_EQ(ioq_take_part(q.ioq, 1, at, got, count), count);
		CHECK_EQ(memcmp(got, bytes + ranges[i].offset_low, count), 0);
	}
	CHECK_EQ(ioq_release(q.ioq, 1), 0);

	// None at all, not staged, half of one, too many, too long, too long together
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes, 0), 0);
	add_fd(1, IOQ_OP_READ_RANGES, fd);
	CHECK_EQ(result_of(1), -EINVAL);
	add_fd(1, IOQ_OP_READ_RANGES, fd);
	CHECK_EQ(result_of(1), -EINVAL);
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes, sizeof(*ranges) + 1), 0);
	add_fd(1, IOQ_OP_READ_RANGES, fd);
	CHECK_EQ(result_of(1), -EINVAL);
	add_ranges(1, fd, ranges, IOQ_RANGES_MAX + 1);
	CHECK_EQ(result_of(1), -EINVAL);
	struct ioq_range large[8];
	for (size_t i = 0; i < 8; ++i) {
		large[i] = (struct ioq_range) {.length = IOQ_RANGE_LENGTH_MAX};
	}
	add_ranges(1, fd, large, 7);
	CHECK(result_of(1) > 0);
	CHECK_EQ(ioq_release(q.ioq, 1), 0);
	add_ranges(1, fd, large, 8);
	CHECK_EQ(result_of(1), -EINVAL);
	++large[0].length;
	add_ranges(1, fd, large, 1);
	CHECK_EQ(result_of(1), -EINVAL);
	// Each has its own error
	close_by_queue(0, fd);
	add_ranges(1, fd, ranges, 2);
	CHECK(result_of(1) > 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 0, (uint8_t *)told, sizeof(told[0])), sizeof(told[0]));
	CHECK_EQ(told[0].result, -EBADF);
	CHECK_EQ(ioq_release(q.ioq, 1), 0);
	CHECK_EQ(unlink("ranges"), 0);

	// Cancelled before it is submitted, or at once, or too late
	fd = open_by_queue(0, "/dev/zero", O_RDONLY);
	add_ranges(1, fd, ranges, COUNT);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 0);
	turn(0);
	ioq_cancel(q.ioq, 1);
	int32_t result = result_of(1);
	CHECK(result == -EINTR || result > 0);
	CHECK_EQ(ioq_release(q.ioq, 1), result > 0 ? 0 : -EINVAL);
	close_by_queue(0, fd);
	close_queue();
}

/** Memory that JavaScript sees: transfers, while it is given back, and bad requests. */
void test_regions(const void *config) {
	open_queue(config, 8, 1);
	uint32_t index = 0, other = 0;
	CHECK(!ioq_allocate(q.ioq, 0, &index));
	CHECK_EQ(index, EINVAL);
	CHECK_EQ(ioq_deallocate(q.ioq, 0), -EINVAL);
	char *memory = ioq_allocate(q.ioq, 10000, &index);
	CHECK(memory);
	CHECK_EQ((uintptr_t)memory % 4096, 0);
	char *second = ioq_allocate(q.ioq, 4096, &other);
	CHECK(second && other != index);

	int fd = open_by_queue(0, "region", O_RDWR | O_CREAT | O_TRUNC);
	memcpy(memory + 9990, "0123456789", 10);
	struct ioq_request *request = add_fd(1, IOQ_OP_WRITE, fd);
	request->hints = IOQ_HINT_REGION | IOQ_HINT_OFFSET;
	request->args[0] = index;
	request->args[1] = 9990;
	request->length = 10;
	CHECK_EQ(result_of(1), 10);
	check_lane(1);
	request = add_read(1, fd, 4096);
	request->hints = IOQ_HINT_REGION | IOQ_HINT_OFFSET;
	request->args[0] = other;
	CHECK_EQ(result_of(1), 10);
	CHECK_EQ(q.results[1].flags, 0);
	CHECK_EQ(q.results[1].payload_length, 0);
	CHECK(memcmp(second, "0123456789", 11) == 0);

	// Beyond its end, none of that number, none at all
	static const uint32_t bad[][3] = {{9991, 10, 0}, {0, 10001, 0}, {UINT32_MAX, 1, 0}, {0, 1, 100}, {0, 1, UINT32_MAX}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		request = add_read(1, fd, bad[i][1]);
		request->hints = IOQ_HINT_REGION;
		request->args[0] = bad[i][2] ? bad[i][2] : index;
		request->args[1] = bad[i][0];
		CHECK_EQ(result_of(1), -EINVAL);
	}
	close_by_queue(0, fd);
	CHECK_EQ(unlink("region"), 0);

	// Given back while in use: freed when that is over
	fd = make_fifo("fifo");
	request = add_read(0, fd, 100);
	request->hints = IOQ_HINT_REGION;
	request->args[0] = index;
	turn(0);
	CHECK_EQ(ioq_deallocate(q.ioq, index), 0);
	CHECK_EQ(ioq_deallocate(q.ioq, index), -EINVAL);
	request = add_read(2, fd, 100);
	request->hints = IOQ_HINT_REGION;
	request->args[0] = index;
	CHECK_EQ(result_of(2), -EINVAL);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(result_of(0), 1);
	request = add_read(1, fd, 100);
	request->hints = IOQ_HINT_REGION;
	request->args[0] = other;
	turn(0);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	close_queue();
}
