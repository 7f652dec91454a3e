// Copyright 2026 the ioq authors. MIT license.

/**
 * A file system whose answers come from far away: each lookup takes 2 ms and each
 * listing 45 ms, however many there are at a time. What counts is how many requests
 * are under way.
 *
 * The file system is our own, in memory, mounted by FUSE as root. Nothing is cached:
 * each path's names are looked up each time.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { type FuseMount, mountFuse } from "../../tests/storm/mount.ts";
import type { Case } from "../harness.ts";
import { listPaths, type PathKind, pathRunners, startPathPeers } from "../path_runners.ts";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { treeCases } from "./slow/trees.ts";

const LOOKUP_US = 2000;
const LISTING_US = 45_000;
const DIRECTORIES = 60;
const FILES = 20;
const FILE_LENGTH = 2048;

const GROUPS: Readonly<Record<PathKind, string>> = {
  stat: "slow mount: stat",
  open: "slow mount: open and close",
  list: "slow mount: readDir",
  read: "slow mount: read a small file",
  write: "slow mount: write a small file",
};
const KINDS = Object.keys(GROUPS) as PathKind[];
const DEPTHS = [1, 32, 128, 512];
/** Listings take so long that more of them would take a minute. */
const LIST_DEPTHS = [1, 32, 128];
const QUICK_DEPTHS = [32];
/** Node has four threads: beyond this it takes as long, and the suite longer. */
const NODE_DEPTH_MAX = 32;

function depthsOf(kind: PathKind, quick: boolean): readonly number[] {
  return quick ? QUICK_DEPTHS : kind === "list" ? LIST_DEPTHS : DEPTHS;
}

const GOALS: readonly Goal[] = KINDS.flatMap((kind) =>
  [
    { peer: "Deno", atLeast: 1 },
    { peer: "C, threads", atLeast: 0.8 },
  ].map((it) => ({
    group: GROUPS[kind],
    subject: "ioq",
    inFlight: depthsOf(kind, false),
    ...it,
  }))
);

/** Mount it, or tell why not. */
async function mount(): Promise<FuseMount | { readonly missing: string }> {
  try {
    return await mountFuse({
      latencyUs: { lookup: LOOKUP_US, readdir: LISTING_US },
      noFlush: true,
      tree: { directories: DIRECTORIES, files: FILES, bytes: FILE_LENGTH },
    });
  } catch (error) {
    return { missing: `nothing can be mounted: ${(error as Error).message}` };
  }
}

async function openSlow({ quick }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const fs = await mount();
  if ("missing" in fs) {
    return {
      notes: {},
      backend: undefined,
      goals: [],
      cases: KINDS.map((kind) => ({
        group: GROUPS[kind],
        inFlight: 1,
        runners: [{ name: "ioq", role: "subject", run: fs }],
      })),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  stack.use(fs);
  const ioq = stack.use(await Ioq.open());
  const peers = await startPathPeers(directory, stack);
  const directories = Array.from({ length: DIRECTORIES }, (_, i) => fs.at(`d${i}`));
  const files = Array.from(
    { length: DIRECTORIES * FILES },
    // One of each directory first: those in flight are not all in the same
    (_, i) => `${directories[i % DIRECTORIES]}/f${Math.floor(i / DIRECTORIES)}`,
  );
  const lists = {
    files: listPaths(`${directory}/files`, files),
    directories: listPaths(`${directory}/directories`, directories),
    // Written at the top: listings stay as they are
    written: listPaths(`${directory}/written`, files.map((_, i) => fs.at(`written${i}`))),
  };
  const listOf = (kind: PathKind) =>
    kind === "list" ? lists.directories : kind === "write" ? lists.written : lists.files;
  const cases: Case[] = KINDS.flatMap((kind) =>
    depthsOf(kind, quick).map((inFlight) => ({
      group: GROUPS[kind],
      inFlight,
      effort: {
        rounds: quick ? 1 : 3,
        sampleMs: quick ? 0 : 24,
        warmRuns: 1,
        verifyOperations: inFlight <= NODE_DEPTH_MAX ? 1 : 0,
      },
      runners: pathRunners(ioq, peers, kind, listOf(kind), inFlight)
        .filter(({ name }) => name !== "Node" || inFlight <= NODE_DEPTH_MAX),
    }))
  );
  cases.push(...await treeCases(ioq, peers, directory, stack, quick));
  const made = stack.move();
  return {
    notes: { [GROUPS.stat]: "a lookup takes 2 ms, a listing 45 ms, and a path here has two names" },
    backend: ioq.backend,
    cases,
    goals: quick ? [] : GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const slow: Suite = {
  name: "slow",
  summary: "a slow mount: lookups of 2 ms, listings of 45 ms, 1 to 512 in flight",
  open: openSlow,
};
