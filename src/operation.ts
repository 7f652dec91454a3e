// Copyright 2026 the ioq authors. MIT license.

/**
 * The operations: what each is called, what it resolves to, how a request for it
 * is built and how its result is read.
 *
 * @module
 */

import * as layout from "../ffi/layout.ts";
import type { Payload } from "./backend.ts";
import { decodeDirectory, type DirEntry } from "./directory.ts";
import {
  type BigIntFileInfo,
  decodeBigIntFileInfo,
  decodeFileInfo,
  type FileInfo,
} from "./file_info.ts";
import { type Path, pathText, toPath } from "./path.ts";
import { type Access, READ, WRITE } from "./permissions.ts";

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
  /** How many bytes were written. */
  write: number;
}

/** The name of an operation. */
export type OpName = keyof OpValues;

/** Where a relative path begins, if not in the current directory. */
export interface AtOptions {
  /**
   * A directory descriptor. It must stay open until the completion. Needs the
   * blanket permission, because a descriptor may be of any directory.
   */
  at?: number;
}

/** Options of `op.open()`: those of `Deno.open`, and {@linkcode AtOptions}. */
export interface OpenRequestOptions extends Deno.OpenOptions, AtOptions {}

/** Options of `op.stat()` and `op.lstat()`. */
export interface StatOptions extends AtOptions {
  /**
   * Whether to resolve to {@linkcode BigIntFileInfo}, which is exact.
   *
   * @default {false}
   */
  bigint?: boolean;
}

/**
 * A request: an operation with its arguments, made by {@linkcode op}. It may be
 * submitted any number of times.
 */
export interface Request<K extends OpName = OpName> {
  /** The operation. */
  readonly op: K;
}

/** From `<fcntl.h>`. */
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;

/** Reads what an operation produced. */
type Decoder = (result: number, payload: Payload) => unknown;

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
const decodeStat: Decoder = (_, payload) => decodeFileInfo(payload.words, payload.at >> 2);
const decodeBigIntStat: Decoder = (_, payload) =>
  decodeBigIntFileInfo(payload.words, payload.at >> 2);

/** An operation's row in the table. */
interface Operation {
  /** The core's code. */
  readonly code: number;
  /** What error messages call it: what Deno calls it, where Deno has it. */
  readonly verb: string;
  /** Flags that every request has. */
  readonly flags: number;
  /** What it does to its path. */
  readonly access: Access;
  /** How to read what it produced. */
  readonly decode: Decoder;
}

/** The table of operations. */
const OPERATIONS: { readonly [K in OpName]: Operation } = {
  nop: { code: layout.OP.nop, verb: "nop", flags: 0, access: 0, decode: decodeNothing },
  kernelNop: {
    code: layout.OP.kernelNop,
    verb: "nop",
    flags: 0,
    access: 0,
    decode: decodeNothing,
  },
  open: { code: layout.OP.open, verb: "open", flags: 0, access: 0, decode: decodeResult },
  close: { code: layout.OP.close, verb: "close", flags: 0, access: 0, decode: decodeNothing },
  stat: { code: layout.OP.stat, verb: "stat", flags: 0, access: READ, decode: decodeStat },
  lstat: {
    code: layout.OP.stat,
    verb: "lstat",
    flags: AT_SYMLINK_NOFOLLOW,
    access: READ,
    decode: decodeStat,
  },
  statBigInt: {
    code: layout.OP.stat,
    verb: "stat",
    flags: 0,
    access: READ,
    decode: decodeBigIntStat,
  },
  lstatBigInt: {
    code: layout.OP.stat,
    verb: "lstat",
    flags: AT_SYMLINK_NOFOLLOW,
    access: READ,
    decode: decodeBigIntStat,
  },
  openDir: {
    code: layout.OP.openDir,
    verb: "opendir",
    flags: 0,
    access: READ,
    decode: decodeResult,
  },
  readDirBlock: {
    code: layout.OP.readDirBlock,
    verb: "readdir",
    flags: 0,
    access: 0,
    decode: decodeEntries,
  },
  closeDir: {
    code: layout.OP.closeDir,
    verb: "closedir",
    flags: 0,
    access: 0,
    decode: decodeNothing,
  },
  readDir: {
    code: layout.OP.readDir,
    verb: "readdir",
    flags: 0,
    access: READ,
    decode: decodeEntries,
  },
  read: { code: layout.OP.read, verb: "read", flags: 0, access: 0, decode: decodeBytes },
  write: { code: layout.OP.write, verb: "write", flags: 0, access: 0, decode: decodeResult },
};

/**
 * A request with everything a backend needs. All have the same fields in the
 * same order, which keeps the code that reads them monomorphic.
 */
