// Copyright 2026 the ioq authors. MIT license.

/**
 * The bell
 * ========
 *
 * flock(2) can wait, or not; nothing tells who does not wait that the lock is free. But
 * most often it is this very process that frees it, through one of its queues:
 *
 *     lane: flock(LOCK_UN) ──▶ bell_ring() ──▶ each queue in which a lock waits
 *
 * A queue listens only while it has such a request, and a ring that nobody hears costs
 * two atomic operations. Locks that others free, or that go with their descriptor,
 * are found free when they are tried again.
 */

#include "waits/bell.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/** Guards the list, and what those in it have heard. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/** Those who listen. */
static struct bell *list;
/** How many. */
static atomic_uint listening;
/** Locks that were released. */
static atomic_ullong released;

void bell_listen(struct bell *bell, int wake_fd) {
	if (bell->listens) {
		return;
	}
	bell->listens = true;
	bell->wake_fd = wake_fd;
	bell->count = 0;
	bell->any = false;
	atomic_store_explicit(&bell->rung, false, memory_order_relaxed);
	pthread_mutex_lock(&mutex);
	bell->next = list;
	list = bell;
	atomic_fetch_add(&listening, 1);
	pthread_mutex_unlock(&mutex);
}

void bell_leave(struct bell *bell) {
	if (!bell->listens) {
		return;
	}
	bell->listens = false;
	pthread_mutex_lock(&mutex);
	struct bell **at = &list;
	while (*at != bell) {
		at = &(*at)->next;
	}
	*at = bell->next;
	atomic_fetch_sub(&listening, 1);
	pthread_mutex_unlock(&mutex);
}

uint32_t bell_take(struct bell *bell, struct bell_file *files, bool *any) {
	if (!bell->listens || !atomic_load_explicit(&bell->rung, memory_order_acquire)) {
		*any = false;
		return 0;
	}
	pthread_mutex_lock(&mutex);
	atomic_store_explicit(&bell->rung, false, memory_order_relaxed);
	uint32_t count = bell->count;
	for (uint32_t i = 0; i < count; ++i) {
		files[i] = bell->files[i];
	}
	*any = bell->any;
	bell->count = 0;
	bell->any = false;
	pthread_mutex_unlock(&mutex);
	return count;
}

/** Have a queue hear of a file. */
static void bell_hear(struct bell *bell, uint64_t device, uint64_t inode) {
	for (uint32_t i = 0; i < bell->count; ++i) {
		if (bell->files[i].device == device && bell->files[i].inode == inode) {
			return;
		}
	}
	if (bell->count < BELL_FILES) {
		bell->files[bell->count++] = (struct bell_file) {device, inode};
	} else {
		bell->any = true;
	}
	if (!atomic_exchange_explicit(&bell->rung, true, memory_order_release)) {
		// While its owner cannot close it
		uint64_t one = 1;
		ssize_t written;
		do {
			written = write(bell->wake_fd, &one, sizeof(one));
		} while (written < 0 && errno == EINTR);
	}
}

void bell_ring(int fd) {
	// Sequentially consistent, as is whoever begins to listen: one sees the other
	atomic_fetch_add(&released, 1);
	if (atomic_load(&listening) == 0) {
		return;
	}
	struct stat sb;
	if (fstat(fd, &sb) != 0) {
		return;
	}
	pthread_mutex_lock(&mutex);
	for (struct bell *bell = list; bell; bell = bell->next) {
		bell_hear(bell, sb.st_dev, sb.st_ino);
	}
	pthread_mutex_unlock(&mutex);
}

uint64_t bell_released(void) {
	return atomic_load(&released);
}
