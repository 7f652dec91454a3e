// Copyright 2026 the ioq authors. MIT license.

/**
 * What starting takes: programs that are over soon, from their start to their end, and the
 * stages on the way to a first result.
 *
 * An operation is a whole process. Each has an empty Deno beside it in the same rounds.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Case, type Effort, peer, type Run, type Runner, subject } from "../harness.ts";
import { isHere } from "../peers.ts";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { floorRun, runCommand } from "./walk/commands.ts";

const USR = "/usr";
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What a program of `stages.ts` tells, in its order. */
const STAGES = [
  "import the package",
  "Ioq.open()",
  "the first stat",
  "a second Ioq.open()",
] as const;

const EMPTY_DIRECTORY = "find in an empty directory";
const FIND = `find in ${USR}`;
const DU = `du -s ${USR}`;
const WALK = "a script that walks a tree and ends";

/** The directories of the tree, and the files in each. */
const DIRECTORIES = 100;
const FILES = 50;

const decoder = new TextDecoder();

/** What a program of Deno's prints. */
async function output(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...args],
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(decoder.decode(stderr));
  }
  return decoder.decode(stdout);
}

/** One of the stages, by a process for each operation. */
function stageRun(mod: string, stage: number): Run {
  const program = `${ROOT}bench/suites/start/stages.ts`;
  return async (count) => {
    let ms = 0;
    for (let i = 0; i < count; i++) {
      const times: number[] = JSON.parse(await output([program, mod]));
      ms += times[stage]!;
    }
    return { sum: count, ms };
  };
}

/** A command from its start to its end. */
function wholeRun([command, ...args]: readonly [string, ...string[]]): Run {
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(command, args);
    }
    return count;
  };
}

/** A script that prints how many entries it found. */
function scriptRun(name: string, root: string): Run {
  return async (count) => {
    let entries = 0;
    for (let i = 0; i < count; i++) {
      entries += Number(await output([`${ROOT}bench/suites/start/${name}.ts`, root]));
    }
    return entries;
  };
}

/** The package as it is published: with the embedded library alone. */
function copyPackage(directory: string): string {
  const copy = (path: string) => {
    Deno.mkdirSync(`${directory}/package/${path}`, { recursive: true });
    for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${path}`)) {
      if (isDirectory) {
        copy(`${path}/${name}`);
      } else {
        Deno.copyFileSync(`${ROOT}${path}/${name}`, `${directory}/package/${path}/${name}`);
      }
    }
  };
  copy("src");
  copy("ffi");
  Deno.copyFileSync(`${ROOT}mod.ts`, `${directory}/package/mod.ts`);
  return `${directory}/package/mod.ts`;
}

const GOALS: readonly Goal[] = [
  ...([["import the package", 10], ["Ioq.open()", 3], ["the first stat", 0.5], [
    "a second Ioq.open()",
    1,
  ]] as const).map(([group, ms]): Goal => ({
    group,
    subject: "ioq",
    inFlight: [1],
    atLeast: 1e3 / ms,
    asTime: true,
  })),
  {
    group: "Ioq.open()",
    subject: "ioq, embedded library",
    inFlight: [1],
    atLeast: 1e3 / 5,
    asTime: true,
  },
  { group: FIND, subject: "ioq find", inFlight: [1], peer: "bfs", atLeast: 1 },
  { group: FIND, subject: "ioq find", inFlight: [1], peer: "fd -u", atLeast: 1 },
  { group: DU, subject: "ioq du", inFlight: [1], peer: "du", atLeast: 1 },
  { group: WALK, subject: "walk.batches", inFlight: [1], peer: "Deno.readDir", atLeast: 1 },
  { group: WALK, subject: "walk.batches", inFlight: [1], peer: "Deno.readDirSync", atLeast: 1 },
];

async function openStart({ quick }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const empty = `${directory}/empty.ts`;
  Deno.writeTextFileSync(empty, "");
  const nothing = `${directory}/nothing`;
  Deno.mkdirSync(nothing);
  const tree = `${directory}/tree`;
  for (let i = 0; i < DIRECTORIES; i++) {
    Deno.mkdirSync(`${tree}/${i % 10}/${i}`, { recursive: true });
    for (let j = 0; j < FILES; j++) {
      Deno.writeTextFileSync(`${tree}/${i % 10}/${i}/${j}`, "");
    }
  }
  const published = copyPackage(directory);

  const effort: Effort = {
    sampleMs: 0.1,
    warmRuns: 1,
    verifyOperations: 1,
    ...(quick ? {} : { leastRounds: 15 }),
  };
  const item = (group: string, runners: Runner[]): Case => ({
    group,
    inFlight: 1,
    effort,
    runners,
  });
  const cli = ["run", "-A", "--quiet", `${ROOT}cli.ts`] as const;
  const ioq = (...args: string[]) => wholeRun([Deno.execPath(), ...cli, ...args]);
  const command = async (name: string, ...args: string[]) =>
    await isHere(name) ? wholeRun([name, ...args]) : { missing: `there is no ${name} here` };
  const floor = peer("empty Deno", floorRun(empty));
  const fd = await isHere("fdfind") ? "fdfind" : "fd";

  const made = stack.move();
  return {
    notes: {
      [EMPTY_DIRECTORY]: "whole processes",
      [FIND]: "whole processes, printing to nobody",
      [DU]: "whole processes",
      [WALK]: `whole processes; ${DIRECTORIES * FILES} files in ${DIRECTORIES} directories`,
    },
    backend: undefined,
    cases: [
      ...STAGES.map((group, stage) =>
        item(group, [
          subject("ioq", stageRun(`${ROOT}mod.ts`, stage)),
          ...(stage === 1 ? [subject("ioq, embedded library", stageRun(published, stage))] : []),
        ])
      ),
      item(EMPTY_DIRECTORY, [subject("ioq find", ioq("find", nothing)), floor]),
      item(FIND, [
        subject("ioq find", ioq("find", USR)),
        peer("find", await command("find", USR)),
        peer("fd -u", await command(fd, "-u", ".", USR)),
        peer("bfs", await command("bfs", USR)),
        floor,
      ]),
      item(DU, [
        subject("ioq du", ioq("du", "-s", USR)),
        peer("du", await command("du", "-s", USR)),
        floor,
      ]),
      item(WALK, [
        subject("walk.batches", scriptRun("walk_ioq", tree)),
        peer("Deno.readDir", scriptRun("walk_read_dir", tree)),
        peer("Deno.readDirSync", scriptRun("walk_read_dir_sync", tree)),
      ]),
    ],
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const start: Suite = {
  name: "start",
  summary: "what starting takes: stages on the way to a first result, short programs as a whole",
  open: openStart,
};
