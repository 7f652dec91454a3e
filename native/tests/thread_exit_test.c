// Copyright 2026 the ioq authors. MIT license.

/**
 * Tests of queues whose thread ends without closing them, as a JavaScript Worker's
 * does when it is terminated: nothing must be left, which the harness looks for.
 */

#include "test.h"

#include "ioq.h"

#include <errno.h>
#include <fcntl.h>

/** Requests of each kind. */
#define REQUESTS 60

/** What an owner does before its thread ends. */
struct deed {
	/** IOQ_OPEN_*. */
	uint32_t flags;
	/** Queues that it opens. */
	unsigned int queues;
	/** Whether it closes the first of them. */
	bool closes_first;
	/** Whether requests are in flight. */
	bool busy;
	/** Whether it gives each of them up before it ends. */
	bool abandons;
	/** A FIFO that nobody writes to, to be read from, or -1. */
	int fifo;
	/** Whether a call is parked on another thread. */
	bool parks;
	/** Whether none is, although a turn said that it may be. */
	bool never_parks;
	/** Whom it would have been for. */
	struct ioq *queue;
	/** That thread. */
	pthread_t parked;
	/** Why not a queue could be opened: an errno. */
	uint32_t error;
};

static void *park(void *arg) {
	ioq_park(arg);
	return NULL;
}

/** Add a request to a turn. */
static struct ioq_request *add(struct ioq_turn *turn, uint16_t op) {
	uint32_t slot = turn->request_count++;
	turn->requests[slot] = (struct ioq_request) {.slot = slot, .op = op, .fd = AT_FDCWD};
	return &turn->requests[slot];
}

/** The thread that owns queues, and ends. */
static void *own(void *arg) {
	struct deed *deed = arg;
	static _Alignas(8) uint8_t output[IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat)];
	static struct ioq_turn turn;
	static const uint8_t input[] = "/etc";
	for (unsigned int i = 0; i < deed->queues; ++i) {
		struct ioq_options options = {.depth = 256, .lanes = 2, .flags = deed->flags};
		struct ioq_info info;
		struct ioq *ioq = ioq_open(&options, &info);
		if (!ioq) {
			deed->error = info.error;
			return NULL;
		}
		if (i == 0 && deed->closes_first) {
			CHECK_EQ(ioq_close(ioq), 0);
			continue;
		}
		memset(&turn, 0, sizeof(turn));
		for (int j = 0; j < REQUESTS && deed->busy; ++j) {
			struct ioq_request *request = add(&turn, j % 2 ? IOQ_OP_OPEN : IOQ_OP_READ_DIR);
			request->path_length = 4;
		}
		if (deed->fifo >= 0) {
			struct ioq_request *request = add(&turn, IOQ_OP_READ);
			request->fd = deed->fifo;
			request->length = 10;
		}
		turn.input_length = 4;
		turn.output_length = sizeof(output);
		CHECK_EQ(ioq_turn(ioq, &turn, input, output), 0);
		if (deed->parks) {
			for (int tries = 0; tries < 10000 && !turn.armed; ++tries) {
				turn.flags = IOQ_TURN_ARM;
				CHECK_EQ(ioq_turn(ioq, &turn, input, output), 0);
			}
			CHECK(turn.armed);
			if (!deed->never_parks) {
				deed->parked = test_thread(park, ioq);
			} else {
				deed->queue = ioq;
			}
			if (i % 2) {
				// Or it begins when the owner is about to be gone
				test_sleep(5);
			}
		}
		for (uint32_t j = 0; j < turn.completion_count; ++j) {
			// Those that we were told of are ours
			const struct ioq_completion *completion = &turn.completions[j];
			if (completion->slot % 2 == 1 && completion->slot < REQUESTS && completion->result >= 0) {
				close(completion->result);
			}
		}
		if (deed->abandons) {
			CHECK_EQ(ioq_abandon(ioq), 0);
		}
	}
	return NULL;
}

/** Have a thread do so and end. */
static void orphan(struct deed deed) {
	CHECK_EQ(pthread_join(test_thread(own, &deed), NULL), 0);
	if (deed.error) {
		SKIP(strerror((int)deed.error));
	}
	if (deed.never_parks) {
		// It may come late, and finds nobody
		CHECK_EQ(ioq_park(deed.queue), -ECANCELED);
	} else if (deed.parks) {
		CHECK_EQ(pthread_join(deed.parked, NULL), 0);
	}
}

static const uint32_t all_flags[] = {0, IOQ_OPEN_RING};

static void test_idle(const void *flags) {
	orphan((struct deed) {.flags = *(const uint32_t *)flags, .queues = 1, .fifo = -1});
}

static void test_busy(const void *flags) {
	for (int i = 0; i < TEST_SCALE(20) && !test.skipping; ++i) {
		orphan((struct deed) {.flags = *(const uint32_t *)flags, .queues = 1, .busy = true, .fifo = -1});
	}
}

static void test_several(const void *flags) {
	for (int closes = 0; closes < 2 && !test.skipping; ++closes) {
		orphan((struct deed) {
			.flags = *(const uint32_t *)flags,
			.queues = 3,
			.closes_first = closes,
			.busy = true,
			.fifo = -1,
		});
	}
}

/** What waits for good on a ring is cancelled, and a parked call comes back. */
static void test_parked(const void *flags) {
	int pipes[2];
	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
	for (int i = 0; i < TEST_SCALE(20) && !test.skipping; ++i) {
		orphan((struct deed) {.flags = *(const uint32_t *)flags, .queues = 1, .fifo = pipes[0], .parks = true});
	}
	close(pipes[0]);
	close(pipes[1]);
}

/** A program that ends gives its queues up, with what they have in flight. */
static void test_abandoned(const void *flags) {
	int pipes[2];
	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
	int before = dup(pipes[0]);
	close(before);
	for (int i = 0; i < TEST_SCALE(20) && !test.skipping; ++i) {
		orphan((struct deed) {
			.flags = *(const uint32_t *)flags,
			.queues = i % 2 ? 1 : 2,
			.busy = i % 2 == 0,
			.abandons = true,
			.fifo = pipes[0],
			.parks = i % 2,
		});
	}
	// Nothing is open that was not before
	int after = dup(pipes[0]);
	CHECK_EQ(after, before);
	close(after);
	close(pipes[0]);
	close(pipes[1]);
}

/** The thread ends between a turn that armed and the call that was to park. */
static void test_never_parked(const void *flags) {
	int pipes[2];
	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
	for (int i = 0; i < 5 && !test.skipping; ++i) {
		orphan((struct deed) {
			.flags = *(const uint32_t *)flags, .queues = 1, .fifo = pipes[0], .parks = true, .never_parks = true,
		});
	}
	close(pipes[0]);
	close(pipes[1]);
}

int main(void) {
	test_begin("thread_exit_test");
	for (size_t i = 0; i < sizeof(all_flags) / sizeof(all_flags[0]); ++i) {
		test_run("test_idle", TEST_HERE, test_idle, &all_flags[i]);
		test_run("test_busy", TEST_HERE, test_busy, &all_flags[i]);
		test_run("test_several", TEST_HERE, test_several, &all_flags[i]);
		test_run("test_never_parked", TEST_HERE, test_never_parked, &all_flags[i]);
		test_run("test_parked", TEST_HERE, test_parked, &all_flags[i]);
		test_run("test_abandoned", TEST_HERE, test_abandoned, &all_flags[i]);
	}
	return test_end();
}
