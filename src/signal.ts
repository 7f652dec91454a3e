// Copyright 2026 the ioq authors. MIT license.

/**
 * Checking the signals that callers give.
 *
 * @module
 */

/**
 * Check the option `signal`.
 *
 * @throws {TypeError} If it is anything but a signal, or nothing, such as `null`, as for Deno.
 */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (!signal) {
    return undefined;
  }
  if (!(signal instanceof AbortSignal)) {
    throw new TypeError("Expected signal to be an AbortSignal");
  }
  return signal;
}
