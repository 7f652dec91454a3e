// Copyright 2026 the ioq authors. MIT license.

/** Reading directories and what is below them as one request. See calls/tree.c. */

#ifndef IOQ_TREE_H
#define IOQ_TREE_H

#include "calls/directory.h"

/** Run a READ_DIR that has IOQ_TREE in its mode. Sets the result and the payload. */
void tree_read(struct entry *entry, struct scratch *scratch);

#endif // IOQ_TREE_H
