// Copyright 2026 the ioq authors. MIT license.

/** The calls that take no queue: reads of what is cached, and the modes of a terminal. */

#include "tests.h"

#include "../test.h"
#include "ioq.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>

/** Reads of what is cached, which take no queue. */
void test_cached(void) {
	enum { LENGTH = 256 * 1024, BEGIN = 4096 };
	static uint8_t bytes[LENGTH], read_back[2 * LENGTH];
	for (size_t i = 0; i < LENGTH; ++i) {
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	}
	int fd = open("cached", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, bytes, LENGTH), LENGTH);
	CHECK_EQ(ioq_is_cached(fd), IOQ_IS_CACHED | IOQ_HAS_POSITION);

	int32_t ret = ioq_read_cached(fd, read_back, LENGTH, 0, 0);
	if (ret == -EOPNOTSUPP) {
		close(fd);
		SKIP("this file system does not say what is cached");
		return;
	}
	CHECK_EQ(ret, LENGTH);
	CHECK_EQ(memcmp(read_back, bytes, LENGTH), 0);
	// Short only at the end; offsets have two words
	CHECK_EQ(ioq_read_cached(fd, read_back, 2 * LENGTH, BEGIN, 0), LENGTH - BEGIN);
	CHECK_EQ(memcmp(read_back, bytes + BEGIN, LENGTH - BEGIN), 0);
	CHECK_EQ(ioq_read_cached(fd, read_back, 1, 0, 1), 0);
	// None of them has moved the position, which was at the end
	CHECK_EQ(ioq_read_cached(fd, read_back, 1, 0, IOQ_NO_OFFSET), 0);
	CHECK_EQ(lseek(fd, BEGIN, SEEK_SET), BEGIN);
	CHECK_EQ(ioq_read_cached(fd, read_back, 100, 0, IOQ_NO_OFFSET), 100);
	CHECK_EQ(memcmp(read_back, bytes + BEGIN, 100), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), BEGIN + 100);

	// Whatever the kernel keeps of it: all, or as if nothing had been read
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(posix_fadvise(fd, LENGTH / 2, 0, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	ret = ioq_read_cached(fd, read_back, LENGTH, 0, IOQ_NO_OFFSET);
	CHECK(ret == LENGTH || ret == -EAGAIN);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), ret > 0 ? ret : 0);
	close(fd);

	CHECK_EQ(ioq_is_cached(fd), 0);
	CHECK_EQ(ioq_read_cached(fd, read_back, 1, 0, 0), -EBADF);
	int direct = open("cached", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (direct >= 0) {
		CHECK_EQ(ioq_is_cached(direct), IOQ_HAS_POSITION);
		close(direct);
	}
	int pipes[2];
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(ioq_is_cached(pipes[0]), 0);
	close(pipes[0]);
	close(pipes[1]);
	CHECK_EQ(unlink("cached"), 0);
}

/** A terminal's modes, each from any other, and back to what was at first. */
void test_terminal(void) {
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(fd >= 0);
	int file = open("/dev/null", O_RDWR);
	CHECK(file >= 0);
	uint8_t state[IOQ_TERMINAL_STATE + 1] = {0};
	// Not aligned, as JavaScript's bytes may be
	uint8_t *kept = state + 1;
	CHECK_EQ(ioq_is_terminal(fd), 1);
	CHECK_EQ(ioq_is_terminal(file), 0);
	CHECK_EQ(ioq_is_terminal(-1), 0);
	CHECK_EQ(ioq_set_raw(file, IOQ_TERMINAL_RAW, kept), -ENOTTY);
	CHECK_EQ(ioq_set_raw(-1, IOQ_TERMINAL_RAW, kept), -EBADF);
	CHECK_EQ(ioq_set_raw(fd, 99, kept), -EINVAL);
	CHECK_EQ(ioq_set_raw(file, IOQ_TERMINAL_RESTORE, kept), 0);

	struct termios before, now;
	CHECK_EQ(tcgetattr(fd, &before), 0);
	CHECK_EQ(before.c_lflag & (ICANON | ISIG | ECHO), ICANON | ISIG | ECHO);
	for (int round = 0; round < 2; ++round) {
		CHECK_EQ(ioq_set_raw(fd, IOQ_TERMINAL_RAW, kept), 0);
		CHECK_EQ(tcgetattr(fd, &now), 0);
		CHECK_EQ(now.c_lflag & (ICANON | ISIG | ECHO | IEXTEN), 0);
		CHECK_EQ(now.c_iflag & (ICRNL | IXON), 0);
		CHECK_EQ(now.c_oflag, before.c_oflag);
		CHECK_EQ(ioq_set_raw(fd, IOQ_TERMINAL_CBREAK, kept), 0);
		CHECK_EQ(tcgetattr(fd, &now), 0);
		CHECK_EQ(now.c_lflag & (ICANON | ISIG | ECHO), ISIG);
		CHECK_EQ(ioq_set_raw(fd, IOQ_TERMINAL_RESTORE, kept), 0);
		CHECK_EQ(tcgetattr(fd, &now), 0);
		CHECK_EQ(now.c_lflag, before.c_lflag);
		CHECK_EQ(now.c_iflag, before.c_iflag);
	}
	close(file);
	close(fd);
}
