// Copyright 2026 the ioq authors. MIT license.

/**
 * Node's side of the `files` suite: for each line of its input, `random FILE LENGTH
 * IN_FLIGHT COUNT` or `small LIST IN_FLIGHT COUNT`, it does that much and prints the
 * nanoseconds that it took, and the sum of the bytes read.
 */

import { open, readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** Random reads of one file. */
async function random(path, length, inFlight, count) {
  const file = await open(path);
  const blocks = Math.floor((await file.stat()).size / length);
  let seed = 1;
  let next = 0;
  let sum = 0;
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    const buffer = new Uint8Array(length);
    while (next < count) {
      next++;
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const { bytesRead } = await file.read(
        buffer,
        0,
        length,
        ((seed >>> 8) % blocks) * length,
      );
      sum += bytesRead;
    }
  }));
  const ns = process.hrtime.bigint() - start;
  await file.close();
  return [ns, sum];
}

/** Whole files. */
async function small(list, inFlight, count) {
  const paths = readFileSync(list, "utf8").split("\n");
  let next = 0;
  let sum = 0;
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next < count) {
      const bytes = await readFile(paths[next++ % paths.length]);
      sum += bytes.length;
    }
  }));
  return [process.hrtime.bigint() - start, sum];
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, path, ...numbers] = line.split(" ");
  const [ns, sum] = await { random, small }[what](path, ...numbers.map(Number));
  console.log(`${ns} ${sum}`);
}
