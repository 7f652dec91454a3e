// Copyright 2026 the ioq authors. MIT license.

/**
 * The operations as functions, for callers that do not need their own queue: they share one,
 * see `default_queue.ts`.
 *
 * Each has the parameters, the result and the errors of the method of
 * {@linkcode Ioq} that has its name, and rejects with `Deno.errors.NotSupported` if
 * no queue can be opened.
 *
 * @module
 */

import { onDefaultQueue, sharedQueue } from "./default_queue.ts";
import type { DirEntry } from "./linux/directory.ts";
import type { IoqFile, OpenFileOptions } from "./files/file.ts";
import type { BigIntFileInfo, FileInfo } from "./linux/stat.ts";
import type {
  AtOptions,
  ChownOptions,
  FromToOptions,
  RenameOptions,
  SetXattrOptions,
  StatOptions,
  UtimeOptions,
  WriteFileOptions,
  XattrOptions,
} from "./operations/request_options.ts";
import type { FileTime } from "./file_time.ts";
import type { Path } from "./path.ts";
import type { OperationOptions } from "./queue/runner.ts";
import type { RemoveOptions } from "./forms.ts";
import type { MakeTempOptions } from "./files/temporary.ts";
import type { ExistsOptions } from "./trees/ensure.ts";
import type { MoveOptions } from "./trees/move.ts";
import type { ReadFileOptions } from "./files/whole_files.ts";
import type { FileToWrite, WriteFilesOptions, WrittenFiles } from "./trees/write_files.ts";
import {
  type FileContents,
  type FileSource,
  type PathOf,
  readFiles as read,
  type ReadFilesOptions,
} from "./files/read_files.ts";

/**
 * Resolves to a file's attributes, following a symbolic link, as `Deno.stat` does. Runs on the
 * shared queue.
 *
 * @param path The file.
 * @param options `bigint` for exact numbers; where a relative path begins; `signal`,
 *        `timeoutMs`.
 * @category Files
 */
export function stat(
  path: Path,
  options?: StatOptions & OperationOptions & { bigint?: false },
): Promise<FileInfo>;
/**
 * Resolves to a file's attributes as exact numbers, following a symbolic link.
 *
 * @category Files
 */
export function stat(
  path: Path,
  options: StatOptions & OperationOptions & { bigint: true },
): Promise<BigIntFileInfo>;
export function stat(
  path: Path,
  options?: StatOptions & OperationOptions,
): Promise<FileInfo | BigIntFileInfo> {
  return onDefaultQueue<FileInfo | BigIntFileInfo>((ioq) =>
    ioq.stat(path, options as { bigint: true })
  );
}

/**
 * Resolves to a file's attributes, those of a symbolic link itself, as `Deno.lstat` does. Runs
 * on the shared queue.
 *
 * @param path The file.
 * @param options `bigint` for exact numbers; where a relative path begins; `signal`,
 *        `timeoutMs`.
 * @category Files
 */
export function lstat(
  path: Path,
  options?: StatOptions & OperationOptions & { bigint?: false },
): Promise<FileInfo>;
/**
 * Resolves to a file's attributes as exact numbers, those of a symbolic link itself.
 *
 * @category Files
 */
export function lstat(
  path: Path,
  options: StatOptions & OperationOptions & { bigint: true },
): Promise<BigIntFileInfo>;
export function lstat(
  path: Path,
  options?: StatOptions & OperationOptions,
): Promise<FileInfo | BigIntFileInfo> {
  return onDefaultQueue<FileInfo | BigIntFileInfo>((ioq) =>
    ioq.lstat(path, options as { bigint: true })
  );
}

/**
 * Resolves to all entries of a directory, without `.` and `..`, in the order that the file
 * system gives. Runs on the shared queue.
 *
 * @param path The directory.
 * @param options Where a relative path begins; `signal`, `timeoutMs`.
 * @category Files
 */
export function readDir(path: Path, options?: AtOptions & OperationOptions): Promise<DirEntry[]> {
  return onDefaultQueue((ioq) => ioq.readDir(path, options));
}

/**
 * Opens a file, with the options of `Deno.open` and a few more; to read by default. Runs on
 * the shared queue.
 *
 * @param path The file.
 * @param options How to open it; `signal`, `timeoutMs`.
 * @category Open files
 */
