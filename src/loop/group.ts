// Copyright 2026 the ioq authors. MIT license.

/**
 * Tasks that end together.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
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
 * After a failure, tasks that are added are cancelled, until {@linkcode TaskGroup.wait} or the
 * end of the scope has thrown the failure.
 *
 * Tasks that have ended leave nothing but their failures behind.
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
   * Starts a task as a member, as `EventLoop.async()` does. The group of a task accepts members
   * also while the loop closes, so that tasks can clean up.
   */
  async<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T> {
    return this.#add(
      this.#task === undefined || this.#task.ended
        ? this.#loop.async(fn)
        : this.#host.startChild(fn),
    );
  }

  /** Starts a concurrent task as a member, as `EventLoop.concurrent()` does. */
  concurrent<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T>;
  /** Starts a task in a Worker as a member. */
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

  /** Runs a function in a Worker as a member, as `EventLoop.offload()` does. */
  offload<T = unknown>(
    module: string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T> {
    return this.#add(this.#loop.offload<T>(module, args, options));
  }

  /**
   * Waits until no member runs, including members that are added meanwhile.
   *
   * @param io The handle of the task that waits. Cancelling that task cancels the members. By
   *        default it is the task whose group it is.
   * @throws The error of a member; an `AggregateError` if several failed. If the waiting task was
   *         cancelled as well, its next cancellation point throws `Canceled`.
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
   * Cancels all members, including members that are added meanwhile, and waits for them.
   * Ending by `Canceled` is no failure.
   *
   * @throws The other errors of members, as {@linkcode TaskGroup.wait} does.
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

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("TaskGroup", { size: this.size }, inspect, options);
  }
}
