// Copyright 2026 the ioq authors. MIT license.

/**
 * Several removals of one path at the same time. The folder was there when each was called,
 * but one may find it only when another has removed it: what is missing then was removed,
 * and nobody is told that it was never there.
 *
 *     one:    called ──▶ finds it ──▶ removes it ──────────▶ resolves
 *     other:  called ───────────────▶ misses it ──▶ waits ──▶ resolves, since one found it
 *
 * If none finds it, each is told that it is missing. Removals of other threads are not
 * known here.
 *
 * @module
 */

import { onAbort } from "../signal.ts";

/** Those in progress, by their path. */
const inProgress = new Map<string, Set<Removal>>();

/** One removal, from its call on. */
export class Removal implements Disposable {
  readonly #path: string;
  readonly #all: Set<Removal>;
  /** Whether it has found the path, once it has looked. */
  #found: boolean | undefined;
  /** Whether another one found it after the call. */
  #foundByOther = false;
  /** Resolves what waits for others to look. */
  #onLooked: (() => void) | undefined;

  /** @param path What is removed, as an absolute path. */
  constructor(path: string) {
    this.#path = path;
    let all = inProgress.get(path);
    if (all === undefined) {
      all = new Set();
      inProgress.set(path, all);
    }
    this.#all = all;
    all.add(this);
  }

  /** It has found the path. */
  found(): void {
    this.#found = true;
    this.#looked();
  }

  /**
   * It has not found the path.
   *
   * @param signal Ends the wait for others.
   * @returns Whether another one did.
   */
  async missed(signal: AbortSignal): Promise<boolean> {
    this.#found = false;
    this.#looked();
    const end = () => this.#onLooked?.();
    onAbort(signal, end);
    try {
      while (!this.#isFound && this.#isAwaited && !signal.aborted) {
        await new Promise<void>((resolve) => this.#onLooked = resolve);
      }
    } finally {
      signal.removeEventListener("abort", end);
    }
    return this.#isFound;
  }

  get #isFound(): boolean {
    return this.#foundByOther || this.#all.values().some((other) => other.#found === true);
  }

  /** Whether there is one that has yet to look. */
  get #isAwaited(): boolean {
    return this.#all.values().some((other) => other.#found === undefined);
  }

  /** Tell the others that it has looked, or never will. */
  #looked(): void {
    for (const other of this.#all) {
      if (other !== this) {
        other.#foundByOther ||= this.#found === true;
        other.#onLooked?.();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#all.delete(this);
    if (this.#all.size === 0) {
      inProgress.delete(this.#path);
    } else {
      this.#looked();
    }
  }
}
