// Copyright 2026 the ioq authors. MIT license.

/**
 * A lock that many readers or one writer hold, for the tasks of one thread.
 *
 * Readers and writers take turns, so that neither can be kept out: while a writer waits,
 * new readers wait as well; when a writer is through, all readers that wait by then go
 * first, and after them the next writer.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard } from "./mutex.ts";
import type { Task } from "./task.ts";
import { WaitQueue } from "./wait_queue.ts";

/**
 * Lets any number of readers in at a time, or one writer. A writer waits for the readers that are
 * in, and not for those that come after it.
 *
 * @category Taking turns
 *
 * @example
 * ```ts
 * import { EventLoop, RwLock } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const lock = new RwLock();
 * const sizes = new Map<string, number>();
 * const look = (path: string) =>
 *   loop.async(async (io) => {
 *     using _guard = await lock.acquireShared(io);
 *     return sizes.get(path);
 *   });
 * const update = (path: string) =>
 *   loop.async(async (io) => {
 *     using _guard = await lock.acquire(io);
 *     sizes.set(path, (await io.stat(path)).size);
 *   });
 * await update("/etc/hosts");
 * console.log(await look("/etc/hosts") !== undefined); // true
 * ```
 */
export class RwLock {
  readonly #readersInLine = new WaitQueue();
  readonly #writersInLine = new WaitQueue();
  /** How often each task that is in holds it for reading. */
  readonly #readers = new Map<Task, number>();
  #writer: Task | undefined;

  /** Whether a writer holds it. */
  get locked(): boolean {
    return this.#writer !== undefined;
  }

  /** How many readers hold it. */
  get readers(): number {
    let count = 0;
    for (const holds of this.#readers.values()) {
      count += holds;
    }
    return count;
  }

  /**
   * Acquires the lock for writing, waiting until nobody holds it. A task that holds it already, in
   * either way, waits for itself.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task was cancelled, or is while it waits; it does not hold
   *         the lock then.
   */
  async lock(io: Io): Promise<void> {
    const task = taskOf(io);
    task.check();
    if (this.#writer === undefined && this.#readers.size === 0) {
      this.#writer = task;
      return;
    }
    try {
      await this.#writersInLine.wait(task, () => this.#writer = task);
    } catch (error) {
      // Readers may have waited for this writer alone
      this.#passOn();
      throw error;
    }
  }

  /** Acquires the lock for writing if nobody holds it. Returns whether it did. */
  tryLock(io: Io): boolean {
    const task = taskOf(io);
    if (this.#writer !== undefined || this.#readers.size > 0) {
      return false;
    }
    this.#writer = task;
    return true;
  }

  /**
   * Releases the lock after writing. All readers that wait come next, or else the next writer.
   *
   * @param io The handle of the task that holds it.
   * @throws {Deno.errors.PermissionDenied} If that task does not hold it for writing.
   */
  unlock(io: Io): void {
    if (this.#writer !== taskOf(io)) {
      throw notHeld("writing");
    }
    this.#writer = undefined;
    if (this.#readersInLine.size > 0) {
      this.#letReadersIn();
    } else {
      this.#writersInLine.grant();
    }
  }

  /**
   * Acquires the lock for reading, waiting while a writer holds it or waits for it. A task may hold
   * it several times, but must not ask again while a writer may wait.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task was cancelled, or is while it waits; it does not hold
   *         the lock then.
   */
  async lockShared(io: Io): Promise<void> {
    const task = taskOf(io);
    task.check();
    if (this.#isOpenToReaders) {
      this.#enter(task);
    } else {
      await this.#readersInLine.wait(task, () => this.#enter(task));
    }
  }

  /** Acquires the lock for reading if no writer holds it or waits for it. Returns whether it did. */
  tryLockShared(io: Io): boolean {
    const task = taskOf(io);
    if (!this.#isOpenToReaders) {
      return false;
    }
    this.#enter(task);
    return true;
  }

  /**
   * Releases the lock after reading.
   *
   * @param io The handle of the task that holds it.
   * @throws {Deno.errors.PermissionDenied} If that task does not hold it for reading.
   */
  unlockShared(io: Io): void {
    const task = taskOf(io);
    const holds = this.#readers.get(task);
    if (holds === undefined) {
      throw notHeld("reading");
    }
    if (holds > 1) {
      this.#readers.set(task, holds - 1);
      return;
    }
    this.#readers.delete(task);
    this.#passOn();
  }

  /** Acquires the lock for writing and resolves to a guard: `using guard = await lock.acquire(io)`. */
  async acquire(io: Io): Promise<Guard> {
    await this.lock(io);
    return makeGuard(() => this.unlock(io));
  }

  /** Acquires the lock for reading and resolves to a guard, as {@linkcode RwLock.acquire}. */
  async acquireShared(io: Io): Promise<Guard> {
    await this.lockShared(io);
    return makeGuard(() => this.unlockShared(io));
  }

  get #isOpenToReaders(): boolean {
    return this.#writer === undefined && this.#writersInLine.size === 0;
  }

  #enter(task: Task): void {
    this.#readers.set(task, (this.#readers.get(task) ?? 0) + 1);
  }

  /** Whoever may go on now does. */
  #passOn(): void {
    if (this.#isOpenToReaders) {
      this.#letReadersIn();
    } else if (this.#writer === undefined && this.#readers.size === 0) {
      this.#writersInLine.grant();
    }
  }

  #letReadersIn(): void {
    for (let count = this.#readersInLine.size; count > 0; count--) {
      this.#readersInLine.grant();
    }
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("RwLock", { locked: this.locked, readers: this.readers }, inspect, options);
  }
}

function notHeld(what: "reading" | "writing"): Error {
  return new Deno.errors.PermissionDenied(
    `Cannot unlock a lock that this task does not hold for ${what}`,
  );
}
