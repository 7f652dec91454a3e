// Copyright 2026 the ioq authors. MIT license.

/** Whole files in one request. */

#ifndef IOQ_CONTENTS_H
#define IOQ_CONTENTS_H

#include "entry.h"

/** Run a READ_FILE: the contents become the payload, their length is returned. */
int32_t ioq_read_file(struct ioq_entry *entry);

/** Run a WRITE_FILE with the bytes that were staged; returns how many there were. */
int32_t ioq_write_file(struct ioq_entry *entry);

/** Run a COPY_FILE. */
int32_t ioq_copy_file(struct ioq_entry *entry);

#endif // IOQ_CONTENTS_H
