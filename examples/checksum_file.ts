// Copyright 2026 the ioq authors. MIT license.

/**
 * What a Worker of {@linkcode checksum} does: the SHA-256 of a file.
 *
 * @module
 */

import { createHash } from "node:crypto";

const CHUNK_BYTES = 1024 * 1024;

/** The SHA-256 of a file's contents, in hexadecimal. */
export default function (path: string): string {
  using file = Deno.openSync(path);
  const hash = createHash("sha256");
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const count = file.readSync(chunk);
    if (count === null) {
      return hash.digest("hex");
    }
    hash.update(chunk.subarray(0, count));
  }
}
