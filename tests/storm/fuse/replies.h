// Copyright 2026 the ioq authors. MIT license.

/**
 * Replies that wait for their time.
 *
 * A request is worked at as soon as it arrives, and its reply is sent when it is due:
 * so a handful of threads can have ten thousand slow requests in flight. Until then
 * the kernel may say that a request's caller was interrupted, which then gets EINTR.
 */

#ifndef STORM_REPLIES_H
#define STORM_REPLIES_H

#include <stddef.h>
#include <stdint.h>

/** Start the thread that sends what is due: 0, or an error number. */
int replies_start(int fuse);

/** Now, on the clock of due times, in nanoseconds. */
uint64_t replies_now(void);

/** Send a reply at a time; at once if that is over. `error` is 0 or negative. */
void replies_send(uint64_t unique, int error, const void *body, size_t length, uint64_t due);

/** Send EINTR instead of a reply that is not due yet. */
void replies_interrupt(uint64_t unique);

#endif
