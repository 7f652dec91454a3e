// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing trees
 * ==============
 *
 * A request for each name would cost more than removing it, and several lanes that
 * remove names from one directory only hand each other its lock. So one request
 * empties whole directories, on one lane, and goes on below as reading does: see
 * calls/tree.c. Different directories go to different lanes.
 *
 *     request: a, b      a/x, a/y, a/dir/z, a/dir, a   gone, nothing to tell
 *                        b/busy                        told, with its errno
 *                        b/dir                         told: left, there was no time
 *
 * What is told of has a record as when trees are read. A directory that is left, or
 * that something is left in, is asked for again when that is gone.
 *
 * Nobody must be led out of the tree by a link that takes a directory's place
 * between two system calls. So every name is looked up relative to the descriptor
 * of the directory that it was found in, and no link is followed, not even in the
 * paths that a request names, which are gone down name by name.
 */

#include "calls/calls.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/** Levels below the named directories, at the most: each is an open descriptor. */
#define LEVELS_MAX 8
/** Bytes of a name with its NUL, as getdents64(2) gives them. */
#define NAME_LENGTH 256

/** How much was gathered at some time. */
struct mark {
	/** Bytes of each buffer. */
	size_t names, types, results, directories;
};

/** How much has been gathered. */
static struct mark tree_mark(const struct tree *tree) {
	const struct scratch *scratch = tree->scratch;
	return (struct mark) {
		.names = scratch->names.length,
		.types = scratch->types.length,
		.results = scratch->stats.length,
		.directories = scratch->directories.length,
	};
}

/** Forget what was gathered since, and keep so many records of it. */
static void tree_forget(struct tree *tree, const struct mark *mark, size_t records) {
	struct scratch *scratch = tree->scratch;
	scratch->names.length = mark->names;
	scratch->types.length = mark->types;
	scratch->stats.length = mark->results;
	scratch->directories.length = mark->directories + records * sizeof(struct ioq_tree_directory);
}

/** What became of an entry. The array moves when it grows. */
static int32_t *tree_result(const struct tree *tree, size_t index) {
	return (int32_t *)(void *)tree->scratch->stats.data + index;
}

/** The errno of a call that removes; that something is gone already is no error. */
static int32_t removed(int ret) {
	return ret == 0 || errno == ENOENT ? 0 : errno;
}

/**
 * Remove what is in an open directory but the directories in it.
 *
 * What is not gone, or is to be told of, is moved together: names, types, results.
 *
 * @return 0, or -errno if the request is over.
 */
static int remove_entries(struct tree *tree, int dfd, const struct mark *mark) {
	struct scratch *scratch = tree->scratch;
	size_t count = scratch->types.length - mark->types;
	int ret = bytes_reserve(&scratch->stats, count * sizeof(int32_t));
	if (ret != 0) {
		return ret;
	}
	bool tells = tree->entry->mode & IOQ_TREE_TELL;
	char *from = (char *)scratch->names.data + mark->names;
	char *to = from;
	size_t kept = mark->types;
	for (size_t i = mark->types; i < mark->types + count; ++i) {
		if (entry_is_cancelled(tree->entry)) {
			return -EINTR;
		}
		uint8_t type = scratch->types.data[i];
		int32_t result = type == DT_DIR ? IOQ_TREE_LEFT : removed(unlinkat(dfd, from, 0));
		if (result == EISDIR) {
			// Its type was not known, or something else has taken its place
			type = DT_DIR;
			result = IOQ_TREE_LEFT;
		}
		size_t length = strlen(from) + 1;
		if (result != 0 || tells) {
			memmove(to, from, length);
			to += length;
			scratch->types.data[kept] = type;
			*tree_result(tree, kept++) = result;
		}
		from += length;
	}
	scratch->names.length = (size_t)(to - (char *)scratch->names.data);
	scratch->types.length = kept;
	scratch->stats.length = kept * sizeof(int32_t);
	return 0;
}

/** Read an open directory to its end. An error of its own is put on record. */
static int read_entries(struct tree *tree, int dfd, size_t index) {
	long ret;
	do {
		if (entry_is_cancelled(tree->entry)) {
			return -EINTR;
		}
		ret = directory_append(dfd, tree->scratch);
	} while (ret > 0);
	if (ret == -ENOMEM || ret == -EOVERFLOW) {
		return (int)ret;
	}
	// Somebody else may have removed it, with all that was in it
	tree_record(tree, index)->error = ret == -ENOENT ? 0 : (int32_t)-ret;
	return 0;
}

static int remove_directory(struct tree *tree, int dfd, const char *name, int32_t parent,
		uint32_t levels, int32_t *result);

/**
 * Remove what is in an open directory.
 *
 * @return 1 if nothing is left of it, 0 if something is, -errno if the request is over.
 */
