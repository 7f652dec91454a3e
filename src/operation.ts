// Copyright 2026 the ioq authors. MIT license.

/**
 * The operations: what each is called, what it resolves to, what a request for it
 * consists of and how its result is read.
 *
 * @module
 */

import * as layout from "../ffi/layout.ts";
import type { ClockName, Payload } from "./backend.ts";
import { decodeDirectory, type DirEntry } from "./directory.ts";
import {
  type BigIntFileInfo,
  decodeBigIntFileInfo,
  decodeFileInfo,
  type FileInfo,
} from "./file_info.ts";
import { pathText } from "./path.ts";
import {
  type Access,
  checkAccess,
  checkAccessForSymlink,
  isAllAllowed,
  READ,
  WRITE,
} from "./permissions.ts";

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

/** What a descriptor is ready for. See `poll(2)`. */
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

/** The name of an operation. */
export type OpName = keyof OpValues;

/**
 * A request: an operation with its arguments, made by {@linkcode op}. It may be
 * submitted any number of times.
 */
export interface Request<K extends OpName = OpName> {
  /** The operation. */
  readonly op: K;
}

/**
 * Who keeps a descriptor open for a request, and is told when the request is over.
 * The promise of an aborted one rejects earlier, while the kernel or a lane may
 * still be at the descriptor.
 */
export interface Holder {
  /** A request is over, and may be used for something else. */
  leave(request: CoreRequest): void;
}

/**
 * Key of the queue's method that aborts promise forms by their requests, for the
 * library itself: cheaper than a signal for each of many.
 */
export const ABORT: unique symbol = Symbol("ioq.abort");

/**
 * Key of the queue's method that gives what runs requests at once, past the queue, for
 * the library itself.
 */
export const SYNCHRONOUS: unique symbol = Symbol("ioq.synchronous");

/** Key of the queue that promise forms go through, for the library itself. */
export const QUEUE: unique symbol = Symbol("ioq.queue");

/**
 * Key of another such option: an object whose `cancel` `Ioq.run()` sets to a
 * function that cancels the request as `Ioq.cancel()` does: unlike an abort, it
 * rejects only when the request is over, and not if that was too late.
 */
export const ON_CANCEL: unique symbol = Symbol("ioq.onCancel");

/** From `<fcntl.h>`: the current directory. */
export const AT_FDCWD = -100;
/** From `<fcntl.h>`. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/**
 * In the flags of an `unlink`, beside none of the kernel's: a directory with all that
 * is in it. For where there is no native library, which removes such piece by piece.
 */
export const REMOVE_TREE = 0x10000;
const AT_REMOVEDIR = 0x200;

/** From `<poll.h>`. */
export const POLLIN = 1;
/** From `<poll.h>`. */
export const POLLPRI = 2;
/** From `<poll.h>`. */
export const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;

/** The core's numbers of clocks. */
export const CLOCKS: Readonly<Record<ClockName, number>> = {
  monotonic: layout.CLOCK_MONOTONIC,
  realtime: layout.CLOCK_REALTIME,
  boottime: layout.CLOCK_BOOTTIME,
};

/** Check the name of a clock. */
export function checkClock(clock: unknown): void {
  if (typeof clock !== "string" || !Object.hasOwn(CLOCKS, clock)) {
    throw new TypeError(
      `Expected clock to be one of ${Object.keys(CLOCKS).join(", ")}, got ${clock}`,
    );
  }
}

/** Reads what an operation produced. */
export type Decoder = (result: number, payload: Payload, request: CoreRequest) => unknown;

const decodeNothing: Decoder = () => undefined;
const decodeResult: Decoder = (result) => result;
const decodeEntries: Decoder = (_, payload) => decodeDirectory(payload.bytes());
const decodeBytes: Decoder = (result, payload) => {
  const bytes = new Uint8Array(result);
  if (result > 0) {
    payload.take(bytes);
  }
  return bytes;
};
const decodeInto: Decoder = (result, payload, request) => {
  const target = request.target!;
  if (target.byteLength !== request.length) {
    throw new TypeError("Cannot read into bytes whose buffer was detached or resized");
  }
  if (result > 0) {
    payload.take(target);
  }
  return result;
};
const decodeIntoParts: Decoder = (result, payload, request) => {
  const targets = request.targets!;
  let length = 0;
  for (const target of targets) {
    length += target.byteLength;
  }
  if (length !== request.length) {
    throw new TypeError("Cannot read into bytes whose buffer was detached or resized");
  }
  for (let i = 0, at = 0; at < result; at += targets[i++]!.byteLength) {
    payload.takePart(at, targets[i]!);
  }
  return result;
};
const decodePoll: Decoder = (result) => ({
  readable: (result & POLLIN) !== 0,
  writable: (result & POLLOUT) !== 0,
  priority: (result & POLLPRI) !== 0,
  error: (result & POLLERR) !== 0,
  hangUp: (result & POLLHUP) !== 0,
});
/** {@linkcode decodeInto} for files, whose end is `null`. */
export const decodeIntoOrEnd: Decoder = (result, payload, request) => {
  const count = decodeInto(result, payload, request);
  return count === 0 && request.length > 0 ? null : count;
};
/** Two words as one number. */
const decodeNumber: Decoder = (_, payload) => {
  const { buffer, byteOffset } = payload.bytes();
  const [low, high] = new Int32Array(buffer, byteOffset, 2);
  return high! * 0x1_0000_0000 + (low! >>> 0);
};
const decodeCopy: Decoder = (result, payload) =>
  result > 0 ? payload.bytes().slice() : new Uint8Array();