export class CoreRequest<K extends OpName = OpName> implements Request<K> {
  readonly op: K;
  readonly code: number;
  readonly decode: Decoder;
  readonly access: Access;
  readonly hints: number;
  readonly fd: number;
  readonly flags: number;
  readonly mode: number;
  readonly length: number;
  readonly offset: number;
  readonly path: string | Uint8Array | undefined;
  readonly bytes: Uint8Array | undefined;

  constructor(op: K, args: {
    fd?: number;
    access?: Access;
    flags?: number;
    mode?: number;
    length?: number;
    offset?: number;
    path?: string | Uint8Array;
    bytes?: Uint8Array;
  }) {
    const operation = OPERATIONS[op];
    this.op = op;
    this.code = operation.code;
    this.decode = operation.decode;
    this.access = args.access ?? operation.access;
    this.hints = args.offset === undefined ? 0 : layout.HINT_OFFSET;
    this.fd = args.fd ?? AT_FDCWD;
    this.flags = operation.flags | (args.flags ?? 0);
    this.mode = args.mode ?? 0;
    this.length = args.length ?? 0;
    this.offset = args.offset ?? 0;
    this.path = args.path;
    this.bytes = args.bytes;
  }

  /** Whether the path is relative to a directory descriptor. */
  get isRelative(): boolean {
    const path = this.path;
    return path !== undefined && this.fd !== AT_FDCWD &&
      (typeof path === "string" ? !path.startsWith("/") : path[0] !== 0x2f);
  }

  /** Whether it closes a descriptor: such requests are never cancelled. */
  get isClose(): boolean {
    return this.code === layout.OP.close || this.code === layout.OP.closeDir;
  }

