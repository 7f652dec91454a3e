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

/** The core's numbers of clocks. */
export const CLOCKS: Readonly<Record<ClockName, number>> = {
  monotonic: layout.CLOCK_MONOTONIC,
  realtime: layout.CLOCK_REALTIME,
  boottime: layout.CLOCK_BOOTTIME,
};

/** Check the name of a clock. */
export function checkClock(clock: unknown): void {
  if (typeof clock !== "string" || !Object.hasOwn(CLOCKS, clock)) {
    throw new TypeError(
      `Expected clock to be one of ${Object.keys(CLOCKS).join(", ")}, got ${clock}`,
    );
  }
}
