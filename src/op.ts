// Copyright 2026 the ioq authors. MIT license.

/**
 * The builders of requests: one function for each operation.
 *
 * @module
 */

import * as layout from "../ffi/layout.ts";
import type { ClockName } from "./backend.ts";
import { checkInteger, checkMs } from "./integer.ts";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  CLOCKS,
  CoreRequest,
  type OpName,
  POLLIN,
  POLLOUT,
  POLLPRI,
  type Request,
  verbOf,
} from "./operation.ts";
import { type Path, toPath } from "./path.ts";
import { type Access, READ, WRITE } from "./permissions.ts";

/** Where a relative path begins, if not in the current directory. */
export interface AtOptions {
  /**
   * A directory descriptor. It must stay open until the completion. Needs the
   * blanket permission, because a descriptor may be of any directory.
   */
  at?: number;
}

/**
 * Options of `op.open()`: those of `Deno.open`, {@linkcode AtOptions}, and what
 * `open(2)` has beside. Options of the latter two kinds alone open for reading.
 */
export interface OpenRequestOptions extends Deno.OpenOptions, AtOptions {
  /**
   * Transfer between the device and the library's memory, past the page cache
   * (`O_DIRECT`). Offsets and lengths must be multiples of the device's logical
   * block, at least 512 bytes and on some devices 4096; otherwise the kernel
   * refuses a transfer with `EINVAL`, a `TypeError`. The caller's buffers may be
   * anywhere. A file system that cannot do it refuses to open the file, with the
   * same error.
   *
   * @default {false}
   */
  direct?: boolean;
  /**
   * Have each write wait until its data is on the device (`O_DSYNC`).
   *
   * @default {false}
   */
  dsync?: boolean;
  /**
   * Fail with `Deno.errors.FilesystemLoop` if the path is a symbolic link
   * (`O_NOFOLLOW`). Links in the directories that lead there are followed.
   *
   * @default {false}
   */
  noFollow?: boolean;
  /**
   * Open a directory, and nothing else (`O_DIRECTORY`): for {@linkcode AtOptions},
   * or to sync it. Otherwise it fails with `Deno.errors.NotADirectory`.
   *
   * @default {false}
   */
  directory?: boolean;
}

/** Options of `op.stat()` and `op.lstat()`. */
export interface StatOptions extends AtOptions {
  /**
   * Whether to resolve to a `BigIntFileInfo`, which is exact.
   *
   * @default {false}
   */
  bigint?: boolean;
}

/** From `<fcntl.h>`. */
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const O_DSYNC = 0o10000;
/** Those that are not the same everywhere. */
const [O_DIRECT, O_DIRECTORY, O_NOFOLLOW] = Deno.build.arch === "aarch64"
  ? [0o200000, 0o40000, 0o100000] as const
  : [0o40000, 0o200000, 0o400000] as const;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const AT_EMPTY_PATH = 0x1000;
const FALLOC_FL_KEEP_SIZE = 1;
const R_OK = 4;
const W_OK = 2;
const X_OK = 1;
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;
const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
const SYNC_FILE_RANGE_WRITE = 2;
const SYNC_FILE_RANGE_WAIT_AFTER = 4;
const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_MORE = 4;
/** From `<linux/io_uring.h>`. */
const SQE_LENGTH = 64;
const IOSQE_CQE_SKIP_SUCCESS = 1 << 6;
const LOCK_NB = 4;
/** Operations of `flock(2)`. */
const LOCKS = { shared: 1, exclusive: 2, unlock: 8 } as const;
/** Advice of `posix_fadvise(2)`. */
const ADVICE: Readonly<Record<Advice, number>> = {
  normal: 0,
  random: 1,
  sequential: 2,
  willNeed: 3,
  dontNeed: 4,
  noReuse: 5,
};

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

const UINT32_MAX = 0xffffffff;

function checkMode(mode: number | undefined, otherwise: number): number {
  return mode === undefined ? otherwise : checkInteger(mode, "mode", 0, 0o7777);
}

/** Check bytes that are to be transferred. */
export function checkBytes(bytes: unknown, name: string): Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`Expected ${name} to be a Uint8Array, got ${typeof bytes}`);
  }
  checkInteger(bytes.byteLength, `${name}.byteLength`, 0, layout.TRANSFER_MAX);
  return bytes;
}

