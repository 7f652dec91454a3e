// Copyright 2026 the ioq authors. MIT license.

/**
 * Deadlines of requests: a heap of them, and one timer of the event loop's for the
 * earliest, so that thousands cost little more than one.
 *
 * @module
 */

import { inSteps } from "./steps.ts";

/** The longest delay that timers of the event loop take, in milliseconds. */
const DELAY_MAX = 2 ** 31 - 1;

/** When a request is over, at the latest. */
export class Deadline {
  /** What was allowed, in milliseconds. */
  readonly timeoutMs: number;
  /** When that is, as `performance.now()` has it. */
  readonly at: number;
  /** Called when it has come. */
  readonly expire: () => void;
  /** Its place in the heap, -1 if it is in none. */
  index = -1;

  /**
   * @param timeoutMs What is allowed, in milliseconds.
   * @param expire Called when that has passed.
   * @param start Since when, as `performance.now()` has it.
   */
  constructor(timeoutMs: number, expire: () => void, start: number = performance.now()) {
    this.timeoutMs = timeoutMs;
    this.at = start + timeoutMs;
    this.expire = expire;
  }

  /** How much is left, in milliseconds. */
  get leftMs(): number {
    return Math.max(0, this.at - performance.now());
  }
}

/** The deadlines of a queue. */
export class Deadlines {
  readonly #heap: Deadline[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the timer is set for. */
  #timerAt = Infinity;
  readonly #fire = () => this.#expire();

  /** Have a deadline expire. */
  add(deadline: Deadline): void {
    this.#rise(deadline, this.#heap.length);
    this.#schedule();
  }

  /** Forget a deadline; one that is in no heap is fine. */
  remove(deadline: Deadline): void {
    const at = deadline.index;
    if (at < 0) {
      return;
    }
    deadline.index = -1;
    const last = this.#heap.pop()!;
    if (last !== deadline) {
      this.#sink(last, at);
      this.#rise(last, last.index);
    }
    if (this.#heap.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#timerAt = Infinity;
    }
  }

  /** Put a deadline in its place, from one that may be too late. */
  #rise(deadline: Deadline, at: number): void {
    const heap = this.#heap;
    while (at > 0) {
      const parent = heap[(at - 1) >> 1]!;
      if (parent.at <= deadline.at) {
        break;
      }
      heap[at] = parent;
      parent.index = at;
      at = (at - 1) >> 1;
    }
    heap[at] = deadline;
    deadline.index = at;
  }

  /** The same, from one that may be too early. */
  #sink(deadline: Deadline, at: number): void {
    const heap = this.#heap;
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) {
        child++;
      }
      if (deadline.at <= heap[child]!.at) {
        break;
      }
      heap[at] = heap[child]!;
      heap[at]!.index = at;
      at = child;
    }
    heap[at] = deadline;
    deadline.index = at;
  }

  /** Take those out whose time has come. */
  *#due(now: number): Generator<Deadline> {
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.remove(first);
      yield first;
    }
  }

  /** Set the timer, unless it comes early enough already. */
  #schedule(): void {
    const first = this.#heap[0];
    if (first !== undefined && first.at < this.#timerAt) {
      clearTimeout(this.#timer);
      this.#timerAt = first.at;
      this.#timer = setTimeout(this.#fire, Math.min(Math.ceil(first.leftMs), DELAY_MAX));
    }
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    inSteps(this.#due(performance.now()), (deadline) => deadline.expire(), () => this.#schedule());
  }
}
