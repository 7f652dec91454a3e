// Copyright 2026 the ioq authors. MIT license.

/**
 * Guarded opens
 * =============
 *
 * Permissions are checked for a path as it is written, and links may lead elsewhere: to
 * files that tell or do more than files do. As Deno does, an open by a guarded entry
 * therefore takes two steps:
 *
 *     path ──realpath(3)──▶ real path ──▶ refused, if it is in /proc, /sys or /dev
 *                                     └─▶ openat2(2) without following any link
 *
 * Nothing is created, truncated or waited for in the first step. If a link is put in
 * the way between the steps, the second one fails, and both are done again: so what is
 * opened is what was looked at. None of it needs /proc.
 */

#include "calls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/** How often both steps are done again because links were changed meanwhile. */
#define TRIES_MAX 16
/** Links that lead to links, as many as the kernel follows. */
#define LINKS_MAX 40

/** Whether a path is that of a folder, or leads into it. */
static bool is_within(const char *path, const char *folder) {
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/** Whether a real path takes all permissions. */
static bool is_special(const char *path, int flags) {
	static const char *const harmless[] = {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); ++i) {
		if (strcmp(path, harmless[i]) == 0) {
			return false;
		}
	}
	if (strcmp(path, "/dev/tty") == 0) {
		// Who writes there could forge a prompt
		return (flags & O_ACCMODE) != O_RDONLY;
	}
	if (is_within(path, "/proc/pressure")) {
		return false;
	}
	return is_within(path, "/proc") || is_within(path, "/sys") || is_within(path, "/dev");
}

/** Whether a path is the name of a pipe that the process has open, as shells pass them. */
static bool is_open_pipe(const char *path) {
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); ++i) {
		size_t length = strlen(folders[i]);
		if (strncmp(path, folders[i], length) == 0) {
			char *end;
			long fd = strtol(path + length, &end, 10);
			struct stat sb;
			return path[length] >= '0' && path[length] <= '9' && *end == '\0'
				&& fd > STDERR_FILENO && fd <= INT32_MAX
				&& fstat((int)fd, &sb) == 0 && S_ISFIFO(sb.st_mode);
		}
	}
	return false;
}

/** The last name of a path; its end if there is none. */
static const char *last_name(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/**
 * The real path of a name in a folder, whose last link is not followed.
 *
 * @return Allocated, or NULL with errno.
 */
static char *real_name(const char *path) {
	const char *name = last_name(path);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		// That is a folder by any name
		return realpath(path, NULL);
	}
	char *copy = strndup(path, (size_t)(name - path));
	if (!copy) {
		return NULL;
	}
	char *folder = realpath(*copy ? copy : ".", NULL);
	free(copy);
	if (!folder) {
		return NULL;
	}
	size_t length = strlen(folder);
	char *real = malloc(length + strlen(name) + 2);
	if (real) {
		memcpy(real, folder, length);
		// "/" ends in one already
		real[length] = '/';
		strcpy(real + (length == 1 ? 1 : length + 1), name);
	}
	free(folder);
	return real;
}

/**
 * Where a link leads that leads to nothing, its own path if it is none.
 *
 * @return Allocated, or NULL with errno; `real` is freed.
 */
static char *follow_dangling(char *real) {
	for (int links = 0; real && links < LINKS_MAX; ++links) {
		char target[IOQ_PATH_MAX + 1];
		ssize_t length = readlink(real, target, sizeof(target) - 1);
		if (length < 0) {
			return real;
		}
		target[length] = '\0';
		size_t folder = target[0] == '/' ? 0 : (size_t)(last_name(real) - real);
		char *joined = malloc(folder + (size_t)length + 1);
		if (joined) {
			memcpy(joined, real, folder);
			memcpy(joined + folder, target, (size_t)length + 1);
		}
		free(real);
		real = joined ? real_name(joined) : NULL;
		free(joined);
	}
	if (real) {
		free(real);
		errno = ELOOP;
	}
	return NULL;
}

/** Open a real path, whatever was put in its way. Returns a descriptor or -errno. */
static int open_real(const char *path, int flags, mode_t mode) {
	struct open_how how = {
		.flags = (uint64_t)(flags | O_NOFOLLOW),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		// Kernels before 5.6, and filters that do not know it: the last name at least
		fd = openat(AT_FDCWD, path, flags | O_NOFOLLOW, mode);
	}
	return fd < 0 ? -errno : (int)fd;
}

int guard_open(const struct entry *entry, int fd, const char *path, int flags, mode_t mode,
		enum dangling dangling) {
	if (!entry->guarded || is_open_pipe(path)) {
		int opened = openat(fd, path, flags, mode);
		return opened < 0 ? -errno : opened;
	}
	if (fd != AT_FDCWD && path[0] != '/') {
		// What begins at a descriptor was given its whole path, or all is allowed
		return -IOQ_ESPECIAL;
	}
	int ret = -ELOOP;
	for (int tries = 0; ret == -ELOOP && tries < TRIES_MAX; ++tries) {
		bool exists = false;
		char *real = flags & O_NOFOLLOW ? NULL : realpath(path, NULL);
		if (real) {
			exists = true;
		} else if ((flags & O_NOFOLLOW) || errno == ENOENT) {
			real = real_name(path);
			if (dangling == DANGLING_FOLLOWED) {
				real = follow_dangling(real);
			}
		}
		if (!real) {
			return -errno;
		}
		ret = is_special(real, flags) ? -IOQ_ESPECIAL : open_real(real, flags, mode);
		free(real);
		if (ret == -ELOOP && !exists) {
			// It is the link that leads to nothing, or that is not to be followed
			return flags & O_NOFOLLOW ? -ELOOP : -ENOENT;
		}
	}
	return ret;
}
