// Copyright 2026 the ioq authors. MIT license.

/**
 * What only an event loop throws.
 *
 * @module
 */

import { asEnd } from "../end.ts";

/**
 * Thrown in a task that was cancelled. The operation or the wait that throws it did not happen.
 *
 * @category Tasks
 */
export class Canceled extends Error {
  /** The name of the error. */
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
 * Thrown by `EventLoop.concurrent()` when as many tasks run as `concurrencyLimit` allows.
 *
 * @category Tasks
 */
export class ConcurrencyUnavailable extends Error {
  /** The name of the error. */
  override readonly name = "ConcurrencyUnavailable";
}

/**
 * Thrown when a task acquires a `SharedMutex` whose holder, a Worker, has ended: what the lock
 * protects may be half done. The option `recover` repairs it.
 *
 * @category Taking turns across Workers
 */
export class MutexAbandoned extends Error {
  /** The name of the error. */
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
