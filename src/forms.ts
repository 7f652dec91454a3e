// Copyright 2026 the ioq authors. MIT license.

/**
 * The operations as promises, under the names that Deno has for them.
 *
 * @module
 */

import { lenientId, lenientLength, lenientMode, lenientTime } from "./lenient.ts";
import { ownOption, withOptions } from "./own_option.ts";
import type { DirEntry } from "./linux/directory.ts";
import type { BigIntFileInfo, FileInfo } from "./linux/stat.ts";
import { UNLINK_ANY } from "../ffi/layout.ts";
import type { IoqFile, OpenFileOptions } from "./files/file.ts";
import { openFile } from "./files/open_file.ts";
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
import { decodeRawPath } from "./operations/decode.ts";
import { op } from "./operations/op.ts";
import { limitsOf, type OperationOptions, Runner, runOn } from "./queue/runner.ts";
import type { OpName } from "./operations/values.ts";
import { type IoqRequest, toCoreRequest } from "./operations/request.ts";
import type { FileTime } from "./file_time.ts";
import type { Path } from "./path.ts";
import { globOf } from "./trees/glob.ts";
import type { Glob } from "./trees/glob_types.ts";
import { makeDirectory } from "./trees/make_directory.ts";
import { type ReadFileOptions, readWhole, writeWhole } from "./files/whole_files.ts";
import type { CopyTreeOptions } from "./trees/copy_tree.ts";
import {
  copyTree,
  emptyDirOn,
  ensureDirOn,
  existsOn,
  moveOn,
  removeAllOn,
  removeTree,
  writeFilesOn,
} from "./trees/functions.ts";
import { LateModule } from "./late.ts";
import type { MakeTempOptions } from "./files/temporary.ts";
import type { ExistsOptions } from "./trees/ensure.ts";
import type { MoveOptions } from "./trees/move.ts";
import type { FileToWrite, WriteFilesOptions, WrittenFiles } from "./trees/write_files.ts";
import type { TreeOptions } from "./trees/tree_options.ts";
import { type Walk, walkOf } from "./trees/walk.ts";
import {
  type FileContents,
  type FileSource,
  type PathOf,
  readFiles,
  type ReadFilesOptions,
} from "./files/read_files.ts";

/**
 * Options of {@linkcode Ioq.remove}.
 *
 * @category Files
 */
export interface RemoveOptions extends AtOptions {
  /**
   * Whether to remove a directory with all that is in it.
   *
   * @default {false}
   */
  recursive?: boolean;
}

const encoder = new TextEncoder();
const TEMPORARY = new LateModule(() => import("./files/temporary.ts"));

/** A request for a path, as bytes if options say so. */
function asBytesIf(
  options: { bytes?: boolean } | undefined,
  request: IoqRequest<"readLink" | "realPath", string>,
): IoqRequest<OpName, string | Uint8Array<ArrayBuffer>> {
  return ownOption(options, "bytes") === true
    ? toCoreRequest(request).readBy(decodeRawPath)
    : request;
}

/**
 * The promise forms of the operations. They never appear in the stream, and wait
 * their turn when the queue is full. Each takes a `signal`.
 *
 * @category Queue
 */
export abstract class PromiseForms extends Runner {
  static {
    Object.preventExtensions(this);
  }

  /** Does nothing: a trip through the queue and back. */
  nop(options?: OperationOptions): Promise<void> {
    return runOn(this, op.nop(), options);
  }

  /**
   * Resolves to a file's attributes, following a symbolic link. Rejects as `Deno.stat` does.
   *
   * @param path The file.
   * @param options Whether to give exact numbers; where the path begins; a signal.
   */
  stat(
    path: Path,
    options?: StatOptions & OperationOptions & { bigint?: false },
  ): Promise<FileInfo>;
  /** Resolves to a file's exact attributes, following a symbolic link. */
  stat(
    path: Path,
    options: StatOptions & OperationOptions & { bigint: true },
  ): Promise<BigIntFileInfo>;
  stat(
    path: Path,
    options?: StatOptions & OperationOptions,
  ): Promise<FileInfo | BigIntFileInfo> {
    return this.#build(() => op.stat(path, options as StatOptions & { bigint?: false }), options);
  }

