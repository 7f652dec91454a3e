// Copyright 2026 the ioq authors. MIT license.

/**
 * Fuzzing of the ABI: what JavaScript gone wild may write into records, sizes and
 * slots. Whatever it does, it gets an error code, never a crash; each request it
 * handed in completes once; and after ioq_close() no descriptor is left.
 *
 * An input is a script: options to open a queue with, then one action after the
 * other until it ends, see act(). Records are taken from it as they are, but for
 * what would let them out of the cage (cage.h) or make them wait for something
 * that never comes: descriptors are drawn from a table, of files in the cage,
 * pipes that never block, what the queue itself has opened, and nonsense.
 *
 * Buffers are allocated anew for every call, as long as they are said to be, so
 * that the sanitizer sees any byte too many.
 *
 * With clang: coverage-guided, by libFuzzer. With any compiler and FUZZ_REPLAY, a name for the build:
 * runs the inputs in the files that are named, and a number of random ones.
 */

#include "cage.h"

#include "ioq.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/file.h>

/** Bytes of the largest output. */
#define OUTPUT_MAX (64 * 1024)
/** Paths of a turn. */
#define INPUT_MAX 512
/** Descriptors of a queue's own that are remembered. */
#define OPENED_MAX 64
/** Turns that may pass without a completion at the end; most of them wait. */
#define PATIENCE 20000
/** Turns to settle in. */
#define SETTLE_TURNS 200
/** The deepest queue: deeper ones differ in nothing but what they cost. */
#define DEPTH_MAX 300

/** Fail, in a way that the fuzzer takes for a crash. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/** What is left of the input. */
static struct {
	const uint8_t *at;
	size_t length;
} script;

/** The queue at hand. */
static struct {
	struct ioq *ioq;
	/** Whether a turn said that ioq_park() may be called. */
	bool park_due;
	/** Requests handed in, and completions got. */
	uint64_t requests, completions;
	/** Results of what opens, whether closed since or not. */
	int opened[OPENED_MAX];
	size_t opened_count;
	struct ioq_turn turn;
	uint8_t input[INPUT_MAX];
	uint32_t input_used;
} q;

/** Descriptors that last. */
static int files[8];
static const size_t files_count = sizeof(files) / sizeof(files[0]);

static uint8_t next_byte(void) {
	if (script.length == 0) {
		return 0;
	}
	--script.length;
	return *script.at++;
}

/** Fill with bytes of the script, with zeros once it has ended. */
static void next_bytes(void *to, size_t length) {
	size_t some = length < script.length ? length : script.length;
	memset(to, 0, length);
	memcpy(to, script.at, some);
	script.at += some;
	script.length -= some;
}

static uint32_t next_word(void) {
	uint32_t word;
	next_bytes(&word, sizeof(word));
	return word;
}

/** A slot: mostly one that exists. */
static uint32_t next_slot(void) {
	uint8_t byte = next_byte();
	return byte == 0xff ? next_word() : byte % 16;
}

/** A descriptor for a request. */
static int32_t next_fd(bool closes) {
	uint8_t byte = next_byte();
	if (q.opened_count > 0 && byte & 0x80) {
		return q.opened[byte % 0x80 % q.opened_count];
	}
	static const int nonsense[] = {-1, INT32_MAX, INT32_MIN, -AT_FDCWD, 900, -2, 1 << 20, 1 << 30};
	if (closes || (byte & 0x70) == 0x70) {
		return nonsense[byte % 8];
	}
	return byte & 0x40 ? files[byte % files_count] : AT_FDCWD;
}

/** Letters of paths: few, so that they meet. */
static uint8_t to_letter(uint8_t byte) {
	static const uint8_t letters[] = "aabbcdf/./\0\xff\xc3 \ne";
	return letters[byte % 16];
}

/** Add a path to the input: mostly one that may exist. Returns its length. */
static uint32_t add_path(void) {
	static const char *const names[] = {
		"a", "b", "c", "d", "e", "d/a", "d/b", "e/a", "x", "y", "d/x", ".", "", "a/b", "d/d", "missing",
	};
	uint8_t length = next_byte();
	uint32_t room = INPUT_MAX - q.input_used;
	if (length >= 32) {
		const char *name = names[length % 16];
		length = (uint8_t)strlen(name);
		if (length <= room) {
			memcpy(q.input + q.input_used, name, length);
			q.input_used += length;
			return length;
		}
	}
	uint32_t some = length < room ? length : room;
	for (uint32_t i = 0; i < some; ++i) {
		q.input[q.input_used++] = to_letter(next_byte());
	}
	return some;
}

