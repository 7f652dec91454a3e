// Copyright 2026 the ioq authors. MIT license.

#include "ops.h"

#include <liburing.h>

const struct op ops[IOQ_OP_COUNT] = {
	[IOQ_OP_NOP] = {0},
	[IOQ_OP_KERNEL_NOP] = {.opcode = IORING_OP_NOP, .ring = RING_ALL},
	[IOQ_OP_OPEN] = {.opcode = IORING_OP_OPENAT, .ring = RING_ALL, .kind = OP_OPENS},
	[IOQ_OP_CLOSE] = {.opcode = IORING_OP_CLOSE, .ring = RING_ALL, .kind = OP_CLOSES},
	[IOQ_OP_STAT] = {.opcode = IORING_OP_STATX, .ring = RING_ALL, .payload = PAYLOAD_STAT},
	[IOQ_OP_OPEN_DIR] = {.opcode = IORING_OP_OPENAT, .ring = RING_ALL, .kind = OP_OPENS},
	[IOQ_OP_READ_DIR_BLOCK] = {.payload = PAYLOAD_MADE},
	[IOQ_OP_CLOSE_DIR] = {.opcode = IORING_OP_CLOSE, .ring = RING_ALL, .kind = OP_CLOSES},
	[IOQ_OP_READ_DIR] = {.payload = PAYLOAD_MADE, .holds = true},
	[IOQ_OP_READ] = {.opcode = IORING_OP_READ, .ring = RING_ALL, .kind = OP_READS, .payload = PAYLOAD_FILLED},
	[IOQ_OP_WRITE] = {.opcode = IORING_OP_WRITE, .ring = RING_ALL, .kind = OP_WRITES},
	[IOQ_OP_SEEK] = {.payload = PAYLOAD_MADE},
	[IOQ_OP_SYNC] = {.opcode = IORING_OP_FSYNC, .ring = RING_ALL},
	[IOQ_OP_TRUNCATE] = {0},
	[IOQ_OP_ALLOCATE] = {.opcode = IORING_OP_FALLOCATE, .ring = RING_ALL},
	[IOQ_OP_UNLINK] = {.opcode = IORING_OP_UNLINKAT, .ring = RING_ALL, .once = true},
	[IOQ_OP_RENAME] = {.opcode = IORING_OP_RENAMEAT, .ring = RING_ALL, .once = true},
	[IOQ_OP_MKDIR] = {.opcode = IORING_OP_MKDIRAT, .ring = RING_ALL, .once = true},
	[IOQ_OP_SYMLINK] = {.opcode = IORING_OP_SYMLINKAT, .ring = RING_ALL, .once = true},
	[IOQ_OP_LINK] = {.opcode = IORING_OP_LINKAT, .ring = RING_ALL, .once = true},
	[IOQ_OP_READ_LINK] = {.payload = PAYLOAD_MADE},
	[IOQ_OP_REAL_PATH] = {.payload = PAYLOAD_MADE},
	[IOQ_OP_CHMOD] = {0},
	[IOQ_OP_CHOWN] = {0},
	[IOQ_OP_UTIME] = {0},
	[IOQ_OP_ACCESS] = {0},
	[IOQ_OP_LOCK] = {0},
	[IOQ_OP_COPY_RANGE] = {0},
	[IOQ_OP_ADVISE] = {.opcode = IORING_OP_FADVISE, .ring = RING_ALL},
	[IOQ_OP_READ_FILE] = {.kind = OP_READS, .payload = PAYLOAD_MADE, .holds = true},
	[IOQ_OP_WRITE_FILE] = {.kind = OP_WRITES, .holds = true},
	[IOQ_OP_COPY_FILE] = {.holds = true},
	[IOQ_OP_TIMEOUT] = {.opcode = IORING_OP_TIMEOUT, .ring = RING_CLOCK, .place = PLACE_WAITS},
	[IOQ_OP_POLL] = {.opcode = IORING_OP_POLL_ADD, .ring = RING_ALL, .place = PLACE_WAITS},
	[IOQ_OP_POST] = {.place = PLACE_POST},
	[IOQ_OP_RECEIVE] = {.payload = PAYLOAD_NUMBER, .place = PLACE_RECEIVERS},
	[IOQ_OP_SYNC_RANGE] = {.opcode = IORING_OP_SYNC_FILE_RANGE, .ring = RING_ALL},
	// The kernel would have a thread of its own wait for the pipe's other end
	[IOQ_OP_SPLICE] = {0},
	// The kernel would have a thread of its own do it, with a buffer for the longest value
	[IOQ_OP_GET_XATTR] = {.payload = PAYLOAD_XATTR},
	[IOQ_OP_SET_XATTR] = {.opcode = IORING_OP_SETXATTR, .ring = RING_XATTR, .kind = OP_WRITES},
	[IOQ_OP_LIST_XATTR] = {.payload = PAYLOAD_XATTR},
	[IOQ_OP_REMOVE_XATTR] = {0},
	[IOQ_OP_RAW_SQE] = {.ring = RING_RAW},
	[IOQ_OP_REPLACE_BEGIN] = {.kind = OP_OPENS},
	[IOQ_OP_REPLACE_END] = {0},
	[IOQ_OP_READ_RANGES] = {.opcode = IORING_OP_READ, .ring = RING_ALL, .kind = OP_RANGES, .payload = PAYLOAD_MADE},
};

ioq_ops ops_on_ring(uint64_t opcodes) {
	ioq_ops on_ring = 0;
	for (unsigned int op = 0; op < IOQ_OP_COUNT; ++op) {
		bool takes = ops[op].ring != RING_NONE && ops[op].ring != RING_RAW;
		on_ring |= (ioq_ops)(takes && (opcodes >> ops[op].opcode & 1)) << op;
	}
	return on_ring;
}
