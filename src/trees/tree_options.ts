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
 * What has been done so far.
 *
 * @category Many files and trees
 */
export interface TreeProgress {
  /** What was dealt with last. */
  readonly path: string;
  /** How many entries were dealt with. */
  readonly entries: number;
}

/**
 * How to go through a tree.
 *
 * @category Many files and trees
 */
export interface TreeOptions {
  /**
   * How many requests are in flight at the same time, about: 1 to 4096.
   *
   * @default {64}
   */
  concurrency?: number | undefined;
  /** Ends it; what has been done by then stays done. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that all of it may take; a fraction is fine. Then it ends with
   * `Deno.errors.TimedOut`, and what has been done by then stays done.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /**
   * What to do about what fails: end with its error, pass over it, or tell, and go
   * on. A function that throws ends it with what it throws.
   *
   * @default {"throw"}
   */
  onError?: "throw" | "skip" | ((error: Error, path: string) => void) | undefined;
  /** Called for each entry that was dealt with, soon after it was. */
  onProgress?: ((progress: TreeProgress) => void) | undefined;
  /**
   * The queue to use, or a task's handle (`Io`): what is done belongs to that task then, and
   * is cancelled with it.
   *
   * @default One that all share who name none
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
