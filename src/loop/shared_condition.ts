// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting for something to become true that a shared mutex protects.
 *
 * @module
 */

import { type Io, taskOf } from "./io.ts";
import { RELOCK } from "./mutex.ts";
import { checkShared } from "./shared_memory.ts";
import type { SharedMutex } from "./shared_mutex.ts";
import { Turnstile, TURNSTILE_BYTES } from "./shared_turnstile.ts";

/**
 * A {@linkcode Condition} in shared memory, used with a {@linkcode SharedMutex}: tasks
 * of any threads wait and are told.
 *
 * @example
 * ```ts
 * import { EventLoop, SharedCondition, SharedMutex } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const mutex = new SharedMutex();
 * const condition = new SharedCondition();
 * const ready = new Int32Array(new SharedArrayBuffer(4));
 * const waiting = loop.async(async (io) => {
 *   using _guard = await mutex.acquire(io);
 *   while (ready[0] === 0) await condition.wait(io, mutex);
 * });
 * await loop.async(async (io) => {
 *   using _guard = await mutex.acquire(io);
 *   ready[0] = 1;
 *   condition.signal();
 * });
 * await waiting;
 * ```
 */
export class SharedCondition {
  /** The memory, to be passed to Workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #turnstile: Turnstile;

  /**
   * Make a new one, or another view of one.
   *
   * @param buffer The `buffer` of that one.
   */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = checkShared(buffer, TURNSTILE_BYTES);
    this.#turnstile = new Turnstile(this.buffer, 0);
  }

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
  async wait(io: Io, mutex: SharedMutex): Promise<void> {
    const task = taskOf(io);
    task.check();
    // Before the mutex is released, so that no signal comes in between
    const ticket = this.#turnstile.take() ?? await this.#turnstile.queue(task);
    try {
      mutex.unlock(io);
    } catch (error) {
      this.#turnstile.leave(ticket);
      throw error;
    }
    try {
      await this.#turnstile.pass(ticket, task);
    } finally {
      await mutex[RELOCK](io);
    }
  }

  /** Tell whoever waits longest. */
  signal(): void {
    this.#turnstile.grant(true);
  }

  /** Tell all who wait now. */
  broadcast(): void {
    for (let count = this.#turnstile.size; count > 0; count--) {
      this.#turnstile.grant(true);
    }
  }
}
