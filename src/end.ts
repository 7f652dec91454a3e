// Copyright 2026 the ioq authors. MIT license.

/**
 * What ends everything.
 *
 * An error tells of one file, or it tells that all is over: the queue was closed or
 * cancelled, the task that the work belongs to was, or a signal was aborted. Who goes
 * through many files and may leave some out (`onError`) asks here first: what ends
 * everything is never skipped, counted or swallowed.
 *
 * @module
 */

/** Errors that were made to end something. */
const ends = new WeakSet<Error>();

/** Have an error count as an end, and give it back. */
export function asEnd<E extends Error>(error: E): E {
  ends.add(error);
  return error;
}

/**
 * Whether an error ends everything, instead of telling about one file.
 *
 * @param error What was caught. What is no error ends everything, too: it can only be
 *        an abort's reason, or what the caller's own function threw.
 * @param signal What aborts the work, if anything does: all that comes after its abort
 *        is the end.
 */
export function isEnd(error: unknown, signal?: AbortSignal): boolean {
  return signal?.aborted === true || !(error instanceof Error) || ends.has(error);
}

/** What is done to a closed queue fails with this. */
export function closedError(): Error {
  return asEnd(new Deno.errors.BadResource("Cannot use a queue that was closed"));
}
