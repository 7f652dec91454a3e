// Copyright 2026 the ioq authors. MIT license.

/**
 * The tree of files that the server keeps in memory.
 *
 * A node is a file, a directory or a symbolic link; an entry is a name of it in a
 * directory. A node lives as long as it has a name or the kernel knows of it. None
 * of the functions locks: the server calls them with its lock held.
 */

#ifndef STORM_TREE_H
#define STORM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct entry;

/** A file, a directory, or a symbolic link. */
struct node {
	/** The inode number that stat tells. */
	uint64_t number;
	/** How many replies have named it to the kernel, less what that forgot. */
	uint64_t lookups;
	/** Its length. What lies between `stored` and it reads as zeros. */
	uint64_t size;
	/** How many bytes are in `bytes`. */
	size_t stored;
	/** How many bytes `bytes` has room for. */
	size_t room;
	/** What was written to it, or the target of a link. */
	char *bytes;
	/** What its contents are computed from, until something is written to it. */
	uint64_t seed;
	/** Whether its contents are computed. */
	bool computed;
	/** Type and permissions. */
	mode_t mode;
	/** Its owner. */
	uid_t uid;
	/** Its group. */
	gid_t gid;
	/** For devices. */
	uint32_t rdev;
	/** How many names it has; for a directory also `.` and one for each child. */
	uint32_t nlink;
	/** When it was read, written, and changed. */
	struct timespec atime, mtime, ctime;
	/** The directory above a directory. */
	struct node *parent;
	/** The entries of a directory. */
	struct entry *first, *last;
	/** How many there are. */
	size_t entries;
};

/** A name in a directory. */
struct entry {
	/** The directory. */
	struct node *directory;
	/** What it names. */
	struct node *node;
	/** The next in the same bucket of the table. */
	struct entry *chain;
	/** Its neighbours in the directory. */
	struct entry *previous, *next;
	/** How long the name is. */
	size_t length;
	/** The name, and a NUL. */
	char name[];
};

/** All of it. */
struct tree {
	/** The top directory. */
	struct node *root;
	/** Every entry, by directory and name. */
	struct entry **buckets;
	/** How many buckets, a power of two. */
	size_t buckets_count;
	/** How many entries. */
	size_t entries;
	/** How many nodes there are. */
	size_t nodes;
	/** The inode number of the next node. */
	uint64_t next_number;
	/** How many bytes may be stored. */
	uint64_t capacity;
	/** How many are. */
	uint64_t used;
};

/** Make a tree with nothing but its top directory. */
void tree_init(struct tree *tree, uint64_t first_number, uint64_t capacity);

/** Find a name in a directory: the entry, or NULL. */
struct entry *tree_find(struct tree *tree, struct node *directory, const char *name);

/** Make a node and its name. Fails with -EEXIST, -ENOENT (removed directory), -ENOMEM. */
int tree_make(struct tree *tree, struct node *directory, const char *name, mode_t mode, uid_t uid,
	gid_t gid, struct node **made);

/** Give a node one more name. */
int tree_link(struct tree *tree, struct node *node, struct node *directory, const char *name);

/** Take a name away: of a directory if `directories`, of anything else otherwise. */
int tree_remove(struct tree *tree, struct node *directory, const char *name, bool directories);

/** Move a name, over another one unless `keep`. */
int tree_rename(struct tree *tree, struct node *from, const char *name, struct node *to,
	const char *new_name, bool keep);

/** The kernel has forgotten so many lookups of a node. */
void tree_forget(struct tree *tree, struct node *node, uint64_t lookups);

/** Read: how many bytes there were. */
size_t tree_read(struct node *node, uint64_t offset, char *buffer, size_t length);

/** Write: how many bytes there was room for, or an error. */
ssize_t tree_write(struct tree *tree, struct node *node, uint64_t offset, const char *bytes,
	size_t length);

/** Set the length of a file. */
int tree_truncate(struct tree *tree, struct node *node, uint64_t size);

/**
 * Make `directories` directories of `files` files of `bytes` bytes: `d0/f0` and so on,
 * each directory below the top one, or `fan` of them in each.
 */
int tree_fill(struct tree *tree, size_t directories, size_t files, uint64_t bytes, size_t fan);

#endif