  /** What is being done to what, for messages. */
  get context(): string {
    const verb = OPERATIONS[this.op].verb;
    if (this.path !== undefined) {
      return `${verb} '${pathText(this.path)}'`;
    }
    return this.fd === AT_FDCWD ? verb : `${verb} file descriptor ${this.fd}`;
  }
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

/** Check an integer in a range. */
function checkInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`Expected ${name} to be a number, got ${typeof value}`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be an integer from ${min} to ${max}, got ${value}`);
  }
  return value;
}

const INT32_MAX = 0x7fffffff;

function checkFd(fd: number): number {
  return checkInteger(fd, "fd", 0, INT32_MAX);
}

function checkAt(options: AtOptions | undefined): number {
  return options?.at === undefined ? AT_FDCWD : checkInteger(options.at, "at", 0, INT32_MAX);
}

function checkOffset(offset: number | undefined): { offset?: number } {
  return offset === undefined
    ? {}
    : { offset: checkInteger(offset, "offset", 0, Number.MAX_SAFE_INTEGER) };
}

/** A request for an operation on a path. */
function pathRequest<K extends OpName>(op: K, path: Path, options?: AtOptions): CoreRequest<K> {
  return new CoreRequest(op, {
    fd: checkAt(options),
    path: toPath(path, OPERATIONS[op].verb),
  });
}

/** The `open(2)` flags of Deno's options, checked as Deno checks them. */
function openFlags(options: Deno.OpenOptions): { flags: number; access: Access } {
  const { read, write, append, truncate, create, createNew } = options;
  if (!read && !write && !append && !truncate && !create && !createNew) {
    throw new TypeError("'options' requires at least one option to be true");
  }
  if (!write && truncate) {
    throw new TypeError("'truncate' option requires 'write' to be true");
  }
  if (!write && !append && (create || createNew)) {
    throw new TypeError("'create' or 'createNew' options require 'write' or 'append' to be true");
  }
  if (append && truncate && !createNew) {
    throw new TypeError("'truncate' option cannot be combined with 'append'");
  }
  const writes = write || append;
  return {
    flags: (writes ? read ? O_RDWR : O_WRONLY : O_RDONLY) |
      (append ? O_APPEND : 0) | (truncate ? O_TRUNC : 0) |
      (createNew ? O_CREAT | O_EXCL : create ? O_CREAT : 0),
    access: (read ? READ : 0) | (writes ? WRITE : 0),
  };
}

/** The functions of {@linkcode op}. */
export interface OpBuilders {
  /** Nothing at all, completed by the queue itself: the cost of the queue. */
  nop(): Request<"nop">;
  /** Nothing, but through the kernel: `IORING_OP_NOP` where there is a ring. */
  kernelNop(): Request<"kernelNop">;
  /**
   * Open a file; resolves to its descriptor, which the caller must close.
   *
   * @param path The file.
   * @param options As `Deno.open`'s; `{ read: true }` by default.
   * @throws {TypeError} If the path or the combination of options is invalid.
   * @throws {RangeError} If `mode` is no permission bits.
   */
  open(path: Path, options?: OpenRequestOptions): Request<"open">;
  /**
   * Close a descriptor. It runs even if it is cancelled.
   *
   * @param fd The descriptor, 0 to 2^31 - 1.
   */
  close(fd: number): Request<"close">;
  /**
   * A file's attributes, following a symbolic link. See `statx(2)`.
   *
   * @param path The file.
   * @param options Whether to give exact numbers.
   */
  stat(path: Path, options?: StatOptions & { bigint?: false }): Request<"stat">;
  /** A file's exact attributes, following a symbolic link. */
  stat(path: Path, options: StatOptions & { bigint: true }): Request<"statBigInt">;
  /** A file's attributes, not following a symbolic link. */
  lstat(path: Path, options?: StatOptions & { bigint?: false }): Request<"lstat">;
  /** A file's exact attributes, not following a symbolic link. */
  lstat(path: Path, options: StatOptions & { bigint: true }): Request<"lstatBigInt">;
  /** Open a directory; resolves to its descriptor, for `readDirBlock` and `closeDir`. */
  openDir(path: Path, options?: AtOptions): Request<"openDir">;
  /**
   * The next entries of an open directory, up to 64 KiB of what `getdents64(2)`
   * gives; an empty array at its end.
   *
   * @param fd What `openDir` resolved to.
   */
  readDirBlock(fd: number): Request<"readDirBlock">;
  /** Close a directory. It runs even if it is cancelled. */
  closeDir(fd: number): Request<"closeDir">;
  /** All entries of a directory in one request: it is opened, read and closed. */
  readDir(path: Path, options?: AtOptions): Request<"readDir">;
  /**
   * Read from a descriptor.
   *
   * @param fd The descriptor.
   * @param length Bytes, 0 to 2147479552.
   * @param offset Where, in bytes; the file's own position if not given.
   */
  read(fd: number, length: number, offset?: number): Request<"read">;
  /**
   * Write to a descriptor. The bytes are copied when the request is submitted.
   *
   * @param fd The descriptor.
   * @param bytes What to write, at most 2147479552 bytes.
   * @param offset Where, in bytes; the file's own position if not given.
   */
  write(fd: number, bytes: Uint8Array, offset?: number): Request<"write">;
}

const NOP = new CoreRequest("nop", {});
const KERNEL_NOP = new CoreRequest("kernelNop", {});

/**
 * Makes requests. Arguments are checked here: what is wrong throws a `TypeError`
 * or a `RangeError` before anything is queued.
 *
 * @example
 * ```ts
 * import { Ioq, op } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * ioq.submit(op.stat("/etc/hostname"));
 * for await (const completion of ioq) {
 *   if (completion.ok && completion.op === "stat") {
 *     console.log(completion.value.size);
 *   }
 * }
 * ```
 */
export const op: OpBuilders = {
  nop: () => NOP,
  kernelNop: () => KERNEL_NOP,
  open(path, options = { read: true }) {
    const { flags, access } = openFlags(options);
    return new CoreRequest("open", {
      fd: checkAt(options),
      path: toPath(path, "open"),
      mode: options.mode === undefined ? 0o666 : checkInteger(options.mode, "mode", 0, 0o7777),
      flags,
      access,
    });
  },
  close: (fd) => new CoreRequest("close", { fd: checkFd(fd) }),
  stat:
    ((path: Path, options?: StatOptions) =>
      pathRequest(options?.bigint ? "statBigInt" : "stat", path, options)) as OpBuilders["stat"],
  lstat:
    ((path: Path, options?: StatOptions) =>
      pathRequest(options?.bigint ? "lstatBigInt" : "lstat", path, options)) as OpBuilders["lstat"],
  openDir: (path, options) => pathRequest("openDir", path, options),
  readDirBlock: (fd) => new CoreRequest("readDirBlock", { fd: checkFd(fd) }),
  closeDir: (fd) => new CoreRequest("closeDir", { fd: checkFd(fd) }),
  readDir: (path, options) => pathRequest("readDir", path, options),
  read: (fd, length, offset) =>
    new CoreRequest("read", {
      fd: checkFd(fd),
      length: checkInteger(length, "length", 0, layout.TRANSFER_MAX),
      ...checkOffset(offset),
    }),
  write(fd, bytes, offset) {
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`Expected bytes to be a Uint8Array, got ${typeof bytes}`);
    }
    return new CoreRequest("write", {
      fd: checkFd(fd),
      bytes,
      length: checkInteger(bytes.byteLength, "bytes.byteLength", 0, layout.TRANSFER_MAX),
      ...checkOffset(offset),
    });
  },
};
