// Copyright 2026 the ioq authors. MIT license.

/** As many lanes as pay: many while what they do waits, few while it is cached. */

import { assert, assertEquals } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { TempDir, within } from "../fixtures.ts";
import { mountFuse } from "./mount.ts";

const LIMIT_MS = 30_000;

/** Threads of this process that are lanes. */
function countLanes(): number {
  let lanes = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      lanes += /^ioq-\d/.test(Deno.readTextFileSync(`/proc/self/task/${name}/comm`)) ? 1 : 0;
    } catch {
      // It has ended
    }
  }
  return lanes;
}

const native = { nativeThreads: true, library: true };
const isMany = (row: { options: { threads?: number } } & typeof native) =>
  row.nativeThreads && row.options.threads === undefined;

forEachBackend("what waits for a server gets as many lanes as there are", async ({ open }) => {
  let fs;
  try {
    fs = await mountFuse({ latencyUs: { lookup: 20_000 }, tree: { directories: 300 } });
  } catch (error) {
    console.log(`skipped: ${(error as Error).message}`);
    return;
  }
  await using mount = fs;
  const before = countLanes();
  await using ioq = await open({ depth: 1024 });
  const stats = Promise.all(Array.from({ length: 300 }, (_, i) => ioq.stat(mount.at(`d${i}`))));
  let most = 0;
  let done = false;
  stats.finally(() => done = true);
  while (!done) {
    most = Math.max(most, countLanes() - before);
    await ioq.sleep(1);
  }
  assert((await within(LIMIT_MS, stats, "stats")).every(({ isDirectory }) => isDirectory));
  // All that were asked for at once waited on lanes: the kernel's threads are fewer
  assertEquals(ioq.completed.worker, 300);
  assertEquals(most, 128);
}, (row) => isMany(row as Parameters<typeof isMany>[0]));

forEachBackend("what is cached gets no more lanes than before", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const before = countLanes();
  await using ioq = await open({ depth: 256 });
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 256 }, () => ioq.stat(path)));
  }
  // Other processes may hold a lane up for once, which is found out within milliseconds
  assert(countLanes() - before < 64, `${countLanes() - before} lanes`);
}, (row) => isMany(row as Parameters<typeof isMany>[0]));
