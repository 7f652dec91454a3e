// Copyright 2026 the ioq authors. MIT license.

/**
 * A task's handle to everything that it may wait for.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { checkOwn } from "../construction.ts";
import { ownOption } from "../own_option.ts";
import type { ClockName, CpuClockName } from "../linux/clock.ts";
import { checkMs } from "../integer.ts";
import { op } from "../operations/op.ts";
import type { Canceller } from "../queue/core.ts";
import { Deadline } from "../queue/deadlines.ts";
import { coreOf, type OperationOptions, runOn } from "../queue/runner.ts";
import type { OpName } from "../operations/values.ts";
import { type IoqRequest, toCoreRequest } from "../operations/request.ts";
import type { FileContents, FileSource, PathOf, ReadFilesOptions } from "../files/read_files.ts";
import { PromiseForms } from "../forms.ts";
import type { Path } from "../path.ts";
import { closedLoopError, isCanceled } from "./canceled.ts";
import type { Future } from "./future.ts";
import type { Loop, TaskHost, TaskScope } from "./loop.ts";
import { isAbandoned, markAbandoned, onSettled, takeCharge } from "./settling.ts";
import {
  createFile,
  type CreateFileOptions,
  type LoopFile,
  openLoopFile,
  type OpenLoopFileOptions,
} from "./loop_file.ts";
import type { Task, Wait } from "./task.ts";

/** The task that a handle belongs to. Checks that it is a handle. */
export let taskOf: (io: Io) => Task<TaskHost<Io>>;
/** Runs a request as one of a task's. */
export let runInTask: <V>(
  io: Io,
  request: IoqRequest<OpName, V>,
  options: OperationOptions | undefined,
) => Promise<V>;

/** An operation of a task's that is in flight. */
class Operation implements Wait, Canceller {
  /** Cancels it as `Ioq.cancel()` does, while it is in flight. */
  cancel: (() => void) | undefined;
  interrupted = false;

  interrupt(): void {
    this.interrupted = true;
    this.cancel?.();
  }
}

/**
 * What a task function is given: all operations of the queue, clocks, and files.
 * Every operation made through it belongs to the task and is cancelled with it;
 * each is a cancellation point.
 *
 * @category Tasks
 *
 * @example
 * ```ts
 * import { EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const size = await loop.async(async (io) => {
 *   const info = await io.stat("/etc/hostname");
 *   await io.sleep(1);
 *   return info.size;
 * });
 * console.log(size);
 * ```
 */
export class Io extends PromiseForms {
  readonly #task: Task<TaskHost<Io>>;

  static {
    taskOf = (io) => {
      if (typeof io !== "object" || io === null || !(#task in io)) {
        throw new TypeError("Expected the io that a task function is given");
      }
      return io.#task;
    };
    runInTask = (io, request, options) => io.#run(request, options);
    Object.preventExtensions(this);
  }

  /** Made by {@linkcode EventLoop}, and by nobody else. */
  constructor(token: symbol, task: Task<TaskHost<Io>>) {
    checkOwn(token);
    super(token, task.owner);
    this.#task = task;
  }

  /** The loop that the task runs on. */
  get loop(): Loop<Io> {
    return this.#task.owner.loop;
  }

  /**
   * Runs any request for the task. If the task is cancelled meanwhile, so is the request, in
   * the kernel. A request that closes a descriptor is not cancelled, and is no cancellation
   * point.
   *
   * @param request What to do, made by `op`.
   * @param options A signal to cancel it by itself.
   * @throws {Canceled} If the task was cancelled.
   */
  override run<V>(
    request: IoqRequest<OpName, V>,
    options?: OperationOptions,
  ): Promise<V> {
    return this.#run(request, options);
  }

  #run<V>(
    request: IoqRequest<OpName, V>,
    options: OperationOptions | undefined,
  ): Promise<V> {
    const core = coreOf(this);
    const task = this.#task;
    const operation = new Operation();
    let coreRequest;
    try {
      coreRequest = toCoreRequest(request);
      if (coreRequest.isClose) {
        return core.run(request, options);
      }
      if (task.owner.closed) {
        throw closedLoopError();
      }
      task.enter(operation);
    } catch (error) {
      coreRequest?.leaveHolder();
      return Promise.reject(error);
    }
    return core.run(request, options, operation).then(
      (value) => {
        task.leave(operation);
        return value;
      },
      (error) => {
        task.leave(operation);
        throw operation.interrupted && error instanceof Deno.errors.Interrupted
          ? task.deliver()
          : error;
      },
    );
  }