/** Add a request to the turn. */
static void add(void) {
	if (q.turn.request_count >= IOQ_TURN_REQUESTS) {
		return;
	}
	struct ioq_request *request = &q.turn.requests[q.turn.request_count++];
	uint8_t op = next_byte(), shape = next_byte();
	if (shape & 1) {
		next_bytes(request, sizeof(*request));
	} else {
		memset(request, 0, sizeof(*request));
		request->hints = shape >> 1 & 15;
		request->flags = shape & 0x10 ? next_word() : 0;
		request->mode = shape & 0x20 ? next_byte() : 0700;
		request->length = next_byte();
		request->offset_low = shape & 0x40 ? next_byte() : 0;
		if (shape & 0x80) {
			next_bytes(request->args, sizeof(request->args));
		}
	}
	request->slot = next_slot();
	request->op = op == 0xff ? (uint16_t)next_word() : op % (IOQ_OP_COUNT + 1);
	bool closes = request->op == IOQ_OP_CLOSE || request->op == IOQ_OP_CLOSE_DIR;
	request->fd = next_fd(closes);
	request->fd2 = next_fd(closes);
	if (request->op == IOQ_OP_LOCK) {
		// Two descriptors of one file would wait for each other for good
		request->flags |= LOCK_NB;
	}
	if (request->op == IOQ_OP_OPEN) {
		request->flags = (request->flags & ~(uint32_t)O_PATH) | O_NONBLOCK;
	}

	// Paths of its own at the end of the input, or wherever the record says
	if (!(shape & 1) || next_byte() & 1) {
		request->path = q.input_used;
		request->path_length = add_path();
		request->path2_length = add_path();
	}
}

/** Take note of what a turn handed out. */
static void look(const struct ioq_turn *turn, const uint8_t *output, uint32_t output_length) {
	CHECK(turn->completion_count <= IOQ_TURN_COMPLETIONS);
	q.completions += turn->completion_count;
	CHECK(q.completions <= q.requests);
	CHECK(turn->in_flight == q.requests - q.completions);
	uint32_t sum = 0;
	for (uint32_t i = 0; i < turn->completion_count; ++i) {
		const struct ioq_completion *completion = &turn->completions[i];
		CHECK(completion->lane < IOQ_LANE_COUNT);
		bool held = completion->flags & IOQ_COMPLETION_HELD;
		if (!held && completion->payload_length > 0) {
			CHECK(completion->result >= 0);
			CHECK(completion->payload <= output_length);
			CHECK(completion->payload_length <= output_length - completion->payload);
			for (uint32_t j = 0; j < completion->payload_length; ++j) {
				sum += output[completion->payload + j];
			}
		}
		if (completion->result > 2 && completion->payload_length == 0 && !held && q.opened_count < OPENED_MAX) {
			// Perhaps a descriptor. Only those are closed that were none before
			bool ours = false;
			for (size_t k = 0; k < files_count; ++k) {
				ours = ours || files[k] == completion->result;
			}
			if (!ours && completion->result < 1024) {
				q.opened[q.opened_count++] = completion->result;
			}
		}
	}
	volatile uint32_t sink = sum;
	(void)sink;
}

/** Call ioq_park() if a turn has said so: it is owed before the queue is closed. */
static void park_off(void) {
	if (q.park_due) {
		q.park_due = false;
		ioq_wake(q.ioq);
		CHECK(ioq_park(q.ioq) == 0);
	}
}

/** One turn. */
static void turn(uint32_t flags, uint32_t count, uint32_t output_length) {
	uint8_t *input = malloc(q.input_used ? q.input_used : 1);
	uint8_t *output = aligned_alloc(8, output_length ? (output_length + 7) & ~7u : 8);
	struct ioq_turn *block = malloc(sizeof(*block));
	CHECK(input && output && block);
	cage_path(q.input, q.input_used);
	memcpy(input, q.input, q.input_used);
	memcpy(block, &q.turn, sizeof(*block));
	for (uint32_t i = 0; i < block->request_count; ++i) {
		// A path that begins in the midst of the input must be relative as well
		uint64_t starts[] = {block->requests[i].path,
			(uint64_t)block->requests[i].path + block->requests[i].path_length};
		for (size_t k = 0; k < 2; ++k) {
			if (starts[k] < q.input_used && input[starts[k]] == '/') {
				input[starts[k]] = 'a';
			}
		}
	}
	block->flags = flags;
	block->input_length = q.input_used;
	block->output_length = output_length;
	if (count > IOQ_TURN_REQUESTS) {
		block->request_count = count;
	}
	uint32_t requests = block->request_count;

	int32_t ret = ioq_turn(q.ioq, block, input, output);
	if (requests > IOQ_TURN_REQUESTS || output_length < IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat)) {
		CHECK(ret < 0);
	}
	if (ret == 0) {
		q.requests += requests;
		q.turn.request_count = 0;
		q.input_used = 0;
		look(block, output, output_length);
		q.park_due = q.park_due || block->armed;
		if (block->armed && flags & 0x80) {
			park_off();
		}
	} else {
		CHECK(ret < 0 && block->completion_count == 0);
	}
	q.turn.completion_count = block->completion_count;
	q.turn.armed = block->armed;
	free(input);
	free(output);
	free(block);
}

