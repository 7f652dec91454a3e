// Copyright 2026 the ioq authors. MIT license.

/**
 * Makes recorded calls (log.h) once more, under ThreadSanitizer: `replay FILE...`,
 * in a cage (../fuzz/cage.h).
 *
 * The kernel and the lanes take their own time, so completions come otherwise than
 * they did: a slot that is still in use is waited for, or cancelled if it takes long,
 * before it is used again. Descriptors and paths of the recorded process mean nothing
 * here; they become others, of files in the cage.
 */

#include "../fuzz/cage.h"
#include "log.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/file.h>

/**
 * Files at the same time. With more, one thread's ring comes to lie where another's
 * was; liburing unmaps by system calls that the sanitizer does not see, and it would
 * take that for a race.
 */
#define THREADS 1
/** Turns to wait for a slot before it is cancelled, and before that is a failure. */
#define TURNS_TO_CANCEL 200
#define TURNS_MAX 200000
/** The longest transfer. */
#define LENGTH_MAX (256 * 1024)

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/** What a thread replays. */
struct replay {
	struct ioq *ioq;
	/** By slot: whether a request is in flight, or its payload held. */
	bool *busy, *held;
	uint32_t depth;
	uint64_t requests, completions;
	struct ioq_turn turn;
	uint8_t *output;
};

static char **paths;
static int path_count;
static atomic_int next_path;
static atomic_ullong all_requests, all_calls, all_queues;
static int files[4];

/** One turn. */
static void turn(struct replay *r, uint32_t flags, const uint8_t *input, uint32_t input_length) {
	uint32_t count = r->turn.request_count;
	r->turn.flags = flags;
	r->turn.input_length = input_length;
	r->turn.output_length = 64 * 1024;
	CHECK(ioq_turn(r->ioq, &r->turn, input, r->output) == 0);
	r->requests += count;
	for (uint32_t i = 0; i < r->turn.completion_count; ++i) {
		const struct ioq_completion *completion = &r->turn.completions[i];
		if (completion->slot < r->depth) {
			r->busy[completion->slot] = false;
			r->held[completion->slot] = completion->flags & IOQ_COMPLETION_HELD;
		}
	}
	r->completions += r->turn.completion_count;
	CHECK(r->turn.in_flight == r->requests - r->completions);
}

/** Make a slot free. */
static void wait_for(struct replay *r, uint32_t slot) {
	for (int i = 0; r->busy[slot]; ++i) {
		CHECK(i < TURNS_MAX);
		if (i == TURNS_TO_CANCEL) {
			ioq_cancel(r->ioq, slot);
		}
		turn(r, i % 8 == 7 ? IOQ_TURN_ARM : IOQ_TURN_YIELD, r->output, 0);
		if (i > TURNS_TO_CANCEL) {
			usleep(100);
		}
	}
	if (r->held[slot]) {
		CHECK(ioq_release(r->ioq, slot) == 0);
		r->held[slot] = false;
	}
}

/** Have a request mean something here. Returns whether it may be made. */
static bool translate(struct ioq_request *request, uint8_t *input, uint32_t input_length) {
	static const char *const names[] = {"a", "b", "d", "d/a", ".", "missing"};
	if (request->op == IOQ_OP_RAW_SQE || request->op == IOQ_OP_CLOSE || request->op == IOQ_OP_CLOSE_DIR
			|| request->op >= IOQ_OP_COUNT || (request->hints & IOQ_HINT_REGION)) {
		return false;
	}
	request->fd = request->fd == AT_FDCWD ? AT_FDCWD : files[(uint32_t)request->fd % 4];
	request->fd2 = request->fd2 == AT_FDCWD ? AT_FDCWD : files[(uint32_t)request->fd2 % 4];
	if (request->length > LENGTH_MAX) {
		request->length = LENGTH_MAX;
	}
	if (request->op == IOQ_OP_LOCK) {
		request->flags |= LOCK_NB;
	}
	uint64_t end = (uint64_t)request->path + request->path_length + request->path2_length;
	if (end > input_length) {
		return request->path_length > IOQ_PATH_MAX;
	}
	uint32_t starts[] = {request->path, request->path + request->path_length};
	uint32_t *lengths[] = {&request->path_length, &request->path2_length};
	for (int i = 0; i < 2; ++i) {
		uint32_t length = *lengths[i], sum = 0;
		for (uint32_t j = 0; j < length; ++j) {
			sum = sum * 31 + input[starts[i] + j];
		}
		// The same path is the same file
		const char *name = names[sum % 6];
		for (uint32_t j = 0; j < length; ++j) {
			input[starts[i] + j] = j < strlen(name) ? (uint8_t)name[j] : 'x';
		}
	}
	cage_path(input + starts[0], request->path_length);
	cage_path(input + starts[1], request->path2_length);
	return true;
}

