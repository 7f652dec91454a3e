// Copyright 2026 the ioq authors. MIT license.

/**
 * Walks with nothing cached, which takes root: every cache of the kernel's is dropped
 * before each.
 *
 * @module
 */

import type { Run, Runner, Timed } from "../../harness.ts";
import { runCommand } from "./commands.ts";

const DROP_CACHES = "/proc/sys/vm/drop_caches";

/** Why the caches cannot be dropped here, if so. */
export function whyNotCold(): string | undefined {
  try {
    using _ = Deno.openSync(DROP_CACHES, { write: true });
    return undefined;
  } catch (error) {
    return `the kernel's caches cannot be dropped: ${(error as Error).message}`;
  }
}

/** Drop all that the kernel has cached. */
export async function dropCaches(): Promise<void> {
  await runCommand("sync", []);
  Deno.writeTextFileSync(DROP_CACHES, "3");
}

/** A run with nothing cached. */
function whenCold(run: Run): Run {
  return async (count) => {
    let ms = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      await dropCaches();
      const start = performance.now();
      const result = await run(1);
      ms += performance.now() - start;
      sum += typeof result === "number" ? result : result.sum;
    }
    return { ms, sum } satisfies Timed;
  };
}

/** Have runners run with nothing cached, or be missing for a reason. */
export function whenAllCold(runners: readonly Runner[], missing: string | undefined): Runner[] {
  return runners.map((it) => {
    if (missing !== undefined) {
      return { ...it, run: { missing } };
    }
    return typeof it.run === "function" ? { ...it, run: whenCold(it.run) } : it;
  });
}
