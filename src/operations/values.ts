// Copyright 2026 the ioq authors. MIT license.

/**
 * What each operation resolves to. Its keys are the names of the operations, and the
 * types of requests, completions and promises follow from it.
 *
 * @module
 */

import type { DirEntry } from "../linux/directory.ts";
import type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
import type { PollEvents } from "../linux/poll.ts";

/** What each operation resolves to. */
export interface OpValues {
  /** Nothing, completed by the queue itself without a system call. */
  nop: undefined;
  /** Nothing, after a trip through the kernel. */
  kernelNop: undefined;
  /** A file descriptor. */
  open: number;
  /** Nothing. */
  close: undefined;
  /** Attributes; a symbolic link is followed. */
  stat: FileInfo;
  /** Attributes; a symbolic link is not followed. */
  lstat: FileInfo;
  /** Exact attributes; a symbolic link is followed. */
  statBigInt: BigIntFileInfo;
  /** Exact attributes; a symbolic link is not followed. */
  lstatBigInt: BigIntFileInfo;
  /** A descriptor of a directory. */
  openDir: number;
  /** The next entries of an open directory; none at its end. */
  readDirBlock: DirEntry[];
  /** Nothing. */
  closeDir: undefined;
  /** All entries of a directory, without `.` and `..`. */
  readDir: DirEntry[];
  /** The bytes that were read: fewer than asked for if there were no more, none at the end. */
  read: Uint8Array<ArrayBuffer>;
  /** How many bytes were read into the caller's buffer; 0 at the end. */
  readInto: number;
  /** How many bytes were written. */
  write: number;
  /** The new position, in bytes from the start. */
  seek: number;
  /** Nothing, when all is on the device. */
  sync: undefined;
  /** Nothing, when the data is on the device. */
  syncData: undefined;
  /** Nothing. */
  truncate: undefined;
  /** Nothing. */
  allocate: undefined;
  /** Nothing. */
  advise: undefined;
  /** Nothing. */
  unlink: undefined;
  /** Nothing. */
  rmdir: undefined;
  /** Nothing. */
  rename: undefined;
  /** Nothing. */
  mkdir: undefined;
  /** Nothing. */
  symlink: undefined;
  /** Nothing. */
  link: undefined;
  /** What the link points to. */
  readLink: string;
  /** The path without links, `.` and `..`. */
  realPath: string;
  /** Nothing. */
  chmod: undefined;
  /** Nothing. */
  chown: undefined;
  /** Nothing. */
  utime: undefined;
  /** Nothing; it fails if the access is not granted. */
  access: undefined;
  /** Nothing, when the lock is held or released. */
  lock: undefined;
  /** How many bytes were copied; 0 at the end of the source. */
  copyRange: number;
  /** All that is in the file. */
  readFile: Uint8Array<ArrayBuffer>;
  /** Nothing. */
  writeFile: undefined;
  /** Nothing. */
  copyFile: undefined;
  /** How many bytes were read into the caller's buffers; 0 at the end. */
  readv: number;
  /** How many bytes were written. */
  writev: number;
  /** Nothing, after a while. */
  sleep: undefined;
  /** Nothing, when a time has come. */
  timeout: undefined;
  /** What the descriptor is ready for. */
  poll: PollEvents;
  /** Nothing, when the message is with the other queue. */
  post: undefined;
  /** The message's value. */
  receive: number;
  /** Nothing, when that part of the file is on its way, or on the device. */
  syncRange: undefined;
  /** How many bytes were moved; 0 at the end of the source. */
  splice: number;
  /** The attribute's value. */
  getXattr: Uint8Array<ArrayBuffer>;
  /** Nothing. */
  setXattr: undefined;
  /** The attributes' names. */
  listXattr: string[];
  /** Nothing. */
  removeXattr: undefined;
  /** What the kernel gave as the result, which is not negative. */
  rawSqe: number;
}

/** The name of an operation. */
export type OpName = keyof OpValues;
