// Copyright 2026 the ioq authors. MIT license.

/**
 * Attempts
 * ========
 *
 * Some operations wait for somebody else: a lock for its holder, a read of a pipe for
 * a writer, the open of a FIFO for its other end. A lane that slept in one of those
 * would be of no use to anyone, for as long as it takes. So they are tried without
 * waiting, and what was tried in vain says what it waits for:
 *
 *     lane: attempt ──▶ done
 *              │ ▲
 *       in vain│ │ready, or time for another one
 *              ▼ │
 *             waits   (waits/waits.c, with the queue's owner)
 *
 * O_NONBLOCK is part of the open file, which others may share, so it is never set on
 * a descriptor that somebody knows. What does without it:
 *
 *     flock      LOCK_NB
 *     transfers  poll(2) first, then RWF_NOWAIT, or MSG_DONTWAIT for sockets; where
 *                neither is known, no more than poll(2) promised to take
 *     opens      O_NONBLOCK is given, and taken away before anybody sees the descriptor
 *     splice     poll(2) of both ends, then SPLICE_F_NONBLOCK
 *     whole      O_NONBLOCK is given, and stays: nobody but the request sees the
 *     files      descriptor. What it has transferred is kept while it waits
 *
 * FIFOs as fifo(7) has them: open(2) to read without waiting succeeds although there
 * is no writer, and to write it fails with ENXIO if there is no reader. The reader
 * keeps what it opened, so that a writer finds it, and waits until there is data or a
 * hang-up, which epoll tells, or a writer that has written nothing, which only tee(2)
 * can tell: EAGAIN with a writer, 0 without. The writer holds on to the inode with
 * O_PATH, and opens that again from time to time.
 */

#include "calls/calls.h"

#include "waits/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/** Bytes that a pipe takes at once when poll(2) says that it takes any. */
#define SURE_LENGTH 4096
/** FIFOs that may be held whatever the limit of descriptors is. */
#define HELD_MIN 16

/** A system call's result as an entry keeps it. */
static int32_t settled(long ret) {
	return ret < 0 ? -errno : (int32_t)ret;
}

int32_t attempt_lock(struct entry *e) {
	bool waits = !(e->flags & (LOCK_NB | LOCK_UN)) && e->patience != PATIENCE_BLOCKS;
	e->released = bell_released();
	int32_t result = settled(flock(e->fd, (int)(e->flags | (waits ? LOCK_NB : 0))));
	if (result == 0 && !(e->flags & LOCK_EX)) {
		// Others may get what this one let go of
		bell_ring(e->fd);
	}
	if (result != -EWOULDBLOCK || !waits) {
		return result;
	}
	struct stat sb;
	if (fstat(e->fd, &sb) != 0) {
		return -errno;
	}
	e->lock_device = sb.st_dev;
	e->lock_inode = sb.st_ino;
	return entry_waits(e, WAITS_LOCK | WAITS_TIME, 0);
}

/** Whether a descriptor has a position: those that have none may wait for others. */
static bool has_position(int fd) {
	return lseek(fd, 0, SEEK_CUR) >= 0 || errno != ESPIPE;
}

/** Whether a descriptor is not to wait by its owner's wish. */
static bool is_nonblocking(int fd) {
	int flags = fcntl(fd, F_GETFL);
	return flags < 0 || (flags & O_NONBLOCK);
}

/** Whether a descriptor is ready. Errors count: whoever tries is told. */
static bool is_ready(int fd, short events) {
	struct pollfd pollfd = {.fd = fd, .events = events};
	return poll(&pollfd, 1, 0) != 0;
}

/** Whether a kernel does not know how to do without waiting here. */
static bool is_unknown(int error) {
	return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
}

/** Read what there is. */
static ssize_t read_now(struct entry *e) {
	struct iovec iov = {.iov_base = e->payload, .iov_len = e->length};
	ssize_t ret = preadv2(e->fd, &iov, 1, -1, RWF_NOWAIT);
	if (ret < 0 && is_unknown(errno)) {
		ret = recv(e->fd, e->payload, e->length, MSG_DONTWAIT);
		if (ret < 0 && errno == ENOTSOCK) {
			ret = read(e->fd, e->payload, e->length);
		}
	}
	return ret;
}

/** Write what fits. */
static ssize_t write_now(struct entry *e) {
	uint8_t *bytes = (uint8_t *)e->payload + e->done;
	size_t length = e->length - e->done;
	struct iovec iov = {.iov_base = bytes, .iov_len = length};
	ssize_t ret = pwritev2(e->fd, &iov, 1, -1, RWF_NOWAIT);
	if (ret < 0 && is_unknown(errno)) {
		ret = send(e->fd, bytes, length, MSG_DONTWAIT);
		if (ret < 0 && errno == ENOTSOCK) {
			ret = write(e->fd, bytes, length < SURE_LENGTH ? length : SURE_LENGTH);
		}
	}
	return ret;
}

