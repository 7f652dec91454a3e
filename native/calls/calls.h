// Copyright 2026 the ioq authors. MIT license.

/** Operations by plain system calls, and what they have in common. */

#ifndef IOQ_CALLS_H
#define IOQ_CALLS_H

#include "queue/entry.h"

#include <sys/stat.h>
#include <sys/uio.h>

/** Split a 64-bit number into two words of a record, `name_low` and `name_high`. */
#define SPLIT(record, field, value) \
	do { \
		(record)->field##_low = (uint32_t)(uint64_t)(value); \
		(record)->field##_high = (uint32_t)((uint64_t)(value) >> 32); \
	} while (0)

/** Join them. */
#define JOIN(record, field) ((uint64_t)(record)->field##_high << 32 | (record)->field##_low)

// cached_write.c

/** What one thread knows of the writes that it does itself. */
struct cached_writes {
	/** When to do the next one, by the monotonic clock: not at once after a slow one. */
	int64_t after;
	/** When to look again at how much is dirty. */
	int64_t look_at;
	/** Bytes that may be written before. */
	uint32_t left;
};

/**
 * Whether writes to a regular file may be done at once.
 *
 * @param flags
 *         What it was opened with, by F_GETFL.
 * @return IOQ_WRITES_*, or 0.
 */
int32_t cached_write_kind(int fd, int flags);

/**
 * Write what waits for nothing.
 *
 * @param kind
 *         See ioq_write_cached().
 * @param offset
 *         NULL for a file's own position.
 * @return The bytes written; or -errno, having written nothing: -EAGAIN if it might wait.
 */
int32_t cached_write(struct cached_writes *writes, int fd, uint32_t kind, const struct iovec *bytes,
	const uint64_t *offset);

// directory.c

/** A buffer that grows. */
struct bytes {
	/** The bytes. */
	uint8_t *data;
	/** How many are used. */
	size_t length;
	/** How many there is room for. */
	size_t capacity;
};

/** What one lane needs to read directories; one thread uses it at a time. */
struct scratch {
	/** What getdents64(2) fills; allocated at first use. */
	uint8_t *block;
	/** Names so far, a NUL after each. */
	struct bytes names;
	/** DT_* types so far. */
	struct bytes types;
	/** Of a tree: records of directories so far. */
	struct bytes directories;
	/** Of a tree: stats so far. */
	struct bytes stats;
	/** Of a tree: a directory that is being sorted. */
	struct bytes order;
	/** Of a report: the path of the directory that is being read. */
	struct bytes path;
	/** Of a report: lines so far. */
	struct bytes lines;
	/** Of a report: entries with several names so far. */
	struct bytes links;
	/** Of a report: errors so far, and their paths. */
	struct bytes errors, error_paths;
	/** Of a report: paths of directories that are left. */
	struct bytes left;
};

/** Make room for `more` bytes. Returns 0 or -ENOMEM. */
int bytes_reserve(struct bytes *bytes, size_t more);

/** Forget the bytes, and the memory if it is much. */
void bytes_reset(struct bytes *bytes);

/** Whether all bytes are UTF-8 as RFC 3629 has it. NULs are. */
bool directory_is_utf8(const uint8_t *bytes, size_t length);

/**
 * Read one block of an open directory and append its entries.
 *
 * @return The bytes read (0 at the end), or -errno.
 */
long directory_append(int dfd, struct scratch *scratch);

/** Release a scratch. */
void scratch_release(struct scratch *scratch);

/** Run a READ_DIR: open, read to the end, close. Sets the result and the payload. */
void directory_read(struct entry *entry, struct scratch *scratch);

/** Run a READ_DIR_BLOCK: read on from an open directory. */
void directory_read_block(struct entry *entry, struct scratch *scratch);

// tree.c

/** One request being run. */
struct tree {
	/** The request. */
	struct entry *entry;
	/** Where names, types, stats and records are gathered. */
	struct scratch *scratch;
	/** When to begin no other directory, in nanoseconds. */
	uint64_t deadline;
};

/** Have the time that a request may take begin now. */
void tree_begin(struct tree *tree);

/** Whether there is time for more. */
bool tree_has_time(const struct tree *tree);

/** Whether another directory may be begun. */
bool tree_has_budget(const struct tree *tree);

/** A record of those that were appended. The array moves when it grows. */
struct ioq_tree_directory *tree_record(const struct tree *tree, size_t index);

/** Append a record. Returns 0 or -ENOMEM. */
int tree_append_record(struct tree *tree, int32_t parent, int32_t error);

/** How much was gathered at some time. */
struct mark {
	/** Bytes of each buffer. */
	size_t names, types, results, directories;
};

/** How much has been gathered. */
struct mark tree_mark(const struct tree *tree);

/** Forget what was gathered since, and keep so many records of it. */
void tree_forget(struct tree *tree, const struct mark *mark, size_t records);

/** What became of an entry, where that is told instead of stats. The array moves when it grows. */
int32_t *tree_result(const struct tree *tree, size_t index);

