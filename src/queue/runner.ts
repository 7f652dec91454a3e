// Copyright 2026 the ioq authors. MIT license.

/**
 * What runs requests as promises: a queue, or a task before one. Files and whatever
 * takes several operations are built on this. What they need of the queue beside is its
 * core, which nobody outside the library can reach.
 *
 * @module
 */

import { checkOwn } from "../construction.ts";
import { ownOption } from "../own_option.ts";
import type { CacheAccess } from "./cached_transfers.ts";
import type { Core } from "./core.ts";
import type { IoqRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";

/**
 * Options of every operation's promise form.
 *
 * @category Queue
 */
export interface OperationOptions {
  /** Cancels the operation; its promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the operation may take, waiting in line included; a fraction is
   * fine. Then its promise rejects with `Deno.errors.TimedOut`, and the operation is
   * cancelled: on a ring by the kernel itself (`IORING_OP_LINK_TIMEOUT`). What cannot
   * be cancelled any more may yet have its effect, and keeps its place in the queue
   * until it is over. What takes several operations has that long for all of them together.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
}

/** What a runner is based on: one object, because there is a runner for each task. */
export interface Access {
  /** The core of the queue that requests go through. */
  readonly core: Core;
  /** What transfers what is cached, past the queue and past `run()`. */
  readonly cache: CacheAccess;
  /** Runs a request for a runner that is based on this. */
  run<V>(
    runner: Runner,
    request: IoqRequest<OpName, V>,
    options: OperationOptions | undefined,
  ): Promise<V>;
}

/** The core of the queue that requests go through. */
export let coreOf: (runner: Runner) => Core;
/** What transfers for it what is cached, past the queue. */
export let cacheOf: (runner: Runner) => CacheAccess;
/**
 * Runs a request, as `run()` does. The library runs its own by this and by nothing else:
 * whoever replaces `run()` would be given requests that are not asked for again.
 */
export let runOn: <V>(
  runner: Runner,
  request: IoqRequest<OpName, V>,
  options?: OperationOptions,
) => Promise<V>;

/**
 * Runs requests as promises: a queue, or the handle of a task.
 *
 * @internal
 */
export abstract class Runner {
  readonly #access: Access;

  static {
    coreOf = (runner) => runner.#access.core;
    cacheOf = (runner) => runner.#access.cache;
    runOn = (runner, request, options) => runner.#access.run(runner, request, options);
  }

  /**
   * @param token That it is the library that makes it.
   * @param access What it is based on.
   */
  protected constructor(token: symbol, access: Access) {
    checkOwn(token);
    this.#access = access;
  }

  /** Run any request as a promise. */
  abstract run<V>(
    request: IoqRequest<OpName, V>,
    options?: OperationOptions,
  ): Promise<V>;
}

/** What of options holds for each operation of several. */
export function limitsOf(options: OperationOptions): OperationOptions {
  return {
    // Deno takes null for none
    signal: ownOption(options, "signal") || undefined,
    timeoutMs: ownOption(options, "timeoutMs"),
  };
}
