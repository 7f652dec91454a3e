// Copyright 2026 the ioq authors. MIT license.

/**
 * Checking the signals that callers give, and listening to them.
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

/** What {@linkcode listening} gives, once it is made. */
let options: AddEventListenerOptions | undefined;

/**
 * The options of each listener. The runtime reads the `signal` of a listener's options from an
 * object that inherits, and would take one that was written to `Object.prototype`. So there is
 * one, which never aborts, and which does not note who waits for that.
 */
export function listening(): AddEventListenerOptions {
  if (options === undefined) {
    const { signal } = new AbortController();
    Object.defineProperty(signal, "addEventListener", { value() {} });
    options = { signal };
  }
  return options;
}

/** Have a function called when a signal is aborted, until it is taken off again. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  signal.addEventListener("abort", listener, listening());
}
