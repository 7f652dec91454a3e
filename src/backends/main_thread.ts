// Copyright 2026 the ioq authors. MIT license.

/**
 * The last resort: the queue's own thread runs the requests, one after the other,
 * for whoever may not even start a Worker. Each request holds the thread up for as
 * long as it takes; between some of them the event loop has its turn.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import type { Backend, BackendInfo, LaneCounts, Payload, Sink } from "../backend.ts";
import { ERRNO } from "../errors.ts";
import type { CoreRequest } from "../operation.ts";
import { encodePath, pathBound } from "../path.ts";
import { writeRecord } from "./request_record.ts";
import type { Executor } from "./worker/executor.ts";

/** Payloads up to this many bytes are at hand as words. */
const SMALL = 1024;
/** How long a turn may go on, in milliseconds. */
const TURN_MS = 2;

/** What the executor's last request produced. */
class ExecutorPayload implements Payload {
  readonly words = new Int32Array(SMALL / 4);
  readonly at = 0;
  length = 0;
  readonly #small = new Uint8Array(this.words.buffer);
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /** Have it at hand. */
  load(): void {
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
  const { path, path2, bytes } = request;
  if (bytes !== undefined && bytes.byteLength !== request.length) {
    throw new TypeError("Cannot write bytes whose buffer was detached or resized");
  }
  const record = new Int32Array(layout.REQUEST_SIZE / 4);
  const bound = (path === undefined ? 0 : pathBound(path)) +
    (path2 === undefined ? 0 : pathBound(path2));
  const room = new Uint8Array(bound + (bytes?.length ?? 0));
  const used = writeInput(record, 0, request, room, 0);
  return { record, input: room.subarray(0, used) };
}

/** Write a record, and the input behind it; returns how many bytes that has. */
export function writeInput(
  words: Int32Array,
  at: number,
  request: CoreRequest,
  into: Uint8Array,
  start: number,
): number {
  const { path, path2, bytes } = request;
  writeRecord(words, at, request);
  let used = 0;
  const add = (text: string | Uint8Array | undefined) => {
    const length = text === undefined ? 0 : encodePath(text, into, start + used);
    used += length > layout.PATH_MAX ? 0 : length;
    return length;
  };
  words[at + layout.REQUEST_PATH] = 0;
  words[at + layout.REQUEST_PATH_LENGTH] = add(path);
  words[at + layout.REQUEST_PATH2_LENGTH] = add(path2);
  if (bytes !== undefined) {
    into.set(bytes, start + used);
    used += bytes.length;
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
    return this.#waiting.length;
  }

  push(slot: number, request: CoreRequest): boolean {
    this.#waiting.push({ slot, request, ...encodeRequest(request), cancelled: this.#cancelled });
    return true;
  }

  turn(): boolean {
    const end = performance.now() + TURN_MS;
    const waiting = this.#waiting;
    let done = 0;
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
      if (performance.now() >= end) {
        break;
      }
    }
    this.#waiting = waiting.slice(done);
    return false;
  }

  park(): Promise<void> {
    // A turn always completes something, so nobody ever waits
    return Promise.resolve();
  }

  wake(): void {
    // Likewise
  }

  cancel(slot: number): boolean {
    const found = this.#waiting.find((waiting) => waiting.slot === slot);
    if (found === undefined || found.cancelled || found.request.isClose) {
      return false;
    }
    found.cancelled = true;
    return true;
  }

  cancelAll(): void {
    this.#cancelled = true;
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
