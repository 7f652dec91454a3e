// Copyright 2026 the ioq authors. MIT license.

/**
 * Tests of queues whose thread ends without closing them, as a JavaScript Worker's
 * does when it is terminated: nothing must be left, which the harness looks for.
 */

#include "test.h"

#include "ioq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>

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
	/** Whether it does not even come late. */
	bool never_comes;
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
	if (deed.never_comes) {
		// What is left of the queue is not lost, as far as anybody looks
		return;
	}
	if (deed.never_parks) {
		// It may come late, and finds nobody
		CHECK_EQ(ioq_park(deed.queue), -ECANCELED);
	} else if (deed.parks) {
		CHECK_EQ(pthread_join(deed.parked, NULL), 0);
	}
}

/** Files that a thread has open when it ends. */
#define LEFT 3

/** What a thread leaves, and to whom. */
struct estate {
	/** IOQ_OPEN_*. */
	uint32_t flags;
	/** A folder of its own. */
	char folder[32];
	/** Whether it gives its queue up before it ends. */
	bool abandons;
	/** Whether the thread goes on until it is told. */
	bool lingers;
	/** What it has opened. */
	int fds[LEFT];
	/** Its queue as an owner. */
	uint32_t owner;
	/** Told when all is open, and when the thread may end. */
	atomic_bool opened, ends;
};

/** Do one request, and give its result. */
static int32_t do_one(struct ioq *ioq, struct ioq_request request, const char *path) {
	_Alignas(8) static _Thread_local uint8_t output[IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat)];
	static _Thread_local struct ioq_turn turn;
	memset(&turn, 0, sizeof(turn));
	request.path_length = (uint32_t)strlen(path);
	turn.requests[0] = request;
	turn.request_count = 1;
	turn.input_length = request.path_length;
	turn.output_length = sizeof(output);
	while (ioq_turn(ioq, &turn, (const uint8_t *)path, output) == 0 && turn.completion_count == 0) {
		sched_yield();
	}
	CHECK_EQ(turn.completion_count, 1);
	return turn.completions[0].result;
}

/** Open a file in a folder, locked if it is the first one. */
static int open_left(struct ioq *ioq, const char *folder, int which) {
	char path[64];
	snprintf(path, sizeof(path), "%s/%d", folder, which);
	// The last one is to replace another
	bool temporary = which == LEFT - 1;
	int fd = do_one(ioq, (struct ioq_request) {
		.op = temporary ? IOQ_OP_REPLACE_BEGIN : IOQ_OP_OPEN,
		.fd = AT_FDCWD,
		.flags = O_CREAT | (temporary ? O_WRONLY : O_RDWR),
		.mode = 0600,
	}, path);
	CHECK(fd >= 0);
	if (which == 0) {
		CHECK_EQ(do_one(ioq, (struct ioq_request) {.op = IOQ_OP_LOCK, .fd = fd, .flags = LOCK_EX | LOCK_NB}, ""), 0);
	}
	return fd;
}

/** The thread that leaves files. */
static void *leave(void *arg) {
	struct estate *estate = arg;
	struct ioq_options options = {.depth = 4, .lanes = 1, .flags = estate->flags};
	struct ioq_info info;
	struct ioq *ioq = ioq_open(&options, &info);
	CHECK(ioq);
	estate->owner = info.owner;
	for (int i = 0; i < LEFT; ++i) {
		estate->fds[i] = open_left(ioq, estate->folder, i);
	}
	atomic_store(&estate->opened, true);
	while (estate->lingers && !atomic_load(&estate->ends)) {
		test_sleep(1);
	}
	if (estate->abandons) {
		CHECK_EQ(ioq_abandon(ioq), 0);
	}
	return NULL;
}

/** Make the folder of what is left. */
static void estate_open(struct estate *estate) {
	strcpy(estate->folder, "/tmp/ioq-left-XXXXXX");
	CHECK(mkdtemp(estate->folder));
}

/** Remove it; there must be so many names in it. */
static void estate_close(struct estate *estate, int expected) {
	int names = 0;
	DIR *dir = opendir(estate->folder);
	CHECK(dir);
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' || entry->d_name[1] == 'i') {
			++names;
			CHECK_EQ(unlinkat(dirfd(dir), entry->d_name, 0), 0);
		}
	}
	closedir(dir);
	CHECK_EQ(rmdir(estate->folder), 0);
	CHECK_EQ(names, expected);
}

/** Whether a number is a descriptor. */
static bool is_open(int fd) {
	return fcntl(fd, F_GETFD) >= 0;
}

/** What a thread has left is closed with it, its locks are free, its temporary file is gone. */
static void test_left(const void *flags) {
	for (int i = 0; i < TEST_SCALE(10); ++i) {
		struct estate estate = {.flags = *(const uint32_t *)flags, .abandons = i % 2};
		estate_open(&estate);
		CHECK_EQ(pthread_join(test_thread(leave, &estate), NULL), 0);
		for (int j = 0; j < LEFT; ++j) {
			CHECK(!is_open(estate.fds[j]));
		}
		estate_close(&estate, LEFT - 1);
	}
}

