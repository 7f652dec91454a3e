// Copyright 2026 the ioq authors. MIT license.

#include "fault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct fault fault_setup;
struct fault fault_submit;
struct fault fault_thread;
atomic_int fault_cpus;
atomic_bool fault_small;
const char *_Atomic fault_late;
atomic_int fault_writer = -1;

/** Take one from a counter, unless it is zero. */
static bool fault_count_down(atomic_int *counter) {
	int value = atomic_load(counter);
	while (value > 0) {
		if (value == FAULT_FOREVER || atomic_compare_exchange_weak(counter, &value, value - 1)) {
			return true;
		}
	}
	return false;
}

/** The errno that a call is to fail with, or 0. */
static int fault_strikes(struct fault *fault) {
	atomic_fetch_add(&fault->calls, 1);
	if (atomic_load(&fault->times) == 0
			|| fault_count_down(&fault->after)
			|| !fault_count_down(&fault->times)) {
		return 0;
	}
	return atomic_load(&fault->error);
}

int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params) {
	int error = fault_strikes(&fault_setup);
	if (atomic_load(&fault_small)) {
		entries = 1;
		params->cq_entries = 2;
	}
	return error ? -error : __real_io_uring_queue_init_params(entries, ring, params);
}

int __real_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring) {
	int error = fault_strikes(&fault_submit);
	return error ? -error : __real_io_uring_submit(ring);
}

int __real_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring) {
	int error = fault_strikes(&fault_submit);
	return error ? -error : __real_io_uring_submit_and_get_events(ring);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg) {
	int error = fault_strikes(&fault_thread);
	return error ? error : __real_pthread_create(thread, attr, function, arg);
}

int __real_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set) {
	int cpus = atomic_load(&fault_cpus);
	if (cpus == 0) {
		return __real_sched_getaffinity(pid, size, set);
	}
	CPU_ZERO_S(size, set);
	for (int i = 0; i < cpus; ++i) {
		CPU_SET_S((size_t)i, size, set);
	}
	return 0;
}

/** A system call on a slow device, so to speak: of a FIFO it returns when that has a writer. */
ssize_t __real_readlinkat(int dfd, const char *path, char *target, size_t size);
ssize_t __wrap_readlinkat(int dfd, const char *path, char *target, size_t size);
ssize_t __wrap_readlinkat(int dfd, const char *path, char *target, size_t size) {
	struct stat sb;
	if (fstatat(dfd, path, &sb, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(sb.st_mode)) {
		int fd = openat(dfd, path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
		}
	}
	return __real_readlinkat(dfd, path, target, size);
}

/** A read, after which somebody else may be faster than the caller. */
ssize_t __real_read(int fd, void *target, size_t size);
ssize_t __wrap_read(int fd, void *target, size_t size);
ssize_t __wrap_read(int fd, void *target, size_t size) {
	ssize_t ret = __real_read(fd, target, size);
	struct stat sb;
	if (ret == 0 && atomic_load(&fault_late) && fstat(fd, &sb) == 0 && S_ISFIFO(sb.st_mode)) {
		atomic_store(&fault_writer, open(atomic_exchange(&fault_late, NULL), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
	}
	return ret;
}
