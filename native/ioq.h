// Copyright 2026 the ioq authors. MIT license.

/**
 * The ABI between JavaScript and the native core: record layouts, operation
 * codes and exported functions.
 *
 * This header is the only source of the layout. `tools/layout.c` prints it, as the
 * compiler sees it, into `ffi/layout.ts`; a test fails when that file is stale.
 *
 * Memory rule: copy in, copy out, retain nothing. Every pointer parameter is
 * JavaScript memory and is used only until the function returns. What the kernel
 * and the worker lanes see is memory that this library allocated.
 *
 * All 64-bit values cross as two 32-bit words, low word first, so that neither
 * side ever needs a BigInt.
 */

#ifndef IOQ_H
#define IOQ_H

#include <stdint.h>

/** Raised with every change of this file that older JavaScript could not bear. */
#define IOQ_ABI_VERSION 13

/** The largest depth: bounded so that a slot number fits in 16 bits. */
#define IOQ_DEPTH_MAX 65536
/** The most worker lanes of one queue. */
#define IOQ_LANES_MAX 256
/** Request records of one turn. */
#define IOQ_TURN_REQUESTS 256
/** Completion records of one turn. */
#define IOQ_TURN_COMPLETIONS 256
/** Requests waiting for worker lanes from which on others take another way. */
#define IOQ_BACKLOG 256
/** Longest path in bytes, without its NUL; longer ones fail with ENAMETOOLONG. */
#define IOQ_PATH_MAX 4095
/** Longest read or write in bytes (what the kernel transfers at once, read(2)). */
#define IOQ_TRANSFER_MAX 0x7ffff000
/** Messages that a queue keeps for whoever receives them; more are refused. */
#define IOQ_MESSAGES_MAX 1024

/** Every operation, with the name that JavaScript knows it by. */
#define IOQ_OPS(X) \
	X(NOP, 0, nop) /* completed by the core itself, without a system call */ \
	X(KERNEL_NOP, 1, kernelNop) /* IORING_OP_NOP, or getppid(2) off a ring */ \
	X(OPEN, 2, open) \
	X(CLOSE, 3, close) \
	X(STAT, 4, stat) \
	X(OPEN_DIR, 5, openDir) \
	X(READ_DIR_BLOCK, 6, readDirBlock) /* one getdents64(2) of an open directory */ \
	X(CLOSE_DIR, 7, closeDir) \
	X(READ_DIR, 8, readDir) /* open, read to the end, close; or trees, by IOQ_TREE */ \
	X(READ, 9, read) \
	X(WRITE, 10, write) \
	X(SEEK, 11, seek) /* lseek(2); io_uring has none */ \
	X(SYNC, 12, sync) /* fsync(2), or fdatasync(2) by IOQ_SYNC_DATA */ \
	X(TRUNCATE, 13, truncate) /* by path, or by descriptor without one */ \
	X(ALLOCATE, 14, allocate) \
	X(UNLINK, 15, unlink) \
	X(RENAME, 16, rename) \
	X(MKDIR, 17, mkdir) \
	X(SYMLINK, 18, symlink) \
	X(LINK, 19, link) \
	X(READ_LINK, 20, readLink) \
	X(REAL_PATH, 21, realPath) \
	X(CHMOD, 22, chmod) /* by path, or by descriptor without one; as those below */ \
	X(CHOWN, 23, chown) \
	X(UTIME, 24, utime) \
	X(ACCESS, 25, access) \
	X(LOCK, 26, lock) /* flock(2) */ \
	X(COPY_RANGE, 27, copyRange) /* copy_file_range(2) */ \
	X(ADVISE, 28, advise) /* posix_fadvise(2) */ \
	X(READ_FILE, 29, readFile) /* open, read to the end, close */ \
	X(WRITE_FILE, 30, writeFile) /* open, write all, close */ \
	X(COPY_FILE, 31, copyFile) /* contents and permission bits; args: open flags, IOQ_COPY_* */ \
	X(TIMEOUT, 32, timeout) /* nothing, until a time has come */ \
	X(POLL, 33, poll) /* poll(2) of one descriptor */ \
	X(POST, 34, post) /* a message to a queue of this process */ \
	X(RECEIVE, 35, receive) /* the next message to this queue */ \
	X(SYNC_RANGE, 36, syncRange) /* sync_file_range(2) */ \
	X(SPLICE, 37, splice) /* splice(2) */ \
	X(GET_XATTR, 38, getXattr) /* by path, or by descriptor without one; as those below */ \
	X(SET_XATTR, 39, setXattr) \
	X(LIST_XATTR, 40, listXattr) \
	X(REMOVE_XATTR, 41, removeXattr) \
	X(RAW_SQE, 42, rawSqe) /* whatever is in its path, 64 bytes, as an SQE */ \
	X(REPLACE_BEGIN, 43, replaceBegin) /* a file to write what is to replace another */ \
	X(REPLACE_END, 44, replaceEnd) /* args: as WRITE_FILE, IOQ_REPLACE_*, its descriptor */ \
	X(READ_RANGES, 45, readRanges) /* what was staged, ioq_range after ioq_range, at a time */

