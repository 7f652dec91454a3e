// Copyright 2026 the ioq authors. MIT license.

/**
 * A number of permits, for the tasks of any threads.
 *
 * @module
 */

import { checkInteger } from "../integer.ts";
import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard } from "./mutex.ts";
import { checkShared } from "./shared_memory.ts";
import { SLOTS, Turnstile, TURNSTILE_BYTES } from "./shared_turnstile.ts";

/**
 * A {@linkcode Semaphore} in shared memory: pass its `buffer` to a Worker, which makes
 * one of its own on it. First in, first out among up to 1024 that wait.
 *
 * @example
 * ```ts
 * import { EventLoop, SharedSemaphore } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const here = new SharedSemaphore(1);
 * const there = new SharedSemaphore(here.buffer); // in a Worker, in general
 * await loop.async(async (io) => {
 *   await here.acquire(io);
 *   there.release();
 * });
 * ```
 */
export class SharedSemaphore {
  /** The memory, to be passed to Workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #turnstile: Turnstile;

  /**
   * Make a new one, or another view of one.
   *
   * @param permits How many there are to begin with, 0 to 1024; or the `buffer` of
   *        the other.
   */
  constructor(permits: number | SharedArrayBuffer) {
    const shared = typeof permits === "number" ? undefined : permits;
    this.buffer = checkShared(shared, TURNSTILE_BYTES);
    this.#turnstile = new Turnstile(this.buffer, 0);
    if (typeof permits === "number") {
      checkInteger(permits, "permits", 0, SLOTS);
      for (let i = 0; i < permits; i++) {
        this.#turnstile.grant(false);
      }
    }
  }

  /** How many permits nobody has. */
  get available(): number {
    return Math.max(0, -this.#turnstile.size);
  }

  /**
   * Wait for a permit.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task is cancelled while it waits; it has no permit then.
   */
  async acquire(io: Io): Promise<void> {
    const task = taskOf(io);
    if (!this.#turnstile.tryPass()) {
      const ticket = this.#turnstile.take() ?? await this.#turnstile.queue(task);
      await this.#turnstile.pass(ticket, task);
    }
  }

  /** Take a permit if there is one; tells whether it did. */
  tryAcquire(): boolean {
    return this.#turnstile.tryPass();
  }

  /**
   * Give a permit back, or one more.
   *
   * @throws {RangeError} If there would be more than 1024 that nobody has.
   */
  release(): void {
    this.#turnstile.grant(false);
  }

  /** {@linkcode SharedSemaphore.acquire}, with what gives it back. */
  async permit(io: Io): Promise<Guard> {
    await this.acquire(io);
    return makeGuard(() => this.release());
  }
}
