// Copyright 2026 the ioq authors. MIT license.

/**
 * The descriptors that this thread opened. They may be used without being asked for
 * again: that was done when they were opened. Other numbers may be another thread's
 * files, which has other permissions.
 *
 * @module
 */

const ours = new Set<number>();

/** A descriptor was opened on this thread. */
export function addDescriptor(fd: number): void {
  ours.add(fd);
}

/** One is being closed. */
export function removeDescriptor(fd: number): void {
  ours.delete(fd);
}

/** Whether this thread opened a descriptor. */
export function isOurs(fd: number): boolean {
  return ours.has(fd);
}
