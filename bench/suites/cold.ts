// Copyright 2026 the ioq authors. MIT license.

/**
 * Thousands of small files on the disk, with nothing of them cached: every cache of
 * the kernel's is dropped before each sample, which takes root. A sample is all of
 * the files.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { type Case, peer, type Run, type Runner, subject } from "../harness.ts";
import {
  denoRun,
  denoWalk,
  listPaths,
  oursRun,
  oursWalk,
  type PathKind,
  startPathPeers,
  threadsName,
  type TreeKind,
} from "../path_runners.ts";
import { onDisk } from "../places.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { dropCaches, whyNotCold } from "./walk/cold.ts";

const DIRECTORIES = 2000;
const QUICK_DIRECTORIES = 50;
/** In each. */
const FILES = 5;
const LENGTH = 2000;
const THREADS = [8, 64] as const;

const READ = "nothing cached: read a small file";
const STAT = "nothing cached: stat";
const WALK = "nothing cached: walk";
const WALK_STAT = "nothing cached: walk and stat";

const GOALS: readonly Goal[] = [[READ, 64], [STAT, 64], [WALK, 1], [WALK_STAT, 1]].flatMap(
  ([group, inFlight]) =>
    [
      { peer: "Deno", atLeast: 1 },
      { peer: threadsName(64), atLeast: 0.8 },
    ].map((it) => ({ group: String(group), subject: "ioq", inFlight: [Number(inFlight)], ...it })),
);

/** A run of so many operations with nothing cached, told as if it were of as many as asked for. */
function whenCold(run: Runner["run"], operations: number): Runner["run"] {
  if (typeof run !== "function") {
    return run;
  }
  const cold: Run = async (count) => {
    await dropCaches();
    const start = performance.now();
    const result = await run(operations);
    const ms = typeof result === "number" ? performance.now() - start : result.ms;
    return { ms: ms * count / operations, sum: count };
  };
  return cold;
}

/** Make the files, and tell their paths in an order that is not that of the disk. */
function makeFiles(root: string, directories: number): string[] {
  const bytes = new Uint8Array(LENGTH).fill(0x61);
  const paths: string[] = [];
  for (let i = 0; i < directories; i++) {
    Deno.mkdirSync(`${root}/d${i}`, { recursive: true });
    for (let j = 0; j < FILES; j++) {
      Deno.writeFileSync(`${root}/d${i}/f${j}`, bytes);
    }
  }
  for (let j = 0; j < FILES; j++) {
    for (let i = 0; i < directories; i++) {
      // 7919 is prime, and greater than what there is
      paths.push(`${root}/d${(i * 7919) % directories}/f${j}`);
    }
  }
  return paths;
}

async function openCold({ cold, quick }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const reason = cold ? whyNotCold() : "--no-cold";
  const missing = reason === undefined ? undefined : { missing: reason };
  const disk = onDisk(stack);
  const root = `${disk.path}/root`;
  const paths = makeFiles(root, quick || missing ? QUICK_DIRECTORIES : DIRECTORIES);
  const files = listPaths(`${disk.path}/files`, paths);
  const top = listPaths(`${disk.path}/top`, [root]);
  const ioq = stack.use(await Ioq.open());
  const peers = await startPathPeers(disk.path, stack);

  const runners = (list: readonly Runner[], operations: number): Runner[] =>
    list.map((it) => ({ ...it, run: missing ?? whenCold(it.run, operations) }));
  const effort = { rounds: 3, sampleMs: 0, warmRuns: 0, verifyOperations: 0 };
  const pathCase = (group: string, kind: PathKind, inFlight: number): Case => ({
    group,
    inFlight,
    effort,
    runners: runners([
      subject("ioq", oursRun(ioq, kind, files, inFlight)),
      peer("Deno", denoRun(kind, files, inFlight)),
      peer("Node", peers.node(kind, files, inFlight)),
      ...THREADS.map((it) => peer(threadsName(it), peers.threads(kind, files, it))),
    ], paths.length),
  });
  const treeCase = (group: string, kind: TreeKind): Case => ({
    group,
    inFlight: 1,
    effort,
    runners: runners([
      subject("ioq", oursWalk(ioq, root, kind === "walkstat")),
      peer("Deno", denoWalk(root, kind === "walkstat")),
      peer("Node, recursive", peers.node(kind, top, 1)),
      ...THREADS.map((it) => peer(threadsName(it), peers.threads(kind, top, it))),
    ], 1),
  });
  const made = stack.move();
  return {
    notes: {
      [READ]: `${paths.length} files of ${LENGTH} bytes on ${disk.name}, ${FILES} a directory`,
    },
    backend: ioq.backend,
    cases: [
      ...(quick ? [64] : [64, 512]).map((inFlight) => pathCase(READ, "read", inFlight)),
      pathCase(STAT, "stat", 64),
      treeCase(WALK, "walk"),
      treeCase(WALK_STAT, "walkstat"),
    ],
    goals: quick ? [] : GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const cold: Suite = {
  name: "cold",
  summary: "small files of which nothing is cached: read, stat, walk",
  open: openCold,
};
