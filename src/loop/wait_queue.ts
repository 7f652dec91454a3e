// Copyright 2026 the ioq authors. MIT license.

/**
 * A line of tasks that wait for their turn: first in, first out.
 *
 * Whoever is let go leaves the line in that very moment, so a turn is never given
 * to a task that is cancelled at the same time: it either left the line before, or
 * it has its turn and learns of the cancellation later.
 *
 * @module
 */

import type { Task, Wait } from "./task.ts";

/** A place in the line, which is a ring of them through a head. */
class Place<T> implements Wait {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;
  readonly #queue: { size: number };
  readonly #task: Task | undefined;
  readonly #onGrant: (() => void) | undefined;
  /** Itself, if it is in no line. */
  before: Place<T> = this;
  after: Place<T> = this;

  constructor(
    queue: { size: number },
    task: Task | undefined,
    onGrant: (() => void) | undefined,
  ) {
    this.#queue = queue;
    this.#task = task;
    this.#onGrant = onGrant;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Take the last place. */
  join(head: Place<T>): void {
    this.#task?.enter(this);
    this.before = head.before;
    this.after = head;
    head.before.after = this;
    head.before = this;
    this.#queue.size++;
  }

  /** Have its turn. */
  grant(value: T): void {
    this.#leave();
    this.#onGrant?.();
    this.#resolve(value);
  }

  /** Go without. */
  fail(error: unknown): void {
    this.#leave();
    this.#reject(error);
  }

  interrupt(): void {
    this.fail(this.#task!.deliver());
  }

  #leave(): void {
    this.before.after = this.after;
    this.after.before = this.before;
    this.#queue.size--;
    this.#task?.leave(this);
  }
}

/** A line of tasks that wait for their turn, first in, first out. */
export class WaitQueue<T = void> {
  /** How many wait. */
  size = 0;
  /** Before the first and after the last. */
  readonly #head = new Place<T>(this, undefined, undefined);

  /**
   * Wait for a turn.
   *
   * @param task Who waits; a cancellation point of its. Nobody can cancel the wait
   *        if it is not given.
   * @param onGrant Called in the moment that it has its turn, before it goes on.
   */
  wait(task: Task | undefined, onGrant?: () => void): Promise<T> {
    try {
      const place = new Place<T>(this, task, onGrant);
      place.join(this.#head);
      return place.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Let the first one go, if there is one. */
  grant(value: T): boolean {
    if (this.size === 0) {
      return false;
    }
    this.#head.after.grant(value);
    return true;
  }

  /** Have all who wait now go without. */
  fail(error: unknown): void {
    for (let count = this.size; count > 0; count--) {
      this.#head.after.fail(error);
    }
  }
}
