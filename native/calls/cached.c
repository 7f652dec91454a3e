// Copyright 2026 the ioq authors. MIT license.

/**
 * Reading what the page cache has, within a call and straight to where it belongs.
 *
 * A read that a turn submits goes to the core's memory, and from there to its
 * reader's, which may be gone by the time that the kernel writes. Within a
 * synchronous call it is there, so what is cached needs one copy, no entry and no
 * turn. RWF_NOWAIT keeps everything else out: the kernel begins to read ahead what
 * is missing and says EAGAIN, whereupon the read goes the usual way.
 *
 * For regular files only: what is read from anything else is gone, even if it turns
 * out to be too little. And not past the cache (O_DIRECT), which would wait.
 */

#include "calls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int32_t ioq_is_cached(int32_t fd) {
	struct statx buf;
	// A remote server is not asked
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &buf) != 0) {
		return 0;
	}
	bool regular = S_ISREG(buf.stx_mode);
	int flags = fcntl(fd, F_GETFL);
	bool cached = regular && flags >= 0 && !(flags & O_DIRECT);
	// Some that look regular are streams, such as /proc/kmsg
	bool seeks = (regular || S_ISBLK(buf.stx_mode)) && lseek(fd, 0, SEEK_CUR) >= 0;
	bool alone = regular && position_takes_back_writes(fd);
	return (cached ? IOQ_IS_CACHED : 0) | (seeks ? IOQ_HAS_POSITION : 0) | (alone ? IOQ_WRITES_ALONE : 0)
		| (cached && seeks ? cached_write_kind(fd, flags) : 0);
}

int32_t ioq_read_cached(int32_t fd, uint8_t *bytes, uint32_t length, uint32_t offset_low, uint32_t offset_high) {
	bool positional = offset_high != IOQ_NO_OFFSET;
	off_t offset = (off_t)((uint64_t)offset_high << 32 | offset_low);
	uint32_t done = 0;
	// Ends: each round brings at least a byte
	while (done < length) {
		struct iovec rest = {.iov_base = bytes + done, .iov_len = length - done};
		ssize_t ret = preadv2(fd, &rest, 1, positional ? offset + done : -1, RWF_NOWAIT);
		if (ret == 0) {
			break;
		}
		if (ret < 0) {
			int error = errno;
			// The rest is not cached: as if nothing had been read
			if (done > 0 && !positional && lseek(fd, -(off_t)done, SEEK_CUR) < 0) {
				break;
			}
			return -error;
		}
		done += (uint32_t)ret;
	}
	return (int32_t)done;
}

uint32_t ioq_read_ranges(int32_t fd, struct ioq_range *ranges, uint32_t count, uint8_t *bytes, uint32_t room) {
	uint32_t sum = 0;
	for (uint32_t i = 0; i < count; ++i) {
		struct ioq_range *range = &ranges[i];
		if (range->length > room || range->offset_high == IOQ_NO_OFFSET) {
			range->result = -EINVAL;
			continue;
		}
		range->result = ioq_read_cached(fd, bytes, range->length, range->offset_low, range->offset_high);
		sum += range->result > 0 ? (uint32_t)range->result : 0;
		bytes += range->length;
		room -= range->length;
	}
	return sum;
}
