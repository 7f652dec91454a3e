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

<<<<<<< HEAD
=======
/** A way to set a queue up. */
struct config {
	/** What tests call it. */
	const char *name;
	/** IOQ_OPEN_*. */
	uint32_t flags;
	/** As in ioq_options. */
	uint64_t worker_ops, overflow_ops;
	/** Where operations run that a ring can do: an ioq_lane_kind. */
	uint32_t lane;
};

static const struct config ring_config = {"ring", IOQ_OPEN_RING, 0, 0, IOQ_LANE_RING};
static const struct config lanes_config = {"lanes", 0, 0, 0, IOQ_LANE_WORKER};
static const struct config lane_rings_config = {"lane rings", IOQ_OPEN_LANE_RINGS, 0, 0, IOQ_LANE_WORKER_RING};
static const struct config sync_config = {"sync", IOQ_OPEN_SYNC, 0, 0, IOQ_LANE_CORE};
static const struct config idle_ring_config = {"idle ring", IOQ_OPEN_RING, ~0ull, 0, IOQ_LANE_WORKER};
static const struct config overflow_config = {
	"overflow", IOQ_OPEN_RING, 1ull << IOQ_OP_OPEN, 1ull << IOQ_OP_STAT, IOQ_LANE_WORKER,
};
static const struct config all_rings_config = {
	"idle ring, lane rings", IOQ_OPEN_RING | IOQ_OPEN_LANE_RINGS, ~0ull, 0, IOQ_LANE_WORKER_RING,
};

/** Whether this kernel lets us have rings. */
static bool have_rings;

/** The queue under test: one at a time. */
static struct {
	struct ioq *ioq;
	struct ioq_info info;
	const struct config *config;
	struct ioq_turn turn;
	uint32_t input_used;
	/** How much of the output turns may use. */
	uint32_t output_length;
	/** Requests whose completion has not come, by slot. */
	bool pending[DEPTH_MAX];
	/** How many. */
	uint32_t pending_count;
	/** What came, by slot. */
	struct ioq_completion results[DEPTH_MAX];
	/** What of it is a number, by slot: the next turn writes over the output. */
	uint64_t numbers[DEPTH_MAX];
	_Alignas(64) uint8_t input[INPUT_LENGTH];
	_Alignas(64) uint8_t output[OUTPUT_LENGTH];
} q;

/** Open the queue, which may fail. */
static bool try_open(const struct config *config, uint32_t depth, uint32_t lanes) {
	struct ioq_options options = {
		.depth = depth,
		.lanes = lanes,
		.flags = config->flags,
		.worker_ops_low = (uint32_t)config->worker_ops,
		.worker_ops_high = (uint32_t)(config->worker_ops >> 32),
		.overflow_ops_low = (uint32_t)config->overflow_ops,
		.overflow_ops_high = (uint32_t)(config->overflow_ops >> 32),
	};
	CHECK(depth <= DEPTH_MAX);
	memset(&q, 0, sizeof(q));
	q.config = config;
	q.output_length = OUTPUT_LENGTH;
	q.ioq = ioq_open(&options, &q.info);
	CHECK((q.ioq == NULL) == (q.info.error != 0));
	return q.ioq;
}

/** Open the queue. */
static void open_queue(const struct config *config, uint32_t depth, uint32_t lanes) {
	if (!try_open(config, depth, lanes)) {
		test_fail(__FILE__, __LINE__, "ioq_open: %s", strerror((int)q.info.error));
	}
	CHECK_EQ(q.info.lanes, config->flags & IOQ_OPEN_SYNC ? 0 : lanes);
}

/** Close the queue, in which nothing is in flight. */
static void close_queue(void) {
	CHECK_EQ(q.pending_count, 0);
	CHECK_EQ(ioq_close(q.ioq), 0);
}

/** Add a request to the next turn. */
static struct ioq_request *add(uint32_t slot, uint16_t op) {
	CHECK(q.turn.request_count < IOQ_TURN_REQUESTS);
	CHECK(!q.pending[slot]);
	q.pending[slot] = true;
	++q.pending_count;
	struct ioq_request *request = &q.turn.requests[q.turn.request_count++];
	*request = (struct ioq_request) {.slot = slot, .op = op, .fd = AT_FDCWD};
	return request;
}

/** Give a request a path of so many bytes. */
static void set_path(struct ioq_request *request, const char *path, size_t length) {
	CHECK(length <= INPUT_LENGTH - q.input_used);
	memcpy(q.input + q.input_used, path, length);
	request->path = q.input_used;
	request->path_length = (uint32_t)length;
	q.input_used += (uint32_t)length;
}

/** Add a request that has a path. */
static struct ioq_request *add_path(uint32_t slot, uint16_t op, const char *path) {
	struct ioq_request *request = add(slot, op);
	set_path(request, path, strlen(path));
	return request;
}

/** Add a request that has a descriptor. */
static struct ioq_request *add_fd(uint32_t slot, uint16_t op, int fd) {
	struct ioq_request *request = add(slot, op);
	request->fd = fd;
	return request;
}

/** Add a read. */
static struct ioq_request *add_read(uint32_t slot, int fd, uint32_t length) {
	struct ioq_request *request = add_fd(slot, IOQ_OP_READ, fd);
	request->length = length;
	return request;
}

/** One turn. Returns how many completions it handed out. */
static uint32_t turn(uint32_t flags) {
	q.turn.flags = flags;
	q.turn.input_length = q.input_used;
	q.turn.output_length = q.output_length;
	CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, q.output), 0);
	q.input_used = 0;

	uint32_t count = q.turn.completion_count;
	CHECK(count <= IOQ_TURN_COMPLETIONS);
	uint32_t used = 0;
	for (uint32_t i = 0; i < count; ++i) {
		const struct ioq_completion *completion = &q.turn.completions[i];
		CHECK(completion->slot < DEPTH_MAX);
		// Exactly one for each request
		CHECK(q.pending[completion->slot]);
		q.pending[completion->slot] = false;
		--q.pending_count;
		q.results[completion->slot] = *completion;
		CHECK(completion->lane < IOQ_LANE_COUNT);
		if (completion->result < 0) {
			CHECK_EQ(completion->payload_length, 0);
		}
		if (completion->payload_length > 0 && !(completion->flags & IOQ_COMPLETION_HELD)) {
			// Payloads are aligned and do not overlap
			CHECK_EQ(completion->payload % 8, 0);
			CHECK(completion->payload >= used);
			CHECK(completion->payload_length <= q.output_length - completion->payload);
			used = completion->payload + completion->payload_length;
			if (completion->payload_length == sizeof(q.numbers[0])) {
				memcpy(&q.numbers[completion->slot], q.output + completion->payload, sizeof(q.numbers[0]));
			}
		}
	}
	CHECK_EQ(q.turn.in_flight, q.pending_count);
	CHECK(!q.turn.armed || (count == 0 && (flags & IOQ_TURN_ARM)));
	return count;
}

/** One turn and, if nothing came, a wait for the next. */
static void turn_wait(void) {
	if (turn(IOQ_TURN_ARM) > 0) {
		return;
	}
	if (q.turn.armed) {
		CHECK_EQ(ioq_park(q.ioq), 0);
	} else {
		sched_yield();
	}
}

/** Wait for one request. */
static const struct ioq_completion *wait_slot(uint32_t slot) {
	while (q.pending[slot]) {
		turn_wait();
	}
	return &q.results[slot];
}

/** Wait for one request, and return its result. */
static int32_t result_of(uint32_t slot) {
	return wait_slot(slot)->result;
}

/** Wait for all requests. */
static void wait_all(void) {
	while (q.pending_count > 0) {
		turn_wait();
	}
}

/** Open a file by the queue. */
static int open_by_queue(uint32_t slot, const char *path, int flags) {
	struct ioq_request *request = add_path(slot, IOQ_OP_OPEN, path);
	request->flags = (uint32_t)flags;
	request->mode = 0600;
	return result_of(slot);
}

/** Close a descriptor by the queue. */
static void close_by_queue(uint32_t slot, int fd) {
	add_fd(slot, IOQ_OP_CLOSE, fd);
	CHECK_EQ(result_of(slot), 0);
}

/** Check where an operation ran that rings can do. */
static void check_lane(uint32_t slot) {
	uint32_t lane = q.results[slot].lane;
	if (q.config->lane == IOQ_LANE_WORKER_RING && lane == IOQ_LANE_WORKER) {
		// A spare lane stepped in
		return;
	}
	CHECK_EQ(lane, q.config->lane);
}

/** Operations that run nowhere in particular. */
static void test_nop(const void *config) {
	open_queue(config, 4, 2);
	CHECK_EQ(ioq_abi_version(), IOQ_ABI_VERSION);
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(q.turn.armed, 0);
	for (int i = 0; i < 100; ++i) {
		add(0, IOQ_OP_NOP);
		CHECK_EQ(turn(0), 1);
		CHECK_EQ(q.results[0].result, 0);
		CHECK_EQ(q.results[0].lane, IOQ_LANE_CORE);
		for (uint32_t slot = 0; slot < 4; ++slot) {
			add(slot, slot == 2 ? IOQ_OP_NOP : IOQ_OP_KERNEL_NOP);
		}
		wait_all();
		for (uint32_t slot = 0; slot < 4; ++slot) {
			CHECK_EQ(q.results[slot].result, 0);
		}
		check_lane(3);
	}
	close_queue();
}

/** The seconds of a time stamp. */
static int64_t seconds(uint32_t low, int32_t high) {
	return (int64_t)((uint64_t)(uint32_t)high << 32 | low);
}

/** Compare the payload of a STAT with what the system says. */
static void check_stat(const struct ioq_completion *completion, const char *path) {
	CHECK_EQ(completion->result, 0);
	CHECK_EQ(completion->payload_length, sizeof(struct ioq_stat));
	CHECK_EQ(completion->flags, 0);
	struct ioq_stat got;
	memcpy(&got, q.output + completion->payload, sizeof(got));
	struct stat is;
	CHECK_EQ(lstat(path, &is), 0);
	CHECK_EQ(got.mode, is.st_mode);
	CHECK_EQ(got.nlink, is.st_nlink);
	CHECK_EQ(got.uid, is.st_uid);
	CHECK_EQ(got.gid, is.st_gid);
	CHECK_EQ(seconds(got.size_low, (int32_t)got.size_high), is.st_size);
	CHECK_EQ(seconds(got.blocks_low, (int32_t)got.blocks_high), is.st_blocks);
	CHECK_EQ(seconds(got.ino_low, (int32_t)got.ino_high), (int64_t)is.st_ino);
	CHECK_EQ(seconds(got.dev_low, (int32_t)got.dev_high), (int64_t)is.st_dev);
	CHECK_EQ(seconds(got.rdev_low, (int32_t)got.rdev_high), (int64_t)is.st_rdev);
	CHECK_EQ(seconds(got.mtime_low, got.mtime_high), is.st_mtim.tv_sec);
	CHECK_EQ(got.mtime_nsec, is.st_mtim.tv_nsec);
	CHECK_EQ(seconds(got.ctime_low, got.ctime_high), is.st_ctim.tv_sec);
}

