// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening, transferring and closing as one request: for thousands of small files
 * the trips to the queue and back would cost more than the transfers.
 *
 * What stat(2) says of a file's size is a hint and no more: files in /proc have
 * none, others grow or shrink meanwhile. The end is where read(2) says it is.
 *
 * A FIFO or a terminal is read and written without waiting. What would wait is tried again
 * when it need not (calls/attempt.c), and goes on where it was:
 *
 *     entry->fifo      the descriptor, or the FIFO that is to be written, by its name only
 *     entry->streams   which of the two
 *     entry->kept      bytes that were transferred
 *
 * Each loop ends when the entry is cancelled, and when a file system interrupts it again
 * and again of its own accord.
 */

#include "calls/calls.h"

#include "waits/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/** Bytes of one copy: how often a cancellation is looked for. */
#define COPY_LENGTH ((size_t)8 << 20)
/** Bytes that the names of extended attributes have at most, and the value of one. */
#define XATTR_LENGTH ((size_t)65536)
/** Bytes of one copy by way of a buffer. */
#define HAND_LENGTH ((size_t)256 * 1024)
/** Nanoseconds of a read from which on it has waited: asking what is known takes less. */
#define SLOW_READ 50000
/** System calls of one request that may be interrupted though nobody cancels it. */
#define INTERRUPTIONS_MAX 1000

/**
 * A system call was interrupted.
 *
 * @return 0 to make it once more, or -EINTR.
 */
static int interrupted(struct entry *entry, unsigned int *times) {
	if (!entry_is_cancelled(entry) && ++*times < INTERRUPTIONS_MAX) {
		return 0;
	}
	// Not all of it once more: it may have created the file
	entry->retries = UINT8_MAX;
	return -EINTR;
}

/**
 * Make room for more of a file than the first buffer holds.
 *
 * @return 0 or -errno; the entry keeps what it has.
 */
static int grow(struct entry *entry, int fd, size_t length, size_t *capacity) {
	size_t wanted = 2 * *capacity;
	if (*capacity == FIRST_LENGTH) {
		struct stat sb;
		if (fstat(fd, &sb) != 0) {
			return -errno;
		}
		size_t limit = entry->length > 0 ? entry->length : IOQ_TRANSFER_MAX;
		if (sb.st_size > (off_t)limit) {
			return -EFBIG;
		}
		if ((size_t)sb.st_size >= wanted) {
			// One more, so that the end is found without growing
			wanted = (size_t)sb.st_size + 1;
		}
	}
	// What is made on the fly has no size, and may have no end
	size_t most = entry->args[0] > 0 ? entry->args[0] : IOQ_TRANSFER_MAX;
	if (length > most) {
		return -EFBIG;
	}
	// It may be read again from its beginning, which a pipe may not
	if (entry->length > 0 && length > entry->length && lseek(fd, 0, SEEK_CUR) >= 0) {
		return -EFBIG;
	}
	uint8_t *more;
	if (entry->pooled) {
		more = malloc(wanted);
		if (more) {
			memcpy(more, entry->payload, length);
			free(entry->payload);
			entry->pooled = false;
		}
	} else {
		more = realloc(entry->payload, wanted);
	}
	if (!more) {
		return -ENOMEM;
	}
	entry->payload = more;
	*capacity = wanted;
	return 0;
}

/**
 * Whether a file is known to have no more than what was read of it. The kernel says what
 * it knows, without asking whoever has the file: it has just asked, since more was to be
 * read than there is. Another read would have it ask once more.
 */
static bool is_all(int fd, size_t length) {
	struct statx known;
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &known) == 0
		&& S_ISREG(known.stx_mode) && known.stx_size == length;
}

/**
 * A stream has nothing to read, or no room, for now.
 *
 * @return What the request's result is for now.
 */
static int32_t stream_waits(struct entry *entry, int fd, uint8_t waits_for, uint16_t events) {
	entry->fifo = fd;
	entry->streams = true;
	return entry_waits(entry, waits_for, events);
}