export function openFile(
  path: Path,
  options?: OpenFileOptions & OperationOptions,
): Promise<IoqFile> {
  return onDefaultQueue((ioq) => ioq.openFile(path, options));
}

/**
 * Reads a whole file as bytes. Rejects as `Deno.readFile` does. Runs on the shared queue.
 *
 * @param path The file.
 * @param options `maxBytes`, `signal`, `timeoutMs`.
 * @category Files
 */
export function readFile(
  path: Path,
  options?: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return onDefaultQueue((ioq) => ioq.readFile(path, options));
}

/**
 * Reads a whole file as text. Bytes that are not UTF-8 become U+FFFD. Runs on the shared
 * queue.
 *
 * @param path The file.
 * @param options `maxBytes`, `signal`, `timeoutMs`.
 * @category Files
 */
export function readTextFile(path: Path, options?: ReadFileOptions): Promise<string> {
  return onDefaultQueue((ioq) => ioq.readTextFile(path, options));
}

/**
 * Writes bytes, or a stream of them, to a file, with the options of `Deno.writeFile`. Runs on
 * the shared queue.
 *
 * @param path The file.
 * @param data The bytes, which must not change until the promise settles.
 * @param options How to write; `signal`, `timeoutMs`.
 * @category Files
 */
export function writeFile(
  path: Path,
  data: Uint8Array | ReadableStream<Uint8Array>,
  options?: WriteFileOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.writeFile(path, data, options));
}

/**
 * Writes text, or a stream of it, to a file, with the options of `Deno.writeTextFile`. Runs on
 * the shared queue.
 *
 * @param path The file.
 * @param data The text.
 * @param options How to write; `signal`, `timeoutMs`.
 * @category Files
 */
export function writeTextFile(
  path: Path,
  data: string | ReadableStream<string>,
  options?: WriteFileOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.writeTextFile(path, data, options));
}

/**
 * Copies a file's contents and permission bits. Rejects as `Deno.copyFile` does. Runs on the
 * shared queue.
 *
 * @param from The file.
 * @param to The copy, replaced if it exists.
 * @param options `signal`, `timeoutMs`.
 * @category Files
 */
export function copyFile(
  from: Path,
  to: Path,
  options?: FromToOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.copyFile(from, to, options));
}

/**
 * Makes a directory. Runs on the shared queue.
 *
 * @param path The directory.
 * @param options `recursive` also makes the directories above it, and accepts one that exists;
 *        `mode`, the permission bits.
 * @category Files
 */
export function mkdir(
  path: Path,
  options?: AtOptions & OperationOptions & { mode?: number; recursive?: boolean },
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.mkdir(path, options));
}

/**
 * Removes a file, a symbolic link or a directory. Rejects as `Deno.remove` does. Runs on the
 * shared queue.
 *
 * @param path What to remove.
 * @param options `recursive` removes a directory with all that is in it.
 * @category Files
 */
export function remove(path: Path, options?: RemoveOptions & OperationOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.remove(path, options));
}

/**
 * Renames a file or a directory, replacing what has the new name. Runs on the shared queue.
 *
 * @param from The old path.
 * @param to The new path.
 * @param options Whether to replace or to exchange; `signal`, `timeoutMs`.
 * @category Files
 */
export function rename(
  from: Path,
  to: Path,
  options?: RenameOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.rename(from, to, options));
}

/**
 * Makes a hard link. Runs on the shared queue.
 *
 * @param from The file.
 * @param to Its additional path.
 * @param options `signal`, `timeoutMs`.
 * @category Files
 */
export function link(
  from: Path,
  to: Path,
  options?: FromToOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.link(from, to, options));
}

/**
 * Makes a symbolic link. Runs on the shared queue.
 *
 * @param target What the link holds.
 * @param path The link.
 * @param options Where a relative path begins; `signal`, `timeoutMs`.
 * @category Files
 */
export function symlink(
  target: Path,
  path: Path,
  options?: AtOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.symlink(target, path, options));
}

/**
 * Resolves to what a symbolic link holds. Runs on the shared queue.
 *
 * @param path The link.
 * @param options `bytes` for exact bytes; where a relative path begins; `signal`, `timeoutMs`.
 * @category Files
 */
export function readLink(
  path: Path,
  options?: AtOptions & OperationOptions & { bytes?: false },
): Promise<string>;
/**
 * Resolves to what a symbolic link holds, byte by byte.
 *
 * @category Files
 */
