// Copyright 2026 the ioq authors. MIT license.

/**
 * Positions
 * =========
 *
 * A read or a write without an offset takes place at the position that the kernel
 * keeps for an open file, and moves it. read(2) and write(2) do both under a lock. A
 * ring does not: a request that is not over when its submission returns (O_DIRECT, a
 * short write whose rest fails, a file system of FUSE's) leaves the position where it
 * was, and the next one reads or overwrites the same bytes. So such a request never
 * goes to a ring, but to a lane.
 *
 * Pipes, sockets, terminals and other character devices are streams: what is read
 * from them is gone, no position tells where it was, and a ring may wait for them.
 */

#include "calls/calls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

bool position_is_kept(int fd) {
	struct statx buf;
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &buf) == 0
		&& (S_ISREG(buf.stx_mode) || S_ISBLK(buf.stx_mode));
}

bool position_may_have_more(int fd, uint64_t offset) {
	struct statx buf;
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &buf) == 0
		&& S_ISREG(buf.stx_mode) && (buf.stx_size == 0 || offset < buf.stx_size);
}

bool position_takes_back_writes(int fd) {
	struct statfs buf;
	return fstatfs(fd, &buf) == 0 && buf.f_type == FUSE_SUPER_MAGIC;
}
