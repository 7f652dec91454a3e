// Copyright 2026 the ioq authors. MIT license.

/**
 * Memory of the library's that JavaScript sees.
 *
 * @module
 */

/**
 * Memory for transfers, made by {@linkcode Ioq.allocate}: what is read into
 * `bytes`, or any part of it, is not copied, and neither is what is written from it.
 *
 * It goes back with `using`, or with the queue. `bytes` is then detached: it has no
 * length any more, so that nobody can touch what is not there.
 */
export class IoqBuffer implements Disposable {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #release: (buffer: ArrayBuffer) => void;

  /** Made by {@linkcode Ioq.allocate}. */
  constructor(buffer: ArrayBuffer, release: (buffer: ArrayBuffer) => void) {
    this.#bytes = new Uint8Array(buffer);
    this.#release = release;
  }

  /** The memory, which begins at a page. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** How many bytes it has; 0 once it was given back. */
  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /**
   * Give it back; a second time does nothing. Requests that have to do with it end
   * as they would have, only that what they read is lost: they fail with a `TypeError`.
   */
  [Symbol.dispose](): void {
    if (this.#bytes.byteLength > 0) {
      this.#release(this.#bytes.buffer);
    }
  }
}
