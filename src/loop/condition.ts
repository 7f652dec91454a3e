// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting for something to become true that a mutex protects.
 *
 * @module
 */

import { type Io, taskOf } from "./io.ts";
import { type Mutex, relock } from "./mutex.ts";
import { WaitQueue } from "./wait_queue.ts";

/**
 * Lets tasks that hold a {@linkcode Mutex} wait until another task tells them to
 * look again. A task that was told and is cancelled at the same time was told: no
 * signal is lost.
 *
 * @category Taking turns
 *
 * @example
 * ```ts
 * import { Condition, EventLoop, Mutex } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const mutex = new Mutex();
 * const condition = new Condition();
 * let ready = false;
 * const waiting = loop.async(async (io) => {
 *   using _guard = await mutex.acquire(io);
 *   while (!ready) await condition.wait(io, mutex);
 *   return "ready";
 * });
 * await loop.async(async (io) => {
 *   using _guard = await mutex.acquire(io);
 *   ready = true;
 *   condition.broadcast();
 * });
 * console.log(await waiting);
 * ```
 */
export class Condition {
  readonly #line = new WaitQueue();

  /**
   * Release the mutex and wait to be told, in one; then lock it again. Check what
   * was waited for in a loop.
   *
   * @param io The handle of the task, which holds the mutex.
   * @param mutex The mutex.
   * @throws {Canceled} If the task is cancelled while it waits to be told; it holds
   *         the mutex then, too.
   * @throws {Deno.errors.PermissionDenied} If the task does not hold the mutex.
   */
  async wait(io: Io, mutex: Mutex): Promise<void> {
    const task = taskOf(io);
    task.check();
    mutex.unlock(io);
    try {
      await this.#line.wait(task);
    } finally {
      await relock(mutex, io);
    }
  }

  /** Tell whoever waits longest. */
  signal(): void {
    this.#line.grant();
  }

  /** Tell all who wait now. */
  broadcast(): void {
    for (let count = this.#line.size; count > 0; count--) {
      this.#line.grant();
    }
  }
}
