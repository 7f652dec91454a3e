// Copyright 2026 the ioq authors. MIT license.

/**
 * Copying files
 * =============
 *
 * A small file is read and written by way of a buffer: that takes two system calls,
 * where the kernel's own copying takes as many and sets up a pipe for it. Of a larger one
 * copy_file_range(2) copies pieces, or shares them where the file system can. Holes
 * stay holes.
 *
 * What a copy has of its original beside contents is set by descriptor, last of all
 * its times.
 */

#include "calls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/** Bytes of one copy: how often a cancellation is looked for. */
#define COPY_LENGTH ((size_t)8 << 20)
/** Bytes that the names of extended attributes have at most, and the value of one. */
#define XATTR_LENGTH ((size_t)65536)
/** Bytes of one copy by way of a buffer. */
#define HAND_LENGTH ((size_t)256 * 1024)
/** Bytes of the path of a link, by way of a descriptor, with its NUL. */
#define LINK_LENGTH (IOQ_PATH_MAX + 32)
/** Bytes of a file that is small. */
#define SMALL_LENGTH ((off_t)32 * 1024)

/**
 * Copy a small file.
 *
 * @return 1, 0 if it has turned out to be another length than was told, or -errno.
 */
static int copy_small(struct entry *entry, int from, int to, off_t size) {
	uint8_t bytes[SMALL_LENGTH + 1];
	ssize_t count = read(from, bytes, (size_t)size + 1);
	if (count < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	int ret = write_all(entry, to, bytes, (size_t)count);
	return ret != 0 ? ret : count == size;
}

/** Copy by way of a buffer, where the kernel cannot do it alone. */
static int copy_by_hand(struct entry *entry, int from, int to) {
	size_t capacity = HAND_LENGTH;
	uint8_t *bytes = malloc(capacity);
	int ret = bytes ? 0 : -ENOMEM;
	unsigned int interruptions = 0;
	while (ret == 0) {
		ssize_t count = read(from, bytes, capacity);
		if (count == 0) {
			break;
		}
		if (count > 0) {
			ret = write_all(entry, to, bytes, (size_t)count);
		} else {
			ret = errno == EINTR ? call_interrupted(entry, &interruptions) : -errno;
		}
	}
	free(bytes);
	return ret;
}

/** Copy what is left of one file to another. */
static int copy_contents(struct entry *entry, int from, int to) {
	bool any = false;
	unsigned int interruptions = 0;
	while (!entry_is_cancelled(entry)) {
		ssize_t ret = copy_file_range(from, NULL, to, NULL, COPY_LENGTH, 0);
		if (ret == 0 && any) {
			return 0;
		}
		if (ret > 0) {
			any = true;
		} else if (ret == 0 || (!any && errno != ENOSPC && errno != EIO && errno != EINTR)) {
			// Other file systems, files in /proc that seem empty, old kernels
			return copy_by_hand(entry, from, to);
		} else if (errno != EINTR || call_interrupted(entry, &interruptions) != 0) {
			return -errno;
		}
	}
	return -EINTR;
}

/**
 * Copy a part of one file to the same place in another.
 *
 * @return 0 or -errno; also if the source has become shorter meanwhile.
 */
static int copy_part(struct entry *entry, int from, int to, off64_t at, off64_t end) {
	bool by_hand = false;
	uint8_t *bytes = NULL;
	int ret = 0;
	unsigned int interruptions = 0;
	while (at < end && ret == 0) {
		if (entry_is_cancelled(entry)) {
			ret = -EINTR;
			break;
		}
		off64_t in = at, out = at;
		size_t length = (size_t)(end - at) < COPY_LENGTH ? (size_t)(end - at) : COPY_LENGTH;
		ssize_t count;
		if (!by_hand) {
			count = copy_file_range(from, &in, to, &out, length, 0);
			if (count < 0 && errno != ENOSPC && errno != EIO && errno != EINTR) {
				// Other file systems, old kernels
				by_hand = true;
				bytes = malloc(HAND_LENGTH);
				ret = bytes ? 0 : -ENOMEM;
				continue;
			}
		} else {
			count = pread(from, bytes, length < HAND_LENGTH ? length : HAND_LENGTH, at);
			for (ssize_t done = 0; done < count;) {
				ssize_t written = pwrite(to, bytes + done, (size_t)(count - done), at + done);
				if (written == 0) {
					errno = EIO;
				}
				if (written == 0 || (written < 0 && (errno != EINTR || call_interrupted(entry, &interruptions) != 0))) {
					count = -1;
					break;
				}
				done += written > 0 ? written : 0;
			}
		}
		if (count == 0) {
			break;
		}
		if (count > 0) {
			at += count;
		} else {
			ret = errno == EINTR ? call_interrupted(entry, &interruptions) : -errno;
		}
	}
	free(bytes);
	return ret;
}

/** Copy a file that has holes, which stay holes. */
static int copy_sparse(struct entry *entry, int from, int to, off64_t size) {
	off64_t at = 0;
	while (at < size) {
		off64_t data = lseek(from, at, SEEK_DATA);
		if (data < 0) {
			if (errno == ENXIO) {
				break;
			}
			return -errno;
		}
		off64_t hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0) {
			return -errno;
		}
		int ret = copy_part(entry, from, to, data, hole < size ? hole : size);
		if (ret != 0) {
			return ret;
		}
		at = hole;
	}
	return ftruncate(to, size) == 0 ? 0 : -errno;
}

