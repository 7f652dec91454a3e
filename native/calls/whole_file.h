// Copyright 2026 the ioq authors. MIT license.

/** Whole files in one request. */

#ifndef IOQ_CONTENTS_H
#define IOQ_CONTENTS_H

#include "queue/entry.h"

/** Bytes of the buffer that a READ_FILE begins with: enough for most files. */
#define FIRST_LENGTH 16384

/**
 * Run a READ_FILE: the contents become the payload, their length is returned. If
 * it has a payload of FIRST_LENGTH bytes, that is used; if it has a length,
 * larger files fail with EFBIG.
 */
int32_t whole_file_read(struct entry *entry);

/** Run a WRITE_FILE with the bytes that were staged; returns how many there were. */
int32_t whole_file_write(struct entry *entry);

/** Run a COPY_FILE. */
int32_t whole_file_copy(struct entry *entry);

#endif // IOQ_CONTENTS_H
