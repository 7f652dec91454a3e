// Copyright 2026 the ioq authors. MIT license.

/**
 * The operations as callers see them: what each resolves to, and what the function of
 * `op` takes that makes its requests. The names of the operations, and the types of
 * requests, completions and promises follow from it.
 *
 * @module
 */

import type { DirEntry } from "../linux/directory.ts";
import type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
import type { PollEvents } from "../linux/poll.ts";
import type { IoqRequest } from "./request.ts";
import type { FileTime } from "../file_time.ts";
import type { Path } from "../path.ts";
import type {
  Advice,
  AtOptions,
  ChownOptions,
  DurableOptions,
  FromToOptions,
  OpenRequestOptions,
  PollOptions,
  RenameOptions,
  SetXattrOptions,
  SpliceOptions,
  StatOptions,
  SyncRangeOptions,
  TimeoutOptions,
  UtimeOptions,
  WriteFileOptions,
  XattrOptions,
} from "./request_options.ts";

/**
 * What each operation resolves to.
 *
 * @category Requests
 */
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
  /** An open file's attributes. */
  fstat: FileInfo;
  /** An open file's exact attributes. */
  fstatBigInt: BigIntFileInfo;
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
  /** A descriptor: part of a `writeFile()` that replaces its file in pieces. */
  replaceBegin: number;
  /** Nothing: the end of that. */
  replaceEnd: undefined;
  /** Nothing: part of a `readRanges()`. */
  readRanges: undefined;
}

/**
 * The name of an operation.
 *
 * @category Requests
 */
export type OpName = keyof OpValues;

/**
 * The functions of `op`.
 *
 * @category Requests
 */