/** A file from its creation to its end. */
static void test_file(const void *config) {
	open_queue(config, 8, 2);
	int fd = open_by_queue(0, "file", O_RDWR | O_CREAT | O_TRUNC);
	CHECK(fd >= 0);
	check_lane(0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	struct stat sb;
	CHECK_EQ(fstat(fd, &sb), 0);
	CHECK_EQ(sb.st_mode & 0777, 0600);

	// Two writes at the file's position; what was staged is copied
	uint8_t bytes[] = "hello, world";
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes, 7), 0);
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes, 7), -EINVAL);
	memset(bytes, 'x', 7);
	add_fd(1, IOQ_OP_WRITE, fd);
	CHECK_EQ(result_of(1), 7);
	check_lane(1);
	CHECK_EQ(q.results[1].flags, 0);
	CHECK_EQ(q.results[1].payload_length, 0);
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes + 7, 5), 0);
	// The length is that of the staged bytes, whatever this says
	add_fd(1, IOQ_OP_WRITE, fd)->length = 1000;
	CHECK_EQ(result_of(1), 5);
	// Nothing staged: nothing written
	add_fd(1, IOQ_OP_WRITE, fd);
	CHECK_EQ(result_of(1), 0);

	// Reads: from an offset, more than there is, at the end
	add_read(2, fd, 5)->hints = IOQ_HINT_OFFSET;
	q.turn.requests[0].offset_low = 7;
	CHECK_EQ(result_of(2), 5);
	check_lane(2);
	CHECK_EQ(q.results[2].flags, IOQ_COMPLETION_HELD);
	CHECK_EQ(q.results[2].payload_length, 5);
	uint8_t got[64] = {0};
	CHECK_EQ(ioq_take(q.ioq, 2, got, sizeof(got)), 5);
	CHECK(memcmp(got, "world", 6) == 0);
	CHECK_EQ(ioq_take(q.ioq, 2, got, sizeof(got)), -EINVAL);
	CHECK_EQ(ioq_release(q.ioq, 2), -EINVAL);

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	add_read(2, fd, 1000);
	CHECK_EQ(result_of(2), 12);
	// Taken in part, the rest is gone
	CHECK_EQ(ioq_take(q.ioq, 2, got, 4), 4);
	CHECK_EQ(ioq_take(q.ioq, 2, got, 4), -EINVAL);
	add_read(2, fd, 1000);
	CHECK_EQ(result_of(2), 0);
	CHECK_EQ(q.results[2].flags, 0);
	add_read(2, fd, 0);
	CHECK_EQ(result_of(2), 0);
	CHECK_EQ(ioq_release(q.ioq, 2), -EINVAL);

	// A held payload keeps its slot, and is released once
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	add_read(2, fd, 1000);
	CHECK_EQ(result_of(2), 12);
	add(2, IOQ_OP_KERNEL_NOP);
	CHECK_EQ(turn(0), 1);
	CHECK_EQ(q.results[2].result, -EINVAL);
	CHECK_EQ(ioq_stage(q.ioq, 2, bytes, 1), -EINVAL);
	CHECK_EQ(ioq_release(q.ioq, 2), 0);
	CHECK_EQ(ioq_release(q.ioq, 2), -EINVAL);
	CHECK_EQ(ioq_take(q.ioq, 2, got, 4), -EINVAL);

	// Beyond 4 GiB, where it takes both words
	CHECK_EQ(ioq_stage(q.ioq, 3, (const uint8_t *)"end", 3), 0);
	struct ioq_request *request = add_fd(3, IOQ_OP_WRITE, fd);
	request->hints = IOQ_HINT_OFFSET;
	request->offset_low = 5;
	request->offset_high = 2;
	CHECK_EQ(result_of(3), 3);
	CHECK_EQ(fstat(fd, &sb), 0);
	CHECK_EQ(sb.st_size, ((int64_t)2 << 32) + 8);
	request = add_read(3, fd, 10);
	request->hints = IOQ_HINT_OFFSET;
	request->offset_low = 6;
	request->offset_high = 2;
	CHECK_EQ(result_of(3), 2);
	CHECK_EQ(ioq_take(q.ioq, 3, got, 10), 2);
	CHECK(memcmp(got, "nd", 2) == 0);

	// Older than 1970
	struct timespec times[] = {{.tv_sec = -1000, .tv_nsec = 5}, {.tv_sec = -2000, .tv_nsec = 7}};
	CHECK_EQ(futimens(fd, times), 0);
	add_path(4, IOQ_OP_STAT, "file")->flags = AT_SYMLINK_NOFOLLOW;
	check_stat(wait_slot(4), "file");
	check_lane(4);
	add_path(4, IOQ_OP_STAT, "/dev/null");
	check_stat(wait_slot(4), "/dev/null");
	request = add_fd(4, IOQ_OP_STAT, fd);
	request->flags = AT_EMPTY_PATH;
	check_stat(wait_slot(4), "file");

	close_by_queue(0, fd);
	check_lane(0);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	CHECK_EQ(unlink("file"), 0);

	// Closing releases what was staged or is held
	CHECK_EQ(ioq_stage(q.ioq, 5, bytes, 5), 0);
	CHECK_EQ(ioq_stage(q.ioq, 6, bytes, 0), 0);
	CHECK_EQ(ioq_release(q.ioq, 6), 0);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	add_read(6, fd, 100000);
	// Short if the kernel has news for the ring meanwhile
	CHECK(result_of(6) > 0);
	close(fd);
	close_queue();
}

/** A directory's entry. */
struct name {
	uint8_t type;
	char name[256];
};

/** The entries of a directory. */
struct names {
	size_t count;
	struct name *list;
};

/** Compare two entries. */
static int compare_names(const void *a, const void *b) {
	return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

/** Append an entry. */
static void append_name(struct names *names, uint8_t type, const char *name) {
	if ((names->count & (names->count - 1)) == 0) {
		names->list = realloc(names->list, (names->count ? 2 * names->count : 1) * sizeof(struct name));
		CHECK(names->list);
	}
	struct name *to = &names->list[names->count++];
	to->type = type;
	CHECK(strlen(name) < sizeof(to->name));
	strcpy(to->name, name);
}

/** What readdir(3) says. */
static struct names system_names(const char *path) {
	struct names names = {0};
	DIR *dir = opendir(path);
	CHECK(dir);
	const struct dirent *de;
	while ((de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
			append_name(&names, de->d_type, de->d_name);
		}
	}
	closedir(dir);
	return names;
}

/** Append what a payload says. Returns its flags. */
static uint32_t append_payload(struct names *names, const uint8_t *payload, size_t length) {
	struct ioq_directory head;
	CHECK(length >= sizeof(head));
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(length, sizeof(head) + head.names_length + head.count);
	CHECK_EQ(head.reserved, 0);
	const char *name = (const char *)payload + sizeof(head);
	const char *end = name + head.names_length;
	const uint8_t *types = (const uint8_t *)end;
	for (uint32_t i = 0; i < head.count; ++i) {
		CHECK(name <= end);
		char copy[256] = {0};
		size_t left = (size_t)(end - name);
		const char *nul = memchr(name, 0, left);
		// The last one has none
		CHECK((nul == NULL) == (i == head.count - 1));
		size_t name_length = nul ? (size_t)(nul - name) : left;
		CHECK(name_length > 0 && name_length < sizeof(copy));
		memcpy(copy, name, name_length);
		append_name(names, types[i], copy);
		name += name_length + 1;
	}
	return head.flags;
}

/** Compare and release two lists. */
static void compare_and_release(struct names *got, struct names *is) {
	CHECK_EQ(got->count, is->count);
	if (is->count > 0) {
		qsort(got->list, got->count, sizeof(struct name), compare_names);
		qsort(is->list, is->count, sizeof(struct name), compare_names);
	}
	for (size_t i = 0; i < is->count; ++i) {
		CHECK(strcmp(got->list[i].name, is->list[i].name) == 0);
		CHECK_EQ(got->list[i].type, is->list[i].type);
	}
	free(got->list);
	free(is->list);
}

/** Copy the payload of a completion. */
static uint8_t *take_payload(const struct ioq_completion *completion) {
	uint8_t *payload = malloc(completion->payload_length + 1);
	CHECK(payload);
	if (completion->flags & IOQ_COMPLETION_HELD) {
		CHECK_EQ(ioq_take(q.ioq, completion->slot, payload, completion->payload_length),
			completion->payload_length);
	} else {
		memcpy(payload, q.output + completion->payload, completion->payload_length);
	}
	return payload;
}

/** Read a directory in one request, and compare. Returns the payload's flags. */
static uint32_t check_read_dir(const char *path, bool held) {
	add_path(0, IOQ_OP_READ_DIR, path);
	const struct ioq_completion *completion = wait_slot(0);
	struct names got = {0}, is = system_names(path);
	CHECK_EQ(completion->result, is.count);
	CHECK_EQ(completion->flags, held ? IOQ_COMPLETION_HELD : 0);
	CHECK_EQ(completion->lane, q.config->flags & IOQ_OPEN_SYNC ? IOQ_LANE_CORE : IOQ_LANE_WORKER);
	uint8_t *payload = take_payload(completion);
	uint32_t flags = append_payload(&got, payload, completion->payload_length);
	CHECK(flags & IOQ_DIRECTORY_END);
	free(payload);
	compare_and_release(&got, &is);
	return flags;
}

/** Read a directory block by block, and compare. */
static void check_blocks(const char *path) {
	add_path(0, IOQ_OP_OPEN_DIR, path);
	int fd = result_of(0);
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	struct names got = {0}, is = system_names(path);
	uint32_t flags = 0;
	while (!(flags & IOQ_DIRECTORY_END)) {
		size_t before = got.count;
		add_fd(1, IOQ_OP_READ_DIR_BLOCK, fd);
		const struct ioq_completion *completion = wait_slot(1);
		CHECK(completion->result >= 0);
		uint8_t *payload = take_payload(completion);
		flags = append_payload(&got, payload, completion->payload_length);
		free(payload);
		CHECK_EQ(got.count - before, completion->result);
		CHECK(completion->result > 0 || (flags & IOQ_DIRECTORY_END));
	}
	add_fd(0, IOQ_OP_CLOSE_DIR, fd);
	CHECK_EQ(result_of(0), 0);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	compare_and_release(&got, &is);
}

/** Directories of all kinds. */
static void test_directory(const void *config) {
	open_queue(config, 4, 3);
	CHECK_EQ(check_read_dir("empty", false) & IOQ_DIRECTORY_RAW, 0);
	CHECK_EQ(check_read_dir("odd", false) & IOQ_DIRECTORY_RAW, 0);
	CHECK_EQ(check_read_dir("raw", false) & IOQ_DIRECTORY_RAW, IOQ_DIRECTORY_RAW);
	check_read_dir("large", true);
	check_read_dir("empty", false);
	check_read_dir("/dev", false);
	check_read_dir("/proc/sys", false);
	check_blocks("empty");
	check_blocks("raw");
	check_blocks("large");

	// A held one may be dropped as well
	add_path(0, IOQ_OP_READ_DIR, "large");
	CHECK_EQ(result_of(0), LARGE_COUNT);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);

	// Relative to a directory
	int dfd = open("odd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	add_path(0, IOQ_OP_READ_DIR, ".")->fd = dfd;
	CHECK(result_of(0) > 0);
	close(dfd);
	close_queue();
}

/** Make a request for trees; the paths are apart by NULs, of which `length` counts all but the last. */
static const struct ioq_completion *read_trees(const char *paths, size_t length, uint32_t mode, uint32_t levels, uint32_t budget_us) {
	struct ioq_request *request = add(0, IOQ_OP_READ_DIR);
	set_path(request, paths, length);
	request->mode = IOQ_TREE | mode;
	request->flags = O_NOFOLLOW;
	request->args[0] = levels;
	request->args[1] = budget_us;
	return wait_slot(0);
}

/** Trees: what is below, what is left when the budget is used up, what fails. */
static void test_tree(const void *config) {
	open_queue(config, 4, 3);
	if (mkdir("tree", 0700) == 0) {
		// The first of the configurations makes it
		CHECK_EQ(mkdir("tree/a", 0700), 0);
		CHECK_EQ(mkdir("tree/a/b", 0700), 0);
		CHECK_EQ(symlink("a", "tree/link"), 0);
	}
	struct stat sb;
	CHECK_EQ(stat("tree/a/b", &sb), 0);

	// All of it, with what there is to tell
	const struct ioq_completion *completion = read_trees("tree\0tree/link\0tree/none", 24,
		IOQ_TREE_IDENTIFY | IOQ_TREE_STAT, 8, 1000000);
	CHECK_EQ(completion->result, 3);
	uint8_t *payload = take_payload(completion);
	struct ioq_tree head;
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.directory_count, 5);
	CHECK_EQ(head.entry_count, 3);
	CHECK_EQ(completion->payload_length, sizeof(head) + 5 * sizeof(struct ioq_tree_directory)
		+ 3 * sizeof(struct ioq_stat) + 3 + head.names_length);
	struct ioq_tree_directory records[5];
	memcpy(records, payload + sizeof(head), sizeof(records));
	CHECK_EQ(records[0].parent, -1);
	CHECK_EQ(records[0].count, 2);
	CHECK(records[1].parent == 0 || records[1].parent == 1);
	CHECK_EQ(records[1].count, 1);
	CHECK_EQ(records[2].parent, 2);
	CHECK_EQ(records[2].count, 0);
	CHECK_EQ(records[2].ino_low, (uint32_t)sb.st_ino);
	// A link is not followed, and what is not there ends nothing
	CHECK_EQ(records[3].parent, -2);
	CHECK(records[3].error == ENOTDIR || records[3].error == ELOOP);
	CHECK_EQ(records[4].parent, -3);
	CHECK_EQ(records[4].error, ENOENT);
	struct ioq_stat stats[3];
	memcpy(stats, payload + sizeof(head) + sizeof(records), sizeof(stats));
	CHECK_EQ(stats[2].error, 0);
	CHECK(S_ISDIR(stats[2].mode));
	CHECK_EQ(stats[2].ino_low, (uint32_t)sb.st_ino);
	free(payload);

	// Without a budget the first one is read all the same, and no other
	completion = read_trees("tree/a\0tree", 11, 0, 8, 0);
	CHECK_EQ(completion->result, 1);
	payload = take_payload(completion);
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.directory_count, 1);
	free(payload);

	// On another device than that of number 0
	completion = read_trees("tree", 4, IOQ_TREE_ONE_DEVICE, 8, 1000000);
	CHECK_EQ(completion->result, 0);
	payload = take_payload(completion);
	memcpy(records, payload + sizeof(head), sizeof(records[0]));
	CHECK_EQ(records[0].flags, IOQ_TREE_FOREIGN);
	free(payload);

	completion = read_trees("", 0, 0, 8, 1000000);
	CHECK_EQ(completion->result, 0);
	payload = take_payload(completion);
	memcpy(records, payload + sizeof(head), sizeof(records[0]));
	CHECK_EQ(records[0].error, ENOENT);
	free(payload);
	close_queue();
}