int32_t attempt_read(struct entry *e) {
	if (e->patience == PATIENCE_BLOCKS || e->length == 0 || has_position(e->fd) || is_nonblocking(e->fd)) {
		return settled(read(e->fd, e->payload, e->length));
	}
	if (is_ready(e->fd, POLLIN)) {
		ssize_t ret = read_now(e);
		if (ret >= 0 || errno != EAGAIN) {
			return settled(ret);
		}
	}
	return entry_waits(e, WAITS_READY, POLLIN);
}

int32_t write_part(const struct entry *e, off_t offset) {
	if (e->flags & IOQ_SYNC_DATA) {
		struct iovec part = {.iov_base = e->payload, .iov_len = e->length};
		return settled(pwritev2(e->fd, &part, 1, offset, RWF_DSYNC));
	}
	return settled(offset < 0 ? write(e->fd, e->payload, e->length) : pwrite(e->fd, e->payload, e->length, offset));
}

int32_t attempt_write(struct entry *e) {
	if (e->patience == PATIENCE_BLOCKS || e->length == 0 || has_position(e->fd) || is_nonblocking(e->fd)) {
		return write_part(e, -1);
	}
	if (e->patience == PATIENCE_FAILS) {
		// Whoever has it wait writes all of it
		return entry_waits(e, WAITS_READY, POLLOUT);
	}
	// Ends: each round writes at least a byte
	while (e->done < e->length) {
		if (e->done > 0 && entry_is_cancelled(e)) {
			break;
		}
		if (!is_ready(e->fd, POLLOUT)) {
			return entry_waits(e, WAITS_READY, POLLOUT);
		}
		ssize_t ret = write_now(e);
		if (ret < 0 && errno == EAGAIN) {
			// Room, but not for all of it at once, which up to PIPE_BUF it must be
			return entry_waits(e, WAITS_READY | WAITS_TIME, POLLOUT);
		}
		if (ret < 0) {
			return e->done > 0 ? (int32_t)e->done : -errno;
		}
		e->done += (uint32_t)ret;
	}
	return (int32_t)e->done;
}

int32_t attempt_splice(struct entry *e) {
	bool waits = e->patience != PATIENCE_BLOCKS && !(e->flags & SPLICE_F_NONBLOCK);
	if (waits && (!is_ready(e->fd, POLLIN) || !is_ready(e->fd2, POLLOUT))) {
		return entry_waits(e, WAITS_READY, is_ready(e->fd, POLLIN) ? POLLOUT : POLLIN);
	}
	off64_t from = (off64_t)e->offset;
	off64_t to = (off64_t)entry_arg64(e);
	ssize_t ret = splice(e->fd, e->positional ? &from : NULL, e->fd2, e->args[2] ? &to : NULL, e->length,
		e->flags | (waits ? SPLICE_F_NONBLOCK : 0));
	if (ret < 0 && errno == EAGAIN && waits) {
		// Another one was there first
		return entry_waits(e, WAITS_READY | WAITS_TIME, is_ready(e->fd, POLLIN) ? POLLOUT : POLLIN);
	}
	return settled(ret);
}

/** FIFOs that requests hold while they wait, of all queues: the limit is the process's. */
static atomic_uint fifos_held;

void attempt_holds(struct entry *entry, bool holds) {
	if (entry->holds != holds) {
		entry->holds = holds;
		atomic_fetch_add_explicit(&fifos_held, holds ? 1 : UINT_MAX, memory_order_relaxed);
	}
}

bool attempt_any_held(void) {
	return atomic_load_explicit(&fifos_held, memory_order_relaxed) > 0;
}

bool attempt_is_crowded(void) {
	unsigned int held = atomic_load_explicit(&fifos_held, memory_order_relaxed);
	struct rlimit limit;
	return held >= HELD_MIN && getrlimit(RLIMIT_NOFILE, &limit) == 0 && held >= limit.rlim_cur / 2;
}

/** Whether a descriptor is that of a FIFO. */
static bool is_fifo(int fd) {
	struct stat sb;
	return fstat(fd, &sb) == 0 && S_ISFIFO(sb.st_mode);
}

/** Whether a FIFO that is open to be read has a writer, or data, or had either. */
static bool has_writer(int fd) {
	if (is_ready(fd, POLLIN)) {
		return true;
	}
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		// Found out later, then
		return false;
	}
	bool writer = tee(fd, ends[1], 1, SPLICE_F_NONBLOCK) != 0;
	close(ends[0]);
	close(ends[1]);
	return writer;
}

enum fifo_end attempt_fifo_end(int fd) {
	if (!is_fifo(fd)) {
		return FIFO_ENDED;
	}
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	if (poll(&pollfd, 1, 0) > 0) {
		return pollfd.revents & POLLIN ? FIFO_AGAIN : FIFO_ENDED;
	}
	return has_writer(fd) ? FIFO_AGAIN : FIFO_LACKS_WRITER;
}

bool attempt_is_fifo(int dir, const char *path) {
	struct stat sb;
	return fstatat(dir, path, &sb, 0) == 0 && S_ISFIFO(sb.st_mode);
}

/**
 * Whether a FIFO is not to be opened to be read before others are through: too many are, or
 * there was no descriptor. It is not opened to see whether there is a writer, who would be
 * let in and left alone.
 *
 * @param full Whether that is so.
 */
