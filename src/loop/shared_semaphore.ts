// Copyright 2026 the ioq authors. MIT license.

/**
 * A number of permits, for the tasks of any threads.
 *
 * @module
 */

import { checkInteger } from "../integer.ts";
import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard } from "./mutex.ts";
import { SharedLine, sharedWords, STATE, type Words } from "./shared_line.ts";

const KIND = 2;
const PERMITS_MAX = 2 ** 31 - 1;

/**
 * A {@linkcode Semaphore} in shared memory: pass its `buffer` to a Worker, which makes
 * one of its own on it. First in, first out, whatever threads they are in.
 *
 * Whoever takes a permit need not be who gives it back: so permits that the tasks of a
 * Worker have when it ends are not given back, unless they do so themselves.
 *
 * @category Taking turns across Workers
 *
 * @example
 * ```ts
 * import { EventLoop, SharedSemaphore } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const here = new SharedSemaphore(1);
 * const there = new SharedSemaphore(here.buffer); // in a Worker, in general
 * await loop.async(async (io) => {
 *   using _permit = await here.acquire(io);
 *   console.log(there.available); // 0
 * });
 * ```
 */
export class SharedSemaphore {
  /** The memory, to be passed to Workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Words;
  readonly #line: SharedLine;

  /**
   * Make one.
   *
   * @param permits How many there are to begin with, 0 to 2^31 - 1; or the `buffer` of
   *        the other.
   * @throws {TypeError} If it is neither.
   */
  constructor(permits: number | SharedArrayBuffer) {
    if (permits instanceof SharedArrayBuffer) {
      this.#words = sharedWords(permits, KIND);
    } else {
      checkInteger(permits, "permits", 0, PERMITS_MAX);
      this.#words = sharedWords(undefined, KIND);
      this.#words[STATE] = permits;
    }
    this.buffer = this.#words.buffer;
    this.#line = new SharedLine(this.#words, {
      isOpen: () => this.available > 0,
      take: () => this.#take(),
      inOrder: true,
    });
  }

  /** How many permits nobody has. */
  get available(): number {
    return Atomics.load(this.#words, STATE);
  }

  /**
   * Wait for a permit.
   *
   * @param io The task's handle.
   * @returns What gives it back, once: `using permit = await semaphore.acquire(io)`. It
   *          may be ignored by those who call {@linkcode SharedSemaphore.release}.
   * @throws {Canceled} If the task is cancelled while it waits; it has no permit then.
   */
  async acquire(io: Io): Promise<Guard> {
    const task = taskOf(io);
    task.check();
    if (this.#line.size > 0 || !this.#take()) {
      await this.#line.join(task).promise;
    }
    return makeGuard(() => this.release());
  }

  /** Take a permit if there is one that nobody waits for; tells whether it did. */
  tryAcquire(): boolean {
    return this.#line.size === 0 && this.#take();
  }

  /**
   * Give a permit back, or one more.
   *
   * @throws {RangeError} If there would be more than 2^31 - 1.
   */
  release(): void {
    for (;;) {
      const available = this.available;
      if (available === PERMITS_MAX) {
        throw new RangeError(`Cannot have more than ${PERMITS_MAX} permits`);
      }
      if (
        Atomics.compareExchange(this.#words, STATE, available, available + 1) === available
      ) {
        break;
      }
    }
    this.#line.look();
  }

  #take(): boolean {
    for (;;) {
      const available = this.available;
      if (available === 0) {
        return false;
      }
      if (
        Atomics.compareExchange(this.#words, STATE, available, available - 1) === available
      ) {
        return true;
      }
    }
  }
}
