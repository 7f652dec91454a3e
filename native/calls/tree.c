// Copyright 2026 the ioq authors. MIT license.

/**
 * Trees
 * =====
 *
 * Most directories are small: to ask for each by a request of its own costs about
 * as much as to read it. So one request names several, and the lane that runs it
 * goes on into what is below them, depth first and relative to the descriptors it
 * has open, until a budget is used up:
 *
 *     request: /usr/lib, /usr/share     read now: lib, lib/a, lib/a/x, lib/b
 *                                       left:     lib/b/y, lib/c, /usr/share
 *
 * What is left has no record in the payload, and the queue's user asks for it again, in
 * as many requests as there are lanes. The first directory of a request is always
 * read, so that each request gets somewhere.
 *
 * The budget is of time as well as of bytes, and that is what makes lanes share
 * the work where it counts: in memory hundreds of directories are read within it,
 * on a slow device one, and its children go to other lanes.
 *
 * Not all directories are wanted, and whether one is may be hard to say. So a request may have
 * rules about names, each a sign and a text: what they are about is left to its maker, who
 * knows better.
 *
 * No symbolic link is followed but those that the request names: a directory that
 * is replaced by one between two system calls is an error, not a way out.
 */

#include "calls/calls.h"


#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** Levels below the named directories, at the most: each is an open descriptor. */
#define LEVELS_MAX 8
/** Bytes of names after which no other directory is begun. */
#define NAMES_BUDGET ((size_t)96 * 1024)
/** Bytes of stats after which no other directory is begun. */
#define STATS_BUDGET ((size_t)256 * 1024)
/** The largest payload. */
#define PAYLOAD_MAX ((size_t)INT32_MAX)

