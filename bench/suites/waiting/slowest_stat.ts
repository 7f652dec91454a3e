// Copyright 2026 the ioq authors. MIT license.

/**
 * How long the slowest of many `stat`s takes, one after the other, beside what waits
 * for somebody else or keeps the queue busy.
 *
 * @module
 */

import type { Ioq, IoqFile } from "@ioq/ioq";
import { type Case, type Effort, peer, type Run, subject } from "../../harness.ts";
import { runCommand } from "../walk/commands.ts";

/** Its table. */
export const STAT = "the slowest stat";
/** How many wait or work. */
const BESIDE = 40;
/** When a stat counts as one that never comes. */
const LIMIT_MS = 2000;
const CHUNK = 1024 * 1024;
const EFFORT: Effort = { rounds: 2, sampleMs: 0, warmRuns: 0, verifyOperations: 0 };

/** What is measured with. */
export interface StatOptions {
  /** Our queue. */
  readonly ioq: Ioq;
  /** A file of 64 MiB. */
  readonly file: IoqFile;
  /** Where files can be made. */
  readonly directory: string;
  /** How long stats follow each other. */
  readonly watchMs: number;
}

/** Something that goes on until the signal comes. */
type Beside = (signal: AbortSignal) => Promise<unknown>;

/** The slowest of stats that follow each other, while something goes on beside. */
function slowest(
  stat: () => Promise<unknown>,
  watchMs: number,
  beside: Beside,
): Run {
  return async (count) => {
    const end = new AbortController();
    const besides = beside(end.signal);
    // What goes on begins first
    await new Promise((resolve) => setTimeout(resolve, 10));
    let worst = 0;
    const until = performance.now() + watchMs;
    while (performance.now() < until) {
      const start = performance.now();
      const pending = stat();
      let timer;
      const limit = new Promise((resolve) => timer = setTimeout(resolve, LIMIT_MS));
      await Promise.race([pending, limit]);
      clearTimeout(timer);
      const ms = performance.now() - start;
      worst = Math.max(worst, ms);
      if (ms >= LIMIT_MS) {
        end.abort();
        await pending;
      }
    }
    end.abort();
    await besides;
    return { ms: worst * count, sum: count };
  };
}

/** Run so many side by side until they end or are aborted. */
async function many(one: () => Promise<unknown>): Promise<void> {
  await Promise.allSettled(Array.from({ length: BESIDE }, one));
}

/** The rows. */
export function slowestStatCase({ ioq, file, directory, watchMs }: StatOptions): Case {
  const path = `${directory}/stat`;
  const locked = `${directory}/locked`;
  Deno.writeTextFileSync(path, "");
  Deno.writeTextFileSync(locked, "");
  const stat = () => ioq.stat(path);

  const flocks: Beside = async (signal) => {
    using holder = await Deno.open(locked, { read: true, write: true });
    holder.lockSync(true);
    await many(async () => {
      await using waiting = await ioq.openFile(locked, { read: true, write: true });
      await waiting.lock(true, { signal });
    });
  };
  let fifos = 0;
  const idleFifos: Beside = async (signal) => {
    const name = `${directory}/fifo${fifos++}_`;
    await runCommand("mkfifo", Array.from({ length: BESIDE }, (_, i) => `${name}${i}`), 0);
    let next = 0;
    await many(async () => {
      // Opened for both, so that the opening does not wait
      await using fifo = await ioq.openFile(`${name}${next++}`, { read: true, write: true });
      await fifo.read(new Uint8Array(1), { signal });
    });
  };
  const nops: Beside = (signal) =>
    many(async () => {
      while (!signal.aborted) {
        await ioq.nop();
      }
    });
  const reads: Beside = (signal) =>
    many(async () => {
      const buffer = new Uint8Array(CHUNK);
      for (let i = 0; !signal.aborted; i++) {
        await file.readAt(buffer, (i % 64) * CHUNK);
      }
    });
  const denoReads: Beside = (signal) =>
    many(async () => {
      using deno = await Deno.open(`${directory}/large`);
      const buffer = new Uint8Array(CHUNK);
      for (let i = 0; !signal.aborted; i++) {
        await deno.seek((i % 64) * CHUNK, Deno.SeekMode.Start);
        await deno.read(buffer);
      }
    });
  const nothing: Beside = () => Promise.resolve();
  return {
    group: STAT,
    inFlight: BESIDE,
    effort: EFFORT,
    runners: [
      subject("ioq, beside nothing", slowest(stat, watchMs, nothing)),
      subject("ioq, beside held flocks", slowest(stat, watchMs, flocks)),
      subject("ioq, beside idle FIFOs", slowest(stat, watchMs, idleFifos)),
      subject("ioq, beside looping nops", slowest(stat, watchMs, nops)),
      subject("ioq, beside reads of 1 MiB", slowest(stat, watchMs, reads)),
      peer("Deno, beside nothing", slowest(() => Deno.stat(path), watchMs, nothing)),
      peer("Deno, beside reads of 1 MiB", slowest(() => Deno.stat(path), watchMs, denoReads)),
    ],
  };
}
