// Copyright 2026 the ioq authors. MIT license.

/**
 * Open files.
 *
 * @module
 */

import type { SynchronousCalls } from "./backends/synchronous.ts";
import type { BigIntFileInfo, FileInfo } from "./file_info.ts";
import { CachedReads, NOT_NOW } from "./cached_reads.ts";
import { makeReadable } from "./file_readable.ts";
import { checkInteger } from "./integer.ts";
import { checkBytes, op, type OpenRequestOptions } from "./op.ts";
import { addOpenFile, type OpenFile, removeOpenFile } from "./open_files.ts";
import { HINT_OFFSET, TERMINAL_STATE } from "../ffi/layout.ts";
import {
  CoreRequest,
  decodeIntoOrEnd,
  type Holder,
  type OpName,
  type OpValues,
  QUEUE,
  type Request,
  SYNCHRONOUS,
  toCoreRequest,
} from "./operation.ts";
import type { OperationOptions, PromiseForms } from "./promise_forms.ts";
import type { Path } from "./path.ts";

/** How to open a file: `Deno.OpenOptions` and a few more, and where the path begins. */
export type OpenFileOptions = OpenRequestOptions;

/**
 * Bytes that are transferred by one request, at the most: to copy more at once
 * would keep the event loop waiting.
 */
const PIECE_LENGTH = 2 * 1024 * 1024;
/** Pieces of a read that are in flight. */
const PIECES_AT_ONCE = 4;

/** Bytes that one of several synchronous system calls transfers. */
const SYNCHRONOUS_LENGTH = 2 * 1024 * 1024;

/** Requests that are kept to be used again, of each kind. */
const SPARES_MAX = 256;

/** The requests of a file that are in flight, and those that are to be used again. */
class InFlight implements Holder {
  count = 0;
  /** Those that are no reads. */
  others = 0;
  /** What to call when there are none left. */
  onIdle: (() => void) | undefined;
  readonly reads: CoreRequest<"readInto">[] = [];
  readonly writes: CoreRequest<"write">[] = [];

  enter(request: CoreRequest): void {
    this.count++;
    if (request.op !== "readInto") {
      this.others++;
    }
  }

  leave(request: CoreRequest): void {
    if (request.op !== "readInto") {
      this.others--;
    }
    if (request.op === "readInto") {
      request.target = undefined;
      if (this.reads.length < SPARES_MAX) {
        this.reads.push(request as CoreRequest<"readInto">);
      }
    } else if (request.op === "write") {
      request.bytes = undefined;
      if (this.writes.length < SPARES_MAX) {
        this.writes.push(request as CoreRequest<"write">);
      }
    }
    if (--this.count === 0) {
      this.onIdle?.();
    }
  }
}

