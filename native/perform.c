// Copyright 2026 the ioq authors. MIT license.

/**
 * The synchronous way: what a worker lane does with operations that a ring does
 * not have, or that are faster without one, or when there is no ring at all.
 */

#include "perform.h"

#include <errno.h>
#include <unistd.h>

/** A system call's result as an entry keeps it. */
static int32_t settled(long ret) {
	return ret < 0 ? -errno : (int32_t)ret;
}

/** Run an entry once. */
static int32_t perform(struct ioq_entry *e, struct ioq_scratch *scratch) {
	off_t offset = (off_t)e->offset;
	switch (e->op) {
	case IOQ_OP_NOP:
		return 0;
	case IOQ_OP_KERNEL_NOP:
		// The cheapest call that does enter the kernel
		getppid();
		return 0;
	case IOQ_OP_OPEN:
	case IOQ_OP_OPEN_DIR:
		return settled(openat(e->fd, e->path, ioq_entry_open_flags(e), e->mode));
	case IOQ_OP_CLOSE:
	case IOQ_OP_CLOSE_DIR:
		return settled(close(e->fd));
	case IOQ_OP_STAT:
		return settled(statx(e->fd, e->path, (int)e->flags, IOQ_STATX_MASK, e->statx));
	case IOQ_OP_READ:
		return settled(e->positional ? pread(e->fd, e->payload, e->length, offset)
			: read(e->fd, e->payload, e->length));
	case IOQ_OP_WRITE:
		return settled(e->positional ? pwrite(e->fd, e->payload, e->length, offset)
			: write(e->fd, e->payload, e->length));
	case IOQ_OP_READ_DIR:
		ioq_read_dir(e, scratch);
		return e->result;
	case IOQ_OP_READ_DIR_BLOCK:
		ioq_read_dir_block(e, scratch);
		return e->result;
	default:
		return -ENOSYS;
	}
}

void ioq_perform(struct ioq_entry *entry, struct ioq_scratch *scratch) {
	int ret = ioq_entry_reserve(entry);
	if (ret != 0) {
		entry->result = ret;
		return;
	}
	do {
		entry->result = ioq_entry_is_cancelled(entry) ? -EINTR : perform(entry, scratch);
	} while (!ioq_entry_settle(entry));
}
