// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting until a word in shared memory changes, as a wait of a task's.
 *
 * @module
 */

import type { Task, Wait } from "./task.ts";

/** How many wait in this thread; a timer keeps the event loop alive for them. */
let waiting = 0;
let timer: ReturnType<typeof setInterval> | undefined;
/** The longest that a timer may be set for. */
const FOREVER_MS = 2 ** 31 - 1;

/** `Atomics.waitAsync()` by itself keeps no process alive, and its waker may be another thread. */
function hold(): void {
  if (waiting++ === 0) {
    timer = setInterval(() => {}, FOREVER_MS);
  }
}

function release(): void {
  if (--waiting === 0) {
    clearInterval(timer);
  }
}

/**
 * Wait until a word no longer holds a value.
 *
 * @param words Where it is.
 * @param at Its index.
 * @param value What it holds.
 * @param task Who waits. Nobody can cancel it if not given.
 * @param withdraw Called when the task is cancelled: tells whether it gives up, or
 *        whether it was too late for that.
 * @throws {Canceled} If it gave up.
 */
export async function waitWhile(
  words: Int32Array<SharedArrayBuffer>,
  at: number,
  value: number,
  task: Task | undefined,
  withdraw: () => boolean,
): Promise<void> {
  let withdrawn = false;
  const wait: Wait = {
    interrupt() {
      withdrawn ||= withdraw();
      if (withdrawn) {
        // Its own waiting ends by that
        Atomics.notify(words, at);
      }
    },
  };
  task?.enterLate(wait);
  hold();
  try {
    while (!withdrawn && Atomics.load(words, at) === value) {
      const result = Atomics.waitAsync(words, at, value);
      if (result.async) {
        await result.value;
      }
    }
  } finally {
    release();
    task?.leave(wait);
  }
  if (withdrawn) {
    throw task!.deliver();
  }
}
