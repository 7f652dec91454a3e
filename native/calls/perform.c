// Copyright 2026 the ioq authors. MIT license.

/**
 * The synchronous way: what a worker lane does with operations that a ring does
 * not have, or that are faster without one, or when there is no ring at all.
 */

#include "calls/calls.h"
#include "queue/ranges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/** A system call's result as an entry keeps it. */
static int32_t settled(long ret) {
	return ret < 0 ? -errno : (int32_t)ret;
}

/** Give an entry a payload of its own. */
static int32_t keep(struct entry *e, const void *bytes, size_t length) {
	e->payload = malloc(length);
	if (!e->payload) {
		return -ENOMEM;
	}
	memcpy(e->payload, bytes, length);
	e->payload_length = length;
	return 0;
}

static int32_t perform_seek(struct entry *e) {
	off_t offset = lseek(e->fd, (off_t)e->offset, (int)e->flags);
	return offset < 0 ? -errno : keep(e, &offset, sizeof(offset));
}

static int32_t perform_read_link(struct entry *e) {
	char target[IOQ_PATH_MAX + 1];
	ssize_t length = readlinkat(e->fd, e->path, target, sizeof(target));
	return length < 0 ? -errno : keep(e, target, (size_t)length);
}

static int32_t perform_real_path(struct entry *e) {
	char *path;
	if (e->fd == AT_FDCWD || e->path[0] == '/') {
		path = realpath(e->path, NULL);
	} else {
		// No call takes a directory for this; its descriptor has a name, though
		char *relative;
		if (asprintf(&relative, "/proc/self/fd/%d/%s", e->fd, e->path) < 0) {
			return -ENOMEM;
		}
		path = realpath(relative, NULL);
		int error = errno;
		free(relative);
		errno = error;
	}
	if (!path) {
		return -errno;
	}
	int32_t ret = keep(e, path, strlen(path));
	free(path);
	return ret;
}

static int32_t perform_utime(struct entry *e) {
	struct timespec times[2] = {
		{.tv_sec = (time_t)e->offset, .tv_nsec = e->args[2]},
		{.tv_sec = (time_t)entry_arg64(e), .tv_nsec = e->args[3]},
	};
	return settled(entry_has_path(e) ? utimensat(e->fd, e->path, times, (int)e->flags) : futimens(e->fd, times));
}

