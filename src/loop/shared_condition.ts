// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting for something to become true that a shared mutex protects.
 *
 * @module
 */

import { type Io, taskOf } from "./io.ts";
import { SharedLine, sharedWords, STATE, type Words } from "./shared_line.ts";
import { relockShared, type SharedMutex } from "./shared_mutex.ts";

const KIND = 3;

/**
 * A {@linkcode Condition} in shared memory, for a {@linkcode SharedMutex}: tasks of any threads
 * wait for its signals.
 *
 * @category Taking turns across Workers
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
  /** The state: how many signals are given that nobody has taken. */
  readonly #words: Words;
  readonly #line: SharedLine;

  /**
   * Makes a new one, or another view of an existing one.
   *
   * @param buffer The `buffer` of the existing one.
   */
  constructor(buffer?: SharedArrayBuffer) {
    this.#words = sharedWords(buffer, KIND);
    this.buffer = this.#words.buffer;
    this.#line = new SharedLine(this.#words, {
      isOpen: () => Atomics.load(this.#words, STATE) > 0,
      take: () => this.#take(),
      inOrder: true,
    });
  }

  /**
   * Releases the mutex and waits for a signal, in one step; then locks the mutex again. Check
   * in a loop what the task waits for.
   *
   * @param io The handle of the task, which holds the mutex.
   * @param mutex The mutex.
   * @throws {Canceled} If the task is cancelled while it waits. It holds the mutex then, too.
   * @throws {MutexAbandoned} If a Worker ended while it held the mutex; the task holds it
   *         then.
   * @throws {Deno.errors.PermissionDenied} If the task does not hold the mutex.
   */
  async wait(io: Io, mutex: SharedMutex): Promise<void> {
    const task = taskOf(io);
    task.check();
    // Before the mutex is released, so that no signal comes in between
    const place = this.#line.join(task);
    try {
      mutex.unlock(io);
    } catch (error) {
      place.leave();
      throw error;
    }
    try {
      await place.promise;
    } finally {
      await relockShared(mutex, io);
    }
  }

  /** Wakes the task that has waited longest. */
  signal(): void {
    for (;;) {
      const given = Atomics.load(this.#words, STATE);
      // Not more than there are to take them: a task that comes later must not take it
      if (given >= this.#line.size) {
        break;
      }
      if (Atomics.compareExchange(this.#words, STATE, given, given + 1) === given) {
        break;
      }
    }
    this.#line.look();
  }

  /** Wakes all tasks that wait now. */
  broadcast(): void {
    Atomics.store(this.#words, STATE, 0);
    this.#line.letAll();
  }

  #take(): boolean {
    for (;;) {
      const given = Atomics.load(this.#words, STATE);
      if (given === 0) {
        return false;
      }
      if (Atomics.compareExchange(this.#words, STATE, given, given - 1) === given) {
        return true;
      }
    }
  }
}
