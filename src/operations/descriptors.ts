// Copyright 2026 the ioq authors. MIT license.

/**
 * The descriptors that this thread opened. They may be used without being asked for
 * again: that was done when they were opened. Other numbers may be another thread's
 * files, which has other permissions.
 *
 * @module
 */

import { isAbsolute, pathText } from "../path.ts";

/** By number, the paths that they were opened by. */
const ours = new Map<number, string | Uint8Array | undefined>();

/** A descriptor was opened on this thread. */
export function addDescriptor(fd: number, path: string | Uint8Array | undefined): void {
  ours.set(fd, path);
}

/** One is being closed. */
export function removeDescriptor(fd: number): void {
  ours.delete(fd);
}

/** Whether this thread opened a descriptor. */
export function isOurs(fd: number): boolean {
  return ours.has(fd);
}

/** The absolute path that this thread opened a descriptor by, if it had one that is text. */
export function openedPath(fd: number): string | undefined {
  const path = ours.get(fd);
  const text = path === undefined ? "" : pathText(path);
  return isAbsolute(text) && !text.includes("\ufffd") ? text : undefined;
}
