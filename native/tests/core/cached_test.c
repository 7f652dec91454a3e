// Copyright 2026 the ioq authors. MIT license.

/** The calls that take no turn: transfers of what is cached, and the modes of a terminal. */

#include "tests.h"

#include "../test.h"
#include "ioq.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>

/** What is told of a descriptor's writes. */
#define WRITES (IOQ_WRITES_CACHED | IOQ_WRITES_TO_MEMORY | IOQ_WRITES_TELL)

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
	CHECK_EQ(ioq_is_cached(fd) & ~WRITES, IOQ_IS_CACHED | IOQ_HAS_POSITION);

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
		CHECK_EQ(fcntl(direct, F_SETFL, 0), 0);
		CHECK_EQ(ioq_is_cached(direct), IOQ_IS_CACHED | IOQ_HAS_POSITION);
		close(direct);
	}
	int pipes[2];
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(ioq_is_cached(pipes[0]), 0);
	close(pipes[0]);
	close(pipes[1]);
	CHECK_EQ(unlink("cached"), 0);
}

/** Write so much at an offset, or to the end. */
static int32_t put(struct ioq *ioq, int fd, uint32_t flags, uint32_t length, uint32_t offset, uint32_t high) {
	static const uint8_t bytes[IOQ_WRITE_CACHED_MAX + 1] = {1, 2, 3};
	return ioq_write_cached(ioq, fd, flags | (uint32_t)ioq_is_cached(fd), bytes, length, offset, high);
}

/** Writes into the cache, which take no turn. */
void test_write_cached(void) {
	enum { PAGE = 65536, LENGTH = 10000 };
	int fd = open("written", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	if (!(ioq_is_cached(fd) & IOQ_WRITES_CACHED)) {
		close(fd);
		unlink("written");
		SKIP("no writes are done at once on this file system");
		return;
	}
	struct ioq_info info;
	struct ioq *ioq = ioq_open(&(struct ioq_options) {.depth = 1, .lanes = 1}, &info);
	CHECK(ioq);
	// It may not be time, but then nothing is written
	int32_t ret = put(ioq, fd, 0, LENGTH, 1, 0);
	CHECK(ret == LENGTH || ret == -EAGAIN);
	struct stat buf;
	CHECK_EQ(fstat(fd, &buf), 0);
	CHECK_EQ(buf.st_size, ret > 0 ? LENGTH + 1 : 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	ret = put(ioq, fd, IOQ_WRITE_CONTINUES, 1, 1, 1);
	CHECK(ret == 1 || ret == -EAGAIN);
	CHECK_EQ(fstat(fd, &buf), 0);
	CHECK(ret < 0 || buf.st_size == (off_t)UINT32_MAX + 3);
	// The rest of a page may have to be read
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	ret = put(ioq, fd, 0, 10, PAGE - 20, 0);
	CHECK(ret == 10 || ret == -EAGAIN);
	CHECK_EQ(put(ioq, fd, 0, IOQ_WRITE_CACHED_MAX + 1, 0, 0), -EINVAL);
	CHECK_EQ(ioq_write_cached(ioq, fd, IOQ_IS_CACHED, (const uint8_t *)"", 1, 0, 0), -EINVAL);

	// What waits for the device, whoever says so
	int syncs = open("written", O_WRONLY | O_DSYNC | O_CLOEXEC);
	CHECK(syncs >= 0);
	CHECK_EQ(ioq_is_cached(syncs) & WRITES, 0);
	close(syncs);
	int appends = open("written", O_WRONLY | O_APPEND | O_CLOEXEC);
	CHECK(appends >= 0);
	CHECK_EQ(fstat(fd, &buf), 0);
	ret = put(ioq, appends, 0, 10, 0, IOQ_NO_OFFSET);
	CHECK(ret == 10 || ret == -EAGAIN);
	CHECK_EQ(lseek(appends, 0, SEEK_END), buf.st_size + (ret > 0 ? ret : 0));
	close(appends);
	close(fd);
	CHECK_EQ(ioq_close(ioq), 0);
	CHECK_EQ(unlink("written"), 0);
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
