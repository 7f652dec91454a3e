// Copyright 2026 the ioq authors. MIT license.

/**
 * Operations of a task that are awaited, limited in time and cancelled together.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { checkTimeout } from "../integer.ts";
import { ownOption } from "../own_option.ts";
import { type IoqRequest, toCoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { Deadline } from "../queue/deadlines.ts";
import { runOn } from "../queue/runner.ts";
import { isCanceled } from "./canceled.ts";
import { type Io, taskOf } from "./io.ts";
import type { SelectOptions } from "./loop.ts";

/**
 * The outcome of one operation of a {@linkcode Batch}.
 *
 * @category Tasks
 */
export type BatchResult =
  /** It succeeded. `index` is what `add()` returned for it, and `value` is its result. */
  | { readonly index: number; readonly ok: true; readonly value: unknown }
  /** It failed. `error` is what its promise form rejects with. */
  | { readonly index: number; readonly ok: false; readonly error: unknown };

/** Somebody who waits for the next outcome. */
interface Waiter {
  readonly resolve: (result: BatchResult | undefined) => void;
  readonly reject: (error: unknown) => void;
  deadline: Deadline | undefined;
}

/**
 * Any number of operations whose outcomes are taken as they come. They belong to a task and are
 * cancelled with it, or all at once by {@linkcode Batch.cancel}.
 *
 * @category Tasks
 *
 * @example The first answer of several, within a second
 * ```ts
 * import { op } from "@ioq/ioq";
 * import { Batch, EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const first = await loop.async(async (io) => {
 *   await using batch = new Batch(io);
 *   for (const path of ["/etc/hostname", "/etc/hosts"]) batch.add(op.stat(path));
 *   return await batch.next({ timeoutMs: 1000 });
 * });
 * console.log(first?.ok); // true
 * ```
 */
export class Batch implements AsyncDisposable, AsyncIterable<BatchResult> {
  readonly #io: Io;
  readonly #controller = new AbortController();
  /** Outcomes that nobody has taken yet. */
  readonly #results: BatchResult[] = [];
  /** Those who wait, while there are none. */
  readonly #waiters = new Set<Waiter>();
  /** Called when nothing is in flight. */
  readonly #onIdle: (() => void)[] = [];
  #added = 0;
  #inFlight = 0;

  /**
   * Makes an empty batch.
   *
   * @param io The handle of the task that the operations belong to.
   */
  constructor(io: Io) {
    taskOf(io);
    this.#io = io;
  }

  /** How many operations are in flight, or over without having been taken. */
  get size(): number {
    return this.#inFlight + this.#results.length;
  }

  /**
   * Starts an operation.
   *
   * @param request What to do, made by `op`.
   * @returns Its index: 0 for the first, then 1, and so on.
   * @throws {Deno.errors.BadResource} After {@linkcode Batch.cancel}.
   * @throws {TypeError} If it is no request that `op` made.
   */
  add(request: IoqRequest<OpName>): number {
    const { signal } = this.#controller;
    if (signal.aborted) {
      throw new Deno.errors.BadResource("Cannot add to a batch that was cancelled");
    }
    // What is none is refused before it counts
    toCoreRequest(request);
    const index = this.#added++;
    this.#inFlight++;
    runOn<unknown>(this.#io, request, { signal }).then(
      (value) => this.#end({ index, ok: true, value }),
      (error) => this.#end({ index, ok: false, error }),
    );
    return index;
  }

  /**
   * Takes the next outcome, in the order in which operations end.
   *
   * @param options How long to wait for it. The operations go on after that.
   * @returns The outcome; `undefined` if nothing is in flight and all have been taken.
   * @throws {Deno.errors.TimedOut} If none ended in time.
   * @throws {Canceled} If the task was cancelled, and an operation with it.
   */
  // deno-lint-ignore require-await
  async next(options: SelectOptions = {}): Promise<BatchResult | undefined> {
    const timeoutMs = checkTimeout(ownOption(options, "timeoutMs"));
    const result = this.#results.shift();
    if (result !== undefined) {
      return outcome(result);
    }
    if (this.#inFlight === 0) {
      return undefined;
    }
    const { deadlines } = taskOf(this.#io).owner;
    return new Promise<BatchResult | undefined>((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, deadline: undefined };
      if (timeoutMs !== undefined) {
        waiter.deadline = new Deadline(timeoutMs, () => {
          deadlines.remove(waiter.deadline!);
          this.#waiters.delete(waiter);
          reject(new Deno.errors.TimedOut(`No operation ended within ${timeoutMs} ms`));
        });
        deadlines.add(waiter.deadline);
      }
      this.#waiters.add(waiter);
    });
  }

  /** Takes all outcomes, as they come. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<BatchResult> {
    for (let result; (result = await this.next()) !== undefined;) {
      yield result;
    }
  }

  /**
   * Cancels the operations in flight, in the kernel, and waits for their end. Operations that
   * succeeded all the same, and those that ended before, can still be taken.
   */
  async cancel(): Promise<void> {
    this.#controller.abort();
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
  }

  /** {@linkcode Batch.cancel}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }

  /** An operation is over. */
  #end(result: BatchResult): void {
    this.#inFlight--;
    const [first] = this.#waiters;
    if (first === undefined) {
      this.#results.push(result);
    } else {
      this.#leave(first);
      try {
        first.resolve(outcome(result));
      } catch (error) {
        first.reject(error);
      }
    }
    if (this.#inFlight === 0) {
      for (const waiter of [...this.#waiters]) {
        this.#leave(waiter);
        waiter.resolve(undefined);
      }
      for (const resolve of this.#onIdle.splice(0)) {
        resolve();
      }
    }
  }

  #leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (waiter.deadline !== undefined) {
      taskOf(this.#io).owner.deadlines.remove(waiter.deadline);
    }
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("Batch", { size: this.size }, inspect, options);
  }
}

/**
 * What to give of an operation that is over.
 *
 * @throws {Canceled} If it ended with the task.
 */
function outcome(result: BatchResult): BatchResult {
  if (!result.ok && isCanceled(result.error)) {
    throw result.error;
  }
  return result;
}
