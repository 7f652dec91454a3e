// Copyright 2026 the ioq authors. MIT license.

/**
 * Who waits for whom: how late the event loop's timers are beside much that is in
 * flight, and how long a `stat` takes beside what waits or works.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { onDisk } from "../places.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { delayCases, delayGoals } from "./waiting/event_loop.ts";
import { slowestStatCase, STAT } from "./waiting/slowest_stat.ts";

const DEPTHS = [1, 64, 256, 1024, 10_000];
const QUICK_DEPTHS = [64];

const GOALS: readonly Goal[] = [
  ...delayGoals(DEPTHS),
  ...["held flocks", "idle FIFOs", "looping nops", "reads of 1 MiB"].map((it) => ({
    group: STAT,
    subject: `ioq, beside ${it}`,
    inFlight: [40],
    atLeast: 1e9 / 50e6,
    asTime: true,
  })),
];

async function openWaiting({ quick }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path } = onDisk(stack);
  const large = `${path}/large`;
  Deno.writeFileSync(large, new Uint8Array(64 * 1024 * 1024).fill(1));
  const ioq = stack.use(await Ioq.open());
  const file = stack.use(await ioq.openFile(large));
  const cases = [
    ...(quick ? QUICK_DEPTHS : DEPTHS).flatMap((inFlight) =>
      delayCases({ ioq, file, path: large, inFlight, watchMs: quick ? 60 : 250 })
    ),
    slowestStatCase({ ioq, file, directory: path, watchMs: quick ? 60 : 500 }),
  ];
  const made = stack.move();
  return {
    notes: {
      [STAT]: "the slowest of those that follow each other for half a second; at most 2 s",
    },
    backend: ioq.backend,
    // Those of one table together
    cases: cases.toSorted((a, b) =>
      groupsOf(cases).indexOf(a.group) - groupsOf(cases).indexOf(b.group)
    ),
    goals: quick ? [] : GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

function groupsOf(cases: readonly { readonly group: string }[]): string[] {
  return [...new Set(cases.map(({ group }) => group))];
}

/** The suite. */
export const waiting: Suite = {
  name: "waiting",
  summary: "the event loop's delay, and the slowest stat, beside what waits or works",
  open: openWaiting,
};
