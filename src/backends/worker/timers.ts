// Copyright 2026 the ioq authors. MIT license.

/**
 * Waits by the runtime's timers, for machines where the native library cannot be
 * loaded. They know time, in milliseconds; nothing there tells of a descriptor's
 * readiness, and queues know of each other by the library only.
 *
 * @module
 */

import * as layout from "../../../ffi/layout.ts";
import { type ClockName, type ClockReading, CLOCKS, type CpuClockName } from "../../linux/clock.ts";
import { ERRNO, UNSUPPORTED } from "../../linux/errors.ts";
import type { CoreRequest } from "../../operations/request.ts";
import type { CompleteWait, Waits } from "./waits.ts";

/** The longest time that a timer of the runtime can run, in milliseconds. */
const TIMER_MAX_MS = 0x7fffffff;
/** How often a clock is looked at that may go ahead of the runtime's, in milliseconds. */
const RECHECK_MS = 1000;

/** What the kernel tells of the time since the start, suspended or not, in seconds. */
const UPTIME = "/proc/uptime";

/** What the clock `boottime` says, or none where nobody tells. */
function uptime(): bigint | undefined {
  if (Deno.permissions.querySync({ name: "read", path: UPTIME }).state !== "granted") {
    return undefined;
  }
  try {
    // In hundredths, cut off: so what waits until a time has waited long enough
    const told = /^(\d+)\.(\d\d)\b/.exec(Deno.readTextFileSync(UPTIME));
    return told === null ? undefined : BigInt(told[1]! + told[2]!) * 10_000_000n;
  } catch {
    // Not on this system, or the runtime wants more permissions for such files
    return undefined;
  }
}

/** A request's clock. */
function clockOf(request: CoreRequest): ClockName {
  const code = request.flags & ~layout.TIMEOUT_ABSOLUTE;
  return (Object.keys(CLOCKS) as ClockName[]).find((clock) => CLOCKS[clock] === code)!;
}

/** Waits by the runtime's timers, in milliseconds. */
export class Timers implements Waits {
  readonly #complete: CompleteWait;
  readonly #wake: () => void;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout> | undefined>();
  readonly #waiting = new Map<number, { readonly clock: ClockName; readonly end: bigint }>();
  readonly #cancelled = new Set<number>();
  /** What is over, in that order. */
  #over: number[] = [];
  #cancelsAll = false;

  /**
   * @param complete Is told of completions.
   * @param wake Called when a turn has something to do.
   */
  constructor(complete: CompleteWait, wake: () => void) {
    this.#complete = complete;
    this.#wake = wake;
  }

  get size(): number {
    return this.#timers.size + this.#over.length;
  }

  get id(): number {
    throw new Deno.errors.NotSupported(
      "Cannot post to a queue without the native library, by which queues know of each other",
    );
  }

  readClock(_code: number, name: ClockName | CpuClockName): ClockReading {
    if (name === "process" || name === "thread") {
      throw new Deno.errors.NotSupported(
        `Cannot read the clock '${name}' without the native library`,
      );
    }
    return { now: this.#now(name) };
  }

  #now(clock: ClockName): bigint {
    switch (clock) {
      case "monotonic":
        return BigInt(Math.round(performance.now() * 1e6));
      case "realtime":
        return BigInt(Date.now()) * 1_000_000n;
      default: {
        const time = uptime();
        if (time === undefined) {
          throw new Deno.errors.NotSupported(
            `Cannot read the clock '${clock}' without the native library or ${UPTIME}`,
          );
        }
        return time;
      }
    }
  }

  refuse(request: CoreRequest): number {
    switch (request.code) {
      case layout.OP.poll:
        return UNSUPPORTED.poll;
      case layout.OP.post:
      case layout.OP.receive:
        return UNSUPPORTED.message;
      default:
        return clockOf(request) === "boottime" && uptime() === undefined ? UNSUPPORTED.boottime : 0;
    }
  }

  add(slot: number, request: CoreRequest): void {
    const absolute = (request.flags & layout.TIMEOUT_ABSOLUTE) !== 0;
    // For a while, however a clock is set meanwhile
    const clock = absolute || clockOf(request) === "boottime" ? clockOf(request) : "monotonic";
    const time = BigInt(request.offset) * 1_000_000_000n + BigInt(request.arg0);
    this.#waiting.set(slot, { clock, end: absolute ? time : this.#after(clock) + time });
    if (this.#cancelsAll) {
      this.#timers.set(slot, undefined);
      this.cancel(slot);
    } else {
      this.#arm(slot);
    }
  }

  /** What a clock says, or will in a moment if it is a coarse one. */
  #after(clock: ClockName): bigint {
    return this.#now(clock) + (clock === "boottime" ? 10_000_000n : 0n);
  }

  /** Have the runtime call when a request's time has come, or as late as it can. */
  #arm(slot: number): void {
    const { clock, end } = this.#waiting.get(slot)!;
    const left = Math.ceil(Number(end - this.#now(clock)) / 1e6);
    const most = clock === "monotonic" ? TIMER_MAX_MS : RECHECK_MS;
    const timer = setTimeout(() => this.#fire(slot), Math.max(0, Math.min(left, most)));
    this.#timers.set(slot, timer);
  }

  /** A timer has run: end all whose time has come, in the order of their times. */
  #fire(slot: number): void {
    const times: Partial<Record<ClockName, bigint>> = {};
    const over = [...this.#waiting]
      .filter(([, { clock, end }]) => end <= (times[clock] ??= this.#now(clock)))
      .sort(([, a], [, b]) => a.end < b.end ? -1 : a.end > b.end ? 1 : 0);
    for (const [slot] of over) {
      clearTimeout(this.#timers.get(slot));
      this.#end(slot);
    }
    if (this.#waiting.has(slot)) {
      this.#arm(slot);
    }
  }

  /** Have a turn tell of a request. */
  #end(slot: number): void {
    this.#timers.delete(slot);
    this.#waiting.delete(slot);
    this.#over.push(slot);
    this.#wake();
  }

  turn(): number {
    const over = this.#over;
    if (over.length > 0) {
      this.#over = [];
      for (const slot of over) {
        this.#complete(slot, this.#cancelled.delete(slot) ? -ERRNO.EINTR! : 0);
      }
    }
    return over.length;
  }

  arm(): boolean {
    return this.#over.length === 0;
  }

  cancel(slot: number): boolean {
    if (!this.#timers.has(slot) || this.#cancelled.has(slot)) {
      return false;
    }
    clearTimeout(this.#timers.get(slot));
    this.#cancelled.add(slot);
    this.#waiting.delete(slot);
    this.#timers.set(slot, setTimeout(() => this.#end(slot), 0));
    return true;
  }

  cancelAll(): void {
    this.#cancelsAll = true;
    for (const slot of [...this.#timers.keys()]) {
      this.cancel(slot);
    }
  }

  resize(): void {
    // Their number is not bounded here
  }

  // Its timers end with the program
  unload(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
