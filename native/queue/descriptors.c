// Copyright 2026 the ioq authors. MIT license.

/**
 * Descriptors and their owners
 * ============================
 *
 * A JavaScript Worker may be terminated with files open, and nobody else knows their
 * numbers. So each descriptor that a queue has opened is in a table of the process, with
 * the queue that is to close it should its thread end:
 *
 *     OPEN completes ──▶ owner ─┬─ any queue takes a CLOSE ──▶ nobody ──▶ closed by that
 *                               └─ the owner's thread ends ──▶ nobody ──▶ closed by us
 *
 * A number may be another file as soon as it was closed, and there is no way to tell. So
 * it is taken out of the table before it is closed, by one atomic operation, and whoever
 * took it out is the only one to close it. Owners are never the same twice, so what an
 * owner has left behind that was closed in good order is nobody's.
 *
 * JavaScript Workers that run requests for another thread (lanes/caller.h) open for that
 * thread's queue. When it has ended, they begin nothing for it any more: the numbers in
 * its requests may be anything.
 *
 *     owner ends:  dead ──▶ wait for what they are at ──▶ look through the table
 *     open:        table ──▶ dead?  take it out again, and close it
 */

#include "queue/descriptors.h"

#include "calls/calls.h"

#include <stdatomic.h>
#include <unistd.h>

/** Owners at the same time. */
#define OWNERS_MAX 1024
/** Numbers that the table has room for: what has a larger one is not kept. */
#define TABLE_LENGTH (1 << 18)

/** Set beside the owner of a descriptor: it is a temporary file's. */
#define TEMPORARY 1

/** By number: the owner, shifted to the left by one bit, and TEMPORARY. Most of it is never touched. */
static _Atomic(uint64_t) table[TABLE_LENGTH];
/** What all numbers in there are below. */
static atomic_int table_end;
/** Those that live: each at its number modulo OWNERS_MAX. */
static _Atomic(owner_id) owners[OWNERS_MAX];
/** The last number that was given. */
static _Atomic(owner_id) last_owner;

owner_id owner_begin(void) {
	for (int tries = 0; tries < OWNERS_MAX; ++tries) {
		owner_id owner = atomic_fetch_add(&last_owner, 1) + 1;
		owner_id nobody = 0;
		if (owner != 0 && atomic_compare_exchange_strong(&owners[owner % OWNERS_MAX], &nobody, owner)) {
			return owner;
		}
	}
	return 0;
}

bool owner_lives(owner_id owner) {
	return atomic_load(&owners[owner % OWNERS_MAX]) == owner;
}

void owner_end(owner_id owner) {
	owner_id same = owner;
	if (owner != 0) {
		atomic_compare_exchange_strong(&owners[owner % OWNERS_MAX], &same, 0);
	}
}

/** Whether a number has a place in the table. */
static bool is_kept(int fd) {
	return fd >= 0 && fd < TABLE_LENGTH;
}

bool descriptor_own(int fd, owner_id owner, bool temporary) {
	if (owner == 0 || !is_kept(fd)) {
		return true;
	}
	int end = atomic_load(&table_end);
	while (fd >= end && !atomic_compare_exchange_weak(&table_end, &end, fd + 1)) {
		// Somebody else has moved it
	}
	uint64_t owned = (uint64_t)owner << 1 | (temporary ? TEMPORARY : 0);
	atomic_store(&table[fd], owned);
	// Those who look through the table have let us die first
	return owner_lives(owner) || !atomic_compare_exchange_strong(&table[fd], &owned, 0);
}

void descriptor_settle(int fd) {
	if (is_kept(fd)) {
		atomic_fetch_and(&table[fd], ~(uint64_t)TEMPORARY);
	}
}

bool descriptor_disown(int fd, owner_id owner) {
	uint64_t owned = is_kept(fd) ? atomic_exchange(&table[fd], 0) : 0;
	// What was never in there is closed as well, as long as nobody else can have done it
	return owner == 0 || owned >> 1 == owner || owner_lives(owner);
}

void descriptors_close(owner_id owner, descriptor_is_used *is_used, void *arg) {
	int end = owner != 0 ? atomic_load(&table_end) : 0;
	for (int fd = 0; fd < end; ++fd) {
		uint64_t owned = atomic_load(&table[fd]);
		if (owned >> 1 != owner || is_used(fd, arg)
				|| !atomic_compare_exchange_strong(&table[fd], &owned, 0)) {
			continue;
		}
		if (owned & TEMPORARY) {
			replace_unlink(fd);
		}
		close(fd);
	}
}
