// Copyright 2026 the ioq authors. MIT license.

/**
 * How late timers of 1 ms are while much is in flight. What is told as the time of
 * one operation is that delay.
 *
 * @module
 */

import type { Ioq, IoqFile } from "@ioq/ioq";
import { type Case, type Effort, peer, subject } from "../../harness.ts";
import type { Goal } from "../../suite.ts";

const TICK_MS = 1;
/** Milliseconds of work before timers are watched. */
const WARM_MS = 50;
const EFFORT: Effort = { rounds: 3, sampleMs: 0, warmRuns: 0, verifyOperations: 0 };
const READ_LENGTH = 4096;

/** What of the delays a table tells. */
const SHARES = [["50th percentile", 0.5], ["99th percentile", 0.99], ["longest", 1]] as const;
const KINDS = ["nop", "open and close", "readAt 4 KiB", "stat"] as const;

function groupOf(kind: string, share: string): string {
  return `event-loop delay beside ${kind}, ${share}`;
}

/** Timers come in time, whatever is in flight. */
export function delayGoals(depths: readonly number[]): Goal[] {
  return KINDS.map((kind) => ({
    group: groupOf(kind, "99th percentile"),
    subject: "ioq",
    inFlight: depths,
    atLeast: 1e9 / 10e6,
    asTime: true,
  }));
}

/** How late each timer is while loops are running, in milliseconds, in order. */
async function delays(
  inFlight: number,
  watchMs: number,
  loop: (go: () => boolean) => Promise<void>,
): Promise<number[]> {
  const begin = performance.now() + WARM_MS;
  const end = begin + watchMs;
  const go = () => performance.now() < end;
  const late: number[] = [];
  let isOver = false;
  const ticking = new Promise<void>((resolve) => {
    let last = performance.now();
    const tick = () => {
      const now = performance.now();
      if (last >= begin || isOver) {
        late.push(Math.max(0, now - last - TICK_MS));
      }
      last = now;
      isOver ? resolve() : setTimeout(tick, TICK_MS);
    };
    setTimeout(tick, TICK_MS);
  });
  await Promise.all(Array.from({ length: inFlight }, () => loop(go)));
  isOver = true;
  await ticking;
  return late.sort((a, b) => a - b);
}

/** What is measured with. */
export interface DelayOptions {
  /** Our queue. */
  readonly ioq: Ioq;
  /** A file of it. */
  readonly file: IoqFile;
  /** The file's path. */
  readonly path: string;
  /** How many are in flight. */
  readonly inFlight: number;
  /** How long timers are watched. */
  readonly watchMs: number;
}

type Loop = (go: () => boolean) => Promise<void>;

function oursOf({ ioq, file, path }: DelayOptions): Record<typeof KINDS[number], Loop> {
  return {
    nop: async (go) => {
      while (go()) {
        await ioq.nop();
      }
    },
    "open and close": async (go) => {
      while (go()) {
        const opened = await ioq.openFile(path);
        await opened.close();
      }
    },
    "readAt 4 KiB": async (go) => {
      const buffer = new Uint8Array(READ_LENGTH);
      while (go()) {
        await file.readAt(buffer, 0);
      }
    },
    stat: async (go) => {
      while (go()) {
        await ioq.stat(path);
      }
    },
  };
}

function denosOf({ path }: DelayOptions): Partial<Record<typeof KINDS[number], Loop>> {
  return {
    "open and close": async (go) => {
      while (go()) {
        (await Deno.open(path)).close();
      }
    },
    "readAt 4 KiB": async (go) => {
      // It has no reads at an offset: one position for each
      using file = await Deno.open(path);
      const buffer = new Uint8Array(READ_LENGTH);
      while (go()) {
        await file.seek(0, Deno.SeekMode.Start);
        await file.read(buffer);
      }
    },
    stat: async (go) => {
      while (go()) {
        await Deno.stat(path);
      }
    },
  };
}

/** As many descriptors as an ordinary limit leaves. */
const FILES_MAX = 900;

/** The cases of a number in flight. */
export function delayCases(options: DelayOptions): Case[] {
  const { inFlight, watchMs } = options;
  const ours = oursOf(options);
  const denos = denosOf(options);
  return KINDS.flatMap((kind) => {
    // The three tables share their measurements: the first that asks for one makes it
    const runnersOf = (loop: Loop, name: string, role: typeof subject) => {
      const measured: Promise<number[]>[] = [];
      return SHARES.map(([, share]) => {
        let asked = 0;
        return role(name, async (count) => {
          measured[asked] ??= delays(inFlight, watchMs, loop);
          const late = await measured[asked++]!;
          const at = Math.min(late.length - 1, Math.floor(late.length * share));
          return { ms: late[at]! * count, sum: count };
        });
      });
    };
    const deno = denos[kind];
    const own = runnersOf(ours[kind], "ioq", subject);
    const tooMany = kind === "readAt 4 KiB" && inFlight > FILES_MAX;
    const theirs = deno === undefined || tooMany ? undefined : runnersOf(deno, "Deno", peer);
    return SHARES.map(([share], i): Case => ({
      group: groupOf(kind, share),
      inFlight,
      effort: EFFORT,
      runners: [own[i]!, ...(theirs === undefined ? [] : [theirs[i]!])],
    }));
  });
}