/** Which names are UTF-8: the bounds of RFC 3629. */
static void test_utf8(void) {
	static const struct {
		const char *name;
		bool raw;
	} cases[] = {
		{"ascii-only-and-longer-than-eight", false}, {"\xC2\x80", false}, {"\xDF\xBF", false},
		{"\xE0\xA0\x80", false}, {"\xED\x9F\xBF", false}, {"\xEE\x80\x80", false}, {"\xEF\xBF\xBF", false},
		{"\xF0\x90\x80\x80", false}, {"\xF4\x8F\xBF\xBF", false}, {"longer name \xE2\x82\xAC and on", false},
		{"\x80", true}, {"\xBF", true}, {"\xC0\x80", true}, {"\xC1\xBF", true}, {"\xC2", true},
		{"\xC2\x41", true}, {"\xE0\x9F\xBF", true}, {"\xE2\x82", true}, {"\xED\xA0\x80", true},
		{"\xED\xBF\xBF", true}, {"\xF0\x8F\xBF\xBF", true}, {"\xF4\x90\x80\x80", true},
		{"\xF5\x80\x80\x80", true}, {"\xFF", true}, {"seven..\xE2", true}, {"12345678\xF0\x90\x80", true},
	};
	open_queue(&lanes_config, 1, 1);
	CHECK_EQ(mkdir("utf8", 0700), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		char path[64];
		snprintf(path, sizeof(path), "utf8/%s", cases[i].name);
		CHECK_EQ(mkdir(path, 0700), 0);
		bool raw = check_read_dir("utf8", false) & IOQ_DIRECTORY_RAW;
		if (raw != cases[i].raw) {
			test_fail(__FILE__, __LINE__, "case %zu is %sUTF-8", i, raw ? "not " : "");
		}
		CHECK_EQ(rmdir(path), 0);
	}
	CHECK_EQ(rmdir("utf8"), 0);
	close_queue();
}

/** Check the result of a request that was added. */
static void check_result(uint32_t slot, int32_t result) {
	CHECK_EQ(result_of(slot), result);
}

/** A turn whose block makes no sense accepts nothing. */
static void check_bad_turn(uint32_t request_count, uint32_t output_length, uint8_t *output) {
	q.turn.request_count = request_count;
	q.turn.input_length = q.input_used;
	q.turn.output_length = output_length;
	CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, output), -EINVAL);
	CHECK_EQ(q.turn.completion_count, 0);
	CHECK_EQ(q.turn.in_flight, 0);
	CHECK_EQ(q.turn.armed, 0);
}

/** What goes wrong, and how. */
static void test_errors(const void *config) {
	open_queue(config, 8, 2);
	CHECK_EQ(open_by_queue(0, "missing", O_RDONLY), -ENOENT);
	CHECK_EQ(open_by_queue(0, "", O_RDONLY), -ENOENT);
	add_path(0, IOQ_OP_STAT, "missing/too");
	check_result(0, -ENOENT);
	add_path(0, IOQ_OP_READ_DIR, "missing");
	check_result(0, -ENOENT);
	add_path(0, IOQ_OP_READ_DIR, "plain");
	check_result(0, -ENOTDIR);
	add_path(0, IOQ_OP_OPEN_DIR, "plain");
	check_result(0, -ENOTDIR);
	add_fd(0, IOQ_OP_READ_DIR_BLOCK, -1);
	check_result(0, -EBADF);
	add_fd(0, IOQ_OP_CLOSE, 999999);
	check_result(0, -EBADF);
	add_read(0, -1, 10);
	check_result(0, -EBADF);
	CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"x", 1), 0);
	add_fd(0, IOQ_OP_WRITE, 999999);
	check_result(0, -EBADF);
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	add_fd(0, IOQ_OP_READ_DIR_BLOCK, fd);
	check_result(0, -ENOTDIR);
	CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"x", 1), 0);
	add_fd(0, IOQ_OP_WRITE, fd);
	check_result(0, -EBADF);
	close(fd);
	fd = open("empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	add_read(0, fd, 10);
	check_result(0, -EISDIR);
	close(fd);

	// Paths of every length that matters
	static const size_t lengths[] = {7, 8, 190, 191, 192, 193, 4000, 4094, 4095};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); ++i) {
		// "./././plain" or "././/plain"
		char path[IOQ_PATH_MAX + 1];
		size_t dots = lengths[i] - strlen("plain");
		for (size_t j = 0; j < dots; ++j) {
			path[j] = j & 1 || j == dots - 1 ? '/' : '.';
		}
		strcpy(path + dots, "plain");
		set_path(add(0, IOQ_OP_STAT), path, lengths[i]);
		check_result(0, 0);
	}
	add(0, IOQ_OP_STAT)->path_length = 4096;
	check_result(0, -ENAMETOOLONG);
	add(0, IOQ_OP_STAT)->path_length = 0xffffffff;
	check_result(0, -ENAMETOOLONG);

	// Paths that lie outside of the input
	struct ioq_request *request = add(0, IOQ_OP_STAT);
	request->path = 1;
	check_result(0, -EINVAL);
	request = add(0, IOQ_OP_STAT);
	request->path_length = 1;
	check_result(0, -EINVAL);
	request = add_path(0, IOQ_OP_STAT, "plain");
	request->path = 0xffffffff;
	check_result(0, -EINVAL);
	request = add_path(0, IOQ_OP_STAT, "plain");
	++request->path_length;
	check_result(0, -EINVAL);

	// Operations that there are not
	add(0, IOQ_OP_COUNT);
	check_result(0, -EINVAL);
	add(0, 0xffff);
	check_result(0, -EINVAL);
	// 256 + OPEN, lest the high byte is lost
	add_path(0, 256 + IOQ_OP_OPEN, "plain");
	check_result(0, -EINVAL);

	// Slots that there are not
	static const uint32_t slots[] = {8, 9, 65536, 0xffffffff};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); ++i) {
		q.turn.requests[0] = (struct ioq_request) {.slot = slots[i], .op = IOQ_OP_KERNEL_NOP};
		q.turn.request_count = 1;
		q.turn.output_length = OUTPUT_LENGTH;
		CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, q.output), 0);
		CHECK_EQ(q.turn.completion_count, 1);
		CHECK_EQ(q.turn.completions[0].slot, slots[i]);
		CHECK_EQ(q.turn.completions[0].result, -EINVAL);
		CHECK_EQ(q.turn.in_flight, 0);
		CHECK_EQ(ioq_stage(q.ioq, slots[i], NULL, 0), -EINVAL);
		CHECK_EQ(ioq_take(q.ioq, slots[i], NULL, 0), -EINVAL);
		CHECK_EQ(ioq_release(q.ioq, slots[i]), -EINVAL);
		CHECK_EQ(ioq_cancel(q.ioq, slots[i]), 0);
	}
	CHECK_EQ(ioq_take(q.ioq, 0, NULL, 0), -EINVAL);
	CHECK_EQ(ioq_release(q.ioq, 0), -EINVAL);
	CHECK_EQ(ioq_stage(q.ioq, 0, NULL, (uint32_t)IOQ_TRANSFER_MAX + 1), -EINVAL);
	CHECK_EQ(ioq_cancel(q.ioq, 0), 0);

	// A slot that is in use: the one in flight is not disturbed
	CHECK_EQ(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDWR | O_CLOEXEC);
	add_read(1, fd, 10);
	CHECK_EQ(turn(0), 0);
	for (int i = 0; i < 2; ++i) {
		q.turn.requests[0] = (struct ioq_request) {.slot = 1, .op = i ? IOQ_OP_KERNEL_NOP : IOQ_OP_NOP};
		q.turn.request_count = 1;
		CHECK_EQ(ioq_turn(q.ioq, &q.turn, q.input, q.output), 0);
		CHECK_EQ(q.turn.completion_count, 1);
		CHECK_EQ(q.turn.completions[0].result, -EINVAL);
		CHECK_EQ(q.turn.in_flight, 1);
		CHECK_EQ(ioq_stage(q.ioq, 1, NULL, 0), -EINVAL);
		CHECK_EQ(ioq_take(q.ioq, 1, NULL, 0), -EINVAL);
		CHECK_EQ(ioq_release(q.ioq, 1), -EINVAL);
	}
	CHECK_EQ(ioq_close(q.ioq), -EBUSY);
	CHECK_EQ(write(fd, "abc", 3), 3);
	check_result(1, 3);
	CHECK_EQ(ioq_release(q.ioq, 1), 0);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);

	// A slot that was staged takes a WRITE and nothing else, and keeps its bytes
	CHECK_EQ(ioq_stage(q.ioq, 2, (const uint8_t *)"abc", 3), 0);
	add(2, IOQ_OP_KERNEL_NOP);
	check_result(2, -EINVAL);
	fd = open("written", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	add_fd(2, IOQ_OP_WRITE, fd);
	check_result(2, 3);
	close(fd);
	CHECK_EQ(unlink("written"), 0);

	// Blocks that make no sense
	add_path(3, IOQ_OP_OPEN, "plain");
	check_bad_turn(IOQ_TURN_REQUESTS + 1, OUTPUT_LENGTH, q.output);
	check_bad_turn(1, IOQ_TURN_COMPLETIONS * sizeof(struct ioq_stat) - 1, q.output);
	check_bad_turn(1, OUTPUT_LENGTH - 64, q.output + 4);
	fd = result_of(3);
	CHECK(fd >= 0);
	close(fd);

	// Cancelled before it came, except if it closes
	add_path(4, IOQ_OP_OPEN, "plain")->hints = IOQ_HINT_CANCELLED;
	check_result(4, -EINTR);
	add(4, IOQ_OP_NOP)->hints = IOQ_HINT_CANCELLED;
	check_result(4, -EINTR);
	CHECK_EQ(ioq_stage(q.ioq, 4, (const uint8_t *)"abc", 3), 0);
	add_fd(4, IOQ_OP_WRITE, 999999)->hints = IOQ_HINT_CANCELLED;
	check_result(4, -EINTR);
	CHECK_EQ(ioq_release(q.ioq, 4), -EINVAL);
	add_fd(4, IOQ_OP_CLOSE, dup(0))->hints = IOQ_HINT_CANCELLED;
	check_result(4, 0);
	close_queue();
}

/** A terminal's modes, each from any other, and back to what was at first. */
static void test_terminal(void) {
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(fd >= 0);
	int file = open("/dev/null", O_RDWR);
	CHECK(file >= 0);
	uint8_t state[IOQ_TERMINAL_STATE + 1] = {0};
	// Not aligned, as JavaScript's bytes may be
	uint8_t *kept = state + 1;
	CHECK_EQ(ioq_is_terminal(fd), 1);
	CHECK_EQ(ioq_is_terminal(file), 0);
	CHECK_EQ(ioq_is_terminal(-1), 0);
	CHECK_EQ(ioq_set_raw(file, IOQ_TERMINAL_RAW, kept), -ENOTTY);
	CHECK_EQ(ioq_set_raw(-1, IOQ_TERMINAL_RAW, kept), -EBADF);
	CHECK_EQ(ioq_set_raw(fd, 99, kept), -EINVAL);
	CHECK_EQ(ioq_set_raw(file, IOQ_TERMINAL_RESTORE, kept), 0);

	struct termios before, now;
	CHECK_EQ(tcgetattr(fd, &before), 0);
	CHECK_EQ(before.c_lflag & (ICANON | ISIG | ECHO), ICANON | ISIG | ECHO);
	for (int round = 0; round < 2; ++round) {
		CHECK_EQ(ioq_set_raw(fd, IOQ_TERMINAL_RAW, kept), 0);
		CHECK_EQ(tcgetattr(fd, &now), 0);
		CHECK_EQ(now.c_lflag & (ICANON | ISIG | ECHO | IEXTEN), 0);
		CHECK_EQ(now.c_iflag & (ICRNL | IXON), 0);
		CHECK_EQ(now.c_oflag, before.c_oflag);
		CHECK_EQ(ioq_set_raw(fd, IOQ_TERMINAL_CBREAK, kept), 0);
		CHECK_EQ(tcgetattr(fd, &now), 0);
		CHECK_EQ(now.c_lflag & (ICANON | ISIG | ECHO), ISIG);
		CHECK_EQ(ioq_set_raw(fd, IOQ_TERMINAL_RESTORE, kept), 0);
		CHECK_EQ(tcgetattr(fd, &now), 0);
		CHECK_EQ(now.c_lflag, before.c_lflag);
		CHECK_EQ(now.c_iflag, before.c_iflag);
	}
	close(file);
	close(fd);
}