static bool stands_in_line(int dir, const char *path, int flags, bool full) {
	return full && (flags & O_ACCMODE) == O_RDONLY && attempt_is_fifo(dir, path);
}

/** Hand out what was opened without waiting, as if it had been opened the usual way. */
static int32_t open_done(struct entry *e, int fd) {
	fcntl(fd, F_SETFL, entry_open_flags(e));
	return fd;
}

/** A FIFO that is open to be read waits for its writer. */
static int32_t await_writer(struct entry *e) {
	if (!has_writer(e->fifo)) {
		return entry_waits(e, WAITS_READY | WAITS_TIME, POLLIN);
	}
	int fd = e->fifo;
	e->fifo = -1;
	attempt_holds(e, false);
	return open_done(e, fd);
}

/** A FIFO that is to be written waits for its reader. Returns what does not wait. */
static int32_t await_reader(struct entry *e, int flags) {
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e->fifo);
	int fd = open(path, (flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		entry_close_fifo(e);
		return fd;
	}
	return errno == ENXIO ? entry_waits(e, WAITS_TIME, 0) : -errno;
}

/** Keep a FIFO that nobody reads by its name. Returns what awaiting its reader does. */
static int32_t keep_writer(struct entry *e, int dir, const char *path, int flags, enum dangling dangling) {
	int fd = guard_open(e, dir, path, O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW), 0, dangling);
	if (fd < 0) {
		return fd;
	}
	if (!is_fifo(fd)) {
		close(fd);
		return -ENXIO;
	}
	e->fifo = fd;
	return await_reader(e, flags);
}

int32_t attempt_open_whole(struct entry *e, int dir, const char *path, int flags, mode_t mode, enum dangling dangling) {
	if (e->fifo >= 0) {
		return await_reader(e, flags);
	}
	if (e->patience == PATIENCE_BLOCKS) {
		return guard_open(e, dir, path, flags, mode, dangling);
	}
	if (e->patience == PATIENCE_FAILS) {
		return attempt_is_fifo(dir, path) ? entry_waits(e, WAITS_TIME, 0) : guard_open(e, dir, path, flags, mode, dangling);
	}
	if (stands_in_line(dir, path, flags, attempt_is_crowded())) {
		return entry_waits(e, WAITS_TIME, 0);
	}
	int fd = guard_open(e, dir, path, flags | O_NONBLOCK, mode, dangling);
	if (fd == -EWOULDBLOCK) {
		// Somebody has a lease, and is to give it back
		return guard_open(e, dir, path, flags, mode, dangling);
	}
	if (stands_in_line(dir, path, flags, fd == -EMFILE && attempt_any_held())) {
		return entry_waits(e, WAITS_TIME, 0);
	}
	return fd == -ENXIO && (flags & O_ACCMODE) == O_WRONLY ? keep_writer(e, dir, path, flags, dangling) : fd;
}

/** Open what the path names. Returns a descriptor or -errno. */
static int open_usual(const struct entry *e, int flags) {
	return guard_open(e, e->fd, e->path, flags, e->mode, DANGLING_MISSING);
}

int32_t attempt_open(struct entry *e) {
	int flags = entry_open_flags(e);
	int access = flags & O_ACCMODE;
	if (e->fifo >= 0) {
		if (access == O_RDONLY) {
			return await_writer(e);
		}
		int32_t reader = await_reader(e, flags);
		return reader < 0 ? reader : open_done(e, reader);
	}
	if (e->patience == PATIENCE_BLOCKS || access == O_RDWR || (flags & (O_NONBLOCK | O_DIRECTORY | O_PATH))
			|| (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
		return open_usual(e, flags);
	}
	if (e->patience == PATIENCE_FAILS) {
		// Before anything is open: a writer that were let in would be left alone
		struct stat sb;
		bool waits = fstatat(e->fd, e->path, &sb, flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) == 0
			&& S_ISFIFO(sb.st_mode);
		return waits ? entry_waits(e, WAITS_TIME, 0) : open_usual(e, flags);
	}
	if (stands_in_line(e->fd, e->path, flags, attempt_is_crowded())) {
		return entry_waits(e, WAITS_TIME, 0);
	}
	int fd = open_usual(e, flags | O_NONBLOCK);
	if (fd == -EWOULDBLOCK) {
		// Somebody has a lease, and is to give it back
		return open_usual(e, flags);
	}
	if (stands_in_line(e->fd, e->path, flags, fd == -EMFILE && attempt_any_held())) {
		return entry_waits(e, WAITS_TIME, 0);
	}
	if (fd == -ENXIO && access == O_WRONLY) {
		fd = keep_writer(e, e->fd, e->path, flags, DANGLING_MISSING);
		return fd < 0 ? fd : open_done(e, fd);
	}
	if (fd < 0) {
		return fd;
	}
	if (access == O_RDONLY && !has_position(fd) && is_fifo(fd)) {
		e->fifo = fd;
		attempt_holds(e, true);
		return await_writer(e);
	}
	return open_done(e, fd);
}
