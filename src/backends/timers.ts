// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that wait for their time, by the runtime's timers: for backends whose
 * lanes have better things to do than to sleep.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { type ClockName, CLOCKS } from "../clock.ts";
import { ERRNO } from "../errors.ts";
import type { CoreRequest } from "../operation/request.ts";

/** The longest time that a timer of the runtime can run, in milliseconds. */
const TIMER_MAX_MS = 0x7fffffff;

/**
 * What a clock says, in nanoseconds, as far as the runtime tells.
 *
 * @throws {Deno.errors.NotSupported} For `boottime`.
 */
export function now(clock: ClockName): bigint {
  switch (clock) {
    case "monotonic":
      return BigInt(Math.round(performance.now() * 1e6));
    case "realtime":
      return BigInt(Date.now()) * 1_000_000n;
    default:
      throw new Deno.errors.NotSupported(
        `Cannot read the clock '${clock}' on the worker backend: Deno has no call for it`,
      );
  }
}

/** A request's clock. */
export function clockOf(request: CoreRequest): ClockName {
  const code = request.flags & ~layout.TIMEOUT_ABSOLUTE;
  return (Object.keys(CLOCKS) as ClockName[]).find((clock) => CLOCKS[clock] === code)!;
}

/** See the module. */
export class Timers {
  readonly #due: (slot: number) => void;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout> | undefined>();
  readonly #waiting = new Map<number, { readonly clock: ClockName; readonly end: bigint }>();
  readonly #cancelled = new Set<number>();

  /** @param due Called when a request is over, never from within a call of these. */
  constructor(due: (slot: number) => void) {
    this.#due = due;
  }

  /** How many wait. */
  get size(): number {
    return this.#timers.size;
  }

  /** Have a request wait. */
  add(slot: number, request: CoreRequest): void {
    const absolute = (request.flags & layout.TIMEOUT_ABSOLUTE) !== 0;
    // Only the moment of an absolute time moves when a clock is set
    const clock = absolute ? clockOf(request) : "monotonic";
    const time = BigInt(request.offset) * 1_000_000_000n + BigInt(request.arg0);
    const end = absolute ? time : now(clock) + time;
    this.#waiting.set(slot, { clock, end });
    this.#arm(slot);
  }

  /** Have the runtime call when a request's time has come, or as late as it can. */
  #arm(slot: number): void {
    const { clock, end } = this.#waiting.get(slot)!;
    const left = Math.ceil(Number(end - now(clock)) / 1e6);
    const timer = setTimeout(() => this.#fire(slot), Math.max(0, Math.min(left, TIMER_MAX_MS)));
    this.#timers.set(slot, timer);
  }

  /** A timer has run: tell of all whose time has come, in the order of their times. */
  #fire(slot: number): void {
    const over = [...this.#waiting]
      .filter(([, { clock, end }]) => end <= now(clock))
      .sort(([, a], [, b]) => a.end < b.end ? -1 : a.end > b.end ? 1 : 0);
    for (const [slot] of over) {
      clearTimeout(this.#timers.get(slot));
      this.#timers.delete(slot);
      this.#waiting.delete(slot);
      this.#due(slot);
    }
    if (this.#waiting.has(slot)) {
      this.#arm(slot);
    }
  }

  /** End a request soon. */
  #end(slot: number): void {
    this.#timers.set(
      slot,
      setTimeout(() => {
        this.#timers.delete(slot);
        this.#due(slot);
      }, 0),
    );
  }

  /** What a request that is over ends with. */
  resultOf(slot: number): number {
    return this.#cancelled.delete(slot) ? -ERRNO.EINTR! : 0;
  }

  /** Cancel a request: it is over soon. Returns whether it was waiting. */
  cancel(slot: number): boolean {
    if (!this.#timers.has(slot) || this.#cancelled.has(slot)) {
      return false;
    }
    clearTimeout(this.#timers.get(slot));
    this.#cancelled.add(slot);
    this.#waiting.delete(slot);
    this.#end(slot);
    return true;
  }

  /** Cancel all. */
  cancelAll(): void {
    for (const slot of [...this.#timers.keys()]) {
      this.cancel(slot);
    }
  }
}