const decodeNames: Decoder = (result, payload) =>
  // A NUL after each
  result > 0 ? pathText(payload.bytes()).split("\0").slice(0, -1) : [];
const decodeText: Decoder = (_, payload) => pathText(payload.bytes());
const decodeStat: Decoder = (_, payload) => decodeFileInfo(payload.words, payload.at >> 2);
const decodeBigIntStat: Decoder = (_, payload) =>
  decodeBigIntFileInfo(payload.words, payload.at >> 2);

/** An operation's row in the table. */
type Operation = readonly [
  /** The core's code. */
  code: number,
  /** What error messages call it: what Deno calls it, where Deno has it. */
  verb: string,
  /** Flags that every request has. */
  flags: number,
  /** What it does to its path, and to its second path. */
  access: Access,
  access2: Access,
  /** How to read what it produced. */
  decode: Decoder,
];

/**
 * The table of operations. Where each runs when there is a ring, by measurement:
 *
 *     the queue's thread   nop, receive; readv and writev are read and write here
 *     the ring             kernelNop, open, close, openDir, closeDir, read, write, sync,
 *                          syncData, splice, sleep, timeout, poll, post, rawSqe: done
 *                          within the turn, or waiting for a device and for time
 *     a lane, and the      stat, lstat, unlink, rmdir, rename, mkdir, symlink, link,
 *     ring at a backlog    getXattr, setXattr, allocate, advise, syncRange: io_uring
 *                          hands them to threads of the kernel's, which costs more than
 *                          a lane; figures at `OVERFLOW_OPS` in `backends/native.ts`
 *     a lane               seek, readDir, readDirBlock, readLink, realPath, chmod, chown,
 *                          utime, access, lock, copyRange, listXattr, removeXattr:
 *                          io_uring has no such operation; truncate: it has one for
 *                          descriptors since 6.9, by threads of the kernel's (4.3 µs, on a
 *                          lane 4.4); readFile, writeFile, copyFile: three calls in one
 *
 * An opcode that the kernel lacks goes to a lane, too. A chain of an open, a read and a
 * close by a direct descriptor instead of readFile was measured in C, files of 2 KiB in
 * memory: 9.3 µs with one in flight and 2.9 with 32, all on the queue's thread. The three
 * system calls take 3.4, and on a lane they take nothing from that thread. So direct
 * descriptors are not used.
 */
