// Copyright 2026 the ioq authors. MIT license.

/**
 * A library that passes every call on to the real one (IOQ_RECORDED in the
 * environment) and records those that log.h has, in a file for each queue in the
 * directory IOQ_RECORDS. For tests: see tests/trust/record.ts.
 */

#include "log.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Queues at once, at the most; those beyond are not recorded. */
#define QUEUES_MAX 256

/** The files of the queues that are open. */
static struct {
	_Atomic(struct ioq *) ioq;
	FILE *file;
} logs[QUEUES_MAX];

/** The real function of a name. */
static void *real(const char *name) {
	static _Atomic(void *) library;
	void *handle = atomic_load(&library);
	if (!handle) {
		const char *path = getenv("IOQ_RECORDED");
		handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
		if (!handle) {
			fprintf(stderr, "record: %s\n", path ? dlerror() : "IOQ_RECORDED is not set");
			abort();
		}
		atomic_store(&library, handle);
	}
	return dlsym(handle, name);
}

/** The file of a queue, or NULL. */
static FILE *log_of(struct ioq *ioq) {
	for (int i = 0; i < QUEUES_MAX; ++i) {
		if (atomic_load_explicit(&logs[i].ioq, memory_order_acquire) == ioq) {
			return logs[i].file;
		}
	}
	return NULL;
}

/** Record a call. */
static FILE *put(struct ioq *ioq, struct log_entry entry) {
	FILE *file = log_of(ioq);
	if (file) {
		fwrite(&entry, sizeof(entry), 1, file);
	}
	return file;
}

#define REAL(name) ((__typeof__(name) *)real(#name))

uint32_t ioq_abi_version(void) {
	return REAL(ioq_abi_version)();
}

struct ioq *ioq_open(const struct ioq_options *options, struct ioq_info *info) {
	struct ioq *ioq = REAL(ioq_open)(options, info);
	for (int i = 0; ioq && i < QUEUES_MAX; ++i) {
		struct ioq *none = NULL;
		// Anything but a queue, until the file is there
		if (atomic_compare_exchange_strong(&logs[i].ioq, &none, (struct ioq *)&logs[i])) {
			char path[4096];
			// We may be unloaded and loaded again: a counter would not do
			snprintf(path, sizeof(path), "%s/%d-XXXXXX", getenv("IOQ_RECORDS"), (int)getpid());
			int fd = mkostemp(path, O_CLOEXEC);
			logs[i].file = fd >= 0 ? fdopen(fd, "w") : NULL;
			if (logs[i].file) {
				struct log_entry entry = {.call = LOG_OPEN};
				fwrite(&entry, sizeof(entry), 1, logs[i].file);
				fwrite(options, sizeof(*options), 1, logs[i].file);
			}
			atomic_store_explicit(&logs[i].ioq, ioq, memory_order_release);
			break;
		}
	}
	return ioq;
}

int32_t ioq_turn(struct ioq *ioq, struct ioq_turn *turn, const uint8_t *input, uint8_t *output) {
	if (turn->request_count <= IOQ_TURN_REQUESTS) {
		FILE *file = put(ioq, (struct log_entry) {LOG_TURN, turn->flags, turn->request_count, turn->input_length});
		if (file) {
			fwrite(turn->requests, sizeof(turn->requests[0]), turn->request_count, file);
			fwrite(input, 1, turn->input_length, file);
		}
	}
	return REAL(ioq_turn)(ioq, turn, input, output);
}

int32_t ioq_stage(struct ioq *ioq, uint32_t slot, const uint8_t *bytes, uint32_t length) {
	put(ioq, (struct log_entry) {LOG_STAGE, slot, length, 0});
	return REAL(ioq_stage)(ioq, slot, bytes, length);
}

int32_t ioq_stage_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint32_t total, const uint8_t *bytes, uint32_t length) {
	if (at == 0) {
		put(ioq, (struct log_entry) {LOG_STAGE, slot, total, 0});
	}
	return REAL(ioq_stage_part)(ioq, slot, at, total, bytes, length);
}

int32_t ioq_take(struct ioq *ioq, uint32_t slot, uint8_t *bytes, uint32_t length) {
	put(ioq, (struct log_entry) {LOG_TAKE, slot, length, 0});
	return REAL(ioq_take)(ioq, slot, bytes, length);
}

int32_t ioq_take_part(struct ioq *ioq, uint32_t slot, uint32_t at, uint8_t *bytes, uint32_t length) {
	return REAL(ioq_take_part)(ioq, slot, at, bytes, length);
}

int32_t ioq_release(struct ioq *ioq, uint32_t slot) {
	put(ioq, (struct log_entry) {LOG_RELEASE, slot, 0, 0});
	return REAL(ioq_release)(ioq, slot);
}

int32_t ioq_cancel(struct ioq *ioq, uint32_t slot) {
	put(ioq, (struct log_entry) {LOG_CANCEL, slot, 0, 0});
	return REAL(ioq_cancel)(ioq, slot);
}

void ioq_cancel_all(struct ioq *ioq) {
	put(ioq, (struct log_entry) {.call = LOG_CANCEL_ALL});
	REAL(ioq_cancel_all)(ioq);
}

int32_t ioq_park(struct ioq *ioq) {
	return REAL(ioq_park)(ioq);
}

void ioq_wake(struct ioq *ioq) {
	REAL(ioq_wake)(ioq);
}

uint32_t ioq_id(struct ioq *ioq) {
	return REAL(ioq_id)(ioq);
}

void *ioq_allocate(struct ioq *ioq, uint32_t length, uint32_t *index) {
	return REAL(ioq_allocate)(ioq, length, index);
}

int32_t ioq_deallocate(struct ioq *ioq, uint32_t index) {
	return REAL(ioq_deallocate)(ioq, index);
}

int32_t ioq_resize(struct ioq *ioq, uint32_t depth) {
	return REAL(ioq_resize)(ioq, depth);
}

void ioq_now(uint32_t clock, uint32_t *words) {
	REAL(ioq_now)(clock, words);
}

int32_t ioq_close(struct ioq *ioq) {
	// Before another thread's queue gets the same address
	FILE *file = NULL;
	int at = 0;
	for (; at < QUEUES_MAX && !file; ++at) {
		if (atomic_load(&logs[at].ioq) == ioq) {
			file = logs[at].file;
			atomic_store(&logs[at].ioq, (struct ioq *)&logs[at]);
		}
	}
	int32_t ret = REAL(ioq_close)(ioq);
	if (file && ret == 0) {
		struct log_entry entry = {.call = LOG_CLOSE};
		fwrite(&entry, sizeof(entry), 1, file);
		fclose(file);
		atomic_store(&logs[at - 1].ioq, NULL);
	} else if (file) {
		atomic_store(&logs[at - 1].ioq, ioq);
	}
	return ret;
}
