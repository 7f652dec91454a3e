// Copyright 2026 the ioq authors. MIT license.

/**
 * Who may make objects of the library's classes. What an object was made of is not asked
 * for again, a file's descriptor for instance, so that nobody may make one of what they
 * like: as with classes of the web, the constructors are callable by the library alone.
 *
 * @module
 */

/** What the library passes first to its own constructors; nothing public leads to it. */
export const OWN: unique symbol = Symbol("ioq.own");

/**
 * Check that it is the library that makes something.
 *
 * @throws {TypeError} If it is not.
 */
export function checkOwn(token: unknown): void {
  if (token !== OWN) {
    throw new TypeError("Illegal constructor");
  }
}
