// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening files by a ring
 * =======================
 *
 * A ring first opens a file without waiting, as if O_NONBLOCK were given, with what
 * is cached of its path; if that will not do, a thread of the kernel's goes on. There
 * are few of those, and each stays with the open of a FIFO until its other end comes.
 * So the ring gets only what it can do at once (RESOLVE_CACHED, 5.12), and the lanes
 * have the rest:
 *
 *     EAGAIN      not cached
 *     a FIFO      open to be read, although there may be no writer
 *     ENXIO       a FIFO to be written, perhaps, that has no reader
 *
 * All files to be read pay for this with one lseek(2), which a FIFO refuses.
 */

#include "ring/ring.h"

#include "calls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/** What openat2(2), which refuses what openat(2) overlooks, takes like that. */
#define KNOWN_FLAGS (O_ACCMODE | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | O_APPEND | O_NOATIME | O_DIRECT \
	| O_SYNC | O_DSYNC | O_NONBLOCK | O_LARGEFILE | O_NOCTTY)

/** Whether a descriptor is that of a FIFO. */
static bool is_fifo(int fd) {
	struct stat sb;
	return lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE && fstat(fd, &sb) == 0 && S_ISFIFO(sb.st_mode);
}

bool ring_open_takes(const struct entry *entry) {
	int flags = entry_open_flags(entry);
	if ((flags & O_ACCMODE) == O_RDONLY && attempt_is_crowded()) {
		// It may be one more FIFO
		return false;
	}
	return !(flags & ~KNOWN_FLAGS) && (flags & O_ACCMODE) != O_ACCMODE;
}

void ring_open_how(struct entry *entry, bool cached) {
	entry->how = (struct open_how) {
		.flags = (uint64_t)entry_open_flags(entry),
		.resolve = cached ? RESOLVE_CACHED : 0,
	};
}

bool ring_open_leaves(struct entry *entry) {
	if (!entry_is_open(entry) || entry_is_cancelled(entry)) {
		return false;
	}
	if (entry->how.resolve && entry->result == -EAGAIN) {
		return true;
	}
	if (entry->op != IOQ_OP_OPEN || (entry->flags & O_NONBLOCK)) {
		return false;
	}
	int access = (int)entry->flags & O_ACCMODE;
	if (access == O_RDONLY && entry->result >= 0 && is_fifo(entry->result)) {
		// Kept: a writer that it let in would find the FIFO without a reader
		entry->fifo = entry->result;
		attempt_holds(entry, true);
		return true;
	}
	return access == O_WRONLY && entry->result == -ENXIO;
}
