// Copyright 2026 the ioq authors. MIT license.

#include "parked.h"

#include "owner.h"

#include <stdatomic.h>

/** A parked thread. */
static struct {
	pthread_t thread;
	atomic_bool back;
	int32_t result;
} parked;

/** Park. */
static void *park_main(void *arg) {
	parked.result = ioq_park(arg);
	atomic_store(&parked.back, true);
	return NULL;
}

void park(void) {
	atomic_store(&parked.back, false);
	q.park_due = false;
	parked.thread = test_thread(park_main, q.ioq);
}

void check_parked(void) {
	test_sleep(15);
	CHECK(!atomic_load(&parked.back));
}

void unpark(void) {
	pthread_join(parked.thread, NULL);
	CHECK_EQ(parked.result, 0);
}
