// Copyright 2026 the ioq authors. MIT license.

#include "files.h"

#include "../test.h"

#include <fcntl.h>
#include <sys/stat.h>

/** Create a file. */
static void make_file(const char *path) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
}

/** Where that is. */
static char work_dir[] = "/tmp/ioq-core-XXXXXX";

void make_files(void) {
	CHECK(mkdtemp(work_dir));
	CHECK_EQ(chdir(work_dir), 0);
	make_file("plain");
	CHECK_EQ(mkdir("empty", 0700), 0);
	CHECK_EQ(mkdir("odd", 0700), 0);
	make_file("odd/new\nline");
	make_file("odd/ spaces ");
	make_file("odd/\xC3\xBCmlaut \xE2\x82\xAC \xF0\x9F\x98\x80");
	make_file("odd/...");
	make_file("odd/..a");
	make_file("odd/.a");
	char name[5 + 255] = "odd/";
	memset(name + 4, 'x', 255);
	make_file(name);
	CHECK_EQ(mkdir("odd/directory", 0700), 0);
	CHECK_EQ(symlink("nowhere", "odd/link"), 0);
	CHECK_EQ(mkfifo("odd/fifo", 0600), 0);
	CHECK_EQ(mkdir("raw", 0700), 0);
	make_file("raw/good");
	make_file("raw/bad \xFF\xFE");
	CHECK_EQ(mkdir("large", 0700), 0);
	for (int i = 0; i < LARGE_COUNT; ++i) {
		snprintf(name, sizeof(name), "large/entry number %05d", i);
		// Links are quicker to make, where there may be that many
		if (link("plain", name) != 0) {
			make_file(name);
		}
	}
}

/** Remove a tree. */
static void remove_tree(const char *path) {
	if (unlink(path) == 0) {
		return;
	}
	DIR *dir = opendir(path);
	CHECK(dir);
	const struct dirent *de;
	while ((de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
			char child[512];
			CHECK((size_t)snprintf(child, sizeof(child), "%s/%s", path, de->d_name) < sizeof(child));
			remove_tree(child);
		}
	}
	closedir(dir);
	CHECK_EQ(rmdir(path), 0);
}

void remove_files(void) {
	CHECK_EQ(chdir("/"), 0);
	remove_tree(work_dir);
}
