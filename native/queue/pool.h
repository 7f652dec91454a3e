// Copyright 2026 the ioq authors. MIT license.

/**
 * Buffers for what is read and written, kept for the next transfer.
 *
 * A cached read of a page takes the kernel about half a microsecond, and getting
 * memory for it can take as long: malloc(3) has no quick list for blocks of that
 * size. Here the last one that was given back is the next one to be taken, so it
 * is also still in the processor's cache.
 *
 * All begin at a page, as transfers past the page cache (O_DIRECT) demand.
 *
 * The owner's thread alone takes and gives back. Lanes only use what an entry has.
 */

#ifndef IOQ_POOL_H
#define IOQ_POOL_H

#include <stddef.h>
#include <stdint.h>

/** Sizes of kept buffers: 4 KiB, 8 KiB, … 1 MiB. Larger ones are not kept. */
#define POOL_CLASSES 9

/** A buffer that nobody uses; in its own first bytes. */
struct pool_buffer {
	/** The one that was given back before it. */
	struct pool_buffer *next;
};

struct pool {
	/** By size class: the buffers that nobody uses. */
	struct pool_buffer *unused[POOL_CLASSES];
	/** Bytes of all of them. */
	size_t unused_length;
};

/**
 * Take a buffer.
 *
 * @return It, or NULL. It may also be released by free(3).
 */
void *pool_take(struct pool *pool, size_t length);

/** Give a buffer back that was taken for `length`. NULL is fine. */
void pool_give(struct pool *pool, void *buffer, size_t length);

/** Release all buffers that nobody uses. */
void pool_drain(struct pool *pool);

#endif // IOQ_POOL_H
