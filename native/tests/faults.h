// Copyright 2026 the ioq authors. MIT license.

/**
 * Injects faults into everything that the core calls and that may fail: each
 * function is wrapped at link time (the Makefile reads their names off the
 * table below) and fails with a given error at its n-th call, once or from then on.
 *
 * A transfer may also be short, and a function that gives up a resource (close())
 * gives it up and then says that it failed, as the real one does.
 */

#ifndef IOQ_FAULTS_H
#define IOQ_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

/** The wrapped functions, in groups of those that fail with the same errors. */
#define FAULT_SITES(X) \
	X(malloc, MEMORY) \
	X(calloc, MEMORY) \
	X(realloc, MEMORY) \
	X(aligned_alloc, MEMORY) \
	X(eventfd, DESCRIPTOR) \
	X(epoll_create1, DESCRIPTOR) \
	X(timerfd_create, DESCRIPTOR) \
	X(epoll_ctl, CONTROL) \
	X(pthread_create, THREAD) \
	X(openat, PATH) \
	X(close, CLOSE) \
	X(read, TRANSFER) \
	X(pread, TRANSFER) \
	X(write, TRANSFER) \
	X(pwrite, TRANSFER) \
	X(fstat, INODE) \
	X(statx, PATH) \
	X(syscall, INODE) \
	X(readlinkat, PATH) \
	X(realpath, PATH) \
	X(renameat2, PATH) \
	X(unlinkat, PATH) \
	X(mkdirat, PATH) \
	X(symlinkat, PATH) \
	X(linkat, PATH) \
	X(truncate, PATH) \
	X(ftruncate, INODE) \
	X(fallocate, INODE) \
	X(fchmod, INODE) \
	X(fchmodat, PATH) \
	X(fchown, INODE) \
	X(fchownat, PATH) \
	X(utimensat, PATH) \
	X(futimens, INODE) \
	X(faccessat, PATH) \
	X(flock, INODE) \
	X(fsync, INODE) \
	X(fdatasync, INODE) \
	X(copy_file_range, TRANSFER) \
	X(lseek, INODE) \
	X(io_uring_queue_init_params, RING_SETUP) \
	X(io_uring_register_eventfd, RING_SETUP) \
	X(io_uring_register_restrictions, RING_SETUP) \
	X(io_uring_enable_rings, RING_SETUP) \
	X(io_uring_register_iowq_max_workers, RING_SETUP) \
	X(io_uring_register_probe, RING_SETUP) \
	X(io_uring_submit, RING) \
	X(io_uring_submit_and_get_events, RING) \
	X(io_uring_get_events, RING)

enum fault_site {
#define FAULT_SITE(name, group) FAULT_##name,
	FAULT_SITES(FAULT_SITE)
#undef FAULT_SITE
	FAULT_SITE_COUNT,
};

/** A transfer is to be short rather than fail. */
#define FAULT_SHORT 5000
/** From then on: as often as nobody would wait for. */
#define FAULT_ALWAYS 20000

/** What is to fail, and how. */
static struct {
	/** An enum fault_site, or -1 if nothing is. */
	atomic_int site;
	/** Calls to let through. */
	atomic_int after;
	/** How often it fails then. */
	atomic_int times;
	/** The errno, or FAULT_SHORT. */
	atomic_int error;
	/** How often it has failed. */
	atomic_int struck;
} fault = {.site = -1};

/** The errno that a call is to fail with, or 0. */
static inline int fault_at(enum fault_site site) {
	if (atomic_load(&fault.site) != (int)site || atomic_fetch_sub(&fault.after, 1) > 0
			|| atomic_fetch_sub(&fault.times, 1) <= 0) {
		return 0;
	}
	atomic_fetch_add(&fault.struck, 1);
	return atomic_load(&fault.error);
}

/** Let a function fail. */
static inline void fault_set(enum fault_site site, int error, int after, int times) {
	atomic_store(&fault.site, -1);
	atomic_store(&fault.error, error);
	atomic_store(&fault.after, after);
	atomic_store(&fault.times, times);
	atomic_store(&fault.struck, 0);
	atomic_store(&fault.site, (int)site);
}

/** Let everything work again. Returns how often something failed. */
static inline int fault_unset(void) {
	atomic_store(&fault.site, -1);
	return atomic_load(&fault.struck);
}

/** A wrapper of a function that says -1 and sets errno, or says something else. */
#define WRAP_(type, name, params, args, failed) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params { \
		int error = fault_at(FAULT_##name); \
		if (error != 0 && error != FAULT_SHORT) { \
			errno = error; \
			return failed; \
		} \
		return __real_##name args; \
	}
#define WRAP(type, name, params, args) WRAP_(type, name, params, args, -1)
#define WRAP_NULL(type, name, params, args) WRAP_(type, name, params, args, NULL)
#define WRAP_RING(name, params, args) WRAP_(int, name, params, args, -error)

