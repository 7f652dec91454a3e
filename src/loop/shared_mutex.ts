// Copyright 2026 the ioq authors. MIT license.

/**
 * Mutual exclusion between the tasks of any threads.
 *
 * @module
 */

import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard, RELOCK } from "./mutex.ts";
import { checkShared } from "./shared_memory.ts";
import { Turnstile, TURNSTILE_BYTES } from "./shared_turnstile.ts";
import type { Task } from "./task.ts";

/**
 * A {@linkcode Mutex} in shared memory: pass its `buffer` to a Worker, which makes one
 * of its own on it. First in, first out among up to 1024 that wait.
 *
 * A Worker that dies while it holds the lock never releases it.
 *
 * @example
 * ```ts
 * import { EventLoop, SharedMutex } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const here = new SharedMutex();
 * const there = new SharedMutex(here.buffer); // in a Worker, in general
 * await loop.async(async (io) => {
 *   using _guard = await here.acquire(io);
 *   console.log(there.tryLock(io)); // false
 * });
 * ```
 */
export class SharedMutex {
  /** The memory, to be passed to Workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #turnstile: Turnstile;
  /** Who holds it by this very object. */
  #holder: Task | undefined;

  /**
   * Make a new one, or another view of one.
   *
   * @param buffer The `buffer` of that one.
   */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = checkShared(buffer, TURNSTILE_BYTES);
    this.#turnstile = new Turnstile(this.buffer, 0);
    if (buffer === undefined) {
      this.#turnstile.grant(false);
    }
  }

  /**
   * Wait until the lock is this task's.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task is cancelled while it waits; it does not hold the
   *         lock then.
   */
  lock(io: Io): Promise<void> {
    const task = taskOf(io);
    return this.#lock(task, task);
  }

  /** Take the lock if nobody holds it; tells whether it did. */
  tryLock(io: Io): boolean {
    const task = taskOf(io);
    if (!this.#turnstile.tryPass()) {
      return false;
    }
    this.#holder = task;
    return true;
  }

  /**
   * Release the lock: whoever waits longest, in whichever thread, holds it.
   *
   * @param io The handle of the task that holds it.
   * @throws {Deno.errors.PermissionDenied} If that task does not hold it, or took it
   *         by another object.
   */
  unlock(io: Io): void {
    if (this.#holder !== taskOf(io)) {
      throw new Deno.errors.PermissionDenied("Cannot unlock a mutex that this task does not hold");
    }
    this.#holder = undefined;
    this.#turnstile.grant(false);
  }

  /** {@linkcode SharedMutex.lock}, with what releases it. */
  async acquire(io: Io): Promise<Guard> {
    await this.lock(io);
    return makeGuard(() => this.unlock(io));
  }

  /** For conditions. */
  [RELOCK](io: Io): Promise<void> {
    return this.#lock(taskOf(io), undefined);
  }

  async #lock(task: Task, canceler: Task | undefined): Promise<void> {
    if (!this.#turnstile.tryPass()) {
      const ticket = this.#turnstile.take() ?? await this.#turnstile.queue(canceler);
      await this.#turnstile.pass(ticket, canceler);
    }
    this.#holder = task;
  }
}
