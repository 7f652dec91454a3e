// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue as a loop of callbacks: a function for each request, and `run()` until
 * nothing is left. It is a thin layer over the queue's stream, for programs that are
 * built that way; tasks are the better tool where there is a choice.
 *
 * @module
 */

import type { Completion } from "../queue/completion.ts";
import { Ioq } from "../ioq.ts";
import type { IoqOptions } from "../queue/queue_options.ts";
import type { IoqRequest } from "../operations/request.ts";

/**
 * What is called when a request is complete.
 *
 * @category Tasks
 */
export type CompletionCallback = (completion: Completion<CompletionCallback>) => void;

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
  /** The queue. Its stream is the loop's; its promise forms are anybody's. */
  readonly ioq: Ioq<CompletionCallback>;
  #running = false;
  #quitting = false;
  #closing: Promise<void> | undefined;

  /**
   * Run callbacks over a queue whose stream nobody else consumes.
   *
   * @param ioq The queue; {@linkcode CallbackLoop.close} closes it.
   */
  constructor(ioq: Ioq<CompletionCallback>) {
    this.ioq = ioq;
  }

  /** Open a queue for it. Options and errors are those of `Ioq.open()`. */
  static async open(options?: IoqOptions): Promise<CallbackLoop> {
    return new CallbackLoop(await Ioq.open(options));
  }

  /**
   * Submit a request. Errors are those of `Ioq.submit()`: most of all
   * `Deno.errors.WouldBlock`, if the queue is full.
   *
   * @param request What to do, made by `op`.
   * @param callback What to call when it is complete, by {@linkcode CallbackLoop.run}.
   * @returns The request's id, for `ioq.cancel(id)`.
   */
  submit(request: IoqRequest, callback: CompletionCallback): number {
    if (typeof callback !== "function") {
      throw new TypeError(`Expected callback to be a function, got ${typeof callback}`);
    }
    return this.ioq.submit(request, callback);
  }

  /**
   * Call back for what completes, until nothing is in flight or someone quits. What a
   * callback throws ends it as well; the rest is there for the next run.
   *
   * @returns Whether nothing was left: false if someone quit or closed it.
   * @throws {Deno.errors.Busy} If it is running already.
   */
  async run(): Promise<boolean> {
    if (this.#running) {
      throw new Deno.errors.Busy("Cannot run a loop that is running");
    }
    this.#running = true;
    try {
      if (this.#quitting) {
        return false;
      }
      for await (const completion of this.ioq) {
        if (this.#closing === undefined) {
          completion.data(completion);
        }
        if (this.#quitting || this.#closing !== undefined) {
          return false;
        }
      }
      return true;
    } finally {
      this.#running = false;
      this.#quitting = false;
    }
  }

  /**
   * Have {@linkcode CallbackLoop.run} return after the callback that calls this. If it
   * does not run, the next run returns at once.
   */
  quit(): void {
    this.#quitting = true;
  }

  /** Cancel what is in flight, without calling back, and close the queue. */
  close(): Promise<void> {
    return this.#closing ??= this.ioq.close();
  }

  /** {@linkcode CallbackLoop.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