static int empty_directory(struct tree *tree, int dfd, size_t index, uint32_t levels) {
	struct scratch *scratch = tree->scratch;
	struct mark mark = tree_mark(tree);
	int ret = read_entries(tree, dfd, index);
	if (ret == 0) {
		ret = remove_entries(tree, dfd, &mark);
	}
	if (ret != 0) {
		return ret;
	}
	size_t end = scratch->types.length;
	tree_record(tree, index)->count = (uint32_t)(end - mark.types);

	bool is_empty = tree_record(tree, index)->error == 0;
	size_t at = mark.names;
	for (size_t i = mark.types; i < end; ++i) {
		char name[NAME_LENGTH];
		const char *text = (const char *)scratch->names.data + at;
		size_t length = strlen(text) + 1;
		at += length;
		int32_t result = *tree_result(tree, i);
		if (result == IOQ_TREE_LEFT && levels > 0 && length <= sizeof(name) && tree_has_budget(tree)) {
			// What is gathered below moves the names
			memcpy(name, text, length);
			ret = remove_directory(tree, dfd, name, (int32_t)i, levels - 1, &result);
			if (ret != 0) {
				return ret;
			}
			*tree_result(tree, i) = result;
		}
		is_empty &= result == 0;
	}
	return is_empty;
}

/** What becomes of a directory that cannot be opened. */
static int32_t remove_unopened(int dfd, const char *name, int error) {
	switch (error) {
	case ENOENT:
		return 0;
	case EMFILE:
	case ENFILE:
		// When fewer are open
		return IOQ_TREE_LEFT;
	case ENOTDIR:
	case ELOOP:
		// Something else has taken its place
		return removed(unlinkat(dfd, name, 0));
	default:
		// It may be empty
		return removed(unlinkat(dfd, name, AT_REMOVEDIR)) == 0 ? 0 : error;
	}
}

/** Remove a directory, or what has taken its place. Returns 0 or -errno. */
static int remove_directory(struct tree *tree, int dfd, const char *name, int32_t parent,
		uint32_t levels, int32_t *result) {
	bool is_named = parent < 0;
	bool stays = strcmp(name, ".") == 0;
	struct mark mark = tree_mark(tree);
	size_t index = mark.directories / sizeof(struct ioq_tree_directory);
	int fd = openat(dfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int error = errno;
		*result = stays ? error : remove_unopened(dfd, name, error);
		// Whoever named it is to hear why it cannot even be begun
		*result = is_named && *result == IOQ_TREE_LEFT ? error : *result;
		int ret = is_named ? tree_append_record(tree, parent, *result) : 0;
		if (ret == 0 && is_named && *result == 0) {
			tree_record(tree, index)->flags |= IOQ_TREE_GONE;
		}
		return ret;
	}
	int ret = tree_append_record(tree, parent, 0);
	if (ret == 0) {
		ret = empty_directory(tree, fd, index, levels);
	}
	close(fd);
	if (ret < 0) {
		return ret;
	}

	*result = ret == 0 ? IOQ_TREE_LEFT : stays ? 0 : removed(unlinkat(dfd, name, AT_REMOVEDIR));
	bool is_gone = *result == 0 && !stays;
	if (is_gone && !(tree->entry->mode & IOQ_TREE_TELL)) {
		tree_forget(tree, &mark, is_named);
		if (is_named) {
			tree_record(tree, index)->count = 0;
		}
	}
	if (is_gone && tree->scratch->directories.length > mark.directories) {
		tree_record(tree, index)->flags |= IOQ_TREE_GONE;
	} else if (*result != 0 && *result != IOQ_TREE_LEFT) {
		tree_record(tree, index)->error = *result;
	}
	return 0;
}

/**
 * Remove a directory that the request names, going down to it name by name.
 *
 * @return 0, or -errno if the request is over.
 */
static int remove_named(struct tree *tree, char *path, int32_t parent, uint32_t levels) {
	int dfd = tree->entry->fd;
	int error = 0;
	char *name = path;
	for (char *slash = strchr(name, '/'); slash && error == 0; slash = strchr(name, '/')) {
		*slash = '\0';
		int fd = openat(dfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = fd < 0 ? errno : 0;
		*slash = '/';
		name = slash + 1;
		if (dfd != tree->entry->fd) {
			close(dfd);
		}
		dfd = fd;
	}
	int32_t result;
	int ret;
	if (error == 0) {
		ret = remove_directory(tree, dfd, name, parent, levels, &result);
	} else {
		// With what it was in it is gone, or out of reach
		ret = tree_append_record(tree, parent, error == ENOENT ? 0 : error);
		if (ret == 0 && error == ENOENT) {
			size_t last = tree->scratch->directories.length / sizeof(struct ioq_tree_directory) - 1;
			tree_record(tree, last)->flags |= IOQ_TREE_GONE;
		}
	}
	if (dfd >= 0 && dfd != tree->entry->fd) {
		close(dfd);
	}
	return ret;
}

int tree_remove_all(struct tree *tree) {
	struct entry *entry = tree->entry;
	uint32_t levels = entry->args[0] < LEVELS_MAX ? entry->args[0] : LEVELS_MAX;
	// The paths are the first one's bytes, apart by NULs
	const char *end = entry->path2 - 1;
	int32_t parent = -1;
	int ret = 0;
	for (char *path = entry->path; ret == 0 && path <= end; path += strlen(path) + 1, --parent) {
		if (parent < -1 && !tree_has_budget(tree)) {
			break;
		}
		ret = remove_named(tree, path, parent, levels);
	}
	return ret == 0 && entry_is_cancelled(entry) ? -EINTR : ret;
}
