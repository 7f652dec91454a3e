// Copyright 2026 the ioq authors. MIT license.

/**
 * Copying trees
 * =============
 *
 * A request for each file would cost as much as copying it. So one request copies whole
 * directories, on one lane, since creating files in a directory takes that directory's
 * lock; and it goes on below as reading does: see calls/tree.c. Different directories go
 * to different lanes.
 *
 *     request: a, b      a/x, a/dir/y      copied, nothing to tell
 *                        b/socket          told, with what keeps it
 *                        b/dir, b/large    told: left, there was no time
 *
 * The same names are used on both sides. Names are looked up relative to the
 * directories that they are in, and no link is followed on either side. A directory
 * that is complete gets its attributes at once; one in which something is left gets
 * them from another request, when that is done. Descriptors are few, as when trees are
 * removed: deep down those above are closed meanwhile.
 */

#include "calls/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/** Levels below what is named, at the most: each is a frame on the lane's stack. */
#define LEVELS_MAX 256
/** Levels of them that have two open descriptors each. */
#define LEVELS_OPEN 8
/** How many times as long as directories, files of one directory are begun. */
#define FILES_SHARE 16
/** What makes a directory ours until its contents are there. */
#define MODE_OURS 0700
/** Flags for opening directories. */
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/** Two directories: descriptors, or -1 while they are closed. */
struct sides {
	/** The original. */
	int from;
	/** The copy. */
	int to;
};

/** A copy being made. */
struct copy {
	/** The request. */
	struct tree *tree;
	/** IOQ_COPY_*. */
	uint32_t what;
	/** Which directory all goes to. */
	struct identity root;
};

/** Where a recursion is. */
struct spot {
	/** The directory. */
	struct sides *sides;
	/** Levels that may be gone on below. */
	uint32_t levels;
	/** How many levels are above it. */
	uint32_t depth;
};

/** Close a pair, except one that the request came with. */
static void sides_close(struct sides *sides, struct sides but) {
	if (sides->from >= 0 && sides->from != but.from) {
		close(sides->from);
	}
	if (sides->to >= 0 && sides->to != but.to) {
		close(sides->to);
	}
	*sides = (struct sides) {-1, -1};
}

/** No descriptors. */
static const struct sides nowhere = {-1, -1};

/** Open the file that is to become a copy. Returns a descriptor or -errno. */
static int create_target(const struct copy *copy, int dfd, const char *name, mode_t mode, bool *is_new) {
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = openat(dfd, name, flags | O_EXCL, mode);
	*is_new = true;
	struct stat there;
	if (fd >= 0 || errno != EEXIST || !(copy->what & IOQ_COPY_OVERWRITE)
			|| fstatat(dfd, name, &there, AT_SYMLINK_NOFOLLOW) != 0) {
		return fd < 0 ? -errno : fd;
	}
	// What has other names would change under those as well
	bool is_linked = S_ISREG(there.st_mode) && there.st_nlink > 1 && copy->what & IOQ_COPY_NO_LINKED;
	if (S_ISLNK(there.st_mode) || is_linked) {
		if (unlinkat(dfd, name, 0) != 0) {
			return -errno;
		}
		fd = openat(dfd, name, flags | O_EXCL, mode);
	} else {
		*is_new = false;
		fd = openat(dfd, name, flags, mode);
	}
	return fd < 0 ? -errno : fd;
}

/** Copy an open file. Returns what becomes of it: 0, or an errno or more. */
static int32_t copy_open_file(const struct copy *copy, int from, const struct stat *source, int to, bool is_new) {
	struct stat target = {.st_mode = S_IFREG};
	if (!is_new && fstat(to, &target) != 0) {
		return errno;
	}
	if (!is_new && source->st_dev == target.st_dev && source->st_ino == target.st_ino) {
		return IOQ_ESAMEFILE;
	}
	bool is_copy = S_ISREG(target.st_mode);
	if (is_copy && target.st_size > 0 && ftruncate(to, 0) != 0) {
		return errno;
	}
	int ret = copy_bytes(copy->tree->entry, from, to, source, is_copy);
	if (ret == 0 && is_copy) {
		ret = copy_attributes(copy->what, from, to, source);
	}
	return -ret;
}

