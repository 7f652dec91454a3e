// Copyright 2026 the ioq authors. MIT license.

/**
 * Something that happens once, for the tasks of any threads.
 *
 * @module
 */

import { type Io, taskOf } from "./io.ts";
import { checkShared } from "./shared_memory.ts";
import { waitWhile } from "./shared_wait.ts";

/** Whether it is set. */
const IS_SET = 0;
/** How often it was: what those wait for that wait. */
const TIMES = 1;
const EVENT_BYTES = 8;

/**
 * An {@linkcode Event} in shared memory: pass its `buffer` to a Worker, which makes one
 * of its own on it.
 *
 * @example
 * ```ts
 * import { EventLoop, SharedEvent } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const here = new SharedEvent();
 * const there = new SharedEvent(here.buffer); // in a Worker, in general
 * const waiting = loop.async((io) => here.wait(io));
 * there.set();
 * await waiting;
 * ```
 */
export class SharedEvent {
  /** The memory, to be passed to Workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /**
   * Make a new one, or another view of one.
   *
   * @param buffer The `buffer` of that one.
   */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = checkShared(buffer, EVENT_BYTES);
    this.#words = new Int32Array(this.buffer);
  }

  /** Whether it has happened. */
  get isSet(): boolean {
    return Atomics.load(this.#words, IS_SET) === 1;
  }

  /**
   * Wait until it is set; not at all if it is.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task is cancelled while it waits.
   */
  async wait(io: Io): Promise<void> {
    const task = taskOf(io);
    // In this order: whoever sets it after the first line is not missed
    const times = Atomics.load(this.#words, TIMES);
    if (!this.isSet) {
      await waitWhile(this.#words, TIMES, times, task, () => true);
    }
  }

  /** It has happened: all who wait go on. */
  set(): void {
    Atomics.store(this.#words, IS_SET, 1);
    Atomics.add(this.#words, TIMES, 1);
    Atomics.notify(this.#words, TIMES);
  }

  /** It has not happened. */
  reset(): void {
    Atomics.store(this.#words, IS_SET, 0);
  }
}
