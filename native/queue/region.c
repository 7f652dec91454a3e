// Copyright 2026 the ioq authors. MIT license.

#include "queue/region.h"

#include <stdlib.h>
#include <sys/mman.h>

struct region *region_make(struct region **regions, uint32_t length) {
	if (!*regions) {
		*regions = calloc(REGIONS_MAX, sizeof(**regions));
	}
	for (uint32_t i = 0; *regions && i < REGIONS_MAX; ++i) {
		struct region *region = &(*regions)[i];
		if (region->memory) {
			continue;
		}
		void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED) {
			return NULL;
		}
		*region = (struct region) {.memory = memory, .length = length, .index = (uint16_t)i};
		return region;
	}
	return NULL;
}

struct region *region_at(struct region *regions, uint32_t index) {
	struct region *region = regions && index < REGIONS_MAX ? &regions[index] : NULL;
	return region && region->memory && !region->released ? region : NULL;
}

/** Free a region if nobody has to do with it any more. */
static void region_settle(struct region *region) {
	if (region->memory && region->released && region->uses == 0) {
		munmap(region->memory, region->length);
		region->memory = NULL;
	}
}

void region_give_back(struct region *region) {
	region->released = true;
	region_settle(region);
}

void region_pin(struct region *region) {
	++region->uses;
}

void region_unpin(struct region *region) {
	--region->uses;
	region_settle(region);
}

void regions_free(struct region *regions) {
	for (uint32_t i = 0; regions && i < REGIONS_MAX; ++i) {
		region_give_back(&regions[i]);
	}
	free(regions);
}