  /**
   * A signal that aborts when the task is cancelled, for calls that take one: `fetch()`,
   * commands, streams. Its reason is a `Canceled`. The task itself still gets `Canceled` at its
   * next cancellation point; wait by {@linkcode Io.await} to have both at once.
   *
   * @example
   * ```ts
   * import { EventLoop } from "@ioq/ioq/loop";
   *
   * await using loop = await EventLoop.open();
   * const output = await loop.async((io) => {
   *   const command = new Deno.Command("true", { signal: io.signal });
   *   return io.await(command.output());
   * });
   * console.log(output.success);
   * ```
   */
  get signal(): AbortSignal {
    return this.#task.signal;
  }

  /** Whether the task was cancelled and `Canceled` has not been thrown in it yet. */
  get cancelRequested(): boolean {
    return this.#task.pending;
  }

  /**
   * A cancellation point that does nothing else, for tasks that compute.
   *
   * @throws {Canceled} If the task was asked to stop.
   */
  checkCancel(): void {
    this.#task.check();
  }

  /**
   * Throws a cancellation that this task caught once more, at its next cancellation point. It
   * has no effect if the task was never cancelled.
   */
  recancel(): void {
    this.#task.recancel();
  }

  /**
   * Runs a function that is not cancelled half-way. Until it ends, the task has no cancellation
   * points; a cancellation is thrown afterwards.
   *
   * @param fn The function, which is given this handle.
   * @returns Its result.
   */
  async uncancelable<T>(fn: (io: Io) => T | PromiseLike<T>): Promise<T> {
    this.#task.protect();
    try {
      return await fn(this);
    } finally {
      this.#task.unprotect();
    }
  }

  /**
   * Waits for any promise, as a cancellation point. Plain `await` is none, since nothing can
   * interrupt it. The work behind the promise goes on.
   *
   * @param promise The promise.
   * @throws {Canceled} If the task is cancelled first.
   */
  await<T>(promise: PromiseLike<T>): Promise<T> {
    const task = this.#task;
    const waited = promise instanceof Promise ? promise : Promise.resolve(promise);
    const refused = task.refuse();
    if (refused !== undefined) {
      // Its failure is nobody else's all the same
      takeCharge(waited);
      return refused;
    }
    return new Promise((resolve, reject) => {
      let leave: (() => void) | undefined;
      const wait: Wait = {
        interrupt() {
          task.leave(wait);
          leave?.();
          markAbandoned(waited);
          reject(task.deliver());
        },
      };
      task.enter(wait);
      if (isAbandoned(waited)) {
        takeCharge(waited);
        leave = onSettled(waited, () => {
          task.leave(wait);
          waited.then(resolve, reject);
        });
        return;
      }
      waited.then(
        (value) => {
          task.leave(wait);
          resolve(value);
        },
        (error) => {
          task.leave(wait);
          reject(error);
        },
      );
    });
  }

  /**
   * Waits for a duration.
   *
   * @param time A number: milliseconds, fractions included. A bigint: nanoseconds. As
   *        `op.timeout()` takes it.
   * @param clock The clock that measures it, `monotonic` by default: its name, or options.
   * @throws {Canceled} If the task was cancelled, or is meanwhile.
   * @throws {RangeError} If the time is negative or too far away.
   */
  override sleep(
    time: number | bigint,
    clock?: ClockName | (OperationOptions & { clock?: ClockName }),
  ): Promise<void> {
    return this.#sleep(time, clock, false);
  }

  /**
   * Waits until a point in time. Resolves at once if it has passed.
   *
   * @param time Nanoseconds, as {@linkcode Io.now} returns them.
   * @param clock The clock of that time, `monotonic` by default: its name, or options.
   * @throws {Canceled} If the task was cancelled, or is meanwhile.
   * @throws {RangeError} If the time is negative or too far away.
   * @throws {TypeError} If it is no bigint.
   */
  sleepUntil(
    time: bigint,
    clock?: ClockName | (OperationOptions & { clock?: ClockName }),
  ): Promise<void> {
    return typeof time === "bigint"
      ? this.#sleep(time, clock, true)
      : Promise.reject(new TypeError(`Expected time to be a bigint, got ${typeof time}`));
  }

