// Copyright 2026 the ioq authors. MIT license.

/**
 * Who closes descriptors if their thread ends without having closed them.
 */

#ifndef IOQ_DESCRIPTORS_H
#define IOQ_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

/** Whoever descriptors belong to: a number that nobody else ever had; 0 is nobody. */
typedef uint32_t owner_id;

/** Become an owner. Returns 0 if there are too many: what such a one opens is not kept. */
owner_id owner_begin(void);

/** Whether an owner has not ended. */
bool owner_lives(owner_id owner);

/** An owner ends. What it owns is nobody's, unless descriptors_close() comes next. */
void owner_end(owner_id owner);

/**
 * A descriptor was opened for somebody.
 *
 * @param temporary
 *         Whether it is a file that is to replace another, and goes with its descriptor.
 * @return false if the owner has ended: it is for the caller to close.
 */
bool descriptor_own(int fd, owner_id owner, bool temporary);

/** A file takes the place of another, or is forgotten: it is not temporary any more. */
void descriptor_settle(int fd);

/**
 * A descriptor is about to be closed, so its number may be anybody's.
 *
 * @param owner
 *         For whom it is closed.
 * @return false if it must not be: its owner has ended, and it was closed with that.
 */
bool descriptor_disown(int fd, owner_id owner);

/** Whether a request goes by a descriptor still. */
typedef bool descriptor_is_used(int fd, void *arg);

/** Close what an owner has left that has ended, but for what is used still. */
void descriptors_close(owner_id owner, descriptor_is_used *is_used, void *arg);

#endif // IOQ_DESCRIPTORS_H
