// Copyright 2026 the ioq authors. MIT license.

/**
 * The dirty check of an incremental build: which files below a folder have other contents than
 * at the last time, which are new, and which are gone.
 *
 *     deno run --allow-ffi --allow-read --allow-write examples/dirty.ts FOLDER STATE
 *
 * A file whose size and times are as they were is not read. STATE is the file that keeps what is
 * known; it is replaced as a whole, so a build that is killed leaves the old one or the new one.
 *
 * @module
 */

import { readFiles, readTextFile, walk, writeTextFile } from "@ioq/ioq";

/** What is known of a file: its attributes, and the SHA-256 of its contents. */
interface Known {
  stamp: string;
  sha256: string;
}

/** What was known at the last time; nothing at the first. */
async function load(state: string): Promise<Record<string, Known>> {
  try {
    return JSON.parse(await readTextFile(state));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return {};
    }
    throw error;
  }
}

/** Lines that tell what has changed since the last call, sorted. */
export async function findDirty(folder: string, state: string): Promise<string[]> {
  const before = new Map(Object.entries(await load(state)));
  const after = new Map<string, Known>();
  const suspects: string[] = [];
  for await (const { path, isFile, info } of walk(folder, { stat: true, includeDirs: false })) {
    if (isFile) {
      const stamp = `${info.size} ${info.mtime?.getTime()} ${info.ctime?.getTime()} ${info.ino}`;
      const known = before.get(path);
      after.set(path, { stamp, sha256: known?.sha256 ?? "" });
      if (known?.stamp !== stamp) {
        suspects.push(path);
      }
    }
  }

  const lines = [...before.keys()].filter((path) => !after.has(path)).map((it) => `gone ${it}`);
  for await (const { path, bytes } of readFiles(suspects)) {
    const known = after.get(path)!;
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    if (known.sha256 !== sha256) {
      lines.push(`${before.has(path) ? "changed" : "new"} ${path}`);
      known.sha256 = sha256;
    }
  }
  await writeTextFile(state, JSON.stringify(Object.fromEntries(after)), { atomic: true });
  return lines.sort();
}

if (import.meta.main) {
  const [folder, state] = Deno.args;
  if (folder === undefined || state === undefined) {
    console.error("Usage: dirty.ts FOLDER STATE");
    Deno.exit(2);
  }
  for (const line of await findDirty(folder, state)) {
    console.log(line);
  }
}