/**
 * Read from a descriptor to its end. Most files are small: those are not even
 * asked for their size, the end is found by a second read. Where reading takes long,
 * even that is spared.
 */
static int32_t read_to_end(struct entry *entry, int fd) {
	size_t capacity = entry->kept > 0 ? entry->capacity : FIRST_LENGTH;
	size_t length = entry->kept;
	unsigned int interruptions = 0;
	if (!entry->payload) {
		// Not the owner's doing: a lane that goes on alone
		entry->payload = malloc(capacity);
		if (!entry->payload) {
			return -ENOMEM;
		}
	}
	while (true) {
		if (entry_is_cancelled(entry)) {
			return -EINTR;
		}
		int64_t begun = clock_now(IOQ_CLOCK_MONOTONIC);
		ssize_t ret = read(fd, (uint8_t *)entry->payload + length, capacity - length);
		if (ret == 0 && length == 0 && entry->patience == PATIENCE_WAITS && attempt_lacks_writer(fd)) {
			return stream_waits(entry, fd, WAITS_READY | WAITS_TIME, POLLIN);
		}
		bool is_end = ret == 0;
		if (ret > 0 && (size_t)ret < capacity - length
				&& clock_now(IOQ_CLOCK_MONOTONIC) - begun > SLOW_READ) {
			is_end = is_all(fd, length + (size_t)ret);
			length += is_end ? (size_t)ret : 0;
		}
		if (is_end) {
			entry->payload_length = length;
			return (int32_t)length;
		}
		if (ret < 0 && errno == EAGAIN && entry->patience == PATIENCE_WAITS) {
			entry->kept = length;
			entry->capacity = capacity;
			return stream_waits(entry, fd, WAITS_READY, POLLIN);
		}
		if (ret < 0 && (errno != EINTR || interrupted(entry, &interruptions) != 0)) {
			return -errno;
		}
		length += ret > 0 ? (size_t)ret : 0;
		if (length == capacity) {
			int error = grow(entry, fd, length, &capacity);
			if (error != 0) {
				return error;
			}
		}
	}
}

int32_t whole_file_read(struct entry *entry) {
	int fd = entry->fifo;
	entry->fifo = -1;
	if (fd < 0) {
		fd = attempt_open_whole(entry, entry->fd, entry->path, entry_open_flags(entry), 0, DANGLING_MISSING);
	}
	if (fd < 0) {
		return fd;
	}
	int32_t result = read_to_end(entry, fd);
	if (entry->fifo < 0) {
		close(fd);
	}
	return result;
}

/**
 * Write all of a buffer. Ends: each round brings at least a byte, or is a retry of it.
 *
 * @param progress How many bytes are written already, and then are.
 */
static int write_on(struct entry *entry, int fd, const uint8_t *bytes, size_t length, size_t *progress) {
	size_t done = *progress;
	unsigned int interruptions = 0;
	while (done < length) {
		if (entry_is_cancelled(entry)) {
			return -EINTR;
		}
		size_t some = length - done < COPY_LENGTH ? length - done : COPY_LENGTH;
		ssize_t ret = write(fd, bytes + done, some);
		if (ret < 0 && (errno != EINTR || interrupted(entry, &interruptions) != 0)) {
			return -errno;
		}
		if (ret == 0) {
			// A file system that takes nothing would be asked for ever
			return -EIO;
		}
		done += ret > 0 ? (size_t)ret : 0;
		*progress = done;
	}
	return 0;
}

int write_all(struct entry *entry, int fd, const uint8_t *bytes, size_t length) {
	size_t progress = 0;
	return write_on(entry, fd, bytes, length, &progress);
}

/**
 * Have what was written reach the device, and its name as well.
 *
 * @return 0 or -errno.
 */
static int make_durable(const struct entry *entry, int fd) {
	if (fsync(fd) != 0) {
		// Pipes and terminals have nothing to sync
		return errno == EINVAL || errno == EROFS ? 0 : -errno;
	}
	return replace_sync_folder(entry);
}

