// Copyright 2026 the ioq authors. MIT license.

/**
 * Reports
 * =======
 *
 * A command that prints what is below a directory, or how much room it takes, has no
 * use for names and attributes as such. So the lane makes of them what is printed:
 *
 *     request: /usr/lib, /usr/share     lines:  /usr/lib/a, /usr/lib/a/x, …
 *                                       left:   /usr/lib/b, /usr/share
 *
 * As with trees (tree.c) it goes on below the directories that are named, by
 * descriptors, until a budget is used up, and no link is followed but those that are
 * named. What is left is told by its path, as the next request may name it.
 *
 * A total counts what has one name. What has several is told apart, since another
 * lane may meet it again under another name.
 */

#include "calls/calls.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/** Levels below the named directories, at the most: each is an open descriptor. */
#define LEVELS_MAX 8
/** Bytes of lines after which no other directory is begun. */
#define LINES_BUDGET ((size_t)256 * 1024)
/** Entries with several names after which no other directory is begun. */
#define LINKS_BUDGET ((size_t)4096 * sizeof(struct ioq_report_link))
/** The largest payload. */
#define PAYLOAD_MAX ((size_t)INT32_MAX)

/** What a total asks of each entry. */
#define TOTAL_MASK (STATX_TYPE | STATX_NLINK | STATX_INO | STATX_SIZE | STATX_BLOCKS)

/** One request being run. */
struct report {
	/** The request. */
	struct entry *entry;
	/** Where all is gathered. */
	struct scratch *scratch;
	/** When to begin no other directory, in nanoseconds. */
	uint64_t deadline;
	/** What is told at the head. */
	struct ioq_report head;
	/** The total. */
	uint64_t total;
};

