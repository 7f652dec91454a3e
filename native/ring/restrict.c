// Copyright 2026 the ioq authors. MIT license.

/**
 * Which opcodes the kernel has, and that it takes no others than ours.
 */

#include "ring/ring.h"

#include "ops.h"

#include <errno.h>
#include <stdlib.h>

/** Opcodes that the kernel is asked about. */
#define PROBED 256

/** Opcodes that serve the ring itself. */
static const uint8_t service_opcodes[] = {
	IORING_OP_ASYNC_CANCEL, IORING_OP_POLL_ADD, IORING_OP_LINK_TIMEOUT, IORING_OP_FGETXATTR, IORING_OP_FSETXATTR,
	IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED, IORING_OP_OPENAT2,
};
#define SERVICE_OPCODES (sizeof(service_opcodes) / sizeof(service_opcodes[0]))

int ring_probe(struct io_uring *uring, uint64_t *known) {
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

bool ring_restrict(struct io_uring *uring, uint64_t known) {
	struct io_uring_restriction allowed[64 + 5] = {0};
	unsigned int count = 0;
	uint64_t ours = 0;
	for (size_t i = 0; i < IOQ_OP_COUNT; ++i) {
		bool has_opcode = ops[i].ring != RING_NONE && ops[i].ring != RING_RAW;
		ours |= (uint64_t)has_opcode << ops[i].opcode;
	}
	for (size_t i = 0; i < SERVICE_OPCODES; ++i) {
		ours |= (uint64_t)1 << service_opcodes[i];
	}
	for (uint8_t opcode = 0; opcode < 64; ++opcode) {
		if (known & ours & (uint64_t)1 << opcode) {
			allowed[count].opcode = IORING_RESTRICTION_SQE_OP;
			allowed[count].sqe_op = opcode;
			++count;
		}
	}
	// For linked timeouts, and for what is punted; without it, flags are refused
	allowed[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	allowed[count].sqe_flags = IOSQE_ASYNC | IOSQE_IO_LINK;
	++count;
	static const uint8_t registrations[] = {
		IORING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS_UPDATE, IORING_REGISTER_IOWQ_MAX_WORKERS,
		IORING_UNREGISTER_RING_FDS,
	};
	for (size_t i = 0; i < sizeof(registrations); ++i) {
		allowed[count].opcode = IORING_RESTRICTION_REGISTER_OP;
		allowed[count].register_op = registrations[i];
		++count;
	}
	return io_uring_register_restrictions(uring, allowed, count) == 0;
}
