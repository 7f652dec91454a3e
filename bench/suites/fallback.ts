// Copyright 2026 the ioq authors. MIT license.

/**
 * The same work on each backend, beside Deno's own calls: what there is left of the
 * speed where there can be no ring, no library, no Worker.
 *
 * @module
 */

import { Ioq, type IoqOptions } from "@ioq/ioq";
import { fileURLToPath } from "node:url";
import type { Case, Effort, Run, Runner } from "../harness.ts";
import { LineProgram, type Missing } from "../peers.ts";
import { makeScratch } from "../scratch.ts";
import { makeSmallFiles, SMALL_FILES_NOTE } from "../small_files.ts";
import type { Goal, OpenSuite, Suite } from "../suite.ts";
import { filesOf } from "./fallback/work.ts";
import { readFileDeno } from "./files/whole_files.ts";
import { statDeno, statDenoSync } from "./ops/stat.ts";
import { denoSync } from "./walk/deno.ts";

const STAT = "stat";
const STAT_ROOT = "/usr/bin";
const READ = "read a small file";
const WALK = "walk";
const WALK_ROOT = "/usr/share";

const IN_FLIGHT = 128;

const WALK_EFFORT: Effort = { sampleMs: 1, warmRuns: 1, verifyOperations: 1, rounds: 3 };
const READ_EFFORT: Effort = { rounds: 5, verifyOperations: 64 };

/** A library that is not there. */
const library = "/nonexistent/libioq.so";

/** The backends, and what opens them: `mainThread` is for `fallback/queue.ts`. */
const BACKENDS: Readonly<Record<string, IoqOptions & { mainThread?: true }>> = {
  "uring": { backend: "uring" },
  "threads": { backend: "threads" },
  "worker": { backend: "worker" },
  "worker, no library": { backend: "worker", library },
  "main thread": { backend: "worker", mainThread: true },
  "main thread, no library": { backend: "worker", library, mainThread: true },
};

// Deno's -----------------------------------------------------------------------

function denoReadSync(paths: readonly string[], count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += Deno.readFileSync(paths[i % paths.length]!).length;
  }
  return sum;
}

/** One directory after the other, as one writes it. */
async function denoWalk(path: string): Promise<number> {
  let sum = 1;
  for await (const entry of Deno.readDir(path)) {
    sum += entry.isDirectory ? await denoWalk(`${path}/${entry.name}`) : 1;
  }
  return sum;
}

// Cases ------------------------------------------------------------------------

/** A backend's process, or why there is none. */
async function start(options: IoqOptions & { mainThread?: true }): Promise<LineProgram | Missing> {
  const { mainThread: _, ...open } = options;
  try {
    await using _ = await Ioq.open(open);
  } catch (error) {
    if (error instanceof Deno.errors.NotSupported) {
      return { missing: error.message };
    }
    throw error;
  }
  const program = fileURLToPath(new URL("fallback/queue.ts", import.meta.url));
  return new LineProgram(Deno.execPath(), ["run", "-A", program, JSON.stringify(options)]);
}

/** Have all backends do some work, beside Deno's calls. */
function makeCase(
  programs: Readonly<Record<string, LineProgram | Missing>>,
  work: { readonly group: string; readonly name: string; readonly root: string },
  inFlight: number,
  peers: Readonly<Record<string, Run>>,
  effort?: Effort,
): Case {
  const runners: Runner[] = Object.entries(programs).map(([name, program]) => ({
    name,
    role: "subject",
    run: program instanceof LineProgram
      ? (count) => program.ask(`${work.name} ${inFlight} ${count} ${work.root}`)
      : program,
  }));
  for (const [name, run] of Object.entries(peers)) {
    runners.push({ name, role: "peer", run });
  }
  return { group: work.group, inFlight, runners, ...(effort === undefined ? {} : { effort }) };
}

const GOALS: readonly Goal[] = [
  { group: STAT, subject: "worker", inFlight: [IN_FLIGHT], peer: "Deno.stat", atLeast: 5 },
  { group: READ, subject: "worker", inFlight: [IN_FLIGHT], peer: "Deno.readFile", atLeast: 1 },
  {
    group: WALK,
    subject: "worker",
    inFlight: [1],
    peer: "Deno.readDir",
    atLeast: 3,
    headline: true,
  },
];

async function openFallback(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const paths = makeSmallFiles(directory);
  const list = `${directory}/list`;
  Deno.writeTextFileSync(list, paths.join("\n"));
  const programs: Record<string, LineProgram | Missing> = {};
  for (const [name, options] of Object.entries(BACKENDS)) {
    const program = await start(options);
    programs[name] = program instanceof LineProgram ? stack.use(program) : program;
  }
  const files = filesOf(STAT_ROOT);
  const stat = (inFlight: number) =>
    makeCase(programs, { group: STAT, name: "stat", root: STAT_ROOT }, inFlight, {
      "Deno.stat": (count) => statDeno(files, inFlight, count),
      "Deno.statSync": (count) => statDenoSync(files, count),
    });
  const made = stack.move();
  return {
    notes: {
      [STAT]: `${files.length} files in ${STAT_ROOT}`,
      [READ]: SMALL_FILES_NOTE,
      [WALK]: WALK_ROOT,
    },
    backend: undefined,
    cases: [
      stat(1),
      stat(IN_FLIGHT),
      makeCase(programs, { group: READ, name: "read", root: list }, IN_FLIGHT, {
        "Deno.readFile": (count) => readFileDeno(paths, IN_FLIGHT, count),
        "Deno.readFileSync": (count) => denoReadSync(paths, count),
      }, READ_EFFORT),
      makeCase(programs, { group: WALK, name: "walk", root: WALK_ROOT }, 1, {
        "Deno.readDir": async (count) => {
          let sum = 0;
          for (let i = 0; i < count; i++) {
            sum += await denoWalk(WALK_ROOT);
          }
          return sum;
        },
        "Deno.readDirSync": (count) => denoSync(WALK_ROOT, count),
      }, WALK_EFFORT),
    ],
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const fallback: Suite = {
  name: "fallback",
  summary: "every backend: stat, small files, walk, beside Deno's calls",
  open: openFallback,
};
