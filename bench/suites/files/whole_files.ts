// Copyright 2026 the ioq authors. MIT license.

/**
 * Small files as a whole, thousands of them.
 *
 * @module
 */

import type { Ioq } from "@ioq/ioq";
import { readFileSync } from "node:fs";
import { type Case, peer, subject } from "../../harness.ts";
import { LineProgram, type Missing } from "../../peers.ts";
import { sideBySide } from "../../side_by_side.ts";

/** Its table. */
export const SMALL = "read a small file";

/** So many paths, from the first on, and over again. */
function* take(paths: readonly string[], count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield paths[i % paths.length]!;
  }
}

async function readFilesOf(
  ioq: Ioq,
  paths: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let sum = 0;
  for await (const { bytes } of ioq.readFiles(take(paths, count), { concurrency: inFlight })) {
    sum += bytes.length;
  }
  return sum;
}

function readFilePromise(
  ioq: Ioq,
  paths: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      sum += (await ioq.readFile(paths[next++ % paths.length]!)).length;
    }
    return sum;
  });
}

/** Deno, asynchronously. */
export function readFileDeno(
  paths: readonly string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      sum += (await Deno.readFile(paths[next++ % paths.length]!)).length;
    }
    return sum;
  });
}

function readFileNodeSync(paths: string[], count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += readFileSync(paths[i % paths.length]!).length;
  }
  return sum;
}

/** Read them all, over and over. The list is a file that names them, for Node. */
export function smallCase(
  ioq: Ioq,
  small: string[],
  list: string,
  node: LineProgram | Missing,
  inFlight: number,
): Case {
  return {
    group: SMALL,
    inFlight,
    effort: { rounds: 5, sampleMs: 100, warmRuns: 1 },
    runners: [
      subject("readFiles", (count) => readFilesOf(ioq, small, inFlight, count)),
      subject("readFile", (count) => readFilePromise(ioq, small, inFlight, count)),
      peer("Deno.readFile", (count) => readFileDeno(small, inFlight, count)),
      peer("readFileSync", (count) => readFileNodeSync(small, count)),
      peer(
        "Node",
        node instanceof LineProgram
          ? (count) => node.ask(`small ${list} ${inFlight} ${count}`)
          : node,
      ),
    ],
  };
}
