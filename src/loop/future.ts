// Copyright 2026 the ioq authors. MIT license.

/**
 * The future result of a task.
 *
 * A future is a native promise with a few properties more, and not an object of a
 * class of its own: `await` takes a native promise as it is, while any other
 * thenable costs it a promise, a job and two turns of the microtask queue more,
 * several times what starting a task costs otherwise.
 *
 * @module
 */

import { isCanceled } from "./canceled.ts";

/**
 * A task that was started: a promise for its result, and the means to stop it.
 *
 * @category Tasks
 */
export interface Future<T> extends Promise<T> {
  /**
   * Cancels the task and waits for its end. Its operations are cancelled in the kernel, and
   * `Canceled` is thrown in it at its next cancellation point. Resolves to the task's result if it
   * finishes all the same. Rejects with `Canceled` if the task does not catch that, or with
   * the error that it fails with.
   *
   * Calling it again, or after the task's end, has no further effect. It need not be awaited: a
   * task that was cancelled and ends by `Canceled` is not reported as an unhandled
   * rejection. A task that was not cancelled and fails by the `Canceled` of another one is.
   */
  cancel(): Promise<T>;
  /** Whether it is over. */
  readonly done: boolean;
  /** The task's result; `undefined` until it has one, or if it failed. */
  readonly result: T | undefined;
  /** {@linkcode Future.cancel} for `await using`: `Canceled` is the expected end. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a future needs of what it stands for: a task here, or one in a Worker. */
export interface Cancelable {
  /** Whether it is over. */
  readonly ended: boolean;
  /** Whether it was asked to stop. */
  readonly requested: boolean;
  /** What to call when it is over. */
  onEnd: Set<() => void> | undefined;
  /** Ask it to stop. */
  request(): void;
  /** It is over. */
  end(): void;
}

/** Gives back what it is given: a derived class adds its private fields to that. */
class Same {
  constructor(of: object) {
    return of;
  }
}

/**
 * The task of a future, in a private field of that. A property would lead whoever looks for
 * it to the loop's queue, past all that is asked for there.
 */
class Kept extends Same {
  readonly #task: Cancelable;

  constructor(future: object, task: Cancelable) {
    super(future);
    this.#task = task;
  }

  static taskOf(future: object): Cancelable | undefined {
    return #task in future ? future.#task : undefined;
  }
}

/** A future while it is made. */
interface Draft<T> extends Promise<T> {
  cancel: () => Promise<T>;
  done: boolean;
  result: T | undefined;
  [Symbol.asyncDispose]: () => Promise<void>;
}

function cancel<T>(this: Draft<T>): Promise<T> {
  Kept.taskOf(this)?.request();
  return this;
}

async function dispose<T>(this: Draft<T>): Promise<void> {
  Kept.taskOf(this)?.request();
  try {
    await this;
  } catch (error) {
    if (!isCanceled(error)) {
      throw error;
    }
  }
}

function ignore(): void {}

/**
 * Make a future.
 *
 * @param promise What the task's function returned.
 * @param task What is to be cancelled.
 * @param onEnd Called when it is over, before anyone who awaits it goes on.
 */
export function makeFuture<T>(
  promise: Promise<T>,
  task: Cancelable,
  onEnd: (task: Cancelable) => void,
): Future<T> {
  const future = promise.then(
    (value) => {
      future.done = true;
      future.result = value;
      onEnd(task);
      return value;
    },
    (error) => {
      future.done = true;
      onEnd(task);
      // That of another task is a failure like any other
      if (task.requested && isCanceled(error)) {
        future.then(undefined, ignore);
      }
      throw error;
    },
  ) as Draft<T>;
  new Kept(future, task);
  future.done = false;
  future.result = undefined;
  future.cancel = cancel as () => Promise<T>;
  future[Symbol.asyncDispose] = dispose;
  return future;
}

/** The task of a future; `undefined` for any other promise. */
export function taskOfFuture(future: PromiseLike<unknown>): Cancelable | undefined {
  return Kept.taskOf(future);
}
