// Copyright 2026 the ioq authors. MIT license.

/**
 * The turnstile: lets waiters of any threads through, first in, first out
 * =======================================================================
 *
 * Who comes takes a ticket; who grants lets the next ticket through.
 *
 *                granted          next
 *                   │               │
 *        … through  │ 17   18   19  │ 20 …          granted < next: some wait
 *        ───────────┴───────────────┴──────
 *
 *                next          granted
 *                   │               │
 *        … through  │ 17   18   19  │ 20 …          next < granted: as many may
 *        ───────────┴───────────────┴──────         go through without waiting
 *
 * Ticket `t` has the slot `t % SLOTS`, a word that counts the times around (the lap)
 * and says what became of it:
 *
 *     open(lap - 1) ──who comes──▶ waiting(lap) ──grant──▶ open(lap)
 *           │                           │
 *           │ grant: was here first     │ cancelled
 *           ▼                           ▼
 *        open(lap)                  given up(lap) ──grant──▶ open(lap), and the
 *                                                            grant goes to the next
 *
 * All steps are single compare-and-exchanges, and each thread can finish what another
 * one began: a thread that is terminated half-way stops nobody. A ticket is either
 * granted or given up, so no grant is lost to a waiter that was cancelled.
 *
 * More than `SLOTS` waiters at a time have to try again until there is a slot, and
 * the order among those is not kept.
 *
 * @module
 */

import type { Task } from "./task.ts";
import { waitWhile } from "./shared_wait.ts";

/** Waiters whose order is kept, and free passes at the most. A power of two. */
export const SLOTS = 1024;

const NEXT = 0;
const GRANTED = 1;
const HEADER_WORDS = 2;
/** Bytes that a turnstile takes. */
export const TURNSTILE_BYTES: number = (HEADER_WORDS + SLOTS) * 4;

/** In the low bits of a slot's word; the rest is the lap. */
const OPEN = 0;
const WAITING = 1;
const GIVEN_UP = 2;
const LAP_ONE = 4;
/** Times around until tickets begin anew. */
const LAPS = 2 ** 32 / SLOTS;

/** How long who found no slot waits before it tries again. */
const CROWDED_MS = 5;

/** The lap of a ticket. */
function lap(ticket: number): number {
  return Math.floor((ticket >>> 0) / SLOTS);
}

/** What a ticket's slot says in a state; laps wrap around as tickets do. */
function word(ticket: number, state: number): number {
  return ((lap(ticket) + 1) % LAPS) * LAP_ONE + state;
}

/** What it says as long as nothing has become of the ticket. */
function wordBefore(ticket: number): number {
  return lap(ticket) * LAP_ONE + OPEN;
}

/** See the module. Threads that share the memory make one each. */
export class Turnstile {
  readonly #words: Int32Array<SharedArrayBuffer>;

  /**
   * A turnstile in shared memory that is zero at first.
   *
   * @param buffer The memory.
   * @param at Where in it, in bytes: a multiple of 4.
   */
  constructor(buffer: SharedArrayBuffer, at: number) {
    this.#words = new Int32Array(buffer, at, HEADER_WORDS + SLOTS);
  }

  /** How many wait; if negative, how many may go through. */
  get size(): number {
    return (Atomics.load(this.#words, NEXT) - Atomics.load(this.#words, GRANTED)) | 0;
  }

  /** Go through if nobody has to wait; tells whether it did. */
  tryPass(): boolean {
    for (;;) {
      const next = Atomics.load(this.#words, NEXT);
      if (((Atomics.load(this.#words, GRANTED) - next) | 0) <= 0) {
        return false;
      }
      if (Atomics.compareExchange(this.#words, NEXT, next, (next + 1) | 0) === next) {
        return true;
      }
    }
  }

  /** Take a ticket: the number, or `undefined` if there is no slot. */
  take(): number | undefined {
    const words = this.#words;
    for (;;) {
      const next = Atomics.load(words, NEXT);
      if (((next - Atomics.load(words, GRANTED)) | 0) >= SLOTS) {
        return undefined;
      }
      if (Atomics.compareExchange(words, NEXT, next, (next + 1) | 0) === next) {
        Atomics.compareExchange(words, slot(next), wordBefore(next), word(next, WAITING));
        return next;
      }
    }
  }

  /** Take a ticket, trying again while there is no slot. */
  async queue(task: Task | undefined): Promise<number> {
    for (;;) {
      task?.check();
      const ticket = this.take();
      if (ticket !== undefined) {
        return ticket;
      }
      await new Promise((resolve) => setTimeout(resolve, CROWDED_MS));
    }
  }

  /**
   * Wait until a ticket is let through.
   *
   * @param ticket What {@linkcode Turnstile.take} gave.
   * @param task Who waits. Nobody can cancel it if not given.
   * @throws {Canceled} If it was cancelled; it was not let through then.
   */
  async pass(ticket: number, task: Task | undefined): Promise<void> {
    const at = slot(ticket);
    const waiting = word(ticket, WAITING);
    const withdraw = () =>
      Atomics.compareExchange(this.#words, at, waiting, word(ticket, GIVEN_UP)) === waiting;
    await waitWhile(this.#words, at, waiting, task, withdraw);
  }

  /** Give up a ticket that nobody waits for. What it was granted goes to the next one. */
  leave(ticket: number): void {
    const waiting = word(ticket, WAITING);
    const at = slot(ticket);
    if (
      Atomics.compareExchange(this.#words, at, waiting, word(ticket, GIVEN_UP)) !== waiting
    ) {
      this.grant(true);
    }
  }

  /**
   * Let the next one through.
   *
   * @param onlyWaiting Whether to do nothing if nobody waits, instead of letting
   *        through who comes next.
   * @returns Whether it was of use to anyone, or kept.
   * @throws {RangeError} If too many are kept.
   */
  grant(onlyWaiting: boolean): boolean {
    const words = this.#words;
    // Ends: each time around, some thread has brought `granted` on by one
    for (;;) {
      const ticket = Atomics.load(words, GRANTED);
      const ahead = (ticket - Atomics.load(words, NEXT)) | 0;
      if (ahead >= 0 && onlyWaiting) {
        return false;
      }
      if (ahead >= SLOTS) {
        throw new RangeError(`Cannot keep more than ${SLOTS} permits that nobody takes`);
      }
      const at = slot(ticket);
      const was = Atomics.load(words, at);
      const open = word(ticket, OPEN);
      let granted = false;
      if (was === wordBefore(ticket) || was === word(ticket, WAITING)) {
        granted = Atomics.compareExchange(words, at, was, open) === was;
      } else if (was === word(ticket, GIVEN_UP)) {
        Atomics.compareExchange(words, at, was, open);
      }
      if (Atomics.load(words, at) === open || granted) {
        Atomics.compareExchange(words, GRANTED, ticket, (ticket + 1) | 0);
      }
      if (granted) {
        Atomics.notify(words, at);
        return true;
      }
    }
  }
}

/** The index of a ticket's slot. */
function slot(ticket: number): number {
  return HEADER_WORDS + (ticket & (SLOTS - 1));
}
