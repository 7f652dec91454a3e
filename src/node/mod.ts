// Copyright 2026 the ioq authors. MIT license.

/**
 * An `fs` in Node's shape, for libraries that take one: isomorphic-git, fast-glob, fdir and
 * others. It has what they call of `node:fs/promises` in `promises`, and the same functions
 * with callbacks; `Stats`, `BigIntStats` and `Dirent`; and Node's errors.
 *
 * The functions run on the queue that the package's functions share, or on one of yours, see
 * {@linkcode createFs}. They need the permissions that Deno's own calls need. Nothing of
 * `node:` is imported. There are no synchronous functions, streams or descriptors.
 *
 * @example
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 * import { createFs } from "@ioq/ioq/node";
 *
 * await using ioq = await Ioq.open(); // the default export takes the shared queue
 * const fs = createFs(ioq);
 * const names = await fs.promises.readdir("/etc");
 * console.log(names.includes("passwd"));
 * console.log((await fs.promises.lstat("/etc/passwd")).isFile());
 * ```
 *
 * @module
 */

import { onDefaultQueue } from "../default_queue.ts";
import type { PromiseForms } from "../forms.ts";
import { type FsPromises, makePromises } from "./promises.ts";

export type { NodeError } from "./error.ts";
export type { EncodingOptions, FsPromises, WriteOptions } from "./promises.ts";
export { BigIntStats, Dirent, type Kind, Kinds, Stats } from "./stats.ts";
export type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
export type { DirEntry } from "../linux/directory.ts";
import type { NodeError } from "./error.ts";
import type { Dirent, Stats } from "./stats.ts";
import type { EncodingOptions, WriteOptions } from "./promises.ts";
import type { Path } from "../path.ts";

export type { Path } from "../path.ts";
export type { PromiseForms } from "../forms.ts";

/** Told of an error, or that there was none. */
export type DoneCallback = (error: NodeError | null) => void;
/** Told of an error, or a value. */
export type ValueCallback<V> = (error: NodeError | null, value: V) => void;

/** The functions of {@linkcode FsPromises} with callbacks, which come last. */
export interface FsCallbacks {
  /** Reads a file as bytes. */
  readFile(path: Path, callback: ValueCallback<Uint8Array<ArrayBuffer>>): void;
  /** Reads a file: text with an encoding, else bytes. */
  readFile(
    path: Path,
    options: EncodingOptions | undefined,
    callback: ValueCallback<string | Uint8Array<ArrayBuffer>>,
  ): void;
  /** Writes a file. */
  writeFile(path: Path, data: string | Uint8Array, callback: DoneCallback): void;
  /** Writes a file, with options. */
  writeFile(
    path: Path,
    data: string | Uint8Array,
    options: WriteOptions | undefined,
    callback: DoneCallback,
  ): void;
  /** The names in a directory. */
  readdir(path: Path, callback: ValueCallback<string[]>): void;
  /** The entries of a directory. */
  readdir(path: Path, options: { withFileTypes: true }, callback: ValueCallback<Dirent[]>): void;
  /** The attributes of a file, following links. */
  stat(path: Path, callback: ValueCallback<Stats>): void;
  /** The attributes of a file or a link. */
  lstat(path: Path, callback: ValueCallback<Stats>): void;
  /** Makes a directory. */
  mkdir(path: Path, callback: DoneCallback): void;
  /** Makes a directory, with options. */
  mkdir(
    path: Path,
    options: number | { recursive?: boolean; mode?: number } | undefined,
    callback: DoneCallback,
  ): void;
  /** Removes an empty directory. */
  rmdir(path: Path, callback: DoneCallback): void;
  /** Removes a file or a link. */
  unlink(path: Path, callback: DoneCallback): void;
  /** Gives a file another name. */
  rename(from: Path, to: Path, callback: DoneCallback): void;
  /** What a link points to. */
  readlink(path: Path, callback: ValueCallback<string>): void;
  /** Makes a symbolic link. */
  symlink(target: Path, path: Path, callback: DoneCallback): void;
  /** Makes a hard link. */
  link(from: Path, to: Path, callback: DoneCallback): void;
  /** The path of what a path leads to. */
  realpath(path: Path, callback: ValueCallback<string>): void;
  /** Sets permission bits. */
  chmod(path: Path, mode: number | string, callback: DoneCallback): void;
  /** Sets times. */
  utimes(path: Path, atime: Date | number, mtime: Date | number, callback: DoneCallback): void;
  /** Copies a file. */
  copyFile(from: Path, to: Path, callback: DoneCallback): void;
  /** Checks whether a file is there. */
  access(path: Path, callback: DoneCallback): void;
  /** Checks what may be done with a file. */
  access(path: Path, mode: number | undefined, callback: DoneCallback): void;
}

/** An `fs` in Node's shape. */
export interface NodeFs extends FsCallbacks {
  /** The functions as promises. */
  readonly promises: FsPromises;
}

/** The functions that there are with callbacks. */
const NAMES = [
  ...["readFile", "writeFile", "readdir", "stat", "lstat", "mkdir", "rmdir", "unlink", "rename"],
  ...["readlink", "symlink", "link", "realpath", "chmod", "utimes", "copyFile", "access"],
] as (keyof FsCallbacks)[];

/** A function with a callback that does what one does as a promise. */
function withCallback(name: string, call: (...args: unknown[]) => Promise<unknown>) {
  const named = {
    [name](...args: unknown[]): void {
      const callback = args.pop();
      if (typeof callback !== "function") {
        throw new TypeError(`Expected callback to be a function, got ${typeof callback}`);
      }
      call(...args).then(
        (value) => value === undefined ? callback(null) : callback(null, value),
        (error) => callback(error),
      );
    },
  };
  return named[name]!;
}

/**
 * Makes an `fs` in Node's shape.
 *
 * @param ioq The queue that is to run its operations; the shared one by default.
 *
 * @example
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 * import { createFs } from "@ioq/ioq/node";
 *
 * await using ioq = await Ioq.open();
 * const fs = createFs(ioq);
 * console.log((await fs.promises.stat("/etc")).isDirectory());
 * ```
 */
export function createFs(ioq?: PromiseForms): NodeFs {
  const promises = makePromises(
    ioq === undefined ? (call) => onDefaultQueue(call) : (call) => call(ioq),
  );
  const fs: Partial<Record<keyof FsCallbacks, unknown>> & { promises: FsPromises } = { promises };
  for (const name of NAMES) {
    fs[name] = withCallback(name, (...args) => Reflect.apply(promises[name], promises, args));
  }
  return fs as NodeFs;
}

/** An `fs` in Node's shape on the shared queue. */
const fs: NodeFs = createFs();
/** Its functions as promises. */
export const promises: FsPromises = fs.promises;
export default fs;
