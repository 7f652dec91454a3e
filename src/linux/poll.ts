// Copyright 2026 the ioq authors. MIT license.

/**
 * What a descriptor may be ready for, as `poll(2)` has it.
 *
 * @module
 */

/**
 * What a descriptor is ready for. See `poll(2)`.
 *
 * @category Requests
 */
export interface PollEvents {
  /** It can be read without waiting. */
  readable: boolean;
  /** It can be written without waiting. */
  writable: boolean;
  /** There is something exceptional to be read. */
  priority: boolean;
  /** It has an error, such as a pipe that nobody reads. */
  error: boolean;
  /** The other end is closed. */
  hangUp: boolean;
}

/** From `<poll.h>`. */
export const POLLIN = 1;
/** From `<poll.h>`. */
export const POLLPRI = 2;
/** From `<poll.h>`. */
export const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;

/** The events that the kernel's bits stand for. */
export function toPollEvents(bits: number): PollEvents {
  return {
    readable: (bits & POLLIN) !== 0,
    writable: (bits & POLLOUT) !== 0,
    priority: (bits & POLLPRI) !== 0,
    error: (bits & POLLERR) !== 0,
    hangUp: (bits & POLLHUP) !== 0,
  };
}
