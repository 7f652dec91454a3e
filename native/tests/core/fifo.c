// Copyright 2026 the ioq authors. MIT license.

#include "fifo.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int make_fifo(const char *name) {
	unlink(name);
	CHECK_EQ(mkfifo(name, 0600), 0);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

/** Unblock whoever waits for a writer of a FIFO. */
static void release_fifo(const char *name) {
	int fd = open(name, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	close(fd);
}

void add_blocked(uint32_t slot, const char *name) {
	unlink(name);
	CHECK_EQ(mkfifo(name, 0600), 0);
	// What waits for a FIFO holds no lane: see readlinkat() in tests/fault.c
	add_path(slot, IOQ_OP_READ_LINK, name);
}

void finish_blocked(uint32_t slot, const char *name) {
	CHECK(q.pending[slot]);
	while (q.pending[slot]) {
		release_fifo(name);
		turn(0);
	}
	CHECK_EQ(q.results[slot].result, -EINVAL);
	CHECK_EQ(unlink(name), 0);
}
