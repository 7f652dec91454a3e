// Copyright 2026 the ioq authors. MIT license.

#include "weather.h"
#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const KIND_NAMES[KINDS] = {
	[FUSE_LOOKUP] = "lookup",
	[FUSE_GETATTR] = "getattr",
	[FUSE_SETATTR] = "setattr",
	[FUSE_READLINK] = "readlink",
	[FUSE_SYMLINK] = "symlink",
	[FUSE_MKNOD] = "mknod",
	[FUSE_MKDIR] = "mkdir",
	[FUSE_UNLINK] = "unlink",
	[FUSE_RMDIR] = "rmdir",
	[FUSE_RENAME] = "rename",
	[FUSE_LINK] = "link",
	[FUSE_OPEN] = "open",
	[FUSE_READ] = "read",
	[FUSE_WRITE] = "write",
	[FUSE_STATFS] = "statfs",
	[FUSE_RELEASE] = "release",
	[FUSE_FSYNC] = "fsync",
	[FUSE_FLUSH] = "flush",
	[FUSE_OPENDIR] = "opendir",
	[FUSE_READDIR] = "readdir",
	[FUSE_RELEASEDIR] = "releasedir",
	[FUSE_FSYNCDIR] = "fsyncdir",
	[FUSE_CREATE] = "create",
	[FUSE_FALLOCATE] = "fallocate",
};

static const struct {
	const char *name;
	int number;
} ERRORS[] = {
	{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EINTR", EINTR }, { "EAGAIN", EAGAIN },
	{ "EACCES", EACCES }, { "EPERM", EPERM }, { "ENOENT", ENOENT }, { "ESTALE", ESTALE },
	{ "EDQUOT", EDQUOT }, { "EROFS", EROFS }, { "EBUSY", EBUSY }, { "ENOSYS", ENOSYS },
	{ "EINVAL", EINVAL }, { "ENOMEM", ENOMEM }, { "EMFILE", EMFILE }, { "ENFILE", ENFILE },
	{ "EFBIG", EFBIG }, { "ELOOP", ELOOP }, { "EXDEV", EXDEV }, { "ETXTBSY", ETXTBSY },
	{ "EOPNOTSUPP", EOPNOTSUPP }, { "ETIMEDOUT", ETIMEDOUT }, { "ENOTEMPTY", ENOTEMPTY },
	{ "EEXIST", EEXIST }, { "ENODATA", ENODATA },
};

void weather_init(struct weather *weather) {
	memset(weather, 0, sizeof(*weather));
	weather->capacity = 1 << 30;
	weather->inode_base = 1;
}

/** The opcode of a name, or 0. */
static uint32_t kind_of(const char *name) {
	for (uint32_t kind = 1; kind < KINDS; kind++) {
		if (KIND_NAMES[kind] && strcmp(KIND_NAMES[kind], name) == 0) {
			return kind;
		}
	}
	return 0;
}

/** The number of an error's name, or 0. */
static int error_of(const char *name) {
	for (size_t i = 0; i < sizeof(ERRORS) / sizeof(*ERRORS); i++) {
		if (strcmp(ERRORS[i].name, name) == 0) {
			return ERRORS[i].number;
		}
	}
	return 0;
}

bool weather_tell(struct weather *weather, const char *text) {
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {
		{ "servers", &weather->servers },
		{ "cache", &weather->cache_ms },
		{ "page_cache", &weather->page_cache },
		{ "direct_io", &weather->direct_io },
		{ "tell_zero", &weather->tell_zero },
		{ "no_flush", &weather->no_flush },
		{ "readdirplus", &weather->readdirplus },
		{ "capacity", &weather->capacity },
		{ "inode_base", &weather->inode_base },
		{ "directories", &weather->directories },
		{ "files", &weather->files },
		{ "bytes", &weather->bytes },
		{ "fan", &weather->fan },
	};
	char name[32], error[32];
	unsigned long long first, second = 1;
	uint32_t kind;
	if (sscanf(text, "latency=%31[a-z]:%llu", name, &first) == 2 && (kind = kind_of(name))) {
		weather->latency[kind] = first * 1000;
		return true;
	}
	if (sscanf(text, "short=%31[a-z]:%llu:%llu", name, &first, &second) >= 2
		&& (kind = kind_of(name)) && second) {
		weather->shortages[kind] = (struct shortage){ .bytes = first, .every = second };
		return true;
	}
	if (sscanf(text, "fault=%31[a-z]:%llu:%31[A-Z]:%llu", name, &first, error, &second) >= 3
		&& (kind = kind_of(name)) && error_of(error) && weather->faults_count < FAULTS) {
		weather->faults[weather->faults_count++] = (struct fault){
			.kind = kind, .nth = first, .count = second, .error = error_of(error) };
		return true;
	}
	if (strcmp(text, "reset=1") == 0) {
		weather->faults_count = 0;
		memset(weather->shortages, 0, sizeof(weather->shortages));
		memset(weather->counts, 0, sizeof(weather->counts));
		memset(weather->failed, 0, sizeof(weather->failed));
		return true;
	}
	if (sscanf(text, "%31[a-z_]=%llu", name, &first) == 2) {
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
			if (strcmp(numbers[i].name, name) == 0) {
				*numbers[i].number = first;
				return true;
			}
		}
	}
	return false;
}

int weather_request(struct weather *weather, uint32_t kind) {
	if (kind >= KINDS) {
		return 0;
	}
	weather->counts[kind]++;
	int error = 0;
	for (size_t i = 0; i < weather->faults_count; i++) {
		struct fault *fault = &weather->faults[i];
		if (fault->kind == kind && ++fault->seen >= fault->nth
			&& fault->seen - fault->nth < fault->count && !error) {
			error = -fault->error;
			weather->failed[kind]++;
		}
	}
	return error;
}

size_t weather_transfer(struct weather *weather, uint32_t kind, size_t length) {
	struct shortage *shortage = &weather->shortages[kind];
	if (shortage->every && ++shortage->seen % shortage->every == 0 && shortage->bytes < length) {
		return shortage->bytes;
	}
	return length;
}

size_t weather_report(const struct weather *weather, char *buffer, size_t size) {
	size_t length = 0;
	for (uint32_t kind = 1; kind < KINDS && length < size; kind++) {
		if (KIND_NAMES[kind]) {
			length += (size_t)snprintf(buffer + length, size - length, "%s %llu %llu\n",
				KIND_NAMES[kind], (unsigned long long)weather->counts[kind],
				(unsigned long long)weather->failed[kind]);
		}
	}
	return length < size ? length : size;
}
