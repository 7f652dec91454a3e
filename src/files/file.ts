// Copyright 2026 the ioq authors. MIT license.

/**
 * Open files.
 *
 * @module
 */

import type { SynchronousCalls } from "../backends/synchronous.ts";
import { ERRNO, hasCode, osError } from "../linux/errors.ts";
import type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
import type { FileTime } from "../file_time.ts";
import { checkOwn } from "../construction.ts";
import { byteLengthOf, plainBytes } from "../byte_length.ts";
import { KeptBytes } from "../kept_bytes.ts";
import { checkTimeout } from "../integer.ts";
import { checkSignal } from "../signal.ts";
import { asEnd, closedError } from "../end.ts";
import { APPENDS, CachedTransfers, NOT_NOW } from "../queue/cached_transfers.ts";
import type { CallOrder } from "./call_order.ts";
import {
  endsEverything,
  PIECE_LENGTH,
  readExactly,
  readInPieces,
  transferInPiecesSync,
  writeInPieces,
} from "./pieces.ts";
import { lenientLength, lenientTime } from "../lenient.ts";
import { PiecesInProgress } from "./pieces_in_progress.ts";
import { type FileRange, memoryFor, Ranges, readRanges } from "./read_ranges.ts";
import { makeReadable } from "./readable.ts";
import { ownOption } from "../own_option.ts";
import { checkBuffer, checkedOffset, FileRequests, NOBODY, Turn } from "./file_requests.ts";
import { makeWritable, writeChunk } from "./writable.ts";
import { checkedLength, durableFlags } from "../operations/arguments.ts";
import { SEEK_DATA, SEEK_HOLE } from "../linux/fcntl.ts";
import { op } from "../operations/op.ts";
import type { DurableOptions, OpenRequestOptions } from "../operations/request_options.ts";
import { addOpenFile, type OpenFile, removeOpenFile } from "../queue/open_files.ts";
import { HAS_POSITION, HINT_OFFSET, TERMINAL_STATE, WRITES_ALONE } from "../../ffi/layout.ts";
import { type CoreRequest, type Request, toCoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { withinLimit } from "../queue/call_end.ts";
import { cacheOf, coreOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";
import { type Path, pathText, toPath } from "../path.ts";

/**
 * Options of opening a file: those of `Deno.open`, a few more flags, and where a relative path begins.
 *
 * @category Open files
 */
export type OpenFileOptions = OpenRequestOptions;

/**
 * Options of writing to an open file.
 *
 * @category Open files
 */
export interface WriteOptions extends DurableOptions, OperationOptions {}

/** What a file asks for itself, whoever may know its attributes. */
function ownStat(fd: number): CoreRequest<"fstat", FileInfo> {
  const request = toCoreRequest(op.fstat(fd));
  request.trusted = true;
  return request;
}

/**
 * An open file. It has the members of `Deno.FsFile`, of which `close()` returns a promise, and
 * reads and writes at an offset, which any number of calls may do at the same time.
 *
 * All other asynchronous calls take place in the order in which they are made, also when they are not
 * awaited. Those at an offset (`readAt`, `readRanges`, `writeAt`, `readvAt`, `writevAt`) have no order, and neither do
 * requests made with `op`: await them where it matters. A stream, such as a pipe, keeps the order of
 * its reads and that of its writes.
 *
 * `readSync`, `writeSync` and `seekSync` come after the call that is in progress, for which they wait, and
 * before those that have not begun. The other synchronous members wait for nothing, as Deno's do not.
 *
 * It belongs to the queue that opened it. Other queues refuse requests for its descriptor, and
 * closing the queue closes the file.
 *
 * @category Open files
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
  readonly #requests: FileRequests;
  readonly #cached: CachedTransfers;
  readonly #entry: OpenFile;
  /** Its closing, if it was the queue that began it and nobody asked since. */
  #closedWithQueue: Promise<void> | undefined;
  /** Whether it was closed because its queue was: that ends all that it is used for. */
  #isEnded = false;
  /** Locks that are waited for. */
  readonly #locking = new Set<CoreRequest>();
  /** Whether a lock may be held. */
  #locked = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;
  /** What the terminal goes back to. */
  #terminal: Uint8Array<ArrayBuffer> | undefined;

  /** Made by {@linkcode Ioq.openFile}, and by nobody else. */
  constructor(
    token: symbol,
    ioq: Runner,
    fd: number,
    path: Path,
    options: OpenFileOptions,
  ) {
    checkOwn(token);
    this.#ioq = ioq;
    this.#direct = ownOption(options, "direct") === true;
    this.#requests = new FileRequests(ownOption(options, "append") === true);
    this.#cached = new CachedTransfers(cacheOf(ioq));
    this.#fd = fd;
    this.#path = path;
    this.#entry = {
      queue: coreOf(ioq),
      ownsPosition: () => {
        this.#isReady(fd, false);
        return this.#requests.hasPosition === true;
      },
      closeWithQueue: () => {
        if (this.#fd >= 0) {
          this.#isEnded = true;
          this.#closedWithQueue = this.#close();
          // What it was closed for is over, and whoever calls close() is told
          this.#closedWithQueue.catch(() => {});
        }
      },
    };
    addOpenFile(fd, this.#entry);
  }

  /**
   * The descriptor, for requests made with `op`. Requests that transfer bytes need an offset,
   * since the position is kept here and not by the kernel.
   *
   * @throws {Deno.errors.BadResource} If the file is closed.
   */
  get fd(): number {
    if (this.#fd < 0) {
      throw this.#isEnded ? closedError() : new Deno.errors.BadResource("Bad resource ID");
    }
    return this.#fd;
  }

  /** Check that a stream's file is open: Deno has other words if it is not. */
  #checkStreamed(): void {
    if (this.#fd < 0 && !this.#isEnded) {
      throw new Deno.errors.BadResource("The stream's underlying resource was closed or consumed");
    }
  }

  /** Build a request for the descriptor and run it on this thread, past the queue. */
  #runSync<V>(build: (fd: number) => Request<OpName, V>): V {
    const request = toCoreRequest(build(this.fd));
    // It is over before anything else can happen to the file
    request.holder = NOBODY;
    return this.#calls.run(request);
  }

  /** What runs requests on this thread. */
  get #calls(): SynchronousCalls {
    return coreOf(this.#ioq).synchronous();
  }

  /** Run a request on the descriptor, as part of a turn if it takes several. */
  #start<V>(
    request: CoreRequest<OpName, V>,
    options: OperationOptions | undefined,
    holder: FileRequests | Turn = this.#requests,
  ): Promise<V> {
    request.holder = holder;
    holder.enter(request);
    return runOn(this.#ioq, request, options);
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

  /** Build a request that has its turn when all that was asked for before is over, and run it. */
  #runInOrder<V>(
    build: (fd: number) => Request<OpName, V>,
    options: OperationOptions | undefined,
  ): Promise<V> {
    let request;
    try {
      request = toCoreRequest(build(this.fd));
    } catch (error) {
      return Promise.reject(error);
    }
    const requests = this.#requests;
    if (requests.hasPosition === false) {
      // Whoever reads from a stream may do so for ever
      return this.#start(request, options);
    }
    if (!requests.reading.isFree) {
      return this.#runLater(request, options);
    }
    requests.reading.enter();
    requests.other = request;
    return this.#start(request, options);
  }

  /** The same for one that has to wait. */
  async #runLater<V>(
    request: CoreRequest<OpName, V>,
    options: OperationOptions | undefined,
  ): Promise<V> {
    const requests = this.#requests;
    requests.hold();
    try {
      const left = await requests.reading.wait(options, request.context);
      if (this.#fd < 0 && this.#locking.has(request)) {
        // It might wait for somebody else, and closing waits for it
        requests.reading.leave();
        throw asEnd(osError(ERRNO.EINTR!, request.context));
      }
      requests.other = request;
      return await this.#start(request, left);
    } finally {
      requests.release();
    }
  }

  /** Find out what kind of file it is and where its position is, if that takes requests. */
  async #settle(fd: number, options: OperationOptions | undefined): Promise<void> {
    this.#requests.settling++;
    try {
      await this.#settleNow(fd, options);
    } finally {
      this.#requests.settling--;
    }
  }

  async #settleNow(fd: number, options: OperationOptions | undefined): Promise<void> {
    const requests = this.#requests;
    const stat = () => this.#start(ownStat(fd), options);
    if (requests.hasPosition === undefined) {
      const { isFile, isBlockDevice } = await stat();
      const seek = toCoreRequest(op.seek(fd, 0, Deno.SeekMode.Current));
      requests.settleKind(
        (isFile || isBlockDevice === true) && await this.#start(seek, options).then(
          () => true,
          (error) => {
            if (endsEverything(error, options)) {
              throw error;
            }
            // Some that look regular are streams, such as /proc/kmsg
            return !hasCode(error, "ESPIPE");
          },
        ),
      );
    }
    if (requests.hasPosition && !requests.isSettled(false)) {
      const tell = toCoreRequest(op.seek(fd, 0, Deno.SeekMode.Current));
      try {
        requests.position = await this.#start(tell, options);
      } catch (error) {
        if (endsEverything(error, options)) {
          throw error;
        }
        // Without the library only /proc tells, which may be out of reach
        requests.position = (await stat()).size;
      }
    }
  }

  /** Whether a transfer at the position can begin at once. */
  #isReady(fd: number, writes: boolean): boolean {
    const requests = this.#requests;
    if (requests.hasPosition === undefined) {
      const kind = this.#cached.kind(fd) ?? coreOf(this.#ioq).fileKind(fd);
      if (kind !== undefined) {
        requests.writesAlone = (kind & WRITES_ALONE) !== 0;
        requests.settleKind((kind & HAS_POSITION) !== 0);
      }
    }
    return (writes ? requests.writing : requests.reading).isFree && requests.isSettled(writes);
  }

  /**
   * Do something at the position, or with the stream, when all that was asked for
   * before is over. It ends its turn itself.
   *
   * @param done Called when it is over: a reaction to the promise would hide who awaits it.
   */
  #inOrder<V>(
    fd: number,
    writes: boolean,
    what: string,
    options: OperationOptions | undefined,
    begin: (left: OperationOptions | undefined) => Promise<V>,
    done?: () => void,
  ): Promise<V> {
    return this.#whole(
      fd,
      what,
      options,
      (limits) => this.#wait(fd, writes, what, limits, begin, done),
    );
  }

  async #wait<V>(
    fd: number,
    writes: boolean,
    what: string,
    options: OperationOptions | undefined,
    begin: (left: OperationOptions | undefined) => Promise<V>,
    done: (() => void) | undefined,
  ): Promise<V> {
    const requests = this.#requests;
    const context = `${what} file descriptor ${fd}`;
    requests.hold();
    try {
      const order = writes ? requests.writing : requests.reading;
      let left = await order.wait(options, context);
      try {
        if (!requests.isSettled(writes)) {
          await this.#settle(fd, left);
        }
        if (this.#fd < 0 && !writes && requests.hasPosition === false) {
          throw asEnd(osError(ERRNO.EINTR!, context));
        }
      } catch (error) {
        order.leave();
        throw error;
      }
      const own = writes ? requests.writing : requests.reading;
      if (own !== order) {
        // It turned out to be a stream
        order.leave();
        left = await own.wait(left, context);
      }
      return await begin(left);
    } finally {
      requests.release();
      done?.();
    }
  }

  /**
   * Read at an offset.
   *
   * @throws {TypeError} If there is nothing to read into.
   * @throws {Deno.errors.BadResource} If the file is closed.
   */
  #readAt(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    const byteLength = checkBuffer(buffer);
    const { fd } = this;
    if (byteLength === 0) {
      return readNothing(options);
    }
    if (byteLength > PIECE_LENGTH) {
      this.#requests.hold();
      return this.#readPieces(fd, buffer, offset, options)
        .finally(() => this.#requests.release());
    }
    // What is being written may not be overtaken
    if (options === undefined && byteLength > 0 && this.#requests.others === 0) {
      const count = this.#cached.read(fd, buffer, offset, byteLength);
      if (count >= 0) {
        return Promise.resolve(count === 0 ? null : count);
      }
    }
    const reading = this.#start(this.#requests.read(fd, buffer, offset), options);
    if (this.#direct) {
      coreOf(this.#ioq).backend.hurry?.();
    }
    return reading;
  }

  /** Read what is too long for one request. */
  #readPieces(
    fd: number,
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options: OperationOptions | undefined,
    turn?: Turn,
  ): Promise<number | null> {
    return this.#whole(fd, "read", options, (limits) => {
      const read = (piece: Uint8Array<ArrayBuffer>, at: number) => {
        const pieces = turn?.pieces;
        const count = pieces?.countOf(at, piece.length);
        if (count !== undefined) {
          return Promise.resolve(count === 0 ? null : count);
        }
        const request = this.#requests.read(fd, piece, checkedOffset(offset + at));
        pieces?.begin(request, at);
        return this.#start(request, limits, turn);
      };
      return readInPieces(plainBytes(buffer), read, limits);
    });
  }

  /** Do something with the file that takes several requests, within one time limit. */
  #whole<V>(
    fd: number,
    what: string,
    options: OperationOptions | undefined,
    work: (limits: OperationOptions | undefined) => Promise<V>,
  ): Promise<V> {
    return withinLimit(this.#ioq, options, `${what} file descriptor ${fd}`, work);
  }

  /** Read at the position; throws as a read at an offset does. */
  #readHere(
    buffer: Uint8Array<ArrayBuffer>,
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    const byteLength = checkBuffer(buffer);
    const { fd } = this;
    if (byteLength === 0) {
      return readNothing(options);
    }
    const requests = this.#requests;
    if (!this.#isReady(fd, false)) {
      const begin = (left?: OperationOptions) => this.#readNow(fd, buffer, left);
      return this.#inOrder(fd, false, "read", options, begin);
    }
    if (
      options === undefined && byteLength > 0 && byteLength <= PIECE_LENGTH &&
      requests.others === 0 && requests.hasPosition
    ) {
      const count = this.#cached.read(fd, buffer, requests.position, byteLength);
      if (count >= 0) {
        requests.moveBy(count);
        return Promise.resolve(count === 0 ? null : count);
      }
    }
    requests.reading.enter();
    return this.#readNow(fd, buffer, options);
  }

  /** Read at the position, whose turn it is. */
  #readNow(
    fd: number,
    buffer: Uint8Array<ArrayBuffer>,
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    const requests = this.#requests;
    if (byteLengthOf(buffer) <= PIECE_LENGTH) {
      return this.#start(requests.readHere(fd, buffer), options);
    }
    const plain = plainBytes(buffer);
    if (!requests.hasPosition) {
      // More than a stream has at a time
      const piece = plain.subarray(0, PIECE_LENGTH);
      return this.#start(requests.readHere(fd, piece), options);
    }
    const start = requests.position;
    return this.#withPieces(requests.reading, async (turn) => {
      const pieces = turn.pieces = new PiecesInProgress((from) =>
        this.#readPiecesSync(plain.subarray(from), start + from)
      );
      const count = await this.#readPieces(fd, plain, start, options, turn);
      if (!pieces.isFinished) {
        requests.moveBy(count ?? 0);
      }
      return count;
    });
  }

  /** Run what takes several requests in its turn, keeping the file open. */
  async #withPieces<V>(order: CallOrder, transfer: (turn: Turn) => Promise<V>): Promise<V> {
    const turn = new Turn(this.#requests, order);
    try {
      return await transfer(turn);
    } finally {
      turn.end();
    }
  }

  /** Write at an offset; throws as a read does. */
  #writeAt(
    bytes: Uint8Array,
    offset: number,
    options: OperationOptions | undefined,
    flags: number,
  ): Promise<number> {
    const byteLength = checkedLength(bytes, "bytes");
    const { fd } = this;
    const requests = this.#requests;
    this.#isReady(fd, true);
    if (options === undefined && flags === 0 && requests.hasOffset(true)) {
      const count = this.#writeCached(fd, bytes, offset, byteLength);
      if (count > 0) {
        return Promise.resolve(count);
      }
    }
    if (byteLength <= PIECE_LENGTH) {
      const writing = this.#start(requests.write(fd, bytes, offset, flags), options);
      if (this.#direct) {
        coreOf(this.#ioq).backend.hurry?.();
      }
      return writing;
    }
    requests.hold();
    // Between two pieces as well, nothing may be read that is about to be written
    requests.others++;
    return this.#whole(fd, "write", options, (limits) => {
      const write = (piece: Uint8Array, at: number) =>
        this.#start(requests.write(fd, piece, checkedOffset(offset + at), flags), limits);
      return writeInPieces(plainBytes(bytes), write, limits);
    }).finally(() => {
      requests.others--;
      requests.release();
    });
  }

  /** Write into the cache, with no turn. A negative number if that cannot be. */
  #writeCached(fd: number, bytes: Uint8Array, offset: number, length: number): number {
    const requests = this.#requests;
    // Nothing that was asked for before may be overtaken
    if (requests.count > 0) {
      return NOT_NOW;
    }
    const count = this.#cached.write(fd, bytes, offset, length);
    if (count > 0) {
      requests.changes++;
    }
    return count;
  }

  /** The same at the position, which is known. */
  #writeCachedHere(fd: number, bytes: Uint8Array, length: number): number {
    const requests = this.#requests;
    if (!requests.hasPosition) {
      return NOT_NOW;
    }
    const offset = requests.hasOffset(true) ? requests.position : APPENDS;
    const count = this.#writeCached(fd, bytes, offset, length);
    if (count > 0) {
      requests.moveByWriting(count);
    }
    return count;
  }

  /** Write at the position; throws as a read does. */
  #writeHere(bytes: Uint8Array, options: WriteOptions | undefined): Promise<number> {
    const byteLength = checkedLength(bytes, "bytes");
    const { fd } = this;
    const flags = durableFlags(options);
    if (!this.#isReady(fd, true)) {
      return this.#writeLater(
        fd,
        bytes,
        options,
        (there, left) => this.#writeNow(fd, there, left, flags),
      );
    }
    if (options === undefined) {
      const count = this.#writeCachedHere(fd, bytes, byteLength);
      if (count > 0) {
        return Promise.resolve(count);
      }
    }
    this.#requests.writing.enter();
    return this.#writeNow(fd, bytes, options, flags);
  }

  /** Write in order, when it is time, what there is now. */
  #writeLater<V>(
    fd: number,
    bytes: Uint8Array,
    options: OperationOptions | undefined,
    write: (bytes: Uint8Array, left: OperationOptions | undefined) => Promise<V>,
  ): Promise<V> {
    checkLimits(options);
    const kept = new KeptBytes(bytes);
    const begin = (left: OperationOptions | undefined) => {
      let there;
      try {
        there = kept.part();
      } catch (error) {
        this.#requests.writing.leave();
        throw error;
      }
      return write(there, left);
    };
    return this.#inOrder(fd, true, "write", options, begin, () => kept[Symbol.dispose]());
  }

  /** Write at the position, whose turn it is. */
  #writeNow(
    fd: number,
    bytes: Uint8Array,
    options: OperationOptions | undefined,
    flags: number,
  ): Promise<number> {
    const requests = this.#requests;
    if (byteLengthOf(bytes) <= PIECE_LENGTH) {
      return this.#start(requests.writeHere(fd, bytes, flags), options);
    }
    const start = requests.position;
    return this.#withPieces(requests.writing, async (turn) => {
      requests.others++;
      const whole = plainBytes(bytes);
      const hasOffset = requests.hasOffset(true);
      const pieces = new PiecesInProgress((from) =>
        this.#writePiecesSync(whole.subarray(from), hasOffset ? start + from : undefined)
      );
      if (requests.hasPosition) {
        // Writing to a stream may take for ever
        turn.pieces = pieces;
        turn.isWriting = true;
      }
      try {
        const count = await this.#whole(fd, "write", options, (limits) => {
          const write = (piece: Uint8Array, at: number) => {
            const count = pieces.countOf(at, piece.length);
            if (count !== undefined) {
              return Promise.resolve(count);
            }
            const request = requests.write(fd, piece, hasOffset ? start + at : 0, flags);
            if (!hasOffset) {
              request.hints &= ~HINT_OFFSET;
            }
            pieces.begin(request, at);
            return this.#start(request, limits, turn);
          };
          return writeInPieces(whole, write, limits);
        });
        if (!pieces.isFinished) {
          requests.moveByWriting(count);
        }
        return count;
      } finally {
        requests.others--;
      }
    });
  }

  /**
   * Reads at the file's position.
   *
   * @param buffer Where the bytes go. It is written to when the promise resolves, at the latest.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  read(buffer: Uint8Array<ArrayBuffer>, options?: OperationOptions): Promise<number | null> {
    try {
      return this.#readHere(buffer, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Reads at an offset. The file's position does not move.
   *
   * @param buffer Where the bytes go.
   * @param offset Bytes from the start.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  readAt(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options?: OperationOptions,
  ): Promise<number | null> {
    try {
      return this.#readAt(buffer, checkedOffset(offset), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Reads into several buffers at the file's position, see `readv(2)`.
   *
   * @param buffers Where the bytes go, one buffer after the other.
   * @returns How many bytes were read, `null` at the end; 0 if there is no room.
   */
  readv(
    buffers: readonly Uint8Array<ArrayBuffer>[],
    options?: OperationOptions,
  ): Promise<number | null> {
    let request: CoreRequest<"readv">;
    try {
      request = toCoreRequest(op.readv(this.fd, buffers));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#partsHere(
      request,
      false,
      options,
      () => this.#requests.readvHere(request),
    ).then((count) => count === 0 && request.length > 0 ? null : count);
  }

  /**
   * Reads into several buffers at an offset. The file's position does not move.
   *
   * @param buffers Where the bytes go, one buffer after the other.
   * @param offset Bytes from the start.
   * @returns How many bytes were read, `null` at the end; 0 if there is no room.
   */
  readvAt(
    buffers: readonly Uint8Array<ArrayBuffer>[],
    offset: number,
    options?: OperationOptions,
  ): Promise<number | null> {
    let length = 0;
    return this.#run((fd) => {
      const request = toCoreRequest(op.readv(fd, buffers, checkedOffset(offset)));
      length = request.length;
      return request;
    }, options).then((count) => count === 0 && length > 0 ? null : count);
  }

  /**
   * Reads many ranges by one call: with one promise for all of them, which is what makes it fast
   * where they are cached. Together they have at most 2 GiB. The file's position does not move.
   *
   * @param ranges What to read, at most 65,536 of them, in any order; they may overlap.
   * @returns The bytes of each range, in the order of the ranges: fewer than asked for, or none,
   *          where the file ends. They share one buffer.
   * @throws {TypeError} If `ranges` is no array of ranges.
   * @throws {RangeError} If a number is out of its range, or there are too many.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * await using file = await ioq.openFile("/etc/passwd");
   * const [head, more] = await file.readRanges([
   *   { offset: 0, length: 16 },
   *   { offset: 100, length: 16 },
   * ]);
   * console.log(head!.length, more!.length);
   * ```
   */
  async readRanges(
    ranges: readonly FileRange[],
    options?: OperationOptions,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const plan = new Ranges(ranges);
    const bytes = memoryFor(plan, undefined);
    await this.#readRanges(plan, bytes, options);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0, at = 0; i < plan.count; at += plan.lengthOf(i++)) {
      parts.push(bytes.subarray(at, at + plan.countOf(i)));
    }
    return parts;
  }

  /**
   * Reads many ranges into one buffer, one range after the other, each with room for all of it.
   *
   * @param buffer Where the bytes go. It has room for all ranges.
   * @param ranges What to read, see {@linkcode IoqFile.readRanges}.
   * @returns How many bytes of each range were read: fewer than asked for where the file ends.
   * @throws {RangeError} If the buffer is too short, or a number is out of its range.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * await using file = await ioq.openFile("/etc/passwd");
   * const buffer = new Uint8Array(32);
   * const counts = await file.readRangesInto(buffer, [
   *   { offset: 0, length: 16 },
   *   { offset: 1_000_000, length: 16 },
   * ]);
   * console.log(counts); // Uint32Array [ 16, 0 ]
   * ```
   */
  async readRangesInto(
    buffer: Uint8Array<ArrayBuffer>,
    ranges: readonly FileRange[],
    options?: OperationOptions,
  ): Promise<Uint32Array<ArrayBuffer>> {
    const plan = new Ranges(ranges);
    await this.#readRanges(plan, memoryFor(plan, buffer), options);
    const counts = new Uint32Array(plan.count);
    for (let i = 0; i < plan.count; i++) {
      counts[i] = plan.countOf(i);
    }
    return counts;
  }

  /** Read ranges to where they belong. */
  #readRanges(
    ranges: Ranges,
    bytes: Uint8Array<ArrayBuffer>,
    options: OperationOptions | undefined,
  ): Promise<void> {
    const { fd } = this;
    const others = () => {
      this.#requests.hold();
      return this.#whole(fd, "read", options, (limits) =>
        ranges.readOthers(bytes, {
          fd,
          readMany: coreOf(this.#ioq).backend.readsRanges
            ? (request) => this.#start(request, limits)
            : undefined,
          readAt: (part, offset) => this.#readAt(part, offset, limits),
          isDirect: this.#direct,
        })).finally(() => this.#requests.release());
    };
    // What is being written may not be overtaken
    if (options !== undefined || this.#requests.others > 0) {
      return others();
    }
    const cached = (words: Uint32Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>) =>
      this.#fd === fd && this.#requests.others === 0
        ? this.#cached.readRanges(fd, words, to)
        : undefined;
    return readRanges(ranges, bytes, cached, () => runOn(this.#ioq, op.nop()), others);
  }

  /** Run a vectored transfer at the position, when its turn has come. */
  #partsHere(
    request: CoreRequest<"readv", number> | CoreRequest<"writev", number>,
    writes: boolean,
    options: OperationOptions | undefined,
    place: () => void,
  ): Promise<number> {
    const { fd } = request;
    const begin = (left?: OperationOptions): Promise<number> => {
      place();
      return this.#start<number>(request, left);
    };
    if (!this.#isReady(fd, writes)) {
      if (request.op === "readv") {
        return this.#inOrder(fd, writes, request.op, options, begin);
      }
      try {
        checkLimits(options);
      } catch (error) {
        return Promise.reject(error);
      }
      // The request is nobody else's: it may write the copies
      const kept = request.sources!.map((part) => new KeptBytes(part));
      request.sources = kept.map((part) => part.part());
      const free = () => kept.forEach((part) => part[Symbol.dispose]());
      return this.#inOrder(fd, writes, request.op, options, begin, free);
    }
    (writes ? this.#requests.writing : this.#requests.reading).enter();
    return begin(options);
  }

  /**
   * Writes several buffers at the file's position, see `writev(2)`.
   *
   * @param parts What to write, one after the other; copied before this returns.
   * @returns How many bytes were written, possibly fewer.
   */
  writev(parts: readonly Uint8Array[], options?: OperationOptions): Promise<number> {
    let request: CoreRequest<"writev">;
    try {
      request = toCoreRequest(op.writev(this.fd, parts));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#partsHere(request, true, options, () => this.#requests.writevHere(request));
  }

  /**
   * Writes several buffers at an offset. The file's position does not move.
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
    return this.#run((fd) => {
      this.#isReady(fd, true);
      return this.#requests.part(toCoreRequest(op.writev(fd, parts, checkedOffset(offset))));
    }, options);
  }

  /**
   * Writes at the file's position.
   *
   * @param bytes What to write. Do not change it before the promise settles.
   * @returns How many bytes were written, possibly fewer.
   */
  write(bytes: Uint8Array, options?: WriteOptions): Promise<number> {
    try {
      return this.#writeHere(bytes, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Writes at an offset. The file's position does not move.
   *
   * @param bytes What to write. Do not change it before the promise settles.
   * @param offset Bytes from the start.
   * @returns How many bytes were written, possibly fewer.
   */
  writeAt(bytes: Uint8Array, offset: number, options?: WriteOptions): Promise<number> {
    try {
      return this.#writeAt(bytes, checkedOffset(offset), options, durableFlags(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Fills a buffer with what is at an offset. The file's position does not move.
   *
   * @param buffer Where the bytes go; all of it is filled when the promise resolves.
   * @param offset Bytes from the start.
   * @throws {Deno.errors.UnexpectedEof} If the file ends before.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * await using file = await ioq.openFile("/proc/self/exe");
   * const magic = new Uint8Array(4);
   * await file.readExactAt(magic, 0);
   * console.log(new TextDecoder().decode(magic.subarray(1))); // ELF
   * ```
   */
  readExactAt(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options?: OperationOptions,
  ): Promise<void> {
    try {
      checkBuffer(buffer);
      checkedOffset(offset);
      const { fd } = this;
      return this.#whole(fd, "read", options, (limits) => {
        const read = (rest: Uint8Array<ArrayBuffer>, done: number) =>
          this.#readAt(rest, checkedOffset(offset + done), limits);
        const plain = plainBytes(buffer);
        return readExactly(plain, read, `read file descriptor ${fd}`);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Writes all of some bytes at an offset. The file's position does not move.
   *
   * @param bytes What to write. Do not change it before the promise settles.
   * @param offset Bytes from the start.
   * @throws {Deno.errors.WriteZero} If the file takes no more.
   */
  writeAllAt(bytes: Uint8Array, offset: number, options?: WriteOptions): Promise<void> {
    try {
      checkedLength(bytes, "bytes");
      const flags = durableFlags(options);
      let at = checkedOffset(offset);
      const { fd } = this;
      return this.#whole(
        fd,
        "write",
        options,
        (limits) =>
          writeChunk(plainBytes(bytes), async (rest) => {
            const count = await this.#writeAt(rest, checkedOffset(at), limits, flags);
            at += count;
            return count;
          }),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Writes all of some bytes at the file's position, with no other call in between. If it fails
   * in the middle, the position is behind what was written.
   *
   * @param bytes What to write. Do not change it before the promise settles.
   * @throws {Deno.errors.WriteZero} If the file takes no more.
   */
  writeAll(bytes: Uint8Array, options?: WriteOptions): Promise<void> {
    try {
      checkedLength(bytes, "bytes");
      const { fd } = this;
      const flags = durableFlags(options);
      if (!this.#isReady(fd, true)) {
        return this.#writeLater(
          fd,
          bytes,
          options,
          (there, left) => this.#writeAllNow(fd, there, left, flags),
        );
      }
      const plain = plainBytes(bytes);
      const count = options === undefined ? this.#writeCachedHere(fd, plain, plain.length) : 0;
      if (count > 0 && count === plain.length) {
        return Promise.resolve();
      }
      this.#requests.writing.enter();
      return this.#writeAllNow(fd, count > 0 ? plain.subarray(count) : plain, options, flags);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Write all of some bytes at the position, whose turn it is. */
  #writeAllNow(
    fd: number,
    bytes: Uint8Array,
    options: OperationOptions | undefined,
    flags: number,
  ): Promise<void> {
    const requests = this.#requests;
    return this.#withPieces(requests.writing, async (turn) => {
      requests.others++;
      try {
        await this.#whole(
          fd,
          "write",
          options,
          (limits) =>
            writeChunk(bytes, async (rest) => {
              const hasOffset = requests.hasOffset(true);
              const at = hasOffset ? requests.position : 0;
              const request = requests.write(fd, rest.subarray(0, PIECE_LENGTH), at, flags);
              if (!hasOffset) {
                request.hints &= ~HINT_OFFSET;
              }
              const count = await this.#start(request, limits, turn);
              requests.moveByWriting(count);
              return count;
            }, true),
        );
      } finally {
        requests.others--;
      }
    });
  }

  /**
   * Has room for a part of the file reserved on the device, see `fallocate(2)`: writes there do
   * not fail for want of space. The file grows to the end of that part unless `keepSize` is set.
   *
   * @param offset Where the part begins, in bytes from the start.
   * @param length Its bytes, at least 1.
   * @param options `keepSize`: whether the file's size stays as it is.
   * @throws {Deno.errors.NotSupported} Where the file system cannot do that, and without the
   *         native library.
   */
  allocate(
    offset: number,
    length: number,
    options?: { keepSize?: boolean | undefined } & OperationOptions,
  ): Promise<void> {
    return this.#runInOrder((fd) => op.allocate(fd, offset, length, options), options);
  }

  /**
   * Moves the file's position to the next data at or after an offset, past what is a hole, see
   * `lseek(2)`. A file system that knows of no holes, and Deno without the native library, take
   * all of a file for data.
   *
   * @param offset Bytes from the start.
   * @returns The new position; `null` if there is no more data, and the position stays.
   */
  seekData(offset: number, options?: OperationOptions): Promise<number | null> {
    return this.#seekTo(SEEK_DATA, offset, options);
  }

  /**
   * Moves the file's position to the next hole at or after an offset; the end of the file is one.
   *
   * @param offset Bytes from the start.
   * @returns The new position; `null` if the offset is not within the file, and the position stays.
   */
  seekHole(offset: number, options?: OperationOptions): Promise<number | null> {
    return this.#seekTo(SEEK_HOLE, offset, options);
  }

  #seekTo(
    whence: number,
    offset: number,
    options: OperationOptions | undefined,
  ): Promise<number | null> {
    let request: CoreRequest<"seek">;
    try {
      request = toCoreRequest(op.seek(this.fd, checkedOffset(offset), Deno.SeekMode.Start));
      request.flags = whence;
    } catch (error) {
      return Promise.reject(error);
    }
    const requests = this.#requests;
    const begin = (left: OperationOptions | undefined) =>
      this.#withPieces(requests.reading, async (turn) => {
        try {
          return requests.position = await this.#start(request, left, turn);
        } catch (error) {
          if (hasCode(error, "ENXIO")) {
            return null;
          }
          throw error;
        }
      });
    return this.#inOrder(request.fd, false, "seek", options, begin);
  }

  /**
   * Moves the file's position.
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
    let request: CoreRequest<"seek">;
    try {
      request = toCoreRequest(op.seek(this.fd, wholeOffset(offset), checkWhence(whence)));
    } catch (error) {
      return Promise.reject(error);
    }
    const { fd } = request;
    if (options === undefined && whence !== Deno.SeekMode.End && this.#isReady(fd, false)) {
      const { hasPosition } = this.#requests;
      if (hasPosition) {
        try {
          return Promise.resolve(this.#moveTo(request));
        } catch (error) {
          return Promise.reject(error);
        }
      }
    }
    const requests = this.#requests;
    const begin = (left: OperationOptions | undefined) =>
      this.#withPieces(requests.reading, async (turn) => {
        if (requests.hasPosition && whence !== Deno.SeekMode.End) {
          return this.#moveTo(request);
        }
        return requests.position = await this.#seekEnd(request, left, turn);
      });
    return this.#inOrder(fd, false, "seek", options, begin);
  }

  /** Seek from the start or the position, which is known. */
  #moveTo(request: CoreRequest<"seek">): number {
    const { position } = this.#requests;
    const from = request.flags === Deno.SeekMode.Start ? 0 : position;
    return this.#requests.position = checkedPosition(from + request.offset, request);
  }

  /** Where a seek from the end leads to; of a stream, the error. */
  async #seekEnd(
    request: CoreRequest<"seek">,
    options: OperationOptions | undefined,
    turn: Turn,
  ): Promise<number> {
    const { offset } = request;
    try {
      return await this.#start(request, options, turn);
    } catch (error) {
      if (!hasCode(error, "ENOTSUP")) {
        throw error;
      }
      // Without the library, whose seeks are the kernel's
      const stat = ownStat(request.fd);
      const info = await this.#start(stat, options, turn);
      if (!info.isFile && !info.isBlockDevice) {
        throw error;
      }
      return checkedPosition(info.size + offset, request);
    }
  }

  /** Shortens or lengthens the file to a number of bytes, 0 by default. */
  truncate(length?: number, options?: OperationOptions): Promise<void> {
    return this.#runInOrder((fd) => op.truncate(fd, lenientLength(length)), options);
  }

  /** The file's attributes. */
  stat(options?: OperationOptions & { bigint?: false }): Promise<FileInfo>;
  /** The file's exact attributes. */
  stat(options: OperationOptions & { bigint: true }): Promise<BigIntFileInfo>;
  stat(options?: OperationOptions & { bigint?: boolean }): Promise<FileInfo | BigIntFileInfo> {
    return this.#runInOrder((fd) => op.fstat(fd, options as { bigint?: false }), options);
  }

  /** Writes the file's data and attributes to the device. */
  sync(options?: OperationOptions): Promise<void> {
    return this.#runInOrder((fd) => op.sync(fd), options);
  }

  /** Writes the file's data to the device. */
  syncData(options?: OperationOptions): Promise<void> {
    return this.#runInOrder((fd) => op.syncData(fd), options);
  }

  /** Sets the times of the last read and the last write, see {@linkcode Ioq.utime}. */
  utime(atime: FileTime, mtime: FileTime, options?: OperationOptions): Promise<void> {
    return this.#runInOrder(
      (fd) => op.utime(fd, lenientTime(atime), lenientTime(mtime)),
      options,
    );
  }

  /**
   * Acquires a lock on the file, waiting if another holds it; shared unless `exclusive`. Calls of this
   * file that are made meanwhile wait as well.
   */
  async lock(exclusive?: boolean, options?: OperationOptions): Promise<void> {
    const request = toCoreRequest(
      op.lock(this.fd, exclusive ? "exclusive" : "shared", { wait: true }),
    );
    this.#locking.add(request);
    try {
      await this.#runInOrder(() => request, options);
      this.#locked = true;
    } finally {
      this.#locking.delete(request);
    }
  }

  /** Acquires a lock on the file if it is free. Resolves to whether it did. */
  async tryLock(exclusive?: boolean, options?: OperationOptions): Promise<boolean> {
    try {
      await this.#runInOrder((fd) => op.lock(fd, exclusive ? "exclusive" : "shared"), options);
      this.#locked = true;
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) {
        return false;
      }
      throw error;
    }
  }

  /** Releases the lock. */
  unlock(options?: OperationOptions): Promise<void> {
    return this.#runInOrder((fd) => op.lock(fd, "unlock"), options);
  }

  /**
   * {@linkcode IoqFile.read}, on this thread.
   *
   * Synchronous members block the thread until they are done, as those of `Deno.FsFile` do, and
   * bypass the queue. Those that use the position begin where a transfer at the position that
   * is in progress will end. They are refused if several are in progress, or if that end is
   * not known: of a stream, or of a file that is appended to. Without the native library they
   * work only on queues whose requests run on this thread, since other files belong to a
   * Worker.
   *
   * @param buffer Where the bytes go.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   * @throws {Deno.errors.BadResource} If the file is closed.
   * @throws {Deno.errors.Busy} If what is in progress may never end or cannot be waited for: a
   *         transfer of a stream, a seek from the end, the first call of a file of a Worker's.
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
    const length = checkBuffer(buffer);
    if (this.fd >= 0 && length === 0) {
      return 0;
    }
    const count = this.#readPiecesSync(buffer, this.#placeSync(false));
    this.#requests.moveBy(count);
    return count === 0 ? null : count;
  }

  /** Read at an offset, or from a stream, on this thread. */
  #readPiecesSync(buffer: Uint8Array<ArrayBuffer>, at: number | undefined): number {
    return transferInPiecesSync(
      buffer,
      (piece, done) =>
        this.#runSync((fd) => op.readInto(fd, piece, at === undefined ? at : at + done)),
    );
  }

  /**
   * {@linkcode IoqFile.write}, on this thread.
   *
   * @param bytes What to write.
   * @returns How many bytes were written, possibly fewer.
   */
  writeSync(bytes: Uint8Array): number {
    checkedLength(bytes, "bytes");
    const count = this.#writePiecesSync(bytes, this.#placeSync(true));
    this.#requests.moveByWriting(count);
    return count;
  }

  /** Write at an offset, to the end or to a stream, on this thread. */
  #writePiecesSync(bytes: Uint8Array, at: number | undefined): number {
    return transferInPiecesSync(
      bytes,
      (piece, done) =>
        this.#runSync((fd) => op.write(fd, piece, at === undefined ? at : at + done)),
    );
  }

  /**
   * Where a synchronous transfer takes place: after what is in progress and before what
   * waits for that, as with Deno. `undefined` for a stream, and for what is appended.
   */
  #placeSync(writes: boolean): number | undefined {
    const { fd } = this;
    const requests = this.#requests;
    if (!this.#isReady(fd, writes)) {
      const order = writes ? requests.writing : requests.reading;
      if (!order.isFree && !this.#passProgress()) {
        throw new Deno.errors.Busy(
          `Cannot ${
            writes ? "write" : "read"
          } file descriptor ${fd} while operations are in progress`,
        );
      }
      // What takes requests otherwise
      if (requests.hasPosition === undefined) {
        const { isFile, isBlockDevice } = this.#runSync(ownStat);
        requests.settleKind(isFile || isBlockDevice === true);
      }
      if (requests.hasPosition && !requests.isSettled(writes)) {
        requests.position = this.#tellSync();
      }
    }
    return requests.hasOffset(writes) ? requests.position : undefined;
  }

  /** Have what is in progress behind us. Whether that can be. */
  #passProgress(): boolean {
    const requests = this.#requests;
    const { writer, other, turn } = requests;
    const core = coreOf(this.#ioq);
    if (other !== undefined) {
      // A lock leaves the file as it is, and may be waited for as long as somebody likes
      return this.#locking.has(other) || core.waitFor(() => requests.other !== other);
    }
    if (!requests.hasPosition || requests.settling > 0) {
      return false;
    }
    if (turn !== undefined) {
      const { pieces } = turn;
      if (pieces === undefined || !core.waitFor(() => turn.isIdle)) {
        return false;
      }
      if (!pieces.isFinished) {
        const count = pieces.finish();
        if (turn.isWriting) {
          requests.moveByWriting(count);
        } else {
          requests.moveBy(count);
        }
      }
      return true;
    }
    return requests.foresee(() => this.#runSync(ownStat).size) ||
      core.waitFor(() => requests.writer !== writer);
  }

  /** Where the kernel's position is, behind what was appended last. */
  #tellSync(): number {
    try {
      return this.#runSync((fd) => op.seek(fd, 0, Deno.SeekMode.Current));
    } catch {
      // Without the library only /proc tells, which may be out of reach
      return this.#runSync(ownStat).size;
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
    const request = toCoreRequest(op.seek(this.fd, wholeOffset(offset), checkWhence(whence)));
    if (this.#placeSync(false) === undefined) {
      return this.#calls.run(request);
    }
    if (whence !== Deno.SeekMode.End) {
      return this.#moveTo(request);
    }
    const { size } = this.#runSync(ownStat);
    const position = size > 0
      ? checkedPosition(size + request.offset, request)
      : this.#calls.run(request);
    return this.#requests.position = position;
  }

  /** {@linkcode IoqFile.truncate}, on this thread. */
  truncateSync(length?: number): void {
    this.#runSync((fd) => op.truncate(fd, lenientLength(length)));
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
  utimeSync(atime: FileTime, mtime: FileTime): void {
    this.#runSync((fd) => op.utime(fd, lenientTime(atime), lenientTime(mtime)));
  }

  /**
   * {@linkcode IoqFile.lock}, on this thread. It blocks until another thread or process releases
   * the lock, for ever if none does.
   */
  lockSync(exclusive?: boolean): void {
    this.#runSync((fd) => op.lock(fd, exclusive ? "exclusive" : "shared", { wait: true }));
    this.#locked = true;
  }

  /** {@linkcode IoqFile.tryLock}, on this thread. */
  tryLockSync(exclusive?: boolean): boolean {
    try {
      this.#runSync((fd) => op.lock(fd, exclusive ? "exclusive" : "shared"));
      this.#locked = true;
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
   * Whether it is a terminal. A closed file is none.
   */
  isTerminal(): boolean {
    return this.#fd >= 0 && this.#calls.isTerminal(this.#fd);
  }

  /**
   * Sets a terminal's raw mode, as `Deno.FsFile.setRaw()` does. Closing the file does not
   * restore the mode.
   *
   * @param mode `true` delivers each key at once and unchanged; `false` restores the mode from before.
   * @param options `cbreak`: whether keys that send signals still do so.
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
    calls.setRaw(
      fd,
      mode ? ownOption(options, "cbreak") ? "cbreak" : "raw" : "restore",
      this.#terminal,
    );
  }

  /**
   * The rest of the file as a stream of bytes. The file is closed at its end, or when the stream is
   * cancelled. At most 512 KiB are read ahead. The position is behind what has been taken from the
   * stream, as with Deno.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= makeReadable({
      // Within its turn
      stat: () => this.#run(ownStat, undefined),
      enter: () => {
        this.#checkStreamed();
        const { fd } = this;
        const requests = this.#requests;
        if (this.#isReady(fd, false) && requests.hasPosition) {
          requests.reading.enter();
          requests.hold();
          return requests.position;
        }
        return this.#inOrder(fd, false, "read", undefined, () => {
          if (requests.hasPosition) {
            requests.hold();
            return Promise.resolve(requests.position);
          }
          requests.reading.leave();
          return Promise.resolve(undefined);
        });
      },
      leave: (count) => {
        this.#requests.moveBy(count);
        this.#requests.reading.leave();
        this.#requests.release();
      },
      changes: () => this.#requests.changes,
      read: (buffer, signal) => this.#readHere(buffer, this.#limits(false, signal)),
      readAt: (buffer, offset) => this.#readAt(buffer, offset, undefined),
      abort: (reason) => this.#abort(this.#requests.reader, reason),
      [Symbol.asyncDispose]: () => this[Symbol.asyncDispose](),
    }, this.#direct);
  }

  /** A stream that writes at the file's position; the file is closed with it. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= makeWritable({
      write: (bytes, signal) => {
        this.#checkStreamed();
        return this.#writeHere(bytes, this.#limits(true, signal, bytes));
      },
      abort: (reason) => this.#abort(this.#requests.writer, reason),
      [Symbol.asyncDispose]: () => this[Symbol.asyncDispose](),
    });
  }

  /**
   * What ends a stream's transfer. One that is a request from the beginning is aborted
   * by that, which costs nothing unless it comes to it.
   */
  #limits(
    writes: boolean,
    signal: AbortSignal,
    bytes?: Uint8Array,
  ): OperationOptions | undefined {
    const isRequest = this.#isReady(this.fd, writes) && (bytes?.byteLength ?? 0) <= PIECE_LENGTH;
    return isRequest ? undefined : { signal };
  }

  /** Abort a request, if there is one. */
  #abort(request: CoreRequest | undefined, reason: unknown): void {
    if (request !== undefined) {
      coreOf(this.#ioq).abort(new Set([request]), reason);
    }
  }

  /** Refuse all else from now on, wait for what is in flight, close the descriptor. */
  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    const { scopes } = coreOf(this.#ioq);
    const scope = { context: `close file descriptor ${fd}` };
    // The last request may be over, and the one that closes yet to come
    scopes.hold(scope);
    try {
      const end = (what: string) => asEnd(osError(ERRNO.EINTR!, `${what} file descriptor ${fd}`));
      // What waits for somebody else might do so for ever
      if (this.#locking.size > 0) {
        coreOf(this.#ioq).abort(this.#locking, end("lock"));
      }
      if (this.#requests.hasPosition === false) {
        this.#abort(this.#requests.reader, end("read"));
      }
      if (this.#requests.count > 0) {
        await new Promise<void>((resolve) => this.#requests.onIdle = resolve);
      } else if (this.#locked) {
        this.#unlockNow(fd);
      }
      const request = toCoreRequest(op.close(fd));
      request.holder = NOBODY;
      await runOn(this.#ioq, request);
    } finally {
      removeOpenFile(fd, this.#entry);
      scopes.leave(scope);
    }
  }

  /** Release the lock without waiting for the descriptor to be closed. */
  #unlockNow(fd: number): void {
    try {
      this.#calls.run(toCoreRequest(op.lock(fd, "unlock")));
    } catch {
      // Where this thread cannot do that, closing does it
    }
  }

  /**
   * Closes the file. From now on it refuses other calls. Operations that are in flight end
   * first, because the descriptor's number may mean another file as soon as it is closed. Waits
   * for a lock, or for data in a pipe, are aborted. If nothing is in flight, a lock is released
   * before this returns.
   *
   * Code that was written for `Deno.FsFile` does not await this, and need not: a file that is
   * closed already is refused by an exception, as for Deno, and if closing fails, the promise
   * rejects, which is not reported as unhandled. A file that was closed along with its queue may
   * be closed once more.
   *
   * @throws {Deno.errors.BadResource} If it is closed already: at once, not by the promise.
   */
  close(): Promise<void> {
    const closing = this.#closedWithQueue;
    if (closing !== undefined) {
      this.#closedWithQueue = undefined;
      return closing;
    }
    if (this.#fd < 0) {
      throw new Deno.errors.BadResource("Bad resource ID");
    }
    const own = this.#close();
    // An error of its ends no program that does not await it
    own.catch(() => {});
    return own;
  }

  /** {@linkcode IoqFile.close}, for `await using`; a closed file is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd >= 0 || this.#closedWithQueue !== undefined) {
      await this.close();
    }
  }

  /**
   * {@linkcode IoqFile.close}, for `using`. It begins here and is over before the queue is
   * closed. An error is lost; `await using` throws it.
   */
  [Symbol.dispose](): void {
    this[Symbol.asyncDispose]().catch(() => {});
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `IoqFile { path: ${
      JSON.stringify(pathText(toPath(this.#path, "path")))
    }, fd: ${this.#fd} }`;
  }
}

/** Of nothing no system call tells what is wrong with the file, as with Deno. */
function readNothing(options: OperationOptions | undefined): Promise<number> {
  checkLimits(options);
  return Promise.resolve(0);
}

/** Check what ends a call, before anything is kept for it. */
function checkLimits(options: OperationOptions | undefined): void {
  checkTimeout(ownOption(options, "timeoutMs"));
  checkSignal(ownOption(options, "signal"))?.throwIfAborted();
}

/** The offset of a seek, of which Deno leaves out what is behind the point. */
function wholeOffset(offset: number | bigint): number {
  if (typeof offset !== "number" && typeof offset !== "bigint") {
    throw new TypeError(`Expected offset to be a number, got ${typeof offset}`);
  }
  const whole = typeof offset === "bigint"
    ? Number(BigInt.asIntN(64, offset))
    : Math.trunc(offset) || 0;
  if (!Number.isSafeInteger(whole)) {
    // No file is that long, and the kernel would say so
    throw osError(ERRNO.EINVAL!, `seek to ${offset}`);
  }
  return whole;
}

/** Check where a seek is from, with Deno's error. */
function checkWhence(given: Deno.SeekMode): Deno.SeekMode {
  const whence = typeof given === "number" ? Math.trunc(given) : given;
  if (whence !== 0 && whence !== 1 && whence !== 2) {
    throw new TypeError(`Invalid seek mode: ${whence}`);
  }
  // Not the negative zero of a fraction
  return whence + 0;
}

/** Where a seek leads to: nowhere before the start. */
function checkedPosition(position: number, { context }: CoreRequest): number {
  if (position < 0) {
    throw osError(ERRNO.EINVAL!, context);
  }
  return position;
}