/** What another queue has closed is another's, whatever its number. */
static void test_reused(const void *flags) {
	for (int i = 0; i < TEST_SCALE(10); ++i) {
		struct estate estate = {.flags = *(const uint32_t *)flags, .lingers = true};
		estate_open(&estate);
		pthread_t thread = test_thread(leave, &estate);
		while (!atomic_load(&estate.opened)) {
			test_sleep(1);
		}
		struct ioq_options options = {.depth = 4, .lanes = 1, .flags = estate.flags};
		struct ioq_info info;
		struct ioq *ioq = ioq_open(&options, &info);
		CHECK(ioq);
		CHECK_EQ(do_one(ioq, (struct ioq_request) {.op = IOQ_OP_CLOSE, .fd = estate.fds[1]}, ""), 0);
		int mine = i % 2 ? open("/etc/passwd", O_RDONLY | O_CLOEXEC)
			: do_one(ioq, (struct ioq_request) {.op = IOQ_OP_OPEN, .fd = AT_FDCWD}, "/etc/passwd");
		if (mine != estate.fds[1]) {
			CHECK_EQ(dup2(mine, estate.fds[1]), estate.fds[1]);
		}
		atomic_store(&estate.ends, true);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		CHECK(is_open(mine) && is_open(estate.fds[1]));
		CHECK(!is_open(estate.fds[0]) && !is_open(estate.fds[2]));
		close(mine);
		if (mine != estate.fds[1]) {
			close(estate.fds[1]);
		}
		CHECK_EQ(ioq_close(ioq), 0);
		estate_close(&estate, LEFT - 1);
	}
}

/** A thread that runs requests for another's queue. */
static void *serve(void *arg) {
	struct estate *estate = arg;
	struct ioq_options options = {.depth = 1, .lanes = 1, .flags = IOQ_OPEN_SYNC | IOQ_OPEN_TRIES, .owner = estate->owner};
	struct ioq_info info;
	struct ioq *ioq = ioq_open(&options, &info);
	CHECK(ioq);
	CHECK_EQ(info.owner, estate->owner);
	char path[64];
	snprintf(path, sizeof(path), "%s/0", estate->folder);
	atomic_store(&estate->opened, true);
	int fd;
	do {
		// Opens and closes for it, until it has ended: then not a number is touched any more
		fd = do_one(ioq, (struct ioq_request) {.op = IOQ_OP_OPEN, .fd = AT_FDCWD, .flags = O_RDWR}, path);
		if (fd >= 0 && rand() % 2) {
			int32_t closed = do_one(ioq, (struct ioq_request) {.op = IOQ_OP_CLOSE, .fd = fd}, "");
			CHECK(closed == 0 || closed == -EBADF);
		}
	} while (fd >= 0);
	CHECK_EQ(fd, -EINTR);
	int mine = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(do_one(ioq, (struct ioq_request) {.op = IOQ_OP_CLOSE, .fd = mine}, ""), -EBADF);
	CHECK_EQ(do_one(ioq, (struct ioq_request) {.op = IOQ_OP_LOCK, .fd = mine}, ""), -EINTR);
	CHECK_EQ(close(mine), 0);
	CHECK_EQ(ioq_close(ioq), 0);
	// Nobody does anything for those who are gone
	CHECK(!ioq_open(&options, &info));
	CHECK_EQ(info.error, EOWNERDEAD);
	return NULL;
}

/** What other threads have opened for a thread is closed with it, whatever they are at. */
static void test_served(const void *flags) {
	for (int i = 0; i < TEST_SCALE(20); ++i) {
		struct estate estate = {.flags = *(const uint32_t *)flags, .lingers = true};
		estate_open(&estate);
		pthread_t owner = test_thread(leave, &estate);
		while (!atomic_load(&estate.opened)) {
			test_sleep(1);
		}
		atomic_store(&estate.opened, false);
		pthread_t server = test_thread(serve, &estate);
		while (!atomic_load(&estate.opened)) {
			test_sleep(1);
		}
		test_sleep(i % 3);
		atomic_store(&estate.ends, true);
		CHECK_EQ(pthread_join(owner, NULL), 0);
		CHECK_EQ(pthread_join(server, NULL), 0);
		estate_close(&estate, LEFT - 1);
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
			.flags = *(const uint32_t *)flags,
			.queues = 1,
			.fifo = pipes[0],
			.parks = true,
			.never_parks = true,
			.never_comes = i == 2,
		});
	}
	close(pipes[0]);
	close(pipes[1]);
}

int main(void) {
	test_begin("thread_exit_test");
	for (size_t i = 0; i < sizeof(all_flags) / sizeof(all_flags[0]); ++i) {
		test_run("test_left", TEST_HERE, test_left, &all_flags[i]);
		test_run("test_reused", TEST_HERE, test_reused, &all_flags[i]);
		test_run("test_served", TEST_HERE, test_served, &all_flags[i]);
		test_run("test_idle", TEST_HERE, test_idle, &all_flags[i]);
		test_run("test_busy", TEST_HERE, test_busy, &all_flags[i]);
		test_run("test_several", TEST_HERE, test_several, &all_flags[i]);
		test_run("test_never_parked", TEST_HERE, test_never_parked, &all_flags[i]);
		test_run("test_parked", TEST_HERE, test_parked, &all_flags[i]);
		test_run("test_abandoned", TEST_HERE, test_abandoned, &all_flags[i]);
	}
	return test_end();
}
