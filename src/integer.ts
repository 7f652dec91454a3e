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
