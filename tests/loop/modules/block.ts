// Copyright 2026 the ioq authors. MIT license.

/** Keeps its thread busy until a word in shared memory is set; counts itself in another. */
export default function (words: Int32Array): number {
  const before = Atomics.add(words, 1, 1);
  Atomics.notify(words, 1);
  Atomics.wait(words, 0, 0);
  return before;
}
