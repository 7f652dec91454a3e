// Copyright 2026 the ioq authors. MIT license.

/** Directories and trees, compared with what readdir(3) says. */

#include "tests.h"

#include "files.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/** A directory's entry. */
struct name {
	uint8_t type;
	char name[256];
};

/** The entries of a directory. */
struct names {
	size_t count;
	struct name *list;
};

/** Compare two entries. */
static int compare_names(const void *a, const void *b) {
	return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

/** Append an entry. */
static void append_name(struct names *names, uint8_t type, const char *name) {
	if ((names->count & (names->count - 1)) == 0) {
		names->list = realloc(names->list, (names->count ? 2 * names->count : 1) * sizeof(struct name));
		CHECK(names->list);
	}
	struct name *to = &names->list[names->count++];
	to->type = type;
	CHECK(strlen(name) < sizeof(to->name));
	strcpy(to->name, name);
}

/** What readdir(3) says. */
static struct names system_names(const char *path) {
	struct names names = {0};
	DIR *dir = opendir(path);
	CHECK(dir);
	const struct dirent *de;
	while ((de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
			append_name(&names, de->d_type, de->d_name);
		}
	}
	closedir(dir);
	return names;
}

/** Append what a payload says. Returns its flags. */
static uint32_t append_payload(struct names *names, const uint8_t *payload, size_t length) {
	struct ioq_directory head;
	CHECK(length >= sizeof(head));
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(length, sizeof(head) + head.names_length + head.count);
	CHECK_EQ(head.reserved, 0);
	const char *name = (const char *)payload + sizeof(head);
	const char *end = name + head.names_length;
	const uint8_t *types = (const uint8_t *)end;
	for (uint32_t i = 0; i < head.count; ++i) {
		CHECK(name <= end);
		char copy[256] = {0};
		size_t left = (size_t)(end - name);
		const char *nul = memchr(name, 0, left);
		// The last one has none
		CHECK((nul == NULL) == (i == head.count - 1));
		size_t name_length = nul ? (size_t)(nul - name) : left;
		CHECK(name_length > 0 && name_length < sizeof(copy));
		memcpy(copy, name, name_length);
		append_name(names, types[i], copy);
		name += name_length + 1;
	}
	return head.flags;
}

/** Compare and release two lists. */
static void compare_and_release(struct names *got, struct names *is) {
	CHECK_EQ(got->count, is->count);
	if (is->count > 0) {
		qsort(got->list, got->count, sizeof(struct name), compare_names);
		qsort(is->list, is->count, sizeof(struct name), compare_names);
	}
	for (size_t i = 0; i < is->count; ++i) {
		CHECK(strcmp(got->list[i].name, is->list[i].name) == 0);
		CHECK_EQ(got->list[i].type, is->list[i].type);
	}
	free(got->list);
	free(is->list);
}

/** Copy the payload of a completion. */
static uint8_t *take_payload(const struct ioq_completion *completion) {
	uint8_t *payload = malloc(completion->payload_length + 1);
	CHECK(payload);
	if (completion->flags & IOQ_COMPLETION_HELD) {
		CHECK_EQ(ioq_take(q.ioq, completion->slot, payload, completion->payload_length),
			completion->payload_length);
	} else {
		memcpy(payload, q.output + completion->payload, completion->payload_length);
	}
	return payload;
}

/** Read a directory in one request, and compare. Returns the payload's flags. */
static uint32_t check_read_dir(const char *path, bool held) {
	add_path(0, IOQ_OP_READ_DIR, path);
	const struct ioq_completion *completion = wait_slot(0);
	struct names got = {0}, is = system_names(path);
	CHECK_EQ(completion->result, is.count);
	CHECK_EQ(completion->flags, held ? IOQ_COMPLETION_HELD : 0);
	CHECK_EQ(completion->lane, q.config->flags & IOQ_OPEN_SYNC ? IOQ_LANE_CORE : IOQ_LANE_WORKER);
	uint8_t *payload = take_payload(completion);
	uint32_t flags = append_payload(&got, payload, completion->payload_length);
	CHECK(flags & IOQ_DIRECTORY_END);
	free(payload);
	compare_and_release(&got, &is);
	return flags;
}

/** Read a directory block by block, and compare. */
static void check_blocks(const char *path) {
	add_path(0, IOQ_OP_OPEN_DIR, path);
	int fd = result_of(0);
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	struct names got = {0}, is = system_names(path);
	uint32_t flags = 0;
	while (!(flags & IOQ_DIRECTORY_END)) {
		size_t before = got.count;
		add_fd(1, IOQ_OP_READ_DIR_BLOCK, fd);
		const struct ioq_completion *completion = wait_slot(1);
		CHECK(completion->result >= 0);
		uint8_t *payload = take_payload(completion);
		flags = append_payload(&got, payload, completion->payload_length);
		free(payload);
		CHECK_EQ(got.count - before, completion->result);
		CHECK(completion->result > 0 || (flags & IOQ_DIRECTORY_END));
	}
	add_fd(0, IOQ_OP_CLOSE_DIR, fd);
	CHECK_EQ(result_of(0), 0);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	compare_and_release(&got, &is);
}

/** Remove a name, as a directory's too if that is asked for. */
static int32_t unlink_by_queue(const char *path, uint32_t any) {
	add_path(1, IOQ_OP_UNLINK, path)->args[0] = any;
	return result_of(1);
}

/** Names are removed, and those of directories if that is meant. */
void test_unlink(const void *config) {
	open_queue(config, 4, 1);
	CHECK_EQ(mkdir("unlinked", 0755), 0);
	CHECK_EQ(mkdir("unlinked/below", 0755), 0);
	CHECK_EQ(symlink("below", "unlinked/link"), 0);
	CHECK_EQ(unlink_by_queue("unlinked/below", 0), -EISDIR);
	CHECK_EQ(unlink_by_queue("unlinked", IOQ_UNLINK_ANY), -ENOTEMPTY);
	CHECK_EQ(unlink_by_queue("unlinked/link", IOQ_UNLINK_ANY), 0);
	CHECK_EQ(unlink_by_queue("unlinked/below", IOQ_UNLINK_ANY), 0);
	CHECK_EQ(unlink_by_queue("unlinked/below", IOQ_UNLINK_ANY), -ENOENT);
	CHECK_EQ(unlink_by_queue("unlinked", IOQ_UNLINK_ANY), 0);
	close_queue();
}

/** Directories of all kinds. */
void test_directory(const void *config) {
	open_queue(config, 4, 3);
	CHECK_EQ(check_read_dir("empty", false) & IOQ_DIRECTORY_RAW, 0);
	CHECK_EQ(check_read_dir("odd", false) & IOQ_DIRECTORY_RAW, 0);
	CHECK_EQ(check_read_dir("raw", false) & IOQ_DIRECTORY_RAW, IOQ_DIRECTORY_RAW);
	check_read_dir("large", true);
	check_read_dir("empty", false);
	check_read_dir("/dev", false);
	check_read_dir("/proc/sys", false);
	check_blocks("empty");
	check_blocks("raw");
	check_blocks("large");

	// A held one may be dropped as well
	add_path(0, IOQ_OP_READ_DIR, "large");
	CHECK_EQ(result_of(0), LARGE_COUNT);
	CHECK_EQ(ioq_release(q.ioq, 0), 0);

	// Relative to a directory
	int dfd = open("odd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	add_path(0, IOQ_OP_READ_DIR, ".")->fd = dfd;
	CHECK(result_of(0) > 0);
	close(dfd);
	close_queue();
}

/** Make a request for trees; the paths are apart by NULs, of which `length` counts all but the last. */
static const struct ioq_completion *read_trees(const char *paths, size_t length, uint32_t mode, uint32_t levels, uint32_t budget_us) {
	struct ioq_request *request = add(0, IOQ_OP_READ_DIR);
	set_path(request, paths, length);
	request->mode = IOQ_TREE | mode;
	request->flags = O_NOFOLLOW;
	request->args[0] = levels;
	request->args[1] = budget_us;
	return wait_slot(0);
}

/** Trees: what is below, what is left when the budget is used up, what fails. */
void test_tree(const void *config) {
	open_queue(config, 4, 3);
	if (mkdir("tree", 0700) == 0) {
		// The first of the configurations makes it
		CHECK_EQ(mkdir("tree/a", 0700), 0);
		CHECK_EQ(mkdir("tree/a/b", 0700), 0);
		CHECK_EQ(symlink("a", "tree/link"), 0);
	}
	struct stat sb;
	CHECK_EQ(stat("tree/a/b", &sb), 0);

	// All of it, with what there is to tell
	const struct ioq_completion *completion = read_trees("tree\0tree/link\0tree/none", 24,
		IOQ_TREE_IDENTIFY | IOQ_TREE_STAT, 8, 1000000);
	CHECK_EQ(completion->result, 3);
	uint8_t *payload = take_payload(completion);
	struct ioq_tree head;
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.directory_count, 5);
	CHECK_EQ(head.entry_count, 3);
	CHECK_EQ(completion->payload_length, sizeof(head) + 5 * sizeof(struct ioq_tree_directory)
		+ 3 * sizeof(struct ioq_stat) + 3 + head.names_length);
	struct ioq_tree_directory records[5];
	memcpy(records, payload + sizeof(head), sizeof(records));
	CHECK_EQ(records[0].parent, -1);
	CHECK_EQ(records[0].count, 2);
	CHECK(records[1].parent == 0 || records[1].parent == 1);
	CHECK_EQ(records[1].count, 1);
	CHECK_EQ(records[2].parent, 2);
	CHECK_EQ(records[2].count, 0);
	CHECK_EQ(records[2].ino_low, (uint32_t)sb.st_ino);
	// A link is not followed, and what is not there ends nothing
	CHECK_EQ(records[3].parent, -2);
	CHECK(records[3].error == ENOTDIR || records[3].error == ELOOP);
	CHECK_EQ(records[4].parent, -3);
	CHECK_EQ(records[4].error, ENOENT);
	struct ioq_stat stats[3];
	memcpy(stats, payload + sizeof(head) + sizeof(records), sizeof(stats));
	CHECK_EQ(stats[2].error, 0);
	CHECK(S_ISDIR(stats[2].mode));
	CHECK_EQ(stats[2].ino_low, (uint32_t)sb.st_ino);
	free(payload);

	// Without a budget the first one is read all the same, and no other
	completion = read_trees("tree/a\0tree", 11, 0, 8, 0);
	CHECK_EQ(completion->result, 1);
	payload = take_payload(completion);
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.directory_count, 1);
	free(payload);

	// On another device than that of number 0
	completion = read_trees("tree", 4, IOQ_TREE_ONE_DEVICE, 8, 1000000);
	CHECK_EQ(completion->result, 0);
	payload = take_payload(completion);
	memcpy(records, payload + sizeof(head), sizeof(records[0]));
	CHECK_EQ(records[0].flags, IOQ_TREE_FOREIGN);
	free(payload);

	completion = read_trees("", 0, 0, 8, 1000000);
	CHECK_EQ(completion->result, 0);
	payload = take_payload(completion);
	memcpy(records, payload + sizeof(head), sizeof(records[0]));
	CHECK_EQ(records[0].error, ENOENT);
	free(payload);
	close_queue();
}

