// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that were tried in vain, without the library: nobody tells when a pipe has data
 * or room, or when a FIFO's other end is open, so each is tried again after a while, and
 * ever later. Meanwhile it holds no lane.
 *
 *     runner ──▶ in vain ──▶ timer ──▶ runner …
 *                   └── cancelled ──▶ complete, or, if a FIFO is kept open for it,
 *                                     runner: close ──▶ complete
 *
 * A FIFO that is to be read stays open between two tries: a writer that it has let in
 * would find it without a reader otherwise.
 *
 * @module
 */

import { ERRNO } from "../../linux/errors.ts";
import { CoreRequest } from "../../operations/request.ts";
import { type LeftRequest, NONE_KEPT, retried } from "./request_runner.ts";

/** Milliseconds until a request is tried again, at first and at the most. */
const PAUSE_MIN_MS = 1;
const PAUSE_MAX_MS = 20;

/** A request that waits. */
interface Waiting {
  readonly request: CoreRequest;
  readonly kept: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Has requests tried again. */
export class Retries {
  readonly #push: (slot: number, request: CoreRequest) => void;
  readonly #complete: (slot: number, result: number) => void;
  readonly #wake: () => void;
  readonly #waiting = new Map<number, Waiting>();
  /** Those whose time has come. */
  #due: number[] = [];
  /** Those that are over. */
  #over: number[] = [];
  /** How long each has waited the last time, and what it keeps while it is tried. */
  readonly #tried = new Map<number, { pauseMs: number; kept: number }>();
  /** Those whose FIFO is being closed. */
  readonly #closing = new Set<number>();

  /**
   * @param push Has a request tried.
   * @param complete Is told of completions, by {@linkcode Retries.turn} only.
   * @param wake Called when a turn has something to do.
   */
  constructor(
    push: (slot: number, request: CoreRequest) => void,
    complete: (slot: number, result: number) => void,
    wake: () => void,
  ) {
    this.#push = push;
    this.#complete = complete;
    this.#wake = wake;
  }

  /** How many wait, or are over and not told of. */
  get size(): number {
    return this.#waiting.size + this.#over.length;
  }

  /** A request was tried in vain. */
  add({ slot, request, kept }: LeftRequest): void {
    const before = this.#tried.get(slot)?.pauseMs ?? PAUSE_MIN_MS / 2;
    // Many of them share the time that this may take
    const most = Math.max(PAUSE_MAX_MS, this.#waiting.size);
    const pauseMs = Math.min(2 * before, most);
    this.#tried.set(slot, { pauseMs, kept });
    const timer = setTimeout(() => {
      this.#due.push(slot);
      this.#wake();
    }, pauseMs);
    this.#waiting.set(slot, { request, kept, timer });
  }

  /** Have those tried whose time has come, and tell of those that are over. Returns how many. */
  turn(): number {
    const due = this.#due;
    if (due.length > 0) {
      this.#due = [];
      for (const slot of due) {
        const waiting = this.#waiting.get(slot);
        if (waiting !== undefined) {
          this.#waiting.delete(slot);
          this.#push(slot, retried(waiting.request, waiting.kept));
        }
      }
    }
    const over = this.#over;
    if (over.length > 0) {
      this.#over = [];
      for (const slot of over) {
        this.#complete(slot, -ERRNO.EINTR!);
      }
    }
    return over.length;
  }

  /** Whether there is nothing for a turn to do. */
  arm(): boolean {
    return this.#due.length === 0 && this.#over.length === 0;
  }

  /** Cancel a request if it waits. Returns whether it does. */
  cancel(slot: number): boolean {
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined) {
      return false;
    }
    clearTimeout(waiting.timer);
    this.#waiting.delete(slot);
    this.#tried.delete(slot);
    if (waiting.kept === NONE_KEPT) {
      this.#over.push(slot);
    } else {
      this.#release(slot, waiting.kept);
    }
    this.#wake();
    return true;
  }

  /** Cancel all that wait. */
  cancelAll(): void {
    for (const slot of [...this.#waiting.keys()]) {
      this.cancel(slot);
    }
  }

  /** Close what is kept for a request, which is over then. */
  #release(slot: number, kept: number): void {
    this.#closing.add(slot);
    this.#push(slot, new CoreRequest("close", { fd: kept }));
  }

  /**
   * A request is complete for what ran it.
   *
   * @returns Its result; `undefined` if it is not over yet.
   */
  settle(slot: number, result: number): number | undefined {
    if (this.#closing.delete(slot)) {
      return -ERRNO.EINTR!;
    }
    const tried = this.#tried.get(slot);
    if (tried === undefined) {
      return result;
    }
    this.#tried.delete(slot);
    if (result === -ERRNO.EINTR! && tried.kept !== NONE_KEPT) {
      // It was cancelled before it was tried once more
      this.#release(slot, tried.kept);
      return undefined;
    }
    return result;
  }
}
