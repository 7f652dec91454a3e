// Copyright 2026 the ioq authors. MIT license.

/**
 * Operations that must follow one another, in the order of their calls.
 *
 *     enter() ──▶ in progress ──▶ leave()
 *                                    │
 *     wait()  ──▶ │ waits │ waits │ ◀┘ the first of them is in progress now
 *
 * Where nothing is in progress, entering costs nothing. A call that waits can be
 * aborted, and its time limit counts from the call.
 *
 * @module
 */

import { ownOption, ownOptions } from "../own_option.ts";
import { checkTimeout } from "../integer.ts";
import { timeoutError } from "../linux/errors.ts";
import type { OperationOptions } from "../queue/runner.ts";
import { checkSignal, onAbort } from "../signal.ts";

/** The longest delay that timers of the event loop take, in milliseconds. */
const DELAY_MAX = 2 ** 31 - 1;

/** A call that waits. */
interface Waiting {
  begin(): void;
}

/** Lets one operation at a time go on, in the order of their calls. */
export class CallOrder {
  #isFree = true;
  #waiting: Set<Waiting> | undefined;

  /** Whether nothing is in progress, and so nothing waits. */
  get isFree(): boolean {
    return this.#isFree;
  }

  /** Whether something waits. */
  get isContended(): boolean {
    return this.#waiting !== undefined && this.#waiting.size > 0;
  }

  /** An operation begins; there must be none in progress. */
  enter(): void {
    this.#isFree = false;
  }

  /** The operation in progress is over. */
  leave(): void {
    if (this.#waiting !== undefined) {
      for (const next of this.#waiting) {
        this.#waiting.delete(next);
        next.begin();
        return;
      }
    }
    this.#isFree = true;
  }

  /**
   * Wait until all earlier calls are over; then this one is in progress.
   *
   * @param options What ends the waiting.
   * @param what What waits, for messages.
   * @returns The options, with what is left of the time.
   */
  wait(
    options: OperationOptions | undefined,
    what: string,
  ): Promise<OperationOptions | undefined> {
    if (this.#isFree) {
      this.#isFree = false;
      return Promise.resolve(options);
    }
    return new Promise((resolve, reject) => {
      const signal = checkSignal(ownOption(options, "signal"));
      const timeoutMs = checkTimeout(ownOption(options, "timeoutMs"));
      signal?.throwIfAborted();
      const start = performance.now();
      const waiting = this.#waiting ??= new Set();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = () => {
        waiting.delete(self);
        signal?.removeEventListener("abort", abort);
        clearTimeout(timer);
      };
      const abort = () => {
        end();
        reject(signal!.reason);
      };
      const self: Waiting = {
        begin() {
          end();
          resolve(
            timeoutMs === undefined ? options : {
              ...ownOptions(options),
              timeoutMs: Math.max(0, timeoutMs - (performance.now() - start)),
            },
          );
        },
      };
      if (signal !== undefined) {
        onAbort(signal, abort);
      }
      if (timeoutMs !== undefined && timeoutMs <= DELAY_MAX) {
        timer = setTimeout(() => {
          end();
          reject(timeoutError(timeoutMs, what));
        }, timeoutMs);
      }
      waiting.add(self);
    });
  }
}