/** A set of operations: bit n for operation n. They must be fewer than 64. */
typedef uint64_t ioq_ops;

enum ioq_op {
#define IOQ_OP_ENUM(upper, code, name) IOQ_OP_##upper = code,
	IOQ_OPS(IOQ_OP_ENUM)
#undef IOQ_OP_ENUM
	IOQ_OP_COUNT,
};

/** Set in `ioq_request.hints`: was cancelled before it reached the core. */
#define IOQ_HINT_CANCELLED 1
/** Set in `ioq_request.hints`: `offset` counts; otherwise the file's own position. */
#define IOQ_HINT_OFFSET 2
/**
 * Set in `ioq_request.hints`: behind its paths in the input, the request has the
 * nanoseconds that it may take, as two words, not aligned. A ring then gives it up
 * by itself, with ETIMEDOUT; what runs elsewhere must be cancelled by the owner.
 */
#define IOQ_HINT_TIMEOUT 4
/**
 * Set in the hints of a READ or WRITE: not by the core's own memory, but by that of
 * ioq_allocate() number `args[0]`, from byte `args[1]` on.
 */
#define IOQ_HINT_REGION 8
/**
 * Set in the hints of what opens files: refuse those that symbolic links lead to in
 * /proc, /sys and /dev, with IOQ_ESPECIAL.
 */
#define IOQ_HINT_GUARDED 16
/** Set in the hints of a WRITE: not by a ring, see IOQ_WRITES_ALONE. */
#define IOQ_HINT_NO_RING 32

/** Clocks of a TIMEOUT, in its flags, and of ioq_now(). */
#define IOQ_CLOCK_MONOTONIC 0
#define IOQ_CLOCK_REALTIME 1
#define IOQ_CLOCK_BOOTTIME 2
/** How many clocks a TIMEOUT may have. */
#define IOQ_CLOCK_COUNT 3
/** Clocks of ioq_now() alone: processor time, of the process and of the calling thread. */
#define IOQ_CLOCK_PROCESS 3
#define IOQ_CLOCK_THREAD 4
/** Set in the flags of a TIMEOUT: until then, instead of for so long. */
#define IOQ_TIMEOUT_ABSOLUTE 4

/** A request, as JavaScript writes it. */
struct ioq_request {
	/** Which entry of the arena: below depth, and free. */
	uint32_t slot;
	/** An ioq_op. */
	uint16_t op;
	/** IOQ_HINT_*. */
	uint16_t hints;
	/** The descriptor, or the directory that a path is relative to (or AT_FDCWD). */
	int32_t fd;
	/** Flags of the operation (O_*, AT_*). */
	uint32_t flags;
	/** Permission bits of a file to be created. */
	uint32_t mode;
	/** Bytes to read. */
	uint32_t length;
	/** File offset, low word. */
	uint32_t offset_low;
	/** File offset, high word. */
	uint32_t offset_high;
	/** Where in the turn's input the path begins. */
	uint32_t path;
	/** Bytes of the path, no NUL; above IOQ_PATH_MAX nothing is copied. */
	uint32_t path_length;
	/** The second descriptor or directory. */
	int32_t fd2;
	/** Bytes of the second path, which follows the first in the input. */
	uint32_t path2_length;
	/** What else an operation needs, low words first. */
	uint32_t args[4];
};

/** The first argument of an UNLINK: if it is a directory, it is removed as such. */
#define IOQ_UNLINK_ANY 1

/**
 * Set in the flags of a SYNC: only what is needed to read the data again. Of a WRITE: that
 * much of it is on the device when it completes.
 */
#define IOQ_SYNC_DATA 1

