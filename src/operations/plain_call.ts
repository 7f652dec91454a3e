// Copyright 2026 the ioq authors. MIT license.

/**
 * What runs an operation by calls of the runtime, where there is no library: types alone, which
 * take no program any time to load.
 *
 * @module
 */

import type NodeFs from "node:fs";

/** Attributes as the runtime tells them. */
export interface PlainStat {
  readonly dev: number;
  readonly ino: number | null;
  readonly mode: number | null;
  readonly nlink: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly rdev: number | null;
  readonly size: number;
  readonly blksize: number | null;
  readonly blocks: number | null;
  readonly atime: Date | null;
  readonly mtime: Date | null;
  readonly ctime: Date | null;
  readonly birthtime: Date | null;
}

/** Runs an operation by calls of the runtime; returns its result, as the kernel has it. */
export type PlainRun = (call: PlainCall) => number;

/** That, or the reason why there is no such call: one of `UNSUPPORTED`. */
export type Plain = PlainRun | number;

/** A request as the calls of the runtime need it, and what they tell. */
export interface PlainCall {
  /** Node's calls: they are loaded where there is no library, and nowhere else. */
  readonly fs: typeof NodeFs;
  readonly flags: number;
  readonly fd: number;
  readonly fd2: number;
  readonly mode: number;
  readonly length: number;
  readonly offset: number;
  /** The offset, or that it is at the file's own position. */
  readonly position: number | null;
  readonly arg0: number;
  readonly arg1: number;
  readonly arg2: number;
  readonly arg3: number;
  /** Whether it is about the descriptor itself. */
  readonly isAtDescriptor: boolean;
  /** Its path as it was given, and as those calls take it. */
  readonly rawPath: string;
  readonly path: string;
  /** Its second path, as those calls take it. */
  readonly path2: string;
  /** What it writes. */
  readonly bytes: Uint8Array;
  /** What it produced. */
  payload: Uint8Array;
  /** Open its path, to close it by {@linkcode PlainCall.fs} again. */
  open(flags: number): number;
  /** Read what there is. */
  readSome(fd: number, bytes: Uint8Array, offset: number | null): number;
  /** Read all of a FIFO that its path leads to; `undefined` if it leads elsewhere. */
  readFifo(): Uint8Array | undefined;
  /** Write all of what it writes to a FIFO that its path leads to. Whether it does. */
  writeFifo(): boolean;
  /** Open its path, for other requests. */
  openToKeep(flags: number): number;
  /** Close what was opened for other requests. */
  close(fd: number): void;
  /** Where a descriptor is, by the kernel's position, if that can be found out. */
  tell(fd: number): number | undefined;
  /** Have attributes as what it produced. */
  putStat(info: PlainStat): void;
  /** Have a path as what it produced. */
  putText(text: string): void;
  /** Have what is in a directory, or in several, as what it produced. */
  putEntries(): void;
  /** Write all there is to write. */
  writeAll(fd: number, bytes: Uint8Array, offset: number | null): void;
  /** Write, and tell how many bytes there was room for. */
  writeSome(fd: number, bytes: Uint8Array, offset: number | null): number;
  /** Replace the file of its path by what it writes. */
  replace(): number;
  /** Have what was written by a descriptor reach the device, and its name as well. */
  makeDurable(fd: number): void;
  /** Have the name of the file of its path reach the device. */
  syncFolder(): void;
  /** Fail with an error number. */
  fail(errno: number): never;
}
