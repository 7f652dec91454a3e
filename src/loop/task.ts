// Copyright 2026 the ioq authors. MIT license.

/**
 * A task as far as cancelling is concerned: whether it was asked to stop, whether
 * it knows, and what it is waiting for.
 *
 *     request() ──▶ pending ──▶ each wait that is under way is interrupted
 *                      │            │ the wait ends with Canceled: delivered
 *                      │            │ the wait ends with its result all the same:
 *                      │            ▼ still pending
 *                      └──▶ the next cancellation point throws Canceled: delivered
 *
 * While the task is protected nothing is interrupted and nothing is thrown; what is
 * pending is delivered afterwards.
 *
 * @module
 */

import { Canceled } from "./canceled.ts";

/** Something that a task waits for, and that can be made to end early. */
export interface Wait {
  /**
   * Have the wait end soon. If it ends because of that, and not with a result, it
   * calls {@linkcode Task.deliver}. Called once at most unless it is asked again
   * by {@linkcode Task.recancel}.
   */
  interrupt(): void;
}

/** What a task needs of its loop. */
export interface TaskOwner {
  /** Whether all its tasks are to stop. */
  readonly closing: boolean;
  /** Whether they have. */
  readonly closed: boolean;
  /** Tasks that wait or have waited, to be asked to stop when the loop closes. */
  readonly waiters: Set<Task>;
}

/** Of tasks that asked for a signal: few do, and a field would be in all. */
const controllers = new WeakMap<Task, AbortController>();

/**
 * The cancellation of one task: whether it is requested, delivered, or held back.
 *
 * @typeParam Owner What else its owner is.
 */
export class Task<Owner extends TaskOwner = TaskOwner> {
  readonly owner: Owner;
  /** Whether it was ever asked to stop. */
  #requested = false;
  /** Whether it has yet to learn of it. */
  #pending = false;
  /** How many protected regions it is in. */
  #protection = 0;
  /** Whether it ever waited, so that the owner knows of it. */
  #waited = false;
  /**
   * Whether its loop was closing when it began, for a task that cleans up: that it
   * closes is known to whoever began it, and no reason to stop.
   */
  readonly #isLate: boolean;
  /** What it is waiting for: mostly one thing. */
  #wait: Wait | undefined;
  /** Others, if it awaits several promises. */
  #moreWaits: Set<Wait> | undefined;
  /** Whether it is over. */
  ended = false;
  /** What to call when it is over. */
  onEnd: Set<() => void> | undefined;

  constructor(owner: Owner) {
    this.owner = owner;
    this.#isLate = owner.closing;
  }

  /** Whether it was asked to stop, and has not been told by a `Canceled` yet. */
  get pending(): boolean {
    if (this.owner.closing && !this.#requested && !this.#isLate) {
      this.request();
    }
    return this.#pending;
  }

  /** Whether it was asked to stop. */
  get requested(): boolean {
    return this.#requested || this.owner.closing && !this.#isLate;
  }

  /** Ask it to stop. Again is as good as once. */
  request(): void {
    if (!this.ended && !this.#requested) {
      this.#requested = true;
      this.#pending = true;
      this.#interrupt();
    }
  }

  /** Have a cancellation that was delivered delivered once more. */
  recancel(): void {
    if (!this.ended && this.requested) {
      this.#requested = true;
      this.#pending = true;
      this.#interrupt();
    }
  }

  /**
   * A cancellation point.
   *
   * @throws {Canceled} If one is pending and the task is not protected.
   */
  check(): void {
    if (this.pending && this.#protection === 0) {
      throw this.deliver();
    }
  }

  /** {@linkcode Task.check} for functions that return a promise: a rejected one, if a cancellation is pending. */
  refuse(): Promise<never> | undefined {
    return this.pending && this.#protection === 0 ? Promise.reject(this.deliver()) : undefined;
  }

  /** The task learns that it is to stop: what to throw. */
  deliver(): Canceled {
    this.#pending = false;
    return new Canceled();
  }

  /**
   * A wait begins. It is a cancellation point.
   *
   * @throws {Canceled} See {@linkcode Task.check}; the wait must not begin then.
   */
  enter(wait: Wait): void {
    this.check();
    if (!this.#waited && !this.ended) {
      this.#waited = true;
      this.owner.waiters.add(this);
    }
    if (this.#wait === undefined) {
      this.#wait = wait;
    } else {
      (this.#moreWaits ??= new Set()).add(wait);
    }
  }

  /**
   * A wait that is no cancellation point at its beginning, because something may
   * have been promised to it by then: it is interrupted at once instead.
   */
  enterLate(wait: Wait): void {
    this.protect();
    try {
      this.enter(wait);
    } finally {
      this.unprotect();
    }
  }

  /** A wait is over. */
  leave(wait: Wait): void {
    if (this.#wait === wait) {
      this.#wait = undefined;
    } else {
      this.#moreWaits?.delete(wait);
    }
  }

  /** Aborts when the task is asked to stop and not protected. */
  get signal(): AbortSignal {
    let controller = controllers.get(this);
    if (controller === undefined) {
      const made = controller = new AbortController();
      controllers.set(this, made);
      // It is told as all that the task waits for is, and never over
      this.enterLate({ interrupt: () => made.abort(new Canceled()) });
    }
    return controller.signal;
  }

  /** Nothing is delivered from now on, until {@linkcode Task.unprotect}. */
  protect(): void {
    this.#protection++;
  }

  /** The end of what {@linkcode Task.protect} began. */
  unprotect(): void {
    if (--this.#protection === 0 && this.#pending) {
      this.#interrupt();
    }
  }

  /** It is over. */
  end(): void {
    this.ended = true;
    if (this.#waited) {
      this.owner.waiters.delete(this);
    }
    if (this.onEnd !== undefined) {
      const callbacks = this.onEnd;
      this.onEnd = undefined;
      for (const callback of callbacks) {
        callback();
      }
    }
  }

  /** Have everything it waits for end early. */
  #interrupt(): void {
    if (this.#protection === 0) {
      // Interrupting one may end others
      const more = this.#moreWaits === undefined ? [] : [...this.#moreWaits];
      this.#wait?.interrupt();
      for (const wait of more) {
        wait.interrupt();
      }
    }
  }

  /** How the runtime prints it, as part of a future. */
  [Symbol.for("Deno.customInspect")](): string {
    return `Task { ended: ${this.ended}, cancelRequested: ${this.#requested} }`;
  }
}
