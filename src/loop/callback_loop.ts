// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue as a loop of callbacks: a function for each request, and `run()` until
 * nothing is left. It is a thin layer over the queue's stream, for programs that are
 * built that way; tasks are the better tool where there is a choice.
 *
 * @module
 */

import { checkTimeout } from "../integer.ts";
import { ownOption } from "../own_option.ts";
import type { Completion } from "../queue/completion.ts";
import { Ioq } from "../ioq.ts";
import { DEFAULT_CLOSE_TIMEOUT_MS } from "../queue/closing.ts";
import { Deadline, Deadlines } from "../queue/deadlines.ts";
import type { CloseOptions, IoqOptions } from "../queue/option_types.ts";
import { Canceled, closedLoopError } from "./canceled.ts";
import type { IoqRequest } from "../operations/request.ts";
import type { WorkerTaskOptions } from "./loop.ts";
import { WorkerPool, type WorkerTask } from "./pool.ts";

/**
 * A function that is called with the completion of a request.
 *
 * @category Tasks
 */
export type CompletionCallback = (completion: Completion<CompletionCallback>) => void;

/**
 * What became of a function that ran in a Worker.
 *
 * @category Tasks
 */
export type WorkerOutcome<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

/** What a stream tells. */
type Answer = IteratorResult<Completion<CompletionCallback>> | { readonly error: unknown };

/** How many Workers compute for a loop: one a processor. */
const WORKERS = navigator.hardwareConcurrency;
/** How long a Worker is idle before it stops, in milliseconds. */
const WORKER_IDLE_MS = 10_000;

/**
 * Runs callbacks over a queue, one after the other, in the order of completions.
 *
 * @category Tasks
 *
 * @example
 * ```ts
 * import { op } from "@ioq/ioq";
 * import { CallbackLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await CallbackLoop.open();
 * loop.submit(op.stat("/etc/hosts"), (completion) => {
 *   console.log(completion.ok);
 *   loop.submit(op.nop(), () => console.log("and on"));
 * });
 * await loop.run();
 * ```
 */
export class CallbackLoop implements AsyncDisposable {
  /** The queue. Only the loop may consume its stream; its promise forms are free to use. */
  readonly ioq: Ioq<CompletionCallback>;
  #running = false;
  #quitting = false;
  #closing: Promise<void> | undefined;
  /** The queue's stream. */
  readonly #stream: AsyncIterableIterator<Completion<CompletionCallback>>;
  /** How many requests there were when the stream was asked for what is next, until it tells. */
  #asked = -1;
  /** How many requests there were. */
  #submitted = 0;
  /** What the stream told: a completion, that nothing is in flight (`done`), or an error. */
  #answer: Answer | undefined;
  /** Workers for functions that compute, once there was one. */
  #pool: WorkerPool | undefined;
  /** Functions that run in Workers, or are in line for one. */
  readonly #tasks = new Set<WorkerTask>();
  /** Callbacks of functions that are over. */
  readonly #over: (() => void)[] = [];
  /** Called when there is something to do. */
  #wake: (() => void) | undefined;

  /**
   * Runs callbacks over a queue whose stream is not consumed elsewhere.
   *
   * @param ioq The queue; {@linkcode CallbackLoop.close} closes it.
   */
  constructor(ioq: Ioq<CompletionCallback>) {
    this.ioq = ioq;
    this.#stream = ioq[Symbol.asyncIterator]();
  }

  /** Open a queue for it. Options and errors are those of `Ioq.open()`. */
  static async open(options?: IoqOptions): Promise<CallbackLoop> {
    return new CallbackLoop(await Ioq.open(options));
  }

  /**
   * Submits a request. Errors are those of `Ioq.submit()`, such as `Deno.errors.WouldBlock` if the
   * queue is full.
   *
   * @param request The request, made by `op`.
   * @param callback Called by {@linkcode CallbackLoop.run} with the completion.
   * @returns The request's id, for `ioq.cancel(id)`.
   */
  submit(request: IoqRequest, callback: CompletionCallback): number {
    if (typeof callback !== "function") {
      throw new TypeError(`Expected callback to be a function, got ${typeof callback}`);
    }
    const id = this.ioq.submit(request, callback);
    this.#submitted++;
    this.#wake?.();
    return id;
  }

