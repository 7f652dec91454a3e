// Copyright 2026 the ioq authors. MIT license.

/**
 * Contents of files, beside everything one would read and write them with.
 *
 * As in `ops.ts`, every form of every operation is a function of its own, so that
 * the compiler makes each of them fast.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import type { Run } from "../harness.ts";
import { buildPeer, LineProgram, type Missing, startNode } from "../peers.ts";
import { makeScratch } from "../scratch.ts";
import { makeSmallFiles, SMALL_FILES_NOTE } from "../small_files.ts";
import type { Goal, OpenSuite, Suite } from "../suite.ts";
import { DELAY, delayCase } from "./files/event_loop_delay.ts";
import { makeLargeFile } from "./files/large_file.ts";
import { PAGE } from "./files/offsets.ts";
import { CACHED, cachedCase, DIRECT, directCase, type RandomReaders } from "./files/random_read.ts";
import { SEQUENTIAL, sequentialCase } from "./files/sequential.ts";
import { SMALL, smallCase } from "./files/whole_files.ts";
import { syncedCase, writeCase, WRITTEN_LENGTH } from "./files/write.ts";

const MEBIBYTE = 1024 * 1024;
const DIRECT_DEPTHS = [1, 8, 32, 128];

const GOALS: readonly Goal[] = [
  {
    group: CACHED,
    subject: "promise",
    inFlight: [32],
    peer: "FsFile seek+read",
    atLeast: 50,
    headline: true,
  },
  {
    group: CACHED,
    subject: "promise",
    inFlight: [32, 128],
    peer: "C, liburing",
    atLeast: 1 / 1.3,
  },
  {
    group: CACHED,
    subject: "readRangesInto",
    inFlight: [128],
    peer: "C, liburing",
    atLeast: 1,
  },
  {
    group: DIRECT,
    subject: "promise",
    inFlight: DIRECT_DEPTHS,
    peer: "fio",
    atLeast: 1,
    headline: true,
  },
  {
    group: SMALL,
    subject: "readFiles",
    inFlight: [64],
    peer: "Deno.readFile",
    atLeast: 3,
    headline: true,
  },
  { group: SMALL, subject: "readFiles", inFlight: [64], peer: "readFileSync", atLeast: 1 },
  {
    group: SEQUENTIAL,
    subject: "64 KiB, 8 at once",
    inFlight: [1],
    peer: "FsFile 64 KiB",
    atLeast: 1,
  },
  ...["FsFile 1 MiB", "readSync 1 MiB", "Deno stream", "Deno.readFile"].map((peer) => ({
    group: SEQUENTIAL,
    subject: "1 MiB, 4 at once",
    inFlight: [1],
    peer,
    atLeast: 1,
  })),
  { group: DELAY, subject: "promise", inFlight: [64], atLeast: 500, asTime: true },
];

async function openFiles(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const large = `${directory}/large`;
  const written = `${directory}/written`;
  const list = `${directory}/list`;
  makeLargeFile(large);
  Deno.writeFileSync(written, new Uint8Array(WRITTEN_LENGTH));
  const small = makeSmallFiles(directory);
  Deno.writeTextFileSync(list, small.join("\n"));
  const mebibytes = Array.from({ length: 64 }, (_, i) => {
    const path = `${directory}/mebibyte_${i}`;
    Deno.writeFileSync(path, new Uint8Array(MEBIBYTE));
    return path;
  });

  const program = await buildPeer("random_read", directory);
  const programs = new Map<string, LineProgram>();
  const c = (inFlight: number, direct: boolean): Run | Missing => {
    if (typeof program !== "string") {
      return program;
    }
    const args = [large, `${PAGE}`, `${inFlight}`, direct ? "1" : "0"];
    return (count) => {
      let started = programs.get(args.join());
      if (started === undefined) {
        started = made.use(new LineProgram(program, args));
        programs.set(args.join(), started);
      }
      return started.ask(String(count));
    };
  };
  const node = await startNode();
  if (node instanceof LineProgram) {
    stack.use(node);
  }

  const ioq = stack.use(await Ioq.open());
  const readers: RandomReaders = {
    large,
    node,
    c,
    cached: stack.use(await ioq.openFile(large)),
    direct: await ioq.openFile(large, { direct: true }).catch((error) => ({
      missing: `no O_DIRECT here: ${error.message}`,
    })),
    fsLarge: stack.use(await Deno.open(large)),
  };
  const file = stack.use(await ioq.openFile(written, { write: true }));
  const fsFile = stack.use(await Deno.open(written, { write: true }));

  const made = stack.move();
  const cases = [
    ...[1, 32, 128].map((inFlight) => cachedCase(readers, inFlight)),
    ...await Promise.all(DIRECT_DEPTHS.map((inFlight) => directCase(readers, inFlight))),
    sequentialCase(ioq, large, readers.cached),
    ...[1, 32].map((inFlight) => writeCase(file, fsFile, inFlight)),
    syncedCase(file, fsFile),
    smallCase(ioq, small, list, node, 64),
    delayCase(readers.cached, mebibytes),
  ];
  return {
    notes: {
      [CACHED]: "a file of 1 GiB; FsFile has one position, and so one in flight",
      [DIRECT]: "the same file",
      [SMALL]: SMALL_FILES_NOTE,
      [DELAY]: "how late a timer of 1 ms is",
    },
    backend: ioq.backend,
    cases,
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const files: Suite = {
  name: "files",
  summary: "contents of files: read, write, whole small files, the event loop meanwhile",
  open: openFiles,
};
