// Copyright 2026 the ioq authors. MIT license.

/** Short storms over the event loop, on every row. `deno task storm` makes long ones. */

import { forEachBackend } from "../backends.ts";
import { newSeed } from "../fixtures.ts";
import { storm } from "./storm.ts";

forEachBackend("a storm over tasks and eight Workers leaves all as it was", async ({ open }) => {
  await using ioq = await open();
  const seed = newSeed();
  try {
    await storm(ioq, seed, { tasks: 100, workerTasks: 16, workers: 8 });
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
});
