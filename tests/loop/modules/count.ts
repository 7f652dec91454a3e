// Copyright 2026 the ioq authors. MIT license.

/** Counts that it ran. */
export default function (words: Int32Array): number {
  return Atomics.add(words, 0, 1);
}
