// Copyright 2026 the ioq authors. MIT license.

/** Operations on files, each on whatever lane it runs. */

#include "tests.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/** A file from its creation to its end. */
void test_file(const void *config) {
	open_queue(config, 8, 2);
	int fd = open_by_queue(0, "file", O_RDWR | O_CREAT | O_TRUNC);
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	struct stat sb;
	CHECK_EQ(fstat(fd, &sb), 0);
	CHECK_EQ(sb.st_mode & 0777, 0600);

	// Two writes at the file's position; what was staged is copied
	uint8_t bytes[] = "hello, world";
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes, 7), 0);
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes, 7), -EINVAL);
	memset(bytes, 'x', 7);
	add_fd(1, IOQ_OP_WRITE, fd);
	CHECK_EQ(result_of(1), 7);
	// No ring moves the position reliably
	CHECK(q.results[1].lane != IOQ_LANE_RING);
	CHECK_EQ(q.results[1].flags, 0);
	CHECK_EQ(q.results[1].payload_length, 0);
	CHECK_EQ(ioq_stage(q.ioq, 1, bytes + 7, 5), 0);
	// The length is that of the staged bytes, whatever this says
	add_fd(1, IOQ_OP_WRITE, fd)->length = 1000;
	CHECK_EQ(result_of(1), 5);
	// Nothing staged: nothing written
	add_fd(1, IOQ_OP_WRITE, fd);
	CHECK_EQ(result_of(1), 0);

	// Reads: from an offset, more than there is, at the end
	add_read(2, fd, 5)->hints = IOQ_HINT_OFFSET;
	q.turn.requests[0].offset_low = 7;
	CHECK_EQ(result_of(2), 5);
	check_lane(2);
	CHECK_EQ(q.results[2].flags, IOQ_COMPLETION_HELD);
	CHECK_EQ(q.results[2].payload_length, 5);
	uint8_t got[64] = {0};
	CHECK_EQ(ioq_take(q.ioq, 2, got, sizeof(got)), 5);
	CHECK(memcmp(got, "world", 6) == 0);
	CHECK_EQ(ioq_take(q.ioq, 2, got, sizeof(got)), -EINVAL);
	CHECK_EQ(ioq_release(q.ioq, 2), -EINVAL);

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	add_read(2, fd, 1000);
	CHECK_EQ(result_of(2), 12);
	// Taken in part, the rest is gone
	CHECK_EQ(ioq_take(q.ioq, 2, got, 4), 4);
	CHECK_EQ(ioq_take(q.ioq, 2, got, 4), -EINVAL);
	add_read(2, fd, 1000);
	CHECK_EQ(result_of(2), 0);
	CHECK_EQ(q.results[2].flags, 0);
	add_read(2, fd, 0);
	CHECK_EQ(result_of(2), 0);
	CHECK_EQ(ioq_release(q.ioq, 2), -EINVAL);

	// A held payload keeps its slot, and is released once
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	add_read(2, fd, 1000);
	CHECK_EQ(result_of(2), 12);
	add(2, IOQ_OP_KERNEL_NOP);
	CHECK_EQ(turn(0), 1);
	CHECK_EQ(q.results[2].result, -EINVAL);
	CHECK_EQ(ioq_stage(q.ioq, 2, bytes, 1), -EINVAL);
	CHECK_EQ(ioq_release(q.ioq, 2), 0);
	CHECK_EQ(ioq_release(q.ioq, 2), -EINVAL);
	CHECK_EQ(ioq_take(q.ioq, 2, got, 4), -EINVAL);

	// Beyond 4 GiB, where it takes both words
	CHECK_EQ(ioq_stage(q.ioq, 3, (const uint8_t *)"end", 3), 0);
	struct ioq_request *request = add_fd(3, IOQ_OP_WRITE, fd);
	request->hints = IOQ_HINT_OFFSET;
	request->offset_low = 5;
	request->offset_high = 2;
	CHECK_EQ(result_of(3), 3);
	CHECK_EQ(fstat(fd, &sb), 0);
	CHECK_EQ(sb.st_size, ((int64_t)2 << 32) + 8);
	request = add_read(3, fd, 10);
	request->hints = IOQ_HINT_OFFSET;
	request->offset_low = 6;
	request->offset_high = 2;
	CHECK_EQ(result_of(3), 2);
	CHECK_EQ(ioq_take(q.ioq, 3, got, 10), 2);
	CHECK(memcmp(got, "nd", 2) == 0);

	// Older than 1970
	struct timespec times[] = {{.tv_sec = -1000, .tv_nsec = 5}, {.tv_sec = -2000, .tv_nsec = 7}};
	CHECK_EQ(futimens(fd, times), 0);
	add_path(4, IOQ_OP_STAT, "file")->flags = AT_SYMLINK_NOFOLLOW;
	check_stat(wait_slot(4), "file");
	check_lane(4);
	add_path(4, IOQ_OP_STAT, "/dev/null");
	check_stat(wait_slot(4), "/dev/null");
	request = add_fd(4, IOQ_OP_STAT, fd);
	request->flags = AT_EMPTY_PATH;
	check_stat(wait_slot(4), "file");

	close_by_queue(0, fd);
	check_lane(0);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	CHECK_EQ(unlink("file"), 0);

	// Closing releases what was staged or is held
	CHECK_EQ(ioq_stage(q.ioq, 5, bytes, 5), 0);
	CHECK_EQ(ioq_stage(q.ioq, 6, bytes, 0), 0);
	CHECK_EQ(ioq_release(q.ioq, 6), 0);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	add_read(6, fd, 100000);
	// Short if the kernel has news for the ring meanwhile
	CHECK(result_of(6) > 0);
	close(fd);
	close_queue();
}