/** Of a COPY_FILE: times of the last read and write as well. */
#define IOQ_COPY_TIMES 1
/** Owner and group as well, as far as the caller may give files away. */
#define IOQ_COPY_OWNER 2
/** No set-user-ID bit unless the owner is kept, and no set-group-ID bit unless the group is. */
#define IOQ_COPY_NO_SET_ID 4
/** Extended attributes as well, as far as the target can have them. */
#define IOQ_COPY_XATTRS 8
/** Of directories nothing but that. */
#define IOQ_COPY_DIRECTORY 16
/** The same of symbolic links. */
#define IOQ_COPY_LINK 32

/** Set in the second argument of a WRITE_FILE: the old contents or the new, at any time. */
#define IOQ_WRITE_ATOMIC 1
/** The same: it is complete when the data and the file's name are on the device. */
#define IOQ_WRITE_DURABLE 2

/** A REPLACE_END: the file takes the place of the one that its path leads to. */
#define IOQ_REPLACE_TAKE 0
/** The file is to be forgotten. */
#define IOQ_REPLACE_FORGET 1
/** There is none: the folder that its path is in is to be synced. */
#define IOQ_REPLACE_SYNC 2

/** Result of a COPY_FILE, negated: the source is no regular file. No errno is as large. */
#define IOQ_ENOTREG 4000
/** The same: source and target are one file. */
#define IOQ_ESAMEFILE 4001
/** Result of a POST, negated: there is no such queue, or it was closed. */
#define IOQ_ENOQUEUE 4002
/** The same: the file is in /proc, /sys or /dev, and the request was guarded. */
#define IOQ_ESPECIAL 4003
/** The same: it would have to wait, and the queue was opened with IOQ_OPEN_TRIES. */
#define IOQ_EWAITS 4004
/** What becomes of a directory that is the one that a tree is copied to. */
#define IOQ_EINSIDE 4006
/** Result of what replaces a file, negated: it is no regular file. */
#define IOQ_ENOREPLACE 4005

/** Where a request ran. */
enum ioq_lane_kind {
	/** The owner's thread: without a system call, or all of them by IOQ_OPEN_SYNC. */
	IOQ_LANE_CORE = 0,
	/** The ring of the owner's thread. */
	IOQ_LANE_RING = 1,
	/** A worker lane, by a plain system call. */
	IOQ_LANE_WORKER = 2,
	IOQ_LANE_COUNT = 3,
};

/** The payload stays in the core until ioq_take() or ioq_release(). */
#define IOQ_COMPLETION_HELD 1

/** A completion, as the core writes it. */
struct ioq_completion {
	/** Which request. */
	uint32_t slot;
	/** The result: a value, or -errno. */
	int32_t result;
	/** Where in the turn's output the payload begins, if it is not held. */
	uint32_t payload;
	/** Bytes of the payload. */
	uint32_t payload_length;
	/** IOQ_COMPLETION_*. */
	uint16_t flags;
	/** An ioq_lane_kind. */
	uint16_t lane;
	/** Zero. */
	uint32_t reserved[3];
};

/** Set in `ioq_turn.flags`: if this turn completes nothing, arm the wake-up. */
#define IOQ_TURN_ARM 1

/** Set in `ioq_turn.flags`: if this turn completes nothing, let other threads run. */
#define IOQ_TURN_YIELD 2

/**
 * Set in `ioq_turn.flags`: submit and hand nothing out but what fails at once. Another turn,
 * without it, is to come.
 */
#define IOQ_TURN_SUBMIT 4

/** The block that a turn reads and writes. */
struct ioq_turn {
	/** In: valid records in `requests`. */
	uint32_t request_count;
	/** In: valid bytes of the input. */
	uint32_t input_length;
	/** In: capacity of the output, in bytes. */
	uint32_t output_length;
	/** In: IOQ_TURN_*. */
	uint32_t flags;
	/** Out: valid records in `completions`. */
	uint32_t completion_count;
	/** Out: accepted requests whose completion has not been handed over. */
	uint32_t in_flight;
	/** Out: 1 if ioq_park() may be called now and will be woken. */
	uint32_t armed;
	/** Out: the errno that the ring died of, or 0. */
	uint32_t ring_error;
	/** Zero. */
	uint32_t reserved[8];
	struct ioq_request requests[IOQ_TURN_REQUESTS];
	struct ioq_completion completions[IOQ_TURN_COMPLETIONS];
};