export function readLink(
  path: Path,
  options: AtOptions & OperationOptions & { bytes: true },
): Promise<Uint8Array<ArrayBuffer>>;
export function readLink(
  path: Path,
  options?: AtOptions & OperationOptions & { bytes?: boolean },
): Promise<string | Uint8Array<ArrayBuffer>> {
  return onDefaultQueue<string | Uint8Array<ArrayBuffer>>((ioq) =>
    ioq.readLink(path, options as { bytes: true })
  );
}

/**
 * Resolves to the absolute path of what a path leads to, without links, `.` and `..`. Runs on
 * the shared queue.
 *
 * @param path The path.
 * @param options `bytes` for exact bytes; `signal`, `timeoutMs`.
 * @category Files
 */
export function realPath(
  path: Path,
  options?: AtOptions & OperationOptions & { bytes?: false },
): Promise<string>;
/**
 * Resolves to the absolute path of what a path leads to, byte by byte.
 *
 * @category Files
 */
export function realPath(
  path: Path,
  options: AtOptions & OperationOptions & { bytes: true },
): Promise<Uint8Array<ArrayBuffer>>;
export function realPath(
  path: Path,
  options?: AtOptions & OperationOptions & { bytes?: boolean },
): Promise<string | Uint8Array<ArrayBuffer>> {
  return onDefaultQueue<string | Uint8Array<ArrayBuffer>>((ioq) =>
    ioq.realPath(path, options as { bytes: true })
  );
}

/**
 * Shortens or lengthens a file. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param length Bytes, 0 to 2^53 - 1; 0 by default.
 * @param options `signal`, `timeoutMs`.
 * @category Files
 */
export function truncate(
  file: Path | number,
  length?: number,
  options?: AtOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.truncate(file, length, options));
}

/**
 * Sets a file's permission bits. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param mode The bits, 0 to 0o7777.
 * @param options `signal`, `timeoutMs`.
 * @category Files
 */
export function chmod(
  file: Path | number,
  mode: number,
  options?: AtOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.chmod(file, mode, options));
}

/**
 * Sets a file's owner and group. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param uid The owner; `null` leaves it.
 * @param gid The group; `null` leaves it.
 * @param options Whether links are followed; `signal`, `timeoutMs`.
 * @category Files
 */
export function chown(
  file: Path | number,
  uid: number | null,
  gid: number | null,
  options?: ChownOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.chown(file, uid, gid, options));
}

/**
 * Sets the times of a file's last read and last write. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param atime The last read: a `Date`, seconds since 1970, nanoseconds as a `bigint`, or a
 *        `Temporal.Instant`.
 * @param mtime The last write, likewise.
 * @param options Whether a symbolic link itself is meant; `signal`, `timeoutMs`.
 * @category Files
 */
export function utime(
  file: Path | number,
  atime: FileTime,
  mtime: FileTime,
  options?: UtimeOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.utime(file, atime, mtime, options));
}

/**
 * Resolves to the value of an extended attribute. Rejects with the code `ENODATA` if there is
 * none. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param name The attribute with its namespace, such as `user.mime_type`.
 * @param options Where a relative path begins; whether links are followed.
 * @category Extended attributes
 */
export function getXattr(
  file: Path | number,
  name: string,
  options?: XattrOptions & OperationOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return onDefaultQueue((ioq) => ioq.getXattr(file, name, options));
}

/**
 * Sets an extended attribute. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param name The attribute with its namespace.
 * @param value Its value.
 * @param options Whether it must be new, or exist; whether links are followed.
 * @category Extended attributes
 */
export function setXattr(
  file: Path | number,
  name: string,
  value: Uint8Array,
  options?: SetXattrOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.setXattr(file, name, value, options));
}

/**
 * Resolves to the names of a file's extended attributes. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param options Where a relative path begins; whether links are followed.
 * @category Extended attributes
 */
export function listXattr(
  file: Path | number,
  options?: XattrOptions & OperationOptions,
): Promise<string[]> {
  return onDefaultQueue((ioq) => ioq.listXattr(file, options));
}

/**
 * Removes an extended attribute. Runs on the shared queue.
 *
 * @param file A path or a descriptor.
 * @param name The attribute with its namespace.
 * @param options Where a relative path begins; whether links are followed.
 * @category Extended attributes
 */
