// Copyright 2026 the ioq authors. MIT license.

/**
 * Where random reads and writes begin.
 *
 * @module
 */

/** The length of a block, in bytes. */
export const PAGE = 4096;

/** Multiples of a block, the same for all runners: a linear congruential generator. */
export class Offsets {
  #seed = 1;
  readonly #blocks: number;

  /** Blocks of a file of so many bytes. */
  constructor(length: number) {
    this.#blocks = Math.floor(length / PAGE);
  }

  /** The next one. */
  next(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return ((this.#seed >>> 8) % this.#blocks) * PAGE;
  }
}