int copy_bytes(struct entry *entry, int from, int to, const struct stat *source, bool is_file) {
	if (is_file && (off64_t)source->st_blocks * 512 < source->st_size) {
		return copy_sparse(entry, from, to, source->st_size);
	}
	if (source->st_size > 0 && source->st_size <= SMALL_LENGTH) {
		int ret = copy_small(entry, from, to, source->st_size);
		if (ret != 0) {
			return ret < 0 ? ret : 0;
		}
		// The rest, whatever it is
		return copy_by_hand(entry, from, to);
	}
	return copy_contents(entry, from, to);
}

/** By what the extended attributes of a file are reached: a descriptor, or a link's path. */
struct attributed {
	/** The descriptor, or -1. */
	int fd;
	/** The path of a symbolic link, or NULL. */
	const char *path;
};

/** Copy one extended attribute, if the target can have it. */
static int copy_xattr(struct attributed from, struct attributed to, const char *name, char *value) {
	ssize_t size = from.path ? lgetxattr(from.path, name, value, XATTR_LENGTH)
		: fgetxattr(from.fd, name, value, XATTR_LENGTH);
	if (size < 0) {
		return errno == ENODATA || errno == EPERM ? 0 : -errno;
	}
	int ret = to.path ? lsetxattr(to.path, name, value, (size_t)size, 0)
		: fsetxattr(to.fd, name, value, (size_t)size, 0);
	return ret == 0 || errno == ENOTSUP || errno == EPERM ? 0 : -errno;
}

/** Copy the extended attributes that there are; those that the target cannot have are left out. */
static int copy_all_xattrs(struct attributed from, struct attributed to) {
	// Nearly no file has any: that is found out without memory
	ssize_t length = from.path ? llistxattr(from.path, NULL, 0) : flistxattr(from.fd, NULL, 0);
	if (length == 0 || (length < 0 && errno == ENOTSUP)) {
		return 0;
	}
	char *names = length < 0 ? NULL : malloc(2 * XATTR_LENGTH);
	if (!names) {
		return length < 0 ? -errno : -ENOMEM;
	}
	char *value = names + XATTR_LENGTH;
	length = from.path ? llistxattr(from.path, names, XATTR_LENGTH) : flistxattr(from.fd, names, XATTR_LENGTH);
	int ret = length < 0 ? -errno : 0;
	for (char *name = names; ret == 0 && name < names + length; name += strlen(name) + 1) {
		ret = copy_xattr(from, to, name, value);
	}
	free(names);
	return ret;
}

int copy_xattrs(int from, int to) {
	return copy_all_xattrs((struct attributed) {.fd = from}, (struct attributed) {.fd = to});
}

/** Whether an owner could not be given because that takes somebody else. */
static bool may_not_give(void) {
	return errno == EPERM || errno == EINVAL;
}

