// Copyright 2026 the ioq authors. MIT license.

/**
 * An entry: one accepted request, from its turn in to its turn out.
 *
 * Entries live in an arena of `depth` and never move. The owner's thread fills
 * one and gives it to a lane; the lane alone touches it until it gives it back.
 * The exception is `cancelled`, which the owner may set at any time.
 */

#ifndef IOQ_ENTRY_H
#define IOQ_ENTRY_H

#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/time_types.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/** Entries begin at cache lines: two lanes never write to the same one. */
#define ENTRY_ALIGN 64
/** Paths up to this many bytes, with their NUL, need no allocation. */
#define INLINE_PATH 216
/** How often an operation is run again that was interrupted for no reason of ours. */
#define RETRIES_MAX 8

/** Where an entry is in its life; the owner's thread reads and writes this. */
enum entry_state {
	/** Not in use. */
	ENTRY_FREE,
	/** Holds bytes for a WRITE that has yet to be submitted. */
	ENTRY_STAGED,
	/** With a lane. */
	ENTRY_ACCEPTED,
	/** Completed, its payload not yet taken. */
	ENTRY_HELD,
};

/** With whom an accepted entry is. */
enum entry_place {
	/** The worker lanes. */
	ENTRY_AT_LANES,
	/** The queue's ring. */
	ENTRY_AT_RING,
	/** What waits without a lane, see waits/waits.h. */
	ENTRY_AT_WAITS,
	/** Those that wait for a message. */
	ENTRY_AT_RECEIVERS,
	/** Nobody: it goes to the ring with the next turn. */
	ENTRY_HELD_BACK,
};

/** What becomes of an operation that has to wait for somebody else. */
enum entry_patience {
	/** It comes back, waits with the owner, and is tried again: no lane is held up. */
	PATIENCE_WAITS,
	/** The system call waits. */
	PATIENCE_BLOCKS,
	/** It fails with IOQ_EWAITS: its caller has it wait elsewhere. */
	PATIENCE_FAILS,
};

/** Set in `waits_for`: its descriptor to be ready for `events`. */
#define WAITS_READY 1
/** Set in `waits_for`: time to pass before it is tried again. */
#define WAITS_TIME 2
/** Set in `waits_for`: a lock, whose waiters stand in line. */
#define WAITS_LOCK 4

/** In `heap_at`: it is in no heap. */
#define NOT_IN_HEAP UINT32_MAX

struct region;
struct lock_line;

struct entry {
	/** An entry_state. */
	alignas(ENTRY_ALIGN) uint8_t state;
	/** An entry_place; the owner's as well, and so not next to a lane's field. */
	uint8_t place;
	/** An ioq_op. */
	uint8_t op;
	/** An ioq_lane_kind: where it runs. Whoever runs it writes this. */
	uint8_t lane;
	/** How often it was run again. */
	uint8_t retries;
	/** Whether `offset` counts. */
	bool positional;
	/** Whether it must not open what is in /proc, /sys and /dev. */
	bool guarded;
	/** Whether it counts as cancelled while with the lanes; the owner's. */
	bool counted;
	/** Whether the ring was asked to cancel it; the owner's. */
	bool cancel_asked;
	/** Whether a ring is to leave it to a thread of the kernel's from the start. */
	bool punted;
	/** Whether it may not go on beyond `due`. */
	bool timed;
	/** Whether the kernel may still write to memory that was given up. */
	bool abandoned;
	/** An entry_patience. */
	uint8_t patience;
	/** WAITS_*, set by whoever tried it in vain; 0: it is complete. */
	uint8_t waits_for;
	/** Whether a ring gave it back to be run without one. */
	bool elsewhere;
	/** Whether its time limit comes before what a TIMEOUT waits for. */
	bool limited;
	/** Whether its FIFO counts among those that are held, see calls/attempt.c. */
	bool holds;
	/** Whether `watched` is its FIFO itself, and no duplicate. */
	bool watches_fifo;
	/** What its descriptor is to be ready for, as poll(2) has it. */
	uint16_t events;
	/** Whether someone no longer wants it. */
	atomic_bool cancelled;
	/** The descriptor, or the directory that the path is relative to. */
	int fd;
	/** The second descriptor or directory. */
	int fd2;
	/** A FIFO that was opened without waiting, kept until its other end is open, or -1. */
	int fifo;
	/** What is copied to a FIFO, kept until all of it is, or -1. */
	int source;
	/** Of ranges: how many, and how many of them a ring has. */
	uint32_t range_count, ranges_out;
	/** What is polled for it: a duplicate, its FIFO, or -1. */
	int watched;
	/** Whether a whole file is a stream, and its other end is there. */
	bool streams;
	/** Bytes of a whole file that is a stream: transferred, and room for those that were read. */
	size_t kept, capacity;
	/** Bytes of a WRITE that are written. */
	uint32_t done;
	/** Flags of the operation. */
	uint32_t flags;
	/** Permission bits. */
	uint32_t mode;
	/** Bytes to read or write. */
	uint32_t length;
	/** The result: a value, or -errno. */
	int32_t result;
	/** File offset in bytes. */
	uint64_t offset;
	/** What else the operation needs: words as the request had them. */
	uint32_t args[4];
	/** NUL-terminated; inline_path or allocated. */
	char *path;
	/** The second path: behind the first one. */
	char *path2;
	/** What the operation produced or is to write; allocated. */
	void *payload;
	/** Bytes of the payload. */
	size_t payload_length;
	/** If the payload is from the owner's pool: the length it was taken for. */
	uint32_t pool_length;
	/** Whether it is. */
	bool pooled;
	/** Whose memory the payload is, if not the entry's own. */
	struct region *region;
	/** Where the kernel puts the result of a STAT. Outlives a ring that died. */
	struct statx *statx;
	/** The next entry of a list. */
	struct entry *next;
	/** Nanoseconds of its clock: when a TIMEOUT ends, or a timed one must have. */
	int64_t due;
	/** The same for the kernel. */
	struct __kernel_timespec due_time;
	/** With which of its turns a ring got it. */
	uint32_t ring_turn;
	/** How the ring is to open a file. */
	struct open_how how;
	/** Where it is in the heap of its clock. */
	uint32_t heap_at;
	/** What the heap goes by, nanoseconds of its clock. */
	int64_t wake_at;
	/** Nanoseconds until it is tried again, the last time. */
	int64_t pause;
	/** Which file it is to lock. */
	uint64_t lock_device, lock_inode;
	/** How many locks had been released when it was tried, see waits/bell.c. */
	uint64_t released;
	/** Where it stands for a lock, or NULL, and who is before and behind it there. */
	struct lock_line *line;
	struct entry *ahead, *behind;
	/** Room for a short path. */
	char inline_path[INLINE_PATH];
};

