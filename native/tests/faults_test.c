// Copyright 2026 the ioq authors. MIT license.

/**
 * Tests of the core with every function that it calls failing, one at a time: with
 * every plausible error, at its first, second, ... call, once and for good.
 *
 * The same scenario runs each time: a queue is opened, does one request of each
 * kind, and is closed. Whatever fails, each request has one completion, which tells
 * of what was injected and of nothing else; an interruption is not seen at all; and
 * nothing is left, which the harness looks for.
 */

#include "test.h"

#include "faults.h"
#include "ioq.h"
#include "queue/turn.h"

#include <ftw.h>
#include <sys/mman.h>

/** Calls of a function that are made to fail, one after the other: in short, in full. */
#define CALLS_SHORT 3
#define CALLS_FULL 16
/** Milliseconds that a scenario may take. */
#define PATIENCE_MS 20000
/** Requests of a scenario at the most. */
#define REQUESTS_MAX 64

enum group { MEMORY, DESCRIPTOR, CONTROL, THREAD, PATH, CLOSE, TRANSFER, INODE, RING_SETUP, RING };

/** What a group's functions fail with, up to a 0. */
static const int errors[][8] = {
	[MEMORY] = {ENOMEM},
	[DESCRIPTOR] = {EMFILE, ENFILE, ENOMEM},
	[CONTROL] = {ENOMEM, ENOSPC, EPERM},
	[THREAD] = {EAGAIN, EPERM},
	[PATH] = {EINTR, ENOENT, EACCES, ENOMEM, EIO, EMFILE, ENOSPC, 0},
	[CLOSE] = {EINTR, EIO, ENOSPC},
	[TRANSFER] = {EINTR, EAGAIN, EIO, ENOSPC, FAULT_SHORT, ENOMEM},
	[INODE] = {EINTR, EIO, ENOSPC, EPERM, EROFS},
	[RING_SETUP] = {EPERM, ENOSYS, ENOMEM, EINVAL, EMFILE, EACCES},
	[RING] = {EINTR, EAGAIN, EBUSY, ENOMEM, EBADF, EBADFD, EOPNOTSUPP},
};

static const struct {
	const char *name;
	enum group group;
} sites[] = {
#define SITE(name, group) {#name, group},
	FAULT_SITES(SITE)
#undef SITE
};

/** A way to set a queue up. */
static const uint32_t configs[] = {IOQ_OPEN_RING, 0};
#define CONFIGS (sizeof(configs) / sizeof(configs[0]))

/** A scenario. */
static struct {
	struct ioq *ioq;
	struct ioq_turn turn;
	_Alignas(8) uint8_t output[256 * 1024];
	uint8_t input[4096];
	uint32_t input_used;
	/** Whether a turn said that ioq_park() may be called. */
	bool park_due;
	uint32_t requests, completions;
	/** By slot. */
	int32_t results[REQUESTS_MAX];
	uint32_t flags[REQUESTS_MAX];
	/** The operation of a slot. */
	uint16_t ops[REQUESTS_MAX];
} s;

/** What came without a fault, by configuration and slot. */
static int32_t expected[CONFIGS][REQUESTS_MAX];
/** How many calls of a function are made to fail. */
static int calls = CALLS_SHORT;
/** Faults that struck, scenarios that ran; children count as well. */
static struct {
	unsigned long struck, scenarios;
} *counts;

static struct ioq_request *add(uint16_t op) {
	uint32_t slot = s.requests++;
	CHECK(slot < REQUESTS_MAX);
	struct ioq_request *request = &s.turn.requests[s.turn.request_count++];
	*request = (struct ioq_request) {.slot = slot, .op = op, .fd = AT_FDCWD, .fd2 = AT_FDCWD};
	s.ops[slot] = op;
	s.results[slot] = INT32_MIN;
	return request;
}

static uint32_t put(const char *path) {
	size_t length = strlen(path);
	memcpy(s.input + s.input_used, path, length);
	s.input_used += (uint32_t)length;
	return (uint32_t)length;
}

