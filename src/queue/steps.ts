// Copyright 2026 the ioq authors. MIT license.

/**
 * Ending tens of thousands of requests at once: some for a few milliseconds, the others
 * after the event loop's other work.
 *
 * @module
 */

/** Milliseconds of a step. What it wakes takes about as long again. */
const STEP_MS = 2;
/** How many are ended at once however long it takes: a step may lose its processor meanwhile. */
const STEP_MIN = 256;

/**
 * Do something with each of many.
 *
 * @param items What there is; it may change between two steps.
 * @param work Must not throw.
 * @param done Called after the last one.
 */
export function inSteps<I>(items: Iterator<I>, work: (item: I) => void, done?: () => void): void {
  const end = performance.now() + STEP_MS;
  let count = 0;
  for (let next = items.next(); !next.done; next = items.next()) {
    work(next.value);
    if (++count >= STEP_MIN && performance.now() >= end) {
      setImmediate(() => inSteps(items, work, done));
      return;
    }
  }
  done?.();
}