int32_t whole_file_write(struct entry *entry) {
	if (entry->args[1] & IOQ_WRITE_ATOMIC) {
		return replace_write(entry);
	}
	bool goes_on = entry->streams;
	int fd = entry->fifo;
	if (goes_on) {
		entry->fifo = -1;
	} else {
		fd = attempt_open_whole(entry, entry->fd, entry->path, entry_open_flags(entry), entry->mode, DANGLING_MISSING);
		if (fd < 0) {
			return fd;
		}
	}
	int ret = 0;
	// As Deno does: a mode that is given holds for a file that exists, too
	if (!goes_on && entry->args[0] && fchmod(fd, entry->mode) != 0) {
		ret = -errno;
	}
	if (ret == 0) {
		size_t before = entry->kept;
		ret = write_on(entry, fd, entry->payload, entry->length, &entry->kept);
		if (ret == -EAGAIN && entry->patience == PATIENCE_WAITS) {
			entry->pause = entry->kept > before ? 0 : entry->pause;
			// There may be room, though not for what must be written at once
			return stream_waits(entry, fd, WAITS_READY | WAITS_TIME, POLLOUT);
		}
	}
	if (ret == 0 && entry->args[1] & IOQ_WRITE_DURABLE) {
		ret = make_durable(entry, fd);
	}
	// Some file systems report what went wrong only now
	if (close(fd) != 0 && ret == 0 && errno != EINTR) {
		ret = -errno;
	}
	return ret < 0 ? ret : (int32_t)entry->length;
}

/** Copy by way of a buffer, where the kernel cannot do it alone. */
static int copy_by_hand(struct entry *entry, int from, int to) {
	size_t capacity = HAND_LENGTH;
	uint8_t *bytes = malloc(capacity);
	int ret = bytes ? 0 : -ENOMEM;
	unsigned int interruptions = 0;
	while (ret == 0) {
		ssize_t count = read(from, bytes, capacity);
		if (count == 0) {
			break;
		}
		if (count > 0) {
			ret = write_all(entry, to, bytes, (size_t)count);
		} else {
			ret = errno == EINTR ? interrupted(entry, &interruptions) : -errno;
		}
	}
	free(bytes);
	return ret;
}

/** Copy what is left of one file to another. */
static int copy_contents(struct entry *entry, int from, int to) {
	bool any = false;
	unsigned int interruptions = 0;
	while (!entry_is_cancelled(entry)) {
		ssize_t ret = copy_file_range(from, NULL, to, NULL, COPY_LENGTH, 0);
		if (ret == 0 && any) {
			return 0;
		}
		if (ret > 0) {
			any = true;
		} else if (ret == 0 || (!any && errno != ENOSPC && errno != EIO && errno != EINTR)) {
			// Other file systems, files in /proc that seem empty, old kernels
			return copy_by_hand(entry, from, to);
		} else if (errno != EINTR || interrupted(entry, &interruptions) != 0) {
			return -errno;
		}
	}
	return -EINTR;
}

/**
 * Copy a part of one file to the same place in another.
 *
 * @return 0 or -errno; also if the source has become shorter meanwhile.
 */
static int copy_part(struct entry *entry, int from, int to, off64_t at, off64_t end) {
	bool by_hand = false;
	uint8_t *bytes = NULL;
	int ret = 0;
	unsigned int interruptions = 0;
	while (at < end && ret == 0) {
		if (entry_is_cancelled(entry)) {
			ret = -EINTR;
			break;
		}
		off64_t in = at, out = at;
		size_t length = (size_t)(end - at) < COPY_LENGTH ? (size_t)(end - at) : COPY_LENGTH;
		ssize_t count;
		if (!by_hand) {
			count = copy_file_range(from, &in, to, &out, length, 0);
			if (count < 0 && errno != ENOSPC && errno != EIO && errno != EINTR) {
				// Other file systems, old kernels
				by_hand = true;
				bytes = malloc(HAND_LENGTH);
				ret = bytes ? 0 : -ENOMEM;
				continue;
			}
		} else {
			count = pread(from, bytes, length < HAND_LENGTH ? length : HAND_LENGTH, at);
			for (ssize_t done = 0; done < count;) {
				ssize_t written = pwrite(to, bytes + done, (size_t)(count - done), at + done);
				if (written == 0) {
					errno = EIO;
				}
				if (written == 0 || (written < 0 && (errno != EINTR || interrupted(entry, &interruptions) != 0))) {
					count = -1;
					break;
				}
				done += written > 0 ? written : 0;
			}
		}
		if (count == 0) {
			break;
		}
		if (count > 0) {
			at += count;
		} else {
			ret = errno == EINTR ? interrupted(entry, &interruptions) : -errno;
		}
	}
	free(bytes);
	return ret;
}

