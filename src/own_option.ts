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
 * A copy of options, which inherits nothing: for what is asked for rarely, so that each can
 * be read as one is used to. Getters are called once.
 */
export function ownOptions<T extends object>(options: T | null | undefined): T {
  return { __proto__: null, ...options } as T;
}

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

/** Options with some of them set; what are none are left to whoever checks them. */
export function withOptions<T extends object>(options: T | undefined, more: Partial<T>): T {
  return options === undefined || typeof options === "object" && options !== null
    ? { __proto__: null, ...options, ...more } as T
    : options;
}
