// Copyright 2026 the ioq authors. MIT license.

#include "queue/pool.h"

#include <stdlib.h>

/** Bytes of the smallest size class, and where buffers begin. */
#define PAGE_LENGTH ((size_t)4096)
/** Bytes of unused buffers to keep, at the most. */
#define KEPT_LENGTH_MAX ((size_t)16 << 20)

/** The smallest class for a length; POOL_CLASSES if there is none. */
static unsigned int class_of(size_t length) {
	unsigned int class = 0;
	while (class < POOL_CLASSES && PAGE_LENGTH << class < length) {
		++class;
	}
	return class;
}

void *pool_take(struct pool *pool, size_t length) {
	unsigned int class = class_of(length);
	if (class == POOL_CLASSES) {
		// aligned_alloc(3) wants whole multiples
		return aligned_alloc(PAGE_LENGTH, (length + PAGE_LENGTH - 1) & ~(PAGE_LENGTH - 1));
	}
	struct pool_buffer *buffer = pool->unused[class];
	if (!buffer) {
		return aligned_alloc(PAGE_LENGTH, PAGE_LENGTH << class);
	}
	pool->unused[class] = buffer->next;
	pool->unused_length -= PAGE_LENGTH << class;
	return buffer;
}

void pool_give(struct pool *pool, void *buffer, size_t length) {
	unsigned int class = class_of(length);
	if (!buffer || class == POOL_CLASSES
			|| pool->unused_length + (PAGE_LENGTH << class) > KEPT_LENGTH_MAX) {
		free(buffer);
		return;
	}
	struct pool_buffer *unused = buffer;
	unused->next = pool->unused[class];
	pool->unused[class] = unused;
	pool->unused_length += PAGE_LENGTH << class;
}

void pool_drain(struct pool *pool) {
	for (unsigned int class = 0; class < POOL_CLASSES; ++class) {
		struct pool_buffer *buffer = pool->unused[class];
		while (buffer) {
			struct pool_buffer *next = buffer->next;
			free(buffer);
			buffer = next;
		}
		pool->unused[class] = NULL;
	}
	pool->unused_length = 0;
}
