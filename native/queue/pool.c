// Copyright 2026 the ioq authors. MIT license.

#include "queue/pool.h"

#include <stdlib.h>

/** Bytes of the smallest size class, and where buffers begin. */
#define PAGE_LENGTH ((size_t)4096)
/** Bytes of unused buffers to keep, at the most. */
#define KEPT_LENGTH_MAX ((size_t)16 << 20)

/** The smallest class for a length; IOQ_POOL_CLASSES if there is none. */
static unsigned int class_of(size_t length) {
	unsigned int class = 0;
	while (class < IOQ_POOL_CLASSES && PAGE_LENGTH << class < length) {
		++class;
	}
	return class;
}

void *ioq_pool_take(struct ioq_pool *pool, size_t length) {
	unsigned int class = class_of(length);
	if (class == IOQ_POOL_CLASSES) {
		// aligned_alloc(3) wants whole multiples
		return aligned_alloc(PAGE_LENGTH, (length + PAGE_LENGTH - 1) & ~(PAGE_LENGTH - 1));
	}
	struct ioq_pool_buffer *buffer = pool->unused[class];
	if (!buffer) {
		return aligned_alloc(PAGE_LENGTH, PAGE_LENGTH << class);
	}
	pool->unused[class] = buffer->next;
	pool->unused_length -= PAGE_LENGTH << class;
	return buffer;
}

void ioq_pool_give(struct ioq_pool *pool, void *buffer, size_t length) {
	unsigned int class = class_of(length);
	if (!buffer || class == IOQ_POOL_CLASSES
			|| pool->unused_length + (PAGE_LENGTH << class) > KEPT_LENGTH_MAX) {
		free(buffer);
		return;
	}
	struct ioq_pool_buffer *unused = buffer;
	unused->next = pool->unused[class];
	pool->unused[class] = unused;
	pool->unused_length += PAGE_LENGTH << class;
}

void ioq_pool_drain(struct ioq_pool *pool) {
	for (unsigned int class = 0; class < IOQ_POOL_CLASSES; ++class) {
		struct ioq_pool_buffer *buffer = pool->unused[class];
		while (buffer) {
			struct ioq_pool_buffer *next = buffer->next;
			free(buffer);
			buffer = next;
		}
		pool->unused[class] = NULL;
	}
	pool->unused_length = 0;
}
