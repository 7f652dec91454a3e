// Copyright 2026 the ioq authors. MIT license.

/** Guarded opens, and where links lead. */

#include "tests.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/** What an open of a path gives; a descriptor is closed. */
static int32_t open_guarded(const char *path, uint32_t flags, uint16_t hints) {
	struct ioq_request *request = add_path(0, IOQ_OP_OPEN, path);
	request->flags = flags;
	request->mode = 0644;
	request->hints = hints;
	int32_t result = result_of(0);
	if (result >= 0) {
		CHECK_EQ(close(result), 0);
		return 0;
	}
	return result;
}

/** Make a link to a path, open it, and remove it. */
static int32_t open_link(const char *target, uint32_t flags) {
	CHECK_EQ(symlink(target, "guarded"), 0);
	int32_t result = open_guarded("guarded", flags, IOQ_HINT_GUARDED);
	CHECK_EQ(unlink("guarded"), 0);
	return result;
}

/** What is special is neither opened nor created nor truncated; all else is. */
void test_guard(const void *config) {
	open_queue(config, 1, 1);
	char special[64];
	snprintf(special, sizeof(special), "/dev/shm/ioq-guard-%d", (int)getpid());
	const uint32_t create = O_WRONLY | O_CREAT | O_TRUNC;

	CHECK_EQ(open_guarded("plain", O_RDONLY, IOQ_HINT_GUARDED), 0);
	CHECK_EQ(open_guarded("./empty/../plain", O_RDONLY, IOQ_HINT_GUARDED), 0);
	CHECK_EQ(open_guarded("missing", O_RDONLY, IOQ_HINT_GUARDED), -ENOENT);
	CHECK_EQ(open_guarded("missing/x", create, IOQ_HINT_GUARDED), -ENOENT);
	CHECK_EQ(open_guarded("plain/x", O_RDONLY, IOQ_HINT_GUARDED), -ENOTDIR);
	CHECK_EQ(open_guarded("/proc/self/status", O_RDONLY, IOQ_HINT_GUARDED), -IOQ_ESPECIAL);
	CHECK_EQ(open_guarded("/proc/self/status", O_RDONLY, 0), 0);
	CHECK_EQ(open_guarded("/dev/null", O_RDWR, IOQ_HINT_GUARDED), 0);
	CHECK_EQ(open_guarded("/dev/tty", O_WRONLY, IOQ_HINT_GUARDED), -IOQ_ESPECIAL);

	CHECK_EQ(open_link("plain", O_RDONLY), 0);
	CHECK_EQ(open_link("plain", O_RDONLY | O_NOFOLLOW), -ELOOP);
	CHECK_EQ(open_link("guarded", O_RDONLY), -ELOOP);
	CHECK_EQ(open_link("nothing", create), -ENOENT);
	CHECK_EQ(access("nothing", F_OK), -1);
	CHECK_EQ(open_link("/proc/self/status", O_RDONLY), -IOQ_ESPECIAL);
	CHECK_EQ(open_link("/dev/null", create), 0);

	// What is refused is as it was
	CHECK_EQ(open_guarded(special, create, IOQ_HINT_GUARDED), -IOQ_ESPECIAL);
	CHECK_EQ(open_link(special, create), -ENOENT);
	CHECK_EQ(access(special, F_OK), -1);
	CHECK_EQ(open_guarded(special, create, 0), 0);
	CHECK_EQ(truncate(special, 5), 0);
	CHECK_EQ(open_link(special, create), -IOQ_ESPECIAL);
	struct stat sb;
	CHECK_EQ(stat(special, &sb), 0);
	CHECK_EQ(sb.st_size, 5);
	CHECK_EQ(unlink(special), 0);

	// A pipe by its number, as shells pass them
	int pipes[2];
	CHECK_EQ(pipe(pipes), 0);
	char name[32];
	snprintf(name, sizeof(name), "/dev/fd/%d", pipes[0]);
	CHECK_EQ(open_guarded(name, O_RDONLY | O_NONBLOCK, IOQ_HINT_GUARDED), 0);
	CHECK_EQ(close(pipes[0]), 0);
	CHECK_EQ(close(pipes[1]), 0);
	close_queue();
}