/** Extended attributes, of a path and of a descriptor. */
void test_xattrs(const void *config) {
	if (setxattr("plain", "user.ioq", "", 0, 0) != 0) {
		SKIP("this file system has no extended attributes");
	}
	open_queue(config, 8, 1);
	int fd = open("plain", O_RDONLY | O_CLOEXEC);
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 4; ++i) {
		CHECK_EQ(ioq_stage(q.ioq, 0, (const uint8_t *)"value", 5), 0);
		struct ioq_request *request = i & 1 ? add_fd(0, IOQ_OP_SET_XATTR, fd) : add_path(0, IOQ_OP_SET_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		set_path2(request, "user.ioq");
		CHECK_EQ(result_of(0), 0);
		if (i != 2) {
			check_lane(0);
		}
		CHECK_EQ(q.results[0].payload_length, 0);
		request = i & 1 ? add_fd(1, IOQ_OP_GET_XATTR, fd) : add_path(1, IOQ_OP_GET_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		set_path2(request, "user.ioq");
		CHECK_EQ(result_of(1), 5);
		CHECK_EQ(q.results[1].payload_length, 5);
		CHECK(memcmp(q.output + q.results[1].payload, "value", 5) == 0);
		request = i & 1 ? add_fd(2, IOQ_OP_LIST_XATTR, fd) : add_path(2, IOQ_OP_LIST_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		CHECK(result_of(2) >= 9);
		request = i & 1 ? add_fd(3, IOQ_OP_REMOVE_XATTR, fd) : add_path(3, IOQ_OP_REMOVE_XATTR, "plain");
		request->fd = i == 2 ? dir : request->fd;
		set_path2(request, "user.ioq");
		CHECK_EQ(result_of(3), 0);
		set_path2(add_fd(1, IOQ_OP_GET_XATTR, fd), "user.ioq");
		CHECK_EQ(result_of(1), -ENODATA);
	}
	close(dir);
	close(fd);
	close_queue();
}

/** Bytes through a pipe, and to the device. */
void test_splice(const void *config) {
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	open_queue(config, 8, 1);
	int fd = open_by_queue(0, "spliced", O_RDWR | O_CREAT | O_TRUNC);
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	struct ioq_request *request = add_fd(1, IOQ_OP_SPLICE, fd);
	request->fd2 = ends[1];
	request->hints = IOQ_HINT_OFFSET;
	request->offset_low = 6;
	request->length = 100;
	CHECK_EQ(result_of(1), 4);
	// Not by a ring: the kernel would have a thread wait for the pipe
	CHECK_EQ(q.results[1].lane, IOQ_LANE_WORKER);
	request = add_fd(1, IOQ_OP_SPLICE, ends[0]);
	request->fd2 = fd;
	request->args[0] = 1;
	request->args[2] = 1;
	request->length = 100;
	CHECK_EQ(result_of(1), 4);
	char bytes[11] = "";
	CHECK_EQ(pread(fd, bytes, 10, 0), 10);
	CHECK(strcmp(bytes, "0678956789") == 0);
	request = add_fd(1, IOQ_OP_SYNC_RANGE, fd);
	request->flags = SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	CHECK_EQ(result_of(1), 0);
	check_lane(1);
	// A raw SQE is for no queue that was not opened for it
	set_path(add(2, IOQ_OP_RAW_SQE), (const char[64]) {0}, 64);
	CHECK_EQ(result_of(2), -ENOSYS);
	close_by_queue(0, fd);
	CHECK_EQ(unlink("spliced"), 0);
	close_queue();
	close(ends[0]);
	close(ends[1]);
}
