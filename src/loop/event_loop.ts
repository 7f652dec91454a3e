// Copyright 2026 the ioq authors. MIT license.

/**
 * Structured concurrency over the queue: tasks that own their I/O.
 *
 * # Tasks
 *
 * A task is a function that is given an `Io`, its handle, and runs beside others.
 * It starts at once, runs up to its first `await`, and goes on whenever what it
 * awaits is there: what JavaScript's asynchronous functions do, and costs little
 * more. What it gains is an owner: every operation made through its handle is the
 * task's, and so it can be stopped at any time.
 *
 *     loop.async(fn) ──▶ Task ──▶ fn(io) ──▶ io.read(…) ──▶ queue ──▶ kernel
 *          │              ▲                      │
 *          ▼              │ request              │ a wait of the task's
 *        Future ──cancel()┘                      ▼
 *                                interrupted: cancelled in the kernel
 *
 * # Cancelling
 *
 * 1. `future.cancel()` *requests* it, and waits for the task's end.
 * 2. What the task is waiting for through its handle is interrupted: operations are
 *    cancelled in the kernel, places in line are given up. Each interrupted wait
 *    ends by throwing `Canceled`. If nothing was interrupted, because the task is
 *    computing, awaits something of its own, or all operations were too far along,
 *    the next *cancellation point* throws it. One rule: **whatever is called on `io`, or
 *    is given it, and returns a promise is a cancellation point, at its beginning and
 *    while it waits**, whether or not it has to wait; and so is `io.checkCancel()`.
 * 3. It is thrown *once*. A task that catches it can clean up with the same handle,
 *    or finish all the same: its result then is what it returns. If it wants to be
 *    told again, or pass it on later, it says `io.recancel()`.
 * 4. Inside `io.uncancelable()` nothing is interrupted and nothing thrown: what was
 *    requested meanwhile is delivered afterwards.
 * 5. Exceptions to the rule: closing a descriptor is never cancelled, so that
 *    `await using file = …` closes the file whatever happens; `io.uncancelable()` itself
 *    is none; a condition that was waited for locks its mutex again in any case.
 * 6. What a task begins on its own behalf ends with it: `io.timeout()` and `io.group()`
 *    also work in a task that cleans up because it was cancelled, or because the loop
 *    closes.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { OWN } from "../construction.ts";
import type { BackendInfo } from "../backends/backend.ts";
import { Deadline, Deadlines } from "../queue/deadlines.ts";
import { checkInteger, checkTimeout } from "../integer.ts";
import { NO_CACHE_ACCESS } from "../queue/cached_transfers.ts";
import { coreOf } from "../queue/runner.ts";
import { pathText, toPath } from "../path.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import { Ioq } from "../ioq.ts";
import { DEFAULT_CLOSE_TIMEOUT_MS } from "../queue/closing.ts";
import type { CloseOptions, IoqOptions } from "../queue/option_types.ts";
import { Canceled, closedLoopError, ConcurrencyUnavailable } from "./canceled.ts";
import { type Cancelable, type Future, makeFuture } from "./future.ts";
import { TaskGroup } from "./group.ts";
import { Io, runInTask } from "./io.ts";
import type { Loop, SelectOptions, TaskHost, WorkerTaskOptions } from "./loop.ts";
import { WorkerPool } from "./pool.ts";
import { select } from "./select.ts";
import { Task } from "./task.ts";

/**
 * How to open an event loop: how to open its queue, and its limits.
 *
 * @category Tasks
 */
export interface EventLoopOptions extends IoqOptions, EventLoopLimits {}

/**
 * The limits of an event loop.
 *
 * @category Tasks
 */
export interface EventLoopLimits {
  /**
   * How many tasks of {@linkcode EventLoop.concurrent} may run at a time, those in
   * Workers included: 0 to 2^53 - 1, or `Infinity`.
   *
   * @default {Infinity}
   */
  concurrencyLimit?: number;
  /**
   * The most Workers that run tasks, and the most that compute: 1 to 256 each.
   *
   * @default {navigator.hardwareConcurrency}
   */
  workers?: number;
  /**
   * Milliseconds after which an idle Worker stops: 0 to 2^31 - 1. Until then it keeps the
   * process alive.
   *
   * @default {500}
   */
  workerIdleMs?: number;
}

const WORKERS_MAX = 256;
const DEFAULT_WORKER_IDLE_MS = 500;

