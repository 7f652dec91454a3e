// Copyright 2026 the ioq authors. MIT license.

/**
 * What runs requests as promises: a queue, or what stands before one. Files and
 * whatever takes several operations are built on this.
 *
 * @module
 */

import type { CachedReader } from "./cached_reads.ts";
import type { Request } from "../operations/request.ts";
import type { OpName, OpValues } from "../operations/values.ts";

/** Options of every operation's promise form. */
export interface OperationOptions {
  /** Cancels the operation; its promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Milliseconds that the operation may take, waiting in line included; a fraction is
   * fine. Then its promise rejects with `Deno.errors.TimedOut`, and the operation is
   * cancelled: on a ring by the kernel itself (`IORING_OP_LINK_TIMEOUT`). What cannot
   * be cancelled any more may yet have its effect, and keeps its place in the queue
   * until it is over. Of what takes several operations, each has that long.
   *
   * @default {Infinity}
   */
  timeoutMs?: number;
}

/**
 * Key of the queue's method that aborts promise forms by their requests, for the
 * library itself: cheaper than a signal for each of many.
 */
export const ABORT: unique symbol = Symbol("ioq.abort");

/**
 * Key of the queue's method that gives what runs requests at once, past the queue, for
 * the library itself.
 */
export const SYNCHRONOUS: unique symbol = Symbol("ioq.synchronous");

/** Key of the queue that promise forms go through, for the library itself. */
export const QUEUE: unique symbol = Symbol("ioq.queue");

/**
 * Key of an option of `run()`, for the library itself: an object whose `cancel` it sets
 * to a function that cancels the request as `Ioq.cancel()` does: unlike an abort, it
 * rejects only when the request is over, and not if that was too late.
 */
export const ON_CANCEL: unique symbol = Symbol("ioq.onCancel");

/** See the module; {@linkcode PromiseForms} says what the members do. */
export interface Runner extends CachedReader {
  run<K extends OpName>(request: Request<K>, options?: OperationOptions): Promise<OpValues[K]>;
  [ABORT](requests: ReadonlySet<Request>, reason: unknown): void;
  [SYNCHRONOUS](): object;
  readonly [QUEUE]: object;
}

/** What of options holds for each operation of several. */
export function limitsOf({ signal, timeoutMs }: OperationOptions): OperationOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
