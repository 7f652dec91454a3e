// Copyright 2026 the ioq authors. MIT license.

/**
 * The pump: turns the backend over while anything is in flight, and only then.
 *
 *     kick() ──▶ turn ──▶ nothing in flight: rest
 *                 ▲ │
 *                 │ ├──▶ something completed: another turn after the event loop's
 *                 │ │    other work (setImmediate, 1 to 2 µs)
 *                 │ ├──▶ nothing completed: the same, a bounded number of times
 *                 │ └──▶ still nothing: park on a thread of the runtime's
 *                 └───── woken (20 to 30 µs)
 *
 * Spinning costs processor time and saves latency, parking the other way round.
 * How often to spin is learnt: a wait that ends while spinning allows more of it,
 * one that has to park less, down to none for operations that take long anyway.
 * A wait that was parked but short brings the spinning back.
 *
 * Nothing in flight means neither timer nor parked call, so that an idle queue
 * keeps no process alive.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Fruitless turns before parking, at the most: about 100 µs. */
const SPINS_MAX = 64;
/** A parked wait shorter than this, in milliseconds, was not worth parking for. */
const SHORT_WAIT_MS = 0.2;

/** What the pump turns over. */
export interface PumpSource {
  /** Accepted requests whose completion has yet to come. */
  readonly inFlight: number;
  /**
   * Submit and hand out completions.
   *
   * @returns A positive number if any completed, 0 if none did, a negative one if
   *          none did and {@linkcode PumpSource.park} may be called.
   */
  turn(arm: boolean): number;
  /** Wait for something to happen. */
  park(): Promise<void>;
  /** Make {@linkcode PumpSource.park} return. */
  wake(): void;
  /** Called when nothing is in flight any more. */
  rest(): void;
}

/** See the module. */
export class Pump {
  readonly #source: PumpSource;
  /** Whether a turn is scheduled. */
  #scheduled = false;
  /** Whether a call is parked. */
  #parked = false;
  /** Whether the parked call was told to return. */
  #woken = false;
  /** Fruitless turns in a row. */
  #spins = 0;
  /** How many to allow. */
  #spinsAllowed = SPINS_MAX;
  readonly #run = () => {
    this.#scheduled = false;
    this.#turn();
  };

  constructor(source: PumpSource) {
    this.#source = source;
  }

  /** Whether a call is parked. */
  get parked(): boolean {
    return this.#parked;
  }

  /** Have a turn soon, because something was added to the batch. */
  kick(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      // After the code that is running, so that all it adds goes in one batch
      queueMicrotask(this.#run);
    }
  }

  #schedule(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#run);
    }
  }

  #turn(): void {
    const source = this.#source;
    const arm = this.#spins >= this.#spinsAllowed;
    const completed = source.turn(arm);
    if (source.inFlight === 0) {
      this.#spins = 0;
      this.#unpark();
      source.rest();
    } else if (completed > 0) {
      if (this.#spins > 0) {
        this.#spinsAllowed = Math.min(SPINS_MAX, this.#spinsAllowed * 2);
      }
      this.#spins = 0;
      this.#schedule();
    } else if (completed < 0) {
      this.#park();
    } else {
      this.#spins++;
      this.#schedule();
    }
  }

  async #park(): Promise<void> {
    if (this.#parked) {
      return;
    }
    this.#parked = true;
    this.#spinsAllowed >>= 1;
    const start = performance.now();
    await this.#source.park();
    this.#parked = false;
    this.#woken = false;
    this.#spins = 0;
    if (performance.now() - start < SHORT_WAIT_MS) {
      this.#spinsAllowed = SPINS_MAX;
    }
    if (!this.#scheduled) {
      this.#turn();
    }
  }

  /** Have a parked call return. */
  #unpark(): void {
    if (this.#parked && !this.#woken) {
      this.#woken = true;
      this.#source.wake();
    }
  }
}
