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
 * The first use of `setImmediate` has Deno load Node's timers, which takes 5 ms: many times
 * what a short program's requests take. So at first there is another turn right after the
 * microtasks that are due, as long as the budget lasts, and then the event loop gets its
 * turn by parking and being woken at once (20 to 30 µs). When as much has been spent on that
 * as `setImmediate` costs to load, it is loaded.
 *
 * @module
 */

/** Fruitless turns before parking, at the most: about 100 µs. */
const SPINS_MAX = 64;
/** Fruitless turns before others may have the processor: what an idle one needs. */
const SPINS_BEFORE_YIELD = 4;
/** Requests in flight up to which that pays. */
const IN_FLIGHT_TO_YIELD = 8;
/** A parked wait shorter than this, in milliseconds, was not worth parking for. */
const SHORT_WAIT_MS = 0.2;

/**
 * Turns and completions of one iteration of the event loop, at the most: beyond,
 * the next turn waits for the event loop's other work, so that completions that
 * come at once do not keep timers and sockets waiting.
 */
const BUDGET = 1024;
/** What a turn costs of it, beside one for each completion. */
const TURN_COST = 16;
/** Bytes whose copying costs as much as a completion. */
const COPY_PER_UNIT = 2048;

/** How often a thread parks for the event loop's sake before it loads `setImmediate`. */
const HOPS_MAX = 200;

/** How often this thread has. */
let hops = 0;

/** What the pump turns over. */
export interface PumpSource {
  /** Accepted requests whose completion has yet to come. */
  readonly inFlight: number;
  /** Whether the event loop goes round while a call is parked that was told to return. */
  readonly parksOnThread: boolean;
  /**
   * Submit and hand out completions.
   *
   * @param arm Whether to prepare for {@linkcode PumpSource.park} if none completed.
   *        A {@linkcode PumpSource.wake} before it may be lost to the parked call.
   * @param yields Whether to let other threads run if none completed.
   * @returns A positive number if any completed, 0 if none did, a negative one if
   *          none did and {@linkcode PumpSource.park} may be called, now or still.
   */
  turn(arm: boolean, yields: boolean): number;
  /** Wait for something to happen. */
  park(): Promise<void>;
  /** Make {@linkcode PumpSource.park} return. */
  wake(): void;
  /** Called when nothing is in flight any more. */
  rest(): void;
}

/** Turns a backend over while anything is in flight: spins, parks, or rests. */
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
  /** What is left of {@linkcode BUDGET}. */
  #budget = BUDGET;
  readonly #run = () => {
    this.#scheduled = false;
    this.#turn();
  };
  readonly #runLater = () => {
    this.#scheduled = false;
    this.#budget = BUDGET;
    this.#turn();
  };

  /** As long as `setImmediate` is not loaded: let the event loop go round by parking. */
  readonly #hop = () => {
    if (this.#parked) {
      // It goes round anyway, and there is a turn when the parked call returns
      this.#scheduled = false;
      this.#unpark();
      return;
    }
    // No call is parked for which the source is not prepared: it may go away before
    let result = this.#source.turn(true, false);
    if (result > 0) {
      result = this.#source.turn(true, false);
    }
    if (result < 0) {
      hops++;
      this.#scheduled = false;
      this.#park();
      this.#unpark();
    } else {
      hops = HOPS_MAX;
      setImmediate(this.#runLater);
    }
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
      if (this.#budget > 0) {
        // After the code that is running, so that all it adds goes in one batch
        queueMicrotask(this.#run);
      } else {
        this.#scheduleLater();
      }
    }
  }

  /** Have a turn after the event loop's other work, if none comes before. */
  kickLater(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#scheduleLater();
    }
  }

  /** Whether `setImmediate` is to be done without. */
  get #isCold(): boolean {
    return hops < HOPS_MAX && this.#source.parksOnThread;
  }

  /** Have the scheduled turn after the event loop's other work. */
  #scheduleLater(): void {
    if (!this.#isCold) {
      setImmediate(this.#runLater);
    } else if (this.#budget > 0) {
      queueMicrotask(this.#run);
    } else {
      queueMicrotask(this.#hop);
    }
  }

  /** Take a turn's cost from the budget. */
  spend(completed: number): void {
    this.#budget -= TURN_COST + completed;
  }

  /** Take the copying of bytes from the budget: a unit for what takes a microsecond. */
  spendCopy(bytes: number): void {
    this.#budget -= bytes / COPY_PER_UNIT;
  }

  /** Take an operation that needed no turn from the budget, with the bytes it copied. */
  spendOne(bytes: number): void {
    this.#budget -= 1 + bytes / COPY_PER_UNIT;
  }

  /** Whether the event loop can wait for another turn. */
  get hasBudget(): boolean {
    return this.#budget > 0;
  }

  #turn(): void {
    const source = this.#source;
    // Arming takes back what was written to wake a parked call: let it return first
    const rests = this.#spins >= this.#spinsAllowed ||
      (this.#spins > 0 && this.#isCold && this.#budget <= TURN_COST);
    const arm = rests && !this.#woken;
    // Alone with a request, we may be spinning on the very processor that its
    // lane needs; with many, there is enough to do for everybody
    const yields = this.#spins > SPINS_BEFORE_YIELD && source.inFlight <= IN_FLIGHT_TO_YIELD;
    const completed = source.turn(arm, yields);
    if (source.inFlight === 0) {
      this.#spins = 0;
      this.#unpark();
      source.rest();
    } else if (completed > 0) {
      if (this.#spins > 0) {
        this.#spinsAllowed = Math.min(SPINS_MAX, this.#spinsAllowed * 2);
      }
      this.#spins = 0;
      this.kickLater();
    } else if (completed < 0) {
      this.#park();
    } else {
      this.#spins++;
      this.kickLater();
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
    this.#budget = BUDGET;
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
