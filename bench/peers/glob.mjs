// Copyright 2026 the ioq authors. MIT license.

/**
 * Node's side of the `glob` suite: for each line of its input, a library, patterns, options and a
 * count as JSON, it has the library (from the directory that is the argument) find that often and
 * prints the nanoseconds that it took, and the sum of the paths found.
 */

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const load = async (path) => await import(pathToFileURL(`${process.argv[2]}/${path}`).href);
const { glob: tinyglobby } = await load("tinyglobby/dist/index.mjs");
const { default: fastGlob } = await load("fast-glob/out/index.js");
const { globby } = await load("globby/index.js");
const LIBRARIES = {
  tinyglobby: (patterns, options) => tinyglobby(patterns, { expandDirectories: false, ...options }),
  "fast-glob": (patterns, options) => fastGlob(patterns, options),
  globby: (patterns, options) => globby(patterns, { expandDirectories: false, ...options }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { library, patterns, options, count } = JSON.parse(line);
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    sum += (await LIBRARIES[library](patterns, options)).length;
  }
  console.log(`${process.hrtime.bigint() - start} ${sum}`);
}