/** The time, in nanoseconds since whenever. */
static uint64_t now(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/** Whether another directory may be begun. */
static bool has_budget(const struct report *report) {
	return report->scratch->lines.length < LINES_BUDGET
		&& report->scratch->links.length < LINKS_BUDGET
		&& !entry_is_cancelled(report->entry)
		&& now() < report->deadline;
}

/** Append bytes. Returns 0 or -ENOMEM. */
static int append(struct bytes *bytes, const void *data, size_t length) {
	int ret = bytes_reserve(bytes, length);
	if (ret == 0 && length > 0) {
		memcpy(bytes->data + bytes->length, data, length);
		bytes->length += length;
	}
	return ret;
}

/** Append the path of an entry of the directory that is being read, and what ends it. */
static int append_path(const struct report *report, struct bytes *to, const char *name, char end) {
	const struct bytes *path = &report->scratch->path;
	// Room for all of it first: what was begun is not left half-way
	int ret = bytes_reserve(to, path->length + strlen(name) + 1);
	if (ret == 0) {
		append(to, path->data, path->length);
		append(to, name, strlen(name));
		append(to, &end, 1);
	}
	return ret;
}

/** Note what could not be read: an entry of the directory that is being read. */
static int note_error(struct report *report, const char *name, int error, uint32_t what) {
	struct ioq_report_error record = {.error = (uint32_t)error, .what = what};
	int ret = append(&report->scratch->errors, &record, sizeof(record));
	return ret == 0 ? append_path(report, &report->scratch->error_paths, name, '\0') : ret;
}

/** Make lines of the entries whose names begin at an offset. */
static int add_lines(struct report *report, size_t name, size_t count) {
	struct scratch *scratch = report->scratch;
	char end = (char)report->entry->args[2];
	int ret = 0;
	for (size_t i = 0; i < count && ret == 0; ++i) {
		const char *text = (const char *)scratch->names.data + name;
		name += strlen(text) + 1;
		ret = append_path(report, &scratch->lines, text, end);
	}
	return ret;
}

/** Count an entry. */
static int add_entry(struct report *report, const struct statx *info) {
	bool is_directory = S_ISDIR(info->stx_mode);
	uint64_t bytes = report->entry->args[2] == 1 ? info->stx_size : info->stx_blocks * 512;
	if (is_directory || info->stx_nlink == 1) {
		report->total += bytes;
		// Whether it is one is not told by kernels before 5.8
		bool may_be_mount = (info->stx_attributes & STATX_ATTR_MOUNT_ROOT)
			|| !(info->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
		if (is_directory && may_be_mount) {
			report->head.flags |= IOQ_REPORT_MOUNT;
		}
		return 0;
	}
	struct ioq_report_link link = {0};
	SPLIT(&link, dev, makedev(info->stx_dev_major, info->stx_dev_minor));
	SPLIT(&link, ino, info->stx_ino);
	SPLIT(&link, bytes, bytes);
	return append(&report->scratch->links, &link, sizeof(link));
}

/** Count the entries whose names begin at an offset. */
static int add_total(struct report *report, int dfd, size_t name, size_t count) {
	int ret = 0;
	for (size_t i = 0; i < count && ret == 0; ++i) {
		const char *text = (const char *)report->scratch->names.data + name;
		name += strlen(text) + 1;
		struct statx info;
		if (entry_is_cancelled(report->entry)) {
			ret = -EINTR;
		} else if (statx(dfd, text, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, TOTAL_MASK, &info) == 0) {
			ret = add_entry(report, &info);
		} else {
			ret = note_error(report, text, errno, IOQ_REPORT_STAT_FAILED);
		}
	}
	return ret;
}

/** Read an open directory to its end. */
static int read_names(struct report *report, int dfd) {
	long ret;
	do {
		if (entry_is_cancelled(report->entry)) {
			return -EINTR;
		}
		ret = directory_append(dfd, report->scratch);
	} while (ret > 0);
	if (ret == -ENOMEM || ret == -EOVERFLOW) {
		return (int)ret;
	}
	if (ret < 0) {
		// Of the directory itself, whose path ends with its slash
		struct bytes *path = &report->scratch->path;
		bool slash = path->length > 1;
		path->length -= slash;
		int error = note_error(report, "", (int)-ret, IOQ_REPORT_READ_FAILED);
		path->length += slash;
		return error;
	}
	return 0;
}

static int enter(struct report *report, int dfd, size_t name, uint32_t levels);

/** Read an open directory, and what is below it while there is budget. */
static int visit(struct report *report, int dfd, uint32_t levels) {
	struct scratch *scratch = report->scratch;
	size_t name = scratch->names.length;
	size_t first = scratch->types.length;
	int ret = read_names(report, dfd);
	size_t count = scratch->types.length - first;
	report->head.entry_count += (uint32_t)count;
	if (ret == 0) {
		ret = report->entry->mode & IOQ_TREE_LINES
			? add_lines(report, name, count) : add_total(report, dfd, name, count);
	}

	size_t names_length = scratch->names.length;
	for (size_t i = first, at = name; ret == 0 && i < first + count; ++i) {
		const char *text = (const char *)scratch->names.data + at;
		size_t length = strlen(text);
		if (scratch->types.data[i] == DT_DIR) {
			if (scratch->path.length + length > IOQ_PATH_MAX) {
				ret = note_error(report, text, ENAMETOOLONG, IOQ_REPORT_TOO_LONG);
			} else if (levels > 0 && has_budget(report)) {
				ret = enter(report, dfd, at, levels - 1);
			} else {
				ret = append_path(report, &scratch->left, text, '\0');
			}
		}
		at += length + 1;
	}
	// What is below has taken its own out already
	scratch->names.length = ret == 0 ? name : names_length;
	scratch->types.length = first;
	return ret;
}

/** Open an entry of a directory, which is one itself, and visit it. */
static int enter(struct report *report, int dfd, size_t name, uint32_t levels) {
	struct scratch *scratch = report->scratch;
	const char *text = (const char *)scratch->names.data + name;
	int fd = openat(dfd, text, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return errno == EMFILE || errno == ENFILE
			// The next request has fewer open
			? append_path(report, &scratch->left, text, '\0')
			: note_error(report, text, errno, IOQ_REPORT_READ_FAILED);
	}
	size_t above = scratch->path.length;
	int ret = append(&scratch->path, text, strlen(text));
	if (ret == 0) {
		ret = append(&scratch->path, "/", 1);
	}
	if (ret == 0) {
		ret = visit(report, fd, levels);
	}
	scratch->path.length = above;
	close(fd);
	return ret;
}

/** Visit a directory that the request names. */
static int visit_named(struct report *report, const char *path, uint32_t levels) {
	struct scratch *scratch = report->scratch;
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (int)report->entry->flags;
	int fd = openat(report->entry->fd, path, flags);
	scratch->path.length = 0;
	if (fd < 0) {
		return note_error(report, path, errno, IOQ_REPORT_READ_FAILED);
	}
	size_t length = strlen(path);
	int ret = append(&scratch->path, path, length);
	if (ret == 0 && (length == 0 || path[length - 1] != '/')) {
		ret = append(&scratch->path, "/", 1);
	}
	if (ret == 0) {
		ret = visit(report, fd, levels);
	}
	close(fd);
	return ret;
}

/** Visit the directories that the request names, or leave them. */
static int visit_all(struct report *report) {
	struct entry *entry = report->entry;
	uint32_t levels = entry->args[0] < LEVELS_MAX ? entry->args[0] : LEVELS_MAX;
	// The paths are the first one's bytes, apart by NULs
	const char *end = entry->path2 - 1;
	int ret = 0;
	for (const char *path = entry->path; ret == 0 && path <= end; path += strlen(path) + 1) {
		if (path == entry->path || has_budget(report)) {
			ret = visit_named(report, path, levels);
		} else {
			ret = append(&report->scratch->left, path, strlen(path) + 1);
		}
	}
	return ret == 0 && entry_is_cancelled(entry) ? -EINTR : ret;
}

/** Append what was gathered to the payload. */
static uint8_t *put(uint8_t *to, const struct bytes *bytes) {
	if (bytes->length > 0) {
		memcpy(to, bytes->data, bytes->length);
	}
	return to + bytes->length;
}

/** Make the payload. */
static int pack(struct report *report) {
	const struct scratch *scratch = report->scratch;
	struct ioq_report *head = &report->head;
	size_t length = sizeof(*head) + scratch->links.length + scratch->errors.length
		+ scratch->lines.length + scratch->error_paths.length + scratch->left.length;
	if (length > PAYLOAD_MAX) {
		return -EOVERFLOW;
	}
	head->link_count = (uint32_t)(scratch->links.length / sizeof(struct ioq_report_link));
	head->error_count = (uint32_t)(scratch->errors.length / sizeof(struct ioq_report_error));
	head->lines_length = (uint32_t)scratch->lines.length;
	head->error_paths_length = (uint32_t)scratch->error_paths.length;
	head->left_length = (uint32_t)scratch->left.length;
	SPLIT(head, total, report->total);

	uint8_t *payload = malloc(length);
	if (!payload) {
		return -ENOMEM;
	}
	memcpy(payload, head, sizeof(*head));
	uint8_t *to = payload + sizeof(*head);
	to = put(to, &scratch->links);
	to = put(to, &scratch->errors);
	to = put(to, &scratch->lines);
	to = put(to, &scratch->error_paths);
	put(to, &scratch->left);
	report->entry->payload = payload;
	report->entry->payload_length = length;
	return (int)head->entry_count;
}

void report_read(struct entry *entry, struct scratch *scratch) {
	struct report report = {
		.entry = entry,
		.scratch = scratch,
		.deadline = now() + (uint64_t)entry->args[1] * 1000,
	};
	bytes_reset(&scratch->names);
	bytes_reset(&scratch->types);
	bytes_reset(&scratch->path);
	bytes_reset(&scratch->lines);
	bytes_reset(&scratch->links);
	bytes_reset(&scratch->errors);
	bytes_reset(&scratch->error_paths);
	bytes_reset(&scratch->left);
	int ret = visit_all(&report);
	entry->result = ret == 0 ? pack(&report) : ret;
}
