// Copyright 2026 the ioq authors. MIT license.

/**
 * The owner of the queue under test: it adds requests, turns, and waits; and looks at
 * each turn whether it kept its promises.
 */

#ifndef IOQ_TEST_OWNER_H
#define IOQ_TEST_OWNER_H

#include "../test.h"
#include "ioq.h"

/** Room for payloads of one turn. */
#define OUTPUT_LENGTH (128 * 1024)
/** Room for paths of one turn. */
#define INPUT_LENGTH (64 * 1024)
/** The deepest queue here. */
#define DEPTH_MAX 1024

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

extern const struct config ring_config;
extern const struct config lanes_config;
extern const struct config sync_config;
extern const struct config idle_ring_config;
extern const struct config overflow_config;

/** Whether this kernel lets us have rings. */
extern bool have_rings;

/** The queue under test: one at a time. */
extern struct owner {
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
	/** Whether a turn said that ioq_park() may be called, and it was not. */
	bool park_due;
	/** What came, by slot. */
	struct ioq_completion results[DEPTH_MAX];
	/** What of it is a number, by slot: the next turn writes over the output. */
	uint64_t numbers[DEPTH_MAX];
	_Alignas(64) uint8_t input[INPUT_LENGTH];
	_Alignas(64) uint8_t output[OUTPUT_LENGTH];
} q;

/** Open the queue, which may fail. */
bool try_open(const struct config *config, uint32_t depth, uint32_t lanes);

/** Open the queue. */
void open_queue(const struct config *config, uint32_t depth, uint32_t lanes);

/** Close the queue, in which nothing is in flight. */
void close_queue(void);

/** Add a request to the next turn. */
struct ioq_request *add(uint32_t slot, uint16_t op);

/** Give a request a path of so many bytes. */
void set_path(struct ioq_request *request, const char *path, size_t length);

/** Add a request that has a path. */
struct ioq_request *add_path(uint32_t slot, uint16_t op, const char *path);

/** Add a request that has a descriptor. */
struct ioq_request *add_fd(uint32_t slot, uint16_t op, int fd);

/** Add a read. */
struct ioq_request *add_read(uint32_t slot, int fd, uint32_t length);

/** Give a request a second path; it has a first one, or none. */
void set_path2(struct ioq_request *request, const char *path);

/** Give a request so many milliseconds. */
void set_timeout(struct ioq_request *request, uint32_t ms);

/** One turn. Returns how many completions it handed out. */
uint32_t turn(uint32_t flags);

/** Call ioq_park() if a turn has said so: it is owed before the queue is closed. */
void park_if_due(void);

/** Turn until nothing happens any more and ioq_park() may be called; nothing completes. */
void arm_at_rest(void);

/** One turn and, if nothing came, a wait for the next. */
void turn_wait(void);

/** Wait for one request. */
const struct ioq_completion *wait_slot(uint32_t slot);

/** Wait for one request, and return its result. */
int32_t result_of(uint32_t slot);

/** Wait for all requests. */
void wait_all(void);

/** Open a file by the queue. */
int open_by_queue(uint32_t slot, const char *path, int flags);

/** Close a descriptor by the queue. */
void close_by_queue(uint32_t slot, int fd);

/** Check the result of a request that was added. */
void check_result(uint32_t slot, int32_t result);

/** Check where an operation ran that rings can do. */
void check_lane(uint32_t slot);

/** Compare the payload of a STAT with what the system says. */
void check_stat(const struct ioq_completion *completion, const char *path);

#endif // IOQ_TEST_OWNER_H
