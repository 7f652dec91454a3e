// Copyright 2026 the ioq authors. MIT license.

/**
 * 4 KiB written at random: into the cache, and onto the device each.
 *
 * @module
 */

import type { IoqFile } from "@ioq/ioq";
import { type Case, peer, subject } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";
import { Offsets, PAGE } from "./offsets.ts";

/** The table of writes into the cache. */
export const WRITE = "write 4 KiB at random, cached";
/** The table of writes onto the device. */
export const SYNCED = "write 4 KiB and sync the data";
/** The length of the file that is written to. */
export const WRITTEN_LENGTH: number = 64 * 1024 * 1024;

function writeAt(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  let next = 0;
  return sideBySide(inFlight, async () => {
    const bytes = new Uint8Array(PAGE).fill(1);
    let sum = 0;
    while (next < count) {
      next++;
      sum += await file.writeAt(bytes, offsets.next());
    }
    return sum;
  });
}

async function writeFsFile(file: Deno.FsFile, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    await file.seek(offsets.next(), Deno.SeekMode.Start);
    sum += await file.write(bytes);
  }
  return sum;
}

function writeFsFileSync(file: Deno.FsFile, count: number): number {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    file.seekSync(offsets.next(), Deno.SeekMode.Start);
    sum += file.writeSync(bytes);
  }
  return sum;
}

async function writeAndSync(file: IoqFile, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += await file.writeAt(bytes, offsets.next());
    await file.syncData();
  }
  return sum;
}

async function writeAndSyncFsFile(file: Deno.FsFile, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    await file.seek(offsets.next(), Deno.SeekMode.Start);
    sum += await file.write(bytes);
    await file.syncData();
  }
  return sum;
}

/** Write into the cache. */
export function writeCase(written: IoqFile, fsWritten: Deno.FsFile, inFlight: number): Case {
  return {
    group: WRITE,
    inFlight,
    runners: [
      subject("promise", (count) => writeAt(written, inFlight, count)),
      peer("FsFile seek+write", (count) => writeFsFile(fsWritten, count)),
      peer("FsFile, sync", (count) => writeFsFileSync(fsWritten, count)),
    ],
  };
}

/** Write onto the device. */
export function syncedCase(written: IoqFile, fsWritten: Deno.FsFile): Case {
  return {
    group: SYNCED,
    inFlight: 1,
    effort: { rounds: 3, warmRuns: 1, verifyOperations: 4 },
    runners: [
      subject("promise", (count) => writeAndSync(written, count)),
      peer("FsFile", (count) => writeAndSyncFsFile(fsWritten, count)),
    ],
  };
}
