// Copyright 2026 the ioq authors. MIT license.

/**
 * A cage for a program that makes wild requests: it may unlink, rename, truncate
 * and write to whatever it can name, so there must be nothing that it can.
 *
 * - It works in a directory that was made for it (IOQ_CAGE in the environment), and
 *   its paths lead nowhere else: they are relative and have no "..", see cage_path().
 * - Should one lead out all the same, Landlock refuses every change outside of the
 *   directory (and of those where a fuzzer keeps its findings), on io_uring's
 *   threads as well; where the kernel has no Landlock, root becomes nobody, and
 *   others do not run it at all.
 * - No file grows beyond CAGE_FILE_MAX, whatever is written or allocated.
 */

#ifndef IOQ_CAGE_H
#define IOQ_CAGE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/** Linux 5.19 and 6.2: newer than the headers may be. */
#define CAGE_REFER (1ull << 13)
#define CAGE_TRUNCATE (1ull << 14)

/** Bytes of the largest file. */
#define CAGE_FILE_MAX (1 << 20)

/** What Landlock's first version knows of changes to a file system. */
#define CAGE_CHANGES \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE \
	| LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG \
	| LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK \
	| LANDLOCK_ACCESS_FS_MAKE_SYM)

/** The directory. */
static const char *cage_dir;
/** The changes that are allowed in it, and nowhere else. */
static uint64_t cage_changes = CAGE_CHANGES;

/** Something that must work did not. */
static inline _Noreturn void cage_fail(const char *what) {
	fprintf(stderr, "cage: %s: %s\n", what, strerror(errno));
	_exit(2);
}

/** Allow changes beneath a directory. */
static inline void cage_allow(int rules, const char *path) {
	struct landlock_path_beneath_attr rule = {
		.allowed_access = cage_changes,
		.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	if (rule.parent_fd >= 0) {
		if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
			cage_fail("landlock_add_rule");
		}
		close(rule.parent_fd);
	}
}

static inline int cage_remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw) {
	(void)sb;
	(void)type;
	return ftw->level > 0 ? remove(path) : 0;
}

/** Remove all that is in the directory. */
static inline void cage_empty(void) {
	// Something may have taken the permissions away
	chmod(cage_dir, 0700);
	nftw(cage_dir, cage_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/**
 * Enter the cage.
 *
 * @param allowed Other directories that may be changed, up to a NULL.
 */
static inline void cage_enter(const char *const allowed[]) {
	cage_dir = getenv("IOQ_CAGE");
	if (!cage_dir || cage_dir[0] != '/') {
		errno = EINVAL;
		cage_fail("IOQ_CAGE must name a directory made for this");
	}
	struct rlimit limit = {CAGE_FILE_MAX, CAGE_FILE_MAX};
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
		cage_fail("setrlimit");
	}

	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version >= 1) {
		cage_changes |= (version >= 2 ? CAGE_REFER : 0) | (version >= 3 ? CAGE_TRUNCATE : 0);
		struct landlock_ruleset_attr attr = {.handled_access_fs = cage_changes};
		int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
		if (rules < 0) {
			cage_fail("landlock_create_ruleset");
		}
		cage_allow(rules, cage_dir);
		for (; *allowed; ++allowed) {
			cage_allow(rules, *allowed);
		}
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
			cage_fail("landlock_restrict_self");
		}
		close(rules);
	} else if (geteuid() != 0) {
		cage_fail("without Landlock only root can run this, and becomes nobody");
	} else if (chown(cage_dir, 65534, 65534) != 0 || setgid(65534) != 0 || setuid(65534) != 0) {
		cage_fail("setuid");
	}
	if (chdir(cage_dir) != 0) {
		cage_fail("chdir");
	}
	// The proof: whoever can do this must not go on
	if (mkdir("../ioq-breach", 0700) == 0) {
		rmdir("../ioq-breach");
		cage_fail("it does not hold");
	}
}

/** Make bytes a path that stays where it is: no leading slash, no "..". */
static inline void cage_path(uint8_t *bytes, size_t length) {
	for (size_t i = 0; i < length; ++i) {
		if (bytes[i] == '.' && i > 0 && bytes[i - 1] == '.') {
			bytes[i] = 'd';
		}
	}
	if (length > 0 && bytes[0] == '/') {
		bytes[0] = 'a';
	}
}

#endif // IOQ_CAGE_H
