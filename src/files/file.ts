// Copyright 2026 the ioq authors. MIT license.

/**
 * Open files.
 *
 * @module
 */

import { ownOption } from "../own_option.ts";
import type { SynchronousCalls } from "../backends/synchronous.ts";
import type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
import { CachedReads } from "../queue/cached_reads.ts";
import { PIECE_LENGTH, readInPieces, transferInPiecesSync, writeInPieces } from "./pieces.ts";
import { makeReadable } from "./readable.ts";
import { checkBuffer, checkedOffset, FileRequests, NOBODY, OWN_POSITION } from "./file_requests.ts";
import { makeWritable } from "./writable.ts";
import { checkBytes } from "../operations/arguments.ts";
import { op } from "../operations/op.ts";
import type { OpenRequestOptions } from "../operations/request_options.ts";
import { addOpenFile, type OpenFile, removeOpenFile } from "../queue/open_files.ts";
import { TERMINAL_STATE } from "../../ffi/layout.ts";
import { type CoreRequest, type Request, toCoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { coreOf, limitsOf, type OperationOptions, readerOf, type Runner } from "../queue/runner.ts";
import type { Path } from "../path.ts";

/** How to open a file: `Deno.OpenOptions` and a few more, and where the path begins. */
export type OpenFileOptions = OpenRequestOptions;

/**
 * An open file: all of `Deno.FsFile`'s members (but `close()` gives a promise), and
 * reading and writing at an offset, which any number of calls may do at the same time.
 *
 * It belongs to the queue that opened it: a request for its descriptor on another
 * queue is refused, and closing the queue closes it.
 *
 * @example
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * await using file = await ioq.openFile("/etc/hostname");
 * const buffer = new Uint8Array(64);
 * const count = await file.readAt(buffer, 0);
 * console.log(count);
 * ```
 */
export class IoqFile implements AsyncDisposable, Disposable {
  readonly #ioq: Runner;
  readonly #path: Path;
  readonly #direct: boolean;
  #fd: number;
  readonly #requests = new FileRequests();
  readonly #cached: CachedReads;
  readonly #entry: OpenFile;
  /** Its closing, if it was the queue that began it and nobody asked since. */
  #closedWithQueue: Promise<void> | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;
  /** What the terminal goes back to. */
  #terminal: Uint8Array<ArrayBuffer> | undefined;

  /** Made by {@linkcode Ioq.openFile}. */
  constructor(ioq: Runner, fd: number, path: Path, direct: boolean) {
    this.#ioq = ioq;
    this.#direct = direct;
    this.#cached = new CachedReads(readerOf(ioq));
    this.#fd = fd;
    this.#path = path;
    this.#entry = {
      queue: coreOf(ioq),
      closeWithQueue: () => {
        if (this.#fd >= 0) {
          this.#closedWithQueue = this.#close();
          // What it was closed for is over, and whoever calls close() is told
          this.#closedWithQueue.catch(() => {});
        }
      },
    };
    addOpenFile(fd, this.#entry);
  }

  /**
   * The descriptor, for requests made with `op`.
   *
   * @throws {Deno.errors.BadResource} If the file is closed.
   */
  get fd(): number {
    if (this.#fd < 0) {
      throw new Deno.errors.BadResource("Bad resource ID");
    }
    return this.#fd;
  }

  /** Build a request for the descriptor and run it on this thread, past the queue. */
  #runSync<V>(build: (fd: number) => Request<OpName, V>): V {
    const request = toCoreRequest(build(this.fd));
    return this.#calls.run(request);
  }

  /** What runs requests on this thread. */
  get #calls(): SynchronousCalls {
    return coreOf(this.#ioq).synchronous();
  }

  /** Run a request on the descriptor. */
  #start<V>(
    request: CoreRequest<OpName, V>,
    options: OperationOptions | undefined,
  ): Promise<V> {
    request.holder = this.#requests;
    this.#requests.enter(request);
    return this.#ioq.run(request, options);
  }

  /** Build a request for the descriptor, which must be open, and run it. */
  #run<V>(
    build: (fd: number) => Request<OpName, V>,
    options: OperationOptions | undefined,
  ): Promise<V> {
    let request;
    try {
      request = toCoreRequest(build(this.fd));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#start(request, options);
  }

  /**
   * Read at an offset, or at {@linkcode OWN_POSITION}.
   *
   * @throws {TypeError} If there is nothing to read into.
   * @throws {Deno.errors.BadResource} If the file is closed.
   */
  #read(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    checkBuffer(buffer);
    const { fd } = this;
    const { byteLength } = buffer;
    if (byteLength > PIECE_LENGTH) {
      const read = (piece: Uint8Array<ArrayBuffer>, at: number) =>
        this.#start(this.#requests.read(fd, piece, placeOf(offset, at)), options);
      return this.#inPieces(
        this.#requests.read(fd, buffer, offset),
        () => readInPieces(buffer, offset !== OWN_POSITION, read, options?.signal),
      );
    }
    if (options === undefined && byteLength > 0) {
      const { count, others } = this.#requests;
      // Nothing else on the file may be overtaken
      if ((offset === OWN_POSITION ? count : others) === 0) {
        const count = this.#cached.read(fd, buffer, offset);
        if (count >= 0) {
          return Promise.resolve(count === 0 ? null : count);
        }
      }
    }
    return this.#start(this.#requests.read(fd, buffer, offset), options);
  }

  /** Write at an offset, or at {@linkcode OWN_POSITION}; throws as a read does. */
  #write(
    bytes: Uint8Array,
    offset: number,
    options: OperationOptions | undefined,
  ): Promise<number> {
    checkBytes(bytes, "bytes");
    const { fd } = this;
    const request = this.#requests.write(fd, bytes, offset);
    if (bytes.byteLength <= PIECE_LENGTH) {
      return this.#start(request, options);
    }
    const write = (piece: Uint8Array, at: number) =>
      this.#start(this.#requests.write(fd, piece, placeOf(offset, at)), options);
    return this.#inPieces(request, () => writeInPieces(bytes, write, options?.signal));
  }

  /** Run a transfer that is too long for one request, keeping the file open. */
  async #inPieces<V>(request: CoreRequest, transfer: () => Promise<V>): Promise<V> {
    // What it would have been as one: in flight until the last piece is
    this.#requests.enter(request);
    try {
      return await transfer();
    } finally {
      this.#requests.leave(request);
    }
  }

  /**
   * Read at the file's position.
   *
   * @param buffer Where to; written to by the time that the promise resolves.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  read(buffer: Uint8Array<ArrayBuffer>, options?: OperationOptions): Promise<number | null> {
    try {
      return this.#read(buffer, OWN_POSITION, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Read at an offset, leaving the file's position alone.
   *
   * @param buffer Where to.
   * @param offset Bytes from the start.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  readAt(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options?: OperationOptions,
  ): Promise<number | null> {
    try {
      return this.#read(buffer, checkedOffset(offset), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Read into several buffers at the file's position, see `readv(2)`.
   *
   * @param buffers Where to, one after the other.
   * @returns How many bytes were read, `null` at the end; 0 if there is no room.
   */
  readv(
    buffers: readonly Uint8Array<ArrayBuffer>[],
    options?: OperationOptions,
  ): Promise<number | null> {
    return this.#readParts((fd) => op.readv(fd, buffers), buffers, options);
  }

  /**
   * Read into several buffers at an offset, leaving the file's position alone.
   *
   * @param buffers Where to, one after the other.
   * @param offset Bytes from the start.
   * @returns How many bytes were read, `null` at the end; 0 if there is no room.
   */
  readvAt(
    buffers: readonly Uint8Array<ArrayBuffer>[],
    offset: number,
    options?: OperationOptions,
  ): Promise<number | null> {
    return this.#readParts((fd) => op.readv(fd, buffers, checkedOffset(offset)), buffers, options);
  }

  async #readParts(
    build: (fd: number) => Request<"readv">,
    buffers: readonly Uint8Array<ArrayBuffer>[],
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    const count = await this.#run(build, options);
    return count === 0 && buffers.some((buffer) => buffer.byteLength > 0) ? null : count;
  }

  /**
   * Write what lies in several buffers at the file's position, see `writev(2)`.
   *
   * @param parts What to write, one after the other; copied before this returns.
   * @returns How many bytes were written, possibly fewer.
   */
  writev(parts: readonly Uint8Array[], options?: OperationOptions): Promise<number> {
    return this.#run((fd) => op.writev(fd, parts), options);
  }

  /**
   * Write what lies in several buffers at an offset, leaving the file's position alone.
   *
   * @param parts What to write, one after the other; copied before this returns.
   * @param offset Bytes from the start.
   * @returns How many bytes were written, possibly fewer.
   */
  writevAt(
    parts: readonly Uint8Array[],
    offset: number,
    options?: OperationOptions,
  ): Promise<number> {
    return this.#run((fd) => op.writev(fd, parts, checkedOffset(offset)), options);
  }

  /**
   * Write at the file's position.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @returns How many bytes were written, possibly fewer.
   */
  write(bytes: Uint8Array, options?: OperationOptions): Promise<number> {
    try {
      return this.#write(bytes, OWN_POSITION, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Write at an offset, leaving the file's position alone.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @param offset Bytes from the start.
   * @returns How many bytes were written, possibly fewer.
   */
  writeAt(bytes: Uint8Array, offset: number, options?: OperationOptions): Promise<number> {
    try {
      return this.#write(bytes, checkedOffset(offset), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Move the file's position.
   *
   * @param offset Bytes, possibly negative.
   * @param whence From the start, the current position or the end.
   * @returns The new position, in bytes from the start.
   */
  seek(
    offset: number | bigint,
    whence: Deno.SeekMode,
    options?: OperationOptions,
  ): Promise<number> {
    const bytes = typeof offset === "bigint" ? Number(offset) : offset;
    return this.#run((fd) => op.seek(fd, bytes, whence), options);
  }

  /** Shorten or lengthen the file to a number of bytes, 0 by default. */
  truncate(length?: number, options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.truncate(fd, length), options);
  }

  /** The file's attributes. */
  stat(options?: OperationOptions & { bigint?: false }): Promise<FileInfo>;
  /** The file's exact attributes. */
  stat(options: OperationOptions & { bigint: true }): Promise<BigIntFileInfo>;
  stat(options?: OperationOptions & { bigint?: boolean }): Promise<FileInfo | BigIntFileInfo> {
    return this.#run((fd) => op.fstat(fd, options as { bigint?: false }), options);
  }

  /** Have data and attributes written to the device. */
  sync(options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.sync(fd), options);
  }

  /** Have the data written to the device. */
  syncData(options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.syncData(fd), options);
  }

  /** Set the times of the last read and the last write. */
  utime(atime: Date | number, mtime: Date | number, options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.utime(fd, atime, mtime), options);
  }

  /** Wait for a lock on the file; shared unless `exclusive`. */
  lock(exclusive?: boolean, options?: OperationOptions): Promise<void> {
    return this.#run(
      (fd) => op.lock(fd, exclusive ? "exclusive" : "shared", { wait: true }),
      options,
    );
  }

  /** Take a lock on the file if nobody else's is in the way; tells whether it did. */
  async tryLock(exclusive?: boolean, options?: OperationOptions): Promise<boolean> {
    try {
      await this.#run((fd) => op.lock(fd, exclusive ? "exclusive" : "shared"), options);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) {
        return false;
      }
      throw error;
    }
  }

  /** Release the lock. */
  unlock(options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.lock(fd, "unlock"), options);
  }

  /**
   * {@linkcode IoqFile.read}, on this thread.
   *
   * Synchronous members hold the thread up until they are done, as those of
   * `Deno.FsFile` do, and go past the queue: how they and requests in flight come one
   * after the other is left open. Without the native library only those of queues whose
   * requests run on this thread can; of others, files belong to a Worker.
   *
   * @param buffer Where to.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   * @throws {Deno.errors.BadResource} If the file is closed.
   * @throws {Deno.errors.NotSupported} If the file belongs to a Worker.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * await using file = await ioq.openFile("/etc/hostname");
   * const buffer = new Uint8Array(64);
   * console.log(file.readSync(buffer));
   * ```
   */
  readSync(buffer: Uint8Array<ArrayBuffer>): number | null {
    checkBytes(buffer, "buffer");
    const done = transferInPiecesSync(
      buffer,
      (piece) => this.#runSync((fd) => op.readInto(fd, piece)),
    );
    return done === 0 && buffer.length > 0 ? null : done;
  }

  /**
   * {@linkcode IoqFile.write}, on this thread.
   *
   * @param bytes What to write.
   * @returns How many bytes were written, possibly fewer.
   */
  writeSync(bytes: Uint8Array): number {
    checkBytes(bytes, "bytes");
    return transferInPiecesSync(bytes, (piece) => this.#runSync((fd) => op.write(fd, piece)));
  }

  /**
   * {@linkcode IoqFile.seek}, on this thread.
   *
   * @param offset Bytes, possibly negative.
   * @param whence From the start, the current position or the end.
   * @returns The new position, in bytes from the start.
   */
  seekSync(offset: number | bigint, whence: Deno.SeekMode): number {
    const bytes = typeof offset === "bigint" ? Number(offset) : offset;
    return this.#runSync((fd) => op.seek(fd, bytes, whence));
  }

  /** {@linkcode IoqFile.truncate}, on this thread. */
  truncateSync(length?: number): void {
    this.#runSync((fd) => op.truncate(fd, length));
  }

  /** {@linkcode IoqFile.stat}, on this thread. */
  statSync(options?: { bigint?: false }): FileInfo;
  /** The file's exact attributes. */
  statSync(options: { bigint: true }): BigIntFileInfo;
  statSync(options?: { bigint?: boolean }): FileInfo | BigIntFileInfo {
    return this.#runSync((fd) => op.fstat(fd, options as { bigint?: false }));
  }

  /** {@linkcode IoqFile.sync}, on this thread. */
  syncSync(): void {
    this.#runSync((fd) => op.sync(fd));
  }

  /** {@linkcode IoqFile.syncData}, on this thread. */
  syncDataSync(): void {
    this.#runSync((fd) => op.syncData(fd));
  }

  /** {@linkcode IoqFile.utime}, on this thread. */
  utimeSync(atime: Date | number, mtime: Date | number): void {
    this.#runSync((fd) => op.utime(fd, atime, mtime));
  }

  /**
   * {@linkcode IoqFile.lock}, on this thread: if nobody on another thread or in another
   * process releases the lock that is in the way, it waits for ever.
   */
  lockSync(exclusive?: boolean): void {
    this.#runSync((fd) => op.lock(fd, exclusive ? "exclusive" : "shared", { wait: true }));
  }

  /** {@linkcode IoqFile.tryLock}, on this thread. */
  tryLockSync(exclusive?: boolean): boolean {
    try {
      this.#runSync((fd) => op.lock(fd, exclusive ? "exclusive" : "shared"));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) {
        return false;
      }
      throw error;
    }
  }

  /** {@linkcode IoqFile.unlock}, on this thread. */
  unlockSync(): void {
    this.#runSync((fd) => op.lock(fd, "unlock"));
  }

  /**
   * Whether it is a terminal.
   *
   * @throws {Deno.errors.BadResource} If the file is closed.
   */
  isTerminal(): boolean {
    const { fd } = this;
    return this.#calls.isTerminal(fd);
  }

  /**
   * Set a terminal's raw mode, as `Deno.FsFile.setRaw()` does. Closing the file does
   * not set it back. Without the native library it cannot be set.
   *
   * @param mode Whether what is typed comes at once and as it is; `false` goes back to
   *        what was before.
   * @param options `cbreak`: whether keys that make signals still do so.
   * @throws {Deno.errors.BadResource} If the file is closed, or is no terminal.
   * @throws {Deno.errors.NotSupported} Without the native library.
   */
  setRaw(mode: boolean, options?: Deno.SetRawOptions): void {
    const { fd } = this;
    const calls = this.#calls;
    if (!calls.isTerminal(fd)) {
      throw new Deno.errors.BadResource("ENOTTY: Not a typewriter");
    }
    this.#terminal ??= new Uint8Array(TERMINAL_STATE);
    calls.setRaw(fd, mode ? options?.cbreak ? "cbreak" : "raw" : "restore", this.#terminal);
  }

  /**
   * The rest of the file as a stream of bytes; the file is closed at its end, or on
   * cancel. What is read ahead is bounded: see `src/files/readable.ts`.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= makeReadable(this, this.#direct);
  }

  /** A stream that writes at the file's position; the file is closed with it. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= makeWritable(this);
  }

  /** Refuse all else from now on, wait for what is in flight, close the descriptor. */
  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    try {
      if (this.#requests.count > 0) {
        await new Promise<void>((resolve) => this.#requests.onIdle = resolve);
      }
      const request = toCoreRequest(op.close(fd));
      request.holder = NOBODY;
      await this.#ioq.run(request);
    } finally {
      removeOpenFile(fd, this.#entry);
    }
  }

  /**
   * Close the file. From now on it refuses all else; what is in flight ends first,
   * because the descriptor's number may mean another file as soon as it is closed.
   * A file that was closed along with its queue may be closed once more.
   *
   * @throws {Deno.errors.BadResource} If it is closed already.
   */
  async close(): Promise<void> {
    const closing = this.#closedWithQueue;
    if (closing !== undefined) {
      this.#closedWithQueue = undefined;
      return await closing;
    }
    this.fd;
    await this.#close();
  }

  /** {@linkcode IoqFile.close}, for `await using`; a closed file is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd >= 0 || this.#closedWithQueue !== undefined) {
      await this.close();
    }
  }

  /**
   * {@linkcode IoqFile.close}, for `using`: it begins here and is over before the
   * queue is closed. If it fails, nobody is told; `await using` tells.
   */
  [Symbol.dispose](): void {
    this[Symbol.asyncDispose]().catch(() => {});
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `IoqFile { path: ${JSON.stringify(String(this.#path))}, fd: ${this.#fd} }`;
  }
}

/** Where a piece of a transfer is. */
function placeOf(offset: number, at: number): number {
  return offset === OWN_POSITION ? OWN_POSITION : checkedOffset(offset + at);
}

/** Open a file on a queue. */
export async function openFile(
  ioq: Runner,
  path: Path,
  options: OpenFileOptions & OperationOptions = { read: true },
): Promise<IoqFile> {
  const { signal: _, timeoutMs: __, ...open } = options;
  const request = toCoreRequest(
    op.open(path, Object.keys(open).length === 0 ? { read: true } : open),
  );
  // At its very completion, so that no queue closes before it knows of the file
  const opening = request.readBy((fd) =>
    new IoqFile(ioq, fd, path, ownOption(open, "direct") === true)
  );
  return await ioq.run(opening, limitsOf(options));
}
