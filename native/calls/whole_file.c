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
#include <unistd.h>

/** Bytes of one write: how often a cancellation is looked for. */
#define COPY_LENGTH ((size_t)8 << 20)
/** Nanoseconds of a read from which on it has waited: asking what is known takes less. */
#define SLOW_READ 50000
/** System calls of one request that may be interrupted though nobody cancels it. */
#define INTERRUPTIONS_MAX 1000

int call_interrupted(struct entry *entry, unsigned int *times) {
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
 * Whether there can be nothing in a file now and something later: a FIFO's. A file with a
 * position that says so has no way to tell when, and is not waited for.
 */
static bool may_wait(const struct entry *entry, int fd) {
	return entry->patience == PATIENCE_WAITS && lseek(fd, 0, SEEK_CUR) < 0;
}

int32_t stream_waits(struct entry *entry, int fd, uint8_t waits_for, uint16_t events) {
	entry->fifo = fd;
	attempt_holds(entry, true);
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
		if (ret == 0 && length == 0 && entry->patience == PATIENCE_WAITS) {
			enum fifo_end end = attempt_fifo_end(fd);
			if (end == FIFO_LACKS_WRITER) {
				return stream_waits(entry, fd, WAITS_READY | WAITS_TIME, POLLIN);
			}
			if (end == FIFO_AGAIN) {
				// A writer that came after the read: what it writes is not to be lost
				continue;
			}
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
		if (ret < 0 && errno == EAGAIN) {
			if (!may_wait(entry, fd)) {
				return -EAGAIN;
			}
			entry->kept = length;
			entry->capacity = capacity;
			return stream_waits(entry, fd, WAITS_READY, POLLIN);
		}
		if (ret < 0 && (errno != EINTR || call_interrupted(entry, &interruptions) != 0)) {
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
		if (ret < 0 && (errno != EINTR || call_interrupted(entry, &interruptions) != 0)) {
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
		if (ret == -EAGAIN && may_wait(entry, fd)) {
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
