// Copyright 2026 the ioq authors. MIT license.

/**
 * Completions of the stream that nobody has consumed yet, in the order in which they
 * came: a ring of as many as the queue has slots, so that it is never full.
 *
 * @module
 */

import type { Completion } from "./completion.ts";

/** A bounded ring of completions that nobody has consumed yet. */
export class ReadyList<T> {
  readonly #ring: (Completion<T> | undefined)[];
  /** Where the first of them is. */
  #at = 0;
  #count = 0;

  /** @param depth How many there may be. */
  constructor(depth: number) {
    this.#ring = new Array(depth).fill(undefined);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Put one behind the others. There must be room. */
  add(completion: Completion<T>): void {
    const at = this.#at + this.#count++;
    const depth = this.#ring.length;
    this.#ring[at < depth ? at : at - depth] = completion;
  }

  /** Take the first one out. There must be one. */
  take(): Completion<T> {
    const completion = this.#ring[this.#at]!;
    this.#ring[this.#at] = undefined;
    this.#at = this.#at + 1 === this.#ring.length ? 0 : this.#at + 1;
    this.#count--;
    return completion;
  }

  /** One of them, counted from the first. */
  peek(index: number): Completion<T> {
    return this.#ring[(this.#at + index) % this.#ring.length]!;
  }
}
