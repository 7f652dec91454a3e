// Copyright 2026 the ioq authors. MIT license.

/**
 * Ends at random moments: whatever a compound call is at when its queue is closed or
 * cancelled, or its signal aborted, it is told so, and nothing is left of it.
 */

import { assert, assertStrictEquals } from "@std/assert";
import type { Ioq } from "../../mod.ts";
import { isEnd } from "../../src/end.ts";
import { coreOf } from "../../src/queue/runner.ts";
import { forEachBackend, type OpenQueue } from "../backends.ts";
import {
  descriptors,
  descriptorsUnder,
  laneThreads,
  newSeed,
  randomFrom,
  TempDir,
  until,
  within,
} from "../fixtures.ts";
import { times } from "../trust/full.ts";
import { COMPOUND_CALLS, type CompoundCall } from "./compound_calls.ts";
import { CountingController } from "./counting_controller.ts";

/** How a call is ended. */
const ENDS: readonly (readonly [
  name: string,
  end: (ioq: Ioq, controller: AbortController, reason: Error) => unknown,
])[] = [
  ["close", (ioq) => void ioq.close()],
  ["cancel", (ioq) => ioq.cancelAll()],
  ["abort", (_, controller, reason) => controller.abort(reason)],
];

/** Milliseconds after which a call is ended, at the latest. */
const LONGEST_MS = 150;
const DEPTH = 64;

/** How long a call takes if it is left alone. */
async function duration(open: OpenQueue, call: CompoundCall, dir: TempDir): Promise<number> {
  await using ioq = await open({ depth: DEPTH });
  const start = performance.now();
  const signal = AbortSignal.timeout(LONGEST_MS);
  await call.run(ioq, dir, signal).catch((error) => assertStrictEquals(error, signal.reason));
  return performance.now() - start;
}

/** Let the event loop go round until so many milliseconds have passed. */
async function pass(ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const compound of COMPOUND_CALLS) {
  forEachBackend(
    `an end in the middle of ${compound.name} leaves nothing behind`,
    async ({ open }) => {
      const seed = newSeed();
      const random = randomFrom(seed);
      using dir = new TempDir();
      await compound.prepare?.(dir);
      const takesMs = await duration(open, compound, dir);
      for (let round = 0; round < times(1, 70); round++) {
        // In the short form each row ends each call in one way
        const first = Math.floor(random() * ENDS.length);
        for (const [how, end] of ENDS.slice(times(first, 0), times(first + 1, ENDS.length))) {
          const context = `${how} in round ${round} of seed ${seed}`;
          const before = descriptors().size;
          const ioq = await open({ depth: DEPTH });
          const controller = new CountingController();
          const reason = new Error("enough");
          const call = compound.run(ioq, dir, controller.signal);
          const outcome = call.then(() => undefined, (error: unknown) => ({ error }));
          await pass(takesMs * random());
          end(ioq, controller, reason);
          const settled = await within(10_000, outcome, `the call after ${context}`);
          if (settled !== undefined) {
            if (how === "abort") {
              assertStrictEquals(settled.error, reason, context);
            } else {
              assert(isEnd(settled.error), `${context}: ${settled.error}`);
            }
          }
          await within(10_000, ioq.close(), `close() after ${context}`);
          assertStrictEquals(controller.listeners, 0, `listeners after ${context}`);
          // Each promise of a request's is settled: no slot is in use
          const { slots, scopes } = coreOf(ioq);
          assertStrictEquals(slots.freeCount, DEPTH, `promises after ${context}`);
          assertStrictEquals(scopes.size, 0, `scopes after ${context}`);
          assertStrictEquals(descriptorsUnder(dir.path), 0, `descriptors after ${context}`);
          await until(() => descriptors().size <= before, `descriptors of the queue, ${context}`);
          await until(() => laneThreads() === 0, `threads after ${context}`);
        }
      }
    },
    ({ library }) => library || compound.library === undefined,
  );
}
