// Copyright 2026 the ioq authors. MIT license.

/**
 * Mutual exclusion between the tasks of any threads.
 *
 * @module
 */

import { ownOption } from "../own_option.ts";
import { MutexAbandoned } from "./canceled.ts";
import { type Io, taskOf } from "./io.ts";
import { type Guard, makeGuard } from "./mutex.ts";
import { SharedLine, sharedWords, STATE, type Words } from "./shared_line.ts";
import type { Task } from "./task.ts";
import { hasEnded, thisThread, THREAD_BITS } from "./threads.ts";

const KIND = 1;

/**
 * In the state, beside the thread that holds it: the one that held it last has ended
 * without releasing it.
 */
const ABANDONED = 1 << THREAD_BITS;
const HOLDER = ABANDONED - 1;

/**
 * Options of acquiring a shared lock.
 *
 * @category Taking turns across Workers
 */
export interface SharedLockOptions {
  /**
   * Repairs what the lock protects after a Worker ended while it held the lock. It is called
   * with the lock held. If it fails, the lock stays abandoned.
   *
   * @default {undefined} Acquiring an abandoned lock throws `MutexAbandoned`.
   */
  recover?: (() => void | PromiseLike<void>) | undefined;
}

/** Lock for a condition: no cancellation point, and held even if it throws. */
export let relockShared: (mutex: SharedMutex, io: Io) => Promise<void>;

/**
 * A {@linkcode Mutex} in shared memory. Pass its `buffer` to a Worker, which makes its own object
 * from it. Tasks of all threads acquire the lock in the order in which they asked.
 *
 * If a Worker of an event loop ends while one of its tasks holds the lock, what the lock protects
 * may be half done. The lock is then abandoned: acquiring it throws {@linkcode MutexAbandoned},
 * until a task acquires it with the option `recover`.
 *
 * @category Taking turns across Workers
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
  readonly #words: Words;
  readonly #line: SharedLine;
  /** Who holds it by this very object. */
  #holder: Task | undefined;

  static {
    relockShared = async (mutex, io) => {
      const task = taskOf(io);
      if (mutex.#someoneWaits() || !mutex.#take()) {
        await mutex.#line.join(undefined).promise;
      }
      mutex.#holder = task;
      if (mutex.#isMarked) {
        throw new MutexAbandoned();
      }
    };
  }

  /**
   * Makes a new one, or another view of an existing one.
   *
   * @param buffer The `buffer` of the existing one.
   */
  constructor(buffer?: SharedArrayBuffer) {
    this.#words = sharedWords(buffer, KIND);
    this.buffer = this.#words.buffer;
    this.#line = new SharedLine(this.#words, {
      isOpen: () => this.#isFree(Atomics.load(this.#words, STATE)),
      take: () => this.#take(),
      inOrder: true,
    });
  }

  /** Whether a Worker ended while it held the lock, and no task has recovered it yet. */
  get abandoned(): boolean {
    const state = Atomics.load(this.#words, STATE);
    return (state & ABANDONED) !== 0 || hasEnded(state & HOLDER);
  }

  /**
   * Acquires the lock, waiting until it is free.
   *
   * @param io The task's handle.
   * @param options What to do if the lock is abandoned.
   * @throws {Canceled} If the task is cancelled while it waits; it does not hold the
   *         lock then.
   * @throws {MutexAbandoned} If a Worker ended while it held the lock, and `recover` is
   *         not given; the task does not hold the lock then.
   */
  async lock(io: Io, options: SharedLockOptions = {}): Promise<void> {
    const task = taskOf(io);
    task.check();
    if (this.#someoneWaits() || !this.#take()) {
      await this.#line.join(task).promise;
    }
    this.#holder = task;
    if (this.#isMarked) {
      try {
        const recover = ownOption(options, "recover");
        if (recover === undefined) {
          throw new MutexAbandoned();
        }
        await recover();
        Atomics.and(this.#words, STATE, HOLDER);
      } catch (error) {
        this.unlock(io);
        throw error;
      }
    }
  }

  /**
   * Acquires the lock if no task holds it or waits for it. Returns whether it did.
   *
   * @param io The task's handle.
   * @throws {MutexAbandoned} If a Worker ended while it held the lock.
   */
  tryLock(io: Io): boolean {
    const task = taskOf(io);
    if (this.#someoneWaits() || !this.#take()) {
      return false;
    }
    this.#holder = task;
    if (this.#isMarked) {
      this.unlock(io);
      throw new MutexAbandoned();
    }
    return true;
  }

  /**
   * Releases the lock. The task that has waited longest, in any thread, acquires it next.
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
    const state = Atomics.load(this.#words, STATE);
    // Not this thread's any more, if it was given up
    if ((state & HOLDER) === thisThread()) {
      Atomics.compareExchange(this.#words, STATE, state, state & ABANDONED);
      this.#line.look();
    }
  }

  /** Acquires the lock, as {@linkcode SharedMutex.lock}, and resolves to a guard that releases it. */
  async acquire(io: Io, options?: SharedLockOptions): Promise<Guard> {
    await this.lock(io, options);
    return makeGuard(() => this.unlock(io));
  }

  /** Whether it is abandoned; asked by the task that holds it. */
  get #isMarked(): boolean {
    return (Atomics.load(this.#words, STATE) & ABANDONED) !== 0;
  }

  #someoneWaits(): boolean {
    return this.#line.size > 0;
  }

  #isFree(state: number): boolean {
    return (state & HOLDER) === 0 || hasEnded(state & HOLDER);
  }

  /** Take it for this thread, if it is free. */
  #take(): boolean {
    for (;;) {
      const state = Atomics.load(this.#words, STATE);
      if (!this.#isFree(state)) {
        return false;
      }
      const taken = thisThread() | ((state & HOLDER) === 0 ? state : ABANDONED);
      if (Atomics.compareExchange(this.#words, STATE, state, taken) === state) {
        return true;
      }
    }
  }
}
