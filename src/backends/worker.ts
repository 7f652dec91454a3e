// Copyright 2026 the ioq authors. MIT license.

/**
 * The worker backend: Web Workers run the requests, where there can be no ring.
 *
 *     nop, what is refused ───────────────────────────▶ completes by itself
 *     timeout, poll, post, receive ──▶ waits ──────────▶ complete
 *     all the rest ──▶ runner: Workers, else this thread ──▶ complete
 *                         └── a lock, a pipe, a FIFO that would wait ──▶ waits
 *
 * See `worker/waits.ts` for what waits, and `worker/request_runner.ts` for what runs. If
 * Workers cannot be started at all, or no more, the requests that none of them has
 * begun go to this very thread.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import type { Backend, BackendInfo, LaneCounts, Sink } from "./backend.ts";
import { NOT_NOW } from "../queue/cached_transfers.ts";
import type { ClockName, ClockReading, CpuClockName } from "../linux/clock.ts";
import { ERRNO, osError, UNSUPPORTED } from "../linux/errors.ts";
import type { CoreRequest } from "../operations/request.ts";
import type { Payload } from "../operations/payload.ts";
import { type Refuse, SynchronousCalls } from "./synchronous.ts";
import type { LeftRequest, RequestRunner } from "./worker/request_runner.ts";
import { Retries } from "./worker/retries.ts";
import { type CompleteWait, isWait, type Waits } from "./worker/waits.ts";

/** What is told with completions that have no payload. */
const NO_PAYLOAD: Payload = {
  words: new Int32Array(0),
  at: 0,
  length: 0,
  bytes: () => new Uint8Array(0),
  take: () => {},
  takePart: () => {},
};

/** What the backend consists of. */
export interface WorkerParts {
  /** Whether there is a library, see {@linkcode Backend.hasLibrary}. */
  readonly hasLibrary: boolean;
  /** Says why a request cannot be run, as a number, or 0. */
  readonly refuse: Refuse;
  /** Which backend it is, as long as there are Workers; with them gone, and why. */
  readonly describe: (lost?: string) => BackendInfo;
  /** Opens what requests wait by. */
  readonly openWaits: (complete: CompleteWait, wake: () => void) => Waits;
  /**
   * Opens what runs requests; `wait` takes what has to wait for somebody else, `giveUp`
   * what it cannot run.
   */
  readonly openRunner: (
    completed: LaneCounts,
    sink: Sink,
    wait: (left: LeftRequest) => void,
    giveUp: (reason: string, left: readonly LeftRequest[]) => void,
  ) => RequestRunner;
  /** Opens what does without Workers. */
  readonly openThisThread: (
    completed: LaneCounts,
    sink: Sink,
    wait: (left: LeftRequest) => void,
  ) => RequestRunner;
  /** Whether what waits for somebody else is tried again, since nobody tells. */
  readonly retries: boolean;
  /** Lets go of what the parts share. */
  readonly release: () => void;
}

/** A backend whose requests run in Web Workers, or on this thread. */
export class WorkerBackend implements Backend {
  readonly completed: LaneCounts = { core: 0, ring: 0, worker: 0 };

  readonly #parts: WorkerParts;
  readonly #sink: Sink;
  readonly #waits: Waits;
  /** What waits for somebody else, without the library. */
  readonly #retries: Retries | undefined;
  #info: BackendInfo;
  /** What runs requests. */
  #runner: RequestRunner;
  /** What did, while Workers may still be at what they had begun. */
  #former: RequestRunner | undefined;
  #synchronous: SynchronousCalls | undefined;
  /** Completions that nobody else has a part in. */
  #local: { readonly slot: number; result: number }[] = [];
  #cancelled = false;
  #closing: Promise<void> | undefined;