  #sleep(
    time: number | bigint,
    clock: ClockName | (OperationOptions & { clock?: ClockName }) | undefined,
    absolute: boolean,
  ): Promise<void> {
    const options = typeof clock === "object" ? clock : undefined;
    const name = typeof clock === "string" ? clock : ownOption(options, "clock") ?? "monotonic";
    try {
      return runOn(this, op.timeout(time, { clock: name, absolute }), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Reads a clock.
   *
   * @param clock `realtime`: since 1970, as it is set; `monotonic`: since the
   *        system started, without the time that it was suspended; `boottime`: with
   *        that; `process`, `thread`: processor time.
   * @returns Nanoseconds. See `clock_gettime(2)`.
   */
  now(clock: ClockName | CpuClockName = "monotonic"): bigint {
    return this.#task.owner.loop.ioq.now(clock);
  }

  /** Tells how fine a clock is, in nanoseconds. See `Ioq.clockResolution()`. */
  clockResolution(clock: ClockName | CpuClockName = "monotonic"): number {
    return this.#task.owner.loop.ioq.clockResolution(clock);
  }

  /**
   * Runs a function as a separate task, and cancels it if it takes too long. If the function
   * finishes all the same, its result counts. Cancelling this task cancels that one. The time
   * runs whether or not there is room in the queue.
   *
   * @param ms The time limit, in milliseconds.
   * @param fn The function. It is given its own handle; what it does through that can be
   *        cancelled.
   * @throws {Deno.errors.TimedOut} If it was cancelled for taking too long.
   * @throws {Canceled} If this task was cancelled, or is meanwhile.
   */
  async timeout<T>(ms: number, fn: (io: Io) => T | PromiseLike<T>): Promise<T> {
    checkMs(ms, "ms");
    const task = this.#task;
    const { deadlines, startChild } = task.owner;
    let work: Future<T> | undefined;
    let ended: "late" | "interrupted" | undefined;
    const end = (why: "late" | "interrupted") => {
      ended ??= why;
      work?.cancel();
    };
    // Before the work begins, which may be stopped while it starts
    const wait: Wait = { interrupt: () => end("interrupted") };
    const deadline = new Deadline(ms, () => end("late"));
    task.enter(wait);
    deadlines.add(deadline);
    try {
      work = startChild(fn);
      if (ended !== undefined) {
        work.cancel();
      }
      return await work;
    } catch (error) {
      if (work === undefined || !isCanceled(error)) {
        throw error;
      }
      if (ended === "late") {
        throw new Deno.errors.TimedOut(`The task took more than ${ms} ms`);
      }
      throw ended === "interrupted" ? task.deliver() : error;
    } finally {
      deadlines.remove(deadline);
      task.leave(wait);
    }
  }

  /**
   * A group of tasks that belongs to this one: waiting for it is a cancellation point that
   * cancels the members, and it works while the loop closes.
   */
  group(): TaskScope<Io> {
    return this.#task.owner.group(this.#task);
  }

  /**
   * Reads many files. Each `next()` is a cancellation point: if the task is cancelled, the
   * iteration ends with it, also while it waits for a path.
   */
  override readFiles<S extends FileSource>(
    paths: Iterable<S> | AsyncIterable<S>,
    options?: ReadFilesOptions,
  ): AsyncIterableIterator<FileContents<PathOf<S>>> {
    const files = super.readFiles(paths, options);
    return {
      next: async () => {
        try {
          return await this.await(files.next());
        } catch (error) {
          await files.return!();
          throw error;
        }
      },
      return: () => files.return!(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Make a file, or empty it if it exists, for reading and writing.
   *
   * @param path The file.
   * @param options Whether only to write, to keep what is in it, to refuse one that
   *        exists; a lock.
   */
  createFile(path: Path, options?: CreateFileOptions & OperationOptions): Promise<LoopFile> {
    return createFile(this, path, options);
  }

  /**
   * Open a file. Options as `Deno.open`'s and a lock; `{ read: true }` by default.
   *
   * @param path The file.
   */
  override openFile(
    path: Path,
    options?: OpenLoopFileOptions & OperationOptions,
  ): Promise<LoopFile> {
    return openLoopFile(this, path, options);
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed(
      "Io",
      { cancelRequested: this.cancelRequested, loop: this.loop },
      inspect,
      options,
    );
  }
}
