// Copyright 2026 the ioq authors. MIT license.

/**
 * io_uring has no opcode for getdents64(2), so a worker lane reads directories
 * by system calls: a whole one in one request, which saves JavaScript two trips
 * and the entries one copy each.
 *
 * The payload (see ioq_directory) is laid out for its reader: JavaScript decodes
 * all names with one call and splits them at their NULs, which is several times
 * cheaper than a call per name. Names are bytes, though: if any of them is not
 * UTF-8 the block says so, and the reader takes the slow way.
 */

#include "calls/calls.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/** Bytes that one getdents64(2) may fill: what a big directory needs few of. */
#define BLOCK_LENGTH 65536
/** Bytes of names of one directory at the most; beyond, EOVERFLOW. */
#define NAMES_MAX ((size_t)1 << 30)
/** A buffer that has grown beyond this is not kept for the next directory. */
#define KEEP_MAX ((size_t)1 << 20)

/** What getdents64(2) writes. */
struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

int bytes_reserve(struct bytes *bytes, size_t more) {
	size_t needed = bytes->length + more;
	if (bytes->data && needed <= bytes->capacity) {
		return 0;
	}
	size_t capacity = bytes->capacity ? bytes->capacity : 4096;
	while (capacity < needed) {
		capacity *= 2;
	}
	uint8_t *data = realloc(bytes->data, capacity);
	if (!data) {
		return -ENOMEM;
	}
	bytes->data = data;
	bytes->capacity = capacity;
	return 0;
}

void bytes_reset(struct bytes *bytes) {
	bytes->length = 0;
	if (bytes->capacity > KEEP_MAX) {
		free(bytes->data);
		bytes->data = NULL;
		bytes->capacity = 0;
	}
}

void scratch_release(struct scratch *scratch) {
	free(scratch->block);
	free(scratch->names.data);
	free(scratch->types.data);
	free(scratch->directories.data);
	free(scratch->stats.data);
	free(scratch->order.data);
	free(scratch->path.data);
	free(scratch->lines.data);
	free(scratch->links.data);
	free(scratch->errors.data);
	free(scratch->error_paths.data);
	free(scratch->left.data);
}

bool directory_is_utf8(const uint8_t *bytes, size_t length) {
	size_t i = 0;
	while (i < length) {
		// Eight at a time while they are ASCII, as nearly all names are
		uint64_t word;
		if (i + sizeof(word) <= length) {
			memcpy(&word, bytes + i, sizeof(word));
			if (!(word & 0x8080808080808080u)) {
				i += sizeof(word);
				continue;
			}
		}

		uint8_t lead = bytes[i++];
		if (lead < 0x80) {
			continue;
		}
		// The range of the second byte excludes overlong forms, surrogates and
		// what lies beyond U+10FFFF
		uint8_t low = 0x80, high = 0xBF;
		unsigned int rest;
		if (lead >= 0xC2 && lead <= 0xDF) {
			rest = 1;
		} else if (lead >= 0xE0 && lead <= 0xEF) {
			rest = 2;
			low = lead == 0xE0 ? 0xA0 : low;
			high = lead == 0xED ? 0x9F : high;
		} else if (lead >= 0xF0 && lead <= 0xF4) {
			rest = 3;
			low = lead == 0xF0 ? 0x90 : low;
			high = lead == 0xF4 ? 0x8F : high;
		} else {
			return false;
		}
		for (; rest > 0; --rest, ++i) {
			if (i >= length || bytes[i] < low || bytes[i] > high) {
				return false;
			}
			low = 0x80;
			high = 0xBF;
		}
	}
	return true;
}

/** The type of an entry whose file system does not say (DT_UNKNOWN). */
static uint8_t look_up_type(int dfd, const char *name) {
	struct stat sb;
	if (fstatat(dfd, name, &sb, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
		return DT_UNKNOWN;
	}
	return IFTODT(sb.st_mode);
}

/** Whether a name is "." or "..". */
static bool is_dots(const char *name) {
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

long directory_append(int dfd, struct scratch *scratch) {
	if (!scratch->block) {
		scratch->block = malloc(BLOCK_LENGTH);
		if (!scratch->block) {
			return -ENOMEM;
		}
	}

	long length = syscall(SYS_getdents64, dfd, scratch->block, BLOCK_LENGTH);
	if (length < 0) {
		return -errno;
	}
	// No name is longer than its record, nor are there more types than names
	int ret = bytes_reserve(&scratch->names, (size_t)length);
	if (ret == 0) {
		ret = bytes_reserve(&scratch->types, (size_t)length / sizeof(struct linux_dirent64));
	}
	if (ret != 0) {
		return ret;
	}

	for (long i = 0; i < length;) {
		const struct linux_dirent64 *de = (const void *)(scratch->block + i);
		i += de->d_reclen;
		if (is_dots(de->d_name)) {
			continue;
		}
		size_t name_length = strlen(de->d_name) + 1;
		memcpy(scratch->names.data + scratch->names.length, de->d_name, name_length);
		scratch->names.length += name_length;
		uint8_t type = de->d_type == DT_UNKNOWN ? look_up_type(dfd, de->d_name) : de->d_type;
		scratch->types.data[scratch->types.length++] = type;
	}
	return scratch->names.length > NAMES_MAX ? -EOVERFLOW : length;
}

/** Make the payload of what was appended. */
static int pack(struct entry *entry, struct scratch *scratch, uint32_t flags) {
	size_t count = scratch->types.length;
	// The last NUL separates nothing
	size_t names_length = scratch->names.length - (count > 0);
	struct ioq_directory head = {
		.count = (uint32_t)count,
		.names_length = (uint32_t)names_length,
		.flags = flags,
	};

	uint8_t *payload = malloc(sizeof(head) + names_length + count);
	if (!payload) {
		return -ENOMEM;
	}
	if (count > 0) {
		if (!directory_is_utf8(scratch->names.data, names_length)) {
			head.flags |= IOQ_DIRECTORY_RAW;
		}
		memcpy(payload + sizeof(head), scratch->names.data, names_length);
		memcpy(payload + sizeof(head) + names_length, scratch->types.data, count);
	}
	memcpy(payload, &head, sizeof(head));
	entry->payload = payload;
	entry->payload_length = sizeof(head) + names_length + count;
	return (int)count;
}

/** Read blocks until the end, or just one. */
static int read_blocks(struct entry *entry, int dfd, struct scratch *scratch, bool all) {
	bytes_reset(&scratch->names);
	bytes_reset(&scratch->types);
	long ret;
	do {
		if (entry_is_cancelled(entry)) {
			return -EINTR;
		}
		ret = directory_append(dfd, scratch);
		if (ret < 0) {
			return (int)ret;
		}
	} while (ret > 0 && (all || scratch->types.length == 0));
	return pack(entry, scratch, ret == 0 ? IOQ_DIRECTORY_END : 0);
}

void directory_read(struct entry *entry, struct scratch *scratch) {
	int dfd = openat(entry->fd, entry->path, entry_open_flags(entry));
	if (dfd < 0) {
		entry->result = -errno;
		return;
	}
	entry->result = read_blocks(entry, dfd, scratch, true);
	close(dfd);
}

void directory_read_block(struct entry *entry, struct scratch *scratch) {
	entry->result = read_blocks(entry, entry->fd, scratch, false);
}