/** Copy a file that has holes, which stay holes. */
static int copy_sparse(struct entry *entry, int from, int to, off64_t size) {
	off64_t at = 0;
	while (at < size) {
		off64_t data = lseek(from, at, SEEK_DATA);
		if (data < 0) {
			if (errno == ENXIO) {
				break;
			}
			return -errno;
		}
		off64_t hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0) {
			return -errno;
		}
		int ret = copy_part(entry, from, to, data, hole < size ? hole : size);
		if (ret != 0) {
			return ret;
		}
		at = hole;
	}
	return ftruncate(to, size) == 0 ? 0 : -errno;
}

int copy_xattrs(int from, int to) {
	char *names = malloc(2 * XATTR_LENGTH);
	if (!names) {
		return -ENOMEM;
	}
	char *value = names + XATTR_LENGTH;
	ssize_t length = flistxattr(from, names, XATTR_LENGTH);
	int ret = length < 0 && errno != ENOTSUP ? -errno : 0;
	for (char *name = names; ret == 0 && name < names + length; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(from, name, value, XATTR_LENGTH);
		if (size < 0) {
			ret = errno == ENODATA || errno == EPERM ? 0 : -errno;
		} else if (fsetxattr(to, name, value, (size_t)size, 0) != 0 && errno != ENOTSUP && errno != EPERM) {
			ret = -errno;
		}
	}
	free(names);
	return ret;
}

/** Give a copy what is asked for of its original: owner, permission bits, attributes, times. */
static int copy_attributes(struct entry *entry, int from, int to, const struct stat *source) {
	uint32_t what = entry->args[1];
	mode_t mode = source->st_mode & 07777;
	// Another's program with these bits would run as whoever has copied it
	bool is_ours = what & IOQ_COPY_OWNER;
	if (is_ours && fchown(to, source->st_uid, source->st_gid) != 0) {
		if (errno != EPERM) {
			return -errno;
		}
		is_ours = false;
	}
	if (!is_ours && what & IOQ_COPY_NO_SET_ID) {
		mode &= 01777;
	}
	// Changing the owner has taken the bits away
	if (fchmod(to, mode) != 0) {
		return -errno;
	}
	if (what & IOQ_COPY_XATTRS) {
		int ret = copy_xattrs(from, to);
		if (ret != 0) {
			return ret;
		}
	}
	struct timespec times[2] = {source->st_atim, source->st_mtim};
	return what & IOQ_COPY_TIMES && futimens(to, times) != 0 ? -errno : 0;
}

/** Give a directory the attributes of another one. */
static int32_t copy_directory(struct entry *entry) {
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int from = openat(entry->fd, entry->path, flags);
	if (from < 0) {
		return -errno;
	}
	int ret = 0;
	struct stat source;
	int to = openat(entry->fd2, entry->path2, flags);
	if (to < 0 || fstat(from, &source) != 0) {
		ret = -errno;
	} else {
		ret = copy_attributes(entry, from, to, &source);
	}
	if (to >= 0) {
		close(to);
	}
	close(from);
	return ret;
}

/**
 * Copy what is left of a file to a FIFO, whose reader takes it when it likes.
 *
 * @return 0, -errno, or what entry_waits() gives: both are kept then.
 */