/** Options that make no sense. */
static void test_options(void) {
	static const struct ioq_options bad[] = {
		{.depth = 0, .lanes = 1}, {.depth = 1, .lanes = 0},
		{.depth = IOQ_DEPTH_MAX + 1, .lanes = 1}, {.depth = 1, .lanes = IOQ_LANES_MAX + 1},
	};
	struct ioq_info info;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		CHECK(!ioq_open(&bad[i], &info));
		CHECK_EQ(info.error, EINVAL);
	}
	// The extremes work
	for (uint32_t flags = 0; flags <= (have_rings ? 1 : 0); ++flags) {
		struct ioq_options most = {.depth = IOQ_DEPTH_MAX, .lanes = IOQ_LANES_MAX, .flags = flags};
		struct ioq *ioq = ioq_open(&most, &info);
		CHECK(ioq);
		CHECK_EQ(ioq_close(ioq), 0);
	}
	open_queue(&lanes_config, 1, 1);
	for (int i = 0; i < 100; ++i) {
		add(0, IOQ_OP_KERNEL_NOP);
		check_result(0, 0);
	}
	close_queue();
}

/** More completions than a turn hands out, and more requests than the ring takes. */
static void test_many(const void *config) {
	open_queue(config, DEPTH_MAX, 2);
	for (int round = 0; round < 4; ++round) {
		for (uint32_t slot = 0; slot < DEPTH_MAX;) {
			for (int i = 0; i < IOQ_TURN_REQUESTS; ++i, ++slot) {
				add_path(slot, IOQ_OP_STAT, slot % 3 ? "plain" : "missing");
			}
			if (round & 1) {
				// Without looking at what completes until all are in
				turn(0);
			} else {
				turn(IOQ_TURN_ARM);
			}
		}
		test_sleep(round & 2 ? 20 : 0);
		wait_all();
		for (uint32_t slot = 0; slot < DEPTH_MAX; ++slot) {
			CHECK_EQ(q.results[slot].result, slot % 3 ? 0 : -ENOENT);
		}
	}
	close_queue();
}

/** Payloads of all kinds in an output that they just fit into. */
static void test_output(const void *config) {
	open_queue(config, IOQ_TURN_COMPLETIONS, 2);
	for (uint32_t round = 0; round < 12; ++round) {
		q.output_length = IOQ_TURN_COMPLETIONS * (uint32_t)sizeof(struct ioq_stat) + round * 101;
		memset(q.output + q.output_length, 0xA5, OUTPUT_LENGTH - q.output_length);
		// Where the directories come among the stats is different each time
		for (uint32_t slot = 0; slot < IOQ_TURN_COMPLETIONS; ++slot) {
			if ((slot + round) % 12 == 0) {
				add_path(slot, IOQ_OP_READ_DIR, slot % 8 == 0 ? "empty" : slot % 8 == 4 ? "odd" : "raw");
			} else {
				add_path(slot, IOQ_OP_STAT, "plain");
			}
		}
		turn(0);
		// Have the rest come in one turn, as nearly as can be
		test_sleep(5);
		wait_all();
		uint32_t held = 0;
		for (uint32_t slot = 0; slot < IOQ_TURN_COMPLETIONS; ++slot) {
			CHECK(q.results[slot].result >= 0);
			if (q.results[slot].flags & IOQ_COMPLETION_HELD) {
				CHECK_EQ(ioq_release(q.ioq, slot), 0);
				++held;
			}
		}
		CHECK(held <= IOQ_TURN_COMPLETIONS / 12 + 1);
		for (uint32_t i = q.output_length; i < OUTPUT_LENGTH; ++i) {
			CHECK_EQ(q.output[i], 0xA5);
		}
	}
	close_queue();
}

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
static void test_load(const void *config) {
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

/** Opens that are cancelled in every possible moment leak nothing. */
static void test_cancel_open(const void *config) {
	open_queue(config, 64, 4);
	unsigned int opened = 0;
	for (int round = 0; round < TEST_SCALE(400); ++round) {
		for (uint32_t slot = 0; slot < 32; ++slot) {
			add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_OPEN_DIR, slot & 1 ? "plain" : "empty");
		}
		turn(0);
		for (int i = 0; i < round % 7 * 20; ++i) {
			sched_yield();
		}
		for (uint32_t slot = 0; slot < 32; ++slot) {
			bool was_pending = q.pending[slot];
			CHECK_EQ(ioq_cancel(q.ioq, slot), was_pending);
			CHECK_EQ(ioq_cancel(q.ioq, slot), 0);
		}
		bool done[32];
		for (uint32_t slot = 0; slot < 32; ++slot) {
			done[slot] = !q.pending[slot];
		}
		wait_all();
		for (uint32_t slot = 0; slot < 32; ++slot) {
			int32_t result = q.results[slot].result;
			if (done[slot]) {
				CHECK(result >= 0);
				close(result);
				++opened;
			} else {
				// Nobody could have seen the descriptor before it was cancelled
				CHECK_EQ(result, -EINTR);
			}
		}
	}
	(void)opened;
	close_queue();
}

/** Add a TIMEOUT of so many milliseconds. */
static struct ioq_request *add_timeout(uint32_t slot, uint32_t clock, uint32_t ms) {
	struct ioq_request *request = add(slot, IOQ_OP_TIMEOUT);
	request->flags = clock;
	request->offset_low = ms / 1000;
	request->args[0] = ms % 1000 * 1000000;
	return request;
}

/** What waits for a time does so in its order, whatever the clock, and can be cancelled. */
static void test_timeouts(const void *config) {
	open_queue(config, 256, 1);
	for (uint32_t clock = 0; clock < IOQ_CLOCK_COUNT; ++clock) {
		uint64_t state = 7 + clock;
		uint32_t ms[200];
		for (uint32_t slot = 0; slot < 200; ++slot) {
			ms[slot] = test_random(&state) % 40;
			add_timeout(slot, clock, slot % 5 ? ms[slot] : 1000000);
		}
		struct timespec start;
		clock_gettime(CLOCK_MONOTONIC, &start);
		turn(0);
		// From anywhere in the heap
		for (uint32_t slot = 0; slot < 200; slot += 5) {
			CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
			CHECK_EQ(ioq_cancel(q.ioq, slot), 0);
		}
		while (q.pending_count > 0) {
			turn_wait();
			for (uint32_t i = 0; i < q.turn.completion_count; ++i) {
				const struct ioq_completion *completion = &q.turn.completions[i];
				CHECK_EQ(completion->result, completion->slot % 5 ? 0 : -EINTR);
				// Never early; how late, and so in which order, is up to the machine
				if (completion->slot % 5) {
					CHECK(test_since(&start) * 1000 + 1 >= ms[completion->slot]);
				}
			}
		}
		// A point in time that has passed
		add_timeout(0, clock | IOQ_TIMEOUT_ABSOLUTE, 1);
		CHECK_EQ(result_of(0), 0);
		CHECK_EQ(q.results[0].lane, q.config->lane == IOQ_LANE_RING ? IOQ_LANE_RING : IOQ_LANE_CORE);
		// One that is too far away for anybody's arithmetic
		add_timeout(0, clock | IOQ_TIMEOUT_ABSOLUTE, 1)->offset_high = 0x1fffff;
		add_timeout(1, clock, 1)->offset_high = UINT32_MAX;
		turn(0);
		CHECK_EQ(q.pending_count, 2);
		ioq_cancel_all(q.ioq);
		wait_all();
		CHECK_EQ(q.results[0].result, -EINTR);
		CHECK_EQ(q.results[1].result, -EINTR);
		close_queue();
		open_queue(config, 256, 1);
	}
	uint32_t words[3] = {0};
	ioq_now(IOQ_CLOCK_REALTIME, words);
	CHECK(llabs((long long)((uint64_t)words[1] << 32 | words[0]) - (long long)time(NULL)) < 10);
	close_queue();
}

/** Polls, several of one descriptor. */
static void test_polls(const void *config) {
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	open_queue(config, 16, 1);
	for (uint32_t slot = 0; slot < 4; ++slot) {
		add_fd(slot, IOQ_OP_POLL, ends[0])->flags = POLLIN;
	}
	add_fd(4, IOQ_OP_POLL, ends[1])->flags = POLLOUT;
	CHECK_EQ(result_of(4), POLLOUT);
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
	CHECK_EQ(result_of(0), -EINTR);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	wait_all();
	for (uint32_t slot = 1; slot < 4; ++slot) {
		CHECK_EQ(q.results[slot].result, POLLIN);
	}
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	add_fd(0, IOQ_OP_POLL, fd)->flags = POLLIN;
	CHECK_EQ(result_of(0), POLLIN);
	close(fd);
	add_fd(0, IOQ_OP_POLL, fd)->flags = POLLIN;
	CHECK_EQ(result_of(0), -EBADF);
	// Closing drops those that nobody waits for any more
	CHECK_EQ(read(ends[0], &(char) {0}, 1), 1);
	add_fd(0, IOQ_OP_POLL, ends[0])->flags = POLLIN;
	CHECK_EQ(turn(0), 0);
	ioq_cancel_all(q.ioq);
	wait_all();
	CHECK_EQ(q.results[0].result, -EINTR);
	close_queue();
	close(ends[0]);
	close(ends[1]);
}

/** Add a POST. */
static void add_post(uint32_t slot, uint32_t target, uint32_t low, uint32_t high) {
	struct ioq_request *request = add(slot, IOQ_OP_POST);
	request->args[0] = target;
	request->offset_low = low;
	request->offset_high = high;
}

/** Wait for a RECEIVE, and return its message. */
static uint64_t message_of(uint32_t slot) {
	CHECK_EQ(result_of(slot), 0);
	CHECK_EQ(q.results[slot].payload_length, 8);
	return q.numbers[slot];
}

/** A queue on another thread, which sends back what it gets. */
static struct {
	const struct config *config;
	_Atomic uint32_t id;
	uint32_t echo_to;
} echo;

/** Its thread. */
static void *echo_main(void *arg) {
	struct ioq_options options = {.depth = 4, .lanes = 1, .flags = echo.config->flags};
	struct ioq_info info;
	struct ioq *ioq = ioq_open(&options, &info);
	static struct ioq_turn block;
	static _Alignas(64) uint8_t output[OUTPUT_LENGTH];
	atomic_store(&echo.id, ioq_id(ioq));
	for (uint64_t message = 0; message != UINT32_MAX;) {
		block.requests[0] = (struct ioq_request) {.slot = 0, .op = IOQ_OP_RECEIVE};
		block.request_count = 1;
		block.output_length = OUTPUT_LENGTH;
		block.flags = IOQ_TURN_ARM;
		ioq_turn(ioq, &block, output, output);
		while (block.completion_count == 0) {
			if (block.armed) {
				ioq_park(ioq);
			}
			ioq_turn(ioq, &block, output, output);
		}
		memcpy(&message, output + block.completions[0].payload, sizeof(message));
		block.requests[0] = (struct ioq_request) {.slot = 1, .op = IOQ_OP_POST, .args = {echo.echo_to}};
		block.requests[0].offset_low = (uint32_t)message;
		block.request_count = 1;
		ioq_turn(ioq, &block, output, output);
		while (block.in_flight > 0) {
			ioq_turn(ioq, &block, output, output);
		}
	}
	ioq_close(ioq);
	return arg;
}