/** The payload of a STAT: the fields of statx(2). */
struct ioq_stat {
	uint32_t mask;
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t blksize;
	uint32_t size_low, size_high;
	uint32_t blocks_low, blocks_high;
	uint32_t ino_low, ino_high;
	/** Device numbers as makedev(3) packs them. */
	uint32_t dev_low, dev_high;
	uint32_t rdev_low, rdev_high;
	/** Seconds are signed: a file may be older than 1970. */
	uint32_t atime_low;
	int32_t atime_high;
	uint32_t mtime_low;
	int32_t mtime_high;
	uint32_t ctime_low;
	int32_t ctime_high;
	uint32_t btime_low;
	int32_t btime_high;
	uint32_t atime_nsec, mtime_nsec, ctime_nsec, btime_nsec;
	/** In a tree: why there is no more than this, an errno. */
	uint32_t error;
	uint32_t reserved[3];
};

/** Some name of the block is not UTF-8. */
#define IOQ_DIRECTORY_RAW 1
/** Set if reading a single directory took more than twice the time that was given. */
#define IOQ_TREE_SLOW 2
/** Set if the entries of each directory are sorted. */
#define IOQ_TREE_SORTED 4
/** The end of the directory was reached. */
#define IOQ_DIRECTORY_END 2

/**
 * Head of the payload of READ_DIR and READ_DIR_BLOCK. After it come
 * `names_length` bytes of names, a NUL between two, none after the last; then
 * `count` bytes, the DT_* type of each. "." and ".." are left out.
 */
struct ioq_directory {
	/** Entries. */
	uint32_t count;
	/** Bytes of the names. */
	uint32_t names_length;
	/** IOQ_DIRECTORY_*. */
	uint32_t flags;
	/** Zero. */
	uint32_t reserved;
};

/** Set in `ioq_options.flags`: make a ring on the owner's thread. */
#define IOQ_OPEN_RING 1
/** Set in `ioq_options.flags`: let the ring take raw SQEs, and so any opcode. */
#define IOQ_OPEN_RAW_SQE 2
/**
 * Set in `ioq_options.flags`: no lanes. Each turn runs its requests one after the
 * other and hands all of them out, however long that takes.
 */
#define IOQ_OPEN_SYNC 4
/** Set beside IOQ_OPEN_SYNC: what would have to wait fails with IOQ_EWAITS. */
#define IOQ_OPEN_TRIES 8
/** Set beside IOQ_OPEN_SYNC: what has to wait does so in the queue, not in its turn. */
#define IOQ_OPEN_WAITS 16

/**
 * Set in the mode of a READ_DIR: its path is a list, apart by NULs; read those
 * directories, and up to `args[0]` levels of what is below, for `args[1]`
 * microseconds. `flags` are for opening those that are named.
 */
#define IOQ_TREE 1
/**
 * How rules begin that its second path may be a list of, a NUL after each: a directory whose name
 * is, begins with, ends in or has the rest of the rule is left to another request.
 */
#define IOQ_RULE_IS '='
#define IOQ_RULE_BEGINS '^'
#define IOQ_RULE_ENDS '$'
#define IOQ_RULE_HAS '~'
/** So is all that is below a directory with an entry whose name is the rest of the rule. */
#define IOQ_RULE_STOPS '!'
/**
 * What follows is one of the first four: an entry that is no directory is told of only if some rule
 * of this kind has its name, or one by which a directory stops.
 */
#define IOQ_RULE_WANTED '+'
/** Set beside it: tell device and inode of each directory. */
#define IOQ_TREE_IDENTIFY 2
/** Set beside it: stat each entry. */
#define IOQ_TREE_STAT 4
/** Set beside it: read no directory on another device than `offset`. */
#define IOQ_TREE_ONE_DEVICE 8
/**
 * Set beside it: sort the entries of each directory by name, as UTF-16 orders them. Whether they
 * are is told by IOQ_TREE_SORTED; where names are not UTF-8 it is not.
 */
#define IOQ_TREE_SORT 256
/**
 * Set beside it: remove the directories with all that is in them. Paths are relative
 * to the descriptor, and no link in them is followed; of "." only what is in it goes.
 * Instead of a stat there is a word for each entry that is told of: 0 if it is gone,
 * IOQ_TREE_LEFT, or the errno that keeps it. What is gone is told of only if
 * IOQ_TREE_TELL asks for it. With a named directory those on its path go, too, from the
 * innermost on, as far as they are empty.
 */
