// Copyright 2026 the ioq authors. MIT license.

/**
 * Which sources an embedded library was built from.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** The folder of the native sources. */
export const NATIVE: URL = new URL("../native/", import.meta.url);

/** The folders of the core; what else is there are tests and tools. */
const ROOMS = ["", "queue/", "ring/", "lanes/", "calls/", "waits/"];

/** The files that the library is built from, by path. */
export function nativeSources(): string[] {
  return ROOMS.flatMap((room) =>
    [...Deno.readDirSync(new URL(room, NATIVE))]
      .filter(({ name, isFile }) => isFile && /\.(?:c|h|map)$/.test(name))
      .map(({ name }) => room + name)
  ).sort();
}

/** The SHA-256 of the native sources, in hexadecimal. */
export function hashSources(): string {
  const hash = createHash("sha256");
  for (const name of nativeSources()) {
    const bytes = Deno.readFileSync(new URL(name, NATIVE));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}
