// Copyright 2026 the ioq authors. MIT license.

/**
 * Mutual exclusion between the tasks of one thread.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { type Io, taskOf } from "./io.ts";
import type { Task } from "./task.ts";
import { WaitQueue } from "./wait_queue.ts";

/**
 * A lock or a permit that is held until this is disposed of. Disposing of it again does nothing.
 *
 * @category Taking turns
 */
export interface Guard extends Disposable {
  /** Releases it. */
  [Symbol.dispose](): void;
}

/** A guard that releases once. */
export function makeGuard(release: () => void): Guard {
  let held = true;
  return {
    [Symbol.dispose]() {
      if (held) {
        held = false;
        release();
      }
    },
  };
}

/** Lock for a condition, without being a cancellation point. */
export let relock: (mutex: Mutex, io: Io) => Promise<void>;

/**
 * A lock that one task at a time holds. Tasks acquire it in the order in which they asked. For
 * several threads, see {@linkcode SharedMutex}.
 *
 * @category Taking turns
 *
 * @example
 * ```ts
 * import { EventLoop, Mutex } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const mutex = new Mutex();
 * let balance = 0;
 * const deposit = () =>
 *   loop.async(async (io) => {
 *     using _guard = await mutex.acquire(io);
 *     const before = balance;
 *     await io.sleep(1);
 *     balance = before + 1;
 *   });
 * await Promise.all([deposit(), deposit()]);
 * console.log(balance); // 2
 * ```
 */
export class Mutex {
  readonly #line = new WaitQueue();
  /** Whose it is: the next one's from the moment that it is released. */
  #holder: Task | undefined;

  static {
    relock = (mutex, io) => mutex.#lock(taskOf(io), false);
  }

  /** Whether someone holds it. */
  get locked(): boolean {
    return this.#holder !== undefined;
  }

  /**
   * Acquires the lock, waiting until it is free. A task that holds it already waits for itself.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task was cancelled, or is while it waits; it does not hold
   *         the lock then.
   */
  lock(io: Io): Promise<void> {
    const task = taskOf(io);
    return task.refuse() ?? this.#lock(task, true);
  }

  /** Acquires the lock if it is free. Returns whether it did. */
  tryLock(io: Io): boolean {
    const task = taskOf(io);
    if (this.#holder !== undefined) {
      return false;
    }
    this.#holder = task;
    return true;
  }

  /**
   * Releases the lock. The task that has waited longest holds it from then on.
   *
   * @param io The handle of the task that holds it.
   * @throws {Deno.errors.PermissionDenied} If that task does not hold it.
   */
  unlock(io: Io): void {
    if (this.#holder !== taskOf(io)) {
      throw new Deno.errors.PermissionDenied("Cannot unlock a mutex that this task does not hold");
    }
    this.#holder = undefined;
    this.#line.grant();
  }

  /** Acquires the lock, as {@linkcode Mutex.lock}, and resolves to a guard: `using guard = await mutex.acquire(io)`. */
  async acquire(io: Io): Promise<Guard> {
    await this.lock(io);
    return makeGuard(() => this.unlock(io));
  }

  #lock(task: Task, cancelable: boolean): Promise<void> {
    if (this.#holder === undefined) {
      this.#holder = task;
      return Promise.resolve();
    }
    return this.#line.wait(cancelable ? task : undefined, () => this.#holder = task);
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("Mutex", { locked: this.locked }, inspect, options);
  }
}
