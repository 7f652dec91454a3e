// Copyright 2026 the ioq authors. MIT license.

/**
 * Replacing a file
 * ================
 *
 * A file whose contents are replaced has the old ones or the new ones at any time:
 *
 *     path ──links──▶ folder, name ──▶ .ioq-HASH-0 ──write──▶ attributes ──▶ rename
 *
 * The new contents are written to a file of their own in the same folder, which gets the
 * owner, the mode and the extended attributes of the old one and then takes its name. A
 * link as the last name is followed by hand, so that it stays, and the file that it leads
 * to is replaced.
 *
 * Temporary files are named after the file that they are for. Whoever writes one holds a
 * lock on it, which the kernel releases however that ends. One without a lock was left
 * behind by a process that was killed, and whoever writes the same file next removes it:
 *
 *     maker:  create, lock ──▶ is it still there?  no: once more
 *     finder: open, lock   ──▶ is it still there?  yes: remove it
 *
 * What is written in pieces when its thread ends is removed with its descriptor, by the name
 * that /proc tells (queue/descriptors.c).
 *
 * Where a file system has no locks nobody removes what might be in use.
 *
 * Syncing a folder is shared, see calls/sync_share.c.
 */

#include "calls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/** Links that lead to links, as many as the kernel follows. */
#define LINKS_MAX 40
/** Temporary files of one name at the same time, before names are left to chance. */
#define SLOTS_MAX 64
/** How often a temporary file may be taken away from under its maker. */
#define TRIES_MAX 1000
/** How the names of temporary files begin. */
#define TEMPORARY_PREFIX ".ioq-"
/** Bytes of the name of a temporary file. */
#define TEMPORARY_MAX 64

/** Where a file is, or is to be. */
struct target {
	/** Its folder, a descriptor for names only. */
	int folder;
	/** Its name there. */
	char name[NAME_MAX + 1];
	/** Whether it is there. */
	bool exists;
	/** What it is like, if so. */
	struct stat stat;
};

/** A temporary file. */
struct temporary {
	/** A descriptor to write it by, which holds the lock; -1: there is none. */
	int fd;
	/** Its name. */
	char name[TEMPORARY_MAX];
};

/** Open the folder that a path's last name is in. Returns a descriptor or -errno. */
static int open_folder(const struct entry *entry, const char *path, size_t length) {
	char folder[IOQ_PATH_MAX + 1];
	memcpy(folder, length > 0 ? path : ".", length > 0 ? length : 1);
	folder[length > 0 ? length : 1] = '\0';
	return guard_open(entry, entry->fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, DANGLING_MISSING);
}

/** What open(2) says of a path that ends in no name. */
static int no_name(const struct entry *entry, const char *path) {
	struct stat sb;
	if (fstatat(entry->fd, path, &sb, 0) != 0) {
		return errno == ENOENT ? -EISDIR : -errno;
	}
	return S_ISDIR(sb.st_mode) ? -EISDIR : -ENOTDIR;
}

/**
 * Put the target of a link in place of its path.
 *
 * @return 0 or -errno.
 */
static int follow(int folder, const char *name, char *path, size_t length) {
	// The kernel knows which links are not to be followed, as some of others' in /tmp
	int fd = openat(folder, name, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) {
		return -errno;
	}
	if (fd >= 0) {
		close(fd);
	}
	char target[IOQ_PATH_MAX + 1];
	ssize_t got = readlinkat(folder, name, target, sizeof(target));
	if (got < 0) {
		return -errno;
	}
	size_t kept = target[0] == '/' ? 0 : length;
	if (kept + (size_t)got > IOQ_PATH_MAX) {
		return -ENAMETOOLONG;
	}
	memcpy(path + kept, target, (size_t)got);
	path[kept + (size_t)got] = '\0';
	return 0;
}

