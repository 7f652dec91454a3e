// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that the next turn has no room for: they wait here, in order, until a batch
 * takes them. As many as the queue has slots may, so it is never full.
 *
 * @module
 */

import type { CoreRequest } from "../operations/request.ts";

/** What of a request few have. */
export interface BackloggedExtras {
  /** The core's number of the memory that it transfers to or from, if it is the core's. */
  readonly region: number | undefined;
  /** When it is of no more interest, as `performance.now()` has it. */
  readonly until: number | undefined;
}

/** Takes a request out of the backlog, if it has room. */
export type TakeBacklogged = (
  slot: number,
  request: CoreRequest,
  region: number | undefined,
  timeoutMs: number | undefined,
  cancelled: boolean,
) => boolean;

/** In the states by slot: it does not wait here. */
const ELSEWHERE = 0;
const WAITING = 1;
const CANCELLED = 2;
/** It is never cancelled. */
const CLOSE = 3;

/** How many it has room for at first. */
const ROOM = 1024;

/** Requests that wait for room in the next turn, in order. */
export class Backlog {
  /** Those that wait, in a ring: from `#head` to `#tail`, which only ever grow. */
  #requests: (CoreRequest | undefined)[] = [];
  #slots = new Int32Array(0);
  #head = 0;
  #tail = 0;
  /** By slot: whether it waits here, and whether it was cancelled. */
  #states = new Uint8Array(0);
  /** By slot: what few have. */
  readonly #extras = new Map<number, BackloggedExtras>();

  /** How many there are. */
  get size(): number {
    return this.#tail - this.#head;
  }

  /** Put one behind the others. */
  add(
    slot: number,
    request: CoreRequest,
    region: number | undefined,
    timeoutMs: number | undefined,
  ): void {
    if (slot >= this.#states.length) {
      const states = new Uint8Array(2 * slot + ROOM);
      states.set(this.#states);
      this.#states = states;
    }
    if (this.size === this.#slots.length) {
      this.#grow();
    }
    this.#states[slot] = request.isClose ? CLOSE : WAITING;
    if (region !== undefined || timeoutMs !== undefined) {
      const until = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
      this.#extras.set(slot, { region, until });
    }
    const at = this.#tail++ & this.#slots.length - 1;
    this.#requests[at] = request;
    this.#slots[at] = slot;
  }

  /** Make room for twice as many. */
  #grow(): void {
    const count = this.size;
    const length = this.#slots.length;
    const requests: (CoreRequest | undefined)[] = [];
    const slots = new Int32Array(Math.max(ROOM, 2 * length));
    for (let i = 0; i < slots.length; i++) {
      const at = this.#head + i & length - 1;
      requests.push(i < count ? this.#requests[at] : undefined);
      slots[i] = i < count ? this.#slots[at]! : 0;
    }
    this.#requests = requests;
    this.#slots = slots;
    this.#head = 0;
    this.#tail = count;
  }

  /** Take from the first on, while there is room. */
  drain(take: TakeBacklogged): void {
    const mask = this.#slots.length - 1;
    while (this.#head < this.#tail) {
      const at = this.#head & mask;
      const slot = this.#slots[at]!;
      const extras = this.#extras.size === 0 ? undefined : this.#extras.get(slot);
      const until = extras?.until;
      const timeoutMs = until === undefined ? undefined : Math.max(0, until - performance.now());
      const cancelled = this.#states[slot] === CANCELLED;
      if (!take(slot, this.#requests[at]!, extras?.region, timeoutMs, cancelled)) {
        break;
      }
      this.#states[slot] = ELSEWHERE;
      this.#requests[at] = undefined;
      if (extras !== undefined) {
        this.#extras.delete(slot);
      }
      this.#head++;
    }
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
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
