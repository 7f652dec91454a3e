// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that the next turn has no room for: they wait here, in order, until a batch
 * takes them. As many as the queue has slots may, so it is never full.
 *
 * @module
 */

import type { CoreRequest } from "../operations/request.ts";

/** A request that waits. */
export interface BackloggedRequest {
  readonly slot: number;
  readonly request: CoreRequest;
  /** The core's number of the memory that it transfers to or from, if it is the core's. */
  readonly region: number | undefined;
  /** When it is of no more interest, as `performance.now()` has it. */
  readonly until: number | undefined;
}

/** In the states by slot: it does not wait here. */
const ELSEWHERE = 0;
const WAITING = 1;
const CANCELLED = 2;
/** It is never cancelled. */
const CLOSE = 3;

/** Requests that wait for room in the next turn, in order. */
export class Backlog {
  /** Those that wait: from `#at` on. */
  #waiting: BackloggedRequest[] = [];
  #at = 0;
  /** By slot: whether it waits here, and whether it was cancelled. */
  #states = new Uint8Array(0);

  /** How many there are. */
  get size(): number {
    return this.#waiting.length - this.#at;
  }

  /** Put one behind the others. */
  add(
    slot: number,
    request: CoreRequest,
    region: number | undefined,
    timeoutMs: number | undefined,
  ): void {
    if (slot >= this.#states.length) {
      const states = new Uint8Array(2 * slot + 1);
      states.set(this.#states);
      this.#states = states;
    }
    this.#states[slot] = request.isClose ? CLOSE : WAITING;
    const until = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    this.#waiting.push({ slot, request, region, until });
  }

  /**
   * Take from the first on, while there is room.
   *
   * @param take Takes one, if it has room.
   */
  drain(
    take: (
      request: BackloggedRequest,
      timeoutMs: number | undefined,
      cancelled: boolean,
    ) => boolean,
  ): void {
    const waiting = this.#waiting;
    while (this.#at < waiting.length) {
      const first = waiting[this.#at]!;
      const { slot, until } = first;
      const timeoutMs = until === undefined ? undefined : Math.max(0, until - performance.now());
      if (!take(first, timeoutMs, this.#states[slot] === CANCELLED)) {
        break;
      }
      this.#states[slot] = ELSEWHERE;
      this.#at++;
    }
    if (2 * this.#at >= waiting.length) {
      // Moves each of them a bounded number of times
      this.#waiting = waiting.slice(this.#at);
      this.#at = 0;
    }
  }

  /** Cancel one. Whether there was anything to cancel; `undefined` if it is not here. */
  cancel(slot: number): boolean | undefined {
    const state = this.#states[slot] ?? ELSEWHERE;
    if (state === ELSEWHERE) {
      return undefined;
    }
    if (state !== WAITING) {
      return false;
    }
    this.#states[slot] = CANCELLED;
    return true;
  }
}
