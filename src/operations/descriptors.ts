// Copyright 2026 the ioq authors. MIT license.

/**
 * The descriptors that this thread opened. They may be used without being asked for
 * again: that was done when they were opened. Other numbers may be another thread's
 * files, which has other permissions.
 *
 * @module
 */

/** By number, the absolute paths that they were opened by, as far as these are text. */
const ours = new Map<number, string | undefined>();

/** A descriptor was opened on this thread. */
export function addDescriptor(fd: number, path: string | Uint8Array | undefined): void {
  ours.set(fd, typeof path === "string" && path.startsWith("/") ? path : undefined);
}

/** One is being closed. */
export function removeDescriptor(fd: number): void {
  ours.delete(fd);
}

/** Whether this thread opened a descriptor. */
export function isOurs(fd: number): boolean {
  return ours.has(fd);
}

/** The path that this thread opened a descriptor by, if it is known. */
export function openedPath(fd: number): string | undefined {
  return ours.get(fd);
}
