// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening files for requests that are guarded: what is in /proc, /sys and /dev takes all
 * permissions, whatever symbolic links lead there.
 */

#ifndef IOQ_GUARD_H
#define IOQ_GUARD_H

#include "queue/entry.h"

/** What becomes of a symbolic link that leads to nothing. */
enum ioq_dangling {
	/** It is as if it was missing, also for whoever would create the file. */
	IOQ_DANGLING_MISSING,
	/** The file that it names is created, where files are. */
	IOQ_DANGLING_FOLLOWED,
};

/**
 * openat(2), for guarded entries with a look at where the path leads. What must not be
 * opened is neither created nor truncated.
 *
 * @return A descriptor, or -errno, or -IOQ_ESPECIAL.
 */
int ioq_guarded_open(const struct ioq_entry *entry, int fd, const char *path, int flags,
	mode_t mode, enum ioq_dangling dangling);

#endif // IOQ_GUARD_H