/** Turn until nothing is in flight, or for a while. */
static void settle(void) {
	turn(0, 0, OUTPUT_MAX);
	for (int i = 0; i < SETTLE_TURNS && q.requests != q.completions; ++i) {
		sched_yield();
		turn(IOQ_TURN_YIELD, 0, OUTPUT_MAX);
	}
}

/** Copy staged bytes in, or a payload out, by a buffer of just that length. */
static void transfer(bool in, uint32_t slot, uint32_t length) {
	uint32_t real = length <= 4096 ? length : 0;
	uint8_t *bytes = malloc(real ? real : 1);
	CHECK(bytes);
	memset(bytes, 'x', real);
	if (!in) {
		CHECK(ioq_take(q.ioq, slot, bytes, real) <= (int32_t)real);
	} else if (length == real || length > IOQ_TRANSFER_MAX) {
		// Too long ones must be refused before the buffer is touched
		int32_t ret = ioq_stage(q.ioq, slot, bytes, length);
		CHECK(ret == 0 ? length == real : ret < 0);
	}
	free(bytes);
}

/** The same, of a part. */
static void transfer_part(bool in) {
	uint32_t slot = next_slot(), at = next_word() >> (next_byte() % 32), total = next_word() >> (8 + next_byte() % 24);
	uint32_t length = next_word() % 512;
	uint8_t *bytes = malloc(length ? length : 1);
	CHECK(bytes);
	memset(bytes, 'y', length);
	if (in) {
		int32_t ret = ioq_stage_part(q.ioq, slot, at, total, bytes, length);
		CHECK(ret == 0 || ret < 0);
	} else {
		CHECK(ioq_take_part(q.ioq, slot, at, bytes, length) <= (int32_t)length);
	}
	free(bytes);
}

/** One action. Returns false when the queue is gone. */
static bool act(void) {
	uint8_t action = next_byte();
	switch (action % 22) {
	case 0: case 1: case 2: case 3: case 4: case 5:
		add();
		return true;
	case 6:
		turn(next_byte(), 0, OUTPUT_MAX);
		return true;
	case 7:
		settle();
		return true;
	case 8:
		turn(next_byte(), action & 0x80 ? next_word() : 0, next_word() % (OUTPUT_MAX + 1));
		return true;
	case 9: case 10:
		transfer(true, next_slot(), action & 0x80 ? next_word() : next_byte());
		return true;
	case 11:
		transfer(false, next_slot(), action & 0x80 ? next_word() : next_byte());
		return true;
	case 12: {
		int32_t ret = ioq_release(q.ioq, next_slot());
		CHECK(ret == 0 || ret < 0);
		return true;
	}
	case 13: {
		int32_t ret = ioq_cancel(q.ioq, next_slot());
		CHECK(ret == 0 || ret == 1);
		return true;
	}
	case 14:
		if (action & 0x80) {
			ioq_cancel_all(q.ioq);
		} else {
			ioq_wake(q.ioq);
		}
		return true;
	case 16: case 17:
		transfer_part(action % 22 == 16);
		return true;
	case 18: case 19: {
		// Memory that is zeroed: too much of it is slow, and more than that is refused
		uint32_t index = 0, length = action & 0x80 ? UINT32_MAX : next_word() >> (10 + next_byte() % 22);
		uint8_t *bytes = ioq_allocate(q.ioq, length, &index);
		if (bytes && length > 0) {
			// All of it is there
			bytes[0] = bytes[length - 1] = 'x';
		}
		return true;
	}
	case 20: {
		int32_t ret = ioq_deallocate(q.ioq, action & 0x80 ? next_word() : next_byte() % 4);
		CHECK(ret == 0 || ret < 0);
		return true;
	}
	case 21: {
		int32_t ret = ioq_resize(q.ioq, action & 0x80 ? next_word() % 100000 : 1u + next_byte());
		CHECK(ret == 0 || ret < 0);
		return true;
	}
	default:
		if (action & 0x80) {
			bool busy = q.requests != q.completions;
			park_off();
			int32_t ret = ioq_close(q.ioq);
			CHECK(busy ? ret < 0 : ret == 0);
			return busy;
		}
		return true;
	}
}

