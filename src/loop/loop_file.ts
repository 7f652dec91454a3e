// Copyright 2026 the ioq authors. MIT license.

/**
 * Files that belong to a task.
 *
 * @module
 */

import { OWN } from "../construction.ts";
import { IoqFile, type OpenFileOptions } from "../files/file.ts";
import { op } from "../operations/op.ts";
import { toCoreRequest } from "../operations/request.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import type { AtOptions } from "../operations/request_options.ts";
import type { Path } from "../path.ts";
import { limitsOf, type OperationOptions, runOn } from "../queue/runner.ts";
import type { PromiseForms } from "../forms.ts";

/**
 * A lock to take on a file while opening it. See `flock(2)`.
 *
 * @category Files of a task
 */
export interface FileLockOptions {
  /**
   * The lock to have before the file is handed out; it goes with the file.
   *
   * @default {"none"}
   */
  lock?: "none" | "shared" | "exclusive";
  /**
   * Whether to fail with `Deno.errors.WouldBlock` instead of waiting for the lock.
   *
   * @default {false}
   */
  nonblocking?: boolean;
}

/**
 * Options of `Io.openFile()`: those of `Deno.open`, and a lock.
 *
 * @category Files of a task
 */
export interface OpenLoopFileOptions extends OpenFileOptions, FileLockOptions {
  /** Whether to make the file and to fail if it exists: `createNew` by its other name. */
  exclusive?: boolean;
}

/**
 * Options of `Io.createFile()`.
 *
 * @category Files of a task
 */
export interface CreateFileOptions extends FileLockOptions, AtOptions {
  /**
   * Whether the file can be read as well, which takes the permission to, as for
   * `Deno.create()`.
   *
   * @default {true}
   */
  read?: boolean;
  /**
   * Whether to empty a file that exists: once the lock is held, if there is one.
   *
   * @default {true}
   */
  truncate?: boolean;
  /**
   * Whether to fail with `Deno.errors.AlreadyExists` if there is one.
   *
   * @default {false}
   */
  exclusive?: boolean;
  /** Permission bits, less the umask; 0o666 by default. */
  mode?: number;
}

/**
 * An open file of a task's. What it does belongs to the task that opened it, and is
 * cancelled with that; closing it is not.
 *
 * @category Files of a task
 *
 * @example
 * ```ts
 * import { EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * await loop.async(async (io) => {
 *   await using file = await io.openFile("/etc/hostname", { read: true, lock: "shared" });
 *   const buffer = new Uint8Array(64);
 *   console.log(await file.pread(buffer, 0));
 * });
 * ```
 */
export class LoopFile extends IoqFile {
  static {
    Object.preventExtensions(this);
  }

  /**
   * Read at an offset, or at the file's position.
   *
   * @param buffer Where to.
   * @param offset Bytes from the start; `null` for the position, which then moves.
   * @returns How many bytes were read; 0 at the end, or if the buffer is empty.
   */
  async pread(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number | null,
    options?: OperationOptions,
  ): Promise<number> {
    return (offset === null
      ? await this.read(buffer, options)
      : await this.readAt(buffer, offset, options)) ?? 0;
  }

  /**
   * Write at an offset, or at the file's position.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @param offset Bytes from the start; `null` for the position, which then moves.
   * @returns How many bytes were written, possibly fewer.
   */
  pwrite(bytes: Uint8Array, offset: number | null, options?: OperationOptions): Promise<number> {
    return offset === null ? this.write(bytes, options) : this.writeAt(bytes, offset, options);
  }
}

const LOCKS: readonly unknown[] = [undefined, "none", "shared", "exclusive"];

function checkLock(options: FileLockOptions): void {
  if (!LOCKS.includes(ownOption(options, "lock"))) {
    throw new TypeError(
      `Expected lock to be one of none, shared, exclusive, got ${ownOption(options, "lock")}`,
    );
  }
}

/** Open, lock, empty: or close again. */
async function open(
  io: PromiseForms,
  path: Path,
  how: OpenFileOptions,
  given: FileLockOptions,
  options: OperationOptions,
): Promise<LoopFile> {
  const { lock = "none", nonblocking = false } = ownOptions(given);
  const locks = lock !== "none";
  // Not before it is ours
  const empty = locks && ownOption(how, "truncate") === true;
  const request = toCoreRequest(op.open(path, empty ? { ...how, truncate: false } : how));
  // At its very completion, so that no queue closes before it knows of the file
  const opening = request.readBy((fd) => new LoopFile(OWN, io, fd, path, how));
  const file = await runOn(io, opening, options);
  try {
    if (locks) {
      await runOn(io, op.lock(file.fd, lock, { wait: !nonblocking }), options);
    }
    if (empty) {
      await runOn(io, op.truncate(file.fd, 0), options);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** See `Io.createFile()`. */
// deno-lint-ignore require-await
export async function createFile(
  io: PromiseForms,
  path: Path,
  options: CreateFileOptions & OperationOptions = {},
): Promise<LoopFile> {
  checkLock(options);
  const { read = true, truncate = true, exclusive = false, mode, at } = ownOptions(options);
  const how: OpenFileOptions = {
    write: true,
    read,
    ...(exclusive ? { createNew: true } : { create: true, truncate }),
    ...(mode === undefined ? {} : { mode }),
    ...(at === undefined ? {} : { at }),
  };
  return open(io, path, how, options, limitsOf(options));
}

/** See `Io.openFile()`. */
// deno-lint-ignore require-await
export async function openLoopFile(
  io: PromiseForms,
  path: Path,
  options: OpenLoopFileOptions & OperationOptions = {},
): Promise<LoopFile> {
  checkLock(options);
  const { lock: _, nonblocking: __, exclusive, signal, timeoutMs, ...how } = ownOptions(options);
  if (exclusive) {
    how.createNew = true;
  }
  const limits = { signal, timeoutMs };
  return open(io, path, Object.keys(how).length === 0 ? { read: true } : how, options, limits);
}
