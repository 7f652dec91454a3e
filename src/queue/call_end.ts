// Copyright 2026 the ioq authors. MIT license.

/**
 * The end of a call that takes several requests: its caller's signal, its time limit and the
 * end of its queue, as one signal for all of them.
 *
 *     signal ────┐
 *     timeoutMs ─┼─▶ first of them ──▶ signal of each request, and of what waits between
 *     close() ───┘
 *
 * So a time limit is one on the whole, however many requests that takes, and holds while
 * none of them is in flight.
 *
 * A call that writes for others beside it is not to leave anything in progress behind: it is
 * patient, and so are the calls that it consists of. Its requests are cancelled as any are,
 * but it is told only when they are over.
 *
 * @module
 */

import { checkTimeout } from "../integer.ts";
import { timeoutError } from "../linux/errors.ts";
import { ownOption } from "../own_option.ts";
import { checkSignal, onAbort } from "../signal.ts";
import { Deadline } from "./deadlines.ts";
import { isPatient, makePatient } from "./signals.ts";
import { coreOf, type OperationOptions, type Runner } from "./runner.ts";
import type { Scope } from "./scopes.ts";

/** Ends the requests of one call together. Dispose of it when the call is over. */
export class CallEnd implements Disposable, Scope {
  readonly context: string;
  readonly #ioq: Runner;
  readonly #given: AbortSignal | undefined;
  readonly #end = new AbortController();
  readonly #deadline: Deadline | undefined;
  readonly #onAbort = () => this.#end.abort(this.#given!.reason);

  /**
   * @param ioq What runs the call.
   * @param options The caller's.
   * @param context What is being done to what, for messages.
   * @param start When the call began, if not now, as `performance.now()` has it.
   * @throws The signal's reason, if it is aborted already.
   */
  constructor(
    ioq: Runner,
    options: OperationOptions | undefined,
    context: string,
    start?: number,
  ) {
    const timeoutMs = checkTimeout(ownOption(options, "timeoutMs"));
    this.context = context;
    this.#ioq = ioq;
    this.#given = checkSignal(ownOption(options, "signal"));
    this.#given?.throwIfAborted();
    if (isPatient(this.#given)) {
      makePatient(this.signal);
    }
    if (this.#given !== undefined) {
      onAbort(this.#given, this.#onAbort);
    }
    if (timeoutMs !== undefined) {
      const expire = () => this.#end.abort(timeoutError(timeoutMs, context));
      this.#deadline = new Deadline(timeoutMs, expire, start);
      coreOf(ioq).deadlines.add(this.#deadline);
    }
  }

  /** Aborts when the first of them has come. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** What each request is given. */
  get limits(): OperationOptions {
    return { signal: this.#end.signal };
  }

  /** Have requests end only when they are over. */
  bePatient(): this {
    makePatient(this.signal);
    return this;
  }

  cancel(reason: Error): void {
    this.#end.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#given?.removeEventListener("abort", this.#onAbort);
    if (this.#deadline !== undefined) {
      coreOf(this.#ioq).deadlines.remove(this.#deadline);
    }
  }
}

/**
 * Do something that takes several requests within one time limit, if it has one.
 *
 * @param work Does it, and is given what ends each request.
 */
export async function withinLimit<V>(
  ioq: Runner,
  options: OperationOptions | undefined,
  context: string,
  work: (limits: OperationOptions | undefined) => Promise<V>,
): Promise<V> {
  if (ownOption(options, "timeoutMs") === undefined) {
    return await work(options);
  }
  using end = new CallEnd(ioq, options, context);
  return await work(end.limits);
}
