// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening, transferring and closing as one request: for thousands of small files
 * the trips to the queue and back would cost more than the transfers.
 *
 * What stat(2) says of a file's size is a hint and no more: files in /proc have
 * none, others grow or shrink meanwhile. The end is where read(2) says it is.
 *
 * Each loop ends when the entry is cancelled.
 */

#include "calls/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Bytes of one copy: how often a cancellation is looked for. */
#define COPY_LENGTH ((size_t)8 << 20)

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
 * Read from a descriptor to its end. Most files are small: those are not even
 * asked for their size, the end is found by a second read.
 */
static int32_t read_to_end(struct entry *entry, int fd) {
	size_t capacity = FIRST_LENGTH;
	size_t length = 0;
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
		ssize_t ret = read(fd, (uint8_t *)entry->payload + length, capacity - length);
		if (ret == 0) {
			entry->payload_length = length;
			return (int32_t)length;
		}
		if (ret < 0 && errno != EINTR) {
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
	int fd = guard_open(entry, entry->fd, entry->path, entry_open_flags(entry), 0, DANGLING_MISSING);
	if (fd < 0) {
		return fd;
	}
	int32_t result = read_to_end(entry, fd);
	close(fd);
	return result;
}

/** Write all of a buffer. */
static int write_all(struct entry *entry, int fd, const uint8_t *bytes, size_t length) {
	size_t done = 0;
	while (done < length) {
		if (entry_is_cancelled(entry)) {
			return -EINTR;
		}
		size_t some = length - done < COPY_LENGTH ? length - done : COPY_LENGTH;
		ssize_t ret = write(fd, bytes + done, some);
		if (ret < 0 && errno != EINTR) {
			return -errno;
		}
		done += ret > 0 ? (size_t)ret : 0;
	}
	return 0;
}

int32_t whole_file_write(struct entry *entry) {
	int fd = guard_open(entry, entry->fd, entry->path, entry_open_flags(entry), entry->mode, DANGLING_MISSING);
	if (fd < 0) {
		return fd;
	}
	int ret = 0;
	// As Deno does: a mode that is given holds for a file that exists, too
	if (entry->args[0] && fchmod(fd, entry->mode) != 0) {
		ret = -errno;
	}
	if (ret == 0) {
		ret = write_all(entry, fd, entry->payload, entry->length);
	}
	// Some file systems report what went wrong only now
	if (close(fd) != 0 && ret == 0 && errno != EINTR) {
		ret = -errno;
	}
	return ret < 0 ? ret : (int32_t)entry->length;
}

/** Copy by way of a buffer, where the kernel cannot do it alone. */
static int copy_by_hand(struct entry *entry, int from, int to) {
	size_t capacity = 256 * 1024;
	uint8_t *bytes = malloc(capacity);
	int ret = bytes ? 0 : -ENOMEM;
	while (ret == 0) {
		ssize_t count = read(from, bytes, capacity);
		if (count == 0) {
			break;
		}
		if (count > 0) {
			ret = write_all(entry, to, bytes, (size_t)count);
		} else if (errno != EINTR || entry_is_cancelled(entry)) {
			ret = -errno;
		}
	}
	free(bytes);
	return ret;
}

/** Copy what is left of one file to another. */
static int copy_contents(struct entry *entry, int from, int to) {
	bool any = false;
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
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return -EINTR;
}

int32_t whole_file_copy(struct entry *entry) {
	int from = guard_open(entry, entry->fd, entry->path, entry_open_flags(entry) | O_RDONLY, 0, DANGLING_MISSING);
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
		to = guard_open(entry, entry->fd2, entry->path2, flags, source.st_mode & 07777, DANGLING_FOLLOWED);
		ret = to < 0 ? to : fstat(to, &target) == 0 ? 0 : -errno;
	}
	if (ret == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino) {
		// Truncating it would destroy what is to be copied
		ret = -IOQ_ESAMEFILE;
	}
	// A device keeps its mode: it is no copy, it only takes the bytes
	if (ret == 0 && S_ISREG(target.st_mode)
			&& (ftruncate(to, 0) != 0 || fchmod(to, source.st_mode & 07777) != 0)) {
		ret = -errno;
	}
	if (ret == 0) {
		ret = copy_contents(entry, from, to);
	}
	if (ret == 0 && entry->args[1]) {
		struct timespec times[2] = {source.st_atim, source.st_mtim};
		ret = futimens(to, times) == 0 ? 0 : -errno;
	}
	if (to >= 0 && close(to) != 0 && ret == 0 && errno != EINTR) {
		ret = -errno;
	}
	close(from);
	return ret;
}
