// Copyright 2026 the ioq authors. MIT license.

/** Messages from queue to queue. */

#include "tests.h"

#include "owner.h"

#include <errno.h>
#include <stdatomic.h>

/** Add a POST. */
static void add_post(uint32_t slot, uint32_t target, uint32_t low, uint32_t high) {
	struct ioq_request *request = add(slot, IOQ_OP_POST);
	request->args[0] = target;
	request->offset_low = low;
	request->offset_high = high;
}

/** Wait for a RECEIVE, and return its message. */
static uint64_t message_of(uint32_t slot) {
	CHECK_EQ(result_of(slot), 0);
	CHECK_EQ(q.results[slot].payload_length, 8);
	return q.numbers[slot];
}

/** A queue on another thread, which sends back what it gets. */
static struct {
	const struct config *config;
	_Atomic uint32_t id;
	uint32_t echo_to;
} echo;

/** Its thread. */
static void *echo_main(void *arg) {
	struct ioq_options options = {.depth = 4, .lanes = 1, .flags = echo.config->flags};
	struct ioq_info info;
	struct ioq *ioq = ioq_open(&options, &info);
	static struct ioq_turn block;
	static _Alignas(64) uint8_t output[OUTPUT_LENGTH];
	atomic_store(&echo.id, ioq_id(ioq));
	for (uint64_t message = 0; message != UINT32_MAX;) {
		block.requests[0] = (struct ioq_request) {.slot = 0, .op = IOQ_OP_RECEIVE};
		block.request_count = 1;
		block.output_length = OUTPUT_LENGTH;
		block.flags = IOQ_TURN_ARM;
		ioq_turn(ioq, &block, output, output);
		while (block.completion_count == 0) {
			if (block.armed) {
				ioq_park(ioq);
			}
			ioq_turn(ioq, &block, output, output);
		}
		memcpy(&message, output + block.completions[0].payload, sizeof(message));
		block.requests[0] = (struct ioq_request) {.slot = 1, .op = IOQ_OP_POST, .args = {echo.echo_to}};
		block.requests[0].offset_low = (uint32_t)message;
		block.request_count = 1;
		ioq_turn(ioq, &block, output, output);
		while (block.in_flight > 0) {
			ioq_turn(ioq, &block, output, output);
		}
	}
	ioq_close(ioq);
	return arg;
}

/** Messages from queue to queue. */
void test_messages(const void *config) {
	open_queue(config, 16, 1);
	uint32_t id = ioq_id(q.ioq);
	CHECK(id != 0);
	CHECK_EQ(ioq_id(q.ioq), id);
	add_post(0, id, 7, 0x1fffff);
	CHECK_EQ(result_of(0), 0);
	add(1, IOQ_OP_RECEIVE);
	CHECK(message_of(1) == ((uint64_t)0x1fffff << 32 | 7));
	add_post(0, id + 100, 0, 0);
	CHECK_EQ(result_of(0), -IOQ_ENOQUEUE);

	// Those that wait are cancelled without the others losing anything
	for (uint32_t slot = 0; slot < 4; ++slot) {
		add(slot, IOQ_OP_RECEIVE);
	}
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(ioq_cancel(q.ioq, 3), 1);
	CHECK_EQ(result_of(3), -EINTR);
	CHECK_EQ(result_of(1), -EINTR);
	for (uint32_t i = 0; i < 2; ++i) {
		add_post(8, id, i, 0);
		CHECK_EQ(result_of(8), 0);
	}
	CHECK(message_of(0) == 0);
	CHECK(message_of(2) == 1);

	// To another thread and back, both parked most of the time
	echo.config = config;
	echo.echo_to = id;
	atomic_store(&echo.id, 0);
	pthread_t thread = test_thread(echo_main, NULL);
	while (atomic_load(&echo.id) == 0) {
		sched_yield();
	}
	for (uint32_t i = 0; i < TEST_SCALE(2000); ++i) {
		add(0, IOQ_OP_RECEIVE);
		add_post(1, atomic_load(&echo.id), i, 0);
		CHECK(message_of(0) == i);
		CHECK_EQ(result_of(1), 0);
		CHECK_EQ(q.results[1].lane, IOQ_LANE_CORE);
	}
	add(0, IOQ_OP_RECEIVE);
	add_post(1, atomic_load(&echo.id), UINT32_MAX, 0);
	CHECK(message_of(0) == UINT32_MAX);
	CHECK_EQ(result_of(1), 0);
	pthread_join(thread, NULL);
	add_post(1, atomic_load(&echo.id), 0, 0);
	CHECK_EQ(result_of(1), -IOQ_ENOQUEUE);

	// No more than there is room for; what nobody receives is dropped in the end
	for (uint32_t i = 0; i < IOQ_MESSAGES_MAX; ++i) {
		add_post(0, id, i, 0);
		CHECK_EQ(result_of(0), 0);
	}
	add_post(0, id, 0, 0);
	CHECK_EQ(result_of(0), -EAGAIN);
	close_queue();
}
