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
  cancelled: boolean;
}

/** See the module. */
export class Backlog {
  /** By slot, the first one first. */
  readonly #waiting = new Map<number, BackloggedRequest>();

  /** How many there are. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Put one behind the others. */
  add(
    slot: number,
    request: CoreRequest,
    region: number | undefined,
    timeoutMs: number | undefined,
  ): void {
    const until = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    this.#waiting.set(slot, { slot, request, region, until, cancelled: false });
  }

  /**
   * Take from the first on, while there is room.
   *
   * @param take Takes one, if it has room.
   */
  drain(
    take: (request: BackloggedRequest, timeoutMs: number | undefined) => boolean,
  ): void {
    const now = performance.now();
    for (const [slot, waiting] of this.#waiting) {
      const { until } = waiting;
      if (!take(waiting, until === undefined ? undefined : Math.max(0, until - now))) {
        return;
      }
      this.#waiting.delete(slot);
    }
  }

  /** Cancel one. Whether there was anything to cancel; `undefined` if it is not here. */
  cancel(slot: number): boolean | undefined {
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined) {
      return undefined;
    }
    if (waiting.cancelled || waiting.request.isClose) {
      return false;
    }
    waiting.cancelled = true;
    return true;
  }
}
