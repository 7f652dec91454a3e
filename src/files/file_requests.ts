// Copyright 2026 the ioq authors. MIT license.

/**
 * The requests of an open file: how many are in flight, so that it is not closed under
 * them; those that are over and wait to be used again; and those at the position.
 *
 * The position of a file is kept here, and not by the kernel. Each transfer at the
 * position is one at an explicit offset, which begins where the one before has ended:
 *
 *     read() ──▶ CallOrder ──▶ request at `position` ──▶ completion: `position` += bytes
 *                   ▲                                          │
 *                   └────── the next one may begin ◀───────────┘
 *
 * So it moves by what operations have told their callers, and by nothing else: one
 * that fails or is aborted leaves it where it was. Where an append has ended only the
 * kernel knows: such a write goes by the kernel's position, which nothing else moves, and
 * that is looked up when somebody needs it.
 *
 * What changes the file or tells something about it (truncate, stat, sync, utime, lock)
 * has its turn in the same order. A turn is over when its requests are, and not when
 * its caller is told: an aborted write may go on for a while.
 *
 * A stream (a pipe, a terminal, another character device) has no position. What reads
 * from it keeps its order, and so does what writes to it, but neither waits for the
 * other.
 *
 * Nothing is as frequent as a transfer, so its requests are neither made anew nor by
 * way of `op`.
 *
 * @module
 */

import { HINT_NO_RING, HINT_OFFSET } from "../../ffi/layout.ts";
import { byteLengthOf } from "../byte_length.ts";
import { checkInteger } from "../integer.ts";
import { checkedLength } from "../operations/arguments.ts";
import { decodeIntoOrEnd, type Decoder, decodeResult } from "../operations/decode.ts";
import { CoreRequest, type Holder } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { CallOrder } from "./call_order.ts";
import type { PiecesInProgress } from "./pieces_in_progress.ts";

/** Whether a request is a read that nothing that is cached has to wait for. */
function isRead(request: CoreRequest): boolean {
  return request.op === "readInto" || request.op === "readRanges";
}

/** Requests that are kept to be used again, of each kind. */
const SPARES_MAX = 256;

/** A position that is to be looked up: the kernel's, which an append has moved. */
const KERNELS = -1;

/** Makes, orders and counts the requests of one open file, and keeps its position. */
export class FileRequests implements Holder {
  /** How many are in flight, or wait in order. */
  count = 0;
  /** Those that are no reads. */
  others = 0;
  /** How many that are no reads there have been: what was read before may be out of date. */
  changes = 0;
  /** What to call when there are none left. */
  onIdle: (() => void) | undefined;

  /** Whether it has a position, once that is known. */
  hasPosition: boolean | undefined;
  /** Whether writes are to stay away from rings: `WRITES_ALONE` of `ffi/layout.ts`. */
  writesAlone = false;
  /** Bytes from the start, or {@linkcode KERNELS}. */
  position = 0;
  /** What reads at the position. */
  readonly reading: CallOrder = new CallOrder();
  /** What writes there: the same order, but for streams. */
  writing: CallOrder = this.reading;
  /** The request that reads at the position. */
  reader: CoreRequest | undefined;
  /** The one that writes there. */
  writer: CoreRequest | undefined;
  /** The one whose turn it is and that does neither. */
  other: CoreRequest | undefined;
  /** What takes several requests and has its turn. */
  turn: Turn | undefined;
  /** How many find out where the position is. */
  settling = 0;

