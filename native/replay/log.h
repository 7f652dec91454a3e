// Copyright 2026 the ioq authors. MIT license.

/**
 * A record of what was asked of one queue through the ABI: entries, one after the
 * other, each with the bytes that came with it.
 *
 * ThreadSanitizer may not live in the address space of a JavaScript engine. So the
 * calls that the TypeScript tests make are recorded (record.c), and made once more by
 * a program that it does live in (replay.c).
 */

#ifndef IOQ_LOG_H
#define IOQ_LOG_H

#include "ioq.h"

enum log_call {
	/** With its ioq_options. */
	LOG_OPEN,
	/** With its requests, then its input. `a`: flags; `b`: requests; `c`: bytes of input. */
	LOG_TURN,
	/** `a`: slot; `b`: bytes, which are not kept. */
	LOG_STAGE,
	/** `a`: slot; `b`: bytes. */
	LOG_TAKE,
	/** `a`: slot. */
	LOG_RELEASE,
	/** `a`: slot. */
	LOG_CANCEL,
	LOG_CANCEL_ALL,
	LOG_CLOSE,
};

struct log_entry {
	/** An enum log_call. */
	uint32_t call;
	uint32_t a, b, c;
};

#endif // IOQ_LOG_H
