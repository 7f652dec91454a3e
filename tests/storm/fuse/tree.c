// Copyright 2026 the ioq authors. MIT license.

#include "tree.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** The longest name. */
#define NAME_LENGTH 255

static void touch(struct node *node, bool contents) {
	clock_gettime(CLOCK_REALTIME, &node->ctime);
	if (contents) {
		node->mtime = node->ctime;
	}
}

/** FNV-1a over the name, begun with the directory. */
static size_t hash(const struct node *directory, const char *name) {
	uint64_t h = 14695981039346656037ULL ^ ((uintptr_t)directory >> 4);
	for (; *name; name++) {
		h = (h ^ (unsigned char)*name) * 1099511628211ULL;
	}
	return (size_t)(h ^ h >> 32);
}

static struct node *new_node(struct tree *tree, mode_t mode, uid_t uid, gid_t gid) {
	struct node *node = calloc(1, sizeof(*node));
	if (node) {
		node->number = tree->next_number++;
		node->mode = mode;
		node->uid = uid;
		node->gid = gid;
		touch(node, true);
		node->atime = node->mtime;
		tree->nodes++;
	}
	return node;
}

/** Free a node that nobody can reach any more. */
static void reap(struct tree *tree, struct node *node) {
	if (node->nlink == 0 && node->lookups == 0 && node != tree->root) {
		tree->used -= node->stored;
		tree->nodes--;
		free(node->bytes);
		free(node);
	}
}

void tree_init(struct tree *tree, uint64_t first_number, uint64_t capacity) {
	memset(tree, 0, sizeof(*tree));
	tree->next_number = first_number;
	tree->capacity = capacity;
	tree->buckets_count = 1024;
	tree->buckets = calloc(tree->buckets_count, sizeof(*tree->buckets));
	tree->root = new_node(tree, S_IFDIR | 0755, 0, 0);
	if (!tree->buckets || !tree->root) {
		perror("storm");
		exit(1);
	}
	tree->root->nlink = 2;
	tree->root->parent = tree->root;
}

/** Where the pointer to an entry is, or would be. */
static struct entry **place_of(struct tree *tree, struct node *directory, const char *name) {
	struct entry **place = &tree->buckets[hash(directory, name) & (tree->buckets_count - 1)];
	while (*place && ((*place)->directory != directory || strcmp((*place)->name, name) != 0)) {
		place = &(*place)->chain;
	}
	return place;
}

struct entry *tree_find(struct tree *tree, struct node *directory, const char *name) {
	return *place_of(tree, directory, name);
}

/** Twice as many buckets, so that chains stay short; none is no failure. */
static void grow(struct tree *tree) {
	size_t count = tree->buckets_count * 2;
	struct entry **buckets = calloc(count, sizeof(*buckets));
	if (!buckets) {
		return;
	}
	for (size_t i = 0; i < tree->buckets_count; i++) {
		for (struct entry *entry = tree->buckets[i], *next; entry; entry = next) {
			next = entry->chain;
			size_t slot = hash(entry->directory, entry->name) & (count - 1);
			entry->chain = buckets[slot];
			buckets[slot] = entry;
		}
	}
	free(tree->buckets);
	tree->buckets = buckets;
	tree->buckets_count = count;
}

/** Add a name to a directory, where there is none such. */
static int attach(struct tree *tree, struct node *directory, const char *name, struct node *node) {
	size_t length = strlen(name);
	if (length > NAME_LENGTH) {
		return -ENAMETOOLONG;
	}
	if (directory->nlink == 0) {
		return -ENOENT;
	}
	struct entry *entry = malloc(sizeof(*entry) + length + 1);
	if (!entry) {
		return -ENOMEM;
	}
	if (tree->entries >= tree->buckets_count) {
		grow(tree);
	}
	*entry = (struct entry){ .directory = directory, .node = node, .length = length };
	memcpy(entry->name, name, length + 1);
	*place_of(tree, directory, name) = entry;
	entry->previous = directory->last;
	*(directory->last ? &directory->last->next : &directory->first) = entry;
	directory->last = entry;
	directory->entries++;
	tree->entries++;
	node->nlink++;
	if (S_ISDIR(node->mode)) {
		node->parent = directory;
		directory->nlink++;
	}
	touch(directory, true);
	return 0;
}