#define IOQ_TREE_REMOVE 16
/** Set beside that: tell of what is gone as well. */
#define IOQ_TREE_TELL 32
/**
 * Set beside IOQ_TREE, with nothing else: the payload is an ioq_report, with a line for
 * each entry: its path, which begins as the named directory's does, and `args[2]`.
 */
#define IOQ_TREE_LINES 0x1000
/** The same with the room that the entries take, or with their sizes if `args[2]` is 1. */
#define IOQ_TREE_TOTAL 0x2000

/**
 * Set beside it: copy what is named, relative to `fd`, to the same paths relative to `fd2`.
 * `args[2]` says how, by IOQ_COPY_*; `args[3]` is a descriptor of the directory that all
 * goes to, which is not copied itself. Entries are told of as when trees are removed; of
 * "." only what is in it is copied.
 */
#define IOQ_TREE_COPY 64
/**
 * Set beside that: give copies of directories their attributes, and to `args[0]` of
 * those on the path of the one that is named, from the innermost on.
 */
#define IOQ_TREE_FINISH 128

/** Of a tree's copies: copy over what is there. */
#define IOQ_COPY_OVERWRITE 64
/** Leave files that have several names, to be linked by whoever asked. */
#define IOQ_COPY_NO_LINKED 128
/** Leave symbolic links. */
#define IOQ_COPY_NO_SYMLINKS 256

/** What became of a directory, or a file, that is left to another request. */
#define IOQ_TREE_LEFT 0x10000
/** What became of an entry that is left because IOQ_COPY_NO_* says so. */
#define IOQ_TREE_APART 0x10001

/** Set in `ioq_tree_directory.flags`: it is on another device, and was not read. */
#define IOQ_TREE_FOREIGN 1
/** Set in `ioq_tree_directory.flags`: it was removed, or copied with all that is in it. */
#define IOQ_TREE_GONE 2

/**
 * Head of the payload of a READ_DIR of trees. After it come the records of the
 * directories, a stat per entry if those were asked for, a type (DT_*) per entry,
 * and the entries' names, apart by NULs. Entries are in the order of the records.
 */
struct ioq_tree {
	/** Directories that were read, or failed. */
	uint32_t directory_count;
	/** Entries of all of them. */
	uint32_t entry_count;
	/** Bytes of all names with the NULs between them. */
	uint32_t names_length;
	/** IOQ_DIRECTORY_RAW, IOQ_TREE_SLOW, IOQ_TREE_SORTED. */
	uint32_t flags;
	/** Zero. */
	uint32_t reserved[4];
};

/** A directory of a tree. */
struct ioq_tree_directory {
	/** The entry that it is, or -1 - n for the one that was named nth. */
	int32_t parent;
	/** How many entries it has. */
	uint32_t count;
	/** The errno that ended its reading, or 0. */
	int32_t error;
	/** IOQ_TREE_FOREIGN, IOQ_TREE_GONE. */
	uint32_t flags;
	/**
	 * The device as makedev(3) packs it, if asked for; of a named directory that was
	 * removed, `dev_low` is how many of those on its path went with it.
	 */
	uint32_t dev_low, dev_high;
	/** The inode. */
	uint32_t ino_low, ino_high;
};

/**
 * Head of the payload of a READ_DIR that reports of trees. After it come the links, the
 * errors, the lines, and paths, apart by NULs: first those of the errors, then those of
 * the directories that are left to another request.
 */
struct ioq_report {
	/** Entries of the directories that were read. */
	uint32_t entry_count;
	/** Entries with several names, whose sizes are not in the total. */
	uint32_t link_count;
	/** What could not be read. */
	uint32_t error_count;
	/** Bytes of all lines. */
	uint32_t lines_length;
	/** Bytes of the errors' paths, each with a NUL. */
	uint32_t error_paths_length;
	/** Bytes of the paths of directories that are left, each with a NUL. */
	uint32_t left_length;
	/** Bytes of entries that have one name, and of directories. */
	uint32_t total_low, total_high;
	/** IOQ_REPORT_MOUNT. */
	uint32_t flags;
	/** Zero. */
	uint32_t reserved[3];
};

/** Set in `ioq_report.flags`: a directory is, or may be, where a file system is mounted. */
#define IOQ_REPORT_MOUNT 1

/** An entry of a report that has several names. */
struct ioq_report_link {
	/** The device as makedev(3) packs it, and the inode. */
	uint32_t dev_low, dev_high, ino_low, ino_high;
	/** Its bytes. */
	uint32_t bytes_low, bytes_high;
};

