// Copyright 2026 the ioq authors. MIT license.

/**
 * A number of permits, for the tasks of one thread.
 *
 * @module
 */

import { checkInteger } from "../integer.ts";
import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard } from "./mutex.ts";
import { WaitQueue } from "./wait_queue.ts";

/**
 * Lets so many tasks at a time go on, in the order of their coming.
 *
 * @category Taking turns
 *
 * @example At most four at a time
 * ```ts
 * import { EventLoop, Semaphore } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const semaphore = new Semaphore(4);
 * const names = ["hostname", "hosts", "passwd"];
 * const sizes = await Promise.all(names.map((name) =>
 *   loop.async(async (io) => {
 *     using _permit = await semaphore.acquire(io);
 *     return (await io.stat(`/etc/${name}`)).size;
 *   })
 * ));
 * console.log(sizes.length);
 * ```
 */
export class Semaphore {
  readonly #line = new WaitQueue();
  #available: number;

  /**
   * Make one.
   *
   * @param permits How many there are to begin with: 0 to 2^53 - 1.
   */
  constructor(permits: number) {
    this.#available = checkInteger(permits, "permits", 0, Number.MAX_SAFE_INTEGER);
  }

  /** How many permits nobody has. */
  get available(): number {
    return this.#available;
  }

  /**
   * Wait for a permit.
   *
   * @param io The task's handle.
   * @returns What gives it back, once: `using permit = await semaphore.acquire(io)`. It
   *          may be ignored by those who call {@linkcode Semaphore.release}.
   * @throws {Canceled} If the task was cancelled, or is while it waits; it has no permit
   *         then.
   */
  async acquire(io: Io): Promise<Guard> {
    const task = taskOf(io);
    task.check();
    if (this.#available > 0) {
      this.#available--;
    } else {
      await this.#line.wait(task);
    }
    return makeGuard(() => this.release());
  }

  /** Take a permit if there is one; tells whether it did. */
  tryAcquire(): boolean {
    if (this.#available > 0) {
      this.#available--;
      return true;
    }
    return false;
  }

  /** Give a permit back, or one more. */
  release(): void {
    if (!this.#line.grant()) {
      this.#available++;
    }
  }
}
