// Copyright 2026 the ioq authors. MIT license.

/** Reading directories with getdents64(2) and packing them for JavaScript. */

#ifndef IOQ_DIRECTORY_H
#define IOQ_DIRECTORY_H

#include "queue/entry.h"

/** A buffer that grows. */
struct bytes {
	/** The bytes. */
	uint8_t *data;
	/** How many are used. */
	size_t length;
	/** How many there is room for. */
	size_t capacity;
};

/** What one lane needs to read directories; one thread uses it at a time. */
struct scratch {
	/** What getdents64(2) fills; allocated at first use. */
	uint8_t *block;
	/** Names so far, a NUL after each. */
	struct bytes names;
	/** DT_* types so far. */
	struct bytes types;
	/** Of a tree: records of directories so far. */
	struct bytes directories;
	/** Of a tree: stats so far. */
	struct bytes stats;
};

/** Make room for `more` bytes. Returns 0 or -ENOMEM. */
int bytes_reserve(struct bytes *bytes, size_t more);

/** Forget the bytes, and the memory if it is much. */
void bytes_reset(struct bytes *bytes);

/** Whether all bytes are UTF-8 as RFC 3629 has it. NULs are. */
bool directory_is_utf8(const uint8_t *bytes, size_t length);

/**
 * Read one block of an open directory and append its entries.
 *
 * @return The bytes read (0 at the end), or -errno.
 */
long directory_append(int dfd, struct scratch *scratch);

/** Release a scratch. */
void scratch_release(struct scratch *scratch);

/** Run a READ_DIR: open, read to the end, close. Sets the result and the payload. */
void directory_read(struct entry *entry, struct scratch *scratch);

/** Run a READ_DIR_BLOCK: read on from an open directory. */
void directory_read_block(struct entry *entry, struct scratch *scratch);

#endif // IOQ_DIRECTORY_H
