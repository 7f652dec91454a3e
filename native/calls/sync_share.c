// Copyright 2026 the ioq authors. MIT license.

/**
 * Syncs that are shared
 * =====================
 *
 * Whoever makes a name durable syncs its folder. Of many that do so at the same time one
 * syncs for all whose names are there by then:
 *
 *     asked:    1  2  3  4          5  6
 *     synced:   [1      ][2, 3, 4      ][5, 6 …
 *
 * A sync in progress may have begun too early for those who ask meanwhile: they wait for
 * the next, which the first of them does.
 */

#include "calls/calls.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/** A file that is being synced. */
struct share {
	/** Which file. */
	dev_t device;
	ino_t inode;
	/** How many have asked, and for how many of them it was done. */
	uint64_t asked, done;
	/** What went wrong: nobody is told that all is well whose sync it may have been. */
	int error;
	/** Whether somebody is syncing. */
	bool runs;
	/** Those who have to do with it; the last one frees it. */
	unsigned int users;
	/** The next one. */
	struct share *next;
};

/** Guards the list, and all in it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/** A sync has ended. */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
/** Files that are being synced. */
static struct share *list;

/** Sync, and return 0 or -errno. */
static int sync_alone(int fd) {
	return fsync(fd) == 0 ? 0 : -errno;
}

/** Have to do with a file. Returns NULL if there is no memory. The mutex is held. */
static struct share *share_join(const struct stat *sb) {
	struct share *share = list;
	while (share && (share->device != sb->st_dev || share->inode != sb->st_ino)) {
		share = share->next;
	}
	if (!share) {
		share = calloc(1, sizeof(*share));
		if (!share) {
			return NULL;
		}
		share->device = sb->st_dev;
		share->inode = sb->st_ino;
		share->next = list;
		list = share;
	}
	++share->users;
	return share;
}

/** Have no more to do with it. The mutex is held. */
static void share_leave(struct share *share) {
	if (--share->users > 0) {
		return;
	}
	struct share **at = &list;
	while (*at != share) {
		at = &(*at)->next;
	}
	*at = share->next;
	free(share);
}

int sync_shared(int fd) {
	struct stat sb;
	if (fstat(fd, &sb) != 0) {
		return -errno;
	}
	pthread_mutex_lock(&mutex);
	struct share *share = share_join(&sb);
	if (!share) {
		pthread_mutex_unlock(&mutex);
		return sync_alone(fd);
	}
	uint64_t mine = ++share->asked;
	while (share->done < mine) {
		if (share->runs) {
			pthread_cond_wait(&ended, &mutex);
			continue;
		}
		share->runs = true;
		uint64_t upto = share->asked;
		pthread_mutex_unlock(&mutex);
		int error = sync_alone(fd);
		pthread_mutex_lock(&mutex);
		share->runs = false;
		share->done = upto;
		share->error = error != 0 ? error : share->error;
		pthread_cond_broadcast(&ended);
	}
	int error = share->error;
	share_leave(share);
	pthread_mutex_unlock(&mutex);
	return error;
}
