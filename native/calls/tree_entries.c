// Copyright 2026 the ioq authors. MIT license.

/**
 * What of a directory's entries goes into a tree's payload, and in which order.
 *
 * A search wants some of the files: the others would only be copied, decoded and thrown away. So
 * its rules may say which names are wanted. Directories stay in any case, since whoever asked
 * decides which of them are read.
 *
 * A walk in order needs each directory sorted as JavaScript compares strings: by UTF-16 code
 * units. UTF-8 has the same order but for one thing: what takes two units, from U+10000 on, comes
 * before U+E000 to U+FFFF, since surrogates are U+D800 to U+DFFF. Two texts differ first in bytes
 * of the same place in a character, so it is enough to give lead bytes another rank:
 *
 *     lead byte   00 … ED   EE EF                F0 … F4
 *     code point  … U+D7FF  U+E000 … U+FFFF      U+10000 …
 *     rank        00 … ED   F3 F4                EE … F2
 */

#include "calls/calls.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** Bytes of a name that are compared at once. */
#define KEY_LENGTH 8

/** An entry that is to be sorted. */
struct sorted {
	/** The ranks of its name's first bytes, the first one highest. */
	uint64_t key;
	/** Its name. */
	const char *name;
	/** Bytes of that, its NUL included. */
	uint32_t length;
	/** Its DT_* type. */
	uint8_t type;
};

/** Where a byte stands in the order of UTF-16. */
static uint8_t rank(uint8_t byte) {
	return byte < 0xEE || byte > 0xF4 ? byte : byte >= 0xF0 ? byte - 2 : byte + 5;
}

/** Compare entries by name. */
static int compare(const void *left, const void *right) {
	const struct sorted *a = left, *b = right;
	if (a->key != b->key) {
		return a->key < b->key ? -1 : 1;
	}
	if (a->length <= KEY_LENGTH || b->length <= KEY_LENGTH) {
		// With its NUL one of them is all in its key, and so is the other
		return 0;
	}
	const uint8_t *one = (const uint8_t *)a->name + KEY_LENGTH;
	const uint8_t *other = (const uint8_t *)b->name + KEY_LENGTH;
	while (*one && *one == *other) {
		++one, ++other;
	}
	return rank(*one) - rank(*other);
}

bool tree_rule_has(const char *rule, const char *name) {
	const char *text = rule + 1;
	size_t length = strlen(text);
	switch (rule[0]) {
	case IOQ_RULE_IS:
		return strcmp(name, text) == 0;
	case IOQ_RULE_BEGINS:
		return strncmp(name, text, length) == 0;
	case IOQ_RULE_ENDS: {
		size_t all = strlen(name);
		return all >= length && memcmp(name + all - length, text, length) == 0;
	}
	case IOQ_RULE_HAS:
		return strstr(name, text) != NULL;
	default:
		return false;
	}
}

/** Whether what is no directory is wanted: all is, unless there are rules about that. */
static bool is_wanted(const char *rules, const char *name) {
	bool any = true;
	for (const char *rule = rules; *rule; rule += strlen(rule) + 1) {
		if (rule[0] == IOQ_RULE_WANTED) {
			any = false;
			if (tree_rule_has(rule + 1, name)) {
				return true;
			}
		} else if (rule[0] == IOQ_RULE_STOPS && strcmp(rule + 1, name) == 0) {
			return true;
		}
	}
	return any;
}

/** Forget the entries from some on that are not wanted. */
static void select_entries(struct scratch *scratch, const char *rules, size_t name, size_t first) {
	size_t to = name, kept = first;
	for (size_t i = first, at = name; i < scratch->types.length; ++i) {
		const char *text = (const char *)scratch->names.data + at;
		size_t length = strlen(text) + 1;
		uint8_t type = scratch->types.data[i];
		if (type == DT_DIR || is_wanted(rules, text)) {
			memmove(scratch->names.data + to, text, length);
			scratch->types.data[kept++] = type;
			to += length;
		}
		at += length;
	}
	scratch->names.length = to;
	scratch->types.length = kept;
}

/** Sort the entries from some on. Returns 0 or -ENOMEM. */
static int sort_entries(struct scratch *scratch, size_t name, size_t first) {
	size_t count = scratch->types.length - first;
	size_t names_length = scratch->names.length - name;
	size_t room = count * sizeof(struct sorted);
	scratch->order.length = 0;
	int ret = bytes_reserve(&scratch->order, room + names_length);
	if (ret != 0 || count < 2) {
		return ret;
	}
	struct sorted *order = (void *)scratch->order.data;
	const uint8_t *text = scratch->names.data + name;
	bool is_sorted = true;
	for (size_t i = 0; i < count; ++i) {
		size_t length = strlen((const char *)text) + 1;
		uint64_t key = 0;
		for (size_t j = 0; j < KEY_LENGTH; ++j) {
			key = key << 8 | (j < length ? rank(text[j]) : 0);
		}
		order[i] = (struct sorted) {
			.key = key,
			.name = (const char *)text,
			.length = (uint32_t)length,
			.type = scratch->types.data[first + i],
		};
		is_sorted = is_sorted && (i == 0 || compare(&order[i - 1], &order[i]) <= 0);
		text += length;
	}
	if (is_sorted) {
		return 0;
	}
	qsort(order, count, sizeof(*order), compare);

	uint8_t *to = scratch->order.data + room;
	for (size_t i = 0; i < count; ++i) {
		memcpy(to, order[i].name, order[i].length);
		to += order[i].length;
		scratch->types.data[first + i] = order[i].type;
	}
	memcpy(scratch->names.data + name, scratch->order.data + room, names_length);
	return 0;
}

int tree_arrange(const struct tree *tree, size_t name, size_t first) {
	const struct entry *entry = tree->entry;
	if (*entry->path2) {
		select_entries(tree->scratch, entry->path2, name, first);
	}
	return entry->mode & IOQ_TREE_SORT ? sort_entries(tree->scratch, name, first) : 0;
}
