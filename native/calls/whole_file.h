// Copyright 2026 the ioq authors. MIT license.

/** Whole files in one request. */

#ifndef IOQ_CONTENTS_H
#define IOQ_CONTENTS_H

#include "queue/entry.h"

/** Bytes of the buffer that a READ_FILE begins with: enough for most files. */
#define IOQ_FIRST_LENGTH 16384

/**
 * Run a READ_FILE: the contents become the payload, their length is returned. If
 * it has a payload of IOQ_FIRST_LENGTH bytes, that is used; if it has a length,
 * larger files fail with EFBIG.
 */
int32_t ioq_read_file(struct ioq_entry *entry);

/** Run a WRITE_FILE with the bytes that were staged; returns how many there were. */
int32_t ioq_write_file(struct ioq_entry *entry);

/** Run a COPY_FILE. */
int32_t ioq_copy_file(struct ioq_entry *entry);

#endif // IOQ_CONTENTS_H
