// Copyright 2026 the ioq authors. MIT license.

/**
 * The line of those who wait for slots: promise forms, which want one each, and those
 * who asked by `ready()` for so many at once. All are served in the order in which they
 * came, and nobody who comes later goes first.
 *
 *     │ stat() │ ready(8) │ stat() │ …        8 slots are free, and reserved:
 *       served   waits      waits             ready() resolves, submit() takes them
 *
 * What is granted to `ready()` is reserved until it is submitted, or until the event
 * loop has gone on to something else: who asked and does not submit holds up nobody.
 *
 * @module
 */

import { Ticket } from "./ticket.ts";

/** Someone who asked for so many slots at once. */
export class Producer {
  readonly slots: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;

  constructor(slots: number, resolve: () => void, reject: (reason: unknown) => void) {
    this.slots = slots;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** The line of promise forms and producers that wait for slots, first come, first served. */
export class Line {
  #waiting = new Set<Ticket | Producer>();
  /** Slots that were granted to producers and not taken yet. */
  #reserved = 0;
  /** Whether a reservation is going to end. */
  #ending = false;
  readonly #onExpire: () => void;

  /** @param onExpire Called when slots are reserved no more. */
  constructor(onExpire: () => void) {
    this.#onExpire = onExpire;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Slots that are promised to somebody. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Have somebody wait behind the others. */
  add(waiter: Ticket | Producer): void {
    this.#waiting.add(waiter);
  }

  /** Somebody waits no more. */
  delete(waiter: Ticket | Producer): void {
    this.#waiting.delete(waiter);
  }

  /** Grant a producer its slots, which must be free. */
  grant(producer: Producer): void {
    this.#reserved += producer.slots;
    if (!this.#ending) {
      this.#ending = true;
      setImmediate(() => this.#expire());
    }
    producer.resolve();
  }

  /** A slot was taken by a submission. */
  takeReserved(): void {
    if (this.#reserved > 0) {
      this.#reserved--;
    }
  }

  #expire(): void {
    this.#ending = false;
    if (this.#reserved > 0) {
      this.#reserved = 0;
      this.#onExpire();
    }
  }

  /** There will be no room for producers any more. */
  refuseProducers(reason: unknown): void {
    this.#reserved = 0;
    for (const waiter of this.#waiting) {
      if (waiter instanceof Producer) {
        this.#waiting.delete(waiter);
        waiter.reject(reason);
      }
    }
  }

  /** Take all promise forms out but those that close something. */
  takeTickets(): Ticket[] {
    const taken: Ticket[] = [];
    const kept: (Ticket | Producer)[] = [];
    for (const waiter of this.#waiting) {
      if (waiter instanceof Ticket && !waiter.request.isClose) {
        taken.push(waiter);
      } else {
        kept.push(waiter);
      }
    }
    // Tens of thousands are not deleted one by one
    this.#waiting = new Set(kept);
    return taken;
  }

  /** The promise forms that wait. */
  *tickets(): Generator<Ticket> {
    for (const waiter of this.#waiting) {
      if (waiter instanceof Ticket) {
        yield waiter;
      }
    }
  }

  /** All, the first one first. */
  [Symbol.iterator](): Iterator<Ticket | Producer> {
    return this.#waiting.values();
  }
}
