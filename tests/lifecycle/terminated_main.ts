// Copyright 2026 the ioq authors. MIT license.

/**
 * Terminates Workers at random moments, and looks for what is left of them. In a process of
 * its own, since the library stays loaded where a thread of it was ended.
 */

import { assertEquals } from "@std/assert";
import type { IoqOptions } from "../../mod.ts";
import {
  descriptorsUnder,
  laneThreads,
  randomFrom,
  sleep,
  TempDir,
  until,
  within,
} from "../fixtures.ts";
import { COMPOUND_CALLS, type Folder } from "./compound_calls.ts";
import type { Deeds } from "./terminated_worker.ts";

/** What is told to this process. */
export interface Plan {
  /** How a Worker opens its queue. */
  readonly options: IoqOptions;
  /** Whether the queue starts no Workers. */
  readonly onThisThread: boolean;
  /** Whether there is a library. */
  readonly library: boolean;
  readonly seed: number;
  readonly rounds: number;
}

/** Calls that a Worker makes at the same time. */
const CALLS = 3;
/** Milliseconds after which it is terminated, at the latest. */
const LONGEST_MS = 100;

/** A folder in another one. */
function folderIn(dir: TempDir, name: string): Folder {
  const path = dir.at(name);
  Deno.mkdirSync(path);
  const at = (inner: string) => `${path}/${inner}`;
  return {
    path,
    at,
    file(inner, text = "") {
      Deno.writeTextFileSync(at(inner), text);
      return at(inner);
    },
  };
}

/** Temporary files of atomic writes in the folders of calls. */
function temporaries(dir: TempDir, calls: readonly number[]): string[] {
  return calls.flatMap((number) =>
    [...Deno.readDirSync(dir.at(`${number}`))].map(({ name }) => name)
  ).filter((name) => name.startsWith(".ioq-"));
}

/** Start a Worker, and end it when it is busy. */
async function terminateAtRandom(deeds: Deeds, random: () => number): Promise<void> {
  const worker = new Worker(new URL("./terminated_worker.ts", import.meta.url), {
    type: "module",
  });
  try {
    await within(
      60_000,
      new Promise<void>((resolve, reject) => {
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.onmessage = () => resolve();
        worker.postMessage(deeds);
      }),
      "the Worker's start",
    );
    await sleep(LONGEST_MS * random());
  } finally {
    worker.terminate();
  }
}

const plan: Plan = JSON.parse(Deno.args[0]!);
const { library, seed } = plan;
const random = randomFrom(seed);
const possible = [...COMPOUND_CALLS.keys()].filter((number) =>
  library || COMPOUND_CALLS[number]!.library === undefined
);
for (let round = 0; round < plan.rounds; round++) {
  using dir = new TempDir();
  dir.file("locked");
  dir.file("raw");
  const calls = Array.from(
    { length: CALLS },
    () => possible.splice(Math.floor(random() * possible.length), 1)[0]!,
  );
  possible.push(...calls);
  for (const number of calls) {
    const folder = folderIn(dir, `${number}`);
    await COMPOUND_CALLS[number]!.prepare?.(folder);
  }
  const names = calls.map((number) => COMPOUND_CALLS[number]!.name);
  const context = `${names.join(", ")} in round ${round} of seed ${seed}`;
  await terminateAtRandom({ ...plan, locks: library, path: dir.path, calls }, random);
  await until(() => descriptorsUnder(dir.path) === 0, `descriptors after ${context}`);
  await until(() => laneThreads() === 0, `threads after ${context}`);
  using locked = await Deno.open(dir.at("locked"), { read: true, write: true });
  await within(10_000, locked.lock(true), `the lock after ${context}`);
  await until(() => !library || temporaries(dir, calls).length === 0, `files of ${context}`);
  assertEquals(descriptorsUnder(dir.path), 1, context);
}
