// Copyright 2026 the ioq authors. MIT license.

/**
 * A bounded queue between the tasks of one thread.
 *
 * @module
 */

import { checkInteger } from "../integer.ts";
import { type Io, taskOf } from "./io.ts";
import { WaitQueue } from "./wait_queue.ts";

function closedQueueError(): Error {
  return new Deno.errors.BadResource("Cannot use a queue that was closed");
}

/**
 * Hands values from tasks to tasks, first in, first out, and has those wait that
 * are ahead of the others.
 *
 * @typeParam T What it hands on.
 *
 * @category Taking turns
 *
 * @example
 * ```ts
 * import { EventLoop, Queue } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const queue = new Queue<number>(4);
 * const producer = loop.async(async (io) => {
 *   for (let i = 0; i < 100; i++) await queue.put(io, i);
 *   queue.close();
 * });
 * let sum = 0;
 * await loop.async(async (io) => {
 *   for await (const value of queue.values(io)) sum += value;
 * });
 * await producer;
 * console.log(sum); // 4950
 * ```
 */
export class Queue<T> {
  readonly #capacity: number;
  /** A ring of `capacity`. */
  readonly #values: (T | undefined)[] = [];
  #at = 0;
  #size = 0;
  /** Those who wait for a value: there are none in the ring then. */
  readonly #takers = new WaitQueue<T>();
  /** Those who wait for room, with what they bring. */
  readonly #putters = new WaitQueue();
  #closed = false;

  /**
   * Make one.
   *
   * @param capacity How many values it keeps, 0 to 2^32 - 1; with 0, each is handed
   *        from one task to the other.
   */
  constructor(capacity: number) {
    this.#capacity = checkInteger(capacity, "capacity", 0, 0xffffffff);
  }

  /** How many values are in it. */
  get size(): number {
    return this.#size;
  }

  /** How many values it keeps. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Put a value in, waiting for room.
   *
   * @param io The task's handle.
   * @param value What to hand on.
   * @throws {Canceled} If the task was cancelled, or is while it waits; the value is not
   *         in the queue then.
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  put(io: Io, value: T): Promise<void> {
    const task = taskOf(io);
    const refused = task.refuse();
    if (refused !== undefined) {
      return refused;
    }
    if (this.#closed) {
      return Promise.reject(closedQueueError());
    }
    // Those who wait for room go first
    return this.tryPut(value)
      ? Promise.resolve()
      : this.#putters.wait(task, () => this.#add(value));
  }

  /**
   * Put a value in if there is room; tells whether it did.
   *
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  tryPut(value: T): boolean {
    if (this.#closed) {
      throw closedQueueError();
    }
    if (this.#takers.size === 0 && this.#size >= this.#capacity) {
      return false;
    }
    this.#add(value);
    return true;
  }

  /**
   * Take the oldest value out, waiting for one.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task was cancelled, or is while it waits; no value is lost.
   * @throws {Deno.errors.BadResource} If the queue is closed and empty.
   */
  take(io: Io): Promise<T> {
    const task = taskOf(io);
    const refused = task.refuse();
    if (refused !== undefined) {
      return refused;
    }
    if (this.#size > 0) {
      return Promise.resolve(this.#remove());
    }
    if (this.#closed) {
      return Promise.reject(closedQueueError());
    }
    const taken = this.#takers.wait(task);
    if (this.#putters.size > 0 && this.#takers.size > 0) {
      // Capacity 0: whoever waits to put hands over
      this.#putters.grant();
    }
    return taken;
  }

  /** Take the oldest value out if there is one; `undefined` if not. */
  tryTake(): T | undefined {
    return this.#size > 0 ? this.#remove() : undefined;
  }

  /** The values as they come, until the queue is closed and empty. */
  async *values(io: Io): AsyncIterableIterator<T> {
    while (this.#size > 0 || !this.#closed) {
      let value;
      try {
        value = await this.take(io);
      } catch (error) {
        if (this.#closed && error instanceof Deno.errors.BadResource) {
          return;
        }
        throw error;
      }
      yield value;
    }
  }

  /** Accept nothing more. What is in it can still be taken out; whoever waits fails. */
  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#takers.fail(closedQueueError());
      this.#putters.fail(closedQueueError());
    }
  }

  /** To whoever waits for a value, or else into the ring, which has room. */
  #add(value: T): void {
    if (!this.#takers.grant(value)) {
      this.#values[(this.#at + this.#size++) % this.#capacity] = value;
    }
  }

  /** Out of the ring, which is not empty; whoever waits for room goes on. */
  #remove(): T {
    const value = this.#values[this.#at] as T;
    this.#values[this.#at] = undefined;
    this.#at = (this.#at + 1) % this.#capacity;
    this.#size--;
    this.#putters.grant();
    return value;
  }
}