int copy_attributes(uint32_t what, int from, int to, const struct stat *source) {
	mode_t mode = source->st_mode & 07777;
	bool keeps_user = false, keeps_group = false;
	if (what & IOQ_COPY_OWNER) {
		if (fchown(to, source->st_uid, source->st_gid) == 0) {
			keeps_user = keeps_group = true;
		} else if (!may_not_give()) {
			return -errno;
		} else if (fchown(to, (uid_t)-1, source->st_gid) == 0) {
			keeps_group = true;
		} else if (!may_not_give()) {
			return -errno;
		}
	}
	if (what & IOQ_COPY_NO_SET_ID) {
		struct stat target;
		if (!S_ISDIR(source->st_mode)) {
			// Another's program with these bits would run as whoever has copied it
			mode &= ~(mode_t)((keeps_user ? 0 : S_ISUID) | (keeps_group ? 0 : S_ISGID));
		} else if (!keeps_group && fstat(to, &target) == 0) {
			// What it has from the directory that it is in
			mode |= target.st_mode & S_ISGID;
		}
	}
	// Changing the owner has taken the bits away
	if (fchmod(to, mode) != 0) {
		return -errno;
	}
	if (what & IOQ_COPY_XATTRS) {
		int ret = copy_xattrs(from, to);
		if (ret != 0) {
			return ret;
		}
	}
	struct timespec times[2] = {source->st_atim, source->st_mtim};
	return what & IOQ_COPY_TIMES && futimens(to, times) != 0 ? -errno : 0;
}

/**
 * Make a path of a link in a directory. Calls relative to a directory came with 6.13,
 * and other ways go by /proc.
 *
 * @return Whether it is no longer than may be.
 */
static bool name_link(char path[LINK_LENGTH], int dfd, const char *name) {
	bool is_whole = dfd == AT_FDCWD || name[0] == '/';
	int length = is_whole ? snprintf(path, LINK_LENGTH, "%s", name)
		: snprintf(path, LINK_LENGTH, "/proc/self/fd/%d/%s", dfd, name);
	return length < LINK_LENGTH;
}

/** Copy the extended attributes of a symbolic link. */
static int copy_link_xattrs(int from, const char *name, int to, const char *to_name) {
	char path[LINK_LENGTH], to_path[LINK_LENGTH];
	if (!name_link(path, from, name) || !name_link(to_path, to, to_name)) {
		return -ENAMETOOLONG;
	}
	int ret = copy_all_xattrs((struct attributed) {-1, path}, (struct attributed) {-1, to_path});
	// Without /proc they cannot be had
	return ret == -ENOENT ? 0 : ret;
}

