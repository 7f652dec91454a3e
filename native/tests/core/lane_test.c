// Copyright 2026 the ioq authors. MIT license.

/** Worker lanes: spares step in for those that are held up. */

#include "tests.h"

#include "../fault.h"
#include "fifo.h"
#include "owner.h"

#include <errno.h>

/** Others step in for lanes that are held up. */
void test_boost(const void *config) {
	// One primary and three spares
	atomic_store(&fault_cpus, 2);
	open_queue(config, 64, 4);
	add_blocked(0, "fifo0");
	turn(0);
	test_sleep(10);
	for (uint32_t slot = 10; slot < 30; ++slot) {
		add_path(slot, IOQ_OP_STAT, "plain");
	}
	// Others step in although the owner never waits
	while (q.pending_count > 1) {
		turn(0);
	}
	for (uint32_t slot = 10; slot < 30; ++slot) {
		CHECK_EQ(q.results[slot].result, 0);
	}

	// All lanes but one are held up, and each in turn has others behind it
	for (int round = 0; round < 10; ++round) {
		add_blocked(1, "fifo1");
		add_path(40, IOQ_OP_READ_DIR, "odd");
		add_blocked(2, "fifo2");
		for (uint32_t slot = 10; slot < 30; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
		}
		for (uint32_t slot = 10; slot < 30; ++slot) {
			check_result(slot, 0);
		}
		CHECK(result_of(40) > 0);
		finish_blocked(1, "fifo1");
		finish_blocked(2, "fifo2");
	}
	finish_blocked(0, "fifo0");
	close_queue();
	fault_clear();
}

/** A lane that was held up, and then is held up again, keeps no request to itself. */
void test_boost_claimed(const void *config) {
	atomic_store(&fault_cpus, 2);
	open_queue(config, 64, 4);
	for (int round = 0; round < 5; ++round) {
		add_blocked(0, "fifo0");
		turn(0);
		test_sleep(5);
		add_blocked(1, "fifo1");
		for (uint32_t slot = 10; slot < 30; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
		}
		turn(0);
		// The primary goes on to the second FIFO, and may now claim what it likes
		finish_blocked(0, "fifo0");
		for (uint32_t slot = 10; slot < 30; ++slot) {
			check_result(slot, 0);
		}
		finish_blocked(1, "fifo1");
	}
	close_queue();
	fault_clear();
}

/** Calls for a spare that is just about to lie down are not lost. */
void test_boost_race(const void *config) {
	atomic_store(&fault_cpus, 2);
	open_queue(config, 8, 2);
	add_blocked(0, "fifo0");
	turn(0);
	test_sleep(5);
	uint64_t seed = 42;
	for (int i = 0; i < TEST_SCALE(12000); ++i) {
		add(1, IOQ_OP_KERNEL_NOP);
		for (uint32_t spin = test_random(&seed) % 1024; spin > 0; --spin) {
			__asm__ volatile("");
		}
		check_result(1, 0);
	}
	finish_blocked(0, "fifo0");
	close_queue();
	fault_clear();
}

/** What prefers the lanes takes the ring when they have a backlog. */
void test_overflow(const void *config) {
	atomic_store(&fault_cpus, 2);
	open_queue(config, 600, 1);
	add_path(1, IOQ_OP_STAT, "plain");
	check_result(1, 0);
	check_lane(1);

	add_blocked(0, "fifo0");
	turn(0);
	test_sleep(5);
	for (uint32_t slot = 1; slot <= IOQ_BACKLOG; ++slot) {
		add_path(slot, IOQ_OP_STAT, "plain");
	}
	CHECK_EQ(turn(0), 0);
	for (uint32_t slot = 500; slot < 510; ++slot) {
		add_path(slot, IOQ_OP_STAT, "plain");
	}
	for (uint32_t slot = 500; slot < 510; ++slot) {
		check_result(slot, 0);
		CHECK_EQ(q.results[slot].lane, IOQ_LANE_RING);
	}
	CHECK_EQ(q.pending_count, 1 + IOQ_BACKLOG);
	finish_blocked(0, "fifo0");
	for (uint32_t slot = 1; slot <= IOQ_BACKLOG; ++slot) {
		check_result(slot, 0);
		check_lane(slot);
	}
	// Both ways at once
	for (int round = 0; round < 20; ++round) {
		for (uint32_t slot = 0; slot < 600;) {
			add_path(slot, IOQ_OP_STAT, "plain");
			if (++slot % 200 == 0) {
				turn(0);
			}
		}
		wait_all();
	}
	close_queue();
	fault_clear();
}

/** With several primaries, too, and more than there are processors. */
void test_primaries(const void *config) {
	atomic_store(&fault_cpus, 9);
	open_queue(config, 256, 8);
	for (int round = 0; round < TEST_SCALE(40); ++round) {
		for (uint32_t slot = 0; slot < 200; ++slot) {
			add_path(slot, slot % 5 ? IOQ_OP_STAT : IOQ_OP_READ_DIR, slot % 5 ? "plain" : "odd");
		}
		wait_all();
		for (uint32_t slot = 0; slot < 200; ++slot) {
			CHECK(q.results[slot].result >= 0);
		}
	}
	close_queue();
	fault_clear();
}
