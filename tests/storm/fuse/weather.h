// Copyright 2026 the ioq authors. MIT license.

/**
 * What the file system is told to be like: how late it answers, what it caches, and
 * which requests fail or fall short. It is told by arguments, and by what is written
 * to its control file while it is mounted, a `key=value` each:
 *
 *     latency=KIND:MICROSECONDS     answers come so late
 *     fault=KIND:NTH:ERROR[:COUNT]  from the NTH request on, COUNT of them fail
 *     short=KIND:BYTES[:EVERY]      each EVERY-th read or write moves so much at most
 *     servers=N                     at most N requests are worked at at a time
 *     cache=MILLISECONDS            how long the kernel may keep names and attributes
 *     page_cache=0|1                whether contents stay cached between opens
 *     direct_io=0|1                 whether reads and writes go past the page cache
 *     tell_zero=0|1                 stat tells 0 as every file's length
 *     no_flush=0|1                  close does not wait for an answer
 *     readdirplus=0|1               listings bring attributes (at the start only)
 *     capacity=BYTES                how much can be stored
 *     inode_base=NUMBER             the first inode number (at the start only)
 *     directories=N files=N bytes=N fan=N   the tree (at the start only)
 *     reset=1                       forget faults, short transfers, and counts
 *
 * KIND is the name of a request: `lookup`, `getattr`, `read`, and so on.
 */

#ifndef STORM_WEATHER_H
#define STORM_WEATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The greatest opcode that has a name here. */
#define KINDS 64
/** How many faults can be told. */
#define FAULTS 64

/** Requests that fail. */
struct fault {
	/** Their opcode. */
	uint32_t kind;
	/** The first that fails, from 1 on. */
	uint64_t nth;
	/** How many. */
	uint64_t count;
	/** How many such requests there have been. */
	uint64_t seen;
	/** With what. */
	int error;
};

/** Transfers that fall short. */
struct shortage {
	/** How many bytes at most; 0 for no limit. */
	uint64_t bytes;
	/** Each how many-th. */
	uint64_t every;
	/** How many there have been. */
	uint64_t seen;
};

/** All of it. */
struct weather {
	/** By opcode, in nanoseconds. */
	uint64_t latency[KINDS];
	/** By opcode: how many requests. */
	uint64_t counts[KINDS];
	/** By opcode: how many failed because of a fault. */
	uint64_t failed[KINDS];
	/** By opcode. */
	struct shortage shortages[KINDS];
	/** The faults. */
	struct fault faults[FAULTS];
	/** How many of them. */
	size_t faults_count;
	/** How many requests are worked at at a time; 0 for no limit. */
	uint64_t servers;
	/** See above. */
	uint64_t cache_ms, page_cache, direct_io, tell_zero, no_flush, readdirplus;
	/** See above. */
	uint64_t capacity, inode_base, directories, files, bytes, fan;
};

/** Calm: no latency, no faults. */
void weather_init(struct weather *weather);

/** Take in a `key=value`: whether it could be understood. */
bool weather_tell(struct weather *weather, const char *text);

/** Count a request: 0, or the error that it is to fail with. */
int weather_request(struct weather *weather, uint32_t kind);

/** How many bytes of a transfer are to be done. */
size_t weather_transfer(struct weather *weather, uint32_t kind, size_t length);

/** Write the counts, a line each, into a buffer: how long they are. */
size_t weather_report(const struct weather *weather, char *buffer, size_t size);

#endif
