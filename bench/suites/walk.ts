// Copyright 2026 the ioq authors. MIT license.

/**
 * Walking directory trees, beside everything one would walk them with.
 *
 * An operation is a whole walk, and its sum the number of entries: all find the
 * same. Libraries are measured within their process, commands from their start to
 * their end, with nobody reading what they print; only the last tables mix the two,
 * and say so.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { type Effort, peer, subject } from "../harness.ts";
import { LineProgram } from "../peers.ts";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { whenAllCold, whyNotCold } from "./walk/cold.ts";
import { commandRunners, floorRun } from "./walk/commands.ts";
import { denoAsync, denoSync } from "./walk/deno.ts";
import { FDIR_VERSION, fdirOnDeno, fdirOnNode, installFdir } from "./walk/fdir.ts";
import { inBatches, libraryCase } from "./walk/libraries.ts";
import { peakMemoryOfWalk } from "./walk/memory.ts";
import { makeTree, TREE_NOTE } from "./walk/tree.ts";
import { statCase } from "./walk/with_stat.ts";

const USR = "/usr";
/** For what takes Deno too long on all of it. */
const SMALLER = "/usr/share";

const ON_USR = `walk ${USR}`;
const ON_TREE = "walk a tree";
const WITH_STAT = `walk ${SMALLER} and stat`;
const COMMANDS = `commands, whole, on ${USR}`;
const FLOOR = "start Deno with an empty file and end it";
const COLD = `nothing cached: ${USR}`;
const PEAK = `peak memory of a walk of ${USR}, one by one, beyond an empty Deno`;

/** A walk takes long enough for a sample of its own. */
const EFFORT: Effort = { sampleMs: 1, warmRuns: 1, verifyOperations: 1, rounds: 3 };
/** The device takes so long that it does not matter who is warmed up. */
const COLD_EFFORT: Effort = { ...EFFORT, warmRuns: 0, verifyOperations: 0, rounds: 2 };

const GOALS: readonly Goal[] = [
  ...[ON_USR, ON_TREE].flatMap((group): Goal[] => [
    {
      group,
      subject: "walk",
      inFlight: [1],
      peer: "Deno.readDir",
      atLeast: 10,
      headline: group === ON_USR,
    },
    { group, subject: "walk", inFlight: [1], peer: "fdir, Node", atLeast: 1 },
  ]),
  {
    group: COMMANDS,
    subject: "walk.batches, in process",
    inFlight: [1],
    peer: "bfs",
    atLeast: 1 / 0.9,
    headline: true,
  },
  {
    group: COMMANDS,
    subject: "walk.batches, in process",
    inFlight: [1],
    peer: "find",
    atLeast: 1 / 0.6,
  },
  { group: COMMANDS, subject: "ioq find", inFlight: [1], peer: "find", atLeast: 1 },
  {
    group: WITH_STAT,
    subject: "walk, stat",
    inFlight: [1],
    peer: "Deno.readDir + lstat",
    atLeast: 10,
  },
];

async function openWalk({ cold }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const tree = `${directory}/tree`;
  Deno.mkdirSync(tree);
  makeTree(tree);

  const module = await installFdir(directory);
  const node = typeof module === "string" ? await fdirOnNode(module) : module;
  if (node instanceof LineProgram) {
    stack.use(node);
  }
  const fdir = typeof module === "string" ? await fdirOnDeno(module) : module;
  const ioq = stack.use(await Ioq.open());
  const walkers = { ioq, node, fdir };
  const entries = await inBatches(ioq, USR, 1);
  const empty = `${directory}/empty.ts`;
  Deno.writeTextFileSync(empty, "");
  const commands = await commandRunners(USR, entries);
  const inProcess = subject("walk.batches, in process", (count) => inBatches(ioq, USR, count));
  const whyNot = whyNotCold();
  const peak = await peakMemoryOfWalk(USR);

  const made = stack.move();
  return {
    notes: {
      [ON_USR]: `${entries} entries`,
      [ON_TREE]: TREE_NOTE,
      [COMMANDS]: "from start to end, printing to nobody",
      [COLD]: "the commands whole, the others in process",
    },
    peers: { fdir: typeof module === "string" ? FDIR_VERSION : null },
    facts: [{ name: PEAK, unit: "MiB", value: peak, atMost: 150e6 / 2 ** 20 }],
    backend: ioq.backend,
    cases: [
      libraryCase(walkers, ON_USR, USR, EFFORT),
      libraryCase(walkers, ON_TREE, tree, EFFORT),
      statCase(ioq, WITH_STAT, SMALLER, EFFORT),
      {
        group: COMMANDS,
        inFlight: 1,
        effort: { ...EFFORT, rounds: 7 },
        runners: [inProcess, ...commands],
      },
      {
        group: FLOOR,
        inFlight: 1,
        effort: EFFORT,
        runners: [subject("Deno", floorRun(empty))],
      },
      ...(cold
        ? [{
          group: COLD,
          inFlight: 1,
          effort: COLD_EFFORT,
          runners: whenAllCold([
            inProcess,
            peer("Deno.readDir", (count) => denoAsync(USR, count)),
            peer("Deno.readDirSync", (count) => denoSync(USR, count)),
            ...commands,
          ], whyNot),
        }]
        : []),
    ],
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const walkSuite: Suite = {
  name: "walk",
  summary: "directory trees: walk, with and without stat, beside libraries and commands",
  open: openWalk,
};
