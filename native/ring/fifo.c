// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening FIFOs
 * =============
 *
 * open(2) of a FIFO waits for the other end. A ring first tries everything without
 * waiting, as if O_NONBLOCK were given, and takes what comes of it:
 *
 *     to read    open at once, although there may be no writer
 *     to write   ENXIO if there is no reader
 *
 * So such an open is run again, on a thread of the kernel's that waits as it should
 * (IOSQE_ASYNC). What was opened to read is kept until then: a writer that it let in
 * would find the FIFO without a reader, and die of it.
 *
 * All other files pay for this with one lseek(2), which a FIFO refuses.
 */

#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/** Whether a descriptor is that of a FIFO. */
static bool is_fifo(int fd) {
	struct stat sb;
	return lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE && fstat(fd, &sb) == 0 && S_ISFIFO(sb.st_mode);
}

bool fifo_waits(struct entry *entry) {
	if (entry->op != IOQ_OP_OPEN || entry->punted || (entry->flags & O_NONBLOCK) || entry_is_cancelled(entry)) {
		return false;
	}
	bool reads = (entry->flags & O_ACCMODE) == O_RDONLY && entry->result >= 0 && is_fifo(entry->result);
	bool writes = (entry->flags & O_ACCMODE) == O_WRONLY && entry->result == -ENXIO;
	if (reads) {
		entry->fifo = entry->result;
	}
	entry->punted = reads || writes;
	return entry->punted;
}
