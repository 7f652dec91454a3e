// Copyright 2026 the ioq authors. MIT license.

/**
 * What each operation is to the kernel: the one place that says which fields of an
 * entry go where in an SQE. Memory that one names is the entry's own, or a region.
 */

#include "ring/ring.h"
#include "calls/calls.h"

#include <string.h>

/** Tell the kernel when an entry is due. */
static void sqe_set_due(struct entry *e) {
	e->due_time.tv_sec = e->due / 1000000000;
	e->due_time.tv_nsec = e->due % 1000000000;
}

/** Flags of a timeout, by IOQ_CLOCK_*. */
static const unsigned int clock_flags[IOQ_CLOCK_COUNT] = {
	[IOQ_CLOCK_REALTIME] = IORING_TIMEOUT_REALTIME,
	[IOQ_CLOCK_BOOTTIME] = IORING_TIMEOUT_BOOTTIME,
};

void sqe_write(struct io_uring_sqe *sqe, struct entry *e, bool fixed) {
	fixed = fixed && e->region && e->region->registered;
	// Without an offset of its own an operation uses the file's position
	uint64_t offset = e->positional ? e->offset : (uint64_t)-1;
	switch (e->op) {
	case IOQ_OP_OPEN:
	case IOQ_OP_OPEN_DIR:
		if (e->how.resolve) {
			io_uring_prep_openat2(sqe, e->fd, e->path, &e->how);
		} else {
			io_uring_prep_openat(sqe, e->fd, e->path, entry_open_flags(e), e->mode);
		}
		break;
	case IOQ_OP_CLOSE:
	case IOQ_OP_CLOSE_DIR:
		io_uring_prep_close(sqe, e->fd);
		break;
	case IOQ_OP_STAT:
		io_uring_prep_statx(sqe, e->fd, e->path, (int)e->flags, STATX_MASK, e->statx);
		break;
	case IOQ_OP_READ:
		if (fixed) {
			io_uring_prep_read_fixed(sqe, e->fd, e->payload, e->length, offset, e->region->index);
		} else {
			io_uring_prep_read(sqe, e->fd, e->payload, e->length, offset);
		}
		break;
	case IOQ_OP_WRITE:
		if (fixed) {
			io_uring_prep_write_fixed(sqe, e->fd, e->payload, e->length, offset, e->region->index);
		} else {
			io_uring_prep_write(sqe, e->fd, e->payload, e->length, offset);
		}
		sqe->rw_flags = e->flags & IOQ_SYNC_DATA ? RWF_DSYNC : 0;
		break;
	case IOQ_OP_SYNC:
		io_uring_prep_fsync(sqe, e->fd, e->flags & IOQ_SYNC_DATA ? IORING_FSYNC_DATASYNC : 0);
		break;
	case IOQ_OP_ALLOCATE:
		io_uring_prep_fallocate(sqe, e->fd, (int)e->flags, e->offset, entry_arg64(e));
		break;
	case IOQ_OP_ADVISE:
		io_uring_prep_fadvise(sqe, e->fd, e->offset, e->length, (int)e->flags);
		break;
	case IOQ_OP_UNLINK:
		io_uring_prep_unlinkat(sqe, e->fd, e->path, (int)e->flags);
		break;
	case IOQ_OP_RENAME:
		io_uring_prep_renameat(sqe, e->fd, e->path, e->fd2, e->path2, e->flags);
		break;
	case IOQ_OP_MKDIR:
		io_uring_prep_mkdirat(sqe, e->fd, e->path, e->mode);
		break;
	case IOQ_OP_SYMLINK:
		io_uring_prep_symlinkat(sqe, e->path, e->fd2, e->path2);
		break;
	case IOQ_OP_LINK:
		io_uring_prep_linkat(sqe, e->fd, e->path, e->fd2, e->path2, (int)e->flags);
		break;
	case IOQ_OP_TIMEOUT:
		sqe_set_due(e);
		io_uring_prep_timeout(sqe, &e->due_time, 0, IORING_TIMEOUT_ABS | clock_flags[entry_clock(e)]);
		break;
	case IOQ_OP_POLL:
		io_uring_prep_poll_add(sqe, e->fd, e->flags);
		break;
	case IOQ_OP_SYNC_RANGE:
		io_uring_prep_sync_file_range(sqe, e->fd, e->length, e->offset, (int)e->flags);
		break;
	case IOQ_OP_GET_XATTR:
		if (entry_has_path(e)) {
			io_uring_prep_getxattr(sqe, e->path2, e->payload, e->path, XATTR_MAX);
		} else {
			io_uring_prep_fgetxattr(sqe, e->fd, e->path2, e->payload, XATTR_MAX);
		}
		break;
	case IOQ_OP_SET_XATTR:
		if (entry_has_path(e)) {
			io_uring_prep_setxattr(sqe, e->path2, e->payload, e->path, (int)e->mode, e->length);
		} else {
			io_uring_prep_fsetxattr(sqe, e->fd, e->path2, e->payload, (int)e->mode, e->length);
		}
		break;
	case IOQ_OP_RAW_SQE:
		memcpy(sqe, e->path, sizeof(*sqe));
		break;
	default:
		io_uring_prep_nop(sqe);
		break;
	}
	if (e->punted) {
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	}
	io_uring_sqe_set_data(sqe, e);
}

void sqe_write_link_timeout(struct io_uring_sqe *sqe, struct entry *e) {
	sqe_set_due(e);
	io_uring_prep_link_timeout(sqe, &e->due_time, IORING_TIMEOUT_ABS);
	// The target's completion tells it all
	io_uring_sqe_set_data(sqe, NOT_AN_ENTRY);
}