/** Check the parts of a vectored transfer. */
function checkParts<P extends Uint8Array, V>(
  parts: readonly P[],
  name: string,
  as: (parts: readonly P[]) => V,
): V & { length: number } {
  if (!Array.isArray(parts)) {
    throw new TypeError(`Expected ${name} to be an array of Uint8Array, got ${typeof parts}`);
  }
  let length = 0;
  for (const [at, part] of parts.entries()) {
    length += checkBytes(part, `${name}[${at}]`).byteLength;
  }
  checkInteger(length, `the length of ${name}`, 0, layout.TRANSFER_MAX);
  // The caller may go on using its array. Empty ones transfer nothing
  return { ...as(parts.filter((part) => part.byteLength > 0)), length };
}

/** Look a word up in a table. */
function checkOneOf(table: Readonly<Record<string, number>>, word: string, name: string): number {
  const value = Object.hasOwn(table, word) ? table[word] : undefined;
  if (value === undefined) {
    throw new TypeError(
      `Expected ${name} to be one of ${Object.keys(table).join(", ")}, got ${word}`,
    );
  }
  return value;
}

/** A file by its path or its descriptor. */
function checkFile(
  op: OpName,
  file: Path | number,
): { fd: number } | { path: string | Uint8Array } {
  return typeof file === "number" ? { fd: checkFd(file) } : { path: toPath(file, verbOf(op)) };
}

/** A 64-bit argument as two words. */
function splitArgument(value: number): { arg0: number; arg1: number } {
  const high = Math.floor(value / 0x1_0000_0000);
  return { arg0: value - high * 0x1_0000_0000, arg1: high };
}

/** Nanoseconds, or milliseconds, as the core takes them: in seconds and a rest. */
function splitNanoseconds(time: bigint | number): { offset: number; arg0: number } {
  if (typeof time === "bigint") {
    if (time < 0n || time >= 1n << 63n) {
      throw new RangeError(`Expected time to be nanoseconds from 0 to 2^63 - 1, got ${time}`);
    }
    return { offset: Number(time / 1_000_000_000n), arg0: Number(time % 1_000_000_000n) };
  }
  const ms = checkMs(time, "time");
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.ceil((ms - seconds * 1000) * 1e6);
  // Never too early; a rest that rounds up to a second is one
  return nanoseconds < 1e9
    ? { offset: seconds, arg0: nanoseconds }
    : { offset: seconds + 1, arg0: 0 };
}

/** A time as seconds and nanoseconds since 1970. */
function checkTime(
  time: Date | number,
  name: string,
): { seconds: number; nanoseconds: number } {
  const milliseconds = time instanceof Date
    ? time.getTime()
    : typeof time === "number"
    ? time * 1000
    : NaN;
  if (!Number.isFinite(milliseconds)) {
    throw new TypeError(`Expected ${name} to be a valid Date or seconds since 1970, got ${time}`);
  }
  const seconds = Math.floor(milliseconds / 1000);
  checkInteger(seconds, name, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  // A moment before a whole second rounds up to it, and that is no fraction
  const nanoseconds = Math.floor((milliseconds - seconds * 1000) * 1e6);
  return { seconds, nanoseconds: Math.min(nanoseconds, 999_999_999) };
}

/** A request for an operation on a path. */
function pathRequest<K extends OpName>(op: K, path: Path, options?: AtOptions): CoreRequest<K> {
  return new CoreRequest(op, {
    fd: checkAt(options),
    path: toPath(path, verbOf(op)),
  });
}

/** A request for extended attributes. */
function xattrRequest<K extends "getXattr" | "setXattr" | "listXattr" | "removeXattr">(
  op: K,
  file: Path | number,
  name: string | undefined,
  options: XattrOptions | undefined,
  more: { bytes?: Uint8Array; length?: number; mode?: number } = {},
): CoreRequest<K> {
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`Expected name to be a string, got ${typeof name}`);
  }
  return new CoreRequest(op, {
    ...(typeof file === "number"
      ? { fd: checkFd(file), path: "", access: 0 }
      : { fd: checkAt(options), path: toPath(file, verbOf(op)) }),
    ...(name === undefined ? {} : { path2: toPath(name, verbOf(op)) }),
    flags: options?.followSymlinks === false ? AT_SYMLINK_NOFOLLOW : 0,
    ...more,
  });
}