int copy_link_attributes(uint32_t what, int from, const char *name, int to, const char *to_name) {
	if (!(what & (IOQ_COPY_OWNER | IOQ_COPY_TIMES | IOQ_COPY_XATTRS))) {
		return 0;
	}
	struct stat source;
	if (fstatat(from, name, &source, AT_SYMLINK_NOFOLLOW) != 0) {
		return -errno;
	}
	if (!S_ISLNK(source.st_mode)) {
		return -ESTALE;
	}
	if (what & IOQ_COPY_OWNER && fchownat(to, to_name, source.st_uid, source.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
		if (!may_not_give()) {
			return -errno;
		}
		if (fchownat(to, to_name, (uid_t)-1, source.st_gid, AT_SYMLINK_NOFOLLOW) != 0 && !may_not_give()) {
			return -errno;
		}
	}
	if (what & IOQ_COPY_XATTRS) {
		int ret = copy_link_xattrs(from, name, to, to_name);
		if (ret != 0) {
			return ret;
		}
	}
	struct timespec times[2] = {source.st_atim, source.st_mtim};
	bool fails = what & IOQ_COPY_TIMES && utimensat(to, to_name, times, AT_SYMLINK_NOFOLLOW) != 0;
	return fails ? -errno : 0;
}

/** Give a directory the attributes of another one. */
static int32_t copy_directory(struct entry *entry) {
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int from = openat(entry->fd, entry->path, flags);
	if (from < 0) {
		return -errno;
	}
	int ret = 0;
	struct stat source;
	int to = openat(entry->fd2, entry->path2, flags);
	if (to < 0 || fstat(from, &source) != 0) {
		ret = -errno;
	} else {
		ret = copy_attributes(entry->args[1], from, to, &source);
	}
	if (to >= 0) {
		close(to);
	}
	close(from);
	return ret;
}

/**
 * Copy what is left of a file to a FIFO, whose reader takes it when it likes.
 *
 * @return 0, -errno, or what entry_waits() gives: both are kept then.
 */
static int32_t copy_to_stream(struct entry *entry, int from, int to) {
	unsigned int interruptions = 0;
	while (true) {
		if (entry_is_cancelled(entry)) {
			return -EINTR;
		}
		ssize_t ret = splice(from, NULL, to, NULL, HAND_LENGTH, SPLICE_F_NONBLOCK);
		if (ret == 0) {
			return 0;
		}
		if (ret < 0 && errno == EAGAIN) {
			entry->source = from;
			return stream_waits(entry, to, WAITS_READY | WAITS_TIME, POLLOUT);
		}
		if (ret < 0 && errno == EINVAL) {
			// What is made on the fly has no pages to hand over
			fcntl(to, F_SETFL, 0);
			return copy_by_hand(entry, from, to);
		}
		if (ret < 0 && (errno != EINTR || call_interrupted(entry, &interruptions) != 0)) {
			return -errno;
		}
		entry->pause = 0;
	}
}

/** Go on copying to a FIFO. */
static int32_t copy_on(struct entry *entry) {
	int from = entry->source, to = entry->fifo;
	entry->source = entry->fifo = -1;
	int32_t ret = copy_to_stream(entry, from, to);
	if (entry->fifo < 0) {
		close(from);
		close(to);
	}
	return ret;
}

int32_t whole_file_copy(struct entry *entry) {
	if (entry->args[1] & IOQ_COPY_DIRECTORY) {
		return copy_directory(entry);
	}
	if (entry->args[1] & IOQ_COPY_LINK) {
		return copy_link_attributes(entry->args[1], entry->fd, entry->path, entry->fd2, entry->path2);
	}
	if (entry->streams) {
		return copy_on(entry);
	}
	// What might wait for its other end is not copied, but for its contents
	int from_flags = entry_open_flags(entry) | O_RDONLY;
	int from = guard_open(entry, entry->fd, entry->path, from_flags | O_NONBLOCK, 0, DANGLING_MISSING);
	if (from == -EWOULDBLOCK) {
		from = guard_open(entry, entry->fd, entry->path, from_flags, 0, DANGLING_MISSING);
	}
	if (from < 0) {
		return from;
	}
	struct stat source = {0}, target = {0};
	int to = -1;
	int ret = 0;
	if (fstat(from, &source) != 0) {
		ret = -errno;
	}
	if (ret == 0 && !S_ISREG(source.st_mode)) {
		ret = -IOQ_ENOTREG;
	}
	if (ret == 0) {
		int flags = (int)entry->args[0] | O_WRONLY | O_CREAT | O_CLOEXEC;
		mode_t mode = source.st_mode & (entry->args[1] & IOQ_COPY_NO_SET_ID ? 01777 : 07777);
		to = attempt_open_whole(entry, entry->fd2, entry->path2, flags, mode, DANGLING_FOLLOWED);
		if (to < 0 && (entry->waits_for || to == -IOQ_EWAITS)) {
			close(from);
			return to;
		}
		ret = to < 0 ? to : fstat(to, &target) == 0 ? 0 : -errno;
	}
	if (ret == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino) {
		// Truncating it would destroy what is to be copied
		ret = -IOQ_ESAMEFILE;
	}
	// A device keeps its mode: it is no copy, it only takes the bytes. And what is empty
	// is not truncated: some file systems write such a file out when it is closed
	bool is_copy = S_ISREG(target.st_mode);
	if (ret == 0 && S_ISFIFO(target.st_mode) && entry->patience == PATIENCE_WAITS) {
		ret = copy_to_stream(entry, from, to);
		if (entry->fifo < 0) {
			close(from);
			close(to);
		}
		return ret;
	}
	if (ret == 0 && is_copy && target.st_size > 0 && ftruncate(to, 0) != 0) {
		ret = -errno;
	}
	if (ret == 0) {
		ret = copy_bytes(entry, from, to, &source, is_copy);
	}
	if (ret == 0 && is_copy) {
		ret = copy_attributes(entry->args[1], from, to, &source);
	}
	if (to >= 0 && close(to) != 0 && ret == 0 && errno != EINTR) {
		ret = -errno;
	}
	close(from);
	return ret;
}
