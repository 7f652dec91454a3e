// Copyright 2026 the ioq authors. MIT license.

/**
 * How to go through a tree.
 *
 * @module
 */

import { checkGivenQueue, sharedQueue } from "../default_queue.ts";
import { ownOption } from "../own_option.ts";
import type { PromiseForms } from "../forms.ts";

/**
 * How far the work on a tree has come.
 *
 * @category Many files and trees
 */
export interface TreeProgress {
  /** The path of the entry that was processed last. */
  readonly path: string;
  /** How many entries have been processed. */
  readonly entries: number;
}

/**
 * Options of {@linkcode removeTree}, and of {@linkcode copyTree} with more.
 *
 * @category Many files and trees
 */
export interface TreeOptions {
  /**
   * About how many requests are in flight at the same time: 1 to 4096.
   *
   * @default {64}
   */
  concurrency?: number | undefined;
  /** Stops the work. What has been done by then stays done. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the whole work may take, possibly with a fraction. After that it ends with
   * `Deno.errors.TimedOut`. What has been done by then stays done.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /**
   * What to do about an error: reject with it, skip the entry, or skip it and call a function. If
   * the function throws, the work ends with what it throws.
   *
   * @default {"throw"}
   */
  onError?: "throw" | "skip" | ((error: Error, path: string) => void) | undefined;
  /** Called for each entry soon after it was processed. */
  onProgress?: ((progress: TreeProgress) => void) | undefined;
  /**
   * The queue to use, or a task's handle (`Io`). With a handle, the work belongs to that task and
   * is cancelled with it.
   *
   * @default The shared queue
   */
  ioq?: PromiseForms | undefined;
}

/** The names of {@linkcode TreeOptions}. */
export const TREE_OPTIONS: readonly string[] = [
  "concurrency",
  "signal",
  "timeoutMs",
  "onError",
  "onProgress",
  "ioq",
];

/**
 * Gives the queue that options name, or else the one that all share.
 *
 * @throws {TypeError} If they name what is no queue.
 */
export function queueOf(options: TreeOptions): () => PromiseForms | Promise<PromiseForms> {
  const given = checkGivenQueue(ownOption(options, "ioq"));
  return () => given ?? sharedQueue();
}
