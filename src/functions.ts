// Copyright 2026 the ioq authors. MIT license.

/**
 * The operations as functions, for who wants no queue of his own: they share one,
 * see `default_queue.ts`.
 *
 * Each has the parameters, the result and the errors of the method of
 * {@linkcode Ioq} that has its name, and rejects with `Deno.errors.NotSupported` if
 * no queue can be had.
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
  RenameOptions,
  SetXattrOptions,
  StatOptions,
  WriteFileOptions,
  XattrOptions,
} from "./operations/request_options.ts";
import type { Path } from "./path.ts";
import type { OperationOptions } from "./queue/runner.ts";
import type { RemoveOptions } from "./forms.ts";
import type { ReadFileOptions } from "./files/whole_files.ts";
import { type FileContents, readFiles as read, type ReadFilesOptions } from "./files/read_files.ts";

/** A file's attributes, following a symbolic link: {@linkcode Ioq.stat}. */
export function stat(
  path: Path,
  options?: StatOptions & OperationOptions & { bigint?: false },
): Promise<FileInfo>;
/** A file's exact attributes, following a symbolic link. */
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

/** A file's attributes, not following a symbolic link: {@linkcode Ioq.lstat}. */
export function lstat(
  path: Path,
  options?: StatOptions & OperationOptions & { bigint?: false },
): Promise<FileInfo>;
/** A file's exact attributes, not following a symbolic link. */
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

/** All entries of a directory as an array: {@linkcode Ioq.readDir}. */
export function readDir(path: Path, options?: AtOptions & OperationOptions): Promise<DirEntry[]> {
  return onDefaultQueue((ioq) => ioq.readDir(path, options));
}

/** Open a file: {@linkcode Ioq.openFile}. */
export function openFile(
  path: Path,
  options?: OpenFileOptions & OperationOptions,
): Promise<IoqFile> {
  return onDefaultQueue((ioq) => ioq.openFile(path, options));
}

/** All that is in a file, as bytes: {@linkcode Ioq.readFile}. */
export function readFile(
  path: Path,
  options?: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return onDefaultQueue((ioq) => ioq.readFile(path, options));
}

/** All that is in a file, as text: {@linkcode Ioq.readTextFile}. */
export function readTextFile(path: Path, options?: ReadFileOptions): Promise<string> {
  return onDefaultQueue((ioq) => ioq.readTextFile(path, options));
}

/** Write bytes, or a stream of them, to a file: {@linkcode Ioq.writeFile}. */
export function writeFile(
  path: Path,
  data: Uint8Array | ReadableStream<Uint8Array>,
  options?: WriteFileOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.writeFile(path, data, options));
}

/** Write text, or a stream of it, to a file: {@linkcode Ioq.writeTextFile}. */
export function writeTextFile(
  path: Path,
  data: string | ReadableStream<string>,
  options?: WriteFileOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.writeTextFile(path, data, options));
}

/** Copy a file's contents and permission bits: {@linkcode Ioq.copyFile}. */
export function copyFile(from: Path, to: Path, options?: OperationOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.copyFile(from, to, options));
}

/** Make a directory: {@linkcode Ioq.mkdir}. */
export function mkdir(
  path: Path,
  options?: AtOptions & OperationOptions & { mode?: number; recursive?: boolean },
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.mkdir(path, options));
}

/** Remove a file, a symbolic link or a directory: {@linkcode Ioq.remove}. */
export function remove(path: Path, options?: RemoveOptions & OperationOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.remove(path, options));
}

/** Give a file another name: {@linkcode Ioq.rename}. */
export function rename(
  from: Path,
  to: Path,
  options?: RenameOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.rename(from, to, options));
}

/** Make a hard link: {@linkcode Ioq.link}. */
export function link(from: Path, to: Path, options?: OperationOptions): Promise<void> {
  return onDefaultQueue((ioq) => ioq.link(from, to, options));
}

/** Make a symbolic link: {@linkcode Ioq.symlink}. */
export function symlink(
  target: Path,
  path: Path,
  options?: AtOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.symlink(target, path, options));
}

/** Where a symbolic link points to: {@linkcode Ioq.readLink}. */
export function readLink(path: Path, options?: AtOptions & OperationOptions): Promise<string> {
  return onDefaultQueue((ioq) => ioq.readLink(path, options));
}

/** A path without links, `.` and `..`: {@linkcode Ioq.realPath}. */
export function realPath(path: Path, options?: OperationOptions): Promise<string> {
  return onDefaultQueue((ioq) => ioq.realPath(path, options));
}

/** Shorten or lengthen a file: {@linkcode Ioq.truncate}. */
export function truncate(
  file: Path | number,
  length?: number,
  options?: OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.truncate(file, length, options));
}

/** Set a file's permission bits: {@linkcode Ioq.chmod}. */
export function chmod(
  file: Path | number,
  mode: number,
  options?: OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.chmod(file, mode, options));
}

/** Set a file's owner and group: {@linkcode Ioq.chown}. */
export function chown(
  file: Path | number,
  uid: number | null,
  gid: number | null,
  options?: ChownOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.chown(file, uid, gid, options));
}

/** Set the times of a file's last read and last write: {@linkcode Ioq.utime}. */
export function utime(
  file: Path | number,
  atime: Date | number,
  mtime: Date | number,
  options?: OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.utime(file, atime, mtime, options));
}

/** The value of an extended attribute: {@linkcode Ioq.getXattr}. */
export function getXattr(
  file: Path | number,
  name: string,
  options?: XattrOptions & OperationOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return onDefaultQueue((ioq) => ioq.getXattr(file, name, options));
}

/** Set an extended attribute: {@linkcode Ioq.setXattr}. */
export function setXattr(
  file: Path | number,
  name: string,
  value: Uint8Array,
  options?: SetXattrOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.setXattr(file, name, value, options));
}

/** The names of a file's extended attributes: {@linkcode Ioq.listXattr}. */
export function listXattr(
  file: Path | number,
  options?: XattrOptions & OperationOptions,
): Promise<string[]> {
  return onDefaultQueue((ioq) => ioq.listXattr(file, options));
}

/** Remove an extended attribute: {@linkcode Ioq.removeXattr}. */
export function removeXattr(
  file: Path | number,
  name: string,
  options?: XattrOptions & OperationOptions,
): Promise<void> {
  return onDefaultQueue((ioq) => ioq.removeXattr(file, name, options));
}

/** Read many files: {@linkcode Ioq.readFiles}. */
export function readFiles(
  paths: Iterable<Path> | AsyncIterable<Path>,
  options?: ReadFilesOptions,
): AsyncIterableIterator<FileContents> {
  return read(sharedQueue, paths, options);
}
