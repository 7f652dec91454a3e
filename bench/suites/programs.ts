// Copyright 2026 the ioq authors. MIT license.

/**
 * Programs that were not written for a queue, as they are and with `@ioq/ioq/accelerate` before
 * them: libraries of npm as they are published, on trees of small files.
 *
 * An operation is a whole process, start and end included. What a program prints is a
 * number that says what it found, which has to be the same both ways.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Case, type Effort, peer, type Run, subject } from "../harness.ts";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ACCELERATE = `${ROOT}src/accelerate/mod.ts`;
/** Files in each directory of a tree. */
const FILES = 50;
/** Directories of the large tree, and of the one that is a repository. */
const LARGE = 2000;
const REPOSITORY = 60;
/** Files that are to be formatted. */
const FORMATTED = 300;

const PLAIN = "plain";
const ACCELERATED = "accelerated";

const decoder = new TextDecoder();

/** A program, and what it works on. */
interface Program {
  /** Its file. */
  readonly name: string;
  /** What the table calls it. */
  readonly group: string;
  /** The folder that it is given. */
  readonly folder: "tree" | "repository" | "fresh" | "texts";
  /** How many times as fast it is to be. */
  readonly atLeast: number;
}

const PROGRAMS: readonly Program[] = [
  { name: "fast_glob", group: "fast-glob with stats", folder: "tree", atLeast: 1.3 },
  { name: "fdir", group: "fdir", folder: "tree", atLeast: 1.3 },
  { name: "tinyglobby", group: "tinyglobby", folder: "tree", atLeast: 1.3 },
  { name: "globby", group: "globby", folder: "tree", atLeast: 1.3 },
  {
    name: "git_status",
    group: "isomorphic-git statusMatrix",
    folder: "repository",
    atLeast: 1.3,
  },
  { name: "git_add", group: "isomorphic-git add", folder: "fresh", atLeast: 1 },
  { name: "prettier_check", group: "prettier --check", folder: "texts", atLeast: 1 },
  { name: "read_tree", group: "readdir, stat and readFile", folder: "repository", atLeast: 1 },
  { name: "deno_tree", group: "Deno.readDir and Deno.readFile", folder: "tree", atLeast: 1 },
  { name: "nothing", group: "a program that does nothing", folder: "texts", atLeast: 0.8 },
];

/** Make a tree of small files. */
function makeTree(path: string, directories: number): void {
  for (let i = 0; i < directories; i++) {
    const directory = `${path}/${i % 20}/${i}`;
    Deno.mkdirSync(directory, { recursive: true });
    for (let j = 0; j < FILES; j++) {
      Deno.writeTextFileSync(`${directory}/${j}.txt`, `file ${i} ${j}\n`.repeat(20));
    }
  }
}

/** Run a program, and return the number that it prints. */
async function run(args: readonly string[]): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", `--config=${ROOT}deno.json`, ...args],
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(decoder.decode(stderr));
  }
  return Number(decoder.decode(stdout));
}

/** A program from its start to its end. */
function programRun({ name, folder }: Program, directory: string, flags: string[]): Run {
  const path = `${directory}/${folder}`;
  return async (count) => {
    let [sum, ms] = [0, 0];
    for (let i = 0; i < count; i++) {
      if (folder === "fresh") {
        await Deno.remove(`${path}/.git`, { recursive: true }).catch(() => {});
      }
      const start = performance.now();
      sum += await run([...flags, `${ROOT}bench/suites/programs/${name}.ts`, path]);
      ms += performance.now() - start;
    }
    return { sum, ms };
  };
}

const GOALS: readonly Goal[] = PROGRAMS.map(({ group, atLeast }) => ({
  ...{ group, subject: ACCELERATED, inFlight: [1], peer: PLAIN, atLeast },
}));

async function openPrograms({ quick }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  makeTree(`${directory}/tree`, quick ? 20 : LARGE);
  makeTree(`${directory}/repository`, quick ? 5 : REPOSITORY);
  makeTree(`${directory}/fresh`, quick ? 5 : REPOSITORY);
  Deno.mkdirSync(`${directory}/texts`);
  for (let i = 0; i < FORMATTED; i++) {
    const value = { i, list: [1, 2, { text: "x".repeat(100) }] };
    const text = JSON.stringify(value, null, i % 2 === 0 ? 2 : 3);
    Deno.writeTextFileSync(`${directory}/texts/${i}.json`, `${text}\n`);
  }
  await run([`${ROOT}bench/suites/programs/git_add.ts`, `${directory}/repository`]);
  const effort: Effort = {
    sampleMs: 0.1,
    warmRuns: 1,
    verifyOperations: 1,
    ...(quick ? {} : { leastRounds: 7 }),
  };
  const made = stack.move();
  return {
    notes: Object.fromEntries(PROGRAMS.map(({ group, folder }) => [
      group,
      folder === "tree"
        ? `whole processes; ${LARGE * FILES} files in ${LARGE} directories`
        : folder === "texts"
        ? `whole processes; ${FORMATTED} files`
        : `whole processes; ${REPOSITORY * FILES} files in ${REPOSITORY} directories`,
    ])),
    backend: undefined,
    cases: PROGRAMS.map((program): Case => ({
      group: program.group,
      inFlight: 1,
      effort,
      runners: [
        subject(ACCELERATED, programRun(program, directory, ["--preload", ACCELERATE])),
        peer(PLAIN, programRun(program, directory, [])),
      ],
    })),
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const programs: Suite = {
  name: "programs",
  summary: "programs that were not written for a queue, plain and accelerated",
  open: openPrograms,
};
