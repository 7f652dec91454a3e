// Copyright 2026 the ioq authors. MIT license.

/**
 * The clocks that times are told and waited for by.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";

/**
 * A clock: `monotonic` nobody sets, and it stands still while the machine is
 * suspended; `boottime` goes on then; `realtime` is the time of day since 1970.
 *
 * @category Requests
 */
export type ClockName = "monotonic" | "realtime" | "boottime";

/**
 * A clock that can be read, but not waited for: processor time, of all threads of the process
 * (`process`), or of the calling thread alone (`thread`).
 *
 * @category Requests
 */
export type CpuClockName = "process" | "thread";

/** The core's numbers of clocks. */
export const CLOCKS: Readonly<Record<ClockName, number>> = {
  monotonic: layout.CLOCK_MONOTONIC,
  realtime: layout.CLOCK_REALTIME,
  boottime: layout.CLOCK_BOOTTIME,
};

/** The core's numbers of clocks that can be read. */
const READABLE: Readonly<Record<ClockName | CpuClockName, number>> = {
  ...CLOCKS,
  process: layout.CLOCK_PROCESS,
  thread: layout.CLOCK_THREAD,
};

/**
 * The core's number of a clock that can be read.
 *
 * @throws {TypeError} If there is none of that name.
 */
export function readableClock(clock: unknown): number {
  if (typeof clock !== "string" || !Object.hasOwn(READABLE, clock)) {
    throw new TypeError(
      `Expected clock to be one of ${Object.keys(READABLE).join(", ")}, got ${clock}`,
    );
  }
  return READABLE[clock as ClockName | CpuClockName];
}

/** What a clock says. */
export interface ClockReading {
  /** Nanoseconds. */
  readonly now: bigint;
  /** By how much it goes forward at a time, in nanoseconds; not set if nobody knows. */
  readonly resolution?: number;
}
