// Copyright 2026 the ioq authors. MIT license.

/**
 * How many requests of a walk are in flight.
 *
 * Where directories are cached, a few requests of many directories each are best. Where
 * each listing waits for a device or a server, the time is inversely proportional to how
 * many wait side by side. A lane tells which it is: it reads as many directories as there
 * is time for, and says so if that was one, and took longer still.
 *
 * @module
 */

/** Requests of a walk, unless the caller says how many. */
const LEAST = 32;
/** The same while directories are slow: as many as there are lanes. */
const MOST = 128;
/** By how much it narrows with each request that was not slow. */
const STEP = 4;

/** The number of requests that a walk may have in flight now. */
export class Width {
  readonly #least: number;
  readonly #most: number;
  #now: number;

  /** @param given What the caller asks for, if anything: that stays. */
  constructor(given: number | undefined) {
    this.#least = given ?? LEAST;
    this.#most = given ?? MOST;
    this.#now = this.#least;
  }

  /** How many. */
  get now(): number {
    return this.#now;
  }

  /** A request came back. */
  learn(isSlow: boolean): void {
    this.#now = isSlow ? this.#most : Math.max(this.#least, this.#now - STEP);
  }
}
