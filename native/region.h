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
#define IOQ_REGIONS_MAX 1024

struct ioq_region {
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

#endif // IOQ_REGION_H
