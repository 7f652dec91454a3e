// Copyright 2026 the ioq authors. MIT license.

/**
 * Points in time that files are given: as Deno takes them, or exact to the nanosecond.
 *
 * @module
 */

import { checkInteger } from "./integer.ts";

/**
 * A point in time: a `Date`, seconds since 1970, nanoseconds since 1970 as a `bigint`, or
 * a `Temporal.Instant`. The last two are exact.
 *
 * @category Files
 */
export type FileTime = Date | number | bigint | { readonly epochNanoseconds: bigint };

/** A time as the kernel takes it. */
export interface Timespec {
  /** Since 1970, possibly negative. */
  readonly seconds: number;
  /** Below a second. */
  readonly nanoseconds: number;
}

const BILLION = 1_000_000_000n;

/** Nanoseconds since 1970, of what tells them exactly. */
export function exactTime(time: unknown): bigint | undefined {
  if (typeof time === "bigint") {
    return time;
  }
  if (typeof time === "object" && time !== null && "epochNanoseconds" in time) {
    const { epochNanoseconds } = time;
    return typeof epochNanoseconds === "bigint" ? epochNanoseconds : undefined;
  }
  return undefined;
}

/** Check a time. */
export function checkTime(time: FileTime, name: string): Timespec {
  const exact = exactTime(time);
  if (exact !== undefined) {
    const nanoseconds = (exact % BILLION + BILLION) % BILLION;
    const seconds = (exact - nanoseconds) / BILLION;
    return { seconds: checkSeconds(Number(seconds), name), nanoseconds: Number(nanoseconds) };
  }
  const milliseconds = time instanceof Date
    ? time.getTime()
    : typeof time === "number"
    ? time * 1000
    : NaN;
  if (!Number.isFinite(milliseconds)) {
    throw new TypeError(
      `Expected ${name} to be a valid Date, seconds or nanoseconds since 1970, got ${time}`,
    );
  }
  const seconds = checkSeconds(Math.floor(milliseconds / 1000), name);
  // A moment before a whole second rounds up to it, and that is no fraction
  const nanoseconds = Math.floor((milliseconds - seconds * 1000) * 1e6);
  return { seconds, nanoseconds: Math.min(nanoseconds, 999_999_999) };
}

function checkSeconds(seconds: number, name: string): number {
  return checkInteger(seconds, name, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}