/** A transfer, which may be short. */
#define WRAP_TRANSFER(name, params, args, length) \
	ssize_t __real_##name params; \
	ssize_t __wrap_##name params; \
	ssize_t __wrap_##name params { \
		int error = fault_at(FAULT_##name); \
		if (error == FAULT_SHORT) { \
			length = length > 1 ? length / 2 : length; \
		} else if (error != 0) { \
			errno = error; \
			return -1; \
		} \
		return __real_##name args; \
	}

WRAP_NULL(void *, malloc, (size_t size), (size))
WRAP_NULL(void *, calloc, (size_t count, size_t size), (count, size))
WRAP_NULL(void *, realloc, (void *old, size_t size), (old, size))
WRAP_NULL(void *, aligned_alloc, (size_t align, size_t size), (align, size))
WRAP(int, eventfd, (unsigned int count, int flags), (count, flags))
WRAP(int, epoll_create1, (int flags), (flags))
WRAP(int, timerfd_create, (int clock, int flags), (clock, flags))
WRAP(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event), (epfd, op, fd, event))
WRAP_(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg),
	(thread, attr, run, arg), error)
WRAP(int, fstat, (int fd, struct stat *sb), (fd, sb))
WRAP(int, statx, (int fd, const char *path, int flags, unsigned int mask, struct statx *sb), (fd, path, flags, mask, sb))
WRAP(ssize_t, readlinkat, (int fd, const char *path, char *target, size_t length), (fd, path, target, length))
WRAP_NULL(char *, realpath, (const char *path, char *resolved), (path, resolved))
WRAP(int, renameat2, (int fd, const char *path, int fd2, const char *path2, unsigned int flags), (fd, path, fd2, path2, flags))
WRAP(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(int, symlinkat, (const char *target, int fd, const char *path), (target, fd, path))
WRAP(int, linkat, (int fd, const char *path, int fd2, const char *path2, int flags), (fd, path, fd2, path2, flags))
WRAP(int, truncate, (const char *path, off_t length), (path, length))
WRAP(int, ftruncate, (int fd, off_t length), (fd, length))
WRAP(int, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchmodat, (int fd, const char *path, mode_t mode, int flags), (fd, path, mode, flags))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fchownat, (int fd, const char *path, uid_t uid, gid_t gid, int flags), (fd, path, uid, gid, flags))
WRAP(int, utimensat, (int fd, const char *path, const struct timespec times[2], int flags), (fd, path, times, flags))
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
WRAP(int, faccessat, (int fd, const char *path, int mode, int flags), (fd, path, mode, flags))
WRAP(int, flock, (int fd, int operation), (fd, operation))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
WRAP_TRANSFER(read, (int fd, void *bytes, size_t length), (fd, bytes, length), length)
WRAP_TRANSFER(pread, (int fd, void *bytes, size_t length, off_t offset), (fd, bytes, length, offset), length)
WRAP_TRANSFER(write, (int fd, const void *bytes, size_t length), (fd, bytes, length), length)
WRAP_TRANSFER(pwrite, (int fd, const void *bytes, size_t length, off_t offset), (fd, bytes, length, offset), length)
WRAP_TRANSFER(copy_file_range, (int fd, off64_t *from, int fd2, off64_t *to, size_t length, unsigned int flags),
	(fd, from, fd2, to, length, flags), length)
WRAP_RING(io_uring_queue_init_params, (unsigned int entries, struct io_uring *ring, struct io_uring_params *params), (entries, ring, params))
WRAP_RING(io_uring_register_eventfd, (struct io_uring *ring, int fd), (ring, fd))
WRAP_RING(io_uring_register_restrictions, (struct io_uring *ring, struct io_uring_restriction *list, unsigned int count), (ring, list, count))
WRAP_RING(io_uring_enable_rings, (struct io_uring *ring), (ring))
WRAP_RING(io_uring_register_iowq_max_workers, (struct io_uring *ring, unsigned int *values), (ring, values))
WRAP_RING(io_uring_register_probe, (struct io_uring *ring, struct io_uring_probe *probe, unsigned int count), (ring, probe, count))
WRAP_RING(io_uring_submit, (struct io_uring *ring), (ring))
WRAP_RING(io_uring_submit_and_get_events, (struct io_uring *ring), (ring))
WRAP_RING(io_uring_get_events, (struct io_uring *ring), (ring))

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...) {
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	int error = fault_at(FAULT_openat);
	if (error != 0) {
		errno = error;
		return -1;
	}
	return __real_openat(fd, path, flags, mode);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd) {
	int ret = __real_close(fd);
	int error = ret == 0 ? fault_at(FAULT_close) : 0;
	if (error != 0) {
		errno = error;
		return -1;
	}
	return ret;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
	long a[6];
	va_list args;
	va_start(args, number);
	for (int i = 0; i < 6; ++i) {
		a[i] = va_arg(args, long);
	}
	va_end(args);
	int error = fault_at(FAULT_syscall);
	if (error != 0) {
		errno = error;
		return -1;
	}
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif // IOQ_FAULTS_H
