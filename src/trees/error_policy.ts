// Copyright 2026 the ioq authors. MIT license.

/**
 * What to do about what fails in a tree. What ends everything no policy can pass over:
 * see `end.ts`.
 *
 * @module
 */

/**
 * What to do about what fails: end with its error, pass over it, or tell, and go on.
 * A function that throws ends it with what it throws.
 *
 * @typeParam W What it failed for: a path, or an entry.
 * @category Many files and trees
 */
export type ErrorPolicy<W> = "throw" | "skip" | ((error: Error, what: W) => void);

/**
 * Check the option `onError`.
 *
 * @throws {TypeError} If it is none of these.
 */
export function checkOnError<W>(onError: ErrorPolicy<W> | undefined): ErrorPolicy<W> {
  if (
    onError !== undefined && onError !== "throw" && onError !== "skip" &&
    typeof onError !== "function"
  ) {
    throw new TypeError(`Expected onError to be "throw", "skip" or a function, got ${onError}`);
  }
  return onError ?? "throw";
}