export function removeXattr(
  file: Path | number,
  name: string,
  options?: XattrOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.removeXattr(file, name, options));
}

/**
 * Reads many files at the same time, and gives them in the order in which they are complete.
 * At most `concurrency` (64) files are in memory. Runs on the shared queue.
 *
 * @param paths The files, also as entries of `walk()` or `glob()`; more are taken as there is room.
 * @param options How many at once; what to do about errors; `maxBytes`, `signal`.
 * @category Many files and trees
 */
export function readFiles<S extends FileSource>(
  paths: Iterable<S> | AsyncIterable<S>,
  options?: ReadFilesOptions,
): AsyncIterableIterator<FileContents<PathOf<S>>> {
  return read(sharedQueue, paths, options);
}

/**
 * Resolves to whether there is something at a path, as `@std/fs` has it: see
 * {@linkcode PromiseForms.exists}. Runs on the shared queue.
 *
 * @param path The path; links are followed.
 * @param options Whether it must be a file, a directory, or readable; `signal`, `timeoutMs`.
 * @category Files
 */
export function exists(path: Path, options?: ExistsOptions): Promise<boolean> {
  return onDefaultQueue((ioq) => ioq.exists(path, options));
}

/**
 * Makes a directory and those above it, unless it is there, as `@std/fs` has it. Runs on the
 * shared queue.
 *
 * @param path The directory, or a link to it.
 * @param options `signal`, `timeoutMs`.
 * @category Files
 */
export function ensureDir(path: Path, options?: OperationOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.ensureDir(path, options));
}

/**
 * Removes all that is in a directory, and makes it if there is none, as `@std/fs` has it. Runs
 * on the shared queue.
 *
 * @param path The directory, or a link to it.
 * @param options `signal`, `timeoutMs`.
 * @category Files
 */
export function emptyDir(path: Path, options?: OperationOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.emptyDir(path, options));
}

/**
 * Moves a file or a directory, as `@std/fs` has it, and to another file system as well: see
 * {@linkcode PromiseForms.move}. Runs on the shared queue.
 *
 * @param from What to move.
 * @param to Its new path, not a directory to put it into.
 * @param options Whether to replace what is there; `signal`, `timeoutMs`.
 * @category Files
 */
export function move(from: Path, to: Path, options?: MoveOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.move(from, to, options));
}

/**
 * Creates a file, or empties the one that is there, and opens it to be read and written, as
 * `Deno.create` does. Runs on the shared queue.
 *
 * @param path The file.
 * @param options `signal`, `timeoutMs`.
 * @category Open files
 */
export function create(path: Path, options?: OperationOptions): Promise<IoqFile> {
  return onDefaultQueue((ioq) => ioq.create(path, options));
}

/**
 * Creates an empty file of a name that nobody has, as `Deno.makeTempFile` does, and resolves to
 * its path. Runs on the shared queue.
 *
 * @param options Where; what its name begins and ends with; `signal`, `timeoutMs`.
 * @category Files
 */
export function makeTempFile(options?: MakeTempOptions): Promise<string> {
  return onDefaultQueue((ioq) => ioq.makeTempFile(options));
}

/**
 * Makes a directory of a name that nobody has, as `Deno.makeTempDir` does, and resolves to its
 * path. Runs on the shared queue.
 *
 * @param options Where; what its name begins and ends with; `signal`, `timeoutMs`.
 * @category Files
 */
export function makeTempDir(options?: MakeTempOptions): Promise<string> {
  return onDefaultQueue((ioq) => ioq.makeTempDir(options));
}

/**
 * Writes many files at the same time, of which at most `concurrency` (64) are in memory.
 * Resolves to how many files and bytes were written. Runs on the shared queue.
 *
 * @param entries The files: where, what, and with which permission bits.
 * @param options How many at once; `parents`, `atomic`, `durable`; what to do about errors;
 *        `signal`, `timeoutMs`; a callback for progress.
 * @category Many files and trees
 */
export function writeFiles(
  entries: Iterable<FileToWrite> | AsyncIterable<FileToWrite>,
  options?: WriteFilesOptions,
): Promise<WrittenFiles> {
  return onDefaultQueue((ioq) => ioq.writeFiles(entries, options));
}
