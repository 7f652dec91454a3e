// Copyright 2026 the ioq authors. MIT license.

/**
 * 4 KiB at random, cached and past the cache, beside everything one would read them with.
 *
 * @module
 */

import type { IoqFile } from "@ioq/ioq";
import { type Case, type Effort, peer, type Run, subject } from "../../harness.ts";
import { fioRandomRead, LineProgram, type Missing } from "../../peers.ts";
import { sideBySide } from "../../side_by_side.ts";
import { LARGE_LENGTH } from "./large_file.ts";
import { Offsets, PAGE } from "./offsets.ts";

/** The table of cached reads. */
export const CACHED = "read 4 KiB at random, cached";
/** The table of reads past the cache. */
export const DIRECT = "read 4 KiB at random, O_DIRECT";

/** What reads at random. */
export interface RandomReaders {
  /** The large file's path. */
  readonly large: string;
  /** The large file in the queue. */
  readonly cached: IoqFile;
  /** The same past the cache. */
  readonly direct: IoqFile | Missing;
  /** The same in Deno. */
  readonly fsLarge: Deno.FsFile;
  /** Node with `peers/read.mjs`. */
  readonly node: LineProgram | Missing;
  /** The C program, started for a number in flight, with or without O_DIRECT. */
  readonly c: (inFlight: number, direct: boolean) => Run | Missing;
}

function readAtCached(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  let next = 0;
  return sideBySide(inFlight, async () => {
    const buffer = new Uint8Array(PAGE);
    let sum = 0;
    while (next < count) {
      next++;
      sum += (await file.readAt(buffer, offsets.next()))!;
    }
    return sum;
  });
}

/** As many ranges as may be in flight by one call after the other. */
async function readRanges(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  const buffer = new Uint8Array(PAGE * inFlight);
  let sum = 0;
  for (let left = count; left > 0; left -= inFlight) {
    const ranges = Array.from(
      { length: Math.min(left, inFlight) },
      () => ({ offset: offsets.next(), length: PAGE }),
    );
    for (const read of await file.readRangesInto(buffer, ranges)) {
      sum += read;
    }
  }
  return sum;
}

function readAtDirect(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  let next = 0;
  return sideBySide(inFlight, async () => {
    const buffer = new Uint8Array(PAGE);
    let sum = 0;
    while (next < count) {
      next++;
      sum += (await file.readAt(buffer, offsets.next()))!;
    }
    return sum;
  });
}

/** One after the other: its position is the only one there is. */
async function readFsFile(file: Deno.FsFile, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  const buffer = new Uint8Array(PAGE);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    await file.seek(offsets.next(), Deno.SeekMode.Start);
    sum += (await file.read(buffer))!;
  }
  return sum;
}

function readFsFileSync(file: Deno.FsFile, count: number): number {
  const offsets = new Offsets(LARGE_LENGTH);
  const buffer = new Uint8Array(PAGE);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    file.seekSync(offsets.next(), Deno.SeekMode.Start);
    sum += file.readSync(buffer)!;
  }
  return sum;
}

/** Read what is cached. */
export function cachedCase(readers: RandomReaders, inFlight: number): Case {
  const { cached, fsLarge, node, large } = readers;
  return {
    group: CACHED,
    inFlight,
    runners: [
      subject("promise", (count) => readAtCached(cached, inFlight, count)),
      subject("readRangesInto", (count) => readRanges(cached, inFlight, count)),
      peer("C, liburing", readers.c(inFlight, false)),
      peer("FsFile seek+read", (count) => readFsFile(fsLarge, count)),
      peer("FsFile, sync", (count) => readFsFileSync(fsLarge, count)),
      peer(
        "Node",
        node instanceof LineProgram
          ? (count) => node.ask(`random ${large} ${PAGE} ${inFlight} ${count}`)
          : node,
      ),
    ],
  };
}

/** Its samples are longer: fio measures itself in milliseconds. */
const DIRECT_EFFORT: Effort = { rounds: 3, sampleMs: 150, warmRuns: 1 };

/** Read past the cache. */
export async function directCase(readers: RandomReaders, inFlight: number): Promise<Case> {
  const { direct, large } = readers;
  return {
    group: DIRECT,
    inFlight,
    effort: DIRECT_EFFORT,
    runners: [
      {
        name: "promise",
        role: "subject",
        run: "missing" in direct ? direct : (count) => readAtDirect(direct, inFlight, count),
      },
      subject(
        "readRangesInto",
        "missing" in direct ? direct : (count) => readRanges(direct, inFlight, count),
      ),
      peer("fio", "missing" in direct ? direct : await fioRandomRead(large, PAGE, inFlight)),
      peer("C, liburing", "missing" in direct ? direct : readers.c(inFlight, true)),
    ],
  };
}
