// Copyright 2026 the ioq authors. MIT license.

/**
 * Node's side of the suites that go through many paths: for each line of its input,
 * `KIND LIST IN_FLIGHT COUNT`, it does so many operations on the paths that the list
 * names, over and over again, and prints the nanoseconds that it took, and the sum of
 * what they brought. Kinds are those of `many_threads.c`; and with two paths in the
 * list, `copytree` and `removetree`.
 */

import * as fs from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const bytes = new Uint8Array(2048);

/** Entries at and below a path, as `recursive: true` finds them: one directory at a time. */
async function walk(path, visit) {
  const entries = await fs.readdir(path, { recursive: true, withFileTypes: true });
  await visit?.(entries);
  return entries.length + 1;
}

const KINDS = {
  stat: async (path) => (await fs.stat(path)).size,
  open: async (path) => {
    await (await fs.open(path)).close();
    return 1;
  },
  list: async (path) => (await fs.readdir(path, { withFileTypes: true })).length,
  read: async (path) => (await fs.readFile(path)).length,
  write: async (path) => {
    await fs.writeFile(path, bytes);
    return bytes.length;
  },
  walk: (path) => walk(path),
  walkstat: (path) =>
    walk(
      path,
      (entries) =>
        Promise.all(entries.map((it) => fs.lstat(`${it.parentPath ?? it.path}/${it.name}`))),
    ),
  copytree: async (from, paths) => {
    await fs.cp(from, paths[1], { recursive: true });
    return 1;
  },
  removetree: async (path) => {
    await fs.rm(path, { recursive: true });
    return 1;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [kind, list, ...numbers] = line.split(" ");
  const [inFlight, count] = numbers.map(Number);
  const paths = readFileSync(list, "utf8").trim().split("\n");
  const operate = KINDS[kind];
  let next = 0;
  let sum = 0;
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next < count) {
      const got = await operate(paths[next++ % paths.length], paths);
      sum += got;
    }
  }));
  console.log(`${process.hrtime.bigint() - start} ${sum}`);
}
