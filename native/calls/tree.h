// Copyright 2026 the ioq authors. MIT license.

/** Reading directories and what is below them as one request. See calls/tree.c. */

#ifndef IOQ_TREE_H
#define IOQ_TREE_H

#include "calls/directory.h"

/** Run a READ_DIR that has IOQ_TREE in its mode. Sets the result and the payload. */
void ioq_read_tree(struct ioq_entry *entry, struct ioq_scratch *scratch);

#endif // IOQ_TREE_H