/**
 * Does something with an entry.
 *
 * @param name
 *         Its name, in the directory that is known to the context.
 * @param type
 *         DT_*, which it may correct.
 * @return What became of it: 0 if there is nothing to tell.
 */
typedef int32_t tree_act(void *context, const char *name, uint8_t *type);

/**
 * Do something with each entry that was found since. What is to be told of is moved
 * together: names, types, results.
 *
 * @return 0, or -errno if the request is over.
 */
int tree_sift(struct tree *tree, const struct mark *mark, tree_act *act, void *context);

/** A name. */
struct name {
	/** It, or NULL: then it is among those that were gathered, which move. */
	const char *text;
	/** Where it begins there. */
	size_t at;
};

/** The text of a name, until more are gathered. */
const char *tree_name(const struct tree *tree, struct name name);

/** Read an open directory to its end. An error of its own is put on record. Returns 0 or -errno. */
int tree_list(struct tree *tree, int dfd, size_t index);

// tree_entries.c

/** Whether a name is as a rule has it. */
bool tree_rule_has(const char *rule, const char *name);

/**
 * Leave out what is not wanted of the entries from some on, and sort them if that is asked for.
 *
 * @param name Where the first one's name begins.
 * @param first Its index.
 * @return 0 or -ENOMEM.
 */
int tree_arrange(const struct tree *tree, size_t name, size_t first);

// tree.c

/** Run a READ_DIR that has IOQ_TREE in its mode. Sets the result and the payload. */
void tree_read(struct entry *entry, struct scratch *scratch);

/** Whether there are no descriptors to be had, which may be different when fewer are open. */
static inline bool is_full(int error) {
	return error == EMFILE || error == ENFILE;
}

/**
 * What becomes of a request to change a tree that named a directory that could not even be
 * opened for lack of descriptors: it is as if it had not been begun, or ends before that one.
 *
 * @return -errno, or 1.
 */
static inline int left_for_lack(int error, int32_t parent) {
	return parent == -1 ? -error : 1;
}

// way.c

/** Which directory it is. */
struct identity {
	/** Its device. */
	dev_t device;
	/** Its inode. */
	ino_t inode;
};

/** Find out which directory is open. Whether that is known. */
bool directory_identify(int dfd, struct identity *identity);

/** Whether they are one directory. */
bool directory_is(const struct identity *one, const struct identity *other);

/** The directories on the way to what a request names. */
struct way {
	/** Which they are, from the one that the request begins at on. */
	struct identity *directories;
	/** How many there are. */
	size_t count;
};

/** Make room for the way along a path. Whether there is memory. */
bool way_begin(struct way *way, const char *path);

/**
 * Go down to the directory that holds what a path names, following no link, and note
 * those on the way.
 *
 * @param name Set to the last name in it.
 * @param dfd Set to its descriptor, which is `from` if there is no other, or to -1.
 * @return 0 or -errno.
 */
int way_go_down(struct way *way, int from, char *path, char **name, int *dfd);

/**
 * Open the directory above an open one, if it is the one that it was.
 *
 * @return Its descriptor, or -1: somebody has moved what is below, or all are taken.
 */
int way_open_above(int dfd, const struct identity *above, int flags);

/** Release the room. */
void way_end(struct way *way);

// remove_tree.c

/** Remove the directories that the request names. Returns 0 or -errno. */
int tree_remove_all(struct tree *tree);

// copy_tree.c

/** Copy what the request names. Returns 0 or -errno. */
int tree_copy_all(struct tree *tree);

// report.c

/** Run a READ_DIR that reports of trees. Sets the result and the payload. */
void report_read(struct entry *entry, struct scratch *scratch);

// guard.c

/** What becomes of a symbolic link that leads to nothing. */
enum dangling {
	/** It is as if it was missing, also for whoever would create the file. */
	DANGLING_MISSING,
	/** The file that it names is created, where files are. */
	DANGLING_FOLLOWED,
};

/**
 * openat(2), for guarded entries with a look at where the path leads. What must not be
 * opened is neither created nor truncated.
 *
 * @return A descriptor, or -errno, or -IOQ_ESPECIAL.
 */
int guard_open(const struct entry *entry, int fd, const char *path, int flags, mode_t mode,
	enum dangling dangling);

// whole_file.c

/** Bytes of the buffer that a READ_FILE begins with: enough for most files. */
#define FIRST_LENGTH 16384

/**
 * Run a READ_FILE: the contents become the payload, their length is returned. If
 * it has a payload of FIRST_LENGTH bytes, that is used; if it has a length,
 * larger files fail with EFBIG, and if its first argument is one,
 * so does what turns out to have more bytes than that.
 */
int32_t whole_file_read(struct entry *entry);

/** Run a WRITE_FILE with the bytes that were staged; returns how many there were. */
int32_t whole_file_write(struct entry *entry);

/**
 * A system call was interrupted.
 *
 * @return 0 to make it once more, or -EINTR.
 */