  /** Whether the position is where the transfer in progress ends, already. */
  #isForeseen = false;
  readonly #appends: boolean;
  readonly #reads: CoreRequest<"readInto", number | null>[] = [];
  readonly #writes: CoreRequest<"write">[] = [];
  readonly #decodeRead: Decoder<number | null> = (result, payload, request) => {
    const count = decodeIntoOrEnd(result, payload, request);
    this.#read(result);
    return count;
  };
  readonly #decodeWrite: Decoder<number> = (result) => {
    if (!this.#isForeseen) {
      this.moveByWriting(result);
    }
    return result;
  };

  /** @param appends Whether the file was opened to append. */
  constructor(appends: boolean) {
    this.#appends = appends;
  }

  /** A request is in flight from now on. */
  enter(request: CoreRequest): void {
    this.count++;
    if (!isRead(request)) {
      this.others++;
      this.changes++;
    }
  }

  leave(request: CoreRequest): void {
    if (request === this.reader) {
      this.reader = undefined;
      this.reading.leave();
    } else if (request === this.writer) {
      this.writer = undefined;
      this.writing.leave();
    } else if (request === this.other) {
      this.other = undefined;
      this.reading.leave();
    }
    if (!isRead(request)) {
      this.others--;
    }
    if (request.op === "readInto") {
      request.target = undefined;
      if (this.#reads.length < SPARES_MAX) {
        this.#reads.push(request as CoreRequest<"readInto", number | null>);
      }
    } else if (request.op === "write") {
      request.bytes = undefined;
      if (this.#writes.length < SPARES_MAX) {
        this.#writes.push(request as CoreRequest<"write">);
      }
    }
    this.release();
  }

  /** Something that is no request of its own keeps the file open. */
  hold(): void {
    this.count++;
  }

  /** It does so no longer. */
  release(): void {
    if (--this.count === 0) {
      this.onIdle?.();
    }
  }

  /** A request to read at an offset. */
  read(
    fd: number,
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
  ): CoreRequest<"readInto", number | null> {
    const request = this.#reads.pop() ?? makeRead(fd);
    request.target = buffer;
    request.length = byteLengthOf(buffer);
    request.decode = decodeIntoOrEnd;
    request.offset = offset;
    request.hints = HINT_OFFSET;
    return request;
  }

  /** A request to read at the position, which is known, or from a stream. */
  readHere(fd: number, buffer: Uint8Array<ArrayBuffer>): CoreRequest<"readInto", number | null> {
    const request = this.read(fd, buffer, this.position);
    request.decode = this.#decodeRead;
    this.#place(request);
    return this.reader = request;
  }

  /** A request to write at an offset, with the flags of `op.write()`. */
  write(fd: number, bytes: Uint8Array, offset: number, flags: number): CoreRequest<"write"> {
    const request = this.#writes.pop() ?? makeWrite(fd);
    request.flags = flags;
    request.bytes = bytes;
    request.length = byteLengthOf(bytes);
    request.decode = decodeResult;
    request.offset = offset;
    request.hints = HINT_OFFSET;
    this.part(request);
    return request;
  }

  /** A request to write at the position, which is known, or to a stream. */
  writeHere(fd: number, bytes: Uint8Array, flags: number): CoreRequest<"write"> {
    const request = this.write(fd, bytes, this.position, flags);
    request.decode = this.#decodeWrite;
    this.#place(request);
    return this.writer = request;
  }

  /** Have a request that reads into several buffers do so at the position. */
  readvHere(request: CoreRequest<"readv">): CoreRequest<"readv"> {
    const { decode } = request;
    request.decode = (result, payload, self) => {
      const count = decode(result, payload, self);
      this.#read(result);
      return count;
    };
    this.#place(request);
    this.reader = request;
    return request;
  }

  /** Have one that writes several buffers do so at the position. */
  writevHere(request: CoreRequest<"writev">): CoreRequest<"writev"> {
    request.decode = this.#decodeWrite;
    this.#place(request);
    this.writer = request;
    return request;
  }

  /**
   * Whether it is known where a transfer at the position is to be.
   *
   * @param writes Whether it writes: what is appended needs no position.
   */
  isSettled(writes: boolean): boolean {
    return this.hasPosition !== undefined && (writes || this.position !== KERNELS);
  }

  /** What kind of file it is has become known. */
  settleKind(hasPosition: boolean): void {
    if (this.hasPosition === undefined) {
      this.hasPosition = hasPosition;
      if (!hasPosition) {
        this.writing = new CallOrder();
      }
    }
  }

  /** So many bytes were read at the position. */
  moveBy(count: number): void {
    this.position += count;
  }

  /** A request has read so many bytes at the position. */
  #read(count: number): void {
    if (!this.#isForeseen) {
      this.moveBy(count);
    }
  }

  /** So many bytes were written at the position. */
  moveByWriting(count: number): void {
    if (this.#appends) {
      // Nobody but the kernel knows where that was
      this.position = count > 0 ? KERNELS : this.position;
    } else {
      this.position += count;
    }
  }

  /**
   * Have the position where the transfer in progress is going to end, if it is not cut
   * short; that one moves it no more.
   *
   * @param size Gives the file's size.
   * @returns Whether that can be told: not of an append.
   */
  foresee(size: () => number): boolean {
    const { reader, writer, position } = this;
    const request = reader ?? writer;
    if (writer !== undefined && this.#appends) {
      return false;
    }
    if (request !== undefined && !this.#isForeseen) {
      this.#isForeseen = true;
      const end = position + request.length;
      this.position = reader === undefined ? end : Math.min(end, Math.max(position, size()));
    }
    return true;
  }

  #place(request: CoreRequest): void {
    this.#isForeseen = false;
    const writes = request.op !== "readInto" && request.op !== "readv";
    if (this.hasOffset(writes)) {
      request.offset = this.position;
      request.hints = HINT_OFFSET;
    } else {
      request.hints = 0;
    }
    if (writes && this.hasPosition) {
      this.part(request);
    }
  }

  /** Whether transfers at the position have an offset: not those of streams, nor appends. */
  hasOffset(writes: boolean): boolean {
    return this.hasPosition === true && !(writes && this.#appends);
  }

  /** Have a write stay away from rings, if it must. */
  part<K extends OpName, V>(request: CoreRequest<K, V>): CoreRequest<K, V> {
    if (this.writesAlone) {
      request.hints |= HINT_NO_RING;
    }
    return request;
  }
}

