// Copyright 2026 the ioq authors. MIT license.

/**
 * What the machine can do: threads that make system calls and nothing else.
 *
 *     many_threads LIST
 *
 * For each line of its input, `KIND THREADS COUNT`, it has so many threads do so
 * many operations on the paths that the list names, over and over again, and prints
 * the nanoseconds that they took, and the sum of what they brought:
 *
 *     stat      lengths             open     one each, opened and closed
 *     list      names in directories  read   bytes of whole files
 *     write     2048 bytes each, into files that are truncated
 *     walk      entries at and below the first path; COUNT times
 *     walkstat  the same, with an lstat of each
 *
 * The threads are there before the clock runs.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** How much a file's writing writes. */
#define WRITE_LENGTH 2048
/** The longest kind. */
#define KIND_LENGTH 15

/** A directory that a walk has yet to read. */
struct pending {
	struct pending *next;
	char path[];
};

static char **paths;
static size_t paths_count;
static char kind[KIND_LENGTH + 1];
static long count;
static long next;
static uint64_t total;
static pthread_barrier_t ready, begin;

/** What a walk has to do: a stack, and how many directories are not yet done. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pending *top;
	size_t unfinished;
} work = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static uint64_t now_ns(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void die(const char *path) {
	perror(path);
	exit(1);
}

static void add_pending(const char *directory, const char *name) {
	size_t length = strlen(directory) + strlen(name) + 2;
	struct pending *pending = malloc(sizeof(*pending) + length);
	if (!pending) {
		die(directory);
	}
	snprintf(pending->path, length, "%s%s%s", directory, *name ? "/" : "", name);
	pthread_mutex_lock(&work.lock);
	pending->next = work.top;
	work.top = pending;
	work.unfinished++;
	pthread_cond_signal(&work.changed);
	pthread_mutex_unlock(&work.lock);
}

/** Read a directory: how many names there are, and what is to be walked below. */
static uint64_t read_directory(const char *path, bool descend, bool with_stat) {
	DIR *directory = opendir(path);
	if (!directory) {
		die(path);
	}
	uint64_t sum = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		struct stat sb;
		sum++;
		if (with_stat && fstatat(dirfd(directory), entry->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0) {
			die(entry->d_name);
		}
		if (descend && entry->d_type == DT_DIR) {
			add_pending(path, entry->d_name);
		}
	}
	closedir(directory);
	return sum;
}

static uint64_t read_file(const char *path) {
	char buffer[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t sum = 0;
	ssize_t length;
	if (fd < 0) {
		die(path);
	}
	while ((length = read(fd, buffer, sizeof(buffer))) > 0) {
		sum += (uint64_t)length;
	}
	close(fd);
	return sum;
}

static uint64_t write_file(const char *path) {
	static const char bytes[WRITE_LENGTH];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != WRITE_LENGTH) {
		die(path);
	}
	close(fd);
	return WRITE_LENGTH;
}

/** An operation that is no walk. */
static uint64_t operate(const char *path) {
	struct stat sb;
	switch (kind[0]) {
	case 's':
		if (stat(path, &sb) != 0) {
			die(path);
		}
		return (uint64_t)sb.st_size;
	case 'o': {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || close(fd) != 0) {
			die(path);
		}
		return 1;
	}
	case 'l':
		return read_directory(path, false, false);
	case 'r':
		return read_file(path);
	default:
		return write_file(path);
	}
}

/** Walk with the others until nothing is left. */
static uint64_t walk(bool with_stat) {
	uint64_t sum = 0;
	pthread_mutex_lock(&work.lock);
	while (work.unfinished) {
		struct pending *pending = work.top;
		if (!pending) {
			pthread_cond_wait(&work.changed, &work.lock);
			continue;
		}
		work.top = pending->next;
		pthread_mutex_unlock(&work.lock);
		sum += read_directory(pending->path, true, with_stat);
		free(pending);
		pthread_mutex_lock(&work.lock);
		if (--work.unfinished == 0) {
			pthread_cond_broadcast(&work.changed);
		}
	}
	pthread_mutex_unlock(&work.lock);
	return sum;
}

static void *run(void *unused) {
	(void)unused;
	uint64_t sum = 0;
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&begin);
	if (strncmp(kind, "walk", 4) == 0) {
		sum = walk(strcmp(kind, "walkstat") == 0);
	} else {
		for (long i; (i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < count;) {
			sum += operate(paths[(size_t)i % paths_count]);
		}
	}
	__atomic_fetch_add(&total, sum, __ATOMIC_RELAXED);
	return NULL;
}

/** Have threads do it: how long it took. */
static uint64_t run_threads(size_t threads_count) {
	pthread_t threads[threads_count];
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	pthread_barrier_init(&ready, NULL, (unsigned int)threads_count + 1);
	pthread_barrier_init(&begin, NULL, (unsigned int)threads_count + 1);
	for (size_t i = 0; i < threads_count; i++) {
		if (pthread_create(&threads[i], &attributes, run, NULL) != 0) {
			die("pthread_create");
		}
	}
	// Two barriers: past the second one the threads may be done before this one runs again
	pthread_barrier_wait(&ready);
	uint64_t start = now_ns();
	pthread_barrier_wait(&begin);
	for (size_t i = 0; i < threads_count; i++) {
		pthread_join(threads[i], NULL);
	}
	uint64_t ns = now_ns() - start;
	pthread_barrier_destroy(&ready);
	pthread_barrier_destroy(&begin);
	pthread_attr_destroy(&attributes);
	return ns;
}

static void read_list(const char *list) {
	FILE *file = fopen(list, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	if (!file) {
		die(list);
	}
	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n') {
			line[length - 1] = '\0';
		}
		paths = realloc(paths, (paths_count + 1) * sizeof(*paths));
		if (!paths || !(paths[paths_count++] = strdup(line))) {
			die(list);
		}
	}
	free(line);
	fclose(file);
}

int main(int argc, char **argv) {
	size_t threads_count;
	if (argc != 2) {
		return 2;
	}
	read_list(argv[1]);
	while (paths_count && scanf("%15s %zu %ld", kind, &threads_count, &count) == 3) {
		uint64_t ns = 0;
		total = 0;
		if (strncmp(kind, "walk", 4) == 0) {
			for (long i = 0; i < count; i++) {
				total++;
				add_pending(paths[0], "");
				ns += run_threads(threads_count);
			}
		} else {
			next = 0;
			ns = run_threads(threads_count);
		}
		printf("%llu %llu\n", (unsigned long long)ns, (unsigned long long)total);
		fflush(stdout);
	}
	return 0;
}
