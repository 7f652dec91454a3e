// Copyright 2026 the ioq authors. MIT license.

/**
 * Something that happens once, for the tasks of any threads.
 *
 * @module
 */

import { type Io, taskOf } from "./io.ts";
import { SharedLine, sharedWords, STATE, type Words } from "./shared_line.ts";

const KIND = 4;

/**
 * A {@linkcode ResetEvent} in shared memory. Pass its `buffer` to a Worker, which makes its own
 * object from it.
 *
 * @category Taking turns across Workers
 *
 * @example
 * ```ts
 * import { EventLoop, SharedResetEvent } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const here = new SharedResetEvent();
 * const there = new SharedResetEvent(here.buffer); // in a Worker, in general
 * const waiting = loop.async((io) => here.wait(io));
 * there.set();
 * await waiting;
 * ```
 */
export class SharedResetEvent {
  /** The memory, to be passed to Workers. */
  readonly buffer: SharedArrayBuffer;
  /** The state: 1 if it is set. */
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
      isOpen: () => this.isSet,
      take: () => this.isSet,
      inOrder: false,
    });
  }

  /** Whether it is set. */
  get isSet(): boolean {
    return Atomics.load(this.#words, STATE) === 1;
  }

  /**
   * Waits until it is set. Resolves at once if it is.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task is cancelled while it waits.
   */
  async wait(io: Io): Promise<void> {
    const task = taskOf(io);
    task.check();
    if (!this.isSet) {
      await this.#line.join(task).promise;
    }
  }

  /** Sets it. All tasks that wait go on. */
  set(): void {
    Atomics.store(this.#words, STATE, 1);
    this.#line.letAll();
  }

  /** Clears it. */
  reset(): void {
    Atomics.store(this.#words, STATE, 0);
  }
}
