// Copyright 2026 the ioq authors. MIT license.

/**
 * The last resort: the queue's own thread runs the requests, one after the other,
 * for whoever may not even start a Worker. Each request holds the thread up for as
 * long as it takes; between some of them the event loop has its turn.
 *
 * @module
 */

import { NOT_NOW } from "../cached_reads.ts";
import * as layout from "../../ffi/layout.ts";
import type { Backend, BackendInfo, ClockName, LaneCounts, Payload, Sink } from "../backend.ts";
import { ERRNO } from "../errors.ts";
import type { CoreRequest } from "../operation.ts";
import { encodePath, pathBound } from "../path.ts";
import { writeRecord } from "./request_record.ts";
import { now, Timers } from "./timers.ts";
import type { Executor } from "./worker/executor.ts";

const NONE: readonly Uint8Array[] = [];
/** Payloads up to this many bytes are at hand as words. */
const SMALL = 1024;
/** Bytes of payloads from which on a turn ends. */
const TURN_BYTES = 4 << 20;
/** How long a turn may go on, in milliseconds. */
const TURN_MS = 2;

/** What the executor's last request produced. */
class ExecutorPayload implements Payload {
  readonly words = new Int32Array(SMALL / 4);
  readonly at = 0;
  length = 0;
  readonly #small = new Uint8Array(this.words.buffer);
  readonly #executor: Executor;
  #whole: Uint8Array | undefined;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /** Have it at hand. */
  load(): void {
    this.#whole = undefined;
    this.length = this.#executor.length;
    if (this.length > 0 && this.length <= SMALL) {
      this.#executor.take(this.#small.subarray(0, this.length));
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length);
    this.take(bytes);
    return bytes;
  }

  take(target: Uint8Array<ArrayBuffer>): void {
    if (this.length <= SMALL) {
      target.set(this.#small.subarray(0, Math.min(this.length, target.length)));
    } else {
      this.#executor.take(target);
    }
  }

  takePart(at: number, target: Uint8Array<ArrayBuffer>): void {
    this.#whole ??= this.bytes();
    target.set(this.#whole.subarray(at, at + target.length));
  }
}

/** A request that waits. */
interface Waiting {
  readonly slot: number;
  readonly request: CoreRequest;
  /** Its paths and what it writes. */
  readonly input: Uint8Array;
  readonly record: Int32Array;
  cancelled: boolean;
}

/**
 * A request's record, and its paths and bytes as one.
 *
 * @throws {TypeError} If its bytes have gone.
 */
export function encodeRequest(request: CoreRequest): Pick<Waiting, "record" | "input"> {
  const { path, path2 } = request;
  const length = writtenLength(request);
  const record = new Int32Array(layout.REQUEST_SIZE / 4);
  const bound = (path === undefined ? 0 : pathBound(path)) +
    (path2 === undefined ? 0 : pathBound(path2));
  const room = new Uint8Array(bound + length);
  const used = writeInput(record, 0, request, room, 0);
  return { record, input: room.subarray(0, used) };
}

/**
 * How many bytes a request writes.
 *
 * @throws {TypeError} If they have gone.
 */
export function writtenLength({ bytes, sources, length }: CoreRequest): number {
  if (bytes === undefined && sources === undefined) {
    return 0;
  }
  const there = bytes?.byteLength ??
    sources!.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (there !== length) {
    throw new TypeError("Cannot write bytes whose buffer was detached or resized");
  }
  return length;
}

/** Write a record, and the input behind it; returns how many bytes that has. */
export function writeInput(
  words: Int32Array,
  at: number,
  request: CoreRequest,
  into: Uint8Array,
  start: number,
): number {
  const { path, path2, bytes, sources } = request;
  writeRecord(words, at, request);
  const length = path === undefined ? 0 : encodePath(path, into, start);
  let used = length > layout.PATH_MAX ? 0 : length;
  const length2 = path2 === undefined ? 0 : encodePath(path2, into, start + used);
  used += length2 > layout.PATH_MAX ? 0 : length2;
  words[at + layout.REQUEST_PATH] = 0;
  words[at + layout.REQUEST_PATH_LENGTH] = length;
  words[at + layout.REQUEST_PATH2_LENGTH] = length2;
  if (bytes === undefined && sources === undefined) {
    return used;
  }
  for (const part of bytes === undefined ? sources ?? NONE : [bytes]) {
    into.set(part, start + used);
    used += part.length;
  }
  return used;
}

/** See the module. */
export class MainThreadBackend implements Backend {
  readonly info: BackendInfo;
  readonly completed: LaneCounts = { core: 0, ring: 0, worker: 0, workerRing: 0 };

  readonly #sink: Sink;
  readonly #executor: Executor;
  readonly #payload: ExecutorPayload;
  readonly #refuse: (request: CoreRequest) => number;
  #waiting: Waiting[] = [];
  /** What waits for its time, and what was told when it came. */
  readonly #timers = new Timers((slot) => {
    this.#due.push(slot);
    this.wake();
  });
  #due: number[] = [];
  #wake: (() => void) | undefined;
  #cancelled = false;
  #closed = false;

