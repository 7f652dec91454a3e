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
 *
 * Descriptors are few. Below some levels a directory is closed while those in it are
 * removed, and opened again as ".." of the one below, if that is the same inode still.
 *
 * A chain of directories is more than one request gets done. What its last one has
 * removed would leave as many directories above it as there are levels, a request each.
 * So when a named directory is gone, those on its path are tried as well, from the
 * innermost on, until one is not empty.
 */

#include "calls/calls.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/** Levels below the named directories, at the most: each is a frame on the lane's stack. */
#define LEVELS_MAX 512
/** Levels of them that have an open descriptor each. */
#define LEVELS_OPEN 8

/** The errno of a call that removes; that something is gone already is no error. */
static int32_t removed(int ret) {
	return ret == 0 || errno == ENOENT ? 0 : errno;
}

/** Remove what is no directory from an open one. A tree_act(). */
static int32_t remove_entry(void *context, const char *name, uint8_t *type) {
	const int *dfd = context;
	int32_t result = *type == DT_DIR ? IOQ_TREE_LEFT : removed(unlinkat(*dfd, name, 0));
	if (result == EISDIR) {
		// Its type was not known, or something else has taken its place
		*type = DT_DIR;
		result = IOQ_TREE_LEFT;
	}
	return result;
}

/** Where a recursion is. */
struct place {
	/** The descriptor of the directory, or -1 while that is closed. */
	int *dfd;
	/** Levels that may be gone on below. */
	uint32_t levels;
	/** How many levels are above it. */
	uint32_t depth;
};

static int remove_directory(struct tree *tree, struct place above, struct name name, int32_t parent,
		int32_t *result);

/**
 * Remove what is in an open directory.
 *
 * @return 1 if nothing is left of it, 0 if something is, -errno if the request is over.
 */
