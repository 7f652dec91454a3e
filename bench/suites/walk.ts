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

import { Ioq, walk } from "@ioq/ioq";
import { fileURLToPath } from "node:url";
import type { Case, Effort, Run, Runner, Timed } from "../harness.ts";
import { LineProgram, type Missing } from "../peers.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";

const USR = "/usr";
/** For what takes Deno too long on all of it. */
const SMALLER = "/usr/share";
const TREE_DIRECTORIES = 2000;
const TREE_FILES = 100;

const ON_USR = `walk ${USR}`;
const ON_TREE = "walk a tree";
const WITH_STAT = `walk ${SMALLER} and stat`;
const COMMANDS = `commands, whole, on ${USR}`;
const COLD = `nothing cached: ${USR}`;

const FDIR = "fdir@6.5.0";
const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const MOD = new URL("../../mod.ts", import.meta.url).href;

/** A walk takes long enough for a sample of its own. */
const EFFORT: Effort = { sampleMs: 1, warmRuns: 1, verifyOperations: 1, rounds: 3 };
const LESS_EFFORT: Effort = { ...EFFORT, rounds: 2 };

// Our own ----------------------------------------------------------------------

async function oneByOne(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const _ of walk(root, { ioq })) {
      sum++;
    }
  }
  return sum;
}

async function inBatches(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const entries of walk.batches(root, { ioq })) {
      sum += entries.length;
    }
  }
  return sum;
}

async function oneByOneWithStat(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const { info } of walk(root, { ioq, stat: true })) {
      sum += info!.size;
    }
  }
  return sum;
}

async function inBatchesWithStat(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const entries of walk.batches(root, { ioq, stat: true })) {
      for (const { info } of entries) {
        sum += info!.size;
      }
    }
  }
  return sum;
}

// Deno's -----------------------------------------------------------------------

/** As `walk()` of `@std/fs` goes: one directory at a time, a stat for each. */
async function* denoWalk(path: string): AsyncGenerator<{ path: string; name: string }> {
  const { isDirectory } = await Deno.stat(path);
  yield { path, name: path.slice(path.lastIndexOf("/") + 1) };
  if (!isDirectory) {
    return;
  }
  for await (const entry of Deno.readDir(path)) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory) {
      yield* denoWalk(below);
    } else {
      yield { path: below, ...entry };
    }
  }
}

async function denoAsync(root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const _ of denoWalk(root)) {
      sum++;
    }
  }
  return sum;
}

function denoSyncBelow(path: string): number {
  let sum = 1;
  for (const entry of Deno.readDirSync(path)) {
    sum += entry.isDirectory ? denoSyncBelow(`${path}/${entry.name}`) : 1;
  }
  return sum;
}

function denoSync(root: string, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += denoSyncBelow(root);
  }
  return sum;
}

async function denoWithStat(root: string, count: number): Promise<number> {
  const below = async (path: string): Promise<number> => {
    let sum = (await Deno.lstat(path)).size;
    for await (const entry of Deno.readDir(path)) {
      const child = `${path}/${entry.name}`;
      sum += entry.isDirectory ? await below(child) : (await Deno.lstat(child)).size;
    }
    return sum;
  };
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += await below(root);
  }
  return sum;
}

// fdir -------------------------------------------------------------------------

/** What is used of it. */
interface Fdir {
  fdir: new () => {
    withFullPaths(): {
      withDirs(): { crawl(root: string): { withPromise(): Promise<string[]> } };
    };
  };
}

/** Have npm install fdir into a directory; its module. */
async function installFdir(directory: string): Promise<string | Missing> {
  try {
    const { success, stderr } = await new Deno.Command("npm", {
      args: ["install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, FDIR],
      signal: AbortSignal.timeout(20_000),
    }).output();
    const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
    return success
      ? `${directory}/node_modules/fdir/dist/index.mjs`
      : { missing: `npm cannot install ${FDIR}: ${reason}` };
  } catch (error) {
    return { missing: `npm cannot install ${FDIR}: ${(error as Error).message}` };
  }
}

async function fdirOnDeno(module: string): Promise<(root: string) => Run> {
  const { fdir } = await import(`file://${module}`) as Fdir;
  return (root) => async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const found = await new fdir().withFullPaths().withDirs().crawl(root).withPromise();
      sum += found.length;
    }
    return sum;
  };
}

