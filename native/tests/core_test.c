// Copyright 2026 the ioq authors. MIT license.

/** Tests of the whole core through its ABI, and of how it takes faults. */

#include "test.h"

#include "core/files.h"
#include "core/owner.h"
#include "core/tests.h"
#include "fault.h"

#ifdef TEST_TSAN
const char *__tsan_default_options(void);
/** Children start threads: at the fork there are none but ours. */
const char *__tsan_default_options(void) {
	return "die_after_fork=0";
}
#endif

/** Run a test with a configuration. */
static void run_with(const char *name, enum test_where where, void (*function)(const void *), const struct config *config) {
	char full[128];
	snprintf(full, sizeof(full), "%s [%s]", name, config->name);
	test_run(full, where, function, config);
}
#define TEST_WITH(function, config) run_with(#function, TEST_HERE, function, &(config))
#define TEST_CHILD_WITH(function, config) run_with(#function, TEST_CHILD, function, &(config))

/** The tests that every configuration must pass. */
static void run_config(const struct config *config) {
	TEST_WITH(test_nop, *config);
	TEST_WITH(test_file, *config);
	TEST_WITH(test_guard, *config);
	TEST_WITH(test_directory, *config);
	TEST_WITH(test_unlink, *config);
	TEST_WITH(test_tree, *config);
	TEST_WITH(test_report, *config);
	TEST_WITH(test_remove_tree, *config);
	TEST_WITH(test_errors, *config);
	TEST_WITH(test_many, *config);
	TEST_WITH(test_output, *config);
	TEST_WITH(test_load, *config);
	TEST_WITH(test_cancel_open, *config);
	TEST_CHILD_WITH(test_open_terminal, *config);
	TEST_WITH(test_timeouts, *config);
	TEST_WITH(test_polls, *config);
	TEST_WITH(test_locks, *config);
	TEST_WITH(test_streams, *config);
	TEST_WITH(test_fifos, *config);
	TEST_WITH(test_late_writer, *config);
	TEST_WITH(test_limits, *config);
	TEST_WITH(test_held_back, *config);
	TEST_WITH(test_messages, *config);
	TEST_WITH(test_parts, *config);
	TEST_WITH(test_ranges, *config);
	TEST_WITH(test_xattrs, *config);
	TEST_WITH(test_splice, *config);
	TEST_WITH(test_resize, *config);
	TEST_WITH(test_regions, *config);
	TEST_WITH(test_park, *config);
	TEST_WITH(test_park_often, *config);
	TEST_WITH(test_primaries, *config);
	TEST_WITH(test_thread_fails, *config);
	TEST_WITH(test_cycles, *config);
}

/** The tests that need rings. */
static void run_rings(void) {
	run_config(&ring_config);
	run_config(&idle_ring_config);
	TEST_WITH(test_cancel_fifo, ring_config);
	TEST_WITH(test_linked_timeout, ring_config);
	TEST_WITH(test_interrupt, idle_ring_config);
	TEST_WITH(test_boost, idle_ring_config);
	TEST_WITH(test_overflow, overflow_config);
	TEST_WITH(test_small_ring, ring_config);
	TEST_WITH(test_small_ring, idle_ring_config);
	TEST(test_raw);
	TEST(test_restricted);
	TEST(test_setup_plainer);
	TEST_WITH(test_submit_retried, ring_config);
	TEST_WITH(test_cancel_retried, ring_config);
	TEST(test_ring_dies_first);
	run_ring_deaths();
}

/** Say that there are no rings to be tested. */
static void test_rings(void) {
	SKIP("this kernel grants no io_uring");
}

int main(void) {
	test_begin("core_test");
	snprintf(test.name, sizeof(test.name), "preparation");
	alarm(TEST_SECONDS);
	make_files();
	have_rings = try_open(&ring_config, 8, 1);
	if (have_rings) {
		close_queue();
	}

	TEST(test_options);
	TEST(test_utf8);
	TEST(test_cached);
	TEST(test_write_cached);
	TEST(test_terminal);
	run_config(&lanes_config);
	TEST_WITH(test_nop, sync_config);
	TEST_WITH(test_file, sync_config);
	TEST_WITH(test_guard, sync_config);
	TEST_WITH(test_directory, sync_config);
	TEST_WITH(test_output, sync_config);
	TEST_WITH(test_resize, sync_config);
	TEST(test_interrupt_caller);
	TEST_WITH(test_interrupt, lanes_config);
	TEST_WITH(test_boost, lanes_config);
	TEST_WITH(test_boost_claimed, lanes_config);
	TEST_WITH(test_boost_race, lanes_config);
	TEST_WITH(test_cancel_queued, lanes_config);
	TEST(test_setup_fails);
	if (have_rings) {
		run_rings();
	} else {
		TEST(test_rings);
	}

	snprintf(test.name, sizeof(test.name), "clean-up");
	alarm(TEST_SECONDS);
	remove_files();
	return test_end();
}
