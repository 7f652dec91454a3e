// Copyright 2026 the ioq authors. MIT license.

/**
 * The way to a directory below another
 * ====================================
 *
 * Who changes a tree must not be led out of it by a link that takes a directory's place.
 * So a path is gone down name by name, and no name may be a link's. The way back up goes
 * by "..", which leads elsewhere when somebody has moved a directory: that is why what was
 * passed on the way down is noted, and compared.
 */

#include "calls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool directory_identify(int dfd, struct identity *identity) {
	struct stat sb;
	// Not fstat(): this knows AT_FDCWD
	if (fstatat(dfd, "", &sb, AT_EMPTY_PATH) != 0) {
		return false;
	}
	*identity = (struct identity) {sb.st_dev, sb.st_ino};
	return true;
}

bool directory_is(const struct identity *one, const struct identity *other) {
	return one->device == other->device && one->inode == other->inode;
}

int way_open_above(int dfd, const struct identity *above, int flags) {
	int fd = openat(dfd, "..", flags | O_DIRECTORY | O_CLOEXEC);
	struct identity found;
	if (fd >= 0 && (!directory_identify(fd, &found) || !directory_is(&found, above))) {
		close(fd);
		fd = -1;
		errno = ESTALE;
	}
	return fd;
}

bool way_begin(struct way *way, const char *path) {
	size_t names = 1;
	for (const char *at = path; *at; ++at) {
		names += *at == '/';
	}
	way->count = 0;
	way->directories = malloc(names * sizeof(*way->directories));
	return way->directories;
}

int way_go_down(struct way *way, int from, char *path, char **name, int *found) {
	int dfd = from;
	int error = 0;
	*name = path;
	for (char *slash = strchr(path, '/'); slash && error == 0; slash = strchr(*name, '/')) {
		*slash = '\0';
		int fd = openat(dfd, *name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = fd < 0 || !directory_identify(dfd, &way->directories[way->count++]) ? errno : 0;
		*slash = '/';
		*name = slash + 1;
		if (dfd != from) {
			close(dfd);
		}
		dfd = fd;
	}
	if (error != 0 && dfd >= 0 && dfd != from) {
		close(dfd);
	}
	// AT_FDCWD is below zero as well, and no error
	*found = error == 0 ? dfd : -1;
	return -error;
}

void way_end(struct way *way) {
	free(way->directories);
}