/** Whether bytes of a payload begin with a text, and nothing else. */
static bool is_text(const uint8_t *bytes, size_t length, const char *text) {
	return length == strlen(text) && memcmp(bytes, text, length) == 0;
}

/** Make a request for a report. */
static const struct ioq_completion *read_report(const char *paths, size_t length, uint32_t mode, uint32_t levels,
		uint32_t budget_us, uint32_t detail) {
	struct ioq_request *request = add(0, IOQ_OP_READ_DIR);
	set_path(request, paths, length);
	request->mode = IOQ_TREE | mode;
	request->flags = O_NOFOLLOW;
	request->args[0] = levels;
	request->args[1] = budget_us;
	request->args[2] = detail;
	return wait_slot(0);
}

/** Reports: lines and totals, what is left, what fails. */
void test_report(const void *config) {
	open_queue(config, 4, 3);
	if (mkdir("report", 0700) == 0) {
		// The first of the configurations makes it
		CHECK_EQ(mkdir("report/a", 0700), 0);
		CHECK_EQ(mkdir("report/a/b", 0700), 0);
		CHECK_EQ(mknod("report/a/b/\xff", S_IFREG | 0600, 0), 0);
		CHECK_EQ(link("report/a/b/\xff", "report/a/b/\xff" "2"), 0);
	}

	// All of it; a link of that name is none, and ends nothing
	const struct ioq_completion *completion = read_report("report/\0report/none", 19, IOQ_TREE_LINES, 8, 1000000, '\n');
	CHECK_EQ(completion->result, 4);
	uint8_t *payload = take_payload(completion);
	struct ioq_report head;
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.entry_count, 4);
	CHECK_EQ(head.link_count, 0);
	CHECK_EQ(head.left_length, 0);
	CHECK_EQ(head.error_count, 1);
	struct ioq_report_error error;
	memcpy(&error, payload + sizeof(head), sizeof(error));
	CHECK_EQ(error.error, ENOENT);
	CHECK_EQ(error.what, IOQ_REPORT_READ_FAILED);
	const uint8_t *lines = payload + sizeof(head) + sizeof(error);
	const char *above = "report/a\nreport/a/b\n";
	const char *either = "report/a/b/\xff\nreport/a/b/\xff" "2\n";
	const char *or = "report/a/b/\xff" "2\nreport/a/b/\xff\n";
	size_t length = strlen(above);
	CHECK_EQ(head.lines_length, length + strlen(either));
	CHECK(is_text(lines, length, above));
	CHECK(is_text(lines + length, strlen(either), either) || is_text(lines + length, strlen(or), or));
	CHECK_EQ(head.error_paths_length, strlen("report/none") + 1);
	CHECK(is_text(lines + head.lines_length, strlen("report/none"), "report/none"));
	free(payload);

	// Without levels, and without a budget, the rest is left
	completion = read_report("report\0report/a", 15, IOQ_TREE_LINES, 0, 0, 0);
	CHECK_EQ(completion->result, 1);
	payload = take_payload(completion);
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.lines_length, strlen("report/a") + 1);
	CHECK_EQ(head.left_length, 2 * (strlen("report/a") + 1));
	CHECK_EQ(completion->payload_length, sizeof(head) + head.lines_length + head.left_length);
	free(payload);

	// What has two names is not in the total
	struct stat a, b;
	CHECK_EQ(stat("report/a", &a), 0);
	CHECK_EQ(stat("report/a/b", &b), 0);
	completion = read_report("report", 6, IOQ_TREE_TOTAL, 8, 1000000, 1);
	CHECK_EQ(completion->result, 4);
	payload = take_payload(completion);
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.total_low, (uint32_t)(a.st_size + b.st_size));
	CHECK_EQ(head.link_count, 2);
	CHECK_EQ(head.lines_length, 0);
	struct ioq_report_link links[2];
	memcpy(links, payload + sizeof(head), sizeof(links));
	CHECK_EQ(links[0].ino_low, links[1].ino_low);
	CHECK_EQ(links[0].bytes_low, 0);
	free(payload);

	completion = read_report("", 0, IOQ_TREE_LINES, 8, 1000000, 0);
	CHECK_EQ(completion->result, 0);
	payload = take_payload(completion);
	memcpy(&head, payload, sizeof(head));
	CHECK_EQ(head.error_count, 1);
	free(payload);
	close_queue();
}

