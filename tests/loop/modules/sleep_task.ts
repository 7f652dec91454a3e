// Copyright 2026 the ioq authors. MIT license.

import type { Io } from "@ioq/ioq/loop";

/** Sleeps; a cancellation is passed on, or kept for itself. */
export default async function (io: Io, ms: number, keep: boolean): Promise<string> {
  try {
    await io.sleep(ms);
    return "slept";
  } catch (error) {
    if (keep) {
      return "kept";
    }
    throw error;
  }
}
