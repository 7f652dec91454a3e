// Copyright 2026 the ioq authors. MIT license.

/**
 * Workers that are terminated with files open: their descriptors are closed and their
 * locks released, as those of `Deno.FsFile` are, whatever their queues were at.
 */

import { assertEquals } from "@std/assert";
import { LANE } from "../../src/backends/open_backend.ts";
import { forEachBackend } from "../backends.ts";
import { LIBRARY, newSeed, text } from "../fixtures.ts";
import { times } from "../trust/full.ts";
import type { Plan } from "./terminated_main.ts";

forEachBackend("a Worker that is terminated has its files closed", async ({ row }) => {
  const { [LANE]: lane, ...options } = row.options as typeof row.options & { [LANE]?: null };
  const plan: Plan = {
    options,
    onThisThread: lane === null,
    library: row.library,
    seed: newSeed(),
    rounds: times(1, 60),
  };
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      `${import.meta.dirname}/terminated_main.ts`,
      JSON.stringify(plan),
    ],
    env: { IOQ_LIBRARY: LIBRARY, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  assertEquals([code, text(stderr)], [0, ""]);
});
