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
import type { Backend, BackendInfo, LaneCounts, Sink } from "../backend.ts";
import type { ClockName } from "../clock.ts";
import { ERRNO } from "../errors.ts";
import type { CoreRequest } from "../operation/request.ts";
import {
  type EncodedRequest,
  encodeRequest,
  ExecutorPayload,
  type Refuse,
  SynchronousCalls,
} from "./synchronous.ts";
import { now, Timers } from "./timers.ts";
import type { Executor } from "./worker/executor.ts";

/** Bytes of payloads from which on a turn ends. */
const TURN_BYTES = 4 << 20;
/** How long a turn may go on, in milliseconds. */
const TURN_MS = 2;

/** A request that waits. */
interface Waiting extends EncodedRequest {
  readonly slot: number;
  readonly request: CoreRequest;
  cancelled: boolean;
}

/** See the module. */
export class MainThreadBackend implements Backend {
  readonly info: BackendInfo;
  readonly completed: LaneCounts = { core: 0, ring: 0, worker: 0, workerRing: 0 };

  readonly #sink: Sink;
  readonly #executor: Executor;
  readonly #payload: ExecutorPayload;
  readonly #refuse: Refuse;
  readonly #synchronous: SynchronousCalls;
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
    refuse: Refuse,
    sink: Sink,
  ) {
    this.info = info;
    this.#executor = executor;
    this.#payload = new ExecutorPayload(executor);
    this.#refuse = refuse;
    // Between two requests of a turn nobody else runs, so one executor does for both
    this.#synchronous = new SynchronousCalls(executor, refuse);
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

  synchronous(): SynchronousCalls {
    return this.#synchronous;
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