  /**
   * Runs a function that computes in a Worker: the default export of a module, called as
   * `(...args)`. {@linkcode CallbackLoop.run} waits for it as for a request. There are as many
   * Workers as processors; what does not find one free waits in line.
   *
   * @param module The module: an absolute URL, such as `new URL("./work.ts", import.meta.url)`.
   * @param args Its arguments, which are cloned before this returns.
   * @param callback Called by `run()` with the outcome.
   * @param options Which of the arguments to transfer.
   * @throws {DOMException} `DataCloneError`, if an argument cannot be cloned.
   * @throws {TypeError} If `module` is no URL, or `callback` no function.
   * @throws {Deno.errors.BadResource} If the loop is closed.
   */
  async<T = unknown>(
    module: string | URL,
    args: readonly unknown[],
    callback: (outcome: WorkerOutcome<T>) => void,
    options?: WorkerTaskOptions,
  ): void {
    if (typeof callback !== "function") {
      throw new TypeError(`Expected callback to be a function, got ${typeof callback}`);
    }
    if (this.#closing !== undefined) {
      throw closedLoopError();
    }
    this.#pool ??= new WorkerPool({
      workers: WORKERS,
      workerIdleMs: WORKER_IDLE_MS,
      queue: undefined,
      shares: false,
    });
    const task = this.#pool.run(module, args, options);
    this.#tasks.add(task);
    const end = (outcome: WorkerOutcome<T>) => {
      task.end();
      this.#tasks.delete(task);
      this.#over.push(() => callback(outcome));
      this.#wake?.();
    };
    task.promise.then(
      (value) => end({ ok: true, value: value as T }),
      (error) => end({ ok: false, error }),
    );
  }

  /**
   * Calls the callbacks of completed requests and functions, until nothing is in flight or
   * {@linkcode CallbackLoop.quit} is called. An error of a callback ends the run; the remaining
   * completions are there for the next one.
   *
   * @returns Whether nothing was left: `false` after `quit()` or `close()`.
   * @throws {Deno.errors.Busy} If it is running already.
   */
  async run(): Promise<boolean> {
    if (this.#running) {
      throw new Deno.errors.Busy("Cannot run a loop that is running");
    }
    this.#running = true;
    try {
      while (!this.#quitting && this.#closing === undefined) {
        const callback = this.#over.shift();
        const answer = this.#answer;
        if (callback !== undefined) {
          callback();
        } else if (answer === undefined) {
          this.#ask();
          await this.#news();
        } else {
          this.#answer = undefined;
          if ("error" in answer) {
            throw answer.error;
          } else if (!answer.done) {
            answer.value.data(answer.value);
          } else if (this.#tasks.size === 0) {
            return true;
          } else {
            await this.#news();
          }
        }
      }
      return false;
    } finally {
      this.#running = false;
      this.#quitting = false;
    }
  }

  /** Ask the stream for what is next, if it has not been asked. */
  #ask(): void {
    if (this.#asked >= 0) {
      return;
    }
    this.#asked = this.#submitted;
    const tell = (answer: Answer | undefined) => {
      this.#asked = -1;
      this.#answer = answer;
      this.#wake?.();
    };
    this.#stream.next().then(
      // That nothing is in flight may be old by now
      (result) => tell(result.done && this.#asked !== this.#submitted ? undefined : result),
      (error) => tell({ error }),
    );
  }

  /** Wait for whatever is next. */
  async #news(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }

  /**
   * Makes {@linkcode CallbackLoop.run} return after the current callback. If it is not running, the
   * next run returns at once.
   */
  quit(): void {
    this.#quitting = true;
    this.#wake?.();
  }

  /**
   * Cancels what is in flight, without calling callbacks, and closes the queue. A function that
   * computes in a Worker cannot be interrupted: its Worker is terminated after `timeoutMs`.
   *
   * @param options How long to wait for functions, and for the queue.
   * @throws {Deno.errors.TimedOut} If Workers had to be terminated, or the queue did not close in
   *         time.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const timeoutMs = checkTimeout(ownOption(options, "timeoutMs") ?? DEFAULT_CLOSE_TIMEOUT_MS);
    return this.#closing ??= this.#close(timeoutMs, options);
  }

  /** {@linkcode CallbackLoop.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number | undefined, options: CloseOptions): Promise<void> {
    this.#wake?.();
    const closing = this.ioq.close(options);
    const pool = this.#pool;
    let late: Error | undefined;
    if (pool !== undefined) {
      pool.cancelAll();
      const deadlines = new Deadlines();
      const deadline = new Deadline(timeoutMs ?? Infinity, () => {
        deadlines.remove(deadline);
        late = new Deno.errors.TimedOut(
          `Cannot close the loop within ${timeoutMs} ms, ${
            pool.running + pool.stopping
          } functions do not end`,
        );
        pool.abandon(new Canceled("The function's Worker was terminated"));
      });
      if (timeoutMs !== undefined) {
        deadlines.add(deadline);
      }
      await Promise.allSettled([...this.#tasks].map((task) => task.promise));
      await pool.close();
      deadlines.remove(deadline);
    }
    await closing;
    if (late !== undefined) {
      throw late;
    }
  }
}
