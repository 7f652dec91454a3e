// Copyright 2026 the ioq authors. MIT license.

/**
 * Completions as the stream hands them out.
 *
 * @module
 */

import type { OpName, OpValues } from "../operations/values.ts";

/**
 * What became of a request: a value, whose type follows from `op`, or an error.
 *
 * @typeParam T What was passed to `submit()` beside the request.
 * @category Queue
 */
export type Completion<T = unknown> = {
  [K in OpName]:
    | {
      /** What `submit()` returned. */
      readonly id: number;
      /** The operation. */
      readonly op: K;
      /** What was passed to `submit()` beside the request. */
      readonly data: T;
      /** It succeeded. */
      readonly ok: true;
      /** What it resolved to. */
      readonly value: OpValues[K];
    }
    | {
      /** What `submit()` returned. */
      readonly id: number;
      /** The operation. */
      readonly op: K;
      /** What was passed to `submit()` beside the request. */
      readonly data: T;
      /** It failed. */
      readonly ok: false;
      /** Why: one of Deno's errors, `Deno.errors.Interrupted` if it was cancelled. */
      readonly error: Error;
    };
}[OpName];