static int empty_directory(struct tree *tree, struct place here, size_t index) {
	struct scratch *scratch = tree->scratch;
	struct mark mark = tree_mark(tree);
	int ret = tree_list(tree, *here.dfd, index);
	if (ret == 0) {
		ret = tree_sift(tree, &mark, remove_entry, here.dfd);
	}
	if (ret != 0) {
		return ret;
	}
	size_t end = scratch->types.length;
	tree_record(tree, index)->count = (uint32_t)(end - mark.types);

	bool is_empty = tree_record(tree, index)->error == 0;
	// Of a chain of directories there is nothing to share with other lanes
	bool is_chain = end - mark.types == 1;
	size_t at = mark.names;
	for (size_t i = mark.types; i < end; ++i) {
		struct name name = {.at = at};
		at += strlen(tree_name(tree, name)) + 1;
		int32_t result = *tree_result(tree, i);
		if (result == IOQ_TREE_LEFT && here.levels > 0 && *here.dfd >= 0
				&& (is_chain || tree_has_budget(tree))) {
			ret = remove_directory(tree, here, name, (int32_t)i, &result);
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

/**
 * Empty an open directory, and close it. Deep down the one above it is closed
 * meanwhile; it stays closed if it cannot be found again.
 *
 * @return As empty_directory().
 */
static int empty_and_close(struct tree *tree, struct place above, int fd, size_t index) {
	struct identity identity;
	bool is_deep = above.depth >= LEVELS_OPEN && directory_identify(*above.dfd, &identity);
	if (is_deep) {
		close(*above.dfd);
		*above.dfd = -1;
	}
	int ret = empty_directory(tree, (struct place) {&fd, above.levels - 1, above.depth + 1}, index);
	if (is_deep && fd >= 0) {
		*above.dfd = way_open_above(fd, &identity, O_RDONLY);
	}
	if (fd >= 0) {
		close(fd);
	}
	return ret;
}

/** Remove a directory, or what has taken its place. Returns 0 or -errno. */
static int remove_directory(struct tree *tree, struct place above, struct name name, int32_t parent,
		int32_t *result) {
	bool is_named = parent < 0;
	bool stays = name.text && strcmp(name.text, ".") == 0;
	struct mark mark = tree_mark(tree);
	size_t index = mark.directories / sizeof(struct ioq_tree_directory);
	int fd = openat(*above.dfd, tree_name(tree, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int error = errno;
		if (is_named && is_full(error)) {
			return left_for_lack(error, parent);
		}
		*result = stays ? error : remove_unopened(*above.dfd, tree_name(tree, name), error);
		int ret = is_named ? tree_append_record(tree, parent, *result) : 0;
		if (ret == 0 && is_named && *result == 0) {
			tree_record(tree, index)->flags |= IOQ_TREE_GONE;
		}
		return ret;
	}
	int ret = tree_append_record(tree, parent, 0);
	if (ret == 0) {
		ret = empty_and_close(tree, above, fd, index);
	} else {
		close(fd);
	}
	if (ret < 0) {
		return ret;
	}

	// Without the one above it is for another request, which finds its own way
	bool is_left = ret == 0 || (*above.dfd == -1 && !stays);
	*result = is_left ? IOQ_TREE_LEFT
		: stays ? 0
		: removed(unlinkat(*above.dfd, tree_name(tree, name), AT_REMOVEDIR));
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
 * Remove the directories on a path from the innermost on, until one is not empty.
 *
 * @param dfd The innermost one; closed.
 * @param name The last name of the path, behind a slash.
 * @return How many are gone.
 */
static uint32_t go_up(int dfd, char *path, char *name, const struct way *way) {
	uint32_t gone = 0;
	for (size_t above = way->count; above > 0; --above) {
		int fd = way_open_above(dfd, &way->directories[above - 1], O_PATH);
		name[-1] = '\0';
		char *slash = memrchr(path, '/', (size_t)(name - path));
		char *last = slash ? slash + 1 : path;
		bool is_gone = fd >= 0 && unlinkat(fd, last, AT_REMOVEDIR) == 0;
		name[-1] = '/';
		name = last;
		close(dfd);
		dfd = fd;
		if (!is_gone) {
			break;
		}
		++gone;
	}
	if (dfd >= 0) {
		close(dfd);
	}
	return gone;
}

/**
 * Remove a directory that the request names, going down to it name by name.
 *
 * @return 0, or -errno if the request is over.
 */
static int remove_named(struct tree *tree, char *path, int32_t parent, uint32_t levels) {
	struct way way;
	if (!way_begin(&way, path)) {
		return -ENOMEM;
	}
	size_t index = tree->scratch->directories.length / sizeof(struct ioq_tree_directory);
	char *name;
	int dfd;
	int ret = way_go_down(&way, tree->entry->fd, path, &name, &dfd);
	if (parent == -1) {
		// However long the way was, each request is to get somewhere
		tree_begin(tree);
	}
	if (ret == 0) {
		int32_t result;
		ret = remove_directory(tree, (struct place) {&dfd, levels + 1, 0},
			(struct name) {.text = name}, parent, &result);
		if (ret == 0 && way.count > 0 && tree_record(tree, index)->flags & IOQ_TREE_GONE) {
			tree_record(tree, index)->dev_low = go_up(dfd, path, name, &way);
			dfd = -1;
		}
	} else if (is_full(-ret)) {
		ret = left_for_lack(-ret, parent);
	} else {
		// With what it was in it is gone, or out of reach
		bool is_gone = ret == -ENOENT;
		ret = tree_append_record(tree, parent, is_gone ? 0 : -ret);
		if (ret == 0 && is_gone) {
			tree_record(tree, index)->flags |= IOQ_TREE_GONE;
		}
	}
	if (dfd >= 0 && dfd != tree->entry->fd) {
		close(dfd);
	}
	way_end(&way);
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
	ret = ret > 0 ? 0 : ret;
	return ret == 0 && entry_is_cancelled(entry) ? -EINTR : ret;
}
