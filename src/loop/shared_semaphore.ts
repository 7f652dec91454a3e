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
 * A {@linkcode Semaphore} in shared memory. Pass its `buffer` to a Worker, which makes its own
 * object from it. Tasks of all threads acquire permits in the order in which they asked.
 *
 * One task may acquire a permit and another release it. Permits that the tasks of a Worker hold
 * when it ends are therefore not released, unless the tasks do so.
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
   * Makes a new one, or another view of an existing one.
   *
   * @param permits The number of permits at the beginning, 0 to 2^31 - 1; or the `buffer` of
   *        the existing one.
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

  /** How many permits are free. */
  get available(): number {
    return Atomics.load(this.#words, STATE);
  }

  /**
   * Acquires a permit, waiting if none is free.
   *
   * @param io The task's handle.
   * @returns A guard that releases the permit: `using permit = await semaphore.acquire(io)`.
   *          Ignore it if you call {@linkcode SharedSemaphore.release}.
   * @throws {Canceled} If the task is cancelled while it waits. It has no permit then.
   */
  async acquire(io: Io): Promise<Guard> {
    const task = taskOf(io);
    task.check();
    if (this.#line.size > 0 || !this.#take()) {
      await this.#line.join(task).promise;
    }
    return makeGuard(() => this.release());
  }

  /** Acquires a permit if one is free that no task waits for. Returns whether it did. */
  tryAcquire(): boolean {
    return this.#line.size === 0 && this.#take();
  }

  /**
   * Releases a permit, or adds one.
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
