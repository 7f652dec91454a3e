// Copyright 2026 the ioq authors. MIT license.

/** Everything at once, for as long as it takes. */

#include "tests.h"

#include "../fault.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>

/** What the load test knows of a slot. */
struct load {
	/** Slots that are free. */
	uint32_t free[DEPTH_MAX];
	uint32_t free_count;
	/** Which operation runs in each slot. */
	uint16_t op[DEPTH_MAX];
	/** Descriptors that are open and must be closed. */
	int fds[DEPTH_MAX];
	uint32_t fd_count;
	/** Requests so far. */
	uint32_t requests;
	/** Random numbers. */
	uint64_t seed;
	/** Those that are in flight and have not been looked at. */
	bool seen[DEPTH_MAX];
};

/** Add a request at random. */
static void load_add(struct load *load) {
	static const char *const paths[] = {"plain", "missing", "odd", "raw", "empty", "."};
	uint32_t random = test_random(&load->seed);
	const char *path = paths[random / 64 % 6];
	uint32_t slot = load->free[--load->free_count];
	load->seen[slot] = false;
	++load->requests;
	struct ioq_request *request = NULL;
	if (load->fd_count > 0 && random % 4 == 0) {
		request = add_fd(slot, random & 256 ? IOQ_OP_CLOSE : IOQ_OP_CLOSE_DIR, load->fds[--load->fd_count]);
	} else {
		switch (random % 64 / 4) {
		case 0:
		case 1:
		case 2:
			request = add_path(slot, IOQ_OP_OPEN, path);
			break;
		case 3:
		case 4:
			request = add_path(slot, IOQ_OP_OPEN_DIR, path);
			break;
		case 5:
		case 6:
			request = add_path(slot, IOQ_OP_READ_DIR, path);
			break;
		case 7:
			// A descriptor of the test's own
			request = add_read(slot, 0, random % 5000);
			break;
		case 8:
			CHECK_EQ(ioq_stage(q.ioq, slot, q.output, random % 5000), 0);
			request = add_fd(slot, IOQ_OP_WRITE, 1);
			request->fd = 999999;
			break;
		case 9:
			request = add(slot, IOQ_OP_NOP);
			break;
		case 10:
			request = add(slot, IOQ_OP_KERNEL_NOP);
			break;
		default:
			request = add_path(slot, IOQ_OP_STAT, path);
			break;
		}
		if (test_random(&load->seed) % 32 == 0) {
			request->hints |= IOQ_HINT_CANCELLED;
		}
	}
	load->op[slot] = request->op;
}

/** Look at what a turn handed out. */
static void load_look(struct load *load) {
	for (uint32_t i = 0; i < q.turn.completion_count; ++i) {
		const struct ioq_completion *completion = &q.turn.completions[i];
		uint32_t slot = completion->slot;
		CHECK(!load->seen[slot]);
		load->seen[slot] = true;
		uint16_t op = load->op[slot];
		if (op == IOQ_OP_CLOSE || op == IOQ_OP_CLOSE_DIR) {
			CHECK_EQ(completion->result, 0);
		} else if ((op == IOQ_OP_OPEN || op == IOQ_OP_OPEN_DIR) && completion->result >= 0) {
			load->fds[load->fd_count++] = completion->result;
		}
		if (completion->flags & IOQ_COMPLETION_HELD) {
			if (slot & 1) {
				static uint8_t bytes[8192];
				CHECK_EQ(ioq_take(q.ioq, slot, bytes, sizeof(bytes)), completion->payload_length);
			} else {
				CHECK_EQ(ioq_release(q.ioq, slot), 0);
			}
		}
		load->free[load->free_count++] = slot;
	}
}

/** Everything at random, cancelled at random: one completion for each, nothing lost. */
void test_load(const void *config) {
	static struct load load;
	uint32_t depth = 96;
	memset(&load, 0, sizeof(load));
	load.seed = 0x9e3779b97f4a7c15u + ((const struct config *)config)->flags;
	for (uint32_t i = 0; i < depth; ++i) {
		load.free[load.free_count++] = i;
	}
	// Several primaries, and a spare
	atomic_store(&fault_cpus, 4);
	open_queue(config, depth, 4);
	while (load.requests < TEST_SCALE(24000)) {
		uint32_t count = test_random(&load.seed) % 48;
		// Descriptors in flight must have room in the list
		while (count-- > 0 && load.free_count > 0) {
			load_add(&load);
		}
		uint32_t random = test_random(&load.seed);
		bool idle = load.free_count == 0 || random % 8 == 0;
		turn(idle ? IOQ_TURN_ARM : 0);
		load_look(&load);
		if (q.turn.armed) {
			q.park_due = false;
			CHECK_EQ(ioq_park(q.ioq), 0);
		}
		for (random %= 8; random > 4; --random) {
			uint32_t slot = test_random(&load.seed) % depth;
			int32_t ret = ioq_cancel(q.ioq, slot);
			if (ret == 1) {
				CHECK(q.pending[slot]);
				CHECK(load.op[slot] != IOQ_OP_CLOSE && load.op[slot] != IOQ_OP_CLOSE_DIR);
			}
		}
	}

	// The end: from now on only closes run
	while (load.free_count > depth / 2) {
		load_add(&load);
	}
	turn(0);
	load_look(&load);
	ioq_cancel_all(q.ioq);
	while (q.pending_count > 0 || load.fd_count > 0) {
		while (load.fd_count > 0 && load.free_count > 0 && q.turn.request_count < IOQ_TURN_REQUESTS) {
			uint32_t slot = load.free[--load.free_count];
			load.seen[slot] = false;
			load.op[slot] = IOQ_OP_CLOSE;
			add_fd(slot, IOQ_OP_CLOSE, load.fds[--load.fd_count]);
		}
		turn(IOQ_TURN_ARM);
		load_look(&load);
		if (q.turn.armed) {
			q.park_due = false;
			CHECK_EQ(ioq_park(q.ioq), 0);
		}
	}
	CHECK_EQ(open_by_queue(0, "plain", O_RDONLY), -EINTR);
	add_path(0, IOQ_OP_STAT, "plain");
	check_result(0, -EINTR);
	add_path(0, IOQ_OP_READ_DIR, "plain");
	check_result(0, -EINTR);
	add(0, IOQ_OP_NOP);
	check_result(0, -EINTR);
	close_by_queue(0, dup(0));
	close_queue();
	fault_clear();
}
