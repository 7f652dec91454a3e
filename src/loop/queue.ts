// Copyright 2026 the ioq authors. MIT license.

/**
 * A bounded queue between the tasks of one thread.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { checkInteger } from "../integer.ts";
import { type Io, taskOf } from "./io.ts";
import { WaitQueue } from "./wait_queue.ts";

function closedQueueError(): Error {
  return new Deno.errors.BadResource("Cannot use a queue that was closed");
}

/**
 * A bounded queue of values between tasks, first in, first out. Producers wait while it is
 * full, consumers while it is empty.
 *
 * @typeParam T The type of the values.
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
   * Makes a queue.
   *
   * @param capacity How many values it holds: 0 to 2^32 - 1. With 0, each value is handed
   *        directly from one task to another.
   */
  constructor(capacity: number) {
    this.#capacity = checkInteger(capacity, "capacity", 0, 0xffffffff);
  }

  /** How many values are in it. */
  get size(): number {
    return this.#size;
  }

  /** How many values it holds at most. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Adds a value, waiting while the queue is full.
   *
   * @param io The task's handle.
   * @param value The value.
   * @throws {Canceled} If the task was cancelled, or is while it waits. The value is not
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
   * Adds a value if there is room. Returns whether it did.
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
   * Removes the oldest value, waiting while the queue is empty.
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

  /** Removes the oldest value; returns `undefined` if there is none. */
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

  /** Closes the queue: it accepts no more values, and calls that wait fail. The values in it can still be taken. */
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

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("Queue", { size: this.size, capacity: this.capacity }, inspect, options);
  }
}
