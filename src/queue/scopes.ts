// Copyright 2026 the ioq authors. MIT license.

/**
 * Scopes of work: what holds a descriptor or a promise between two requests.
 *
 * A transfer in pieces, a stream, a tree that is gone through, an iteration over files
 * has moments without a request in flight, in which the queue looks idle. It is known
 * to the queue nevertheless, from before its first request until it has closed what it
 * holds:
 *
 *     enter() ──▶ request ──▶ … ──▶ request ──▶ leave()
 *                    close() ──▶ cancel() ┘ (closes are accepted still)
 *
 * so that a queue that closes can have it end, and wait until it has.
 *
 * @module
 */

/** Work that consists of several requests. */
export interface Scope {
  /** What is being done to what, for messages. */
  readonly context: string;
  /**
   * The queue closes, or all of it is cancelled: end without waiting for whoever uses the
   * work, close what it holds, then leave. Called once, and requests in flight are
   * cancelled by then. Must
   * not throw. Work that does nothing but await its requests need not do anything: the
   * next one is refused.
   *
   * @param reason What the work is to fail with.
   */
  cancel?(reason: Error): void;
}

/** The scopes of a queue. */
export class Scopes {
  readonly #scopes = new Set<Scope>();
  readonly #onLeave: () => void;
  /** Those that were told to end. */
  readonly #told = new WeakSet<Scope>();
  /** Makes what they are cancelled with. */
  #reason: ((context: string) => Error) | undefined;

  /** @param onLeave Called when there are none any more. */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  /** How many there are. */
  get size(): number {
    return this.#scopes.size;
  }

  /** What they do, for messages. */
  get contexts(): string[] {
    return Array.from(this.#scopes, ({ context }) => context);
  }

  /**
   * Work begins.
   *
   * @throws {Deno.errors.BadResource} If the queue is closing, or closed.
   * @throws {Deno.errors.Interrupted} If all of it was cancelled.
   */
  enter(scope: Scope): void {
    if (this.#reason !== undefined) {
      throw this.#reason(scope.context);
    }
    this.#scopes.add(scope);
  }

  /** Something is being closed, which may begin while the queue closes as well. */
  hold(scope: Scope): void {
    this.#scopes.add(scope);
  }

  /** Work is over: it holds nothing any more. Again does nothing. */
  leave(scope: Scope): void {
    if (this.#scopes.delete(scope) && this.#scopes.size === 0) {
      this.#onLeave();
    }
  }

  /** Do something within a scope of its own, that ends because its requests do. */
  async within<V>(context: string, work: () => Promise<V>): Promise<V> {
    const scope: Scope = { context };
    this.enter(scope);
    try {
      return await work();
    } finally {
      this.leave(scope);
    }
  }

  /**
   * Have all of them end, and nobody begin.
   *
   * @param reason Makes the error that they fail with, of what they do.
   */
  cancel(reason: (context: string) => Error): void {
    this.#reason = reason;
    for (const scope of [...this.#scopes]) {
      if (scope.cancel !== undefined && !this.#told.has(scope)) {
        this.#told.add(scope);
        scope.cancel(reason(scope.context));
      }
    }
  }
}
