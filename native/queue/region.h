// Copyright 2026 the ioq authors. MIT license.

/**
 * Memory that JavaScript sees, and that transfers go straight to and from.
 *
 * The one exception to the rule that nobody but the library touches what the kernel
 * works on: it takes unrestricted FFI to get hold of it. It is freed when it was
 * given back and no request has to do with it any more.
 */

#ifndef IOQ_REGION_H
#define IOQ_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Regions of one queue, at the most. */
#define REGIONS_MAX 1024

struct region {
	/** Where it is, or NULL: there is no region. */
	uint8_t *memory;
	/** Its bytes. */
	size_t length;
	/** Requests that have to do with it. */
	uint32_t uses;
	/** Whether JavaScript gave it back. */
	bool released;
	/** Whether the caller's ring knows it, by its index. */
	bool registered;
	/** Its place among the others. */
	uint16_t index;
};

/**
 * Make a region.
 *
 * @param regions
 *         REGIONS_MAX of them, or NULL before the first one.
 * @return It, or NULL: there is no memory, or there are too many.
 */
struct region *region_make(struct region **regions, uint32_t length);

/** The region of an index that JavaScript still has, or NULL. `regions` may be NULL. */
struct region *region_at(struct region *regions, uint32_t index);

/** JavaScript gives it back. */
void region_give_back(struct region *region);

/** A request has to do with it, until region_unpin(). */
void region_pin(struct region *region);

/** That request is over. */
void region_unpin(struct region *region);

/**
 * Release all of them, but for those that a ring died with, which the kernel may
 * still write to. NULL is fine.
 */
void regions_free(struct region *regions);

#endif // IOQ_REGION_H