/** Messages from queue to queue. */
static void test_messages(const void *config) {
	open_queue(config, 16, 1);
	uint32_t id = ioq_id(q.ioq);
	CHECK(id != 0);
	CHECK_EQ(ioq_id(q.ioq), id);
	add_post(0, id, 7, 0x1fffff);
	CHECK_EQ(result_of(0), 0);
	add(1, IOQ_OP_RECEIVE);
	CHECK(message_of(1) == ((uint64_t)0x1fffff << 32 | 7));
	add_post(0, id + 100, 0, 0);
	CHECK_EQ(result_of(0), -IOQ_ENOQUEUE);

	// Those that wait are cancelled without the others losing anything
	for (uint32_t slot = 0; slot < 4; ++slot) {
		add(slot, IOQ_OP_RECEIVE);
	}
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(ioq_cancel(q.ioq, 3), 1);
	CHECK_EQ(result_of(3), -EINTR);
	CHECK_EQ(result_of(1), -EINTR);
	for (uint32_t i = 0; i < 2; ++i) {
		add_post(8, id, i, 0);
		CHECK_EQ(result_of(8), 0);
	}
	CHECK(message_of(0) == 0);
	CHECK(message_of(2) == 1);

	// To another thread and back, both parked most of the time
	echo.config = config;
	echo.echo_to = id;
	atomic_store(&echo.id, 0);
	pthread_t thread = test_thread(echo_main, NULL);
	while (atomic_load(&echo.id) == 0) {
		sched_yield();
	}
	for (uint32_t i = 0; i < TEST_SCALE(2000); ++i) {
		add(0, IOQ_OP_RECEIVE);
		add_post(1, atomic_load(&echo.id), i, 0);
		CHECK(message_of(0) == i);
		CHECK_EQ(result_of(1), 0);
		CHECK_EQ(q.results[1].lane, q.config->lane == IOQ_LANE_RING ? IOQ_LANE_RING : IOQ_LANE_CORE);
	}
	add(0, IOQ_OP_RECEIVE);
	add_post(1, atomic_load(&echo.id), UINT32_MAX, 0);
	CHECK(message_of(0) == UINT32_MAX);
	CHECK_EQ(result_of(1), 0);
	pthread_join(thread, NULL);
	add_post(1, atomic_load(&echo.id), 0, 0);
	CHECK_EQ(result_of(1), -IOQ_ENOQUEUE);

	// No more than there is room for; what nobody receives is dropped in the end
	for (uint32_t i = 0; i < IOQ_MESSAGES_MAX; ++i) {
		add_post(0, id, i, 0);
		CHECK_EQ(result_of(0), 0);
	}
	add_post(0, id, 0, 0);
	CHECK_EQ(result_of(0), -EAGAIN);
	close_queue();
}

/** Payloads that come and go in parts. */
static void test_parts(const void *config) {
	open_queue(config, 4, 1);
	int fd = open_by_queue(0, "parts", O_RDWR | O_CREAT | O_TRUNC);
	const uint8_t *bytes = (const uint8_t *)"abcdef";
	CHECK_EQ(ioq_stage_part(q.ioq, 4, 0, 6, bytes, 1), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 1, 6, bytes, 1), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 0, 6, bytes, 7), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 0, 6, bytes, 2), 0);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 3, 6, bytes, 2), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 2, 7, bytes, 2), -EINVAL);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 2, 6, bytes + 2, 4), 0);
	CHECK_EQ(ioq_stage_part(q.ioq, 1, 6, 6, bytes, 1), -EINVAL);
	add_fd(1, IOQ_OP_WRITE, fd);
	CHECK_EQ(result_of(1), 6);
	CHECK_EQ(ioq_stage_part(q.ioq, 2, 0, 6, bytes, 2), 0);
	CHECK_EQ(ioq_release(q.ioq, 2), 0);

	add_read(1, fd, 100)->hints = IOQ_HINT_OFFSET;
	CHECK_EQ(result_of(1), 6);
	uint8_t got[8] = {0};
	CHECK_EQ(ioq_take_part(q.ioq, 0, 0, got, 1), -EINVAL);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 4, got, 8), 2);
	CHECK(memcmp(got, "ef", 3) == 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 0, got, 4), 4);
	CHECK(memcmp(got, "abcd", 5) == 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, 6, got, 4), 0);
	CHECK_EQ(ioq_take_part(q.ioq, 1, UINT32_MAX, got, 4), 0);
	CHECK_EQ(ioq_release(q.ioq, 1), 0);
	close_by_queue(0, fd);
	CHECK_EQ(unlink("parts"), 0);
	close_queue();
}

/** Give a request a second path; it has a first one, or none. */
static void set_path2(struct ioq_request *request, const char *path) {
	if (request->path_length == 0) {
		request->path = q.input_used;
	}
	request->path2_length = (uint32_t)strlen(path);
	memcpy(q.input + q.input_used, path, request->path2_length);
	q.input_used += request->path2_length;
}

/** Extended attributes, of a path and of a descriptor. */
static void test_xattrs(const void *config) {
	if (setxattr("plain", "user.ioq", "", 0, 0) != 0) {
		SKIP("this file system has no extended attributes");
	}
	open_queue(config, 8, 1);
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 4; ++i) {
		CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"value", 5), 0);
		struct ioq_request *request = i & 1 ? add_fd(0, IOQ_OP_SET_XATTR, fd) : add_path(0, IOQ_OP_SET_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		set_path2(request, "user.ioq");
		CHECK_EQ(result_of(0), 0);
		if (i != 2) {
			check_lane(0);
		}
		CHECK_EQ(q.results[0].payload_length, 0);
		request = i & 1 ? add_fd(1, IOQ_OP_GET_XATTR, fd) : add_path(1, IOQ_OP_GET_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		set_path2(request, "user.ioq");
		CHECK_EQ(result_of(1), 5);
		CHECK_EQ(q.results[1].payload_length, 5);
		CHECK(memcmp(q.output + q.results[1].payload, "value", 5) == 0);
		request = i & 1 ? add_fd(2, IOQ_OP_LIST_XATTR, fd) : add_path(2, IOQ_OP_LIST_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		CHECK(result_of(2) >= 9);
		request = i & 1 ? add_fd(3, IOQ_OP_REMOVE_XATTR, fd) : add_path(3, IOQ_OP_REMOVE_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		set_path2(request, "user.ioq");
		CHECK_EQ(result_of(3), 0);
		set_path2(add_fd(1, IOQ_OP_GET_XATTR, fd), "user.ioq");
		CHECK_EQ(result_of(1), -ENODATA);
	}
	close(dir);
	close(fd);
	close_queue();
}

/** Bytes through a pipe, and to the device. */
static void test_splice(const void *config) {
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	open_queue(config, 8, 1);
	int fd = open_by_queue(0, "spliced", O_RDWR | O_CREAT | O_TRUNC);
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	struct ioq_request *request = add_fd(1, IOQ_OP_SPLICE, fd);
	request->fd2 = ends[1];
	request->hints = IOQ_HINT_OFFSET;
	request->offset_low = 6;
	request->length = 100;
	CHECK_EQ(result_of(1), 4);
	check_lane(1);
	request = add_fd(1, IOQ_OP_SPLICE, ends[0]);
	request->fd2 = fd;
	request->args[0] = 1;
	request->args[2] = 1;
	request->length = 100;
	CHECK_EQ(result_of(1), 4);
	char bytes[11] = "";
	CHECK_EQ(pread(fd, bytes, 10, 0), 10);
	CHECK(strcmp(bytes, "0678956789") == 0);
	request = add_fd(1, IOQ_OP_SYNC_RANGE, fd);
	request->flags = SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	CHECK_EQ(result_of(1), 0);
	check_lane(1);
	// A raw SQE is for no queue that was not opened for it
	set_path(add(2, IOQ_OP_RAW_SQE), (const char[64]) {0}, 64);
	CHECK_EQ(result_of(2), -ENOSYS);
	close_by_queue(0, fd);
	CHECK_EQ(unlink("spliced"), 0);
	close_queue();
	close(ends[0]);
	close(ends[1]);
}

/** Raw SQEs, one of which comes back more than once. */
static void test_raw(void) {
	static const struct config config = {"raw", IOQ_OPEN_RING | IOQ_OPEN_RAW_SQE, 0, 0, IOQ_LANE_RING};
	open_queue(&config, 8, 1);
	CHECK_EQ(q.info.restricted, 0);
	struct io_uring_sqe sqe = {.opcode = IORING_OP_NOP, .user_data = 7};
	set_path(add(0, IOQ_OP_RAW_SQE), (const char *)&sqe, sizeof(sqe));
	CHECK_EQ(result_of(0), 0);
	check_lane(0);
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	sqe = (struct io_uring_sqe) {
		.opcode = IORING_OP_POLL_ADD, .fd = ends[0], .poll32_events = POLLIN, .len = IORING_POLL_ADD_MULTI,
	};
	set_path(add(1, IOQ_OP_RAW_SQE), (const char *)&sqe, sizeof(sqe));
	turn(0);
	for (int i = 0; i < 10; ++i) {
		CHECK_EQ(write(ends[1], "x", 1), 1);
		CHECK_EQ(turn(0), 0);
	}
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	// Fewer bytes than an SQE has
	set_path(add(2, IOQ_OP_RAW_SQE), (const char *)&sqe, 63);
	CHECK_EQ(result_of(2), -EINVAL);
	close_queue();
	close(ends[0]);
	close(ends[1]);
}

/** Another depth. */
static void test_resize(const void *config) {
	open_queue(config, 2, 2);
	CHECK_EQ(ioq_resize(q.ioq, 0), -EINVAL);
	CHECK_EQ(ioq_resize(q.ioq, IOQ_DEPTH_MAX + 1), -EINVAL);
	static const uint32_t depths[] = {600, 1, 33};
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); ++i) {
		CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"x", 1), 0);
		CHECK_EQ(ioq_resize(q.ioq, depths[i]), -EBUSY);
		CHECK_EQ(ioq_release(q.ioq, 0), 0);
		CHECK_EQ(ioq_resize(q.ioq, depths[i]), 0);
		for (uint32_t slot = 0; slot < depths[i]; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
			if (q.turn.request_count == IOQ_TURN_REQUESTS) {
				turn(0);
			}
		}
		turn(0);
		if (q.pending_count > 0) {
			CHECK_EQ(ioq_resize(q.ioq, 5), -EBUSY);
		}
		wait_all();
		CHECK_EQ(q.results[depths[i] - 1].result, 0);
		add_path(depths[i], IOQ_OP_STAT, "plain");
		CHECK_EQ(result_of(depths[i]), -EINVAL);
	}
	fault_inject(&fault_thread, FAULT_OWNER, EAGAIN, 0, FAULT_FOREVER);
	CHECK_EQ(ioq_resize(q.ioq, 5), -EAGAIN);
	fault_clear();
	add_path(32, IOQ_OP_STAT, "plain");
	CHECK_EQ(result_of(32), 0);
	close_queue();
}

