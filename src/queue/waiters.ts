// Copyright 2026 the ioq authors. MIT license.

/**
 * Those who wait until someone tells them to look again: for a completion, or a batch.
 *
 * @module
 */

/** A list of those who wait. */
export class Waiters {
  #waiting: (() => void)[] = [];

  /** Wait to be told to look again. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Tell all who wait to look again. */
  wake(): void {
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) {
        wake();
      }
    }
  }
}
