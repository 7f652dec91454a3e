// Copyright 2026 the ioq authors. MIT license.

/** Reading directories with getdents64(2) and packing them for JavaScript. */

#ifndef IOQ_DIRECTORY_H
#define IOQ_DIRECTORY_H

#include "queue/entry.h"

/** A buffer that grows. */
struct ioq_bytes {
	/** The bytes. */
	uint8_t *data;
	/** How many are used. */
	size_t length;
	/** How many there is room for. */
	size_t capacity;
};

/** What one lane needs to read directories; one thread uses it at a time. */
struct ioq_scratch {
	/** What getdents64(2) fills; allocated at first use. */
	uint8_t *block;
	/** Names so far, a NUL after each. */
	struct ioq_bytes names;
	/** DT_* types so far. */
	struct ioq_bytes types;
	/** Of a tree: records of directories so far. */
	struct ioq_bytes directories;
	/** Of a tree: stats so far. */
	struct ioq_bytes stats;
};

/** Make room for `more` bytes. Returns 0 or -ENOMEM. */
int ioq_bytes_reserve(struct ioq_bytes *bytes, size_t more);

/** Forget the bytes, and the memory if it is much. */
void ioq_bytes_reset(struct ioq_bytes *bytes);

/** Whether all bytes are UTF-8 as RFC 3629 has it. NULs are. */
bool ioq_is_utf8(const uint8_t *bytes, size_t length);

/**
 * Read one block of an open directory and append its entries.
 *
 * @return The bytes read (0 at the end), or -errno.
 */
long ioq_append_block(int dfd, struct ioq_scratch *scratch);

/** Release a scratch. */
void ioq_scratch_release(struct ioq_scratch *scratch);

/** Run a READ_DIR: open, read to the end, close. Sets the result and the payload. */
void ioq_read_dir(struct ioq_entry *entry, struct ioq_scratch *scratch);

/** Run a READ_DIR_BLOCK: read on from an open directory. */
void ioq_read_dir_block(struct ioq_entry *entry, struct ioq_scratch *scratch);

#endif // IOQ_DIRECTORY_H