static struct ioq_request *add_paths(uint16_t op, const char *path, const char *path2) {
	struct ioq_request *request = add(op);
	request->path = s.input_used;
	request->path_length = put(path);
	request->path2_length = path2 ? put(path2) : 0;
	return request;
}

static struct ioq_request *add_fd(uint16_t op, int fd) {
	struct ioq_request *request = add(op);
	request->fd = fd;
	return request;
}

/** Stage bytes for a write; a request that has none writes none. */
static void stage(uint32_t slot) {
	int32_t ret = ioq_stage(s.ioq, slot, (const uint8_t *)"some bytes", 10);
	CHECK(ret == 0 || ret == -ENOMEM);
}

/** Turn until all is complete. */
static void settle(void) {
	struct timespec start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	unsigned int fruitless = 0;
	while (s.completions < s.requests) {
		s.turn.input_length = s.input_used;
		s.turn.output_length = sizeof(s.output);
		// Arming has spares step in and timers be set
		s.turn.flags = fruitless > 0 ? IOQ_TURN_ARM : IOQ_TURN_YIELD;
		CHECK_EQ(ioq_turn(s.ioq, &s.turn, s.input, s.output), 0);
		s.input_used = 0;
		s.park_due = s.park_due || s.turn.armed;
		for (uint32_t i = 0; i < s.turn.completion_count; ++i) {
			const struct ioq_completion *completion = &s.turn.completions[i];
			CHECK(completion->slot < s.requests);
			CHECK_EQ(s.results[completion->slot], INT32_MIN);
			s.results[completion->slot] = completion->result;
			s.flags[completion->slot] = completion->flags;
			if (completion->flags & IOQ_COMPLETION_HELD) {
				CHECK_EQ(ioq_release(s.ioq, completion->slot), 0);
			}
		}
		s.completions += s.turn.completion_count;
		CHECK_EQ(s.turn.in_flight, s.requests - s.completions);
		if (test_since(&start) * 1000 > PATIENCE_MS) {
			test_fail(__FILE__, __LINE__, "hangs with %u in flight", s.turn.in_flight);
		}
		fruitless = s.turn.completion_count == 0 ? fruitless + 1 : 0;
		if (fruitless > 1) {
			usleep(200);
		}
	}
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw) {
	(void)sb;
	(void)type;
	return ftw->level > 0 ? remove(path) : 0;
}

static void make_file(const char *name) {
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && __real_write(fd, "0123456789", 10) == 10);
	__real_close(fd);
}

