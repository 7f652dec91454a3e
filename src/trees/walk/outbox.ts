// Copyright 2026 the ioq authors. MIT license.

/**
 * Batches that were found and not taken yet, and those who wait for one.
 *
 * @module
 */

import { Waiters } from "../../queue/waiters.ts";

/** The batches that a walk found and nobody has taken yet. */
export class Outbox<B extends { readonly length: number }> {
  /** The batches, from {@linkcode #at} on. */
  #batches: (B | undefined)[] = [];
  #at = 0;
  #entries = 0;
  readonly #waiters = new Waiters();

  /** Whether there is no batch. */
  get isEmpty(): boolean {
    return this.#at === this.#batches.length;
  }

  /** Entries of all batches. */
  get entries(): number {
    return this.#entries;
  }

  /** Add a batch. */
  put(batch: B): void {
    this.#batches.push(batch);
    this.#entries += batch.length;
  }

  /** The oldest batch; there must be one. */
  take(): B {
    const batch = this.#batches[this.#at]!;
    // Nothing is to outlive its use: what the collector finds alive costs it most
    this.#batches[this.#at++] = undefined;
    if (this.isEmpty) {
      this.#batches = [];
      this.#at = 0;
    }
    this.#entries -= batch.length;
    return batch;
  }

  /** Throw all batches away. */
  clear(): void {
    this.#batches = [];
    this.#at = 0;
    this.#entries = 0;
  }

  /** Wait to be told to look again. */
  wait(): Promise<void> {
    return this.#waiters.wait();
  }

  /** Tell all who wait to look again. */
  wake(): void {
    this.#waiters.wake();
  }
}