/** Copy a regular file. Returns what becomes of it. */
static int32_t copy_regular(const struct copy *copy, struct sides sides, const char *name) {
	int from = openat(sides.from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (from < 0) {
		return errno;
	}
	struct stat source;
	int32_t result = fstat(from, &source) != 0 ? errno : 0;
	if (result == 0 && !S_ISREG(source.st_mode)) {
		result = IOQ_ENOTREG;
	}
	if (result == 0 && source.st_nlink > 1 && copy->what & IOQ_COPY_NO_LINKED) {
		result = IOQ_TREE_APART;
	}
	if (result == 0) {
		bool is_new;
		int to = create_target(copy, sides.to, name, source.st_mode & 0777, &is_new);
		result = to < 0 ? -to : copy_open_file(copy, from, &source, to, is_new);
		// Some file systems report what went wrong only now
		if (to >= 0 && close(to) != 0 && result == 0 && errno != EINTR) {
			result = errno;
		}
	}
	close(from);
	return result;
}

/** Copy a symbolic link. Returns what becomes of it. */
static int32_t copy_symlink(const struct copy *copy, struct sides sides, const char *name) {
	if (copy->what & IOQ_COPY_NO_SYMLINKS) {
		return IOQ_TREE_APART;
	}
	struct stat source;
	if (copy->what & IOQ_COPY_NO_LINKED) {
		if (fstatat(sides.from, name, &source, AT_SYMLINK_NOFOLLOW) != 0) {
			return errno;
		}
		if (source.st_nlink > 1) {
			return IOQ_TREE_APART;
		}
	}
	char target[IOQ_PATH_MAX + 2];
	ssize_t length = readlinkat(sides.from, name, target, sizeof(target));
	if (length < 0) {
		return errno;
	}
	if (length == sizeof(target)) {
		return ENAMETOOLONG;
	}
	target[length] = '\0';
	if (symlinkat(target, sides.to, name) != 0) {
		if (errno != EEXIST || !(copy->what & IOQ_COPY_OVERWRITE)) {
			return errno;
		}
		// What is a directory stays, and is the error
		if (unlinkat(sides.to, name, 0) != 0 || symlinkat(target, sides.to, name) != 0) {
			return errno;
		}
	}
	return -copy_link_attributes(copy->what, sides.from, name, sides.to, name);
}

/** Copy what is no directory. Returns what becomes of it. */
static int32_t copy_one(const struct copy *copy, struct sides sides, const char *name, uint8_t type) {
	switch (type) {
	case DT_REG:
		return copy_regular(copy, sides, name);
	case DT_LNK:
		return copy_symlink(copy, sides, name);
	case DT_DIR:
		return IOQ_TREE_LEFT;
	default:
		return IOQ_ENOTREG;
	}
}

/** Where entries are copied from, and where to. */
struct copying {
	/** How. */
	const struct copy *copy;
	/** The directories. */
	struct sides sides;
	/** Whether an entry was copied: each request is to get somewhere. */
	bool has_begun;
};

/** Copy what is no directory, if there is time. A tree_act(). */
static int32_t copy_entry(void *context, const char *name, uint8_t *type) {
	struct copying *copying = context;
	bool has_time = !copying->has_begun || *type == DT_DIR || tree_has_time(copying->copy->tree);
	copying->has_begun = true;
	int32_t result = has_time ? copy_one(copying->copy, copying->sides, name, *type) : IOQ_TREE_LEFT;
	return is_full(result) ? IOQ_TREE_LEFT : result;
}

/** Copy what is in an open directory but the directories in it. Returns 0, or -errno if the request is over. */
static int copy_entries(const struct copy *copy, struct sides sides, const struct mark *mark) {
	struct tree *tree = copy->tree;
	tree_begin(tree);
	tree->deadline += (uint64_t)tree->entry->args[1] * 1000 * (FILES_SHARE - 1);
	struct copying copying = {.copy = copy, .sides = sides};
	return tree_sift(tree, mark, copy_entry, &copying);
}

/** What became of a directory. */
enum outcome {
	/** Something in it is left. */
	DIRECTORY_LEFT,
	/** All that can be is copied, and something is to be told. */
	DIRECTORY_TOLD,
	/** All is copied, and nothing is to be told. */
	DIRECTORY_CLEAN,
};

static int copy_directory(const struct copy *copy, struct spot above, struct name name, int32_t parent,
		int32_t *result);

/** Copy what is in an open directory. Returns an enum outcome, or -errno if the request is over. */
static int fill_directory(const struct copy *copy, struct spot here, size_t index, uint64_t deadline) {
	struct tree *tree = copy->tree;
	struct scratch *scratch = tree->scratch;
	struct mark mark = tree_mark(tree);
	int ret = tree_list(tree, here.sides->from, index);
	if (ret == 0) {
		ret = copy_entries(copy, *here.sides, &mark);
	}
	if (ret != 0) {
		return ret;
	}
	tree->deadline = deadline;
	size_t end = scratch->types.length;
	tree_record(tree, index)->count = (uint32_t)(end - mark.types);

	size_t directories = 0;
	for (size_t i = mark.types; i < end; ++i) {
		directories += scratch->types.data[i] == DT_DIR;
	}
	bool is_whole = true;
	bool is_clean = tree_record(tree, index)->error == 0 && !(tree->entry->mode & IOQ_TREE_TELL);
	size_t at = mark.names;
	for (size_t i = mark.types; i < end; ++i) {
		struct name name = {.at = at};
		at += strlen(tree_name(tree, name)) + 1;
		int32_t result = *tree_result(tree, i);
		// Of a chain of directories there is nothing to share with other lanes
		if (scratch->types.data[i] == DT_DIR && here.levels > 0 && here.sides->from >= 0
				&& (directories == 1 || tree_has_budget(tree))) {
			ret = copy_directory(copy, here, name, (int32_t)i, &result);
			if (ret < 0) {
				return ret;
			}
			*tree_result(tree, i) = result;
			is_clean &= ret == DIRECTORY_CLEAN;
		}
		is_whole &= result != IOQ_TREE_LEFT && result != IOQ_TREE_APART;
		is_clean &= result == 0;
	}
	return !is_whole ? DIRECTORY_LEFT : is_clean ? DIRECTORY_CLEAN : DIRECTORY_TOLD;
}

/** Open the two directories above a pair again. Returns 0 or an errno: both are what they were, or none is open. */
static int open_above(struct sides below, struct sides *above, const struct identity identities[2], int flags) {
	above->from = way_open_above(below.from, &identities[0], flags);
	above->to = above->from < 0 ? -1 : way_open_above(below.to, &identities[1], flags);
	int error = above->to < 0 ? errno : 0;
	if (error != 0) {
		sides_close(above, nowhere);
	}
	return error;
}

/** Fill an open directory, closing those above it meanwhile if it is deep down. */
static int fill_below(const struct copy *copy, struct spot above, struct sides *sides, size_t index) {
	struct identity identities[2];
	bool is_deep = above.depth >= LEVELS_OPEN
		&& directory_identify(above.sides->from, &identities[0])
		&& directory_identify(above.sides->to, &identities[1]);
	if (is_deep) {
		sides_close(above.sides, nowhere);
	}
	struct spot here = {sides, above.levels - 1, above.depth + 1};
	int ret = fill_directory(copy, here, index, copy->tree->deadline);
	if (is_deep && sides->from >= 0) {
		open_above(*sides, above.sides, identities, O_RDONLY);
	}
	return ret;
}

/** Open a directory, and make and open its copy. Returns 0 or an errno or more. */
static int32_t open_directory(const struct copy *copy, struct sides above, const char *name,
		struct sides *sides, struct stat *source) {
	sides->from = openat(above.from, name, OPEN_DIRECTORY);
	if (sides->from < 0 || fstat(sides->from, source) != 0) {
		return errno;
	}
	if (directory_is(&(struct identity) {source->st_dev, source->st_ino}, &copy->root)) {
		return IOQ_EINSIDE;
	}
	bool stays = strcmp(name, ".") == 0;
	if (!stays && mkdirat(above.to, name, MODE_OURS) != 0
			&& (errno != EEXIST || !(copy->what & IOQ_COPY_OVERWRITE))) {
		return errno;
	}
	sides->to = openat(above.to, name, OPEN_DIRECTORY);
	int error = sides->to < 0 ? errno : 0;
	if (is_full(error) && !stays && unlinkat(above.to, name, AT_REMOVEDIR) != 0 && !(copy->what & IOQ_COPY_OVERWRITE)) {
		// It can be made once only, and somebody has put something into it
		error = EBUSY;
	}
	return error;
}

/**
 * Copy a directory with what is in it.
 *
 * @param result Set to what becomes of it.
 * @return An enum outcome, or -errno if the request is over.
 */
static int copy_directory(const struct copy *copy, struct spot above, struct name name, int32_t parent,
		int32_t *result) {
	struct tree *tree = copy->tree;
	bool is_named = parent < 0;
	bool stays = name.text && strcmp(name.text, ".") == 0;
	struct mark mark = tree_mark(tree);
	size_t index = mark.directories / sizeof(struct ioq_tree_directory);
	struct sides sides = nowhere;
	struct stat source;
	*result = open_directory(copy, *above.sides, tree_name(tree, name), &sides, &source);
	if (*result != 0) {
		sides_close(&sides, nowhere);
		if (is_full(*result) && is_named) {
			return left_for_lack(*result, parent);
		}
		if (is_full(*result)) {
			*result = IOQ_TREE_LEFT;
			return DIRECTORY_LEFT;
		}
		int ret = is_named ? tree_append_record(tree, parent, *result) : 0;
		return ret != 0 ? ret : DIRECTORY_TOLD;
	}
	int ret = tree_append_record(tree, parent, 0);
	if (ret == 0) {
		ret = fill_below(copy, above, &sides, index);
	}
	if (ret > DIRECTORY_LEFT && sides.from < 0) {
		// It is whole, but another request has to find it
		ret = DIRECTORY_LEFT;
	}
	*result = ret == DIRECTORY_LEFT ? IOQ_TREE_LEFT : 0;
	if (ret > DIRECTORY_LEFT && !stays) {
		*result = -copy_attributes(copy->what, sides.from, sides.to, &source);
	}
	sides_close(&sides, nowhere);
	if (ret < 0) {
		return ret;
	}
	if (ret == DIRECTORY_CLEAN && *result == 0) {
		tree_forget(tree, &mark, is_named);
		if (is_named) {
			tree_record(tree, index)->count = 0;
			tree_record(tree, index)->flags |= IOQ_TREE_GONE;
		}
		return DIRECTORY_CLEAN;
	}
	if (*result == 0) {
		tree_record(tree, index)->flags |= IOQ_TREE_GONE;
	} else if (*result != IOQ_TREE_LEFT) {
		tree_record(tree, index)->flags |= IOQ_TREE_GONE;
		tree_record(tree, index)->error = *result;
	}
	return *result == IOQ_TREE_LEFT ? DIRECTORY_LEFT : DIRECTORY_TOLD;
}

/** Copy what is named, in the directories that hold it. Returns 0, or -errno if the request is over. */
static int copy_named(const struct copy *copy, struct sides sides, const char *name, int32_t parent) {
	struct tree *tree = copy->tree;
	int32_t result;
	struct stat sb;
	if (strcmp(name, ".") != 0 && fstatat(sides.from, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(sb.st_mode)) {
		result = copy_one(copy, sides, name, IFTODT(sb.st_mode));
		if (is_full(result)) {
			return left_for_lack(result, parent);
		}
		int ret = tree_append_record(tree, parent, result);
		if (ret == 0 && result == 0) {
			size_t last = tree->scratch->directories.length / sizeof(struct ioq_tree_directory) - 1;
			tree_record(tree, last)->flags |= IOQ_TREE_GONE;
		}
		return ret;
	}
	uint32_t levels = tree->entry->args[0] < LEVELS_MAX ? tree->entry->args[0] : LEVELS_MAX;
	struct spot spot = {&sides, levels + 1, 0};
	size_t records = tree->scratch->directories.length;
	int ret = copy_directory(copy, spot, (struct name) {.text = name}, parent, &result);
	return ret < 0 ? ret : tree->scratch->directories.length == records;
}

/**
 * Give the copy of a directory its attributes, and those of so many above it.
 *
 * @return 0, or -errno if the request is over.
 */
static int finish_named(const struct copy *copy, const struct way ways[2], struct sides sides, char *name) {
	struct tree *tree = copy->tree;
	struct sides held = {fcntl(sides.from, F_DUPFD_CLOEXEC, 0), fcntl(sides.to, F_DUPFD_CLOEXEC, 0)};
	struct sides here = nowhere;
	int32_t error = held.from < 0 || held.to < 0 ? errno : 0;
	if (error == 0) {
		here.from = openat(held.from, name, OPEN_DIRECTORY);
		here.to = openat(held.to, name, OPEN_DIRECTORY);
		error = here.from < 0 || here.to < 0 ? errno : 0;
	}
	uint32_t done = 0;
	size_t level = ways[0].count;
	while (error == 0) {
		struct stat source;
		error = fstat(here.from, &source) != 0 ? errno
			: -copy_attributes(copy->what, here.from, here.to, &source);
		if (error != 0 || done == tree->entry->args[0] || level == 0) {
			break;
		}
		++done;
		--level;
		// What is held is what `here` is in: the next one, if it can be read
		sides_close(&here, nowhere);
		here.from = openat(held.from, ".", OPEN_DIRECTORY);
		here.to = openat(held.to, ".", OPEN_DIRECTORY);
		error = here.from < 0 || here.to < 0 ? errno : 0;
		struct identity identities[2] = {ways[0].directories[level], ways[1].directories[level]};
		struct sides above = nowhere;
		if (error == 0 && level > 0) {
			error = open_above(held, &above, identities, O_PATH);
		}
		sides_close(&held, nowhere);
		held = above;
	}
	sides_close(&here, nowhere);
	sides_close(&held, nowhere);
	if (is_full(error)) {
		return -error;
	}
	int ret = tree_append_record(tree, -1, error);
	if (ret == 0) {
		tree_record(tree, 0)->dev_low = done;
	}
	return ret;
}

/** Do what the request asks for to one path. Returns 0, or -errno if the request is over. */
static int do_named(const struct copy *copy, char *path, int32_t parent) {
	struct tree *tree = copy->tree;
	const struct sides given = {tree->entry->fd, tree->entry->fd2};
	struct way ways[2];
	if (!way_begin(&ways[0], path)) {
		return -ENOMEM;
	}
	if (!way_begin(&ways[1], path)) {
		way_end(&ways[0]);
		return -ENOMEM;
	}
	char *name;
	struct sides sides = {-1, -1};
	int error = -way_go_down(&ways[0], given.from, path, &name, &sides.from);
	if (error == 0) {
		error = -way_go_down(&ways[1], given.to, path, &name, &sides.to);
	}
	if (parent == -1) {
		// However long the way was, each request is to get somewhere
		tree_begin(tree);
	}
	int ret = is_full(error) ? left_for_lack(error, parent)
		: error != 0 ? tree_append_record(tree, parent, error)
		: tree->entry->mode & IOQ_TREE_FINISH ? finish_named(copy, ways, sides, name)
		: copy_named(copy, sides, name, parent);
	sides_close(&sides, given);
	way_end(&ways[0]);
	way_end(&ways[1]);
	return ret;
}

int tree_copy_all(struct tree *tree) {
	struct entry *entry = tree->entry;
	struct copy copy = {.tree = tree, .what = entry->args[2]};
	if (!directory_identify((int)entry->args[3], &copy.root)) {
		return -errno;
	}
	// The paths are the first one's bytes, apart by NULs
	const char *end = entry->path2 - 1;
	int32_t parent = -1;
	int ret = 0;
	for (char *path = entry->path; ret == 0 && path <= end; path += strlen(path) + 1, --parent) {
		if (parent < -1 && !tree_has_budget(tree)) {
			break;
		}
		ret = do_named(&copy, path, parent);
	}
	ret = ret > 0 ? 0 : ret;
	return ret == 0 && entry_is_cancelled(entry) ? -EINTR : ret;
}
