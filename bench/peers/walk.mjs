// Copyright 2026 the ioq authors. MIT license.

/**
 * Node's side of the `walk` suite: for each line of its input, `ROOT COUNT`, it has
 * fdir (whose module is the argument) crawl that often and prints the nanoseconds
 * that it took, and the sum of the entries found.
 */

import { createInterface } from "node:readline";

const { fdir } = await import(process.argv[2]);

for await (const line of createInterface({ input: process.stdin })) {
  const at = line.lastIndexOf(" ");
  const root = line.slice(0, at);
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < Number(line.slice(at + 1)); i++) {
    sum += (await new fdir().withFullPaths().withDirs().crawl(root).withPromise()).length;
  }
  console.log(`${process.hrtime.bigint() - start} ${sum}`);
}
