// Copyright 2026 the ioq authors. MIT license.

/**
 * How long the event loop is kept waiting while much is read.
 *
 * @module
 */

import type { IoqFile } from "@ioq/ioq";
import { readFileSync } from "node:fs";
import { type Case, peer, type Run, subject, type Timed } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";

/** Its table. */
export const DELAY = "event-loop delay, 99th percentile, reading 64 × 1 MiB";
const CHUNK = 1024 * 1024;

/** Milliseconds of work before timers are watched. */
const WARM_MS = 300;

/** Timers of this many milliseconds that come late tell how long the event loop was busy. */
const TICK_MS = 1;

/**
 * How late timers are, at the 99th percentile, while work goes on. What is reported
 * as the time of one operation is that delay.
 */
function delayOf(work: (go: () => boolean) => Promise<void> | void, sampleMs: number): Run {
  return async (count): Promise<Timed> => {
    let isOver = false;
    // What others left for the collector is not this one's delay
    const begin = performance.now() + WARM_MS;
    const end = begin + sampleMs;
    const late: number[] = [];
    const ticking = new Promise<void>((resolve) => {
      let last = performance.now();
      const tick = () => {
        const now = performance.now();
        if (last >= begin) {
          late.push(Math.max(0, now - last - TICK_MS));
        }
        last = now;
        if (isOver) {
          resolve();
        } else {
          setTimeout(tick, TICK_MS);
        }
      };
      setTimeout(tick, TICK_MS);
    });
    while (performance.now() < end) {
      await work(() => performance.now() < end);
      // So that even what never waits lets a timer fire
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    isOver = true;
    await ticking;
    late.sort((a, b) => a - b);
    return { ms: late[Math.floor(late.length * 0.99)]! * count, sum: count };
  };
}

/** 64 reads of 1 MiB in flight all the time. */
async function read64(
  file: IoqFile,
  buffers: Uint8Array<ArrayBuffer>[],
  go: () => boolean,
): Promise<void> {
  let next = 0;
  const unused = [...buffers];
  await sideBySide(buffers.length, async () => {
    const buffer = unused.pop()!;
    while (go()) {
      await file.readAt(buffer, (next++ % 1024) * CHUNK);
    }
    return 0;
  });
}

/** Read from the large file, and from as many files of 1 MiB as are in flight. */
export function delayCase(cached: IoqFile, mebibytes: readonly string[]): Case {
  // So long that a handful of timers in it are later than the 99th percentile says
  const sampleMs = 1500;
  const buffers = Array.from({ length: 64 }, () => new Uint8Array(CHUNK));
  return {
    group: DELAY,
    inFlight: 64,
    effort: { rounds: 3, sampleMs: 0, warmRuns: 1 },
    runners: [
      subject("promise", delayOf((go) => read64(cached, buffers, go), sampleMs)),
      peer(
        "Deno.readFile",
        delayOf(async () => {
          await Promise.all(mebibytes.map((path) => Deno.readFile(path)));
        }, sampleMs),
      ),
      peer(
        "readFileSync",
        delayOf(() => mebibytes.forEach((path) => readFileSync(path)), sampleMs),
      ),
    ],
  };
}
