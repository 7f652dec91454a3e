// Copyright 2026 the ioq authors. MIT license.

/**
 * Writing into the page cache, within a call and straight from where the bytes are.
 *
 * A turn and a lane cost several times what it takes to copy a few pages. But a write
 * that waits would hold up the owner's thread, and most file systems cannot be told not
 * to (RWF_NOWAIT). So a write is done here only if nothing that usually makes one wait
 * is in sight:
 *
 *     kind        a file system of ours known to write into the cache, not opened, mounted
 *                 or marked to write through it
 *     edges       a page that is written in part is cached, or there is none yet; the
 *                 kernel would read it
 *     dirty       the system has so little to write back that nobody is slowed down for
 *                 it, which begins at a certain share of the memory
 *     experience  none has been slow of late. One that is keeps the others away for many
 *                 times as long as it took, whatever the reason (a journal that is full, a
 *                 frozen file system, a lock of another program's), so that they hold up
 *                 the thread for a small share of its time at the most
 *
 * Everything else goes the usual way, as does what fails: nothing of it was written.
 */

#include "calls/calls.h"

#include "waits/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/** Not in linux/magic.h. */
#define XFS_MAGIC 0x58465342

/** Nanoseconds of a write from which on it was slow. */
#define SLOW_WRITE 2000000
/** How many times as long as it took there is none. */
#define SLOW_SHARE 20
/** Bytes that are written between two looks at what is dirty. */
#define LOOK_LENGTH (4 * 1024 * 1024)
/** Nanoseconds between them, at the most. */
#define LOOK_INTERVAL 250000000
/** Bytes of /proc/vmstat that have what is looked for. */
#define VMSTAT_LENGTH 8192

/** cachestat(2), which the C library has yet to learn. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct cachestat_range_args {
	uint64_t offset;
	uint64_t length;
};

struct cachestat_result {
	uint64_t cached;
	uint64_t dirty;
	uint64_t written_back;
	uint64_t evicted;
	uint64_t recently_evicted;
};

int32_t cached_write_kind(int fd, int flags) {
	struct statfs buf;
	if ((flags & O_ACCMODE) == O_RDONLY || flags & (O_DIRECT | O_DSYNC) || fstatfs(fd, &buf) != 0
			|| buf.f_flags & ST_SYNCHRONOUS) {
		return 0;
	}
	int32_t kind;
	switch (buf.f_type) {
	case TMPFS_MAGIC:
		return IOQ_WRITES_CACHED | IOQ_WRITES_TO_MEMORY;
	case EXT4_SUPER_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
		kind = IOQ_WRITES_CACHED;
		break;
	case XFS_MAGIC:
	case BTRFS_SUPER_MAGIC:
		kind = IOQ_WRITES_CACHED | IOQ_WRITES_TELL;
		break;
	default:
		return 0;
	}
	int marks;
	bool syncs = ioctl(fd, FS_IOC_GETFLAGS, &marks) == 0 && marks & FS_SYNC_FL;
	return syncs ? 0 : kind;
}

/** The number behind a name of /proc/vmstat, which begins a line. */
static bool find_number(const char *text, const char *name, uint64_t *number) {
	const char *at = strstr(text, name);
	if (!at) {
		return false;
	}
	*number = strtoull(at + strlen(name), NULL, 10);
	return true;
}

/** Whether nobody is slowed down because there is much to be written back, or will be soon. */
static bool is_little_dirty(void) {
	int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	char text[VMSTAT_LENGTH];
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	uint64_t dirty, most, background;
	if (!find_number(text, "\nnr_dirty ", &dirty) || !find_number(text, "\nnr_dirty_threshold ", &most)
			|| !find_number(text, "\nnr_dirty_background_threshold ", &background)) {
		return false;
	}
	// Writers are slowed down from the middle of the two on
	return dirty < (3 * background + most) / 4;
}

/** Whether there is time to write so many bytes, as far as the system tells. */
static bool may_dirty(struct cached_writes *writes, uint32_t length, int64_t now) {
	if (writes->left < length || now > writes->look_at) {
		writes->look_at = now + LOOK_INTERVAL;
		writes->left = is_little_dirty() ? LOOK_LENGTH : 0;
	}
	if (writes->left < length) {
		// Looked at again when there is time
		writes->left = 0;
		writes->after = writes->look_at;
		return false;
	}
	writes->left -= length;
	return true;
}

/** Whether a page is cached. */
static bool is_page_cached(int fd, uint64_t offset, uint64_t page) {
	struct cachestat_range_args range = {.offset = offset, .length = page};
	struct cachestat_result result;
	if (syscall(SYS_cachestat, fd, &range, &result, 0) == 0) {
		return result.cached > 0;
	}
	// A kernel without it; a file that may be read as well tells
	char byte;
	struct iovec one = {.iov_base = &byte, .iov_len = 1};
	return preadv2(fd, &one, 1, (off_t)offset, RWF_NOWAIT) == 1;
}

/**
 * Whether no page is to be read before it is written in part.
 *
 * @param offset
 *         NULL for the end of the file.
 * @param continues
 *         Whether the byte before is cached: it was written last.
 */
static bool are_edges_cached(int fd, const uint64_t *offset, uint32_t length, bool continues) {
	if (!offset && continues) {
		return true;
	}
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct statx buf;
	if (!offset) {
		if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &buf) != 0) {
			return false;
		}
		return buf.stx_size % page == 0 || is_page_cached(fd, buf.stx_size & ~(page - 1), page);
	}
	uint64_t end = *offset + length;
	uint64_t first = *offset & ~(page - 1);
	uint64_t last = end & ~(page - 1);
	bool reads_first = first != *offset && !continues;
	bool reads_last = last != end && (last != first || first == *offset);
	if (!reads_first && !reads_last) {
		return true;
	}
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &buf) != 0) {
		return false;
	}
	return (!reads_first || first >= buf.stx_size || is_page_cached(fd, first, page))
		&& (!reads_last || last >= buf.stx_size || is_page_cached(fd, last, page));
}

int32_t cached_write(struct cached_writes *writes, int fd, uint32_t kind, const struct iovec *bytes,
		const uint64_t *offset) {
	int64_t begun = clock_now(IOQ_CLOCK_MONOTONIC);
	if (begun < writes->after) {
		return -EAGAIN;
	}
	uint32_t length = (uint32_t)bytes->iov_len;
	bool tells = kind & IOQ_WRITES_TELL;
	if (!tells && !(kind & IOQ_WRITES_TO_MEMORY)) {
		bool continues = kind & IOQ_WRITE_CONTINUES;
		if (!are_edges_cached(fd, offset, length, continues) || !may_dirty(writes, length, begun)) {
			return -EAGAIN;
		}
	}
	ssize_t ret = pwritev2(fd, bytes, 1, offset ? (off_t)*offset : -1, tells ? RWF_NOWAIT : 0);
	int32_t result = ret < 0 ? -errno : (int32_t)ret;
	int64_t took = clock_now(IOQ_CLOCK_MONOTONIC) - begun;
	if (took > SLOW_WRITE) {
		writes->after = begun + took + SLOW_SHARE * took;
	}
	return result;
}