int call_interrupted(struct entry *entry, unsigned int *times);

/**
 * A stream has nothing to read, or no room, for now.
 *
 * @return What the request's result is for now.
 */
int32_t stream_waits(struct entry *entry, int fd, uint8_t waits_for, uint16_t events);


// copy_file.c

/** Run a COPY_FILE. */
int32_t whole_file_copy(struct entry *entry);

/**
 * Copy the contents of an open file to an empty one; holes only if that is a file.
 *
 * @return 0 or -errno.
 */
int copy_bytes(struct entry *entry, int from, int to, const struct stat *source, bool is_file);

/**
 * Give a copy what is asked for of its original, by IOQ_COPY_*: permission bits always, owner,
 * extended attributes, times. Returns 0 or -errno.
 */
int copy_attributes(uint32_t what, int from, int to, const struct stat *source);

/** The same for a symbolic link, of what it can have. */
int copy_link_attributes(uint32_t what, int from, const char *name, int to, const char *to_name);

/** Write all of a buffer, unless the entry is cancelled. Returns 0 or -errno. */
int write_all(struct entry *entry, int fd, const uint8_t *bytes, size_t length);

/** Copy the extended attributes that there are; those that the target cannot have are left out. */
int copy_xattrs(int from, int to);

// replace.c

/** Run a WRITE_FILE that is to be atomic. */
int32_t replace_write(struct entry *entry);

/** Run a REPLACE_BEGIN. */
int32_t replace_begin(struct entry *entry);

/** Remove the temporary file that a REPLACE_BEGIN has opened. */
void replace_forget(struct entry *entry, int fd);

/** Remove a temporary file that is known by its descriptor alone, if its name can be found. */
void replace_unlink(int fd);

/** Run a REPLACE_END. */
int32_t replace_end(struct entry *entry);

/** Sync the folder that the entry's file is in. Returns 0 or -errno. */
int replace_sync_folder(const struct entry *entry);

// sync_share.c

/** fsync(2), together with others who ask for the same. Returns 0 or -errno. */
int sync_shared(int fd);

// attempt.c

/** Try an open; it waits only for a file system. */
int32_t attempt_open(struct entry *entry);

/** Try a READ without a position, as all of these without waiting for others. */
int32_t attempt_read(struct entry *entry);

/** Try a WRITE without a position, or the rest of it. */
int32_t attempt_write(struct entry *entry);

/** Write at an offset, or at the file's own position if that is negative; onto the device if it is to be. */
int32_t write_part(const struct entry *entry, off_t offset);

/** Try a LOCK. */
int32_t attempt_lock(struct entry *entry);

/** Run a SPLICE. */
int32_t attempt_splice(struct entry *entry);

/** What it means that a read has brought nothing. */
enum fifo_end {
	/** There is nothing to come. */
	FIFO_ENDED,
	/** It is a FIFO, which somebody has opened to be written since. */
	FIFO_AGAIN,
	/** It is a FIFO that nobody has opened to be written yet. */
	FIFO_LACKS_WRITER,
};

/** Tell what it means that the first read of what was opened has brought nothing. */
enum fifo_end attempt_fifo_end(int fd);

/** Count an entry's FIFO among those that are held, or no longer. */
void attempt_holds(struct entry *entry, bool holds);

/** Whether any FIFO is held by a request that waits. */
bool attempt_any_held(void);

/** Whether so many FIFOs are held that no more are to be opened to be read. */
bool attempt_is_crowded(void);

/** Whether what a path leads to is a FIFO. */
bool attempt_is_fifo(int dir, const char *path);

/**
 * Open a file without waiting for anybody. A FIFO that lacks a reader is kept in
 * entry->fifo, by its name only.
 *
 * @return A descriptor that does not wait either, -errno, or what entry_waits() gives.
 */
int32_t attempt_open_whole(struct entry *entry, int dir, const char *path, int flags, mode_t mode, enum dangling dangling);

// position.c

/**
 * Whether a transfer without an offset goes by a position that the kernel keeps.
 * Neither asks a server nor waits for whoever is using that position.
 */
bool position_is_kept(int fd);

/**
 * Whether a file may have bytes at an offset although a read found none: its size is
 * told as 0, or as more than that.
 */
bool position_may_have_more(int fd, uint64_t offset);

/** Whether a ring's write that falls short fails instead, see IOQ_WRITES_ALONE. */
bool position_takes_back_writes(int fd);

// stat.c

/** What a STAT asks for. */
#define STATX_MASK (STATX_BASIC_STATS | STATX_BTIME)

/** Bring a result of statx(2) into the form that JavaScript reads. */
void stat_pack(struct ioq_stat *to, const struct statx *from);

// perform.c

/**
 * Run an entry by system calls, to its end or until it would have to wait for somebody
 * else: then its `waits_for` says what for.
 */
void perform(struct entry *entry, struct scratch *scratch);

#endif // IOQ_CALLS_H