/** The requests, so that each operation is there, and what it needs. */
static void add_all(int fd, int to, int dfd) {
	add(IOQ_OP_NOP);
	add(IOQ_OP_KERNEL_NOP);
	add_paths(IOQ_OP_OPEN, "file", NULL);
	add_paths(IOQ_OP_OPEN, "missing", NULL);
	add_paths(IOQ_OP_OPEN_DIR, "dir", NULL);
	add_paths(IOQ_OP_STAT, "file", NULL);
	add_paths(IOQ_OP_READ_DIR, "dir", NULL);
	add_fd(IOQ_OP_READ_DIR_BLOCK, dfd);
	struct ioq_request *read = add_fd(IOQ_OP_READ, fd);
	read->length = 8;
	read->hints = IOQ_HINT_OFFSET;
	const struct ioq_range ranges[] = {{.length = 3}, {.offset_low = 5, .length = 5}, {.offset_low = 50, .length = 5}};
	struct ioq_request *many = add_fd(IOQ_OP_READ_RANGES, fd);
	int32_t staged = ioq_stage(s.ioq, many->slot, (const uint8_t *)ranges, sizeof(ranges));
	CHECK(staged == 0 || staged == -ENOMEM);
	struct ioq_request *write = add_fd(IOQ_OP_WRITE, to);
	write->hints = IOQ_HINT_OFFSET;
	stage(write->slot);
	add_fd(IOQ_OP_SEEK, fd)->flags = SEEK_END;
	add_fd(IOQ_OP_SYNC, to);
	add_fd(IOQ_OP_SYNC, to)->flags = IOQ_SYNC_DATA;
	add_fd(IOQ_OP_TRUNCATE, to)->offset_low = 100;
	add_paths(IOQ_OP_TRUNCATE, "cut", NULL)->offset_low = 5;
	add_fd(IOQ_OP_ALLOCATE, to)->args[0] = 200;
	add_paths(IOQ_OP_UNLINK, "gone", NULL);
	add_paths(IOQ_OP_RENAME, "old", "new");
	add_paths(IOQ_OP_MKDIR, "made", NULL)->mode = 0755;
	add_paths(IOQ_OP_SYMLINK, "target", "symlink");
	add_paths(IOQ_OP_LINK, "file", "link");
	add_paths(IOQ_OP_READ_LINK, "pointer", NULL);
	add_paths(IOQ_OP_REAL_PATH, "dir", NULL);
	add_paths(IOQ_OP_CHMOD, "cut", NULL)->mode = 0600;
	add_fd(IOQ_OP_CHMOD, to)->mode = 0600;
	struct ioq_request *chown = add_paths(IOQ_OP_CHOWN, "cut", NULL);
	chown->args[0] = chown->args[1] = UINT32_MAX;
	chown = add_fd(IOQ_OP_CHOWN, to);
	chown->args[0] = chown->args[1] = UINT32_MAX;
	add_paths(IOQ_OP_UTIME, "cut", NULL);
	add_fd(IOQ_OP_UTIME, to);
	add_paths(IOQ_OP_ACCESS, "file", NULL);
	add_fd(IOQ_OP_LOCK, fd)->flags = LOCK_SH | LOCK_NB;
	struct ioq_request *copy = add_fd(IOQ_OP_COPY_RANGE, fd);
	copy->fd2 = to;
	copy->length = 6;
	copy->hints = IOQ_HINT_OFFSET;
	copy->args[0] = 300;
	copy->args[2] = 1;
	add_fd(IOQ_OP_ADVISE, fd);
	add_paths(IOQ_OP_READ_FILE, "file", NULL);
	struct ioq_request *write_file = add_paths(IOQ_OP_WRITE_FILE, "written", NULL);
	write_file->flags = O_WRONLY | O_CREAT | O_TRUNC;
	write_file->mode = 0644;
	write_file->args[0] = 1;
	stage(write_file->slot);
	add_paths(IOQ_OP_COPY_FILE, "file", "copied");
#ifdef IOQ_CLOCK_MONOTONIC
	add(IOQ_OP_TIMEOUT)->args[0] = 1;
#endif
}

/** Run the scenario. Returns whether the queue could be opened. */
static bool run(uint32_t flags) {
	++counts->scenarios;
	memset(&s, 0, sizeof(s));
	nftw(".", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	make_file("file");
	make_file("cut");
	make_file("gone");
	make_file("old");
	make_file("to");
	CHECK_EQ(mkdir("dir", 0755), 0);
	make_file("dir/a");
	CHECK_EQ(symlink("nowhere", "pointer"), 0);
	int fd = open("file", O_RDONLY | O_CLOEXEC), to = open("to", O_RDWR | O_CLOEXEC);
	int dfd = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0 && to >= 0 && dfd >= 0);
	struct ioq_options options = {.depth = REQUESTS_MAX, .lanes = 2, .flags = flags};
	struct ioq_info info;
	s.ioq = ioq_open(&options, &info);
	if (s.ioq) {
		add_all(fd, to, dfd);
		settle();
		// What was opened is closed by the queue
		uint32_t count = s.requests;
		for (uint32_t i = 0; i < count; ++i) {
			if ((s.ops[i] == IOQ_OP_OPEN || s.ops[i] == IOQ_OP_OPEN_DIR) && s.results[i] >= 0) {
				add_fd(s.ops[i] == IOQ_OP_OPEN ? IOQ_OP_CLOSE : IOQ_OP_CLOSE_DIR, s.results[i]);
			}
		}
		settle();
		if (s.park_due) {
			// As ioq_wake(), which may fail
			uint64_t one = 1;
			CHECK_EQ(__real_write(s.ioq->wake_fd, &one, sizeof(one)), sizeof(one));
			ioq_park(s.ioq);
		}
		CHECK_EQ(ioq_close(s.ioq), 0);
	} else {
		// What failed is what is said
		int error = atomic_load(&fault.error);
		CHECK(info.error == (uint32_t)error || (info.error == ENOSYS && error == EINVAL));
	}
	__real_close(fd);
	__real_close(to);
	__real_close(dfd);
	return s.ioq;
}

