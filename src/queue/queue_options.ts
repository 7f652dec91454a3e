// Copyright 2026 the ioq authors. MIT license.

/**
 * What a queue may be told when it is opened, when a request is submitted, and when it
 * is closed.
 *
 * @module
 */

import { DEPTH_MAX, LANES_MAX } from "../../ffi/layout.ts";
import type { BackendKind } from "../backends/backend.ts";
import { type BackendChoice, chooseBackend, LANE } from "../backends/open_backend.ts";
import { checkInteger } from "../integer.ts";
import { ownOptions } from "../own_option.ts";
import { pathText, toPath } from "../path.ts";
import { checkAll } from "../permissions.ts";

const DEFAULT_DEPTH = 1024;
const DEFAULT_THREADS = 16;

/**
 * How to open a queue.
 *
 * @category Queue
 */
export interface IoqOptions {
  /**
   * How many requests may be accepted and not yet consumed: 1 to 65536.
   *
   * @default {1024}
   */
  depth?: number;
  /**
   * The most worker threads: 1 to 64. One fewer than there are processors run all
   * the time; the others step in while those are held up by slow devices.
   *
   * @default {16}
   */
  threads?: number;
  /**
   * What runs the requests: `uring`, a ring on this thread with worker threads
   * beside it; `threads`, worker threads alone; `auto`, the best there is.
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
   * Whether to take requests of `op.rawSqe()`, with which anything can be done that
   * io_uring can do, also to the process's memory. Needs all permissions; the ring is
   * then not restricted to the opcodes that the library uses itself.
   *
   * @default {false}
   */
  unsafeRawSqe?: boolean;
}

/**
 * What {@linkcode Ioq.submit} takes after the request: what is to come back with its
 * completion, and options.
 *
 * @typeParam T The queue's type of data.
 * @category Queue
 */
export type SubmitArguments<T> = undefined extends T ? [data?: T, options?: SubmitOptions]
  : [data: T, options?: SubmitOptions];

/**
 * How to submit a request.
 *
 * @category Queue
 */
export interface SubmitOptions {
  /**
   * Cancels the request, which completes at once with the signal's reason if that is an
   * `Error`, as it is unless somebody chose another, else with a
   * `Deno.errors.Interrupted` whose `cause` it is. It keeps its place in the queue until
   * the kernel has let go of it.
   */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the request may take. Then it completes with
   * `Deno.errors.TimedOut` and is cancelled, see `OperationOptions`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
}

/**
 * How to close a queue.
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

/**
 * Check how a queue is to be opened.
 *
 * @throws {TypeError} If an option is of a wrong type.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Deno.errors.NotCapable} If raw SQEs are asked for without all permissions.
 */
export function checkOptions(options: IoqOptions): BackendChoice {
  const own = ownOptions(options);
  const { depth = DEFAULT_DEPTH, threads = DEFAULT_THREADS, library } = own;
  checkInteger(depth, "depth", 1, DEPTH_MAX);
  checkInteger(threads, "threads", 1, LANES_MAX);
  const { unsafeRawSqe: rawSqe = false } = own;
  if (typeof rawSqe !== "boolean") {
    throw new TypeError(`Expected unsafeRawSqe to be a boolean, got ${typeof rawSqe}`);
  }
  if (rawSqe) {
    checkAll("unsafeRawSqe");
  }
  return {
    backend: chooseBackend(own.backend),
    depth,
    threads,
    rawSqe,
    library: library === undefined ? undefined : pathText(toPath(library, "dlopen")),
    module: (own as { [LANE]?: URL | null })[LANE],
  };
}