/** Closing is never cancelled: a descriptor that is not closed is lost. */
static inline bool entry_is_close(const struct entry *entry) {
	return ops[entry->op].kind == OP_CLOSES;
}

/** Whether its result is a descriptor. */
static inline bool entry_is_open(const struct entry *entry) {
	return ops[entry->op].kind == OP_OPENS;
}

/** Whether it writes bytes that were staged for it. */
static inline bool entry_is_write(const struct entry *entry) {
	return ops[entry->op].kind == OP_WRITES;
}

/** Whether it found a directory, which is to be removed as one. */
static inline bool entry_finds_directory(const struct entry *entry) {
	return entry->op == IOQ_OP_UNLINK && entry->args[0] == IOQ_UNLINK_ANY
		&& (entry->result == -EISDIR || entry->result == -EPERM);
}

/** Whether it reads several ranges. */
static inline bool entry_has_ranges(const struct entry *entry) {
	return ops[entry->op].kind == OP_RANGES;
}

/** Whether its payload is file contents, which go straight to their reader. */
static inline bool entry_is_read(const struct entry *entry) {
	return ops[entry->op].kind == OP_READS || entry_has_ranges(entry);
}

/** Bytes of the largest value of an extended attribute, and of a list of them. */
#define XATTR_MAX 65536

/** Whether an operation is on a path, not on a descriptor; an empty path is one. */
static inline bool entry_has_path(const struct entry *entry) {
	return entry->path[0] || entry->fd == AT_FDCWD;
}

/** The clock that an entry waits by, an IOQ_CLOCK_*: a TIMEOUT's own. */
static inline uint32_t entry_clock(const struct entry *entry) {
	uint32_t clock = entry->op == IOQ_OP_TIMEOUT ? entry->flags & 3 : IOQ_CLOCK_MONOTONIC;
	return clock < IOQ_CLOCK_COUNT ? clock : IOQ_CLOCK_MONOTONIC;
}

/**
 * Say that an operation was tried in vain.
 *
 * @return What its result is for now.
 */
static inline int32_t entry_waits(struct entry *entry, uint8_t waits_for, uint16_t events) {
	entry->waits_for = entry->patience == PATIENCE_WAITS ? waits_for : 0;
	entry->events = events;
	return entry->patience == PATIENCE_WAITS ? -EAGAIN : -IOQ_EWAITS;
}

/** A 64-bit argument, from two words. */
static inline uint64_t entry_arg64(const struct entry *entry) {
	return (uint64_t)entry->args[1] << 32 | entry->args[0];
}

/** Whether it may go by a descriptor: a number too many does no harm. */
static inline bool entry_uses(const struct entry *entry, int fd) {
	return entry->fd == fd || entry->fd2 == fd || entry->args[3] == (uint32_t)fd;
}

/** Whether it is to end with EINTR instead of being run. */
static inline bool entry_is_cancelled(struct entry *entry) {
	return atomic_load_explicit(&entry->cancelled, memory_order_relaxed) && !entry_is_close(entry);
}

/** The open(2) flags of whatever opens something. */
static inline int entry_open_flags(const struct entry *entry) {
	// No terminal becomes the process's own by being opened
	int flags = (int)entry->flags | O_CLOEXEC | O_NOCTTY;
	bool directory = entry->op == IOQ_OP_OPEN_DIR || entry->op == IOQ_OP_READ_DIR;
	return directory ? flags | O_RDONLY | O_DIRECTORY : flags;
}

/**
 * Allocate what the operation reads into, if anything.
 *
 * @return 0 or -errno.
 */
int entry_reserve(struct entry *entry);

/**
 * Look at the result of an operation that has just ended, on whichever lane.
 *
 * A cancelled open that got its descriptor all the same closes it here, that
 * is, before the completion can be seen by anybody.
 *
 * @return true if it is complete, false if it must be run again: it was
 *         interrupted although nobody cancelled it (io-wq is known to do that).
 */
bool entry_settle(struct entry *entry);

/**
 * Take an entry from a ring that died while the kernel had it. The kernel may
 * write to its buffers at any time from now on, so they are never used again,
 * nor freed; the entry gets new ones.
 */
void entry_abandon(struct entry *entry);

/** Close the descriptor that an entry has opened and nobody has seen. */
void entry_close_result(struct entry *entry);

/** Close what an entry keeps open while it waits, if it does: see calls/attempt.c. */
void entry_close_fifo(struct entry *entry);

/** Release what an entry holds. */
void entry_release(struct entry *entry);

#endif // IOQ_ENTRY_H
