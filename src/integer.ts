// Copyright 2026 the ioq authors. MIT license.

/**
 * Checking numbers that callers give.
 *
 * @module
 */

/**
 * Check an integer in a range.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is no integer, or out of the range.
 */
export function checkInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`Expected ${name} to be a number, got ${typeof value}`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be an integer from ${min} to ${max}, got ${value}`);
  }
  return value;
}

/** Check a number of milliseconds, which may have a fraction. */
export function checkMs(ms: unknown, name: string): number {
  if (typeof ms !== "number") {
    throw new TypeError(`Expected ${name} to be a number, got ${typeof ms}`);
  }
  if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `Expected ${name} to be milliseconds from 0 to ${Number.MAX_SAFE_INTEGER}, got ${ms}`,
    );
  }
  return ms;
}

/** Check how long something may take; `undefined` for as long as it likes. */
export function checkTimeout(timeoutMs: unknown): number | undefined {
  return timeoutMs === undefined || timeoutMs === Infinity
    ? undefined
    : checkMs(timeoutMs, "timeoutMs");
}
