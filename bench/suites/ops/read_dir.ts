// Copyright 2026 the ioq authors. MIT license.

/**
 * Directories, each entry of which is looked at.
 *
 * In each form of the queue, see `../ops.ts`, which also tells why every one is written out.
 *
 * @module
 */

import { type DirEntry, type Ioq, op } from "@ioq/ioq";
import { type Case, peer, subject } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";

function unexpected(name: string): Error {
  return new Error(`A completion of '${name}' came where none was expected`);
}

function sumOf(entries: readonly DirEntry[]): number {
  let sum = 0;
  for (const entry of entries) {
    sum += entry.name.length + (entry.isFile ? 1000 : 0);
  }
  return sum;
}

function readDirPromise(ioq: Ioq, path: string, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      next++;
      sum += sumOf(await ioq.readDir(path));
    }
    return sum;
  });
}

async function readDirStream(
  ioq: Ioq,
  path: string,
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.readDir(path));
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    if (completion.op !== "readDir") {
      throw unexpected(completion.op);
    }
    sum += sumOf(completion.value);
    if (next < count) {
      next++;
      ioq.submit(op.readDir(path));
    }
  }
  return sum;
}

async function readDirBatch(
  ioq: Ioq,
  path: string,
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.readDir(path));
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      if (completion.op !== "readDir") {
        throw unexpected(completion.op);
      }
      sum += sumOf(completion.value);
      if (next < count) {
        next++;
        ioq.submit(op.readDir(path));
      }
    }
  }
  return sum;
}

function readDirDeno(path: string, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      next++;
      for await (const entry of Deno.readDir(path)) {
        sum += entry.name.length + (entry.isFile ? 1000 : 0);
      }
    }
    return sum;
  });
}

function readDirDenoSync(path: string, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (const entry of Deno.readDirSync(path)) {
      sum += entry.name.length + (entry.isFile ? 1000 : 0);
    }
  }
  return sum;
}

/** Read a directory, over and over. */
export function readDirCase(ioq: Ioq, group: string, path: string, inFlight: number): Case {
  return {
    group,
    inFlight,
    runners: [
      subject("promise", (count) => readDirPromise(ioq, path, inFlight, count)),
      subject("stream", (count) => readDirStream(ioq, path, inFlight, count)),
      subject("batch", (count) => readDirBatch(ioq, path, inFlight, count)),
      peer("Deno.readDir", (count) => readDirDeno(path, inFlight, count)),
      peer("Deno.readDirSync", (count) => readDirDenoSync(path, count)),
    ],
  };
}