/** Compare what came with what was expected, and what was injected. */
static void check_results(size_t config, size_t site, int error, int times) {
	for (uint32_t i = 0; i < s.requests; ++i) {
		int32_t result = s.results[i], normal = i < REQUESTS_MAX ? expected[config][i] : 0;
		bool opens = s.ops[i] == IOQ_OP_OPEN || s.ops[i] == IOQ_OP_OPEN_DIR;
		if (opens ? (result >= 0) == (normal >= 0) && (result >= 0 || result == normal) : result == normal) {
			continue;
		}
		if (s.ops[i] == IOQ_OP_CLOSE || s.ops[i] == IOQ_OP_CLOSE_DIR) {
			// Whether there are any depends on what was opened
			CHECK(result == 0 || result == -error);
			continue;
		}
		// What may have been done is not run again
		bool interrupted = error == EINTR && times == 1 && !ops[s.ops[i]].once;
		if (result == -error && !interrupted) {
			continue;
		}
		if (result >= 0 && normal >= 0) {
			// Short, or copied by another way; a write whose bytes found no memory has none
			if (result <= normal) {
				continue;
			}
		}
		// A ring that is of no use for too long is given up
		if (sites[site].group == RING && result == -EAGAIN) {
			continue;
		}
		test_fail(__FILE__, __LINE__, "operation %u came to %d, not %d, by error %d of %s", s.ops[i],
			result, normal, error, sites[site].name);
	}
}

/** All faults of a function. */
static void test_site(const void *arg) {
	size_t site = *(const size_t *)arg;
	for (size_t config = 0; config < CONFIGS; ++config) {
		for (int e = 0; e < 8 && errors[sites[site].group][e]; ++e) {
			int error = errors[sites[site].group][e];
			for (int after = 0; after <= calls; ++after) {
				// The last time from the first call on, for good
				int times = after < calls ? 1 : FAULT_ALWAYS;
				fault_set((enum fault_site)site, error, after < calls ? after : 0, times);
				bool opened = run(configs[config]);
				int count = fault_unset();
				counts->struck += (unsigned long)count;
				if (opened) {
					check_results(config, site, error, times);
				}
				if (count == 0) {
					// Not called as often
					after = after < calls ? calls - 1 : after;
				}
			}
		}
	}
}

#ifdef TEST_TSAN
const char *__tsan_default_options(void);
/** Children start threads: at the fork there are none but ours. */
const char *__tsan_default_options(void) {
	return "die_after_fork=0";
}
#endif

int main(void) {
	test_begin("faults_test");
	calls = getenv("IOQ_TEST_FULL") ? CALLS_FULL : CALLS_SHORT;
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(counts != MAP_FAILED);
	char dir[] = "/tmp/ioq-faults-XXXXXX";
	CHECK(mkdtemp(dir) && chdir(dir) == 0);
	for (size_t config = 0; config < CONFIGS; ++config) {
		fault_unset();
		if (!run(configs[config])) {
			puts("faults_test: no ring here");
			continue;
		}
		memcpy(expected[config], s.results, sizeof(s.results));
	}
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); ++i) {
		// A ring that dies leaves what the kernel may still write to
		test_run(sites[i].name, sites[i].group == RING ? TEST_CHILD : TEST_HERE, test_site, &i);
	}
	nftw(".", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	CHECK(chdir("/") == 0 && rmdir(dir) == 0);
	printf("faults_test: %lu faults in %lu scenarios\n", counts->struck, counts->scenarios);
	return test_end();
}