/** The records of a payload, as many as there is room for; returns how many there are. */
static uint32_t take_records(const struct ioq_completion *completion, struct ioq_tree_directory *records, uint32_t length) {
	uint8_t *payload = take_payload(completion);
	struct ioq_tree head;
	memcpy(&head, payload, sizeof(head));
	uint32_t count = head.directory_count < length ? head.directory_count : length;
	memcpy(records, payload + sizeof(head), count * sizeof(*records));
	free(payload);
	return head.directory_count;
}

/** Trees that are removed: what is told, what is left, and that no link leads anywhere. */
void test_remove_tree(const void *config) {
	open_queue(config, 4, 3);
	CHECK_EQ(mkdir("doomed", 0700), 0);
	CHECK_EQ(mkdir("doomed/a", 0700), 0);
	CHECK_EQ(mkdir("doomed/a/b", 0700), 0);
	CHECK_EQ(mkdir("doomed/other", 0700), 0);
	CHECK_EQ(mkdir("spared", 0700), 0);
	CHECK_EQ(mknod("doomed/a/file", S_IFREG | 0600, 0), 0);
	CHECK_EQ(mknod("spared/file", S_IFREG | 0600, 0), 0);
	CHECK_EQ(symlink("../spared", "doomed/link"), 0);
	struct ioq_tree_directory records[4];

	// Without time the first one is emptied all the same, but not what is in it: two
	// directories, since a single one would be gone on with
	const struct ioq_completion *completion = read_trees("doomed", 6, IOQ_TREE_REMOVE, 8, 0);
	CHECK_EQ(completion->result, 2);
	CHECK_EQ(take_records(completion, records, 4), 1);
	CHECK_EQ(records[0].count, 2);
	CHECK_EQ(records[0].flags, 0);
	CHECK_EQ(access("doomed/link", F_OK), -1);
	CHECK_EQ(access("doomed/a/file", F_OK), 0);
	CHECK_EQ(rmdir("doomed/other"), 0);

	// What is gone is told of if asked for; what was not there is gone; no link is gone through
	CHECK_EQ(symlink("../spared", "doomed/link"), 0);
	completion = read_trees("doomed/a\0doomed/none\0doomed/link/file", 37,
		IOQ_TREE_REMOVE | IOQ_TREE_TELL, 8, 1000000);
	CHECK_EQ(completion->result, 2);
	CHECK_EQ(take_records(completion, records, 4), 4);
	CHECK_EQ(records[0].flags, IOQ_TREE_GONE);
	CHECK_EQ(records[0].count, 2);
	CHECK_EQ(records[1].flags, IOQ_TREE_GONE);
	CHECK_EQ(records[2].flags, IOQ_TREE_GONE);
	CHECK_EQ(records[3].error, ENOTDIR);
	CHECK_EQ(access("doomed/a", F_OK), -1);

	// Of "." only what is in it goes
	int dfd = open("doomed", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ioq_request *request = add_path(0, IOQ_OP_READ_DIR, ".");
	request->fd = dfd;
	request->mode = IOQ_TREE | IOQ_TREE_REMOVE;
	completion = wait_slot(0);
	CHECK_EQ(completion->result, 0);
	CHECK_EQ(take_records(completion, records, 4), 1);
	CHECK_EQ(records[0].flags, 0);
	close(dfd);

	// A link in a directory's place is removed, and not what it leads to
	CHECK_EQ(symlink("spared", "instead"), 0);
	completion = read_trees("doomed\0instead", 14, IOQ_TREE_REMOVE, 8, 1000000);
	CHECK_EQ(completion->result, 0);
	CHECK_EQ(take_records(completion, records, 4), 2);
	CHECK_EQ(records[0].flags, IOQ_TREE_GONE);
	CHECK_EQ(records[1].flags, IOQ_TREE_GONE);
	CHECK_EQ(access("doomed", F_OK), -1);
	CHECK_EQ(access("instead", F_OK), -1);
	CHECK_EQ(unlink("spared/file"), 0);
	CHECK_EQ(rmdir("spared"), 0);
	close_queue();
}

/** Which names are UTF-8: the bounds of RFC 3629. */
void test_utf8(void) {
	static const struct {
		const char *name;
		bool raw;
	} cases[] = {
		{"ascii-only-and-longer-than-eight", false}, {"\xC2\x80", false}, {"\xDF\xBF", false},
		{"\xE0\xA0\x80", false}, {"\xED\x9F\xBF", false}, {"\xEE\x80\x80", false}, {"\xEF\xBF\xBF", false},
		{"\xF0\x90\x80\x80", false}, {"\xF4\x8F\xBF\xBF", false}, {"longer name \xE2\x82\xAC and on", false},
		{"\x80", true}, {"\xBF", true}, {"\xC0\x80", true}, {"\xC1\xBF", true}, {"\xC2", true},
		{"\xC2\x41", true}, {"\xE0\x9F\xBF", true}, {"\xE2\x82", true}, {"\xED\xA0\x80", true},
		{"\xED\xBF\xBF", true}, {"\xF0\x8F\xBF\xBF", true}, {"\xF4\x90\x80\x80", true},
		{"\xF5\x80\x80\x80", true}, {"\xFF", true}, {"seven..\xE2", true}, {"12345678\xF0\x90\x80", true},
	};
	open_queue(&lanes_config, 1, 1);
	CHECK_EQ(mkdir("utf8", 0700), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		char path[64];
		snprintf(path, sizeof(path), "utf8/%s", cases[i].name);
		CHECK_EQ(mkdir(path, 0700), 0);
		bool raw = check_read_dir("utf8", false) & IOQ_DIRECTORY_RAW;
		if (raw != cases[i].raw) {
			test_fail(__FILE__, __LINE__, "case %zu is %sUTF-8", i, raw ? "not " : "");
		}
		CHECK_EQ(rmdir(path), 0);
	}
	CHECK_EQ(rmdir("utf8"), 0);
	close_queue();
}
