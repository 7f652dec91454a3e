// Copyright 2026 the ioq authors. MIT license.

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

const struct config ring_config = {"ring", IOQ_OPEN_RING, 0, 0, IOQ_LANE_RING};
const struct config lanes_config = {"lanes", 0, 0, 0, IOQ_LANE_WORKER};
const struct config sync_config = {"sync", IOQ_OPEN_SYNC, 0, 0, IOQ_LANE_CORE};
const struct config idle_ring_config = {"idle ring", IOQ_OPEN_RING, ~0ull, 0, IOQ_LANE_WORKER};
const struct config overflow_config = {
	"overflow", IOQ_OPEN_RING, 1ull << IOQ_OP_OPEN, 1ull << IOQ_OP_STAT, IOQ_LANE_WORKER,
};

bool have_rings;
struct owner q;

bool try_open(const struct config *config, uint32_t depth, uint32_t lanes) {
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

void open_queue(const struct config *config, uint32_t depth, uint32_t lanes) {
	if (!try_open(config, depth, lanes)) {
		test_fail(__FILE__, __LINE__, "ioq_open: %s", strerror((int)q.info.error));
	}
	CHECK_EQ(q.info.lanes, config->flags & IOQ_OPEN_SYNC ? 0 : lanes);
}

void close_queue(void) {
	CHECK_EQ(q.pending_count, 0);
	park_if_due();
	CHECK_EQ(ioq_close(q.ioq), 0);
}

struct ioq_request *add(uint32_t slot, uint16_t op) {
	CHECK(q.turn.request_count < IOQ_TURN_REQUESTS);
	CHECK(!q.pending[slot]);
	q.pending[slot] = true;
	++q.pending_count;
	struct ioq_request *request = &q.turn.requests[q.turn.request_count++];
	*request = (struct ioq_request) {.slot = slot, .op = op, .fd = AT_FDCWD};
	return request;
}

void set_path(struct ioq_request *request, const char *path, size_t length) {
	CHECK(length <= INPUT_LENGTH - q.input_used);
	memcpy(q.input + q.input_used, path, length);
	request->path = q.input_used;
	request->path_length = (uint32_t)length;
	q.input_used += (uint32_t)length;
}

struct ioq_request *add_path(uint32_t slot, uint16_t op, const char *path) {
	struct ioq_request *request = add(slot, op);
	set_path(request, path, strlen(path));
	return request;
}

struct ioq_request *add_fd(uint32_t slot, uint16_t op, int fd) {
	struct ioq_request *request = add(slot, op);
	request->fd = fd;
	return request;
}

struct ioq_request *add_read(uint32_t slot, int fd, uint32_t length) {
	struct ioq_request *request = add_fd(slot, IOQ_OP_READ, fd);
	request->length = length;
	return request;
}

void set_path2(struct ioq_request *request, const char *path) {
	if (request->path_length == 0) {
		request->path = q.input_used;
	}
	request->path2_length = (uint32_t)strlen(path);
	memcpy(q.input + q.input_used, path, request->path2_length);
	q.input_used += request->path2_length;
}

void set_timeout(struct ioq_request *request, uint32_t ms) {
	uint32_t words[2] = {ms * 1000000, 0};
	if (request->path_length == 0) {
		request->path = q.input_used;
	}
	memcpy(q.input + q.input_used, words, sizeof(words));
	q.input_used += sizeof(words);
	request->hints |= IOQ_HINT_TIMEOUT;
}

uint32_t turn(uint32_t flags) {
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
	q.park_due = q.park_due || q.turn.armed;
	return count;
}

void park_if_due(void) {
	if (q.park_due) {
		q.park_due = false;
		ioq_wake(q.ioq);
		// None is owed if another one was parked when the turn said so
		int32_t ret = ioq_park(q.ioq);
		CHECK(ret == 0 || ret == -ECANCELED);
	}
}

void arm_at_rest(void) {
	// What a lane tries in vain comes back to wait
	for (int i = 0; i < 5; ++i) {
		CHECK_EQ(turn(0), 0);
		test_sleep(5);
	}
	do {
		CHECK_EQ(turn(IOQ_TURN_ARM), 0);
	} while (!q.turn.armed);
}

void turn_wait(void) {
	if (turn(IOQ_TURN_ARM) > 0) {
		return;
	}
	if (q.turn.armed) {
		q.park_due = false;
		CHECK_EQ(ioq_park(q.ioq), 0);
	} else {
		sched_yield();
	}
}

const struct ioq_completion *wait_slot(uint32_t slot) {
	while (q.pending[slot]) {
		turn_wait();
	}
	return &q.results[slot];
}

int32_t result_of(uint32_t slot) {
	return wait_slot(slot)->result;
}

void wait_all(void) {
	while (q.pending_count > 0) {
		turn_wait();
	}
}

int open_by_queue(uint32_t slot, const char *path, int flags) {
	struct ioq_request *request = add_path(slot, IOQ_OP_OPEN, path);
	request->flags = (uint32_t)flags;
	request->mode = 0600;
	return result_of(slot);
}

void close_by_queue(uint32_t slot, int fd) {
	add_fd(slot, IOQ_OP_CLOSE, fd);
	CHECK_EQ(result_of(slot), 0);
}

void check_result(uint32_t slot, int32_t result) {
	CHECK_EQ(result_of(slot), result);
}

void check_lane(uint32_t slot) {
	CHECK_EQ(q.results[slot].lane, q.config->lane);
}

/** The seconds of a time stamp. */
static int64_t seconds(uint32_t low, int32_t high) {
	return (int64_t)((uint64_t)(uint32_t)high << 32 | low);
}

void check_stat(const struct ioq_completion *completion, const char *path) {
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