export interface OpBuilders {
  /** Do nothing. The queue completes it by itself, so it measures the cost of the queue. */
  nop(): IoqRequest<"nop">;
  /** Do nothing, through the kernel: `IORING_OP_NOP` where there is a ring. */
  kernelNop(): IoqRequest<"kernelNop">;
  /**
   * Open a file; resolves to its descriptor, which the caller must close.
   *
   * @param path The file.
   * @param options As `Deno.open`'s and a few more; `{ read: true }` by default.
   * @throws {TypeError} If the path or the combination of options is invalid.
   * @throws {RangeError} If `mode` is no mode: 0 to 0o177777, of which 0o7777 count.
   */
  open(path: Path, options?: OpenRequestOptions): IoqRequest<"open">;
  /**
   * Close a descriptor. It runs even if it is cancelled. Where only some paths are granted, it is
   * for descriptors that this thread opened, and waits for requests on it that are in flight. That
   * of an `IoqFile` is refused with a `TypeError`: the file closes it.
   *
   * @param fd The descriptor, 0 to 2^31 - 1.
   */
  close(fd: number): IoqRequest<"close">;
  /**
   * A file's attributes, following a symbolic link. See `statx(2)`.
   *
   * @param path The file.
   * @param options Whether to give exact numbers.
   */
  stat(path: Path, options?: StatOptions & { bigint?: false }): IoqRequest<"stat">;
  /** A file's exact attributes, following a symbolic link. */
  stat(path: Path, options: StatOptions & { bigint: true }): IoqRequest<"statBigInt">;
  /** A file's attributes, not following a symbolic link. */
  lstat(path: Path, options?: StatOptions & { bigint?: false }): IoqRequest<"lstat">;
  /** A file's exact attributes, not following a symbolic link. */
  lstat(path: Path, options: StatOptions & { bigint: true }): IoqRequest<"lstatBigInt">;
  /** An open file's attributes. */
  fstat(fd: number, options?: { bigint?: false }): IoqRequest<"fstat">;
  /** An open file's exact attributes. */
  fstat(fd: number, options: { bigint: true }): IoqRequest<"fstatBigInt">;
  /** Open a directory; resolves to its descriptor, for `readDirBlock` and `closeDir`. */
  openDir(path: Path, options?: AtOptions): IoqRequest<"openDir">;
  /**
   * The next entries of an open directory, up to 64 KiB of what `getdents64(2)`
   * gives; an empty array at its end.
   *
   * @param fd What `openDir` resolved to.
   */
  readDirBlock(fd: number): IoqRequest<"readDirBlock">;
  /** Close a directory, as {@linkcode OpBuilders.close} closes a file. */
  closeDir(fd: number): IoqRequest<"closeDir">;
  /** All entries of a directory in one request: it is opened, read and closed. */
  readDir(path: Path, options?: AtOptions): IoqRequest<"readDir">;
  /**
   * Read from a descriptor.
   *
   * @param fd The descriptor.
   * @param length Bytes, 0 to 2147479552.
   * @param offset Where, in bytes; the file's own position if not given.
   */
  read(fd: number, length: number, offset?: number): IoqRequest<"read">;
  /**
   * Write to a descriptor. The bytes are copied when the request is submitted.
   *
   * @param fd The descriptor.
   * @param bytes What to write, at most 2147479552 bytes.
   * @param offset Where, in bytes; the file's own position if not given.
   * @param options Whether it is to be on the device when the operation is over.
   */
  write(
    fd: number,
    bytes: Uint8Array,
    offset?: number,
    options?: DurableOptions,
  ): IoqRequest<"write">;
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
  ): IoqRequest<"readInto">;
  /**
   * Move a descriptor's position. See `lseek(2)`.
   *
   * @param fd The descriptor.
   * @param offset Bytes, possibly negative.
   * @param whence From where: the start, the current position or the end.
   */
  seek(fd: number, offset: number, whence: Deno.SeekMode): IoqRequest<"seek">;
  /** Write a file's data and attributes to the device. See `fsync(2)`. */
  sync(fd: number): IoqRequest<"sync">;
  /** Write a file's data to the device. See `fdatasync(2)`. */
  syncData(fd: number): IoqRequest<"syncData">;
  /**
   * Shorten or lengthen a file.
   *
   * @param file A path or a descriptor.
   * @param length Bytes, 0 to 2^53 - 1; 0 by default.
   * @param options Where the path begins.
   */
  truncate(file: Path | number, length?: number, options?: AtOptions): IoqRequest<"truncate">;
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
    options?: { keepSize?: boolean | undefined },
  ): IoqRequest<"allocate">;
  /**
   * Tell the kernel how a file will be read. See `posix_fadvise(2)`.
   *
   * @param fd The descriptor.
   * @param advice How the file will be read.
   * @param offset Where, in bytes.
   * @param length Bytes, 0 to 2^32 - 1; 0 for all that follows.
   */
  advise(
    fd: number,
    advice: Advice,
    offset?: number,
    length?: number,
  ): IoqRequest<"advise">;
  /** Remove a file or a symbolic link. See `unlinkat(2)`. */
  unlink(path: Path, options?: AtOptions): IoqRequest<"unlink">;
  /** Remove an empty directory. */
  rmdir(path: Path, options?: AtOptions): IoqRequest<"rmdir">;
  /**
   * Rename a file or a directory. See `renameat2(2)`.
   *
   * @param from The old path.
   * @param to The new path.
   * @param options Whether to fail if the new path exists, or to exchange the two.
   */
  rename(from: Path, to: Path, options?: RenameOptions): IoqRequest<"rename">;
  /** Make a directory; `mode` is 0o777 by default, less the umask. */
  mkdir(path: Path, options?: AtOptions & { mode?: number }): IoqRequest<"mkdir">;
  /**
   * Make a symbolic link.
   *
   * @param target What the link points to; it need not exist.
   * @param path The link.
   */
  symlink(target: Path, path: Path, options?: AtOptions): IoqRequest<"symlink">;
  /**
   * Make a hard link.
   *
   * @param from The file.
   * @param to Its new name.
   * @param options Where the paths begin.
   */
  link(from: Path, to: Path, options?: FromToOptions): IoqRequest<"link">;
  /** Read what a symbolic link points to. */
  readLink(path: Path, options?: AtOptions): IoqRequest<"readLink">;
  /** Resolve a path to one without links, `.` and `..`. See `realpath(3)`. */
  realPath(path: Path, options?: AtOptions): IoqRequest<"realPath">;
  /**
   * Set permission bits.
   *
   * @param file A path or a descriptor.
   * @param mode Permission bits, 0 to 0o7777; the type of a file above them, as `stat()`
   *        gives it, is left aside.
   * @param options Where the path begins.
   */
  chmod(file: Path | number, mode: number, options?: AtOptions): IoqRequest<"chmod">;
  /**
   * Set owner and group.
   *
   * @param file A path or a descriptor.
   * @param uid The owner, `null` to leave it.
   * @param gid The group, `null` to leave it.
   * @param options Whether a symbolic link itself is meant; where the path begins.
   */
  chown(
    file: Path | number,
    uid: number | null,
    gid: number | null,
    options?: ChownOptions,
  ): IoqRequest<"chown">;
  /**
   * Set the times of the last read and the last write.
   *
   * @param file A path or a descriptor.
   * @param atime A `Date`, seconds since 1970, nanoseconds as a `bigint`, or a
   *        `Temporal.Instant`; without the native library these are taken in milliseconds only.
   * @param mtime The same.
   * @param options Whether a symbolic link itself is meant; where the path begins.
   */
  utime(
    file: Path | number,
    atime: FileTime,
    mtime: FileTime,
    options?: UtimeOptions,
  ): IoqRequest<"utime">;
  /**
   * Check whether a file may be accessed. See `access(2)`.
   *
   * @param path The file.
   * @param mode The kinds of access; by default only that the file exists.
   */
  access(
    path: Path,
    mode?: { read?: boolean; write?: boolean; execute?: boolean } & AtOptions,
  ): IoqRequest<"access">;
  /**
   * Lock or unlock a file. See `flock(2)`. Without `wait` it fails with
   * `Deno.errors.WouldBlock` if the lock is held elsewhere. Waiting takes no worker thread, except
   * without the native library.
   *
   * @param fd The descriptor.
   * @param kind Which lock.
   * @param options Whether to wait for it.
   */
  lock(
    fd: number,
    kind: "shared" | "exclusive" | "unlock",
    options?: { wait?: boolean },
  ): IoqRequest<"lock">;
  /**
   * Copy from file to file inside the kernel. See `copy_file_range(2)`.
   *
   * @param from The descriptor to read.
   * @param to The descriptor to write.
   * @param length Bytes, 0 to 2147479552.
   * @param offsets Where to read and write; the descriptors' own positions by default.
   */
  copyRange(
    from: number,
    to: number,
    length: number,
    offsets?: { from: number; to: number },
  ): IoqRequest<"copyRange">;
  /** Read a whole file in one request: it is opened, read and closed. */
  readFile(path: Path, options?: AtOptions): IoqRequest<"readFile">;
  /**
   * Write a file in one request: it is opened, written and closed. The bytes are
   * copied when the request is submitted.
   *
   * @param path The file.
   * @param bytes What to write, at most 2147479552 bytes.
   * @param options As `Deno.writeFile`'s.
   */
  writeFile(path: Path, bytes: Uint8Array, options?: WriteFileOptions): IoqRequest<"writeFile">;
  /**
   * Copy a file's contents and permission bits.
   *
   * @param from The file.
   * @param to The copy, which replaces what is there.
   * @param options Where the paths begin.
   */
  copyFile(from: Path, to: Path, options?: FromToOptions): IoqRequest<"copyFile">;
  /**
   * Read into several buffers of the caller's, one after the other. It is one plain read, whose
   * bytes are copied to the buffers at the completion.
   *
   * @param fd The descriptor.
   * @param targets Where to, together at most 2147479552 bytes.
   * @param offset Where from, in bytes; the file's own position if not given.
   */
  readv(
    fd: number,
    targets: readonly Uint8Array<ArrayBuffer>[],
    offset?: number,
  ): IoqRequest<"readv">;
  /**
   * Write several buffers, one after the other, by a single write. The bytes are copied when the
   * request is submitted.
   *
   * @param fd The descriptor.
   * @param sources What to write, together at most 2147479552 bytes.
   * @param offset Where, in bytes; the file's own position if not given.
   */
  writev(fd: number, sources: readonly Uint8Array[], offset?: number): IoqRequest<"writev">;
  /**
   * Wait for a duration.
   *
   * @param ms Milliseconds, possibly with a fraction. 0 completes with the next turn.
   */
  sleep(ms: number): IoqRequest<"sleep">;
  /**
   * Wait for a duration, or until a point in time, as exactly as the kernel does: by
   * `IORING_OP_TIMEOUT` where there is a ring, else by one timer for all.
   *
   * @param time Nanoseconds as a bigint, or milliseconds as a number.
   * @param options Which clock, and whether it is a point in time.
   */
  timeout(time: bigint | number, options?: TimeoutOptions): IoqRequest<"timeout">;
  /**
   * Wait until a descriptor is ready. See `poll(2)`. It keeps no worker thread busy.
   *
   * @param fd The descriptor.
   * @param events What to wait for; `{ readable: true }` by default.
   */
  poll(fd: number, events?: PollOptions): IoqRequest<"poll">;
  /**
   * Send a number to another queue of this process, also in another Worker. It fails
   * with `Deno.errors.NotFound` if there is no such queue, and with
   * `Deno.errors.WouldBlock` if 1024 messages are waiting there.
   *
   * @param target The queue, or its `id`.
   * @param value 0 to 2^53 - 1.
   */
  post(target: { readonly id: number } | number, value: number): IoqRequest<"post">;
  /**
   * Wait for the next message that is posted to this queue. Each message is received once, in
   * order, by the request that has waited longest.
   */
  receive(): IoqRequest<"receive">;
  /**
   * Write part of a file's data to the device, or wait for that. The file's attributes are not
   * written, so it does not protect against a crash: see `sync_file_range(2)`.
   *
   * @param fd The descriptor.
   * @param offset Where, in bytes.
   * @param length Bytes, 0 to 2^32 - 1; 0 for all that follows.
   * @param options What to begin, and what to wait for.
   */
  syncRange(
    fd: number,
    offset?: number,
    length?: number,
    options?: SyncRangeOptions,
  ): IoqRequest<"syncRange">;
  /**
   * Move bytes between two descriptors inside the kernel. One of them must be a pipe.
   *
   * @param from The descriptor to read.
   * @param to The descriptor to write.
   * @param length Bytes, 0 to 2147479552.
   * @param options Where, and how.
   */
  splice(from: number, to: number, length: number, options?: SpliceOptions): IoqRequest<"splice">;
  /**
   * Read the value of an extended attribute, up to 64 KiB. See `getxattr(2)`.
   *
   * @param file A path or a descriptor.
   * @param name The attribute with its namespace, such as `user.mime_type`.
   * @param options Where the path begins, and whether links are followed.
   */
  getXattr(file: Path | number, name: string, options?: XattrOptions): IoqRequest<"getXattr">;
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
  ): IoqRequest<"setXattr">;
  /** Read the names of a file's extended attributes. */
  listXattr(file: Path | number, options?: XattrOptions): IoqRequest<"listXattr">;
  /** Remove an extended attribute. */
  removeXattr(file: Path | number, name: string, options?: XattrOptions): IoqRequest<"removeXattr">;
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
  rawSqe(sqe: Uint8Array): IoqRequest<"rawSqe">;
}