/**
 * Runs tasks over a queue. A task owns the operations that it makes through its handle:
 * `future.cancel()` cancels these in the kernel and throws {@linkcode Canceled} in the task, once, where
 * it waits or at its next cancellation point. Every call on the handle that returns a promise is such
 * a point, except a close.
 *
 * @category Tasks
 *
 * @example
 * ```ts
 * import { Canceled, EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const text = loop.async((io) => io.readTextFile("/etc/hostname"));
 * const never = loop.async((io) => io.sleep(3_600_000));
 *
 * console.log(await loop.select([never, text])); // 1: the second one finished first
 * console.log((await text).length > 0); // true
 * try {
 *   await never.cancel();
 * } catch (error) {
 *   console.log(error instanceof Canceled); // true
 * }
 * ```
 */
export class EventLoop implements Loop<Io>, AsyncDisposable, Disposable {
  /** The queue that runs the tasks' operations. */
  readonly ioq: Ioq;
  /**
   * A handle for code that is not in a task, such as a program's main function. Only
   * closing the loop cancels what is done through it.
   */
  readonly io: Io;
  /** Whether the queue goes with the loop. */
  readonly #owns: boolean;
  readonly #limits: Required<EventLoopLimits>;
  /** How to open the queues of Workers. */
  readonly #queue: IoqOptions;
  /** Workers that run tasks, once there was one. */
  #tasks: WorkerPool | undefined;
  /** Workers that compute. */
  #offloaded: WorkerPool | undefined;
  /** What tasks, handles and groups know of it. */
  readonly #host: Mutable<TaskHost<Io>>;
  /** Tasks that are running. */
  #running = 0;
  /** Those of them that are concurrent. */
  #concurrent = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  readonly #onEnd = (task: Cancelable): void => {
    task.end();
    this.#leave();
  };
  readonly #onEndConcurrent = (task: Cancelable): void => {
    this.#concurrent--;
    this.#onEnd(task);
  };

  /**
   * Runs tasks over a queue that the caller closes.
   *
   * @param ioq The queue.
   * @param limits How many tasks and Workers to run.
   */
  constructor(ioq: Ioq, limits?: EventLoopLimits);
  constructor(ioq: Ioq, limits: EventLoopLimits = {}, queue?: IoqOptions) {
    if (!(ioq instanceof Ioq)) {
      throw new TypeError("Expected a queue, as Ioq.open() gives it");
    }
    this.#limits = checkLimits(limits);
    this.ioq = ioq;
    this.#owns = queue !== undefined;
    this.#queue = queue ?? { backend: ioq.backend.kind, depth: ioq.depth };
    this.#host = {
      closing: false,
      closed: false,
      waiters: new Set(),
      core: coreOf(ioq),
      cache: NO_CACHE_ACCESS,
      run: (io, request, options) => runInTask(io as Io, request, options),
      loop: this,
      deadlines: new Deadlines(),
      startChild: (fn) => this.#start(fn, this.#onEnd, true),
      group: (task) => new TaskGroup(OWN, this.#host, task),
    };
    this.io = new Io(OWN, new Task(this.#host));
  }

  /**
   * Opens a queue and runs tasks over it. Closing the loop closes the queue.
   *
   * @param options Those of `Ioq.open()`, and the loop's limits.
   * @throws What `Ioq.open()` throws.
   */
  static async open(options: EventLoopOptions = {}): Promise<EventLoop> {
    const limits = checkLimits(options);
    const { concurrencyLimit: _, workers: __, workerIdleMs: ___, ...queue } = ownOptions(options);
    const ioq = await Ioq.open(queue);
    const library = ownOption(queue, "library");
    if (library !== undefined) {
      // Workers are sent this
      queue.library = pathText(toPath(library, "dlopen"));
    }
    return new (EventLoop as OwningConstructor)(ioq, limits, queue);
  }

  /** Which backend runs the operations. */
  get backend(): BackendInfo {
    return this.ioq.backend;
  }

  /** How many tasks are running. */
  get running(): number {
    return this.#running;
  }

  /** Whether it refuses new tasks. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Starts a task. It runs up to its first `await` before this returns.
   *
   * If it fails and its future is not awaited, the error is reported as an unhandled rejection.
   *
   * @param fn The task, which is given its handle.
   * @returns A promise for its result, which can cancel it.
   * @throws {Deno.errors.BadResource} If the loop is closed.
   */
  async<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T> {
    return this.#start(fn, this.#onEnd);
  }

  /**
   * Starts a task, unless `concurrencyLimit` of them run already. {@linkcode EventLoop.async} has
   * no limit.
   *
   * @param fn The task, which is given its handle.
   * @throws {ConcurrencyUnavailable} If as many run as `concurrencyLimit` allows.
   * @throws {Deno.errors.BadResource} If the loop is closed.
   */
  concurrent<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T>;
  /**
   * Starts a task in a Worker: the default export of a module, called as `(io, ...args)`. Its
   * future resolves to the result, or rejects with the error and its stack, or with `Canceled`.
   * Each Worker has its own queue.
   *
   * @param module The module: an absolute URL, such as
   *        `new URL("./task.ts", import.meta.url)`.
   * @param args Its arguments after the handle, which are cloned before this returns.
   * @param options Which of the arguments to transfer.
   * @throws {DOMException} `DataCloneError`, if an argument cannot be cloned.
   * @throws {TypeError} If it is no URL.
   */
  concurrent<T = unknown>(
    module: string | URL,
    args?: readonly unknown[],
    options?: WorkerTaskOptions,
  ): Future<T>;
  concurrent<T>(
    what: ((io: Io) => T | PromiseLike<T>) | string | URL,
    args: readonly unknown[] = [],
    options: WorkerTaskOptions = {},
  ): Future<T> {
    if (this.#concurrent >= this.#limits.concurrencyLimit) {
      throw new ConcurrencyUnavailable(
        `Cannot start a concurrent task while ${this.#concurrent} are running, the limit`,
      );
    }
    this.#concurrent++;
    try {
      if (typeof what === "function") {
        return this.#start(what, this.#onEndConcurrent);
      }
      this.#tasks ??= new WorkerPool({ ...this.#limits, queue: this.#queue, shares: true });
      return this.#startIn(this.#tasks, what, args, options, this.#onEndConcurrent);
    } catch (error) {
      this.#concurrent--;
      throw error;
    }
  }

  /**
   * Runs a function that computes in a Worker: the default export of a module, called as
   * `(...args)`. It has the Worker for itself, and waits while all are busy. Cancelling it prevents
   * it from beginning; once it runs, it goes on to its result.
   *
   * @param module The module: an absolute URL.
   * @param args Its arguments, which are cloned before this returns.
   * @param options Which of the arguments to transfer.
   * @throws {DOMException} `DataCloneError`, if an argument cannot be cloned.
   * @throws {TypeError} If it is no URL.
   * @throws {Deno.errors.BadResource} If the loop is closed.
   */
  offload<T = unknown>(
    module: string | URL,
    args: readonly unknown[] = [],
    options: WorkerTaskOptions = {},
  ): Future<T> {
    this.#offloaded ??= new WorkerPool({ ...this.#limits, queue: undefined, shares: false });
    return this.#startIn(this.#offloaded, module, args, options, this.#onEnd);
  }

  /**
   * Waits until one of several futures has settled. The others go on. `Promise.race()` and
   * `Promise.all()` work with futures as well. In a task, wait by `io.await(loop.select(…))`, so
   * that it can be cancelled meanwhile.
   *
   * @param futures Futures, or any promises.
   * @param options How long to wait.
   * @returns The index of the first to settle; of those that have settled already, the lowest.
   * @throws {RangeError} If there are no futures.
   * @throws {Deno.errors.TimedOut} If none finished in time.
   */
  select(
    futures: Iterable<PromiseLike<unknown>>,
    options: SelectOptions = {},
  ): Promise<number> {
    return select(futures, options, this.#host.deadlines);
  }

  /** Makes a group of tasks that end together. Within a task, use {@linkcode Io.group}. */
  group(): TaskGroup {
    return new TaskGroup(OWN, this.#host);
  }

  /**
   * Cancels all tasks, waits for them, and refuses new ones. Closes the queue if
   * {@linkcode EventLoop.open} opened it. A task must not wait for this: it would wait for
   * itself. Closing again returns the same promise.
   *
   * Functions that compute in a Worker cannot be interrupted. After `timeoutMs` their Workers are
   * terminated, and the functions fail with {@linkcode Canceled}. Everything is closed all
   * the same.
   *
   * @param options How long to wait for Workers, and for the queue.
   * @throws {Deno.errors.TimedOut} If Workers had to be terminated, or the queue did not close in time.
   * @throws {TypeError} If `timeoutMs` is no number.
   * @throws {RangeError} If `timeoutMs` is negative.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const timeoutMs = checkTimeout(ownOption(options, "timeoutMs") ?? DEFAULT_CLOSE_TIMEOUT_MS);
    return this.#closing ??= this.#close(timeoutMs, options);
  }

  /** {@linkcode EventLoop.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * {@linkcode EventLoop.close} for `using`, which cannot wait for it. An error is lost;
   * `await using` throws it.
   */
  [Symbol.dispose](): void {
    this.close().catch(() => {});
  }

  async #close(timeoutMs: number | undefined, options: CloseOptions): Promise<void> {
    this.#host.closing = true;
    for (const task of [...this.#host.waiters]) {
      task.request();
    }
    this.#tasks?.cancelAll();
    this.#offloaded?.cancelAll();
    let late: Error | undefined;
    const { deadlines } = this.#host;
    const deadline = timeoutMs === undefined
      ? undefined
      : new Deadline(timeoutMs, () => late = this.#abandon(timeoutMs));
    const pools = [this.#tasks, this.#offloaded].filter((pool) => pool !== undefined);
    if (deadline !== undefined && (this.#running > 0 || pools.length > 0)) {
      deadlines.add(deadline);
    }
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#onIdle = resolve);
    }
    // A cancelled task's Worker may still be loading its module
    await Promise.all(pools.map((pool) => pool.close()));
    if (deadline !== undefined) {
      deadlines.remove(deadline);
    }
    this.#host.closed = true;
    if (this.#owns) {
      await this.ioq.close(options);
    }
    if (late !== undefined) {
      throw late;
    }
  }

  /** End the Workers that do not end by themselves. Returns what there is to complain about. */
  #abandon(timeoutMs: number): Error | undefined {
    const pools = [this.#tasks, this.#offloaded].filter((pool) => pool !== undefined);
    const running = pools.reduce((sum, pool) => sum + pool.running, 0);
    const stopping = pools.reduce((sum, pool) => sum + pool.stopping, 0);
    if (running + stopping === 0) {
      // Tasks of this thread: nobody can end those but themselves
      return undefined;
    }
    const what = running === 1
      ? "1 task in a Worker does"
      : running > 1
      ? `${running} tasks in Workers do`
      : stopping === 1
      ? "1 Worker does"
      : `${stopping} Workers do`;
    for (const pool of pools) {
      pool.abandon(
        new Canceled(`The task was canceled, and its Worker ended after ${timeoutMs} ms`),
      );
    }
    const error = new Deno.errors.TimedOut(
      `Cannot close the event loop within ${timeoutMs} ms, ${what} not end`,
    );
    return Object.assign(error, { code: "ETIMEDOUT" });
  }

  #start<T>(
    fn: (io: Io) => T | PromiseLike<T>,
    onEnd: (task: Cancelable) => void,
    isChild = false,
  ): Future<T> {
    if (isChild ? this.#host.closed : this.#closing !== undefined) {
      throw closedLoopError();
    }
    const task = new Task(this.#host);
    // It counts from its first line on: it may close the loop there
    this.#running++;
    let promise;
    try {
      promise = fn(new Io(OWN, task));
    } catch (error) {
      if (typeof fn !== "function") {
        this.#leave();
        throw new TypeError(`Expected a task to be a function, got ${typeof fn}`);
      }
      promise = Promise.reject(error);
    }
    return makeFuture(promise instanceof Promise ? promise : Promise.resolve(promise), task, onEnd);
  }

  #startIn<T>(
    pool: WorkerPool,
    module: string | URL,
    args: readonly unknown[],
    options: WorkerTaskOptions,
    onEnd: (task: Cancelable) => void,
  ): Future<T> {
    if (this.#closing !== undefined) {
      throw closedLoopError();
    }
    const task = pool.run(module, args, options);
    this.#running++;
    return makeFuture(task.promise as Promise<T>, task, onEnd);
  }

  /** A task is over. */
  #leave(): void {
    if (--this.#running === 0) {
      this.#onIdle?.();
    }
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed(
      "EventLoop",
      { backend: this.backend.kind, running: this.running, closed: this.closed },
      inspect,
      options,
    );
  }
}

/** Check limits and fill in what is missing. */
function checkLimits(limits: EventLoopLimits): Required<EventLoopLimits> {
  const {
    concurrencyLimit = Infinity,
    workers = Math.min(navigator.hardwareConcurrency, WORKERS_MAX),
    workerIdleMs = DEFAULT_WORKER_IDLE_MS,
  } = ownOptions(limits);
  if (concurrencyLimit !== Infinity) {
    checkInteger(concurrencyLimit, "concurrencyLimit", 0, Number.MAX_SAFE_INTEGER);
  }
  checkInteger(workers, "workers", 1, WORKERS_MAX);
  checkInteger(workerIdleMs, "workerIdleMs", 0, 2 ** 31 - 1);
  return { concurrencyLimit, workers, workerIdleMs };
}

/** The constructor as {@linkcode EventLoop.open} uses it. */
type OwningConstructor = new (
  ioq: Ioq,
  limits: EventLoopLimits,
  queue: IoqOptions,
) => EventLoop;

/** An object whose properties may be changed. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
