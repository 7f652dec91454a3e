// Copyright 2026 the ioq authors. MIT license.

import { createHash } from "node:crypto";

/** The first 32 bits of a file's SHA-256. */
export default function (path: string): number {
  return createHash("sha256").update(Deno.readFileSync(path)).digest().readUInt32BE(0);
}
