// Copyright 2026 the ioq authors. MIT license.

/**
 * The lines of a tree's text files in which a regular expression is found, without those that git
 * ignores. The order is that in which files are read.
 *
 *     deno run --allow-ffi --allow-read examples/grep.ts PATTERN [FOLDER]
 *
 * @module
 */

import { readFiles, walk } from "@ioq/ioq";

/** Files that can be read without waiting for somebody who writes. */
async function* regularFiles(folder: string) {
  for await (const entry of walk(folder, { gitignore: true, includeDirs: false })) {
    if (entry.isFile) {
      yield entry;
    }
  }
}

/** Lines that match, each with its file and its number. */
export async function* grep(pattern: RegExp, folder: string): AsyncGenerator<string> {
  const onError = (error: Error) => console.error(error.message);
  for await (const { path, bytes } of readFiles(regularFiles(folder), { onError })) {
    if (!bytes.subarray(0, 8192).includes(0)) {
      const name = typeof path === "string" ? path : new TextDecoder().decode(path);
      for (const [i, line] of new TextDecoder().decode(bytes).split("\n").entries()) {
        if (pattern.test(line)) {
          yield `${name}:${i + 1}:${line}`;
        }
      }
    }
  }
}

if (import.meta.main) {
  const [pattern, folder = "."] = Deno.args;
  if (pattern === undefined) {
    console.error("Usage: grep.ts PATTERN [FOLDER]");
    Deno.exit(2);
  }
  for await (const line of grep(new RegExp(pattern), folder)) {
    console.log(line);
  }
}
