// Copyright 2026 the ioq authors. MIT license.

/** The tests of the core, by the room that they are about. */

#ifndef IOQ_TEST_TESTS_H
#define IOQ_TEST_TESTS_H

// open_test.c
void test_open_terminal(const void *config);
void test_options(void);
void test_resize(const void *config);
void test_cycles(const void *config);
void test_thread_fails(const void *config);

// turn_test.c
void test_nop(const void *config);
void test_errors(const void *config);
void test_many(const void *config);
void test_output(const void *config);

// load_test.c
void test_load(const void *config);

// file_test.c
void test_file(const void *config);
void test_guard(const void *config);
void test_xattrs(const void *config);
void test_splice(const void *config);

// cached_test.c
void test_cached(void);
void test_write_cached(void);
void test_terminal(void);

// directory_test.c
void test_directory(const void *config);
void test_unlink(const void *config);
void test_tree(const void *config);
void test_report(const void *config);
void test_remove_tree(const void *config);
void test_utf8(void);

// transfer_test.c
void test_parts(const void *config);
void test_ranges(const void *config);
void test_regions(const void *config);

// waits_test.c
void test_timeouts(const void *config);
void test_polls(const void *config);
void test_locks(const void *config);
void test_streams(const void *config);
void test_fifos(const void *config);
void test_late_writer(const void *config);
void test_limits(const void *config);
void test_held_back(const void *config);

// message_test.c
void test_messages(const void *config);

// cancel_test.c
void test_cancel_open(const void *config);
void test_cancel_fifo(const void *config);
void test_interrupt(const void *config);
void test_cancel_queued(const void *config);
void test_cancel_retried(const void *config);
void test_interrupt_caller(void);

// park_test.c
void test_park(const void *config);
void test_park_often(const void *config);

// lane_test.c
void test_boost(const void *config);
void test_boost_claimed(const void *config);
void test_boost_race(const void *config);
void test_overflow(const void *config);
void test_primaries(const void *config);

// ring_test.c
void test_raw(void);
void test_restricted(void);
void test_linked_timeout(const void *config);
void test_small_ring(const void *config);
void test_setup_fails(void);
void test_setup_plainer(void);
void test_submit_retried(const void *config);
void test_ring_dies_first(void);
void run_ring_deaths(void);

#endif // IOQ_TEST_TESTS_H
