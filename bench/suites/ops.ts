// Copyright 2026 the ioq authors. MIT license.

/**
 * Single operations in each form of the queue, beside Deno's own.
 *
 * - `promise`: as many loops as there are to be in flight, each awaiting one
 *   operation after the other. Deno's asynchronous functions run just so.
 * - `stream`: that many are submitted; each completion that the queue hands out
 *   has the next one submitted.
 * - `batch`: the same with all completions that are there at a time.
 *
 * Every form of every operation is written out as a function of its own although
 * they look alike: a function shared by all would see many types, and the
 * compiler would make it slow for each of them.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite } from "../suite.ts";
import { kernelNopCase, nopCase } from "./ops/nop.ts";
import { openCase } from "./ops/open.ts";
import { readDirCase } from "./ops/read_dir.ts";
import { statCase } from "./ops/stat.ts";

/** In flight at the same time. */
const DEPTHS = [1, 8, 32, 128];
/** For what costs next to nothing: also a whole turn. */
const NOP_DEPTHS = [1, 32, 128, 256];
/** Files to stat and to open: enough to be no single hot one, few enough to stay cached. */
const FILES_MAX = 512;
const FILES_DIRECTORY = "/usr/bin";
/** Entries of the large directory. */
const LARGE_ENTRIES = 2000;
const ETC = "/etc";

const READ_LARGE = "readDir, large";
const READ_ETC = "readDir, small";

const GOALS: readonly Goal[] = [
  { group: "nop", subject: "batch", inFlight: [256], atLeast: 8e6 },
  { group: "nop", subject: "stream", inFlight: [256], atLeast: 4e6 },
  {
    group: "stat",
    subject: "promise",
    inFlight: [128],
    peer: "Deno.stat",
    atLeast: 20,
    headline: true,
  },
  { group: "stat", subject: "promise", inFlight: [1], peer: "Deno.stat", atLeast: 1 },
  { group: READ_ETC, subject: "promise", inFlight: DEPTHS, peer: "Deno.readDir", atLeast: 5 },
  { group: READ_LARGE, subject: "promise", inFlight: DEPTHS, peer: "Deno.readDir", atLeast: 5 },
];

/** Files that can be opened: no links, which would be two lookups each. */
function findFiles(): string[] {
  const files: string[] = [];
  for (const entry of Deno.readDirSync(FILES_DIRECTORY)) {
    const path = `${FILES_DIRECTORY}/${entry.name}`;
    if (!entry.isFile) {
      continue;
    }
    try {
      Deno.openSync(path).close();
      files.push(path);
    } catch {
      // Not for us
    }
    if (files.length === FILES_MAX) {
      break;
    }
  }
  if (files.length === 0) {
    throw new Error(`There is no file in ${FILES_DIRECTORY} to measure with`);
  }
  return files;
}

function fillDirectory(path: string): void {
  for (let i = 0; i < LARGE_ENTRIES; i++) {
    Deno.openSync(`${path}/some_file_${i}.txt`, { write: true, createNew: true }).close();
  }
}

async function openOps(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const files = findFiles();
  const { path: large } = stack.use(makeScratch());
  fillDirectory(large);
  const ioq = stack.use(await Ioq.open());

  const made = stack.move();
  return {
    notes: {
      "stat": `${files.length} files of ${FILES_DIRECTORY}`,
      "open + close": `${files.length} files of ${FILES_DIRECTORY}`,
      [READ_LARGE]: `a directory of ${LARGE_ENTRIES} files`,
      [READ_ETC]: `${ETC}, ${[...Deno.readDirSync(ETC)].length} entries`,
    },
    backend: ioq.backend,
    cases: [
      ...NOP_DEPTHS.map((inFlight) => nopCase(ioq, inFlight)),
      ...[1, 128].map((inFlight) => kernelNopCase(ioq, inFlight)),
      ...DEPTHS.map((inFlight) => statCase(ioq, files, inFlight)),
      ...DEPTHS.map((inFlight) => openCase(ioq, files, inFlight)),
      ...DEPTHS.map((inFlight) => readDirCase(ioq, READ_ETC, ETC, inFlight)),
      ...DEPTHS.map((inFlight) => readDirCase(ioq, READ_LARGE, large, inFlight)),
    ],
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const ops: Suite = {
  name: "ops",
  summary: "single operations: nop, stat, open and close, readDir",
  open: openOps,
};
