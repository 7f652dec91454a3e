// Copyright 2026 the ioq authors. MIT license.

/**
 * Reading the options that callers give: what an object itself has, never what it
 * inherits. Otherwise whoever writes to `Object.prototype`, as a careless merge of JSON
 * does, would set the options of every call.
 *
 * @module
 */

const { hasOwn } = Object;

/**
 * An option, or `undefined` if it is not given. Each is to be read once: a getter may
 * say something else the next time.
 */
export function ownOption<T extends object, K extends keyof T>(
  options: T | null | undefined,
  name: K,
): T[K] | undefined {
  return options !== undefined && options !== null && hasOwn(options, name)
    ? options[name]
    : undefined;
}