/** A FIFO, open at both ends. */
static int make_fifo(const char *name) {
	unlink(name);
	CHECK_EQ(mkfifo(name, 0600), 0);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

/** Memory that the caller sees: transfers, while it is given back, and bad requests. */
static void test_regions(const void *config) {
	open_queue(config, 8, 1);
	uint32_t index = 0, other = 0;
	CHECK(!ioq_allocate(q.ioq, 0, &index));
	CHECK_EQ(index, EINVAL);
	CHECK_EQ(ioq_deallocate(q.ioq, 0), -EINVAL);
	char *memory = ioq_allocate(q.ioq, 10000, &index);
	CHECK(memory);
	CHECK_EQ((uintptr_t)memory % 4096, 0);
	char *second = ioq_allocate(q.ioq, 4096, &other);
	CHECK(second && other != index);

	int fd = open_by_queue(0, "region", O_RDWR | O_CREAT | O_TRUNC);
	memcpy(memory + 9990, "0123456789", 10);
	struct ioq_request *request = add_fd(1, IOQ_OP_WRITE, fd);
	request->hints = IOQ_HINT_REGION | IOQ_HINT_OFFSET;
	request->args[0] = index;
	request->args[1] = 9990;
	request->length = 10;
	CHECK_EQ(result_of(1), 10);
	check_lane(1);
	request = add_read(1, fd, 4096);
	request->hints = IOQ_HINT_REGION | IOQ_HINT_OFFSET;
	request->args[0] = other;
	CHECK_EQ(result_of(1), 10);
	CHECK_EQ(q.results[1].flags, 0);
	CHECK_EQ(q.results[1].payload_length, 0);
	CHECK(memcmp(second, "0123456789", 11) == 0);

	// Beyond its end, none of that number, none at all
	static const uint32_t bad[][3] = {{9991, 10, 0}, {0, 10001, 0}, {UINT32_MAX, 1, 0}, {0, 1, 100}, {0, 1, UINT32_MAX}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		request = add_read(1, fd, bad[i][1]);
		request->hints = IOQ_HINT_REGION;
		request->args[0] = bad[i][2] ? bad[i][2] : index;
		request->args[1] = bad[i][0];
		CHECK_EQ(result_of(1), -EINVAL);
	}
	close_by_queue(0, fd);
	CHECK_EQ(unlink("region"), 0);

	// Given back while in use: freed when that is over
	fd = make_fifo("fifo");
	request = add_read(0, fd, 100);
	request->hints = IOQ_HINT_REGION;
	request->args[0] = index;
	turn(0);
	CHECK_EQ(ioq_deallocate(q.ioq, index), 0);
	CHECK_EQ(ioq_deallocate(q.ioq, index), -EINVAL);
	request = add_read(2, fd, 100);
	request->hints = IOQ_HINT_REGION;
	request->args[0] = index;
	CHECK_EQ(result_of(2), -EINVAL);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(result_of(0), 1);
	request = add_read(1, fd, 100);
	request->hints = IOQ_HINT_REGION;
	request->args[0] = other;
	turn(0);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	close_queue();
}

/** What would wait forever on a ring can be cancelled. */
static void test_cancel_fifo(const void *config) {
	int fd = make_fifo("fifo");
	CHECK_EQ(mkfifo("lonely", 0600), 0);
	// No spares: they have no rings
	atomic_store(&fault_cpus, 4);
	open_queue(config, 512, 3);

	// A read, which the kernel polls for, and an open, which sits in a thread of
	// the kernel's: but for O_CREAT a ring would first try it with O_NONBLOCK,
	// which a FIFO takes for not wanting to wait
	for (int i = 0; i < 20; ++i) {
		add_read(0, fd, 10);
		add_path(1, IOQ_OP_OPEN, "lonely")->flags = O_RDONLY | O_CREAT;
		turn(0);
		test_sleep(i & 1 ? 5 : 0);
		CHECK_EQ(turn(0), 0);
		CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
		CHECK_EQ(ioq_cancel(q.ioq, 0), 0);
		while (q.pending[0]) {
			turn(0);
		}
		CHECK_EQ(q.results[0].result, -EINTR);
		check_lane(0);
		CHECK(q.pending[1]);
		CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
		while (q.pending[1]) {
			turn(0);
		}
		CHECK_EQ(q.results[1].result, -EINTR);
	}

	// More of them than a lane's or the caller's ring has entries
	uint32_t count = q.config->lane == IOQ_LANE_RING ? 512 : 50;
	for (uint32_t slot = 0; slot < count; ++slot) {
		add_read(slot, fd, 10);
		if (q.turn.request_count == IOQ_TURN_REQUESTS) {
			turn(0);
		}
	}
	turn(0);
	test_sleep(5);
	CHECK_EQ(turn(0), 0);
	// Others come through all the same
	if (count < 512) {
		add_path(count, IOQ_OP_STAT, "plain");
		while (q.pending[count]) {
			turn(0);
		}
	}
	ioq_cancel_all(q.ioq);
	while (q.pending_count > 0) {
		turn(0);
	}
	for (uint32_t slot = 0; slot < count; ++slot) {
		CHECK_EQ(q.results[slot].result, -EINTR);
	}
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	CHECK_EQ(unlink("lonely"), 0);
	fault_clear();
}

/** What a lane waits for in a system call can be cancelled, at whatever moment. */
static void test_interrupt(const void *config) {
	int fd = make_fifo("fifo");
	CHECK_EQ(mkfifo("lonely", 0600), 0);
	int locked = open("plain", O_RDONLY | O_CLOEXEC), lock = open("plain", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(flock(locked, LOCK_EX), 0);
	open_queue(config, 8, 4);
	for (int i = 0; i < TEST_SCALE(100); ++i) {
		add_read(0, fd, 10);
		add_path(1, IOQ_OP_OPEN, "lonely")->flags = O_RDONLY | O_CREAT;
		add_fd(2, IOQ_OP_LOCK, lock)->flags = LOCK_EX;
		turn(0);
		for (int j = 0; j < i % 10; ++j) {
			sched_yield();
		}
		if (i % 4 == 0) {
			test_sleep(1);
		}
		if (i & 1) {
			for (uint32_t slot = 0; slot < 3; ++slot) {
				CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
			}
		} else {
			ioq_cancel(q.ioq, 2);
			ioq_cancel(q.ioq, 0);
			wait_slot(0);
			CHECK(q.pending[1]);
			ioq_cancel(q.ioq, 1);
		}
		// Parks in between: the interruptions are repeated by themselves
		wait_all();
		for (uint32_t slot = 0; slot < 3; ++slot) {
			CHECK_EQ(q.results[slot].result, -EINTR);
		}
	}
	// Whom nobody cancelled goes on
	add_read(0, fd, 10);
	add_read(1, fd, 10);
	turn(0);
	test_sleep(2);
	CHECK_EQ(ioq_cancel(q.ioq, 1), 1);
	CHECK_EQ(result_of(1), -EINTR);
	CHECK(q.pending[0]);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(result_of(0), 1);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);
	close_queue();
	struct sigaction action;
	for (int signal_number = SIGRTMIN; signal_number <= SIGRTMAX; ++signal_number) {
		// The signal was given back
		CHECK_EQ(sigaction(signal_number, NULL, &action), 0);
		CHECK(action.sa_handler == SIG_DFL);
	}
	close(lock);
	close(locked);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	CHECK_EQ(unlink("lonely"), 0);
}

/** Give a request so many milliseconds. */
static void set_timeout(struct ioq_request *request, uint32_t ms) {
	uint32_t words[2] = {ms * 1000000, 0};
	if (request->path_length == 0) {
		request->path = q.input_used;
	}
	memcpy(q.input + q.input_used, words, sizeof(words));
	q.input_used += sizeof(words);
	request->hints |= IOQ_HINT_TIMEOUT;
}

/** What takes too long the ring gives up by itself. */
static void test_linked_timeout(const void *config) {
	int fd = make_fifo("fifo");
	open_queue(config, 300, 1);
	for (uint32_t slot = 0; slot < 200; ++slot) {
		set_timeout(add_read(slot, fd, 10), slot % 7);
		// With a path as well, and in time
		set_timeout(add_path(200, IOQ_OP_OPEN, "plain"), 1000);
		CHECK_EQ(turn(0) <= slot + 2, 1);
		int32_t opened = result_of(200);
		CHECK(opened >= 0);
		close(opened);
	}
	add_read(201, fd, 10);
	for (uint32_t slot = 0; slot < 200; ++slot) {
		CHECK_EQ(result_of(slot), -ETIMEDOUT);
	}
	CHECK(q.pending[201]);
	// In time, and cancelled before its time
	set_timeout(add_read(0, fd, 10), 100000);
	turn(0);
	CHECK_EQ(ioq_cancel(q.ioq, 0), 1);
	CHECK_EQ(result_of(0), -EINTR);
	CHECK_EQ(ioq_cancel(q.ioq, 201), 1);
	CHECK_EQ(result_of(201), -EINTR);
	CHECK_EQ(write(fd, "x", 1), 1);
	set_timeout(add_read(0, fd, 10), 100000);
	CHECK_EQ(result_of(0), 1);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);
	// Nothing behind the paths
	struct ioq_request *request = add_read(0, fd, 10);
	request->hints = IOQ_HINT_TIMEOUT;
	CHECK_EQ(result_of(0), -EINVAL);
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
}

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

/** Arm and park in another thread. */
static void park(void) {
	atomic_store(&parked.back, false);
	parked.thread = test_thread(park_main, q.ioq);
}

/** Check that the thread is still parked after a while. */
static void check_parked(void) {
	test_sleep(15);
	CHECK(!atomic_load(&parked.back));
}

/** Wait until the thread is back. */
static void unpark(void) {
	pthread_join(parked.thread, NULL);
	CHECK_EQ(parked.result, 0);
}

/** Waiting in another thread, woken by whatever there is. */
static void test_park(const void *config) {
	int fd = make_fifo("fifo");
	open_queue(config, 16, 2);
	for (int round = 0; round < 3; ++round) {
		// By a completion
		add_read(0, fd, 1);
		while (!q.turn.armed) {
			CHECK_EQ(turn(IOQ_TURN_ARM), 0);
		}
		park();
		check_parked();
		CHECK_EQ(write(fd, "x", 1), 1);
		unpark();
		check_result(0, 1);
		check_lane(0);
		CHECK_EQ(ioq_release(q.ioq, 0), 0);

		// By ioq_wake(), before or after
		add_read(0, fd, 1);
		do {
			CHECK_EQ(turn(IOQ_TURN_ARM), 0);
		} while (!q.turn.armed);
		if (round & 1) {
			ioq_wake(q.ioq);
			park();
		} else {
			park();
			check_parked();
			ioq_wake(q.ioq);
		}
		unpark();
		// That is over when the next one is armed
		do {
			CHECK_EQ(turn(IOQ_TURN_ARM), 0);
		} while (!q.turn.armed);
		park();
		check_parked();

		// Turns may go on meanwhile, and what they start wakes it
		add(1, IOQ_OP_NOP);
		CHECK_EQ(turn(0), 1);
		check_parked();
		add_path(1, IOQ_OP_READ_DIR, "odd");
		add_path(2, IOQ_OP_STAT, "plain");
		turn(0);
		while (q.pending_count > 1) {
			// Armed, because the read may hold up the only lane
			sched_yield();
			turn(IOQ_TURN_ARM);
		}
		ioq_wake(q.ioq);
		unpark();
		CHECK_EQ(write(fd, "x", 1), 1);
		check_result(0, 1);
		CHECK_EQ(ioq_release(q.ioq, 0), 0);
	}

	// Nothing in flight: nothing to wait for
	CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	CHECK_EQ(q.turn.armed, 0);
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
}

/** One small operation at a time, each waited for: no wake-up is lost. */
static void test_park_often(const void *config) {
	open_queue(config, 4, 2);
	for (int i = 0; i < TEST_SCALE(8000); ++i) {
		add(0, IOQ_OP_KERNEL_NOP);
		if (i % 3 == 0) {
			add_path(1, IOQ_OP_READ_DIR, "empty");
		}
		wait_all();
	}
	close_queue();
}

/** Bytes that the allocator has given out. */
static size_t allocated(void) {
	return mallinfo2().uordblks;
}

/** Opened and closed many times: nothing is left. */
static void test_cycles(const void *config) {
	size_t before = 0;
	unsigned int fds = test_count_fds();
	for (int i = 0; i < TEST_SCALE(200); ++i) {
		open_queue(config, 64, 1 + (uint32_t)i % 4);
		CHECK(q.info.lane_rings <= q.info.lanes);
		CHECK_EQ(q.info.lane_rings > 0, (q.config->flags & IOQ_OPEN_LANE_RINGS) != 0);
		CHECK_EQ(q.info.sq_entries > 0, (q.config->flags & IOQ_OPEN_RING) != 0);
		if (i % 4 != 0) {
			add_path(0, IOQ_OP_STAT, "plain");
			add_path(1, IOQ_OP_READ_DIR, "odd");
			add(2, IOQ_OP_KERNEL_NOP);
			wait_all();
		}
		close_queue();
		CHECK_EQ(test_count_fds(), fds);
		if (i == 10) {
			before = allocated();
		}
	}
#ifdef TEST_PLAIN
	// Caches may settle a little
	CHECK(allocated() < before + 16384);
#endif
	(void)before;
}