static int32_t copy_to_stream(struct entry *entry, int from, int to) {
	unsigned int interruptions = 0;
	while (true) {
		if (entry_is_cancelled(entry)) {
			return -EINTR;
		}
		ssize_t ret = splice(from, NULL, to, NULL, HAND_LENGTH, SPLICE_F_NONBLOCK);
		if (ret == 0) {
			return 0;
		}
		if (ret < 0 && errno == EAGAIN) {
			entry->source = from;
			return stream_waits(entry, to, WAITS_READY | WAITS_TIME, POLLOUT);
		}
		if (ret < 0 && errno == EINVAL) {
			// What is made on the fly has no pages to hand over
			fcntl(to, F_SETFL, 0);
			return copy_by_hand(entry, from, to);
		}
		if (ret < 0 && (errno != EINTR || interrupted(entry, &interruptions) != 0)) {
			return -errno;
		}
		entry->pause = 0;
	}
}

/** Go on copying to a FIFO. */
static int32_t copy_on(struct entry *entry) {
	int from = entry->source, to = entry->fifo;
	entry->source = entry->fifo = -1;
	int32_t ret = copy_to_stream(entry, from, to);
	if (entry->fifo < 0) {
		close(from);
		close(to);
	}
	return ret;
}

int32_t whole_file_copy(struct entry *entry) {
	if (entry->args[1] & IOQ_COPY_DIRECTORY) {
		return copy_directory(entry);
	}
	if (entry->streams) {
		return copy_on(entry);
	}
	// What might wait for its other end is not copied, but for its contents
	int from_flags = entry_open_flags(entry) | O_RDONLY;
	int from = guard_open(entry, entry->fd, entry->path, from_flags | O_NONBLOCK, 0, DANGLING_MISSING);
	if (from == -EWOULDBLOCK) {
		from = guard_open(entry, entry->fd, entry->path, from_flags, 0, DANGLING_MISSING);
	}
	if (from < 0) {
		return from;
	}
	struct stat source = {0}, target = {0};
	int to = -1;
	int ret = 0;
	if (fstat(from, &source) != 0) {
		ret = -errno;
	}
	if (ret == 0 && !S_ISREG(source.st_mode)) {
		ret = -IOQ_ENOTREG;
	}
	if (ret == 0) {
		int flags = (int)entry->args[0] | O_WRONLY | O_CREAT | O_CLOEXEC;
		mode_t mode = source.st_mode & (entry->args[1] & IOQ_COPY_NO_SET_ID ? 01777 : 07777);
		to = attempt_open_whole(entry, entry->fd2, entry->path2, flags, mode, DANGLING_FOLLOWED);
		if (to < 0 && (entry->waits_for || to == -IOQ_EWAITS)) {
			close(from);
			return to;
		}
		ret = to < 0 ? to : fstat(to, &target) == 0 ? 0 : -errno;
	}
	if (ret == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino) {
		// Truncating it would destroy what is to be copied
		ret = -IOQ_ESAMEFILE;
	}
	// A device keeps its mode: it is no copy, it only takes the bytes. And what is empty
	// is not truncated: some file systems write such a file out when it is closed
	bool is_copy = S_ISREG(target.st_mode);
	if (ret == 0 && S_ISFIFO(target.st_mode) && entry->patience == PATIENCE_WAITS) {
		ret = copy_to_stream(entry, from, to);
		if (entry->fifo < 0) {
			close(from);
			close(to);
		}
		return ret;
	}
	if (ret == 0 && is_copy && target.st_size > 0 && ftruncate(to, 0) != 0) {
		ret = -errno;
	}
	if (ret == 0) {
		bool has_holes = is_copy && (off64_t)source.st_blocks * 512 < source.st_size;
		ret = has_holes ? copy_sparse(entry, from, to, source.st_size) : copy_contents(entry, from, to);
	}
	if (ret == 0 && is_copy) {
		ret = copy_attributes(entry, from, to, &source);
	}
	if (to >= 0 && close(to) != 0 && ret == 0 && errno != EINTR) {
		ret = -errno;
	}
	close(from);
	return ret;
}
