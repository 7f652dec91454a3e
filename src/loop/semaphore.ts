// Copyright 2026 the ioq authors. MIT license.

/**
 * A number of permits, for the tasks of one thread.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { checkInteger } from "../integer.ts";
import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard } from "./mutex.ts";
import { WaitQueue } from "./wait_queue.ts";

/**
 * Lets a limited number of tasks go on at a time, in the order in which they asked.
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
   * Makes a semaphore.
   *
   * @param permits The number of permits at the beginning: 0 to 2^53 - 1.
   */
  constructor(permits: number) {
    this.#available = checkInteger(permits, "permits", 0, Number.MAX_SAFE_INTEGER);
  }

  /** How many permits are free. */
  get available(): number {
    return this.#available;
  }

  /**
   * Acquires a permit, waiting if none is free.
   *
   * @param io The task's handle.
   * @returns A guard that releases the permit: `using permit = await semaphore.acquire(io)`.
   *          Ignore it if you call {@linkcode Semaphore.release}.
   * @throws {Canceled} If the task was cancelled, or is while it waits. It has no permit then.
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

  /** Acquires a permit if one is free. Returns whether it did. */
  tryAcquire(): boolean {
    if (this.#available > 0) {
      this.#available--;
      return true;
    }
    return false;
  }

  /** Releases a permit, or adds one. */
  release(): void {
    if (!this.#line.grant()) {
      this.#available++;
    }
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("Semaphore", { available: this.available }, inspect, options);
  }
}
