// Copyright 2026 the ioq authors. MIT license.

/**
 * What each operation is like, in one table. How it is said to the kernel is in
 * ring/sqe.c, and how it is done by system calls in calls/perform.c: both need the
 * operation's own fields. All that others want to know about it is here.
 */

#ifndef IOQ_OPS_H
#define IOQ_OPS_H

#include "ioq.h"

#include <stdbool.h>

/** What an operation does to descriptors and bytes. */
enum op_kind {
	/** Nothing of what follows. */
	OP_PLAIN,
	/** Its result is a descriptor. */
	OP_OPENS,
	/** It closes one, and is never cancelled: a descriptor that is not closed is lost. */
	OP_CLOSES,
	/** Its payload is file contents, which go straight to their reader. */
	OP_READS,
	/** It writes bytes that were staged for it. */
	OP_WRITES,
	/** It reads ranges that were staged for it; its payload as that of OP_READS. */
	OP_RANGES,
};

/** What comes back besides the result. */
enum op_payload {
	/** Nothing. */
	PAYLOAD_NONE,
	/** What statx(2) says. */
	PAYLOAD_STAT,
	/** A 64-bit number, in the entry's offset. */
	PAYLOAD_NUMBER,
	/** As many bytes of a buffer of the entry's length as the result says. */
	PAYLOAD_FILLED,
	/** The same with a buffer of XATTR_MAX bytes. */
	PAYLOAD_XATTR,
	/** Whatever the call made, which says how long it is. */
	PAYLOAD_MADE,
};

/** Which requests of an operation a ring takes, if the kernel has the opcode. */
enum op_ring {
	/** None: io_uring has no opcode for it. */
	RING_NONE,
	/** All. */
	RING_ALL,
	/** All by the monotonic clock; by others if the kernel knows them. */
	RING_CLOCK,
	/** Those neither relative to a directory nor of a link itself. */
	RING_XATTR,
	/** All, if the queue was opened for it: they bring their own opcode. */
	RING_RAW,
};

/** With whom a request is, and waits, if it is not on a ring. */
enum op_place {
	/** A worker lane, which sleeps in the system call if that does; or the owner. */
	PLACE_LANES,
	/** Time or readiness, see waits/waits.c: no lane is held up. */
	PLACE_WAITS,
	/** Those that wait for a message, see waits/receivers.c. */
	PLACE_RECEIVERS,
	/** It is done at once, see queue/post.c. */
	PLACE_POST,
};

/** An operation. */
struct op {
	/** Its opcode, unless `ring` is RING_NONE or RING_RAW. */
	uint8_t opcode;
	/** An enum op_ring. */
	uint8_t ring;
	/** An enum op_kind. */
	uint8_t kind;
	/** An enum op_payload. */
	uint8_t payload;
	/** An enum op_place. */
	uint8_t place;
	/** Whether it has a descriptor of its own for as long as it takes. */
	bool holds;
	/** Whether it must not be run again when interrupted: it may have been done. */
	bool once;
};

/** By operation. */
extern const struct op ops[IOQ_OP_COUNT];

/** Which operations can be done with these opcodes, bit n for opcode n. */
ioq_ops ops_on_ring(uint64_t opcodes);

#endif // IOQ_OPS_H
