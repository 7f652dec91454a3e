// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue that free-standing functions share when they are given none.
 *
 * @module
 */

import { Ioq } from "./ioq.ts";

let opening: Promise<Ioq> | undefined;

/**
 * The shared queue, opened at first use. Being idle it keeps no process alive.
 *
 * @throws {Deno.errors.NotSupported} If no backend can be had; the next call tries again.
 */
export function defaultQueue(): Promise<Ioq> {
  opening ??= Ioq.open().catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}