/** Find out where a file is that may be replaced. Returns 0, or -errno with nothing open. */
static int target_find(const struct entry *entry, struct target *target) {
	char path[IOQ_PATH_MAX + 1];
	strcpy(path, entry->path);
	for (int links = 0; links < LINKS_MAX; ++links) {
		const char *slash = strrchr(path, '/');
		const char *name = slash ? slash + 1 : path;
		if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			return *path ? no_name(entry, path) : -ENOENT;
		}
		if (strlen(name) > NAME_MAX) {
			return -ENAMETOOLONG;
		}
		size_t length = (size_t)(name - path);
		strcpy(target->name, name);
		target->folder = open_folder(entry, path, length);
		if (target->folder < 0) {
			return target->folder;
		}
		int ret = 0;
		target->exists = fstatat(target->folder, name, &target->stat, AT_SYMLINK_NOFOLLOW) == 0;
		if (!target->exists && errno != ENOENT) {
			ret = -errno;
		} else if (target->exists && S_ISLNK(target->stat.st_mode) && !(entry->flags & O_EXCL)) {
			ret = follow(target->folder, target->name, path, length);
			close(target->folder);
			if (ret != 0) {
				return ret;
			}
			continue;
		}
		if (ret == 0) {
			return 0;
		}
		close(target->folder);
		return ret;
	}
	return -ELOOP;
}

/** Whether a target may be replaced, as far as open(2) would have it. Returns 0 or -errno. */
static int target_check(const struct entry *entry, const struct target *target) {
	if (!target->exists) {
		return entry->flags & O_CREAT ? 0 : -ENOENT;
	}
	if (entry->flags & O_EXCL) {
		return -EEXIST;
	}
	if (S_ISDIR(target->stat.st_mode)) {
		return -EISDIR;
	}
	if (!S_ISREG(target->stat.st_mode)) {
		return -IOQ_ENOREPLACE;
	}
	return faccessat(target->folder, target->name, W_OK, AT_EACCESS) == 0 ? 0 : -errno;
}

/** The target that an entry may replace. Returns 0, or -errno with nothing open. */
static int target_open(const struct entry *entry, struct target *target) {
	int ret = target_find(entry, target);
	if (ret == 0) {
		ret = target_check(entry, target);
		if (ret != 0) {
			close(target->folder);
		}
	}
	return ret;
}

/** The name of a temporary file: that of the target may be as long as names can be. */
static void temporary_name(const struct target *target, unsigned int slot, char *name) {
	// FNV-1a
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *at = target->name; *at; ++at) {
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3;
	}
	if (slot >= SLOTS_MAX) {
		uint32_t chance = slot;
		if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0) {
			// Then it is one of the next
		}
		slot = SLOTS_MAX + chance % 0x7fffffff;
	}
	snprintf(name, TEMPORARY_MAX, TEMPORARY_PREFIX "%016" PRIx64 "-%u", hash, slot);
}

/** Remove a temporary file that nobody is writing. Returns whether it is gone. */
static bool temporary_reap(int folder, const char *name) {
	int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(folder, name, O_WRONLY | flags);
	if (fd < 0 && errno == EACCES) {
		fd = openat(folder, name, O_RDONLY | flags);
	}
	if (fd < 0) {
		return errno == ENOENT;
	}
	struct stat sb;
	bool gone = false;
	if (fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		// It may have got its final name, or have been removed, before the lock
		struct stat now;
		gone = fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0
			|| now.st_dev != sb.st_dev || now.st_ino != sb.st_ino
			|| unlinkat(folder, name, 0) == 0;
	}
	close(fd);
	return gone;
}

/** Make a temporary file. Returns 0 or -errno. */
static int temporary_make(const struct target *target, mode_t mode, struct temporary *temporary) {
	unsigned int slot = 0;
	for (int tries = 0; tries < TRIES_MAX; ++tries) {
		temporary_name(target, slot, temporary->name);
		int fd = openat(target->folder, temporary->name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd < 0) {
			if (errno != EEXIST) {
				return -errno;
			}
			slot += !temporary_reap(target->folder, temporary->name);
			continue;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
			// Somebody takes it for a forgotten one, and removes it
			close(fd);
			++slot;
			continue;
		}
		struct stat sb;
		if (fstat(fd, &sb) != 0 || sb.st_nlink == 0) {
			close(fd);
			continue;
		}
		temporary->fd = fd;
		// Others that were left behind by those who wrote beside somebody
		char next[TEMPORARY_MAX];
		for (unsigned int at = slot + 1; at < SLOTS_MAX; ++at) {
			temporary_name(target, at, next);
			if (faccessat(target->folder, next, F_OK, AT_SYMLINK_NOFOLLOW) != 0
					|| !temporary_reap(target->folder, next)) {
				break;
			}
		}
		return 0;
	}
	return -EEXIST;
}

