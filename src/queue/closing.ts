// Copyright 2026 the ioq authors. MIT license.

/**
 * What is said of a queue that does not close.
 *
 * @module
 */

import { Deadline, type Deadlines } from "./deadlines.ts";

/** Milliseconds that a close waits for what is in flight, if it is not told. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 10_000;
/**
 * Microtasks in which a queue at rest closes. It needs no timer, of which the first one in a
 * program takes 5 ms.
 */
const IDLE_MICROTASKS = 16;
/** Milliseconds that operations have to be told of which were given up. */
const ABANDON_MS = 1000;
/** Operations that the error of a close names. */
const NAMED_MAX = 10;

/**
 * What a close complains about that took too long.
 *
 * @param left What is in progress, if anything is.
 */
function lateError(left: readonly string[], timeoutMs: number): Error {
  const named = left.slice(0, NAMED_MAX).join(", ");
  const more = left.length > NAMED_MAX ? ` and ${left.length - NAMED_MAX} more` : "";
  const what = left.length === 0
    ? "its threads have yet to end"
    : left.length === 1
    ? `1 operation does not end: ${named}`
    : `${left.length} operations do not end: ${named}${more}`;
  const error = new Deno.errors.TimedOut(`Cannot close the queue within ${timeoutMs} ms, ${what}`);
  return Object.assign(error, { code: "ETIMEDOUT" });
}

/**
 * Wait until a queue is drained, and no longer than it may take.
 *
 * @param drained Settles when it is.
 * @param timeoutMs How long that may take.
 * @param deadlines The queue's.
 * @param left Gives what is in progress.
 * @param abandon Called when it took too long. Gives up what is in progress, and tells whether
 *        there was any: that is waited for, so that whoever began it is told before the close is over.
 */
export async function drainedWithin(
  drained: Promise<void>,
  timeoutMs: number,
  deadlines: Deadlines,
  left: () => readonly string[],
  abandon: () => boolean,
): Promise<void> {
  let isOver = false;
  const end = () => isOver = true;
  drained.then(end, end);
  for (let i = 0; i < IDLE_MICROTASKS && !isOver; i++) {
    await undefined;
  }
  if (isOver) {
    return await drained;
  }
  if (await isWithin(drained, timeoutMs, deadlines)) {
    return await drained;
  }
  const error = lateError(left(), timeoutMs);
  if (abandon()) {
    await isWithin(drained, ABANDON_MS, deadlines);
  }
  throw error;
}

/** Whether something settles within some milliseconds. */
async function isWithin(
  settled: Promise<void>,
  timeoutMs: number,
  deadlines: Deadlines,
): Promise<boolean> {
  let deadline: Deadline | undefined;
  const late = new Promise<boolean>((resolve) => {
    deadline = new Deadline(timeoutMs, () => resolve(false));
  });
  deadlines.add(deadline!);
  const inTime = settled.then(() => true, () => true);
  try {
    return await Promise.race([inTime, late]);
  } finally {
    deadlines.remove(deadline!);
  }
}