  /**
   * Resolves to a file's attributes, not following a symbolic link. Rejects as `Deno.lstat` does.
   *
   * @param path The file.
   * @param options Whether to give exact numbers; where the path begins; a signal.
   */
  lstat(
    path: Path,
    options?: StatOptions & OperationOptions & { bigint?: false },
  ): Promise<FileInfo>;
  /** Resolves to a file's exact attributes, not following a symbolic link. */
  lstat(
    path: Path,
    options: StatOptions & OperationOptions & { bigint: true },
  ): Promise<BigIntFileInfo>;
  lstat(
    path: Path,
    options?: StatOptions & OperationOptions,
  ): Promise<FileInfo | BigIntFileInfo> {
    return this.#build(() => op.lstat(path, options as StatOptions & { bigint?: false }), options);
  }

  /**
   * Resolves to all entries of a directory, without `.` and `..`, in the order that the file
   * system gives them. Rejects as `Deno.readDir` throws.
   *
   * @param path The directory.
   * @param options Where the path begins; a signal.
   */
  readDir(path: Path, options?: AtOptions & OperationOptions): Promise<DirEntry[]> {
    return this.#build(() => op.readDir(path, options), options);
  }

  /** Run a request whose building may throw. */
  #build<V>(
    build: () => IoqRequest<OpName, V>,
    options?: OperationOptions,
  ): Promise<V> {
    try {
      return runOn(this, build(), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Opens a file. Options as `Deno.open`'s and a few more; `{ read: true }` by default. */
  openFile(path: Path, options?: OpenFileOptions & OperationOptions): Promise<IoqFile> {
    return openFile(this, path, options);
  }

  /** Reads a whole file as bytes. Rejects as `Deno.readFile` does. */
  readFile(
    path: Path,
    options?: ReadFileOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return readWhole(this, path, options);
  }

  /** Reads a whole file as text. Bytes that are not UTF-8 become U+FFFD. */
  async readTextFile(path: Path, options?: ReadFileOptions): Promise<string> {
    // As Deno's: a byte order mark stays
    const bytes = await this.readFile(path, options);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  /**
   * Reads many files at the same time.
   *
   * At most `concurrency` files are in memory: reading stops while files are not consumed. Leaving
   * the iteration early cancels what is in flight. Give it regular files: a FIFO without a
   * writer takes one of the places until the end.
   *
   * @param paths The files, also as entries of `walk()` or `glob()`. More are taken as there is room.
   * @param options How many at once; what to do about errors; a signal.
   * @returns The files in the order in which they are complete. Unless `onError`
   *          says otherwise, it ends with what `Deno.readFile` would throw.
   * @throws {TypeError} If an argument is of a wrong type.
   * @throws {RangeError} If `concurrency` is out of its range.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const paths = ["/etc/hostname", "/etc/hosts"];
   * for await (const { path, bytes } of ioq.readFiles(paths, { onError: "skip" })) {
   *   console.log(path, bytes.length);
   * }
   * ```
   */
  readFiles<S extends FileSource>(
    paths: Iterable<S> | AsyncIterable<S>,
    options?: ReadFilesOptions,
  ): AsyncIterableIterator<FileContents<PathOf<S>>> {
    return readFiles(() => this, paths, options);
  }

  /**
   * Writes many files at the same time.
   *
   * At most `concurrency` files are in memory: entries are taken when there is room. It ends
   * with the first error, unless `onError` says otherwise, after what was begun is finished:
   * only a signal, a time limit and the end of the queue interrupt that. It never ends before
   * all that was begun is over; files that are written by then stay.
   *
   * @param entries The files: where, what, and with which permission bits.
   * @param options How many at once; whether to make directories (`parents`), to replace
   *        files as a whole (`atomic`) and to wait for the device (`durable`); what to do
   *        about errors; `signal`, `timeoutMs`; a callback for progress.
   * @returns How many files and bytes were written.
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If `concurrency` is out of its range.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const out = await Deno.makeTempDir();
   * const { files } = await ioq.writeFiles([
   *   { path: `${out}/index.html`, data: "<p>Hello</p>" },
   *   { path: `${out}/data/one.bin`, data: new Uint8Array(512) },
   * ], { parents: true });
   * console.log(files); // 2
   * ```
   */
  writeFiles(
    entries: Iterable<FileToWrite> | AsyncIterable<FileToWrite>,
    options?: WriteFilesOptions,
  ): Promise<WrittenFiles> {
    return writeFilesOn(this, entries, options);
  }

  /**
   * Finds a directory and everything below it, as the function `walk()` does by this queue: one
   * entry at a time, or in arrays by `walk.batches()`. See {@linkcode Walk}.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * let count = 0;
   * for await (const entries of ioq.walk.batches("src")) count += entries.length;
   * console.log(count > 0); // true
   * ```
   */
  get walk(): Walk {
    return walkOf(this);
  }

  /**
   * Finds what patterns match, as the function `glob()` does by this queue: one entry at a time,
   * or in arrays by `glob.batches()`. See {@linkcode Glob}.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * for await (const { path, bytes } of ioq.readFiles(ioq.glob("docs/*.md"))) {
   *   console.log(path, bytes.length);
   * }
   * ```
   */
  get glob(): Glob {
    return globOf(this);
  }

  /**
   * Copies a file, a symbolic link, or a directory with everything in it, as the function
   * `copyTree()` does by this queue.
   *
   * @param from What to copy.
   * @param to The path of the copy, not of a directory to put it into.
   * @param options Whether to overwrite, what to preserve, what to do about errors.
   * @throws What `copyTree()` throws.
   */
  copyTree(from: Path, to: Path, options?: CopyTreeOptions): Promise<void> {
    return copyTree(from, to, withOptions(options, { ioq: this }));
  }

  /**
   * Removes a file, a symbolic link, or a directory with everything in it, as the function
   * `removeTree()` does by this queue.
   *
   * @param path What to remove.
   * @param options What to do about errors; `signal`, `timeoutMs`; a callback for progress.
   * @throws What `removeTree()` throws.
   */
  removeTree(path: Path, options?: TreeOptions): Promise<void> {
    return removeTree(path, withOptions(options, { ioq: this }));
  }

  /**
   * Writes bytes to a file. Options as `Deno.writeFile`'s.
   *
   * @param path The file.
   * @param data Bytes, which must not change before the promise settles; or a stream, which is
   *        written as it comes.
   */
  writeFile(
    path: Path,
    data: Uint8Array | ReadableStream<Uint8Array>,
    options?: WriteFileOptions & OperationOptions,
  ): Promise<void> {
    return writeWhole(this, path, data, options);
  }

  /** Writes text, or a stream of it, to a file. Options as `Deno.writeTextFile`'s. */
  writeTextFile(
    path: Path,
    data: string | ReadableStream<string>,
    options?: WriteFileOptions & OperationOptions,
  ): Promise<void> {
    try {
      const bytes = data instanceof ReadableStream
        ? data.pipeThrough(new TextEncoderStream())
        : encoder.encode(data);
      return writeWhole(this, path, bytes, options);
    } catch (error) {
      // Somebody else has the stream
      return Promise.reject(error);
    }
  }

  /** Copies a file's contents and permission bits. Rejects as `Deno.copyFile` does. */
  copyFile(from: Path, to: Path, options?: FromToOptions & OperationOptions): Promise<void> {
    return this.#build(() => op.copyFile(from, to, options), options);
  }

  /**
   * Makes a directory.
   *
   * @param path The directory.
   * @param options `mode`: the permission bits. `recursive` also makes the directories above it,
   *        and accepts a directory that exists.
   */
  mkdir(
    path: Path,
    options?: AtOptions & OperationOptions & { mode?: number; recursive?: boolean },
  ): Promise<void> {
    return makeDirectory(this, path, options);
  }

  /**
   * Removes a file, a symbolic link or a directory. Rejects as `Deno.remove` does.
   *
   * @param path What to remove.
   * @param options `recursive` removes a directory with everything in it; `removeTree()` has more
   *        options. It cannot be combined with `at`.
   */
  async remove(path: Path, options?: RemoveOptions & OperationOptions): Promise<void> {
    if (ownOption(options, "recursive")) {
      if (ownOption(options, "at") !== undefined) {
        throw new TypeError("'recursive' option cannot be combined with 'at'");
      }
      return await removeAllOn(this, path, limitsOf(options!));
    }
    const request = toCoreRequest(op.unlink(path, options));
    request.arg0 = UNLINK_ANY;
    await runOn(this, request, options);
  }

  /**
   * Resolves to whether there is something at a path, as `@std/fs` has it. Rejects with `NotCapable` if that
   * may not be read. Do not ask before an operation: do it, and look at its error.
   *
   * @param path The path; links are followed.
   * @param options Whether it must be a file, a directory, or readable; `signal`, `timeoutMs`.
   * @throws {TypeError} If it is to be a file and a directory.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * console.log(await ioq.exists("/etc", { isDirectory: true })); // true
   * ```
   */
  exists(path: Path, options?: ExistsOptions): Promise<boolean> {
    return existsOn(this, path, options);
  }

  /**
   * Makes a directory and those above it, unless it is there, as `@std/fs` has it.
   *
   * @param path The directory, or a link to it.
   * @param options `signal`, `timeoutMs`.
   * @throws {Error} If something else is there.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const path = await ioq.makeTempDir();
   * await ioq.ensureDir(`${path}/a/b`);
   * await ioq.removeTree(path);
   * ```
   */
  ensureDir(path: Path, options?: OperationOptions): Promise<void> {
    return ensureDirOn(this, path, options);
  }

  /**
   * Removes all that is in a directory, or in the one that a link leads to; makes it if there
   * is none. As `@std/fs` has it.
   *
   * @param path The directory.
   * @param options `signal`, `timeoutMs`.
   * @throws {Deno.errors.NotADirectory} If it is none.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const path = await ioq.makeTempDir();
   * await ioq.writeTextFile(`${path}/file`, "text");
   * await ioq.emptyDir(path);
   * console.log(await ioq.readDir(path)); // []
   * await ioq.remove(path);
   * ```
   */
  emptyDir(path: Path, options?: OperationOptions): Promise<void> {
    return emptyDirOn(this, path, options);
  }

  /**
   * Moves a file or a directory, as `@std/fs` has it, and to another file system as well: all is
   * copied there, with owners, times, links and extended attributes, and then removed. Until
   * the copy is complete nothing is missing, also of what it replaces: it is made beside that,
   * as `.ioq-move-` and a number. A file that is replaced is always there, as the old one or the new
   * one. What no rename replaces, as a directory that is not empty, is put aside by such a name,
   * is removed when the new one has its place, and comes back if that fails. Under scoped
   * grants these names take permission for the directory.
   *
   * @param from What to move.
   * @param to Its new path, not a directory to put it into.
   * @param options `overwrite`, whether to replace what is there; `signal`, `timeoutMs`.
   * @throws {Deno.errors.AlreadyExists} If there is something, without `overwrite`.
   * @throws {Deno.errors.NotSupported} If a directory would be moved into itself, or something
   *         over a directory that it is in.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const path = await ioq.makeTempDir();
   * await ioq.writeTextFile(`${path}/old`, "text");
   * await ioq.move(`${path}/old`, `${path}/new`);
   * console.log(await ioq.readTextFile(`${path}/new`)); // text
   * await ioq.removeTree(path);
   * ```
   */
  move(from: Path, to: Path, options?: MoveOptions): Promise<void> {
    return moveOn(this, from, to, options);
  }

  /**
   * Creates a file, or empties the one that is there, and opens it to be read and written, as
   * `Deno.create` does.
   *
   * @param path The file.
   * @param options `signal`, `timeoutMs`.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const path = await ioq.makeTempFile();
   * {
   *   await using file = await ioq.create(path);
   *   await file.write(new TextEncoder().encode("text"));
   * }
   * await ioq.remove(path);
   * ```
   */
  create(path: Path, options?: OperationOptions): Promise<IoqFile> {
    const how = { read: true, write: true, create: true, truncate: true };
    return openFile(this, path, { ...limitsOf(options ?? {}), ...how });
  }

  /**
   * Creates an empty file of a name that nobody has, which its owner may read and write, as
   * `Deno.makeTempFile` does.
   *
   * @param options Where; what its name begins and ends with; `signal`, `timeoutMs`.
   * @returns Its path: in `dir` as that was given.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const path = await ioq.makeTempFile({ suffix: ".txt" });
   * await ioq.remove(path);
   * ```
   */
  async makeTempFile(options?: MakeTempOptions): Promise<string> {
    const how = withOptions(options, {});
    const { makeTempFile } = TEMPORARY.loaded ?? await TEMPORARY.load();
    return await makeTempFile(this, how);
  }

  /**
   * Makes a directory of a name that nobody has, which only its owner may use, as
   * `Deno.makeTempDir` does.
   *
   * @param options Where; what its name begins and ends with; `signal`, `timeoutMs`.
   * @returns Its path: in `dir` as that was given.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const path = await ioq.makeTempDir({ prefix: "build_" });
   * await ioq.remove(path);
   * ```
   */
  async makeTempDir(options?: MakeTempOptions): Promise<string> {
    const how = withOptions(options, {});
    const { makeTempDir } = TEMPORARY.loaded ?? await TEMPORARY.load();
    return await makeTempDir(this, how);
  }

  /** Renames a file or a directory, replacing what has the new name. */
  rename(
    from: Path,
    to: Path,
    options?: RenameOptions & OperationOptions,
  ): Promise<void> {
    return this.#build(() => op.rename(from, to, options), options);
  }

  /** Makes a hard link. */
  link(from: Path, to: Path, options?: FromToOptions & OperationOptions): Promise<void> {
    return this.#build(() => op.link(from, to, options), options);
  }

  /** Makes a symbolic link at `path` that points to `target`. */
  symlink(target: Path, path: Path, options?: AtOptions & OperationOptions): Promise<void> {
    return this.#build(() => op.symlink(target, path, options), options);
  }

  /**
   * Resolves to where a symbolic link points to. Rejects with `Deno.errors.InvalidData`, as Deno does, if
   * that is not UTF-8: ask for bytes then.
   */
  readLink(
    path: Path,
    options?: AtOptions & OperationOptions & { bytes?: false },
  ): Promise<string>;
  /** Resolves to where a symbolic link points to, byte by byte: names need not be UTF-8. */
  readLink(
    path: Path,
    options: AtOptions & OperationOptions & { bytes: true },
  ): Promise<Uint8Array<ArrayBuffer>>;
  readLink(
    path: Path,
    options?: AtOptions & OperationOptions & { bytes?: boolean },
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    return this.#build<string | Uint8Array<ArrayBuffer>>(
      () => asBytesIf(options, op.readLink(path, options)),
      options,
    );
  }

  /**
   * Resolves to the path of what a path leads to, without links, `.` and `..`. Rejects with
   * `Deno.errors.InvalidData`, as Deno does, if that is not UTF-8: ask for bytes then.
   */
  realPath(path: Path, options?: AtOptions & OperationOptions & { bytes?: false }): Promise<string>;
  /** Resolves to the path of what a path leads to, byte by byte. */
  realPath(
    path: Path,
    options: AtOptions & OperationOptions & { bytes: true },
  ): Promise<Uint8Array<ArrayBuffer>>;
  realPath(
    path: Path,
    options?: AtOptions & OperationOptions & { bytes?: boolean },
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    return this.#build<string | Uint8Array<ArrayBuffer>>(
      () => asBytesIf(options, op.realPath(path, options)),
      options,
    );
  }

  /**
   * Waits for a duration.
   *
   * @param ms Milliseconds, possibly with a fraction.
   * @param options A signal.
   * @throws {RangeError} If `ms` is negative, infinite or no number.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * await ioq.sleep(1.5);
   * ```
   */
  sleep(ms: number, options?: OperationOptions): Promise<void> {
    return this.#build(() => op.sleep(ms), options);
  }

  /**
   * Sends a number to another queue of this process, be it in another Worker.
   * Rejects with `Deno.errors.NotFound` if there is no such queue, and with
   * `Deno.errors.WouldBlock` if 1024 messages are waiting there. To have messages come
   * in order, await each post before the next.
   *
   * @param target The queue, or its `id`.
   * @param value 0 to 2^53 - 1.
   * @param options A signal.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using one = await Ioq.open();
   * await using other = await Ioq.open();
   * await one.post(other.id, 42);
   * console.log(await other.receive()); // 42
   * ```
   */
  post(
    target: { readonly id: number } | number,
    value: number,
    options?: OperationOptions,
  ): Promise<void> {
    return this.#build(() => op.post(target, value), options);
  }

  /**
   * Resolves to the value of an extended attribute. Rejects with the code `ENODATA` if there is
   * none.
   *
   * @param file A path or a descriptor.
   * @param name The attribute with its namespace, such as `user.mime_type`.
   * @param options Where the path begins; whether links are followed; a signal.
   */
  getXattr(
    file: Path | number,
    name: string,
    options?: XattrOptions & OperationOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#build(() => op.getXattr(file, name, options), options);
  }

  /** Sets an extended attribute. */
  setXattr(
    file: Path | number,
    name: string,
    value: Uint8Array,
    options?: SetXattrOptions & OperationOptions,
  ): Promise<void> {
    return this.#build(() => op.setXattr(file, name, value, options), options);
  }

  /** Resolves to the names of a file's extended attributes. */
  listXattr(file: Path | number, options?: XattrOptions & OperationOptions): Promise<string[]> {
    return this.#build(() => op.listXattr(file, options), options);
  }

  /** Removes an extended attribute. */
  removeXattr(
    file: Path | number,
    name: string,
    options?: XattrOptions & OperationOptions,
  ): Promise<void> {
    return this.#build(() => op.removeXattr(file, name, options), options);
  }

  /**
   * Waits for the next message that is posted to this queue. Each message is received once, in the
   * order in which they come.
   */
  receive(options?: OperationOptions): Promise<number> {
    return this.#build(() => op.receive(), options);
  }

  /**
   * Shortens or lengthens a file.
   *
   * @param file A path or a descriptor.
   * @param length Bytes, 0 to 2^53 - 1; 0 by default.
   */
  truncate(
    file: Path | number,
    length?: number,
    options?: AtOptions & OperationOptions,
  ): Promise<void> {
    return this.#build(() => op.truncate(file, lenientLength(length), options), options);
  }

  /**
   * Sets a file's permission bits.
   *
   * @param file A path or a descriptor.
   * @param mode Permission bits, 0 to 0o7777.
   */
  chmod(file: Path | number, mode: number, options?: AtOptions & OperationOptions): Promise<void> {
    return this.#build(() => op.chmod(file, lenientMode(mode), options), options);
  }

  /**
   * Sets a file's owner and group.
   *
   * @param file A path or a descriptor.
   * @param uid The owner, `null` to leave it.
   * @param gid The group, `null` to leave it.
   * @param options Whether a symbolic link itself is meant; a signal.
   */
  chown(
    file: Path | number,
    uid: number | null,
    gid: number | null,
    options?: ChownOptions & OperationOptions,
  ): Promise<void> {
    return this.#build(() => op.chown(file, lenientId(uid), lenientId(gid), options), options);
  }

  /**
   * Sets the times of a file's last read and last write.
   *
   * @param file A path or a descriptor.
   * @param atime A `Date`, seconds since 1970, nanoseconds as a `bigint`, or a
   *        `Temporal.Instant`.
   * @param mtime The same.
   * @param options Whether a symbolic link itself is meant; a signal.
   */
  utime(
    file: Path | number,
    atime: FileTime,
    mtime: FileTime,
    options?: UtimeOptions & OperationOptions,
  ): Promise<void> {
    return this.#build(
      () => op.utime(file, lenientTime(atime), lenientTime(mtime), options),
      options,
    );
  }
}
