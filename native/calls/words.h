// Copyright 2026 the ioq authors. MIT license.

/** 64-bit numbers as two words of a record, `name_low` and `name_high`. */

#ifndef IOQ_WORDS_H
#define IOQ_WORDS_H

#include <stdint.h>

/** Split a number into two words of a record. */
#define SPLIT(record, field, value) \
	do { \
		(record)->field##_low = (uint32_t)(uint64_t)(value); \
		(record)->field##_high = (uint32_t)((uint64_t)(value) >> 32); \
	} while (0)

/** Join them. */
#define JOIN(record, field) ((uint64_t)(record)->field##_high << 32 | (record)->field##_low)

#endif // IOQ_WORDS_H
