// Copyright 2026 the ioq authors. MIT license.

/**
 * Those who wait until someone tells them to look again: for a completion, or a batch; and the
 * iterators that consumers of completions go by.
 *
 * @module
 */

/** A list of those who wait. */
export class Waiters {
  #waiting: (() => void)[] = [];

  /** Wait to be told to look again. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Tell all who wait to look again. */
  wake(): void {
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) {
        wake();
      }
    }
  }
}

/** What an iterator goes over. */
export interface CompletionSource<V> {
  /** The next of what there is to consume, if there is any. */
  take(): V | undefined;
  /** Whether anything is still to come. */
  hasMore(): boolean;
}

/** The consumers that wait for completions of a stream, first come, first served. */
export class Consumers {
  readonly #waiters = new Waiters();

  /** Have all who wait look again. */
  wake(): void {
    this.#waiters.wake();
  }

  /** An iterator over what a source has, until there is nothing left to come. */
  iterate<V>(source: CompletionSource<V>): AsyncIterableIterator<V> {
    let ended = false;
    const wait = async (): Promise<IteratorResult<V>> => {
      while (!ended && source.hasMore()) {
        await this.#waiters.wait();
        const value = ended ? undefined : source.take();
        if (value !== undefined) {
          return { done: false, value };
        }
      }
      return { done: true, value: undefined };
    };
    return {
      next: () => {
        const value = ended ? undefined : source.take();
        // By hand: an async generator costs several times as much per item
        return value === undefined ? wait() : Promise.resolve({ done: false, value });
      },
      return: () => {
        ended = true;
        // A next() of this iterator may be waiting
        this.wake();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