const OPERATIONS: { readonly [K in OpName]: Operation } = {
  nop: [layout.OP.nop, "nop", 0, 0, 0, decodeNothing],
  kernelNop: [layout.OP.kernelNop, "nop", 0, 0, 0, decodeNothing],
  open: [layout.OP.open, "open", 0, 0, 0, decodeResult],
  close: [layout.OP.close, "close", 0, 0, 0, decodeNothing],
  stat: [layout.OP.stat, "stat", 0, READ, 0, decodeStat],
  lstat: [layout.OP.stat, "lstat", AT_SYMLINK_NOFOLLOW, READ, 0, decodeStat],
  statBigInt: [layout.OP.stat, "stat", 0, READ, 0, decodeBigIntStat],
  lstatBigInt: [layout.OP.stat, "lstat", AT_SYMLINK_NOFOLLOW, READ, 0, decodeBigIntStat],
  openDir: [layout.OP.openDir, "opendir", 0, READ, 0, decodeResult],
  readDirBlock: [layout.OP.readDirBlock, "readdir", 0, 0, 0, decodeEntries],
  closeDir: [layout.OP.closeDir, "closedir", 0, 0, 0, decodeNothing],
  readDir: [layout.OP.readDir, "readdir", 0, READ, 0, decodeEntries],
  read: [layout.OP.read, "read", 0, 0, 0, decodeBytes],
  readInto: [layout.OP.read, "read", 0, 0, 0, decodeInto],
  write: [layout.OP.write, "write", 0, 0, 0, decodeResult],
  seek: [layout.OP.seek, "seek", 0, 0, 0, decodeNumber],
  sync: [layout.OP.sync, "fsync", 0, 0, 0, decodeNothing],
  syncData: [layout.OP.sync, "fdatasync", layout.SYNC_DATA, 0, 0, decodeNothing],
  truncate: [layout.OP.truncate, "truncate", 0, WRITE, 0, decodeNothing],
  allocate: [layout.OP.allocate, "fallocate", 0, 0, 0, decodeNothing],
  advise: [layout.OP.advise, "fadvise", 0, 0, 0, decodeNothing],
  unlink: [layout.OP.unlink, "remove", 0, WRITE, 0, decodeNothing],
  rmdir: [layout.OP.unlink, "remove", AT_REMOVEDIR, WRITE, 0, decodeNothing],
  rename: [layout.OP.rename, "rename", 0, READ | WRITE, WRITE, decodeNothing],
  mkdir: [layout.OP.mkdir, "mkdir", 0, WRITE, 0, decodeNothing],
  symlink: [layout.OP.symlink, "symlink", 0, 0, READ | WRITE, decodeNothing],
  link: [layout.OP.link, "link", 0, READ | WRITE, READ | WRITE, decodeNothing],
  readLink: [layout.OP.readLink, "readlink", 0, READ, 0, decodeText],
  realPath: [layout.OP.realPath, "realpath", 0, READ, 0, decodeText],
  chmod: [layout.OP.chmod, "chmod", 0, WRITE, 0, decodeNothing],
  chown: [layout.OP.chown, "chown", 0, WRITE, 0, decodeNothing],
  utime: [layout.OP.utime, "utime", 0, WRITE, 0, decodeNothing],
  access: [layout.OP.access, "access", 0, READ, 0, decodeNothing],
  lock: [layout.OP.lock, "flock", 0, 0, 0, decodeNothing],
  copyRange: [layout.OP.copyRange, "copy", 0, 0, 0, decodeResult],
  readFile: [layout.OP.readFile, "readfile", 0, READ, 0, decodeBytes],
  writeFile: [layout.OP.writeFile, "writefile", 0, WRITE, 0, decodeNothing],
  copyFile: [layout.OP.copyFile, "copy", 0, READ, WRITE, decodeNothing],
  readv: [layout.OP.read, "read", 0, 0, 0, decodeIntoParts],
  writev: [layout.OP.write, "write", 0, 0, 0, decodeResult],
  sleep: [layout.OP.timeout, "sleep", 0, 0, 0, decodeNothing],
  timeout: [layout.OP.timeout, "timeout", 0, 0, 0, decodeNothing],
  poll: [layout.OP.poll, "poll", 0, 0, 0, decodePoll],
  post: [layout.OP.post, "post", 0, 0, 0, decodeNothing],
  receive: [layout.OP.receive, "receive", 0, 0, 0, decodeNumber],
  syncRange: [layout.OP.syncRange, "sync_file_range", 0, 0, 0, decodeNothing],
  splice: [layout.OP.splice, "splice", 0, 0, 0, decodeResult],
  getXattr: [layout.OP.getXattr, "getxattr", 0, READ, 0, decodeCopy],
  setXattr: [layout.OP.setXattr, "setxattr", 0, WRITE, 0, decodeNothing],
  listXattr: [layout.OP.listXattr, "listxattr", 0, READ, 0, decodeNames],
  removeXattr: [layout.OP.removeXattr, "removexattr", 0, WRITE, 0, decodeNothing],
  rawSqe: [layout.OP.rawSqe, "sqe", 0, 0, 0, decodeResult],
};

/** What a request is made of. */
interface RequestArguments {
  /** How to read what it produced, if not as the table has it. */
  decode?: Decoder;
  fd?: number;
  fd2?: number;
  access?: Access;
  /** Whether its paths have been checked already, or need not be. */
  trusted?: boolean;
  flags?: number;
  mode?: number;
  length?: number;
  offset?: number;
  arg0?: number;
  arg1?: number;
  arg2?: number;
  arg3?: number;
  path?: string | Uint8Array;
  path2?: string | Uint8Array;
  bytes?: Uint8Array;
  target?: Uint8Array<ArrayBuffer>;
  sources?: readonly Uint8Array[];
  targets?: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * A request with everything a backend needs. All have the same fields in the
 * same order, which keeps the code that reads them monomorphic. For the same
 * reason the fields have values before the arguments are looked at, whose shapes
 * are many: what has to be fast, a transfer, is made without them.
 */
export class CoreRequest<K extends OpName = OpName> implements Request<K> {
  readonly op: K;
  readonly code: number;
  decode: Decoder;
  access: Access = 0;
  readonly access2: Access;
  hints = 0;
  fd: number = AT_FDCWD;
  fd2: number = AT_FDCWD;
  flags: number;
  mode = 0;
  length = 0;
  offset = 0;
  arg0 = 0;
  arg1 = 0;
  arg2 = 0;
  arg3 = 0;
  path: string | Uint8Array | undefined = undefined;
  path2: string | Uint8Array | undefined = undefined;
  /** What to write. */
  bytes: Uint8Array | undefined = undefined;
  /** Where to read to. */
  target: Uint8Array<ArrayBuffer> | undefined = undefined;
  /** Whether its paths have been checked already, or need not be. */
  trusted = false;
  /** Who keeps its descriptor open. */
  holder: Holder | undefined = undefined;
  /** Both of these in several places. */
  sources: readonly Uint8Array[] | undefined = undefined;
  targets: readonly Uint8Array<ArrayBuffer>[] | undefined = undefined;