/** What of a report could not be read. */
struct ioq_report_error {
	/** The errno. */
	uint32_t error;
	/** IOQ_REPORT_*_FAILED. */
	uint32_t what;
};

/** A directory could not be opened, or not be read to its end. */
#define IOQ_REPORT_READ_FAILED 0
/** An entry has no attributes. */
#define IOQ_REPORT_STAT_FAILED 1
/** A directory's path is longer than IOQ_PATH_MAX: it was not read. */
#define IOQ_REPORT_TOO_LONG 2

/** What a queue is opened with. */
struct ioq_options {
	/** 1 to IOQ_DEPTH_MAX. */
	uint32_t depth;
	/** Worker lanes, 1 to IOQ_LANES_MAX. */
	uint32_t lanes;
	/** IOQ_OPEN_*. */
	uint32_t flags;
	/** Bit n: operation n goes to a worker lane although the ring has it. */
	uint32_t worker_ops_low, worker_ops_high;
	/** Bit n: so does operation n, unless IOQ_BACKLOG requests wait there. */
	uint32_t overflow_ops_low, overflow_ops_high;
	/**
	 * Whose descriptors it opens and closes, should that one's thread end: 0 for its own,
	 * IOQ_NO_OWNER for nobody's, or the `ioq_info.owner` of another thread's queue, for
	 * which it does nothing any more when that has gone.
	 */
	uint32_t owner;
};

/** What a queue opens stays open if its thread ends without having closed it. */
#define IOQ_NO_OWNER UINT32_MAX

/** What a queue turned out to be. */
struct ioq_info {
	/** Why ioq_open() failed: an errno. */
	uint32_t error;
	/** Worker lanes that started. */
	uint32_t lanes;
	/** IORING_SETUP_* of the ring. */
	uint32_t ring_flags;
	/** IORING_FEAT_* of the kernel. */
	uint32_t ring_features;
	/** Submission queue entries of the ring; 0: there is none. */
	uint32_t sq_entries;
	/** Completion queue entries of the ring. */
	uint32_t cq_entries;
	/** Bit n: operation n runs on the ring. */
	uint32_t ring_ops_low, ring_ops_high;
	/** 1 if the ring accepts the opcodes in use and no others. */
	uint32_t restricted;
	/** Bit n: the kernel has io_uring opcode n (0 to 63), low word first. */
	uint32_t opcodes_low, opcodes_high;
	/**
	 * 1 if a permission broker decides for the process, which JavaScript cannot ask for
	 * without a permission. Also told if ioq_open() fails.
	 */
	uint32_t brokered;
	/** Stands for the queue as the owner of descriptors; 0: there are too many. */
	uint32_t owner;
	/** Zero. */
	uint32_t reserved[3];
};

#define IOQ_EXPORT __attribute__((visibility("default")))

struct ioq;

/** @return IOQ_ABI_VERSION as it was compiled in. */
IOQ_EXPORT uint32_t ioq_abi_version(void);

/**
 * Open a queue. The calling thread becomes its owner: every other function but
 * ioq_park() must be called on that thread.
 *
 * @return The queue, or NULL with the reason in `info->error`.
 */
IOQ_EXPORT struct ioq *ioq_open(const struct ioq_options *options, struct ioq_info *info);

/**
 * One turn: take requests in, enter the kernel at most a bounded number of times
 * without waiting, hand completions out.
 *
 * @return 0, or -EINVAL for a block that makes no sense (nothing was accepted).
 */
IOQ_EXPORT int32_t ioq_turn(struct ioq *ioq, struct ioq_turn *turn, const uint8_t *input, uint8_t *output);

/**
 * Copy the bytes of a WRITE in, before the turn that submits the request.
 *
 * @return 0 or -errno.
 */
IOQ_EXPORT int32_t ioq_stage(struct ioq *ioq, uint32_t slot, const uint8_t *bytes, uint32_t length);

/**
 * The same for bytes that lie in several places: one part after the other.
 *
 * @param at
 *         Where the part begins: 0, or what the parts before it came to.
 * @param total
 *         What all parts will come to.
 * @return 0 or -errno.
 */
IOQ_EXPORT int32_t ioq_stage_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint32_t total,
	const uint8_t *bytes, uint32_t length);

/**
 * Copy a held payload out and release it.
 *
 * @return The bytes copied (at most `length`), or -EINVAL if nothing is held.
 */
IOQ_EXPORT int32_t ioq_take(struct ioq *ioq, uint32_t slot, uint8_t *bytes, uint32_t length);