/** Complete all that is in flight, and close. */
static void finish(bool in_peace) {
	if (in_peace) {
		settle();
	}
	q.turn.request_count = 0;
	q.input_used = 0;
	ioq_cancel_all(q.ioq);
	for (int i = 0; q.requests != q.completions; ++i) {
		CHECK(i < PATIENCE);
		turn(IOQ_TURN_ARM, 0, OUTPUT_MAX);
		if (q.turn.armed) {
			q.park_due = false;
			CHECK(ioq_park(q.ioq) == 0);
		}
	}
	park_off();
	CHECK(ioq_close(q.ioq) == 0);
}

/** Open descriptors, up to a bound. */
static unsigned int count_fds(void) {
	unsigned int count = 0;
	for (int fd = 0; fd < 512; ++fd) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

/** Put the files in order. */
static void tidy(void) {
	cage_empty();
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < 3; ++i) {
		int fd = open(names[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		CHECK(fd >= 0 && write(fd, "some text\n", 10) == 10);
		CHECK(dup3(fd, files[i], O_CLOEXEC) == files[i]);
		close(fd);
	}
	CHECK(mkdir("d", 0700) == 0 && mkdir("e", 0700) == 0);
	int dfd = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dfd >= 0 && dup3(dfd, files[3], O_CLOEXEC) == files[3]);
	close(dfd);
	int dot = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dot >= 0 && dup3(dot, files[4], O_CLOEXEC) == files[4]);
	close(dot);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
	// Those that the command line names: there the fuzzer keeps what it finds
	static const char *allowed[16];
	size_t count = 0;
	for (int i = 1; i < *argc && count < 15; ++i) {
		const char *prefix = strncmp((*argv)[i], "-artifact_prefix=", 17) == 0 ? (*argv)[i] + 17 : (*argv)[i];
		if (prefix[0] == '/') {
			allowed[count++] = prefix;
		}
	}
	cage_enter(allowed);
	// High numbers, which no request gets by chance
	int pipes[2];
	CHECK(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
	for (size_t i = 0; i < files_count; ++i) {
		files[i] = 600 + (int)i;
		CHECK(dup3(pipes[i & 1], files[i], O_CLOEXEC) == files[i]);
	}
	close(pipes[0]);
	close(pipes[1]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	script.at = data;
	script.length = size;
	tidy();
	unsigned int fds = count_fds();

	struct ioq_options options = {0};
	uint8_t shape = next_byte();
	if (shape & 1) {
		next_bytes(&options, sizeof(options));
		options.depth = options.depth <= IOQ_DEPTH_MAX && options.depth > DEPTH_MAX
			? options.depth % DEPTH_MAX : options.depth;
	} else {
		options.depth = 1 + (next_byte() & 31);
		options.lanes = 1 + (shape >> 6);
		options.flags = (shape & 2 ? IOQ_OPEN_RING : 0) | (shape & 16 ? IOQ_OPEN_SYNC : 0);
	}
	// That is what it says: whoever asks for it may do anything, to our own memory as well
	options.flags &= ~(uint32_t)IOQ_OPEN_RAW_SQE;
	memset(&q, 0, sizeof(q));
	struct ioq_info info;
	q.ioq = ioq_open(&options, &info);
	CHECK(q.ioq ? info.error == 0 : info.error != 0);
	if (q.ioq) {
		bool alive = true;
		while (alive && script.length > 0) {
			alive = act();
		}
		if (alive) {
			finish(shape & 0x20);
		}
	}
	for (size_t i = 0; i < q.opened_count; ++i) {
		close(q.opened[i]);
	}
	CHECK(count_fds() <= fds);
	return 0;
}

#ifdef FUZZ_REPLAY
/** A number from a generator (xorshift), so that failures repeat. */
static uint64_t next_random(uint64_t *state) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/** `abi_fuzz COUNT [FILE...]`: the files, then so many random inputs. */
int main(int argc, char **argv) {
	static uint8_t data[1 << 16];
	unsigned int count = 0;
	LLVMFuzzerInitialize(&(int) {0}, &argv);
	for (int i = 2; i < argc; ++i) {
		FILE *file = fopen(argv[i], "re");
		CHECK(file);
		size_t length = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, length);
		++count;
	}
	uint64_t state = 0x9e3779b97f4a7c15u;
	for (int i = argc > 1 ? atoi(argv[1]) : 0; i > 0; --i) {
		size_t length = next_random(&state) % 1024;
		for (size_t j = 0; j < length; ++j) {
			data[j] = (uint8_t)(next_random(&state) >> 40);
		}
		// A queue more often than nonsense
		data[0] &= next_random(&state) % 4 ? 0xfe : 0xff;
		LLVMFuzzerTestOneInput(data, length);
		++count;
	}
	printf("native (abi_fuzz " FUZZ_REPLAY ", %u inputs): 1 passed, 0 failed\n", count);
	return 0;
}
#endif
