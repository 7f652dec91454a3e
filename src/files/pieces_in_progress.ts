// Copyright 2026 the ioq authors. MIT license.

/**
 * A transfer in pieces that is in progress when a synchronous call is made, which is to
 * come after it. Pieces follow one another by promises, and none of those is settled
 * while the call holds up its thread. So the call waits for the pieces that are in flight
 * and transfers the others itself:
 *
 *     │ piece │ piece │ ── by the synchronous call ──│ what it was called for
 *               in flight: waited for
 *
 * When the promises go on, they find their pieces transferred.
 *
 * @module
 */

import type { CoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";

/** What has become of the pieces of one transfer. */
export class PiecesInProgress {
  readonly #rest: (from: number) => number;
  /** Bytes from the first piece to the end of the last that was begun. */
  #begun = 0;
  /** How many bytes each one was that is over, by where it began. */
  readonly #counts = new Map<number, number>();
  /** How many bytes there are in all, if a synchronous call has finished it. */
  #finished: number | undefined;

  /** @param rest Transfers what begins at so many bytes from the first, on this thread. */
  constructor(rest: (from: number) => number) {
    this.#rest = rest;
  }

  /** Whether a synchronous call has finished it, and has moved the position. */
  get isFinished(): boolean {
    return this.#finished !== undefined;
  }

  /** A request transfers the piece that begins at so many bytes. */
  begin<V>(request: CoreRequest<OpName, V>, at: number): CoreRequest<OpName, V> {
    this.#begun = Math.max(this.#begun, at + request.length);
    const { decode } = request;
    request.decode = (result, payload, self) => {
      const value = decode(result, payload, self);
      this.#counts.set(at, result);
      return value;
    };
    return request;
  }

  /** How many bytes of a piece have been transferred; `undefined` if it is to be begun. */
  countOf(at: number, length: number): number | undefined {
    return this.#finished === undefined
      ? undefined
      : Math.max(0, Math.min(length, this.#finished - at));
  }

  /** Transfer what is left, no piece being in flight; returns how many bytes there are in all. */
  finish(): number {
    let count = 0;
    for (let piece; (piece = this.#counts.get(count)) !== undefined && piece > 0;) {
      count += piece;
    }
    if (count === this.#begun) {
      try {
        count += this.#rest(count);
      } catch {
        // As for one system call, it counts only if nothing came before
      }
    }
    return this.#finished = count;
  }
}
