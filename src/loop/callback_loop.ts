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
 * A function that is called with the completion of a request.
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
  /** The queue. Only the loop may consume its stream; its promise forms are free to use. */
  readonly ioq: Ioq<CompletionCallback>;
  #running = false;
  #quitting = false;
  #closing: Promise<void> | undefined;

  /**
   * Runs callbacks over a queue whose stream is not consumed elsewhere.
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
    return this.ioq.submit(request, callback);
  }

  /**
   * Calls the callbacks of completed requests, until nothing is in flight or
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
   * Makes {@linkcode CallbackLoop.run} return after the current callback. If it is not running, the
   * next run returns at once.
   */
  quit(): void {
    this.#quitting = true;
  }

  /** Cancels what is in flight, without calling callbacks, and closes the queue. */
  close(): Promise<void> {
    return this.#closing ??= this.ioq.close();
  }

  /** {@linkcode CallbackLoop.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