/** Take an entry from its directory. The node stays. */
static void detach(struct tree *tree, struct entry *entry) {
	struct node *directory = entry->directory;
	*place_of(tree, directory, entry->name) = entry->chain;
	*(entry->previous ? &entry->previous->next : &directory->first) = entry->next;
	*(entry->next ? &entry->next->previous : &directory->last) = entry->previous;
	directory->entries--;
	tree->entries--;
	entry->node->nlink--;
	if (S_ISDIR(entry->node->mode)) {
		directory->nlink--;
	}
	touch(directory, true);
	touch(entry->node, false);
	free(entry);
}

int tree_make(struct tree *tree, struct node *directory, const char *name, mode_t mode, uid_t uid,
	gid_t gid, struct node **made) {
	if (tree_find(tree, directory, name)) {
		return -EEXIST;
	}
	struct node *node = new_node(tree, mode, uid, gid);
	if (!node) {
		return -ENOMEM;
	}
	int error = attach(tree, directory, name, node);
	if (error) {
		reap(tree, node);
		return error;
	}
	if (S_ISDIR(mode)) {
		node->nlink++;
	}
	*made = node;
	return 0;
}

int tree_link(struct tree *tree, struct node *node, struct node *directory, const char *name) {
	if (tree_find(tree, directory, name)) {
		return -EEXIST;
	}
	int error = attach(tree, directory, name, node);
	if (!error) {
		touch(node, false);
	}
	return error;
}

/** Whether a name can be taken away, and if not, why. */
static int removable(const struct node *node, bool directories) {
	if (S_ISDIR(node->mode) != directories) {
		return directories ? -ENOTDIR : -EISDIR;
	}
	return node->entries ? -ENOTEMPTY : 0;
}

/** Take an entry away, and what it named if that was its last name. */
static void drop(struct tree *tree, struct entry *entry) {
	struct node *node = entry->node;
	detach(tree, entry);
	if (S_ISDIR(node->mode)) {
		node->nlink = 0;
	}
	reap(tree, node);
}

int tree_remove(struct tree *tree, struct node *directory, const char *name, bool directories) {
	struct entry *entry = tree_find(tree, directory, name);
	if (!entry) {
		return -ENOENT;
	}
	int error = removable(entry->node, directories);
	if (!error) {
		drop(tree, entry);
	}
	return error;
}

int tree_rename(struct tree *tree, struct node *from, const char *name, struct node *to,
	const char *new_name, bool keep) {
	struct entry *source = tree_find(tree, from, name);
	struct entry *target = tree_find(tree, to, new_name);
	if (!source) {
		return -ENOENT;
	}
	struct node *node = source->node;
	if (target) {
		if (keep) {
			return -EEXIST;
		}
		if (target->node == node) {
			return 0;
		}
		int error = removable(target->node, S_ISDIR(node->mode));
		if (error) {
			return error;
		}
	}
	if (strlen(new_name) > NAME_LENGTH || to->nlink == 0) {
		return to->nlink ? -ENAMETOOLONG : -ENOENT;
	}
	if (target) {
		drop(tree, target);
	}
	int error = attach(tree, to, new_name, node);
	if (error) {
		return error;
	}
	detach(tree, source);
	touch(node, false);
	return 0;
}

void tree_forget(struct tree *tree, struct node *node, uint64_t lookups) {
	node->lookups -= lookups < node->lookups ? lookups : node->lookups;
	reap(tree, node);
}