// Commands ---------------------------------------------------------------------

/** A command from its start to its end. */
async function runCommand(command: string, args: string[]): Promise<void> {
  const { code } = await new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (code > 1) {
    throw new Error(`${command} ended with ${code}`);
  }
}

/** How many paths a command prints, or why it does not. */
async function countPaths(command: string, args: string[]): Promise<number | Missing> {
  try {
    const { stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return stdout.reduce((sum, byte) => sum + Number(byte === 0), 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { missing: `there is no ${command} here` };
    }
    throw error;
  }
}

/**
 * Run a command that prints paths, each with a NUL.
 *
 * @param expected How many; fewer by one for what does not print the root.
 */
async function commandRun(
  [command, ...args]: readonly [string, ...string[]],
  expected: number,
): Promise<Run | Missing> {
  const found = await countPaths(command, args);
  if (typeof found !== "number") {
    return found;
  }
  if (found !== expected && found !== expected - 1) {
    return { missing: `${command} finds ${found} instead of ${expected}` };
  }
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(command, args);
    }
    return count * expected;
  };
}

/** The first line of what a command says of its version. */
async function versionOf(command: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).split("\n")[0]!;
  } catch {
    return `no ${command}`;
  }
}

// Memory -----------------------------------------------------------------------

/** The most memory that a script has held at a time, in MiB. */
async function peakMemory(script: string): Promise<number> {
  const tell =
    `console.log(Deno.readTextFileSync("/proc/self/status").match(/VmHWM:\\s*(\\d+)/)[1])`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `${script};${tell}`],
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

// Cases ------------------------------------------------------------------------

function subject(name: string, run: Run): Runner {
  return { name, role: "subject", run };
}

function peer(name: string, run: Run | Missing): Runner {
  return { name, role: "peer", run };
}

/** What the cases work with. */
interface Setup {
  readonly ioq: Ioq;
  readonly node: LineProgram | Missing;
  readonly fdir: ((root: string) => Run) | Missing;
}

function libraryCase(
  { ioq, node, fdir }: Setup,
  group: string,
  root: string,
  effort: Effort,
): Case {
  return {
    group,
    inFlight: 1,
    effort,
    runners: [
      subject("walk", (count) => oneByOne(ioq, root, count)),
      subject("walk.batches", (count) => inBatches(ioq, root, count)),
      peer("Deno.readDir", (count) => denoAsync(root, count)),
      peer("Deno.readDirSync", (count) => denoSync(root, count)),
      peer(
        "fdir, Node",
        node instanceof LineProgram ? (count) => node.ask(`${root} ${count}`) : node,
      ),
      peer("fdir, Deno", typeof fdir === "function" ? fdir(root) : fdir),
    ],
  };
}

function statCase({ ioq }: Setup): Case {
  return {
    group: WITH_STAT,
    inFlight: 1,
    effort: LESS_EFFORT,
    runners: [
      subject("walk, stat", (count) => oneByOneWithStat(ioq, SMALLER, count)),
      subject("walk.batches, stat", (count) => inBatchesWithStat(ioq, SMALLER, count)),
      peer("Deno.readDir + lstat", (count) => denoWithStat(SMALLER, count)),
    ],
  };
}

/** What Deno takes to start and to end: no command on it can be faster. */
function floorRun(empty: string, expected: number): Run {
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(Deno.execPath(), ["run", "-A", "--quiet", empty]);
    }
    return count * expected;
  };
}

/** The commands, as they print everything below /usr. */
async function commandRunners(expected: number, empty: string): Promise<Runner[]> {
  const ioqFind = ["run", "-A", "--quiet", CLI, "find", "--print0", USR] as const;
  const fd = await versionOf("fdfind") === "no fdfind" ? "fd" : "fdfind";
  const run = (...command: [string, ...string[]]) => commandRun(command, expected);
  const own = await run(Deno.execPath(), ...ioqFind);
  return [
    ...(typeof own === "function" ? [subject("ioq find", own)] : []),
    peer("find", await run("find", USR, "-print0")),
    peer("fd -u", await run(fd, "-u", "-0", ".", USR)),
    peer("bfs", await run("bfs", USR, "-print0")),
    peer("Deno, an empty file", floorRun(empty, expected)),
  ];
}

