// Copyright 2026 the ioq authors. MIT license.

/**
 * Those who wait until the queue has room for so many requests.
 *
 * @module
 */

/** Someone who waits. */
interface Producer {
  readonly slots: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** See the module. */
export class Producers {
  #waiting: Producer[] = [];

  /** How many wait. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Have someone wait for so many slots. */
  add(slots: number, resolve: () => void, reject: (reason: unknown) => void): void {
    this.#waiting.push({ slots, resolve, reject });
  }

  /** So many slots are free: whoever has enough of them goes on. */
  advance(free: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const producer of waiting) {
      if (free >= producer.slots) {
        producer.resolve();
      } else {
        this.#waiting.push(producer);
      }
    }
  }

  /** There will be no room any more. */
  refuse(reason: unknown): void {
    for (const producer of this.#waiting.splice(0)) {
      producer.reject(reason);
    }
  }
}
