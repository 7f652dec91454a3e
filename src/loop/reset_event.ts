// Copyright 2026 the ioq authors. MIT license.

/**
 * Something that happens once, until it is reset.
 *
 * @module
 */

import { type Inspect, printed } from "./inspect.ts";
import { type Io, taskOf } from "./io.ts";
import { WaitQueue } from "./wait_queue.ts";

/**
 * A flag that tasks wait for until it is set.
 *
 * @category Taking turns
 *
 * @example
 * ```ts
 * import { EventLoop, ResetEvent } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const started = new ResetEvent();
 * const waiting = loop.async((io) => started.wait(io));
 * started.set();
 * await waiting;
 * ```
 */
export class ResetEvent {
  readonly #line = new WaitQueue();
  #isSet = false;

  /** Whether it is set. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /**
   * Waits until it is set. Resolves at once if it is.
   *
   * @param io The task's handle.
   * @throws {Canceled} If the task was cancelled, or is while it waits.
   */
  wait(io: Io): Promise<void> {
    const task = taskOf(io);
    return task.refuse() ?? (this.#isSet ? Promise.resolve() : this.#line.wait(task));
  }

  /** Sets it. All tasks that wait go on. */
  set(): void {
    this.#isSet = true;
    while (this.#line.grant());
  }

  /** Clears it. */
  reset(): void {
    this.#isSet = false;
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](inspect?: Inspect, options?: Deno.InspectOptions): string {
    return printed("ResetEvent", { isSet: this.isSet }, inspect, options);
  }
}
