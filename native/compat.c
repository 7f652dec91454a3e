// Copyright 2026 the ioq authors. MIT license.

/**
 * Functions that glibc has as such only since 2.33, for the libraries that are
 * built once and run with older ones: until then its headers made other calls of
 * them. Not part of a local build.
 *
 * The kernel's `struct stat` is glibc's on the 64-bit architectures.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fstatat(int fd, const char *restrict path, struct stat *restrict buf, int flags) {
	return (int)syscall(SYS_newfstatat, fd, path, buf, flags);
}

int stat(const char *restrict path, struct stat *restrict buf) {
	return fstatat(AT_FDCWD, path, buf, 0);
}

int lstat(const char *restrict path, struct stat *restrict buf) {
	return fstatat(AT_FDCWD, path, buf, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *buf) {
	return fstatat(fd, "", buf, AT_EMPTY_PATH);
}
