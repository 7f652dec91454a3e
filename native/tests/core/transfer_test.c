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