/**
 * The turn of something that takes several requests: it is over when that has ended and
 * all of them have, of which an aborted one may be the last. It keeps the file open.
 */
export class Turn implements Holder {
  readonly #requests: FileRequests;
  readonly #order: CallOrder;
  #inFlight = 0;
  #hasEnded = false;
  /** What it transfers in pieces, if it does and can be waited for. */
  pieces: PiecesInProgress | undefined;
  /** Whether it writes those. */
  isWriting = false;

  /** @param order What has been entered for it. */
  constructor(requests: FileRequests, order: CallOrder) {
    this.#requests = requests;
    this.#order = order;
    requests.turn = this;
    requests.hold();
  }

  /** One of its requests is in flight from now on. */
  enter(request: CoreRequest): void {
    this.#inFlight++;
    this.#requests.enter(request);
  }

  leave(request: CoreRequest): void {
    this.#inFlight--;
    this.#requests.leave(request);
    this.#leaveOrder();
  }

  /** Whether none of its requests is in flight. */
  get isIdle(): boolean {
    return this.#inFlight === 0;
  }

  /** No more requests are going to come. */
  end(): void {
    this.#hasEnded = true;
    this.#leaveOrder();
  }

  #leaveOrder(): void {
    if (this.#hasEnded && this.#inFlight === 0) {
      this.#requests.turn = undefined;
      this.#order.leave();
      this.#requests.release();
    }
  }
}

/** Holds what needs no holder: a file's own closing. */
export const NOBODY: Holder = { leave() {} };

function makeRead(fd: number): CoreRequest<"readInto", number | null> {
  const request = new CoreRequest("readInto").readBy(decodeIntoOrEnd);
  request.fd = fd;
  return request;
}

function makeWrite(fd: number): CoreRequest<"write"> {
  const request = new CoreRequest("write");
  request.fd = fd;
  return request;
}

/** Check what is to be read into; returns how many bytes that are. */
export function checkBuffer(buffer: Uint8Array<ArrayBuffer>): number {
  return checkedLength(buffer, "buffer");
}

/** Check an offset that must be given. */
export function checkedOffset(offset: number): number {
  return checkInteger(offset, "offset", 0, Number.MAX_SAFE_INTEGER);
}