  constructor(op: K, args?: RequestArguments) {
    const [code, , flags, access, access2, decode] = OPERATIONS[op];
    this.op = op;
    this.code = code;
    this.decode = args?.decode ?? decode;
    this.access2 = access2;
    this.flags = flags;
    if (args !== undefined) {
      this.access = args.access ?? (args.path === undefined ? 0 : access);
      this.hints = args.offset === undefined ? 0 : layout.HINT_OFFSET;
      this.fd = args.fd ?? AT_FDCWD;
      this.fd2 = args.fd2 ?? AT_FDCWD;
      this.flags = flags | (args.flags ?? 0);
      this.mode = args.mode ?? 0;
      this.length = args.length ?? 0;
      this.offset = args.offset ?? 0;
      this.arg0 = args.arg0 ?? 0;
      this.arg1 = args.arg1 ?? 0;
      this.arg2 = args.arg2 ?? 0;
      this.arg3 = args.arg3 ?? 0;
      this.path = args.path;
      this.path2 = args.path2;
      this.bytes = args.bytes;
      this.target = args.target;
      this.sources = args.sources;
      this.targets = args.targets;
      this.trusted = args.trusted ?? false;
    }
  }

  /**
   * Check that its paths may be accessed.
   *
   * @throws {Deno.errors.NotCapable} If a permission is missing.
   */
  checkAccess(): void {
    if (this.trusted) {
      return;
    }
    if (this.access !== 0) {
      checkAccess(this.path!, this.access, isRelative(this.path!, this.fd));
    }
    if (OPENS.has(this.code) && !isAllAllowed()) {
      // The path was checked as it is written: the core looks where it leads
      this.hints |= layout.HINT_GUARDED;
    }
    if (this.op === "symlink") {
      checkAccessForSymlink(this.path2!);
    } else if (this.access2 !== 0) {
      checkAccess(this.path2!, this.access2, isRelative(this.path2!, this.fd2));
    }
  }

  /** Whether it closes a descriptor: such requests are never cancelled. */
  get isClose(): boolean {
    return this.code === layout.OP.close || this.code === layout.OP.closeDir;
  }

  /** What is being done to what, for messages. */
  get context(): string {
    const verb = OPERATIONS[this.op][1];
    if (this.code >= layout.OP.getXattr && this.code <= layout.OP.removeXattr) {
      const name = this.path2 === undefined ? "" : ` '${pathText(this.path2)}' of`;
      const file = this.path!.length > 0 || this.fd === AT_FDCWD
        ? `'${pathText(this.path!)}'`
        : `file descriptor ${this.fd}`;
      return `${verb}${name} ${file}`;
    }
    if (this.op === "rawSqe") {
      return `${verb} opcode ${(this.path as Uint8Array)[0]}`;
    }
    if (this.path2 !== undefined) {
      return `${verb} '${pathText(this.path!)}' -> '${pathText(this.path2)}'`;
    }
    if (this.path !== undefined) {
      return `${verb} '${pathText(this.path)}'`;
    }
    return this.fd === AT_FDCWD ? verb : `${verb} file descriptor ${this.fd}`;
  }
}

/** Operations that open the contents of files, as Deno's calls do that it guards so. */
const OPENS: ReadonlySet<number> = new Set([
  layout.OP.open,
  layout.OP.readFile,
  layout.OP.writeFile,
  layout.OP.copyFile,
]);

/** Whether a path is relative to a directory descriptor. */
function isRelative(path: string | Uint8Array, fd: number): boolean {
  return fd !== AT_FDCWD && (typeof path === "string" ? !path.startsWith("/") : path[0] !== 0x2f);
}

/**
 * Check that a value is a request that {@linkcode op} made.
 *
 * @throws {TypeError} If it is not.
 */
export function toCoreRequest<K extends OpName>(request: Request<K>): CoreRequest<K> {
  if (!(request instanceof CoreRequest)) {
    throw new TypeError("Expected a request, as the functions of op make them");
  }
  return request;
}

/** What error messages call an operation. */
export function verbOf(op: OpName): string {
  return OPERATIONS[op][1];
}
