// Copyright 2026 the ioq authors. MIT license.

/**
 * What a task sees of the loop that it runs on, and what a loop and the tasks' handles
 * need of each other. Both build on this, and neither on the other.
 *
 * @module
 */

import type { BackendInfo } from "../backends/backend.ts";
import type { Ioq } from "../ioq.ts";
import type { Deadlines } from "../queue/deadlines.ts";
import type { Access } from "../queue/runner.ts";
import type { Future } from "./future.ts";
import type { Task, TaskOwner } from "./task.ts";

/**
 * How to run something in a Worker.
 *
 * @category Tasks
 */
export interface WorkerTaskOptions {
  /** What of the arguments to hand over instead of copying it: this thread loses it. */
  transfer?: Transferable[];
}

/**
 * Whatever starts tasks: a loop, or a group.
 *
 * @typeParam Handle What tasks are given.
 * @category Tasks
 */
export interface TaskStarter<Handle> {
  /** Start a task. See `EventLoop.async()`. */
  async<T>(fn: (io: Handle) => T | PromiseLike<T>): Future<T>;
  /** Start a task that must make progress. See `EventLoop.concurrent()`. */
  concurrent<T>(fn: (io: Handle) => T | PromiseLike<T>): Future<T>;
  /** Start a task in a Worker. See `EventLoop.concurrent()`. */
  concurrent<T = unknown>(
    module: string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T>;
  /** Have a Worker compute. See `EventLoop.offload()`. */
  offload<T = unknown>(
    module: string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T>;
}

/**
 * Tasks that end together. See `TaskGroup`.
 *
 * @typeParam Handle What tasks are given.
 * @category Tasks
 */
export interface TaskScope<Handle> extends TaskStarter<Handle>, AsyncDisposable {
  /** How many tasks are running. */
  readonly size: number;
  /** Wait until no member runs. */
  wait(io?: Handle): Promise<void>;
  /** Cancel all members and wait for them. */
  cancel(): Promise<void>;
}

/**
 * The loop that a task runs on: an `EventLoop`, which says what its members do.
 *
 * @typeParam Handle What tasks are given.
 * @category Tasks
 */
export interface Loop<Handle> extends TaskStarter<Handle> {
  /** The queue that the tasks' operations go through. */
  readonly ioq: Ioq;
  /** Which backend runs the operations. */
  readonly backend: BackendInfo;
  /** How many tasks are running. */
  readonly running: number;
  /** Whether it refuses new tasks. */
  readonly closed: boolean;
  /** A group of tasks that end together. */
  group(): TaskScope<Handle>;
  /** Wait until one of several futures is over. */
  select(futures: Iterable<PromiseLike<unknown>>, options?: SelectOptions): Promise<number>;
}

/**
 * How long to wait for the first of several.
 *
 * @category Tasks
 */
export interface SelectOptions {
  /**
   * Milliseconds, after which the promise rejects with `Deno.errors.TimedOut`. What was
   * selected from goes on.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
}

/**
 * What tasks' handles and groups need of their loop.
 *
 * @typeParam Handle What tasks are given.
 */
export interface TaskHost<Handle> extends TaskOwner, Access {
  /** The loop. */
  readonly loop: Loop<Handle>;
  /** Time limits, which take no place in the queue. */
  readonly deadlines: Deadlines;
  /** Start a task on behalf of one that runs: also while the loop closes. */
  startChild<T>(fn: (io: Handle) => T | PromiseLike<T>): Future<T>;
  /** A group that belongs to a task. */
  group(task: Task): TaskScope<Handle>;
}
