// Copyright 2026 the ioq authors. MIT license.

/**
 * The options of opening a queue, submitting a request, and closing a queue: types alone, which
 * take no program any time to load.
 *
 * @module
 */

import type { BackendKind } from "../backends/backend.ts";

/**
 * Options of {@linkcode Ioq.open}.
 *
 * @category Queue
 */
export interface IoqOptions {
  /**
   * How many requests the queue accepts whose completions were not consumed: 1 to 65536.
   *
   * @default {1024}
   */
  depth?: number;
  /**
   * The most worker threads: 1 to 256. They start when there is something to do: for
   * what is cached one fewer than there are processors, more while those wait for slow
   * devices or servers. Of Web Workers, where those have to do, there are no more than 16.
   *
   * @default {128}
   */
  threads?: number;
  /**
   * What runs the requests: `uring`, io_uring on this thread with worker threads beside it;
   * `threads`, worker threads alone; `worker`, Web Workers; `auto`, `uring` if it can be set up, else
   * `worker`.
   *
   * @default {"auto"}, or the environment variable `IOQ_BACKEND` if it may be read
   */
  backend?: "auto" | BackendKind;
  /**
   * The file of the native library.
   *
   * @default The environment variable `IOQ_LIBRARY` if it may be read, else the local build,
   * else the one that comes with the package (Linux with glibc 2.31 or newer, x86-64 and arm64)
   */
  library?: string | URL;
  /**
   * Whether to accept requests of `op.rawSqe()`, which can do anything that io_uring can do, also
   * to the process's memory. It needs all permissions. The ring is then not restricted to the
   * opcodes that the library uses.
   *
   * @default {false}
   */
  unsafeRawSqe?: boolean;
}

/**
 * Options of {@linkcode Ioq.submit}.
 *
 * @category Queue
 */
export interface SubmitOptions {
  /**
   * Cancels the request. It completes at once, with the signal's reason if that is an `Error`, else
   * with a `Deno.errors.Interrupted` whose `cause` is the reason. It keeps its place in the
   * queue until the kernel has finished with it.
   */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the request may take. After that it is cancelled and completes with
   * `Deno.errors.TimedOut`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
}

/**
 * The parameters of {@linkcode Ioq.submit} after the request: data that comes back with its
 * completion, and options.
 *
 * @typeParam T The queue's type of data.
 * @category Queue
 */
export type SubmitArguments<T> = undefined extends T ? [data?: T, options?: SubmitOptions]
  : [data: T, options?: SubmitOptions];

/**
 * Options of {@linkcode Ioq.close}.
 *
 * @category Queue
 */
export interface CloseOptions {
  /**
   * Milliseconds to wait for what is in flight: `Infinity` for as long as it takes.
   *
   * @default {10000}
   */
  timeoutMs?: number;
}
