// Copyright 2026 the ioq authors. MIT license.

import type { Io } from "@ioq/ioq/loop";
import block from "./block.ts";

/** Keeps its thread busy although it is a task. */
export default function (_io: Io, words: Int32Array): number {
  return block(words);
}