/**
 * Copy a part of a held payload out, without releasing it.
 *
 * @return The bytes copied (at most `length`), or -EINVAL if nothing is held.
 */
IOQ_EXPORT int32_t ioq_take_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint8_t *bytes, uint32_t length);

/**
 * Drop a held payload, or bytes staged for a request that was never submitted.
 *
 * @return 0, or -EINVAL if there is nothing to drop.
 */
IOQ_EXPORT int32_t ioq_release(struct ioq *ioq, uint32_t slot);

/**
 * Ask for a request to be cancelled. Its completion still comes.
 *
 * @return 1 if it is in flight, is not a close and was not cancelled before, else 0.
 */
IOQ_EXPORT int32_t ioq_cancel(struct ioq *ioq, uint32_t slot);

/** Cancel all that is in flight, and from now on all that comes, but closes. */
IOQ_EXPORT void ioq_cancel_all(struct ioq *ioq);

/**
 * Wait until a turn has something to hand out, or ioq_wake(); or a few milliseconds, if
 * many calls of this process wait. The only function that may run on another thread, one
 * at a time, after a turn that armed it. It polls an eventfd and touches neither rings
 * nor queues.
 *
 * @return 0 or -errno.
 */
IOQ_EXPORT int32_t ioq_park(struct ioq *ioq);

/** Make the parked call return. */
IOQ_EXPORT void ioq_wake(struct ioq *ioq);

/**
 * What another thread interrupts the turns of a queue without lanes by.
 *
 * @return The number, or 0 if the queue has lanes.
 */
IOQ_EXPORT uint32_t ioq_caller_id(struct ioq *ioq);

/**
 * Cancel what a queue without lanes is at, and interrupt its thread, unless that is
 * a close. For any thread. A signal may come too early to count: to be repeated
 * until the turn is over.
 *
 * @param id
 *         Of the queue, from ioq_caller_id(): it may be gone.
 * @param turn
 *         Which of its turns, counted from 1. Others are left alone.
 * @return 0, or -ESRCH if it is not at an operation of that turn.
 */
IOQ_EXPORT int32_t ioq_interrupt(uint32_t id, uint32_t turn);

/**
 * What other queues of this process post to, good until this one is closed.
 *
 * @return The number, or 0 if there is no memory.
 */
IOQ_EXPORT uint32_t ioq_id(struct ioq *ioq);

/**
 * Allocate memory that JavaScript may see, and that READ and WRITE may use.
 *
 * @param length
 *         Bytes, 1 to IOQ_TRANSFER_MAX.
 * @param index
 *         Receives its number, or the errno if there is none to be had.
 * @return The memory, at the beginning of a page and zeroed, or NULL.
 */
IOQ_EXPORT void *ioq_allocate(struct ioq *ioq, uint32_t length, uint32_t *index);

/**
 * Give memory back. It is freed once no request has to do with it, and with the
 * queue at the latest.
 *
 * @return 0, or -EINVAL if there is no such memory.
 */
IOQ_EXPORT int32_t ioq_deallocate(struct ioq *ioq, uint32_t index);

/**
 * Change the depth of a queue in which nothing is in flight, held or staged.
 *
 * @return 0, or -errno with the queue as it was.
 */
IOQ_EXPORT int32_t ioq_resize(struct ioq *ioq, uint32_t depth);

/** Stands for an offset's high word: the file's own position. */
#define IOQ_NO_OFFSET UINT32_MAX

/** Results of ioq_is_cached(): ioq_read_cached() is for that descriptor. */
#define IOQ_IS_CACHED 1
/** Transfers may have offsets: it is neither a stream nor refuses to seek. */
#define IOQ_HAS_POSITION 2
/**
 * Writes are to be told IOQ_HINT_NO_RING. Past the page cache of a FUSE file system a ring
 * takes back what a write that falls short or fails has written, and tells EIO.
 */
#define IOQ_WRITES_ALONE 4

/** ioq_write_cached() is for that descriptor. */
#define IOQ_WRITES_CACHED 8
/** Its writes need no device. */
#define IOQ_WRITES_TO_MEMORY 16
/** Its file system tells of a write that it would wait. */
#define IOQ_WRITES_TELL 32

/** @return What kind of file a descriptor is: any of the above. */
IOQ_EXPORT int32_t ioq_is_cached(int32_t fd);