/** A byte of a file whose contents are computed: lines of letters. */
static char computed_byte(uint64_t seed, uint64_t offset) {
	return offset % 64 == 63 ? '\n' : (char)('a' + (seed + offset + offset / 64) % 26);
}

size_t tree_read(struct node *node, uint64_t offset, char *buffer, size_t length) {
	if (offset >= node->size) {
		return 0;
	}
	if (length > node->size - offset) {
		length = node->size - offset;
	}
	if (node->computed) {
		for (size_t i = 0; i < length; i++) {
			buffer[i] = computed_byte(node->seed, offset + i);
		}
		return length;
	}
	size_t stored = offset < node->stored ? node->stored - offset : 0;
	if (stored > length) {
		stored = length;
	}
	if (stored) {
		memcpy(buffer, node->bytes + offset, stored);
	}
	memset(buffer + stored, 0, length - stored);
	return length;
}

/** Have room for so many bytes, with zeros from `stored` on. */
static int reserve(struct tree *tree, struct node *node, size_t stored) {
	if (stored <= node->stored) {
		return 0;
	}
	if (stored > node->room) {
		size_t room = stored > node->room * 2 ? stored : node->room * 2;
		char *bytes = realloc(node->bytes, room);
		if (!bytes) {
			return -ENOSPC;
		}
		node->bytes = bytes;
		node->room = room;
	}
	memset(node->bytes + node->stored, 0, stored - node->stored);
	tree->used += stored - node->stored;
	node->stored = stored;
	return 0;
}

/** Store what was computed so far, up to `size` bytes: it is about to change. */
static int settle(struct tree *tree, struct node *node, uint64_t size) {
	if (!node->computed) {
		return 0;
	}
	if (size > node->size) {
		size = node->size;
	}
	if (size > tree->capacity - tree->used) {
		return -ENOSPC;
	}
	int error = reserve(tree, node, size);
	if (!error) {
		tree_read(node, 0, node->bytes, size);
		node->computed = false;
	}
	return error;
}

ssize_t tree_write(struct tree *tree, struct node *node, uint64_t offset, const char *bytes,
	size_t length) {
	int error = settle(tree, node, node->size);
	if (error) {
		return error;
	}
	uint64_t limit = node->stored + (tree->capacity - tree->used);
	if (offset >= limit && length) {
		return -ENOSPC;
	}
	if (length > limit - offset) {
		length = limit - offset;
	}
	error = reserve(tree, node, offset + length);
	if (error) {
		return error;
	}
	if (length) {
		memcpy(node->bytes + offset, bytes, length);
	}
	if (offset + length > node->size) {
		node->size = offset + length;
	}
	touch(node, true);
	return (ssize_t)length;
}

int tree_truncate(struct tree *tree, struct node *node, uint64_t size) {
	int error = settle(tree, node, size);
	if (error) {
		return error;
	}
	if (size < node->stored) {
		tree->used -= node->stored - size;
		node->stored = size;
	}
	node->size = size;
	touch(node, true);
	return 0;
}

int tree_fill(struct tree *tree, size_t directories, size_t files, uint64_t bytes, size_t fan) {
	struct node **made = calloc(directories ? directories : 1, sizeof(*made));
	int error = made ? 0 : -ENOMEM;
	for (size_t d = 0; d < directories && !error; d++) {
		char name[32];
		snprintf(name, sizeof(name), "d%zu", d);
		struct node *above = fan && d ? made[(d - 1) / fan] : tree->root;
		error = tree_make(tree, above, name, S_IFDIR | 0755, 0, 0, &made[d]);
		for (size_t f = 0; f < files && !error; f++) {
			struct node *node;
			snprintf(name, sizeof(name), "f%zu", f);
			error = tree_make(tree, made[d], name, S_IFREG | 0644, 0, 0, &node);
			if (!error) {
				node->computed = true;
				node->seed = d * files + f;
				node->size = bytes;
			}
		}
	}
	free(made);
	return error;
}