/**
 * An open file: all of `Deno.FsFile`'s members (but `close()` gives a promise), and reading and writing at an offset,
 * which any number of calls may do at the same time.
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
  readonly #ioq: PromiseForms;
  readonly #path: Path;
  readonly #direct: boolean;
  #fd: number;
  readonly #inFlight = new InFlight();
  readonly #cached: CachedReads;
  readonly #entry: OpenFile;
  /** Its closing, if it was the queue that began it and nobody asked since. */
  #closedWithQueue: Promise<void> | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;
  /** What the terminal goes back to. */
  #terminal: Uint8Array<ArrayBuffer> | undefined;

  /** Made by {@linkcode Ioq.openFile}. */
  constructor(ioq: PromiseForms, fd: number, path: Path, direct: boolean) {
    this.#ioq = ioq;
    this.#direct = direct;
    this.#cached = new CachedReads(ioq);
    this.#fd = fd;
    this.#path = path;
    this.#entry = {
      queue: ioq[QUEUE],
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
  #runSync<K extends OpName>(build: (fd: number) => Request<K>): OpValues[K] {
    const request = toCoreRequest(build(this.fd));
    return this.#calls.run(request);
  }

  /** What runs requests on this thread. */
  get #calls(): SynchronousCalls {
    return this.#ioq[SYNCHRONOUS]() as SynchronousCalls;
  }

  /** Run a request on the descriptor. */
  #start<K extends OpName>(
    request: CoreRequest<K>,
    options: OperationOptions | undefined,
  ): Promise<OpValues[K]> {
    request.holder = this.#inFlight;
    this.#inFlight.enter(request);
    return this.#ioq.run(request, options);
  }

  /** Build a request for the descriptor, which must be open, and run it. */
  #run<K extends OpName>(
    build: (fd: number) => Request<K>,
    options: OperationOptions | undefined,
  ): Promise<OpValues[K]> {
    let request;
    try {
      request = toCoreRequest(build(this.fd));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#start(request, options);
  }

  /**
   * A request to read. Nothing else is as frequent, so it takes the short way, and
   * the request is one that was used before.
   */
  #readRequest(buffer: Uint8Array<ArrayBuffer>, fd = this.fd): CoreRequest<"readInto"> {
    checkBuffer(buffer);
    const request = this.#inFlight.reads.pop() ?? makeRead(fd);
    request.target = buffer;
    request.length = buffer.byteLength;
    request.hints = 0;
    return request;
  }

  /**
   * Read what is cached, if nothing else on the file would be overtaken by that.
   *
   * @param offset Where, -1 for the file's position.
   * @returns How many bytes; or a negative number if it is to become a request.
   */
  #readCached(buffer: Uint8Array<ArrayBuffer>, offset: number): number {
    const { count, others } = this.#inFlight;
    const { byteLength } = buffer;
    return byteLength === 0 || byteLength > PIECE_LENGTH || (offset < 0 ? count : others) > 0
      ? NOT_NOW
      : this.#cached.read(this.fd, buffer, offset);
  }

  /** A request to write. */
  #writeRequest(bytes: Uint8Array, fd = this.fd): CoreRequest<"write"> {
    checkBytes(bytes, "bytes");
    const request = this.#inFlight.writes.pop() ?? makeWrite(fd);
    request.bytes = bytes;
    request.length = bytes.byteLength;
    request.hints = 0;
    return request;
  }

  /**
   * Read at the file's position.
   *
   * @param buffer Where to; written to by the time that the promise resolves.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  read(buffer: Uint8Array<ArrayBuffer>, options?: OperationOptions): Promise<number | null> {
    let request;
    try {
      if (options === undefined) {
        const count = this.#readCached(checkBuffer(buffer), -1);
        if (count >= 0) {
          return Promise.resolve(count === 0 ? null : count);
        }
      }
      request = this.#readRequest(buffer);
    } catch (error) {
      return Promise.reject(error);
    }
    if (request.length > PIECE_LENGTH) {
      return this.#inPieces(request, (fd) => this.#readPieces(fd, buffer, undefined, options));
    }
    return this.#start(request, options);
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
    let request;
    try {
      if (options === undefined) {
        const count = this.#readCached(checkBuffer(buffer), checkedOffset(offset));
        if (count >= 0) {
          return Promise.resolve(count === 0 ? null : count);
        }
      }
      request = this.#readRequest(buffer);
      setOffset(request, offset);
    } catch (error) {
      return Promise.reject(error);
    }
    if (request.length > PIECE_LENGTH) {
      return this.#inPieces(request, (fd) => this.#readPieces(fd, buffer, offset, options));
    }
    return this.#start(request, options);
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

  /** Run a transfer that is too long for one in pieces, keeping the file open. */
  async #inPieces<V>(request: CoreRequest, transfer: (fd: number) => Promise<V>): Promise<V> {
    // What it would have been as one: in flight until the last piece is
    this.#inFlight.enter(request);
    try {
      return await transfer(request.fd);
    } finally {
      this.#inFlight.leave(request);
    }
  }

  /**
   * Read in pieces, some of them at the same time if they have offsets. As for one
   * read, what ends it early counts only if nothing came before; an abort always.
   */
  async #readPieces(
    fd: number,
    buffer: Uint8Array<ArrayBuffer>,
    offset: number | undefined,
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    const { length } = buffer;
    const begin = (at: number) => {
      const piece = buffer.subarray(at, at + PIECE_LENGTH);
      const request = this.#readRequest(piece, fd);
      if (offset !== undefined) {
        setOffset(request, offset + at);
      }
      const count = this.#start(request, options);
      // One that comes after the end of another fails unseen
      count.catch(() => {});
      return { piece: piece.length, count };
    };
    const pieces: ReturnType<typeof begin>[] = [];
    const most = offset === undefined ? 1 : PIECES_AT_ONCE;
    let next = 0;
    for (let done = 0;;) {
      for (; next < length && pieces.length < most; next += PIECE_LENGTH) {
        pieces.push(begin(next));
      }
      const first = pieces.shift();
      if (first === undefined) {
        return done;
      }
      try {
        const count = await first.count ?? 0;
        done += count;
        if (count < first.piece) {
          // The buffer is written to until all are over
          await Promise.allSettled(pieces.map(({ count }) => count));
          return done === 0 ? null : done;
        }
      } catch (error) {
        await Promise.allSettled(pieces.map(({ count }) => count));
        if (done === 0 || options?.signal?.aborted) {
          throw error;
        }
        return done;
      }
    }
  }

  /** Write in pieces, one after the other. */
  async #writePieces(
    fd: number,
    bytes: Uint8Array,
    offset: number | undefined,
    options: OperationOptions | undefined,
  ): Promise<number> {
    let done = 0;
    while (done < bytes.length) {
      const piece = bytes.subarray(done, done + PIECE_LENGTH);
      try {
        const request = this.#writeRequest(piece, fd);
        if (offset !== undefined) {
          setOffset(request, offset + done);
        }
        const count = await this.#start(request, options);
        done += count;
        if (count < piece.length) {
          break;
        }
      } catch (error) {
        if (done === 0 || options?.signal?.aborted) {
          throw error;
        }
        break;
      }
    }
    return done;
  }

  /**
   * Write at the file's position.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @returns How many bytes were written, possibly fewer.
   */
  write(bytes: Uint8Array, options?: OperationOptions): Promise<number> {
    let request;
    try {
      request = this.#writeRequest(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
    if (request.length > PIECE_LENGTH) {
      return this.#inPieces(request, (fd) => this.#writePieces(fd, bytes, undefined, options));
    }
    return this.#start(request, options);
  }

  /**
   * Write at an offset, leaving the file's position alone.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @param offset Bytes from the start.
   * @returns How many bytes were written, possibly fewer.
   */
  writeAt(bytes: Uint8Array, offset: number, options?: OperationOptions): Promise<number> {
    let request;
    try {
      request = this.#writeRequest(bytes);
      setOffset(request, offset);
    } catch (error) {
      return Promise.reject(error);
    }
    if (request.length > PIECE_LENGTH) {
      return this.#inPieces(request, (fd) => this.#writePieces(fd, bytes, offset, options));
    }
    return this.#start(request, options);
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
    const done = this.#piecesSync(buffer, (piece) => this.#runSync((fd) => op.readInto(fd, piece)));
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
    return this.#piecesSync(bytes, (piece) => this.#runSync((fd) => op.write(fd, piece)));
  }

  /** Transfer in pieces; what ends it early counts only if nothing came before. */
  #piecesSync<B extends ArrayBufferLike>(
    bytes: Uint8Array<B>,
    transfer: (piece: Uint8Array<B>) => number,
  ): number {
    let done = 0;
    try {
      while (true) {
        const piece = bytes.subarray(done, done + SYNCHRONOUS_LENGTH);
        const count = transfer(piece);
        done += count;
        if (count < piece.length || done === bytes.length) {
          return done;
        }
      }
    } catch (error) {
      if (done === 0) {
        throw error;
      }
      return done;
    }
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
   * cancel. What is read ahead is bounded: see `src/file_readable.ts`.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= makeReadable(this, this.#direct);
  }

  /** A stream that writes at the file's position; the file is closed with it. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= new WritableStream({
      write: async (chunk) => {
        for (let done = 0; done < chunk.length;) {
          const count = await this.#orClose(this.write(chunk.subarray(done)));
          if (count === 0) {
            await this[Symbol.asyncDispose]();
            throw new Deno.errors.WriteZero("failed to write whole buffer");
          }
          done += count;
        }
      },
      close: () => this[Symbol.asyncDispose](),
      abort: () => this[Symbol.asyncDispose](),
    });
  }

  /** A stream that fails is over: nobody could close the file by it any more. */
  async #orClose<V>(transfer: Promise<V>): Promise<V> {
    try {
      return await transfer;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Refuse all else from now on, wait for what is in flight, close the descriptor. */
  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    try {
      if (this.#inFlight.count > 0) {
        await new Promise<void>((resolve) => this.#inFlight.onIdle = resolve);
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

/** Holds what needs no holder: a file's own closing. */
const NOBODY: Holder = { leave() {} };

/** A request to read, that can be used again and again. */
function makeRead(fd: number): CoreRequest<"readInto"> {
  const request = new CoreRequest("readInto");
  request.fd = fd;
  request.decode = decodeIntoOrEnd;
  return request;
}

/** A request to write, that can be used again and again. */
function makeWrite(fd: number): CoreRequest<"write"> {
  const request = new CoreRequest("write");
  request.fd = fd;
  return request;
}

/** Check what is to be read into. */
function checkBuffer(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  checkBytes(buffer, "buffer");
  return buffer;
}

/** Check an offset that must be given. */
function checkedOffset(offset: number): number {
  return checkInteger(offset, "offset", 0, Number.MAX_SAFE_INTEGER);
}

/** Have a transfer take place at an offset. */
function setOffset(request: CoreRequest, offset: number): void {
  request.offset = checkedOffset(offset);
  request.hints = HINT_OFFSET;
}

/** Open a file on a queue. */
export async function openFile(
  ioq: PromiseForms,
  path: Path,
  options: OpenFileOptions & OperationOptions = { read: true },
): Promise<IoqFile> {
  const { signal, timeoutMs, ...open } = options;
  const request = toCoreRequest(
    op.open(path, Object.keys(open).length === 0 ? { read: true } : open),
  );
  // At its very completion, so that no queue closes before it knows of the file
  request.decode = (fd) => new IoqFile(ioq, fd, path, open.direct === true);
  const opening: Promise<unknown> = ioq.run(request, {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return await opening as IoqFile;
}