/**
 * Read what is in the page cache, without waiting for anything.
 *
 * @return The bytes read: `length`, or fewer at the end of the file. Or -errno, having
 *         read nothing: -EAGAIN if it is not all cached, -EOPNOTSUPP if the file
 *         system cannot tell.
 */
IOQ_EXPORT int32_t ioq_read_cached(int32_t fd, uint8_t *bytes, uint32_t length, uint32_t offset_low,
	uint32_t offset_high);

/** A range of a file. */
struct ioq_range {
	/** Where it begins. */
	uint32_t offset_low;
	uint32_t offset_high;
	/** How many bytes it has. */
	uint32_t length;
	/** Bytes that were read: all, or fewer at the end of the file; -errno otherwise. */
	int32_t result;
};

/** Ranges of a READ_RANGES, at the most. */
#define IOQ_RANGES_MAX 1024
/** Bytes of one of them. */
#define IOQ_RANGE_LENGTH_MAX (128 * 1024)
/** Bytes of all of them: with what is kept of each there is a buffer of that size. */
#define IOQ_RANGES_LENGTH_MAX (960 * 1024)

/**
 * Read ranges of what is in the page cache, without waiting for anything. Their bytes go
 * one range after the other, each with room for all of it.
 *
 * @param room
 *         How many bytes there is room for. Ranges beyond it get -EINVAL.
 * @return How many bytes were read. Each range has its result, as ioq_read_cached() has.
 */
IOQ_EXPORT uint32_t ioq_read_ranges(int32_t fd, struct ioq_range *ranges, uint32_t count, uint8_t *bytes,
	uint32_t room);

/** Beside a kind of file: it begins where a write of the same file's ended last. */
#define IOQ_WRITE_CONTINUES 64

/**
 * Write into the page cache at once, unless that might wait for something.
 *
 * @param kind
 *         What ioq_is_cached() says of the descriptor: IOQ_WRITES_CACHED at the least. Any of
 *         IOQ_WRITE_CONTINUES.
 * @param length
 *         At most IOQ_WRITE_CACHED_MAX.
 * @return The bytes written, possibly fewer. Or -errno, having written nothing: -EAGAIN if it
 *         might wait.
 */
IOQ_EXPORT int32_t ioq_write_cached(struct ioq *ioq, int32_t fd, uint32_t kind, const uint8_t *bytes,
	uint32_t length, uint32_t offset_low, uint32_t offset_high);

/** Bytes of a write that ioq_write_cached() does, at the most. */
#define IOQ_WRITE_CACHED_MAX (64 * 1024)

/**
 * What an IOQ_CLOCK_* says: seconds as two words, and nanoseconds; then its resolution,
 * in nanoseconds.
 */
IOQ_EXPORT void ioq_now(uint32_t clock, uint32_t *words);

/** @return 1 if a descriptor is a terminal, else 0. */
IOQ_EXPORT int32_t ioq_is_terminal(int32_t fd);

/** Modes of ioq_set_raw(). */
#define IOQ_TERMINAL_RESTORE 0
/** Bytes as they are typed, those that make signals too. */
#define IOQ_TERMINAL_RAW 1
/** The same, but keys that make signals do so. */
#define IOQ_TERMINAL_CBREAK 2
/** Bytes that ioq_set_raw() keeps its state in. */
#define IOQ_TERMINAL_STATE 128

/**
 * Set the mode of a terminal.
 *
 * @param mode
 *         An IOQ_TERMINAL_*.
 * @param state
 *         What the terminal goes back to: zeroed at first, kept by JavaScript.
 * @return 0 or -errno.
 */
IOQ_EXPORT int32_t ioq_set_raw(int32_t fd, uint32_t mode, uint8_t *state);

/**
 * Stop the lanes and release everything. Nothing may be in flight or parked.
 *
 * @return 0, or -EBUSY if something is (the queue stays as it was).
 */
IOQ_EXPORT int32_t ioq_close(struct ioq *ioq);

/**
 * Hand over the descriptor of the memory that this library was loaded from: the library
 * closes it when it is unloaded.
 */
IOQ_EXPORT void ioq_adopt(int32_t fd);

/**
 * Give a queue up, with what is in flight: cancel all, wait a quarter of a second at
 * most, close what was opened meanwhile, and release everything. The queue must not be
 * used any more, whatever this returns.
 *
 * @return 0, or -EBUSY if something does not let go: then all is left as it is.
 */
IOQ_EXPORT int32_t ioq_abandon(struct ioq *ioq);

#endif // IOQ_H
