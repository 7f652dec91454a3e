// Copyright 2026 the ioq authors. MIT license.

/**
 * The slots of a queue: one for each request that was accepted, until its promise is
 * settled or its completion consumed.
 *
 *     FREE ──▶ IN_FLIGHT ──▶ COMPLETED (the stream's, until consumed) ──▶ FREE
 *                  │   └──────────────────────▶ FREE (a promise form's)
 *                  └──▶ late: completed for the caller, with the backend still at it
 *
 * @module
 */

import type { CoreRequest } from "../operations/request.ts";
import type { Deadline } from "./deadlines.ts";
import type { Ticket } from "./ticket.ts";

/** Request ids are unique among this many. */
const SEQUENCE_MAX = 2 ** 36;
/** The id of a free slot. */
const FREE = -1;

/** In {@linkcode Slot.late}: the backend is done with it as soon as it completes. */
export const NOT_LATE = 0;
/** In {@linkcode Slot.late}: it completed early, and that was not consumed. */
export const LATE = 1;
/** In {@linkcode Slot.late}: it completed early, and that was consumed. */
export const LATE_CONSUMED = 2;

/** What is known of a request that was accepted. */
export class Slot {
  /** Its number, by which the backend knows it. */
  readonly index: number;
  /** The request's id. */
  id: number = FREE;
  /** The request, while the backend is at it. */
  request: CoreRequest | undefined = undefined;
  /** The promise form that it belongs to, if it is not the stream's. */
  ticket: Ticket | undefined = undefined;
  /** What the caller passed beside it. */
  data: unknown = undefined;
  /** Until when a request of the stream must have completed. */
  deadline: Deadline | undefined = undefined;
  /** What aborts a request of the stream. */
  signal: AbortSignal | undefined = undefined;
  /** Whether somebody has asked for it to be cancelled. */
  isCancelled = false;
  /** Whether it completed before the backend was done with it. */
  late: typeof NOT_LATE | typeof LATE | typeof LATE_CONSUMED = NOT_LATE;

  constructor(index: number) {
    this.index = index;
  }
}

/**
 * The slots of a queue, one for each accepted request. They are made when so many are first in use:
 * making all of them takes longer than opening the rest of a queue.
 */
export class Slots {
  /** How many there may be. */
  readonly depth: number;
  /** Those that were made. */
  readonly #all: Slot[] = [];
  /** Free ones of those: the first `#freeMade` of a stack. */
  readonly #free: Slot[] = [];
  #freeMade = 0;
  #freeCount: number;
  #sequence = 0;

  /** @param depth How many there may be. */
  constructor(depth: number) {
    this.depth = depth;
    this.#freeCount = depth;
  }

  /** How many are free. */
  get freeCount(): number {
    return this.#freeCount;
  }

  /** A slot that was taken before, by its number. */
  at(index: number): Slot {
    return this.#all[index]!;
  }

  /** The slot of an accepted request; `undefined` if the id is not of one. */
  find(id: number): Slot | undefined {
    const slot = this.#all[id % this.depth];
    return slot !== undefined && slot.id === id && id !== FREE ? slot : undefined;
  }

  /** Which slot is taken next. There must be one. */
  get next(): Slot {
    return this.#freeMade > 0 ? this.#free[this.#freeMade - 1]! : this.#make();
  }

  #make(): Slot {
    const slot = new Slot(this.#all.length);
    this.#all.push(slot);
    this.#free[this.#freeMade++] = slot;
    return slot;
  }

  /** Take {@linkcode Slots.next} for a request. */
  take(request: CoreRequest): void {
    const slot = this.next;
    this.#freeMade--;
    this.#freeCount--;
    slot.request = request;
    slot.isCancelled = false;
    slot.id = this.#sequence * this.depth + slot.index;
    this.#sequence = this.#sequence + 1 === SEQUENCE_MAX ? 0 : this.#sequence + 1;
  }

  /** Give a slot back. */
  release(slot: Slot): void {
    slot.id = FREE;
    this.#free[this.#freeMade++] = slot;
    this.#freeCount++;
  }

  /** The requests that the backend is at. */
  *requests(): Generator<CoreRequest> {
    for (const { request } of this.#all) {
      if (request !== undefined) {
        yield request;
      }
    }
  }

  [Symbol.iterator](): Iterator<Slot> {
    return this.#all.values();
  }
}
