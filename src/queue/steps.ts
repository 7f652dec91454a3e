// Copyright 2026 the ioq authors. MIT license.

/**
 * Ending tens of thousands of requests at once: some for a few milliseconds, the others
 * after the event loop's other work. And the same for work that comes from many sides at once,
 * such as what several walks have read.
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

/** A bound on the work that is done in one turn of the event loop, by all that share it. */
export class TurnShare {
  readonly #most: number;
  #left: number;
  #isRenewed = false;

  /** @param most Units of work; what is begun with some left is done, however much it is. */
  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Take so much work: at once if that is `undefined`, or in the turn that is waited for. */
  take(units: number): Promise<void> | undefined {
    if (this.#left <= 0) {
      return this.#wait(units);
    }
    this.#left -= units;
    return undefined;
  }

  async #wait(units: number): Promise<void> {
    while (this.#left <= 0) {
      if (!this.#isRenewed) {
        this.#isRenewed = true;
        // Before those who wait for it: they come in the order in which they began to
        setImmediate(() => {
          this.#isRenewed = false;
          this.#left = this.#most;
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#left -= units;
  }
}
