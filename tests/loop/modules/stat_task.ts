// Copyright 2026 the ioq authors. MIT license.

import type { Io } from "@ioq/ioq/loop";

/** Tells what it was given, and what it runs on. */
export default async function (io: Io, path: string, bytes: Uint8Array): Promise<unknown> {
  const { size } = await io.stat(path);
  bytes[0]!++;
  return { size, bytes, kind: io.loop.backend.kind };
}
