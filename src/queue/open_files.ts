// Copyright 2026 the ioq authors. MIT license.

/**
 * Which queue an open file belongs to.
 *
 * A file is used by the queue that opened it and by no other: two queues would
 * close it under each other's requests, and the number may be another file by
 * then. A queue that closes takes its files with it.
 *
 * @module
 */

import { HINT_OFFSET, OP } from "../../ffi/layout.ts";
import type { CoreRequest } from "../operations/request.ts";

/** An open file. */
export interface OpenFile {
  /** The queue that opened it. */
  readonly queue: object;
  /** Whether it has a position of its own, which the kernel knows nothing of. */
  ownsPosition(): boolean;
  /** Close it because its queue closes. */
  closeWithQueue(): void;
}

/** The files of this thread by their descriptors. */
const files = new Map<number, OpenFile>();

/** A file was opened. */
export function addOpenFile(fd: number, file: OpenFile): void {
  // If there is one by that number, someone closed it without asking it
  files.set(fd, file);
}

/** A number was opened that is no file's: a file that had it is closed, and about to be told. */
export function forgetOpenFile(fd: number): void {
  files.delete(fd);
}

/** A file was closed. */
export function removeOpenFile(fd: number, file: OpenFile): void {
  if (files.get(fd) === file) {
    files.delete(fd);
  }
}

/**
 * Check that a descriptor is no file of another queue, and that a request for one of
 * this queue's neither closes it, which the file would not know, nor goes by the position
 * that the kernel keeps, which is not the file's.
 *
 * @throws {TypeError} If it is, or does.
 */
export function checkQueue(fd: number, queue: object, request: CoreRequest): void {
  const file = files.get(fd);
  if (file !== undefined && file.queue !== queue) {
    throw new TypeError(
      `Cannot use file descriptor ${fd} on this queue: it is a file that another queue has open`,
    );
  }
  if (file !== undefined && request.isClose) {
    throw new TypeError(
      `Cannot ${request.context}: a file has it open, use the file's close()`,
    );
  }
  if (file !== undefined && usesPosition(request, fd) && file.ownsPosition()) {
    throw new TypeError(
      `Cannot ${request.context} without an offset: its position is the file's, use its methods`,
    );
  }
}

/** Close all files of a queue. */
export function closeFilesOf(queue: object): void {
  for (const file of files.values()) {
    if (file.queue === queue) {
      file.closeWithQueue();
    }
  }
}

/** Whether a request goes by the position that the kernel keeps for a descriptor of it. */
function usesPosition(request: CoreRequest, fd: number): boolean {
  const { code } = request;
  const isWithout = (request.hints & HINT_OFFSET) === 0;
  if (code === OP.copyRange || code === OP.splice) {
    // An offset of either side; `arg2` tells whether there is one of the second
    return (fd === request.fd && isWithout) || (fd === request.fd2 && request.arg2 === 0);
  }
  return code === OP.seek || ((code === OP.read || code === OP.write) && isWithout);
}
