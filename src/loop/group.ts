// Copyright 2026 the ioq authors. MIT license.

/**
 * Tasks that end together.
 *
 * @module
 */

import { Canceled } from "./canceled.ts";
import type { EventLoop, WorkerTaskOptions } from "./event_loop.ts";
import { type Future, markHandled } from "./future.ts";
import { type Io, taskOf } from "./io.ts";
import type { Wait } from "./task.ts";

/**
 * A group of tasks: made by `EventLoop.group()`. If one of them fails, the others
 * are cancelled. {@linkcode TaskGroup.wait} waits for all; leaving the scope of an
 * `await using` cancels those that still run, and waits for them.
 *
 * Its size stays bounded by the tasks that are running: those that are over leave
 * nothing but their failures behind.
 *
 * @example
 * ```ts
 * import { EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * await using group = loop.group();
 * let entries = 0;
 * for (const path of ["/etc", "/usr"]) {
 *   group.async(async (io) => {
 *     entries += (await io.readDir(path)).length;
 *   });
 * }
 * await group.wait();
 * console.log(entries > 0); // true
 * ```
 */
export class TaskGroup implements AsyncDisposable {
  readonly #loop: EventLoop;
  readonly #running = new Set<Future<unknown>>();
  /** What members failed with that nobody was told of. */
  #failures: unknown[] = [];
  /** Whether it was cancelled since it last was empty. */
  #cancelled = false;
  /** Those who wait for it to be empty. */
  #onEmpty: (() => void)[] = [];

  /** Made by `EventLoop.group()`. */
  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** How many tasks are running. */
  get size(): number {
    return this.#running.size;
  }

  /** Start a task as a member. See `EventLoop.async()`. */
  async<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T> {
    return this.#add(this.#loop.async(fn));
  }

  /** Start a concurrent task as a member. See `EventLoop.concurrent()`. */
  concurrent<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T>;
  /** Start a task in a Worker as a member. */
  concurrent<T = unknown>(
    module: string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T>;
  concurrent<T>(
    what: ((io: Io) => T | PromiseLike<T>) | string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T> {
    return this.#add(
      typeof what === "function"
        ? this.#loop.concurrent(what)
        : this.#loop.concurrent<T>(what, args, options),
    );
  }

  /** Run a function on a Worker as a member. See `EventLoop.offload()`. */
  offload<T = unknown>(
    module: string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T> {
    return this.#add(this.#loop.offload<T>(module, args, options));
  }

  /**
   * Wait until no member runs, those that were added meanwhile included.
   *
   * @param io The handle of the task that waits, if it is one: cancelling it then
   *        cancels the members.
   * @throws What a member failed with; an `AggregateError` if several did.
   * @throws {Canceled} If the waiting task was cancelled, or a member was.
   */
  async wait(io?: Io): Promise<void> {
    const task = io === undefined ? undefined : taskOf(io);
    let interrupted = false;
    const wait: Wait = {
      interrupt: () => {
        interrupted = true;
        this.#cancelAll();
      },
    };
    try {
      task?.enter(wait);
    } catch (error) {
      await this.cancel();
      throw error;
    }
    await this.#empty();
    task?.leave(wait);
    const failures = this.#takeFailures();
    const real = failures.filter((error) => !(error instanceof Canceled));
    if (real.length > 0) {
      throw real.length === 1 ? real[0] : new AggregateError(real, "Several tasks failed");
    }
    if (failures.length > 0) {
      throw interrupted ? task!.deliver() : failures[0];
    }
  }

  /**
   * Cancel all members and wait for them. That they end by `Canceled` is no failure.
   *
   * @throws What a member failed with otherwise, as {@linkcode TaskGroup.wait} does.
   */
  async cancel(): Promise<void> {
    this.#cancelAll();
    await this.#empty();
    const failures = this.#takeFailures().filter((error) => !(error instanceof Canceled));
    if (failures.length > 0) {
      throw failures.length === 1
        ? failures[0]
        : new AggregateError(failures, "Several tasks failed");
    }
  }

  /** {@linkcode TaskGroup.cancel}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }

  #add<T>(future: Future<T>): Future<T> {
    this.#running.add(future);
    // The group tells of it
    markHandled(future);
    future.then(() => this.#remove(future), (error) => {
      this.#failures.push(error);
      if (!(error instanceof Canceled)) {
        this.#cancelAll();
      }
      this.#remove(future);
    });
    if (this.#cancelled) {
      future.cancel();
    }
    return future;
  }

  #remove(future: Future<unknown>): void {
    this.#running.delete(future);
    if (this.#running.size === 0) {
      this.#cancelled = false;
      for (const resolve of this.#onEmpty.splice(0)) {
        resolve();
      }
    }
  }

  #cancelAll(): void {
    if (this.#running.size > 0) {
      this.#cancelled = true;
      for (const future of [...this.#running]) {
        future.cancel();
      }
    }
  }

  #empty(): Promise<void> {
    return this.#running.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  #takeFailures(): unknown[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }
}