  /**
   * @param refuse Says why a request cannot be run, see `refusalOf()`.
   */
  constructor(
    info: BackendInfo,
    executor: Executor,
    refuse: (request: CoreRequest) => number,
    sink: Sink,
  ) {
    this.info = info;
    this.#executor = executor;
    this.#payload = new ExecutorPayload(executor);
    this.#refuse = refuse;
    this.#sink = sink;
  }

  get inFlight(): number {
    return this.#waiting.length + this.#due.length + this.#timers.size;
  }

  get id(): number {
    throw new Deno.errors.NotSupported("Cannot post to a queue of the worker backend");
  }

  now(clock: ClockName): bigint {
    return now(clock);
  }

  allocate(length: number): ArrayBuffer {
    // Ordinary memory: what the library has, it cannot share with other threads' calls
    return new ArrayBuffer(length);
  }

  deallocate(buffer: ArrayBuffer): void {
    if (!buffer.detached) {
      buffer.transfer();
    }
  }

  resize(): void {
    throw new Deno.errors.NotSupported("Cannot resize a queue of the worker backend");
  }

  push(slot: number, request: CoreRequest): boolean {
    if (request.code === layout.OP.timeout && !this.#cancelled && this.#refuse(request) === 0) {
      this.#timers.add(slot, request);
      return true;
    }
    this.#waiting.push({ slot, request, ...encodeRequest(request), cancelled: this.#cancelled });
    return true;
  }

  turn(arm: boolean): boolean {
    const due = this.#due;
    this.#due = [];
    for (const slot of due) {
      this.completed.core++;
      this.#payload.length = 0;
      this.#sink.complete(slot, this.#timers.resultOf(slot), this.#payload);
    }
    const end = performance.now() + TURN_MS;
    const waiting = this.#waiting;
    let done = 0;
    let bytes = 0;
    while (done < waiting.length && !this.#closed) {
      const { slot, request, record, input, cancelled } = waiting[done++]!;
      // The slot is free, and counted so, when its completion is told
      const result = cancelled && !request.isClose
        ? -ERRNO.EINTR!
        : -this.#refuse(request) || this.#executor.perform(record, 0, input);
      this.completed.core++;
      if (result >= 0) {
        this.#payload.load();
      } else {
        this.#payload.length = 0;
      }
      this.#sink.complete(slot, result, this.#payload);
      bytes += this.#payload.length;
      if (performance.now() >= end || bytes >= TURN_BYTES) {
        break;
      }
    }
    this.#waiting = waiting.slice(done);
    // A turn always completes something, but for what waits for its time
    return arm && due.length + done + this.#due.length + this.#waiting.length === 0 &&
      this.#timers.size > 0;
  }

  isCached(): boolean {
    return false;
  }

  readCached(): number {
    return NOT_NOW;
  }

  park(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  cancel(slot: number): boolean {
    if (this.#timers.cancel(slot)) {
      return true;
    }
    const found = this.#waiting.find((waiting) => waiting.slot === slot);
    if (found === undefined || found.cancelled || found.request.isClose) {
      return false;
    }
    found.cancelled = true;
    return true;
  }

  cancelAll(): void {
    this.#cancelled = true;
    this.#timers.cancelAll();
    for (const waiting of this.#waiting) {
      waiting.cancelled = true;
    }
  }

  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#executor.close();
    }
  }
}