  constructor(parts: WorkerParts, told: Sink) {
    this.#parts = parts;
    const retries = parts.retries
      ? new Retries(
        (slot, request) => this.#runner.push(slot, request),
        (slot, result) => told.complete(slot, result, NO_PAYLOAD),
        () => this.wake(),
      )
      : undefined;
    this.#retries = retries;
    const sink: Sink = retries === undefined ? told : {
      complete(slot, result, payload) {
        const settled = retries.settle(slot, result);
        if (settled !== undefined) {
          told.complete(slot, settled, payload);
        }
      },
    };
    this.#sink = sink;
    this.#info = parts.describe();
    this.#waits = parts.openWaits((slot, result, payload = NO_PAYLOAD) => {
      this.completed.core++;
      sink.complete(slot, result, payload);
    }, () => this.wake());
    this.#runner = parts.openRunner(
      this.completed,
      sink,
      (left) => this.#wait(left),
      (reason, left) => this.#giveUp(reason, left),
    );
  }

  get parksOnThread(): boolean {
    return false;
  }

  readonly readsRanges = false;

  get hasLibrary(): boolean {
    return this.#parts.hasLibrary;
  }

  get info(): BackendInfo {
    return this.#info;
  }

  get id(): number {
    return this.#waits.id;
  }

  readClock(code: number, name: ClockName | CpuClockName): ClockReading {
    return this.#waits.readClock(code, name);
  }

  synchronous(): SynchronousCalls {
    if (this.#synchronous === undefined) {
      const { executor } = this.#runner;
      if (executor === undefined) {
        throw osError(UNSUPPORTED.synchronous, "synchronous call");
      }
      this.#synchronous = new SynchronousCalls(executor, this.#parts.refuse);
    }
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

  fileKind(): undefined {
    return undefined;
  }

  readCached(): number {
    return NOT_NOW;
  }

  readCachedRanges(): number {
    return NOT_NOW;
  }

  writeCached(): number {
    return NOT_NOW;
  }

  get inFlight(): number {
    return this.#local.length + this.#waits.size + (this.#retries?.size ?? 0) +
      this.#runner.inFlight +
      (this.#former === undefined ? 0 : this.#former.inFlight);
  }

  push(slot: number, request: CoreRequest): void {
    const { code } = request;
    const waits = isWait(code);
    const refusal = this.#parts.refuse(request) || (waits ? this.#waits.refuse(request) : 0);
    if (this.#cancelled && !request.isClose) {
      this.#local.push({ slot, result: -ERRNO.EINTR! });
    } else if (refusal !== 0) {
      this.#local.push({ slot, result: -refusal });
    } else if (waits) {
      this.#waits.add(slot, request);
    } else if (code === layout.OP.nop) {
      this.#local.push({ slot, result: 0 });
    } else {
      this.#runner.push(slot, request);
    }
  }

  get backlog(): number {
    // Whatever is taken is handed over at once
    return 0;
  }

  turn(arm: boolean): boolean {
    if (this.#closing !== undefined) {
      return false;
    }
    const former = this.#former;
    const count = this.#completeLocal() + (this.#retries?.turn() ?? 0) + this.#waits.turn() +
      this.#runner.turn() +
      (former === undefined ? 0 : former.turn());
    return count === 0 && arm && this.inFlight > 0 && this.#local.length === 0 &&
      (this.#retries?.arm() ?? true) && this.#waits.arm() && this.#runner.arm() &&
      (this.#former?.arm() ?? true);
  }

  /** Hand over what completes by itself. */
  #completeLocal(): number {
    const local = this.#local;
    if (local.length > 0) {
      this.#local = [];
      for (const { slot, result } of local) {
        this.completed.core++;
        this.#sink.complete(slot, result, NO_PAYLOAD);
      }
    }
    return local.length;
  }

  async park(): Promise<void> {
    if (this.#former !== undefined && this.#former.inFlight > 0) {
      await this.#former.park();
    } else {
      await this.#runner.park();
    }
  }

  wake(): void {
    this.#runner.wake();
    this.#former?.wake();
  }

  /** A request was tried in vain: it is tried again when it may not be. */
  #wait(left: LeftRequest): void {
    const { slot, request, cancelled } = left;
    if (this.#retries !== undefined) {
      this.#retries.add(left);
      if (cancelled || this.#cancelled) {
        this.#retries.cancel(slot);
      }
      return;
    }
    this.#waits.add(slot, request);
    if (cancelled || this.#cancelled) {
      this.#waits.cancel(slot);
    }
  }

  /** There can be no Workers: this thread takes what none of them has begun. */
  #giveUp(reason: string, left: readonly LeftRequest[]): void {
    this.#info = this.#parts.describe(reason);
    this.#former = this.#runner;
    this.#runner = this.#parts.openThisThread(
      this.completed,
      this.#sink,
      (left) => this.#wait(left),
    );
    for (const { slot, request, cancelled } of left) {
      this.#runner.push(slot, request);
      if (cancelled) {
        this.#runner.cancel(slot);
      }
    }
    // Which does not park while it has anything to do
    this.#former.wake();
  }

  cancel(slot: number): boolean {
    const local = this.#local.find((completion) => completion.slot === slot);
    if (local !== undefined) {
      const cancels = local.result !== -ERRNO.EINTR!;
      local.result = -ERRNO.EINTR!;
      return cancels;
    }
    return (this.#retries?.cancel(slot) ?? false) || this.#waits.cancel(slot) ||
      this.#runner.cancel(slot) ||
      (this.#former?.cancel(slot) ?? false);
  }

  cancelAll(): void {
    this.#cancelled = true;
    for (const local of this.#local) {
      local.result = -ERRNO.EINTR!;
    }
    this.#retries?.cancelAll();
    this.#waits.cancelAll();
    this.#runner.cancelAll();
    this.#former?.cancelAll();
  }

  abandon(): boolean {
    const former = this.#former?.abandon() ?? false;
    return this.#runner.abandon() || former;
  }

  unload(): void {
    this.cancelAll();
    this.#waits.unload();
    // Its first step tells the Workers to end; nobody is left to wait for them
    this.#runner.close();
    this.#former?.close();
  }

  resize(depth: number): void {
    this.#waits.resize(depth);
    this.#runner.resize(depth);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#waits.close(), this.#runner.close(), this.#former?.close()]);
    this.#parts.release();
  }
}
