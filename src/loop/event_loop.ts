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
 *    the next *cancellation point* throws it: an operation, a wait for a lock, an
 *    event or a queue, `io.sleep()`, `io.await()`, `io.checkCancel()`.
 * 3. It is thrown *once*. A task that catches it can clean up with the same handle,
 *    or finish all the same: its result then is what it returns. If it wants to be
 *    told again, or pass it on later, it says `io.recancel()`.
 * 4. Inside `io.uncancelable()` nothing is interrupted and nothing thrown: what was
 *    requested meanwhile is delivered afterwards.
 * 5. Closing a descriptor is never cancelled, and no cancellation point, so that
 *    `await using file = …` closes the file whatever happens.
 *
 * @module
 */

import type { BackendInfo } from "../backend.ts";
import { checkInteger } from "../integer.ts";
import { Ioq, type IoqOptions } from "../ioq.ts";
import { closedLoopError, ConcurrencyUnavailable } from "./errors.ts";
import { type Cancelable, type Future, makeFuture } from "./future.ts";
import { TaskGroup } from "./group.ts";
import { Io } from "./io.ts";
import { select } from "./select.ts";
import { Task, type TaskOwner } from "./task.ts";

/** How to open an event loop: how to open its queue, and its limits. */
export interface EventLoopOptions extends IoqOptions, EventLoopLimits {}

/** The limits of an event loop. */
export interface EventLoopLimits {
  /**
   * How many tasks of {@linkcode EventLoop.concurrent} may run at a time, those in
   * Workers included: 0 to 2^53 - 1, or `Infinity`.
   *
   * @default {Infinity}
   */
  concurrencyLimit?: number;
}

/**
 * Runs tasks over a queue. See the module for how they are cancelled.
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
export class EventLoop implements AsyncDisposable, Disposable {
  /** The queue that the tasks' operations go through. */
  readonly ioq: Ioq;
  /**
   * A handle for who is no task, such as a program's main function. Only closing the
   * loop cancels what is done through it.
   */
  readonly io: Io;
  /** Whether the queue goes with the loop. */
  readonly #owns: boolean;
  readonly #concurrencyLimit: number;
  /** What tasks know of it. */
  readonly #owner: Mutable<TaskOwner> = { closing: false, closed: false, waiters: new Set() };
  /** Tasks that are running. */
  #running = 0;
  /** Those of them that are concurrent. */
  #concurrent = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  readonly #onEnd = (task: Cancelable): void => {
    (task as Task).end();
    this.#leave();
  };
  readonly #onEndConcurrent = (task: Cancelable): void => {
    this.#concurrent--;
    this.#onEnd(task);
  };

  /**
   * Run tasks over a queue that someone else closes.
   *
   * @param ioq The queue.
   * @param limits How much to run.
   */
  constructor(ioq: Ioq, limits?: EventLoopLimits);
  constructor(ioq: Ioq, limits: EventLoopLimits = {}, owns = false) {
    if (!(ioq instanceof Ioq)) {
      throw new TypeError("Expected a queue, as Ioq.open() gives it");
    }
    const { concurrencyLimit = Infinity } = limits;
    if (concurrencyLimit !== Infinity) {
      checkInteger(concurrencyLimit, "concurrencyLimit", 0, Number.MAX_SAFE_INTEGER);
    }
    this.ioq = ioq;
    this.#owns = owns;
    this.#concurrencyLimit = concurrencyLimit;
    this.io = new Io(this, new Task(this.#owner));
  }

  /**
   * Open a queue and run tasks over it; closing the loop closes it.
   *
   * @param options Those of `Ioq.open()`, and the loop's limits.
   * @throws What `Ioq.open()` throws.
   */
  static async open(options: EventLoopOptions = {}): Promise<EventLoop> {
    const { concurrencyLimit, ...rest } = options;
    const limits = concurrencyLimit === undefined ? {} : { concurrencyLimit };
    const ioq = await Ioq.open(rest);
    try {
      return new (EventLoop as OwningConstructor)(ioq, limits, true);
    } catch (error) {
      await ioq.close();
      throw error;
    }
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
   * Start a task: it runs up to its first `await` before this returns.
   *
   * If it fails and nobody awaits the future, that is reported as an unhandled
   * rejection.
   *
   * @param fn The task, which is given its handle.
   * @returns What it will have come to.
   * @throws {Deno.errors.BadResource} If the loop is closed.
   */
  async<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T> {
    return this.#start(fn, this.#onEnd);
  }

  /**
   * Start a task that must make progress by itself, whether or not anyone awaits it.
   * Beyond `concurrencyLimit` it is refused, while {@linkcode EventLoop.async} never
   * is.
   *
   * @param fn The task, which is given its handle.
   * @throws {ConcurrencyUnavailable} If there are as many as there may be.
   * @throws {Deno.errors.BadResource} If the loop is closed.
   */
  concurrent<T>(fn: (io: Io) => T | PromiseLike<T>): Future<T> {
    if (this.#concurrent >= this.#concurrencyLimit) {
      throw new ConcurrencyUnavailable(
        `Cannot start a concurrent task while ${this.#concurrent} are running, the limit`,
      );
    }
    this.#concurrent++;
    try {
      return this.#start(fn, this.#onEndConcurrent);
    } catch (error) {
      this.#concurrent--;
      throw error;
    }
  }

  /**
   * Wait until one of several futures is over, successfully or not. The others go
   * on; `Promise.race()` and `Promise.all()` work with futures as well. To be
   * cancelled meanwhile, wait by `io.await(loop.select(…))`.
   *
   * @param futures Futures, or any promises.
   * @returns The index of the first to finish; of those that have already, the first.
   * @throws {RangeError} If there are none: none would ever finish.
   */
  select(futures: Iterable<PromiseLike<unknown>>): Promise<number> {
    return select(futures);
  }

  /** A group of tasks that end together. */
  group(): TaskGroup {
    return new TaskGroup(this);
  }

  /**
   * Cancel all tasks, wait for them, and refuse new ones; close the queue if
   * {@linkcode EventLoop.open} opened it. A task must not wait for this: it would
   * wait for itself. Closing again returns the same promise.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** {@linkcode EventLoop.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** {@linkcode EventLoop.close} for `using`, which cannot wait for it. */
  [Symbol.dispose](): void {
    void this.close();
  }

  async #close(): Promise<void> {
    this.#owner.closing = true;
    for (const task of [...this.#owner.waiters]) {
      task.request();
    }
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#onIdle = resolve);
    }
    this.#owner.closed = true;
    if (this.#owns) {
      await this.ioq.close();
    }
  }

  #start<T>(fn: (io: Io) => T | PromiseLike<T>, onEnd: (task: Cancelable) => void): Future<T> {
    if (this.#closing !== undefined) {
      throw closedLoopError();
    }
    const task = new Task(this.#owner);
    let promise;
    try {
      promise = fn(new Io(this, task));
    } catch (error) {
      if (typeof fn !== "function") {
        throw new TypeError(`Expected a task to be a function, got ${typeof fn}`);
      }
      promise = Promise.reject(error);
    }
    this.#running++;
    return makeFuture(promise instanceof Promise ? promise : Promise.resolve(promise), task, onEnd);
  }

  /** A task is over. */
  #leave(): void {
    if (--this.#running === 0) {
      this.#onIdle?.();
    }
  }
}

/** The constructor as {@linkcode EventLoop.open} uses it. */
type OwningConstructor = new (ioq: Ioq, limits: EventLoopLimits, owns: boolean) => EventLoop;

/** An object whose properties may be changed. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