/** Unblock whoever waits for a writer of a FIFO. */
static void release_fifo(const char *name) {
	int fd = open(name, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	close(fd);
}

/** Add an open that waits for a FIFO's writer. */
static void add_blocked(uint32_t slot, const char *name) {
	unlink(name);
	CHECK_EQ(mkfifo(name, 0600), 0);
	add_path(slot, IOQ_OP_OPEN, name);
}

/** Unblock one that add_blocked() added, and close what it got. */
static void finish_blocked(uint32_t slot, const char *name) {
	CHECK(q.pending[slot]);
	while (q.pending[slot]) {
		release_fifo(name);
		turn(0);
	}
	CHECK(q.results[slot].result >= 0);
	close(q.results[slot].result);
	CHECK_EQ(unlink(name), 0);
}

/** Spares step in for lanes that are held up. */
static void test_boost(const void *config) {
	// One primary and three spares
	atomic_store(&fault_cpus, 2);
	open_queue(config, 64, 4);
	add_blocked(0, "fifo0");
	turn(0);
	test_sleep(10);
	for (uint32_t slot = 10; slot < 30; ++slot) {
		add_path(slot, IOQ_OP_STAT, "plain");
	}
	CHECK_EQ(turn(0), 0);
	test_sleep(10);
	// Nobody has called them
	CHECK_EQ(turn(0), 0);
	for (uint32_t slot = 10; slot < 30; ++slot) {
		check_result(slot, 0);
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
static void test_boost_claimed(const void *config) {
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
		CHECK_EQ(turn(0), 0);
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
static void test_boost_race(const void *config) {
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

/** Requests that wait behind a lane that is held up can be cancelled. */
static void test_cancel_queued(const void *config) {
	atomic_store(&fault_cpus, 2);
	open_queue(config, 64, 1);
	add_blocked(0, "fifo0");
	turn(0);
	test_sleep(5);
	for (uint32_t slot = 1; slot < 40; ++slot) {
		add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_STAT, "plain");
	}
	int fd = dup(0);
	add_fd(40, IOQ_OP_CLOSE, fd);
	turn(0);
	for (uint32_t slot = 1; slot <= 40; ++slot) {
		CHECK_EQ(ioq_cancel(q.ioq, slot), slot < 40);
	}
	finish_blocked(0, "fifo0");
	for (uint32_t slot = 1; slot < 40; ++slot) {
		check_result(slot, -EINTR);
	}
	check_result(40, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	close_queue();
	fault_clear();
}

/** What prefers the lanes takes the ring when they have a backlog. */
static void test_overflow(const void *config) {
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

/** A ring does what it was made for and nothing else, whoever has it. */
static void test_restricted(void) {
	struct ioq_ring ring;
	CHECK_EQ(ring_open(&ring, 8, 16, -1, false), 0);
	if (!ring.restricted) {
		ring_close(&ring);
		SKIP("this kernel restricts no rings");
	}
	static const uint8_t refused[] = {
		IORING_OP_ACCEPT, IORING_OP_CONNECT, IORING_OP_SENDMSG, IORING_OP_EPOLL_CTL, IORING_OP_SHUTDOWN,
		IORING_OP_FILES_UPDATE,
	};
	// Each is refused as such: a bad descriptor would be found out only then
	for (size_t i = 0; i < sizeof(refused); ++i) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring.uring);
		CHECK(sqe);
		io_uring_prep_rw(refused[i], sqe, -1, NULL, 0, 0);
		CHECK_EQ(io_uring_submit_and_wait(&ring.uring, 1), 1);
		struct io_uring_cqe *cqe;
		CHECK_EQ(io_uring_peek_cqe(&ring.uring, &cqe), 0);
		CHECK_EQ(cqe->res, -EACCES);
		io_uring_cqe_seen(&ring.uring, cqe);
	}
	int fd = 0;
	CHECK_EQ(io_uring_register_files(&ring.uring, &fd, 1), -EACCES);
	ring_close(&ring);
}

/** A submission queue of one entry, and more completions at once than the ring holds. */
static void test_small_ring(const void *config) {
	atomic_store(&fault_small, true);
	open_queue(config, 512, 1);
	for (int round = 0; round < 5; ++round) {
		for (uint32_t slot = 0; slot < 512;) {
			if (slot % 2) {
				add(slot, IOQ_OP_KERNEL_NOP);
			} else {
				add_path(slot, IOQ_OP_STAT, "plain");
			}
			if (++slot % 128 == 0) {
				turn(0);
			}
		}
		wait_all();
		for (uint32_t slot = 0; slot < 512; ++slot) {
			CHECK_EQ(q.results[slot].result, 0);
		}
	}
	// All are waiting when what they wait for comes; half of them are cancelled then
	int fd = make_fifo("fifo");
	for (uint32_t slot = 0; slot < 300;) {
		add_read(slot, fd, 1);
		if (++slot % 100 == 0) {
			turn(0);
		}
	}
	uint8_t bytes[150] = {0};
	CHECK_EQ(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	uint32_t read = 0;
	while (q.pending_count > 150) {
		turn_wait();
	}
	ioq_cancel_all(q.ioq);
	wait_all();
	for (uint32_t slot = 0; slot < 300; ++slot) {
		CHECK(q.results[slot].result == 1 || q.results[slot].result == -EINTR);
		read += q.results[slot].result == 1;
	}
	CHECK_EQ(read, 150);
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** Reads of what is cached, which take no queue. */
static void test_cached(void) {
	enum { LENGTH = 256 * 1024, BEGIN = 4096 };
	static uint8_t bytes[LENGTH], read_back[2 * LENGTH];
	for (size_t i = 0; i < LENGTH; ++i) {
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	}
	int fd = open("cached", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, bytes, LENGTH), LENGTH);
	CHECK_EQ(ioq_is_cached(fd), 1);

	int32_t ret = ioq_read_cached(fd, read_back, LENGTH, 0, 0);
	if (ret == -EOPNOTSUPP) {
		close(fd);
		SKIP("this file system does not say what is cached");
		return;
	}
	CHECK_EQ(ret, LENGTH);
	CHECK_EQ(memcmp(read_back, bytes, LENGTH), 0);
	// Short only at the end; offsets have two words
	CHECK_EQ(ioq_read_cached(fd, read_back, 2 * LENGTH, BEGIN, 0), LENGTH - BEGIN);
	CHECK_EQ(memcmp(read_back, bytes + BEGIN, LENGTH - BEGIN), 0);
	CHECK_EQ(ioq_read_cached(fd, read_back, 1, 0, 1), 0);
	// None of them has moved the position, which was at the end
	CHECK_EQ(ioq_read_cached(fd, read_back, 1, 0, IOQ_NO_OFFSET), 0);
	CHECK_EQ(lseek(fd, BEGIN, SEEK_SET), BEGIN);
	CHECK_EQ(ioq_read_cached(fd, read_back, 100, 0, IOQ_NO_OFFSET), 100);
	CHECK_EQ(memcmp(read_back, bytes + BEGIN, 100), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), BEGIN + 100);

	// Whatever the kernel keeps of it: all, or as if nothing had been read
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(posix_fadvise(fd, LENGTH / 2, 0, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	ret = ioq_read_cached(fd, read_back, LENGTH, 0, IOQ_NO_OFFSET);
	CHECK(ret == LENGTH || ret == -EAGAIN);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), ret > 0 ? ret : 0);
	close(fd);

	CHECK_EQ(ioq_is_cached(fd), 0);
	CHECK_EQ(ioq_read_cached(fd, read_back, 1, 0, 0), -EBADF);
	int direct = open("cached", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (direct >= 0) {
		CHECK_EQ(ioq_is_cached(direct), 0);
		close(direct);
	}
	int pipes[2];
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(ioq_is_cached(pipes[0]), 0);
	close(pipes[0]);
	close(pipes[1]);
	CHECK_EQ(unlink("cached"), 0);
}

/** With several primaries, too, and more than there are processors. */
static void test_primaries(const void *config) {
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

/** A queue whose ring cannot be had does not open, and leaves nothing behind. */
static void test_setup_fails(void) {
	static const int errors[] = {EPERM, ENOSYS, ENOMEM};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		fault_inject(&fault_setup, FAULT_OWNER, errors[i], 0, FAULT_FOREVER);
		CHECK(!try_open(&ring_config, 64, 4));
		CHECK_EQ(q.info.error, errors[i]);
		// It is for older kernels that it tries again, not for refusals
		CHECK_EQ(atomic_load(&fault_setup.calls), 1);
		// What a ring that never was would have closed
		CHECK(fcntl(0, F_GETFD) >= 0);
		CHECK(!try_open(&all_rings_config, 64, 4));
		CHECK_EQ(q.info.error, errors[i]);
	}
	fault_clear();
}

/** Older kernels get plainer rings, which must do all the same. */
static void test_setup_plainer(void) {
	uint32_t last = ~0u;
	for (int n = 0;; ++n) {
		fault_inject(&fault_setup, FAULT_OWNER, EINVAL, 0, n);
		if (!try_open(&ring_config, 64, 2)) {
			CHECK_EQ(q.info.error, EINVAL);
			CHECK_EQ(n, 6);
			break;
		}
		CHECK_EQ(atomic_load(&fault_setup.calls), n + 1);
		CHECK(q.info.ring_flags != last);
		CHECK_EQ(q.info.restricted, (q.info.ring_flags & IORING_SETUP_R_DISABLED) != 0);
		last = q.info.ring_flags;

		int fd = make_fifo("fifo");
		add_read(0, fd, 10);
		add_read(1, fd, 10);
		for (uint32_t slot = 2; slot < 60; ++slot) {
			add_path(slot, slot & 1 ? IOQ_OP_STAT : IOQ_OP_OPEN, "plain");
		}
		for (uint32_t slot = 2; slot < 60; ++slot) {
			int32_t result = result_of(slot);
			check_lane(slot);
			CHECK(result >= 0);
			if (!(slot & 1)) {
				close_by_queue(slot, result);
			}
		}
		while (!q.turn.armed) {
			CHECK_EQ(turn(IOQ_TURN_ARM), 0);
		}
		park();
		check_parked();
		CHECK_EQ(write(fd, "x", 1), 1);
		unpark();
		while (q.pending[0] && q.pending[1]) {
			turn(0);
		}
		uint32_t slot = q.pending[0] ? 0 : 1;
		CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
		check_result(slot, -EINTR);
		close_queue();
		close(fd);
		CHECK_EQ(unlink("fifo"), 0);
	}
	CHECK_EQ(last, 0);
	fault_clear();
}

/** Lanes whose rings cannot be had do without. */
static void test_lane_setup_fails(void) {
	fault_inject(&fault_setup, FAULT_LANES, EPERM, 0, FAULT_FOREVER);
	open_queue(&lane_rings_config, 64, 4);
	CHECK_EQ(q.info.lane_rings, 0);
	for (uint32_t slot = 0; slot < 64; ++slot) {
		add_path(slot, IOQ_OP_STAT, "plain");
	}
	wait_all();
	CHECK_EQ(q.results[0].lane, IOQ_LANE_WORKER);
	close_queue();

	// Some have one, some have not
	atomic_store(&fault_cpus, 4);
	fault_inject(&fault_setup, FAULT_LANES, EPERM, 1, 1);
	open_queue(&lane_rings_config, 64, 3);
	CHECK_EQ(q.info.lane_rings, 2);
	for (uint32_t slot = 0; slot < 64; ++slot) {
		add_path(slot, IOQ_OP_STAT, "plain");
	}
	wait_all();
	close_queue();
	fault_clear();
}

/** Threads that cannot be had. */
static void test_thread_fails(const void *config) {
	fault_inject(&fault_thread, FAULT_OWNER, EAGAIN, 0, FAULT_FOREVER);
	CHECK(!try_open(config, 64, 4));
	CHECK_EQ(q.info.error, EAGAIN);
	fault_clear();

	// One of three primaries starts; the others come as spares
	atomic_store(&fault_cpus, 4);
	fault_inject(&fault_thread, FAULT_OWNER, EAGAIN, 1, 1);
	open_queue(config, 64, 4);
	bool blocks = q.config->lane == IOQ_LANE_WORKER;
	for (int round = 0; round < 20; ++round) {
		if (blocks) {
			add_blocked(0, "fifo0");
			turn(0);
			test_sleep(2);
		}
		for (uint32_t slot = 10; slot < 40; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
		}
		for (uint32_t slot = 10; slot < 40; ++slot) {
			check_result(slot, 0);
		}
		if (blocks) {
			finish_blocked(0, "fifo0");
		}
	}
	close_queue();
	fault_clear();
}

/** Submissions that fail for a while: nothing is lost, and the ring lives. */
static void test_submit_retried(const void *config) {
	static const int errors[] = {EINTR, EAGAIN, EBUSY};
	static const int times[] = {1, 5, 15, 16, 17, 40, 200};
	bool lanes = ((const struct config *)config)->lane == IOQ_LANE_WORKER_RING;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); ++j) {
			if (lanes && times[j] > 40) {
				// A lane does nothing between its tries, so it gives up earlier
				continue;
			}
			open_queue(config, 600, 4);
			int fd = make_fifo("fifo");
			for (int round = 0; round < 3; ++round) {
				fault_inject(&fault_submit, lanes ? FAULT_LANES : FAULT_OWNER, errors[i], round, times[j]);
				add_read(0, fd, 10);
				// More than the ring has entries
				for (uint32_t slot = 1; slot < 600;) {
					add_path(slot, IOQ_OP_STAT, "plain");
					if (++slot % 200 == 0) {
						turn(0);
					}
				}
				for (uint32_t slot = 1; slot < 600; ++slot) {
					check_result(slot, 0);
				}
				if (!lanes) {
					CHECK_EQ(q.turn.ring_error, 0);
				}
				CHECK(q.pending[0]);
				CHECK_EQ(write(fd, "x", 1), 1);
				check_result(0, 1);
				CHECK_EQ(ioq_release(q.ioq, 0), 0);
			}
			close_queue();
			close(fd);
		}
	}
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** Cancellations that cannot be submitted at first are not forgotten. */
static void test_cancel_retried(const void *config) {
	bool lanes = ((const struct config *)config)->lane == IOQ_LANE_WORKER_RING;
	int fd = make_fifo("fifo");
	static const int errors[] = {EINTR, EAGAIN, EBUSY};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		open_queue(config, 600, 4);
		uint32_t count = lanes ? 60 : 600;
		for (uint32_t slot = 0; slot < count; ++slot) {
			add_read(slot, fd, 10);
			if (q.turn.request_count == 200) {
				turn(0);
			}
		}
		turn(0);
		test_sleep(5);
		CHECK_EQ(turn(0), 0);
		fault_inject(&fault_submit, lanes ? FAULT_LANES : FAULT_OWNER, errors[i], 0, lanes ? 20 : 600);
		for (uint32_t slot = 0; slot < 10; ++slot) {
			CHECK_EQ(ioq_cancel(q.ioq, slot), 1);
		}
		ioq_cancel_all(q.ioq);
		while (q.pending_count > 0) {
			turn(0);
		}
		for (uint32_t slot = 0; slot < count; ++slot) {
			CHECK_EQ(q.results[slot].result, -EINTR);
		}
		CHECK_EQ(q.turn.ring_error, 0);
		close_queue();
	}
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** The caller's ring fails for good at once: the lanes do it all. */
static void test_ring_dies_first(void) {
	static const int errors[] = {EPERM, EAGAIN, EBUSY, EINTR};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		open_queue(&ring_config, 600, 4);
		fault_inject(&fault_submit, FAULT_OWNER, errors[i], 0, FAULT_FOREVER);
		for (uint32_t slot = 0; slot < 600;) {
			struct ioq_request *request = add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_STAT, "plain");
			CHECK(request);
			if (++slot % 200 == 0) {
				turn(0);
			}
		}
		// Some are cancelled, which the dead ring is to be asked for
		for (uint32_t slot = 500; slot < 520; ++slot) {
			ioq_cancel(q.ioq, slot);
		}
		uint32_t turns = 0;
		while (q.pending_count > 0) {
			turn_wait();
			CHECK(++turns < 100000);
		}
		for (uint32_t slot = 0; slot < 600; ++slot) {
			int32_t result = q.results[slot].result;
			CHECK(result >= 0 || (result == -EINTR && slot >= 500 && slot < 520));
			CHECK_EQ(q.results[slot].lane, IOQ_LANE_WORKER);
			if (slot & 1 && result >= 0) {
				close(result);
			}
		}
		// A ring that only ever was interrupted is no use, either
		CHECK_EQ(q.turn.ring_error, errors[i] == EPERM ? EPERM : EAGAIN);

		// And the queue lives on
		for (uint32_t slot = 0; slot < 100; ++slot) {
			add_path(slot, IOQ_OP_STAT, "plain");
		}
		wait_all();
		CHECK_EQ(ioq_cancel(q.ioq, 0), 0);
		ioq_cancel_all(q.ioq);
		close_by_queue(0, dup(0));
		close_queue();
		fault_clear();
	}
}

/** How a ring dies under a request that is in flight. */
struct death {
	const struct config *config;
	int error;
	int after;
};

/** A ring fails for good while the kernel has a request of it. */
static void test_ring_dies_later(const void *arg) {
	const struct death *death = arg;
	bool lanes = death->config->lane == IOQ_LANE_WORKER_RING;
	int fd = make_fifo("fifo");
	open_queue(death->config, 64, 4);
	add_read(0, fd, 100);
	add_read(1, fd, 100);
	turn(0);
	test_sleep(20);
	CHECK_EQ(turn(0), 0);

	fault_inject(&fault_submit, lanes ? FAULT_LANES : FAULT_OWNER, death->error, death->after, FAULT_FOREVER);
	while (q.pending[0]) {
		for (uint32_t slot = 2; slot < 60; ++slot) {
			if (!q.pending[slot]) {
				add_path(slot, slot & 1 ? IOQ_OP_STAT : IOQ_OP_READ_DIR, slot & 1 ? "plain" : "odd");
			}
		}
		turn_wait();
		// On a busy machine the lane is late: the alarm of the test is the bound
	}
	wait_all();
	for (uint32_t slot = 2; slot < 60; ++slot) {
		// The kernel may have had some of these as well: STAT goes to its threads
		int32_t result = q.results[slot].result;
		CHECK(result >= 0 || (slot & 1 && result == -death->error));
	}
	CHECK_EQ(q.results[0].result, -death->error);
	CHECK_EQ(q.results[1].result, -death->error);
	CHECK_EQ(q.turn.ring_error, lanes ? 0 : death->error);

	// What the kernel had is now on the FIFO, or gone: either way it is quiet
	CHECK_EQ(write(fd, "late", 4), 4);
	test_sleep(20);
	int flags = fcntl(fd, F_GETFL);
	CHECK_EQ(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	char bytes[16];
	while (read(fd, bytes, sizeof(bytes)) > 0) {
		// Empty it
	}
	CHECK_EQ(fcntl(fd, F_SETFL, flags), 0);

	// Waiting still waits, though the dead ring has completions
	add_read(2, fd, 10);
	do {
		CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	} while (!q.turn.armed);
	park();
	check_parked();
	CHECK_EQ(write(fd, "x", 1), 1);
	unpark();
	check_result(2, 1);
	CHECK_EQ(ioq_release(q.ioq, 2), 0);

	// The entries are good for anything
	add_path(0, IOQ_OP_STAT, "plain");
	check_result(0, 0);
	add_path(1, IOQ_OP_STAT, "plain");
	check_stat(wait_slot(1), "plain");
	close_queue();
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	fault_clear();
}

/** Lanes' rings fail for good at once: the lanes go on without. */
static void test_lane_ring_dies_first(void) {
	static const int errors[] = {EPERM, EAGAIN, EINTR};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
		open_queue(&lane_rings_config, 256, 2);
		fault_inject(&fault_submit, FAULT_LANES, errors[i], 0, FAULT_FOREVER);
		for (int round = 0; round < 10; ++round) {
			for (uint32_t slot = 0; slot < 200; ++slot) {
				add_path(slot, slot & 1 ? IOQ_OP_OPEN : IOQ_OP_STAT, "plain");
			}
			wait_all();
			for (uint32_t slot = 0; slot < 200; ++slot) {
				CHECK(q.results[slot].result >= 0);
				if (slot & 1) {
					close(q.results[slot].result);
				}
			}
		}
		close_queue();
		fault_clear();
	}
}

/** However often a lane is interrupted while it waits, its ring is none the worse. */
static void test_lane_wait_interrupted(void) {
	atomic_store(&fault_cpus, 2);
	int fds[] = {make_fifo("fifo0"), make_fifo("fifo1")};
	open_queue(&lane_rings_config, 8, 1);
	CHECK_EQ(q.info.lane_rings, 1);
	add_read(0, fds[0], 1);
	add_read(1, fds[1], 1);
	turn(0);
	test_sleep(10);
	fault_inject(&fault_wait, FAULT_LANES, EINTR, 0, 1000);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	check_result(0, 1);
	// A lane that was late, and is waiting already, is sent round once more
	while (atomic_load(&fault_wait.times) > 0) {
		add_path(2, IOQ_OP_STAT, "plain");
		check_result(2, 0);
	}
	CHECK_EQ(write(fds[1], "x", 1), 1);
	check_result(1, 1);
	CHECK_EQ(q.results[1].lane, IOQ_LANE_WORKER_RING);
	close_queue();
	close(fds[0]);
	close(fds[1]);
	CHECK_EQ(unlink("fifo0"), 0);
	CHECK_EQ(unlink("fifo1"), 0);
	fault_clear();
}

/** Create a file. */
static void make_file(const char *path) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
}