/** The time, in nanoseconds since whenever. */
static uint64_t now(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

bool tree_has_time(const struct tree *tree) {
	return !entry_is_cancelled(tree->entry) && now() < tree->deadline;
}

bool tree_has_budget(const struct tree *tree) {
	return tree->scratch->names.length < NAMES_BUDGET
		&& tree->scratch->stats.length < STATS_BUDGET
		&& tree_has_time(tree);
}

void tree_begin(struct tree *tree) {
	tree->deadline = now() + (uint64_t)tree->entry->args[1] * 1000;
}

struct ioq_tree_directory *tree_record(const struct tree *tree, size_t index) {
	return (struct ioq_tree_directory *)(void *)tree->scratch->directories.data + index;
}

int tree_append_record(struct tree *tree, int32_t parent, int32_t error) {
	struct ioq_tree_directory record = {.parent = parent, .error = error};
	struct bytes *directories = &tree->scratch->directories;
	int ret = bytes_reserve(directories, sizeof(record));
	if (ret == 0) {
		memcpy(directories->data + directories->length, &record, sizeof(record));
		directories->length += sizeof(record);
	}
	return ret;
}

struct mark tree_mark(const struct tree *tree) {
	const struct scratch *scratch = tree->scratch;
	return (struct mark) {
		.names = scratch->names.length,
		.types = scratch->types.length,
		.results = scratch->stats.length,
		.directories = scratch->directories.length,
	};
}

void tree_forget(struct tree *tree, const struct mark *mark, size_t records) {
	struct scratch *scratch = tree->scratch;
	scratch->names.length = mark->names;
	scratch->types.length = mark->types;
	scratch->stats.length = mark->results;
	scratch->directories.length = mark->directories + records * sizeof(struct ioq_tree_directory);
}

int32_t *tree_result(const struct tree *tree, size_t index) {
	return (int32_t *)(void *)tree->scratch->stats.data + index;
}

int tree_sift(struct tree *tree, const struct mark *mark, tree_act *act, void *context) {
	struct scratch *scratch = tree->scratch;
	size_t end = scratch->types.length;
	int ret = bytes_reserve(&scratch->stats, (end - mark->types) * sizeof(int32_t));
	if (ret != 0) {
		return ret;
	}
	bool tells = tree->entry->mode & IOQ_TREE_TELL;
	char *from = (char *)scratch->names.data + mark->names;
	char *to = from;
	size_t kept = mark->types;
	for (size_t i = mark->types; i < end; ++i) {
		if (entry_is_cancelled(tree->entry)) {
			return -EINTR;
		}
		uint8_t type = scratch->types.data[i];
		int32_t result = act(context, from, &type);
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

const char *tree_name(const struct tree *tree, struct name name) {
	return name.text ? name.text : (const char *)tree->scratch->names.data + name.at;
}

int tree_list(struct tree *tree, int dfd, size_t index) {
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

/**
 * Note which directory this is.
 *
 * @return Whether it is to be read: it may be on another device.
 */
static bool tree_identify(struct tree *tree, int dfd, struct ioq_tree_directory *record) {
	uint32_t mode = tree->entry->mode;
	if (!(mode & (IOQ_TREE_IDENTIFY | IOQ_TREE_ONE_DEVICE))) {
		return true;
	}
	struct stat sb;
	if (fstat(dfd, &sb) != 0) {
		record->error = errno;
		return false;
	}
	record->dev_low = (uint32_t)sb.st_dev;
	record->dev_high = (uint32_t)((uint64_t)sb.st_dev >> 32);
	record->ino_low = (uint32_t)sb.st_ino;
	record->ino_high = (uint32_t)((uint64_t)sb.st_ino >> 32);
	if ((mode & IOQ_TREE_ONE_DEVICE) && (uint64_t)sb.st_dev != tree->entry->offset) {
		record->flags |= IOQ_TREE_FOREIGN;
		return false;
	}
	return true;
}

/** Stat the entries whose names begin at an offset. Returns 0, -EINTR or -ENOMEM. */
static int tree_stat(struct tree *tree, int dfd, size_t name, size_t count) {
	struct bytes *stats = &tree->scratch->stats;
	if (count > PAYLOAD_MAX / sizeof(struct ioq_stat)) {
		return -EOVERFLOW;
	}
	int ret = bytes_reserve(stats, count * sizeof(struct ioq_stat));
	for (size_t i = 0; i < count && ret == 0; ++i) {
		const char *text = (const char *)tree->scratch->names.data + name;
		name += strlen(text) + 1;
		struct ioq_stat *to = (void *)(stats->data + stats->length);
		stats->length += sizeof(*to);
		struct statx from;
		if (entry_is_cancelled(tree->entry)) {
			ret = -EINTR;
		} else if (statx(dfd, text, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MASK, &from) == 0) {
			stat_pack(to, &from);
		} else {
			*to = (struct ioq_stat) {.error = (uint32_t)errno};
		}
	}
	return ret;
}

/** Read a directory to its end. An error of its own is put on record. */
static int tree_read_one(struct tree *tree, int dfd, size_t index) {
	struct scratch *scratch = tree->scratch;
	size_t name = scratch->names.length;
	size_t first = scratch->types.length;
	if (!tree_identify(tree, dfd, tree_record(tree, index))) {
		return 0;
	}

	long ret;
	do {
		if (entry_is_cancelled(tree->entry)) {
			return -EINTR;
		}
		ret = directory_append(dfd, scratch);
	} while (ret > 0);
	if (ret == -ENOMEM || ret == -EOVERFLOW) {
		return (int)ret;
	}
	struct ioq_tree_directory *record = tree_record(tree, index);
	record->error = (int32_t)-ret;
	ret = tree_arrange(tree, name, first);
	record->count = (uint32_t)(scratch->types.length - first);
	return ret == 0 && tree->entry->mode & IOQ_TREE_STAT ? tree_stat(tree, dfd, name, record->count) : (int)ret;
}

/** Whether the caller is to say if a directory of that name is to be read. */
static bool tree_leaves(const struct tree *tree, const char *name) {
	for (const char *rule = tree->entry->path2; *rule; rule += strlen(rule) + 1) {
		if (tree_rule_has(rule, name)) {
			return true;
		}
	}
	return false;
}

/** Whether there is an entry by which a directory says itself what is to be read below it. */
static bool tree_is_ruled(const struct tree *tree, size_t name, size_t count) {
	for (const char *rule = tree->entry->path2; *rule; rule += strlen(rule) + 1) {
		if (rule[0] != IOQ_RULE_STOPS) {
			continue;
		}
		const char *text = (const char *)tree->scratch->names.data + name;
		for (size_t i = 0; i < count; ++i, text += strlen(text) + 1) {
			if (strcmp(text, rule + 1) == 0) {
				return true;
			}
		}
	}
	return false;
}

static int tree_enter(struct tree *tree, int dfd, const char *name, int flags, int32_t parent, uint32_t levels);

/** Read an open directory, and what is below it while there is budget. */
static int tree_visit(struct tree *tree, int dfd, int32_t parent, uint32_t levels) {
	struct scratch *scratch = tree->scratch;
	size_t index = scratch->directories.length / sizeof(struct ioq_tree_directory);
	size_t name = scratch->names.length;
	size_t first = scratch->types.length;
	int ret = tree_append_record(tree, parent, 0);
	if (ret == 0) {
		ret = tree_read_one(tree, dfd, index);
	}

	size_t end = scratch->types.length;
	if (levels > 0 && tree_is_ruled(tree, name, end - first)) {
		levels = 0;
	}
	for (size_t i = first; ret == 0 && levels > 0 && i < end; ++i) {
		const char *text = (const char *)scratch->names.data + name;
		name += strlen(text) + 1;
		if (scratch->types.data[i] == DT_DIR && !tree_leaves(tree, text)) {
			if (!tree_has_budget(tree)) {
				break;
			}
			ret = tree_enter(tree, dfd, text, O_NOFOLLOW, (int32_t)i, levels - 1);
		}
	}
	return ret;
}

/** Open a directory and visit it; `name` need last no longer than that. */
static int tree_enter(struct tree *tree, int dfd, const char *name, int flags, int32_t parent, uint32_t levels) {
	int fd = openat(dfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd < 0) {
		// Without a record it is left to the next request, when fewer are open
		bool full = errno == EMFILE || errno == ENFILE;
		return !full ? tree_append_record(tree, parent, errno) : parent == -1 ? -errno : 0;
	}
	int ret = tree_visit(tree, fd, parent, levels);
	close(fd);
	return ret;
}

/** Visit the directories that the request names. */
static int tree_visit_all(struct tree *tree) {
	struct entry *entry = tree->entry;
	uint32_t levels = entry->args[0] < LEVELS_MAX ? entry->args[0] : LEVELS_MAX;
	// The paths are the first one's bytes, apart by NULs
	const char *end = entry->path2 - 1;
	int32_t parent = -1;
	int ret = 0;
	for (const char *path = entry->path; ret == 0 && path <= end; path += strlen(path) + 1, --parent) {
		if (parent < -1 && !tree_has_budget(tree)) {
			break;
		}
		ret = tree_enter(tree, entry->fd, path, (int)entry->flags, parent, levels);
	}
	return ret == 0 && entry_is_cancelled(entry) ? -EINTR : ret;
}

/** Append what was gathered to the payload. */
static uint8_t *tree_put(uint8_t *to, const struct bytes *bytes, size_t length) {
	if (length > 0) {
		memcpy(to, bytes->data, length);
	}
	return to + length;
}

/** Make the payload. */
static int tree_pack(struct tree *tree) {
	const struct scratch *scratch = tree->scratch;
	size_t count = scratch->types.length;
	// The last NUL separates nothing
	size_t names_length = scratch->names.length - (count > 0);
	struct ioq_tree head = {
		.directory_count = (uint32_t)(scratch->directories.length / sizeof(struct ioq_tree_directory)),
		.entry_count = (uint32_t)count,
		.names_length = (uint32_t)names_length,
	};
	if (count > 0 && !directory_is_utf8(scratch->names.data, names_length)) {
		head.flags |= IOQ_DIRECTORY_RAW;
	} else if (tree->entry->mode & IOQ_TREE_SORT) {
		head.flags |= IOQ_TREE_SORTED;
	}

	uint64_t budget = (uint64_t)tree->entry->args[1] * 1000;
	if (head.directory_count == 1 && now() > tree->deadline + budget) {
		head.flags |= IOQ_TREE_SLOW;
	}

	size_t length = sizeof(head) + scratch->directories.length + scratch->stats.length + count + names_length;
	if (length > PAYLOAD_MAX) {
		return -EOVERFLOW;
	}
	uint8_t *payload = malloc(length);
	if (!payload) {
		return -ENOMEM;
	}
	memcpy(payload, &head, sizeof(head));
	uint8_t *to = payload + sizeof(head);
	to = tree_put(to, &scratch->directories, scratch->directories.length);
	to = tree_put(to, &scratch->stats, scratch->stats.length);
	to = tree_put(to, &scratch->types, count);
	tree_put(to, &scratch->names, names_length);
	tree->entry->payload = payload;
	tree->entry->payload_length = length;
	return (int)count;
}

void tree_read(struct entry *entry, struct scratch *scratch) {
	struct tree tree = {
		.entry = entry,
		.scratch = scratch,
	};
	tree_begin(&tree);
	bytes_reset(&scratch->names);
	bytes_reset(&scratch->types);
	bytes_reset(&scratch->directories);
	bytes_reset(&scratch->stats);
	bytes_reset(&scratch->order);
	int ret = entry->mode & IOQ_TREE_REMOVE ? tree_remove_all(&tree)
		: entry->mode & IOQ_TREE_COPY ? tree_copy_all(&tree)
		: tree_visit_all(&tree);
	entry->result = ret == 0 ? tree_pack(&tree) : ret;
}
