// Copyright 2026 the ioq authors. MIT license.

#include "ops.h"

#include <errno.h>
#include <stdlib.h>

/** Opcodes that the kernel is asked about. */
#define PROBED 256

/** An operation's opcode. */
static const struct {
	uint8_t op;
	uint8_t opcode;
} opcodes[] = {
	{IOQ_OP_KERNEL_NOP, IORING_OP_NOP},
	{IOQ_OP_OPEN, IORING_OP_OPENAT},
	{IOQ_OP_OPEN_DIR, IORING_OP_OPENAT},
	{IOQ_OP_CLOSE, IORING_OP_CLOSE},
	{IOQ_OP_CLOSE_DIR, IORING_OP_CLOSE},
	{IOQ_OP_STAT, IORING_OP_STATX},
	{IOQ_OP_READ, IORING_OP_READ},
	{IOQ_OP_WRITE, IORING_OP_WRITE},
	{IOQ_OP_SYNC, IORING_OP_FSYNC},
	{IOQ_OP_ALLOCATE, IORING_OP_FALLOCATE},
	{IOQ_OP_ADVISE, IORING_OP_FADVISE},
	{IOQ_OP_UNLINK, IORING_OP_UNLINKAT},
	{IOQ_OP_RENAME, IORING_OP_RENAMEAT},
	{IOQ_OP_MKDIR, IORING_OP_MKDIRAT},
	{IOQ_OP_SYMLINK, IORING_OP_SYMLINKAT},
	{IOQ_OP_LINK, IORING_OP_LINKAT},
	{IOQ_OP_TIMEOUT, IORING_OP_TIMEOUT},
	{IOQ_OP_POLL, IORING_OP_POLL_ADD},
	{IOQ_OP_POST, IORING_OP_MSG_RING},
	{IOQ_OP_SYNC_RANGE, IORING_OP_SYNC_FILE_RANGE},
	{IOQ_OP_SPLICE, IORING_OP_SPLICE},
	{IOQ_OP_GET_XATTR, IORING_OP_GETXATTR},
	{IOQ_OP_SET_XATTR, IORING_OP_SETXATTR},
};
#define OPCODES (sizeof(opcodes) / sizeof(opcodes[0]))

/** Opcodes that serve the ring itself. */
static const uint8_t service_opcodes[] = {
	IORING_OP_ASYNC_CANCEL, IORING_OP_POLL_ADD, IORING_OP_LINK_TIMEOUT, IORING_OP_FGETXATTR, IORING_OP_FSETXATTR,
	IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
};
#define SERVICE_OPCODES (sizeof(service_opcodes) / sizeof(service_opcodes[0]))

int opcodes_probe(struct io_uring *uring, uint64_t *known) {
	*known = 0;
	struct io_uring_probe *probe = calloc(1, sizeof(*probe) + PROBED * sizeof(probe->ops[0]));
	if (!probe) {
		return -ENOMEM;
	}
	int ret = io_uring_register_probe(uring, probe, PROBED);
	if (ret < 0) {
		free(probe);
		// Before 5.6, which had none of the operations anyway
		return ret == -EINVAL ? -ENOSYS : ret;
	}
	for (int i = 0; i < 64; ++i) {
		if (io_uring_opcode_supported(probe, i)) {
			*known |= (uint64_t)1 << i;
		}
	}
	free(probe);
	// Without cancellation an operation that hangs would hang us for good
	return (*known >> IORING_OP_ASYNC_CANCEL & 1) && (*known >> IORING_OP_READ & 1) ? 0 : -ENOSYS;
}

ioq_ops opcodes_ops(uint64_t known) {
	ioq_ops ops = 0;
	for (size_t i = 0; i < OPCODES; ++i) {
		if (known >> opcodes[i].opcode & 1) {
			ops |= (ioq_ops)1 << opcodes[i].op;
		}
	}
	return ops;
}

bool opcodes_restrict(struct io_uring *uring, uint64_t known) {
	struct io_uring_restriction allowed[OPCODES + SERVICE_OPCODES + 3] = {0};
	unsigned int count = 0;
	uint64_t seen = 0;
	for (size_t i = 0; i < OPCODES + SERVICE_OPCODES; ++i) {
		uint8_t opcode = i < OPCODES ? opcodes[i].opcode : service_opcodes[i - OPCODES];
		if (known & ~seen & (uint64_t)1 << opcode) {
			seen |= (uint64_t)1 << opcode;
			allowed[count].opcode = IORING_RESTRICTION_SQE_OP;
			allowed[count].sqe_op = opcode;
			++count;
		}
	}
	// For linked timeouts, and for what is punted; without it, flags are refused
	allowed[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	allowed[count].sqe_flags = IOSQE_ASYNC | IOSQE_IO_LINK;
	++count;
	static const uint8_t registrations[] = {IORING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS_UPDATE};
	for (size_t i = 0; i < 2; ++i) {
		allowed[count].opcode = IORING_RESTRICTION_REGISTER_OP;
		allowed[count].register_op = registrations[i];
		++count;
	}
	return io_uring_register_restrictions(uring, allowed, count) == 0;
}
