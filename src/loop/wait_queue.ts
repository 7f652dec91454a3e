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

/** A place in the line. */
class Place<T> implements Wait {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;
  readonly #line: Set<Place<T>>;
  readonly #task: Task | undefined;
  readonly #onGrant: (() => void) | undefined;

  constructor(line: Set<Place<T>>, task: Task | undefined, onGrant: (() => void) | undefined) {
    this.#line = line;
    this.#task = task;
    this.#onGrant = onGrant;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    task?.enter(this);
    line.add(this);
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
    this.#line.delete(this);
    this.#task?.leave(this);
  }
}

/** See the module. */
export class WaitQueue<T = void> {
  /** In the order of their coming. */
  readonly #line = new Set<Place<T>>();

  /** How many wait. */
  get size(): number {
    return this.#line.size;
  }

  /**
   * Wait for a turn.
   *
   * @param task Who waits; a cancellation point of its. Nobody can cancel the wait
   *        if it is not given.
   * @param onGrant Called in the moment that it has its turn, before it goes on.
   */
  wait(task: Task | undefined, onGrant?: () => void): Promise<T> {
    try {
      return new Place(this.#line, task, onGrant).promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Let the first one go, if there is one. */
  grant(value: T): boolean {
    for (const place of this.#line) {
      place.grant(value);
      return true;
    }
    return false;
  }

  /** Have all who wait now go without. */
  fail(error: unknown): void {
    for (const place of [...this.#line]) {
      place.fail(error);
    }
  }
}
