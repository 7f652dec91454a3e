// Copyright 2026 the ioq authors. MIT license.

/** Reading directories and what is below them as one request. See calls/tree.c. */

#ifndef IOQ_TREE_H
#define IOQ_TREE_H

#include "calls/directory.h"

/** One request being run. */
struct tree {
	/** The request. */
	struct ioq_entry *entry;
	/** Where names, types, stats and records are gathered. */
	struct ioq_scratch *scratch;
	/** When to begin no other directory, in nanoseconds. */
	uint64_t deadline;
};

/** Whether another directory may be begun. */
bool tree_has_budget(const struct tree *tree);

/** A record of those that were appended. The array moves when it grows. */
struct ioq_tree_directory *tree_record(const struct tree *tree, size_t index);

/** Append a record. Returns 0 or -ENOMEM. */
int tree_append_record(struct tree *tree, int32_t parent, int32_t error);

/** Remove the directories that the request names. See calls/remove_tree.c. Returns 0 or -errno. */
int tree_remove_all(struct tree *tree);

/** Run a READ_DIR that has IOQ_TREE in its mode. Sets the result and the payload. */
void ioq_read_tree(struct ioq_entry *entry, struct ioq_scratch *scratch);

#endif // IOQ_TREE_H
