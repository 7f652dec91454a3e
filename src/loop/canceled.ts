// Copyright 2026 the ioq authors. MIT license.

/**
 * What only an event loop throws.
 *
 * @module
 */

import { asEnd } from "../queue/end.ts";

/**
 * A task was asked to stop, and this is where it learnt of it: the operation or
 * the wait that throws it did not happen.
 *
 * @category Tasks
 */
export class Canceled extends Error {
  /** What it is called. */
  override readonly name = "Canceled";
  /** The code of the system's error of that name. */
  readonly code = "ECANCELED";

  /** Made where a cancellation is delivered. */
  constructor(message = "The task was canceled") {
    super(message);
    asEnd(this);
  }
}

/** Whether something that was thrown, whatever it is, says that a task was cancelled. */
export function isCanceled(error: unknown): error is Canceled {
  try {
    return error instanceof Canceled;
  } catch {
    // A proxy
    return false;
  }
}

/**
 * `EventLoop.concurrent()` has as many tasks as `concurrencyLimit` allows.
 *
 * @category Tasks
 */
export class ConcurrencyUnavailable extends Error {
  /** What it is called. */
  override readonly name = "ConcurrencyUnavailable";
}

/**
 * A Worker ended while it held a `SharedMutex`: what that protects may be half done. Who
 * takes the lock may say how to put that right.
 *
 * @category Taking turns across Workers
 */
export class MutexAbandoned extends Error {
  /** What it is called. */
  override readonly name = "MutexAbandoned";
  /** The code of the system's error of that name. */
  readonly code = "EOWNERDEAD";

  /** Made where somebody takes the lock. */
  constructor(message = "A Worker ended while it held the mutex") {
    super(message);
  }
}

/** A closed loop refuses what is asked of it. */
export function closedLoopError(): Error {
  return new Deno.errors.BadResource("Cannot use an event loop that was closed");
}