/** The mode that a temporary file is made with: nobody else is to see what they could not. */
static mode_t temporary_mode(const struct entry *entry, const struct target *target) {
	return target->exists || entry->args[0] ? 0600 : entry->mode & 0777;
}

/** Find the temporary file that a descriptor is for. Returns 0 or -errno. */
static int temporary_find(const struct target *target, int fd, struct temporary *temporary) {
	struct stat sb;
	if (fstat(fd, &sb) != 0) {
		return -errno;
	}
	for (unsigned int slot = 0; slot < SLOTS_MAX; ++slot) {
		struct stat at;
		temporary_name(target, slot, temporary->name);
		if (fstatat(target->folder, temporary->name, &at, AT_SYMLINK_NOFOLLOW) == 0
				&& at.st_dev == sb.st_dev && at.st_ino == sb.st_ino) {
			temporary->fd = fd;
			return 0;
		}
	}
	return -ENOENT;
}

/** Give a new file the extended attributes of the old one, if that may be read. */
static int keep_xattrs(const struct target *target, int to) {
	int from = openat(target->folder, target->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0) {
		return errno == EACCES || errno == EPERM ? 0 : -errno;
	}
	int ret = flistxattr(from, NULL, 0) > 0 ? copy_xattrs(from, to) : 0;
	close(from);
	// Whoever writes to a program takes its capabilities away
	fremovexattr(to, "security.capability");
	return ret;
}

/** Give a new file what is kept of the old one, and the mode that is asked for. */
static int keep_attributes(const struct entry *entry, const struct target *target, int fd) {
	if (!target->exists && !entry->args[0]) {
		return 0;
	}
	struct stat sb;
	if (fstat(fd, &sb) != 0) {
		return -errno;
	}
	const struct stat *old = &target->stat;
	if (target->exists) {
		if ((sb.st_uid != old->st_uid || sb.st_gid != old->st_gid)
				&& fchown(fd, old->st_uid, old->st_gid) != 0) {
			return -errno;
		}
		int ret = keep_xattrs(target, fd);
		if (ret != 0) {
			return ret;
		}
	}
	mode_t mode = entry->args[0] ? entry->mode : old->st_mode & 07777;
	if (fchmod(fd, mode) != 0) {
		return -errno;
	}
	// The kernel knows who may keep these bits when he writes: to cut nothing off is a write
	bool sets_id = !entry->args[0] && mode & (S_ISUID | S_ISGID);
	return sets_id && ftruncate(fd, sb.st_size) != 0 ? -errno : 0;
}

/** Have a file system report what it has kept back of writes, as NFS does at a close. */
static int flush(int fd) {
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0) {
		// Without a descriptor to spare, all of it is waited for
		return errno != EMFILE ? -errno : fsync(fd) == 0 ? 0 : -errno;
	}
	return close(copy) != 0 && errno != EINTR ? -errno : 0;
}