/** As Deno does, a path is opened for it, and a symbolic link refused. */
static int32_t truncate_path(const struct entry *e) {
	// What could wait for its other end is nothing to truncate
	int fd = openat(e->fd, e->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int32_t ret = settled(ftruncate(fd, (off_t)e->offset));
	close(fd);
	return ret;
}

/** Run an entry that changes a file's attributes or length, or asks for them. */
static int32_t perform_on_inode(struct entry *e) {
	bool path = entry_has_path(e);
	switch (e->op) {
	case IOQ_OP_TRUNCATE:
		return path ? truncate_path(e) : settled(ftruncate(e->fd, (off_t)e->offset));
	case IOQ_OP_ALLOCATE:
		return settled(fallocate(e->fd, (int)e->flags, (off_t)e->offset, (off_t)entry_arg64(e)));
	case IOQ_OP_CHMOD:
		return settled(path ? fchmodat(e->fd, e->path, e->mode, 0) : fchmod(e->fd, e->mode));
	case IOQ_OP_CHOWN:
		return settled(path ? fchownat(e->fd, e->path, e->args[0], e->args[1], (int)e->flags)
			: fchown(e->fd, e->args[0], e->args[1]));
	case IOQ_OP_UTIME:
		return perform_utime(e);
	case IOQ_OP_ACCESS:
		return settled(faccessat(e->fd, e->path, (int)e->mode, (int)e->flags));
	case IOQ_OP_LOCK:
		return attempt_lock(e);
	case IOQ_OP_SYNC:
		return settled(e->flags & IOQ_SYNC_DATA ? fdatasync(e->fd) : fsync(e->fd));
	case IOQ_OP_ADVISE:
		// It returns its error
		return -posix_fadvise(e->fd, (off_t)e->offset, e->length, (int)e->flags);
	default:
		return -ENOSYS;
	}
}

/** Remove a name. What is said of a directory's counts, unless it is none. */
static int32_t perform_unlink(struct entry *e) {
	e->result = settled(unlinkat(e->fd, e->path, (int)e->flags));
	if (!entry_finds_directory(e)) {
		return e->result;
	}
	int32_t result = settled(unlinkat(e->fd, e->path, AT_REMOVEDIR));
	return result == -ENOTDIR ? e->result : result;
}

/** Run an entry that changes names. */
static int32_t perform_on_names(struct entry *e) {
	switch (e->op) {
	case IOQ_OP_UNLINK:
		return perform_unlink(e);
	case IOQ_OP_RENAME:
		return settled(renameat2(e->fd, e->path, e->fd2, e->path2, e->flags));
	case IOQ_OP_MKDIR:
		return settled(mkdirat(e->fd, e->path, e->mode));
	case IOQ_OP_SYMLINK:
		// The target is no path that is looked up: its directory counts for nothing
		return settled(symlinkat(e->path, e->fd2, e->path2));
	case IOQ_OP_LINK:
		return settled(linkat(e->fd, e->path, e->fd2, e->path2, (int)e->flags));
	case IOQ_OP_READ_LINK:
		return perform_read_link(e);
	case IOQ_OP_REAL_PATH:
		return perform_real_path(e);
	default:
		return perform_on_inode(e);
	}
}

/** copy_file_range(2), each side at its own position unless it has an offset. */
static int32_t perform_copy_range(struct entry *e) {
	off64_t from = (off64_t)e->offset;
	off64_t to = (off64_t)entry_arg64(e);
	return settled(copy_file_range(e->fd, e->positional ? &from : NULL, e->fd2,
			e->args[2] ? &to : NULL, e->length, 0));
}

/** Run an operation on the extended attributes of a path, or of what it links to. */
static long path_xattr(struct entry *e, const char *path, bool follow) {
	switch (e->op) {
	case IOQ_OP_GET_XATTR:
		return (follow ? getxattr : lgetxattr)(path, e->path2, e->payload, XATTR_MAX);
	case IOQ_OP_SET_XATTR:
		return (follow ? setxattr : lsetxattr)(path, e->path2, e->payload, e->length, (int)e->mode);
	case IOQ_OP_LIST_XATTR:
		return (follow ? listxattr : llistxattr)(path, e->payload, XATTR_MAX);
	default:
		return (follow ? removexattr : lremovexattr)(path, e->path2);
	}
}

/** Run one on those of a descriptor. */
static long fd_xattr(struct entry *e) {
	switch (e->op) {
	case IOQ_OP_GET_XATTR:
		return fgetxattr(e->fd, e->path2, e->payload, XATTR_MAX);
	case IOQ_OP_SET_XATTR:
		return fsetxattr(e->fd, e->path2, e->payload, e->length, (int)e->mode);
	case IOQ_OP_LIST_XATTR:
		return flistxattr(e->fd, e->payload, XATTR_MAX);
	default:
		return fremovexattr(e->fd, e->path2);
	}
}

/** Run one on those of whatever it is about. */
static int32_t perform_xattr(struct entry *e) {
	bool follow = !(e->flags & AT_SYMLINK_NOFOLLOW);
	if (!entry_has_path(e)) {
		return settled(fd_xattr(e));
	}
	if (e->fd == AT_FDCWD || e->path[0] == '/') {
		return settled(path_xattr(e, e->path, follow));
	}
	// Calls relative to a directory came with 6.13; the way around them is as old
	// as descriptors that stand for a name only
	int fd = openat(e->fd, e->path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0) {
		return -errno;
	}
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int32_t result = settled(path_xattr(e, path, true));
	close(fd);
	return result;
}

/** Read ranges, one after the other. */
static int32_t perform_ranges(struct entry *e) {
	struct ioq_range *ranges = ranges_of(e);
	uint8_t *bytes = ranges_bytes(e);
	for (uint32_t i = 0; i < e->range_count && !entry_is_cancelled(e); bytes += ranges[i++].length) {
		ranges[i].result = settled(pread(e->fd, bytes, ranges[i].length, (off_t)range_offset(&ranges[i])));
	}
	return ranges_result(e);
}

/** Run an entry once. */
static int32_t perform_once(struct entry *e, struct scratch *scratch) {
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
		return attempt_open(e);
	case IOQ_OP_CLOSE:
	case IOQ_OP_CLOSE_DIR:
		return settled(close(e->fd));
	case IOQ_OP_STAT:
		return settled(statx(e->fd, e->path, (int)e->flags, STATX_MASK, e->statx));
	case IOQ_OP_READ:
		return e->positional ? settled(pread(e->fd, e->payload, e->length, offset)) : attempt_read(e);
	case IOQ_OP_WRITE:
		return e->positional ? write_part(e, offset) : attempt_write(e);
	case IOQ_OP_READ_DIR:
		if ((e->mode & IOQ_TREE) && (e->mode & (IOQ_TREE_LINES | IOQ_TREE_TOTAL))) {
			report_read(e, scratch);
		} else if (e->mode & IOQ_TREE) {
			tree_read(e, scratch);
		} else {
			directory_read(e, scratch);
		}
		return e->result;
	case IOQ_OP_READ_DIR_BLOCK:
		directory_read_block(e, scratch);
		return e->result;
	case IOQ_OP_SEEK:
		return perform_seek(e);
	case IOQ_OP_COPY_RANGE:
		return perform_copy_range(e);
	case IOQ_OP_SPLICE:
		return attempt_splice(e);
	case IOQ_OP_SYNC_RANGE:
		return settled(sync_file_range(e->fd, (off64_t)e->offset, e->length, e->flags));
	case IOQ_OP_GET_XATTR:
	case IOQ_OP_SET_XATTR:
	case IOQ_OP_LIST_XATTR:
	case IOQ_OP_REMOVE_XATTR:
		return perform_xattr(e);
	case IOQ_OP_READ_FILE:
		return whole_file_read(e);
	case IOQ_OP_READ_RANGES:
		return perform_ranges(e);
	case IOQ_OP_WRITE_FILE:
		return whole_file_write(e);
	case IOQ_OP_COPY_FILE:
		return whole_file_copy(e);
	case IOQ_OP_REPLACE_BEGIN:
		return replace_begin(e);
	case IOQ_OP_REPLACE_END:
		return replace_end(e);
	default:
		return perform_on_names(e);
	}
}

void perform(struct entry *entry, struct scratch *scratch) {
	int ret = entry_reserve(entry);
	if (ret != 0) {
		entry->result = ret;
		return;
	}
	entry->waits_for = 0;
	do {
		entry->result = entry_is_cancelled(entry) ? -EINTR : perform_once(entry, scratch);
	} while (!entry->waits_for && !entry_settle(entry));
}
