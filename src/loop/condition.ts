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
 * Lets tasks that hold a {@linkcode Mutex} wait until another task signals a change. No
 * signal is lost: a task that is signalled and cancelled at the same time was signalled.
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
   * Releases the mutex and waits for a signal, in one step; then locks the mutex again. Check
   * in a loop what the task waits for.
   *
   * @param io The handle of the task, which holds the mutex.
   * @param mutex The mutex.
   * @throws {Canceled} If the task is cancelled while it waits. It holds the mutex then, too.
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

  /** Wakes the task that has waited longest. */
  signal(): void {
    this.#line.grant();
  }

  /** Wakes all tasks that wait now. */
  broadcast(): void {
    for (let count = this.#line.size; count > 0; count--) {
      this.#line.grant();
    }
  }
}
