// Copyright 2026 the ioq authors. MIT license.

/**
 * Queues that are open when their program ends.
 *
 * A program that is watched for changes is loaded anew within the same process and on the
 * same thread, and what the old one did not close would stay until the process ends: a
 * ring, threads and descriptors with each reload. The runtime tells the old program that
 * it ends by the event `unload`; by then nothing can be awaited any more.
 *
 * @module
 */

import { listen } from "../signal.ts";

/** What is open. */
export interface Unloaded {
  /** Release all that can be released at once. */
  unload(): void;
}

const open = new Set<Unloaded>();

function unloadAll(): void {
  for (const it of open) {
    it.unload();
  }
}

/** Something was opened. */
export function unloadWithProgram(it: Unloaded): void {
  if (open.size === 0) {
    listen(globalThis, "unload", unloadAll);
  }
  open.add(it);
}

/** It was closed. */
export function forgetUnloaded(it: Unloaded): void {
  open.delete(it);
  if (open.size === 0) {
    removeEventListener("unload", unloadAll);
  }
}
