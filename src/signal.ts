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

/** The options of each listener, once they are made. */
let options: AddEventListenerOptions | undefined;

/**
 * Listen to events.
 *
 * The runtime reads the `signal` of a listener's options from an object that inherits, and would
 * take one that was written to `Object.prototype`. So there is one, which never aborts, and
 * which does not note who waits for that. Where the inherited one cannot be overwritten,
 * the runtime takes no options at all.
 */
export function listen(target: EventTarget, type: string, listener: () => void): void {
  if (options === undefined) {
    const { signal } = new AbortController();
    Object.defineProperty(signal, "addEventListener", { value() {} });
    options = { signal };
  }
  try {
    target.addEventListener(type, listener, options);
  } catch {
    target.addEventListener(type, listener);
  }
}

/** Have a function called when a signal is aborted, until it is taken off again. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  listen(signal, "abort", listener);
}
