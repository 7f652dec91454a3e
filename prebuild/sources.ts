// Copyright 2026 the ioq authors. MIT license.

/**
 * Which sources an embedded library was built from.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** The folder of the native sources. */
export const NATIVE: URL = new URL("../native/", import.meta.url);

/** The files that the library is built from, by name. */
export function nativeSources(): string[] {
  return [...Deno.readDirSync(NATIVE)]
    .filter(({ name, isFile }) => isFile && /\.(?:c|h|map)$/.test(name) && name !== "layout.c")
    .map(({ name }) => name)
    .sort();
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