/** Sync a folder, with whoever else does so. */
static int sync_folder(const struct target *target) {
	int fd = openat(target->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int ret = sync_shared(fd);
	close(fd);
	return ret;
}

/** Give a temporary file the name of its target. Returns 0 or -errno. */
static int take_name(const struct entry *entry, const struct target *target, const char *temporary) {
	int folder = target->folder;
	if (!(entry->flags & O_EXCL)) {
		return renameat(folder, temporary, folder, target->name) == 0 ? 0 : -errno;
	}
	if (renameat2(folder, temporary, folder, target->name, RENAME_NOREPLACE) == 0) {
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS) {
		return -errno;
	}
	// File systems that cannot do that can do this
	if (linkat(folder, temporary, folder, target->name, 0) != 0) {
		return -errno;
	}
	unlinkat(folder, temporary, 0);
	return 0;
}

/** Put a temporary file, which is complete, in place of its target; it is gone otherwise. */
static int replace_by(struct entry *entry, const struct target *target, const struct temporary *temporary) {
	int ret = keep_attributes(entry, target, temporary->fd);
	bool durable = entry->args[1] & IOQ_WRITE_DURABLE;
	if (ret == 0) {
		ret = durable ? (fsync(temporary->fd) == 0 ? 0 : -errno) : flush(temporary->fd);
	}
	if (ret == 0 && entry_is_cancelled(entry)) {
		ret = -EINTR;
	}
	if (ret == 0) {
		ret = take_name(entry, target, temporary->name);
	}
	if (ret != 0) {
		unlinkat(target->folder, temporary->name, 0);
		// Not once more: what was written is gone
		entry->retries = UINT8_MAX;
		return ret;
	}
	return durable ? sync_folder(target) : 0;
}

int32_t replace_write(struct entry *entry) {
	struct target target;
	struct temporary temporary;
	int ret = target_open(entry, &target);
	if (ret != 0) {
		return ret;
	}
	ret = temporary_make(&target, temporary_mode(entry, &target), &temporary);
	if (ret == 0) {
		ret = write_all(entry, temporary.fd, entry->payload, entry->length);
		if (ret == 0) {
			ret = replace_by(entry, &target, &temporary);
		} else {
			unlinkat(target.folder, temporary.name, 0);
		}
		close(temporary.fd);
	}
	close(target.folder);
	return ret < 0 ? ret : (int32_t)entry->length;
}

int32_t replace_begin(struct entry *entry) {
	struct target target;
	struct temporary temporary;
	int ret = target_open(entry, &target);
	if (ret != 0) {
		return ret;
	}
	ret = temporary_make(&target, temporary_mode(entry, &target), &temporary);
	close(target.folder);
	return ret < 0 ? ret : temporary.fd;
}

void replace_forget(struct entry *entry, int fd) {
	struct target target;
	struct temporary temporary;
	if (target_find(entry, &target) == 0) {
		if (temporary_find(&target, fd, &temporary) == 0) {
			unlinkat(target.folder, temporary.name, 0);
		}
		close(target.folder);
	} else {
		// Without a descriptor for the folder, by the name that the kernel knows
		replace_unlink(fd);
	}
}

void replace_unlink(int fd) {
	char link[32], path[IOQ_PATH_MAX + 1];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof(path));
	if (length <= 0 || length > IOQ_PATH_MAX) {
		return;
	}
	path[length] = '\0';
	const char *slash = strrchr(path, '/');
	struct stat sb, at;
	if (slash && strncmp(slash + 1, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0
			&& fstat(fd, &sb) == 0 && lstat(path, &at) == 0
			&& at.st_dev == sb.st_dev && at.st_ino == sb.st_ino) {
		unlink(path);
	}
}

int32_t replace_end(struct entry *entry) {
	if (entry->args[2] == IOQ_REPLACE_FORGET) {
		replace_forget(entry, (int)entry->args[3]);
		return 0;
	}
	if (entry->args[2] == IOQ_REPLACE_SYNC) {
		return replace_sync_folder(entry);
	}
	struct target target;
	struct temporary temporary;
	int ret = target_open(entry, &target);
	if (ret == 0) {
		ret = temporary_find(&target, (int)entry->args[3], &temporary);
		if (ret == 0) {
			ret = replace_by(entry, &target, &temporary);
			if (ret != 0) {
				// Nor is it once more if it has its name and the folder was not synced
				entry->retries = UINT8_MAX;
			}
		}
		close(target.folder);
	}
	return ret;
}

int replace_sync_folder(const struct entry *entry) {
	struct target target;
	int ret = target_find(entry, &target);
	if (ret == 0) {
		ret = sync_folder(&target);
		close(target.folder);
	}
	return ret;
}
