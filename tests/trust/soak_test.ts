// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { newSeed } from "../fixtures.ts";
import { soak } from "./soak.ts";

forEachBackend(
  "whatever is asked of it, a queue does what the model says",
  async ({ t, open, row }) => {
    const seed = newSeed();
    const requests = row.nativeThreads ? 20_000 : 10_000;
    await t.step(`seed ${seed}`, async () => {
      const figures = await soak(open, seed, requests);
      assertEquals(
        figures.succeeded + figures.failed + figures.interrupted + figures.aborted +
          figures.timedOut + figures.unsupported,
        figures.requests,
      );
      assert(figures.succeeded > requests / 4 && figures.queues > 1, JSON.stringify(figures));
      for (
        const key of ["failed", "interrupted", "aborted", "refused", "cancelled"] as const
      ) {
        assert(figures[key] > 0, `${key} never happened`);
      }
      if (row.nativeThreads) {
        assert(figures.timedOut > 0 && figures.resized > 0, JSON.stringify(figures));
      }
    });
  },
);