/** Replay one file. */
static void replay(const char *path) {
	FILE *file = fopen(path, "re");
	struct replay *r = calloc(1, sizeof(*r));
	CHECK(file && r);
	struct log_entry entry;
	struct ioq_options options;
	struct ioq_info info;
	CHECK(fread(&entry, sizeof(entry), 1, file) == 1 && entry.call == LOG_OPEN);
	CHECK(fread(&options, sizeof(options), 1, file) == 1);
	options.flags &= ~(uint32_t)IOQ_OPEN_RAW_SQE;
	r->depth = options.depth;
	r->busy = calloc(r->depth, 1);
	r->held = calloc(r->depth, 1);
	r->output = aligned_alloc(64, 64 * 1024);
	r->ioq = ioq_open(&options, &info);
	CHECK(r->busy && r->held && r->output);
	uint8_t *bytes = malloc(LENGTH_MAX), *input = NULL;
	CHECK(bytes);
	memset(bytes, 'x', LENGTH_MAX);
	memset(r->output, 0, 64 * 1024);

	while (r->ioq && fread(&entry, sizeof(entry), 1, file) == 1 && entry.call != LOG_CLOSE) {
		atomic_fetch_add(&all_calls, 1);
		uint32_t slot = entry.a < r->depth ? entry.a : 0;
		if (entry.call == LOG_TURN) {
			static _Thread_local struct ioq_request requests[IOQ_TURN_REQUESTS];
			uint8_t *more = realloc(input, entry.c + 1);
			CHECK(more && entry.b <= IOQ_TURN_REQUESTS);
			input = more;
			if (fread(requests, sizeof(requests[0]), entry.b, file) != entry.b || fread(input, 1, entry.c, file) != entry.c) {
				break;
			}
			uint32_t count = 0;
			for (uint32_t i = 0; i < entry.b; ++i) {
				if (requests[i].slot < r->depth && translate(&requests[i], input, entry.c)) {
					wait_for(r, requests[i].slot);
					requests[count++] = requests[i];
				}
			}
			for (uint32_t i = 0; i < count; ++i) {
				r->busy[requests[i].slot] = true;
			}
			memcpy(r->turn.requests, requests, count * sizeof(requests[0]));
			r->turn.request_count = count;
			turn(r, entry.a, input, entry.c);
		} else if (entry.call == LOG_STAGE) {
			wait_for(r, slot);
			ioq_release(r->ioq, slot);
			ioq_stage(r->ioq, slot, bytes, entry.b < LENGTH_MAX ? entry.b : LENGTH_MAX);
		} else if (entry.call == LOG_TAKE && r->held[slot]) {
			ioq_take(r->ioq, slot, bytes, entry.b < LENGTH_MAX ? entry.b : LENGTH_MAX);
			r->held[slot] = false;
		} else if (entry.call == LOG_RELEASE && r->held[slot]) {
			ioq_release(r->ioq, slot);
			r->held[slot] = false;
		} else if (entry.call == LOG_CANCEL) {
			ioq_cancel(r->ioq, slot);
		} else if (entry.call == LOG_CANCEL_ALL) {
			ioq_cancel_all(r->ioq);
		}
	}
	if (r->ioq) {
		r->turn.request_count = 0;
		ioq_cancel_all(r->ioq);
		for (uint32_t i = 0; i < r->depth; ++i) {
			wait_for(r, i);
		}
		CHECK(ioq_close(r->ioq) == 0);
		atomic_fetch_add(&all_requests, r->requests);
		atomic_fetch_add(&all_queues, 1);
	}
	fclose(file);
	free(input);
	free(bytes);
	free(r->busy);
	free(r->held);
	free(r->output);
	free(r);
}

static void *run(void *arg) {
	int i;
	while ((i = atomic_fetch_add(&next_path, 1)) < path_count) {
		replay(paths[i]);
	}
	return arg;
}

int main(int argc, char **argv) {
	struct rlimit limit = {8192, 8192};
	setrlimit(RLIMIT_NOFILE, &limit);
	cage_enter((const char *const[]) {NULL});
	paths = argv + 1;
	path_count = argc - 1;
	CHECK(mkdir("d", 0700) == 0);
	static const char *const names[] = {"a", "b", "d/a"};
	for (int i = 0; i < 3; ++i) {
		files[i] = open(names[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		CHECK(files[i] >= 0 && write(files[i], "some text\n", 10) == 10);
	}
	files[3] = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(files[3] >= 0);
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; ++i) {
		CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
	}
	for (int i = 0; i < THREADS; ++i) {
		CHECK(pthread_join(threads[i], NULL) == 0);
	}
	printf("replay: %llu requests of %llu calls on %llu queues\n", atomic_load(&all_requests),
		atomic_load(&all_calls), atomic_load(&all_queues));
	return 0;
}
