// Copyright 2026 the ioq authors. MIT license.

/**
 * Clocks, and waiting for them.
 *
 * @module
 */

import type { Io } from "./io.ts";
import type { Task, Wait } from "./task.ts";

/** A clock, see `clock_gettime(2)`. */
export type Clock = "realtime" | "monotonic" | "boottime";

const CLOCKS: readonly string[] = ["realtime", "monotonic", "boottime"];

export function now(clock: Clock): bigint {
  if (!CLOCKS.includes(clock)) {
    throw new TypeError(`Expected clock to be one of ${CLOCKS.join(", ")}, got ${clock}`);
  }
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
}

export function checkDuration(ms: unknown): number {
  if (typeof ms !== "number") {
    throw new TypeError(`Expected a duration to be a number, got ${typeof ms}`);
  }
  if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER / 1e6)) {
    throw new RangeError(
      `Expected a duration to be from 0 to ${Number.MAX_SAFE_INTEGER / 1e6} ms, got ${ms}`,
    );
  }
  return ms;
}

export function sleep(_io: Io, task: Task, time: number | bigint, clock: Clock): Promise<void> {
  const ms = typeof time === "bigint"
    ? Math.max(0, Number(time - now(clock)) / 1e6)
    : checkDuration(time);
  return new Promise((resolve, reject) => {
    const wait: Wait = {
      interrupt() {
        clearTimeout(timer);
        task.leave(wait);
        reject(task.deliver());
      },
    };
    task.enter(wait);
    const timer = setTimeout(() => {
      task.leave(wait);
      resolve();
    }, ms);
  });
}