/** The `open(2)` flags of options, checked as Deno checks its own. */
function openFlags(options: OpenRequestOptions): { flags: number; access: Access } {
  const { write, append, truncate, create, createNew, direct, dsync, noFollow, directory } =
    options;
  const modes = [options.read, write, append, truncate, create, createNew];
  const ownOnly = modes.every((mode) => mode === undefined) &&
    (direct || dsync || noFollow || directory || options.at !== undefined);
  const read = options.read || ownOnly;
  if (!read && !modes.some(Boolean)) {
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
  if (dsync && !writes) {
    throw new TypeError("'dsync' option requires 'write' or 'append' to be true");
  }
  if (directory && (writes || direct)) {
    throw new TypeError("'directory' option cannot be combined with 'write', 'append' or 'direct'");
  }
  return {
    flags: (writes ? read ? O_RDWR : O_WRONLY : O_RDONLY) |
      (append ? O_APPEND : 0) | (truncate ? O_TRUNC : 0) |
      (createNew ? O_CREAT | O_EXCL : create ? O_CREAT : 0) |
      (direct ? O_DIRECT : 0) | (dsync ? O_DSYNC : 0) |
      (noFollow ? O_NOFOLLOW : 0) | (directory ? O_DIRECTORY : 0),
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
   * @param options As `Deno.open`'s and a few more; `{ read: true }` by default.
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
  /** An open file's attributes. */
  fstat(fd: number, options?: { bigint?: false }): Request<"stat">;
  /** An open file's exact attributes. */
  fstat(fd: number, options: { bigint: true }): Request<"statBigInt">;
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
  /**
   * Read into a buffer of the caller's, which is written to at the completion.
   *
   * @param fd The descriptor.
   * @param target Where to, at most 2147479552 bytes.
   * @param offset Where from, in bytes; the file's own position if not given.
   */
  readInto(
    fd: number,
    target: Uint8Array<ArrayBuffer>,
    offset?: number,
  ): Request<"readInto">;
  /**
   * Move a descriptor's position. See `lseek(2)`.
   *
   * @param fd The descriptor.
   * @param offset Bytes, possibly negative.
   * @param whence From where: the start, the current position or the end.
   */
  seek(fd: number, offset: number, whence: Deno.SeekMode): Request<"seek">;
  /** Have a file's data and attributes written to the device. See `fsync(2)`. */
  sync(fd: number): Request<"sync">;
  /** Have a file's data written to the device. See `fdatasync(2)`. */
  syncData(fd: number): Request<"syncData">;
  /**
   * Shorten or lengthen a file.
   *
   * @param file A path or a descriptor.
   * @param length Bytes, 0 to 2^53 - 1.
   */
  truncate(file: Path | number, length?: number): Request<"truncate">;
  /**
   * Reserve room on the device. See `fallocate(2)`.
   *
   * @param fd The descriptor.
   * @param offset Where, in bytes.
   * @param length Bytes, at least 1.
   * @param options Whether the file keeps its size.
   */
  allocate(
    fd: number,
    offset: number,
    length: number,
    options?: { keepSize?: boolean },
  ): Request<"allocate">;
  /**
   * Tell how a file is going to be read. See `posix_fadvise(2)`.
   *
   * @param fd The descriptor.
   * @param advice What to expect.
   * @param offset Where, in bytes.
   * @param length Bytes, 0 to 2^32 - 1; 0 for all that follows.
   */
  advise(
    fd: number,
    advice: Advice,
    offset?: number,
    length?: number,
  ): Request<"advise">;
  /** Remove a file or a symbolic link. See `unlinkat(2)`. */
  unlink(path: Path, options?: AtOptions): Request<"unlink">;
  /** Remove an empty directory. */
  rmdir(path: Path, options?: AtOptions): Request<"rmdir">;
  /**
   * Give a file another name. See `renameat2(2)`.
   *
   * @param from The old path.
   * @param to The new path.
   * @param options Whether to refuse or to exchange what is there already.
   */
  rename(from: Path, to: Path, options?: RenameOptions): Request<"rename">;
  /** Make a directory; `mode` is 0o777 by default, less the umask. */
  mkdir(path: Path, options?: AtOptions & { mode?: number }): Request<"mkdir">;
  /**
   * Make a symbolic link.
   *
   * @param target What it is to point to; it need not exist.
   * @param path The link.
   */
  symlink(target: Path, path: Path, options?: AtOptions): Request<"symlink">;
  /**
   * Make a hard link.
   *
   * @param from The file.
   * @param to Its new name.
   */
  link(from: Path, to: Path): Request<"link">;
  /** Where a symbolic link points to. */
  readLink(path: Path, options?: AtOptions): Request<"readLink">;
  /** The path of what a path leads to, without links, `.` and `..`. See `realpath(3)`. */
  realPath(path: Path): Request<"realPath">;
  /**
   * Set permission bits.
   *
   * @param file A path or a descriptor.
   * @param mode Bits, 0 to 0o7777.
   */
  chmod(file: Path | number, mode: number): Request<"chmod">;
  /**
   * Set owner and group.
   *
   * @param file A path or a descriptor.
   * @param uid The owner, `null` to leave it.
   * @param gid The group, `null` to leave it.
   * @param options Whether a symbolic link itself is meant.
   */
  chown(
    file: Path | number,
    uid: number | null,
    gid: number | null,
    options?: { followSymlinks?: boolean },
  ): Request<"chown">;
  /**
   * Set the times of the last read and the last write.
   *
   * @param file A path or a descriptor.
   * @param atime A `Date`, or seconds since 1970.
   * @param mtime The same.
   */
  utime(file: Path | number, atime: Date | number, mtime: Date | number): Request<"utime">;
  /**
   * Ask whether a file may be accessed. See `access(2)`.
   *
   * @param path The file.
   * @param mode In which ways; that it exists if none is given.
   */
  access(
    path: Path,
    mode?: { read?: boolean; write?: boolean; execute?: boolean } & AtOptions,
  ): Request<"access">;
  /**
   * Lock or unlock a file. See `flock(2)`. Without `wait` it fails with
   * `Deno.errors.WouldBlock` if someone else holds the lock; waiting keeps a worker
   * thread busy.
   *
   * @param fd The descriptor.
   * @param kind Which lock.
   * @param options Whether to wait for it.
   */
  lock(
    fd: number,
    kind: "shared" | "exclusive" | "unlock",
    options?: { wait?: boolean },
  ): Request<"lock">;
  /**
   * Copy from file to file inside the kernel. See `copy_file_range(2)`.
   *
   * @param from The descriptor to read.
   * @param to The descriptor to write.
   * @param length Bytes, 0 to 2147479552.
   * @param offsets Where; the descriptors' own positions if not given.
   */
  copyRange(
    from: number,
    to: number,
    length: number,
    offsets?: { from: number; to: number },
  ): Request<"copyRange">;
  /** All that is in a file, in one request: it is opened, read and closed. */
  readFile(path: Path, options?: AtOptions): Request<"readFile">;
  /**
   * Write a file in one request: it is opened, written and closed. The bytes are
   * copied when the request is submitted.
   *
   * @param path The file.
   * @param bytes What to write, at most 2147479552 bytes.
   * @param options As `Deno.writeFile`'s.
   */
  writeFile(path: Path, bytes: Uint8Array, options?: WriteFileOptions): Request<"writeFile">;
  /**
   * Copy a file's contents and permission bits.
   *
   * @param from The file.
   * @param to Where to; what is there is replaced.
   */
  copyFile(from: Path, to: Path): Request<"copyFile">;
  /**
   * Read into several buffers of the caller's, one after the other. What is read
   * is copied to them at the completion, so that one plain read is all it takes.
   *
   * @param fd The descriptor.
   * @param targets Where to, together at most 2147479552 bytes.
   * @param offset Where from, in bytes; the file's own position if not given.
   */
  readv(
    fd: number,
    targets: readonly Uint8Array<ArrayBuffer>[],
    offset?: number,
  ): Request<"readv">;
  /**
   * Write what lies in several buffers, one after the other, by a single write. The
   * bytes are copied when the request is submitted.
   *
   * @param fd The descriptor.
   * @param sources What to write, together at most 2147479552 bytes.
   * @param offset Where, in bytes; the file's own position if not given.
   */
  writev(fd: number, sources: readonly Uint8Array[], offset?: number): Request<"writev">;
  /**
   * Nothing, after a while.
   *
   * @param ms Milliseconds, possibly with a fraction; none takes a turn all the same.
   */
  sleep(ms: number): Request<"sleep">;
  /**
   * Nothing, after a while or at a point in time, to the nanosecond as far as the
   * kernel goes: `IORING_OP_TIMEOUT` where there is a ring, one timer for all else.
   *
   * @param time Nanoseconds as a bigint, or milliseconds as a number.
   * @param options Which clock, and whether it is a point in time.
   */
  timeout(time: bigint | number, options?: TimeoutOptions): Request<"timeout">;
  /**
   * Wait until a descriptor is ready. See `poll(2)`. It keeps no worker thread busy.
   *
   * @param fd The descriptor.
   * @param events What for; `{ readable: true }` by default.
   */
  poll(fd: number, events?: PollOptions): Request<"poll">;
  /**
   * Send a number to another queue of this process, also in another Worker. It fails
   * with `Deno.errors.NotFound` if there is no such queue, and with
   * `Deno.errors.WouldBlock` if 1024 messages are waiting there.
   *
   * @param target The queue, or its `id`.
   * @param value 0 to 2^53 - 1.
   */
  post(target: { readonly id: number } | number, value: number): Request<"post">;
  /**
   * The next message that is posted to this queue. Each is received once, by who asked
   * first, in the order in which they come.
   */
  receive(): Request<"receive">;
  /**
   * Have part of a file's data written to the device, or wait for that. It says
   * nothing of the file's attributes, and is no safeguard against a crash: see
   * `sync_file_range(2)`.
   *
   * @param fd The descriptor.
   * @param offset Where, in bytes.
   * @param length Bytes, 0 to 2^32 - 1; 0 for all that follows.
   * @param options What to begin and what to wait for.
   */
  syncRange(
    fd: number,
    offset?: number,
    length?: number,
    options?: SyncRangeOptions,
  ): Request<"syncRange">;
  /**
   * Move bytes between descriptors inside the kernel, of which one is a pipe.
   *
   * @param from The descriptor to read.
   * @param to The descriptor to write.
   * @param length Bytes, 0 to 2147479552.
   * @param options Where, and how.
   */
  splice(from: number, to: number, length: number, options?: SpliceOptions): Request<"splice">;
  /**
   * The value of an extended attribute, up to 64 KiB. See `getxattr(2)`.
   *
   * @param file A path or a descriptor.
   * @param name The attribute with its namespace, such as `user.mime_type`.
   * @param options Where the path begins, and whether links are followed.
   */
  getXattr(file: Path | number, name: string, options?: XattrOptions): Request<"getXattr">;
  /**
   * Set an extended attribute.
   *
   * @param file A path or a descriptor.
   * @param name The attribute with its namespace.
   * @param value At most 64 KiB; copied when the request is submitted.
   * @param options Whether the file must have the attribute, or must not.
   */
  setXattr(
    file: Path | number,
    name: string,
    value: Uint8Array,
    options?: SetXattrOptions,
  ): Request<"setXattr">;
  /** The names of a file's extended attributes. */
  listXattr(file: Path | number, options?: XattrOptions): Request<"listXattr">;
  /** Remove an extended attribute. */
  removeXattr(file: Path | number, name: string, options?: XattrOptions): Request<"removeXattr">;
  /**
   * Whatever a submission queue entry says; for queues that were opened with
   * `unsafeRawSqe`. It resolves to the kernel's result, and rejects if that is
   * negative. Addresses in it must stay good until then, which nobody checks.
   *
   * One request, one completion: an operation that completes several times
   * (`IORING_POLL_ADD_MULTI`, `IORING_OP_READ_MULTISHOT`, …) resolves when it has ended,
   * to the result of its last completion; the others are not told, nor are a completion's
   * flags. It ends when it is cancelled, if not before. `IOSQE_IO_LINK` would link it to
   * whichever request happens to be the next on the ring.
   *
   * @param sqe 64 bytes as `struct io_uring_sqe` has them, in the machine's order. Its
   *        `user_data` is the library's. `IOSQE_CQE_SKIP_SUCCESS` is refused, since
   *        every request has a completion.
   */
  rawSqe(sqe: Uint8Array): Request<"rawSqe">;
}

/** Options of `op.timeout()`. */
export interface TimeoutOptions {
  /**
   * The clock to go by.
   *
   * @default {"monotonic"}
   */
  clock?: ClockName;
  /**
   * Whether the time is a point in time of that clock, as `Ioq.now()` gives it,
   * instead of a while from now on. One that has passed ends at once.
   *
   * @default {false}
   */
  absolute?: boolean;
}

/** What `op.poll()` waits for; errors and the closing of the other end always count. */
export interface PollOptions {
  /** That it can be read. */
  readable?: boolean;
  /** That it can be written. */
  writable?: boolean;
  /** That there is something exceptional to be read. */
  priority?: boolean;
}

/** Options of requests for extended attributes. */
export interface XattrOptions extends AtOptions {
  /**
   * Whether a symbolic link's target is meant, not the link itself.
   *
   * @default {true}
   */
  followSymlinks?: boolean;
}

/** Options of `op.setXattr()`. */
export interface SetXattrOptions extends XattrOptions {
  /** Fail with `Deno.errors.AlreadyExists` if the file has the attribute. */
  create?: boolean;
  /** Fail with `ENODATA` if the file has no such attribute. */
  replace?: boolean;
}

/** What `op.syncRange()` waits for, and what it begins. See `sync_file_range(2)`. */
export interface SyncRangeOptions {
  /** First wait until what is being written of it is on the device. */
  waitBefore?: boolean;
  /** Begin writing what has changed. True by default. */
  write?: boolean;
  /** Then wait until that is on the device. */
  waitAfter?: boolean;
}

/** Where `op.splice()` reads and writes, and how. See `splice(2)`. */
export interface SpliceOptions {
  /** Where in the source, in bytes; its own position if not given. Not for pipes. */
  from?: number;
  /** Where in the target, in bytes; its own position if not given. Not for pipes. */
  to?: number;
  /** Fail with `Deno.errors.WouldBlock` instead of waiting for a pipe. */
  nonBlock?: boolean;
  /** Say that more is to come. */
  more?: boolean;
}

/** How a file is going to be read. */
export type Advice =
  | "normal"
  | "random"
  | "sequential"
  | "willNeed"
  | "dontNeed"
  | "noReuse";

/** Options of `op.rename()`. */
export interface RenameOptions {
  /** The directory descriptor that the old path is relative to. */
  at?: number;
  /** The directory descriptor that the new path is relative to. */
  toAt?: number;
  /** Fail with `Deno.errors.AlreadyExists` if the new path exists. */
  noReplace?: boolean;
  /** Exchange the two files, which must both exist. */
  exchange?: boolean;
}

/** Options of `op.writeFile()`: those of `Deno.writeFile`, and {@linkcode AtOptions}. */
export interface WriteFileOptions extends AtOptions {
  /** Whether to append instead of replacing the contents. */
  append?: boolean;
  /** Whether to make the file if it does not exist. True by default. */
  create?: boolean;
  /** Whether to fail if the file exists. */
  createNew?: boolean;
  /** Permission bits; they are set on a file that exists, too. */
  mode?: number;
}

const NOP = new CoreRequest("nop", {});
const RECEIVE = new CoreRequest("receive", {});
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
      mode: checkMode(options.mode, 0o666),
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
  fstat:
    ((fd: number, options?: { bigint?: boolean }) =>
      new CoreRequest(options?.bigint ? "statBigInt" : "stat", {
        fd: checkFd(fd),
        flags: AT_EMPTY_PATH,
      })) as OpBuilders["fstat"],
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
  write: (fd, bytes, offset) =>
    new CoreRequest("write", {
      fd: checkFd(fd),
      bytes: checkBytes(bytes, "bytes"),
      length: bytes.byteLength,
      ...checkOffset(offset),
    }),
  readInto: (fd, target, offset) =>
    new CoreRequest("readInto", {
      fd: checkFd(fd),
      target: checkBytes(target, "target") as Uint8Array<ArrayBuffer>,
      length: target.byteLength,
      ...checkOffset(offset),
    }),
  seek: (fd, offset, whence) =>
    new CoreRequest("seek", {
      fd: checkFd(fd),
      offset: checkInteger(offset, "offset", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      flags: checkInteger(whence, "whence", 0, 2),
    }),
  sync: (fd) => new CoreRequest("sync", { fd: checkFd(fd) }),
  syncData: (fd) => new CoreRequest("syncData", { fd: checkFd(fd) }),
  truncate: (file, length = 0) =>
    new CoreRequest("truncate", {
      ...checkFile("truncate", file),
      ...checkOffset(length),
    }),
  allocate: (fd, offset, length, options) =>
    new CoreRequest("allocate", {
      fd: checkFd(fd),
      flags: options?.keepSize ? FALLOC_FL_KEEP_SIZE : 0,
      ...checkOffset(offset),
      ...splitArgument(checkInteger(length, "length", 1, Number.MAX_SAFE_INTEGER)),
    }),
  advise: (fd, advice, offset = 0, length = 0) =>
    new CoreRequest("advise", {
      fd: checkFd(fd),
      flags: checkOneOf(ADVICE, advice, "advice"),
      length: checkInteger(length, "length", 0, UINT32_MAX),
      ...checkOffset(offset),
    }),
  unlink: (path, options) => pathRequest("unlink", path, options),
  rmdir: (path, options) => pathRequest("rmdir", path, options),
  rename: (from, to, options) =>
    new CoreRequest("rename", {
      fd: checkAt(options),
      fd2: options?.toAt === undefined ? AT_FDCWD : checkFd(options.toAt),
      path: toPath(from, "rename"),
      path2: toPath(to, "rename"),
      flags: (options?.noReplace ? RENAME_NOREPLACE : 0) |
        (options?.exchange ? RENAME_EXCHANGE : 0),
    }),
  mkdir: (path, options) =>
    new CoreRequest("mkdir", {
      fd: checkAt(options),
      path: toPath(path, "mkdir"),
      mode: checkMode(options?.mode, 0o777),
    }),
  symlink: (target, path, options) =>
    new CoreRequest("symlink", {
      fd2: checkAt(options),
      path: toPath(target, "symlink"),
      path2: toPath(path, "symlink"),
    }),
  link: (from, to) =>
    new CoreRequest("link", { path: toPath(from, "link"), path2: toPath(to, "link") }),
  readLink: (path, options) => pathRequest("readLink", path, options),
  realPath: (path) => pathRequest("realPath", path),
  chmod: (file, mode) =>
    new CoreRequest("chmod", {
      ...checkFile("chmod", file),
      mode: checkInteger(mode, "mode", 0, 0o7777),
    }),
  chown: (file, uid, gid, options) =>
    new CoreRequest("chown", {
      ...checkFile("chown", file),
      // All bits set leave it as it is, see chown(2)
      arg0: uid === null ? UINT32_MAX : checkInteger(uid, "uid", 0, UINT32_MAX - 1),
      arg1: gid === null ? UINT32_MAX : checkInteger(gid, "gid", 0, UINT32_MAX - 1),
      flags: options?.followSymlinks === false ? AT_SYMLINK_NOFOLLOW : 0,
    }),
  utime(file, atime, mtime) {
    const accessed = checkTime(atime, "atime");
    const modified = checkTime(mtime, "mtime");
    return new CoreRequest("utime", {
      ...checkFile("utime", file),
      offset: accessed.seconds,
      ...splitArgument(modified.seconds),
      arg2: accessed.nanoseconds,
      arg3: modified.nanoseconds,
    });
  },
  access: (path, mode) =>
    new CoreRequest("access", {
      fd: checkAt(mode),
      path: toPath(path, "access"),
      mode: (mode?.read ? R_OK : 0) | (mode?.write ? W_OK : 0) | (mode?.execute ? X_OK : 0),
    }),
  lock: (fd, kind, options) =>
    new CoreRequest("lock", {
      fd: checkFd(fd),
      flags: checkOneOf(LOCKS, kind, "kind") | (options?.wait ? 0 : LOCK_NB),
    }),
  copyRange: (from, to, length, offsets) =>
    new CoreRequest("copyRange", {
      fd: checkFd(from),
      fd2: checkFd(to),
      length: checkInteger(length, "length", 0, layout.TRANSFER_MAX),
      ...checkOffset(offsets?.from),
      ...(offsets === undefined
        ? {}
        : splitArgument(checkInteger(offsets.to, "to", 0, Number.MAX_SAFE_INTEGER))),
      arg2: offsets === undefined ? 0 : 1,
    }),
  readFile: (path, options) => pathRequest("readFile", path, options),
  writeFile: (path, bytes, options) =>
    new CoreRequest("writeFile", {
      fd: checkAt(options),
      path: toPath(path, "writefile"),
      bytes: checkBytes(bytes, "bytes"),
      length: bytes.byteLength,
      flags: O_WRONLY | (options?.append ? O_APPEND : O_TRUNC) |
        (options?.createNew ? O_CREAT | O_EXCL : (options?.create ?? true) ? O_CREAT : 0),
      mode: checkMode(options?.mode, 0o666),
      arg0: options?.mode === undefined ? 0 : 1,
    }),
  copyFile: (from, to) =>
    new CoreRequest("copyFile", { path: toPath(from, "copy"), path2: toPath(to, "copy") }),
  readv: (fd, targets, offset) =>
    new CoreRequest("readv", {
      fd: checkFd(fd),
      ...checkParts(targets, "targets", (parts) => ({ targets: parts })),
      ...checkOffset(offset),
    }),
  writev: (fd, sources, offset) =>
    new CoreRequest("writev", {
      fd: checkFd(fd),
      ...checkParts(sources, "sources", (parts) => ({ sources: parts })),
      ...checkOffset(offset),
    }),
  sleep: (ms) =>
    new CoreRequest("sleep", { flags: CLOCKS.monotonic, ...splitNanoseconds(checkMs(ms, "ms")) }),
  timeout: (time, options) =>
    new CoreRequest("timeout", {
      flags: checkOneOf(CLOCKS, options?.clock ?? "monotonic", "clock") |
        (options?.absolute ? layout.TIMEOUT_ABSOLUTE : 0),
      ...splitNanoseconds(time),
    }),
  poll: (fd, events = { readable: true }) =>
    new CoreRequest("poll", {
      fd: checkFd(fd),
      flags: (events.readable ? POLLIN : 0) | (events.writable ? POLLOUT : 0) |
        (events.priority ? POLLPRI : 0),
    }),
  post: (target, value) =>
    new CoreRequest("post", {
      arg0: checkInteger(typeof target === "number" ? target : target.id, "target", 1, UINT32_MAX),
      offset: checkInteger(value, "value", 0, Number.MAX_SAFE_INTEGER),
    }),
  receive: () => RECEIVE,
  syncRange: (fd, offset = 0, length = 0, options = {}) =>
    new CoreRequest("syncRange", {
      fd: checkFd(fd),
      length: checkInteger(length, "length", 0, UINT32_MAX),
      flags: (options.waitBefore ? SYNC_FILE_RANGE_WAIT_BEFORE : 0) |
        ((options.write ?? true) ? SYNC_FILE_RANGE_WRITE : 0) |
        (options.waitAfter ? SYNC_FILE_RANGE_WAIT_AFTER : 0),
      ...checkOffset(offset),
    }),
  splice: (from, to, length, options = {}) =>
    new CoreRequest("splice", {
      fd: checkFd(from),
      fd2: checkFd(to),
      length: checkInteger(length, "length", 0, layout.TRANSFER_MAX),
      flags: (options.nonBlock ? SPLICE_F_NONBLOCK : 0) | (options.more ? SPLICE_F_MORE : 0),
      ...checkOffset(options.from),
      ...(options.to === undefined
        ? {}
        : splitArgument(checkInteger(options.to, "to", 0, Number.MAX_SAFE_INTEGER))),
      arg2: options.to === undefined ? 0 : 1,
    }),
  getXattr: (file, name, options) => xattrRequest("getXattr", file, name, options),
  setXattr: (file, name, value, options) =>
    xattrRequest("setXattr", file, name, options, {
      bytes: checkBytes(value, "value"),
      length: value.byteLength,
      mode: (options?.create ? XATTR_CREATE : 0) | (options?.replace ? XATTR_REPLACE : 0),
    }),
  listXattr: (file, options) => xattrRequest("listXattr", file, undefined, options),
  removeXattr: (file, name, options) => xattrRequest("removeXattr", file, name, options),
  rawSqe(sqe) {
    checkInteger(checkBytes(sqe, "sqe").byteLength, "sqe.byteLength", SQE_LENGTH, SQE_LENGTH);
    if (sqe[1]! & IOSQE_CQE_SKIP_SUCCESS) {
      throw new TypeError("Cannot take an SQE with IOSQE_CQE_SKIP_SUCCESS");
    }
    return new CoreRequest("rawSqe", { path: sqe.slice(), access: 0 });
  },
};
