// Copyright 2026 the ioq authors. MIT license.

/**
 * Tasks that end together.
 *
 * @module
 */

import { checkOwn } from "../construction.ts";
import { isCanceled } from "./canceled.ts";
import { type Future, taskOfFuture } from "./future.ts";
import { type Io, taskOf } from "./io.ts";
import type { Loop, TaskHost, TaskScope, WorkerTaskOptions } from "./loop.ts";
import { takeCharge } from "./settling.ts";
import type { Task, Wait } from "./task.ts";

/**
 * A group of tasks: made by `EventLoop.group()` or `Io.group()`. If one of them fails, the others
 * are cancelled. {@linkcode TaskGroup.wait} waits for all; leaving the scope of an
 * `await using` cancels those that still run, and waits for them.
 *
 * A group has failed until somebody is told, by {@linkcode TaskGroup.wait} or the end of
 * the scope: tasks that are added until then are cancelled.
 *
 * Its size stays bounded by the tasks that are running: those that are over leave
 * nothing but their failures behind.
 *
 * @category Tasks
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
export class TaskGroup implements TaskScope<Io> {
  readonly #loop: Loop<Io>;
  readonly #host: TaskHost<Io>;
  /** The task that it belongs to. */
  readonly #task: Task | undefined;
  readonly #running = new Set<Future<unknown>>();
  /** What members failed with that nobody was told of: until then, the group has failed. */
  #failures: unknown[] = [];
  /** What a member ended by that was cancelled, and that nobody was told of. */
  #canceled: unknown;
  /** How many are ending it: who joins meanwhile is cancelled. */
  #ending = 0;
  /** Those who wait for it to be empty. */
  #onEmpty: (() => void)[] = [];

  /** Made by `EventLoop.group()` and `Io.group()`, and by nobody else. */
  constructor(token: symbol, host: TaskHost<Io>, task?: Task) {
    checkOwn(token);
    this.#host = host;
    this.#loop = host.loop;
    this.#task = task;
  }

  /** How many tasks are running. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Start a task as a member. See `EventLoop.async()`. In a group of a task's that works
   * while the loop closes as well, for tasks that clean up.
   */
  async<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T> {
    return this.#add(
      this.#task === undefined || this.#task.ended
        ? this.#loop.async(fn)
        : this.#host.startChild(fn),
    );
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
   *        cancels the members. By default that of the task whose group it is.
   * @throws What a member failed with; an `AggregateError` if several did. If the
   *         waiting task was cancelled as well, it is told at its next cancellation point.
   * @throws {Canceled} If the waiting task was cancelled, or a member was.
   */
  async wait(io?: Io): Promise<void> {
    const task = io === undefined ? this.#task : taskOf(io);
    let interrupted = false;
    const wait: Wait = {
      interrupt: () => {
        if (!interrupted) {
          interrupted = true;
          this.#ending++;
          this.#cancelAll();
        }
      },
    };
    task?.enterLate(wait);
    await this.#empty();
    task?.leave(wait);
    if (interrupted) {
      this.#ending--;
    }
    const canceled = this.#canceled;
    this.#throwFailures();
    if (interrupted && (canceled !== undefined || task!.pending)) {
      throw task!.deliver();
    }
    if (canceled !== undefined) {
      throw canceled;
    }
  }

  /**
   * Cancel all members, those that are added meanwhile included, and wait for them. That
   * they end by `Canceled` is no failure.
   *
   * @throws What a member failed with otherwise, as {@linkcode TaskGroup.wait} does.
   */
  async cancel(): Promise<void> {
    this.#ending++;
    this.#cancelAll();
    await this.#empty();
    this.#ending--;
    this.#throwFailures();
  }

  /** {@linkcode TaskGroup.cancel}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }

  #add<T>(future: Future<T>): Future<T> {
    this.#running.add(future);
    // The group tells of it
    takeCharge(future);
    future.then(() => this.#remove(future), (error) => {
      if (taskOfFuture(future)!.requested && isCanceled(error)) {
        this.#canceled ??= error;
      } else {
        this.#failures.push(error);
        this.#cancelAll();
      }
      this.#remove(future);
    });
    if (this.#ending > 0 || this.#failures.length > 0) {
      future.cancel();
    }
    return future;
  }

  #remove(future: Future<unknown>): void {
    this.#running.delete(future);
    if (this.#running.size === 0) {
      for (const resolve of this.#onEmpty.splice(0)) {
        resolve();
      }
    }
  }

  #cancelAll(): void {
    for (const future of [...this.#running]) {
      future.cancel();
    }
  }

  /** Wait until no member runs. Whoever awaits a member may have added one by then. */
  async #empty(): Promise<void> {
    while (this.#running.size > 0) {
      await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
    }
  }

  /** Somebody is told of all that went wrong, and the group is as new. */
  #throwFailures(): void {
    const failures = this.#failures;
    this.#failures = [];
    this.#canceled = undefined;
    if (failures.length > 0) {
      throw failures.length === 1
        ? failures[0]
        : new AggregateError(failures, "Several tasks failed");
    }
  }
}
