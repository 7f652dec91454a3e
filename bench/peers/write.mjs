// Copyright 2026 the ioq authors. MIT license.

/**
 * Node's side of the `write` suite: for each line of its input, `KIND DIRECTORY
 * IN_FLIGHT COUNT LENGTH`, it does that much in the directory, as the suite's own forms
 * do, and prints the nanoseconds that it took, and the count.
 */

import * as fs from "node:fs/promises";
import { createInterface } from "node:readline";

/** Loops side by side. */
async function many(inFlight, count, operate) {
  let next = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next < count) {
      await operate(next++);
    }
  }));
}

/** One write after the other. */
async function writes(path, flags, count, bytes) {
  const file = await fs.open(path, flags);
  for (let i = 0; i < count; i++) {
    await file.write(bytes);
  }
  await file.close();
}

const KINDS = {
  write: (at, inFlight, count, bytes) =>
    many(inFlight, count, (i) => fs.writeFile(`${at}/${i}`, bytes)),
  append: (at, _, count, bytes) => writes(`${at}/file`, "a", count, bytes),
  single: (at, _, count, bytes) => writes(`${at}/file`, "w", count, bytes),
  create: (at, inFlight, count) =>
    many(inFlight, count, async (i) => (await fs.open(`${at}/${i}`, "wx")).close()),
  rename: (at, inFlight, count) =>
    many(inFlight, count, (i) => fs.rename(`${at}/${i}`, `${at}/renamed_${i}`)),
  copy: (at, inFlight, count) =>
    many(inFlight, count, (i) => fs.copyFile(`${at}/from`, `${at}/to_${i}`)),
  copytree: (at) => fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true }),
  removetree: (at) => fs.rm(`${at}/tree`, { recursive: true }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [kind, path, ...numbers] = line.split(" ");
  const [inFlight, count, length] = numbers.map(Number);
  const bytes = new Uint8Array(length);
  const start = process.hrtime.bigint();
  await KINDS[kind](path, inFlight, count, bytes);
  console.log(`${process.hrtime.bigint() - start} ${count}`);
}