/** The same with every cache of the kernel's dropped before each walk. */
function whenCold(run: Run): Run {
  return async (count) => {
    let ms = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      await runCommand("sync", []);
      Deno.writeTextFileSync("/proc/sys/vm/drop_caches", "3");
      const start = performance.now();
      const result = await run(1);
      ms += performance.now() - start;
      sum += typeof result === "number" ? result : result.sum;
    }
    return { ms, sum } satisfies Timed;
  };
}

function coldCase({ ioq }: Setup, commands: readonly Runner[]): Case {
  const runners = [
    subject("walk.batches", (count) => inBatches(ioq, USR, count)),
    peer("Deno.readDir", (count) => denoAsync(USR, count)),
    peer("Deno.readDirSync", (count) => denoSync(USR, count)),
    ...commands,
  ];
  return {
    group: COLD,
    inFlight: 1,
    effort: LESS_EFFORT,
    runners: runners.map((it) =>
      typeof it.run === "function" ? { ...it, run: whenCold(it.run) } : it
    ),
  };
}

/** A fifth of the directories at the top, the others in those. */
function makeTree(root: string): void {
  const top = TREE_DIRECTORIES / 5;
  for (let i = 0; i < TREE_DIRECTORIES; i++) {
    const parent = i < top ? root : `${root}/directory_${i % top}`;
    const directory = `${parent}/directory_${i}`;
    Deno.mkdirSync(directory);
    for (let j = 0; j < TREE_FILES; j++) {
      Deno.openSync(`${directory}/file_${j}.txt`, { write: true, createNew: true }).close();
    }
  }
}

const GOALS: readonly Goal[] = [
  ...[ON_USR, ON_TREE].flatMap((group): Goal[] => [
    { group, subject: "walk", inFlight: [1], peer: "Deno.readDir", atLeast: 10 },
    { group, subject: "walk", inFlight: [1], peer: "fdir, Node", atLeast: 1 },
  ]),
  {
    group: COMMANDS,
    subject: "walk.batches, in process",
    inFlight: [1],
    peer: "bfs",
    atLeast: 1 / 0.9,
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
  const directory = Deno.makeTempDirSync({ prefix: "ioq_bench_" });
  stack.defer(() => Deno.removeSync(directory, { recursive: true }));
  const tree = `${directory}/tree`;
  Deno.mkdirSync(tree);
  makeTree(tree);

  const module = await installFdir(directory);
  let node: LineProgram | Missing;
  if (typeof module !== "string") {
    node = module;
  } else if (await versionOf("node") === "no node") {
    node = { missing: "there is no node here" };
  } else {
    const program = fileURLToPath(new URL("../peers/walk.mjs", import.meta.url));
    node = stack.use(new LineProgram("node", [program, module]));
  }

  const ioq = stack.use(await Ioq.open());
  const setup: Setup = {
    ioq,
    node,
    fdir: typeof module === "string" ? await fdirOnDeno(module) : module,
  };
  const entries = await inBatches(ioq, USR, 1);
  const emptyFile = `${directory}/empty.ts`;
  Deno.writeTextFileSync(emptyFile, "");
  const commands = await commandRunners(entries, emptyFile);
  const empty = await peakMemory("0");
  const walking = await peakMemory(
    `const { walk } = await import("${MOD}"); for await (const _ of walk("${USR}"));`,
  );
  const versions = await Promise.all(["find", "fdfind", "bfs", "node"].map(versionOf));

  const made = stack.move();
  return {
    notes: {
      [ON_USR]:
        `${entries} entries; one by one it takes ${(walking - empty).toFixed(0)} MiB at its ` +
        `peak, of which an empty Deno has none (goal: less than 150)`,
      [ON_TREE]: `${TREE_DIRECTORIES * TREE_FILES} files in ${TREE_DIRECTORIES} directories`,
      [COMMANDS]: versions.join(", "),
      [COLD]: "the commands whole, the others in process",
    },
    backend: ioq.backend,
    cases: [
      libraryCase(setup, ON_USR, USR, EFFORT),
      libraryCase(setup, ON_TREE, tree, LESS_EFFORT),
      statCase(setup),
      {
        group: COMMANDS,
        inFlight: 1,
        effort: { ...EFFORT, rounds: 7 },
        runners: [
          subject("walk.batches, in process", (count) => inBatches(ioq, USR, count)),
          ...commands,
        ],
      },
      ...(cold ? [coldCase(setup, commands)] : []),
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