/** Where the tests work. */
static char work_dir[] = "/tmp/ioq-core-XXXXXX";

/** Make what the tests work on. */
static void make_files(void) {
	CHECK(mkdtemp(work_dir));
	CHECK_EQ(chdir(work_dir), 0);
	make_file("plain");
	CHECK_EQ(mkdir("empty", 0700), 0);
	CHECK_EQ(mkdir("odd", 0700), 0);
	make_file("odd/new\nline");
	make_file("odd/ spaces ");
	make_file("odd/\xC3\xBCmlaut \xE2\x82\xAC \xF0\x9F\x98\x80");
	make_file("odd/...");
	make_file("odd/..a");
	make_file("odd/.a");
	char name[5 + 255] = "odd/";
	memset(name + 4, 'x', 255);
	make_file(name);
	CHECK_EQ(mkdir("odd/directory", 0700), 0);
	CHECK_EQ(symlink("nowhere", "odd/link"), 0);
	CHECK_EQ(mkfifo("odd/fifo", 0600), 0);
	CHECK_EQ(mkdir("raw", 0700), 0);
	make_file("raw/good");
	make_file("raw/bad \xFF\xFE");
	CHECK_EQ(mkdir("large", 0700), 0);
	for (int i = 0; i < LARGE_COUNT; ++i) {
		snprintf(name, sizeof(name), "large/entry number %05d", i);
		// Links are quicker to make, where there may be that many
		if (link("plain", name) != 0) {
			make_file(name);
		}
	}
}

/** Remove a tree. */
static void remove_tree(const char *path) {
	if (unlink(path) == 0) {
		return;
	}
	DIR *dir = opendir(path);
	CHECK(dir);
	const struct dirent *de;
	while ((de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
			char child[512];
			CHECK((size_t)snprintf(child, sizeof(child), "%s/%s", path, de->d_name) < sizeof(child));
			remove_tree(child);
		}
	}
	closedir(dir);
	CHECK_EQ(rmdir(path), 0);
}

>>>>>>> main
/** Run a test with a configuration. */
static void run_with(const char *name, void (*function)(const void *), const struct config *config) {
	char full[128];
	snprintf(full, sizeof(full), "%s [%s]", name, config->name);
	test_run(full, TEST_HERE, function, config);
}
#define TEST_WITH(function, config) run_with(#function, function, &(config))

/** The tests that every configuration must pass. */
static void run_config(const struct config *config) {
	TEST_WITH(test_nop, *config);
	TEST_WITH(test_file, *config);
	TEST_WITH(test_directory, *config);
	TEST_WITH(test_tree, *config);
	TEST_WITH(test_errors, *config);
	TEST_WITH(test_many, *config);
	TEST_WITH(test_output, *config);
	TEST_WITH(test_load, *config);
	TEST_WITH(test_cancel_open, *config);
	TEST_WITH(test_timeouts, *config);
	TEST_WITH(test_polls, *config);
	TEST_WITH(test_messages, *config);
	TEST_WITH(test_parts, *config);
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
	run_config(&lane_rings_config);
	run_config(&idle_ring_config);
	run_config(&all_rings_config);
	TEST_WITH(test_cancel_fifo, ring_config);
	TEST_WITH(test_linked_timeout, ring_config);
	TEST_WITH(test_interrupt, idle_ring_config);
	TEST_WITH(test_cancel_fifo, lane_rings_config);
	TEST_WITH(test_boost, idle_ring_config);
	TEST_WITH(test_overflow, overflow_config);
	TEST_WITH(test_small_ring, ring_config);
	TEST_WITH(test_small_ring, lane_rings_config);
	TEST_WITH(test_small_ring, all_rings_config);
	TEST(test_raw);
	TEST(test_restricted);
	TEST(test_setup_plainer);
	TEST(test_lane_setup_fails);
	TEST_WITH(test_submit_retried, ring_config);
	TEST_WITH(test_submit_retried, lane_rings_config);
	TEST_WITH(test_cancel_retried, ring_config);
	TEST_WITH(test_cancel_retried, lane_rings_config);
	TEST(test_ring_dies_first);
	TEST(test_lane_ring_dies_first);
	TEST(test_lane_wait_interrupted);
	run_ring_deaths();
}

/** Say that there are no rings to be tested. */
static void test_rings(void) {
	SKIP("this kernel grants no io_uring");
}

int main(void) {
	fault_owner = true;
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
	TEST(test_terminal);
	run_config(&lanes_config);
	TEST_WITH(test_nop, sync_config);
	TEST_WITH(test_file, sync_config);
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
