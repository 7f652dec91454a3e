// Copyright 2026 the ioq authors. MIT license.

import { type Io, SharedCondition, SharedMutex, SharedSemaphore } from "@ioq/ioq/loop";

/** A ring of numbers in shared memory. */
export interface Ring {
  mutex: SharedArrayBuffer;
  notEmpty: SharedArrayBuffer;
  notFull: SharedArrayBuffer;
  permits: SharedArrayBuffer;
  /** How many are in it, where the first one is, and the numbers. */
  words: Int32Array;
}

/** Puts numbers in, or takes them out; the sum of what passed. */
export default async function (
  io: Io,
  role: "producer" | "consumer",
  count: number,
  ring: Ring,
): Promise<number> {
  const mutex = new SharedMutex(ring.mutex);
  const notEmpty = new SharedCondition(ring.notEmpty);
  const notFull = new SharedCondition(ring.notFull);
  const { words } = ring;
  const capacity = words.length - 2;
  let sum = 0;
  await new SharedSemaphore(ring.permits).acquire(io);
  for (let i = 1; i <= count; i++) {
    using _guard = await mutex.acquire(io);
    if (role === "producer") {
      while (words[0] === capacity) {
        await notFull.wait(io, mutex);
      }
      words[2 + (words[1]! + words[0]!++) % capacity] = i;
      sum += i;
      notEmpty.signal();
    } else {
      while (words[0] === 0) {
        await notEmpty.wait(io, mutex);
      }
      sum += words[2 + words[1]!]!;
      words[1] = (words[1]! + 1) % capacity;
      words[0]!--;
      notFull.signal();
    }
  }
  return sum;
}
