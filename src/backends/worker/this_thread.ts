// Copyright 2026 the ioq authors. MIT license.

/**
 * The last resort: the queue's own thread runs the requests, one after the other,
 * for whoever may not even start a Worker. Each request holds the thread up for as
 * long as it takes; between some of them the event loop has its turn.
 *
 * @module
 */

import type { LaneCounts, Sink } from "../backend.ts";
import { ERRNO } from "../../linux/errors.ts";
import type { CoreRequest } from "../../operations/request.ts";
import { type EncodedRequest, encodeRequest, ExecutorPayload } from "../synchronous.ts";
import type { Executor } from "./executor.ts";
import { keptBy, type LeftRequest, type RequestRunner, withBytes } from "./request_runner.ts";

/** Bytes of payloads from which on a turn ends. */
const TURN_BYTES = 4 << 20;
/** How long a turn may go on, in milliseconds. */
const TURN_MS = 2;

/** A request that waits. */
interface Waiting extends EncodedRequest {
  readonly slot: number;
  readonly request: CoreRequest;
  readonly isClose: boolean;
  cancelled: boolean;
}

/** What there is for requests that have to wait for somebody else. */
export interface Elsewhere {
  /** Takes a request that was tried in vain. */
  readonly wait: (left: LeftRequest) => void;
  /** Opens what waits in its calls: synchronous ones do. */
  readonly openPatient: () => Executor;
}

/** Runs requests on the queue's own thread, one after the other. */
export class ThisThread implements RequestRunner {
  readonly #executor: Executor;
  readonly #elsewhere: Elsewhere | undefined;
  #patient: Executor | undefined;
  readonly #completed: LaneCounts;
  readonly #sink: Sink;
  readonly #payload: ExecutorPayload;
  #waiting: Waiting[] = [];
  #wake: (() => void) | undefined;

  /**
   * @param executor What runs them; closed with this.
   * @param completed Where it is counted.
   * @param sink Is told of completions.
   * @param elsewhere What there is for what has to wait, if the executor only tries.
   */
  constructor(executor: Executor, completed: LaneCounts, sink: Sink, elsewhere?: Elsewhere) {
    this.#executor = executor;
    this.#elsewhere = elsewhere;
    this.#payload = new ExecutorPayload(executor);
    this.#completed = completed;
    this.#sink = sink;
  }

  get executor(): Executor {
    // Between two requests of a turn nobody else runs, so one that waits does for both
    return this.#patient ??= this.#elsewhere?.openPatient() ?? this.#executor;
  }

  get inFlight(): number {
    return this.#waiting.length;
  }

  push(slot: number, request: CoreRequest): void {
    const { isClose } = request;
    this.#waiting.push({ slot, request, isClose, ...encodeRequest(request), cancelled: false });
  }

  turn(): number {
    const waiting = this.#waiting;
    if (waiting.length === 0) {
      return 0;
    }
    const end = performance.now() + TURN_MS;
    let done = 0;
    let bytes = 0;
    while (done < waiting.length && bytes < TURN_BYTES) {
      const { slot, request, record, input, cancelled } = waiting[done++]!;
      const result = cancelled
        ? -ERRNO.EINTR!
        : this.#executor.perform(record, 0, input, 0, input.length);
      const kept = keptBy(result);
      if (kept !== undefined) {
        this.#elsewhere!.wait({ slot, request: withBytes(request, input), cancelled: false, kept });
        continue;
      }
      this.#completed.core++;
      if (result >= 0) {
        this.#payload.load();
      } else {
        this.#payload.length = 0;
      }
      bytes += this.#payload.length;
      // The slot is free, and counted so, when its completion is told
      this.#sink.complete(slot, result, this.#payload);
      if (performance.now() >= end) {
        break;
      }
    }
    this.#waiting = waiting.slice(done);
    return done;
  }

  arm(): boolean {
    return this.#waiting.length === 0;
  }

  park(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  cancel(slot: number): boolean {
    const found = this.#waiting.find((waiting) => waiting.slot === slot);
    if (found === undefined || found.cancelled || found.isClose) {
      return false;
    }
    found.cancelled = true;
    return true;
  }

  cancelAll(): void {
    for (const waiting of this.#waiting) {
      waiting.cancelled ||= !waiting.isClose;
    }
  }

  abandon(): boolean {
    // What it is at holds up whoever could call this
    return false;
  }

  resize(): void {
    // Their number is not bounded here
  }

  close(): Promise<void> {
    this.#executor.close();
    if (this.#patient !== this.#executor) {
      this.#patient?.close();
    }
    return Promise.resolve();
  }
}
