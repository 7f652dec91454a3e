// Copyright 2026 the ioq authors. MIT license.

/**
 * Finding files by patterns, and those that git does not ignore, beside the packages that
 * do that and beside commands.
 *
 * An operation is a whole search, and its sum the number of files: all find the same. The tree is
 * a tenth of what such projects have, so that the suite does not take minutes to make it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { glob, type GlobOptions, Ioq, walk } from "@ioq/ioq";
import { type Effort, peer, type Run, type Runner, subject } from "../harness.ts";
import { isHere, type Missing } from "../peers.ts";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { openLibraries, VERSIONS } from "./glob/libraries.ts";
import { makeProject, projectNote } from "./glob/project.ts";
import { runCommand } from "./walk/commands.ts";

const ALL = "**/*.ts, ignoring node_modules";
const ONE_LEVEL = "*/package.json";
const BRACES = "*/src/**/{a,b}*.ts";
const GITIGNORE = "**/*.ts, by .gitignore";
const COMMANDS = "all files that git does not ignore";

const EFFORT: Effort = { sampleMs: 1, warmRuns: 2, verifyOperations: 1, rounds: 5 };
const FULL = { packages: 40, modules: 10, dependencies: 75 };
const QUICK = { packages: 4, modules: 2, dependencies: 4 };

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));

/** At least twice as fast as the fastest of them. */
const GOALS: readonly Goal[] = [
  ...[ALL, ONE_LEVEL, BRACES].flatMap((group) =>
    ["tinyglobby", "fast-glob"].flatMap((name) =>
      ["Deno", "Node"].map((where): Goal => ({
        group,
        subject: "glob.batches",
        inFlight: [1],
        peer: `${name}, ${where}`,
        atLeast: 2,
      }))
    )
  ),
  ...["Deno", "Node"].map((where): Goal => ({
    group: GITIGNORE,
    subject: "glob.batches",
    inFlight: [1],
    peer: `globby, ${where}`,
    atLeast: 2,
  })),
  ...["fd", "rg --files", "git ls-files"].map((name): Goal => ({
    group: COMMANDS,
    subject: "walk.batches, in process",
    inFlight: [1],
    peer: name,
    atLeast: 1,
  })),
];

function globRun(patterns: string, options: GlobOptions): Run {
  return async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      for await (const entries of glob.batches(patterns, options)) {
        sum += entries.length;
      }
    }
    return sum;
  };
}

/** A command that prints as many lines as are expected. */
async function commandRun(
  cwd: string,
  expected: number,
  [command, ...args]: readonly [string, ...string[]],
): Promise<Run | Missing> {
  if (!await isHere(command)) {
    return { missing: `there is no ${command} here` };
  }
  const { stdout } = await new Deno.Command(command, { args, cwd, stderr: "null" }).output();
  const found = stdout.reduce((sum, byte) => sum + Number(byte === 0x0a), 0);
  if (found !== expected) {
    return { missing: `${command} finds ${found} instead of ${expected}` };
  }
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(command, args);
    }
    return count * expected;
  };
}

async function commandCase(ioq: Ioq, root: string): Promise<Runner[]> {
  const options = { gitignore: true, includeDirs: false, ioq };
  const inProcess: Run = async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      for await (const entries of walk.batches(root, options)) {
        sum += entries.length;
      }
    }
    return sum;
  };
  const result = await inProcess(1);
  const expected = typeof result === "number" ? result : result.sum;
  const fd = await isHere("fdfind") ? "fdfind" : "fd";
  const run = (...command: [string, ...string[]]) => commandRun(root, expected, command);
  const find = ["run", "-A", "--quiet", CLI, "find", "-I", "--type", "f,l", root] as const;
  return [
    subject("walk.batches, in process", inProcess),
    subject("ioq find -I", await run(Deno.execPath(), ...find)),
    peer("fd", await run(fd, "-H", "-E", ".git", "--type", "f", ".", root)),
    peer("rg --files", await run("rg", "--files", "--hidden", "-g", "!.git", root)),
    peer("git ls-files", await run("git", "-C", root, "ls-files", "-co", "--exclude-standard")),
  ];
}

async function openGlob({ quick }: SuiteOptions): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const size = quick ? QUICK : FULL;
  const cwd = `${directory}/project`;
  makeProject(cwd, size);
  if (await isHere("git")) {
    await runCommand("git", ["init", "-q", cwd]);
  }
  const libraries = stack.use(await openLibraries(directory));
  const ioq = stack.use(await Ioq.open());

  const ignore = ["**/node_modules/**"];
  const compared = (group: string, patterns: string, ignore: readonly string[]) => {
    const options = { cwd, ignore, followSymbolicLinks: false };
    const question = { patterns: [patterns], options };
    return {
      group,
      inFlight: 1,
      effort: EFFORT,
      runners: [
        subject("glob.batches", globRun(patterns, { cwd, ignore, ioq })),
        ...libraries.runners({ tinyglobby: question, "fast-glob": question, globby: question }),
      ],
    };
  };
  const byRules = { patterns: ["**/*.ts"], options: { cwd, gitignore: true } };
  const commands = await commandCase(ioq, cwd);
  const made = stack.move();
  return {
    notes: {
      [ALL]: projectNote(size),
      [COMMANDS]: "commands from start to end, printing to nobody",
    },
    peers: VERSIONS,
    backend: ioq.backend,
    cases: [
      compared(ALL, "**/*.ts", ignore),
      compared(ONE_LEVEL, "*/package.json", []),
      compared(BRACES, "*/src/**/{a,b}*.ts", ignore),
      {
        group: GITIGNORE,
        inFlight: 1,
        effort: EFFORT,
        runners: [
          subject("glob.batches", globRun("**/*.ts", { cwd, gitignore: true, ioq })),
          ...libraries.runners({ globby: byRules }),
        ],
      },
      { group: COMMANDS, inFlight: 1, effort: EFFORT, runners: commands },
    ],
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const globSuite: Suite = {
  name: "glob",
  summary: "files by patterns and by .gitignore, beside libraries and commands",
  open: openGlob,
};
